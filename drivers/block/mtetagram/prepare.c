// SPDX-License-Identifier: GPL-2.0
/*
 * Room for tags, made where that may wait and fail: before locks are taken under which
 * pages get tagged.
 *
 * mprotect() tags up to 512 pages under one page-table lock. If no two of them have
 * their tags in one block, that is 512 blocks to be emptied at once, which takes long
 * with preemption disabled and more spare memory than it is worth to keep. So its
 * pages are reserved and tagged one after the other before the lock is taken. No page
 * can be added to the range meanwhile, as it is locked; one that is taken from it loses
 * its reservation when it is freed.
 *
 * Pages that are about to get mapped, copied or swapped in are reserved only. Nobody
 * takes them for tagged before they are.
 */

#include <linux/err.h>
#include <linux/export.h>
#include <linux/mm.h>
#include <linux/mtetagram.h>
#include <linux/pagewalk.h>
#include <linux/pgtable.h>
#include <linux/sched.h>
#include <linux/sched/signal.h>
#include <linux/spinlock.h>

#include "tagblock.h"

/* The slow side of mtetagram_prepare_pages(), see there. */
int __mtetagram_prepare_pages(struct page *page, unsigned long nr_pages)
{
	int ret = 0;

	for (; nr_pages && !ret; page++, nr_pages--)
		if (!mtg_page_reserve_at_once(page))
			ret = mtg_page_prepare(page, GFP_KERNEL | __GFP_RETRY_MAYFAIL);
	return ret;
}
EXPORT_SYMBOL_GPL(__mtetagram_prepare_pages);

/* Reserve one page for a fault of @mm, which must not be repeated without end. */
static int prepare_for(struct mm_struct *mm, struct page *page)
{
	if (mtg_page_reserve_at_once(page) || !mtg_page_prepare(page, GFP_KERNEL))
		return 0;
	return mtg_fault_insist(mm, page);
}

/* The slow side of mtetagram_prepare_fault(), see there. */
int __mtetagram_prepare_fault(struct vm_area_struct *vma, struct page *page,
			      unsigned long nr_pages)
{
	int ret = 0;

	if (!(vma->vm_flags & VM_MTE))
		return 0;
	for (; nr_pages && !ret; page++, nr_pages--)
		ret = prepare_for(vma->vm_mm, page);
	return ret;
}

/* The slow side of mtetagram_prepare_swapin(), see there. */
int __mtetagram_prepare_swapin(struct vm_area_struct *vma, struct folio *folio,
			       unsigned long entry)
{
	bool tagged = vma && vma->vm_flags & VM_MTE;
	struct mm_struct *mm = vma ? vma->vm_mm : NULL;
	int ret = 0;
	long i;

	for (i = 0; i < folio_nr_pages(folio) && !ret; i++)
		if (tagged || arch_mtetagram_tags_saved(entry + i))
			ret = prepare_for(mm, folio_page(folio, i));
	return ret;
}

/* The slow side of mtetagram_prepare_copy(), see there. */
int __mtetagram_prepare_copy(struct page *to, struct page *from)
{
	if (!arch_mtetagram_tagged(from))
		return 0;
	return mtg_page_reserve(to, MTG_MAY_REFUSE);
}
EXPORT_SYMBOL_GPL(__mtetagram_prepare_copy);

/* Reserve and tag a page of which the caller has a reference. */
static int prepare_page(struct page *page)
{
	int ret = mtg_page_prepare(page, GFP_KERNEL | __GFP_RETRY_MAYFAIL);

	if (!ret)
		arch_mtetagram_tag_page(page);
	cond_resched();
	return ret;
}

/* The same if that need not sleep; false if it may have to. */
static bool prepare_at_once(struct page *page)
{
	if (!mtg_page_reserve_at_once(page))
		return false;
	arch_mtetagram_tag_page(page);
	return true;
}

static int prepare_pages(struct page *page, unsigned int nr_pages)
{
	int ret = 0;

	for (; nr_pages && !ret; page++, nr_pages--)
		if (!prepare_at_once(page))
			ret = prepare_page(page);
	return ret;
}

/*
 * A reference to the next page in [*addr, end) for which something has to be done that
 * may sleep: one for each block, as a rule. The rest is from *addr on then. NULL if there
 * is none; -EAGAIN if the page table has gone away.
 */
static struct page *next_page(pmd_t *pmd, unsigned long *addr, unsigned long end,
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
		if (page && prepare_at_once(page))
			page = NULL;
	}
	if (page)
		get_page(page);
	pte_unmap_unlock(start, ptl);
	return page;
}

static int prepare_entry(pmd_t *pmd, unsigned long addr, unsigned long end,
			 struct mm_walk *walk)
{
	struct page *page = NULL;
	spinlock_t *ptl; /* of the huge page */
	int ret = 0;

	if (fatal_signal_pending(current))
		return -EINTR;
	ptl = pmd_trans_huge_lock(pmd, walk->vma);
	if (ptl) {
		__acquire(ptl);	/* sparse does not know */
		if (pmd_present(*pmd)) {
			page = pmd_page(*pmd) + ((addr & ~HPAGE_PMD_MASK) >> PAGE_SHIFT);
			get_page(page);
		}
		spin_unlock(ptl);
		if (page) {
			ret = prepare_pages(page, (end - addr) >> PAGE_SHIFT);
			put_page(page);
		}
		return ret;
	}
	while (addr != end && !ret) {
		page = next_page(pmd, &addr, end, walk);
		if (IS_ERR(page)) {
			walk->action = ACTION_AGAIN;
			return 0;
		}
		if (page) {
			ret = prepare_page(page);
			put_page(page);
		}
	}
	return ret;
}

static const struct mm_walk_ops prepare_ops = {
	.pmd_entry = prepare_entry,
	/* No page faults, which otherwise need the lock of the VMA only. */
	.walk_lock = PGWALK_WRLOCK,
};

/* The slow side of mtetagram_prepare_range(), see there. */
int __mtetagram_prepare_range(struct vm_area_struct *vma, unsigned long start,
			      unsigned long end)
{
	return walk_page_range(vma->vm_mm, start, end, &prepare_ops, NULL);
}
