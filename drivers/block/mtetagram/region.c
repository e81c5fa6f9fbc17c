// SPDX-License-Identifier: GPL-2.0
/*
 * Regions of tag storage: found in the device tree at boot, checked, mapped.
 *
 * All of this happens before the first user process, so no page is tagged yet, with one
 * exception: the zero page. The architecture has cleared its tags while it brought the CPU
 * up. The zero page is reserved here as a permanent page, because every read of an untouched
 * tagged page maps the zero page and checks its tags.
 *
 * See Documentation/devicetree/bindings/reserved-memory/arm,mte-tag-storage.yaml.
 */

#define pr_fmt(fmt) "mtetagram: " fmt

#include <linux/cpumask.h>
#include <linux/crash_reserve.h>
#include <linux/debugfs.h>
#include <linux/export.h>
#include <linux/init.h>
#include <linux/io.h>
#include <linux/ioport.h>
#include <linux/jump_label.h>
#include <linux/log2.h>
#include <linux/memory_hotplug.h>
#include <linux/mm.h>
#include <linux/mtetagram.h>
#include <linux/of.h>
#include <linux/of_address.h>
#include <linux/pgtable.h>
#include <linux/sched.h>
#include <linux/seq_file.h>
#include <linux/sizes.h>
#include <linux/slab.h>

#include "region.h"
#include "tagblock.h"
#include "verify.h"

static unsigned int nr_regions __ro_after_init;
struct mtg_range mtg_ranges[MTG_MAX_REGIONS + 1] __ro_after_init ____cacheline_aligned;

/* On if there is a region. */
DEFINE_STATIC_KEY_FALSE(mtetagram_enabled);
EXPORT_SYMBOL(mtetagram_enabled);

/**
 * mtg_region_by_id() - find a region by its index
 * @id: The index, from 0.
 *
 * Context: Any, after boot.
 * Return: The region, or NULL if there are not so many regions.
 */
struct mtg_region *mtg_region_by_id(unsigned int id)
{
	return id < nr_regions ? mtg_ranges[id].region : NULL;
}
EXPORT_SYMBOL_MTETAGRAM(mtg_region_by_id);

/**
 * mtg_region_burst() - how much tag storage may be wanted at once?
 *
 * A burst is what is tagged under one lock: a huge page, on each possible CPU. With blocks
 * of 4 KiB nothing else needs more: one fault maps at most 16 pages of shared memory, and
 * mprotect() reserves its pages before it takes the lock.
 *
 * Context: Any.
 * Return: Bytes of tag storage.
 */
u64 mtg_region_burst(void)
{
	return (u64)PMD_SIZE / MTG_TAG_RATIO * num_possible_cpus();
}
EXPORT_SYMBOL_MTETAGRAM(mtg_region_burst);

/* The page frame numbers in [@first, @end). */
struct pfns {
	unsigned long first;
	unsigned long end;
};

/* The zero page, and two ranges of the crash kernel. */
#define MAX_PERMANENT	3

static unsigned int __maybe_unused add_resource(const struct resource *res,
						struct pfns *pfns)
{
	if (!res->end)
		return 0;
	pfns->first = PHYS_PFN(res->start);
	pfns->end = PHYS_PFN(res->end) + 1;
	return 1;
}

/*
 * Get the ranges of permanent pages. Returns the number of ranges.
 *
 * The zero page has tags, although no page flag says so. The crash kernel may use MTE in its
 * range, and no notifier tells this kernel.
 */
static unsigned int get_permanent(struct pfns *pfns)
{
	unsigned int nr = 1;

	pfns[0].first = page_to_pfn(ZERO_PAGE(0));
	pfns[0].end = pfns[0].first + 1;
#ifdef CONFIG_CRASH_RESERVE
	nr += add_resource(&crashk_low_res, pfns + nr);
	nr += add_resource(&crashk_res, pfns + nr);
#endif
	return nr;
}

/* The part of @pfns that is in the region. */
static struct pfns clamp_to_region(struct mtg_region *region, struct pfns pfns)
{
	pfns.first = max(pfns.first, region->start_pfn);
	pfns.end = min(pfns.end, region->start_pfn + region->nr_pages);
	return pfns;
}

static bool is_permanent(unsigned long pfn)
{
	struct pfns pfns[MAX_PERMANENT];
	unsigned int nr = get_permanent(pfns);

	while (nr--)
		if (pfn >= pfns[nr].first && pfn < pfns[nr].end)
			return true;
	return false;
}

/**
 * mtg_block_untaggable() - can none of the block's data pages be tagged?
 * @region: The region.
 * @block: Index of the block.
 *
 * A block is untaggable if the kernel has each of its data pages for itself, or if the page is
 * no memory at all: the kernel image, struct pages, the tag storage itself. Memory that is
 * given back or added later can make the block taggable.
 *
 * Context: Process context, after boot.
 * Return: True if the block is untaggable now.
 */
bool mtg_block_untaggable(struct mtg_region *region, u32 block)
{
	unsigned long pfn = region->start_pfn + ((unsigned long)block << region->pages_shift);
	unsigned long end = pfn + (1UL << region->pages_shift);

	for (; pfn < end; pfn++) {
		/* The struct page of an offline page may say nothing. */
		struct page *page = pfn_to_online_page(pfn);

		if (page && (!PageReserved(page) || is_permanent(pfn)))
			return false;
	}
	return true;
}
EXPORT_SYMBOL_MTETAGRAM(mtg_block_untaggable);

static int parse_tagged_memory(struct device_node *np, struct resource *mem)
{
	struct device_node *memory = of_parse_phandle(np, "tagged-memory", 0);
	struct resource second;
	int ret;

	if (!memory) {
		pr_err("%pOF: no tagged-memory\n", np);
		return -EINVAL;
	}
	ret = of_address_to_resource(memory, 0, mem);
	if (ret) {
		pr_err("%pOF: tagged-memory has no address range\n", np);
	} else if (!of_address_to_resource(memory, 1, &second)) {
		/* The driver would have to guess which range the tags belong to. */
		pr_err("%pOF: tagged-memory has more than one range\n", np);
		ret = -EINVAL;
	}
	of_node_put(memory);
	return ret;
}

/* Does the description make sense? Errors say which property is wrong. */
static int check_geometry(struct device_node *np, const struct resource *tags,
			  const struct resource *mem, u32 block_size)
{
	u64 size = resource_size(tags);

	if (block_size < SZ_4K || !is_power_of_2(block_size)) {
		pr_err("%pOF: block-size %u is not a power of two from 4096 on\n",
		       np, block_size);
		return -EINVAL;
	}
	if (!IS_ALIGNED(tags->start, block_size) || !IS_ALIGNED(size, block_size) ||
	    !IS_ALIGNED(mem->start, PAGE_SIZE)) {
		pr_err("%pOF: %pR or %pR is misaligned\n", np, tags, mem);
		return -EINVAL;
	}
	if (size * MTG_TAG_RATIO != resource_size(mem)) {
		pr_err("%pOF: %pR is not 1/%u of its tagged memory %pR\n", np, tags,
		       MTG_TAG_RATIO, mem);
		return -EINVAL;
	}
	if (pfn_is_map_memory(PHYS_PFN(tags->start))) {
		pr_err("%pOF: no-map is missing: the kernel has mapped it tagged\n",
		       np);
		return -EINVAL;
	}
	return 0;
}

static bool overlaps(const struct resource *tags, const struct resource *mem)
{
	unsigned int i;

	for (i = 0; i < nr_regions; i++) {
		struct mtg_region *r = mtg_ranges[i].region;
		phys_addr_t size = (phys_addr_t)r->nr_blocks << r->block_shift;

		if (PHYS_PFN(mem->start) < r->start_pfn + r->nr_pages &&
		    PHYS_PFN(mem->end) >= r->start_pfn)
			return true;
		if (tags->start < r->tag_start + size && tags->end >= r->tag_start)
			return true;
	}
	return false;
}

/*
 * Looks at the permanent ranges only: to look at each page of a region would take seconds.
 *
 * The zero page has tags before its bit is set, so its tag lines may be dirty, and must not be
 * written back when the block has been filled with zeros. These zeros are its tags. The other
 * permanent pages have no tags yet.
 */
static void reserve_permanent(struct mtg_region *region)
{
	struct pfns pfns[MAX_PERMANENT];
	unsigned int nr = get_permanent(pfns);

	arch_mtetagram_clean_tags(page_address(ZERO_PAGE(0)), PAGE_SIZE);
	while (nr--) {
		struct pfns in = clamp_to_region(region, pfns[nr]);
		unsigned long pfn;

		for (pfn = in.first; pfn < in.end; pfn++)
			if (pfn_valid(pfn))
				mtg_region_reserve(region, pfn_to_page(pfn), MTG_MUST);
	}
}

static void destroy_region(struct mtg_region *region)
{
	mtg_region_destroy(region);
	memunmap(region->base);
	kfree(region);
}

static struct mtg_region *create_region(const struct resource *tags,
					const struct resource *mem, u32 block_size)
{
	struct mtg_region *region = kzalloc(sizeof(*region), GFP_KERNEL);

	if (!region)
		return ERR_PTR(-ENOMEM);

	region->start_pfn = PHYS_PFN(mem->start);
	region->nr_pages = PHYS_PFN(resource_size(mem));
	region->tag_start = tags->start;
	region->block_shift = ilog2(block_size);
	region->pages_shift = ilog2((u64)block_size * MTG_TAG_RATIO / PAGE_SIZE);
	/* Untagged: memremap() of memory that is not in the linear map. */
	region->base = memremap(tags->start, resource_size(tags), MEMREMAP_WB);
	if (!region->base)
		goto err_free;
	if (mtg_region_init(region))
		goto err_unmap;
	return region;

err_unmap:
	memunmap(region->base);
err_free:
	kfree(region);
	return ERR_PTR(-ENOMEM);
}

/* The region is used from now on only if nothing speaks against it. */
static int add_region(struct device_node *np)
{
	struct resource tags, mem;
	struct mtg_region *region;
	u32 block_size;
	int ret;

	ret = of_address_to_resource(np, 0, &tags);
	if (ret) {
		pr_err("%pOF: no reg\n", np);
		return ret;
	}
	ret = of_property_read_u32(np, "block-size", &block_size);
	if (ret) {
		pr_err("%pOF: no block-size\n", np);
		return ret;
	}
	ret = parse_tagged_memory(np, &mem);
	if (!ret)
		ret = check_geometry(np, &tags, &mem, block_size);
	if (ret)
		return ret;
	if (nr_regions == MTG_MAX_REGIONS || overlaps(&tags, &mem)) {
		pr_err("%pOF: too many regions, or %pR for %pR overlaps a region\n", np, &tags,
		       &mem);
		return -EINVAL;
	}

	region = create_region(&tags, &mem, block_size);
	if (IS_ERR(region)) {
		pr_err("%pOF: no memory\n", np);
		return PTR_ERR(region);
	}
	mtg_ranges[nr_regions++].region = region;
	return 0;
}

static void use_region(unsigned int id, struct mtg_region *region)
{
	phys_addr_t size = (phys_addr_t)region->nr_blocks << region->block_shift;
	struct resource tags = DEFINE_RES_MEM(region->tag_start, size);
	struct resource mem = DEFINE_RES_MEM(PFN_PHYS(region->start_pfn),
					     PFN_PHYS(region->nr_pages));

	region->id = id;
	mtg_range_init(&mtg_ranges[id], region);
	reserve_permanent(region);
	pr_info("region %u: tag storage %pR for %pR, %u blocks of %u bytes\n", id, &tags, &mem,
		region->nr_blocks, mtg_region_block_size(region));
}

/* Use the regions whose tags are where the device tree says, and destroy the others. */
static void __init use_verified_regions(void)
{
	struct mtg_region *regions[MTG_MAX_REGIONS];
	unsigned int i, nr = nr_regions;

	for (i = 0; i < nr; i++)
		regions[i] = mtg_ranges[i].region;
	mtg_verify_at_boot(regions, nr);
	nr_regions = 0;
	for (i = 0; i < nr; i++) {
		if (regions[i]->verified.verdict == MTG_VERIFY_WRONG)
			destroy_region(regions[i]);
		else
			use_region(nr_regions++, regions[i]);
	}
}

static void clean_region(struct mtg_region *region)
{
	unsigned long index;

	if (mtg_leaves_out(region, MTG_STEP_KEXEC))
		return;
	for_each_set_bit(index, region->reserved, region->nr_pages)
		arch_mtetagram_clean_tags(page_address(pfn_to_page(region->start_pfn + index)),
					  PAGE_SIZE);
	arch_mtetagram_clean_data(region->base, (size_t)region->nr_blocks <<
						region->block_shift);
}

/**
 * mtetagram_kexec() - leave no dirty line of tag storage to the next kernel
 *
 * A kernel that kexec starts gets the memory as it is, and knows nothing of dirty cache lines.
 * These lines may be written back later, over the tags or the data of the new kernel. On a
 * large machine this function takes long, but nothing else could run meanwhile.
 *
 * Context: One CPU is left, before it jumps. Not called before a crash kernel starts, whose
 *          memory is permanently reserved.
 */
void mtetagram_kexec(void)
{
	unsigned int i;

	for (i = 0; i < nr_regions; i++)
		clean_region(mtg_ranges[i].region);
}

/* A core initcall: after the CPU features are final, before the first user process. */
static int __init mtetagram_regions_init(void)
{
	const char *why = arch_mtetagram_unsupported();
	struct device_node *np;

	for_each_compatible_node(np, NULL, "arm,mte-tag-storage") {
		if (!of_device_is_available(np))
			continue;
		if (why) {
			pr_info("%pOF not used: %s\n", np, why);
			continue;
		}
		add_region(np);
	}
	if (nr_regions)
		use_verified_regions();
	if (!nr_regions)
		return 0;
	static_branch_enable(&mtetagram_enabled);
	return 0;
}
core_initcall(mtetagram_regions_init);

/* Pages of which the record is searched before other tasks may run. */
#define SEARCH_STEP	SZ_256K

/*
 * The first page from @index on that is reserved (@set) or not reserved (!@set). If there is
 * none, the number of pages.
 */
static unsigned long search_record(struct mtg_region *region, unsigned long index, bool set)
{
	unsigned long end, found;

	for (; index < region->nr_pages; index = end) {
		end = min(round_down(index, SEARCH_STEP) + SEARCH_STEP, region->nr_pages);
		/* The result may be out of date when user space reads it anyway. */
		found = data_race(set ? find_next_bit(region->reserved, end, index) :
					find_next_zero_bit(region->reserved, end, index));
		if (found < end)
			return found;
		cond_resched();
	}
	return region->nr_pages;
}

static void show_range(struct seq_file *m, bool first, unsigned long pfn, unsigned long end)
{
	seq_printf(m, "%s%lu", first ? "" : ",", pfn);
	if (end - pfn > 1)
		seq_printf(m, "-%lu", end - 1);
}

/*
 * The list of reserved pages, as "a-b,c". The position is the index of a page: the next
 * range in the list begins at this page or later. The position behind the last page stands
 * for the end of the line.
 */
static void *reserved_start(struct seq_file *m, loff_t *pos)
{
	struct mtg_region *region = m->private;

	return *pos <= region->nr_pages ? pos : NULL;
}

static void *reserved_next(struct seq_file *m, void *v, loff_t *pos)
{
	struct mtg_region *region = m->private;
	unsigned long first = search_record(region, *pos, true);

	*pos = first < region->nr_pages ? search_record(region, first, false) :
					  region->nr_pages + 1;
	return reserved_start(m, pos);
}

static void reserved_stop(struct seq_file *m, void *v)
{
}

static int reserved_show(struct seq_file *m, void *v)
{
	struct mtg_region *region = m->private;
	loff_t pos = *(loff_t *)v;
	unsigned long first = search_record(region, pos, true);

	if (first < region->nr_pages)
		show_range(m, !pos, region->start_pfn + first,
			   region->start_pfn + search_record(region, first, false));
	else
		seq_putc(m, '\n');
	return 0;
}

static const struct seq_operations reserved_sops = {
	.start = reserved_start,
	.next = reserved_next,
	.stop = reserved_stop,
	.show = reserved_show,
};
DEFINE_SEQ_ATTRIBUTE(reserved);

static int permanent_show(struct seq_file *m, void *unused)
{
	struct pfns pfns[MAX_PERMANENT];
	unsigned int i, nr = get_permanent(pfns);
	bool first = true;

	for (i = 0; i < nr; i++) {
		struct pfns in = clamp_to_region(m->private, pfns[i]);

		if (in.first >= in.end)
			continue;
		show_range(m, first, in.first, in.end);
		first = false;
	}
	seq_putc(m, '\n');
	return 0;
}
DEFINE_SHOW_ATTRIBUTE(permanent);

#ifdef CONFIG_MTETAGRAM_DEBUG
static int leave_out_get(void *data, u64 *value)
{
	*value = ((struct mtg_region *)data)->leave_out;
	return 0;
}

static int leave_out_set(void *data, u64 value)
{
	if (value >> (MTG_STEP_KEXEC + 1))
		return -EINVAL;
	static_branch_enable(&mtg_leaving_out);
	WRITE_ONCE(((struct mtg_region *)data)->leave_out, value);
	return 0;
}
DEFINE_DEBUGFS_ATTRIBUTE(leave_out_fops, leave_out_get, leave_out_set, "0x%llx\n");
#endif

static int __init mtetagram_debugfs_init(void)
{
	struct dentry *root, *dir;
	char name[16];
	unsigned int i;

	if (!nr_regions)
		return 0;
	root = debugfs_create_dir("mtetagram", NULL);
	for (i = 0; i < nr_regions; i++) {
		struct mtg_region *region = mtg_ranges[i].region;

		snprintf(name, sizeof(name), "region%u", i);
		dir = debugfs_create_dir(name, root);
		debugfs_create_file("reserved", 0400, dir, region, &reserved_fops);
		debugfs_create_file("permanent", 0400, dir, region,
				    &permanent_fops);
#ifdef CONFIG_MTETAGRAM_DEBUG
		debugfs_create_file_unsafe("leave_out", 0600, dir, region,
					   &leave_out_fops);
#endif
	}
	return 0;
}
late_initcall(mtetagram_debugfs_init);
