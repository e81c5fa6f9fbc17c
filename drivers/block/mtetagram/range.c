// SPDX-License-Identifier: GPL-2.0
/*
 * Ranges: room for the tags of memory that is populated already.
 *
 * mprotect() tags up to 512 pages under one page-table lock. If no two of them have
 * their tags in one block, that is 512 blocks to be emptied at once, which takes long
 * with preemption disabled and more spare memory than it is worth to keep. So the
 * pages are reserved one after the other before the lock is taken, where that may
 * wait and fail. No page can be added to the range meanwhile, as it is locked; one
 * that is taken from it loses its reservation when it is freed.
 */

#include <linux/err.h>
#include <linux/mm.h>
#include <linux/mtetagram.h>
#include <linux/pagewalk.h>
#include <linux/pgtable.h>
#include <linux/sched.h>
#include <linux/sched/signal.h>
#include <linux/spinlock.h>

#include "tagblock.h"

/* Reserve a page of which the caller has a reference. */
static int prepare_page(struct page *page)
{
	int ret = mtg_page_prepare(page, GFP_KERNEL | __GFP_RETRY_MAYFAIL);

	cond_resched();
	return ret;
}

static int prepare_pages(struct page *page, unsigned int nr_pages)
{
	int ret = 0;

	for (; nr_pages && !ret; page++, nr_pages--)
		if (!mtg_page_reserve_at_once(page))
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
		if (page && mtg_page_reserve_at_once(page))
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
