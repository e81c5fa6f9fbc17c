/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Output to standard output, or to a file that appears only when it is complete.
 */
#ifndef _OUTPUT_H
#define _OUTPUT_H

#include <stdio.h>

/**
 * struct output - an output that is open
 * @file: where to print
 * @path: the file that will appear; NULL for standard output
 * @temporary: the file that is written until then
 */
struct output {
	FILE *file;
	const char *path;
	char *temporary;
};

/**
 * output_open() - begin an output
 * @output: the output
 * @path: the file that will appear; NULL for standard output
 *
 * Return: an exit code; an error has been reported.
 */
int output_open(struct output *output, const char *path);

/**
 * output_close() - put the file in its place
 * @output: the output
 * @ret: an exit code; after an error the old file stays
 *
 * Return: @ret, or the exit code of an error that was reported here.
 */
int output_close(struct output *output, int ret);

#endif
