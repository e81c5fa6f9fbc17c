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

#include <linux/kernel.h>
#include <linux/mm.h>
#include <linux/mtetagram.h>
#include <linux/pagewalk.h>
#include <linux/pgtable.h>
#include <linux/sched.h>
#include <linux/sched/signal.h>
#include <linux/spinlock.h>

#include "tagblock.h"

/* As many as fit on the stack: the page-table lock is taken once for each batch. */
#define BATCH	16

/* Reserve pages of which the caller has references, and drop these. */
static int prepare_pages(struct page **pages, unsigned int nr_pages)
{
	unsigned int i;
	int ret = 0;

	for (i = 0; i < nr_pages; i++) {
		if (!ret)
			ret = mtg_page_prepare(pages[i], GFP_KERNEL | __GFP_RETRY_MAYFAIL);
		put_page(pages[i]);
	}
	cond_resched();
	return ret;
}

static int prepare_huge(struct page *page, unsigned int nr_pages)
{
	unsigned int i;
	int ret = 0;

	for (i = 0; i < nr_pages && !ret; i++)
		ret = mtg_page_prepare(page + i, GFP_KERNEL | __GFP_RETRY_MAYFAIL);
	put_page(page);
	cond_resched();
	return ret;
}

/*
 * References to the next pages in [*addr, end) that are not reserved yet; the rest is
 * from *addr on then. -EAGAIN if the page table has gone away.
 */
static int get_batch(pmd_t *pmd, unsigned long *addr, unsigned long end,
		     struct mm_walk *walk, struct page **pages)
{
	spinlock_t *ptl; /* of the page table */
	pte_t *start = pte_offset_map_lock(walk->mm, pmd, *addr, &ptl), *pte = start;
	struct page *page;
	int nr_pages = 0;

	if (!start)
		return -EAGAIN;
	__acquire(ptl);	/* sparse does not know */
	for (; *addr != end && nr_pages < BATCH; pte++, *addr += PAGE_SIZE) {
		pte_t entry = ptep_get(pte);

		page = pte_present(entry) ? vm_normal_page(walk->vma, *addr, entry) : NULL;
		if (!page || mtetagram_reserved(page))
			continue;
		get_page(page);
		pages[nr_pages++] = page;
	}
	pte_unmap_unlock(start, ptl);
	return nr_pages;
}

static int prepare_entry(pmd_t *pmd, unsigned long addr, unsigned long end,
			 struct mm_walk *walk)
{
	struct page *pages[BATCH], *huge = NULL;
	spinlock_t *ptl; /* of the huge page */
	int ret = 0;

	if (fatal_signal_pending(current))
		return -EINTR;
	ptl = pmd_trans_huge_lock(pmd, walk->vma);
	if (ptl) {
		__acquire(ptl);	/* sparse does not know */
		if (pmd_present(*pmd)) {
			huge = pmd_page(*pmd) + ((addr & ~HPAGE_PMD_MASK) >> PAGE_SHIFT);
			get_page(huge);
		}
		spin_unlock(ptl);
		return huge ? prepare_huge(huge, (end - addr) >> PAGE_SHIFT) : 0;
	}
	while (addr != end && !ret) {
		ret = get_batch(pmd, &addr, end, walk, pages);
		if (ret == -EAGAIN) {
			walk->action = ACTION_AGAIN;
			return 0;
		}
		ret = prepare_pages(pages, ret);
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
