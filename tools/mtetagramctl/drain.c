// SPDX-License-Identifier: GPL-2.0
/*
 * mtetagramctl drain: move all data out of a device, give all tag blocks back, and let
 * the device take no more data.
 *
 * swapoff moves swap to memory and to other swap. The tool checks before that there is
 * room. Then the tool discards the swap header, which is left, and sets the share of the
 * device to 0. It never touches data that is not swap.
 */

#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <inttypes.h>
#include <linux/fs.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "commands.h"
#include "device.h"
#include "exit.h"
#include "inject.h"
#include "interrupt.h"
#include "message.h"
#include "option.h"
#include "snapshot.h"
#include "swap.h"
#include "sysfs.h"
#include "users.h"
#include "util.h"

struct drain {
	struct device *dev;
	struct swap_move move;
	uint64_t moved;		/* bytes of swap that were moved */
	uint64_t blocks;	/* tag blocks that held data before */
};

static void print_help(void)
{
	puts("Usage: mtetagramctl drain [OPTION]... [DEVICE]\n\n"
	     "Move all data out of a device, give all tag blocks back, and let the device\n"
	     "take no more data. If the device is swap, swapoff moves the data to memory and\n"
	     "to other swap. A device with data that is not swap is refused.\n"
	     "DEVICE may be left out if there is only one.\n\n"
	     "  -b, --bytes      print sizes in bytes\n"
	     "  -f, --force      do not check first that there is enough memory\n"
	     "      --progress   print progress even if standard error is no terminal\n"
	     "  -h, --help       print this and exit\n\n"
	     "To use the device again: mtetagramctl reset, then mtetagramctl setup.");
}

/* A swap area that is not in use holds no data that a user could want. */
static bool has_swap_header(const struct device *dev)
{
	static const off_t page_sizes[] = { 4096, 16384, 65536 };
	static const char magic[] = "SWAPSPACE2";
	int fd = sysfs_open(dev->path, O_RDONLY);
	char buf[sizeof(magic) - 1];
	bool found = false;
	size_t i;

	for (i = 0; fd >= 0 && !found && i < ARRAY_SIZE(page_sizes); i++) {
		off_t offset = page_sizes[i] - sizeof(buf);

		found = pread(fd, buf, sizeof(buf), offset) == sizeof(buf) &&
			!memcmp(buf, magic, sizeof(buf));
	}
	if (fd >= 0)
		close(fd);
	return found;
}

/* Drops all data. -EBUSY: the device is in use. */
static int discard(const struct device *dev)
{
	uint64_t range[2] = { 0, dev->v[V_DISKSIZE].number };
	int ret = inject_error("discard", dev->name, NULL), fd;

	inject_trace("discard %s %" PRIu64, dev->name, range[1]);
	if (ret)
		return ret == INJECT_DROP ? 0 : ret;
	fd = sysfs_open(dev->path, O_RDWR | O_EXCL);
	if (fd < 0)
		return fd;
	ret = ioctl(fd, BLKDISCARD, range) ? -errno : 0;
	close(fd);
	return ret;
}

static int drop_header(struct drain *drain, bool was_swap)
{
	const struct device *dev = drain->dev;
	char size[SIZE_TEXT_MAX];
	int ret;

	if (dev->v[V_DATA].known && !dev->v[V_DATA].number)
		return EXIT_OK;
	if (!was_swap && !has_swap_header(dev)) {
		report_err(dev->path, "it holds %s of data that is not swap; copy what you need, then: mtetagramctl reset %s",
			   dev->v[V_DATA].known ?
			   value_text(dev->v, V_DATA, drain->move.exact, size) :
			   "an unknown amount", dev->path);
		return EXIT_BUSY;
	}
	ret = discard(dev);
	switch (ret) {
	case 0:
		return EXIT_OK;
	case -EBUSY:
		report_err(dev->path, "another process has begun to use it; see mtetagramctl status");
		return EXIT_BUSY;
	case -EACCES:
	case -EPERM:
		report_err(dev->path, "may not discard the swap header: %s; run this as root",
			   strerror(-ret));
		return EXIT_DENIED;
	default:
		report_err(dev->path, "cannot discard the swap header: %s", strerror(-ret));
		return EXIT_ERROR;
	}
}

/* Sets the share to 0, and checks that no tag block holds data. */
static int close_down(struct drain *drain)
{
	struct device *dev = drain->dev;
	uint64_t blocks;
	int ret = device_write(dev, values[V_SHARE].file, "0");

	if (ret == -ENOSPC) {
		report_err(dev->path, "data was stored just now; to find the process that writes: fuser -v %s",
			   dev->path);
		return EXIT_BUSY;
	}
	if (ret)
		return device_write_failed(dev, values[V_SHARE].file, "0", ret);
	ret = device_read_number(dev, V_BLOCKS_USED, &blocks);
	if (ret)
		return ret;
	if (blocks) {
		report_err(dev->path, "%" PRIu64 " tag blocks still hold data; is the driver of another version?",
			   blocks);
		return EXIT_ERROR;
	}
	return EXIT_OK;
}

static int drain_device(struct drain *drain)
{
	struct device *dev = drain->dev;
	char size[SIZE_TEXT_MAX];
	bool was_swap;
	int ret = snapshot_read(dev);

	if (!ret)
		ret = users_refuse_others(dev);
	if (ret)
		return ret;
	/* swapoff can take hours, so check this first. */
	ret = sysfs_may_write(dev->dir, values[V_SHARE].file);
	if (ret)
		return device_write_failed(dev, values[V_SHARE].file, "0", ret);
	drain->blocks = dev->v[V_BLOCKS_USED].number;
	was_swap = dev->swap;
	if (was_swap) {
		ret = swap_check_room(&drain->move);
		drain->moved = dev->v[V_SWAP_USED].number;
		if (!ret)
			ret = swap_off(&drain->move);
		if (ret)
			return ret;
		device_forget(dev);
		ret = snapshot_read(dev);
		if (!ret)
			ret = users_refuse(dev);
		if (ret)
			return ret;
	}
	/* A device without a size has no data. */
	if (dev->v[V_DISKSIZE].number)
		ret = drop_header(drain, was_swap);
	if (!ret)
		ret = close_down(drain);
	if (ret)
		return ret;
	printf("%s: drained: %s of swap moved, %" PRIu64 " tag block%s given back, share 0\n",
	       dev->path, size_format(size, drain->moved, drain->move.exact), drain->blocks,
	       drain->blocks == 1 ? "" : "s");
	return EXIT_OK;
}

int cmd_drain(int argc, char **argv)
{
	enum { OPTION_PROGRESS = 256 };
	static const struct option long_options[] = {
		{ "bytes", no_argument, NULL, 'b' },
		{ "force", no_argument, NULL, 'f' },
		{ "help", no_argument, NULL, 'h' },
		{ "progress", no_argument, NULL, OPTION_PROGRESS },
		{ }
	};
	struct device dev;
	struct drain drain = { .dev = &dev, .move.dev = &dev };
	int c, ret;

	opterr = 0;
	while ((c = getopt_long(argc, argv, ":bfh", long_options, NULL)) != -1) {
		switch (c) {
		case 'b':
			drain.move.exact = true;
			break;
		case 'f':
			drain.move.force = true;
			break;
		case 'h':
			print_help();
			return EXIT_OK;
		case OPTION_PROGRESS:
			drain.move.progress.forced = true;
			break;
		default:
			return option_error(c, argv);
		}
	}
	if (argc - optind > 1)
		return usage_error("one device at a time");
	ret = device_open(&dev, argv[optind]);
	if (ret)
		return ret;
	drain.move.progress.subject = dev.path;
	interrupt_catch();
	ret = drain_device(&drain);
	device_close(&dev);
	return ret;
}
