/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Failures on demand, and a trace of what is written, for the tests. Only in builds
 * with TEST=1; in all others this is nothing.
 */
#ifndef _FAULT_H
#define _FAULT_H

#include "mtetagramctl.h"

#ifdef MTETAGRAM_TEST

/*
 * The error to pretend for an operation ("read" or "write") on a file: 0 for none,
 * -errno, or FAULT_DROP for a write that is reported as done and is not.
 */
#define FAULT_DROP	1
int fault_inject(const char *operation, const char *file);

/* Append a line to the trace. */
void fault_trace(const char *fmt, ...) __printf(1, 2);

#else

#define FAULT_DROP	1
static inline int fault_inject(const char *operation, const char *file)
{
	(void)operation;
	(void)file;
	return 0;
}

__printf(1, 2)
static inline void fault_trace(const char *fmt, ...)
{
	(void)fmt;
}

#endif
#endif
