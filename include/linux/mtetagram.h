/* SPDX-License-Identifier: GPL-2.0 */
/*
 * MTE tag storage as a compressed RAM disk: the hook of the memory management.
 *
 * This is the only header of mtetagram that arch/ and mm/ may include. The hook
 * (drivers/block/mtetagram/hook.c and prepare.c) learns two things from them: a
 * page is about to get tags, or a page was freed. On a machine without a carve-out
 * each call costs one patched-out branch. With CONFIG_MTETAGRAM_CORE=n the calls
 * are empty.
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
 * Must be called before *every* tagging of a page, not only before the first. The
 * page flags do not say which pages are reserved: the split of a huge page copies
 * them from the head to the tails. If the page is reserved already, the call costs
 * the test of one bit.
 *
 * When this returns, the tag block of @page holds no data, and it will hold none
 * until the page is freed.
 *
 * Context: Any context that may tag a page, but no interrupts. Never sleeps:
 *          callers hold page-table locks, rwlocks or an RCU read lock.
 */
static inline void mtetagram_reserve(struct page *page)
{
	if (static_branch_unlikely(&mtetagram_enabled))
		__mtetagram_reserve(page);
}

/**
 * mtetagram_reserve_mapping() - reserve pages that are about to be mapped
 * @mm: The address space in which the pages get mapped.
 * @page: The first page; the caller holds a reference.
 * @nr_pages: Number of pages.
 *
 * Like mtetagram_reserve() for each page. But where mtetagram_reserve() would drop
 * data, this kills the processes that use @mm.
 *
 * Context: As of mtetagram_reserve().
 * Return: False if the processes were killed. Then the pages must not be mapped as
 *         memory that can store tags.
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
 * @folio: The folio that was allocated, or NULL.
 * @vma: The mapping it is for. Nothing is done if the mapping is not tagged.
 * @gfp: How the folio was allocated.
 *
 * An allocation can wait and can fail. To tag a page under page-table locks can do
 * neither, so most of the work is best done here. Like the allocation itself, this
 * fails only if @gfp allows that, or if the task is being killed.
 *
 * Context: May sleep if @gfp allows that.
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
 * For callers that are about to tag the pages under a lock, and can wait before that.
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
 * @vma: The mapping of the pages. Nothing is done if the mapping is not tagged.
 * @page: The first page; the caller holds a reference.
 * @nr_pages: Number of pages.
 *
 * A page fault that fails for lack of memory is repeated. To end that if there is no
 * room, the processes that use the address space are killed.
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
 * @vma: The mapping of the pages; NULL if they are not mapped yet.
 * @folio: The pages, locked.
 * @entry: Value of the swap entry of the first page.
 *
 * To be called before arch_swap_restore(). Room is made for each page whose tags were
 * saved with its entry, and for all pages if the mapping is tagged.
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
 * mtetagram_prepare_copy() - make room for the tags of the copy of a page
 * @to: The copy, not mapped yet; the caller holds a reference.
 * @from: The page that is copied. Nothing is done if it is not tagged.
 *
 * Unlike copy_highpage(), this can fail.
 *
 * Context: As of mtetagram_reserve().
 * Return: 0; -ENOMEM if there is no room.
 */
static inline int mtetagram_prepare_copy(struct page *to, struct page *from)
{
	if (static_branch_unlikely(&mtetagram_enabled))
		return __mtetagram_prepare_copy(to, from);
	return 0;
}

/**
 * mtetagram_prepare_range() - make room for the tags of pages that are mapped already
 * @vma: The mapping, which is about to get VM_MTE.
 * @start: First address, in @vma.
 * @end: End address, in @vma.
 *
 * To be called before the page tables are changed, so that nothing is left to do
 * under their locks. The pages get tags of 0: whatever fails after this, no page is
 * left reserved whose tags are not initialised.
 *
 * Context: May sleep; mmap_lock held for writing, and @vma gets locked too.
 * Return: 0; -ENOMEM if there is no room, -EINTR if the process is being killed. After
 *         an error the mapping must not become tagged.
 */
static inline int mtetagram_prepare_range(struct vm_area_struct *vma,
					  unsigned long start, unsigned long end)
{
	if (static_branch_unlikely(&mtetagram_enabled))
		return __mtetagram_prepare_range(vma, start, end);
	return 0;
}

/**
 * mtetagram_active() - is there tag storage that may hold data?
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
 * @page: The first of the freed pages.
 * @order: 1 << @order pages are freed. Pages that are not reserved are skipped.
 *
 * Context: Any, hard interrupts included.
 */
static inline void mtetagram_release(struct page *page, unsigned int order)
{
	if (static_branch_unlikely(&mtetagram_enabled))
		__mtetagram_release(page, order);
}

/**
 * mtetagram_reserved() - are the tags of a page valid?
 * @page: A page whose flags say that it is tagged.
 *
 * Context: Any.
 * Return: False if the page is not reserved, so that its tag storage may hold data
 *         and its flag is wrong. True where there is no carve-out.
 */
static inline bool mtetagram_reserved(struct page *page)
{
	if (static_branch_unlikely(&mtetagram_enabled))
		return __mtetagram_reserved(page);
	return true;
}

/*
 * What the architecture provides to the hook and to the tag blocks. The rules for
 * the change of a tag block between data and tags are rules of the hardware, so
 * they are with the architecture: arch/arm64/mm/mtetagram.c.
 */
const char *arch_mtetagram_unsupported(void);
void arch_mtetagram_clean_tags(void *addr, size_t size);
void arch_mtetagram_clean_data(void *addr, size_t size);
void arch_mtetagram_load_tags(struct page *page, void *tags);
void arch_mtetagram_store_tags(struct page *page, const void *tags);
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
