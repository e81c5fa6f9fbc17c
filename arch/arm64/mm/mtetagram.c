// SPDX-License-Identifier: GPL-2.0
/*
 * Cache maintenance for MTE tag storage that changes between tags and data.
 *
 * Tag storage is coherent between CPUs for data accesses, but data accesses are
 * not coherent with tag accesses, so both caches must be emptied by hand when a
 * tag block changes its use. The rules are the "base requirements" R1 to R3 of
 * the MTE dynamic carve-out specification (google/sanitizers,
 * mte-dynamic-carveout/spec.md):
 *
 *   data to tags: no dirty data line of the tag block may be written back over
 *                 tags later, so clean and invalidate the block's data to the
 *                 point of coherency before the first tag store;
 *   tags to data: no dirty tag line of the data pages may be written back over
 *                 data later, so clean and invalidate the tags of the pages
 *                 first, then the block's data.
 *
 * No emulator models these caches: the code here was reviewed against the
 * specification and its callers are traced, but it was not proved by a test.
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
	/* All kernel memory is tagged then: all tag storage is in use. */
	if (kasan_hw_tags_enabled())
		return "KASAN_HW_TAGS tags all memory (boot with kasan=off)";
	return NULL;
}

/*
 * Bytes of data whose tags fit into the smallest tag cache line: CTR_EL0.TminLine
 * is the log2 of that in 4-byte words (Arm ARM, CTR_EL0). Never less than the 16
 * bytes that one tag describes. The raw register, because the sanitised one does
 * not keep the field.
 */
static size_t tag_line_size(void)
{
	size_t size = 4UL << FIELD_GET(CTR_EL0_TminLine_MASK,
				       read_cpuid(CTR_EL0));

	return max_t(size_t, size, MTE_GRANULE_SIZE);
}

/**
 * arch_mtetagram_clean_tags() - write back and drop the cached tags of a page
 * @page: A page that is being freed and still is in the linear map.
 *
 * First half of "tags to data". The second half (the data lines of the tag
 * block) is empty by then: nothing was stored to the block as data since the
 * arch_mtetagram_clean_data() that made it hold tags.
 *
 * Context: Any. At most 256 cache operations.
 */
void arch_mtetagram_clean_tags(struct page *page)
{
	unsigned long addr = (unsigned long)page_address(page);
	unsigned long end = addr + PAGE_SIZE;
	size_t step = tag_line_size();

	for (; addr < end; addr += step)
		write_sysreg_s(addr, SYS_DC_CIGVAC);
	/* Complete for the whole system before anybody stores data there. */
	dsb(sy);
}

/**
 * arch_mtetagram_clean_data() - write back and drop cached data of a tag block
 * @addr: The tag block in the kernel's untagged mapping of the tag storage.
 * @size: Its size in bytes.
 *
 * "Data to tags", and the last step of "tags to data". Ends with a DSB, so that
 * a tag store after it cannot overtake the maintenance.
 *
 * Context: Any. One operation for each cache line.
 */
void arch_mtetagram_clean_data(void *addr, size_t size)
{
	dcache_clean_inval_poc((unsigned long)addr, (unsigned long)addr + size);
}

/**
 * arch_mtetagram_init_tags() - give a falsely flagged page valid tags
 * @page: A page whose tag storage has just been reserved.
 *
 * A page that had no tag storage so far and is flagged as tagged got the flag
 * from the split of a huge page whose head was tagged: nobody has initialised
 * its tags, and nobody will. What is in the tag storage now is left over from
 * its other use and must not be seen as tags.
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
 * Context: Any; the page may be mapped. May spin while another CPU does the same.
 */
void arch_mtetagram_tag_page(struct page *page)
{
	/*
	 * Others spin until the page is tagged, and may do so under page-table locks:
	 * whoever is about to tag a page that is mapped must not be preempted.
	 */
	preempt_disable();
	if (__try_page_mte_tagging(page)) {
		mte_clear_page_tags(page_address(page));
		set_page_mte_tagged(page);
	}
	preempt_enable();
}

/**
 * arch_mtetagram_tagged() - has a page got tags?
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
