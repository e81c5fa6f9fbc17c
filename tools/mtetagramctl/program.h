/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Other programs. They are found in PATH, or where system programs are. What they write
 * to standard output is dropped; their errors are shown.
 */
#ifndef _PROGRAM_H
#define _PROGRAM_H

/**
 * program_run() - run a program and wait for its end
 * @subject: the path of the device, for messages
 * @argv: the program and its arguments
 *
 * Return: 0; -1 after any failure, which has been reported.
 */
int program_run(const char *subject, const char * const argv[]);

/**
 * program_run_watched() - run a program that takes long
 * @subject: the path of the device, for messages
 * @argv: the program and its arguments
 * @tick: called some times a second while the program runs
 * @ctx: passed to @tick
 *
 * When the user interrupts the tool, the program is told to end.
 *
 * Return: its exit status; 128 + N if signal N killed it; -1 if it did not run, which
 *	   has been reported.
 */
int program_run_watched(const char *subject, const char * const argv[],
			void (*tick)(void *ctx), void *ctx);

#endif
