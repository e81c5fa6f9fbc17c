// SPDX-License-Identifier: GPL-2.0
/*
 * mtetagramctl resize: set how much of the carve-out a device may use, while it is
 * in use.
 */

#include <getopt.h>
#include <stdio.h>

#include "device.h"
#include "mtetagramctl.h"
#include "share.h"

static void print_help(void)
{
	puts("Usage: mtetagramctl resize [OPTION]... [DEVICE] SIZE\n\n"
	     "Set how much of the carve-out the device may use, while it is in use. To\n"
	     "less than what is stored needs fails, and the limit stays as it was.\n"
	     "DEVICE may be left out if there is only one.\n\n"
	     "  -b, --bytes      print sizes in bytes\n"
	     "      --progress   print progress even if standard error is no terminal\n"
	     "  -h, --help       print this and exit\n\n"
	     "SIZE is in bytes, with a suffix K, M, G or T, or a share of the carve-out\n"
	     "as in 50%. It is rounded down to whole tag blocks.");
}

int cmd_resize(int argc, char **argv)
{
	enum { OPTION_PROGRESS = 256 };
	static const struct option long_options[] = {
		{ "bytes", no_argument, NULL, 'b' },
		{ "help", no_argument, NULL, 'h' },
		{ "progress", no_argument, NULL, OPTION_PROGRESS },
		{ }
	};
	bool exact = false, progress = false;
	struct size_arg size;
	struct device dev;
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
		case OPTION_PROGRESS:
			progress = true;
			break;
		default:
			return option_error(c, argv);
		}
	}
	if (optind == argc)
		return usage_error("a size is needed");
	if (argc - optind > 2)
		return usage_error("only a device and a size are expected");
	ret = share_parse(argv[argc - 1], &size);
	if (ret)
		return ret;
	ret = device_open(&dev, argc - optind == 2 ? argv[optind] : NULL);
	if (ret)
		return ret;
	ret = share_set(&dev, &size, exact, progress);
	device_close(&dev);
	return ret;
}
