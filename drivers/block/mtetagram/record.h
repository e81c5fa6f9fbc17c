/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The fast path of the record: inline, because each page that is tagged takes it.
 *
 * Private to the built-in half.
 */
#ifndef _MTETAGRAM_RECORD_H
#define _MTETAGRAM_RECORD_H

#include <linux/atomic.h>
#include <linux/bitops.h>
#include <linux/bits.h>
#include <linux/compiler.h>
#include <linux/mm.h>
#include <linux/percpu.h>

#include "tagblock.h"
#include "trace.h"

/**
 * mtg_count_reserve() - count a page that was reserved
 * @region: The region.
 *
 * Atomic, as the task may be on another CPU by now. Each CPU has a counter of its own, so
 * CPUs do not take the cache line from each other all the time.
 *
 * Context: Any.
 */
static __always_inline void mtg_count_reserve(struct mtg_region *region)
{
	atomic_long_inc(&raw_cpu_ptr(region->counts)->reserves);
}

/**
 * mtg_reserve_at_once() - reserve a page without the block's lock, if that is possible
 * @region: The region that holds the page's tags.
 * @page: The page.
 * @index: Its index in the region.
 *
 * This is the usual case: the page is reserved already, or the same word of the record has
 * the bit of another page of the same block. A block with a set bit holds tags. The CPU that
 * clears the last bit of a block reads the words of the block after that. So either that CPU
 * sees the new bit, or our cmpxchg fails.
 *
 * Two cases need the lock. A page that is flagged as tagged but is not reserved needs exactly
 * one CPU that initialises its tags. And while mtetagram_reserve is traced, the events must
 * have the order of the changes.
 *
 * Context: Any but interrupts.
 * Return: True if the page is reserved now; false if the lock is needed.
 */
static __always_inline bool mtg_reserve_at_once(struct mtg_region *region,
						struct page *page, unsigned long index)
{
	unsigned long *word = region->reserved + BIT_WORD(index);
	unsigned long block = region->word_mask << (index & region->word_offset);
	/* Pairs with smp_mb__before_atomic() in reserve_locked(). */
	unsigned long old = smp_load_acquire(word);

	do {
		if (old & BIT_MASK(index))
			return true;
		if (!(old & block) || test_bit(PG_mte_tagged, &page->flags) ||
		    trace_mtetagram_reserve_enabled())
			return false;
	} while (!try_cmpxchg(word, &old, old | BIT_MASK(index)));
	mtg_count_reserve(region);
	return true;
}

#endif /* _MTETAGRAM_RECORD_H */
