// SPDX-License-Identifier: GPL-2.0
/*
 * mtetagramctl setup: give a device a size and make it ready for use, also as swap.
 *
 * The tool checks all arguments before it writes anything. If a step fails, or the user
 * interrupts the tool, it resets the device: no device is left half set up.
 */

#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <string.h>

#include "commands.h"
#include "device.h"
#include "exit.h"
#include "interrupt.h"
#include "message.h"
#include "no_device.h"
#include "option.h"
#include "snapshot.h"
#include "swap.h"

/*
 * lz4 compresses ordinary heaps about three to one, so that the carve-out is full when the
 * device is full.
 */
#define DEFAULT_PERCENT		300

/* Disks get negative priorities. zram-generator uses the same default. */
#define DEFAULT_PRIORITY	"100"
#define MAX_PRIORITY		32767

struct plan {
	struct size_arg size;
	struct size_arg mem_limit;
	const char *size_text;
	const char *mem_limit_text;
	const char *algorithm;
	const char *priority;
	bool swap;

	/* In bytes, when the size of the carve-out is known. */
	uint64_t size_bytes;
	uint64_t mem_limit_bytes;
};

static void print_help(void)
{
	puts("Usage: mtetagramctl setup [OPTION]... [DEVICE]\n\n"
	     "Give a device a size and make it ready for use. Without DEVICE the first one\n"
	     "that is not set up is taken.\n\n"
	     "  -s, --size SIZE       size of the device (default: 300%)\n"
	     "  -a, --algorithm ALG   compression algorithm (default: the driver's)\n"
	     "  -m, --mem-limit SIZE  memory that its data may take (default: no limit)\n"
	     "      --swap            put a swap header on it and use it as swap\n"
	     "  -p, --priority N      swap priority, 0 to 32767 (default: "
							DEFAULT_PRIORITY ")\n"
	     "  -h, --help            print this and exit\n\n"
	     "SIZE is in bytes, with a suffix K, M, G or T, or a percentage of the carve-out\n"
	     "as in 300%.");
}

static int check_plan(struct plan *plan)
{
	uint64_t priority;
	int ret = EXIT_OK;

	plan->size = (struct size_arg){ .number = DEFAULT_PERCENT, .percent = true };
	if (plan->size_text)
		ret = option_size_not_zero("--size", plan->size_text, &plan->size);
	if (!ret && plan->mem_limit_text)
		ret = option_size_not_zero("--mem-limit", plan->mem_limit_text, &plan->mem_limit);
	if (ret || !plan->priority)
		return ret;
	if (!plan->swap)
		return usage_error("--priority goes only with --swap");
	if (number_parse(plan->priority, &priority) || priority > MAX_PRIORITY)
		return usage_error("--priority %s: not a number from 0 to %d",
				   plan->priority, MAX_PRIORITY);
	return EXIT_OK;
}

/* Opens the first device that is not set up. */
static int open_unused(struct device *dev)
{
	char **names = devices_list(), **name;
	int ret = names[0] ? EXIT_BUSY : report_no_device();

	for (name = names; *name && ret == EXIT_BUSY; name++) {
		uint64_t initstate;

		ret = device_open(dev, *name);
		if (ret)
			continue;
		ret = device_read_number(dev, V_INITSTATE, &initstate);
		if (!ret && initstate)
			ret = EXIT_BUSY;
		if (ret)
			device_close(dev);
	}
	if (ret == EXIT_BUSY)
		report_err(NULL, "all devices are set up already; see mtetagramctl status, and reset one that is not in use");
	devices_free(names);
	return ret;
}

static bool has_algorithm(const struct device *dev, const char *name)
{
	size_t len = strlen(name);
	const char *p = dev->algorithms;

	while (len && !strchr(name, ' ') && (p = strstr(p, name))) {
		if ((p == dev->algorithms || p[-1] == ' ') && (!p[len] || p[len] == ' '))
			return true;
		p += len;
	}
	return false;
}

/* Is the device unused, and does the plan make sense for it? */
static int check_device(struct device *dev, struct plan *plan)
{
	char size[SIZE_TEXT_MAX];
	int ret = snapshot_read(dev);

	if (ret)
		return ret;
	if (!dev->v[V_INITSTATE].known) {
		report_err(dev->path, "cannot tell whether it is set up; is the driver of another version?");
		return EXIT_ERROR;
	}
	if (dev->v[V_INITSTATE].number) {
		report_err(dev->path, "it is set up already, with %s; to set it up anew, first: mtetagramctl reset %s",
			   dev->v[V_DISKSIZE].known ?
			   size_format(size, dev->v[V_DISKSIZE].number, false) :
			   "unknown size", dev->path);
		return EXIT_BUSY;
	}
	if (plan->algorithm && !dev->algorithms[0]) {
		report_err(dev->path, "the driver does not say which algorithms it has; leave out --algorithm");
		return EXIT_ERROR;
	}
	if (plan->algorithm && !has_algorithm(dev, plan->algorithm))
		return usage_error("--algorithm %s: the driver has only: %s",
				   plan->algorithm, dev->algorithms);
	return device_size_of(dev, &plan->size, &plan->size_bytes) ?:
	       device_size_of(dev, &plan->mem_limit, &plan->mem_limit_bytes);
}

/* Writes one setting, and notes that in @changed. Reports errors. */
static int put(struct device *dev, const char *attr, const char *value, bool *changed)
{
	int ret;

	if (interrupted()) {
		report_err(dev->path, "interrupted");
		return EXIT_ERROR;
	}
	ret = device_write(dev, attr, value);
	if (ret == -EBUSY) {
		report_err(dev->path, "another process has just set it up; see mtetagramctl status");
		return EXIT_BUSY;
	}
	if (ret == -EINVAL && !strcmp(attr, "disksize")) {
		report_err(dev->path, "the driver does not accept a size of %s bytes; choose less",
			   value);
		return EXIT_ERROR;
	}
	if (ret)
		return device_write_failed(dev, attr, value, ret);
	*changed = true;
	return EXIT_OK;
}

static int put_size(struct device *dev, const char *attr, uint64_t bytes, bool *changed)
{
	char text[SIZE_TEXT_MAX];

	return put(dev, attr, size_format(text, bytes, true), changed);
}

static int configure(struct device *dev, const struct plan *plan, bool *changed)
{
	int ret = EXIT_OK;

	if (plan->algorithm)
		ret = put(dev, "comp_algorithm", plan->algorithm, changed);
	if (!ret && plan->mem_limit_bytes)
		ret = put_size(dev, "mem_limit", plan->mem_limit_bytes, changed);
	/* The size comes last, because it makes the device usable. */
	return ret ?: put_size(dev, "disksize", plan->size_bytes, changed);
}

static int use_as_swap(struct device *dev, const struct plan *plan)
{
	int ret = swap_format(dev);

	if (!ret && interrupted()) {
		report_err(dev->path, "interrupted");
		return EXIT_ERROR;
	}
	return ret ?: swap_on(dev, plan->priority ?: DEFAULT_PRIORITY);
}

static void undo(struct device *dev)
{
	int ret = device_reset(dev);

	if (!ret)
		report_err(dev->path, "reset, as it could not be set up");
	else
		report_err(dev->path, "could not be set up, and could not be reset: %s; when it is not in use: mtetagramctl reset %s",
			   strerror(-ret), dev->path);
}

static int setup(struct device *dev, struct plan *plan)
{
	char size[SIZE_TEXT_MAX];
	bool changed = false;
	int ret = check_device(dev, plan);
	uint64_t disksize;

	if (ret)
		return ret;
	interrupt_catch();
	ret = configure(dev, plan, &changed);
	/* Another process has set the device up, or the device has gone. */
	if (ret == EXIT_BUSY || ret == EXIT_NO_DEVICE)
		return ret;
	if (!ret && plan->swap)
		ret = use_as_swap(dev, plan);
	if (ret && changed)
		undo(dev);
	if (ret)
		return ret;
	ret = device_read_number(dev, V_DISKSIZE, &disksize);
	if (ret)
		return ret;
	printf("%s: %s, %s%s%s\n", dev->path, size_format(size, disksize, false),
	       plan->algorithm ?: *dev->algorithm ? dev->algorithm : "-",
	       plan->swap ? ", swap with priority " : "",
	       plan->swap ? plan->priority ?: DEFAULT_PRIORITY : "");
	return EXIT_OK;
}

static int parse(int argc, char **argv, struct plan *plan, bool *help)
{
	enum { OPTION_SWAP = 256 };
	static const struct option long_options[] = {
		{ "algorithm", required_argument, NULL, 'a' },
		{ "help", no_argument, NULL, 'h' },
		{ "mem-limit", required_argument, NULL, 'm' },
		{ "priority", required_argument, NULL, 'p' },
		{ "size", required_argument, NULL, 's' },
		{ "swap", no_argument, NULL, OPTION_SWAP },
		{ }
	};
	int c;

	opterr = 0;
	while ((c = getopt_long(argc, argv, ":a:hm:p:s:", long_options, NULL)) != -1) {
		switch (c) {
		case 'a':
			plan->algorithm = optarg;
			break;
		case 'h':
			*help = true;
			return EXIT_OK;
		case 'm':
			plan->mem_limit_text = optarg;
			break;
		case 'p':
			plan->priority = optarg;
			break;
		case 's':
			plan->size_text = optarg;
			break;
		case OPTION_SWAP:
			plan->swap = true;
			break;
		default:
			return option_error(c, argv);
		}
	}
	if (argc - optind > 1)
		return usage_error("one device at a time");
	return check_plan(plan);
}

int cmd_setup(int argc, char **argv)
{
	struct plan plan = { };
	struct device dev;
	bool help = false;
	int ret;

	ret = parse(argc, argv, &plan, &help);
	if (help)
		print_help();
	if (ret || help)
		return ret;
	ret = argv[optind] ? device_open(&dev, argv[optind]) : open_unused(&dev);
	if (ret)
		return ret;
	ret = setup(&dev, &plan);
	device_close(&dev);
	return ret;
}
