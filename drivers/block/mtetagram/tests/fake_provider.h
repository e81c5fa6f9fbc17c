/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Tag blocks that a test controls: the provider of a pool without a carve-out.
 */
#ifndef _MTETAGRAM_FAKE_PROVIDER_H
#define _MTETAGRAM_FAKE_PROVIDER_H

#include <kunit/test.h>
#include <linux/minmax.h>
#include <linux/vmalloc.h>

#include "../pool.h"

#define FAKE_BLOCKS	32

/**
 * struct fake - a small arena, and which of its blocks are in use
 * @pool: The pool in it.
 * @taken: Blocks that the pool cannot have.
 * @ours: Blocks that the pool has.
 * @nr_kept: The last blocks, so many, are kept for relocation.
 */
struct fake {
	struct mtg_pool pool;
	bool taken[FAKE_BLOCKS];
	bool ours[FAKE_BLOCKS];
	u32 nr_kept;
};

static bool fake_kept(void *ctx, u32 block)
{
	return block >= FAKE_BLOCKS - ((struct fake *)ctx)->nr_kept;
}

static u32 fake_next_kept(void *ctx, u32 from, u32 end)
{
	return max(from, FAKE_BLOCKS - ((struct fake *)ctx)->nr_kept);
}

static bool fake_get(void *ctx, u32 block, bool kept)
{
	struct fake *fake = ctx;

	if (fake_kept(ctx, block) != kept || fake->taken[block] || fake->ours[block])
		return false;
	fake->ours[block] = true;
	return true;
}

static bool fake_put(void *ctx, u32 block)
{
	struct fake *fake = ctx;
	bool ours = fake->ours[block];

	fake->ours[block] = false;
	return ours;
}

static bool fake_owned(void *ctx, u32 block)
{
	return ((struct fake *)ctx)->ours[block];
}

static u32 fake_next_free(void *ctx, u32 from, bool kept)
{
	struct fake *fake = ctx;

	while (from < FAKE_BLOCKS && (fake->taken[from] || fake->ours[from] ||
				      fake_kept(ctx, from) != kept))
		from++;
	return from;
}

static u32 fake_nr_free(void *ctx)
{
	u32 block, n = 0;

	for (block = fake_next_free(ctx, 0, false); block < FAKE_BLOCKS;
	     block = fake_next_free(ctx, block + 1, false))
		n++;
	return n;
}

static const struct mtg_provider fake_provider = {
	.get = fake_get,
	.put = fake_put,
	.owned = fake_owned,
	.next_kept = fake_next_kept,
	.next_free = fake_next_free,
	.nr_free = fake_nr_free,
};

static int fake_init(struct kunit *test, unsigned int block_size)
{
	struct fake *fake = kunit_kzalloc(test, sizeof(*fake), GFP_KERNEL);
	void *arena = vzalloc(FAKE_BLOCKS * block_size);

	KUNIT_ASSERT_NOT_NULL(test, fake);
	KUNIT_ASSERT_NOT_NULL(test, arena);
	test->priv = fake;
	return mtg_pool_init(&fake->pool, arena, FAKE_BLOCKS, block_size, &fake_provider,
			     fake);
}

static void fake_exit(struct kunit *test)
{
	struct fake *fake = test->priv;

	vfree(fake->pool.base);
	mtg_pool_destroy(&fake->pool);
}

#endif /* _MTETAGRAM_FAKE_PROVIDER_H */
