/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Devices of the driver: finding them, reading all they tell, who uses them,
 * writing their attributes.
 */
#ifndef _DEVICE_H
#define _DEVICE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "sysfs.h"

#define DEVICE_NAME_MAX	19	/* mtetagram and up to 9 digits */
#define DEVICE_PATH_MAX	32	/* with /dev/ */
#define ALGORITHM_MAX	32
#define PAGE_BYTES	4096	/* the driver counts in these */

struct size_arg;

/* A number that may be unknown, as the kernel did not say or said nonsense. */
struct value {
	uint64_t number;
	bool known;
	bool negative;
};

/* What is known about a device. First what is read, then what follows from it. */
enum value_id {
	V_INITSTATE,
	V_DISKSIZE,

	V_CARVEOUT,
	V_BLOCK_SIZE,
	V_BLOCKS,
	V_BLOCKS_FREE,
	V_BLOCKS_USED,
	V_BLOCKS_TAGGED,
	V_BLOCKS_OFFLINE,
	V_BLOCKS_UNTAGGABLE,
	V_RESERVED_PAGES,
	V_SHARE,
	V_METADATA,
	V_SPILLED,
	V_SPARE_SIZE,
	V_SPARE_AVAILABLE,
	V_USED_SIZE,

	V_FAIL_NO_SPACE,
	V_FAIL_MEM_LIMIT,
	V_FAIL_NO_MEMORY,
	V_FAIL_COMPRESS,
	V_FAIL_STOPPED,
	V_STOPPED,		/* 1 if nothing is stored any more */

	V_RESERVED,
	V_RELEASED,
	V_EVICTED,
	V_RELOCATED,
	V_SPILLED_OBJECTS,
	V_RELOCATED_KEPT,
	V_EVICTED_ATOMIC,
	V_SPILLED_ATOMIC,
	V_SPILLED_EMERGENCY,
	V_SETTLED,
	V_REFUSED,
	V_KILLED,
	V_NOT_KILLED,
	V_LOST,

	V_DATA,
	V_COMPR,
	V_MEM_USED,
	V_MEM_LIMIT,
	V_MEM_PEAK,
	V_SAME_PAGES,
	V_COMPACTED,
	V_HUGE_PAGES,
	V_FAILED_READS,
	V_FAILED_WRITES,
	V_INVALID_IO,
	V_FREED_SLOTS,

	V_READS,
	V_READ_SECTORS,
	V_WRITES,
	V_WRITTEN_SECTORS,

	V_SWAP_SIZE,
	V_SWAP_USED,
	V_SWAP_PRIORITY,
	V_OTHER_SWAP_FREE,	/* room in all other swap */
	V_RIVAL_PRIORITY,	/* the highest of all other swap */

	V_ZERO,			/* bytes that swap uses and did not write */
	V_READ,			/* bytes */
	V_WRITTEN,
	V_SAME,			/* bytes in same-filled pages */
	V_HUGE,			/* bytes in pages that do not compress */
	V_CARVEOUT_USED,	/* bytes of tag blocks with our data */
	V_RATIO,		/* in hundredths */
	V_GAIN,			/* stored less the ordinary memory it takes */

	NR_VALUES,
	V_IGNORED = NR_VALUES	/* a column of no interest */
};

/* What an administrator should know before it hurts; see warn.c. */
enum warning {
	WARN_ZSWAP,
	WARN_HIBERNATION,
	WARN_PRIORITY,
	WARN_FULL,
	WARN_DRAINED,
	WARN_LOST,
	WARN_STOPPED,
	NR_WARNINGS
};

struct device {
	char name[DEVICE_NAME_MAX];
	char path[DEVICE_PATH_MAX];
	int dir;			/* /sys/block/NAME */
	struct value v[NR_VALUES];
	char algorithm[ALGORITHM_MAX];	/* "" if unknown */
	char algorithms[256];		/* all of them, separated by spaces */
	bool swap;
	char *mountpoint;		/* or NULL; any bytes, escape before use */
	char *holder;			/* a device on top of this one, or NULL; as above */
	char *rival;			/* other swap of V_RIVAL_PRIORITY, or NULL; as above */
	unsigned int warnings;		/* a bit for each enum warning */
	bool bad;			/* something read made no sense */
	bool gone;			/* removed while it was being read */
};

/* The names of all devices in order, NULL at the end. Free with devices_free(). */
char **devices_list(void);
void devices_free(char **names);

/* Say why there is no device at all. Returns EXIT_NO_DEVICE. */
int no_device(void);

/*
 * Open a device by its name or path; with @arg NULL the only one there is.
 *
 * Return: EXIT_OK and the caller has to call device_close(); else the error has
 *	   been reported.
 */
int device_open(struct device *dev, const char *arg);
void device_close(struct device *dev);

/*
 * Read everything. What makes no sense is reported, left unknown and noted in
 * @dev->bad.
 *
 * Return: EXIT_OK; EXIT_NO_DEVICE, reported, if the device is gone.
 */
int device_read(struct device *dev);

/*
 * Open and read several devices; those that cannot be are reported and left out. To be
 * closed by devices_close(), whatever is returned.
 *
 * Return: EXIT_OK if all of it was read and made sense.
 */
int devices_read(struct device *devices, size_t *nr, char **names, size_t nr_names);
void devices_close(struct device *devices, size_t nr);

/* Forget what was read, to read it again. */
void device_forget(struct device *dev);

/* Read one number again. */
int device_read_number(struct device *dev, const char *attr, uint64_t *number);

/* What @arg, of the carve-out, is in bytes. Returns an exit code; errors are reported. */
int device_size_of(struct device *dev, const struct size_arg *arg, uint64_t *bytes);

/* Write an attribute; returns 0 or -errno, nothing is reported. */
int device_write(struct device *dev, const char *attr, const char *value);

/* Report an error of device_write() for which there is nothing special to say. */
int device_write_failed(struct device *dev, const char *attr, const char *value,
			int error);

/* Drop all data and settings. Returns 0 or -errno, nothing is reported. */
int device_reset(struct device *dev);

/* Why does a file that every driver of this version has not exist? Reported. */
int device_lacks(struct device *dev, const char *attr);

/* Report that it is gone. Returns EXIT_NO_DEVICE. */
int device_vanished(struct device *dev);

/* Call after device_reset() returned -EBUSY. Returns EXIT_BUSY. */
int device_still_open(struct device *dev);

#endif
