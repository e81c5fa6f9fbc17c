/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Everything that the tool knows about a device as a number or a word. The table in
 * values.def says of each value which file holds it and where the tool shows it.
 */
#ifndef _VALUES_H
#define _VALUES_H

#include <stdbool.h>
#include <stdint.h>

#include "size.h"

/**
 * struct value - a number that can be unknown
 * @number: its amount
 * @known: false if the kernel did not tell it, or told nonsense
 * @negative: the number is below zero
 */
struct value {
	uint64_t number;
	bool known;
	bool negative;
};

enum value_id {
#define VALUE(id, ...)	V_##id,
#include "values.def"
#undef VALUE
	NR_VALUES
};

enum value_kind {
	KIND_NUMBER,	/* goes up and down */
	KIND_EVENTS,	/* a number that only grows, until the device is reset */
	KIND_SIZE,	/* bytes; goes up and down */
	KIND_TRAFFIC,	/* bytes; only grows, until the device is reset */
	KIND_RATIO,	/* in hundredths */
	KIND_TEXT,	/* not in struct value; see columns.c */
};

/* When "status" has a line for the value. */
enum value_shown {
	SHOWN_NEVER,
	SHOWN_ALWAYS,
	SHOWN_SET_UP,	/* if the device has a size */
	SHOWN_SWAP,	/* if the device is in use as swap */
	SHOWN_NOT_ZERO,	/* if the value is not 0 */
};

/**
 * struct value_info - what the tool knows about a value
 * @name: the name in enum value_id, without "V_"
 * @file: the file below /sys/block/DEVICE that holds the value, or NULL
 * @word: which word of @file, from 1; 0 if @file holds this value alone
 * @unit: the bytes that one in @file stands for; 0 means 1
 * @zero: the text in @file that stands for 0, or NULL if @file holds a number
 * @one: the text in @file that stands for 1
 * @derive: computes the value from others, which must be known; false if it cannot
 * @kind: what the value counts
 * @column: column of "status --output"; in small letters the name in JSON; or NULL
 * @by_default: "status --output" shows the column without being asked
 * @metric: name in "stats", without the prefix; or NULL
 * @label: label of the metric, or NULL; metrics of one name follow each other
 * @label_value: value of @label
 * @line: label of the line in "status" and "watch", with its indentation
 * @status: when "status" has this line
 * @watch: "watch" has this line, and @column in JSON
 * @help: the meaning, in every help text and in the line of "status"
 */
struct value_info {
	const char *name;
	const char *file;
	unsigned int word;
	unsigned int unit;
	const char *zero;
	const char *one;
	bool (*derive)(const struct value *v, struct value *to);
	enum value_kind kind;
	const char *column;
	bool by_default;
	const char *metric;
	const char *label;
	const char *label_value;
	const char *line;
	enum value_shown status;
	bool watch;
	const char *help;
};

extern const struct value_info values[NR_VALUES];

/**
 * values_derive() - fill in the values that follow from others
 * @v: all values of a device
 */
void values_derive(struct value v[NR_VALUES]);

/**
 * value_is_size() - does the value count bytes?
 * @id: the value
 *
 * Return: true if it does.
 */
bool value_is_size(enum value_id id);

/**
 * value_is_counter() - does the value only grow?
 * @id: the value
 *
 * Return: true if it only grows, until the device is reset.
 */
bool value_is_counter(enum value_id id);

/**
 * value_is_zero() - is the value known to be 0?
 * @value: the value
 *
 * Return: true if it is.
 */
bool value_is_zero(const struct value *value);

/**
 * value_text() - format a value
 * @v: all values of a device
 * @id: the value
 * @exact: write sizes in bytes
 * @buf: room for the text
 *
 * Return: the text; "-" if the value is unknown.
 */
const char *value_text(const struct value *v, enum value_id id, bool exact,
		       char buf[SIZE_TEXT_MAX]);

#endif
