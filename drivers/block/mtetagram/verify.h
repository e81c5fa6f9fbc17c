/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Does the machine keep its tags where the device tree says?
 *
 * Between verify.c (built in) and its callers: region.c at boot, the driver later.
 */
#ifndef _MTETAGRAM_VERIFY_H
#define _MTETAGRAM_VERIFY_H

#include <linux/types.h>

struct mtg_region;

/**
 * enum mtg_verdict - what came of the last verification of a region
 * @MTG_VERIFY_NONE: There was none, or it checked no block.
 * @MTG_VERIFY_OK: Each block that was checked is where the device tree says.
 * @MTG_VERIFY_STOPPED: A signal has ended the verification before its end.
 * @MTG_VERIFY_WRONG: A block is not where the device tree says.
 * @MTG_VERIFY_RUNNING: The verification has not ended yet.
 */
enum mtg_verdict {
	MTG_VERIFY_NONE,
	MTG_VERIFY_OK,
	MTG_VERIFY_STOPPED,
	MTG_VERIFY_WRONG,
	MTG_VERIFY_RUNNING,
};

/**
 * struct mtg_verification - the last verification of a region
 * @verdict: &enum mtg_verdict.
 * @nr_places: Number of places in the region where blocks are checked.
 * @nr_checked: Number of places where a block was checked.
 * @nr_no_page: Number of places where none of the data pages is free.
 * @nr_in_use: Number of places where each block holds tags or data.
 */
struct mtg_verification {
	enum mtg_verdict verdict;
	u32 nr_places;
	u32 nr_checked;
	u32 nr_no_page;
	u32 nr_in_use;
};

void mtg_verify_at_boot(struct mtg_region **regions, unsigned int nr);
int mtg_region_verify(struct mtg_region *region, bool all);
void mtg_region_verified(struct mtg_region *region, struct mtg_verification *result);

#endif /* _MTETAGRAM_VERIFY_H */
