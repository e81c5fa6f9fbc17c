/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Files of the kernel: /sys and /proc, and /dev. The environment variable
 * MTETAGRAM_SYSROOT moves all of them below another root, so that tests need no kernel.
 */
#ifndef _SYSFS_H
#define _SYSFS_H

#include <dirent.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/types.h>

#define SYSFS_VALUE_MAX	4096	/* no attribute is longer */

/**
 * sysfs_open() - open a file or a directory
 * @path: absolute path
 * @flags: as for open()
 *
 * Return: a file descriptor, or -errno.
 */
int sysfs_open(const char *path, int flags);

/**
 * sysfs_opendir() - open a directory to list it
 * @path: absolute path
 *
 * Return: the directory, or NULL and errno is set.
 */
DIR *sysfs_opendir(const char *path);

/**
 * sysfs_fopen() - open a file to read lines
 * @path: absolute path
 *
 * Return: the file, or NULL and errno is set.
 */
FILE *sysfs_fopen(const char *path);

/**
 * sysfs_read() - read a whole attribute; a newline at its end is dropped
 * @dir: directory
 * @name: path of the file below @dir
 * @buf: the text
 *
 * Return: length of the text, or -errno. -EFBIG: longer than SYSFS_VALUE_MAX. -EILSEQ:
 *	   the text has a zero byte. -EISDIR: no regular file.
 */
int sysfs_read(int dir, const char *name, char buf[SYSFS_VALUE_MAX + 1]);

/**
 * sysfs_read_number() - read an attribute that holds one number
 * @dir: directory
 * @name: path of the file below @dir
 * @number: the number
 *
 * Return: 0, or as sysfs_read() and number_parse().
 */
int sysfs_read_number(int dir, const char *name, uint64_t *number);

/**
 * sysfs_read_binary() - read a whole binary attribute
 * @dir: directory
 * @name: path of the file below @dir
 * @max: the most bytes that are taken
 * @data: the bytes, for the caller to free
 *
 * Return: length, or -errno. -EFBIG: longer than @max.
 */
ssize_t sysfs_read_binary(int dir, const char *name, size_t max, uint8_t **data);

/**
 * sysfs_write() - write an attribute with one write(2), because the kernel takes each
 *		   write(2) as a value
 * @dir: directory
 * @name: path of the file below @dir
 * @value: the text
 *
 * Return: 0 or -errno.
 */
int sysfs_write(int dir, const char *name, const char *value);

/**
 * sysfs_may_write() - may the user write this attribute?
 * @dir: directory
 * @name: path of the file below @dir
 *
 * Return: 0 or -errno.
 */
int sysfs_may_write(int dir, const char *name);

#endif
