// SPDX-License-Identifier: GPL-2.0
/*
 * Relocation of the objects that slots own.
 *
 * An object is in the pool if and only if the word of its owner points to it, seen under the
 * owner's lock. So a block can be evicted while everything else goes on: find an object in
 * the bitmap of the pool, read its owner, lock the owner, and look again.
 *
 * An evicted object goes to the first place that has room: see &enum mtg_rung. The worker
 * settles spilled objects later, that is, it brings them back into the pool.
 *
 * An orphan is an object in the pool whose header was overwritten. The header does not name
 * the owner, but the word of the owner still points to the object. If the block of an orphan
 * is evicted, the orphan goes to ordinary memory, and its start bit in the pool is cleared.
 * Its granules stay in use, so no other object can begin there. An access to the owner finds
 * no object where the word points, but an orphan of that granule. Before such a header is
 * found, all this costs one branch for each access.
 *
 * Lock order: slot lock > orphan lock > group lock (pool.c) > tag block lock (tagblock.c),
 * and orphan lock > spill lock (spill.c).
 */

#include <kunit/visibility.h>
#include <linux/compiler.h>
#include <linux/errno.h>
#include <linux/gfp.h>
#include <linux/lockdep.h>
#include <linux/minmax.h>
#include <linux/printk.h>
#include <linux/sched.h>
#include <linux/string.h>

#include "inject.h"
#include "relocate.h"
#include "slot_table.h"
#include "trace.h"

/*
 * Number of groups that compaction tries to evict in vain before it ends. The holes in the
 * groups that are left are too small.
 */
#define COMPACT_PATIENCE	16

/* Other CPUs may take the spare page that was meant for an object, but hardly so many times. */
#define OFFLINE_TRIES		4

/* Blocks that are searched for kept blocks before other tasks may run: 8 KiB of a bitmap. */
#define KEPT_AT_ONCE		65536U

/*
 * Free runs in the pool that are looked at for the objects of 4 KiB of a block. After that, the
 * other objects of the block are spilled. So the search is short even if there are small holes
 * everywhere. Objects of heap pages need 8 to 16 in the median, and 30 at most.
 */
#define MAX_RUNS		128
#define MIN_BLOCK_GRANULES	(4096 / MTG_GRANULE_SIZE)

/*
 * Lock a set, and the orphan lock too after mtg_slots_stop(). Returns true if the orphan lock is
 * held: the caller passes that to unlock_set().
 */
static __always_inline bool lock_set(struct mtg_slots *slots, struct mtg_slot_set *set)
{
	raw_spin_lock(&set->lock);
	if (likely(!mtg_slots_stopped(slots)))
		return false;
	raw_spin_lock(&slots->orphan_lock);
	__release(&slots->orphan_lock); /* sparse does not know */
	return true;
}

static __always_inline void unlock_set(struct mtg_slots *slots, struct mtg_slot_set *set,
				       bool stopped)
{
	if (unlikely(stopped)) {
		__acquire(&slots->orphan_lock); /* see above */
		raw_spin_unlock(&slots->orphan_lock);
	}
	raw_spin_unlock(&set->lock);
}

static void note_kept_used(struct mtg_slots *slots)
{
	WRITE_ONCE(slots->kept_used, true);
	smp_mb(); /* Pairs with the one in note_settled(). */
	WRITE_ONCE(slots->unsettled, true);
}

/*
 * The number of slots, for readers that race with mtg_slots_grow(): a table that is looked up
 * after this has at least so many words.
 */
static u32 nr_words(struct mtg_slots *slots)
{
	/* Pairs with the smp_store_release() in mtg_slots_grow(). */
	return smp_load_acquire(&slots->nr);
}

/* Does the slot own the object at @granule? @index may be garbage. */
static bool refers_to(struct mtg_slots *slots, u32 index, u32 granule)
{
	u64 word = index < nr_words(slots) ? *slot_word(slots, index) : SLOT_EMPTY;

	return word_type(word) == SLOT_OBJECT && object_granule(word) == granule;
}

/*
 * The payload of the object that @word points to, under the locks of lock_set(). NULL if the
 * object was lost.
 */
static __always_inline const void *object_data(struct mtg_slots *slots, u64 word)
{
	if (likely(!mtg_slots_stopped(slots)))
		return mtg_pool_data(slots->pool, object_granule(word), object_len(word));
	return mtg_orphan_data(slots, word);
}

/*
 * The last resort: drop the object, and let reads of its slot fail. That is better than tags
 * that overwrite data unnoticed, or data that overwrites tags. Always returns 0.
 */
static int lose_object(struct mtg_slots *slots, u32 index)
{
	u64 *word = slot_word(slots, index), old = *word;

	account_change(slot_set(slots, index), old, SLOT_LOST);
	*word = SLOT_LOST;
	free_object(slots, old);
	trace_mtetagram_fail(slots->name, mtg_pool_block_of(slots->pool, object_granule(old)),
			     MTG_RUNG_LOSE);
	pr_err_ratelimited("%s: no memory to relocate slot %u, its data is lost\n",
			   slots->name, index);
	return 0;
}

/* Copy the slot's object to another place in the pool, under the slot's lock. */
static int move_object(struct mtg_slots *slots, u32 index, enum mtg_alloc_mode mode,
		       unsigned int *runs)
{
	u64 *word = slot_word(slots, index), old = *word;
	const void *data = object_data(slots, old);
	unsigned int len = object_len(old);
	u32 granule;
	int ret;

	lockdep_assert_held(&slot_set(slots, index)->lock);

	if (!data)
		return lose_object(slots, index);
	ret = mtg_pool_alloc_counted(slots->pool, len, index, mode, &granule, runs);
	if (ret)
		return ret;
	memcpy(mtg_pool_data(slots->pool, granule, len), data, len);
	*word = make_object(granule, len);
	free_object(slots, old);
	atomic64_inc(&slots->events[MTG_RELOCATED]);
	trace_mtetagram_relocate(slots->name, mtg_pool_block_of(slots->pool, object_granule(old)),
				 index, len, mtg_pool_block_of(slots->pool, granule));
	return 0;
}

/*
 * Copy the slot's object to a spare page of ordinary memory, under the slot's lock. Returns
 * -ENOMEM if there is no spare page.
 */
static int spill_object(struct mtg_slots *slots, u32 index, enum mtg_rung rung)
{
	u64 *word = slot_word(slots, index), old = *word;
	unsigned int len = object_len(old);
	const void *data = object_data(slots, old);
	struct spilled *spilled;
	void *memory;

	lockdep_assert_held(&slot_set(slots, index)->lock);

	if (!data)
		return lose_object(slots, index);
	memory = mtg_spill_alloc(&slots->spill, spilled_size(len));
	if (!memory)
		return -ENOMEM;
	spilled = memory;
	if (len == MTG_SLOT_SIZE) {
		memcpy(memory, data, len);
		*word = (uintptr_t)memory | SLOT_SPILL_RAW;
	} else {
		spilled->len = len;
		memcpy(spilled->data, data, len);
		*word = (uintptr_t)memory | SLOT_SPILL;
	}
	mtg_map_set(slot_set(slots, index)->spilled, index);
	smp_mb(); /* Pairs with the one in note_settled(). */
	WRITE_ONCE(slots->unsettled, true);
	free_object(slots, old);
	trace_mtetagram_spill(slots->name, mtg_pool_block_of(slots->pool, object_granule(old)),
			      index, len, rung);
	return 0;
}

/**
 * mtg_slots_stop() - store nothing any more, as something overwrites tag storage
 * @slots: The table.
 *
 * For errors that the driver cannot have made: tags are stored in a way that the hook does not
 * know, or the device tree is wrong about the place of the tags. Stored contents can still be
 * read and freed. mtg_slots_settle() moves them out of tag storage, before more of them is
 * overwritten. The table stays stopped for the rest of its life.
 *
 * Context: Any but interrupts; no slot lock held.
 */
void mtg_slots_stop(struct mtg_slots *slots)
{
	if (mtg_slots_stopped(slots))
		return;
	WRITE_ONCE(slots->broken, true);
	pr_err("%s: tag storage was overwritten, nothing is stored any more until the next reset\n",
	       slots->name);
	if (slots->wake)
		slots->wake(slots);
}
EXPORT_SYMBOL_IF_KUNIT(mtg_slots_stop);

/*
 * Is the header of the object damaged? The caller holds the lock of slot @index. The header has
 * named that slot as the owner, but the slot does not own the object. If the header still
 * names the slot, no store or free is under way that would explain it.
 */
static bool damaged(struct mtg_slots *slots, u32 granule, u32 index)
{
	u32 owner;

	return mtg_pool_owner(slots->pool, granule, &owner) && owner == index;
}

static void count_rung(struct mtg_slots *slots, enum mtg_rung rung)
{
	atomic64_inc(&slots->rung[rung]);
}

/*
 * A CPU that took a slot lock before mtg_slots_stop() does not hold the orphan lock. Wait for
 * all such CPUs: take each slot lock once. After that, each holder of a slot lock knows that
 * there may be orphans.
 */
static void let_orphans_be(struct mtg_slots *slots)
{
	unsigned int i;

	/* Pairs with the smp_store_release() below, by another CPU. */
	if (smp_load_acquire(&slots->orphans_allowed))
		return;
	for (i = 0; i < MTG_SLOT_SETS; i++) {
		raw_spin_lock(&slots->sets[i].lock);
		raw_spin_unlock(&slots->sets[i].lock);
	}
	/* Pairs with the smp_load_acquire() above. */
	smp_store_release(&slots->orphans_allowed, true);
}

/**
 * struct eviction - a block that is being evicted
 * @start: The first granule of the block.
 * @mode: MTG_MOVE: objects may take all rungs. Any other mode: objects stay in the pool, and
 *	mtg_pool_alloc() says which blocks may be opened.
 * @last: The last rung in mode MTG_MOVE, see mtg_slots_evict().
 * @may_sleep: Spare pages may be allocated between two objects.
 * @too_long: Length of the shortest object that has found no room in the pool. Longer objects
 *	are not tried there, or a full pool would be searched for each of them. If others free
 *	something meanwhile, that room is not used; that does no harm.
 * @runs: Number of free runs that were looked at. After MAX_RUNS for each 4 KiB of the block,
 *	no object is moved within the pool in mode MTG_MOVE.
 */
struct eviction {
	u32 start;
	enum mtg_alloc_mode mode;
	enum mtg_rung last;
	bool may_sleep;
	unsigned int too_long;
	unsigned int runs;
};

/*
 * The object's header names a slot that does not own the object. The header is not used. The
 * owner is not searched either, as that would take the longer the larger the table is. If the
 * object reaches into the block that is wanted for tags, it becomes an orphan.
 */
static noinline int make_orphan(struct mtg_slots *slots, u32 granule,
				const struct eviction *ev, enum mtg_rung *rung)
{
	unsigned int granules;
	int ret = 0;

	if (!mtg_slots_stopped(slots))
		pr_err("%s: object at granule %u has a damaged header\n", slots->name, granule);
	mtg_slots_stop(slots);
	if (ev->mode != MTG_MOVE)
		return -ENOSPC;
	let_orphans_be(slots);
	raw_spin_lock(&slots->orphan_lock);
	granules = mtg_pool_extent(slots->pool, granule);
	if (granules && granule + granules > ev->start) {
		if (*rung < MTG_RUNG_SPARE)
			*rung = MTG_RUNG_SPARE;
		ret = *rung == MTG_RUNG_LOSE ? -EIO :
		      mtg_orphan_keep(slots, granule, granules);
		if (ret == -EIO) {
			*rung = MTG_RUNG_LOSE;
			pr_err_ratelimited("%s: an object without a header is lost\n",
					   slots->name);
			ret = 0;
		}
		if (!ret) {
			mtg_pool_disown(slots->pool, granule);
			count_rung(slots, *rung);
		}
	}
	raw_spin_unlock(&slots->orphan_lock);
	return ret;
}

/* Is it worth it to look for room in the pool? */
static bool may_find_room(struct mtg_slots *slots, const struct eviction *ev,
			  unsigned int len)
{
	return len < ev->too_long &&
	       ev->runs < MAX_RUNS * mtg_pool_block_start(slots->pool, 1) / MIN_BLOCK_GRANULES;
}

/* Try the rungs within the pool. Returns true if the object was moved. */
static bool move_elsewhere(struct mtg_slots *slots, u32 index, struct eviction *ev,
			   enum mtg_rung *rung)
{
	*rung = MTG_RUNG_MOVE;
	if (!mtg_should_fail(*rung) && !move_object(slots, index, MTG_MOVE, &ev->runs))
		return true;
	*rung = MTG_RUNG_KEPT;
	if (mtg_should_fail(*rung) || move_object(slots, index, MTG_KEPT, &ev->runs))
		return false;
	note_kept_used(slots);
	return true;
}

/*
 * Try the rungs that need no memory allocation, under the slot's lock. Returns -ENOMEM if the
 * object must be spilled and there is no spare page.
 */
static int relocate(struct mtg_slots *slots, u32 index, struct eviction *ev,
		    enum mtg_rung *rung)
{
	unsigned int len = object_len(*slot_word(slots, index));

	if (*rung <= MTG_RUNG_SPARE) {
		if (may_find_room(slots, ev, len)) {
			if (move_elsewhere(slots, index, ev, rung))
				return 0;
			ev->too_long = len;
		}
		*rung = MTG_RUNG_SPARE;
		if (mtg_should_fail(*rung))
			return -ENOMEM;
	}
	return spill_object(slots, index, *rung);
}

/*
 * There was no spare page: try to allocate one, on the rungs up to @last. Returns the rung that
 * had a page. If none had, the tags are refused or the object is lost. The emergency reserves
 * are only for callers that would lose data without them.
 */
static enum mtg_rung next_rung(struct mtg_slots *slots, enum mtg_rung rung,
			       enum mtg_rung last)
{
	if (last < MTG_RUNG_ATOMIC)
		return MTG_RUNG_REFUSE;
	if (rung <= MTG_RUNG_ATOMIC && !mtg_should_fail(MTG_RUNG_ATOMIC) &&
	    mtg_spill_grow(&slots->spill, GFP_ATOMIC))
		return MTG_RUNG_ATOMIC;
	if (last < MTG_RUNG_EMERGENCY)
		return MTG_RUNG_REFUSE;
	if (!mtg_should_fail(MTG_RUNG_EMERGENCY) &&
	    mtg_spill_grow(&slots->spill, GFP_ATOMIC | __GFP_MEMALLOC))
		return MTG_RUNG_EMERGENCY;
	return MTG_RUNG_LOSE;
}

/*
 * Try to evict the object at @granule, if it reaches into the block; in mode MTG_MOVE by way of
 * @rung. Returns -EAGAIN if the owner has changed meanwhile.
 */
static int evict_once(struct mtg_slots *slots, u32 granule, struct eviction *ev,
		      enum mtg_rung *rung)
{
	bool wrong = false, stopped;
	struct mtg_slot_set *set;
	int ret = 0;
	u32 index;

	if (!mtg_pool_owner(slots->pool, granule, &index))
		return 0;
	set = slot_set(slots, index);
	stopped = lock_set(slots, set);
	if (!refers_to(slots, index, granule)) {
		wrong = damaged(slots, granule, index);
		ret = -EAGAIN;
	} else if (granule + mtg_granules(object_len(*slot_word(slots, index))) > ev->start) {
		if (ev->mode != MTG_MOVE)
			ret = move_object(slots, index, ev->mode, &ev->runs);
		else if (*rung == MTG_RUNG_LOSE)
			lose_object(slots, index);
		else
			ret = relocate(slots, index, ev, rung);
		if (ev->mode == MTG_MOVE && !ret)
			count_rung(slots, *rung);
	}
	unlock_set(slots, set, stopped);
	return wrong ? make_orphan(slots, granule, ev, rung) : ret;
}

/*
 * Evict the object at @granule, if it reaches into the block. In mode MTG_MOVE the only error
 * is -ENOMEM, if the caller can refuse the tags. In other modes the errors are those of
 * mtg_pool_alloc().
 */
static int evict_object(struct mtg_slots *slots, u32 granule, struct eviction *ev)
{
	enum mtg_rung rung = MTG_RUNG_MOVE;
	bool searched = false;
	int ret;

	while ((ret = evict_once(slots, granule, ev, &rung))) {
		if (ret == -EAGAIN)
			continue;
		if (ret != -ENOMEM)
			return ret;
		rung = next_rung(slots, rung, ev->last);
		if (rung >= MTG_RUNG_REFUSE && ev->last > MTG_RUNG_SPARE && !searched) {
			/* Before data is dropped or a process is killed, search the whole pool. */
			searched = true;
			ev->runs = 0;
			rung = MTG_RUNG_MOVE;
			continue;
		}
		if (rung == MTG_RUNG_REFUSE)
			return ret;
	}
	return 0;
}

static int evict_block(struct mtg_slots *slots, u32 block, struct eviction ev)
{
	struct mtg_spill *spill = &slots->spill;
	u32 granule;
	int ret = 0;

	ev.start = mtg_pool_block_start(slots->pool, block);
	ev.too_long = UINT_MAX;
	mtg_pool_close(slots->pool, block);
	for (granule = mtg_pool_first_object(slots->pool, block);
	     granule != MTG_NO_GRANULE && !ret;
	     granule = mtg_pool_next_object(slots->pool, block, granule)) {
		/* No object needs more than one spare page. */
		if (ev.may_sleep &&
		    !mtg_spill_fill(spill, 1, GFP_KERNEL | __GFP_RETRY_MAYFAIL))
			return -ENOMEM;
		ret = evict_object(slots, granule, &ev);
	}
	return ret;
}

/* Evict a block into other blocks only, as mtg_pool_alloc() allows in that mode. */
static int evict_within_pool(struct mtg_slots *slots, u32 block, enum mtg_alloc_mode mode)
{
	return evict_block(slots, block, (struct eviction){ .mode = mode });
}

/**
 * mtg_slots_evict() - move all objects out of a block that is wanted for tags
 * @slots: The table.
 * @block: The block.
 * @last: The last rung to try. MTG_RUNG_SPARE for a caller that can make room and try again;
 *	MTG_RUNG_ATOMIC for a caller that holds locks and can refuse the tags; MTG_RUNG_LOSE
 *	for a caller that can do neither.
 *
 * Each object goes to the first rung that has room, see &enum mtg_rung.
 *
 * Context: Atomic or not; not in interrupts. Never sleeps. The work is bounded by the number
 *          and the size of the objects that one block can hold.
 * Return: 0, and the block is empty. -ENOMEM if there is no memory: then the block is closed
 *         and some objects are left in it, and the caller must call mtg_pool_reopen(). Never
 *         -ENOMEM if @last is MTG_RUNG_LOSE.
 */
int mtg_slots_evict(struct mtg_slots *slots, u32 block, enum mtg_rung last)
{
	int ret = evict_block(slots, block, (struct eviction){ .mode = MTG_MOVE, .last = last });

	/* A caller that prepares makes room and tries again: nothing is refused yet. */
	if (ret && last > MTG_RUNG_SPARE) {
		count_rung(slots, MTG_RUNG_REFUSE);
		trace_mtetagram_fail(slots->name, block, MTG_RUNG_REFUSE);
	}
	mtg_slots_wake(slots);
	return ret;
}
EXPORT_SYMBOL_IF_KUNIT(mtg_slots_evict);

/*
 * Evict the open blocks in [@first, @end), which are all in one group, into other blocks. A
 * block with objects for which there is no room stays open.
 */
static void evict_blocks_within(struct mtg_slots *slots, u32 first, u32 end)
{
	struct mtg_pool *pool = slots->pool;
	unsigned int closed = 0;
	u32 block;

	for (block = first; block < end; block++)
		if (mtg_pool_close(pool, block))
			closed |= 1U << (block - first);
	for (block = first; block < end; block++)
		if (closed & 1U << (block - first))
			evict_within_pool(slots, block, MTG_SHRINK);
	for (block = first; block < end; block++)
		if (closed & 1U << (block - first))
			mtg_pool_reopen(pool, block);
}

/*
 * Evict blocks, @step of them at a time, until only @nr_blocks are open. The emptiest groups
 * come first, as that moves the least. Give up after @patience failures in a row, or when no
 * block is left to try. Returns true if only @nr_blocks are open.
 */
static bool compact_groups(struct mtg_slots *slots, u32 nr_blocks, unsigned int step,
			   unsigned int patience)
{
	struct mtg_pool *pool = slots->pool;
	unsigned int per_group = mtg_pool_group_granules(pool), max, failed = 0;
	u32 block, nr_open, blocks = mtg_pool_blocks_per_group(pool);

	for (max = per_group / 16; max <= per_group; max += per_group / 16) {
		for (block = 0; block < mtg_pool_nr_blocks(pool); block += step) {
			nr_open = mtg_pool_nr_open(pool);
			if (nr_open <= nr_blocks)
				return true;
			/* Here, as there may be millions of blocks to leave alone. */
			cond_resched();
			if (mtg_pool_used_in(pool, block / blocks) > max) {
				/* Skip the rest of the group: the loop adds "step". */
				block |= blocks - 1;
				block -= step - 1;
				continue;
			}
			evict_blocks_within(slots, block,
					    min(block + step, mtg_pool_nr_blocks(pool)));
			failed = mtg_pool_nr_open(pool) < nr_open ? 0 : failed + 1;
			if (failed > patience)
				return false;
		}
	}
	return false;
}

/*
 * First evict whole groups, as large objects find no room between the objects of other groups.
 * Then evict single blocks, whose objects may fit into the same group.
 */
static void compact_to(struct mtg_slots *slots, u32 nr_blocks, unsigned int patience)
{
	/* After mtg_slots_stop() all objects leave the pool anyway. */
	if (mtg_slots_stopped(slots))
		return;
	if (!compact_groups(slots, nr_blocks, mtg_pool_blocks_per_group(slots->pool), patience))
		compact_groups(slots, nr_blocks, 1, patience);
}

/**
 * mtg_slots_offline() - move all objects out of a block that must not hold data
 * @slots: The table.
 * @block: The block. The provider does not give it to the pool again.
 *
 * Context: Process context, may sleep. The caller serialises calls, also with
 *          mtg_slots_shrink().
 * Return: 0, and the block was given back; -ENOMEM if there is no memory for its objects, and
 *         then some of them may have moved.
 */
int mtg_slots_offline(struct mtg_slots *slots, u32 block)
{
	struct eviction ev = {
		.mode = MTG_MOVE,
		.last = MTG_RUNG_SPARE,
		.may_sleep = true,
	};
	unsigned int tries = OFFLINE_TRIES;
	int ret;

	do
		ret = evict_block(slots, block, ev);
	while (ret && --tries);
	mtg_pool_reopen(slots->pool, block);
	return ret;
}

/*
 * Bring the spilled object of a slot back into the pool, if the slot has one and the object is
 * shorter than @too_long. If there is no room for it, its length becomes the new @too_long.
 * Returns true if the object is back.
 */
static bool settle_slot(struct mtg_slots *slots, u32 index, unsigned int *too_long)
{
	struct mtg_slot_set *set = slot_set(slots, index);
	bool settled = false, stopped;
	unsigned int len;
	u64 *word, old;
	u32 granule;

	stopped = lock_set(slots, set);
	word = word_in_set(set, index);
	old = *word;
	len = slot_len(old);
	if (stopped || !is_spilled(old) || len >= *too_long)
		goto out;
	if (mtg_pool_alloc(slots->pool, len, index, MTG_STORE, &granule)) {
		*too_long = len;
		goto out;
	}
	memcpy(mtg_pool_data(slots->pool, granule, len),
	       word_type(old) == SLOT_SPILL_RAW ? slot_pointer(old) :
	       ((struct spilled *)slot_pointer(old))->data, len);
	*word = make_object(granule, len);
	mtg_slot_free_spilled(slots, index, old);
	atomic64_inc(&slots->events[MTG_SETTLED]);
	settled = true;
out:
	unlock_set(slots, set, stopped);
	return settled;
}

/* Settle all objects that find room. After one that finds none, only shorter ones are tried. */
static bool settle_all(struct mtg_slots *slots)
{
	const struct mtg_map *spilled = slots->sets[0].spilled;
	unsigned int too_long = UINT_MAX;
	bool any = false;
	u32 index;

	for (index = mtg_map_next(spilled, 0, NULL, false); index < spilled->nr;
	     index = mtg_map_next(spilled, index + 1, NULL, false)) {
		any |= settle_slot(slots, index, &too_long);
		cond_resched();
	}
	return any;
}

/* Evict the kept blocks in [@block, @end) into other blocks. */
static void evict_kept_between(struct mtg_slots *slots, u32 block, u32 end)
{
	struct mtg_pool *pool = slots->pool;

	for (block = mtg_pool_next_kept(pool, block, end); block < end;
	     block = mtg_pool_next_kept(pool, block + 1, end)) {
		cond_resched();
		if (mtg_pool_weight(pool, block) == UINT_MAX)
			continue;
		if (evict_within_pool(slots, block, MTG_STORE))
			note_kept_used(slots);
		mtg_pool_reopen(pool, block);
	}
}

/* Evict the kept blocks into other blocks, as far as there is room for new data. */
static void evict_kept_blocks(struct mtg_slots *slots)
{
	u32 block, nr = mtg_pool_nr_blocks(slots->pool);

	for (block = 0; block < nr; block += min(KEPT_AT_ONCE, nr - block)) {
		evict_kept_between(slots, block, block + min(KEPT_AT_ONCE, nr - block));
		cond_resched();
	}
}

/* Spill the slot's object, if it has one in the pool. Returns false if there is no memory. */
static bool take_out_of_pool(struct mtg_slots *slots, u32 index)
{
	struct mtg_slot_set *set = slot_set(slots, index);
	struct mtg_spill *spill = &slots->spill;
	bool stopped;
	int ret = 0;

	/* One page more than the target, as the target is for evictions. */
	if (!mtg_spill_fill(spill, READ_ONCE(spill->target) + 1, GFP_KERNEL | __GFP_NORETRY))
		return false;
	stopped = lock_set(slots, set);
	if (word_type(*word_in_set(set, index)) == SLOT_OBJECT) {
		ret = spill_object(slots, index, MTG_RUNG_SPARE);
		if (!ret)
			count_rung(slots, MTG_RUNG_SPARE);
	}
	unlock_set(slots, set, stopped);
	return !ret;
}

/* Spill all objects, slot by slot: after mtg_slots_stop() what is in the pool is not trusted. */
static void empty_pool(struct mtg_slots *slots)
{
	u32 n;

	for (n = 0; n < slots->nr && mtg_pool_used_granules(slots->pool); n++) {
		/* The next run goes on here, when there is memory again. */
		if (!take_out_of_pool(slots, slots->cursor))
			return;
		slots->cursor = (slots->cursor + 1) % slots->nr;
		cond_resched();
	}
}

/*
 * If nothing is left to settle, frees need not look for it any more. Not earlier: what is freed
 * while the worker runs is room that the worker may already have missed, so it has to be woken.
 */
static void note_settled(struct mtg_slots *slots)
{
	if (mtg_slots_unsettled(slots))
		return;
	WRITE_ONCE(slots->unsettled, false);
	smp_mb(); /* Pairs with those in spill_object() and note_kept_used(). */
	if (mtg_slots_unsettled(slots))
		WRITE_ONCE(slots->unsettled, true);
}

/**
 * mtg_slots_settle() - bring evicted objects back
 * @slots: The table.
 *
 * Spilled objects go back into the pool, as long as there is room for new data. Kept blocks are
 * evicted, so that they are free for the next burst. To be called again when something was
 * freed, see &mtg_slots.wake. After mtg_slots_stop() the direction is the opposite one: all
 * objects go to ordinary memory, as far as there is some.
 *
 * The work depends on the number of spilled objects and of kept blocks, and not on the size of
 * the table or of the arena. No lock is held for longer than one object takes.
 *
 * Context: Process context, may sleep. The caller serialises calls, also with
 *          mtg_slots_shrink() and mtg_slots_grow().
 * Return: True if an object was moved.
 */
bool mtg_slots_settle(struct mtg_slots *slots)
{
	u64 moved = mtg_slots_events(slots, MTG_RELOCATED), left;
	bool any;

	if (mtg_slots_stopped(slots)) {
		left = mtg_pool_used_granules(slots->pool);
		empty_pool(slots);
		return left > mtg_pool_used_granules(slots->pool);
	}
	any = settle_all(slots);
	if (READ_ONCE(slots->kept_used)) {
		WRITE_ONCE(slots->kept_used, false);
		evict_kept_blocks(slots);
		any |= moved != mtg_slots_events(slots, MTG_RELOCATED);
	}
	note_settled(slots);
	return any;
}
EXPORT_SYMBOL_IF_KUNIT(mtg_slots_settle);

/**
 * mtg_slots_shrink() - let the objects use fewer blocks
 * @slots: The table.
 * @nr_blocks: Number of blocks that may be in use.
 *
 * Context: Process context, may sleep. The caller serialises calls.
 * Return: 0, and the share of the pool is @nr_blocks; -ENOSPC if the objects do not fit, and
 *         then the share is as before.
 */
int mtg_slots_shrink(struct mtg_slots *slots, u32 nr_blocks)
{
	struct mtg_pool *pool = slots->pool;
	u32 share = mtg_pool_share(pool);

	if (mtg_pool_used_granules(pool) > mtg_pool_block_start(pool, nr_blocks))
		return -ENOSPC;
	/* From here on no block is opened above the new share, see may_open(). */
	mtg_pool_set_share(pool, nr_blocks);
	compact_to(slots, nr_blocks, UINT_MAX);
	if (mtg_pool_nr_open(pool) <= nr_blocks)
		return 0;
	mtg_pool_set_share(pool, share);
	return -ENOSPC;
}
EXPORT_SYMBOL_IF_KUNIT(mtg_slots_shrink);

/**
 * mtg_slots_compact() - move the objects together, so that blocks become free
 * @slots: The table.
 *
 * Context: Process context, may sleep. The caller serialises calls.
 */
void mtg_slots_compact(struct mtg_slots *slots)
{
	struct mtg_pool *pool = slots->pool;
	u32 before = mtg_pool_nr_open(pool), after;

	compact_to(slots, mtg_pool_block_of(pool, mtg_pool_used_granules(pool)),
		   COMPACT_PATIENCE);
	after = mtg_pool_nr_open(pool);
	/* Stores may have opened more blocks meanwhile. */
	if (after < before)
		atomic64_add(before - after, &slots->events[MTG_COMPACTED]);
}
EXPORT_SYMBOL_IF_KUNIT(mtg_slots_compact);
