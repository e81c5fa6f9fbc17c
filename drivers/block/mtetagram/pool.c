// SPDX-License-Identifier: GPL-2.0
/*
 * The pool's allocator: bitmaps of 32 byte granules, searched within groups.
 *
 * Each group is listed under the class of its longest free run. So an allocation goes to the
 * fullest group that surely has room (best fit). A carve-out of 32 GiB has a million groups and
 * eight million blocks, so neither the lists nor the free blocks are ever searched from one end
 * to the other: see map.h. When a group changes, its class is computed anew, by a walk over at
 * most 2048 bits.
 *
 * A closed block takes no objects, but it may still hold some. While it is evicted, its objects
 * stay in the bitmaps until each has moved, and they may be freed as usual. Closed blocks are
 * masked out when a group is searched.
 *
 * Lock order: the owner's lock (slot.c) > group lock > tag block lock.
 */

#include <kunit/visibility.h>
#include <linux/align.h>
#include <linux/bitmap.h>
#include <linux/bitops.h>
#include <linux/build_bug.h>
#include <linux/errno.h>
#include <linux/lockdep.h>
#include <linux/log2.h>
#include <linux/minmax.h>
#include <linux/sched.h>
#include <linux/slab.h>
#include <linux/smp.h>
#include <linux/string.h>

#include "pool.h"

/*
 * Number of groups that one allocation looks at in vain. That happens only if other CPUs
 * allocate at the same time. It is bounded because callers may have preemption disabled.
 */
#define LIST_TRIES	64

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

static struct mtg_group *group_of_block(struct mtg_pool *pool, u32 block)
{
	return &pool->groups[group_of(pool, mtg_pool_block_start(pool, block))];
}

/* The block's bit in &mtg_group.open. */
static unsigned int open_bit(struct mtg_pool *pool, u32 block)
{
	return 1U << (block & ((1U << (pool->group_shift - pool->block_shift)) - 1));
}

static bool is_open(struct mtg_pool *pool, u32 block)
{
	return group_of_block(pool, block)->open & open_bit(pool, block);
}

/**
 * struct scan - the free runs of a group
 * @fit: Where the shortest run begins that is long enough.
 * @fit_len: Length of that run; UINT_MAX if there is none.
 * @longest: Length of the longest run.
 * @second: Length of the second longest.
 * @start: Where the run begins whose end was not found yet; UINT_MAX if there is none.
 * @runs: Number of runs that were looked at.
 */
struct scan {
	unsigned int fit;
	unsigned int fit_len;
	unsigned int longest;
	unsigned int second;
	unsigned int start;
	unsigned int runs;
};

/*
 * Look at the run from scan->start to @end. A run of at least @n granules is wanted. The longest
 * run of the group has @longest granules; UINT_MAX if that is not known.
 *
 * Returns true if the rest of the group makes no difference. No run fits better than one of @n
 * granules; and that run is not the longest one, or another run is as long.
 */
static __always_inline bool scan_run(struct scan *scan, unsigned int end, unsigned int n,
				     unsigned int longest, bool counted)
{
	unsigned int len = end - scan->start, start = scan->start;

	scan->start = UINT_MAX;
	if (counted)
		scan->runs++;
	if (len >= n && len < scan->fit_len) {
		scan->fit = start;
		scan->fit_len = len;
		if (len == n && n < longest && longest != UINT_MAX) {
			scan->longest = longest;
			return true;
		}
	}
	if (len > scan->longest) {
		scan->second = scan->longest;
		scan->longest = len;
	} else if (len > scan->second) {
		scan->second = len;
		return len == longest && len == n;
	}
	return false;
}

/*
 * Look at the granules [bit, end), all in open blocks. The speed of allocations depends on this
 * function. Returns the same as scan_run().
 */
static __always_inline bool scan_words(struct scan *scan, const unsigned long *used,
				       unsigned int bit, unsigned int end, unsigned int n,
				       unsigned int longest, bool counted)
{
	unsigned long word, edges, last = scan->start == UINT_MAX ? ~0UL : 0;

	for (used += bit / BITS_PER_LONG; bit < end; bit += BITS_PER_LONG) {
		word = *used++;
		/* The bits that differ from those before them. */
		edges = word ^ (word << 1 | last >> (BITS_PER_LONG - 1));
		last = word;
		for (; edges; edges &= edges - 1) {
			if (scan->start == UINT_MAX) {
				scan->start = bit + __ffs(edges);
				edges &= edges - 1;
				if (!edges)
					break;
			}
			if (scan_run(scan, bit + __ffs(edges), n, longest, counted))
				return true;
		}
	}
	return false;
}

/*
 * Look at all free runs of the group, which is locked, for @n granules. Only granules in open
 * blocks are free. The longest run has @longest granules; UINT_MAX if that is not known. To
 * count the runs costs one instruction for each run: see @counted.
 */
static __always_inline struct scan scan_blocks(struct mtg_pool *pool, u32 group,
					       unsigned int n, unsigned int longest,
					       bool counted)
{
	const unsigned long *used = pool->used + group_start(pool, group) / BITS_PER_LONG;
	unsigned int bit, bits = group_bits(pool), step = 1U << pool->block_shift;
	unsigned int open = pool->groups[group].open;
	struct scan scan = { .fit_len = UINT_MAX, .start = UINT_MAX };

	/* Most groups have no closed block. */
	if (open == pool->all_open) {
		scan_words(&scan, used, 0, bits, n, longest, counted);
	} else {
		for (bit = 0; bit < bits; bit += step, open >>= 1) {
			if (open & 1) {
				if (scan_words(&scan, used, bit, bit + step, n, longest,
					       counted))
					break;
			} else if (scan.start != UINT_MAX) {
				if (scan_run(&scan, bit, n, longest, counted))
					break;
			}
		}
	}
	if (scan.start != UINT_MAX)
		scan_run(&scan, bits, n, longest, counted);
	return scan;
}

static noinline struct scan scan_group(struct mtg_pool *pool, u32 group, unsigned int n,
				       unsigned int longest)
{
	return scan_blocks(pool, group, n, longest, false);
}

static noinline struct scan scan_group_counted(struct mtg_pool *pool, u32 group,
					       unsigned int n, unsigned int longest)
{
	return scan_blocks(pool, group, n, longest, true);
}

static unsigned int class_of(unsigned int longest)
{
	return min(longest, MTG_CLASSES - 1U);
}

/* The group's bit in &mtg_pool.listed. */
static u32 listing(struct mtg_pool *pool, unsigned int class, u32 group)
{
	return (class - 1) * pool->class_stride + group;
}

/* List the group, which is locked, under the class of its longest free run. */
static void classify(struct mtg_pool *pool, u32 group, unsigned int longest)
{
	struct mtg_group *g = &pool->groups[group];
	unsigned int old = class_of(g->longest), new = class_of(longest);

	lockdep_assert_held(&g->lock);

	/* Pairs with the READ_ONCE() in alloc_in_open(). */
	WRITE_ONCE(g->longest, longest);
	if (new == old)
		return;
	/* In this order, so that a search always finds the group in one of the two classes. */
	if (new)
		mtg_map_set(&pool->listed, listing(pool, new, group));
	if (old)
		mtg_map_clear(&pool->listed, listing(pool, old, group));
}

static void classify_anew(struct mtg_pool *pool, u32 group)
{
	classify(pool, group, pool->groups[group].open ?
			      scan_group(pool, group, 0, UINT_MAX).longest : 0);
}

static void open_block(struct mtg_pool *pool, u32 block)
{
	struct mtg_group *g = group_of_block(pool, block);

	lockdep_assert_held(&g->lock);

	/* Pairs with the READ_ONCE() in mtg_pool_used_in(). */
	WRITE_ONCE(g->open, g->open | open_bit(pool, block));
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
	struct mtg_group *g = group_of_block(pool, block);

	lockdep_assert_held(&g->lock);

	WRITE_ONCE(g->open, g->open & ~open_bit(pool, block));
	atomic_dec(&pool->nr_open);
}

static void put_block(struct mtg_pool *pool, u32 block)
{
	close_block(pool, block);
	pool->provider->put(pool->ctx, block);
}

/* Is the block empty? A block that is not usually has a bit in its first word. */
static bool block_empty(struct mtg_pool *pool, u32 block)
{
	u32 start = mtg_pool_block_start(pool, block);
	const unsigned long *word = pool->used + start / BITS_PER_LONG;
	const unsigned long *end = word + (1U << pool->block_shift) / BITS_PER_LONG;

	for (; word < end; word++)
		if (*word)
			return false;
	return true;
}

/*
 * Give back the blocks in [@block, @end) that are open and empty. Returns true if there was one:
 * then the group must be classified anew.
 */
static __always_inline bool trim(struct mtg_pool *pool, u32 block, u32 end)
{
	bool any = false;

	for (; block < end; block++)
		if (is_open(pool, block) && block_empty(pool, block)) {
			put_block(pool, block);
			any = true;
		}
	return any;
}

/**
 * struct run - a longest possible run of free granules: [@start, @end)
 * @start: The first granule of the run.
 * @end: The first granule behind the run.
 */
struct run {
	u32 start;
	u32 end;
};

/* The first block that lies in the run as a whole, if there is one. */
static u32 first_whole_block(struct mtg_pool *pool, struct run run)
{
	return (run.start + (1U << pool->block_shift) - 1) >> pool->block_shift;
}

static u32 end_of_whole_blocks(struct mtg_pool *pool, struct run run)
{
	return run.end >> pool->block_shift;
}

/* The run around @granule, which is free, in the words [@low, @high). */
static __always_inline struct run run_around(struct mtg_pool *pool, u32 granule,
					     const unsigned long *low,
					     const unsigned long *high)
{
	const unsigned long *word = pool->used + granule / BITS_PER_LONG, *first, *last;
	unsigned long edge = ~0UL << granule % BITS_PER_LONG, before, after;

	before = *word & ~edge;
	for (first = word; !before && first > low;)
		before = *--first;
	after = *word & edge;
	for (last = word; !after && ++last < high;)
		after = *last;
	return (struct run) {
		.start = (first - pool->used) * BITS_PER_LONG +
			 (before ? __fls(before) + 1 : 0),
		.end = (last - pool->used) * BITS_PER_LONG + (after ? __ffs(after) : 0),
	};
}

static __always_inline struct run run_in_group(struct mtg_pool *pool, u32 group,
					       u32 granule)
{
	const unsigned long *low = pool->used + group_start(pool, group) / BITS_PER_LONG;

	return run_around(pool, granule, low, low + group_bits(pool) / BITS_PER_LONG);
}

/*
 * The run around the @n granules at @granule, which are free, in a group with closed blocks.
 * Granules in a closed block are part of no run. The @n granules are in one block, or in two
 * neighbouring ones.
 */
static noinline struct run run_in_open(struct mtg_pool *pool, u32 group, u32 granule,
				       unsigned int n)
{
	unsigned int closed = pool->groups[group].open ^ pool->all_open;
	unsigned int words = (1U << pool->block_shift) / BITS_PER_LONG;
	u32 first = first_block(pool, group), block = granule >> pool->block_shift;
	const unsigned long *low = pool->used + group_start(pool, group) / BITS_PER_LONG;
	const unsigned long *high = low + group_bits(pool) / BITS_PER_LONG;

	if (closed & open_bit(pool, block)) {
		block = (granule + n - 1) >> pool->block_shift;
		if (closed & open_bit(pool, block))
			return (struct run) {};
		granule = mtg_pool_block_start(pool, block);
	}
	/* From the end of the last closed block before them to the next closed block. */
	block -= first;
	if (closed >> block)
		high = low + (block + __ffs(closed >> block)) * words;
	low += fls(closed & ((1U << block) - 1)) * words;
	return run_around(pool, granule, low, high);
}

/*
 * Give back the blocks that lie in @run, after @n granules at @granule became free. Not inline,
 * so that the usual way to free an object needs fewer registers.
 */
static noinline void give_back(struct mtg_pool *pool, u32 group, struct run run,
			       u32 granule, unsigned int n)
{
	u32 block = first_whole_block(pool, run), end = end_of_whole_blocks(pool, run);
	unsigned int left = max(mtg_pool_block_start(pool, block) - run.start,
				run.end - mtg_pool_block_start(pool, end));
	unsigned int was = max(granule - min(granule, run.start),
			       run.end - min(run.end, granule + n));
	unsigned int longest = pool->groups[group].longest;

	for (; block < end; block++)
		put_block(pool, block);
	/* Was the longest run another one, or is the rest of this run the longest one now? */
	if (longest > was || longest <= left)
		classify(pool, group, max(longest, left));
	else
		classify_anew(pool, group);
}

/* List the group anew, after @n granules at @granule in @run became free. */
static __always_inline void settle_freed(struct mtg_pool *pool, u32 group, struct run run,
					 u32 granule, unsigned int n)
{
	unsigned int len = run.end - run.start;

	/* Most runs are shorter than a block. */
	if (unlikely(len >> pool->block_shift) &&
	    first_whole_block(pool, run) < end_of_whole_blocks(pool, run))
		give_back(pool, group, run, granule, n);
	else if (len > pool->groups[group].longest)
		classify(pool, group, len);
}

/* Flip bits: bitmap_set() and bitmap_clear() for the few words of an object. */
static __always_inline void flip_granules(unsigned long *map, u32 granule, unsigned int n)
{
	unsigned long *word = map + granule / BITS_PER_LONG;
	unsigned int end = granule % BITS_PER_LONG + n;
	unsigned long mask = ~0UL << granule % BITS_PER_LONG;

	for (; end > BITS_PER_LONG; end -= BITS_PER_LONG, mask = ~0UL)
		*word++ ^= mask;
	*word ^= mask & ~0UL >> (BITS_PER_LONG - end);
}

static __always_inline void count_used(struct mtg_pool *pool, struct mtg_group *g, int n)
{
	lockdep_assert_held(&g->lock);

	/* Pairs with the READ_ONCE() in mtg_pool_used_in(). */
	WRITE_ONCE(g->used, g->used + n);
	atomic64_add(n, &pool->used_granules);
}

static __always_inline void mark_used(struct mtg_pool *pool, struct mtg_group *g,
				      u32 granule, unsigned int len, u32 owner)
{
	unsigned int n = mtg_granules(len);

	flip_granules(pool->used, granule, n);
	__set_bit(granule, pool->start);
	count_used(pool, g, n);
	/* Under the group's lock: a CPU that sees the start bit may read the owner. */
	if (len == MTG_RAW_LEN)
		pool->raw_owner[granule / MTG_RAW_GRANULES] = owner + 1;
	else
		mtg_pool_object(pool, granule)->owner = owner;
}

static __always_inline void mark_free(struct mtg_pool *pool, struct mtg_group *g,
				      u32 granule, unsigned int len)
{
	int n = mtg_granules(len);

	__clear_bit(granule, pool->start);
	flip_granules(pool->used, granule, n);
	count_used(pool, g, -n);
	if (len == MTG_RAW_LEN)
		pool->raw_owner[granule / MTG_RAW_GRANULES] = 0;
}

/*
 * Is the object at @granule a raw page? No other object begins between a raw page and the end
 * of its MTG_RAW_LEN bytes, see &mtg_pool.raw_owner.
 */
static bool is_raw(struct mtg_pool *pool, u32 granule)
{
	u32 unit = granule / MTG_RAW_GRANULES, end = (unit + 1) * MTG_RAW_GRANULES;

	return pool->raw_owner[unit] &&
	       find_next_bit(pool->start, end, granule + 1) >= end;
}

/**
 * struct request - an object that is to be allocated
 * @len: Bytes of payload.
 * @owner: Number that is stored with the object.
 * @mode: What the object is allocated for.
 * @counted: The free runs that are looked at must be counted.
 * @granule: The object's first granule, when it was allocated.
 * @runs: Number of free runs that were looked at, if @counted.
 */
struct request {
	unsigned int len;
	u32 owner;
	enum mtg_alloc_mode mode;
	bool counted;
	u32 granule;
	unsigned int runs;
};

/*
 * Allocate in the group, which is locked. The longest run of the group has @longest granules;
 * UINT_MAX if that is not known. Returns false if no run is long enough.
 */
static __always_inline bool alloc_in_group(struct mtg_pool *pool, u32 group,
					   struct request *r, unsigned int longest)
{
	unsigned int n = mtg_granules(r->len);
	struct scan scan = r->counted ? scan_group_counted(pool, group, n, longest) :
					scan_group(pool, group, n, longest);

	r->runs += scan.runs;
	if (scan.fit_len == UINT_MAX)
		return false;
	r->granule = group_start(pool, group) + scan.fit;
	mark_used(pool, &pool->groups[group], r->granule, r->len, r->owner);
	classify(pool, group, scan.fit_len < scan.longest ? scan.longest :
			      max(scan.second, scan.longest - n));
	return true;
}

static __always_inline bool try_group(struct mtg_pool *pool, u32 group, struct request *r)
{
	struct mtg_group *g = &pool->groups[group];
	bool ok;

	raw_spin_lock(&g->lock);
	ok = alloc_in_group(pool, group, r, g->longest);
	raw_spin_unlock(&g->lock);
	return ok;
}

/* Best fit: begin with the groups whose longest run is the shortest that is long enough. */
static __always_inline bool alloc_in_open(struct mtg_pool *pool, struct request *r)
{
	unsigned int n = mtg_granules(r->len), tries = LIST_TRIES;
	u32 at = listing(pool, class_of(n), 0), group;

	while ((at = mtg_map_next(&pool->listed, at, NULL, false)) < pool->listed.nr) {
		group = at++ % pool->class_stride;
		if (READ_ONCE(pool->groups[group].longest) >= n &&
		    try_group(pool, group, r))
			return true;
		if (!--tries)
			break;
	}
	return false;
}

/* May one more block be opened? Returns 0 if so, -EDQUOT if only mem_limit is in the way. */
static int may_open(struct mtg_pool *pool, enum mtg_alloc_mode mode)
{
	u32 nr_open = atomic_read(&pool->nr_open);

	if (mode == MTG_MOVE || mode == MTG_KEPT)
		return 0;
	if (mode == MTG_SHRINK || nr_open >= READ_ONCE(pool->share) ||
	    pool->provider->nr_free(pool->ctx) <= mtg_pool_headroom(pool))
		return -ENOSPC;
	return nr_open >= READ_ONCE(pool->mem_limit) ? -EDQUOT : 0;
}

/* Open the block, if it is still free, and allocate in its group. */
static int open_and_alloc(struct mtg_pool *pool, u32 block, struct request *r)
{
	u32 group = group_of(pool, mtg_pool_block_start(pool, block));
	struct mtg_group *g = &pool->groups[group];
	int ret = -ENOSPC;

	raw_spin_lock(&g->lock);
	if (pool->provider->get(pool->ctx, block, r->mode == MTG_KEPT)) {
		open_block(pool, block);
		note_maximum(pool);
		if (alloc_in_group(pool, group, r, UINT_MAX))
			ret = 0;
		/* A better place may have become free: then the new block is still empty. */
		if (trim(pool, block, block + 1) || ret)
			classify_anew(pool, group);
	}
	raw_spin_unlock(&g->lock);
	return ret;
}

/* Any object fits into any block, so a try is in vain only if another CPU takes the block. */
static noinline int alloc_in_new(struct mtg_pool *pool, struct request *r)
{
	bool kept = r->mode == MTG_KEPT;
	u32 block = 0;
	int ret;

	for (;;) {
		ret = may_open(pool, r->mode);
		if (ret)
			return ret;
		block = pool->provider->next_free(pool->ctx, block, kept);
		if (block >= pool->nr_blocks)
			return -ENOSPC;
		if (!open_and_alloc(pool, block, r))
			return 0;
		block++;
	}
}

/* The common case is inline, so that @r stays in registers. The other case gets a copy of @r. */
static __always_inline int alloc(struct mtg_pool *pool, struct request *r)
{
	struct request copy;
	int ret = 0;

	/* A caller that asks for kept blocks has just found no room in open blocks. */
	if (r->mode == MTG_KEPT || !alloc_in_open(pool, r)) {
		copy = *r;
		ret = alloc_in_new(pool, &copy);
		*r = copy;
	}
	if (r->mode == MTG_STORE && READ_ONCE(pool->full) != !!ret)
		WRITE_ONCE(pool->full, !!ret);
	return ret;
}

/**
 * mtg_pool_alloc() - allocate an object
 * @pool: The pool.
 * @len: Bytes of payload: MTG_RAW_LEN, or at most MTG_MAX_LEN.
 * @owner: Number that is stored with the object.
 * @mode: What the object is for: this decides which blocks may be opened.
 * @granule: Where to put the object's first granule.
 *
 * Context: Atomic or not; takes group locks, allocates nothing, never sleeps.
 * Return: 0; -ENOSPC if there is no room; -EDQUOT if mem_limit does not allow more blocks.
 */
int mtg_pool_alloc(struct mtg_pool *pool, unsigned int len, u32 owner,
		   enum mtg_alloc_mode mode, u32 *granule)
{
	struct request r = { .len = len, .owner = owner, .mode = mode };
	int ret = alloc(pool, &r);

	*granule = r.granule;
	return ret;
}
EXPORT_SYMBOL_IF_KUNIT(mtg_pool_alloc);

/**
 * mtg_pool_alloc_counted() - allocate an object, and count the work
 * @pool: The pool.
 * @len: As of mtg_pool_alloc().
 * @owner: As of mtg_pool_alloc().
 * @mode: As of mtg_pool_alloc().
 * @granule: As of mtg_pool_alloc().
 * @runs: The number of free runs that were looked at is added to this. It is the work that the
 *	length of the object does not tell.
 *
 * Context: As of mtg_pool_alloc().
 * Return: As of mtg_pool_alloc().
 */
int mtg_pool_alloc_counted(struct mtg_pool *pool, unsigned int len, u32 owner,
			   enum mtg_alloc_mode mode, u32 *granule, unsigned int *runs)
{
	struct request r = { .len = len, .owner = owner, .mode = mode, .counted = true };
	int ret = alloc(pool, &r);

	*granule = r.granule;
	*runs += r.runs;
	return ret;
}

/**
 * mtg_pool_room() - how large may new data be?
 * @pool: The pool.
 * @len: Where to put the largest payload for which there may be room.
 *
 * A store asks this function first, so that a full device compresses no page that it must
 * refuse.
 *
 * Context: Any. A hint: others allocate and free meanwhile.
 * Return: 0 if a raw page fits; else the error that mtg_pool_alloc() returns for larger payloads
 *         than @len.
 */
int mtg_pool_room(struct mtg_pool *pool, unsigned int *len)
{
	unsigned int class;
	int ret = 0;
	u32 last;

	*len = MTG_RAW_LEN;
	if (READ_ONCE(pool->full))
		ret = may_open(pool, MTG_STORE);
	if (!ret)
		return 0;
	last = mtg_map_last(&pool->listed);
	class = last < pool->listed.nr ? last / pool->class_stride + 1 : 1;
	if (class == MTG_CLASSES - 1)
		return 0;
	/* Not even the smallest object fits. */
	if (class < MTG_MIN_GRANULES)
		class = 1;
	*len = class * MTG_GRANULE_SIZE - sizeof(struct mtg_object);
	return ret;
}
EXPORT_SYMBOL_IF_KUNIT(mtg_pool_room);

/**
 * mtg_pool_realloc() - replace an object by one of another length, in the same group
 * @pool: The pool.
 * @old: The object to be replaced; its payload is lost if this succeeds.
 * @old_len: Bytes of payload of the old object.
 * @len: Bytes of payload of the new object.
 * @owner: Number that is stored with the new object.
 * @granule: Where to put the new object's first granule.
 *
 * For a full pool: the new object can use the granules of the old one and the free granules of
 * the group. The old object stays as it is if these are not enough.
 *
 * Context: Like mtg_pool_alloc(). The caller holds the owner's lock.
 * Return: True if the new object has replaced the old one.
 */
bool mtg_pool_realloc(struct mtg_pool *pool, u32 old, unsigned int old_len,
		      unsigned int len, u32 owner, u32 *granule)
{
	struct request r = { .len = len, .owner = owner };
	u32 group = group_of(pool, old);
	struct mtg_group *g = &pool->groups[group];
	bool ok;

	raw_spin_lock(&g->lock);
	mark_free(pool, g, old, old_len);
	ok = alloc_in_group(pool, group, &r, UINT_MAX);
	if (ok)
		*granule = r.granule;
	if (!ok)
		mark_used(pool, g, old, old_len, owner);
	else if (trim(pool, first_block(pool, group), end_block(pool, group)))
		classify_anew(pool, group);
	raw_spin_unlock(&g->lock);
	return ok;
}
EXPORT_SYMBOL_IF_KUNIT(mtg_pool_realloc);

/**
 * mtg_pool_free() - free an object
 * @pool: The pool.
 * @granule: The object's first granule.
 * @len: Bytes of payload.
 *
 * Blocks that become empty are given back.
 *
 * Context: Atomic or not. The caller holds the owner's lock.
 */
void mtg_pool_free(struct mtg_pool *pool, u32 granule, unsigned int len)
{
	u32 group = group_of(pool, granule), n = mtg_granules(len);
	struct mtg_group *g = &pool->groups[group];
	struct run run;

	raw_spin_lock(&g->lock);
	mark_free(pool, g, granule, len);
	if (likely(g->open == pool->all_open))
		run = run_in_group(pool, group, granule);
	else
		run = run_in_open(pool, group, granule, n);
	settle_freed(pool, group, run, granule, n);
	raw_spin_unlock(&g->lock);
}
EXPORT_SYMBOL_IF_KUNIT(mtg_pool_free);

/**
 * mtg_pool_close() - let a block take no more objects
 * @pool: The pool.
 * @block: The block. Nothing happens if it is not open.
 *
 * The objects in the block stay until they are moved or freed. The block still belongs to the
 * pool, until the provider takes it or mtg_pool_reopen() gives it back.
 *
 * Context: Atomic or not.
 * Return: True if the block was open.
 */
bool mtg_pool_close(struct mtg_pool *pool, u32 block)
{
	u32 group = group_of(pool, mtg_pool_block_start(pool, block));
	struct mtg_group *g = &pool->groups[group];
	bool was_open;

	raw_spin_lock(&g->lock);
	was_open = is_open(pool, block);
	if (was_open) {
		close_block(pool, block);
		classify_anew(pool, group);
	}
	raw_spin_unlock(&g->lock);
	return was_open;
}
EXPORT_SYMBOL_IF_KUNIT(mtg_pool_close);

/**
 * mtg_pool_reopen() - end the eviction of a closed block
 * @pool: The pool.
 * @block: A block that mtg_pool_close() has closed, and that belonged to the pool then.
 *
 * If the block is empty, it is given back to the provider. Otherwise it is opened again, unless
 * the provider has taken it meanwhile.
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
	if (is_open(pool, block)) {
		/* It was taken for tags and released, and another CPU has opened it again. */
		gone = false;
	} else if (block_empty(pool, block)) {
		pool->provider->put(pool->ctx, block);
	} else if (pool->provider->owned(pool->ctx, block)) {
		/* If it is wanted for tags from now on, it is closed after we unlock. */
		open_block(pool, block);
		classify_anew(pool, group);
		gone = false;
	}
	raw_spin_unlock(&g->lock);
	return gone;
}
EXPORT_SYMBOL_IF_KUNIT(mtg_pool_reopen);

/**
 * mtg_pool_weight() - how full is the group of an open block?
 * @pool: The pool.
 * @block: The block.
 *
 * Context: Atomic or not.
 * Return: Number of granules in use; UINT_MAX if the block is not open.
 */
unsigned int mtg_pool_weight(struct mtg_pool *pool, u32 block)
{
	struct mtg_group *g = group_of_block(pool, block);
	unsigned int weight;

	raw_spin_lock(&g->lock);
	weight = is_open(pool, block) ? g->used : UINT_MAX;
	raw_spin_unlock(&g->lock);
	return weight;
}
EXPORT_SYMBOL_IF_KUNIT(mtg_pool_weight);

/**
 * mtg_pool_used_in() - how full is a group?
 * @pool: The pool.
 * @group: The group.
 *
 * Context: Any. A hint, no lock is taken.
 * Return: Number of granules in use; UINT_MAX if the group has no open block.
 */
unsigned int mtg_pool_used_in(struct mtg_pool *pool, u32 group)
{
	struct mtg_group *g = &pool->groups[group];

	return READ_ONCE(g->open) ? READ_ONCE(g->used) : UINT_MAX;
}
EXPORT_SYMBOL_IF_KUNIT(mtg_pool_used_in);

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
	if (is_open(pool, block))
		weight = bitmap_weight(pool->used + start / BITS_PER_LONG,
				       1U << pool->block_shift);
	raw_spin_unlock(&g->lock);
	return weight;
}
EXPORT_SYMBOL_IF_KUNIT(mtg_pool_block_weight);

/* The first object that begins in [@from, @end); MTG_NO_GRANULE if there is none. */
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
 * Return: The first object, or MTG_NO_GRANULE. It may begin before the block, and it may even
 *         end before the block: the pool does not know the lengths.
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
 * @granule: The object where the walk is now; it may have been freed or moved.
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
 * mtg_pool_owner() - read the number of the owner of an object
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
		*owner = is_raw(pool, granule) ?
			 pool->raw_owner[granule / MTG_RAW_GRANULES] - 1 :
			 mtg_pool_object(pool, granule)->owner;
	raw_spin_unlock(&g->lock);
	return found;
}
EXPORT_SYMBOL_IF_KUNIT(mtg_pool_owner);

/**
 * mtg_pool_begins() - does an object begin at a granule?
 * @pool: The pool.
 * @granule: The granule.
 *
 * Context: Atomic or not.
 * Return: True if an object begins there.
 */
bool mtg_pool_begins(struct mtg_pool *pool, u32 granule)
{
	struct mtg_group *g = &pool->groups[group_of(pool, granule)];
	bool found;

	raw_spin_lock(&g->lock);
	found = test_bit(granule, pool->start);
	raw_spin_unlock(&g->lock);
	return found;
}
EXPORT_SYMBOL_IF_KUNIT(mtg_pool_begins);

/**
 * mtg_pool_extent() - how long is an object whose owner is not known?
 * @pool: The pool.
 * @granule: The object's first granule.
 *
 * The object may be shorter than the result: a neighbour behind it for which mtg_pool_disown()
 * was called counts as part of it.
 *
 * Context: Atomic or not.
 * Return: Number of granules; 0 if no object begins there.
 */
unsigned int mtg_pool_extent(struct mtg_pool *pool, u32 granule)
{
	u32 group = group_of(pool, granule), end = group_start(pool, group + 1);
	struct mtg_group *g = &pool->groups[group];
	u32 next = granule;

	raw_spin_lock(&g->lock);
	if (test_bit(granule, pool->start)) {
		next = find_next_bit(pool->start, end, granule + 1);
		next = find_next_zero_bit(pool->used, next, granule);
		if (!is_raw(pool, granule))
			next = min(next, granule + MTG_RAW_GRANULES - 1);
	}
	raw_spin_unlock(&g->lock);
	return next - granule;
}
EXPORT_SYMBOL_IF_KUNIT(mtg_pool_extent);

/**
 * mtg_pool_disown() - forget where an object begins
 * @pool: The pool.
 * @granule: The object's first granule.
 *
 * The granules stay in use until the owner frees the object, so no other object begins there.
 *
 * Context: Atomic or not.
 */
void mtg_pool_disown(struct mtg_pool *pool, u32 granule)
{
	struct mtg_group *g = &pool->groups[group_of(pool, granule)];

	raw_spin_lock(&g->lock);
	if (is_raw(pool, granule))
		pool->raw_owner[granule / MTG_RAW_GRANULES] = 0;
	__clear_bit(granule, pool->start);
	raw_spin_unlock(&g->lock);
}
EXPORT_SYMBOL_IF_KUNIT(mtg_pool_disown);

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

	return 2 * granules / BITS_PER_BYTE +
	       mtg_map_words(pool->listed.nr) * sizeof(long) +
	       pool->nr_groups * sizeof(struct mtg_group) +
	       granules / MTG_RAW_GRANULES * sizeof(u32);
}
EXPORT_SYMBOL_IF_KUNIT(mtg_pool_metadata_size);

static int alloc_maps(struct mtg_pool *pool)
{
	size_t granules = (size_t)pool->nr_groups << pool->group_shift;
	size_t words = granules / BITS_PER_LONG;

	pool->groups = kvcalloc(pool->nr_groups, sizeof(*pool->groups), GFP_KERNEL);
	pool->used = kvcalloc(words, sizeof(long), GFP_KERNEL);
	pool->start = kvcalloc(words, sizeof(long), GFP_KERNEL);
	pool->raw_owner = kvcalloc(granules / MTG_RAW_GRANULES, sizeof(u32), GFP_KERNEL);
	if (!pool->groups || !pool->used || !pool->start || !pool->raw_owner)
		return -ENOMEM;
	return mtg_map_init(&pool->listed, (MTG_CLASSES - 1) * pool->class_stride);
}

/**
 * mtg_pool_init() - set up an empty pool
 * @pool: The pool, zeroed.
 * @base: Mapping of the whole arena.
 * @nr_blocks: Number of blocks in the arena.
 * @block_size: Bytes in a block: a power of two from 4 KiB to 64 KiB.
 * @provider: Where the pool gets blocks from.
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
	BUILD_BUG_ON(MTG_GRANULE_SIZE != 1 << MTG_GRANULE_SHIFT);

	pool->base = base;
	pool->provider = provider;
	pool->ctx = ctx;
	pool->nr_blocks = nr_blocks;
	pool->block_shift = ilog2(block_size) - MTG_GRANULE_SHIFT;
	pool->group_shift = ilog2(group_size) - MTG_GRANULE_SHIFT;
	pool->all_open = (1U << (group_size / block_size)) - 1;
	pool->nr_groups = DIV_ROUND_UP((u64)nr_blocks * block_size, group_size);
	pool->class_stride = ALIGN(pool->nr_groups, BITS_PER_LONG);
	pool->share = nr_blocks;
	pool->mem_limit = U32_MAX;
	if (alloc_maps(pool)) {
		mtg_pool_destroy(pool);
		return -ENOMEM;
	}
	for (i = 0; i < pool->nr_groups; i++) {
		raw_spin_lock_init(&pool->groups[i].lock);
		if (!(i % 4096))
			cond_resched();
	}
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
	kvfree(pool->groups);
	kvfree(pool->used);
	kvfree(pool->start);
	kvfree(pool->raw_owner);
	mtg_map_destroy(&pool->listed);
	/* The device may be set up again. */
	memset(pool, 0, sizeof(*pool));
}
EXPORT_SYMBOL_IF_KUNIT(mtg_pool_destroy);
