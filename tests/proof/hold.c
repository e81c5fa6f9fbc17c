// SPDX-License-Identifier: GPL-2.0
/*
 * hold: have so much tagged memory until stdin ends, and verify its tags and bytes.
 *
 *   hold SIZE new|mprotect
 *
 * "new" maps it with PROT_MTE, so that each page is tagged as it is allocated;
 * "mprotect" asks for tags when it is populated, so that up to 512 pages are tagged
 * under one page-table lock. Prints "ready" when all of it is tagged. For each byte
 * on stdin a page is moved to other memory.
 *
 * Exit status: 0 all right; 1 tags or bytes were wrong; 2 usage or no memory.
 */

#define _GNU_SOURCE
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "mte.h"

#define PAGE	4096UL
#define GRANULE	16UL
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

int main(int argc, char **argv)
{
	size_t size = argc == 3 ? strtoul(argv[1], NULL, 0) / PAGE * PAGE : 0;
	bool late = argc == 3 && !strcmp(argv[2], "mprotect");
	int prot = PROT_READ | PROT_WRITE;
	size_t wrong, moved = 0;
	char *area, c;

	if (!size || (!late && strcmp(argv[2], "new"))) {
		fprintf(stderr, "usage: hold SIZE new|mprotect\n");
		return 2;
	}
	area = mmap(NULL, size, late ? prot : prot | PROT_MTE,
		    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (area == MAP_FAILED || mte_enable()) {
		fprintf(stderr, "hold: no tagged memory\n");
		return 2;
	}
	if (late) {
		memset(area, 1, size);
		if (mprotect(area, size, prot | PROT_MTE)) {
			perror("hold: mprotect");
			return 2;
		}
	}
	fill(area, size);
	printf("ready\n");
	fflush(stdout);
	while (read(0, &c, 1) > 0) {
		if (madvise(area + moved % size, PAGE, MADV_SOFT_OFFLINE)) {
			perror("hold: MADV_SOFT_OFFLINE");
			return 2;
		}
		moved += PAGE;
		printf("moved\n");
		fflush(stdout);
	}
	wrong = count_wrong(area, size);
	if (wrong)
		printf("hold: %zu granules or pages are wrong\n", wrong);
	return wrong ? 1 : 0;
}
