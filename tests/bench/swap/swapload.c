// SPDX-License-Identifier: GPL-2.0
/*
 * Work that needs more memory than its control group may have. Memory is filled with
 * pages of FILE, which is read and locked before the group is entered.
 *
 *   swapload GROUP FILE faults MIB TOUCHES    touch pages at random, print the
 *                                             nanoseconds of each major fault
 *   swapload GROUP FILE compile MIB UNITS     compile-like: processes that each build
 *                                             MIB of small nodes, walk over them and
 *                                             end, one after the other: of two at a
 *                                             time the order, and with it the number
 *                                             of faults, is another one each time
 */

#define _GNU_SOURCE
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include "../load.h"

#define PASSES 3

static const char *source;
static size_t source_size;

static void enter(const char *group)
{
	char name[256];
	int fd;

	snprintf(name, sizeof(name), "%s/cgroup.procs", group);
	fd = open(name, O_WRONLY);
	if (fd < 0 || write(fd, "0", 1) != 1)
		err(1, "%s", name);
	close(fd);
}

static long major_faults(void)
{
	struct rusage usage;

	getrusage(RUSAGE_SELF, &usage);
	return usage.ru_majflt;
}

static void faults(unsigned long mib, unsigned long touches)
{
	size_t pages = (mib << 20) / PAGE, nr = 0;
	uint64_t *times = calloc(touches, sizeof(*times)), state = 88172645463325252;
	volatile char *p = map_memory(pages * PAGE, 0);

	if (!times || mlock(times, touches * sizeof(*times)))
		err(1, "times");
	for (size_t i = 0; i < pages; i++) {
		memcpy((char *)p + i * PAGE, source + i * PAGE % source_size, PAGE);
		*(size_t *)(p + i * PAGE) = i;
	}
	for (unsigned long i = 0; i < touches; i++) {
		size_t at = next(&state) % pages;
		long before = major_faults();
		uint64_t start = now();
		size_t found = *(volatile size_t *)(p + at * PAGE);
		uint64_t end = now();

		if (found != at)
			errx(1, "page %zu came back as %zu", at, found);
		if (major_faults() != before)
			times[nr++] = end - start;
	}
	for (size_t i = 0; i < nr; i++)
		printf("%llu ", (unsigned long long)times[i]);
	puts("");
}

struct node {
	struct node *next;
	uint32_t size, uses;
	char data[];
};

/* One process: it builds nodes, walks over them, uses some of them, and ends. */
static void unit(unsigned long mib, uint64_t state)
{
	size_t at = 0, from = next(&state) % (source_size / 2), all = mib << 20;
	struct node *first = NULL, **last = &first, *node;
	char *heap = map_memory(all, 0);

	for (;;) {
		uint32_t size = 16 + next(&state) % 500;

		if (at + sizeof(*node) + size + 8 > all)
			break;
		node = (void *)(heap + at);
		node->size = size;
		memcpy(node->data, source + from, size);
		from = (from + size) % (source_size / 2);
		*last = node;
		last = &node->next;
		at = (at + sizeof(*node) + size + 7) & ~7UL;
	}
	for (int pass = 0; pass < PASSES; pass++)
		for (node = first; node; node = node->next)
			if (node->size % 4 == 0)
				node->uses += node->data[node->size - 1];
	_exit(0);
}

static void compile(unsigned long mib, unsigned long units)
{
	int status;

	for (unsigned long i = 0; i < units; i++) {
		pid_t child = fork();

		if (child < 0)
			err(1, "fork");
		if (!child)
			unit(mib, 88172645463325252 + i);
		if (waitpid(child, &status, 0) != child || status)
			errx(1, "a unit ended with status %#x", status);
	}
}

int main(int argc, char **argv)
{
	if (argc != 6)
		errx(2, "usage: swapload GROUP FILE faults|compile MIB COUNT");
	source = read_source(argv[2], &source_size);
	enter(argv[1]);
	if (!strcmp(argv[3], "faults"))
		faults(number(argv[4]), number(argv[5]));
	else if (!strcmp(argv[3], "compile"))
		compile(number(argv[4]), number(argv[5]));
	else
		errx(2, "what is %s?", argv[3]);
	return 0;
}
