// SPDX-License-Identifier: GPL-2.0
/*
 * tracer: reads and writes tags by ptrace, of pages that user space cannot access.
 *
 *   tracer SIZE
 *
 * A child populates SIZE bytes and then makes them PROT_NONE | PROT_MTE: the pages
 * are in a tagged range, but were never tagged. Peeking at their tags must show 0,
 * and tags that are poked must read back. Whether something else was overwritten by
 * them has to be looked at elsewhere.
 *
 * Exit status: 0 all tags were right; 1 not; 2 usage or set-up.
 */

#define _GNU_SOURCE
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/ptrace.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>

#define PAGE		4096UL
#define TAGS		256
#ifndef PROT_MTE
#define PROT_MTE	0x20
#endif
#ifndef PTRACE_PEEKMTETAGS
#define PTRACE_PEEKMTETAGS 33
#define PTRACE_POKEMTETAGS 34
#endif

static char *area;

static void child(size_t size)
{
	size_t i;

	for (i = 0; i < size; i += PAGE)
		area[i] = 1;
	if (mprotect(area, size, PROT_NONE | PROT_MTE))
		_exit(2);
	raise(SIGSTOP);
	_exit(0);
}

static int transfer(int request, pid_t pid, size_t offset, uint8_t *tags)
{
	struct iovec iov = { tags, TAGS };

	return ptrace(request, pid, area + offset, &iov) || iov.iov_len != TAGS;
}

/* Pages whose tags are not all @want. */
static size_t count_wrong(pid_t pid, size_t size, uint8_t want)
{
	uint8_t tags[TAGS], right[TAGS];
	size_t i, wrong = 0;

	memset(right, want, TAGS);
	for (i = 0; i < size; i += PAGE)
		wrong += transfer(PTRACE_PEEKMTETAGS, pid, i, tags) ||
			 memcmp(tags, right, TAGS);
	return wrong;
}

static size_t poke_all(pid_t pid, size_t size, uint8_t tag)
{
	uint8_t tags[TAGS];
	size_t i, failed = 0;

	memset(tags, tag, TAGS);
	for (i = 0; i < size; i += PAGE)
		failed += transfer(PTRACE_POKEMTETAGS, pid, i, tags);
	return failed;
}

int main(int argc, char **argv)
{
	size_t size = argc == 2 ? strtoul(argv[1], NULL, 0) / PAGE * PAGE : 0;
	size_t before, failed, after;
	int status;
	pid_t pid;

	if (!size) {
		fprintf(stderr, "usage: tracer SIZE\n");
		return 2;
	}
	area = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	pid = area == MAP_FAILED ? -1 : fork();
	if (!pid) {
		ptrace(PTRACE_TRACEME, 0, NULL, NULL);
		child(size);
	}
	if (pid < 0 || waitpid(pid, &status, 0) != pid || !WIFSTOPPED(status)) {
		fprintf(stderr, "tracer: no child, or no tagged memory\n");
		return 2;
	}
	before = count_wrong(pid, size, 0);
	failed = poke_all(pid, size, 5);
	after = count_wrong(pid, size, 5);
	kill(pid, SIGKILL);
	printf("tracer: %zu pages: %zu had tags that were never set, %zu could not be poked, %zu do not hold what was poked\n",
	       size / PAGE, before, failed, after);
	return before || failed || after;
}
