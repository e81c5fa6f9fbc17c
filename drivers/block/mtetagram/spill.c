// SPDX-License-Identifier: GPL-2.0
/*
 * Spill: pages of ordinary memory with objects in them.
 *
 * Spilled objects lie one after the other in ordinary pages. An object that fills a page has
 * a page for itself. Room that is freed in the middle of a page is not used again: spilled
 * objects settle soon (relocate.c), and an empty page becomes a spare page.
 *
 * Objects go to spare pages, so no memory is allocated when one is spilled. The worker of the
 * caller replaces the spare pages that were used, see mtg_spill_balance().
 */

#include <kunit/visibility.h>
#include <linux/align.h>
#include <linux/gfp.h>
#include <linux/lockdep.h>
#include <linux/mm.h>

#include "inject.h"
#include "spill.h"

/**
 * struct mtg_spill_page - a page that several objects share
 * @used: Bytes of objects in it.
 * @end: Offset of the room behind the last object.
 */
struct mtg_spill_page {
	u32 used;
	u32 end;
};

#define ROOM	(PAGE_SIZE - sizeof(struct mtg_spill_page))

static void put_spare(struct mtg_spill *spill, void *page)
{
	lockdep_assert_held(&spill->lock);

	*(void **)page = spill->spare;
	spill->spare = page;
	atomic_inc(&spill->nr_spare);
}

static void *take_spare(struct mtg_spill *spill)
{
	void *page = spill->spare;

	lockdep_assert_held(&spill->lock);

	if (page) {
		spill->spare = *(void **)page;
		atomic_dec(&spill->nr_spare);
	}
	return page;
}

/**
 * mtg_spill_grow() - allocate one more spare page
 * @spill: The spill.
 * @gfp: How to allocate it. The emergency reserves of memory are used only with
 *	__GFP_MEMALLOC, even in a task that may use them for every allocation because it
 *	reclaims memory.
 *
 * Context: As @gfp says; no raw lock may be held.
 * Return: False if there is no memory.
 */
bool mtg_spill_grow(struct mtg_spill *spill, gfp_t gfp)
{
	void *page;

	if (!(gfp & __GFP_MEMALLOC))
		gfp |= __GFP_NOMEMALLOC;
	page = (void *)__get_free_page(gfp | __GFP_NOWARN);
	if (!page)
		return false;
	raw_spin_lock(&spill->lock);
	put_spare(spill, page);
	raw_spin_unlock(&spill->lock);
	return true;
}

/* Take a spare page if there are more than there should be. */
static void *take_excess(struct mtg_spill *spill)
{
	void *page = NULL;

	raw_spin_lock(&spill->lock);
	if (mtg_spill_nr_spare(spill) > mtg_spill_target(spill))
		page = take_spare(spill);
	raw_spin_unlock(&spill->lock);
	return page;
}

/**
 * mtg_spill_fill() - allocate spare pages until there are enough
 * @spill: The spill.
 * @enough: Number of spare pages, whatever the target is.
 * @gfp: How to allocate the pages that are missing.
 *
 * Context: As @gfp says; no raw lock may be held. Others may take spare pages meanwhile.
 * Return: False if pages are missing and there is no memory for them.
 */
bool mtg_spill_fill(struct mtg_spill *spill, unsigned int enough, gfp_t gfp)
{
	while (mtg_spill_nr_spare(spill) < enough)
		if (mtg_should_fail_make_room() || !mtg_spill_grow(spill, gfp))
			return false;
	return true;
}
EXPORT_SYMBOL_IF_KUNIT(mtg_spill_fill);

/**
 * mtg_spill_balance() - allocate or free spare pages until the target is met
 * @spill: The spill.
 * @gfp: How to allocate the pages that are missing.
 *
 * Context: As @gfp says; no raw lock may be held.
 * Return: False if pages are missing and there is no memory for them.
 */
bool mtg_spill_balance(struct mtg_spill *spill, gfp_t gfp)
{
	void *page;

	while ((page = take_excess(spill)))
		free_page((unsigned long)page);
	return mtg_spill_fill(spill, mtg_spill_target(spill), gfp);
}
EXPORT_SYMBOL_IF_KUNIT(mtg_spill_balance);

static void *alloc_shared(struct mtg_spill *spill, size_t size)
{
	struct mtg_spill_page *page = spill->open;
	void *object;

	lockdep_assert_held(&spill->lock);

	if (!page || page->end + size > PAGE_SIZE) {
		page = take_spare(spill);
		if (!page)
			return NULL;
		page->used = 0;
		page->end = sizeof(*page);
		spill->open = page;
		atomic_inc(&spill->nr_pages);
	}
	object = (void *)page + page->end;
	page->end += size;
	page->used += size;
	return object;
}

/**
 * mtg_spill_alloc() - allocate room for an object, without allocating memory
 * @spill: The spill.
 * @size: Bytes, at most a page.
 *
 * Context: Any but interrupts.
 * Return: The room, aligned to 8 bytes; NULL if there is no spare page.
 */
void *mtg_spill_alloc(struct mtg_spill *spill, size_t size)
{
	void *object;

	size = ALIGN(size, 8);
	raw_spin_lock(&spill->lock);
	if (size > ROOM) {
		object = take_spare(spill);
		if (object)
			atomic_inc(&spill->nr_pages);
	} else {
		object = alloc_shared(spill, size);
	}
	raw_spin_unlock(&spill->lock);
	return object;
}
EXPORT_SYMBOL_IF_KUNIT(mtg_spill_alloc);

/**
 * mtg_spill_free() - give back the room of an object
 * @spill: The spill.
 * @object: What mtg_spill_alloc() returned.
 * @size: Bytes, as of mtg_spill_alloc().
 *
 * A page that becomes empty becomes a spare page. mtg_spill_balance() frees the spare pages
 * above the target.
 *
 * Context: Any but interrupts.
 */
void mtg_spill_free(struct mtg_spill *spill, void *object, size_t size)
{
	struct mtg_spill_page *page = (void *)((unsigned long)object & PAGE_MASK);

	size = ALIGN(size, 8);
	raw_spin_lock(&spill->lock);
	if (size <= ROOM) {
		page->used -= size;
		if (page->used)
			goto out;
		if (page == spill->open)
			spill->open = NULL;
	}
	atomic_dec(&spill->nr_pages);
	put_spare(spill, page);
out:
	raw_spin_unlock(&spill->lock);
}
EXPORT_SYMBOL_IF_KUNIT(mtg_spill_free);

/**
 * mtg_spill_init() - set up an empty spill without spare pages
 * @spill: The spill.
 * @target: How many spare pages there should be.
 *
 * Context: Any.
 */
void mtg_spill_init(struct mtg_spill *spill, unsigned int target)
{
	raw_spin_lock_init(&spill->lock);
	spill->spare = NULL;
	spill->open = NULL;
	atomic_set(&spill->nr_spare, 0);
	atomic_set(&spill->nr_pages, 0);
	spill->target = target;
}
EXPORT_SYMBOL_IF_KUNIT(mtg_spill_init);

/**
 * mtg_spill_destroy() - free all spare pages
 * @spill: The spill, without objects.
 *
 * Context: Process context.
 */
void mtg_spill_destroy(struct mtg_spill *spill)
{
	void *page;

	mtg_spill_set_target(spill, 0);
	while ((page = take_excess(spill)))
		free_page((unsigned long)page);
}
EXPORT_SYMBOL_IF_KUNIT(mtg_spill_destroy);
