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

/*
 * The same for what takes long. @tick is called some times a second while it runs, and
 * it is told to end when the user interrupts us.
 *
 * Return: its exit status; 128 + N if signal N killed it; -1 if it did not run, which
 *	   has been reported.
 */
int run_program_watched(const char *subject, const char * const argv[],
			void (*tick)(void *ctx), void *ctx);

#endif
