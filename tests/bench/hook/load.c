// SPDX-License-Identifier: GPL-2.0
/*
 * What the benchmark of the hook needs from user space:
 *
 *   load fill FIRST PAGES KEEP   fill the page frames FIRST ... with anonymous
 *                                memory, with KEEP bytes of other free
 *                                memory
 *   load hold PAGES KEEP         hold one tagged page in each aligned group of
 *                                PAGES page frames, as far as memory goes
 *   load fault KIND PAGES LOOPS [FILE...]
 *                                time page faults and what undoes them
 *
 * The first two print a line when they are done, and hold what they have until they
 * are killed. KIND is plain, mte, shmem or fork. For each loop a line is printed:
 * nanoseconds of the faults and of the freeing, and by how much the number in each
 * file grew during the faults.
 */

#define _GNU_SOURCE
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include "../load.h"

#ifndef PROT_MTE
#define PROT_MTE 0x20
#endif

/* The addresses are fixed, so that the page tables are the same in all runs. */
#define ARENA ((void *)0x1000000000)
#define KEPT ((char *)0x2000000000)
/* Page frames whose tags share a block of 4 KiB. */
#define GROUP 32
#define MAX_FILES 8

static char *map(size_t size, int extra, int fd)
{
	char *p = mmap(ARENA, size, PROT_READ | PROT_WRITE | extra,
		       MAP_FIXED_NOREPLACE | (fd < 0 ? MAP_PRIVATE | MAP_ANONYMOUS : MAP_SHARED),
		       fd, 0);

	if (p == MAP_FAILED)
		err(1, "mmap of %zu bytes", size);
	return p;
}

static void touch(char *p, unsigned long pages)
{
	volatile char *v = p;

	for (unsigned long i = 0; i < pages; i++)
		v[i * PAGE] = 1;
}

static unsigned long free_bytes(void)
{
	unsigned long kib = 0;
	char line[256];
	FILE *f = fopen("/proc/meminfo", "r");

	if (!f)
		err(1, "/proc/meminfo");
	while (fgets(line, sizeof(line), f))
		if (sscanf(line, "MemFree: %lu", &kib) == 1)
			break;
	fclose(f);
	return kib * 1024;
}

/* Page frame numbers of a mapping; the caller is root. */
static uint64_t *frames(const char *p, unsigned long pages)
{
	uint64_t *pfn = calloc(pages, sizeof(*pfn));
	int fd = open("/proc/self/pagemap", O_RDONLY);
	ssize_t got;

	if (fd < 0 || !pfn)
		err(1, "pagemap");
	got = pread(fd, pfn, pages * sizeof(*pfn), (uintptr_t)p / PAGE * sizeof(*pfn));
	if (got != (ssize_t)(pages * sizeof(*pfn)))
		err(1, "pagemap");
	close(fd);
	for (unsigned long i = 0; i < pages; i++) {
		if (!(pfn[i] >> 63))
			errx(1, "page %lu is not in memory", i);
		pfn[i] &= (1ULL << 55) - 1;
	}
	return pfn;
}

static void stay(void)
{
	fflush(stdout);
	for (;;)
		pause();
}

static void fill(unsigned long first, unsigned long count, unsigned long keep)
{
	/* The rest of the memory is for page tables and for the array of page frames. */
	unsigned long pages = (free_bytes() - (8UL << 20)) / PAGE, inside = 0, drop;
	char *p = map(pages * PAGE, 0, -1);
	uint64_t *pfn;

	touch(p, pages);
	pfn = frames(p, pages);
	drop = keep / PAGE;
	for (unsigned long i = 0; i < pages; i++) {
		if (pfn[i] - first < count) {
			inside++;
		} else if (drop) {
			drop--;
			madvise(p + i * PAGE, PAGE, MADV_DONTNEED);
		}
	}
	printf("filled %lu of %lu\n", inside, count);
	stay();
}

static void hold(unsigned long group, unsigned long keep)
{
	unsigned long pages = (free_bytes() - keep) / PAGE, held = 0;
	char *p = map(pages * PAGE, PROT_MTE, -1), *seen;
	uint64_t *pfn, last = 0;

	touch(p, pages);
	pfn = frames(p, pages);
	for (unsigned long i = 0; i < pages; i++)
		if (pfn[i] / group > last)
			last = pfn[i] / group;
	seen = calloc(last + 1, 1);
	if (!seen)
		err(1, "no memory");
	for (unsigned long i = 0; i < pages; i++) {
		if (!seen[pfn[i] / group]) {
			seen[pfn[i] / group] = 1;
			held++;
		} else {
			madvise(p + i * PAGE, PAGE, MADV_DONTNEED);
		}
	}
	/* Compaction must leave these pages where they are, see faults.sh. */
	if (mlock2(p, pages * PAGE, MLOCK_ONFAULT))
		err(1, "mlock2");
	printf("held %lu of %lu\n", held, pages);
	stay();
}

struct loop {
	uint64_t fault, undo;
	long grown[MAX_FILES];
};

static char **files;
static int nr_files;

static long value(const char *name)
{
	FILE *f = fopen(name, "r");
	long number;

	if (!f || fscanf(f, "%ld", &number) != 1)
		err(1, "%s", name);
	fclose(f);
	return number;
}

static void time_touch(char *p, unsigned long pages, struct loop *loop)
{
	uint64_t start;

	for (int i = 0; i < nr_files; i++)
		loop->grown[i] = -value(files[i]);
	start = now();
	touch(p, pages);
	loop->fault = now() - start;
	for (int i = 0; i < nr_files; i++)
		loop->grown[i] += value(files[i]);
}

/* Hold one page of each group of frames: the next loop finds the group's tag block tagged. */
static void keep_groups(char *p, unsigned long pages)
{
	static char seen[1 << 20], *next = KEPT;
	uint64_t *pfn = frames(p, pages);

	for (unsigned long i = 0; i < pages; i++) {
		if (seen[pfn[i] / GROUP % sizeof(seen)])
			continue;
		seen[pfn[i] / GROUP % sizeof(seen)] = 1;
		if (mremap(p + i * PAGE, PAGE, PAGE, MREMAP_MAYMOVE | MREMAP_FIXED, next) != next ||
		    mlock(next, PAGE))
			err(1, "keep page %lu", i);
		next += PAGE;
	}
	free(pfn);
}

/* Memory is mapped, each page is touched, and all is unmapped. */
static void time_memory(int extra, int fd, unsigned long pages, struct loop *loop)
{
	char *p = map(pages * PAGE, extra, fd);
	uint64_t start;

	time_touch(p, pages, loop);
	start = now();
	if (munmap(p, pages * PAGE) || (fd >= 0 && ftruncate(fd, 0)))
		err(1, "unmap");
	loop->undo = now() - start;
	if (fd >= 0 && ftruncate(fd, pages * PAGE))
		err(1, "truncate");
	if (extra) {
		p = map(pages * PAGE, extra, fd);
		touch(p, pages);
		keep_groups(p, pages);
		munmap(p, pages * PAGE);
	}
}

/* A child starts and ends; then the parent writes to the pages that they shared. */
static void time_fork(char *p, unsigned long pages, struct loop *loop)
{
	uint64_t start = now();
	pid_t pid = fork();

	if (pid < 0)
		err(1, "fork");
	if (!pid)
		_exit(0);
	waitpid(pid, NULL, 0);
	loop->undo = now() - start;
	time_touch(p, pages, loop);
}

static void print(const struct loop *loop)
{
	printf("%llu %llu", (unsigned long long)loop->fault,
	       (unsigned long long)loop->undo);
	for (int i = 0; i < nr_files; i++)
		printf(" %ld", loop->grown[i]);
	putchar('\n');
}

static void fault(const char *kind, unsigned long pages, unsigned long loops)
{
	struct loop *all = calloc(loops, sizeof(*all));
	int forks = !strcmp(kind, "fork"), fd = -1;
	char *p = NULL;

	if (!all)
		err(1, "no memory");
	if (forks) {
		p = map(pages * PAGE, 0, -1);
		touch(p, pages);
	} else if (!strcmp(kind, "shmem")) {
		fd = memfd_create("load", 0);
		if (fd < 0 || ftruncate(fd, pages * PAGE))
			err(1, "memfd");
	} else if (strcmp(kind, "plain") && strcmp(kind, "mte")) {
		errx(2, "%s: no such kind", kind);
	}
	for (unsigned long i = 0; i < loops; i++) {
		if (forks)
			time_fork(p, pages, &all[i]);
		else
			time_memory(strcmp(kind, "mte") ? 0 : PROT_MTE, fd, pages, &all[i]);
	}
	for (unsigned long i = 0; i < loops; i++)
		print(&all[i]);
}

int main(int argc, char **argv)
{
	if (argc == 5 && !strcmp(argv[1], "fill")) {
		fill(number(argv[2]), number(argv[3]), number(argv[4]));
	} else if (argc == 4 && !strcmp(argv[1], "hold")) {
		hold(number(argv[2]), number(argv[3]));
	} else if (argc >= 5 && argc <= 5 + MAX_FILES && !strcmp(argv[1], "fault")) {
		files = argv + 5;
		nr_files = argc - 5;
		fault(argv[2], number(argv[3]), number(argv[4]));
	} else {
		errx(2, "usage: see the top of load.c");
	}
	return 0;
}
