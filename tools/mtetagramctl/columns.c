// SPDX-License-Identifier: GPL-2.0
/*
 * The columns of "status --output" and "status --json". libsmartcols prints them.
 */

#include <stdio.h>
#include <string.h>
#include <strings.h>

#include <libsmartcols/libsmartcols.h>

#include "columns.h"
#include "device.h"
#include "exit.h"
#include "heading.h"
#include "message.h"
#include "warn.h"

static void list_columns(struct column_list *list, bool all)
{
	enum value_id id;

	list->nr = 0;
	for (id = 0; id < NR_VALUES; id++)
		if (values[id].column && (all || values[id].by_default))
			list->ids[list->nr++] = id;
}

void columns_default(struct column_list *list)
{
	list_columns(list, false);
}

void columns_all(struct column_list *list)
{
	list_columns(list, true);
}

static enum value_id find_column(const char *name)
{
	enum value_id id;

	for (id = 0; id < NR_VALUES; id++)
		if (values[id].column && !strcasecmp(values[id].column, name))
			break;
	return id;
}

int columns_parse(struct column_list *list, char *text)
{
	enum value_id id;
	char *name;

	if (*text == '+')
		text++;
	else
		list->nr = 0;
	while ((name = strsep(&text, ","))) {
		if (list->nr == COLUMNS_MAX)
			return usage_error("too many columns");
		id = find_column(name);
		if (id == NR_VALUES)
			return usage_error("%s: unknown column", name);
		list->ids[list->nr++] = id;
	}
	return EXIT_OK;
}

void columns_help(void)
{
	enum value_id id;

	puts("\nColumns:");
	for (id = 0; id < NR_VALUES; id++)
		if (values[id].column)
			printf(" %14s  %s\n", values[id].column, values[id].help);
}

static bool is_text(enum value_id id)
{
	return values[id].kind == KIND_TEXT;
}

static const char *text_of(const struct device *dev, enum value_id id,
			   char buf[WARN_TEXT_MAX])
{
	switch (id) {
	case V_NAME:
		return dev->name;
	case V_PATH:
		return dev->path;
	case V_STATE:
		return heading_state(dev);
	case V_ALGORITHM:
		return *dev->algorithm ? dev->algorithm : NULL;
	case V_MOUNTPOINT:
		return dev->mountpoint;
	case V_WARNINGS:
		return warn_names(dev, buf, WARN_TEXT_MAX);
	default:
		return NULL;
	}
}

/* The text of a cell; NULL if the value is unknown. */
static const char *cell(const struct device *dev, enum value_id id, bool exact,
			char buf[WARN_TEXT_MAX])
{
	if (is_text(id))
		return text_of(dev, id, buf);
	return dev->v[id].known ? value_text(dev->v, id, exact, buf) : NULL;
}

static int add_device(struct libscols_table *table, const struct device *dev,
		      const struct column_list *list,
		      const struct table_options *options)
{
	struct libscols_line *line = scols_table_new_line(table, NULL);
	char buf[WARN_TEXT_MAX], safe[1024];
	size_t i;

	for (i = 0; line && i < list->nr; i++) {
		const char *data = cell(dev, list->ids[i], options->json || options->bytes,
					buf);

		/* libsmartcols escapes in tables. JSON must be UTF-8, so escape it here. */
		if (data && options->json)
			data = escape(safe, sizeof(safe), data);
		/* JSON has null for what is unknown. In a table an empty cell would mislead. */
		if (!data && !options->json)
			data = "-";
		if (data && scols_line_set_data(line, i, data))
			return -1;
	}
	return line ? 0 : -1;
}

static int add_column(struct libscols_table *table, enum value_id id)
{
	struct libscols_column *cl = scols_table_new_column(table, values[id].column, 0,
							    is_text(id) ? 0 : SCOLS_FL_RIGHT);

	if (!cl)
		return -1;
	return is_text(id) ? 0 : scols_column_set_json_type(cl, SCOLS_JSON_NUMBER);
}

int columns_print(const struct device *devices, size_t nr,
		  const struct column_list *list, const struct table_options *options)
{
	struct libscols_table *table = scols_new_table();
	int ret = table ? 0 : -1;
	size_t i;

	if (table) {
		scols_table_set_name(table, "mtetagram");
		scols_table_enable_json(table, options->json);
		scols_table_enable_raw(table, options->raw);
		scols_table_enable_noheadings(table, options->noheadings);
	}
	for (i = 0; !ret && i < list->nr; i++)
		ret = add_column(table, list->ids[i]);
	for (i = 0; !ret && i < nr; i++)
		ret = add_device(table, &devices[i], list, options);
	if (!ret)
		ret = scols_print_table(table);
	scols_unref_table(table);
	if (ret) {
		report_err(NULL, "cannot make the table; out of memory?");
		return EXIT_ERROR;
	}
	return EXIT_OK;
}
