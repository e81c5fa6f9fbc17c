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
				     &((struct fake *)test->priv)->pool, NR_SLOTS, 0);
}

static void slot_exit(struct kunit *test)
{
	mtg_slots_clear(&slots);
	KUNIT_EXPECT_EQ(test, 0, mtg_slots_usage(&slots).stored);
	KUNIT_EXPECT_EQ(test, 0, atomic_read(&slots.spill.nr_pages));
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

static s64 rung(enum mtg_rung rung)
{
	return atomic64_read(&slots.rung[rung]);
}

/* The block is wanted for tags: what tagblock.c does. */
static void take_block(struct fake *fake, u32 block)
{
	fake->taken[block] = true;
	if (fake->ours[block])
		mtg_slots_evict(&slots, block, MTG_RUNG_LOSE);
	fake->ours[block] = false;
	memset(fake->pool.base + block * 4096, 0xa5, 4096);
}

static void slot_keeps_what_was_stored(struct kunit *test)
{
	static const unsigned int lens[] = { 9, 60, 61, 2000, MTG_MAX_LEN, 4096 };
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
	KUNIT_EXPECT_EQ(test, 4, mtg_slots_usage(&slots).same);
	KUNIT_EXPECT_EQ(test, 0, mtg_slots_usage(&slots).compr_size);
	/* Only the one that is no 32-bit pattern needs an object. */
	KUNIT_EXPECT_EQ(test, MTG_MIN_GRANULES, atomic64_read(&fake->pool.used_granules));
}

static void slot_survives_evicting(struct kunit *test)
{
	struct fake *fake = test->priv;
	u32 i, block;

	for (i = 0; i < 20; i++)
		KUNIT_ASSERT_EQ(test, 0, store(i, 100 + i * 150));
	for (block = 0; block < 12; block++)
		take_block(fake, block);
	for (i = 0; i < 20; i++)
		expect_slot(test, i, 100 + i * 150);
	KUNIT_EXPECT_GT(test, mtg_slots_events(&slots, MTG_RELOCATED), 0);
	KUNIT_EXPECT_EQ(test, 0, rung(MTG_RUNG_LOSE));
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
	/* No reserve: all pages are allocated on the spot, and shared by 4 objects. */
	KUNIT_EXPECT_EQ(test, 5, rung(MTG_RUNG_ATOMIC));
	KUNIT_EXPECT_EQ(test, 15, rung(MTG_RUNG_SPARE));
	KUNIT_EXPECT_EQ(test, 5, atomic_read(&slots.spill.nr_pages));
	for (i = 0; i < 20; i++)
		expect_slot(test, i, 1000);
	/* No room for more, and the old contents stay. */
	KUNIT_EXPECT_EQ(test, -ENOSPC, store(3, 2000));
	expect_slot(test, 3, 1000);
}

static void slot_climbs_down_the_rungs(struct kunit *test)
{
	struct fake *fake = test->priv;
	u32 i, block;

	fake->nr_kept = 2;
	slots.spill.target = 3;
	KUNIT_ASSERT_TRUE(test, mtg_spill_balance(&slots.spill, GFP_KERNEL));
	/* Three objects to a block: 10 blocks. */
	for (i = 0; i < 30; i++)
		KUNIT_ASSERT_EQ(test, 0, store(i, 1300));
	for (block = FAKE_BLOCKS - 3; block < FAKE_BLOCKS; block--)
		take_block(fake, block);
	for (i = 0; i < 30; i++)
		expect_slot(test, i, 1300);
	/* 6 in two kept blocks, 9 in three pages of the reserve, 15 in five new ones. */
	KUNIT_EXPECT_GT(test, rung(MTG_RUNG_KEPT), 0);
	KUNIT_EXPECT_EQ(test, 8, atomic_read(&slots.spill.nr_pages));
	KUNIT_EXPECT_EQ(test, 5, rung(MTG_RUNG_ATOMIC));
	KUNIT_EXPECT_EQ(test, 19, rung(MTG_RUNG_SPARE));
	KUNIT_EXPECT_EQ(test, 0, rung(MTG_RUNG_LOSE));

	/* The blocks come back: all of it goes home, the spare pages to the system. */
	memset(fake->taken, 0, sizeof(fake->taken));
	mtg_slots_settle(&slots);
	KUNIT_EXPECT_EQ(test, 24, mtg_slots_events(&slots, MTG_SETTLED));
	KUNIT_EXPECT_EQ(test, 0, atomic_read(&slots.spill.nr_pages));
	KUNIT_EXPECT_TRUE(test, mtg_spill_balance(&slots.spill, GFP_KERNEL));
	KUNIT_EXPECT_EQ(test, 3, atomic_read(&slots.spill.nr_spare));
	for (block = FAKE_BLOCKS - 2; block < FAKE_BLOCKS; block++)
		KUNIT_EXPECT_EQ(test, UINT_MAX, mtg_pool_weight(&fake->pool, block));
	for (i = 0; i < 30; i++)
		expect_slot(test, i, 1300);
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
	KUNIT_EXPECT_EQ(test, FAKE_BLOCKS, fake->pool.share);
	KUNIT_EXPECT_EQ(test, 0, mtg_slots_shrink(&slots, 7));
	KUNIT_EXPECT_EQ(test, 7, fake->pool.share);
	KUNIT_EXPECT_LE(test, atomic_read(&fake->pool.nr_open), 7);
	KUNIT_EXPECT_EQ(test, -ENOSPC, store(0, 4096));
	KUNIT_EXPECT_EQ(test, 0, mtg_slots_shrink(&slots, FAKE_BLOCKS));
	KUNIT_EXPECT_EQ(test, 0, store(0, 4096));
	for (i = 1; i < 24; i += 2)
		expect_slot(test, i, 2000);
}

static void slot_table_grows(struct kunit *test)
{
	struct fake *fake = test->priv;
	static const unsigned int sizes[] = { NR_SLOTS + 1, 5 * NR_SLOTS / 2, 100000 };
	unsigned int i, n;

	for (n = 0; n < NR_SLOTS; n += 17)
		KUNIT_ASSERT_EQ(test, 0, store(n, 20 + n));
	for (i = 0; i < ARRAY_SIZE(sizes); i++) {
		u32 last = sizes[i] - 1;

		KUNIT_ASSERT_EQ(test, 0, mtg_slots_grow(&slots, sizes[i]));
		for (n = 0; n < NR_SLOTS; n += 17)
			expect_slot(test, n, 20 + n);
		KUNIT_EXPECT_EQ(test, 0, mtg_slot_load(&slots, last, got));
		KUNIT_ASSERT_EQ(test, 0, store(last, 700));
		/* Their objects move as those of the others. */
		take_block(fake, i);
		expect_slot(test, last, 700);
	}
	KUNIT_EXPECT_GT(test, mtg_slots_events(&slots, MTG_RELOCATED), 0);
	/* No such memory, and nothing has changed. */
	KUNIT_EXPECT_EQ(test, -ENOMEM, mtg_slots_grow(&slots, U32_MAX));
	KUNIT_EXPECT_EQ(test, 100000, slots.nr);
	for (n = 0; n < NR_SLOTS; n += 17)
		expect_slot(test, n, 20 + n);
}

static void slot_repairs_a_damaged_owner(struct kunit *test)
{
	struct fake *fake = test->priv;
	u32 granule;

	KUNIT_ASSERT_EQ(test, 0, store(7, 500));
	granule = mtg_pool_first_object(&fake->pool, 0);
	KUNIT_ASSERT_NE(test, MTG_NO_GRANULE, granule);
	mtg_pool_object(&fake->pool, granule)->owner = 0xdeadbeef;
	take_block(fake, granule >> fake->pool.block_shift);
	KUNIT_EXPECT_TRUE(test, slots.broken);
	expect_slot(test, 7, 500);
}

static unsigned int wakes;

static void count_wake(struct mtg_slots *slots)
{
	wakes++;
}

static unsigned int stop_len(u32 index)
{
	return index % 4 ? 1000 : MTG_SLOT_SIZE;
}

static void slot_stops_when_storage_is_damaged(struct kunit *test)
{
	struct fake *fake = test->priv;
	u64 pattern = 0;
	u32 i, granule;

	wakes = 0;
	slots.wake = count_wake;
	KUNIT_ASSERT_EQ(test, 0, store(1, 1000));
	granule = mtg_pool_first_object(&fake->pool, 0);
	KUNIT_ASSERT_NE(test, MTG_NO_GRANULE, granule);
	for (i = 0; i < 20; i++)
		KUNIT_ASSERT_EQ(test, 0, i == 1 ? 0 : store(i, stop_len(i)));
	mtg_slots_settle(&slots);
	KUNIT_EXPECT_EQ(test, 0, atomic_read(&slots.spill.nr_pages));
	KUNIT_EXPECT_EQ(test, 0, wakes);

	mtg_pool_object(&fake->pool, granule)->owner = NR_SLOTS;
	take_block(fake, granule >> fake->pool.block_shift);
	KUNIT_EXPECT_TRUE(test, slots.broken);
	KUNIT_EXPECT_GT(test, wakes, 0);

	/* No new data, patterns included; the old stays readable. */
	KUNIT_EXPECT_EQ(test, -EROFS, store(3, 500));
	KUNIT_EXPECT_EQ(test, -EROFS, store(100, 500));
	KUNIT_EXPECT_EQ(test, -EROFS, mtg_slot_store(&slots, 100, &pattern, 8));
	KUNIT_EXPECT_EQ(test, 0, mtg_slot_load(&slots, 100, got));

	/* All of it leaves tag storage, and does not come back. */
	mtg_slots_settle(&slots);
	mtg_slots_settle(&slots);
	KUNIT_EXPECT_EQ(test, 0, atomic64_read(&fake->pool.used_granules));
	KUNIT_EXPECT_EQ(test, 0, atomic_read(&fake->pool.nr_open));
	memset(fake->pool.base, 0xa5, FAKE_BLOCKS * 4096);
	for (i = 0; i < 20; i++)
		expect_slot(test, i, stop_len(i));
	KUNIT_EXPECT_TRUE(test, mtg_slot_free(&slots, 3));
	KUNIT_EXPECT_EQ(test, 0, mtg_slot_load(&slots, 3, got));
}

static struct kunit_case slot_cases[] = {
	KUNIT_CASE(slot_keeps_what_was_stored),
	KUNIT_CASE(slot_stores_patterns),
	KUNIT_CASE(slot_survives_evicting),
	KUNIT_CASE(slot_spills_when_all_is_taken),
	KUNIT_CASE(slot_climbs_down_the_rungs),
	KUNIT_CASE(slot_shrinks_or_changes_nothing),
	KUNIT_CASE(slot_table_grows),
	KUNIT_CASE(slot_repairs_a_damaged_owner),
	KUNIT_CASE(slot_stops_when_storage_is_damaged),
	{ }
};

static struct kunit_suite slot_suite = {
	.name = "mtetagram-slot",
	.init = slot_init,
	.exit = slot_exit,
	.test_cases = slot_cases,
};

kunit_test_suite(slot_suite);
