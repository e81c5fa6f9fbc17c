/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The picture that "map" draws: a grid of cells, each for some neighbouring tag blocks.
 * picture.c says how a cell looks; picture_text.c and picture_svg.c print the picture.
 */
#ifndef _PICTURE_H
#define _PICTURE_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "blockmap.h"

#define PICTURE_LEVELS	8	/* steps of fill that look different */
#define PICTURE_LABEL	10	/* width of the number before a row of text, with blanks */

struct device;

/**
 * struct picture - what is drawn, and how
 * @dev: the device
 * @map: its map
 * @whole: all blocks in one cell
 * @block_size: size of a block in bytes
 * @group: blocks in a cell
 * @columns: cells in a row
 * @color: use colours
 * @utf8: use characters beyond ASCII
 */
struct picture {
	const struct device *dev;
	struct block_map map;
	struct cell whole;
	uint64_t block_size;
	size_t group;
	size_t columns;
	bool color;
	bool utf8;
};

/**
 * struct look - how a cell looks
 * @state: the state that is shown
 * @both: the cell has data and tags
 * @level: how much of the cell is data
 * @tag_level: how much of the cell is tags
 */
struct look {
	enum block_state state;
	bool both;
	unsigned int level, tag_level;
};

/**
 * picture_look() - how a cell looks
 * @cell: the cell
 *
 * Return: its look.
 */
struct look picture_look(const struct cell *cell);

/**
 * picture_cells() - number of cells
 * @picture: the picture
 *
 * Return: the number.
 */
size_t picture_cells(const struct picture *picture);

/**
 * picture_print_text() - print characters
 * @picture: the picture
 * @file: where to print
 */
void picture_print_text(const struct picture *picture, FILE *file);

/**
 * picture_print_svg() - print SVG
 * @picture: the picture
 * @file: where to print
 */
void picture_print_svg(const struct picture *picture, FILE *file);

#endif
