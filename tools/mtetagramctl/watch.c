// SPDX-License-Identifier: GPL-2.0
/*
 * mtetagramctl watch: what changes, with rates, until interrupted.
 *
 * On a terminal the screen is drawn again and again. Elsewhere it is a line for each
 * device and interval, or an object in JSON, and nothing that a file should not hold.
 */

#include <errno.h>
#include <getopt.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "device.h"
#include "fault.h"
#include "mtetagramctl.h"
#include "progress.h"
#include "size.h"
#include "status.h"
#include "warn.h"

#define DEFAULT_INTERVAL	2000		/* milliseconds */
#define MIN_INTERVAL		10
#define MAX_INTERVAL		86400000

enum kind {
	SIZE,		/* bytes that go up and down */
	NUMBER,		/* the same for other things */
	BYTES,		/* bytes that are counted */
	EVENTS,
};

static const struct row {
	const char *label;
	const char *name;	/* in JSON */
	enum kind kind;
	enum value_id id;
} rows[] = {
	{ "swap used", "swap-used", SIZE, V_SWAP_USED },
	{ "data", "data", SIZE, V_DATA },
	{ "  compressed", "compr", SIZE, V_COMPR },
	{ "carve-out", "used", SIZE, V_CARVEOUT_USED },
	{ "spilled", "spilled", SIZE, V_SPILLED },
	{ "blocks free", "free", NUMBER, V_BLOCKS_FREE },
	{ "  with data", "data-blocks", NUMBER, V_BLOCKS_USED },
	{ "  with tags", "tag-blocks", NUMBER, V_BLOCKS_TAGGED },
	{ "written", "written", BYTES, V_WRITTEN },
	{ "read", "read", BYTES, V_READ },
	{ "freed", "freed", EVENTS, V_FREED_SLOTS },
	{ "pages reserved", "reserved", EVENTS, V_RESERVED },
	{ "  released", "released", EVENTS, V_RELEASED },
	{ "  evicted", "evicted", EVENTS, V_EVICTED },
	{ "objects relocated", "relocated", EVENTS, V_RELOCATED },
	{ "  spilled", "spilled-objects", EVENTS, V_SPILLED_OBJECTS },
	{ "  lost", "lost", EVENTS, V_LOST },
	{ "failed reads", "failed-reads", EVENTS, V_FAILED_READS },
	{ "failed writes", "failed-writes", EVENTS, V_FAILED_WRITES },
	{ "  no room", "fail-space", EVENTS, V_FAIL_NO_SPACE },
	{ "  memory limit", "fail-limit", EVENTS, V_FAIL_MEM_LIMIT },
	{ "  no memory", "fail-memory", EVENTS, V_FAIL_NO_MEMORY },
	{ "  compression", "fail-compress", EVENTS, V_FAIL_COMPRESS },
	{ "  stopped", "fail-stopped", EVENTS, V_FAIL_STOPPED },
};

struct options {
	bool bytes;
	bool json;
	unsigned int interval;	/* milliseconds */
	uint64_t count;		/* 0: no end */
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

/* The change in a second. Counters begin anew when the device is reset. */
static bool rate(const struct watch *watch, const struct watched *watched,
		 const struct row *row, double *per_second)
{
	const struct value *now = &watched->dev.v[row->id];
	const struct value *before = &watched->before[row->id];
	bool counter = row->kind == BYTES || row->kind == EVENTS;

	if (!now->known || !before->known || !watch->elapsed)
		return false;
	if (counter && now->number < before->number)
		return false;
	*per_second = ((double)now->number - (double)before->number) * 1000 /
		      (double)watch->elapsed;
	return true;
}

static bool is_size(const struct row *row)
{
	return row->kind == SIZE || row->kind == BYTES;
}

static const char *value_text(const struct watch *watch, const struct watched *watched,
			      const struct row *row, char buf[SIZE_TEXT_MAX])
{
	const struct value *value = &watched->dev.v[row->id];

	if (!value->known)
		return "-";
	return size_format(buf, value->number, watch->options->bytes || !is_size(row));
}

static const char *rate_text(const struct watch *watch, const struct watched *watched,
			     const struct row *row, char buf[SIZE_TEXT_MAX])
{
	bool sign = row->kind == SIZE || row->kind == NUMBER;
	char number[SIZE_TEXT_MAX];
	double per_second, size;

	if (!rate(watch, watched, row, &per_second))
		return "-";
	size = per_second < 0 ? -per_second : per_second;
	if (!is_size(row) && size < 100)
		snprintf(number, sizeof(number), "%.1f", size);
	else
		size_format(number, size < 1e19 ? size + 0.5 : UINT64_MAX,
			    watch->options->bytes || !is_size(row));
	snprintf(buf, SIZE_TEXT_MAX, "%s%.30s",
		 per_second < 0 ? "-" : sign && per_second > 0 ? "+" : "", number);
	return buf;
}

/* Each line ends with "clear to the end of the line", so that nothing flickers. */
static void print_screen(const struct watch *watch)
{
	char a[SIZE_TEXT_MAX], b[SIZE_TEXT_MAX], names[64];
	size_t i, j;

	fputs("\033[H", stdout);
	for (j = 0; j < watch->nr; j++) {
		const struct watched *watched = &watch->devices[j];

		fputs("\033[K", stdout);
		status_heading(&watched->dev);
		printf("  %-16s%14s%16s\033[K\n", "", "now", "per second");
		for (i = 0; i < ARRAY_SIZE(rows); i++)
			printf("  %-16s%14s%16s\033[K\n", rows[i].label,
			       value_text(watch, watched, &rows[i], a),
			       rate_text(watch, watched, &rows[i], b));
		printf("  warnings: %s\033[K\n",
		       warn_names(&watched->dev, names, sizeof(names)) ?: "none");
	}
	printf("every %g s, for %g s; end with Ctrl-C\033[K\n\033[J",
	       watch->options->interval / 1000.0, (double)watch->total / 1000);
}

static const struct row *row_of(enum value_id id)
{
	const struct row *row = rows;

	while (row->id != id)
		row++;
	return row;
}

/* "no_space:2.0,compress:0.5", or "-" if no write failed. */
static void print_failures(const struct watch *watch, const struct watched *watched)
{
	static const struct {
		const char *name;
		enum value_id id;
	} causes[] = {
		{ "no_space", V_FAIL_NO_SPACE },
		{ "mem_limit", V_FAIL_MEM_LIMIT },
		{ "no_memory", V_FAIL_NO_MEMORY },
		{ "compress", V_FAIL_COMPRESS },
		{ "stopped", V_FAIL_STOPPED },
		{ "reads", V_FAILED_READS },
		{ "lost", V_LOST },
	};
	const char *separator = "";
	double per_second;
	size_t i;

	for (i = 0; i < ARRAY_SIZE(causes); i++) {
		if (!rate(watch, watched, row_of(causes[i].id), &per_second) || !per_second)
			continue;
		printf("%s%s:%.1f", separator, causes[i].name, per_second);
		separator = ",";
	}
	puts(*separator ? "" : "-");
}

static void print_line(const struct watch *watch, const struct watched *watched)
{
	static const enum value_id values[] = {
		V_SWAP_USED, V_DATA, V_CARVEOUT_USED, V_SPILLED, V_BLOCKS_FREE,
		V_BLOCKS_TAGGED,
	};
	static const enum value_id rates[] = { V_WRITTEN, V_READ, V_RESERVED, V_RELOCATED };
	int width = watch->options->bytes ? 12 : 8;
	char buf[SIZE_TEXT_MAX];
	size_t i;

	printf("%-9.6g %-12s", (double)watch->total / 1000, watched->dev.name);
	for (i = 0; i < ARRAY_SIZE(values); i++)
		printf(" %*s", width, value_text(watch, watched, row_of(values[i]), buf));
	for (i = 0; i < ARRAY_SIZE(rates); i++)
		printf(" %*s", width, rate_text(watch, watched, row_of(rates[i]), buf));
	fputs("  ", stdout);
	print_failures(watch, watched);
}

static void print_heading(const struct watch *watch)
{
	static const char * const headings[] = {
		"SWAP", "DATA", "USED", "SPILLED", "FREE", "TAGS",
		"OUT/s", "IN/s", "TAGGED/s", "RELOCATED/s",
	};
	int width = watch->options->bytes ? 12 : 8;
	size_t i;

	printf("%-9s %-12s", "SECONDS", "NAME");
	for (i = 0; i < ARRAY_SIZE(headings); i++)
		printf(" %*s", width, headings[i]);
	puts("  FAILED/s");
}

static void print_json(const struct watch *watch, const struct watched *watched)
{
	double per_second;
	char buf[64];
	size_t i;

	printf("{\"seconds\": %.3f, \"name\": \"%s\"", (double)watch->total / 1000,
	       watched->dev.name);
	for (i = 0; i < ARRAY_SIZE(rows); i++) {
		const struct value *value = &watched->dev.v[rows[i].id];

		if (value->known)
			printf(", \"%s\": %" PRIu64, rows[i].name, value->number);
		else
			printf(", \"%s\": null", rows[i].name);
		if (rate(watch, watched, &rows[i], &per_second))
			printf(", \"%s/s\": %.3f", rows[i].name, per_second);
		else
			printf(", \"%s/s\": null", rows[i].name);
	}
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
	/* Whoever reads a pipe wants it now. */
	fflush(stdout);
}

static uint64_t now(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (uint64_t)ts.tv_sec * 1000 + (uint64_t)ts.tv_nsec / 1000000;
}

/* Returns the time since @last, and makes it now. Both in milliseconds. */
static uint64_t wait_interval(unsigned int milliseconds, uint64_t *last)
{
	const struct timespec interval = {
		.tv_sec = milliseconds / 1000,
		.tv_nsec = milliseconds % 1000 * 1000000L,
	};
	uint64_t before = *last;

	if (fault_sleep(milliseconds))
		return milliseconds;
	nanosleep(&interval, NULL);
	/* With what reading and printing took. */
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
		ret = device_read(&watched->dev);
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
		/* Nobody listens any more. */
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

static int watch_devices(char **names, size_t nr, const struct options *options)
{
	struct watch watch = {
		.options = options,
		.screen = !options->json && isatty(STDOUT_FILENO),
	};
	int ret = EXIT_OK;
	size_t i;

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

static int watch_all(const struct options *options)
{
	char **names = devices_list();
	size_t nr = 0;
	int ret;

	while (names[nr])
		nr++;
	ret = nr ? watch_devices(names, nr, options) : no_device();
	devices_free(names);
	return ret;
}

/* "2" or "0.5", in milliseconds. */
static int parse_interval(const char *text, unsigned int *interval)
{
	char digits[8] = "", fraction[4] = "";
	uint64_t seconds, milliseconds;
	int end = 0;

	if (sscanf(text, "%7[0-9]%n.%3[0-9]%n", digits, &end, fraction, &end) < 1)
		end = 0;
	/* What follows the point is filled up to three digits. */
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
	return optind < argc ? watch_devices(argv + optind, argc - optind, &options) :
			       watch_all(&options);
}
