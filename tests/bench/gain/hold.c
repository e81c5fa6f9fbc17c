// SPDX-License-Identifier: GPL-2.0
/*
 * hold FILE SEED CHECK SAMPLE: how much anonymous memory can a process hold?
 *
 * A child fills memory with pages of FILE until the kernel kills it for lack of memory;
 * then the number of pages that it held is printed, and how many it verified. No two
 * pages are the same: each has its own number in it. When CHECK pages are held, SAMPLE of
 * them are compared, all of them if SAMPLE is not less, the last ones first.
 *
 * What the child needs to go on is locked in memory, so that it does not wait for its own
 * program while memory runs out.
 */

#define _GNU_SOURCE
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include "../load.h"

/* Far more than fits into memory; addresses cost nothing. */
#define ARENA (1024UL << 30)

static const char *source;
static size_t source_pages;
static uint64_t seed;
static struct {
	size_t held, verified;
} volatile *done;

static uint64_t mixed(uint64_t x)
{
	x = (x ^ x >> 30) * 0xbf58476d1ce4e5b9;
	x = (x ^ x >> 27) * 0x94d049bb133111eb;
	return x ^ x >> 31;
}

static const char *source_of(size_t page)
{
	return source + mixed(seed << 40 | page) % source_pages * PAGE;
}

static void fill(char *arena, size_t page)
{
	char *p = arena + page * PAGE;

	memcpy(p, source_of(page), PAGE);
	memcpy(p, &page, sizeof(page));
}

static void compare(const char *arena, size_t page)
{
	const char *p = arena + page * PAGE;

	if (memcmp(p, &page, sizeof(page)) ||
	    memcmp(p + sizeof(page), source_of(page) + sizeof(page), PAGE - sizeof(page)))
		errx(1, "page %zu came back with other data", page);
	done->verified++;
}

static void verify(const char *arena, size_t pages, size_t sample)
{
	uint64_t state = 88172645463325252;

	for (size_t i = 0; i < sample && i < pages; i++)
		compare(arena, sample < pages ? next(&state) % pages : pages - 1 - i);
}

static void be_victim(void)
{
	int fd = open("/proc/self/oom_score_adj", O_WRONLY);

	if (fd < 0 || write(fd, "1000", 4) != 4)
		err(1, "oom_score_adj");
	close(fd);
	if (mlockall(MCL_CURRENT))
		err(1, "mlockall");
}

static void hold(size_t check, size_t sample)
{
	char *arena;

	be_victim();
	arena = map_memory(ARENA, 0);
	/* No huge pages: the result would depend on where the kernel finds 2 MiB in one piece. */
	if (madvise(arena, ARENA, MADV_NOHUGEPAGE))
		err(1, "madvise");
	for (size_t page = 0; page < ARENA / PAGE; page++) {
		if (check && page == check)
			verify(arena, page, sample);
		fill(arena, page);
		done->held = page + 1;
	}
	_exit(0);
}

int main(int argc, char **argv)
{
	pid_t child;
	int status;

	if (argc != 5)
		errx(2, "usage: hold FILE SEED CHECK SAMPLE");
	source = read_source(argv[1], &source_pages);
	source_pages /= PAGE;
	seed = number(argv[2]);
	done = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (done == MAP_FAILED || mlockall(MCL_CURRENT))
		err(1, "shared page");
	child = fork();
	if (child < 0)
		err(1, "fork");
	if (!child)
		hold(number(argv[3]), number(argv[4]));
	if (waitpid(child, &status, 0) != child)
		err(1, "waitpid");
	if (!WIFSIGNALED(status) || WTERMSIG(status) != SIGKILL)
		errx(1, "the child ended with status %#x, not for lack of memory", status);
	printf("%zu %zu\n", done->held, done->verified);
	return 0;
}
