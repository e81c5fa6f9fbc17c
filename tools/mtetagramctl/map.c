// SPDX-License-Identifier: GPL-2.0
/*
 * mtetagramctl map: which tag blocks hold data and which hold tags, as text, list,
 * JSON, or a picture (map_svg.c).
 */

#include <getopt.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "device.h"
#include "map.h"
#include "mtetagramctl.h"
#include "output.h"
#include "size.h"
#include "term.h"

#define LABEL_WIDTH	10	/* number of the first block in a row, and two blanks */
#define TEXT_ROWS	32	/* a screen */
#define TEXT_COLUMNS	64
#define SVG_SIDE	64	/* cells */
#define GROUP_MAX	1048576

enum form {
	FORM_TEXT,
	FORM_LIST,
	FORM_JSON,
	FORM_SVG,
};

struct options {
	enum form form;
	enum color_when color;
	bool ascii;
	size_t group;		/* 0: as fits */
	const char *path;
};

static void print_help(void)
{
	puts("Usage: mtetagramctl map [OPTION]... [DEVICE]\n\n"
	     "Draw the carve-out: one cell for some neighbouring tag blocks. Needs root.\n"
	     "DEVICE may be left out if there is only one.\n\n"
	     "  -g, --group N       blocks in a cell (default: as many as fit a screen)\n"
	     "      --color[=WHEN]  colours: auto, always, never; auto respects NO_COLOR\n"
	     "      --ascii         only ASCII characters, whatever the locale has\n"
	     "      --list          print the numbers of the blocks instead\n"
	     "  -J, --json          print JSON instead\n"
	     "      --svg           print a picture in SVG instead\n"
	     "      --output FILE   write to this file, which appears when it is complete\n"
	     "  -h, --help          print this and exit");
}

size_t map_cells(const struct picture *picture)
{
	return (picture->map.nr + picture->group - 1) / picture->group;
}

unsigned int map_percent(const struct cell *cell, enum block_state state)
{
	uint64_t whole = (uint64_t)cell->blocks[state] * BLOCK_FULL;

	return whole ? (cell->fill[state] * 100 + whole / 2) / whole : 0;
}

struct look map_look(const struct cell *cell)
{
	struct look look = {
		.state = BLOCK_FREE,
		.both = cell->blocks[BLOCK_DATA] && cell->blocks[BLOCK_TAGS],
		.level = cell_level(cell, BLOCK_DATA, MAP_LEVELS),
		.tag_level = cell_level(cell, BLOCK_TAGS, MAP_LEVELS),
	};

	/* It is rare, and gone in a moment: worth to be seen. */
	if (cell->blocks[BLOCK_SWITCHING])
		look.state = BLOCK_SWITCHING;
	else if (cell->blocks[BLOCK_OFFLINE])
		look.state = BLOCK_OFFLINE;
	else if (cell->blocks[BLOCK_TAGS])
		look.state = BLOCK_TAGS;
	else if (cell->blocks[BLOCK_DATA])
		look.state = BLOCK_DATA;
	return look;
}

/* A character for it; letters and digits go up with the level. */
static const char *glyph(const struct look *look, bool utf8)
{
	static const char * const ascii[2][MAP_LEVELS] = {
		{ "1", "2", "3", "4", "5", "6", "7", "8" },
		{ "a", "b", "c", "d", "e", "f", "g", "h" },
	};
	static const char * const blocks[2][MAP_LEVELS] = {
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

	fprintf(file, "%*zu  ", LABEL_WIDTH - 2, first);
	for (i = 0; i < picture->columns && first < picture->map.nr; i++) {
		struct cell cell;
		struct look look;

		blockmap_cell(&picture->map, first, picture->group, &cell);
		look = map_look(&cell);
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
		map_percent(whole, BLOCK_DATA), whole->blocks[BLOCK_TAGS],
		map_percent(whole, BLOCK_TAGS));
	if (whole->blocks[BLOCK_SWITCHING])
		fprintf(file, ", %" PRIu32 " being emptied", whole->blocks[BLOCK_SWITCHING]);
	if (whole->blocks[BLOCK_OFFLINE])
		fprintf(file, ", %" PRIu32 " offline", whole->blocks[BLOCK_OFFLINE]);
	fputc('\n', file);
}

static void print_text(const struct picture *picture, FILE *file)
{
	const struct look data = { .state = BLOCK_DATA, .level = MAP_LEVELS };
	const struct look tags = { .state = BLOCK_TAGS, .tag_level = MAP_LEVELS };
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

static void print_list(const struct picture *picture, FILE *file)
{
	enum block_state state;

	for (state = 0; state < NR_BLOCK_STATES; state++) {
		fprintf(file, "%s ", block_state_name(state));
		blockmap_ranges(&picture->map, state, SIZE_MAX, file);
		fputc('\n', file);
	}
}

static void print_json(const struct picture *picture, FILE *file)
{
	size_t first;

	fprintf(file, "{\n   \"device\": \"%s\",\n   \"block-size\": %" PRIu64
		",\n   \"blocks\": %zu,\n   \"group\": %zu,\n   \"cells\": [",
		picture->dev->name, picture->block_size, picture->map.nr, picture->group);
	for (first = 0; first < picture->map.nr; first += picture->group) {
		struct cell cell;

		blockmap_cell(&picture->map, first, picture->group, &cell);
		fprintf(file, "%s\n      {\"first\": %zu, \"free\": %" PRIu32 ", \"data\": %"
			PRIu32 ", \"switching\": %" PRIu32 ", \"tags\": %" PRIu32
			", \"offline\": %" PRIu32 ", \"data-percent\": %u, \"tags-percent\": %u}",
			first ? "," : "", first, cell.blocks[BLOCK_FREE],
			cell.blocks[BLOCK_DATA], cell.blocks[BLOCK_SWITCHING],
			cell.blocks[BLOCK_TAGS], cell.blocks[BLOCK_OFFLINE],
			map_percent(&cell, BLOCK_DATA), map_percent(&cell, BLOCK_TAGS));
	}
	fputs("\n   ]\n}\n", file);
}

/* The smallest power of two that makes no more cells than that. */
static size_t fitting_group(size_t nr, size_t cells)
{
	size_t group = 1;

	while ((nr + group - 1) / group > cells)
		group *= 2;
	return group;
}

static void lay_out(struct picture *picture, const struct options *options)
{
	size_t width = term_width();

	picture->columns = TEXT_COLUMNS;
	while (picture->columns > 8 && picture->columns + LABEL_WIDTH > width)
		picture->columns /= 2;
	if (options->form == FORM_SVG)
		picture->columns = SVG_SIDE;
	picture->group = options->group;
	if (options->form == FORM_SVG && !options->group)
		picture->group = fitting_group(picture->map.nr, SVG_SIDE * SVG_SIDE);
	else if (options->form == FORM_JSON && !options->group)
		picture->group = 1;
	else if (!options->group)
		picture->group = fitting_group(picture->map.nr,
					       picture->columns * TEXT_ROWS);
	picture->color = !options->path && color_wanted(options->color);
	picture->utf8 = !options->ascii && term_utf8();
	blockmap_cell(&picture->map, 0, picture->map.nr, &picture->whole);
}

static int draw(const struct picture *picture, const struct options *options)
{
	static void (* const print[])(const struct picture *picture, FILE *file) = {
		[FORM_TEXT] = print_text,
		[FORM_LIST] = print_list,
		[FORM_JSON] = print_json,
		[FORM_SVG] = map_svg,
	};
	struct output output;
	int ret = output_open(&output, options->path);

	if (ret)
		return ret;
	print[options->form](picture, output.file);
	return output_close(&output, EXIT_OK);
}

static int map(struct device *dev, const struct options *options)
{
	struct picture picture = { .dev = dev };
	int ret = device_read_number(dev, "tag_storage/block_size", &picture.block_size);

	if (!ret)
		ret = blockmap_read(dev, &picture.map);
	if (ret)
		return ret;
	lay_out(&picture, options);
	ret = draw(&picture, options);
	blockmap_free(&picture.map);
	return ret;
}

static int set_form(struct options *options, enum form form)
{
	if (options->form != FORM_TEXT && options->form != form)
		return usage_error("only one of --list, --json and --svg");
	options->form = form;
	return EXIT_OK;
}

static int set_group(struct options *options, const char *text)
{
	uint64_t number;

	if (number_parse(text, &number) || !number || number > GROUP_MAX)
		return usage_error("--group %s: not a number from 1 to %d", text, GROUP_MAX);
	options->group = number;
	return EXIT_OK;
}

static int parse(int argc, char **argv, struct options *options, bool *help)
{
	enum { OPTION_ASCII = 256, OPTION_COLOR, OPTION_LIST, OPTION_OUTPUT, OPTION_SVG };
	static const struct option long_options[] = {
		{ "ascii", no_argument, NULL, OPTION_ASCII },
		{ "color", optional_argument, NULL, OPTION_COLOR },
		{ "group", required_argument, NULL, 'g' },
		{ "help", no_argument, NULL, 'h' },
		{ "json", no_argument, NULL, 'J' },
		{ "list", no_argument, NULL, OPTION_LIST },
		{ "output", required_argument, NULL, OPTION_OUTPUT },
		{ "svg", no_argument, NULL, OPTION_SVG },
		{ }
	};
	int c, ret = EXIT_OK;

	opterr = 0;
	while (!ret && !*help &&
	       (c = getopt_long(argc, argv, ":g:hJ", long_options, NULL)) != -1) {
		switch (c) {
		case OPTION_ASCII:
			options->ascii = true;
			break;
		case OPTION_COLOR:
			ret = color_parse(optarg, &options->color);
			break;
		case 'g':
			ret = set_group(options, optarg);
			break;
		case 'h':
			*help = true;
			break;
		case 'J':
			ret = set_form(options, FORM_JSON);
			break;
		case OPTION_LIST:
			ret = set_form(options, FORM_LIST);
			break;
		case OPTION_OUTPUT:
			options->path = optarg;
			break;
		case OPTION_SVG:
			ret = set_form(options, FORM_SVG);
			break;
		default:
			ret = option_error(c, argv);
		}
	}
	if (!ret && argc - optind > 1)
		ret = usage_error("one device at a time");
	return ret;
}

int cmd_map(int argc, char **argv)
{
	struct options options = { };
	struct device dev;
	bool help = false;
	int ret;

	ret = parse(argc, argv, &options, &help);
	if (!ret && help)
		print_help();
	if (ret || help)
		return ret;
	ret = device_open(&dev, argv[optind]);
	if (ret)
		return ret;
	ret = map(&dev, &options);
	device_close(&dev);
	return ret;
}
