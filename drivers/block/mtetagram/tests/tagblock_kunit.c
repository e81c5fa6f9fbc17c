// SPDX-License-Identifier: GPL-2.0
/*
 * KUnit: tag blocks. Ordinary pages stand for the data pages, and a buffer for
 * their tag storage; the cache maintenance is done for real, on both.
 */

#include <kunit/test.h>
#include <linux/bitmap.h>
#include <linux/completion.h>
#include <linux/cpufeature.h>
#include <linux/gfp.h>
#include <linux/kthread.h>
#include <linux/mm.h>
#include <linux/mtetagram.h>
#include <linux/sched.h>
#include <linux/sizes.h>
#include <linux/slab.h>
#include <linux/string.h>

#include <asm/mte-def.h>

#include "../region.h"
#include "../tagblock.h"

#define ORDER		8
#define PAGES		256UL
#define PER_BLOCK	32
#define BLOCKS		(PAGES / PER_BLOCK)

static struct mtg_region region;
static struct page *pages;
static unsigned int evicted[BLOCKS];

static unsigned int freed;
static bool no_room;
static unsigned int made, thefts;
static enum mtg_urgency last_urgency;
static unsigned int resumed;
static bool owned;

static int count_evict(void *priv, u32 block, enum mtg_urgency urgency)
{
	evicted[block]++;
	last_urgency = urgency;
	return no_room && urgency != MTG_MUST ? -ENOMEM : 0;
}

static void count_resume(void *priv, u32 block)
{
	resumed++;
	/* So that it can be put back. */
	owned = mtg_block_owned(&region, block);
}

/* What is made is taken by others @thefts times. */
static bool make_room(void *priv, gfp_t gfp)
{
	if (!thefts)
		return !no_room;
	made++;
	no_room = made <= thefts;
	return true;
}

static void count_freed(void *priv)
{
	freed++;
}

static const struct mtg_block_ops ops = {
	.evict = count_evict,
	.resume = count_resume,
	.make_room = make_room,
	.freed = count_freed,
};

static int tagblock_init(struct kunit *test)
{
	memset(&region, 0, sizeof(region));
	memset(evicted, 0, sizeof(evicted));
	freed = 0;
	no_room = false;
	made = 0;
	thefts = 0;
	resumed = 0;
	pages = alloc_pages(GFP_KERNEL, ORDER);
	region.base = kzalloc(BLOCKS * SZ_4K, GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, pages);
	KUNIT_ASSERT_NOT_NULL(test, region.base);
	region.start_pfn = page_to_pfn(pages);
	region.nr_pages = PAGES;
	region.block_shift = ilog2(SZ_4K);
	region.pages_shift = ilog2(PER_BLOCK);
	KUNIT_ASSERT_EQ(test, 0, mtg_region_init(&region));
	return mtg_region_attach(&region, &ops, NULL);
}

static void tagblock_exit(struct kunit *test)
{
	mtg_region_detach(&region);
	mtg_region_destroy(&region);
	kfree(region.base);
	__free_pages(pages, ORDER);
}

static int nr(enum mtg_block_state state)
{
	return atomic_read(&region.nr_state[state]);
}

static u32 next_free(void)
{
	return mtg_block_next_free(&region, 0, false);
}

static void release(unsigned long first, unsigned long n)
{
	mtg_region_release(&region, region.start_pfn + first, n);
}

static void reserve(struct page *page)
{
	mtg_region_reserve(&region, page, MTG_MUST);
}

static void tagblock_reserve_and_release(struct kunit *test)
{
	reserve(pages + 40);
	KUNIT_EXPECT_EQ(test, 1, nr(MTG_BLOCK_TAGGED));
	KUNIT_EXPECT_EQ(test, MTG_BLOCK_TAGGED, region.state[1]);
	KUNIT_EXPECT_FALSE(test, mtg_block_get(&region, 1));

	/* Twice is once; others in the block keep it. */
	reserve(pages + 40);
	reserve(pages + 41);
	KUNIT_EXPECT_EQ(test, 2, mtg_region_nr_reserved(&region));
	release(40, 1);
	release(40, 1);
	KUNIT_EXPECT_EQ(test, MTG_BLOCK_TAGGED, region.state[1]);
	release(41, 1);
	KUNIT_EXPECT_EQ(test, MTG_BLOCK_FREE, region.state[1]);
	KUNIT_EXPECT_EQ(test, BLOCKS, nr(MTG_BLOCK_FREE));
	KUNIT_EXPECT_EQ(test, 0, mtg_region_nr_reserved(&region));
	KUNIT_EXPECT_EQ(test, 0, evicted[1]);
}

static void tagblock_check_takes_free_blocks(struct kunit *test)
{
	bool begun = mtg_block_begin_check(&region, 3);
	enum mtg_block_state state = region.state[3];
	bool got = mtg_block_get(&region, 3);

	/* Preemption is disabled until now. */
	if (begun)
		mtg_block_end_check(&region, 3);
	KUNIT_EXPECT_TRUE(test, begun);
	KUNIT_EXPECT_EQ(test, MTG_BLOCK_SWITCHING, state);
	KUNIT_EXPECT_FALSE(test, got);
	KUNIT_EXPECT_EQ(test, MTG_BLOCK_FREE, region.state[3]);

	KUNIT_EXPECT_TRUE(test, mtg_block_get(&region, 3));
	KUNIT_EXPECT_FALSE(test, mtg_block_begin_check(&region, 3));
	KUNIT_EXPECT_TRUE(test, mtg_block_put(&region, 3));
	reserve(pages + 3 * PER_BLOCK);
	KUNIT_EXPECT_FALSE(test, mtg_block_begin_check(&region, 3));
	release(3 * PER_BLOCK, 1);
	KUNIT_EXPECT_EQ(test, BLOCKS, nr(MTG_BLOCK_FREE));
}

static void tagblock_counts_pages_of_a_block(struct kunit *test)
{
	static const unsigned int at[] = { PER_BLOCK - 1, PER_BLOCK, PER_BLOCK + 7,
					   2 * PER_BLOCK - 1, 2 * PER_BLOCK };
	unsigned int i;

	KUNIT_EXPECT_EQ(test, 0, mtg_block_nr_reserved(&region, 1));
	for (i = 0; i < ARRAY_SIZE(at); i++)
		reserve(pages + at[i]);
	KUNIT_EXPECT_EQ(test, 1, mtg_block_nr_reserved(&region, 0));
	KUNIT_EXPECT_EQ(test, 3, mtg_block_nr_reserved(&region, 1));
	KUNIT_EXPECT_EQ(test, 1, mtg_block_nr_reserved(&region, 2));
	for (i = 0; i < PER_BLOCK; i++)
		reserve(pages + 3 * PER_BLOCK + i);
	KUNIT_EXPECT_EQ(test, PER_BLOCK, mtg_block_nr_reserved(&region, 3));
	release(0, 4 * PER_BLOCK);
	KUNIT_EXPECT_EQ(test, 0, mtg_block_nr_reserved(&region, 3));
}

static void tagblock_evicts_used_blocks_once(struct kunit *test)
{
	KUNIT_ASSERT_TRUE(test, mtg_block_get(&region, 3));
	KUNIT_EXPECT_FALSE(test, mtg_block_get(&region, 3));
	KUNIT_EXPECT_TRUE(test, mtg_block_owned(&region, 3));
	reserve(pages + 3 * PER_BLOCK + 7);
	reserve(pages + 3 * PER_BLOCK + 8);
	KUNIT_EXPECT_EQ(test, 1, evicted[3]);
	KUNIT_EXPECT_FALSE(test, mtg_block_owned(&region, 3));
	KUNIT_EXPECT_FALSE(test, mtg_block_put(&region, 3));
	release(3 * PER_BLOCK, PER_BLOCK);
	KUNIT_EXPECT_EQ(test, MTG_BLOCK_FREE, region.state[3]);
	KUNIT_EXPECT_EQ(test, 1, mtg_region_events(&region, MTG_EVICTED));
}

/* Blocks of 4 KiB share the words of the record, and only one of the two has tags. */
static void tagblock_tells_neighbours_apart(struct kunit *test)
{
	KUNIT_ASSERT_TRUE(test, mtg_block_get(&region, 3));
	reserve(pages + 3 * PER_BLOCK - 1);
	KUNIT_EXPECT_EQ(test, 1, nr(MTG_BLOCK_USED));
	reserve(pages + 3 * PER_BLOCK);
	KUNIT_EXPECT_EQ(test, 1, evicted[3]);
	KUNIT_EXPECT_EQ(test, 2, nr(MTG_BLOCK_TAGGED));
	release(2 * PER_BLOCK, 2 * PER_BLOCK);
	KUNIT_EXPECT_EQ(test, BLOCKS, nr(MTG_BLOCK_FREE));
}

static void store_tag(struct page *page, u64 tag)
{
	u64 addr = (u64)page_address(page);

	asm volatile(__MTE_PREAMBLE "stg %0, [%1]" :
		     : "r" ((addr & ~GENMASK_ULL(59, 56)) | tag << 56), "r" (addr)
		     : "memory");
}

static u64 load_tag(struct page *page)
{
	u64 addr = (u64)page_address(page), tagged = addr;

	asm volatile(__MTE_PREAMBLE "ldg %0, [%1]" : "+r" (tagged) : "r" (addr)
		     : "memory");
	return tagged >> 56 & 15;
}

/* The split of a huge page flags pages whose tags were never initialised. */
static void tagblock_initialises_false_tags(struct kunit *test)
{
	if (!system_supports_mte())
		kunit_skip(test, "no MTE");
	/* For the machine's own record: they are overwritten for real. */
	mtetagram_reserve(pages);
	mtetagram_reserve(pages + 1);
	store_tag(pages + 1, 5);
	KUNIT_ASSERT_EQ(test, 5, load_tag(pages + 1));

	reserve(pages);
	set_bit(PG_mte_tagged, &pages[1].flags);
	reserve(pages + 1);
	KUNIT_EXPECT_EQ(test, 0, load_tag(pages + 1));
	/* They are its own from now on. */
	store_tag(pages + 1, 6);
	reserve(pages + 1);
	KUNIT_EXPECT_EQ(test, 6, load_tag(pages + 1));
	clear_bit(PG_mte_tagged, &pages[1].flags);
	release(0, 2);
}

#define RACERS		4U
#define RACE_ROUNDS	20000

struct racer {
	struct task_struct *task;
	struct completion done;
	unsigned int page;
	unsigned int wrong;
};

/* While a page is reserved its block holds tags, whatever others do with theirs. */
static int race(void *data)
{
	struct racer *racer = data;
	unsigned int i;

	for (i = 0; i < RACE_ROUNDS; i++) {
		reserve(pages + racer->page);
		if (READ_ONCE(region.state[0]) != MTG_BLOCK_TAGGED)
			racer->wrong++;
		if (i % 2)
			release(racer->page, 1);
		else
			mtg_region_release_page(&region, racer->page);
		if (mtg_block_get(&region, 0))
			mtg_block_put(&region, 0);
		cond_resched();
	}
	complete(&racer->done);
	return 0;
}

static void tagblock_survives_races(struct kunit *test)
{
	struct racer racers[RACERS] = {};
	unsigned int i;

	for (i = 0; i < RACERS; i++) {
		init_completion(&racers[i].done);
		racers[i].page = i;
		racers[i].task = kthread_create(race, &racers[i], "tagblock-race%u", i);
		KUNIT_ASSERT_FALSE(test, IS_ERR(racers[i].task));
	}
	for (i = 0; i < RACERS; i++)
		wake_up_process(racers[i].task);
	for (i = 0; i < RACERS; i++) {
		wait_for_completion(&racers[i].done);
		KUNIT_EXPECT_EQ(test, 0, racers[i].wrong);
	}
	KUNIT_EXPECT_EQ(test, 0, mtg_region_nr_reserved(&region));
	KUNIT_EXPECT_EQ(test, RACERS * RACE_ROUNDS, mtg_region_reserves(&region));
	KUNIT_EXPECT_EQ(test, BLOCKS, nr(MTG_BLOCK_FREE));
}

static void tagblock_releases_large_pages(struct kunit *test)
{
	unsigned long i;

	for (i = 0; i < PAGES; i += 3)
		reserve(pages + i);
	KUNIT_EXPECT_EQ(test, BLOCKS, nr(MTG_BLOCK_TAGGED));
	KUNIT_EXPECT_EQ(test, BLOCKS, next_free());
	release(0, PAGES / 2);
	KUNIT_EXPECT_EQ(test, BLOCKS / 2, nr(MTG_BLOCK_TAGGED));
	release(PAGES / 2, PAGES / 2);
	KUNIT_EXPECT_EQ(test, BLOCKS, nr(MTG_BLOCK_FREE));
}

static void tagblock_has_one_user(struct kunit *test)
{
	KUNIT_EXPECT_EQ(test, -EBUSY, mtg_region_attach(&region, &ops, NULL));
	KUNIT_ASSERT_TRUE(test, mtg_block_get(&region, 0));
	KUNIT_EXPECT_EQ(test, 1, next_free());
	KUNIT_EXPECT_TRUE(test, mtg_block_put(&region, 0));
	KUNIT_EXPECT_EQ(test, 0, next_free());
}

static void tagblock_refuses_only_who_can_cope(struct kunit *test)
{
	struct page *page = pages + 2 * PER_BLOCK;

	KUNIT_ASSERT_TRUE(test, mtg_block_get(&region, 2));
	no_room = true;
	KUNIT_EXPECT_EQ(test, -ENOMEM, mtg_region_prepare(&region, page, GFP_KERNEL));
	KUNIT_EXPECT_EQ(test, 0, evicted[2]);
	KUNIT_EXPECT_EQ(test, 0, resumed);
	KUNIT_EXPECT_EQ(test, -ENOMEM, mtg_region_reserve(&region, page, MTG_MAY_REFUSE));
	KUNIT_EXPECT_EQ(test, 1, resumed);
	KUNIT_EXPECT_TRUE(test, owned);
	KUNIT_EXPECT_EQ(test, 1, nr(MTG_BLOCK_USED));
	KUNIT_EXPECT_EQ(test, 0, mtg_region_nr_reserved(&region));
	KUNIT_EXPECT_EQ(test, 0, mtg_region_events(&region, MTG_EVICTED));

	KUNIT_EXPECT_EQ(test, 0, mtg_region_reserve(&region, page, MTG_MUST));
	KUNIT_EXPECT_EQ(test, 1, nr(MTG_BLOCK_TAGGED));
	KUNIT_EXPECT_EQ(test, 1, mtg_region_events(&region, MTG_EVICTED_ATOMIC));
	/* The page is reserved already: no room has to be made. */
	KUNIT_EXPECT_EQ(test, 0, mtg_region_prepare(&region, page, GFP_KERNEL));
	release(2 * PER_BLOCK, 1);
	KUNIT_EXPECT_EQ(test, 1, freed);
}

/* Room that was made may be gone when it is needed: a caller that can wait makes room again. */
static void tagblock_prepares_again(struct kunit *test)
{
	KUNIT_ASSERT_TRUE(test, mtg_block_get(&region, 2));
	thefts = 3;
	KUNIT_EXPECT_EQ(test, 0, mtg_region_prepare(&region, pages + 2 * PER_BLOCK,
						    GFP_KERNEL));
	KUNIT_EXPECT_EQ(test, 4, evicted[2]);
	KUNIT_EXPECT_EQ(test, 3, resumed);
	KUNIT_EXPECT_EQ(test, MTG_PREPARE, last_urgency);
	release(2 * PER_BLOCK, 1);

	/* But not without end. */
	KUNIT_ASSERT_TRUE(test, mtg_block_get(&region, 3));
	thefts = UINT_MAX;
	KUNIT_EXPECT_EQ(test, -ENOMEM, mtg_region_prepare(&region, pages + 3 * PER_BLOCK,
							  GFP_KERNEL));
	KUNIT_EXPECT_EQ(test, MTG_MAY_REFUSE, last_urgency);
	KUNIT_EXPECT_TRUE(test, owned);
	KUNIT_EXPECT_TRUE(test, mtg_block_put(&region, 3));
}

/* No byte that was stored as data, or before that, is left where tags will be. */
static void tagblock_holds_no_data_as_tags(struct kunit *test)
{
	memset(region.base, 0xa5, BLOCKS * SZ_4K);
	KUNIT_ASSERT_TRUE(test, mtg_block_get(&region, 1));
	reserve(pages + PER_BLOCK);
	reserve(pages + 2 * PER_BLOCK + 5);
	KUNIT_EXPECT_NULL(test, memchr_inv(region.base + SZ_4K, 0, 2 * SZ_4K));
	KUNIT_EXPECT_NULL(test, memchr_inv(region.base, 0xa5, SZ_4K));
	KUNIT_EXPECT_NULL(test, memchr_inv(region.base + 3 * SZ_4K, 0xa5,
					   (BLOCKS - 3) * SZ_4K));
	/* The tags of others in the block stay. */
	memset(region.base + SZ_4K, 0x11, 128);
	reserve(pages + PER_BLOCK + 1);
	KUNIT_EXPECT_NULL(test, memchr_inv(region.base + SZ_4K, 0x11, 128));
	release(PER_BLOCK, 2 * PER_BLOCK);
}

static void tagblock_keeps_bad_blocks_offline(struct kunit *test)
{
	struct page *page = pages + 4 * PER_BLOCK;

	mtg_block_offline(&region, 3);
	KUNIT_EXPECT_FALSE(test, mtg_block_get(&region, 3));
	KUNIT_EXPECT_EQ(test, 1, nr(MTG_BLOCK_OFFLINE));

	/* With data in it, it is offline when that is gone. */
	KUNIT_ASSERT_TRUE(test, mtg_block_get(&region, 4));
	mtg_block_offline(&region, 4);
	KUNIT_EXPECT_EQ(test, 1, nr(MTG_BLOCK_USED));
	KUNIT_EXPECT_TRUE(test, mtg_block_put(&region, 4));
	KUNIT_EXPECT_EQ(test, 2, nr(MTG_BLOCK_OFFLINE));

	/* Tags have no other place. */
	reserve(page);
	KUNIT_EXPECT_EQ(test, 1, nr(MTG_BLOCK_TAGGED));
	release(4 * PER_BLOCK, 1);
	KUNIT_EXPECT_EQ(test, 2, nr(MTG_BLOCK_OFFLINE));
	KUNIT_EXPECT_FALSE(test, mtg_block_get(&region, 4));

	mtg_block_online(&region, 4);
	KUNIT_EXPECT_TRUE(test, mtg_block_get(&region, 4));
	KUNIT_EXPECT_TRUE(test, mtg_block_put(&region, 4));
}

/* As on a machine with as many regions as there can be: each page finds its own. */
static void tagblock_finds_each_region(struct kunit *test)
{
	struct mtg_range ranges[MTG_MAX_REGIONS + 1] = {};
	struct mtg_region *regions;
	const struct mtg_range *range;
	unsigned long i, index;

	BUILD_BUG_ON(MTG_MAX_REGIONS != BLOCKS);
	regions = kunit_kcalloc(test, BLOCKS, sizeof(*regions), GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, regions);
	for (i = 0; i < BLOCKS; i++) {
		regions[i].base = region.base + i * SZ_4K;
		regions[i].start_pfn = region.start_pfn + i * PER_BLOCK;
		regions[i].nr_pages = PER_BLOCK;
		regions[i].block_shift = ilog2(SZ_4K);
		regions[i].pages_shift = ilog2(PER_BLOCK);
		KUNIT_ASSERT_EQ(test, 0, mtg_region_init(&regions[i]));
		mtg_range_init(&ranges[i], &regions[i]);
	}
	KUNIT_EXPECT_FALSE(test, mtg_find_range(ranges, pages - 1, &range, &index));
	KUNIT_EXPECT_FALSE(test, mtg_find_range(ranges, pages + PAGES, &range, &index));
	for (i = 0; i < PAGES; i++) {
		KUNIT_ASSERT_TRUE(test, mtg_find_range(ranges, pages + i, &range, &index));
		KUNIT_ASSERT_PTR_EQ(test, &regions[i / PER_BLOCK], range->region);
		KUNIT_ASSERT_EQ(test, i % PER_BLOCK, index);
		mtg_region_reserve(range->region, pages + i, MTG_MUST);
		KUNIT_EXPECT_TRUE(test, test_bit(index, range->reserved));
		KUNIT_EXPECT_EQ(test, i % PER_BLOCK + 1,
				mtg_region_nr_reserved(range->region));
	}
	for (i = 0; i < BLOCKS; i++) {
		mtg_region_release(&regions[i], regions[i].start_pfn, PER_BLOCK);
		KUNIT_EXPECT_EQ(test, PER_BLOCK, mtg_region_releases(&regions[i]));
		KUNIT_EXPECT_EQ(test, 0, mtg_region_nr_reserved(&regions[i]));
		mtg_region_destroy(&regions[i]);
	}
}

static void tagblock_counts_free_blocks_that_are_kept(struct kunit *test)
{
	struct page *page = pages + 5 * PER_BLOCK;

	mtg_block_keep(&region, 5, true);
	mtg_block_keep(&region, 5, true);
	KUNIT_ASSERT_TRUE(test, mtg_block_get(&region, 6));
	mtg_block_keep(&region, 6, true);
	KUNIT_EXPECT_EQ(test, 1, atomic_read(&region.kept_free));

	/* Memory was added, and tags take a block that was thought safe from them. */
	reserve(page);
	KUNIT_EXPECT_EQ(test, 0, atomic_read(&region.kept_free));
	release(5 * PER_BLOCK, 1);
	KUNIT_EXPECT_EQ(test, 1, atomic_read(&region.kept_free));
	/* While there is data in it, too. */
	KUNIT_ASSERT_TRUE(test, mtg_block_get(&region, 5));
	KUNIT_EXPECT_EQ(test, 0, atomic_read(&region.kept_free));
	reserve(page);
	KUNIT_EXPECT_FALSE(test, mtg_block_put(&region, 5));
	KUNIT_EXPECT_EQ(test, 0, atomic_read(&region.kept_free));
	mtg_block_offline(&region, 5);
	release(5 * PER_BLOCK, 1);
	KUNIT_EXPECT_EQ(test, 0, atomic_read(&region.kept_free));
	mtg_block_online(&region, 5);
	KUNIT_EXPECT_EQ(test, 1, atomic_read(&region.kept_free));

	KUNIT_EXPECT_TRUE(test, mtg_block_put(&region, 6));
	KUNIT_EXPECT_EQ(test, 2, atomic_read(&region.kept_free));
	mtg_block_keep(&region, 5, false);
	mtg_block_keep(&region, 5, false);
	KUNIT_EXPECT_EQ(test, 1, atomic_read(&region.kept_free));
}

static struct kunit_case tagblock_cases[] = {
	KUNIT_CASE(tagblock_check_takes_free_blocks),
	KUNIT_CASE(tagblock_reserve_and_release),
	KUNIT_CASE(tagblock_counts_pages_of_a_block),
	KUNIT_CASE(tagblock_evicts_used_blocks_once),
	KUNIT_CASE(tagblock_refuses_only_who_can_cope),
	KUNIT_CASE(tagblock_prepares_again),
	KUNIT_CASE(tagblock_holds_no_data_as_tags),
	KUNIT_CASE(tagblock_keeps_bad_blocks_offline),
	KUNIT_CASE(tagblock_counts_free_blocks_that_are_kept),
	KUNIT_CASE(tagblock_tells_neighbours_apart),
	KUNIT_CASE(tagblock_initialises_false_tags),
	KUNIT_CASE(tagblock_survives_races),
	KUNIT_CASE(tagblock_releases_large_pages),
	KUNIT_CASE(tagblock_has_one_user),
	KUNIT_CASE(tagblock_finds_each_region),
	{ }
};

static struct kunit_suite tagblock_suite = {
	.name = "mtetagram-tagblock",
	.init = tagblock_init,
	.exit = tagblock_exit,
	.test_cases = tagblock_cases,
};

kunit_test_suite(tagblock_suite);

MTG_IMPORT_SYMBOLS;
