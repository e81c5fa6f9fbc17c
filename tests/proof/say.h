/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Output as whole lines, without memory of its own: several processes print at
 * once, and a process may be short of memory or may have lost some.
 */
#ifndef PROOF_SAY_H
#define PROOF_SAY_H

__attribute__((format(printf, 1, 2))) void say(const char *format, ...);
__attribute__((format(printf, 1, 2), noreturn)) void die(const char *format, ...);

/* Status of a program that could not do its work, unlike one that found errors. */
#define EXIT_SETUP	2

#endif /* PROOF_SAY_H */
