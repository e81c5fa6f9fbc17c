/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Progress of work that takes long, on standard error. A terminal shows one line that
 * changes. Elsewhere nothing is shown, or one line for each step if the user asked for it.
 */
#ifndef _PROGRESS_H
#define _PROGRESS_H

#include <stdbool.h>
#include <stdint.h>

/**
 * struct progress - what is shown
 * @subject: the path of the device
 * @forced: show progress even if standard error is no terminal
 * @shown: something has been shown
 * @percent: the last percentage that was shown
 */
struct progress {
	const char *subject;
	bool forced;
	bool shown;
	unsigned int percent;
};

/**
 * progress_show() - show how far the work is
 * @progress: the state
 * @what: the work
 * @done: bytes that are done
 * @total: all bytes
 */
void progress_show(struct progress *progress, const char *what, uint64_t done,
		   uint64_t total);

/**
 * progress_end() - clear the line for other output
 * @progress: the state
 */
void progress_end(struct progress *progress);

#endif
