// SPDX-License-Identifier: GPL-2.0
/*
 * Tag blocks: the record of which tag storage holds tags and which holds data.
 *
 * One bit for each data page says that its tags are live ("reserved"); one byte
 * for each tag block says what the block holds. The page flags PG_mte_tagged and
 * PG_mte_lock are not used as a record: the split of a huge page copies them
 * from the head to tails that never were tagged. With bits of our own, reserve
 * and release are idempotent and a block is free when its bits are zero.
 *
 * The order that everything depends on, in mtg_region_reserve(): the driver moves
 * its data away, the block is cleaned from the data caches, the page's bit is
 * set, and only then the caller stores tags.
 *
 * Locks: a block's lock is the innermost lock of all. It is never held while
 * data is moved: the state SWITCHING keeps the block for the CPU that empties it.
 */

#include <kunit/visibility.h>
#include <linux/bitmap.h>
#include <linux/export.h>
#include <linux/jump_label.h>
#include <linux/mm.h>
#include <linux/mtetagram.h>
#include <linux/preempt.h>
#include <linux/rcupdate.h>
#include <linux/slab.h>

#include "tagblock.h"

#define CREATE_TRACE_POINTS
#include "trace.h"

DEFINE_STATIC_KEY_FALSE(mtetagram_enabled);
EXPORT_SYMBOL(mtetagram_enabled);

static raw_spinlock_t *block_lock(struct mtg_region *region, u32 block)
{
	return &region->locks[block % MTG_BLOCK_LOCKS];
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
	/* Pairs with the READ_ONCE() in wait_for_switch(). */
	WRITE_ONCE(region->state[block], state);
	if (state == MTG_BLOCK_FREE)
		set_bit(block, region->free);
	else
		clear_bit(block, region->free);
}

static bool skip_vacate(struct mtg_region *region)
{
#ifdef CONFIG_MTETAGRAM_DEBUG
	return READ_ONCE(region->skip_vacate);
#else
	return false;
#endif
}

/*
 * Another CPU empties the block. It has preemption disabled, so this ends soon:
 * after the copy of at most one block.
 */
static void wait_for_switch(struct mtg_region *region, u32 block)
{
	while (READ_ONCE(region->state[block]) == MTG_BLOCK_SWITCHING)
		cpu_relax();
}

static void switch_to_tags(struct mtg_region *region, u32 block, bool used)
{
	if (used) {
		atomic64_inc(&region->vacated);
		if (!skip_vacate(region))
			region->ops->vacate(region->priv, block);
	}
	/*
	 * "Data to tags": a free block may have dirty lines too, from the data
	 * that it held before the driver gave it back.
	 */
	trace_mtetagram_clean_data(region->id, block);
	arch_mtetagram_clean_data(block_addr(region, block),
				  1UL << region->block_shift);
}

/**
 * mtg_region_reserve() - make the tag block of a page ready for its tags
 * @region: The region that holds the page's tags.
 * @page: The page; may be reserved already.
 *
 * Context: Not in interrupts. Never sleeps. May spin while another CPU empties
 *          the same block.
 */
void mtg_region_reserve(struct mtg_region *region, struct page *page)
{
	unsigned long index = page_to_pfn(page) - region->start_pfn;
	u32 block = index >> region->pages_shift;
	raw_spinlock_t *lock = block_lock(region, block);
	enum mtg_block_state state;
	unsigned long flags;

	/* Pairs with smp_mb__before_atomic() below. */
	if (test_bit_acquire(index, region->reserved))
		return;

	/* Nobody who spins for the block may wait for a preempted task. */
	preempt_disable();
	raw_spin_lock_irqsave(lock, flags);
	while ((state = region->state[block]) != MTG_BLOCK_TAGGED) {
		if (state != MTG_BLOCK_SWITCHING)
			set_state(region, block, MTG_BLOCK_SWITCHING);
		raw_spin_unlock_irqrestore(lock, flags);

		if (state == MTG_BLOCK_SWITCHING)
			wait_for_switch(region, block);
		else
			switch_to_tags(region, block, state == MTG_BLOCK_USED);

		raw_spin_lock_irqsave(lock, flags);
		if (state != MTG_BLOCK_SWITCHING)
			set_state(region, block, MTG_BLOCK_TAGGED);
	}
	if (!test_bit(index, region->reserved)) {
		arch_mtetagram_init_tags(page);
		/* Who sees the bit may store tags: the block is clean by now. */
		smp_mb__before_atomic();
		set_bit(index, region->reserved);
		atomic_long_inc(&region->nr_reserved);
		atomic64_inc(&region->reserves);
		trace_mtetagram_reserve(region->id, block, page_to_pfn(page));
	}
	raw_spin_unlock_irqrestore(lock, flags);
	preempt_enable();
}
EXPORT_SYMBOL_IF_KUNIT(mtg_region_reserve);

/* Release the reserved ones among the pages [first, last) of one block. */
static void release_in_block(struct mtg_region *region, u32 block,
			     unsigned long first, unsigned long last)
{
	unsigned long start = (unsigned long)block << region->pages_shift;
	unsigned long end = start + (1UL << region->pages_shift);
	raw_spinlock_t *lock = block_lock(region, block);
	unsigned long index, flags, count = 0;

	/*
	 * "Tags to data": while the pages still are in the linear map, and before
	 * their bits are gone. Nobody else changes these bits, the pages belong to
	 * the caller.
	 */
	for (index = find_next_bit(region->reserved, last, first); index < last;
	     index = find_next_bit(region->reserved, last, index + 1)) {
		trace_mtetagram_clean_tags(region->id, block,
					   region->start_pfn + index);
		arch_mtetagram_clean_tags(pfn_to_page(region->start_pfn + index));
		count++;
	}
	if (!count)
		return;

	raw_spin_lock_irqsave(lock, flags);
	for (index = find_next_bit(region->reserved, last, first); index < last;
	     index = find_next_bit(region->reserved, last, index + 1))
		clear_bit(index, region->reserved);
	if (find_next_bit(region->reserved, end, start) >= end) {
		set_state(region, block, MTG_BLOCK_FREE);
		trace_mtetagram_release(region->id, block);
	}
	raw_spin_unlock_irqrestore(lock, flags);

	atomic_long_sub(count, &region->nr_reserved);
	atomic64_add(count, &region->releases);
}

/**
 * mtg_region_release() - give back the tag storage of freed pages
 * @region: The region that holds the tags of the first page.
 * @pfn: First freed page.
 * @nr_pages: Number of freed pages; those that are not reserved are skipped.
 *
 * A block whose last reserved page goes becomes free. Pages past the end of the
 * region are ignored: no allocation is tagged beyond it.
 *
 * Context: Any, hard interrupts included.
 */
void mtg_region_release(struct mtg_region *region, unsigned long pfn,
			unsigned long nr_pages)
{
	unsigned long first = pfn - region->start_pfn;
	unsigned long end = min(first + nr_pages, region->nr_pages);

	first = find_next_bit(region->reserved, end, first);
	while (first < end) {
		u32 block = first >> region->pages_shift;
		unsigned long last;

		last = min(end, (block + 1UL) << region->pages_shift);
		release_in_block(region, block, first, last);
		first = find_next_bit(region->reserved, end, last);
	}
}
EXPORT_SYMBOL_IF_KUNIT(mtg_region_release);

/* The slow side of mtetagram_reserve(), see there. */
void __mtetagram_reserve(struct page *page)
{
	struct mtg_region *region = mtg_region_by_pfn(page_to_pfn(page));

	if (region)
		mtg_region_reserve(region, page);
}
EXPORT_SYMBOL_GPL(__mtetagram_reserve);

/* The slow side of mtetagram_release(), see there. */
void __mtetagram_release(struct page *page, unsigned int order)
{
	unsigned long pfn = page_to_pfn(page);
	struct mtg_region *region = mtg_region_by_pfn(pfn);

	if (region)
		mtg_region_release(region, pfn, 1UL << order);
}

/* The slow side of mtetagram_reserved(), see there. */
bool __mtetagram_reserved(struct page *page)
{
	unsigned long pfn = page_to_pfn(page);
	struct mtg_region *region = mtg_region_by_pfn(pfn);

	return !region || test_bit(pfn - region->start_pfn, region->reserved);
}
EXPORT_SYMBOL_GPL(__mtetagram_reserved);

/* Move a block from one state to another, if it is in the first. */
static bool change_state(struct mtg_region *region, u32 block,
			 enum mtg_block_state from, enum mtg_block_state to)
{
	raw_spinlock_t *lock = block_lock(region, block);
	unsigned long flags;
	bool ok;

	raw_spin_lock_irqsave(lock, flags);
	ok = region->state[block] == from;
	if (ok && from != to)
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
 * Return: True if the block was free and is the caller's now.
 */
bool mtg_block_get(struct mtg_region *region, u32 block)
{
	return change_state(region, block, MTG_BLOCK_FREE, MTG_BLOCK_USED);
}
EXPORT_SYMBOL_GPL(mtg_block_get);

/**
 * mtg_block_put() - give back a block that holds no data any more
 * @region: The region, to which the caller is attached.
 * @block: Index of a block that mtg_block_get() gave.
 *
 * Context: Any.
 * Return: False if the block is being taken for tags: then it is not the
 *         caller's any more in any case.
 */
bool mtg_block_put(struct mtg_region *region, u32 block)
{
	return change_state(region, block, MTG_BLOCK_USED, MTG_BLOCK_FREE);
}
EXPORT_SYMBOL_GPL(mtg_block_put);

/**
 * mtg_block_owned() - is a block that was taken still the driver's?
 * @region: The region, to which the caller is attached.
 * @block: Index of a block that mtg_block_get() gave.
 *
 * Context: Any.
 * Return: False if the block is being taken for tags. If true, that may begin at
 *         any moment, and &mtg_block_ops.vacate will be called then.
 */
bool mtg_block_owned(struct mtg_region *region, u32 block)
{
	return change_state(region, block, MTG_BLOCK_USED, MTG_BLOCK_USED);
}
EXPORT_SYMBOL_GPL(mtg_block_owned);

/**
 * mtg_block_next_free() - find a block worth trying mtg_block_get() on
 * @region: The region.
 * @from: First block to look at.
 *
 * Context: Any. A hint: the block may be taken by anybody meanwhile.
 * Return: The first free block not before @from, or @region->nr_blocks.
 */
u32 mtg_block_next_free(struct mtg_region *region, u32 from)
{
	return find_next_bit(region->free, region->nr_blocks, from);
}
EXPORT_SYMBOL_GPL(mtg_block_next_free);

/**
 * mtg_region_attach() - become the user of a region's free blocks
 * @region: The region.
 * @ops: Callbacks.
 * @priv: Their first argument.
 *
 * Context: Process context. The caller serialises attach and detach.
 * Return: 0, or -EBUSY if the region has a user.
 */
int mtg_region_attach(struct mtg_region *region, const struct mtg_block_ops *ops,
		      void *priv)
{
	if (region->ops)
		return -EBUSY;
	/* Read only for a block in state USED, that is after mtg_block_get(). */
	region->priv = priv;
	region->ops = ops;
	return 0;
}
EXPORT_SYMBOL_GPL(mtg_region_attach);

/**
 * mtg_region_detach() - stop using a region
 * @region: The region, all of whose blocks the caller has put back.
 *
 * When it returns no callback runs and none will be called.
 *
 * Context: Process context, may sleep.
 */
void mtg_region_detach(struct mtg_region *region)
{
	WARN_ON_ONCE(atomic_read(&region->nr_state[MTG_BLOCK_USED]));
	/*
	 * A block may have gone from USED to SWITCHING just before. Whoever
	 * empties it has preemption disabled, so it is done after this.
	 */
	synchronize_rcu();
	region->ops = NULL;
	region->priv = NULL;
}
EXPORT_SYMBOL_GPL(mtg_region_detach);

/**
 * mtg_region_init() - set up the record of a region, all blocks free
 * @region: @start_pfn, @nr_pages, @base, @block_shift and @pages_shift are set.
 *
 * Context: Process context, may sleep.
 * Return: 0 or -ENOMEM.
 */
int mtg_region_init(struct mtg_region *region)
{
	unsigned int i;

	region->nr_blocks = region->nr_pages >> region->pages_shift;
	region->reserved = kvcalloc(BITS_TO_LONGS(region->nr_pages), sizeof(long),
				    GFP_KERNEL);
	region->free = kvcalloc(BITS_TO_LONGS(region->nr_blocks), sizeof(long),
				GFP_KERNEL);
	region->state = kvzalloc(region->nr_blocks, GFP_KERNEL);
	if (!region->reserved || !region->free || !region->state) {
		mtg_region_destroy(region);
		return -ENOMEM;
	}
	for (i = 0; i < MTG_BLOCK_LOCKS; i++)
		raw_spin_lock_init(&region->locks[i]);
	bitmap_set(region->free, 0, region->nr_blocks);
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
	kvfree(region->reserved);
	kvfree(region->free);
	kvfree(region->state);
}
EXPORT_SYMBOL_IF_KUNIT(mtg_region_destroy);
