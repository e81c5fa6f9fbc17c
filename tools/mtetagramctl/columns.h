/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The columns of "status --output" and "status --json".
 */
#ifndef _COLUMNS_H
#define _COLUMNS_H

#include <stdbool.h>
#include <stddef.h>

struct device;

#define COLUMNS_MAX	64

struct column_list {
	unsigned int index[COLUMNS_MAX];
	size_t nr;
};

struct table_options {
	bool json;
	bool bytes;
	bool raw;
	bool noheadings;
};

void columns_default(struct column_list *list);
void columns_all(struct column_list *list);

/* Parse "NAME,SIZE", or "+LOST" to append. Errors are reported as usage errors. */
int columns_parse(struct column_list *list, char *text);

/* Print name and meaning of all columns. */
void columns_help(void);

int columns_print(const struct device *devices, size_t nr,
		  const struct column_list *list, const struct table_options *options);

#endif
