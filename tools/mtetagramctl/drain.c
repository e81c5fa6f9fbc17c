// SPDX-License-Identifier: GPL-2.0
/*
 * mtetagramctl drain: move all data out of a device, give all tag blocks back, and let
 * it take no more.
 *
 * Swap is moved to memory, and to other swap, by swapoff; that it fits is found out
 * before. Then what is left, the swap header, is discarded, and the share of the
 * carve-out is set to nothing. Data that is not swap is never touched.
 */

#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <inttypes.h>
#include <linux/fs.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "device.h"
#include "fault.h"
#include "mtetagramctl.h"
#include "progress.h"
#include "share.h"
#include "size.h"
#include "swap.h"
#include "users.h"

struct drain {
	struct device *dev;
	struct swap_move move;
	uint64_t moved;		/* bytes of swap */
	uint64_t blocks;	/* in use before */
};

static void print_help(void)
{
	puts("Usage: mtetagramctl drain [OPTION]... [DEVICE]\n\n"
	     "Move all data out of a device, give all tag blocks back, and let it take no\n"
	     "more. If it is swap, swapoff moves the data to memory and to other swap. A\n"
	     "device with data that is not swap is refused.\n"
	     "DEVICE may be left out if there is only one.\n\n"
	     "  -b, --bytes      print sizes in bytes\n"
	     "  -f, --force      do not look first whether there is enough memory\n"
	     "      --progress   print progress even if standard error is no terminal\n"
	     "  -h, --help       print this and exit\n\n"
	     "To use it again: mtetagramctl reset, then mtetagramctl setup.");
}

/* Swap that is not in use holds nothing that anybody could want. */
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

/* Drop what is stored; fails with -EBUSY if somebody uses it. */
static int discard(const struct device *dev)
{
	uint64_t range[2] = { 0, dev->v[V_DISKSIZE].number };
	int ret = fault_inject("discard", dev->name, NULL), fd;

	fault_trace("discard %s %" PRIu64, dev->name, range[1]);
	if (ret)
		return ret == FAULT_DROP ? 0 : ret;
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
		report_err(dev->path, "it holds %s of data that is not swap; copy away what you need, then: mtetagramctl reset %s",
			   dev->v[V_DATA].known ?
			   size_format(size, dev->v[V_DATA].number, drain->move.exact) :
			   "an unknown amount", dev->path);
		return EXIT_BUSY;
	}
	ret = discard(dev);
	switch (ret) {
	case 0:
		return EXIT_OK;
	case -EBUSY:
		report_err(dev->path, "somebody has begun to use it; see mtetagramctl status");
		return EXIT_BUSY;
	case -EACCES:
	case -EPERM:
		report_err(dev->path, "may not discard what is left: %s; run this as root",
			   strerror(-ret));
		return EXIT_DENIED;
	default:
		report_err(dev->path, "cannot discard what is left: %s", strerror(-ret));
		return EXIT_ERROR;
	}
}

/* Let it use nothing any more, and see that it does. */
static int close_down(struct drain *drain)
{
	struct device *dev = drain->dev;
	uint64_t blocks;
	int ret = device_write(dev, ATTR_LIMIT, "0");

	if (ret == -ENOSPC) {
		report_err(dev->path, "something was stored just now; who writes to it? find out with: fuser -v %s",
			   dev->path);
		return EXIT_BUSY;
	}
	if (ret)
		return device_write_failed(dev, ATTR_LIMIT, "0", ret);
	ret = device_read_number(dev, "tag_storage/blocks_used", &blocks);
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
	int ret = device_read(dev);

	if (!ret)
		ret = users_refuse_others(dev);
	if (ret)
		return ret;
	/* Before hours are spent in vain. */
	ret = sysfs_may_write(dev->dir, ATTR_LIMIT);
	if (ret)
		return device_write_failed(dev, ATTR_LIMIT, "0", ret);
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
		ret = device_read(dev);
		if (!ret)
			ret = users_refuse(dev);
		if (ret)
			return ret;
	}
	/* Without a size it has no data. */
	if (dev->v[V_DISKSIZE].number)
		ret = drop_header(drain, was_swap);
	if (!ret)
		ret = close_down(drain);
	if (ret)
		return ret;
	printf("%s: drained: %s of swap moved, %" PRIu64 " tag block%s given back, limit 0\n",
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
