// SPDX-License-Identifier: GPL-2.0
/*
 * The share of the carve-out that a device may use. It can change while the device is in
 * use.
 *
 * When the share becomes smaller, the driver moves data, and answers when that is done or
 * cannot be done. The tool makes the share smaller in steps: so it can show progress, stop
 * when the user interrupts it, and find the smallest share that fits. If the wanted share
 * does not fit, the tool sets the share back to what it was.
 */

#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "device.h"
#include "exit.h"
#include "interrupt.h"
#include "message.h"
#include "option.h"
#include "progress.h"
#include "share.h"
#include "snapshot.h"
#include "sysfs.h"

/*
 * The driver looks at all blocks in each step, so there are few steps, and only if much
 * data must move.
 */
#define STEPS		16
#define STEP_MIN	(16 << 20)	/* bytes */
#define PROBES		6		/* find the least that fits to 1/64 of a step */

struct share {
	struct device *dev;
	uint64_t block;
	uint64_t before;
	uint64_t wanted;	/* whole blocks */
	bool exact;
	struct progress progress;
};

int share_parse(const char *text, struct size_arg *arg)
{
	int ret = option_size(NULL, text, arg);

	if (!ret && arg->percent && arg->number > 100)
		return usage_error("%s: more than the whole carve-out", text);
	return ret;
}

static int write_share(struct device *dev, uint64_t bytes)
{
	char text[SIZE_TEXT_MAX];

	return device_write(dev, values[V_SHARE].file, size_format(text, bytes, true));
}

/*
 * Sets the share back to what it was. The driver always allows a larger share. False if
 * that failed, which has been reported.
 */
static bool set_back(struct share *share)
{
	char text[SIZE_TEXT_MAX];
	int error = write_share(share->dev, share->before);

	progress_end(&share->progress);
	/* The device may be gone. Then there is no share. */
	if (!error || error == -ENODEV || error == -ENOENT)
		return true;
	report_err(share->dev->path, "could not set the share back to %s: %s",
		   size_format_whole(text, share->before), strerror(-error));
	return false;
}

/*
 * Reports that the data does not fit into @refused. 0 for @fits means unknown. @back: the
 * share is as it was before.
 */
static int no_room(struct share *share, uint64_t refused, uint64_t fits, bool back)
{
	const char *end = back ? "; the share is as before" : "";
	char a[SIZE_TEXT_MAX], b[SIZE_TEXT_MAX], c[SIZE_TEXT_MAX], d[SIZE_TEXT_MAX],
	     e[SIZE_TEXT_MAX];
	struct device *dev = share->dev;
	const struct value *v = dev->v;
	int ret;

	/* The amount of stored data may have changed. */
	device_forget(dev);
	ret = snapshot_read(dev);
	if (ret)
		return ret;
	size_format_whole(a, share->wanted);
	if (!fits || !v[V_DATA].known || !v[V_COMPR].known)
		report_err(dev->path, "cannot shrink to %s: what is stored does not fit; free some (swapoff) or choose a larger share%s",
			   a, end);
	else
		report_err(dev->path, "cannot shrink to %s: %s stored, compressed to %s, fits into %s now, but not into %s; free some (swapoff) or choose a larger share%s",
			   a, size_format(b, v[V_DATA].number, share->exact),
			   size_format(c, v[V_COMPR].number, share->exact),
			   size_format_whole(d, fits), size_format_whole(e, refused), end);
	return back ? EXIT_NO_ROOM : EXIT_ERROR;
}

/* The data fits into @fits but not into @refused. Finds the least that it fits into. */
static int find_least(struct share *share, uint64_t refused, uint64_t fits)
{
	uint64_t bytes;
	unsigned int i;
	int ret;

	/* No share below the size of all objects can fit. */
	if (!sysfs_read_number(share->dev->dir, values[V_USED_SIZE].file, &bytes)) {
		bytes = bytes ? (bytes - 1) / share->block * share->block : 0;
		if (bytes > refused && bytes < fits)
			refused = bytes;
	}
	for (i = 0; i < PROBES && fits - refused > share->block; i++) {
		uint64_t middle = refused + (fits - refused) / 2;

		middle -= middle % share->block;
		if (middle <= refused)
			middle = refused + share->block;
		if (interrupted())
			break;
		ret = write_share(share->dev, middle);
		if (!ret)
			fits = middle;
		else if (ret == -ENOSPC)
			refused = middle;
		else
			break;
	}
	return no_room(share, refused, fits, set_back(share));
}

static int failed(struct share *share, uint64_t bytes, int error)
{
	char text[SIZE_TEXT_MAX];

	return device_write_failed(share->dev, values[V_SHARE].file,
				   size_format(text, bytes, true), error);
}

static int failed_later(struct share *share, uint64_t bytes, int error)
{
	int ret = failed(share, bytes, error);

	return set_back(share) ? ret : EXIT_ERROR;
}

/* The user has interrupted the tool. */
static int stop(struct share *share)
{
	bool back = set_back(share);

	report_err(share->dev->path, "interrupted%s", back ? "; the share is as before" : "");
	return back ? EXIT_INTERRUPTED : EXIT_ERROR;
}

/* @used: bytes of the tag blocks that hold data now. */
static int shrink(struct share *share, uint64_t used)
{
	uint64_t blocks = (used - share->wanted) / share->block, at = used, next;
	uint64_t steps = (used - share->wanted) / STEP_MIN;
	unsigned int i;
	int ret;

	steps = steps < 1 ? 1 : steps > STEPS ? STEPS : steps;
	for (i = 1; i <= steps; i++) {
		progress_show(&share->progress, "shrinking", used - at,
			      used - share->wanted);
		if (interrupted())
			return stop(share);
		/* The last step ends exactly at the wanted share. */
		next = i == steps ? share->wanted :
				    used - blocks * i / steps * share->block;
		if (next == at && i < steps)
			continue;
		ret = write_share(share->dev, next);
		if (ret == -ENOSPC)
			return find_least(share, next, at);
		if (ret && i == 1)
			return failed(share, next, ret);
		if (ret)
			return failed_later(share, next, ret);
		at = next;
	}
	progress_end(&share->progress);
	return EXIT_OK;
}

static int set_at_once(struct share *share)
{
	int ret = write_share(share->dev, share->wanted);

	if (ret == -ENOSPC)
		return no_room(share, share->wanted, 0, true);
	return ret ? failed(share, share->wanted, ret) : EXIT_OK;
}

static int set(struct share *share)
{
	struct device *dev = share->dev;
	uint64_t blocks, used;

	/* A share that does not shrink, or shrinks in free blocks only, moves no data. */
	if (share->wanted >= share->before ||
	    sysfs_read_number(dev->dir, values[V_BLOCKS_USED].file, &blocks) ||
	    __builtin_mul_overflow(blocks, share->block, &used) ||
	    used <= share->wanted || used - share->wanted > UINT64_MAX / STEPS)
		return set_at_once(share);
	return shrink(share, used);
}

int share_set(struct device *dev, const struct size_arg *arg, bool exact, bool progress)
{
	struct share share = {
		.dev = dev, .exact = exact,
		.progress = { .subject = dev->path, .forced = progress },
	};
	char a[SIZE_TEXT_MAX], b[SIZE_TEXT_MAX];
	uint64_t carveout, after;
	int ret;

	ret = device_read_number(dev, V_CARVEOUT, &carveout);
	if (!ret)
		ret = device_read_number(dev, V_BLOCK_SIZE, &share.block);
	if (!ret)
		ret = device_read_number(dev, V_SHARE, &share.before);
	if (ret)
		return ret;
	if (size_resolve(arg, carveout, &share.wanted) || share.wanted > carveout) {
		report_err(dev->path, "the carve-out has only %s; choose at most that, or 100%%",
			   size_format_whole(a, carveout));
		return EXIT_USAGE;
	}
	share.block = share.block ?: 1;
	share.wanted -= share.wanted % share.block;
	interrupt_catch();
	ret = set(&share);
	if (!ret)
		ret = device_read_number(dev, V_SHARE, &after);
	if (ret)
		return ret;
	printf("%s: %s -> %s\n", dev->path, size_format(a, share.before, exact),
	       size_format(b, after, exact));
	if (after != share.wanted) {
		report_err(dev->path, "wanted a share of %s, but it is %s now; has another process changed it?",
			   size_format_whole(a, share.wanted), size_format_whole(b, after));
		return EXIT_ERROR;
	}
	return EXIT_OK;
}
