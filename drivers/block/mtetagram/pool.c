// SPDX-License-Identifier: GPL-2.0
/*
 * The pool's allocator: bitmaps of 64 byte granules, searched within groups.
 *
 * Each group is listed under the class of its longest free run, so an allocation
 * goes to the fullest group that surely has room (best fit), and the search costs
 * some words of bitmap. A group's class is computed anew whenever the group
 * changes; that is a walk over at most 1024 bits.
 *
 * A closed block takes no objects but may still hold some: while it is emptied,
 * its objects stay in the bitmaps until each has moved, and they may be freed as
 * usual. Closed blocks are masked out when a group is searched.
 *
 * Lock order: the owner's lock (slot.c) > group lock > tag block lock.
 */

#include <kunit/visibility.h>
#include <linux/bitmap.h>
#include <linux/bitops.h>
#include <linux/errno.h>
#include <linux/lockdep.h>
#include <linux/log2.h>
#include <linux/minmax.h>
#include <linux/slab.h>
#include <linux/smp.h>
#include <linux/string.h>

#include "pool.h"

/*
 * Groups that are opened and closed again in vain by one allocation. In user space
 * 32,768 of them took 15 ms, so this many take about 30 us.
 */
#define NEW_GROUP_TRIES	64

#define GROUP_BITS_MAX	(MTG_MAX_BLOCK_SIZE >> MTG_GRANULE_SHIFT)

static unsigned int group_bits(struct mtg_pool *pool)
{
	return 1U << pool->group_shift;
}

static u32 group_of(struct mtg_pool *pool, u32 granule)
{
	return granule >> pool->group_shift;
}

static u32 group_start(struct mtg_pool *pool, u32 group)
{
	return group << pool->group_shift;
}

static u32 first_block(struct mtg_pool *pool, u32 group)
{
	return group_start(pool, group) >> pool->block_shift;
}

static u32 end_block(struct mtg_pool *pool, u32 group)
{
	return min(first_block(pool, group + 1), pool->nr_blocks);
}

/* The group's used bits with all that is not in an open block set as well. */
static void group_map(struct mtg_pool *pool, u32 group, unsigned long *map)
{
	u32 block, base = group_start(pool, group);
	unsigned int bits = 1U << pool->block_shift;

	bitmap_fill(map, group_bits(pool));
	for (block = first_block(pool, group); block < end_block(pool, group); block++) {
		u32 start = mtg_pool_block_start(pool, block);

		if (test_bit(block, pool->open))
			bitmap_copy(map + (start - base) / BITS_PER_LONG,
				    pool->used + start / BITS_PER_LONG, bits);
	}
}

static unsigned int longest_run(const unsigned long *map, unsigned int bits)
{
	unsigned int start, end, longest = 0;

	for (start = find_first_zero_bit(map, bits); start < bits;
	     start = find_next_zero_bit(map, bits, end)) {
		end = find_next_bit(map, bits, start);
		longest = max(longest, end - start);
	}
	return longest;
}

/* List the group under the class of its longest free run. */
static void classify(struct mtg_pool *pool, u32 group)
{
	DECLARE_BITMAP(map, GROUP_BITS_MAX);
	struct mtg_group *g = &pool->groups[group];
	unsigned int class;

	lockdep_assert_held(&g->lock);

	group_map(pool, group, map);
	class = min(longest_run(map, group_bits(pool)) / MTG_CLASS_STEP,
		    MTG_CLASSES - 1U);
	if (class == g->class)
		return;
	clear_bit(group, pool->by_class[g->class]);
	atomic_dec(&pool->nr_in_class[g->class]);
	set_bit(group, pool->by_class[class]);
	atomic_inc(&pool->nr_in_class[class]);
	g->class = class;
}

static void open_block(struct mtg_pool *pool, u32 block)
{
	/* Atomic: the word is shared with blocks of other groups. */
	set_bit(block, pool->open);
	atomic_inc(&pool->nr_open);
}

static void note_maximum(struct mtg_pool *pool)
{
	int nr = atomic_read(&pool->nr_open);
	int max = atomic_read(&pool->max_open);

	while (nr > max && !atomic_try_cmpxchg(&pool->max_open, &max, nr))
		;
}

static void close_block(struct mtg_pool *pool, u32 block)
{
	clear_bit(block, pool->open);
	atomic_dec(&pool->nr_open);
}

static bool block_empty(struct mtg_pool *pool, u32 block)
{
	u32 start = mtg_pool_block_start(pool, block);
	u32 end = mtg_pool_block_start(pool, block + 1);

	return find_next_bit(pool->used, end, start) >= end;
}

/* Give back the open blocks of the group that hold nothing. */
static void trim(struct mtg_pool *pool, u32 group)
{
	u32 block;

	for (block = first_block(pool, group); block < end_block(pool, group); block++)
		if (test_bit(block, pool->open) && block_empty(pool, block)) {
			close_block(pool, block);
			pool->provider->put(pool->ctx, block);
		}
}

static void mark_used(struct mtg_pool *pool, u32 granule, unsigned int n, u32 owner)
{
	bitmap_set(pool->used, granule, n);
	__set_bit(granule, pool->start);
	atomic64_add(n, &pool->used_granules);
	/* Under the lock: whoever sees the start bit may read the owner. */
	mtg_pool_object(pool, granule)->owner = owner;
}

static void mark_free(struct mtg_pool *pool, u32 granule, unsigned int n)
{
	__clear_bit(granule, pool->start);
	bitmap_clear(pool->used, granule, n);
	atomic64_sub(n, &pool->used_granules);
}

/* Allocate in the group, which is locked; false if no run is long enough. */
static bool alloc_in_group(struct mtg_pool *pool, u32 group, unsigned int n,
			   u32 owner, u32 *granule)
{
	DECLARE_BITMAP(map, GROUP_BITS_MAX);
	unsigned long offset;

	group_map(pool, group, map);
	offset = bitmap_find_next_zero_area(map, group_bits(pool), 0, n, 0);
	if (offset >= group_bits(pool))
		return false;
	*granule = group_start(pool, group) + offset;
	mark_used(pool, *granule, n, owner);
	return true;
}

static bool try_group(struct mtg_pool *pool, u32 group, unsigned int n, u32 owner,
		      u32 *granule)
{
	struct mtg_group *g = &pool->groups[group];
	bool ok;

	raw_spin_lock(&g->lock);
	ok = alloc_in_group(pool, group, n, owner, granule);
	if (ok)
		classify(pool, group);
	raw_spin_unlock(&g->lock);
	return ok;
}

/* CPUs begin their search at different places, to meet seldom. */
static u32 search_start(struct mtg_pool *pool)
{
	return (u64)raw_smp_processor_id() * pool->nr_groups / nr_cpu_ids;
}

/* Try the groups listed under @class, at most @tries of them. */
static bool try_class(struct mtg_pool *pool, unsigned int class, unsigned int tries,
		      unsigned int n, u32 owner, u32 *granule)
{
	u32 start = search_start(pool), group;

	if (!atomic_read(&pool->nr_in_class[class]))
		return false;
	for_each_set_bit_wrap(group, pool->by_class[class], pool->nr_groups, start) {
		if (try_group(pool, group, n, owner, granule))
			return true;
		if (!--tries)
			break;
	}
	return false;
}

static bool alloc_in_open(struct mtg_pool *pool, unsigned int n, u32 owner,
			  u32 *granule)
{
	unsigned int class;

	for (class = DIV_ROUND_UP(n, MTG_CLASS_STEP); class < MTG_CLASSES; class++)
		if (try_class(pool, class, UINT_MAX, n, owner, granule))
			return true;
	/* Some groups of the class below have runs that are just long enough. */
	return try_class(pool, n / MTG_CLASS_STEP, 16, n, owner, granule);
}

/* May one more block be opened? -EDQUOT: forbidden by mem_limit. */
static int may_open(struct mtg_pool *pool, enum mtg_alloc_mode mode)
{
	u32 nr_open = atomic_read(&pool->nr_open);

	if (mode == MTG_MOVE || mode == MTG_KEPT)
		return 0;
	if (mode == MTG_SHRINK || nr_open >= READ_ONCE(pool->limit) ||
	    pool->provider->nr_free(pool->ctx) <= pool->headroom)
		return -ENOSPC;
	return nr_open >= READ_ONCE(pool->mem_limit) ? -EDQUOT : 0;
}

/* Open all free blocks of the group that the limits allow, then allocate. */
static int open_and_alloc(struct mtg_pool *pool, u32 group, unsigned int n,
			  u32 owner, enum mtg_alloc_mode mode, u32 *granule)
{
	struct mtg_group *g = &pool->groups[group];
	int ret = -ENOSPC;
	u32 block;

	raw_spin_lock(&g->lock);
	for (block = first_block(pool, group); block < end_block(pool, group); block++) {
		if (test_bit(block, pool->open))
			continue;
		ret = may_open(pool, mode);
		if (ret)
			break;
		if (pool->provider->get(pool->ctx, block, mode == MTG_KEPT))
			open_block(pool, block);
	}
	if (alloc_in_group(pool, group, n, owner, granule))
		ret = 0;
	else
		ret = ret ?: -ENOSPC;
	trim(pool, group);
	note_maximum(pool);
	classify(pool, group);
	raw_spin_unlock(&g->lock);
	return ret;
}

/*
 * Objects that are larger than a block need neighbours that are free. Where few
 * are left, the search must end all the same: callers may have preemption off. It
 * goes on next time where it ended.
 */
static int alloc_in_new(struct mtg_pool *pool, unsigned int n, u32 owner,
			enum mtg_alloc_mode mode, u32 *granule)
{
	int ret = may_open(pool, mode);
	u32 block, group, next = n > 1U << pool->block_shift ? READ_ONCE(pool->cursor) : 0;
	unsigned int tries = NEW_GROUP_TRIES;

	if (ret)
		return ret;
	ret = -ENOSPC;
	while (tries--) {
		block = pool->provider->next_free(pool->ctx, next, mode == MTG_KEPT);
		if (block >= pool->nr_blocks) {
			WRITE_ONCE(pool->cursor, 0);
			return ret;
		}
		group = group_of(pool, mtg_pool_block_start(pool, block));
		ret = open_and_alloc(pool, group, n, owner, mode, granule);
		if (ret != -ENOSPC)
			return ret;
		next = first_block(pool, group + 1);
	}
	WRITE_ONCE(pool->cursor, next);
	return ret;
}

/**
 * mtg_pool_alloc() - allocate an object
 * @pool: The pool.
 * @len: Bytes of payload, at most a page.
 * @owner: Number that is stored with the object.
 * @mode: What for; decides which blocks may be opened.
 * @granule: Where to put the object's first granule.
 *
 * Context: Atomic or not; takes group locks, allocates nothing, never sleeps.
 * Return: 0; -ENOSPC if no place was found; -EDQUOT if mem_limit forbids to use
 *         more blocks.
 */
int mtg_pool_alloc(struct mtg_pool *pool, unsigned int len, u32 owner,
		   enum mtg_alloc_mode mode, u32 *granule)
{
	unsigned int n = mtg_granules(len);

	if (alloc_in_open(pool, n, owner, granule))
		return 0;
	return alloc_in_new(pool, n, owner, mode, granule);
}
EXPORT_SYMBOL_IF_KUNIT(mtg_pool_alloc);

/**
 * mtg_pool_realloc() - replace an object by one of another length near by
 * @pool: The pool.
 * @old: The object to be replaced; its payload is lost if this succeeds.
 * @old_len: Its bytes of payload.
 * @len: Bytes of payload of the new object.
 * @owner: Number that is stored with the new object.
 * @granule: Where to put the new object's first granule.
 *
 * For a full pool: the old object's own granules and what is free around them
 * can be used. The old object stays as it is if that is not enough.
 *
 * Context: Like mtg_pool_alloc(). The caller holds the owner's lock.
 * Return: True if the new object is there, and the old one gone.
 */
bool mtg_pool_realloc(struct mtg_pool *pool, u32 old, unsigned int old_len,
		      unsigned int len, u32 owner, u32 *granule)
{
	u32 group = group_of(pool, old);
	struct mtg_group *g = &pool->groups[group];
	bool ok;

	raw_spin_lock(&g->lock);
	mark_free(pool, old, mtg_granules(old_len));
	ok = alloc_in_group(pool, group, mtg_granules(len), owner, granule);
	if (ok)
		trim(pool, group);
	else
		mark_used(pool, old, mtg_granules(old_len), owner);
	classify(pool, group);
	raw_spin_unlock(&g->lock);
	return ok;
}
EXPORT_SYMBOL_IF_KUNIT(mtg_pool_realloc);

/**
 * mtg_pool_free() - free an object
 * @pool: The pool.
 * @granule: Its first granule.
 * @len: Its bytes of payload.
 *
 * Blocks that become empty are given back.
 *
 * Context: Atomic or not. The caller holds the owner's lock.
 */
void mtg_pool_free(struct mtg_pool *pool, u32 granule, unsigned int len)
{
	u32 group = group_of(pool, granule);
	struct mtg_group *g = &pool->groups[group];

	raw_spin_lock(&g->lock);
	mark_free(pool, granule, mtg_granules(len));
	trim(pool, group);
	classify(pool, group);
	raw_spin_unlock(&g->lock);
}
EXPORT_SYMBOL_IF_KUNIT(mtg_pool_free);

/**
 * mtg_pool_close() - let a block take no more objects
 * @pool: The pool.
 * @block: The block. Nothing happens if it is not open.
 *
 * The objects in the block stay until they are moved or freed. The block is not
 * given back to the provider: either that takes it, or mtg_pool_reopen().
 *
 * Context: Atomic or not.
 */
void mtg_pool_close(struct mtg_pool *pool, u32 block)
{
	u32 group = group_of(pool, mtg_pool_block_start(pool, block));
	struct mtg_group *g = &pool->groups[group];

	raw_spin_lock(&g->lock);
	if (test_bit(block, pool->open)) {
		close_block(pool, block);
		classify(pool, group);
	}
	raw_spin_unlock(&g->lock);
}
EXPORT_SYMBOL_IF_KUNIT(mtg_pool_close);

/**
 * mtg_pool_open() - let a closed block take objects again
 * @pool: The pool.
 * @block: A block that mtg_pool_close() has closed, and that is ours as long as
 *	this runs.
 *
 * Context: Atomic or not.
 */
void mtg_pool_open(struct mtg_pool *pool, u32 block)
{
	u32 group = group_of(pool, mtg_pool_block_start(pool, block));
	struct mtg_group *g = &pool->groups[group];

	raw_spin_lock(&g->lock);
	open_block(pool, block);
	classify(pool, group);
	raw_spin_unlock(&g->lock);
}
EXPORT_SYMBOL_IF_KUNIT(mtg_pool_open);

/**
 * mtg_pool_reopen() - end the emptying of a closed block
 * @pool: The pool.
 * @block: A block that mtg_pool_close() has closed and that was ours then.
 *
 * Gives the block back to the provider if it has become empty, else opens it
 * again, unless the provider has taken it for itself meanwhile.
 *
 * Context: Atomic or not.
 * Return: True if the block was given back or taken.
 */
bool mtg_pool_reopen(struct mtg_pool *pool, u32 block)
{
	u32 group = group_of(pool, mtg_pool_block_start(pool, block));
	struct mtg_group *g = &pool->groups[group];
	bool gone = true;

	raw_spin_lock(&g->lock);
	if (test_bit(block, pool->open)) {
		/* Taken for tags, released, and opened again by somebody else. */
		gone = false;
	} else if (block_empty(pool, block)) {
		pool->provider->put(pool->ctx, block);
	} else if (pool->provider->owned(pool->ctx, block)) {
		/* Who takes it from now on will close it after we unlock. */
		open_block(pool, block);
		classify(pool, group);
		gone = false;
	}
	raw_spin_unlock(&g->lock);
	return gone;
}
EXPORT_SYMBOL_IF_KUNIT(mtg_pool_reopen);

/**
 * mtg_pool_block_weight() - how full is an open block?
 * @pool: The pool.
 * @block: The block.
 *
 * Context: Atomic or not.
 * Return: Number of granules in use; 0 if the block is not open.
 */
unsigned int mtg_pool_block_weight(struct mtg_pool *pool, u32 block)
{
	u32 start = mtg_pool_block_start(pool, block);
	struct mtg_group *g = &pool->groups[group_of(pool, start)];
	unsigned int weight = 0;

	raw_spin_lock(&g->lock);
	if (test_bit(block, pool->open))
		weight = bitmap_weight(pool->used + start / BITS_PER_LONG,
				       1U << pool->block_shift);
	raw_spin_unlock(&g->lock);
	return weight;
}
EXPORT_SYMBOL_IF_KUNIT(mtg_pool_block_weight);

/* First object at or after @from that begins before @end. */
static u32 find_object(struct mtg_pool *pool, u32 from, u32 end)
{
	struct mtg_group *g = &pool->groups[group_of(pool, end - 1)];
	u32 granule;

	raw_spin_lock(&g->lock);
	granule = find_next_bit(pool->start, end, from);
	raw_spin_unlock(&g->lock);
	return granule < end ? granule : MTG_NO_GRANULE;
}

/**
 * mtg_pool_first_object() - begin a walk over the objects that touch a block
 * @pool: The pool.
 * @block: The block, which should be closed, or the walk may miss new objects.
 *
 * Context: Atomic or not.
 * Return: The object, or MTG_NO_GRANULE. The first one may begin before the
 *	   block, and may end before it: the pool does not know the lengths.
 */
u32 mtg_pool_first_object(struct mtg_pool *pool, u32 block)
{
	u32 start = mtg_pool_block_start(pool, block);
	u32 group = group_of(pool, start);
	u32 base = group_start(pool, group), before;

	raw_spin_lock(&pool->groups[group].lock);
	before = base + find_last_bit(pool->start + base / BITS_PER_LONG, start - base);
	raw_spin_unlock(&pool->groups[group].lock);

	/* find_last_bit() returns its size if there is none. */
	return before < start ? before :
	       find_object(pool, start, mtg_pool_block_start(pool, block + 1));
}
EXPORT_SYMBOL_IF_KUNIT(mtg_pool_first_object);

/**
 * mtg_pool_next_object() - continue a walk over the objects that touch a block
 * @pool: The pool.
 * @block: The block.
 * @granule: The object where the walk is now; may be gone meanwhile.
 *
 * Context: Atomic or not.
 * Return: The next object that begins in the block, or MTG_NO_GRANULE.
 */
u32 mtg_pool_next_object(struct mtg_pool *pool, u32 block, u32 granule)
{
	u32 start = mtg_pool_block_start(pool, block);

	return find_object(pool, max(granule + 1, start),
			   mtg_pool_block_start(pool, block + 1));
}
EXPORT_SYMBOL_IF_KUNIT(mtg_pool_next_object);

/**
 * mtg_pool_owner() - whose is the object?
 * @pool: The pool.
 * @granule: Where an object may begin.
 * @owner: Where to put the number that is stored with the object.
 *
 * Context: Atomic or not.
 * Return: False if no object begins there.
 */
bool mtg_pool_owner(struct mtg_pool *pool, u32 granule, u32 *owner)
{
	struct mtg_group *g = &pool->groups[group_of(pool, granule)];
	bool found;

	raw_spin_lock(&g->lock);
	found = test_bit(granule, pool->start);
	if (found)
		*owner = mtg_pool_object(pool, granule)->owner;
	raw_spin_unlock(&g->lock);
	return found;
}
EXPORT_SYMBOL_IF_KUNIT(mtg_pool_owner);

/**
 * mtg_pool_metadata_size() - ordinary memory that the pool needs for itself
 * @pool: The pool.
 *
 * Context: Any.
 * Return: Bytes.
 */
size_t mtg_pool_metadata_size(struct mtg_pool *pool)
{
	size_t granules = (size_t)pool->nr_groups << pool->group_shift;
	size_t bits = 2 * granules + pool->nr_blocks +
		      (size_t)MTG_CLASSES * pool->nr_groups;

	return bits / BITS_PER_BYTE + pool->nr_groups * sizeof(struct mtg_group);
}
EXPORT_SYMBOL_IF_KUNIT(mtg_pool_metadata_size);

static int alloc_maps(struct mtg_pool *pool)
{
	size_t words = ((size_t)pool->nr_groups << pool->group_shift) / BITS_PER_LONG;
	size_t group_words = BITS_TO_LONGS(pool->nr_groups);
	unsigned int i;

	pool->groups = kvcalloc(pool->nr_groups, sizeof(*pool->groups), GFP_KERNEL);
	pool->used = kvcalloc(words, sizeof(long), GFP_KERNEL);
	pool->start = kvcalloc(words, sizeof(long), GFP_KERNEL);
	pool->open = kvcalloc(BITS_TO_LONGS(pool->nr_blocks), sizeof(long), GFP_KERNEL);
	if (!pool->groups || !pool->used || !pool->start || !pool->open)
		return -ENOMEM;
	for (i = 0; i < MTG_CLASSES; i++) {
		pool->by_class[i] = kvcalloc(group_words, sizeof(long), GFP_KERNEL);
		if (!pool->by_class[i])
			return -ENOMEM;
	}
	return 0;
}

/**
 * mtg_pool_init() - set up an empty pool
 * @pool: The pool, zeroed.
 * @base: Mapping of the arena.
 * @nr_blocks: Number of blocks in the arena.
 * @block_size: Bytes in a block: a power of two from 4 KiB to 64 KiB.
 * @provider: Where blocks come from.
 * @ctx: First argument of the provider's functions.
 *
 * Context: Process context, may sleep.
 * Return: 0, -EINVAL for an unsupported geometry, or -ENOMEM.
 */
int mtg_pool_init(struct mtg_pool *pool, void *base, u32 nr_blocks,
		  unsigned int block_size, const struct mtg_provider *provider,
		  void *ctx)
{
	unsigned int group_size = max_t(unsigned int, block_size, MTG_GROUP_SIZE);
	u32 i;

	if (!is_power_of_2(block_size) || block_size < 4096 ||
	    block_size > MTG_MAX_BLOCK_SIZE || !nr_blocks ||
	    (u64)nr_blocks * block_size >> MTG_GRANULE_SHIFT >= MTG_NO_GRANULE)
		return -EINVAL;

	pool->base = base;
	pool->provider = provider;
	pool->ctx = ctx;
	pool->nr_blocks = nr_blocks;
	pool->block_shift = ilog2(block_size) - MTG_GRANULE_SHIFT;
	pool->group_shift = ilog2(group_size) - MTG_GRANULE_SHIFT;
	pool->nr_groups = DIV_ROUND_UP((u64)nr_blocks * block_size, group_size);
	pool->limit = nr_blocks;
	pool->mem_limit = U32_MAX;
	if (alloc_maps(pool)) {
		mtg_pool_destroy(pool);
		return -ENOMEM;
	}
	for (i = 0; i < pool->nr_groups; i++)
		raw_spin_lock_init(&pool->groups[i].lock);
	/* No block is open, so no group has room: class 0. */
	bitmap_set(pool->by_class[0], 0, pool->nr_groups);
	atomic_set(&pool->nr_in_class[0], pool->nr_groups);
	return 0;
}
EXPORT_SYMBOL_IF_KUNIT(mtg_pool_init);

/**
 * mtg_pool_destroy() - free a pool's memory
 * @pool: The pool, without objects; may be half set up.
 *
 * Context: Process context, may sleep.
 */
void mtg_pool_destroy(struct mtg_pool *pool)
{
	unsigned int i;

	kvfree(pool->groups);
	kvfree(pool->used);
	kvfree(pool->start);
	kvfree(pool->open);
	for (i = 0; i < MTG_CLASSES; i++)
		kvfree(pool->by_class[i]);
	/* Set-up may be tried again. */
	memset(pool, 0, sizeof(*pool));
}
EXPORT_SYMBOL_IF_KUNIT(mtg_pool_destroy);
