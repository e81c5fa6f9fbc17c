// SPDX-License-Identifier: GPL-2.0
/*
 * Cache maintenance for MTE tag storage that changes between tags and data.
 *
 * Data accesses to tag storage are coherent between CPUs, but they are not coherent with tag
 * accesses. So the driver must clean the caches when a tag block changes its use. The rules
 * are the "base requirements" R1 to R3 of the MTE dynamic carve-out specification
 * (google/sanitizers, mte-dynamic-carveout/spec.md):
 *
 *   data to tags: A dirty data line of the tag block must not be written back later, over
 *                 tags. So the block's data lines are cleaned and invalidated to the point
 *                 of coherency before the first tag store.
 *   tags to data: A dirty tag line of a data page must not be written back later, over
 *                 data. So the tag lines of the pages are cleaned and invalidated first,
 *                 and then the block's data lines.
 *
 * A machine model with such caches finds a missing operation: see
 * Documentation/mm/mtetagram/caches.rst.
 */

#include <linux/bitfield.h>
#include <linux/cacheflush.h>
#include <linux/cpufeature.h>
#include <linux/kasan-enabled.h>
#include <linux/mm.h>
#include <linux/mtetagram.h>
#include <linux/preempt.h>

#include <asm/barrier.h>
#include <asm/cputype.h>
#include <asm/mte.h>
#include <asm/mte-def.h>
#include <asm/sysreg.h>

/**
 * arch_mtetagram_unsupported() - why tag storage cannot be reused here
 *
 * Context: After the CPU features are final.
 * Return: NULL if it can be reused, else the reason, for a log line.
 */
const char *arch_mtetagram_unsupported(void)
{
	if (!system_supports_mte())
		return "the CPUs have no MTE";
	/* All kernel memory is tagged then, so all tag storage is in use. */
	if (kasan_hw_tags_enabled())
		return "KASAN_HW_TAGS tags all memory (boot with kasan=off)";
	return NULL;
}

/*
 * Bytes of data whose tags fit into the smallest tag cache line. CTR_EL0.TminLine is the log2
 * of their number in 4-byte words (Arm ARM, CTR_EL0). The result is at least the 16 bytes
 * that one tag describes. The register is read directly, because the sanitised copy does not
 * have the field.
 */
static size_t tag_line_size(void)
{
	size_t size = 4UL << FIELD_GET(CTR_EL0_TminLine_MASK,
				       read_cpuid(CTR_EL0));

	return max_t(size_t, size, MTE_GRANULE_SIZE);
}

/**
 * arch_mtetagram_clean_tags() - write back and invalidate cached tags
 * @addr: Data in the linear map that will have no tags any more.
 * @size: Its size in bytes.
 *
 * The first half of "tags to data". There is nothing to do for the second half, the data lines
 * of the tag block: no data was stored in the block after arch_mtetagram_clean_data() was
 * called for it. A CPU may have fetched data lines by speculation. They are clean, and the
 * bytes in them are not looked at: the driver loads only what it has stored.
 *
 * Context: Any. At most one cache operation for each 16 bytes.
 */
void arch_mtetagram_clean_tags(void *addr, size_t size)
{
	unsigned long line = (unsigned long)addr, end = line + size;
	size_t step = tag_line_size();

	for (; line < end; line += step)
		write_sysreg_s(line, SYS_DC_CIGVAC);
	/* The maintenance is complete for the whole system before data is stored there. */
	dsb(sy);
}

/**
 * arch_mtetagram_clean_data() - write back and invalidate cached data of a tag block
 * @addr: The tag block in the kernel's untagged mapping of the tag storage.
 * @size: Its size in bytes.
 *
 * This is "data to tags". It ends with a DSB, so a later tag store cannot overtake the
 * maintenance. A CPU may have fetched tag lines by speculation while the block held data.
 * They are clean, and no code looks at the tags in them: all tags of a page are stored before
 * one is loaded.
 *
 * Context: Any. One operation for each cache line.
 */
void arch_mtetagram_clean_data(void *addr, size_t size)
{
	dcache_clean_inval_poc((unsigned long)addr, (unsigned long)addr + size);
}

/**
 * arch_mtetagram_load_tags() - read the tags of a page as they are
 * @page: A page in the linear map. It need not be tagged.
 * @tags: Where to put them: PAGE_SIZE / 32 bytes. Each byte has the tags of two granules.
 *
 * Context: Any.
 */
void arch_mtetagram_load_tags(struct page *page, void *tags)
{
	mte_save_page_tags(page_address(page), tags);
}

/**
 * arch_mtetagram_store_tags() - store tags to a page
 * @page: A page in the linear map. Nobody else uses it.
 * @tags: The tags, as arch_mtetagram_load_tags() gives them.
 *
 * Context: Any.
 */
void arch_mtetagram_store_tags(struct page *page, const void *tags)
{
	mte_restore_page_tags(page_address(page), tags);
}

/**
 * arch_mtetagram_init_tags() - give a falsely flagged page valid tags
 * @page: A page whose tag storage has just been reserved.
 *
 * A page that was not reserved may be flagged as tagged: the split of a huge page with a tagged
 * head copies the flag. Nobody has initialised the tags of such a page, and nobody will. What
 * is in the tag storage is left over from its use for data, and must not be seen as tags.
 *
 * Context: Any; the page may be mapped.
 */
void arch_mtetagram_init_tags(struct page *page)
{
	if (test_bit(PG_mte_tagged, &page->flags))
		mte_clear_page_tags(page_address(page));
}

/**
 * arch_mtetagram_tag_page() - give a page tags of 0, unless it is tagged
 * @page: A page whose tag storage is reserved.
 *
 * Context: Any; the page may be mapped. May spin while another CPU tags the page.
 */
void arch_mtetagram_tag_page(struct page *page)
{
	/*
	 * Other CPUs spin until the page is tagged, and may do so under page-table locks. So
	 * the task that tags a mapped page must not be preempted.
	 */
	preempt_disable();
	if (__try_page_mte_tagging(page)) {
		mte_clear_page_tags(page_address(page));
		set_page_mte_tagged(page);
	}
	preempt_enable();
}

/**
 * arch_mtetagram_tagged() - does a page have tags?
 * @page: The page.
 *
 * Context: Any.
 * Return: True if its tags are valid.
 */
bool arch_mtetagram_tagged(struct page *page)
{
	return page_mte_tagged(page);
}

/**
 * arch_mtetagram_tags_saved() - were tags saved with a page that was swapped out?
 * @entry: Value of its swap entry.
 *
 * Context: Any.
 * Return: True if arch_swap_restore() will tag the page.
 */
bool arch_mtetagram_tags_saved(unsigned long entry)
{
	return mte_tags_saved((swp_entry_t) { .val = entry });
}
