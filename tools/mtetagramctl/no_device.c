// SPDX-License-Identifier: GPL-2.0
/*
 * Why the machine has no device: the device tree may lack tag storage, the driver may not
 * be loaded, or the driver may have refused the tag storage.
 */

#include <dirent.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "exit.h"
#include "message.h"
#include "no_device.h"
#include "sysfs.h"

#define RESERVED_MEMORY	"/proc/device-tree/reserved-memory"

/* Does a property, which is a list of strings, hold @string? */
static bool property_has(int node, const char *property, const char *string)
{
	char buf[512];
	int fd = openat(node, property, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	ssize_t len;
	char *item;

	if (fd < 0)
		return false;
	len = read(fd, buf, sizeof(buf) - 1);
	close(fd);
	if (len <= 0)
		return false;
	buf[len] = '\0';
	for (item = buf; item < buf + len; item += strlen(item) + 1)
		if (!strcmp(item, string))
			return true;
	return false;
}

/* Finds the first node that describes tag storage, and copies its name. */
static bool find_node(char *name, size_t size)
{
	DIR *dir = sysfs_opendir(RESERVED_MEMORY);
	struct dirent *entry;
	bool found = false;

	while (dir && !found && (entry = readdir(dir))) {
		int node = openat(dirfd(dir), entry->d_name,
				  O_RDONLY | O_DIRECTORY | O_CLOEXEC);

		if (node < 0)
			continue;
		if (entry->d_name[0] != '.' &&
		    property_has(node, "compatible", "arm,mte-tag-storage") &&
		    !property_has(node, "status", "disabled")) {
			snprintf(name, size, "%s", entry->d_name);
			found = true;
		}
		close(node);
	}
	if (dir)
		closedir(dir);
	return found;
}

static bool is_directory(const char *path)
{
	int fd = sysfs_open(path, O_RDONLY | O_DIRECTORY);

	if (fd < 0)
		return false;
	close(fd);
	return true;
}

/* Does a line of the file end with @end? */
static bool has_line(const char *path, const char *end)
{
	FILE *file = sysfs_fopen(path);
	char *line = NULL;
	size_t size = 0, len = strlen(end);
	ssize_t ret;
	bool found = false;

	while (file && !found && (ret = getline(&line, &size, file)) > 0) {
		if (line[ret - 1] == '\n')
			line[--ret] = '\0';
		found = (size_t)ret >= len && !strcmp(line + ret - len, end);
	}
	free(line);
	if (file)
		fclose(file);
	return found;
}

static bool is_builtin(void)
{
	char release[SYSFS_VALUE_MAX + 1] = "", path[SYSFS_VALUE_MAX + 64];
	int dir = sysfs_open("/proc/sys/kernel", O_RDONLY | O_DIRECTORY);

	if (dir < 0)
		return false;
	if (sysfs_read(dir, "osrelease", release) < 0)
		release[0] = '\0';
	close(dir);
	snprintf(path, sizeof(path), "/lib/modules/%s/modules.builtin", release);
	return *release && !strchr(release, '/') && has_line(path, "/mtetagram.ko");
}

int report_no_device(void)
{
	char node[256];

	if (!is_directory("/sys/block"))
		report_err(NULL, "no device: there is no /sys/block; is /sys mounted?");
	else if (!is_directory("/proc/device-tree"))
		report_err(NULL, "no device: this machine has no device tree (/proc/device-tree), which has to describe the tag storage");
	else if (!find_node(node, sizeof(node)))
		report_err(NULL, "no device: the device tree has no arm,mte-tag-storage node under /reserved-memory; the firmware has to set tag storage aside and describe it");
	else if (is_builtin())
		report_err(NULL, "no device: the driver is built into the kernel but does not use the tag storage (%s); the kernel log says why: dmesg | grep mtetagram",
			   node);
	else if (!is_directory("/sys/module/mtetagram"))
		report_err(NULL, "no device: the device tree has tag storage (%s), but the driver is not loaded; run: modprobe mtetagram",
			   node);
	else
		report_err(NULL, "no device: the driver is loaded but does not use the tag storage (%s); the kernel log says why: dmesg | grep mtetagram",
			   node);
	return EXIT_NO_DEVICE;
}
