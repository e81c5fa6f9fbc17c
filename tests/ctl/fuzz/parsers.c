// SPDX-License-Identifier: GPL-2.0
/*
 * A libFuzzer target for everything in mtetagramctl that parses text from outside.
 *
 * The first byte of the input chooses the parser, which gets the rest. Most parsers are
 * static, so this file includes their sources. The sanitizers find errors in memory; MUST()
 * checks what is true for every input.
 */

#include "device.c"
#include "snapshot.c"
#include "swap.c"
#include "users.c"

#include "blockmap.h"
#include "warn.h"

#include <ctype.h>

#define MUST(condition)	do { if (!(condition)) abort(); } while (0)

/* A copy that ends where the input ends: the sanitizer then sees a byte too far. */
static char *copy_text(const uint8_t *data, size_t size)
{
	char *text = malloc(size + 1);

	MUST(text);
	memcpy(text, data, size);
	text[size] = '\0';
	return text;
}

static void init_device(struct device *dev)
{
	memset(dev, 0, sizeof(*dev));
	dev->dir = -1;
	strcpy(dev->name, "mtetagram0");
	strcpy(dev->path, "/dev/mtetagram0");
}

/* A size that is printed without rounding must be read as the same size. */
static void fuzz_size(char *text)
{
	char printed[SIZE_TEXT_MAX];
	struct size_arg arg, again;
	uint64_t bytes, number;

	if (!number_parse(text, &number))
		MUST(!size_parse(text, &arg) && arg.number == number && !arg.percent);
	if (size_parse(text, &arg) || size_resolve(&arg, 1 << 30, &bytes))
		return;
	MUST(!size_parse(size_format_whole(printed, bytes), &again));
	MUST(again.number == bytes && !again.percent);
	MUST(strlen(size_format(printed, bytes, false)) < 8);
}

/* The text of a value begins with "-" if the value is negative, and is "-" if unknown. */
static void print_values(const struct device *dev)
{
	char buf[SIZE_TEXT_MAX];
	const char *text;
	enum value_id id;

	for (id = 0; id < NR_VALUES; id++) {
		text = value_text(dev->v, id, id & 1, buf);
		MUST(dev->v[id].known == (text[1] || *text != '-'));
		MUST((*text == '-') == (!dev->v[id].known || dev->v[id].negative));
	}
}

static void fuzz_words(char *text)
{
	struct device dev;

	init_device(&dev);
	if (!parse_words(&dev, "mm_stat", text))
		MUST(dev.v[V_DATA].known && dev.v[V_COMPACTED].known);
	values_derive(dev.v);
	warn_find(&dev);
	print_values(&dev);
}

static void fuzz_algorithms(char *text)
{
	struct device dev;

	init_device(&dev);
	if (!parse_algorithms(&dev, text))
		MUST(is_algorithm(dev.algorithm) && strstr(dev.algorithms, dev.algorithm));
	MUST(strlen(dev.algorithms) < sizeof(dev.algorithms));
}

static void fuzz_file(const uint8_t *data, size_t size,
		      void (*parse)(struct device *dev, FILE *file))
{
	FILE *file = size ? fmemopen((void *)data, size, "r") : NULL;
	char buf[WARN_TEXT_MAX];
	struct device dev;
	unsigned int i;

	if (!file)
		return;
	init_device(&dev);
	parse(&dev, file);
	fclose(file);
	values_derive(dev.v);
	warn_find(&dev);
	print_values(&dev);
	for (i = 0; i < NR_WARNINGS; i++)
		if (dev.warnings & 1U << i)
			MUST(strlen(warn_text(&dev, i, buf)) < sizeof(buf));
	device_close(&dev);
}

static void fuzz_map(const uint8_t *data, size_t size)
{
	struct block_map map = { .byte = (uint8_t *)data, .nr = size };
	char *text = NULL;
	size_t len, first, group = size / 7 + 1;
	FILE *file = open_memstream(&text, &len);
	struct cell cell;
	unsigned int state;

	MUST(file);
	for (first = 0; first < size; first += group) {
		uint32_t sum = 0;

		blockmap_cell(&map, first, group, &cell);
		for (state = 0; state < NR_BLOCK_STATES; state++) {
			sum += cell.blocks[state];
			MUST(cell_level(&cell, state, 8) <= 8);
			MUST(!cell.blocks[state] == !cell_level(&cell, state, 8));
		}
		MUST(sum == cell.nr && sum <= group);
	}
	for (state = 0; state < NR_BLOCK_STATES; state++)
		blockmap_ranges(&map, state, 3, file);
	fclose(file);
	free(text);
}

static void fuzz_escape(const char *text, size_t size)
{
	size_t room = size % 97 + 1, len;
	char *to = malloc(room);

	MUST(to);
	len = strlen(escape(to, room, text));
	MUST(len < room);
	while (len--)
		MUST(isprint((unsigned char)to[len]));
	free(to);
}

static void fuzz_text(unsigned int what, char *text, size_t size)
{
	char name[DEVICE_NAME_MAX];
	uint64_t bytes;

	switch (what) {
	case 0:
		fuzz_size(text);
		break;
	case 1:
		fuzz_words(text);
		break;
	case 2:
		fuzz_algorithms(text);
		break;
	case 3:
		parse_available(text, &bytes);
		break;
	case 4:
		fuzz_escape(text, size);
		break;
	default:
		/* find_name() would look up a path with more directories. */
		if (!strchr(text, '/') && find_name(text, name))
			MUST(is_device_name(name));
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	unsigned int what;
	char *text;

	/* No attribute is longer, and longer lines do nothing new. */
	if (!size || size > 2 * SYSFS_VALUE_MAX)
		return 0;
	what = (*data++ - '0') % 9U;
	size--;
	switch (what) {
	case 6:
		fuzz_file(data, size, read_swaps);
		return 0;
	case 7:
		fuzz_file(data, size, read_mounts);
		return 0;
	case 8:
		fuzz_map(data, size);
		return 0;
	}
	text = copy_text(data, size);
	fuzz_text(what, text, size);
	free(text);
	return 0;
}
