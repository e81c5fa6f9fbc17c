// SPDX-License-Identifier: GPL-2.0
/*
 * The size of a device. A device can grow while it is in use, but the swap area or file
 * system on it does not grow by itself. The tool makes a new swap area if the user asked
 * for it; else it says what the user can do.
 */

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <unistd.h>

#include "device.h"
#include "exit.h"
#include "grow.h"
#include "interrupt.h"
#include "message.h"
#include "snapshot.h"

/* Is the swap area smaller than the device? Its header takes one page. */
static bool swap_is_smaller(const struct device *dev, uint64_t disksize)
{
	const struct value *size = &dev->v[V_SWAP_SIZE];

	return dev->swap && size->known && disksize >= (uint64_t)sysconf(_SC_PAGESIZE) &&
	       size->number < disksize - sysconf(_SC_PAGESIZE);
}

/* Checks everything before anything is changed. */
static int check(struct device *dev, const struct grow *grow, uint64_t *wanted)
{
	const struct value *disksize = &dev->v[V_DISKSIZE];
	char a[SIZE_TEXT_MAX], b[SIZE_TEXT_MAX];
	int ret;

	if (!disksize->known) {
		report_err(dev->path, "its size is unknown; is the driver of another version?");
		return EXIT_ERROR;
	}
	if (!disksize->number) {
		report_err(dev->path, "it is not set up; first run: mtetagramctl setup --size SIZE %s",
			   dev->path);
		return EXIT_USAGE;
	}
	ret = device_size_of(dev, &grow->size, wanted);
	if (ret)
		return ret;
	if (*wanted < disksize->number) {
		report_err(dev->path, "it has %s and cannot shrink to %s: the end of the device may be in use; to make it smaller: mtetagramctl drain, reset, and setup --size %s",
			   size_format_whole(a, disksize->number),
			   size_format_whole(b, *wanted), b);
		return EXIT_BUSY;
	}
	if (!grow->renew_swap)
		return EXIT_OK;
	if (!dev->swap) {
		report_err(dev->path, "it is not in use as swap; leave out --swap");
		return EXIT_USAGE;
	}
	return swap_check_room(&grow->move);
}

/*
 * -EBUSY has two causes: an older driver, or another process that has set the size
 * meanwhile.
 */
static int busy(struct device *dev)
{
	char size[SIZE_TEXT_MAX];
	uint64_t now;
	int ret = device_read_number(dev, V_DISKSIZE, &now);

	if (ret)
		return ret;
	if (now != dev->v[V_DISKSIZE].number) {
		report_err(dev->path, "another process has just set its size to %s",
			   size_format_whole(size, now));
		return EXIT_BUSY;
	}
	report_err(dev->path, "this version of the driver cannot change the size of a device that is set up; to change it: mtetagramctl reset, then setup --size");
	return EXIT_UNSUPPORTED;
}

static int write_size(struct device *dev, uint64_t wanted)
{
	char text[SIZE_TEXT_MAX], whole[SIZE_TEXT_MAX];
	int ret;

	if (wanted == dev->v[V_DISKSIZE].number)
		return EXIT_OK;
	ret = device_write(dev, "disksize", size_format(text, wanted, true));
	switch (ret) {
	case 0:
		return EXIT_OK;
	case -EBUSY:
		return busy(dev);
	case -EINVAL:
		report_err(dev->path, "the driver does not accept a size of %s; choose less",
			   size_format_whole(whole, wanted));
		return EXIT_ERROR;
	default:
		return device_write_failed(dev, "disksize", text, ret);
	}
}

/* The swap is off and could not be switched on again: says how to do that. */
static int lost_swap(const struct device *dev, const char *priority, int ret)
{
	report_err(dev->path, "it is not in use as swap any more; when the cause is mended: mkswap %s && swapon%s%s %s",
		   dev->path, priority ? " --priority " : "", priority ?: "", dev->path);
	return ret;
}

static int renew_swap(struct device *dev, struct grow *grow)
{
	const struct value *value = &dev->v[V_SWAP_PRIORITY];
	char buf[SIZE_TEXT_MAX], *priority = NULL;
	int ret;

	/* The kernel chooses negative priorities; swapon cannot ask for one. */
	if (value->known && !value->negative) {
		snprintf(buf, sizeof(buf), "%" PRIu64, value->number);
		priority = buf;
	}
	ret = swap_off(&grow->move);
	if (ret)
		return ret;
	/* The user cannot interrupt mkswap and swapon. */
	ret = swap_format(dev);
	if (!ret)
		ret = swap_on(dev, priority);
	return ret ? lost_swap(dev, priority, ret) : EXIT_OK;
}

static void print_what_is_left(const struct device *dev, uint64_t disksize, bool exact)
{
	char a[SIZE_TEXT_MAX], b[SIZE_TEXT_MAX];

	if (swap_is_smaller(dev, disksize))
		printf("%s: the swap area on it stays at %s until swapoff, mkswap and swapon; to do that: mtetagramctl resize --size %s --swap %s\n",
		       dev->path, size_format(a, dev->v[V_SWAP_SIZE].number, exact),
		       size_format_whole(b, disksize), dev->path);
	else if (dev->mountpoint)
		printf("%s: the file system on it is as large as before; if it is ext4, now run: resize2fs %s\n",
		       dev->path, dev->path);
	else if (dev->holder)
		printf("%s: the device on top of it is as large as before\n", dev->path);
}

int grow(struct device *dev, struct grow *grow)
{
	char a[SIZE_TEXT_MAX], b[SIZE_TEXT_MAX];
	uint64_t wanted, after;
	int ret;

	grow->move.dev = dev;
	grow->move.progress.subject = dev->path;
	ret = snapshot_read(dev);
	if (!ret)
		ret = check(dev, grow, &wanted);
	if (!ret)
		ret = write_size(dev, wanted);
	if (!ret)
		ret = device_read_number(dev, V_DISKSIZE, &after);
	if (ret)
		return ret;
	printf("%s: size %s -> %s\n", dev->path,
	       size_format(a, dev->v[V_DISKSIZE].number, grow->move.exact),
	       size_format(b, after, grow->move.exact));
	if (!grow->renew_swap) {
		print_what_is_left(dev, after, grow->move.exact);
		return EXIT_OK;
	}
	if (!swap_is_smaller(dev, after))
		return EXIT_OK;
	interrupt_catch();
	ret = renew_swap(dev, grow);
	if (!ret)
		printf("%s: swap again, with all of it\n", dev->path);
	return ret;
}
