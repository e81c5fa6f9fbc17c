// SPDX-License-Identifier: GPL-2.0
/*
 * mtetagramctl reset: drop all data and settings of a device that is not in use.
 */

#include <errno.h>
#include <getopt.h>
#include <stdio.h>

#include "commands.h"
#include "device.h"
#include "exit.h"
#include "option.h"
#include "snapshot.h"
#include "users.h"

static void print_help(void)
{
	puts("Usage: mtetagramctl reset [OPTION]... [DEVICE]...\n\n"
	     "Drop all data and settings of devices. A device must not be in use: not as swap,\n"
	     "not mounted, not open. DEVICE may be left out if there is only one.\n\n"
	     "  -h, --help   print this and exit");
}

static int reset_device(struct device *dev)
{
	int ret = snapshot_read(dev);

	if (!ret)
		ret = users_refuse(dev);
	if (ret)
		return ret;
	/* A process may have opened the device meanwhile. Then the driver refuses. */
	ret = device_reset(dev);
	if (ret == -EBUSY)
		return device_still_open(dev);
	return ret ? device_write_failed(dev, "reset", "1", ret) : EXIT_OK;
}

static int reset(const char *name)
{
	struct device dev;
	int ret = device_open(&dev, name);

	if (ret)
		return ret;
	ret = reset_device(&dev);
	device_close(&dev);
	return ret;
}

int cmd_reset(int argc, char **argv)
{
	static const struct option long_options[] = {
		{ "help", no_argument, NULL, 'h' },
		{ }
	};
	int c, ret, error;

	opterr = 0;
	while ((c = getopt_long(argc, argv, ":h", long_options, NULL)) != -1) {
		if (c != 'h')
			return option_error(c, argv);
		print_help();
		return EXIT_OK;
	}
	ret = reset(argv[optind]);
	/* An error does not keep the other devices from being reset. The first error counts. */
	while (optind < argc && ++optind < argc) {
		error = reset(argv[optind]);
		ret = ret ?: error;
	}
	return ret;
}
