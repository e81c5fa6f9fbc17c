/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Running other programs.
 */
#ifndef _RUN_H
#define _RUN_H

/*
 * Run a program, found in PATH or where system programs are, and wait for it. Its
 * output is dropped, its errors are not.
 *
 * Return: 0, or -1 and the failure has been reported.
 */
int run_program(const char *subject, const char * const argv[]);

#endif
