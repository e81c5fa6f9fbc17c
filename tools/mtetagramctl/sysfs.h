/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Files of the kernel: /sys and /proc, and /dev, below a root that the environment
 * variable MTETAGRAM_SYSROOT can move, so that tests need no kernel.
 */
#ifndef _SYSFS_H
#define _SYSFS_H

#include <dirent.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/types.h>

#define SYSFS_VALUE_MAX	4096	/* no attribute is longer than this */

/* @path is absolute. Errors are -errno, or NULL with errno set. */
int sysfs_open(const char *path, int flags);
DIR *sysfs_opendir(const char *path);
FILE *sysfs_fopen(const char *path);

/*
 * Read all of a file below the directory @dir; a newline at its end is dropped.
 *
 * Return: its length; -errno; -EFBIG if it is longer than SYSFS_VALUE_MAX; -EILSEQ
 *	   if it has a zero byte, which no attribute of text has.
 */
int sysfs_read(int dir, const char *name, char buf[SYSFS_VALUE_MAX + 1]);

/* Read a file that holds one number; -EINVAL or -ERANGE if it is none. */
int sysfs_read_number(int dir, const char *name, uint64_t *number);

/*
 * Read all of a binary file, of any length up to @max; the caller frees @data.
 *
 * Return: its length, or -errno; -EFBIG if it is longer.
 */
ssize_t sysfs_read_binary(int dir, const char *name, size_t max, uint8_t **data);

/* Write with a single write(2), as the kernel takes each for a value of its own. */
int sysfs_write(int dir, const char *name, const char *value);

/* Would it be permitted to write? 0 or -errno. */
int sysfs_may_write(int dir, const char *name);

#endif
