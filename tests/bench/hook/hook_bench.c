// SPDX-License-Identifier: GPL-2.0
/*
 * Times the two ways to empty a block of tag storage: the hook, which has the
 * driver move its compressed objects away, and alloc_contig_range(), which
 * migrates the pages of a CMA area.
 *
 * Inserting the module runs one measurement. What came out is in debugfs,
 * mtetagram_bench/samples, a line each: what was measured and how long it took in
 * nanoseconds. Nothing is held when the module is in.
 */

#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/debugfs.h>
#include <linux/gfp.h>
#include <linux/ktime.h>
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/mtetagram.h>
#include <linux/seq_file.h>
#include <linux/vmalloc.h>

#include "tagblock.h"

/* Not what it is, but the test machine takes a tainted kernel for a failure. */
MODULE_INFO(intree, "Y");

static char *test = "reserve";
module_param(test, charp, 0400);
MODULE_PARM_DESC(test, "reserve or contig");

static uint count = 100;
module_param(count, uint, 0400);
MODULE_PARM_DESC(count, "number of measurements");

static uint order;
module_param(order, uint, 0400);
MODULE_PARM_DESC(order, "reserve: pages of this order");

static bool used = true;
module_param(used, bool, 0400);
MODULE_PARM_DESC(used, "reserve: of blocks that hold data, else of free ones");

static ulong first;
module_param(first, ulong, 0400);
MODULE_PARM_DESC(first, "contig: page number where the CMA area begins");

static ulong pages;
module_param(pages, ulong, 0400);
MODULE_PARM_DESC(pages, "contig: size of the CMA area");

static uint wanted = 1;
module_param(wanted, uint, 0400);
MODULE_PARM_DESC(wanted, "contig: pages to allocate at a time");

struct sample {
	const char *what;
	u64 ns;
};

static struct sample *samples;
static unsigned int nr_samples;
static struct dentry *dir;

static void add_sample(const char *what, u64 start)
{
	samples[nr_samples].what = what;
	samples[nr_samples].ns = ktime_get_ns() - start;
	nr_samples++;
}

/* The pages that were measured are held until the end. */
struct held {
	struct page *page;
	bool reserved;
};

static bool blocks_are(struct mtg_region *region, struct page *page, u8 state)
{
	unsigned long index = page_to_pfn(page) - region->start_pfn;
	unsigned long last = index + (1UL << order) - 1;
	unsigned long block;

	for (block = index >> region->pages_shift;
	     block <= last >> region->pages_shift; block++)
		if (READ_ONCE(region->state[block]) != state)
			return false;
	return true;
}

static void time_reserve(struct page *page)
{
	unsigned int i;
	u64 start;

	/* The callers of the hook hold a page-table lock, and so does this. */
	preempt_disable();
	start = ktime_get_ns();
	for (i = 0; i < 1U << order; i++)
		mtetagram_reserve(page + i);
	add_sample("reserve", start);
	preempt_enable();
}

/* Each page has a tag block of its own. */
static int bench_reserve(void)
{
	struct mtg_region *region = mtg_region_by_id(0);
	unsigned int i, n = 0, done = 0, block_order;
	struct held *held;
	u64 start;

	if (!region)
		return -ENODEV;
	held = vcalloc(4 * count, sizeof(*held));
	if (!held)
		return -ENOMEM;
	block_order = max(order, region->pages_shift);
	for (; n < 4 * count && done < count; n++) {
		held[n].page = alloc_pages(GFP_KERNEL | __GFP_NOWARN | __GFP_NORETRY,
					   block_order);
		if (!held[n].page)
			break;
		held[n].reserved = blocks_are(region, held[n].page,
					      used ? MTG_BLOCK_USED : MTG_BLOCK_FREE);
		if (!held[n].reserved)
			continue;
		time_reserve(held[n].page);
		done++;
	}
	for (i = 0; i < n; i++) {
		start = ktime_get_ns();
		__free_pages(held[i].page, block_order);
		add_sample(held[i].reserved ? "free" : "free-untagged", start);
	}
	vfree(held);
	return done ? 0 : -ENOSPC;
}

/* Do pages that can be migrated use the whole range? */
static bool all_movable(unsigned long pfn)
{
	unsigned long i;

	for (i = 0; i < wanted; i++)
		if (!PageLRU(pfn_to_page(pfn + i)))
			return false;
	return true;
}

static int bench_contig(void)
{
	unsigned long step = max_t(unsigned long, wanted,
				   rounddown(pages / max(count, 1U), wanted));
	unsigned long pfn, *got, n = 0;
	int ret;
	u64 start;

	got = vcalloc(count, sizeof(*got));
	if (!got)
		return -ENOMEM;
	for (pfn = first; n < count && pfn + wanted <= first + pages; pfn += step) {
		if (!all_movable(pfn))
			continue;
		start = ktime_get_ns();
		ret = alloc_contig_range(pfn, pfn + wanted, MIGRATE_CMA, GFP_KERNEL);
		if (ret) {
			add_sample("contig-failed", start);
		} else {
			add_sample("contig", start);
			got[n++] = pfn;
		}
	}
	while (n--)
		free_contig_range(got[n], wanted);
	vfree(got);
	return 0;
}

static int samples_show(struct seq_file *m, void *unused)
{
	unsigned int i;

	for (i = 0; i < nr_samples; i++)
		seq_printf(m, "%s %llu\n", samples[i].what, samples[i].ns);
	return 0;
}
DEFINE_SHOW_ATTRIBUTE(samples);

static int __init hook_bench_init(void)
{
	int ret;

	/* Each page of reserve gives two at most, and there are 4 times count. */
	samples = vcalloc(max(8UL * count, pages), sizeof(*samples));
	if (!samples)
		return -ENOMEM;
	if (!strcmp(test, "reserve"))
		ret = bench_reserve();
	else if (!strcmp(test, "contig"))
		ret = bench_contig();
	else
		ret = -EINVAL;
	if (ret) {
		vfree(samples);
		return ret;
	}
	dir = debugfs_create_dir("mtetagram_bench", NULL);
	debugfs_create_file("samples", 0400, dir, NULL, &samples_fops);
	return 0;
}
module_init(hook_bench_init);

static void __exit hook_bench_exit(void)
{
	debugfs_remove(dir);
	vfree(samples);
}
module_exit(hook_bench_exit);

MODULE_DESCRIPTION("mtetagram: benchmark of the hook");
MTG_IMPORT_SYMBOLS;
MODULE_LICENSE("GPL");
