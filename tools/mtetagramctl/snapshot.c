// SPDX-License-Identifier: GPL-2.0
/*
 * Everything that a device tells. The table of values says which file holds what; then
 * come the users of the device, the values that follow from others, and the warnings.
 */

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "alloc.h"
#include "device.h"
#include "exit.h"
#include "size.h"
#include "snapshot.h"
#include "sysfs.h"
#include "users.h"
#include "warn.h"

/* A number in a file becomes bytes, for example. Too large a result is unknown. */
static void set_value(struct value *value, const struct value_info *info, uint64_t number)
{
	value->known = !__builtin_mul_overflow(number, info->unit ?: 1, &value->number);
}

/* A file of one value: a number, or one of two texts. */
static int parse_single(struct device *dev, enum value_id id, const char *text)
{
	const struct value_info *info = &values[id];
	uint64_t number;
	int ret;

	if (info->zero) {
		number = !strcmp(text, info->one);
		ret = number || !strcmp(text, info->zero) ? 0 : -EINVAL;
	} else {
		ret = number_parse(text, &number);
	}
	if (!ret)
		set_value(&dev->v[id], info, number);
	return ret;
}

static unsigned int last_word(const char *file)
{
	unsigned int last = 0;
	enum value_id id;

	for (id = 0; id < NR_VALUES; id++)
		if (values[id].word > last && !strcmp(values[id].file, file))
			last = values[id].word;
	return last;
}

/* A file of several numbers. All words up to the last that matters must be numbers. */
static int parse_words(struct device *dev, const char *file, char *text)
{
	unsigned int i, last = last_word(file);
	char *save = NULL, *word = text;
	enum value_id id;
	uint64_t number;
	int ret;

	for (i = 1; i <= last; i++) {
		word = strtok_r(i == 1 ? text : NULL, " ", &save);
		ret = word ? number_parse(word, &number) : -EINVAL;
		if (ret)
			return ret;
		for (id = 0; id < NR_VALUES; id++)
			if (values[id].word == i && !strcmp(values[id].file, file))
				set_value(&dev->v[id], &values[id], number);
	}
	return 0;
}

static bool is_algorithm(const char *name)
{
	size_t len = strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789-_");

	return len && !name[len] && len < ALGORITHM_MAX;
}

/* "[lz4] zstd lzo-rle": the algorithm in brackets is the one that is used. */
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

static int parse_text(struct device *dev, enum value_id id, char *text)
{
	int ret;

	if (values[id].word)
		return parse_words(dev, values[id].file, text);
	if (id != V_ALGORITHM)
		return parse_single(dev, id, text);
	ret = parse_algorithms(dev, text);
	if (ret) {
		dev->algorithm[0] = '\0';
		dev->algorithms[0] = '\0';
	}
	return ret;
}

/* Several values can share a file. It is read for the first of them. */
static bool has_own_file(enum value_id id)
{
	enum value_id other;

	for (other = 0; values[id].word && other < id; other++)
		if (values[other].word && !strcmp(values[other].file, values[id].file))
			return false;
	return values[id].file;
}

static void read_files(struct device *dev)
{
	char text[SYSFS_VALUE_MAX + 1];
	enum value_id id;
	int ret;

	for (id = 0; id < NR_VALUES; id++) {
		if (!has_own_file(id))
			continue;
		ret = sysfs_read(dev->dir, values[id].file, text);
		if (ret >= 0)
			ret = parse_text(dev, id, text);
		if (ret < 0)
			device_bad_file(dev, values[id].file, ret);
	}
}

int snapshot_read(struct device *dev)
{
	read_files(dev);
	if (dev->gone || !device_exists(dev))
		return device_vanished(dev);
	users_read(dev);
	values_derive(dev->v);
	warn_find(dev);
	return EXIT_OK;
}

int snapshots_read(struct snapshots *snapshots, size_t nr, char **names)
{
	int ret = EXIT_OK, error;
	size_t i;

	snapshots->devices = xcalloc(nr, sizeof(*snapshots->devices));
	snapshots->nr = 0;
	for (i = 0; i < nr; i++) {
		struct device *dev = &snapshots->devices[snapshots->nr];

		error = device_open(dev, names[i]);
		if (!error)
			error = snapshot_read(dev);
		if (error) {
			device_close(dev);
			ret = error;
			continue;
		}
		if (dev->bad && !ret)
			ret = EXIT_ERROR;
		snapshots->nr++;
	}
	return ret;
}

void snapshots_free(struct snapshots *snapshots)
{
	size_t i;

	for (i = 0; i < snapshots->nr; i++)
		device_close(&snapshots->devices[i]);
	free(snapshots->devices);
}
