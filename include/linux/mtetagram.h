/* SPDX-License-Identifier: GPL-2.0 */
/*
 * MTE tag storage in use as a compressed RAM disk: the memory management hook.
 *
 * This is the only header of mtetagram that arch/ and mm/ may include. It says
 * two things to the tag block layer (drivers/block/mtetagram/tagblock.c): "this
 * page is about to get tags" and "this page has been freed". Everything costs
 * one patched-out branch on a machine without a tag storage carve-out, and
 * nothing with CONFIG_MTETAGRAM_CORE=n.
 *
 * See Documentation/mm/mtetagram/hook.rst.
 */
#ifndef _LINUX_MTETAGRAM_H
#define _LINUX_MTETAGRAM_H

#include <linux/types.h>

struct folio;
struct mm_struct;
struct page;
struct vm_area_struct;

#ifdef CONFIG_MTETAGRAM_CORE

#include <linux/jump_label.h>

DECLARE_STATIC_KEY_FALSE(mtetagram_enabled);

void __mtetagram_reserve(struct page *page);
bool __mtetagram_reserve_mapping(struct mm_struct *mm, struct page *page,
				 unsigned int nr_pages);
struct folio *__mtetagram_prepare(struct folio *folio, struct vm_area_struct *vma,
				  gfp_t gfp);
int __mtetagram_prepare_range(struct vm_area_struct *vma, unsigned long start,
			      unsigned long end);
int __mtetagram_prepare_pages(struct page *page, unsigned long nr_pages);
int __mtetagram_prepare_fault(struct vm_area_struct *vma, struct page *page,
			      unsigned long nr_pages);
int __mtetagram_prepare_swapin(struct vm_area_struct *vma, struct folio *folio,
			       unsigned long entry);
int __mtetagram_prepare_copy(struct page *to, struct page *from);
void __mtetagram_release(struct page *page, unsigned int order);
bool __mtetagram_reserved(struct page *page);

/**
 * mtetagram_reserve() - make the tag storage of a page ready for tags
 * @page: The page that is about to be tagged; the caller holds a reference.
 *
 * Must be called before *every* tagging of a page, not only before the first:
 * the page flags are no record of which pages own tag storage (a huge page
 * split copies them from the head to the tails). The second and later calls
 * cost one bit test.
 *
 * When it returns, no data is left in the tag block of @page and none will be
 * put there until the page is freed.
 *
 * Context: Any context that may tag a page. Never sleeps: callers hold
 *          page-table locks, rwlocks or an RCU read lock. Not for interrupts.
 */
static inline void mtetagram_reserve(struct page *page)
{
	if (static_branch_unlikely(&mtetagram_enabled))
		__mtetagram_reserve(page);
}

/**
 * mtetagram_reserve_mapping() - make room for the tags of pages that can do without
 * @mm: Who gets the pages mapped.
 * @page: The first page; the caller holds a reference.
 * @nr_pages: Number of pages.
 *
 * Like mtetagram_reserve() for each page, but where that would have to drop data,
 * this kills the processes that use @mm.
 *
 * Context: Like mtetagram_reserve().
 * Return: False if they were killed. Then the pages must not be mapped so that
 *         tags can be stored.
 */
static inline bool mtetagram_reserve_mapping(struct mm_struct *mm, struct page *page,
					     unsigned int nr_pages)
{
	if (static_branch_unlikely(&mtetagram_enabled))
		return __mtetagram_reserve_mapping(mm, page, nr_pages);
	return true;
}

/**
 * mtetagram_prepare() - make room for the tags of a new folio
 * @folio: What was allocated, or NULL.
 * @vma: What for. Nothing is done if its memory is not to be tagged.
 * @gfp: How it was allocated.
 *
 * An allocation can wait and can fail, which tagging a page under page-table locks
 * cannot; so most of the work is best done here. Like the allocation itself, this
 * fails only if @gfp allows that, or if the task is being killed.
 *
 * Context: May sleep if @gfp allows it.
 * Return: @folio; NULL if there is no room, and then the folio was freed.
 */
static inline struct folio *mtetagram_prepare(struct folio *folio,
					      struct vm_area_struct *vma, gfp_t gfp)
{
	if (static_branch_unlikely(&mtetagram_enabled) && folio)
		return __mtetagram_prepare(folio, vma, gfp);
	return folio;
}

/**
 * mtetagram_prepare_pages() - make room for the tags of pages
 * @page: The first page; the caller holds a reference.
 * @nr_pages: Number of pages.
 *
 * For callers that are about to tag the pages under a lock, and can wait before.
 *
 * Context: May sleep.
 * Return: 0; -ENOMEM if there is no room.
 */
static inline int mtetagram_prepare_pages(struct page *page, unsigned long nr_pages)
{
	if (static_branch_unlikely(&mtetagram_enabled))
		return __mtetagram_prepare_pages(page, nr_pages);
	return 0;
}

/**
 * mtetagram_prepare_fault() - make room for the tags of pages that get mapped
 * @vma: Where they get mapped. Nothing is done if its memory is not to be tagged.
 * @page: The first page; the caller holds a reference.
 * @nr_pages: Number of pages.
 *
 * A page fault that fails for lack of memory is repeated. So that it comes to an end,
 * the processes that use the address space are killed if there is no room.
 *
 * Context: May sleep.
 * Return: 0; -ENOMEM if a process is being killed.
 */
static inline int mtetagram_prepare_fault(struct vm_area_struct *vma, struct page *page,
					  unsigned long nr_pages)
{
	if (static_branch_unlikely(&mtetagram_enabled))
		return __mtetagram_prepare_fault(vma, page, nr_pages);
	return 0;
}

/**
 * mtetagram_prepare_swapin() - make room for the tags of pages that were swapped in
 * @vma: Where the pages get mapped; NULL if nowhere yet.
 * @folio: The pages, locked.
 * @entry: Value of the swap entry of the first page.
 *
 * To be called before arch_swap_restore(). Room is made for the pages whose tags were
 * saved with the entry, and for all if the memory of @vma is to be tagged.
 *
 * Context: May sleep.
 * Return: 0; -ENOMEM if there is no room.
 */
static inline int mtetagram_prepare_swapin(struct vm_area_struct *vma,
					   struct folio *folio, unsigned long entry)
{
	if (static_branch_unlikely(&mtetagram_enabled))
		return __mtetagram_prepare_swapin(vma, folio, entry);
	return 0;
}

/**
 * mtetagram_prepare_copy() - make room for the tags of a page that gets copied
 * @to: The copy, not mapped yet; the caller holds a reference.
 * @from: The page.
 *
 * Unlike copy_highpage(), this can fail. Nothing is done if @from is not tagged.
 *
 * Context: Like mtetagram_reserve().
 * Return: 0; -ENOMEM if there is no room.
 */
static inline int mtetagram_prepare_copy(struct page *to, struct page *from)
{
	if (static_branch_unlikely(&mtetagram_enabled))
		return __mtetagram_prepare_copy(to, from);
	return 0;
}

/**
 * mtetagram_prepare_range() - make room for the tags of populated memory
 * @vma: The mapping, which is about to get VM_MTE.
 * @start: First address, in @vma.
 * @end: End address, in @vma.
 *
 * To be called before the page tables are changed, so that nothing has to be done
 * under their locks. The pages are tagged, with tags of 0: whatever fails after this,
 * no page is left with room for tags that nobody has initialised.
 *
 * Context: May sleep; mmap_lock held for writing, @vma gets locked too.
 * Return: 0, or nothing should be tagged: -ENOMEM if there is no room, -EINTR if the
 *         process is being killed.
 */
static inline int mtetagram_prepare_range(struct vm_area_struct *vma,
					  unsigned long start, unsigned long end)
{
	if (static_branch_unlikely(&mtetagram_enabled))
		return __mtetagram_prepare_range(vma, start, end);
	return 0;
}

/**
 * mtetagram_active() - are there tag blocks that may hold data?
 *
 * Context: Any.
 * Return: False where there is no carve-out.
 */
static inline bool mtetagram_active(void)
{
	return static_branch_unlikely(&mtetagram_enabled);
}

/**
 * mtetagram_release() - give back the tag storage of freed pages
 * @page: First page of the freed block of pages.
 * @order: 1 << @order pages are freed. Pages without tags are skipped.
 *
 * Context: Any, hard interrupts included.
 */
static inline void mtetagram_release(struct page *page, unsigned int order)
{
	if (static_branch_unlikely(&mtetagram_enabled))
		__mtetagram_release(page, order);
}

/**
 * mtetagram_reserved() - may the tags of this page be trusted?
 * @page: A page whose flags say that it is tagged.
 *
 * Context: Any.
 * Return: False if the page's tag storage holds something else, so that the
 *         page flag is a lie. True where there is no carve-out.
 */
static inline bool mtetagram_reserved(struct page *page)
{
	if (static_branch_unlikely(&mtetagram_enabled))
		return __mtetagram_reserved(page);
	return true;
}

/*
 * What the architecture provides to the tag block layer. The rules for moving
 * a tag block between its two uses are hardware rules, so they live with the
 * architecture: arch/arm64/mm/mtetagram.c.
 */
const char *arch_mtetagram_unsupported(void);
void arch_mtetagram_clean_tags(struct page *page);
void arch_mtetagram_clean_data(void *addr, size_t size);
void arch_mtetagram_init_tags(struct page *page);
void arch_mtetagram_tag_page(struct page *page);
bool arch_mtetagram_tagged(struct page *page);
bool arch_mtetagram_tags_saved(unsigned long entry);

void mtetagram_kexec(void);

#else /* !CONFIG_MTETAGRAM_CORE */

static inline void mtetagram_reserve(struct page *page)
{
}

static inline bool mtetagram_reserve_mapping(struct mm_struct *mm, struct page *page,
					     unsigned int nr_pages)
{
	return true;
}

static inline struct folio *mtetagram_prepare(struct folio *folio,
					      struct vm_area_struct *vma, gfp_t gfp)
{
	return folio;
}

static inline int mtetagram_prepare_range(struct vm_area_struct *vma,
					  unsigned long start, unsigned long end)
{
	return 0;
}

static inline int mtetagram_prepare_pages(struct page *page, unsigned long nr_pages)
{
	return 0;
}

static inline int mtetagram_prepare_fault(struct vm_area_struct *vma, struct page *page,
					  unsigned long nr_pages)
{
	return 0;
}

static inline int mtetagram_prepare_swapin(struct vm_area_struct *vma,
					   struct folio *folio, unsigned long entry)
{
	return 0;
}

static inline int mtetagram_prepare_copy(struct page *to, struct page *from)
{
	return 0;
}

static inline bool mtetagram_active(void)
{
	return false;
}

static inline void mtetagram_kexec(void)
{
}

static inline void mtetagram_release(struct page *page, unsigned int order)
{
}

static inline bool mtetagram_reserved(struct page *page)
{
	return true;
}

#endif /* CONFIG_MTETAGRAM_CORE */
#endif /* _LINUX_MTETAGRAM_H */
