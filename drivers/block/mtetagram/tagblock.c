// SPDX-License-Identifier: GPL-2.0
/*
 * Tag blocks: the record of which tag storage holds tags and which holds data.
 *
 * One bit for each data page says that the page is reserved: its tags are live. One byte for
 * each tag block says what the block holds. The page flags PG_mte_tagged and PG_mte_lock are
 * not the record: the split of a huge page copies them from the head to tails that never
 * were tagged. As the record has bits of its own, reserve and release are idempotent, and a
 * block is free when its bits are zero.
 *
 * Everything depends on the order in mtg_region_reserve():
 *
 *   1. The driver moves its data out of the block.
 *   2. The block is filled with zeros, and cleaned from the data caches.
 *   3. The bit of the page is set.
 *   4. The caller stores tags.
 *
 * Locks: a block's lock is the innermost of all locks. It is never held while data is moved.
 * In that time the state SWITCHING keeps the block for the CPU that evicts it.
 */

#include <kunit/visibility.h>
#include <linux/bitmap.h>
#include <linux/cpumask.h>
#include <linux/delay.h>
#include <linux/export.h>
#include <linux/lockdep.h>
#include <linux/mm.h>
#include <linux/mtetagram.h>
#include <linux/preempt.h>
#include <linux/percpu.h>
#include <linux/rcupdate.h>
#include <linux/sched/clock.h>
#include <linux/sizes.h>
#include <linux/slab.h>
#include <linux/srcu.h>
#include <linux/string.h>

#include "record.h"
#include "tagblock.h"

#define CREATE_TRACE_POINTS
#include "trace.h"

#ifdef CONFIG_MTETAGRAM_DEBUG
DEFINE_STATIC_KEY_FALSE(mtg_leaving_out);
#endif

EXPORT_TRACEPOINT_SYMBOL_GPL(mtetagram_relocate);
EXPORT_TRACEPOINT_SYMBOL_GPL(mtetagram_spill);
EXPORT_TRACEPOINT_SYMBOL_GPL(mtetagram_fail);

/*
 * Other callers may take the room that a caller has made. Each of them has evicted a block
 * for that, so this seldom happens twice. The bound is for tests that let rungs fail.
 */
#define PREPARE_TRIES	16

/*
 * For a test in which tags are cleaned too late: so long other CPUs may take to use the block
 * for data, and so long they may take to store data then.
 */
#define TEST_TAKE_US	2000
#define TEST_STORE_US	100

static raw_spinlock_t *block_lock(struct mtg_region *region, u32 block)
{
	return &region->locks[block % MTG_BLOCK_LOCKS].lock;
}

static void *block_addr(struct mtg_region *region, u32 block)
{
	return region->base + ((size_t)block << region->block_shift);
}

static void set_state(struct mtg_region *region, u32 block,
		      enum mtg_block_state state)
{
	lockdep_assert_held(block_lock(region, block));

	atomic_dec(&region->nr_state[region->state[block]]);
	atomic_inc(&region->nr_state[state]);
	if (test_bit(block, region->kept))
		atomic_add((state == MTG_BLOCK_FREE) -
			   (region->state[block] == MTG_BLOCK_FREE), &region->kept_free);
	/* Pairs with the READ_ONCE() in wait_for_switch(). */
	WRITE_ONCE(region->state[block], state);
	if (state == MTG_BLOCK_FREE)
		mtg_map_set(&region->free, block);
	else if (mtg_map_test(&region->free, block))
		mtg_map_clear(&region->free, block);
}

/* The block holds neither data nor tags any more. */
static void set_idle(struct mtg_region *region, u32 block)
{
	set_state(region, block,
		  test_bit(block, region->bad) ? MTG_BLOCK_OFFLINE : MTG_BLOCK_FREE);
}

/*
 * Another CPU evicts the block, with preemption disabled. So the wait is short: at most one
 * block is copied.
 */
static void wait_for_switch(struct mtg_region *region, u32 block)
{
	while (READ_ONCE(region->state[block]) == MTG_BLOCK_SWITCHING)
		cpu_relax();
}

/* Have the driver evict a block. Fails only if @urgency allows that. */
static int evict(struct mtg_region *region, u32 block, enum mtg_urgency urgency)
{
	const struct mtg_block_ops *ops;
	u64 start = trace_mtetagram_evict_enabled() ? local_clock() : 0;
	int ret = 0;

	/* Preemption is disabled, and the driver is not detached while a block is in use. */
	ops = rcu_dereference_sched(region->ops);
	if (!mtg_leaves_out(region, MTG_STEP_EVICT))
		ret = ops->evict(region->priv, block, urgency);
	if (trace_mtetagram_evict_enabled())
		trace_mtetagram_evict(region->id, block, local_clock() - start, ret);
	if (ret)
		return ret;

	atomic64_inc(&region->events[MTG_EVICTED]);
	if (urgency != MTG_PREPARE)
		atomic64_inc(&region->events[MTG_EVICTED_ATOMIC]);
	return 0;
}

/*
 * "Data to tags": no data line may be written back later. A block that held no data has dirty
 * lines too: those of the zeros.
 */
static void clean_data(struct mtg_region *region, u32 block, bool used)
{
	size_t size = 1UL << region->block_shift;

	if (mtg_leaves_out(region, MTG_STEP_CLEAN_DATA) ||
	    (!used && mtg_leaves_out(region, MTG_STEP_CLEAN_FREE)))
		return;
	if (mtg_leaves_out(region, MTG_STEP_CLEAN_LAST))
		size -= SZ_64;
	trace_mtetagram_clean_data(region->id, block);
	arch_mtetagram_clean_data(block_addr(region, block), size);
}

static int switch_to_tags(struct mtg_region *region, u32 block, bool used,
			  enum mtg_urgency urgency)
{
	int ret;

	if (mtg_leaves_out(region, MTG_STEP_EVICT_FIRST))
		clean_data(region, block, used);
	ret = used ? evict(region, block, urgency) : 0;
	if (ret)
		return ret;
	/*
	 * The bytes that are left here would be the tags of all pages of the block. The
	 * kernel should never take a page for tagged whose tags were not initialised. If the
	 * kernel does, the tags read as 0, and not as data of another process.
	 */
	memset(block_addr(region, block), 0, 1UL << region->block_shift);
	if (!mtg_leaves_out(region, MTG_STEP_EVICT_FIRST))
		clean_data(region, block, used);
	return 0;
}

/*
 * The eviction has failed, and the block is USED again. While it was SWITCHING the driver
 * could not put it back, so the driver gets a chance now: the block may be empty.
 */
static void resume(struct mtg_region *region, u32 block)
{
	/* Preemption was disabled while the block was in use, and still is. */
	rcu_dereference_sched(region->ops)->resume(region->priv, block);
}

/*
 * Reserve a page under the block's lock, in all cases that mtg_reserve_at_once() leaves: the
 * page may be the first reserved page of its block.
 */
static noinline int reserve_locked(struct mtg_region *region, struct page *page,
				   unsigned long index, enum mtg_urgency urgency)
{
	u32 block = index >> region->pages_shift;
	raw_spinlock_t *lock = block_lock(region, block);
	enum mtg_block_state state;
	unsigned long flags;
	int ret = 0;

	/* Other CPUs spin while the block is SWITCHING: this task must not be preempted. */
	preempt_disable();
	raw_spin_lock_irqsave(lock, flags);
	while (!ret && (state = region->state[block]) != MTG_BLOCK_TAGGED) {
		if (state != MTG_BLOCK_SWITCHING)
			set_state(region, block, MTG_BLOCK_SWITCHING);
		raw_spin_unlock_irqrestore(lock, flags);

		if (state == MTG_BLOCK_SWITCHING)
			wait_for_switch(region, block);
		else
			ret = switch_to_tags(region, block, state == MTG_BLOCK_USED,
					     urgency);

		raw_spin_lock_irqsave(lock, flags);
		if (state != MTG_BLOCK_SWITCHING)
			set_state(region, block, ret ? MTG_BLOCK_USED : MTG_BLOCK_TAGGED);
	}
	if (!ret && !test_bit(index, region->reserved)) {
		arch_mtetagram_init_tags(page);
		/* A CPU that sees the bit may store tags: the block is clean by now. */
		smp_mb__before_atomic();
		set_bit(index, region->reserved);
		mtg_count_reserve(region);
		trace_mtetagram_reserve(region->id, block, page_to_pfn(page));
	}
	raw_spin_unlock_irqrestore(lock, flags);
	if (ret)
		resume(region, block);
	preempt_enable();
	return ret;
}

/**
 * mtg_region_reserve() - make the tag block of a page ready for its tags
 * @region: The region that holds the page's tags.
 * @page: The page; may be reserved already.
 * @urgency: What the caller can do if there is no room.
 *
 * Context: Not in interrupts. Never sleeps. May spin while another CPU evicts the same
 *          block.
 * Return: 0; -ENOMEM if there is no room for the data in the block, and then
 *         nothing has changed. Always 0 if @urgency is MTG_MUST.
 */
int mtg_region_reserve(struct mtg_region *region, struct page *page,
		       enum mtg_urgency urgency)
{
	unsigned long index = page_to_pfn(page) - region->start_pfn;

	if (mtg_reserve_at_once(region, page, index))
		return 0;
	return reserve_locked(region, page, index, urgency);
}
EXPORT_SYMBOL_IF_KUNIT(mtg_region_reserve);

/* Have the driver make room, if it uses the block. Returns false if there is no memory. */
static bool make_room(struct mtg_region *region, u32 block, gfp_t gfp)
{
	const struct mtg_block_ops *ops;
	bool room = true;
	int idx;

	if (mtg_region_block_state(region, block) != MTG_BLOCK_USED)
		return true;
	idx = srcu_read_lock(&region->srcu);
	ops = srcu_dereference(region->ops, &region->srcu);
	if (ops)
		room = ops->make_room(region->priv, gfp);
	srcu_read_unlock(&region->srcu, idx);
	return room;
}

/**
 * mtg_region_prepare() - reserve a page where that may sleep and fail
 * @region: The region that holds the page's tags.
 * @page: The page; the caller has a reference.
 * @gfp: How memory may be allocated for that.
 *
 * Context: May sleep if @gfp allows it.
 * Return: 0; -ENOMEM if there is no memory for the data in the page's tag block.
 */
int mtg_region_prepare(struct mtg_region *region, struct page *page, gfp_t gfp)
{
	unsigned long index = page_to_pfn(page) - region->start_pfn;
	unsigned int tries = PREPARE_TRIES;

	if (mtg_reserve_at_once(region, page, index))
		return 0;
	do {
		if (!make_room(region, index >> region->pages_shift, gfp))
			return -ENOMEM;
		if (!reserve_locked(region, page, index, MTG_PREPARE))
			return 0;
	} while (--tries);
	return reserve_locked(region, page, index, MTG_MAY_REFUSE);
}
EXPORT_SYMBOL_IF_KUNIT(mtg_region_prepare);

static void tell_driver(struct mtg_region *region)
{
	const struct mtg_block_ops *ops;

	rcu_read_lock();
	ops = rcu_dereference(region->ops);
	if (ops)
		ops->freed(region->priv);
	rcu_read_unlock();
}

/*
 * The first reserved page in [@from, @end); @end or more if there is none.
 *
 * For pages of one block. The caller holds the block's lock, or it owns the pages. Without
 * the lock no bit is cleared, and a bit is set only in a word that has another bit of the
 * block (see mtg_reserve_at_once()). Bits of other blocks do not matter.
 */
static unsigned long next_reserved(struct mtg_region *region, unsigned long end,
				   unsigned long from)
{
	/* See above: a race can only be about bits that do not matter. */
	return data_race(find_next_bit(region->reserved, end, from));
}

/*
 * "Tags to data", for a page that is being freed: while the page is still in the linear map,
 * and before its bit is cleared.
 */
static void clean_tags(struct mtg_region *region, u32 block, unsigned long index)
{
	size_t size = mtg_leaves_out(region, MTG_STEP_CLEAN_HALF) ? PAGE_SIZE / 2 : PAGE_SIZE;

	if (mtg_leaves_out(region, MTG_STEP_CLEAN_TAGS))
		return;
	trace_mtetagram_clean_tags(region->id, block, region->start_pfn + index);
	arch_mtetagram_clean_tags(page_address(pfn_to_page(region->start_pfn + index)), size);
}

/*
 * If no page of the block is reserved any more, the block becomes free. A word without bits of
 * the block stays so while the lock is held: see next_reserved().
 */
static bool free_if_unreserved(struct mtg_region *region, u32 block)
{
	unsigned long start = (unsigned long)block << region->pages_shift;
	unsigned long end = start + (1UL << region->pages_shift);

	lockdep_assert_held(block_lock(region, block));

	if (next_reserved(region, end, start) < end)
		return false;
	set_idle(region, block);
	trace_mtetagram_release(region->id, block);
	return true;
}

/* @count pages of the region were released, and a block has become free if @freed. */
static void end_release(struct mtg_region *region, unsigned long count, bool freed)
{
	if (freed)
		tell_driver(region);
	atomic_long_add(count, &raw_cpu_ptr(region->counts)->releases);
}

/*
 * Release the reserved pages among the pages [first, last) of one block. The pages belong to
 * the caller, so no other CPU changes their bits.
 */
static void release_in_block(struct mtg_region *region, u32 block,
			     unsigned long first, unsigned long last)
{
	raw_spinlock_t *lock = block_lock(region, block);
	unsigned long index, flags, count = 0;
	bool freed;

	for (index = next_reserved(region, last, first); index < last;
	     index = next_reserved(region, last, index + 1)) {
		clean_tags(region, block, index);
		count++;
	}
	if (!count)
		return;

	raw_spin_lock_irqsave(lock, flags);
	for (index = next_reserved(region, last, first); index < last;
	     index = next_reserved(region, last, index + 1))
		clear_bit(index, region->reserved);
	freed = free_if_unreserved(region, block);
	raw_spin_unlock_irqrestore(lock, flags);
	end_release(region, count, freed);
}

/* For a test: wait until the block, whose tags are not cleaned yet, is used for data. */
static void let_data_come(struct mtg_region *region, u32 block)
{
	unsigned int us;

	for (us = 0; us < TEST_TAKE_US; us++) {
		if (READ_ONCE(region->state[block]) != MTG_BLOCK_FREE)
			break;
		udelay(1);
	}
	udelay(TEST_STORE_US);
}

/**
 * mtg_region_release_page() - give back the tag storage of one freed page
 * @region: The region that holds the tags of the page.
 * @index: Index of the page in the region. The page is reserved.
 *
 * Most releases are of one page, for which nothing has to be searched.
 *
 * Context: Any, hard interrupts included.
 */
void mtg_region_release_page(struct mtg_region *region, unsigned long index)
{
	u32 block = index >> region->pages_shift;
	raw_spinlock_t *lock = block_lock(region, block);
	unsigned long flags;
	bool freed, late = mtg_leaves_out(region, MTG_STEP_TAGS_FIRST);

	if (!late)
		clean_tags(region, block, index);
	raw_spin_lock_irqsave(lock, flags);
	clear_bit(index, region->reserved);
	freed = free_if_unreserved(region, block);
	raw_spin_unlock_irqrestore(lock, flags);
	if (late) {
		let_data_come(region, block);
		clean_tags(region, block, index);
	}
	end_release(region, 1, freed);
}
EXPORT_SYMBOL_IF_KUNIT(mtg_region_release_page);

/**
 * mtg_region_release() - give back the tag storage of freed pages
 * @region: The region that holds the tags of the first page.
 * @pfn: First freed page.
 * @nr_pages: Number of freed pages, all in the region; those that are not reserved are
 *	skipped.
 *
 * A block whose last reserved page goes becomes free.
 *
 * Context: Any, hard interrupts included.
 */
void mtg_region_release(struct mtg_region *region, unsigned long pfn,
			unsigned long nr_pages)
{
	unsigned long first = pfn - region->start_pfn;
	unsigned long end = first + nr_pages;

	first = next_reserved(region, end, first);
	while (first < end) {
		u32 block = first >> region->pages_shift;
		unsigned long last;

		last = min(end, (block + 1UL) << region->pages_shift);
		release_in_block(region, block, first, last);
		first = next_reserved(region, end, last);
	}
}
EXPORT_SYMBOL_IF_KUNIT(mtg_region_release);

/* Change the state of a block to @to, if it is @from. */
static bool change_state(struct mtg_region *region, u32 block,
			 enum mtg_block_state from, enum mtg_block_state to)
{
	raw_spinlock_t *lock = block_lock(region, block);
	unsigned long flags;
	bool ok;

	raw_spin_lock_irqsave(lock, flags);
	ok = region->state[block] == from;
	if (ok && to == MTG_BLOCK_FREE)
		set_idle(region, block);
	else if (ok && from != to)
		set_state(region, block, to);
	raw_spin_unlock_irqrestore(lock, flags);
	return ok;
}

/**
 * mtg_block_get() - take a free block to store data in it
 * @region: The region, to which the caller is attached.
 * @block: Index of the block.
 *
 * Context: Any.
 * Return: True if the block was free and belongs to the caller now.
 */
bool mtg_block_get(struct mtg_region *region, u32 block)
{
	return change_state(region, block, MTG_BLOCK_FREE, MTG_BLOCK_USED);
}
EXPORT_SYMBOL_MTETAGRAM(mtg_block_get);

/**
 * mtg_block_put() - give back a block that holds no data any more
 * @region: The region, to which the caller is attached.
 * @block: Index of a block that mtg_block_get() gave.
 *
 * Context: Any.
 * Return: False if the block is wanted for tags. In either case the block does not belong to
 *         the caller any more.
 */
bool mtg_block_put(struct mtg_region *region, u32 block)
{
	return change_state(region, block, MTG_BLOCK_USED, MTG_BLOCK_FREE);
}
EXPORT_SYMBOL_MTETAGRAM(mtg_block_put);

/**
 * mtg_block_begin_check() - take a free block to verify the place of its tags
 * @region: The region.
 * @block: Index of the block.
 *
 * Other CPUs that need the block spin from now on. So preemption is disabled until
 * mtg_block_end_check(), which must follow soon.
 *
 * Context: Process context.
 * Return: True if the block was free. If false, nothing has changed.
 */
bool mtg_block_begin_check(struct mtg_region *region, u32 block)
{
	preempt_disable();
	if (change_state(region, block, MTG_BLOCK_FREE, MTG_BLOCK_SWITCHING))
		return true;
	preempt_enable();
	return false;
}
EXPORT_SYMBOL_IF_KUNIT(mtg_block_begin_check);

/**
 * mtg_block_end_check() - give back a block after mtg_block_begin_check()
 * @region: The region.
 * @block: Index of the block. No line of its tags or of its data is in a cache.
 *
 * Context: Process context.
 */
void mtg_block_end_check(struct mtg_region *region, u32 block)
{
	change_state(region, block, MTG_BLOCK_SWITCHING, MTG_BLOCK_FREE);
	preempt_enable();
}
EXPORT_SYMBOL_IF_KUNIT(mtg_block_end_check);

static void set_bad(struct mtg_region *region, u32 block, bool bad)
{
	raw_spinlock_t *lock = block_lock(region, block);
	unsigned long flags;

	raw_spin_lock_irqsave(lock, flags);
	assign_bit(block, region->bad, bad);
	if (region->state[block] == MTG_BLOCK_FREE ||
	    region->state[block] == MTG_BLOCK_OFFLINE)
		set_idle(region, block);
	raw_spin_unlock_irqrestore(lock, flags);
}

/**
 * mtg_block_offline() - store no more data in a block
 * @region: The region.
 * @block: Index of the block. If it holds data, it becomes OFFLINE when the data is gone and
 *	the block was put back.
 *
 * Context: Any.
 */
void mtg_block_offline(struct mtg_region *region, u32 block)
{
	set_bad(region, block, true);
}
EXPORT_SYMBOL_MTETAGRAM(mtg_block_offline);

/**
 * mtg_block_online() - undo mtg_block_offline()
 * @region: The region.
 * @block: Index of the block.
 *
 * Context: Any.
 */
void mtg_block_online(struct mtg_region *region, u32 block)
{
	set_bad(region, block, false);
}
EXPORT_SYMBOL_MTETAGRAM(mtg_block_online);

/**
 * mtg_block_keep() - keep a block for relocation, or no longer keep it
 * @region: The region. The caller is attached to it, or about to be.
 * @block: Index of the block, which should be untaggable.
 * @keep: Whether the block is kept.
 *
 * For the tag block layer this changes only one thing: &mtg_region.kept_free counts the block
 * while it is free. If memory was added, a kept block may get tags. It is counted again when
 * the tags are gone.
 *
 * Context: Any.
 */
void mtg_block_keep(struct mtg_region *region, u32 block, bool keep)
{
	raw_spinlock_t *lock = block_lock(region, block);
	unsigned long flags;

	raw_spin_lock_irqsave(lock, flags);
	if (test_bit(block, region->kept) != keep) {
		/* Atomic: other blocks of the same word have other locks. */
		change_bit(block, region->kept);
		if (region->state[block] == MTG_BLOCK_FREE)
			atomic_add(keep ? 1 : -1, &region->kept_free);
	}
	raw_spin_unlock_irqrestore(lock, flags);
}
EXPORT_SYMBOL_MTETAGRAM(mtg_block_keep);

/**
 * mtg_block_owned() - does a block still belong to the driver?
 * @region: The region, to which the caller is attached.
 * @block: Index of a block that mtg_block_get() gave.
 *
 * Context: Any.
 * Return: False if the block is wanted for tags. If true, the block may be wanted at any
 *         moment, and then &mtg_block_ops.evict is called.
 */
bool mtg_block_owned(struct mtg_region *region, u32 block)
{
	return change_state(region, block, MTG_BLOCK_USED, MTG_BLOCK_USED);
}
EXPORT_SYMBOL_MTETAGRAM(mtg_block_owned);

/**
 * mtg_block_nr_reserved() - how many pages have their tags in a block?
 * @region: The region.
 * @block: Index of the block.
 *
 * Context: Any. A hint: without the block's lock, the number may change at any time.
 * Return: The number of data pages of the block that are reserved.
 */
unsigned int mtg_block_nr_reserved(struct mtg_region *region, u32 block)
{
	unsigned long index = (unsigned long)block << region->pages_shift;
	unsigned long end = index + (1UL << region->pages_shift);
	unsigned int count = 0;

	for (index = next_reserved(region, end, index); index < end;
	     index = next_reserved(region, end, index + 1))
		count++;
	return count;
}
EXPORT_SYMBOL_MTETAGRAM(mtg_block_nr_reserved);

/**
 * mtg_region_reserves() - how many pages were reserved since boot?
 * @region: The region.
 *
 * Context: Any.
 * Return: Their number.
 */
u64 mtg_region_reserves(struct mtg_region *region)
{
	unsigned int cpu;
	u64 sum = 0;

	for_each_possible_cpu(cpu)
		sum += atomic_long_read(&per_cpu_ptr(region->counts, cpu)->reserves);
	return sum;
}
EXPORT_SYMBOL_MTETAGRAM(mtg_region_reserves);

/**
 * mtg_region_releases() - how many pages were released since boot?
 * @region: The region.
 *
 * Context: Any.
 * Return: Their number.
 */
u64 mtg_region_releases(struct mtg_region *region)
{
	unsigned int cpu;
	u64 sum = 0;

	for_each_possible_cpu(cpu)
		sum += atomic_long_read(&per_cpu_ptr(region->counts, cpu)->releases);
	return sum;
}
EXPORT_SYMBOL_MTETAGRAM(mtg_region_releases);

/**
 * mtg_region_nr_reserved() - how many pages of a region are reserved?
 * @region: The region.
 *
 * Context: Any.
 * Return: Their number. It is not exact while other CPUs reserve and release pages.
 */
u64 mtg_region_nr_reserved(struct mtg_region *region)
{
	u64 releases = mtg_region_releases(region);
	u64 reserves = mtg_region_reserves(region);

	/* A reserve that another CPU has counted may be seen later than its release. */
	return reserves > releases ? reserves - releases : 0;
}
EXPORT_SYMBOL_MTETAGRAM(mtg_region_nr_reserved);

/**
 * mtg_region_metadata_size() - ordinary memory that the record of a region needs
 * @region: The region.
 *
 * Context: Any.
 * Return: Bytes.
 */
size_t mtg_region_metadata_size(const struct mtg_region *region)
{
	size_t bits = region->nr_pages + 2 * (size_t)region->nr_blocks; /* bad and kept */

	return bits / BITS_PER_BYTE + region->nr_blocks * sizeof(*region->state) +
	       mtg_map_words(region->nr_blocks) * sizeof(long);
}
EXPORT_SYMBOL_MTETAGRAM(mtg_region_metadata_size);

/**
 * mtg_region_attach() - become the user of a region's free blocks
 * @region: The region.
 * @ops: Callbacks.
 * @priv: Their first argument.
 *
 * Context: Process context, may sleep. The caller serialises attach and detach.
 * Return: 0, or -EBUSY if the region has a user.
 */
int mtg_region_attach(struct mtg_region *region, const struct mtg_block_ops *ops,
		      void *priv)
{
	if (rcu_access_pointer(region->ops))
		return -EBUSY;
	region->priv = priv;
	/*
	 * A reader loads @ops first, but no dependency orders its load of @priv after that.
	 * So each reader that began before @priv was stored must end before @ops is stored.
	 */
	synchronize_rcu();
	synchronize_srcu(&region->srcu);
	rcu_assign_pointer(region->ops, ops);
	return 0;
}
EXPORT_SYMBOL_MTETAGRAM(mtg_region_attach);

/**
 * mtg_region_detach() - stop using a region
 * @region: The region, all of whose blocks the caller has put back.
 *
 * When this returns, no callback runs, and none will be called.
 *
 * Context: Process context, may sleep.
 */
void mtg_region_detach(struct mtg_region *region)
{
	/*
	 * A block may have gone from USED to SWITCHING just before. The CPU that evicts it
	 * has preemption disabled, so the eviction has ended after this. Only then the
	 * callbacks may go.
	 */
	synchronize_rcu();
	WARN_ON_ONCE(atomic_read(&region->nr_state[MTG_BLOCK_USED]));
	RCU_INIT_POINTER(region->ops, NULL);
	/* Wait also for callbacks that need no block in use: @freed and @make_room. */
	synchronize_rcu();
	synchronize_srcu(&region->srcu);
	region->priv = NULL;
}
EXPORT_SYMBOL_MTETAGRAM(mtg_region_detach);

/**
 * mtg_region_init() - set up the record of a region, all blocks free
 * @region: @start_pfn, @nr_pages, @base, @block_shift and @pages_shift are set.
 *
 * Context: Process context, may sleep.
 * Return: 0 or -ENOMEM.
 */
int mtg_region_init(struct mtg_region *region)
{
	unsigned int per_word = min(BITS_PER_LONG, 1U << region->pages_shift);
	unsigned int i;

	if (init_srcu_struct(&region->srcu))
		return -ENOMEM;
	region->word_mask = GENMASK(per_word - 1, 0);
	region->word_offset = BITS_PER_LONG - per_word;
	region->nr_blocks = region->nr_pages >> region->pages_shift;
	region->reserved = kvcalloc(BITS_TO_LONGS(region->nr_pages), sizeof(long),
				    GFP_KERNEL);
	region->bad = kvcalloc(BITS_TO_LONGS(region->nr_blocks), sizeof(long),
			       GFP_KERNEL);
	region->kept = kvcalloc(BITS_TO_LONGS(region->nr_blocks), sizeof(long),
				GFP_KERNEL);
	region->state = kvzalloc(region->nr_blocks, GFP_KERNEL);
	region->counts = alloc_percpu(struct mtg_page_counts);
	if (!region->reserved || !region->bad || !region->kept || !region->state ||
	    !region->counts ||
	    mtg_map_init(&region->free, region->nr_blocks)) {
		mtg_region_destroy(region);
		return -ENOMEM;
	}
	for (i = 0; i < MTG_BLOCK_LOCKS; i++)
		raw_spin_lock_init(&region->locks[i].lock);
	mtg_map_fill(&region->free);
	atomic_set(&region->nr_state[MTG_BLOCK_FREE], region->nr_blocks);
	return 0;
}
EXPORT_SYMBOL_IF_KUNIT(mtg_region_init);

/**
 * mtg_region_destroy() - free what mtg_region_init() has allocated
 * @region: The region, unused.
 *
 * Context: Process context, may sleep.
 */
void mtg_region_destroy(struct mtg_region *region)
{
	cleanup_srcu_struct(&region->srcu);
	kvfree(region->reserved);
	mtg_map_destroy(&region->free);
	kvfree(region->bad);
	kvfree(region->kept);
	kvfree(region->state);
	free_percpu(region->counts);
}
EXPORT_SYMBOL_IF_KUNIT(mtg_region_destroy);
