// SPDX-License-Identifier: GPL-2.0
/*
 * hold: have so much tagged memory until stdin ends, and verify its tags and bytes.
 *
 *   hold SIZE new|mprotect|shared
 *
 * "new" maps it with PROT_MTE, so that each page is tagged as it is allocated;
 * "mprotect" asks for tags when it is populated; "shared" maps shared memory that is
 * populated, whose pages are tagged under page-table locks as they are touched. Prints
 * "ready" when all of it is tagged. For each byte on stdin a page is moved to other
 * memory, and "moved" is printed, or "stays" if the kernel could not move it.
 *
 * Exit status: 0 all right; 1 tags or bytes were wrong; 2 usage or no memory; 3 the
 * kernel has refused the tags.
 */

#define _GNU_SOURCE
#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "mte.h"

#define PAGE	4096UL
#define GRANULE	16UL
#define PLAIN	(PROT_READ | PROT_WRITE)
#ifndef MADV_SOFT_OFFLINE
#define MADV_SOFT_OFFLINE 101
#endif

static unsigned int tag_of(size_t offset)
{
	return (offset / GRANULE * 7 + offset / PAGE) % 16;
}

static void fill(char *area, size_t size)
{
	size_t i;

	for (i = 0; i < size; i += GRANULE) {
		mte_store_tag(mte_pointer(area + i, tag_of(i)));
		if (i % PAGE == 0)
			*(size_t *)mte_pointer(area + i, tag_of(i)) = i;
	}
}

static size_t count_wrong(char *area, size_t size)
{
	size_t i, wrong = 0;

	for (i = 0; i < size; i += GRANULE) {
		wrong += mte_load_tag(area + i) != tag_of(i);
		if (i % PAGE == 0)
			wrong += *(size_t *)mte_pointer(area + i, tag_of(i)) != i;
	}
	return wrong;
}

static void die(const char *what, int status)
{
	fprintf(stderr, "hold: %s: %s\n", what, strerror(errno));
	exit(status);
}

static char *map_new(size_t size, int prot)
{
	char *area = mmap(NULL, size, prot, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (area == MAP_FAILED)
		die("mmap", 2);
	return area;
}

static char *map_late(size_t size)
{
	char *area = map_new(size, PLAIN);

	memset(area, 1, size);
	if (mprotect(area, size, PLAIN | PROT_MTE))
		die("mprotect", errno == ENOMEM ? 3 : 2);
	return area;
}

/* Another mapping populates the memory: pages allocated by this one would be prepared. */
static char *map_shared(size_t size)
{
	int fd = memfd_create("hold", MFD_CLOEXEC);
	char *area;

	if (fd < 0 || ftruncate(fd, size))
		die("memfd", 2);
	area = mmap(NULL, size, PLAIN, MAP_SHARED, fd, 0);
	if (area == MAP_FAILED)
		die("mmap", 2);
	memset(area, 1, size);
	munmap(area, size);
	area = mmap(NULL, size, PLAIN | PROT_MTE, MAP_SHARED, fd, 0);
	if (area == MAP_FAILED)
		die("mmap", 2);
	return area;
}

static char *map(size_t size, const char *how)
{
	if (!strcmp(how, "new"))
		return map_new(size, PLAIN | PROT_MTE);
	if (!strcmp(how, "mprotect"))
		return map_late(size);
	if (!strcmp(how, "shared"))
		return map_shared(size);
	return NULL;
}

static void move_page(char *page)
{
	if (!madvise(page, PAGE, MADV_SOFT_OFFLINE))
		printf("moved\n");
	else if (errno == EBUSY || errno == ENOMEM)
		printf("stays\n");
	else
		die("MADV_SOFT_OFFLINE", 2);
	fflush(stdout);
}

int main(int argc, char **argv)
{
	size_t size = argc == 3 ? strtoul(argv[1], NULL, 0) / PAGE * PAGE : 0;
	size_t wrong, moved;
	char *area, c;

	area = size && !mte_enable() ? map(size, argv[2]) : NULL;
	if (!area) {
		fprintf(stderr, "usage: hold SIZE new|mprotect|shared, where memory can be tagged\n");
		return 2;
	}
	fill(area, size);
	printf("ready\n");
	fflush(stdout);
	for (moved = 0; read(0, &c, 1) > 0; moved += PAGE)
		move_page(area + moved % size);
	wrong = count_wrong(area, size);
	if (wrong)
		printf("hold: %zu granules or pages are wrong\n", wrong);
	return wrong ? 1 : 0;
}
