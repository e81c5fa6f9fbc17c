// SPDX-License-Identifier: GPL-2.0
/*
 * The users of a device: swap (/proc/swaps), a mounted file system (mountinfo), or another
 * device on top of it (holders). These files do not show a process that only has the device
 * open.
 */

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "alloc.h"
#include "device.h"
#include "exit.h"
#include "message.h"
#include "size.h"
#include "sysfs.h"
#include "users.h"
#include "util.h"

static const char blanks[] = "\t\n ";

/* Parses "-2" or "100". */
static bool parse_signed(const char *text, struct value *value)
{
	value->negative = *text == '-';
	value->known = !number_parse(text + value->negative, &value->number);
	return value->known;
}

static bool parse_kib(const char *text, struct value *value)
{
	value->known = !number_parse(text, &value->number) &&
		       !__builtin_mul_overflow(value->number, 1024, &value->number);
	return value->known;
}

static bool above(const struct value *a, const struct value *b)
{
	if (!b->known || a->negative != b->negative)
		return !b->known || b->negative;
	return a->negative ? a->number < b->number : a->number > b->number;
}

/* Adds up the room in other swap, and finds the highest priority of other swap. */
static void note_other_swap(struct device *dev, char *name, const struct value *size,
			    const struct value *used, const struct value *priority)
{
	struct value *free_sum = &dev->v[V_OTHER_SWAP_FREE];

	if (used->number > size->number ||
	    __builtin_add_overflow(free_sum->number, size->number - used->number,
				   &free_sum->number))
		return;
	free_sum->known = true;
	if (!above(priority, &dev->v[V_RIVAL_PRIORITY]))
		return;
	dev->v[V_RIVAL_PRIORITY] = *priority;
	free(dev->rival);
	dev->rival = xstrdup(name);
}

/* "/dev/mtetagram0   partition   98300   12800   100" */
static void read_swap_line(struct device *dev, char *line)
{
	struct value size = { }, used = { }, priority = { };
	char *save = NULL, *word[5];
	bool own, ok;
	size_t i;

	for (i = 0; i < ARRAY_SIZE(word); i++) {
		word[i] = strtok_r(i ? NULL : line, blanks, &save);
		if (!word[i])
			break;
	}
	own = i && !strcmp(word[0], dev->path);
	ok = i == ARRAY_SIZE(word) && parse_kib(word[2], &size) &&
	     parse_kib(word[3], &used) && parse_signed(word[4], &priority);
	if (own) {
		dev->swap = true;
		dev->v[V_SWAP_SIZE] = size;
		dev->v[V_SWAP_USED] = used;
		dev->v[V_SWAP_PRIORITY] = priority;
	}
	if (own && !ok) {
		report_err(dev->path, "/proc/swaps is not in the form expected");
		dev->bad = true;
	} else if (ok && !own) {
		note_other_swap(dev, word[0], &size, &used, &priority);
	}
}

/* The kernel writes blanks and backslashes as "\040", for example. Undo that. */
static void unescape(char *s)
{
	char *to = s;

	while (*s) {
		if (s[0] == '\\' && strspn(s + 1, "01234567") >= 3) {
			*to++ = (s[1] - '0') << 6 | (s[2] - '0') << 3 | (s[3] - '0');
			s += 4;
		} else {
			*to++ = *s++;
		}
	}
	*to = '\0';
}

/* "36 35 252:0 / /mnt rw,relatime shared:1 - ext4 /dev/mtetagram0 rw" */
static void read_mount_line(struct device *dev, const char *number, char *line)
{
	char *save = NULL, *device = NULL, *where = NULL, *source = NULL, *word;
	unsigned int i, dash = 0;

	for (i = 1, word = strtok_r(line, blanks, &save); word;
	     i++, word = strtok_r(NULL, blanks, &save)) {
		if (i == 3)
			device = word;
		else if (i == 5)
			where = word;
		else if (i > 6 && !dash && !strcmp(word, "-"))
			dash = i;
		else if (dash && i == dash + 2)
			source = word;
	}
	if (!where || dev->mountpoint)
		return;
	/* Some file systems have device numbers of their own; these show the source. */
	if ((*number && !strcmp(device, number)) ||
	    (source && !strcmp(source, dev->path))) {
		dev->mountpoint = xstrdup(where);
		unescape(dev->mountpoint);
	}
}

static void read_mounts(struct device *dev, FILE *file)
{
	char number[SYSFS_VALUE_MAX + 1], *line = NULL;
	size_t size = 0;

	if (sysfs_read(dev->dir, "dev", number) < 0)
		number[0] = '\0';
	while (getline(&line, &size, file) > 0)
		read_mount_line(dev, number, line);
	free(line);
}

static void read_swaps(struct device *dev, FILE *file)
{
	char *line = NULL;
	size_t size = 0;

	while (getline(&line, &size, file) > 0)
		read_swap_line(dev, line);
	free(line);
}

static void read_holders(struct device *dev)
{
	int fd = openat(dev->dir, "holders", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *dir = fd < 0 ? NULL : fdopendir(fd);
	struct dirent *entry;

	while (dir && !dev->holder && (entry = readdir(dir))) {
		if (entry->d_name[0] != '.')
			dev->holder = xstrdup(entry->d_name);
	}
	if (dir)
		closedir(dir);
	else if (fd >= 0)
		close(fd);
}

void users_read(struct device *dev)
{
	FILE *file = sysfs_fopen("/proc/swaps");

	/* A kernel without swap has no /proc/swaps. */
	if (file) {
		read_swaps(dev, file);
		fclose(file);
	}
	file = sysfs_fopen("/proc/self/mountinfo");
	if (file) {
		read_mounts(dev, file);
		fclose(file);
	}
	read_holders(dev);
}

int users_refuse(struct device *dev)
{
	if (dev->swap) {
		report_err(dev->path, "it is in use as swap; first run: swapoff %s",
			   dev->path);
		return EXIT_BUSY;
	}
	return users_refuse_others(dev);
}

int users_refuse_others(struct device *dev)
{
	if (dev->mountpoint)
		report_err(dev->path, "it is mounted on %s; first run: umount %s",
			   dev->mountpoint, dev->path);
	else if (dev->holder)
		report_err(dev->path, "%s is on top of it; remove that first",
			   dev->holder);
	else
		return EXIT_OK;
	return EXIT_BUSY;
}
