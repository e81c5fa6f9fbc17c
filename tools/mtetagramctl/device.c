// SPDX-License-Identifier: GPL-2.0
/*
 * Devices of the driver: finding them by name, and reading and writing single attributes.
 *
 * The tool does not trust what it reads: another version of the driver may lack a file,
 * and text that is no number is reported.
 */

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

#include "alloc.h"
#include "device.h"
#include "exit.h"
#include "message.h"
#include "no_device.h"
#include "size.h"
#include "sysfs.h"

#define PREFIX		"mtetagram"

/* How long the tool waits for udev, in seconds. */
#define UDEV_SECONDS	5

/* A name is "mtetagram" and a number without leading zeros. */
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

int devices_each(size_t nr, char **names,
		 int (*run)(size_t nr, char **names, const void *options),
		 const void *options)
{
	char **all;
	int ret;

	if (nr)
		return run(nr, names, options);
	all = devices_list();
	while (all[nr])
		nr++;
	ret = nr ? run(nr, all, options) : report_no_device();
	devices_free(all);
	return ret;
}

/* Turns what the user typed into the name of a device. False if it cannot be one. */
static bool find_name(const char *arg, char name[DEVICE_NAME_MAX])
{
	char *target = NULL;
	const char *base = arg;
	bool ok;

	if (!strncmp(arg, "/dev/", 5) && !strchr(arg + 5, '/')) {
		base = arg + 5;
	} else if (strchr(arg, '/')) {
		/* The path may be a link to the device. */
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
		return report_no_device();
	if (names[1])
		return usage_error("there are several devices; name the one you mean");
	memcpy(name, names[0], strlen(names[0]) + 1);
	return EXIT_OK;
}

static int unknown_device(char **names, const char *arg)
{
	if (!names[0])
		return report_no_device();
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

void device_bad_file(struct device *dev, const char *file, int error)
{
	static const char other_version[] = "is the driver of another version?";

	/* A driver of another version may lack the file. A removed device says ENODEV. */
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

int device_read_number(struct device *dev, enum value_id id, uint64_t *number)
{
	const char *file = values[id].file;
	int ret = sysfs_read_number(dev->dir, file, number);

	if (!ret)
		return EXIT_OK;
	if (is_gone(ret))
		return device_lacks(dev, file);
	device_bad_file(dev, file, ret);
	return EXIT_ERROR;
}

bool device_exists(const struct device *dev)
{
	return !faccessat(dev->dir, "disksize", F_OK, 0);
}

int device_lacks(struct device *dev, const char *attr)
{
	if (!device_exists(dev))
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
 * udev opens the device after each change of its size and holds a lock meanwhile. Wait for
 * that lock, but not for ever: any process can hold it.
 */
static void wait_for_udev(struct device *dev)
{
	struct sigaction action = { .sa_handler = on_alarm }, old;
	int fd = sysfs_open(dev->path, O_RDONLY);

	if (fd < 0)
		return;
	sigaction(SIGALRM, &action, &old);
	alarm(UDEV_SECONDS);
	flock(fd, LOCK_EX);
	alarm(0);
	sigaction(SIGALRM, &old, NULL);
	close(fd);
}

int device_reset(struct device *dev)
{
	int ret = device_write(dev, "reset", "1");

	if (ret == -EBUSY) {
		wait_for_udev(dev);
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
