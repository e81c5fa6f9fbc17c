/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The pool: objects of up to a page, stored in granules inside tag blocks.
 *
 * The pool knows blocks, granules and the owner number that each object carries.
 * It does not know bios, tags, pages or what an owner is, and it builds in user
 * space as it is (tests/host).
 *
 * The arena is one contiguous mapping of all blocks of a region. It is divided
 * into groups of 32 KiB (or one block, if blocks are larger), and an object is
 * contiguous within one group: it may straddle neighbouring blocks. A block has
 * to be open to receive objects; the pool opens blocks as it needs them, whole
 * groups at a time, and gives them back when they are empty.
 */
#ifndef _MTETAGRAM_POOL_H
#define _MTETAGRAM_POOL_H

#include <linux/atomic.h>
#include <linux/minmax.h>
#include <linux/spinlock.h>
#include <linux/types.h>

#include "map.h"

/*
 * Measured on heap pages (tests/host/density): granules of 32 bytes in groups of
 * 32 KiB hold 1 % more than granules of 64 bytes, and so do they hold more than
 * granules of 16 bytes, whose bitmaps take what is gained; groups of 16 KiB lose
 * 1 % where objects are 2.5 KiB long.
 */
#define MTG_GRANULE_SHIFT	5
#define MTG_GRANULE_SIZE	32U
#define MTG_GROUP_SIZE		32768
#define MTG_MAX_BLOCK_SIZE	65536
#define MTG_NO_GRANULE		U32_MAX

/*
 * The least that an object takes, or a block could be full of so many that emptying it
 * would take 30 times as long as with heap pages. Few of those are so short: it costs
 * 0.1 to 0.5 % of density (tests/host/density).
 */
#define MTG_MIN_GRANULES	8U

/* The largest object: a page as it is. Its owner is kept outside of the arena. */
#define MTG_RAW_LEN		4096
#define MTG_RAW_GRANULES	(MTG_RAW_LEN / MTG_GRANULE_SIZE)

/*
 * The largest other object. Longer ones would take no less room than a raw page; so
 * there are none that need more than one block, and room for a single page is room
 * for any of them.
 */
#define MTG_MAX_LEN	((MTG_RAW_GRANULES - 1) * MTG_GRANULE_SIZE - \
			 sizeof(struct mtg_object))

/*
 * Groups are listed by their longest free run; longer ones make no difference, and those
 * of class 0 have none.
 */
#define MTG_CLASSES		(MTG_RAW_GRANULES + 1)

/**
 * struct mtg_object - an object as it lies in the arena, unless it is a raw page
 * @owner: Number of the slot that owns it, so that a block can be emptied by
 *	looking at it alone.
 * @data: The payload. Its length is known to the owner.
 */
struct mtg_object {
	u32 owner;
	u8 data[];
};

/**
 * struct mtg_provider - where the pool gets blocks from
 * @get: Take a free block; false if it is not free. Some blocks are kept for
 *	relocation, because they can never be taken away: they are given only with
 *	@kept, and the others only without. Any context.
 * @put: Give back an empty block; false if it is being taken away. Any context.
 * @owned: Is the block still ours? False if it is being taken away. Any context.
 * @next_kept: The first block that is kept, not before @from; @end or more if there is
 *	none before that. Looks at all blocks between the two.
 * @next_free: A block worth trying, not before @from; the number of blocks if
 *	there is none.
 * @nr_free: Number of blocks that nobody uses, without those that are kept.
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
 * @MTG_STORE: New data. Stays within the limits, and leaves the last free blocks
 *	(&mtg_pool.headroom) for relocation.
 * @MTG_MOVE: Relocation out of a block that is wanted for tags: every free block
 *	may be used.
 * @MTG_KEPT: Ditto, and there was no room: the kept blocks may be used.
 * @MTG_SHRINK: Relocation out of a block that is given up: opens no blocks.
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
 *	&mtg_pool.raw_owner, and the other members. Nests inside a slot lock,
 *	outside the tag block layer's locks; two groups are never locked at once.
 *	Raw, because a block is emptied under raw locks of the caller.
 * @longest: The longest free run. Read without the lock as a hint.
 * @used: Granules in use. Read without the lock as a hint.
 * @open: One bit for each block of the group: it is ours and takes objects. Ditto.
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
 * @provider: Where blocks come from.
 * @ctx: First argument of the provider's functions.
 * @nr_blocks: Number of blocks in the arena, open or not.
 * @block_shift: log2 of the granules in a block.
 * @group_shift: log2 of the granules in a group.
 * @all_open: &mtg_group.open when all blocks of the group are.
 * @nr_groups: Number of groups.
 * @groups: The groups.
 * @used: One bit for each granule: part of an object.
 * @start: One bit for each granule: an object begins here.
 * @raw_owner: For each MTG_RAW_LEN bytes, one more than the owner of the raw page
 *	that begins there; 0 if none does. Two cannot, wherever they begin; and
 *	after the raw page no other object begins there.
 * @listed: For each class but 0, one bit for each group: it is in that class. A hint,
 *	except under the group's lock. The next bit from a class on is a group of the
 *	smallest class that has any.
 * @class_stride: Bits in @listed for each class.
 * @nr_open: Number of open blocks.
 * @max_open: High-water mark of @nr_open.
 * @share: Blocks that new data may use: the administrator's share.
 * @mem_limit: Ditto, from mem_limit; U32_MAX if there is none.
 * @headroom: Free blocks that are kept for relocation.
 * @full: The last allocation for new data was refused; a hint.
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

/* Granules that an object with @len bytes of payload takes. */
static inline unsigned int mtg_granules(unsigned int len)
{
	if (len == MTG_RAW_LEN)
		return MTG_RAW_GRANULES;
	return max_t(unsigned int, MTG_MIN_GRANULES,
		     DIV_ROUND_UP(len + sizeof(struct mtg_object), MTG_GRANULE_SIZE));
}

static inline struct mtg_object *mtg_pool_object(struct mtg_pool *pool, u32 granule)
{
	return pool->base + ((size_t)granule << MTG_GRANULE_SHIFT);
}

/* The payload of an object with @len bytes. */
static inline void *mtg_pool_data(struct mtg_pool *pool, u32 granule, unsigned int len)
{
	struct mtg_object *object = mtg_pool_object(pool, granule);

	return len == MTG_RAW_LEN ? (void *)object : object->data;
}

static inline u32 mtg_pool_block_start(struct mtg_pool *pool, u32 block)
{
	return block << pool->block_shift;
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
