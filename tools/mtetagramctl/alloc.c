// SPDX-License-Identifier: GPL-2.0
/*
 * Memory, for a tool that can do nothing without it.
 */

#include <stdlib.h>
#include <string.h>

#include "alloc.h"
#include "exit.h"
#include "message.h"

static void *check_memory(void *p)
{
	if (!p) {
		report_err(NULL, "out of memory");
		exit(EXIT_ERROR);
	}
	return p;
}

void *xcalloc(size_t n, size_t size)
{
	return check_memory(calloc(n, size));
}

void *xrealloc(void *p, size_t n, size_t size)
{
	return check_memory(reallocarray(p, n, size));
}

char *xstrdup(const char *s)
{
	size_t len = strlen(s) + 1;

	return memcpy(xcalloc(1, len), s, len);
}
