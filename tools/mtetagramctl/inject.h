/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Errors on demand, and a trace of what the tool writes, for the tests. Only a build
 * with TEST=1 has them; in every other build these functions do nothing.
 */
#ifndef _INJECT_H
#define _INJECT_H

#include <stdbool.h>

#include "util.h"

/* An operation is reported as done but is not done. */
#define INJECT_DROP	1

#ifdef MTETAGRAM_TEST

/**
 * inject_error() - the error that a test wants for an operation
 * @operation: "read", "write", "access" or "discard"
 * @file: the file
 * @value: what is written, or NULL
 *
 * Return: 0 for none; -errno; or INJECT_DROP.
 */
int inject_error(const char *operation, const char *file, const char *value);

/**
 * inject_sleep() - let time pass for a test
 * @milliseconds: how long the tool wants to sleep
 *
 * Return: false if no test decides; then the caller has to sleep.
 */
bool inject_sleep(unsigned int milliseconds);

/**
 * inject_trace() - append a line to the trace
 * @fmt: the line
 */
void inject_trace(const char *fmt, ...) __printf(1, 2);

#else

static inline int inject_error(const char *operation, const char *file,
			       const char *value)
{
	(void)operation;
	(void)file;
	(void)value;
	return 0;
}

static inline bool inject_sleep(unsigned int milliseconds)
{
	(void)milliseconds;
	return false;
}

__printf(1, 2)
static inline void inject_trace(const char *fmt, ...)
{
	(void)fmt;
}

#endif
#endif
