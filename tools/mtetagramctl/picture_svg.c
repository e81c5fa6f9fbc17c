// SPDX-License-Identifier: GPL-2.0
/*
 * The picture in SVG, for a report. All cells that look the same are one path, so that
 * the file stays small. It has no script, and uses the fonts of the viewer.
 */

#include <inttypes.h>

#include "device.h"
#include "picture.h"
#include "size.h"

#define STEP	9	/* from cell to cell */
#define CELL	8
#define MARGIN	12
#define LEFT	60	/* room for the number of a block, which has up to 9 digits */
#define LABEL	4	/* rows from one label to the next */
#define HEAD	44	/* room for two lines of text */
#define LEGEND	60

/* From light to dark. People who cannot tell red from green can tell these apart. */
static const char * const data_colors[PICTURE_LEVELS] = {
	"#d3e5f5", "#b3d3ec", "#8fbfe2", "#68a8d6", "#4490c8", "#2877b5", "#145d9b", "#0a447a",
};

static const char * const tag_colors[PICTURE_LEVELS] = {
	"#fde0c5", "#fcc894", "#fbae62", "#f7923a", "#ea751b", "#d05a0a", "#a94504", "#7f3403",
};

static const char free_color[] = "#e6e6e6";
static const char switching_color[] = "#c02fb0";
static const char offline_color[] = "#333333";

/* One look. A cell that has data and tags is half data and half tags. */
struct layer {
	enum block_state state;
	unsigned int level;
	const char *color;
};

static void add_cell(const struct picture *picture, const struct layer *layer, size_t nr,
		     FILE *file)
{
	size_t x = LEFT + nr % picture->columns * STEP;
	size_t y = HEAD + nr / picture->columns * STEP;
	struct cell cell;
	struct look look;

	blockmap_cell(&picture->map, nr * picture->group, picture->group, &cell);
	look = picture_look(&cell);
	if (look.state == BLOCK_TAGS && look.both) {
		if (layer->state == BLOCK_DATA && layer->level == look.level)
			fprintf(file, "M%zu %zuh%dv%dz", x, y, CELL, CELL);
		else if (layer->state == BLOCK_TAGS && layer->level == look.tag_level)
			fprintf(file, "M%zu %zuv%dh%dz", x, y, CELL, CELL);
	} else if (layer->state == look.state &&
		   (look.state != BLOCK_DATA || layer->level == look.level) &&
		   (look.state != BLOCK_TAGS || layer->level == look.tag_level)) {
		fprintf(file, "M%zu %zuh%dv%dh-%dz", x, y, CELL, CELL, CELL);
	}
}

static void add_layer(const struct picture *picture, const struct layer *layer,
		      FILE *file)
{
	size_t nr, cells = picture_cells(picture);

	fprintf(file, "<path fill=\"%s\" d=\"", layer->color);
	for (nr = 0; nr < cells; nr++)
		add_cell(picture, layer, nr, file);
	fputs("\"/>\n", file);
}

static void add_layers(const struct picture *picture, FILE *file)
{
	const struct layer nothing = { .state = BLOCK_FREE, .color = free_color };
	const struct layer switching = { .state = BLOCK_SWITCHING, .color = switching_color };
	const struct layer offline = { .state = BLOCK_OFFLINE, .color = offline_color };
	unsigned int level;

	add_layer(picture, &nothing, file);
	add_layer(picture, &offline, file);
	add_layer(picture, &switching, file);
	for (level = 1; level <= PICTURE_LEVELS; level++) {
		const struct layer data = { BLOCK_DATA, level, data_colors[level - 1] };
		const struct layer tags = { BLOCK_TAGS, level, tag_colors[level - 1] };

		add_layer(picture, &data, file);
		add_layer(picture, &tags, file);
	}
}

/* Labels with the number of the first block in a row. */
static void add_labels(const struct picture *picture, size_t rows, FILE *file)
{
	size_t row;

	fputs("<g font-size=\"9\" text-anchor=\"end\" fill=\"#777777\">\n", file);
	for (row = 0; row < rows; row += LABEL)
		fprintf(file, "<text x=\"%d\" y=\"%zu\">%zu</text>\n", LEFT - 5,
			HEAD + row * STEP + CELL, row * picture->columns * picture->group);
	fputs("</g>\n", file);
}

/* The look of a cell with data and tags, in colours of the middle level. */
static void add_mixed_swatch(size_t x, size_t y, FILE *file)
{
	fprintf(file, "<path fill=\"%s\" d=\"M%zu %zuh%dv%dz\"/>\n",
		data_colors[PICTURE_LEVELS / 2], x, y, CELL, CELL);
	fprintf(file, "<path fill=\"%s\" d=\"M%zu %zuv%dh%dz\"/>\n",
		tag_colors[PICTURE_LEVELS / 2], x, y, CELL, CELL);
	fprintf(file, "<text x=\"%zu\" y=\"%zu\">data and tags in a cell</text>\n",
		x + STEP + 4, y + CELL);
}

static void add_swatches(size_t x, size_t y, const char * const *colors, size_t nr,
			 const char *text, FILE *file)
{
	size_t i;

	for (i = 0; i < nr; i++)
		fprintf(file, "<rect x=\"%zu\" y=\"%zu\" width=\"%d\" height=\"%d\" fill=\"%s\"/>\n",
			x + i * STEP, y, CELL, CELL, colors[i]);
	fprintf(file, "<text x=\"%zu\" y=\"%zu\">%s</text>\n", x + nr * STEP + 4, y + CELL,
		text);
}

static void add_legend(const struct picture *picture, size_t y, FILE *file)
{
	const char * const nothing[] = { free_color }, * const switching[] = { switching_color };
	const char * const offline[] = { offline_color };
	const struct cell *whole = &picture->whole;
	char text[128];

	snprintf(text, sizeof(text), "data, by fill: %" PRIu32 ", %u %% full",
		 whole->blocks[BLOCK_DATA], cell_percent(whole, BLOCK_DATA));
	add_swatches(LEFT, y, data_colors, PICTURE_LEVELS, text, file);
	snprintf(text, sizeof(text), "tags, by tagged pages: %" PRIu32 ", %u %% tagged",
		 whole->blocks[BLOCK_TAGS], cell_percent(whole, BLOCK_TAGS));
	add_swatches(LEFT, y + 16, tag_colors, PICTURE_LEVELS, text, file);
	add_mixed_swatch(LEFT + 360, y + 16, file);
	snprintf(text, sizeof(text), "free: %" PRIu32, whole->blocks[BLOCK_FREE]);
	add_swatches(LEFT, y + 32, nothing, 1, text, file);
	snprintf(text, sizeof(text), "being emptied: %" PRIu32, whole->blocks[BLOCK_SWITCHING]);
	add_swatches(LEFT + 180, y + 32, switching, 1, text, file);
	snprintf(text, sizeof(text), "offline: %" PRIu32, whole->blocks[BLOCK_OFFLINE]);
	add_swatches(LEFT + 360, y + 32, offline, 1, text, file);
}

void picture_print_svg(const struct picture *picture, FILE *file)
{
	size_t rows = (picture_cells(picture) + picture->columns - 1) / picture->columns;
	size_t width = LEFT + picture->columns * STEP + MARGIN;
	size_t legend = HEAD + rows * STEP + MARGIN;
	char a[SIZE_TEXT_MAX], b[SIZE_TEXT_MAX];

	fprintf(file, "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"%zu\" height=\"%zu\" font-family=\"sans-serif\" font-size=\"11\" fill=\"#222222\">\n",
		width, legend + LEGEND);
	fprintf(file, "<title>Tag blocks of %s</title>\n", picture->dev->name);
	fputs("<rect width=\"100%\" height=\"100%\" fill=\"#ffffff\"/>\n", file);
	fprintf(file, "<text x=\"%d\" y=\"18\" font-size=\"14\">Tag blocks of %s</text>\n",
		LEFT, picture->dev->name);
	fprintf(file, "<text x=\"%d\" y=\"34\">%s in %zu blocks of %s, %zu in a cell, row by row</text>\n",
		LEFT, size_format(a, picture->map.nr * picture->block_size, false),
		picture->map.nr, size_format(b, picture->block_size, false),
		picture->group);
	add_labels(picture, rows, file);
	add_layers(picture, file);
	add_legend(picture, legend, file);
	fputs("</svg>\n", file);
}
