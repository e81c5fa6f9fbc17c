// SPDX-License-Identifier: GPL-2.0
/*
 * mtetagramctl map: which tag blocks hold data and which hold tags. Lists and JSON are
 * printed here, pictures in picture_text.c and picture_svg.c.
 */

#include <getopt.h>
#include <inttypes.h>
#include <stdio.h>

#include "commands.h"
#include "device.h"
#include "exit.h"
#include "message.h"
#include "option.h"
#include "output.h"
#include "picture.h"
#include "term.h"

#define TEXT_ROWS	32	/* fit a screen */
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
	size_t group;		/* 0: as fits a screen */
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
			cell_percent(&cell, BLOCK_DATA), cell_percent(&cell, BLOCK_TAGS));
	}
	fputs("\n   ]\n}\n", file);
}

/* The smallest power of two that makes at most @cells cells. */
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
	while (picture->columns > 8 && picture->columns + PICTURE_LABEL > width)
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
	picture->color = !options->path && term_wants_color(options->color);
	picture->utf8 = !options->ascii && term_utf8();
	blockmap_cell(&picture->map, 0, picture->map.nr, &picture->whole);
}

static int draw(const struct picture *picture, const struct options *options)
{
	static void (* const print[])(const struct picture *picture, FILE *file) = {
		[FORM_TEXT] = picture_print_text,
		[FORM_LIST] = print_list,
		[FORM_JSON] = print_json,
		[FORM_SVG] = picture_print_svg,
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
	int ret = device_read_number(dev, V_BLOCK_SIZE, &picture.block_size);

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
			ret = term_parse_color(optarg, &options->color);
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
