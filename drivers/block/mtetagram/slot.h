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
#include <linux/spinlock.h>
#include <linux/types.h>

#include "pool.h"

/* A slot is 4 KiB, whatever the kernel's page size. */
#define MTG_SLOT_SIZE	4096
/* A page that is one 64-bit pattern all over is stored as that pattern. */
#define MTG_FILL_LEN	8

/* Hashed; enough that CPUs seldom meet, and only 1 KiB. */
#define MTG_SLOT_LOCKS	256

/**
 * struct mtg_slot_stats - counters of all slots
 * @stored: Slots that hold something.
 * @compr_size: Bytes of their payload.
 * @same: Slots that hold a repeated pattern.
 * @huge: Slots that hold an incompressible page.
 * @huge_since: Incompressible pages ever stored.
 * @moved: Objects relocated, since the pool was set up.
 * @spilled: Objects moved to ordinary memory, since the pool was set up.
 * @lost: Objects that had to be dropped.
 * @spilled_size: Bytes of ordinary memory that hold objects now.
 */
struct mtg_slot_stats {
	atomic64_t stored;
	atomic64_t compr_size;
	atomic64_t same;
	atomic64_t huge;
	atomic64_t huge_since;
	atomic64_t moved;
	atomic64_t spilled;
	atomic64_t lost;
	atomic64_t spilled_size;
};

/**
 * struct mtg_slots - the slot table of a device
 * @name: Of the device, for log lines.
 * @pool: Where the objects are.
 * @table: One word for each slot, see slot.c; under the slot's lock.
 * @nr: Number of slots.
 * @locks: Slot N is protected by lock N % MTG_SLOT_LOCKS, together with the
 *	object that it owns. Held for no longer than one object's copy. Outermost of
 *	our locks; raw, because blocks are emptied under raw locks of the caller; not
 *	taken in interrupts.
 * @stats: Counters.
 * @broken: An object with a damaged header was seen.
 */
struct mtg_slots {
	const char *name;
	struct mtg_pool *pool;
	u64 *table;
	u32 nr;
	raw_spinlock_t locks[MTG_SLOT_LOCKS];
	struct mtg_slot_stats stats;
	bool broken;
};

int mtg_slots_init(struct mtg_slots *slots, const char *name, struct mtg_pool *pool,
		   u32 nr);
void mtg_slots_clear(struct mtg_slots *slots);
void mtg_slots_destroy(struct mtg_slots *slots);

int mtg_slot_store(struct mtg_slots *slots, u32 index, const void *data,
		   unsigned int len);
int mtg_slot_load(struct mtg_slots *slots, u32 index, void *buf);
bool mtg_slot_free(struct mtg_slots *slots, u32 index);

void mtg_slots_vacate(struct mtg_slots *slots, u32 block);
int mtg_slots_shrink(struct mtg_slots *slots, u32 nr_blocks);

#endif /* _MTETAGRAM_SLOT_H */
