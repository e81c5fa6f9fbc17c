/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Spill: ordinary memory for objects that have to leave a tag block and find no
 * place in another one.
 *
 * Knows neither slots nor blocks, and builds in user space as it is (tests/host).
 */
#ifndef _MTETAGRAM_SPILL_H
#define _MTETAGRAM_SPILL_H

#include <linux/atomic.h>
#include <linux/spinlock.h>
#include <linux/types.h>

/**
 * struct mtg_spill - pages that hold objects, and pages that wait for some
 * @lock: Protects everything; the numbers are read without. Nests inside a slot
 *	lock; no other lock is taken under it. Raw, like that.
 * @spare: Empty pages, each of which points to the next one.
 * @nr_spare: Their number.
 * @target: How many there should be: the reserve. Who takes one wakes the worker
 *	that fills up.
 * @open: The page that is being filled, or NULL.
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

void mtg_spill_init(struct mtg_spill *spill, unsigned int target);
void mtg_spill_destroy(struct mtg_spill *spill);

bool mtg_spill_grow(struct mtg_spill *spill, gfp_t gfp);
bool mtg_spill_fill(struct mtg_spill *spill, unsigned int enough, gfp_t gfp);
bool mtg_spill_balance(struct mtg_spill *spill, gfp_t gfp);

void *mtg_spill_alloc(struct mtg_spill *spill, size_t size);
void mtg_spill_free(struct mtg_spill *spill, void *object, size_t size);

#endif /* _MTETAGRAM_SPILL_H */
