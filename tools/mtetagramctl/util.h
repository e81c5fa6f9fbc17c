/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Macros that every file may use. This header includes nothing.
 */
#ifndef _UTIL_H
#define _UTIL_H

#define ARRAY_SIZE(array)	(sizeof(array) / sizeof((array)[0]))
#define __printf(fmt, args)	__attribute__((format(printf, fmt, args)))

#endif
