// SPDX-License-Identifier: GPL-2.0
/*
 * mtetagramctl resize: set how much of the carve-out a device may use, while it is
 * in use.
 *
 * The driver moves data out of the way and answers when it is done, or refuses and
 * leaves everything as it was; so there is one write here and no loop.
 */

#include <errno.h>
#include <getopt.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "device.h"
#include "mtetagramctl.h"
#include "size.h"

#define ATTR_LIMIT	"tag_storage/limit"

static void print_help(void)
{
	puts("Usage: mtetagramctl resize [OPTION]... [DEVICE] SIZE\n\n"
	     "Set how much of the carve-out the device may use, while it is in use. To\n"
	     "less than what is stored needs fails and changes nothing.\n"
	     "DEVICE may be left out if there is only one.\n\n"
	     "  -b, --bytes   print sizes in bytes\n"
	     "  -h, --help    print this and exit\n\n"
	     "SIZE is in bytes, with a suffix K, M, G or T, or a share of the carve-out\n"
	     "as in 50%. It is rounded down to whole tag blocks.");
}

static int size_argument(const char *text, struct size_arg *arg)
{
	switch (size_parse(text, arg)) {
	case 0:
		break;
	case -ERANGE:
		return usage_error("%s: too large a size", text);
	default:
		return usage_error("%s: not a size; use for example 512M or 50%%", text);
	}
	if (arg->percent && arg->number > 100)
		return usage_error("%s: more than the whole carve-out", text);
	return EXIT_OK;
}

/* What the stored data needs at the very least, in whole blocks. */
static uint64_t least(const struct device *dev, uint64_t wanted)
{
	const struct value *v = dev->v;
	uint64_t block = v[V_BLOCK_SIZE].known && v[V_BLOCK_SIZE].number ?
			 v[V_BLOCK_SIZE].number : PAGE_BYTES;
	uint64_t need = v[V_COMPR].known ? v[V_COMPR].number : 0;

	/* What has been spilled needs no carve-out. */
	if (v[V_SPILLED].known && v[V_SPILLED].number < need)
		need -= v[V_SPILLED].number;
	/* Objects do not fill blocks perfectly: what was refused is too little. */
	if (need <= wanted)
		need = wanted + 1;
	if (__builtin_add_overflow(need, block - 1, &need))
		return UINT64_MAX;
	return need / block * block;
}

static int no_room(struct device *dev, uint64_t wanted, bool exact)
{
	char a[SIZE_TEXT_MAX], b[SIZE_TEXT_MAX], c[SIZE_TEXT_MAX], d[SIZE_TEXT_MAX],
	     e[SIZE_TEXT_MAX];
	const struct value *v = dev->v;
	int ret = device_read(dev);
	uint64_t need;

	/* What is stored may have changed since. */
	if (ret)
		return ret;
	size_format_whole(a, wanted);
	if (!v[V_DATA].known || !v[V_COMPR].known || !v[V_CARVEOUT_USED].known) {
		report_err(dev->path, "cannot shrink to %s: what is stored does not fit; free some (swapoff) or choose a larger size; nothing was changed",
			   a);
		return EXIT_NO_ROOM;
	}
	need = least(dev, wanted);
	/* It fits into the blocks that it is in, but it may have grown just now. */
	report_err(dev->path, "cannot shrink to %s: %s stored, compressed to %s, needs at least %s, at most %s; free some (swapoff) or choose a larger size; nothing was changed",
		   a, size_format(b, v[V_DATA].number, exact),
		   size_format(c, v[V_COMPR].number, exact), size_format_whole(d, need),
		   size_format_whole(e, need > v[V_CARVEOUT_USED].number ? need :
					v[V_CARVEOUT_USED].number));
	return EXIT_NO_ROOM;
}

static int write_limit(struct device *dev, uint64_t wanted, bool exact)
{
	char text[SIZE_TEXT_MAX];
	int ret;

	snprintf(text, sizeof(text), "%" PRIu64, wanted);
	ret = device_write(dev, ATTR_LIMIT, text);
	if (ret == -ENOSPC)
		return no_room(dev, wanted, exact);
	return ret ? device_write_failed(dev, ATTR_LIMIT, text, ret) : EXIT_OK;
}

static int resize(struct device *dev, const struct size_arg *arg, bool exact)
{
	char a[SIZE_TEXT_MAX], b[SIZE_TEXT_MAX];
	uint64_t carveout, block, before, after, wanted;
	int ret;

	ret = device_read_number(dev, "tag_storage/size", &carveout);
	if (!ret)
		ret = device_read_number(dev, "tag_storage/block_size", &block);
	if (!ret)
		ret = device_read_number(dev, ATTR_LIMIT, &before);
	if (ret)
		return ret;
	if (size_resolve(arg, carveout, &wanted) || wanted > carveout) {
		report_err(dev->path, "the carve-out has only %s; choose at most that, or 100%%",
			   size_format_whole(a, carveout));
		return EXIT_USAGE;
	}
	ret = write_limit(dev, wanted, exact);
	if (!ret)
		ret = device_read_number(dev, ATTR_LIMIT, &after);
	if (ret)
		return ret;
	printf("%s: %s -> %s\n", dev->path, size_format(a, before, exact),
	       size_format(b, after, exact));
	if (after > wanted || wanted - after >= (block ?: 1)) {
		report_err(dev->path, "wanted %s, but the limit is %s now; has somebody else changed it?",
			   size_format_whole(a, wanted), size_format_whole(b, after));
		return EXIT_ERROR;
	}
	return EXIT_OK;
}

int cmd_resize(int argc, char **argv)
{
	static const struct option long_options[] = {
		{ "bytes", no_argument, NULL, 'b' },
		{ "help", no_argument, NULL, 'h' },
		{ }
	};
	struct size_arg size;
	struct device dev;
	bool exact = false;
	int c, ret;

	opterr = 0;
	while ((c = getopt_long(argc, argv, ":bh", long_options, NULL)) != -1) {
		switch (c) {
		case 'b':
			exact = true;
			break;
		case 'h':
			print_help();
			return EXIT_OK;
		default:
			return option_error(c, argv);
		}
	}
	if (optind == argc)
		return usage_error("a size is needed");
	if (argc - optind > 2)
		return usage_error("only a device and a size are expected");
	ret = size_argument(argv[argc - 1], &size);
	if (ret)
		return ret;
	ret = device_open(&dev, argc - optind == 2 ? argv[optind] : NULL);
	if (ret)
		return ret;
	ret = resize(&dev, &size, exact);
	device_close(&dev);
	return ret;
}
