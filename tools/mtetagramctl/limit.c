// SPDX-License-Identifier: GPL-2.0
/*
 * mtetagramctl limit: show or set what a device may use.
 *
 * The share is the part of the carve-out for the device; setting it moves data. The memory
 * limit is for new data only and moves nothing. "limit SHARE" does what "resize SHARE"
 * does.
 */

#include <getopt.h>
#include <stdio.h>

#include "commands.h"
#include "device.h"
#include "exit.h"
#include "message.h"
#include "option.h"
#include "share.h"
#include "snapshot.h"

struct options {
	bool bytes;
	bool progress;
	const char *mem_limit_text;
	struct size_arg mem_limit;
	const char *share_text;
	struct size_arg share;
};

static void print_help(void)
{
	puts("Usage: mtetagramctl limit [OPTION]... [DEVICE] [SHARE]\n\n"
	     "With SHARE, set the share as resize does. Without SHARE and --mem-limit, show\n"
	     "the share and the memory limit of the device, or of all devices.\n\n"
	     "  -b, --bytes           print sizes in bytes\n"
	     "  -m, --mem-limit SIZE  set the memory limit, for new data; 0 is none\n"
	     "      --progress        print progress even if standard error is no terminal\n"
	     "  -h, --help            print this and exit\n\n"
	     "SHARE and SIZE are in bytes, with a suffix K, M, G or T, or a percentage of the\n"
	     "carve-out as in 50%.");
}

static void print(const struct device *dev, bool exact)
{
	char a[SIZE_TEXT_MAX], b[SIZE_TEXT_MAX], c[SIZE_TEXT_MAX], d[SIZE_TEXT_MAX];
	const struct value *v = dev->v;

	printf("%s: share %s of %s, of which %s used; memory limit %s\n", dev->path,
	       value_text(v, V_SHARE, exact, a), value_text(v, V_CARVEOUT, exact, b),
	       value_text(v, V_USED, exact, c), value_is_zero(&v[V_MEM_LIMIT]) ? "none" :
	       value_text(v, V_MEM_LIMIT, exact, d));
}

static int show(size_t nr, char **names, const void *ctx)
{
	const struct options *options = ctx;
	struct snapshots snapshots;
	int ret = snapshots_read(&snapshots, nr, names);
	size_t i;

	for (i = 0; i < snapshots.nr; i++)
		print(&snapshots.devices[i], options->bytes);
	snapshots_free(&snapshots);
	return ret;
}

static int set_mem_limit(struct device *dev, const struct options *options)
{
	uint64_t carveout = 0, bytes;
	char text[SIZE_TEXT_MAX];
	int ret = EXIT_OK;

	if (options->mem_limit.percent)
		ret = device_read_number(dev, V_CARVEOUT, &carveout);
	if (ret)
		return ret;
	if (size_resolve(&options->mem_limit, carveout, &bytes))
		return usage_error("--mem-limit %s: too large a size",
				   options->mem_limit_text);
	size_format(text, bytes, true);
	ret = device_write(dev, "mem_limit", text);
	if (ret)
		return device_write_failed(dev, "mem_limit", text, ret);
	printf("%s: memory limit %s\n", dev->path,
	       bytes ? size_format(text, bytes, options->bytes) : "none");
	return EXIT_OK;
}

static int set(const char *name, const struct options *options)
{
	struct device dev;
	int ret = device_open(&dev, name);

	if (ret)
		return ret;
	if (options->mem_limit_text)
		ret = set_mem_limit(&dev, options);
	if (!ret && options->share_text)
		ret = share_set(&dev, &options->share, options->bytes, options->progress);
	device_close(&dev);
	return ret;
}

/* The name of a device never begins with a digit, and a share always does. */
static int parse_arguments(int nr, char **argv, struct options *options,
			   char **name)
{
	bool share = nr == 2 || (nr == 1 && *argv[0] >= '0' && *argv[0] <= '9');

	if (nr > 2)
		return usage_error("only a device and a share are expected");
	if (nr > share)
		*name = argv[0];
	if (!share)
		return EXIT_OK;
	options->share_text = argv[nr - 1];
	return share_parse(options->share_text, &options->share);
}

int cmd_limit(int argc, char **argv)
{
	enum { OPTION_PROGRESS = 256 };
	static const struct option long_options[] = {
		{ "bytes", no_argument, NULL, 'b' },
		{ "help", no_argument, NULL, 'h' },
		{ "mem-limit", required_argument, NULL, 'm' },
		{ "progress", no_argument, NULL, OPTION_PROGRESS },
		{ }
	};
	struct options options = { };
	char *name = NULL;
	int c, ret = EXIT_OK;

	opterr = 0;
	while ((c = getopt_long(argc, argv, ":bhm:", long_options, NULL)) != -1) {
		switch (c) {
		case 'b':
			options.bytes = true;
			break;
		case 'h':
			print_help();
			return EXIT_OK;
		case 'm':
			options.mem_limit_text = optarg;
			ret = option_size("--mem-limit", optarg, &options.mem_limit);
			break;
		case OPTION_PROGRESS:
			options.progress = true;
			break;
		default:
			ret = option_error(c, argv);
		}
		if (ret)
			return ret;
	}
	ret = parse_arguments(argc - optind, argv + optind, &options, &name);
	if (ret)
		return ret;
	if (options.mem_limit_text || options.share_text)
		return set(name, &options);
	return devices_each(!!name, &name, show, &options);
}
