// SPDX-License-Identifier: GPL-2.0
/*
 * mtetagramctl watch: what changes, with rates, until the user interrupts it.
 *
 * On a terminal the screen is drawn again each time. Elsewhere each device gets a line,
 * or an object in JSON, for each interval; a file then holds no control characters.
 */

#include <ctype.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "alloc.h"
#include "commands.h"
#include "device.h"
#include "exit.h"
#include "heading.h"
#include "inject.h"
#include "interrupt.h"
#include "message.h"
#include "option.h"
#include "snapshot.h"
#include "util.h"
#include "warn.h"

#define DEFAULT_INTERVAL	2000		/* milliseconds */
#define MIN_INTERVAL		10
#define MAX_INTERVAL		86400000

struct options {
	bool bytes;
	bool json;
	unsigned int interval;	/* in milliseconds */
	uint64_t count;		/* 0: without end */
};

struct watched {
	struct device dev;
	struct value before[NR_VALUES];
};

struct watch {
	const struct options *options;
	struct watched *devices;
	size_t nr;
	uint64_t elapsed;	/* since the last time, in milliseconds */
	uint64_t total;		/* since the beginning */
	bool screen;
	bool bad;		/* something read made no sense */
};

static void print_help(void)
{
	puts("Usage: mtetagramctl watch [OPTION]... [DEVICE]...\n\n"
	     "Show what changes, with rates, until interrupted; of all devices by default.\n"
	     "On a terminal the screen is drawn again each time, elsewhere a line is added.\n\n"
	     "  -i, --interval SECONDS  time between two looks, as 0.5 (default: 2)\n"
	     "  -c, --count N           end after N times\n"
	     "  -b, --bytes             print sizes in bytes\n"
	     "  -J, --json              print a JSON object for each device and time\n"
	     "  -h, --help              print this and exit");
}

static double signed_number(const struct value *value)
{
	return value->negative ? -(double)value->number : (double)value->number;
}

/*
 * The change of a value in a second; false if it is unknown. A counter that is less than
 * before has begun anew, because the device was reset.
 */
static bool rate(const struct watch *watch, const struct watched *watched,
		 enum value_id id, double *per_second)
{
	const struct value *now = &watched->dev.v[id];
	const struct value *before = &watched->before[id];

	if (!now->known || !before->known || !watch->elapsed)
		return false;
	if (value_is_counter(id) && now->number < before->number)
		return false;
	*per_second = (signed_number(now) - signed_number(before)) * 1000 /
		      (double)watch->elapsed;
	return true;
}

static const char *now_text(const struct watch *watch, const struct watched *watched,
			    enum value_id id, char buf[SIZE_TEXT_MAX])
{
	return value_text(watched->dev.v, id, watch->options->bytes, buf);
}

static const char *rate_text(const struct watch *watch, const struct watched *watched,
			     enum value_id id, char buf[SIZE_TEXT_MAX])
{
	bool exact = watch->options->bytes || !value_is_size(id);
	char number[SIZE_TEXT_MAX];
	double per_second, size;

	if (!rate(watch, watched, id, &per_second))
		return "-";
	size = per_second < 0 ? -per_second : per_second;
	if (!value_is_size(id) && size < 100)
		snprintf(number, sizeof(number), "%.1f", size);
	else
		size_format(number, size < 1e19 ? size + 0.5 : UINT64_MAX, exact);
	snprintf(buf, SIZE_TEXT_MAX, "%s%.30s", per_second < 0 ? "-" :
		 !value_is_counter(id) && per_second > 0 ? "+" : "", number);
	return buf;
}

/* Each line ends with "clear the rest of the line", so that the screen does not flicker. */
static void print_screen(const struct watch *watch)
{
	char a[SIZE_TEXT_MAX], b[SIZE_TEXT_MAX], names[WARN_TEXT_MAX];
	enum value_id id;
	size_t i;

	fputs("\033[H", stdout);
	for (i = 0; i < watch->nr; i++) {
		const struct watched *watched = &watch->devices[i];

		fputs("\033[K", stdout);
		heading_print(&watched->dev);
		printf("  %-16s%14s%16s\033[K\n", "", "now", "per second");
		for (id = 0; id < NR_VALUES; id++)
			if (values[id].watch)
				printf("  %-16s%14s%16s\033[K\n", values[id].line,
				       now_text(watch, watched, id, a),
				       rate_text(watch, watched, id, b));
		printf("  warnings: %s\033[K\n",
		       warn_names(&watched->dev, names, sizeof(names)) ?: "none");
	}
	printf("every %g s, for %g s; end with Ctrl-C\033[K\n\033[J",
	       watch->options->interval / 1000.0, (double)watch->total / 1000);
}

/* The short name of a failure; NULL if the value counts no failures. */
static const char *failure_name(enum value_id id)
{
	if (id == V_FAILED_READS)
		return "reads";
	if (id == V_LOST)
		return "lost";
	return values[id].label && !strcmp(values[id].label, "cause") ?
	       values[id].label_value : NULL;
}

/* "no_space:2.0,compress:0.5"; "-" if nothing failed. */
static void print_failures(const struct watch *watch, const struct watched *watched)
{
	const char *separator = "";
	double per_second;
	enum value_id id;

	for (id = 0; id < NR_VALUES; id++) {
		if (!failure_name(id) || !rate(watch, watched, id, &per_second) ||
		    !per_second)
			continue;
		printf("%s%s:%.1f", separator, failure_name(id), per_second);
		separator = ",";
	}
	puts(*separator ? "" : "-");
}

/* The values in a line, if standard output is no terminal. */
static const struct line_column {
	const char *heading;
	enum value_id id;
	bool rate;
} line_columns[] = {
	{ "SWAP", V_SWAP_USED, false },
	{ "DATA", V_DATA, false },
	{ "USED", V_USED, false },
	{ "SPILLED", V_SPILLED, false },
	{ "FREE", V_BLOCKS_FREE, false },
	{ "TAGS", V_BLOCKS_TAGGED, false },
	{ "OUT/s", V_WRITTEN, true },
	{ "IN/s", V_READ, true },
	{ "RESERV/s", V_RESERVED, true },
	{ "RELOC/s", V_RELOCATED, true },
};

static int column_width(const struct watch *watch)
{
	return watch->options->bytes ? 12 : 8;
}

static void print_heading(const struct watch *watch)
{
	size_t i;

	printf("%-9s %-12s", "SECONDS", "NAME");
	for (i = 0; i < ARRAY_SIZE(line_columns); i++)
		printf(" %*s", column_width(watch), line_columns[i].heading);
	puts("  FAILED/s");
}

static void print_line(const struct watch *watch, const struct watched *watched)
{
	char buf[SIZE_TEXT_MAX];
	size_t i;

	printf("%-9.6g %-12s", (double)watch->total / 1000, watched->dev.name);
	for (i = 0; i < ARRAY_SIZE(line_columns); i++) {
		const struct line_column *column = &line_columns[i];

		printf(" %*s", column_width(watch), column->rate ?
		       rate_text(watch, watched, column->id, buf) :
		       now_text(watch, watched, column->id, buf));
	}
	fputs("  ", stdout);
	print_failures(watch, watched);
}

/* "\"swap-used\": 13111296, \"swap-used/s\": 0.000": the names are those of the columns. */
static void print_json_value(const struct watch *watch, const struct watched *watched,
			     enum value_id id)
{
	char name[32], buf[SIZE_TEXT_MAX];
	double per_second;
	size_t i;

	for (i = 0; values[id].column[i] && i < sizeof(name) - 1; i++)
		name[i] = tolower((unsigned char)values[id].column[i]);
	name[i] = '\0';
	printf(", \"%s\": %s", name, watched->dev.v[id].known ?
	       value_text(watched->dev.v, id, true, buf) : "null");
	if (rate(watch, watched, id, &per_second))
		printf(", \"%s/s\": %.3f", name, per_second);
	else
		printf(", \"%s/s\": null", name);
}

static void print_json(const struct watch *watch, const struct watched *watched)
{
	char buf[WARN_TEXT_MAX];
	enum value_id id;

	printf("{\"seconds\": %.3f, \"name\": \"%s\"", (double)watch->total / 1000,
	       watched->dev.name);
	for (id = 0; id < NR_VALUES; id++)
		if (values[id].watch)
			print_json_value(watch, watched, id);
	if (warn_names(&watched->dev, buf, sizeof(buf)))
		printf(", \"warnings\": \"%s\"}\n", buf);
	else
		puts(", \"warnings\": null}");
}

static void print(const struct watch *watch)
{
	size_t i;

	if (watch->screen)
		print_screen(watch);
	for (i = 0; i < watch->nr && !watch->screen; i++) {
		if (watch->options->json)
			print_json(watch, &watch->devices[i]);
		else
			print_line(watch, &watch->devices[i]);
	}
	/* A program that reads a pipe wants the line now. */
	fflush(stdout);
}

static uint64_t now(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (uint64_t)ts.tv_sec * 1000 + (uint64_t)ts.tv_nsec / 1000000;
}

/* Waits. Returns the time since @last and sets @last to now, in milliseconds. */
static uint64_t wait_interval(unsigned int milliseconds, uint64_t *last)
{
	const struct timespec interval = {
		.tv_sec = milliseconds / 1000,
		.tv_nsec = milliseconds % 1000 * 1000000L,
	};
	uint64_t before = *last;

	if (inject_sleep(milliseconds))
		return milliseconds;
	nanosleep(&interval, NULL);
	/* The time for reading and printing counts, too. */
	*last = now();
	return *last - before;
}

static int read_again(struct watch *watch)
{
	int ret = EXIT_OK;
	size_t i;

	for (i = 0; i < watch->nr && !ret; i++) {
		struct watched *watched = &watch->devices[i];

		memcpy(watched->before, watched->dev.v, sizeof(watched->before));
		device_forget(&watched->dev);
		ret = snapshot_read(&watched->dev);
		watch->bad |= watched->dev.bad;
	}
	return ret;
}

static int loop(struct watch *watch)
{
	const struct options *options = watch->options;
	uint64_t i, last = now();
	int ret = EXIT_OK;

	if (!watch->screen && !options->json)
		print_heading(watch);
	fflush(stdout);
	for (i = 0; !ret && (!options->count || i < options->count); i++) {
		watch->elapsed = wait_interval(options->interval, &last);
		if (interrupted())
			break;
		watch->total += watch->elapsed;
		ret = read_again(watch);
		if (!ret)
			print(watch);
		/* The reader of the output has gone. */
		if (ferror(stdout))
			break;
	}
	return ret;
}

static int run(struct watch *watch)
{
	int ret = read_again(watch);

	if (ret)
		return ret;
	interrupt_catch();
	/* Clear the screen, hide the cursor. */
	if (watch->screen)
		fputs("\033[H\033[2J\033[?25l", stdout);
	ret = loop(watch);
	if (watch->screen)
		fputs("\033[?25h", stdout);
	return ret ?: watch->bad ? EXIT_ERROR : EXIT_OK;
}

static int watch_devices(size_t nr, char **names, const void *options)
{
	struct watch watch = { .options = options };
	int ret = EXIT_OK;
	size_t i;

	watch.screen = !watch.options->json && isatty(STDOUT_FILENO);
	watch.devices = xcalloc(nr, sizeof(*watch.devices));
	for (i = 0; i < nr && !ret; i++) {
		ret = device_open(&watch.devices[i].dev, names[i]);
		watch.nr += !ret;
	}
	if (!ret)
		ret = run(&watch);
	for (i = 0; i < watch.nr; i++)
		device_close(&watch.devices[i].dev);
	free(watch.devices);
	return ret;
}

/* Parses "2" or "0.5" seconds into milliseconds. */
static int parse_interval(const char *text, unsigned int *interval)
{
	char digits[8] = "", fraction[4] = "";
	uint64_t seconds, milliseconds;
	int end = 0;

	if (sscanf(text, "%7[0-9]%n.%3[0-9]%n", digits, &end, fraction, &end) < 1)
		end = 0;
	/* Three digits after the point are milliseconds. */
	while (*fraction && strlen(fraction) < 3)
		strcat(fraction, "0");
	if (text[end] || number_parse(digits, &seconds) ||
	    (*fraction && number_parse(fraction, &milliseconds)))
		return usage_error("--interval %s: not a number of seconds, as 2 or 0.5", text);
	if (*fraction)
		milliseconds += seconds * 1000;
	else
		milliseconds = seconds * 1000;
	if (milliseconds < MIN_INTERVAL || milliseconds > MAX_INTERVAL)
		return usage_error("--interval %s: not from 0.01 to %d seconds", text,
				   MAX_INTERVAL / 1000);
	*interval = milliseconds;
	return EXIT_OK;
}

static int parse_count(const char *text, uint64_t *count)
{
	if (number_parse(text, count) || !*count)
		return usage_error("--count %s: not a number from 1", text);
	return EXIT_OK;
}

int cmd_watch(int argc, char **argv)
{
	static const struct option long_options[] = {
		{ "bytes", no_argument, NULL, 'b' },
		{ "count", required_argument, NULL, 'c' },
		{ "help", no_argument, NULL, 'h' },
		{ "interval", required_argument, NULL, 'i' },
		{ "json", no_argument, NULL, 'J' },
		{ }
	};
	struct options options = { .interval = DEFAULT_INTERVAL };
	int c, ret = EXIT_OK;

	opterr = 0;
	while (!ret && (c = getopt_long(argc, argv, ":bc:hi:J", long_options, NULL)) != -1) {
		switch (c) {
		case 'b':
			options.bytes = true;
			break;
		case 'c':
			ret = parse_count(optarg, &options.count);
			break;
		case 'h':
			print_help();
			return EXIT_OK;
		case 'i':
			ret = parse_interval(optarg, &options.interval);
			break;
		case 'J':
			options.json = true;
			break;
		default:
			ret = option_error(c, argv);
		}
	}
	if (ret)
		return ret;
	return devices_each(argc - optind, argv + optind, watch_devices, &options);
}
