// SPDX-License-Identifier: GPL-2.0
/*
 * KUnit: the pool's allocator.
 */

#include <kunit/test.h>
#include <linux/errno.h>
#include <linux/minmax.h>
#include <linux/module.h>

#include "fake_provider.h"

static int pool_init(struct kunit *test)
{
	return fake_init(test, 4096);
}

static void pool_refuses_bad_geometry(struct kunit *test)
{
	static const unsigned int sizes[] = { 0, 2048, 4097, 12288, 131072 };
	struct mtg_pool *pool = kunit_kzalloc(test, sizeof(*pool), GFP_KERNEL);
	unsigned int i;

	KUNIT_ASSERT_NOT_NULL(test, pool);
	for (i = 0; i < ARRAY_SIZE(sizes); i++)
		KUNIT_EXPECT_EQ(test, -EINVAL,
				mtg_pool_init(pool, NULL, 32, sizes[i], &fake_provider,
					      NULL));
	KUNIT_EXPECT_EQ(test, -EINVAL,
			mtg_pool_init(pool, NULL, 0, 4096, &fake_provider, NULL));
}

static void pool_opens_and_gives_back(struct kunit *test)
{
	struct fake *fake = test->priv;
	u32 granule, owner;

	KUNIT_ASSERT_EQ(test, 0, mtg_pool_alloc(&fake->pool, 100, 77, MTG_STORE, &granule));
	KUNIT_EXPECT_EQ(test, 1, atomic_read(&fake->pool.nr_open));
	KUNIT_EXPECT_TRUE(test, mtg_pool_owner(&fake->pool, granule, &owner));
	KUNIT_EXPECT_EQ(test, 77, owner);
	KUNIT_EXPECT_EQ(test, mtg_granules(100), atomic64_read(&fake->pool.used_granules));

	mtg_pool_free(&fake->pool, granule, 100);
	KUNIT_EXPECT_EQ(test, 0, atomic_read(&fake->pool.nr_open));
	KUNIT_EXPECT_EQ(test, FAKE_BLOCKS, fake_nr_free(fake));
	KUNIT_EXPECT_FALSE(test, mtg_pool_owner(&fake->pool, granule, &owner));
}

static u32 block_of(struct fake *fake, u32 granule)
{
	return granule >> fake->pool.block_shift;
}

static void pool_straddles_blocks(struct kunit *test)
{
	struct fake *fake = test->priv;
	u32 granule[5];
	unsigned int i;

	for (i = 0; i < 5; i++)
		KUNIT_ASSERT_EQ(test, 0, mtg_pool_alloc(&fake->pool, 3200, i, MTG_STORE,
							&granule[i]));
	/* Five of them in four blocks, and the second one lies in two of those. */
	KUNIT_EXPECT_EQ(test, 4, atomic_read(&fake->pool.nr_open));
	KUNIT_EXPECT_EQ(test, granule[1],
			mtg_pool_first_object(&fake->pool, block_of(fake, granule[1]) + 1));
	KUNIT_EXPECT_EQ(test, block_of(fake, granule[0]), block_of(fake, granule[1]));
}

/* Wherever a block is free, the largest object has room. */
static void pool_needs_no_neighbours(struct kunit *test)
{
	struct fake *fake = test->priv;
	u32 block, granule, len;

	for (block = 0; block < FAKE_BLOCKS; block += 2)
		fake->taken[block] = true;
	for (block = 0; block < FAKE_BLOCKS / 2; block++) {
		len = block % 2 ? MTG_RAW_LEN : MTG_MAX_LEN;
		KUNIT_EXPECT_EQ(test, 0, mtg_pool_alloc(&fake->pool, len, 1, MTG_STORE,
							&granule));
	}
	KUNIT_EXPECT_EQ(test, -ENOSPC, mtg_pool_alloc(&fake->pool, MTG_RAW_LEN, 1,
						      MTG_STORE, &granule));
}

/* The owner of a raw page is kept elsewhere, wherever the page begins. */
static void pool_knows_owners_of_raw_pages(struct kunit *test)
{
	static const unsigned int lens[] = { 60, 4096, 4096, 1, 1, 4096, 500, 4096, 4096 };
	struct fake *fake = test->priv;
	u32 granule[ARRAY_SIZE(lens)], owner, i;

	for (i = 0; i < ARRAY_SIZE(lens); i++)
		KUNIT_ASSERT_EQ(test, 0, mtg_pool_alloc(&fake->pool, lens[i], 1000 + i,
							MTG_STORE, &granule[i]));
	KUNIT_ASSERT_GT(test, granule[1] % MTG_RAW_GRANULES, 0);
	for (i = 0; i < ARRAY_SIZE(lens); i++) {
		KUNIT_EXPECT_TRUE(test, mtg_pool_owner(&fake->pool, granule[i], &owner));
		KUNIT_EXPECT_EQ(test, 1000 + i, owner);
	}
	for (i = 1; i < ARRAY_SIZE(lens); i += 2)
		mtg_pool_free(&fake->pool, granule[i], lens[i]);
	for (i = 0; i < ARRAY_SIZE(lens); i += 2) {
		KUNIT_EXPECT_TRUE(test, mtg_pool_owner(&fake->pool, granule[i], &owner));
		KUNIT_EXPECT_EQ(test, 1000 + i, owner);
	}
	/* Where a raw page was, small objects have their headers again. */
	KUNIT_ASSERT_EQ(test, 0, mtg_pool_alloc(&fake->pool, 70, 3000, MTG_STORE,
						&granule[1]));
	KUNIT_EXPECT_TRUE(test, mtg_pool_owner(&fake->pool, granule[1], &owner));
	KUNIT_EXPECT_EQ(test, 3000, owner);
}

/* A full pool says what would fit, and means it. */
static void pool_says_what_fits(struct kunit *test)
{
	struct fake *fake = test->priv;
	u32 granule, first = MTG_NO_GRANULE;
	unsigned int len;

	KUNIT_EXPECT_EQ(test, 0, mtg_pool_room(&fake->pool, &len));
	KUNIT_EXPECT_EQ(test, 4096, len);
	while (!mtg_pool_alloc(&fake->pool, 4096, 1, MTG_STORE, &granule))
		first = min(first, granule);
	KUNIT_EXPECT_EQ(test, -ENOSPC, mtg_pool_room(&fake->pool, &len));
	KUNIT_EXPECT_LT(test, len, MTG_GRANULE_SIZE);

	mtg_pool_free(&fake->pool, first, 4096);
	KUNIT_EXPECT_EQ(test, 0, mtg_pool_room(&fake->pool, &len));
	KUNIT_ASSERT_EQ(test, 0, mtg_pool_alloc(&fake->pool, 3000, 1, MTG_STORE, &granule));
	KUNIT_EXPECT_EQ(test, -ENOSPC,
			mtg_pool_alloc(&fake->pool, 1500, 1, MTG_STORE, &granule));
	KUNIT_EXPECT_EQ(test, -ENOSPC, mtg_pool_room(&fake->pool, &len));
	KUNIT_EXPECT_LT(test, len, 1500);
	KUNIT_EXPECT_EQ(test, -ENOSPC,
			mtg_pool_alloc(&fake->pool, len + 1, 1, MTG_STORE, &granule));
	KUNIT_EXPECT_EQ(test, 0,
			mtg_pool_alloc(&fake->pool, len, 1, MTG_STORE, &granule));
}

static void pool_keeps_limits(struct kunit *test)
{
	struct fake *fake = test->priv;
	u32 granule, n = 0;

	fake->pool.share = 4;
	while (!mtg_pool_alloc(&fake->pool, 4000, 1, MTG_STORE, &granule))
		n++;
	KUNIT_EXPECT_EQ(test, 4, n);
	fake->pool.share = FAKE_BLOCKS;
	fake->pool.mem_limit = 6;
	while (!mtg_pool_alloc(&fake->pool, 4000, 1, MTG_STORE, &granule))
		n++;
	KUNIT_EXPECT_EQ(test, 6, n);
	KUNIT_EXPECT_EQ(test, -EDQUOT,
			mtg_pool_alloc(&fake->pool, 4000, 1, MTG_STORE, &granule));
	KUNIT_EXPECT_EQ(test, -ENOSPC,
			mtg_pool_alloc(&fake->pool, 4000, 1, MTG_SHRINK, &granule));

	fake->pool.mem_limit = U32_MAX;
	fake->pool.headroom = 8;
	while (!mtg_pool_alloc(&fake->pool, 4000, 1, MTG_STORE, &granule))
		n++;
	KUNIT_EXPECT_EQ(test, FAKE_BLOCKS - 8, n);
	while (!mtg_pool_alloc(&fake->pool, 4000, 1, MTG_MOVE, &granule))
		n++;
	KUNIT_EXPECT_EQ(test, FAKE_BLOCKS, n);
}

static void pool_rewrites_when_full(struct kunit *test)
{
	struct fake *fake = test->priv;
	u32 granule, last = 0;

	while (!mtg_pool_alloc(&fake->pool, 2000, 5, MTG_STORE, &granule))
		last = granule;
	KUNIT_EXPECT_TRUE(test, mtg_pool_realloc(&fake->pool, last, 2000, 1500, 5, &granule));
	KUNIT_EXPECT_TRUE(test, mtg_pool_realloc(&fake->pool, granule, 1500, 2000, 5,
						 &granule));
	KUNIT_EXPECT_FALSE(test, mtg_pool_realloc(&fake->pool, granule, 2000, 4096, 5,
						  &last));
	/* The old one is still there. */
	KUNIT_EXPECT_TRUE(test, mtg_pool_owner(&fake->pool, granule, &last));
}

static void pool_closed_blocks_take_nothing(struct kunit *test)
{
	struct fake *fake = test->priv;
	u32 granule, other, block;

	KUNIT_ASSERT_EQ(test, 0, mtg_pool_alloc(&fake->pool, 60, 1, MTG_STORE, &granule));
	block = block_of(fake, granule);
	mtg_pool_close(&fake->pool, block);
	KUNIT_ASSERT_EQ(test, 0, mtg_pool_alloc(&fake->pool, 60, 2, MTG_STORE, &other));
	KUNIT_EXPECT_NE(test, block, block_of(fake, other));
	KUNIT_EXPECT_EQ(test, granule, mtg_pool_first_object(&fake->pool, block));

	/* Not empty, and still ours: opened again. */
	KUNIT_EXPECT_FALSE(test, mtg_pool_reopen(&fake->pool, block));
	mtg_pool_close(&fake->pool, block);
	mtg_pool_free(&fake->pool, granule, 60);
	KUNIT_EXPECT_TRUE(test, fake->ours[block]);
	KUNIT_EXPECT_TRUE(test, mtg_pool_reopen(&fake->pool, block));
	KUNIT_EXPECT_FALSE(test, fake->ours[block]);
}

static struct kunit_case pool_cases[] = {
	KUNIT_CASE(pool_refuses_bad_geometry),
	KUNIT_CASE(pool_opens_and_gives_back),
	KUNIT_CASE(pool_straddles_blocks),
	KUNIT_CASE(pool_needs_no_neighbours),
	KUNIT_CASE(pool_knows_owners_of_raw_pages),
	KUNIT_CASE(pool_says_what_fits),
	KUNIT_CASE(pool_keeps_limits),
	KUNIT_CASE(pool_rewrites_when_full),
	KUNIT_CASE(pool_closed_blocks_take_nothing),
	{ }
};

static struct kunit_suite pool_suite = {
	.name = "mtetagram-pool",
	.init = pool_init,
	.exit = fake_exit,
	.test_cases = pool_cases,
};

kunit_test_suite(pool_suite);

MODULE_IMPORT_NS(EXPORTED_FOR_KUNIT_TESTING);
MODULE_LICENSE("GPL");
MODULE_DESCRIPTION("KUnit tests for mtetagram");
