/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Slots: what each page of the device holds, in one 64-bit word for each.
 *
 * Knows objects of the pool and moves them; knows neither compression nor bios,
 * and builds in user space as it is (tests/host).
 */
#ifndef _MTETAGRAM_SLOT_H
#define _MTETAGRAM_SLOT_H

#include <linux/atomic.h>
#include <linux/cache.h>
#include <linux/spinlock.h>
#include <linux/types.h>

#include <asm/page.h>

#include "map.h"
#include "pool.h"
#include "spill.h"
#include "unit.h"

/* Enough that CPUs seldom meet, and only 16 KiB. */
#define MTG_SLOT_SETS	256

/* Lists of objects without a header, see &struct mtg_orphan. */
#define MTG_ORPHAN_LISTS	64

/* Slots whose words lie in one page: a table grows by such pages, which never move. */
#define MTG_CHUNK_SLOTS	(PAGE_SIZE / sizeof(u64))

/**
 * enum mtg_rung - where an object went that had to make way for tags
 * @MTG_RUNG_MOVE: To free granules of other blocks that are open or can be opened.
 * @MTG_RUNG_KEPT: To blocks that are kept for this and had to be opened, see
 *	&mtg_provider.get.
 * @MTG_RUNG_SPARE: To ordinary memory: a page that is in use or of the reserve.
 * @MTG_RUNG_ATOMIC: To a page that had to be allocated without waiting.
 * @MTG_RUNG_EMERGENCY: To one of those that the kernel keeps for itself.
 * @MTG_RUNG_REFUSE: Nowhere, the tags were refused.
 * @MTG_RUNG_LOSE: Nowhere, it was dropped: whoever tags could neither wait nor be
 *	refused. Only for such callers the emergency rung is tried.
 * @MTG_RUNGS: Number of rungs, which are tried in this order.
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

/**
 * struct mtg_slot_usage - what the slots hold
 * @stored: Slots that hold something.
 * @compr_size: Bytes of their payload.
 * @same: Slots that hold a repeated pattern.
 * @huge: Slots that hold an incompressible page.
 */
struct mtg_slot_usage {
	u64 stored;
	u64 compr_size;
	u64 same;
	u64 huge;
};

/**
 * struct mtg_slot_stats - counters of events
 * @huge_since: Incompressible pages ever stored.
 * @compacted: Blocks given back by mtg_slots_compact().
 * @relocated: Objects relocated within the pool, since it was set up.
 * @settled: Objects that came back from ordinary memory.
 * @rung: Objects by the rung that they ended on.
 */
struct mtg_slot_stats {
	atomic64_t huge_since;
	atomic64_t compacted;
	atomic64_t relocated;
	atomic64_t settled;
	atomic64_t rung[MTG_RUNGS];
};

/**
 * struct mtg_slot_set - the slots that share a lock
 * @lock: Protects the words of these slots, together with the objects that they own.
 *	Held for no longer than one object's copy. Outermost of our locks; raw, because
 *	blocks are emptied under raw locks of the caller; not taken in interrupts.
 * @stored: Part of &struct mtg_slot_usage, and so are the members after @spilled: here,
 *	no CPU writes what all others write too. Read without the lock.
 * @chunks: The pages with the words, MTG_CHUNK_SLOTS in each; under @lock. It is the
 *	same array for all sets, and so is @spilled, except while mtg_slots_grow() runs.
 * @spilled: One bit for each slot: its object is in ordinary memory. The slot's bit is
 *	changed under @lock, as the slot's word is.
 * @compr_size: See there.
 * @same: See there.
 * @huge: See there.
 *
 * No two sets share a cache line.
 */
struct mtg_slot_set {
	raw_spinlock_t lock;
	u32 stored;
	u64 **chunks;
	struct mtg_map *spilled;
	u64 compr_size;
	u32 same;
	u32 huge;
} ____cacheline_aligned_in_smp;

/**
 * struct mtg_slots - the slot table of a device
 * @sets: Slot N is in set N % MTG_SLOT_SETS. First, which saves instructions.
 * @name: Of the device, for log lines.
 * @pool: Where the objects are.
 * @broken: Tag storage was overwritten, see mtg_slots_stop(). A long, as is @unsettled: one
 *	arm64 instruction reaches a long behind @sets, and two a bool.
 * @unsettled: There may be objects in ordinary memory or in kept blocks: a hint for
 *	mtg_slot_free(), whether to look.
 * @orphans_allowed: All who hold a slot lock know that, see let_orphans_be().
 * @orphan_lock: Protects @orphans. From mtg_slots_stop() on, whoever holds a slot lock
 *	takes it as well, inside of that and outside the locks of the pool.
 * @orphans: Objects by their granule whose headers were overwritten.
 * @spill: Where those are that found no place in the pool.
 * @wake: Called when there is work for mtg_slots_settle(), if not NULL. Any
 *	context, no lock of ours held.
 * @cursor: Where mtg_slots_settle() goes on after mtg_slots_stop().
 * @kept_used: There may be objects in kept blocks.
 * @nr: Number of slots; there is one word for each, see slot.c.
 * @stats: Counters of events.
 */
struct mtg_slots {
	struct mtg_slot_set sets[MTG_SLOT_SETS];
	const char *name;
	struct mtg_pool *pool;
	unsigned long broken;
	unsigned long unsettled;
	bool orphans_allowed;
	raw_spinlock_t orphan_lock; /* see above */
	struct mtg_orphan *orphans[MTG_ORPHAN_LISTS];
	struct mtg_spill spill;
	void (*wake)(struct mtg_slots *slots);
	u32 cursor;
	bool kept_used;
	u32 nr;
	struct mtg_slot_stats stats;
};

struct mtg_slot_usage mtg_slots_usage(struct mtg_slots *slots);
int mtg_slots_init(struct mtg_slots *slots, const char *name, struct mtg_pool *pool,
		   u32 nr, unsigned int reserve);
int mtg_slots_grow(struct mtg_slots *slots, u32 nr);
size_t mtg_slots_metadata_size(struct mtg_slots *slots);
void mtg_slots_clear(struct mtg_slots *slots);
void mtg_slots_destroy(struct mtg_slots *slots);

int mtg_slot_store(struct mtg_slots *slots, u32 index, const void *data,
		   unsigned int len);
int mtg_slot_room(struct mtg_slots *slots, u32 index, unsigned int *len);
int mtg_slot_load_to(struct mtg_slots *slots, u32 index, void *buf, void *page);
bool mtg_slot_free(struct mtg_slots *slots, u32 index);

static inline int mtg_slot_load(struct mtg_slots *slots, u32 index, void *buf)
{
	return mtg_slot_load_to(slots, index, buf, buf);
}

int mtg_slots_evict(struct mtg_slots *slots, u32 block, enum mtg_rung last);
int mtg_slots_offline(struct mtg_slots *slots, u32 block);
void mtg_slots_stop(struct mtg_slots *slots);
bool mtg_slots_settle(struct mtg_slots *slots);
int mtg_slots_shrink(struct mtg_slots *slots, u32 nr_blocks);
void mtg_slots_compact(struct mtg_slots *slots);

#endif /* _MTETAGRAM_SLOT_H */
