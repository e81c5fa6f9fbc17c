// SPDX-License-Identifier: GPL-2.0
/*
 * wakeup: how long does a task of the highest priority wait for the processor?
 *
 *   wakeup PERIOD
 *
 * Sleeps for PERIOD microseconds, again and again, on one processor. For each line on
 * stdin it prints how many microseconds late it was woken up at most since the last
 * line, and ends with stdin. What keeps the processor for longer than that and PERIOD,
 * with interrupts or preemption disabled, is seen.
 */

#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#include "say.h"

static int64_t now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * 1000000000LL + t.tv_nsec;
}

/* Returns how late it is, in nanoseconds. */
static int64_t sleep_until(int64_t when)
{
	struct timespec t = { .tv_sec = when / 1000000000, .tv_nsec = when % 1000000000 };

	clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &t, NULL);
	return now() - when;
}

/* Returns false at the end of stdin. */
static bool line_has_come(bool *come)
{
	char c;
	ssize_t got;

	*come = false;
	while ((got = read(STDIN_FILENO, &c, 1)) == 1)
		*come |= c == '\n';
	return got < 0 && errno == EAGAIN;
}

int main(int argc, char **argv)
{
	struct sched_param param = { .sched_priority = sched_get_priority_max(SCHED_FIFO) };
	int64_t period = argc == 2 ? atoi(argv[1]) * 1000LL : 0, late, worst = 0;
	bool come;

	if (period <= 0)
		die("usage: wakeup PERIOD");
	if (mlockall(MCL_CURRENT | MCL_FUTURE) || sched_setscheduler(0, SCHED_FIFO, &param) ||
	    fcntl(STDIN_FILENO, F_SETFL, O_NONBLOCK))
		die("wakeup: %s", strerror(errno));
	say("ready");
	while (line_has_come(&come)) {
		if (come) {
			say("%lld", (long long)(worst + 999) / 1000);
			worst = 0;
		}
		late = sleep_until(now() + period);
		if (late > worst)
			worst = late;
	}
	return 0;
}
