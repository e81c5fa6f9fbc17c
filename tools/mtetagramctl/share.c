// SPDX-License-Identifier: GPL-2.0
/*
 * The share of the carve-out that a device may use, changed while it is in use.
 *
 * The driver moves data out of the way, answers when it is done, or refuses. To show
 * progress, to be interruptible, and to find out how far it can go, a device shrinks
 * in steps. If it cannot get there, it is set back to what it was.
 */

#include <errno.h>
#include <inttypes.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "device.h"
#include "mtetagramctl.h"
#include "progress.h"
#include "share.h"

/*
 * The driver looks at all blocks at each step, so there are few, and only where there is
 * much to move.
 */
#define STEPS		16
#define STEP_MIN	(16 << 20)	/* bytes */
#define PROBES		6		/* for the least that fits, within 1/64 */

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

static int write_limit(struct device *dev, uint64_t bytes)
{
	char text[SIZE_TEXT_MAX];

	return device_write(dev, ATTR_LIMIT, size_format(text, bytes, true));
}

/* Set it back to what it was. The driver always allows more. */
static int set_back(struct share *share, int ret)
{
	char text[SIZE_TEXT_MAX];
	int error = write_limit(share->dev, share->before);

	progress_end(&share->progress);
	if (!error || error == -ENODEV || error == -ENOENT)
		return ret;
	report_err(share->dev->path, "could not set the limit back to %s: %s",
		   size_format_whole(text, share->before), strerror(-error));
	return EXIT_ERROR;
}

/* @fits 0: unknown. */
static int no_room(struct share *share, uint64_t refused, uint64_t fits)
{
	char a[SIZE_TEXT_MAX], b[SIZE_TEXT_MAX], c[SIZE_TEXT_MAX], d[SIZE_TEXT_MAX],
	     e[SIZE_TEXT_MAX];
	struct device *dev = share->dev;
	const struct value *v = dev->v;
	int ret;

	/* What is stored may have changed since. */
	device_forget(dev);
	ret = device_read(dev);
	if (ret)
		return ret;
	size_format_whole(a, share->wanted);
	if (!fits || !v[V_DATA].known || !v[V_COMPR].known)
		report_err(dev->path, "cannot shrink to %s: what is stored does not fit; free some (swapoff) or choose a larger size; the limit is as before",
			   a);
	else
		report_err(dev->path, "cannot shrink to %s: %s stored, compressed to %s, fits into %s now, but not into %s; free some (swapoff) or choose a larger size; the limit is as before",
			   a, size_format(b, v[V_DATA].number, share->exact),
			   size_format(c, v[V_COMPR].number, share->exact),
			   size_format_whole(d, fits), size_format_whole(e, refused));
	return EXIT_NO_ROOM;
}

/* It fits into @fits, but not into @refused: find the least that fits. */
static int find_least(struct share *share, uint64_t refused, uint64_t fits)
{
	uint64_t bytes;
	unsigned int i;
	int ret;

	/* Less than what objects take cannot do. */
	if (!sysfs_read_number(share->dev->dir, "tag_storage/used_size", &bytes)) {
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
		ret = write_limit(share->dev, middle);
		if (!ret)
			fits = middle;
		else if (ret == -ENOSPC)
			refused = middle;
		else
			break;
	}
	return set_back(share, no_room(share, refused, fits));
}

static int failed(struct share *share, uint64_t bytes, int error)
{
	char text[SIZE_TEXT_MAX];

	return device_write_failed(share->dev, ATTR_LIMIT, size_format(text, bytes, true),
				   error);
}

/* @used is what its data is in now. */
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
		if (interrupted()) {
			ret = set_back(share, EXIT_INTERRUPTED);
			report_err(share->dev->path, "interrupted; the limit is as before");
			return ret;
		}
		/* The last step leaves nothing. */
		next = i == steps ? share->wanted :
				    used - blocks * i / steps * share->block;
		if (next == at && i < steps)
			continue;
		ret = write_limit(share->dev, next);
		if (ret == -ENOSPC)
			return find_least(share, next, at);
		if (ret && i == 1)
			return failed(share, next, ret);
		if (ret)
			return set_back(share, failed(share, next, ret));
		at = next;
	}
	progress_end(&share->progress);
	return EXIT_OK;
}

static int set_at_once(struct share *share)
{
	int ret = write_limit(share->dev, share->wanted);

	if (ret == -ENOSPC)
		return no_room(share, share->wanted, 0);
	return ret ? failed(share, share->wanted, ret) : EXIT_OK;
}

static int set(struct share *share)
{
	struct device *dev = share->dev;
	uint64_t blocks, used;

	/* Only data has to be moved. */
	if (share->wanted >= share->before ||
	    sysfs_read_number(dev->dir, "tag_storage/blocks_used", &blocks) ||
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

	ret = device_read_number(dev, "tag_storage/size", &carveout);
	if (!ret)
		ret = device_read_number(dev, "tag_storage/block_size", &share.block);
	if (!ret)
		ret = device_read_number(dev, ATTR_LIMIT, &share.before);
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
		ret = device_read_number(dev, ATTR_LIMIT, &after);
	if (ret)
		return ret;
	printf("%s: %s -> %s\n", dev->path, size_format(a, share.before, exact),
	       size_format(b, after, exact));
	if (after != share.wanted) {
		report_err(dev->path, "wanted %s, but the limit is %s now; has somebody else changed it?",
			   size_format_whole(a, share.wanted), size_format_whole(b, after));
		return EXIT_ERROR;
	}
	return EXIT_OK;
}
