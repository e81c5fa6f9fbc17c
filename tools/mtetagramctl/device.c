// SPDX-License-Identifier: GPL-2.0
/*
 * Devices of the driver: finding them, reading all they tell, writing attributes.
 * Who uses a device is found in users.c.
 *
 * Everything read is untrusted: another version of the driver may lack a file, and
 * what is no number is not treated as one.
 */

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

#include "device.h"
#include "mtetagramctl.h"
#include "size.h"
#include "users.h"
#include "warn.h"

#define PREFIX		"mtetagram"
#define SECTOR_BYTES	512	/* the block layer counts in these */

static const struct {
	enum value_id id;
	const char *file;
} number_files[] = {
	{ V_INITSTATE,		"initstate" },
	{ V_DISKSIZE,		"disksize" },
	{ V_CARVEOUT,		"tag_storage/size" },
	{ V_BLOCK_SIZE,		"tag_storage/block_size" },
	{ V_BLOCKS,		"tag_storage/blocks" },
	{ V_BLOCKS_FREE,	"tag_storage/blocks_free" },
	{ V_BLOCKS_USED,	"tag_storage/blocks_used" },
	{ V_BLOCKS_TAGGED,	"tag_storage/blocks_tagged" },
	{ V_BLOCKS_OFFLINE,	"tag_storage/blocks_offline" },
	{ V_BLOCKS_UNTAGGABLE,	"tag_storage/blocks_untaggable" },
	{ V_RESERVED_PAGES,	"tag_storage/reserved_pages" },
	{ V_SHARE,		"tag_storage/share" },
	{ V_METADATA,		"tag_storage/metadata_size" },
	{ V_SPILLED,		"tag_storage/spilled_size" },
	{ V_SPARE_SIZE,	"tag_storage/spare_size" },
	{ V_SPARE_AVAILABLE,	"tag_storage/spare_available" },
	{ V_USED_SIZE,		"tag_storage/used_size" },
	{ V_FAIL_NO_SPACE,	"failed_writes/no_space" },
	{ V_FAIL_MEM_LIMIT,	"failed_writes/mem_limit" },
	{ V_FAIL_NO_MEMORY,	"failed_writes/no_memory" },
	{ V_FAIL_COMPRESS,	"failed_writes/compress" },
	{ V_FAIL_STOPPED,	"failed_writes/stopped" },
	{ V_RESERVED,		"hook/reserved" },
	{ V_RELEASED,		"hook/released" },
	{ V_EVICTED,		"hook/evicted" },
	{ V_RELOCATED,		"hook/relocated" },
	{ V_SPILLED_OBJECTS,		"hook/spilled" },
	{ V_RELOCATED_KEPT,		"hook/relocated_kept" },
	{ V_EVICTED_ATOMIC,	"hook/evicted_atomic" },
	{ V_SPILLED_ATOMIC,	"hook/spilled_atomic" },
	{ V_SPILLED_EMERGENCY,	"hook/spilled_emergency" },
	{ V_SETTLED,		"hook/settled" },
	{ V_REFUSED,		"hook/refused" },
	{ V_KILLED,		"hook/killed" },
	{ V_NOT_KILLED,		"hook/not_killed" },
	{ V_LOST,		"hook/lost" },
};

/* Columns of files with many numbers. */
static const enum value_id mm_stat[] = {
	V_DATA, V_COMPR, V_MEM_USED, V_MEM_LIMIT, V_MEM_PEAK, V_SAME_PAGES,
	V_COMPACTED, V_HUGE_PAGES,
};

static const enum value_id io_stat[] = {
	V_FAILED_READS, V_FAILED_WRITES, V_INVALID_IO, V_FREED_SLOTS,
};

/* Of any block device: requests, merged, sectors, time; for reads, then for writes. */
static const enum value_id stat_file[] = {
	V_READS, V_IGNORED, V_READ_SECTORS, V_IGNORED,
	V_WRITES, V_IGNORED, V_WRITTEN_SECTORS,
};

/* "mtetagram" and a number as the kernel writes it. */
static bool is_device_name(const char *name)
{
	const char *digits = name + strlen(PREFIX);

	if (strncmp(name, PREFIX, strlen(PREFIX)))
		return false;
	if (strlen(name) >= DEVICE_NAME_MAX || !*digits ||
	    digits[strspn(digits, "0123456789")])
		return false;
	return *digits != '0' || !digits[1];
}

static int compare_names(const void *a, const void *b)
{
	const char *x = *(const char * const *)a, *y = *(const char * const *)b;
	size_t len_x = strlen(x), len_y = strlen(y);

	return len_x != len_y ? (len_x > len_y) - (len_x < len_y) : strcmp(x, y);
}

char **devices_list(void)
{
	DIR *dir = sysfs_opendir("/sys/block");
	struct dirent *entry;
	char **names = xcalloc(1, sizeof(*names));
	size_t nr = 0;

	while (dir && (entry = readdir(dir))) {
		if (!is_device_name(entry->d_name))
			continue;
		names = xrealloc(names, nr + 2, sizeof(*names));
		names[nr++] = xstrdup(entry->d_name);
		names[nr] = NULL;
	}
	if (dir)
		closedir(dir);
	qsort(names, nr, sizeof(*names), compare_names);
	return names;
}

void devices_free(char **names)
{
	char **name;

	for (name = names; *name; name++)
		free(*name);
	free(names);
}

/* Turn what the user typed into a device's name; false if it cannot be one. */
static bool find_name(const char *arg, char name[DEVICE_NAME_MAX])
{
	char *target = NULL;
	const char *base = arg;
	bool ok;

	if (!strncmp(arg, "/dev/", 5) && !strchr(arg + 5, '/')) {
		base = arg + 5;
	} else if (strchr(arg, '/')) {
		/* A link to it, perhaps. */
		target = realpath(arg, NULL);
		base = target && !strncmp(target, "/dev/", 5) ? target + 5 : "";
	}
	ok = is_device_name(base);
	if (ok)
		memcpy(name, base, strlen(base) + 1);
	free(target);
	return ok;
}

static int pick_only(char **names, char name[DEVICE_NAME_MAX])
{
	if (!names[0])
		return no_device();
	if (names[1])
		return usage_error("there are several devices; name the one you mean");
	memcpy(name, names[0], strlen(names[0]) + 1);
	return EXIT_OK;
}

static int unknown_device(char **names, const char *arg)
{
	if (!names[0])
		return no_device();
	report_err(NULL, "%s: no such mtetagram device; see mtetagramctl status", arg);
	return EXIT_NO_DEVICE;
}

static bool listed(char **names, const char *name)
{
	for (; *names; names++)
		if (!strcmp(*names, name))
			return true;
	return false;
}

int device_vanished(struct device *dev)
{
	report_err(dev->path, "the device is gone; was the driver unloaded?");
	return EXIT_NO_DEVICE;
}

int device_open(struct device *dev, const char *arg)
{
	char path[DEVICE_NAME_MAX + 16];
	char **names = devices_list();
	int ret = EXIT_OK;

	memset(dev, 0, sizeof(*dev));
	dev->dir = -1;
	if (!arg)
		ret = pick_only(names, dev->name);
	else if (!find_name(arg, dev->name) || !listed(names, dev->name))
		ret = unknown_device(names, arg);
	devices_free(names);
	if (ret)
		return ret;

	snprintf(dev->path, sizeof(dev->path), "/dev/%s", dev->name);
	snprintf(path, sizeof(path), "/sys/block/%s", dev->name);
	dev->dir = sysfs_open(path, O_RDONLY | O_DIRECTORY);
	return dev->dir < 0 ? device_vanished(dev) : EXIT_OK;
}

void device_forget(struct device *dev)
{
	free(dev->mountpoint);
	free(dev->holder);
	free(dev->rival);
	memset(dev->v, 0, sizeof(dev->v));
	dev->algorithm[0] = '\0';
	dev->algorithms[0] = '\0';
	dev->swap = false;
	dev->mountpoint = NULL;
	dev->holder = NULL;
	dev->rival = NULL;
	dev->bad = false;
	dev->gone = false;
	dev->warnings = 0;
}

void device_close(struct device *dev)
{
	if (dev->dir >= 0)
		close(dev->dir);
	dev->dir = -1;
	device_forget(dev);
}

static bool is_gone(int error)
{
	return error == -ENOENT || error == -ENODEV;
}

/* Report what is wrong with a file, unless it is only missing. */
static void bad_file(struct device *dev, const char *file, int error)
{
	static const char other_version[] = "is the driver of another version?";

	/* A driver of another version may lack it; a removed device says ENODEV. */
	dev->gone |= error == -ENODEV;
	if (is_gone(error))
		return;
	dev->bad = true;
	if (error == -EINVAL)
		report_err(dev->path, "%s is not in the form expected; %s", file,
			   other_version);
	else if (error == -ERANGE)
		report_err(dev->path, "%s is too large a number; %s", file, other_version);
	else if (error == -EFBIG || error == -EILSEQ || error == -EISDIR)
		report_err(dev->path, "%s is no attribute of text; is /sys mounted?", file);
	else
		report_err(dev->path, "cannot read %s: %s", file, strerror(-error));
}

static void read_numbers(struct device *dev)
{
	size_t i;

	for (i = 0; i < ARRAY_SIZE(number_files); i++) {
		struct value *value = &dev->v[number_files[i].id];
		int ret;

		ret = sysfs_read_number(dev->dir, number_files[i].file, &value->number);
		value->known = !ret;
		if (ret)
			bad_file(dev, number_files[i].file, ret);
	}
}

/* A word, which is all that anybody should need to look at. */
static void read_state(struct device *dev)
{
	static const char file[] = "tag_storage/state";
	char buf[SYSFS_VALUE_MAX + 1];
	int ret = sysfs_read(dev->dir, file, buf);

	if (ret >= 0) {
		dev->v[V_STOPPED].number = !strcmp(buf, "stopped");
		dev->v[V_STOPPED].known = dev->v[V_STOPPED].number || !strcmp(buf, "ok");
		ret = dev->v[V_STOPPED].known ? 0 : -EINVAL;
	}
	if (ret < 0)
		bad_file(dev, file, ret);
}

static int parse_columns(struct device *dev, char *text, const enum value_id *ids,
			 size_t nr)
{
	char *save = NULL, *word = strtok_r(text, " ", &save);
	size_t i;

	for (i = 0; i < nr; i++, word = strtok_r(NULL, " ", &save)) {
		uint64_t number;
		int ret = word ? number_parse(word, &number) : -EINVAL;

		if (ret)
			return ret;
		if (ids[i] == V_IGNORED)
			continue;
		dev->v[ids[i]].number = number;
		dev->v[ids[i]].known = true;
	}
	return 0;
}

static void read_columns(struct device *dev, const char *file,
			 const enum value_id *ids, size_t nr)
{
	char buf[SYSFS_VALUE_MAX + 1];
	int ret = sysfs_read(dev->dir, file, buf);

	if (ret >= 0)
		ret = parse_columns(dev, buf, ids, nr);
	if (ret < 0)
		bad_file(dev, file, ret);
}

static bool is_algorithm(const char *name)
{
	size_t len = strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789-_");

	return len && !name[len] && len < ALGORITHM_MAX;
}

/* "[lz4] zstd lzo-rle" */
static int parse_algorithms(struct device *dev, char *text)
{
	char *save = NULL, *word;
	size_t len = 0;

	for (word = strtok_r(text, " ", &save); word; word = strtok_r(NULL, " ", &save)) {
		size_t last = strlen(word) - 1;
		bool chosen = last && word[0] == '[' && word[last] == ']';

		if (chosen) {
			word[last] = '\0';
			word++;
		}
		if (!is_algorithm(word) || (chosen && dev->algorithm[0]) ||
		    len + strlen(word) + 2 > sizeof(dev->algorithms))
			return -EINVAL;
		if (chosen)
			memcpy(dev->algorithm, word, strlen(word) + 1);
		len += sprintf(dev->algorithms + len, "%s%s", len ? " " : "", word);
	}
	return dev->algorithm[0] ? 0 : -EINVAL;
}

static void read_algorithms(struct device *dev)
{
	char buf[SYSFS_VALUE_MAX + 1];
	int ret = sysfs_read(dev->dir, "comp_algorithm", buf);

	if (ret >= 0)
		ret = parse_algorithms(dev, buf);
	if (ret < 0) {
		dev->algorithm[0] = '\0';
		dev->algorithms[0] = '\0';
		bad_file(dev, "comp_algorithm", ret);
	}
}

static void set_product(struct value *to, const struct value *a, uint64_t b)
{
	to->known = a->known && !__builtin_mul_overflow(a->number, b, &to->number);
}

/*
 * Swap that is used but not stored: pages of zeros, which the kernel notes elsewhere,
 * and slots that it has set aside. Stored is the header, too, which swap does not count.
 */
static void derive_zero(struct value *v)
{
	uint64_t written;

	if (!v[V_SWAP_USED].known || !v[V_DATA].known)
		return;
	written = v[V_DATA].number - (v[V_DATA].number >= PAGE_BYTES ? PAGE_BYTES : 0);
	v[V_ZERO].known = true;
	v[V_ZERO].number = v[V_SWAP_USED].number > written ?
			   v[V_SWAP_USED].number - written : 0;
}

/* What follows from what was read; nothing follows from what is unknown. */
static void derive(struct device *dev)
{
	struct value *v = dev->v, *ratio = &v[V_RATIO], *gain = &v[V_GAIN];
	uint64_t cost;

	set_product(&v[V_SAME], &v[V_SAME_PAGES], PAGE_BYTES);
	set_product(&v[V_HUGE], &v[V_HUGE_PAGES], PAGE_BYTES);
	set_product(&v[V_READ], &v[V_READ_SECTORS], SECTOR_BYTES);
	set_product(&v[V_WRITTEN], &v[V_WRITTEN_SECTORS], SECTOR_BYTES);
	derive_zero(v);
	if (v[V_BLOCK_SIZE].known)
		set_product(&v[V_CARVEOUT_USED], &v[V_BLOCKS_USED],
			    v[V_BLOCK_SIZE].number);

	/* Same-filled pages are not compressed: they would embellish the ratio. */
	if (v[V_DATA].known && v[V_SAME].known && v[V_COMPR].known &&
	    v[V_COMPR].number && v[V_SAME].number <= v[V_DATA].number &&
	    !__builtin_mul_overflow(v[V_DATA].number - v[V_SAME].number, 100,
				    &ratio->number)) {
		ratio->number /= v[V_COMPR].number;
		ratio->known = true;
	}

	if (v[V_DATA].known && v[V_SPILLED].known && v[V_METADATA].known &&
	    !__builtin_add_overflow(v[V_SPILLED].number, v[V_METADATA].number, &cost)) {
		gain->known = true;
		gain->negative = cost > v[V_DATA].number;
		gain->number = gain->negative ? cost - v[V_DATA].number :
						v[V_DATA].number - cost;
	}
}

int device_read(struct device *dev)
{
	read_numbers(dev);
	read_state(dev);
	read_columns(dev, "mm_stat", mm_stat, ARRAY_SIZE(mm_stat));
	read_columns(dev, "io_stat", io_stat, ARRAY_SIZE(io_stat));
	read_columns(dev, "stat", stat_file, ARRAY_SIZE(stat_file));
	read_algorithms(dev);
	/* No version of the driver lacks these. */
	if (dev->gone || faccessat(dev->dir, "disksize", F_OK, 0))
		return device_vanished(dev);
	users_read(dev);
	derive(dev);
	warn_find(dev);
	return EXIT_OK;
}

int devices_read(struct device *devices, size_t *nr, char **names, size_t nr_names)
{
	int ret = EXIT_OK, error;
	size_t i;

	*nr = 0;
	for (i = 0; i < nr_names; i++) {
		struct device *dev = &devices[*nr];

		error = device_open(dev, names[i]);
		if (!error)
			error = device_read(dev);
		if (error) {
			device_close(dev);
			ret = error;
			continue;
		}
		if (dev->bad && !ret)
			ret = EXIT_ERROR;
		(*nr)++;
	}
	return ret;
}

void devices_close(struct device *devices, size_t nr)
{
	size_t i;

	for (i = 0; i < nr; i++)
		device_close(&devices[i]);
}

int device_read_number(struct device *dev, const char *attr, uint64_t *number)
{
	int ret = sysfs_read_number(dev->dir, attr, number);

	if (!ret)
		return EXIT_OK;
	if (!is_gone(ret)) {
		bad_file(dev, attr, ret);
		return EXIT_ERROR;
	}
	return device_lacks(dev, attr);
}

int device_lacks(struct device *dev, const char *attr)
{
	if (faccessat(dev->dir, "disksize", F_OK, 0))
		return device_vanished(dev);
	report_err(dev->path, "there is no %s; is the driver of another version?", attr);
	return EXIT_UNSUPPORTED;
}

int device_write(struct device *dev, const char *attr, const char *value)
{
	return sysfs_write(dev->dir, attr, value);
}

int device_write_failed(struct device *dev, const char *attr, const char *value,
			int error)
{
	switch (error) {
	case -ENODEV:
		return device_vanished(dev);
	case -ENOENT:
		return device_lacks(dev, attr);
	case -EACCES:
	case -EPERM:
		report_err(dev->path, "may not write %s: %s; run this as root", attr,
			   strerror(-error));
		return EXIT_DENIED;
	case -EBUSY:
		report_err(dev->path, "%s cannot be set now: the device is busy; try again when it is not in use",
			   attr);
		return EXIT_BUSY;
	case -ENOMEM:
		report_err(dev->path, "not enough free memory to set %s to %s; free some or choose less",
			   attr, value);
		return EXIT_ERROR;
	case -EINVAL:
		report_err(dev->path, "the driver does not accept %s for %s; its log (dmesg) may say why",
			   value, attr);
		return EXIT_ERROR;
	case -ENOSPC:
		report_err(dev->path, "no room to set %s to %s", attr, value);
		return EXIT_NO_ROOM;
	default:
		report_err(dev->path, "cannot write %s to %s: %s", value, attr,
			   strerror(-error));
		return EXIT_ERROR;
	}
}

int device_size_of(struct device *dev, const struct size_arg *arg, uint64_t *bytes)
{
	const struct value *carveout = &dev->v[V_CARVEOUT];

	if (arg->percent && !carveout->known) {
		report_err(dev->path, "the size of the carve-out is unknown; give a size in bytes");
		return EXIT_ERROR;
	}
	if (size_resolve(arg, carveout->number, bytes))
		return usage_error("%" PRIu64 "%% of the carve-out: too large a size",
				   arg->number);
	if (arg->percent && !*bytes && arg->number) {
		report_err(dev->path, "that share of the carve-out is nothing; give a size in bytes");
		return EXIT_ERROR;
	}
	return EXIT_OK;
}

static void on_alarm(int signal)
{
	(void)signal;
}

/*
 * Wait until udev is done with the device, which it opens after each change of size
 * and meanwhile keeps locked. Not for ever: anybody may hold such a lock.
 */
static void settle(struct device *dev)
{
	struct sigaction action = { .sa_handler = on_alarm }, old;
	int fd = sysfs_open(dev->path, O_RDONLY);

	if (fd < 0)
		return;
	sigaction(SIGALRM, &action, &old);
	alarm(5);
	flock(fd, LOCK_EX);
	alarm(0);
	sigaction(SIGALRM, &old, NULL);
	close(fd);
}

int device_reset(struct device *dev)
{
	int ret = device_write(dev, "reset", "1");

	if (ret == -EBUSY) {
		settle(dev);
		ret = device_write(dev, "reset", "1");
	}
	return ret;
}

int device_still_open(struct device *dev)
{
	report_err(dev->path, "some process has it open; find it with: fuser -v %s",
		   dev->path);
	return EXIT_BUSY;
}
