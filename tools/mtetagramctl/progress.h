/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Progress of what takes long, on standard error: one line that changes if that is a
 * terminal, else nothing, or a line for each step if asked for.
 */
#ifndef _PROGRESS_H
#define _PROGRESS_H

#include <stdbool.h>
#include <stdint.h>

struct progress {
	const char *subject;
	bool forced;
	bool shown;
	unsigned int percent;
};

/* @done of @total bytes of @what. */
void progress_show(struct progress *progress, const char *what, uint64_t done,
		   uint64_t total);

/* Make place for other output. */
void progress_end(struct progress *progress);

/*
 * Let signals that ask to stop be noted instead: whoever is at work looks from time to
 * time, and leaves everything in order.
 */
void interrupt_catch(void);
bool interrupted(void);

#endif
