/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Devices of the driver: finding them by name, and reading and writing single attributes.
 * snapshot.h reads everything that a device tells.
 */
#ifndef _DEVICE_H
#define _DEVICE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "values.h"

#define DEVICE_NAME_MAX	19	/* mtetagram and up to 9 digits */
#define DEVICE_PATH_MAX	32	/* with /dev/ */
#define ALGORITHM_MAX	32

struct size_arg;

/**
 * struct device - a device, and what was read about it
 * @name: "mtetagram0"
 * @path: "/dev/mtetagram0"
 * @dir: the open directory /sys/block/NAME
 * @v: the values; see values.def
 * @algorithm: the algorithm that is used, "" if unknown
 * @algorithms: all algorithms of the driver, with spaces between them
 * @swap: the device is in use as swap
 * @mountpoint: where the device is mounted, or NULL; any bytes, escape it before use
 * @holder: a device on top of this one, or NULL; any bytes, escape it before use
 * @rival: other swap with the priority V_RIVAL_PRIORITY, or NULL; escape it before use
 * @warnings: one bit for each enum warning
 * @bad: something that was read made no sense
 * @gone: the device was removed while it was read
 */
struct device {
	char name[DEVICE_NAME_MAX];
	char path[DEVICE_PATH_MAX];
	int dir;
	struct value v[NR_VALUES];
	char algorithm[ALGORITHM_MAX];
	char algorithms[256];
	bool swap;
	char *mountpoint;
	char *holder;
	char *rival;
	unsigned int warnings;
	bool bad;
	bool gone;
};

/**
 * devices_list() - the names of all devices, in order
 *
 * Return: the names, with NULL at the end, for devices_free().
 */
char **devices_list(void);

/**
 * devices_free() - free what devices_list() returned
 * @names: the names
 */
void devices_free(char **names);

/**
 * devices_each() - run a command for the devices that the user named, or for all
 * @nr: number of arguments
 * @names: the arguments, names of devices
 * @run: the command; @options is passed to it
 * @options: the options of the command
 *
 * Return: what @run returned; EXIT_NO_DEVICE, reported, if there is no device.
 */
int devices_each(size_t nr, char **names,
		 int (*run)(size_t nr, char **names, const void *options),
		 const void *options);

/**
 * device_open() - find a device and open it
 * @dev: the result
 * @arg: name or path of the device; NULL for the only device of the machine
 *
 * Return: EXIT_OK, and the caller has to call device_close(); any other exit code, and
 *	   the error has been reported.
 */
int device_open(struct device *dev, const char *arg);

/**
 * device_close() - close a device and forget what was read
 * @dev: the device
 */
void device_close(struct device *dev);

/**
 * device_forget() - forget what was read, before it is read again
 * @dev: the device
 */
void device_forget(struct device *dev);

/**
 * device_bad_file() - note, and report, that a file could not be read or makes no sense
 * @dev: the device
 * @file: the file below the directory of the device
 * @error: the error, as -errno; a file that is only missing is not reported
 */
void device_bad_file(struct device *dev, const char *file, int error);

/**
 * device_read_number() - read one number now
 * @dev: the device
 * @id: a value with a file of its own
 * @number: the number in that file
 *
 * Return: an exit code; an error has been reported.
 */
int device_read_number(struct device *dev, enum value_id id, uint64_t *number);

/**
 * device_size_of() - turn a size that the user typed into bytes
 * @dev: a device that has been read
 * @arg: the size; a percentage is one of the carve-out
 * @bytes: the result
 *
 * Return: an exit code; an error has been reported.
 */
int device_size_of(struct device *dev, const struct size_arg *arg, uint64_t *bytes);

/**
 * device_write() - write an attribute
 * @dev: the device
 * @attr: the attribute
 * @value: the text
 *
 * Return: 0 or -errno; nothing is reported.
 */
int device_write(struct device *dev, const char *attr, const char *value);

/**
 * device_write_failed() - report an error of device_write()
 * @dev: the device
 * @attr: the attribute
 * @value: the text that was written
 * @error: the error, as -errno
 *
 * Return: an exit code.
 */
int device_write_failed(struct device *dev, const char *attr, const char *value,
			int error);

/**
 * device_reset() - drop all data and settings of a device
 * @dev: the device
 *
 * Return: 0 or -errno; nothing is reported.
 */
int device_reset(struct device *dev);

/**
 * device_still_open() - report that device_reset() returned -EBUSY
 * @dev: the device
 *
 * Return: EXIT_BUSY.
 */
int device_still_open(struct device *dev);

/**
 * device_lacks() - report why an attribute does not exist
 * @dev: the device
 * @attr: the attribute, which every driver of this version has
 *
 * Return: an exit code.
 */
int device_lacks(struct device *dev, const char *attr);

/**
 * device_exists() - is the device still there?
 * @dev: the device
 *
 * Return: true if it has the attribute disksize, which every driver has.
 */
bool device_exists(const struct device *dev);

/**
 * device_vanished() - report that the device is gone
 * @dev: the device
 *
 * Return: EXIT_NO_DEVICE.
 */
int device_vanished(struct device *dev);

#endif
