/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Slots: what each page of the device holds.
 *
 * The slots know the objects of the pool. They know neither compression nor bios, and build in
 * user space as they are (tests/host).
 */
#ifndef _MTETAGRAM_SLOT_H
#define _MTETAGRAM_SLOT_H

#include <linux/atomic.h>
#include <linux/cache.h>
#include <linux/compiler.h>
#include <linux/spinlock.h>
#include <linux/types.h>

#include <asm/page.h>

#include "map.h"
#include "pool.h"
#include "relocate.h"
#include "spill.h"
#include "unit.h"

/* With so many sets two CPUs rarely want the same lock, and the sets take only 16 KiB. */
#define MTG_SLOT_SETS	256

/* Number of lists of orphans, see &struct mtg_orphan. */
#define MTG_ORPHAN_LISTS	64

/* Slots whose words lie in one chunk: a page. A table grows by chunks, which never move. */
#define MTG_CHUNK_SLOTS	(PAGE_SIZE / sizeof(u64))

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
 * enum mtg_slot_event - what the slot table counts
 * @MTG_STORED_HUGE: A raw page was stored.
 * @MTG_COMPACTED: mtg_slots_compact() has given back a block.
 * @MTG_RELOCATED: An object was relocated within the pool.
 * @MTG_SETTLED: A spilled object came back into the pool.
 * @MTG_SLOT_EVENTS: Number of events.
 */
enum mtg_slot_event {
	MTG_STORED_HUGE,
	MTG_COMPACTED,
	MTG_RELOCATED,
	MTG_SETTLED,
	MTG_SLOT_EVENTS
};

/**
 * struct mtg_slot_set - the slots that share a lock
 * @lock: Protects the words of these slots, together with the objects that they own. Held for
 *	at most one copy of an object. Outermost of the locks of slots and pool. Raw, because
 *	blocks are evicted under raw locks of the caller. Not taken in interrupts.
 * @stored: Part of &struct mtg_slot_usage, as are @compr_size, @same and @huge. As each set
 *	has its own counters, not all CPUs write the same ones. Read without the lock.
 * @chunks: The chunks: pages with MTG_CHUNK_SLOTS words each. All sets have the same array,
 *	and the same @spilled, except while mtg_slots_grow() runs. Under @lock.
 * @spilled: One bit for each slot: its object is spilled. The bit of a slot is changed under
 *	@lock, as its word is.
 * @compr_size: See @stored.
 * @same: See @stored.
 * @huge: See @stored.
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
 * @sets: Slot N is in set N % MTG_SLOT_SETS. The first member, which saves instructions.
 * @name: Name of the device, for log lines.
 * @pool: The pool with the objects.
 * @broken: Tag storage was overwritten, see mtg_slots_stop(). @broken and @unsettled are
 *	longs, because they lie far behind the beginning: one instruction of arm64 loads a long
 *	from there, and two load a bool.
 * @unsettled: There may be objects in ordinary memory or in kept blocks: a hint for
 *	mtg_slot_free(), whether to look.
 * @orphans_allowed: Each holder of a slot lock knows @broken, see let_orphans_be().
 * @orphan_lock: Protects @orphans. From mtg_slots_stop() on, each holder of a slot lock that
 *	accesses an object takes this lock too. Inside the slot lock and outside the locks of
 *	the pool.
 * @orphans: Lists of orphans, by the granule where the orphan was.
 * @spill: The spilled objects and the spare pages.
 * @wake: Called when there is work for mtg_slots_settle(), if not NULL. In any context, with
 *	no lock of the slots held.
 * @cursor: The slot where mtg_slots_settle() goes on after mtg_slots_stop().
 * @kept_used: There may be objects in kept blocks.
 * @nr: Number of slots.
 * @events: How often each &enum mtg_slot_event has happened.
 * @rung: Evicted objects, by the rung that has found their new place.
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
	atomic64_t events[MTG_SLOT_EVENTS];
	atomic64_t rung[MTG_RUNGS];
};

/**
 * mtg_slots_stopped() - does the table store nothing any more?
 * @slots: The table.
 *
 * Context: Any.
 * Return: True after mtg_slots_stop().
 */
static inline bool mtg_slots_stopped(const struct mtg_slots *slots)
{
	return READ_ONCE(slots->broken);
}

/**
 * mtg_slots_unsettled() - are there objects that mtg_slots_settle() could move?
 * @slots: The table.
 *
 * Context: Any. A hint.
 * Return: True if there are objects in ordinary memory or in kept blocks.
 */
static inline bool mtg_slots_unsettled(const struct mtg_slots *slots)
{
	return mtg_spill_nr_pages(&slots->spill) || READ_ONCE(slots->kept_used);
}

/**
 * mtg_slots_events() - how often has something happened?
 * @slots: The table.
 * @event: The event.
 *
 * Context: Any.
 * Return: How often it has happened since the table was set up.
 */
static inline u64 mtg_slots_events(const struct mtg_slots *slots, enum mtg_slot_event event)
{
	return atomic64_read(&slots->events[event]);
}

/**
 * mtg_slots_rung() - how many objects have ended on a rung?
 * @slots: The table.
 * @rung: The rung.
 *
 * Context: Any.
 * Return: Their number since the table was set up.
 */
static inline u64 mtg_slots_rung(const struct mtg_slots *slots, enum mtg_rung rung)
{
	return atomic64_read(&slots->rung[rung]);
}

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

/**
 * mtg_slot_load() - copy out the contents of a slot, raw pages too
 * @slots: The table.
 * @index: The slot.
 * @buf: Room for MTG_SLOT_SIZE bytes, aligned to 4.
 *
 * Context: As of mtg_slot_load_to().
 * Return: As of mtg_slot_load_to().
 */
static inline int mtg_slot_load(struct mtg_slots *slots, u32 index, void *buf)
{
	return mtg_slot_load_to(slots, index, buf, buf);
}

#endif /* _MTETAGRAM_SLOT_H */
