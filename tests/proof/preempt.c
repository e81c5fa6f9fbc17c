// SPDX-License-Identifier: GPL-2.0
/*
 * preempt: a process is preempted again and again while it tags pages, by another one
 * that wants the same pages tagged, on the same processor.
 *
 *   preempt ROUNDS
 *
 * Parent and children share a huge page. One child gets the processor only when no other
 * process wants it, and asks for PROT_MTE; the other child wakes up after a while and also
 * asks for PROT_MTE. The kernel spins while it waits for a page whose tags are being
 * initialised. If a process that initialises tags can be preempted, the program never ends.
 *
 * Exit status: 0 the program ended; 2 usage, or a call failed.
 */

#define _GNU_SOURCE
#include <sched.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "mte.h"

#define PAGE		4096UL
#define HUGE_PAGE	(2UL << 20)
#define PLAIN		(PROT_READ | PROT_WRITE)

static void die(const char *what)
{
	perror(what);
	exit(2);
}

/* On one processor, and as the user nobody: this needs no privileges. */
static void confine(void)
{
	cpu_set_t one;

	CPU_ZERO(&one);
	CPU_SET(0, &one);
	if (sched_setaffinity(0, sizeof(one), &one) || setgid(65534) || setuid(65534))
		die("confine");
}

static void tag(char *area, size_t size)
{
	if (mprotect(area, size, PLAIN | PROT_MTE))
		die("mprotect(PROT_MTE)");
	exit(0);
}

/* Split the mapping first, so that mprotect() goes through single pages. */
static void tag_later(char *area, long microseconds)
{
	struct timespec delay = { .tv_nsec = microseconds * 1000 };

	if (mprotect(area, PAGE, PROT_READ))
		die("mprotect");
	nanosleep(&delay, NULL);
	tag(area + PAGE, HUGE_PAGE - PAGE);
}

static void tag_when_idle(char *area)
{
	struct sched_param none = { 0 };

	if (sched_setscheduler(0, SCHED_IDLE, &none))
		die("sched_setscheduler");
	tag(area, HUGE_PAGE);
}

static pid_t start(void)
{
	pid_t pid = fork();

	if (pid < 0)
		die("fork");
	return pid;
}

static void meet(unsigned int round)
{
	char *area = mmap(NULL, 2 * HUGE_PAGE, PLAIN, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	char *page = (char *)(((uintptr_t)area + HUGE_PAGE - 1) & ~(HUGE_PAGE - 1));
	int status, i;

	if (area == MAP_FAILED)
		die("mmap");
	madvise(page, HUGE_PAGE, MADV_HUGEPAGE);
	memset(page, 1, HUGE_PAGE);
	if (!start())
		tag_later(page, 100 + round * 37 % 2000);
	if (!start())
		tag_when_idle(page);
	for (i = 0; i < 2; i++)
		if (wait(&status) < 0 || status)
			exit(2);
	munmap(area, 2 * HUGE_PAGE);
}

int main(int argc, char **argv)
{
	unsigned int rounds = argc == 2 ? strtoul(argv[1], NULL, 0) : 0, round;

	if (!rounds || mte_enable()) {
		fprintf(stderr, "usage: preempt ROUNDS, where memory can be tagged\n");
		return 2;
	}
	confine();
	for (round = 0; round < rounds; round++)
		meet(round);
	printf("preempt: %u rounds\n", rounds);
	return 0;
}
