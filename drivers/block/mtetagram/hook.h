/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The hook: what the entries that cannot wait (hook.c) and those that can (prepare.c) share.
 *
 * Private to the built-in half.
 */
#ifndef _MTETAGRAM_HOOK_H
#define _MTETAGRAM_HOOK_H

#include <linux/bitops.h>
#include <linux/compiler.h>
#include <linux/types.h>

#include "record.h"
#include "region.h"
#include "tagblock.h"

struct mm_struct;
struct page;

/**
 * mtg_page_is_reserved() - is the page reserved?
 * @page: The page.
 *
 * Context: Any.
 * Return: True if it is, or if the page is in no region.
 */
static __always_inline bool mtg_page_is_reserved(struct page *page)
{
	unsigned long index;
	const struct mtg_range *range;

	/* Pairs with the barrier in reserve_locked(). */
	return !mtg_find_range(mtg_ranges, page, &range, &index) ||
	       likely(test_bit_acquire(index, range->reserved));
}

/**
 * mtg_page_reserve_at_once() - reserve a page if its block holds tags already
 * @page: The page. The caller has a reference, or the lock of what maps the page.
 *
 * Context: Any but interrupts.
 * Return: True if the page is reserved now, or in no region; false if it needs more.
 */
static __always_inline bool mtg_page_reserve_at_once(struct page *page)
{
	unsigned long index;
	const struct mtg_range *range;

	return !mtg_find_range(mtg_ranges, page, &range, &index) ||
	       mtg_reserve_at_once(range->region, page, index);
}

int mtg_page_insist(struct mm_struct *mm, struct page *page);

#endif /* _MTETAGRAM_HOOK_H */
