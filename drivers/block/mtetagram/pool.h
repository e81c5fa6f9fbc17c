/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The pool: objects of up to a page, stored in granules inside tag blocks.
 *
 * The pool knows blocks, granules and the number of the owner that each object carries. It
 * knows neither bios nor tags nor pages, and it does not know what an owner is. It builds in
 * user space as it is (tests/host).
 *
 * The arena is one contiguous mapping of all blocks of a region:
 *
 *   arena	groups of 32 KiB; or of one block, if blocks are larger
 *   group	blocks of 4 KiB to 64 KiB, which share one lock
 *   block	granules of 32 bytes
 *   object	8 to 128 granules, contiguous within a group: an object may begin in one
 *		block and end in the next
 *
 * A block must be open to receive objects. When no open group has room, the pool opens one
 * free block. It gives a block back as soon as that block is empty.
 */
#ifndef _MTETAGRAM_POOL_H
#define _MTETAGRAM_POOL_H

#include <linux/atomic.h>
#include <linux/compiler.h>
#include <linux/minmax.h>
#include <linux/spinlock.h>
#include <linux/types.h>

#include "map.h"

/*
 * Measured on heap pages (tests/host/density), with groups of 32 KiB: granules of 32 bytes hold
 * 1 % more than granules of 64 bytes. They also hold 1 % more than granules of 16 bytes, whose
 * bitmaps take more than is gained. Groups of 16 KiB lose 1 % if objects are 2.5 KiB long.
 */
#define MTG_GRANULE_SHIFT	5
#define MTG_GRANULE_SIZE	32U
#define MTG_GROUP_SIZE		32768
#define MTG_MAX_BLOCK_SIZE	65536
#define MTG_NO_GRANULE		U32_MAX

/*
 * The smallest number of granules of an object. Without it, a block could hold so many objects
 * that its eviction takes 30 times as long as with heap pages. Few objects of heap pages are
 * shorter, so this costs 0.1 to 0.5 % of density (tests/host/density).
 */
#define MTG_MIN_GRANULES	8U

/* The largest object: a raw page. Its owner is stored outside of the arena. */
#define MTG_RAW_LEN		4096
#define MTG_RAW_GRANULES	(MTG_RAW_LEN / MTG_GRANULE_SIZE)

/*
 * The largest payload of all other objects. A longer object would take as much room as a raw
 * page. So no object needs more than one block, and room for one page is room for any object.
 */
#define MTG_MAX_LEN	((MTG_RAW_GRANULES - 1) * MTG_GRANULE_SIZE - \
			 sizeof(struct mtg_object))

/*
 * Groups are listed by the length of their longest free run, one class for each length up to
 * that of a raw page. Longer runs are in the highest class. Groups of class 0 are not listed:
 * they have no free run.
 */
#define MTG_CLASSES		(MTG_RAW_GRANULES + 1)

/**
 * struct mtg_object - an object as it lies in the arena, unless it is a raw page
 * @owner: Number of the slot that owns the object. So a block can be evicted by looking at that
 *	block alone.
 * @data: The payload. The owner knows its length.
 */
struct mtg_object {
	u32 owner;
	u8 data[];
};

/**
 * struct mtg_provider - where the pool gets blocks from
 * @get: Take a free block. Returns false if the block is not free. Kept blocks are given only
 *	with @kept, all other blocks only without. Any context.
 * @put: Give back an empty block. Returns false if the block is wanted for tags. Any context.
 * @owned: Does the block still belong to the pool? Returns false if it is wanted for tags. Any
 *	context.
 * @next_kept: Find the first kept block not before @from. Returns @end or more if there is none
 *	before @end. Looks at all blocks between the two.
 * @next_free: Find a block worth trying @get on, not before @from. Returns the number of
 *	blocks if there is none.
 * @nr_free: Returns the number of free blocks, without kept blocks.
 */
struct mtg_provider {
	bool (*get)(void *ctx, u32 block, bool kept);
	bool (*put)(void *ctx, u32 block);
	bool (*owned)(void *ctx, u32 block);
	u32 (*next_kept)(void *ctx, u32 from, u32 end);
	u32 (*next_free)(void *ctx, u32 from, bool kept);
	u32 (*nr_free)(void *ctx);
};

/**
 * enum mtg_alloc_mode - what an object is allocated for
 * @MTG_STORE: New data. Stays within the limits, and leaves the headroom
 *	(&mtg_pool.headroom) for relocation.
 * @MTG_MOVE: Relocation out of a block that is wanted for tags: every free block may be opened,
 *	except kept blocks.
 * @MTG_KEPT: Relocation out of a block that is wanted for tags, after MTG_MOVE has found no
 *	room: kept blocks may be opened.
 * @MTG_SHRINK: Relocation so that fewer blocks are used: no block is opened.
 */
enum mtg_alloc_mode {
	MTG_STORE,
	MTG_MOVE,
	MTG_KEPT,
	MTG_SHRINK,
};

/**
 * struct mtg_group - a group of granules in which objects are contiguous
 * @lock: Protects the group's part of &mtg_pool.used, &mtg_pool.start and
 *	&mtg_pool.raw_owner, and the other members. Nests inside a slot lock and outside the
 *	locks of the tag blocks. Two groups are never locked at once. Raw, because a block is
 *	evicted under raw locks of the caller.
 * @longest: Length of the longest free run. Read without the lock as a hint.
 * @used: Number of granules in use. Read without the lock as a hint.
 * @open: One bit for each block of the group: it is open. Read without the lock as a hint.
 */
struct mtg_group {
	raw_spinlock_t lock;
	u16 longest;
	u16 used;
	u8 open;
};

/**
 * struct mtg_pool - an arena of tag blocks with objects in them
 * @base: Mapping of the whole arena.
 * @provider: Where the pool gets blocks from.
 * @ctx: First argument of the provider's functions.
 * @nr_blocks: Number of blocks in the arena, open or not.
 * @block_shift: log2 of the granules in a block.
 * @group_shift: log2 of the granules in a group.
 * @all_open: The value of &mtg_group.open when all blocks of the group are open.
 * @nr_groups: Number of groups.
 * @groups: The groups.
 * @used: One bit for each granule: it is part of an object.
 * @start: One bit for each granule: an object begins here.
 * @raw_owner: For each MTG_RAW_LEN bytes of the arena, one more than the owner of the raw page
 *	that begins there; 0 if no raw page does. At most one raw page can begin in so many
 *	bytes, and no other object begins there behind a raw page.
 * @listed: For each class but 0, one bit for each group: the group is in that class. A hint,
 *	except under the group's lock. A search from the first bit of a class on finds a group
 *	of the smallest class that has any.
 * @class_stride: Number of bits in @listed for each class.
 * @nr_open: Number of open blocks.
 * @max_open: The largest @nr_open so far.
 * @share: Number of blocks that new data may use: the share.
 * @mem_limit: Number of blocks that new data may use by mem_limit; U32_MAX for all.
 * @headroom: Number of free blocks that stores leave alone, for relocation.
 * @full: The last allocation for new data was refused. A hint.
 * @used_granules: Number of set bits in @used.
 */
struct mtg_pool {
	void *base;
	const struct mtg_provider *provider;
	void *ctx;
	u32 nr_blocks;
	unsigned int block_shift;
	unsigned int group_shift;
	unsigned int all_open;
	u32 nr_groups;

	struct mtg_group *groups;
	unsigned long *used;
	unsigned long *start;
	u32 *raw_owner;
	struct mtg_map listed;
	u32 class_stride;

	atomic_t nr_open;
	atomic_t max_open;
	u32 share;
	u32 mem_limit;
	u32 headroom;
	bool full;
	atomic64_t used_granules;
};

/**
 * mtg_granules() - how much of the pool does an object take?
 * @len: Bytes of payload.
 *
 * Context: Any.
 * Return: Number of granules.
 */
static inline unsigned int mtg_granules(unsigned int len)
{
	if (len == MTG_RAW_LEN)
		return MTG_RAW_GRANULES;
	return max_t(unsigned int, MTG_MIN_GRANULES,
		     DIV_ROUND_UP(len + sizeof(struct mtg_object), MTG_GRANULE_SIZE));
}

/**
 * mtg_pool_object() - where in memory is an object?
 * @pool: The pool.
 * @granule: The object's first granule.
 *
 * Context: Any.
 * Return: The object; or the payload, if it is a raw page.
 */
static inline struct mtg_object *mtg_pool_object(struct mtg_pool *pool, u32 granule)
{
	return pool->base + ((size_t)granule << MTG_GRANULE_SHIFT);
}

/**
 * mtg_pool_data() - where in memory is the payload of an object?
 * @pool: The pool.
 * @granule: The object's first granule.
 * @len: Bytes of payload.
 *
 * Context: Any. The caller holds the owner's lock, or has just allocated the object.
 * Return: The payload.
 */
static inline void *mtg_pool_data(struct mtg_pool *pool, u32 granule, unsigned int len)
{
	struct mtg_object *object = mtg_pool_object(pool, granule);

	return len == MTG_RAW_LEN ? (void *)object : object->data;
}

/**
 * mtg_pool_nr_blocks() - how many blocks are in the arena?
 * @pool: The pool.
 *
 * Context: Any.
 * Return: Their number, open or not.
 */
static inline u32 mtg_pool_nr_blocks(const struct mtg_pool *pool)
{
	return pool->nr_blocks;
}

/**
 * mtg_pool_block_start() - where does a block begin?
 * @pool: The pool.
 * @block: The block.
 *
 * Context: Any.
 * Return: The block's first granule.
 */
static inline u32 mtg_pool_block_start(const struct mtg_pool *pool, u32 block)
{
	return block << pool->block_shift;
}

/**
 * mtg_pool_block_of() - in which block is a granule?
 * @pool: The pool.
 * @granule: The granule.
 *
 * Context: Any.
 * Return: The block.
 */
static inline u32 mtg_pool_block_of(const struct mtg_pool *pool, u32 granule)
{
	return granule >> pool->block_shift;
}

/**
 * mtg_pool_blocks_per_group() - how many blocks share a lock?
 * @pool: The pool.
 *
 * Context: Any.
 * Return: Number of blocks in a group, a power of two.
 */
static inline u32 mtg_pool_blocks_per_group(const struct mtg_pool *pool)
{
	return 1U << (pool->group_shift - pool->block_shift);
}

/**
 * mtg_pool_group_granules() - how large is a group?
 * @pool: The pool.
 *
 * Context: Any.
 * Return: Number of granules, a power of two.
 */
static inline unsigned int mtg_pool_group_granules(const struct mtg_pool *pool)
{
	return 1U << pool->group_shift;
}

/**
 * mtg_pool_nr_open() - how many blocks are open?
 * @pool: The pool.
 *
 * Context: Any. Others open and close blocks meanwhile.
 * Return: Their number.
 */
static inline u32 mtg_pool_nr_open(const struct mtg_pool *pool)
{
	return atomic_read(&pool->nr_open);
}

/**
 * mtg_pool_max_open() - how many blocks were open at most?
 * @pool: The pool.
 *
 * Context: Any.
 * Return: Their number since mtg_pool_reset_max_open(), or since the pool was set up.
 */
static inline u32 mtg_pool_max_open(const struct mtg_pool *pool)
{
	return atomic_read(&pool->max_open);
}

/**
 * mtg_pool_reset_max_open() - measure from now on how many blocks are open at most
 * @pool: The pool.
 *
 * Context: Any.
 */
static inline void mtg_pool_reset_max_open(struct mtg_pool *pool)
{
	atomic_set(&pool->max_open, atomic_read(&pool->nr_open));
}

/**
 * mtg_pool_used_granules() - how much of the pool is in use?
 * @pool: The pool.
 *
 * Context: Any. Others allocate and free meanwhile.
 * Return: Number of granules that are part of objects.
 */
static inline u64 mtg_pool_used_granules(const struct mtg_pool *pool)
{
	return atomic64_read(&pool->used_granules);
}

/**
 * mtg_pool_share() - how many blocks may new data use?
 * @pool: The pool.
 *
 * Context: Any.
 * Return: The share, in blocks.
 */
static inline u32 mtg_pool_share(const struct mtg_pool *pool)
{
	return READ_ONCE(pool->share);
}

/**
 * mtg_pool_set_share() - set how many blocks new data may use
 * @pool: The pool.
 * @nr_blocks: The share, in blocks. Blocks above it stay open until they are empty.
 *
 * Context: Any. The caller serialises calls.
 */
static inline void mtg_pool_set_share(struct mtg_pool *pool, u32 nr_blocks)
{
	WRITE_ONCE(pool->share, nr_blocks);
}

/**
 * mtg_pool_set_mem_limit() - set how many blocks mem_limit allows
 * @pool: The pool.
 * @nr_blocks: The limit in blocks; U32_MAX for none.
 *
 * Context: Any. The caller serialises calls.
 */
static inline void mtg_pool_set_mem_limit(struct mtg_pool *pool, u32 nr_blocks)
{
	WRITE_ONCE(pool->mem_limit, nr_blocks);
}

/**
 * mtg_pool_headroom() - how many free blocks do stores leave alone?
 * @pool: The pool.
 *
 * Context: Any.
 * Return: Their number.
 */
static inline u32 mtg_pool_headroom(const struct mtg_pool *pool)
{
	return READ_ONCE(pool->headroom);
}

/**
 * mtg_pool_set_headroom() - set how many free blocks stores leave alone
 * @pool: The pool.
 * @nr_blocks: Their number.
 *
 * Context: Any. The caller serialises calls.
 */
static inline void mtg_pool_set_headroom(struct mtg_pool *pool, u32 nr_blocks)
{
	WRITE_ONCE(pool->headroom, nr_blocks);
}

/**
 * mtg_pool_next_kept() - find a block that is kept for relocation
 * @pool: The pool.
 * @from: First block to look at.
 * @end: The block before which the search ends.
 *
 * Context: As of &mtg_provider.next_kept.
 * Return: The first kept block not before @from; @end or more if there is none.
 */
static inline u32 mtg_pool_next_kept(const struct mtg_pool *pool, u32 from, u32 end)
{
	return pool->provider->next_kept(pool->ctx, from, end);
}

int mtg_pool_init(struct mtg_pool *pool, void *base, u32 nr_blocks,
		  unsigned int block_size, const struct mtg_provider *provider,
		  void *ctx);
void mtg_pool_destroy(struct mtg_pool *pool);
size_t mtg_pool_metadata_size(struct mtg_pool *pool);

int mtg_pool_alloc(struct mtg_pool *pool, unsigned int len, u32 owner,
		   enum mtg_alloc_mode mode, u32 *granule);
int mtg_pool_alloc_counted(struct mtg_pool *pool, unsigned int len, u32 owner,
			   enum mtg_alloc_mode mode, u32 *granule, unsigned int *runs);
int mtg_pool_room(struct mtg_pool *pool, unsigned int *len);
bool mtg_pool_realloc(struct mtg_pool *pool, u32 old, unsigned int old_len,
		      unsigned int len, u32 owner, u32 *granule);
void mtg_pool_free(struct mtg_pool *pool, u32 granule, unsigned int len);

bool mtg_pool_close(struct mtg_pool *pool, u32 block);
bool mtg_pool_reopen(struct mtg_pool *pool, u32 block);
unsigned int mtg_pool_weight(struct mtg_pool *pool, u32 block);
unsigned int mtg_pool_used_in(struct mtg_pool *pool, u32 group);
unsigned int mtg_pool_block_weight(struct mtg_pool *pool, u32 block);
u32 mtg_pool_first_object(struct mtg_pool *pool, u32 block);
u32 mtg_pool_next_object(struct mtg_pool *pool, u32 block, u32 granule);
bool mtg_pool_owner(struct mtg_pool *pool, u32 granule, u32 *owner);
bool mtg_pool_begins(struct mtg_pool *pool, u32 granule);
unsigned int mtg_pool_extent(struct mtg_pool *pool, u32 granule);
void mtg_pool_disown(struct mtg_pool *pool, u32 granule);

#endif /* _MTETAGRAM_POOL_H */
