// SPDX-License-Identifier: GPL-2.0
/*
 * The entries of the hook that cannot wait: a page gets tags, or a page was freed.
 *
 * Each page that is freed or tagged comes to a function here, and most of the time there is
 * nothing to do. A few instructions without a stack frame find that out. Everything else is
 * in functions of its own, whose names end in "_slow".
 *
 * The callers may hold page-table locks. Where there is no room for the data in the way of
 * the tags, the processes that want the tags are killed: to ask them to wait is not possible.
 *
 * include/linux/mtetagram.h describes each entry.
 */

#define pr_fmt(fmt) "mtetagram: " fmt

#include <linux/compiler.h>
#include <linux/export.h>
#include <linux/minmax.h>
#include <linux/mm.h>
#include <linux/mtetagram.h>
#include <linux/oom.h>
#include <linux/printk.h>
#include <linux/rcupdate.h>
#include <linux/sched.h>
#include <linux/sched/mm.h>
#include <linux/sched/signal.h>

#include "hook.h"

/* The slow side of mtetagram_reserve() in include/linux/mtetagram.h. */
void __mtetagram_reserve(struct page *page)
{
	unsigned long index;
	const struct mtg_range *range;

	/* Pairs with the barrier in reserve_locked(). */
	if (mtg_find_range(mtg_ranges, page, &range, &index) &&
	    unlikely(!test_bit_acquire(index, range->reserved)))
		mtg_region_reserve(range->region, page, MTG_MUST);
}
EXPORT_SYMBOL_GPL(__mtetagram_reserve);

/* Does the out-of-memory killer spare a process that uses @mm? Then the hook spares it too. */
static bool is_spared(struct mm_struct *mm)
{
	struct task_struct *p;
	bool spared = false;

	rcu_read_lock();
	for_each_process(p)
		if (process_shares_mm(p, mm) &&
		    (is_global_init(p) ||
		     READ_ONCE(p->signal->oom_score_adj) == OOM_SCORE_ADJ_MIN))
			spared = true;
	rcu_read_unlock();
	return spared;
}

/*
 * Kill the processes that use @mm, as the out-of-memory killer would. The caller may hold
 * page-table locks. Returns false if all of them were dying already.
 */
static bool kill_users(struct mm_struct *mm)
{
	struct task_struct *p;
	bool killed = false;

	rcu_read_lock();
	for_each_process(p) {
		if (!process_shares_mm(p, mm) || p->flags & PF_KTHREAD ||
		    fatal_signal_pending(p))
			continue;
		pr_err("killed process %d (%s): no memory to make room for its tags\n",
		       task_pid_nr(p), p->comm);
		do_send_sig_info(SIGKILL, SEND_SIG_PRIV, p, PIDTYPE_TGID);
		killed = true;
	}
	rcu_read_unlock();
	return killed;
}

/**
 * mtg_page_insist() - reserve a page, or kill the processes that want it tagged
 * @mm: Their address space.
 * @page: The page; the caller has a reference.
 *
 * Some processes must not be killed: init, and those that root has exempted from the
 * out-of-memory killer. They must not go on with untagged memory either. For them the
 * emergency reserves of memory are used, and if these are empty, data is dropped.
 *
 * Context: Not in interrupts. Never sleeps. The caller may hold page-table locks.
 * Return: 0; -ENOMEM if the processes were killed, and the page is not reserved.
 */
int mtg_page_insist(struct mm_struct *mm, struct page *page)
{
	unsigned long index;
	const struct mtg_range *range;

	if (!mtg_find_range(mtg_ranges, page, &range, &index) ||
	    !mtg_region_reserve(range->region, page, MTG_MAY_REFUSE))
		return 0;
	if (is_spared(mm)) {
		atomic64_inc(&range->region->events[MTG_NOT_KILLED]);
		pr_err_ratelimited("no memory to make room for the tags of process %d (%s), which must not be killed\n",
				   current->pid, current->comm);
		return mtg_region_reserve(range->region, page, MTG_MUST);
	}
	if (kill_users(mm))
		atomic64_inc(&range->region->events[MTG_KILLED]);
	return -ENOMEM;
}

static noinline bool reserve_mapping_slow(struct mm_struct *mm, struct page *page,
					  unsigned int nr_pages)
{
	unsigned int i;

	for (i = 0; i < nr_pages; i++)
		if (mtg_page_insist(mm, page + i))
			return false;
	return true;
}

/* The slow side of mtetagram_reserve_mapping() in include/linux/mtetagram.h. */
bool __mtetagram_reserve_mapping(struct mm_struct *mm, struct page *page,
				 unsigned int nr_pages)
{
	if (likely(nr_pages == 1) && mtg_page_is_reserved(page))
		return true;
	return reserve_mapping_slow(mm, page, nr_pages);
}
EXPORT_SYMBOL_GPL(__mtetagram_reserve_mapping);

/* A large folio may lie in more than one region, and begin in none. */
static noinline void release_slow(struct page *page, unsigned int order)
{
	unsigned long pfn = page_to_pfn(page), end = pfn + (1UL << order), first, last;
	const struct mtg_range *range;

	for (range = mtg_ranges; range->nr_pages; range++) {
		first = max(pfn, range->region->start_pfn);
		last = min(end, range->region->start_pfn + range->nr_pages);
		if (first < last)
			mtg_region_release(range->region, first, last - first);
	}
}

/* The slow side of mtetagram_release() in include/linux/mtetagram.h. */
void __mtetagram_release(struct page *page, unsigned int order)
{
	unsigned long index;
	const struct mtg_range *range;

	if (unlikely(order))
		release_slow(page, order);
	else if (mtg_find_range(mtg_ranges, page, &range, &index) &&
		 unlikely(test_bit(index, range->reserved)))
		mtg_region_release_page(range->region, index);
}

/* The slow side of mtetagram_reserved() in include/linux/mtetagram.h. */
bool __mtetagram_reserved(struct page *page)
{
	return mtg_page_is_reserved(page);
}
EXPORT_SYMBOL_GPL(__mtetagram_reserved);
