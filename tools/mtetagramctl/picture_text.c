// SPDX-License-Identifier: GPL-2.0
/*
 * The picture as text, one character for each cell.
 */

#include <inttypes.h>

#include "device.h"
#include "picture.h"
#include "size.h"

/* The character for a cell. Digits and letters grow with the level. */
static const char *glyph(const struct look *look, bool utf8)
{
	static const char * const ascii[2][PICTURE_LEVELS] = {
		{ "1", "2", "3", "4", "5", "6", "7", "8" },
		{ "a", "b", "c", "d", "e", "f", "g", "h" },
	};
	static const char * const blocks[2][PICTURE_LEVELS] = {
		{ "▁", "▂", "▃", "▄", "▅", "▆", "▇", "█" },
		{ "⠁", "⠃", "⠇", "⡇", "⣇", "⣧", "⣷", "⣿" },
	};
	bool tags = look->state == BLOCK_TAGS;
	unsigned int level = tags ? look->tag_level : look->level;

	if (look->state == BLOCK_SWITCHING)
		return "!";
	if (look->state == BLOCK_OFFLINE)
		return "x";
	if (look->both)
		return "+";
	if (look->state == BLOCK_FREE)
		return utf8 ? "·" : ".";
	return (utf8 ? blocks : ascii)[tags][level - 1];
}

static const char *color_of(const struct look *look)
{
	static const char * const colors[NR_BLOCK_STATES] = {
		[BLOCK_FREE] = "\033[2m",		/* faint */
		[BLOCK_DATA] = "\033[32m",		/* green */
		[BLOCK_SWITCHING] = "\033[1;35m",	/* magenta */
		[BLOCK_TAGS] = "\033[31m",		/* red */
		[BLOCK_OFFLINE] = "\033[1m",
	};

	return look->both && look->state == BLOCK_TAGS ? "\033[33m" : colors[look->state];
}

static void print_row(const struct picture *picture, size_t first, FILE *file)
{
	const char *color = NULL;
	size_t i;

	fprintf(file, "%*zu  ", PICTURE_LABEL - 2, first);
	for (i = 0; i < picture->columns && first < picture->map.nr; i++) {
		struct cell cell;
		struct look look;

		blockmap_cell(&picture->map, first, picture->group, &cell);
		look = picture_look(&cell);
		if (picture->color && color != color_of(&look)) {
			color = color_of(&look);
			fprintf(file, "\033[0m%s", color);
		}
		fputs(glyph(&look, picture->utf8), file);
		first += picture->group;
	}
	fprintf(file, "%s\n", color ? "\033[0m" : "");
}

static void print_summary(const struct picture *picture, FILE *file)
{
	const struct cell *whole = &picture->whole;

	fprintf(file, "%" PRIu32 " free, %" PRIu32 " with data (%u%% full), %" PRIu32
		" with tags (%u%% of their pages tagged)",
		whole->blocks[BLOCK_FREE], whole->blocks[BLOCK_DATA],
		cell_percent(whole, BLOCK_DATA), whole->blocks[BLOCK_TAGS],
		cell_percent(whole, BLOCK_TAGS));
	if (whole->blocks[BLOCK_SWITCHING])
		fprintf(file, ", %" PRIu32 " being emptied", whole->blocks[BLOCK_SWITCHING]);
	if (whole->blocks[BLOCK_OFFLINE])
		fprintf(file, ", %" PRIu32 " offline", whole->blocks[BLOCK_OFFLINE]);
	fputc('\n', file);
}

void picture_print_text(const struct picture *picture, FILE *file)
{
	const struct look data = { .state = BLOCK_DATA, .level = PICTURE_LEVELS };
	const struct look tags = { .state = BLOCK_TAGS, .tag_level = PICTURE_LEVELS };
	const struct look low_data = { .state = BLOCK_DATA, .level = 1 };
	const struct look low_tags = { .state = BLOCK_TAGS, .tag_level = 1 };
	const struct look nothing = { .state = BLOCK_FREE };
	bool utf8 = picture->utf8;
	char a[SIZE_TEXT_MAX], b[SIZE_TEXT_MAX];
	size_t i;

	fprintf(file, "%s: %s of tag storage, %zu blocks of %s, %zu in a cell\n",
		picture->dev->path,
		size_format(a, picture->map.nr * picture->block_size, false),
		picture->map.nr, size_format(b, picture->block_size, false),
		picture->group);
	for (i = 0; i < picture->map.nr; i += picture->columns * picture->group)
		print_row(picture, i, file);
	fprintf(file, "%s free   %s to %s data, by fill   %s to %s tags, by tagged pages   + both   ! being emptied   x offline\n",
		glyph(&nothing, utf8), glyph(&low_data, utf8), glyph(&data, utf8),
		glyph(&low_tags, utf8), glyph(&tags, utf8));
	print_summary(picture, file);
}
