// SPDX-License-Identifier: GPL-2.0
/*
 * Does the machine keep its tags where the device tree says?
 *
 * A wrong device tree destroys data: the driver stores data in memory that holds the tags of
 * pages that are in use, or memory of the kernel is overwritten with tags. So the place of
 * tags is verified, at boot before a region is used, and later on request. A tag block is
 * checked in this way:
 *
 *   1. A free data page of the block is allocated.
 *   2. The block is filled with zeros through the untagged mapping.
 *   3. Tags are stored to the page. Each of their bytes must be in the block now, through the
 *      untagged mapping, and nothing else may have changed there. The hardware may arrange the
 *      bytes within a block in any order, so the place of a byte in the block does not matter.
 *   4. Each of these bytes is inverted through the untagged mapping. The tags of the page must
 *      be the inverted tags now.
 *   5. The page and the block get back what they held.
 *
 * A cache line of the block is never used by tags and by data at once: before the use changes,
 * the lines are cleaned and invalidated.
 *
 * With a wrong device tree the tags may be stored anywhere, for example into memory of the
 * kernel. So step 5 is never left out. At boot all other CPUs wait meanwhile, and the first
 * wrong block ends the verification. Later only preemption is disabled, as the device tree was
 * verified at boot.
 *
 * A tag block of which no data page is free is not checked: this is no failure. If none is
 * checked, the region is used. Nothing speaks against the device tree then, and without this
 * file the region would be used too.
 *
 * Locks: verify_lock, outside of all others. While a block is checked after the boot, it is
 * SWITCHING: see mtg_block_begin_check().
 */

#define pr_fmt(fmt) "mtetagram: " fmt

#include <linux/cleanup.h>
#include <linux/export.h>
#include <linux/gfp.h>
#include <linux/init.h>
#include <linux/memory_hotplug.h>
#include <linux/minmax.h>
#include <linux/mm.h>
#include <linux/mtetagram.h>
#include <linux/mutex.h>
#include <linux/pgtable.h>
#include <linux/printk.h>
#include <linux/sched.h>
#include <linux/sched/signal.h>
#include <linux/sizes.h>
#include <linux/slab.h>
#include <linux/stop_machine.h>
#include <linux/string.h>

#include "tagblock.h"
#include "verify.h"

/* Bytes of tags of a page. */
#define PAGE_TAGS	(PAGE_SIZE / MTG_TAG_RATIO)

/* Places in all regions together at which the sample is taken. */
#define SAMPLE		48
/* Blocks at a place that are tried, until one has a free data page. */
#define SAMPLE_TRIES	64
/* Pages of a block that are tried, although others take free pages meanwhile. */
#define PAGE_TRIES	4
/* With "all" at boot, blocks that are checked while all other CPUs wait. */
#define BATCH		64
/* So far before and behind a wrong block its tags are searched. */
#define SEARCH_RANGE	SZ_4M

/* The boot parameter. */
static enum { MODE_SAMPLE, MODE_ALL, MODE_OFF } boot_mode __initdata;

/* Held by the caller that verifies, after boot. */
static DEFINE_MUTEX(verify_lock);

/**
 * struct probe - a block that is checked
 * @region: The region.
 * @block: Index of the block.
 * @page: A data page of the block.
 * @seed: The first byte of the tags that are stored. Each probe has another.
 * @tags: The tags that the page had.
 * @data: What the block held.
 */
struct probe {
	struct mtg_region *region;
	u32 block;
	struct page *page;
	u8 seed;
	u8 tags[PAGE_TAGS];
	void *data;
};

enum fault {
	FAULT_NONE,
	FAULT_TAGS,
	FAULT_ALIAS,
	FAULT_DATA,
};

/**
 * struct probes - blocks that are checked together
 * @regions: At boot, all regions: the tags of a wrong block are searched there. NULL later.
 * @nr_regions: Their number.
 * @nr: Number of probes.
 * @fault: What is wrong.
 * @wrong: The probe that was wrong.
 * @nr_found: Number of bytes of its tags that were in its block.
 * @place: Physical address where its first tags are; 0 if that was not found.
 * @probe: The probes.
 */
struct probes {
	struct mtg_region **regions;
	unsigned int nr_regions;
	unsigned int nr;
	enum fault fault;
	const struct probe *wrong;
	unsigned int nr_found;
	phys_addr_t place;
	struct probe probe[];
};

static void *block_addr(const struct probe *p)
{
	return p->region->base + ((size_t)p->block << p->region->block_shift);
}

static phys_addr_t block_phys(const struct probe *p)
{
	return p->region->tag_start + ((phys_addr_t)p->block << p->region->block_shift);
}

static size_t block_size(const struct probe *p)
{
	return mtg_region_block_size(p->region);
}

static void clean_block(const struct probe *p)
{
	arch_mtetagram_clean_data(block_addr(p), block_size(p));
}

/* The bytes of tags are not 0, as the zeros in the block are no tags, and inverted not 0. */
static void make_tags(const struct probe *p, u8 *tags)
{
	unsigned int i;

	for (i = 0; i < PAGE_TAGS; i++)
		tags[i] = 1 + (p->seed + i) % 254;
}

static void clean_page(const struct probe *p)
{
	arch_mtetagram_clean_tags(page_address(p->page), PAGE_SIZE);
}

static void store_tags(const struct probe *p, const u8 *tags)
{
	arch_mtetagram_store_tags(p->page, tags);
	clean_page(p);
}

/*
 * A CPU may have fetched the lines by speculation, when the block held something else. So they
 * are taken out of the cache before the load. Data is stored next, so they are taken out again.
 */
static void load_tags(const struct probe *p, u8 *tags)
{
	clean_page(p);
	arch_mtetagram_load_tags(p->page, tags);
	clean_page(p);
}

/*
 * Look for the bytes of the probe's tags in its block. Returns false if one is missing, or if
 * another byte has changed. *@nr_found is the number of bytes that were found.
 */
static bool tags_in_block(const struct probe *p, unsigned int *nr_found)
{
	const u64 *word = block_addr(p), *end = block_addr(p) + block_size(p);
	u16 wanted[256] = {};
	u8 tags[PAGE_TAGS];
	unsigned int i, found = 0, strange = 0;

	/* A CPU may have fetched data lines of the block by speculation, before the tags came. */
	clean_block(p);
	make_tags(p, tags);
	for (i = 0; i < PAGE_TAGS; i++)
		wanted[tags[i]]++;
	for (; word < end; word++) {
		u64 bytes = *word;

		for (; bytes; bytes >>= BITS_PER_BYTE) {
			u8 byte = bytes;

			if (!byte)
				continue;
			if (wanted[byte]) {
				wanted[byte]--;
				found++;
			} else {
				strange++;
			}
		}
	}
	*nr_found = found;
	return found == PAGE_TAGS && !strange;
}

/* Invert the tags in the block as data. Returns false if the tags of the page are others. */
static bool data_in_tags(const struct probe *p)
{
	u8 *byte = block_addr(p), *end = block_addr(p) + block_size(p);
	u8 tags[PAGE_TAGS], loaded[PAGE_TAGS];
	unsigned int i;

	for (; byte < end; byte++)
		if (*byte)
			*byte = ~*byte;
	clean_block(p);
	load_tags(p, loaded);
	make_tags(p, tags);
	for (i = 0; i < PAGE_TAGS; i++)
		if (loaded[i] != (u8)~tags[i])
			return false;
	return true;
}

/*
 * Search the first tags of the wrong probe: in each region, near the place that its block has
 * in its own region. That finds regions that were swapped, or shifted a little.
 */
static void search_tags(struct probes *probes)
{
	const struct probe *p = probes->wrong;
	size_t offset = (size_t)p->block << p->region->block_shift;
	u8 tags[PAGE_TAGS];
	unsigned int i;
	u64 first;

	make_tags(p, tags);
	memcpy(&first, tags, sizeof(first));
	for (i = 0; i < probes->nr_regions && !probes->place; i++) {
		struct mtg_region *region = probes->regions[i];
		size_t size = (size_t)region->nr_blocks << region->block_shift;
		size_t from = offset > SEARCH_RANGE ? offset - SEARCH_RANGE : 0;
		size_t end = min(size, offset + SEARCH_RANGE);

		if (from < end)
			arch_mtetagram_clean_data(region->base + from, end - from);
		for (; from < end; from += sizeof(first))
			if (*(u64 *)(region->base + from) == first) {
				probes->place = region->tag_start + from;
				break;
			}
	}
}

static void found_fault(struct probes *probes, const struct probe *p, enum fault fault)
{
	probes->wrong = p;
	probes->fault = fault;
	if (fault != FAULT_DATA)
		search_tags(probes);
}

static void check_all(struct probes *probes)
{
	u8 tags[PAGE_TAGS];
	unsigned int i;

	for (i = 0; i < probes->nr; i++) {
		struct probe *p = &probes->probe[i];

		make_tags(p, tags);
		store_tags(p, tags);
		if (!tags_in_block(p, &probes->nr_found))
			return found_fault(probes, p, FAULT_TAGS);
	}
	/* Have the tags that were stored last changed the blocks before? */
	for (i = 0; i + 1 < probes->nr; i++)
		if (!tags_in_block(&probes->probe[i], &probes->nr_found))
			return found_fault(probes, &probes->probe[i], FAULT_ALIAS);
	for (i = 0; i < probes->nr; i++)
		if (!data_in_tags(&probes->probe[i]))
			return found_fault(probes, &probes->probe[i], FAULT_DATA);
}

/* Check the blocks, and leave everything as it was. Called by stop_machine() at boot. */
static int run_probes(void *data)
{
	struct probes *probes = data;
	struct probe *p, *end = probes->probe + probes->nr;

	for (p = probes->probe; p < end; p++) {
		clean_block(p);
		memcpy(p->data, block_addr(p), block_size(p));
		clean_block(p);
	}
	for (p = probes->probe; p < end; p++)
		load_tags(p, p->tags);
	for (p = probes->probe; p < end; p++) {
		memset(block_addr(p), 0, block_size(p));
		clean_block(p);
	}

	check_all(probes);

	/*
	 * With a right device tree the block holds the tags, and with a wrong one something
	 * else, so restore the two of them. Data comes last, as tags may lie in the block of
	 * another probe.
	 */
	for (p = probes->probe; p < end; p++) {
		clean_block(p);
		store_tags(p, p->tags);
	}
	for (p = probes->probe; p < end; p++) {
		memcpy(block_addr(p), p->data, block_size(p));
		clean_block(p);
	}
	return 0;
}

/* What the administrator and the developer of the firmware need to know. */
static void report(const struct probes *probes)
{
	const struct probe *p = probes->wrong;
	phys_addr_t page = page_to_phys(p->page), block = block_phys(p);
	char place[64] = "no others were found";

	if (probes->place)
		snprintf(place, sizeof(place), "the first are at %pa", &probes->place);
	switch (probes->fault) {
	case FAULT_TAGS:
		pr_err("tag storage at %pa is wrong: the tags of data page %pa should be in the tag block of %u bytes at %pa, but %u of their %lu bytes are there and %s; repair reg, tagged-memory or block-size in the device tree, and boot with arm64.nomte until then\n",
		       &p->region->tag_start, &page, mtg_region_block_size(p->region), &block,
		       probes->nr_found, PAGE_TAGS, place);
		break;
	case FAULT_ALIAS:
		pr_err("tag storage at %pa is wrong: the tag block at %pa, of data page %pa, changed while tags of other data pages were stored; repair reg or block-size in the device tree, and boot with arm64.nomte until then\n",
		       &p->region->tag_start, &block, &page);
		break;
	default:
		pr_err("tag storage at %pa is wrong: data that was stored in the tag block at %pa does not become the tags of data page %pa; the untagged access to tag storage or the cache maintenance does not work, boot with arm64.nomte\n",
		       &p->region->tag_start, &block, &page);
	}
}

/* Allocate a free data page of the block, without moving any other page. */
static struct page *take_page(struct mtg_region *region, u32 block)
{
	unsigned long first = region->start_pfn + ((unsigned long)block << region->pages_shift);
	unsigned int nr = 1U << region->pages_shift, tries = 0, i;

	for (i = 0; i < nr && tries < PAGE_TRIES; i++) {
		/* If block-size is wrong, some pages of a block are right: not always the first. */
		unsigned long pfn = first + (block + i) % nr;
		struct page *page = pfn_to_online_page(pfn);
		int type;

		if (!page || !is_free_buddy_page(page))
			continue;
		/* The pageblock keeps its type. Some types are for other users of free pages. */
		type = get_pageblock_migratetype(page);
		if (type >= MIGRATE_PCPTYPES)
			continue;
		if (!alloc_contig_range(pfn, pfn + 1, type, GFP_KERNEL | __GFP_NOWARN))
			return page;
		tries++;
	}
	return NULL;
}

static void count(u32 *number, unsigned int n)
{
	/* User space reads the numbers meanwhile. */
	WRITE_ONCE(*number, *number + n);
}

/*
 * Add a probe for the first of the blocks [@from, @end) that is free and has a free data page.
 * If there is none, count the reason. Returns 0 or -ENOMEM.
 */
static int add_probe(struct probes *probes, struct mtg_region *region, u32 from, u32 end)
{
	struct probe *p = &probes->probe[probes->nr];
	struct page *page = NULL;
	bool any_free = false;
	void *data;
	u32 block;

	for (block = from; block < end; block++) {
		if (mtg_region_block_state(region, block) != MTG_BLOCK_FREE)
			continue;
		any_free = true;
		page = take_page(region, block);
		if (page)
			break;
	}
	if (!page) {
		count(any_free ? &region->verified.nr_no_page : &region->verified.nr_in_use, 1);
		return 0;
	}
	data = kvmalloc(mtg_region_block_size(region), GFP_KERNEL);
	if (!data) {
		free_contig_range(page_to_pfn(page), 1);
		return -ENOMEM;
	}
	p->region = region;
	p->block = block;
	p->page = page;
	p->data = data;
	p->seed = 2 * probes->nr++;
	return 0;
}

static void remove_probes(struct probes *probes)
{
	while (probes->nr) {
		struct probe *p = &probes->probe[--probes->nr];

		free_contig_range(page_to_pfn(p->page), 1);
		kvfree(p->data);
	}
}

/* Run the probes, and remove them. Returns 0, or -EIO after a report. */
static int run_and_remove(struct probes *probes, struct mtg_region *region)
{
	int ret = 0;

	if (probes->regions) {
		stop_machine(run_probes, probes, NULL);
		count(&region->verified.nr_checked, probes->nr);
	} else if (mtg_block_begin_check(region, probes->probe->block)) {
		run_probes(probes);
		mtg_block_end_check(region, probes->probe->block);
		count(&region->verified.nr_checked, 1);
	} else {
		count(&region->verified.nr_in_use, 1);
	}
	if (probes->fault) {
		report(probes);
		ret = -EIO;
	}
	remove_probes(probes);
	return ret;
}

/* The first block of a place. Places divide the region into equal parts. */
static u32 first_of_place(struct mtg_region *region, u32 place)
{
	return div_u64((u64)place * region->nr_blocks, region->verified.nr_places);
}

static int verify_places(struct mtg_region *region, struct probes *probes, unsigned int batch)
{
	u32 place, nr_places = region->verified.nr_places;
	int ret = 0;

	for (place = 0; place < nr_places && !ret; place++) {
		u32 from = first_of_place(region, place);
		u32 end = min(first_of_place(region, place + 1), from + SAMPLE_TRIES);

		cond_resched();
		if (signal_pending(current))
			return -EINTR;
		ret = add_probe(probes, region, from, end);
		if (!ret && probes->nr == batch)
			ret = run_and_remove(probes, region);
	}
	if (!ret && probes->nr)
		ret = run_and_remove(probes, region);
	return ret;
}

static int verify_region(struct mtg_region *region, u32 nr_places,
			 struct mtg_region **regions, unsigned int nr_regions)
{
	unsigned int batch = regions ? BATCH : 1;
	struct mtg_verification *v = &region->verified;
	enum mtg_verdict verdict;
	struct probes *probes;
	int ret = -ENOMEM;

	memset(v, 0, sizeof(*v));
	v->nr_places = clamp(nr_places, 1, region->nr_blocks);
	WRITE_ONCE(v->verdict, MTG_VERIFY_RUNNING);
	probes = kvzalloc(struct_size(probes, probe, batch), GFP_KERNEL);
	if (probes) {
		probes->regions = regions;
		probes->nr_regions = nr_regions;
		ret = verify_places(region, probes, batch);
		remove_probes(probes);
		kvfree(probes);
	}
	if (ret)
		verdict = ret == -EIO ? MTG_VERIFY_WRONG : MTG_VERIFY_STOPPED;
	else
		verdict = v->nr_checked ? MTG_VERIFY_OK : MTG_VERIFY_NONE;
	WRITE_ONCE(v->verdict, verdict);
	return ret;
}

/**
 * mtg_region_verify() - verify the place of tags, while the region is in use
 * @region: The region.
 * @all: Check each block that is free, else a sample of them.
 *
 * Blocks that are not free, or have no free data page, are only counted: see
 * mtg_region_verified().
 *
 * Context: Process context, may sleep. Takes long if @all, until a signal is pending.
 * Return: 0; -EIO if the device tree is wrong, which was logged; -EBUSY if a verification is
 *         under way; -EINTR; -ENOMEM.
 */
int mtg_region_verify(struct mtg_region *region, bool all)
{
	int ret;

	if (!mutex_trylock(&verify_lock))
		return -EBUSY;
	ret = verify_region(region, all ? U32_MAX : SAMPLE, NULL, 0);
	mutex_unlock(&verify_lock);
	return ret;
}
EXPORT_SYMBOL_MTETAGRAM(mtg_region_verify);

/**
 * mtg_region_verified() - what came of the last verification?
 * @region: The region.
 * @result: Where to put that.
 *
 * Context: Any. While a verification is under way, the numbers grow.
 */
void mtg_region_verified(struct mtg_region *region, struct mtg_verification *result)
{
	result->verdict = READ_ONCE(region->verified.verdict);
	result->nr_places = READ_ONCE(region->verified.nr_places);
	result->nr_checked = READ_ONCE(region->verified.nr_checked);
	result->nr_no_page = READ_ONCE(region->verified.nr_no_page);
	result->nr_in_use = READ_ONCE(region->verified.nr_in_use);
}
EXPORT_SYMBOL_MTETAGRAM(mtg_region_verified);

static void __init report_at_boot(struct mtg_region *region)
{
	struct mtg_verification *v = &region->verified;

	if (v->verdict == MTG_VERIFY_OK)
		pr_info("tag storage at %pa: %u tag blocks are verified, at %u places is no free data page\n",
			&region->tag_start, v->nr_checked, v->nr_no_page);
	else if (v->verdict == MTG_VERIFY_NONE)
		pr_warn("tag storage at %pa is used, but it is not verified: there is no free data page\n",
			&region->tag_start);
	else if (v->verdict == MTG_VERIFY_STOPPED)
		pr_warn("tag storage at %pa is used, but it is not verified: there is no memory for that\n",
			&region->tag_start);
}

/**
 * mtg_verify_at_boot() - verify the place of tags before the regions are used
 * @regions: The regions. &mtg_region.verified says afterwards what came of it.
 * @nr: Their number.
 *
 * The boot parameter mtetagram.verify says how many blocks are checked.
 *
 * Context: At boot, before the first user process. No page is tagged but the zero page.
 */
void __init mtg_verify_at_boot(struct mtg_region **regions, unsigned int nr)
{
	u32 nr_places = boot_mode == MODE_ALL ? U32_MAX : SAMPLE / nr;
	unsigned int i;

	if (boot_mode == MODE_OFF) {
		pr_info("tag storage is not verified: mtetagram.verify=off\n");
		return;
	}
	/* With a wrong device tree these tags, which are in use, may lie in any block. */
	arch_mtetagram_clean_tags(page_address(ZERO_PAGE(0)), PAGE_SIZE);
	for (i = 0; i < nr; i++) {
		verify_region(regions[i], nr_places, regions, nr);
		report_at_boot(regions[i]);
	}
}

static int __init set_boot_mode(char *value)
{
	static const char * const modes[] = {
		[MODE_SAMPLE]	= "sample",
		[MODE_ALL]	= "all",
		[MODE_OFF]	= "off",
	};
	int mode = value ? match_string(modes, ARRAY_SIZE(modes), value) : -EINVAL;

	if (mode < 0)
		pr_err("mtetagram.verify=%s is not sample, all or off: a sample is verified\n",
		       value ?: "");
	else
		boot_mode = mode;
	return 0;
}
early_param("mtetagram.verify", set_boot_mode);
