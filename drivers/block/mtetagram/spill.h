/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Spill: ordinary memory for objects that must leave their tag block and find no place in
 * another block.
 *
 * Knows neither slots nor blocks, and builds in user space as it is (tests/host).
 */
#ifndef _MTETAGRAM_SPILL_H
#define _MTETAGRAM_SPILL_H

#include <linux/atomic.h>
#include <linux/compiler.h>
#include <linux/spinlock.h>
#include <linux/types.h>

/**
 * struct mtg_spill - pages that hold spilled objects, and spare pages
 * @lock: Protects all members; the numbers are read without it. Nests inside a slot lock, and
 *	no other lock is taken under it. Raw, as the slot lock is.
 * @spare: The first spare page. Each spare page is empty and begins with a pointer to the
 *	next one.
 * @nr_spare: Number of spare pages.
 * @target: How many spare pages there should be. A caller that takes a spare page wakes the
 *	worker, which fills up.
 * @open: The page that gets the next objects, or NULL.
 * @nr_pages: Number of pages that hold objects.
 */
struct mtg_spill {
	raw_spinlock_t lock; /* see above */
	void *spare;
	atomic_t nr_spare;
	unsigned int target;
	struct mtg_spill_page *open;
	atomic_t nr_pages;
};

/**
 * mtg_spill_nr_pages() - how many pages hold spilled objects?
 * @spill: The spill.
 *
 * Context: Any. A hint: others spill and free meanwhile.
 * Return: Their number.
 */
static inline unsigned int mtg_spill_nr_pages(const struct mtg_spill *spill)
{
	return atomic_read(&spill->nr_pages);
}

/**
 * mtg_spill_nr_spare() - how many spare pages are there?
 * @spill: The spill.
 *
 * Context: Any. A hint: others take and give back spare pages meanwhile.
 * Return: Their number.
 */
static inline unsigned int mtg_spill_nr_spare(const struct mtg_spill *spill)
{
	return atomic_read(&spill->nr_spare);
}

/**
 * mtg_spill_target() - how many spare pages should there be?
 * @spill: The spill.
 *
 * Context: Any.
 * Return: Their number.
 */
static inline unsigned int mtg_spill_target(const struct mtg_spill *spill)
{
	return READ_ONCE(spill->target);
}

/**
 * mtg_spill_set_target() - set how many spare pages there should be
 * @spill: The spill.
 * @target: Their number; mtg_spill_balance() gets them.
 *
 * Context: Any. The caller serialises calls.
 */
static inline void mtg_spill_set_target(struct mtg_spill *spill, unsigned int target)
{
	WRITE_ONCE(spill->target, target);
}

void mtg_spill_init(struct mtg_spill *spill, unsigned int target);
void mtg_spill_destroy(struct mtg_spill *spill);

bool mtg_spill_grow(struct mtg_spill *spill, gfp_t gfp);
bool mtg_spill_fill(struct mtg_spill *spill, unsigned int enough, gfp_t gfp);
bool mtg_spill_balance(struct mtg_spill *spill, gfp_t gfp);

void *mtg_spill_alloc(struct mtg_spill *spill, size_t size);
void mtg_spill_free(struct mtg_spill *spill, void *object, size_t size);

#endif /* _MTETAGRAM_SPILL_H */
