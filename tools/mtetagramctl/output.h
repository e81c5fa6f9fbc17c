/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Output to standard output, or to a file that appears only when it is complete.
 */
#ifndef _OUTPUT_H
#define _OUTPUT_H

#include <stdio.h>

struct output {
	FILE *file;
	const char *path;	/* NULL: standard output */
	char *temporary;
};

/* @path NULL: standard output. Returns an exit code, errors are reported. */
int output_open(struct output *output, const char *path);

/*
 * Put the file in place of what was there before, or, if @ret is an error, leave that
 * alone. Returns @ret, or the exit code of what went wrong here.
 */
int output_close(struct output *output, int ret);

#endif
