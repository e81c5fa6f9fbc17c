// SPDX-License-Identifier: GPL-2.0
/*
 * burst: tag memory, once, and give it back; for the measurement of single sections.
 *
 *   burst fault|mprotect|huge-fault|huge-mprotect|release|huge-release PAGES
 *   burst scattered-mprotect PAGES STRIDE
 *
 * fault maps the pages with PROT_MTE and touches each; mprotect touches them first
 * and tags all by one call. The huge ones do the same with huge pages, PAGES / 512
 * of them, and fail if there are none. With scattered-mprotect no two of the pages are
 * in one range of STRIDE page frames, and so in one tag block. What has "release" in
 * its name waits for a line on stdin between tagging and giving back; the others exit
 * without giving back, and the kernel does it. Prints "ready" before it begins and
 * waits for a line.
 */

#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "mte.h"
#include "pattern.h"
#include "say.h"

#define HUGE_SIZE	(2UL << 20)

static uint8_t *base;
static size_t size;

static void wait_for_line(void)
{
	char c;

	say("ready");
	while (read(STDIN_FILENO, &c, 1) == 1 && c != '\n')
		;
}

static void map(bool huge, int prot)
{
	uint8_t *start = mmap(NULL, size + HUGE_SIZE, PROT_NONE,
			      MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

	base = (uint8_t *)(((uintptr_t)start + HUGE_SIZE - 1) & ~(HUGE_SIZE - 1));
	if (start == MAP_FAILED ||
	    mmap(base, size, PROT_READ | PROT_WRITE | prot,
		 MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0) == MAP_FAILED)
		die("burst: mmap: %s", strerror(errno));
	if (madvise(base, size, huge ? MADV_HUGEPAGE : MADV_NOHUGEPAGE))
		die("burst: madvise: %s", strerror(errno));
}

static uint64_t frame_of(int pagemap, const uint8_t *address)
{
	uint64_t entry;

	if (pread(pagemap, &entry, sizeof(entry), (uintptr_t)address / PAGE * sizeof(entry)) !=
	    sizeof(entry))
		die("burst: pagemap: %s", strerror(errno));
	return entry & ((1ULL << 55) - 1);
}

/*
 * Make the kernel give out scattered pages next: those that are freed here, one of
 * each @stride, and have no free neighbours to be merged with. The others stay.
 */
static void scatter(size_t stride)
{
	int pagemap = open("/proc/self/pagemap", O_RDONLY);
	size_t at, all = size * (stride + 1);
	uint8_t *pages;

	pages = mmap(NULL, all, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (pages == MAP_FAILED || madvise(pages, all, MADV_NOHUGEPAGE) || pagemap < 0)
		die("burst: no memory to be scattered");
	for (at = 0; at < all; at += PAGE)
		pages[at] = 1;
	for (at = 0; at < all; at += PAGE)
		if (frame_of(pagemap, pages + at) % stride == stride / 2)
			madvise(pages + at, PAGE, MADV_DONTNEED);
	close(pagemap);
}

static size_t count_blocks(size_t stride)
{
	int pagemap = open("/proc/self/pagemap", O_RDONLY);
	size_t at, other, n = 0;

	for (at = 0; at < size; at += PAGE) {
		uint64_t block = frame_of(pagemap, base + at) / stride;

		for (other = 0; other < at; other += PAGE)
			if (frame_of(pagemap, base + other) / stride == block)
				break;
		n += other == at;
	}
	close(pagemap);
	return n;
}

/* Store once in each page. The pages are zeros; their tags, if any, are 0. */
static void touch(size_t step)
{
	size_t at;

	for (at = 0; at < size; at += step)
		*(volatile uint8_t *)(base + at) = 1;
}

int main(int argc, char **argv)
{
	bool huge, late, release;
	size_t stride;

	if (argc != 3 && argc != 4)
		die("usage: burst [huge-]fault|[huge-]mprotect|scattered-mprotect PAGES [STRIDE]");
	stride = argc == 4 ? strtoul(argv[3], NULL, 0) : 0;
	huge = !strncmp(argv[1], "huge-", 5);
	late = strstr(argv[1], "mprotect");
	release = strstr(argv[1], "release");
	size = strtoul(argv[2], NULL, 0) * PAGE;
	if (mte_enable())
		die("burst: no memory tagging");
	/* Memory that is not measured must not fault meanwhile. */
	mlockall(MCL_CURRENT);

	map(huge, late ? 0 : PROT_MTE);
	if (stride)
		scatter(stride);
	if (late)
		touch(huge ? HUGE_SIZE : PAGE);
	if (stride)
		say("%zu pages in %zu blocks", size / PAGE, count_blocks(stride));
	if (!release)
		wait_for_line();
	if (!late)
		touch(huge ? HUGE_SIZE : PAGE);
	else if (mprotect(base, size, PROT_READ | PROT_WRITE | PROT_MTE))
		die("burst: mprotect: %s", strerror(errno));
	wait_for_line();
	munmap(base, size);
	wait_for_line();
	return 0;
}
