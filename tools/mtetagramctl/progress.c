// SPDX-License-Identifier: GPL-2.0
/*
 * Progress on standard error.
 */

#include <stdio.h>
#include <unistd.h>

#include "progress.h"
#include "size.h"

void progress_show(struct progress *progress, const char *what, uint64_t done,
		   uint64_t total)
{
	unsigned int percent = total ? (double)done / (double)total * 100 : 100;
	char a[SIZE_TEXT_MAX], b[SIZE_TEXT_MAX];
	bool terminal = isatty(STDERR_FILENO);

	if (!terminal && !progress->forced)
		return;
	if (progress->shown && percent == progress->percent)
		return;
	progress->shown = true;
	progress->percent = percent;
	fprintf(stderr, "%s%s: %s: %s of %s, %u%%%s", terminal ? "\r" : "",
		progress->subject, what, size_format(a, done, false),
		size_format(b, total, false), percent, terminal ? "\033[K" : "\n");
}

void progress_end(struct progress *progress)
{
	if (progress->shown && isatty(STDERR_FILENO))
		fputs("\r\033[K", stderr);
	progress->shown = false;
}
