// SPDX-License-Identifier: GPL-2.0
/*
 * mtetagramctl limit: show or set how much a device may use: the share of the
 * carve-out, into which its data is moved, and the memory limit, which holds for new
 * data only.
 */

#include <getopt.h>
#include <inttypes.h>
#include <stdio.h>

#include "device.h"
#include "mtetagramctl.h"
#include "share.h"

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
	puts("Usage: mtetagramctl limit [OPTION]... [DEVICE] [SIZE]\n\n"
	     "Set how much of the carve-out the device may use, as resize does; without a\n"
	     "size and --mem-limit, show the limits of the device, or of all devices.\n\n"
	     "  -b, --bytes           print sizes in bytes\n"
	     "  -m, --mem-limit SIZE  set the limit for new data; 0 is none\n"
	     "      --progress        print progress even if standard error is no terminal\n"
	     "  -h, --help            print this and exit\n\n"
	     "SIZE is in bytes, with a suffix K, M, G or T, or a share of the carve-out\n"
	     "as in 50%.");
}

static const char *text_of(const struct value *value, bool exact,
			   char buf[SIZE_TEXT_MAX])
{
	return value->known ? size_format(buf, value->number, exact) : "-";
}

static int show(const char *name, bool exact)
{
	char a[SIZE_TEXT_MAX], b[SIZE_TEXT_MAX], c[SIZE_TEXT_MAX], d[SIZE_TEXT_MAX];
	const struct value *limit;
	struct device dev;
	int ret = device_open(&dev, name);

	if (ret)
		return ret;
	ret = device_read(&dev);
	limit = &dev.v[V_MEM_LIMIT];
	if (!ret)
		printf("%s: may use %s of %s, uses %s; memory limit %s\n", dev.path,
		       text_of(&dev.v[V_SHARE], exact, a),
		       text_of(&dev.v[V_CARVEOUT], exact, b),
		       text_of(&dev.v[V_CARVEOUT_USED], exact, c),
		       limit->known && !limit->number ? "none" : text_of(limit, exact, d));
	if (!ret && dev.bad)
		ret = EXIT_ERROR;
	device_close(&dev);
	return ret;
}

static int show_all(bool exact)
{
	char **names = devices_list(), **name;
	int ret = names[0] ? EXIT_OK : no_device(), error;

	for (name = names; *name; name++) {
		error = show(*name, exact);
		if (error)
			ret = error;
	}
	devices_free(names);
	return ret;
}

static int set_mem_limit(struct device *dev, const struct options *options)
{
	uint64_t carveout = 0, bytes;
	char text[SIZE_TEXT_MAX];
	int ret = EXIT_OK;

	if (options->mem_limit.percent)
		ret = device_read_number(dev, "tag_storage/size", &carveout);
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

static int parse_mem_limit(struct options *options, const char *text)
{
	options->mem_limit_text = text;
	if (size_parse(text, &options->mem_limit))
		return usage_error("--mem-limit %s: not a size; use for example 512M or 50%%",
				   text);
	return EXIT_OK;
}

/* A device never looks like a size, so with one argument it is clear what is meant. */
static int parse_arguments(int nr, char **argv, struct options *options,
			   const char **name)
{
	bool size = nr == 2 || (nr == 1 && *argv[0] >= '0' && *argv[0] <= '9');

	if (nr > 2)
		return usage_error("only a device and a size are expected");
	if (nr > size)
		*name = argv[0];
	if (!size)
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
	const char *name = NULL;
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
			ret = parse_mem_limit(&options, optarg);
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
	return name ? show(name, options.bytes) : show_all(options.bytes);
}
