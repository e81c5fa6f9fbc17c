// SPDX-License-Identifier: GPL-2.0
/*
 * KUnit: the pool's allocator.
 */

#include <kunit/test.h>
#include <linux/errno.h>
#include <linux/module.h>

#include "fake_provider.h"

static int pool_init(struct kunit *test)
{
	return fake_init(test, 4096);
}

static void pool_refuses_bad_geometry(struct kunit *test)
{
	static const unsigned int sizes[] = { 0, 2048, 4097, 12288, 131072 };
	struct mtg_pool pool = { };
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(sizes); i++)
		KUNIT_EXPECT_EQ(test, -EINVAL,
				mtg_pool_init(&pool, NULL, 32, sizes[i], &fake_provider,
					      NULL));
	KUNIT_EXPECT_EQ(test, -EINVAL,
			mtg_pool_init(&pool, NULL, 0, 4096, &fake_provider, NULL));
}

static void pool_opens_and_gives_back(struct kunit *test)
{
	struct fake *fake = test->priv;
	u32 granule, owner;

	KUNIT_ASSERT_EQ(test, 0, mtg_pool_alloc(&fake->pool, 100, 77, MTG_STORE, &granule));
	KUNIT_EXPECT_EQ(test, 1, atomic_read(&fake->pool.nr_open));
	KUNIT_EXPECT_TRUE(test, mtg_pool_owner(&fake->pool, granule, &owner));
	KUNIT_EXPECT_EQ(test, 77, owner);
	KUNIT_EXPECT_EQ(test, 2, atomic64_read(&fake->pool.used_granules));

	mtg_pool_free(&fake->pool, granule, 100);
	KUNIT_EXPECT_EQ(test, 0, atomic_read(&fake->pool.nr_open));
	KUNIT_EXPECT_EQ(test, FAKE_BLOCKS, fake_nr_free(fake));
	KUNIT_EXPECT_FALSE(test, mtg_pool_owner(&fake->pool, granule, &owner));
}

/* A raw page and its header need more than a block: they straddle two. */
static void pool_straddles_blocks(struct kunit *test)
{
	struct fake *fake = test->priv;
	u32 granule[3];
	unsigned int i;

	for (i = 0; i < 3; i++)
		KUNIT_ASSERT_EQ(test, 0, mtg_pool_alloc(&fake->pool, 4096, i, MTG_STORE,
							&granule[i]));
	/* Three of 65 granules fit into the 256 of a group. */
	KUNIT_EXPECT_EQ(test, granule[0] >> 8, granule[2] >> 8);
	KUNIT_EXPECT_EQ(test, granule[1], mtg_pool_first_object(&fake->pool,
								granule[1] / 64 + 1));
}

static void pool_needs_neighbours_for_raw_pages(struct kunit *test)
{
	struct fake *fake = test->priv;
	u32 block, granule;

	for (block = 0; block < FAKE_BLOCKS; block += 2)
		fake->taken[block] = true;
	KUNIT_EXPECT_EQ(test, -ENOSPC,
			mtg_pool_alloc(&fake->pool, 4096, 1, MTG_STORE, &granule));
	/* And what was opened to look for room is given back. */
	KUNIT_EXPECT_EQ(test, FAKE_BLOCKS / 2, fake_nr_free(fake));
	KUNIT_EXPECT_EQ(test, 0,
			mtg_pool_alloc(&fake->pool, 4000, 1, MTG_STORE, &granule));
}

static void pool_keeps_limits(struct kunit *test)
{
	struct fake *fake = test->priv;
	u32 granule, n = 0;

	fake->pool.limit = 4;
	while (!mtg_pool_alloc(&fake->pool, 4000, 1, MTG_STORE, &granule))
		n++;
	KUNIT_EXPECT_EQ(test, 4, n);
	fake->pool.limit = FAKE_BLOCKS;
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
	block = granule / 64;
	mtg_pool_close(&fake->pool, block);
	KUNIT_ASSERT_EQ(test, 0, mtg_pool_alloc(&fake->pool, 60, 2, MTG_STORE, &other));
	KUNIT_EXPECT_NE(test, block, other / 64);
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
	KUNIT_CASE(pool_needs_neighbours_for_raw_pages),
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
