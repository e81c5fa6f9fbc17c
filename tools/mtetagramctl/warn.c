// SPDX-License-Identifier: GPL-2.0
/*
 * Warnings: settings of the machine that keep a device from being useful, and states of a
 * device that do harm soon. The text of a warning names the cause and the remedy.
 */

#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "device.h"
#include "size.h"
#include "sysfs.h"
#include "warn.h"

/* Stores begin to fail about here, because objects never fill all blocks completely. */
#define FULL_PERCENT	90

static const char * const names[NR_WARNINGS] = {
	[WARN_ZSWAP]		= "zswap",
	[WARN_HIBERNATION]	= "hibernation",
	[WARN_PRIORITY]		= "priority",
	[WARN_FULL]		= "full",
	[WARN_DRAINED]		= "drained",
	[WARN_LOST]		= "lost",
	[WARN_STOPPED]		= "stopped",
};

/* Reads a short file of the kernel; "" if there is none. */
static void read_file(const char *directory, const char *name,
		      char buf[SYSFS_VALUE_MAX + 1])
{
	int dir = sysfs_open(directory, O_RDONLY | O_DIRECTORY);

	if (dir < 0 || sysfs_read(dir, name, buf) < 0)
		buf[0] = '\0';
	if (dir >= 0)
		close(dir);
}

static bool zswap_enabled(void)
{
	char buf[SYSFS_VALUE_MAX + 1];

	read_file("/sys/module/zswap/parameters", "enabled", buf);
	return !strcmp(buf, "Y");
}

/* Does the kernel, or its command line, name a place for the image? */
static bool hibernation_configured(void)
{
	char buf[SYSFS_VALUE_MAX + 1], *save = NULL, *word;

	read_file("/sys/power", "resume", buf);
	if (*buf && strcmp(buf, "0:0"))
		return true;
	read_file("/proc", "cmdline", buf);
	for (word = strtok_r(buf, " ", &save); word; word = strtok_r(NULL, " ", &save))
		if (!strncmp(word, "resume=", 7))
			return true;
	return false;
}

/* Is the priority @low not above the priority @high? */
static bool not_above(const struct value *low, const struct value *high)
{
	if (!low->known || !high->known)
		return false;
	if (low->negative != high->negative)
		return low->negative;
	return low->negative ? low->number >= high->number : low->number <= high->number;
}

/* The carve-out that data may have now: what tags leave of it, but not over the share. */
static bool room(const struct value *v, uint64_t *bytes)
{
	uint64_t blocks;

	if (!v[V_SHARE].known || !v[V_BLOCKS_FREE].known || !v[V_BLOCKS_USED].known ||
	    !v[V_BLOCK_SIZE].known ||
	    __builtin_add_overflow(v[V_BLOCKS_FREE].number, v[V_BLOCKS_USED].number,
				   &blocks) ||
	    __builtin_mul_overflow(blocks, v[V_BLOCK_SIZE].number, bytes))
		return false;
	if (*bytes > v[V_SHARE].number)
		*bytes = v[V_SHARE].number;
	return true;
}

static bool nearly_full(const struct value *v)
{
	uint64_t bytes;

	return v[V_USED_SIZE].known && room(v, &bytes) &&
	       v[V_USED_SIZE].number / FULL_PERCENT >= bytes / 100 &&
	       v[V_USED_SIZE].number;
}

void warn_find(struct device *dev)
{
	const struct value *v = dev->v;
	bool set_up = v[V_INITSTATE].known && v[V_INITSTATE].number;
	bool drained = v[V_SHARE].known && !v[V_SHARE].number;
	const bool found[NR_WARNINGS] = {
		[WARN_ZSWAP] = dev->swap && zswap_enabled(),
		[WARN_HIBERNATION] = set_up && hibernation_configured(),
		[WARN_PRIORITY] = dev->swap && not_above(&v[V_SWAP_PRIORITY],
							 &v[V_RIVAL_PRIORITY]),
		[WARN_FULL] = set_up && !drained && nearly_full(v),
		[WARN_DRAINED] = drained,
		[WARN_LOST] = v[V_LOST].known && v[V_LOST].number,
		[WARN_STOPPED] = v[V_STOPPED].known && v[V_STOPPED].number,
	};
	unsigned int i;

	for (i = 0; i < NR_WARNINGS; i++)
		dev->warnings |= (unsigned int)found[i] << i;
}

const char *warn_name(enum warning warning)
{
	return names[warning];
}

static void priority_text(const struct device *dev, char buf[WARN_TEXT_MAX])
{
	const struct value *rival = &dev->v[V_RIVAL_PRIORITY];
	bool zram = !strncmp(dev->rival, "/dev/zram", 9);

	snprintf(buf, WARN_TEXT_MAX,
		 "%.64s has swap priority %s%" PRIu64 ", not less than this device%s; swapoff it and swapon it with a lower one",
		 dev->rival, rival->negative ? "-" : "", rival->number,
		 zram ? ": ordinary memory is used first" : ": it is used first, or in turns");
}

const char *warn_text(const struct device *dev, enum warning warning,
		      char buf[WARN_TEXT_MAX])
{
	char size[SIZE_TEXT_MAX];
	uint64_t bytes = 0;

	switch (warning) {
	case WARN_ZSWAP:
		snprintf(buf, WARN_TEXT_MAX,
			 "zswap is on and keeps compressed pages in ordinary memory before they reach the device; echo N >/sys/module/zswap/parameters/enabled");
		return buf;
	case WARN_HIBERNATION:
		snprintf(buf, WARN_TEXT_MAX,
			 "hibernation is configured (resume=), but fails while the device is set up, as its data would be lost; reset it first");
		return buf;
	case WARN_PRIORITY:
		priority_text(dev, buf);
		return buf;
	case WARN_FULL:
		room(dev->v, &bytes);
		snprintf(buf, WARN_TEXT_MAX,
			 "nearly full: tags and the share leave %s for data; when no block is left, writes fail and pages stay in memory",
			 size_format(size, bytes, false));
		return buf;
	case WARN_DRAINED:
		snprintf(buf, WARN_TEXT_MAX,
			 "it may use no tag block (its share is 0), so writes fail; to use it again: mtetagramctl resize %s 100%%",
			 dev->path);
		return buf;
	case WARN_STOPPED:
		snprintf(buf, WARN_TEXT_MAX,
			 "stopped: something overwrote tag storage (the kernel log says where), so every write fails; the driver is moving the stored data to ordinary memory, where it can be read; swapoff the device or copy the data, then mtetagramctl reset %s, and report the log",
			 dev->path);
		return buf;
	default:
		snprintf(buf, WARN_TEXT_MAX,
			 "%" PRIu64 " objects were lost, as there was no memory to move them to; reads of them fail; a smaller share leaves more room to move objects",
			 dev->v[V_LOST].number);
		return buf;
	}
}

const char *warn_names(const struct device *dev, char *buf, size_t size)
{
	size_t len = 0;
	unsigned int i;

	for (i = 0; i < NR_WARNINGS; i++)
		if (dev->warnings & 1U << i && len < size)
			len += snprintf(buf + len, size - len, "%s%s", len ? "," : "",
					names[i]);
	return len ? buf : NULL;
}
