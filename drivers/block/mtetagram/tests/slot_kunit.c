// SPDX-License-Identifier: GPL-2.0
/*
 * KUnit: slots, and the relocation of what they own.
 */

#include <kunit/test.h>
#include <linux/errno.h>
#include <linux/string.h>

#include "../slot.h"
#include "fake_provider.h"

#define NR_SLOTS	256

static struct mtg_slots slots;
static u8 want[MTG_SLOT_SIZE], got[MTG_SLOT_SIZE];

static int slot_init(struct kunit *test)
{
	int ret = fake_init(test, 4096);

	memset(&slots, 0, sizeof(slots));
	return ret ?: mtg_slots_init(&slots, "kunit",
				     &((struct fake *)test->priv)->pool, NR_SLOTS);
}

static void slot_exit(struct kunit *test)
{
	mtg_slots_clear(&slots);
	KUNIT_EXPECT_EQ(test, 0, atomic64_read(&slots.stats.stored));
	KUNIT_EXPECT_EQ(test, 0, atomic64_read(&slots.stats.spilled_size));
	mtg_slots_destroy(&slots);
	fake_exit(test);
}

static void fill_buffer(u32 index, unsigned int len)
{
	unsigned int i;

	for (i = 0; i < len; i++)
		want[i] = index * 31 + i * 7 + i / 64;
}

static int store(u32 index, unsigned int len)
{
	fill_buffer(index, len);
	return mtg_slot_store(&slots, index, want, len);
}

static void expect_slot(struct kunit *test, u32 index, unsigned int len)
{
	fill_buffer(index, len);
	KUNIT_EXPECT_EQ(test, len, mtg_slot_load(&slots, index, got));
	KUNIT_EXPECT_MEMEQ(test, want, got, len);
}

/* The block is wanted for tags: what tagblock.c does. */
static void take_block(struct fake *fake, u32 block)
{
	fake->taken[block] = true;
	if (fake->ours[block])
		mtg_slots_vacate(&slots, block);
	fake->ours[block] = false;
	memset(fake->pool.base + block * 4096, 0xa5, 4096);
}

static void slot_keeps_what_was_stored(struct kunit *test)
{
	static const unsigned int lens[] = { 9, 60, 61, 2000, 4095, 4096 };
	unsigned int i;

	KUNIT_EXPECT_EQ(test, 0, mtg_slot_load(&slots, 0, got));
	for (i = 0; i < ARRAY_SIZE(lens); i++) {
		KUNIT_EXPECT_EQ(test, 0, store(i, lens[i]));
		KUNIT_EXPECT_EQ(test, 0, store(100, lens[i]));
		expect_slot(test, 100, lens[i]);
	}
	for (i = 0; i < ARRAY_SIZE(lens); i++)
		expect_slot(test, i, lens[i]);
	KUNIT_EXPECT_TRUE(test, mtg_slot_free(&slots, 0));
	KUNIT_EXPECT_FALSE(test, mtg_slot_free(&slots, 0));
	KUNIT_EXPECT_EQ(test, 0, mtg_slot_load(&slots, 0, got));
}

static void slot_stores_patterns(struct kunit *test)
{
	struct fake *fake = test->priv;
	u64 pattern[] = { 0, ~0ULL, 0x1234567812345678, 0x0123456789abcdef };
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(pattern); i++) {
		KUNIT_EXPECT_EQ(test, 0, mtg_slot_store(&slots, i, &pattern[i], 8));
		KUNIT_EXPECT_EQ(test, 8, mtg_slot_load(&slots, i, got));
		KUNIT_EXPECT_MEMEQ(test, &pattern[i], got, 8);
	}
	KUNIT_EXPECT_EQ(test, 4, atomic64_read(&slots.stats.same));
	KUNIT_EXPECT_EQ(test, 0, atomic64_read(&slots.stats.compr_size));
	/* Only the one that is no 32-bit pattern needs a granule. */
	KUNIT_EXPECT_EQ(test, 1, atomic64_read(&fake->pool.used_granules));
}

static void slot_survives_vacating(struct kunit *test)
{
	struct fake *fake = test->priv;
	u32 i, block;

	for (i = 0; i < 20; i++)
		KUNIT_ASSERT_EQ(test, 0, store(i, 100 + i * 150));
	for (block = 0; block < 12; block++)
		take_block(fake, block);
	for (i = 0; i < 20; i++)
		expect_slot(test, i, 100 + i * 150);
	KUNIT_EXPECT_GT(test, atomic64_read(&slots.stats.moved), 0);
	KUNIT_EXPECT_EQ(test, 0, atomic64_read(&slots.stats.lost));
	for (block = 0; block < 12; block++)
		KUNIT_EXPECT_NULL(test, memchr_inv(fake->pool.base + block * 4096,
						   0xa5, 4096));
}

static void slot_spills_when_all_is_taken(struct kunit *test)
{
	struct fake *fake = test->priv;
	u32 i, block;

	for (i = 0; i < 20; i++)
		KUNIT_ASSERT_EQ(test, 0, store(i, 1000));
	for (block = 0; block < FAKE_BLOCKS; block++)
		take_block(fake, block);
	KUNIT_EXPECT_EQ(test, 20, atomic64_read(&slots.stats.spilled));
	KUNIT_EXPECT_EQ(test, 20000, atomic64_read(&slots.stats.spilled_size));
	for (i = 0; i < 20; i++)
		expect_slot(test, i, 1000);
	/* No room for more, and the old contents stay. */
	KUNIT_EXPECT_EQ(test, -ENOSPC, store(3, 2000));
	expect_slot(test, 3, 1000);
}

static void slot_shrinks_or_changes_nothing(struct kunit *test)
{
	struct fake *fake = test->priv;
	u32 i;

	/* 24 objects of 1/2 block, then every second one freed: 6 blocks' worth. */
	for (i = 0; i < 24; i++)
		KUNIT_ASSERT_EQ(test, 0, store(i, 2000));
	for (i = 0; i < 24; i += 2)
		mtg_slot_free(&slots, i);

	KUNIT_EXPECT_EQ(test, -ENOSPC, mtg_slots_shrink(&slots, 5));
	KUNIT_EXPECT_EQ(test, FAKE_BLOCKS, fake->pool.limit);
	KUNIT_EXPECT_EQ(test, 0, mtg_slots_shrink(&slots, 7));
	KUNIT_EXPECT_EQ(test, 7, fake->pool.limit);
	KUNIT_EXPECT_LE(test, atomic_read(&fake->pool.nr_open), 7);
	KUNIT_EXPECT_EQ(test, -ENOSPC, store(0, 4096));
	KUNIT_EXPECT_EQ(test, 0, mtg_slots_shrink(&slots, FAKE_BLOCKS));
	KUNIT_EXPECT_EQ(test, 0, store(0, 4096));
	for (i = 1; i < 24; i += 2)
		expect_slot(test, i, 2000);
}

static void slot_repairs_a_damaged_owner(struct kunit *test)
{
	struct fake *fake = test->priv;
	u32 granule;

	KUNIT_ASSERT_EQ(test, 0, store(7, 500));
	granule = mtg_pool_first_object(&fake->pool, 0);
	KUNIT_ASSERT_NE(test, MTG_NO_GRANULE, granule);
	mtg_pool_object(&fake->pool, granule)->owner = 0xdeadbeef;
	take_block(fake, granule / 64);
	KUNIT_EXPECT_TRUE(test, slots.broken);
	expect_slot(test, 7, 500);
}

static struct kunit_case slot_cases[] = {
	KUNIT_CASE(slot_keeps_what_was_stored),
	KUNIT_CASE(slot_stores_patterns),
	KUNIT_CASE(slot_survives_vacating),
	KUNIT_CASE(slot_spills_when_all_is_taken),
	KUNIT_CASE(slot_shrinks_or_changes_nothing),
	KUNIT_CASE(slot_repairs_a_damaged_owner),
	{ }
};

static struct kunit_suite slot_suite = {
	.name = "mtetagram-slot",
	.init = slot_init,
	.exit = slot_exit,
	.test_cases = slot_cases,
};

kunit_test_suite(slot_suite);
