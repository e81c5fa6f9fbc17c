/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Relocation: move objects to another place, because their block is wanted for tags, because
 * its memory has failed, or because fewer blocks are to be used.
 */
#ifndef _MTETAGRAM_RELOCATE_H
#define _MTETAGRAM_RELOCATE_H

#include <linux/types.h>

struct mtg_slots;

/**
 * enum mtg_rung - a step of the search for a new place of an object
 * @MTG_RUNG_MOVE: Free granules of other blocks, which are open or can be opened.
 * @MTG_RUNG_KEPT: Kept blocks, which had to be opened for that, see &mtg_provider.get.
 * @MTG_RUNG_SPARE: Ordinary memory: a page that holds spilled objects, or a spare page.
 * @MTG_RUNG_ATOMIC: A page of ordinary memory that had to be allocated without waiting.
 * @MTG_RUNG_EMERGENCY: A page of the emergency reserves of the kernel.
 * @MTG_RUNG_REFUSE: No place was found, and the tags were refused.
 * @MTG_RUNG_LOSE: No place was found, and the object was dropped: the caller can neither wait
 *	nor refuse the tags. Only for such callers the emergency rung is tried.
 * @MTG_RUNGS: Number of rungs. They are tried in this order.
 */
enum mtg_rung {
	MTG_RUNG_MOVE,
	MTG_RUNG_KEPT,
	MTG_RUNG_SPARE,
	MTG_RUNG_ATOMIC,
	MTG_RUNG_EMERGENCY,
	MTG_RUNG_REFUSE,
	MTG_RUNG_LOSE,
	MTG_RUNGS
};

int mtg_slots_evict(struct mtg_slots *slots, u32 block, enum mtg_rung last);
int mtg_slots_offline(struct mtg_slots *slots, u32 block);
void mtg_slots_stop(struct mtg_slots *slots);
bool mtg_slots_settle(struct mtg_slots *slots);
int mtg_slots_shrink(struct mtg_slots *slots, u32 nr_blocks);
void mtg_slots_compact(struct mtg_slots *slots);

#endif /* _MTETAGRAM_RELOCATE_H */
