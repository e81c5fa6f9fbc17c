// SPDX-License-Identifier: GPL-2.0
/*
 * mtetagramctl resize: set the share of a device, or make the device larger. Both work
 * while the device is in use.
 */

#include <getopt.h>
#include <stdio.h>

#include "commands.h"
#include "device.h"
#include "exit.h"
#include "grow.h"
#include "message.h"
#include "option.h"
#include "share.h"

struct options {
	bool exact;
	bool progress;
	bool force;
	bool swap;
	const char *size;
};

static void print_help(void)
{
	puts("Usage: mtetagramctl resize [OPTION]... [DEVICE] SHARE\n"
	     "       mtetagramctl resize --size SIZE [OPTION]... [DEVICE]\n\n"
	     "Set the share of the carve-out that the device may use. If the stored data does\n"
	     "not fit, the command fails and the share stays as it was.\n"
	     "With --size, make the device itself larger.\n"
	     "Both work while the device is in use.\n"
	     "DEVICE may be left out if there is only one.\n\n"
	     "  -s, --size SIZE  the new size of the device, not below its size now\n"
	     "      --swap       swapoff, mkswap and swapon, so that swap uses the new size\n"
	     "  -f, --force      do not check first that there is memory for the swap\n"
	     "  -b, --bytes      print sizes in bytes\n"
	     "      --progress   print progress even if standard error is no terminal\n"
	     "  -h, --help       print this and exit\n\n"
	     "SHARE and SIZE are in bytes, with a suffix K, M, G or T, or a percentage of the\n"
	     "carve-out as in 50%. SHARE is rounded down to whole tag blocks, SIZE up to\n"
	     "pages.");
}

static int resize_share(const char *text, const char *name, const struct options *options)
{
	struct size_arg size;
	struct device dev;
	int ret = share_parse(text, &size);

	if (!ret)
		ret = device_open(&dev, name);
	if (ret)
		return ret;
	ret = share_set(&dev, &size, options->exact, options->progress);
	device_close(&dev);
	return ret;
}

static int resize_device(const char *name, const struct options *options)
{
	struct grow plan = {
		.renew_swap = options->swap,
		.move = {
			.force = options->force, .exact = options->exact,
			.progress = { .forced = options->progress },
		},
	};
	struct device dev;
	int ret = option_size_not_zero("--size", options->size, &plan.size);

	if (!ret)
		ret = device_open(&dev, name);
	if (ret)
		return ret;
	ret = grow(&dev, &plan);
	device_close(&dev);
	return ret;
}

static int parse(int argc, char **argv, struct options *options, bool *help)
{
	enum { OPTION_PROGRESS = 256, OPTION_SWAP };
	static const struct option long_options[] = {
		{ "bytes", no_argument, NULL, 'b' },
		{ "force", no_argument, NULL, 'f' },
		{ "help", no_argument, NULL, 'h' },
		{ "progress", no_argument, NULL, OPTION_PROGRESS },
		{ "size", required_argument, NULL, 's' },
		{ "swap", no_argument, NULL, OPTION_SWAP },
		{ }
	};
	int c;

	opterr = 0;
	while ((c = getopt_long(argc, argv, ":bfhs:", long_options, NULL)) != -1) {
		switch (c) {
		case 'b':
			options->exact = true;
			break;
		case 'f':
			options->force = true;
			break;
		case 'h':
			*help = true;
			return EXIT_OK;
		case 's':
			options->size = optarg;
			break;
		case OPTION_PROGRESS:
			options->progress = true;
			break;
		case OPTION_SWAP:
			options->swap = true;
			break;
		default:
			return option_error(c, argv);
		}
	}
	if (options->swap && !options->size)
		return usage_error("--swap goes only with --size");
	if (options->force && !options->swap)
		return usage_error("--force goes only with --swap");
	return EXIT_OK;
}

int cmd_resize(int argc, char **argv)
{
	struct options options = { };
	bool help = false;
	int ret = parse(argc, argv, &options, &help), nr = argc - optind;

	if (help)
		print_help();
	if (ret || help)
		return ret;
	if (options.size)
		return nr > 1 ? usage_error("with --size only a device is expected") :
				resize_device(argv[optind], &options);
	if (!nr)
		return usage_error("a share is needed");
	if (nr > 2)
		return usage_error("only a device and a share are expected");
	return resize_share(argv[argc - 1], nr == 2 ? argv[optind] : NULL, &options);
}
