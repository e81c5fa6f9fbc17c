/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The columns of "status --output" and "status --json": the values that have a column,
 * in the order of the table of values.
 */
#ifndef _COLUMNS_H
#define _COLUMNS_H

#include <stdbool.h>
#include <stddef.h>

#include "values.h"

#define COLUMNS_MAX	NR_VALUES

struct device;

/**
 * struct column_list - the columns that the user wants
 * @ids: their values
 * @nr: their number
 */
struct column_list {
	enum value_id ids[COLUMNS_MAX];
	size_t nr;
};

/**
 * struct table_options - how a table is printed
 * @json: as JSON
 * @bytes: sizes in bytes
 * @raw: without alignment
 * @noheadings: without a heading
 */
struct table_options {
	bool json;
	bool bytes;
	bool raw;
	bool noheadings;
};

/**
 * columns_default() - the columns without --output
 * @list: the result
 */
void columns_default(struct column_list *list);

/**
 * columns_all() - all columns
 * @list: the result
 */
void columns_all(struct column_list *list);

/**
 * columns_parse() - parse "NAME,SIZE"; or "+LOST", which adds to the list
 * @list: the list, which is changed
 * @text: what the user typed; it is changed
 *
 * Return: EXIT_OK, or EXIT_USAGE after the error was reported.
 */
int columns_parse(struct column_list *list, char *text);

/**
 * columns_help() - print name and meaning of all columns
 */
void columns_help(void);

/**
 * columns_print() - print a table of devices
 * @devices: devices that have been read
 * @nr: their number
 * @list: the columns
 * @options: how
 *
 * Return: an exit code; an error has been reported.
 */
int columns_print(const struct device *devices, size_t nr,
		  const struct column_list *list, const struct table_options *options);

#endif
