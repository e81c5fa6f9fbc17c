// SPDX-License-Identifier: GPL-2.0
/*
 * Memory that is swapped, and memory that is tagged:
 *
 *   tagload swap FILE MIB     fill memory with pages of FILE, have them swapped out as far
 *                             as they can be, print a line, and stay until killed
 *   tagload fault MIB         map PROT_MTE memory and touch each page of it
 *   tagload mprotect MIB      fill memory, then make it PROT_MTE, 2 MiB at a time
 *
 * The last two print nanoseconds: of all together, then of each fault or mprotect().
 * Nothing is given back meanwhile, so that no page is tagged twice.
 */

#define _GNU_SOURCE
#include <stdio.h>
#include <string.h>
#include "../load.h"

#ifndef PROT_MTE
#define PROT_MTE 0x20
#endif
#define CHUNK (2UL << 20)

static void swap(const char *name, size_t size)
{
	size_t source_size;
	const char *source = read_source(name, &source_size);
	char *p = map_memory(size, 0);

	for (size_t i = 0; i < size / PAGE; i++) {
		memcpy(p + i * PAGE, source + i * PAGE % source_size, PAGE);
		memcpy(p + i * PAGE, &i, sizeof(i));
	}
	if (madvise(p, size, MADV_PAGEOUT))
		err(1, "MADV_PAGEOUT");
	puts("swapped");
	fflush(stdout);
	for (;;)
		pause();
}

/* Locked in memory: else the faults of this array would be in the figures. */
static uint64_t *room_for_times(size_t count)
{
	uint64_t *times = map_memory(count * sizeof(*times), 0);

	if (mlockall(MCL_CURRENT))
		err(1, "mlockall");
	return times;
}

static void print(uint64_t all, const uint64_t *times, size_t count)
{
	printf("%llu", (unsigned long long)all);
	for (size_t i = 0; i < count; i++)
		printf(" %llu", (unsigned long long)times[i]);
	putchar('\n');
}

static void fault(size_t size)
{
	uint64_t *times = room_for_times(size / PAGE), first, before;
	volatile char *p = map_memory(size, PROT_MTE);

	first = now();
	for (size_t i = 0; i < size / PAGE; i++) {
		before = now();
		p[i * PAGE] = 1;
		times[i] = now() - before;
	}
	print(now() - first, times, size / PAGE);
}

static void protect(size_t size)
{
	uint64_t *times = room_for_times(size / CHUNK), first, before;
	char *p = map_memory(size, 0);

	memset(p, 1, size);
	first = now();
	for (size_t i = 0; i < size / CHUNK; i++) {
		before = now();
		if (mprotect(p + i * CHUNK, CHUNK, PROT_READ | PROT_WRITE | PROT_MTE))
			err(1, "mprotect");
		times[i] = now() - before;
	}
	print(now() - first, times, size / CHUNK);
}

int main(int argc, char **argv)
{
	if (argc == 4 && !strcmp(argv[1], "swap"))
		swap(argv[2], number(argv[3]) << 20);
	else if (argc == 3 && !strcmp(argv[1], "fault"))
		fault(number(argv[2]) << 20);
	else if (argc == 3 && !strcmp(argv[1], "mprotect"))
		protect(number(argv[2]) << 20);
	else
		errx(2, "usage: see the top of tagload.c");
	return 0;
}
