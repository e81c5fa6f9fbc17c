/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Which region holds the tags of a page?
 *
 * Private to the built-in half.
 */
#ifndef _MTETAGRAM_REGION_H
#define _MTETAGRAM_REGION_H

#include <linux/compiler.h>
#include <linux/mm.h>
#include <linux/types.h>

#include "tagblock.h"

/**
 * struct mtg_range - the pages whose tags are in a region
 * @first_page: The struct page of &mtg_region.start_pfn, or the place where that would be.
 * @nr_pages: &mtg_region.nr_pages
 * @reserved: &mtg_region.reserved
 * @region: The region.
 *
 * Copies for the hook, which has nothing but a page: two ranges fill a cache line.
 */
struct mtg_range {
	struct page *first_page;
	unsigned long nr_pages;
	unsigned long *reserved;
	struct mtg_region *region;
};

/* Known since boot, in the order of the regions; a range without pages is the last one. */
extern struct mtg_range mtg_ranges[MTG_MAX_REGIONS + 1];

/**
 * mtg_range_init() - copy what a range says about a region
 * @range: The range.
 * @region: The region, after mtg_region_init().
 *
 * Context: Any.
 */
static inline void mtg_range_init(struct mtg_range *range, struct mtg_region *region)
{
	range->first_page = pfn_to_page(region->start_pfn);
	range->nr_pages = region->nr_pages;
	range->reserved = region->reserved;
	range->region = region;
}

/**
 * mtg_find_range() - find the region that holds the tags of a page
 * @ranges: Where to look, &mtg_ranges.
 * @page: The page.
 * @range: Where to put the page's range.
 * @index: Where to put the page's index in the region.
 *
 * The first range costs the least: most machines have no other.
 *
 * Context: Any.
 * Return: False if no known carve-out holds the page's tags.
 */
static __always_inline bool mtg_find_range(const struct mtg_range *ranges,
					   const struct page *page,
					   const struct mtg_range **range,
					   unsigned long *index)
{
	unsigned long nr_pages = ranges->nr_pages;

	do {
		*range = ranges;
		*index = page - ranges->first_page;
		if (likely(*index < nr_pages))
			return true;
		nr_pages = (++ranges)->nr_pages;
	} while (nr_pages);
	return false;
}

#endif /* _MTETAGRAM_REGION_H */
