// SPDX-License-Identifier: GPL-2.0
/*
 * Signals that ask the tool to stop.
 */

#include <signal.h>
#include <stddef.h>

#include "interrupt.h"
#include "util.h"

static volatile sig_atomic_t signal_seen;

static void on_signal(int signal)
{
	signal_seen = signal;
}

void interrupt_catch(void)
{
	/* Without SA_RESTART, so that a system call that waits ends. */
	struct sigaction action = { .sa_handler = on_signal };
	static const int signals[] = { SIGHUP, SIGINT, SIGTERM };
	size_t i;

	for (i = 0; i < ARRAY_SIZE(signals); i++)
		sigaction(signals[i], &action, NULL);
}

bool interrupted(void)
{
	return signal_seen;
}
