// SPDX-License-Identifier: GPL-2.0
/*
 * The entries of the hook that may wait and may fail. They make room for tags before the
 * locks are taken under which pages get tagged.
 *
 * Pages that are about to be mapped, copied or swapped in are reserved only. Nobody takes
 * such a page for tagged before it is tagged.
 *
 * mprotect() tags up to 512 pages under one page-table lock. If no two of these pages have
 * their tags in the same block, 512 blocks have to be evicted at once. That takes long with
 * preemption disabled, and it needs more spare memory than is worth keeping. So the pages of
 * mprotect() are reserved and tagged one after the other before the lock is taken. The range
 * is locked, so no page can be added to it meanwhile. A page that leaves the range is
 * released when it is freed.
 *
 * include/linux/mtetagram.h describes each entry.
 */

#include <linux/err.h>
#include <linux/export.h>
#include <linux/gfp.h>
#include <linux/mm.h>
#include <linux/mtetagram.h>
#include <linux/pagewalk.h>
#include <linux/pgtable.h>
#include <linux/sched.h>
#include <linux/sched/signal.h>
#include <linux/spinlock.h>

#include "hook.h"

/* Reserve a page, and make room for that. Returns 0, or -ENOMEM if there is no memory. */
static int prepare_slow(struct page *page, gfp_t gfp)
{
	unsigned long index;
	const struct mtg_range *range;

	return mtg_find_range(mtg_ranges, page, &range, &index) ?
	       mtg_region_prepare(range->region, page, gfp) : 0;
}

/*
 * End a page fault for which there is no room. A fault in the address space of the current
 * task would be repeated without end, so mtg_page_insist() decides. A task that accesses the
 * address space of another task is told of the failure.
 */
static int insist_for_fault(struct mm_struct *mm, struct page *page)
{
	if (!mm || current->mm != mm || fatal_signal_pending(current))
		return -ENOMEM;
	return mtg_page_insist(mm, page);
}

/*
 * Does the page allocator loop until it has memory, or until the out-of-memory killer has
 * found a victim? Then the callers are not made for a failure: a page fault would be repeated
 * without end.
 */
static bool must_not_fail(struct folio *folio, gfp_t gfp)
{
	return folio_order(folio) <= PAGE_ALLOC_COSTLY_ORDER && gfp & __GFP_DIRECT_RECLAIM &&
	       !(gfp & (__GFP_NORETRY | __GFP_RETRY_MAYFAIL));
}

static noinline struct folio *prepare_folio_slow(struct folio *folio, struct mm_struct *mm,
						 gfp_t gfp)
{
	long i;

	for (i = 0; i < folio_nr_pages(folio); i++) {
		struct page *page = folio_page(folio, i);

		if (!prepare_slow(page, gfp) ||
		    (must_not_fail(folio, gfp) && !insist_for_fault(mm, page)))
			continue;
		folio_put(folio);
		return NULL;
	}
	return folio;
}

/* The slow side of mtetagram_prepare() in include/linux/mtetagram.h. */
struct folio *__mtetagram_prepare(struct folio *folio, struct vm_area_struct *vma,
				  gfp_t gfp)
{
	if (likely(!(vma->vm_flags & VM_MTE)))
		return folio;
	if (!folio_test_large(folio) &&
	    likely(mtg_page_reserve_at_once(folio_page(folio, 0))))
		return folio;
	return prepare_folio_slow(folio, vma->vm_mm, gfp);
}
EXPORT_SYMBOL_GPL(__mtetagram_prepare);

/* The slow side of mtetagram_prepare_pages() in include/linux/mtetagram.h. */
int __mtetagram_prepare_pages(struct page *page, unsigned long nr_pages)
{
	int ret = 0;

	for (; nr_pages && !ret; page++, nr_pages--)
		if (!mtg_page_reserve_at_once(page))
			ret = prepare_slow(page, GFP_KERNEL | __GFP_RETRY_MAYFAIL);
	return ret;
}
EXPORT_SYMBOL_GPL(__mtetagram_prepare_pages);

/* Reserve one page for a fault of @mm, which must not be repeated without end. */
static int prepare_for_fault(struct mm_struct *mm, struct page *page)
{
	if (mtg_page_reserve_at_once(page) || !prepare_slow(page, GFP_KERNEL))
		return 0;
	return insist_for_fault(mm, page);
}

/* The slow side of mtetagram_prepare_fault() in include/linux/mtetagram.h. */
int __mtetagram_prepare_fault(struct vm_area_struct *vma, struct page *page,
			      unsigned long nr_pages)
{
	int ret = 0;

	if (!(vma->vm_flags & VM_MTE))
		return 0;
	for (; nr_pages && !ret; page++, nr_pages--)
		ret = prepare_for_fault(vma->vm_mm, page);
	return ret;
}

/* The slow side of mtetagram_prepare_swapin() in include/linux/mtetagram.h. */
int __mtetagram_prepare_swapin(struct vm_area_struct *vma, struct folio *folio,
			       unsigned long entry)
{
	bool tagged = vma && vma->vm_flags & VM_MTE;
	struct mm_struct *mm = vma ? vma->vm_mm : NULL;
	int ret = 0;
	long i;

	for (i = 0; i < folio_nr_pages(folio) && !ret; i++)
		if (tagged || arch_mtetagram_tags_saved(entry + i))
			ret = prepare_for_fault(mm, folio_page(folio, i));
	return ret;
}

/* The slow side of mtetagram_prepare_copy() in include/linux/mtetagram.h. */
int __mtetagram_prepare_copy(struct page *to, struct page *from)
{
	unsigned long index;
	const struct mtg_range *range;

	if (!arch_mtetagram_tagged(from) || !mtg_find_range(mtg_ranges, to, &range, &index))
		return 0;
	return mtg_region_reserve(range->region, to, MTG_MAY_REFUSE);
}
EXPORT_SYMBOL_GPL(__mtetagram_prepare_copy);

/* Reserve and tag a page if that need not sleep. Returns false if it may have to sleep. */
static bool tag_at_once(struct page *page)
{
	if (!mtg_page_reserve_at_once(page))
		return false;
	arch_mtetagram_tag_page(page);
	return true;
}

/* Reserve and tag a page of which the caller has a reference. */
static int tag_slow(struct page *page)
{
	int ret = prepare_slow(page, GFP_KERNEL | __GFP_RETRY_MAYFAIL);

	if (!ret)
		arch_mtetagram_tag_page(page);
	cond_resched();
	return ret;
}

static int tag_pages(struct page *page, unsigned int nr_pages)
{
	int ret = 0;

	for (; nr_pages && !ret; page++, nr_pages--)
		if (!tag_at_once(page))
			ret = tag_slow(page);
	return ret;
}

/*
 * Tag the pages in [*addr, end) as long as that need not sleep. Returns a reference to the
 * first page that may have to sleep, as a rule one page for each block, and *addr is behind
 * that page then; NULL if all pages are tagged; -EAGAIN if the page table has gone away.
 */
static struct page *next_to_tag(pmd_t *pmd, unsigned long *addr, unsigned long end,
				struct mm_walk *walk)
{
	spinlock_t *ptl; /* of the page table */
	pte_t *start = pte_offset_map_lock(walk->mm, pmd, *addr, &ptl), *pte = start;
	struct page *page = NULL;

	if (!start)
		return ERR_PTR(-EAGAIN);
	__acquire(ptl);	/* sparse does not know */
	for (; *addr != end && !page; pte++, *addr += PAGE_SIZE) {
		pte_t entry = ptep_get(pte);

		if (pte_present(entry))
			page = vm_normal_page(walk->vma, *addr, entry);
		if (page && tag_at_once(page))
			page = NULL;
	}
	if (page)
		get_page(page);
	pte_unmap_unlock(start, ptl);
	return page;
}

/*
 * Takes the lock of a huge page only to get a reference to the page: tag_pages() may sleep.
 * Returns false if the entry is not a huge page, and then there is no lock.
 */
static bool tag_huge_page(pmd_t *pmd, unsigned long addr, unsigned long end,
			  struct mm_walk *walk, int *ret)
{
	spinlock_t *ptl = pmd_trans_huge_lock(pmd, walk->vma); /* of the huge page */
	struct page *page = NULL;

	if (!ptl)
		return false;
	__acquire(ptl);	/* sparse does not know */
	if (pmd_present(*pmd)) {
		page = pmd_page(*pmd) + ((addr & ~HPAGE_PMD_MASK) >> PAGE_SHIFT);
		get_page(page);
	}
	spin_unlock(ptl);
	*ret = 0;
	if (page) {
		*ret = tag_pages(page, (end - addr) >> PAGE_SHIFT);
		put_page(page);
	}
	return true;
}

/* A page-table entry that points to a huge page or to a page table. */
static int tag_pmd_entry(pmd_t *pmd, unsigned long addr, unsigned long end,
			 struct mm_walk *walk)
{
	struct page *page;
	int ret = 0;

	if (fatal_signal_pending(current))
		return -EINTR;
	if (tag_huge_page(pmd, addr, end, walk, &ret))
		return ret;
	while (addr != end && !ret) {
		page = next_to_tag(pmd, &addr, end, walk);
		if (IS_ERR(page)) {
			/* It became a huge page, or nothing: the walk looks at it again. */
			walk->action = ACTION_AGAIN;
			return 0;
		}
		if (page) {
			ret = tag_slow(page);
			put_page(page);
		}
	}
	return ret;
}

static const struct mm_walk_ops tag_ops = {
	.pmd_entry = tag_pmd_entry,
	/* Locks out page faults, which otherwise need the lock of the VMA only. */
	.walk_lock = PGWALK_WRLOCK,
};

/* The slow side of mtetagram_prepare_range() in include/linux/mtetagram.h. */
int __mtetagram_prepare_range(struct vm_area_struct *vma, unsigned long start,
			      unsigned long end)
{
	return walk_page_range(vma->vm_mm, start, end, &tag_ops, NULL);
}
