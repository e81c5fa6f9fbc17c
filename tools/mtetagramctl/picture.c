// SPDX-License-Identifier: GPL-2.0
/*
 * How a cell of the picture looks.
 */

#include "picture.h"

size_t picture_cells(const struct picture *picture)
{
	return (picture->map.nr + picture->group - 1) / picture->group;
}

struct look picture_look(const struct cell *cell)
{
	struct look look = {
		.state = BLOCK_FREE,
		.both = cell->blocks[BLOCK_DATA] && cell->blocks[BLOCK_TAGS],
		.level = cell_level(cell, BLOCK_DATA, PICTURE_LEVELS),
		.tag_level = cell_level(cell, BLOCK_TAGS, PICTURE_LEVELS),
	};

	/* A block that is switching is rare and soon gone, so it hides the other states. */
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
