/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Tag blocks: who owns which part of the MTE tag storage right now.
 *
 * Private interface between the tag block layer (tagblock.c, region.c; built in)
 * and the driver (may be a module). The layer knows nothing of slots or
 * compression; the driver learns nothing of pages.
 */
#ifndef _MTETAGRAM_TAGBLOCK_H
#define _MTETAGRAM_TAGBLOCK_H

#include <linux/atomic.h>
#include <linux/bitops.h>
#include <linux/cache.h>
#include <linux/compiler.h>
#include <linux/find.h>
#include <linux/minmax.h>
#include <linux/percpu.h>
#include <linux/spinlock.h>
#include <linux/srcu.h>
#include <linux/types.h>

#include "map.h"

struct page;

/* One 4 bit tag for every 16 bytes of data. */
#define MTG_TAG_RATIO	32

/* Enough that two CPUs rarely meet, few enough to cost nothing: 4 KiB. */
#define MTG_BLOCK_LOCKS	64

/*
 * One for each memory controller group: the largest system known has 8 (Arm
 * Total Compute FPGA, 8 memory nodes).
 */
#define MTG_MAX_REGIONS	8

/**
 * enum mtg_block_state - what a tag block holds
 * @MTG_BLOCK_FREE: Nothing: no tagged page, not taken by the driver.
 * @MTG_BLOCK_USED: Data of the driver.
 * @MTG_BLOCK_SWITCHING: Being emptied and cleaned for tags, by one CPU that does
 *	so with preemption disabled; other CPUs that need the block spin.
 * @MTG_BLOCK_TAGGED: Tags: at least one of its data pages is reserved.
 * @MTG_BLOCK_OFFLINE: Nothing, and never again data: its memory has failed. Tags
 *	have no other place, so it still becomes TAGGED.
 * @MTG_BLOCK_STATES: Number of states.
 *
 * The legal moves, and who makes them::
 *
 *   FREE --mtg_block_get()--> USED --mtg_block_put()--> FREE      driver
 *   FREE, USED --mtg_region_reserve()--> SWITCHING --> TAGGED     hook
 *   TAGGED --mtg_region_release()--> FREE                         page free
 *   FREE --mtg_block_offline()--> OFFLINE, which is in the place of FREE then
 */
enum mtg_block_state {
	MTG_BLOCK_FREE,
	MTG_BLOCK_USED,
	MTG_BLOCK_SWITCHING,
	MTG_BLOCK_TAGGED,
	MTG_BLOCK_OFFLINE,
	MTG_BLOCK_STATES
};

/**
 * enum mtg_urgency - what a caller of mtg_region_reserve() can cope with
 * @MTG_PREPARE: It can wait. If there is no room it makes some and comes back.
 * @MTG_MAY_REFUSE: It cannot wait, but it can do without tags.
 * @MTG_MUST: It is about to tag, and nothing can stop it. Only for this one the
 *	emergency reserves of memory are touched, and data is dropped.
 */
enum mtg_urgency {
	MTG_PREPARE,
	MTG_MAY_REFUSE,
	MTG_MUST,
};

/* Alone in its cache line: neighbouring blocks have different locks. */
struct mtg_block_lock {
	raw_spinlock_t lock;
} ____cacheline_aligned_in_smp;

/**
 * struct mtg_page_counts - what one CPU has done
 * @reserves: Pages reserved since boot.
 * @releases: Pages released since boot.
 */
struct mtg_page_counts {
	atomic_long_t reserves;
	atomic_long_t releases;
};

/**
 * struct mtg_block_ops - what the user of the tag blocks has to do
 * @evict: Move all data out of the block. Called in state SWITCHING, with
 *	preemption disabled and no lock of the tag block layer held, by a task that
 *	may hold page-table locks. Must not sleep. When it returns 0, the tags will
 *	be written. It may return -ENOMEM unless @urgency is MTG_MUST; @resume follows
 *	then.
 * @resume: The block is in state USED again after @evict has failed. In the same
 *	context; the driver may put the block back.
 * @make_room: Make it likely that @evict succeeds for MTG_PREPARE. May sleep if
 *	@gfp allows it. False if there is no memory.
 * @freed: A block has become free. Called in any context, hard interrupts included.
 */
struct mtg_block_ops {
	int (*evict)(void *priv, u32 block, enum mtg_urgency urgency);
	void (*resume)(void *priv, u32 block);
	bool (*make_room)(void *priv, gfp_t gfp);
	void (*freed)(void *priv);
};

/**
 * struct mtg_region - one contiguous range of tag storage
 * @word_mask: The lowest bits of a word of @reserved, as many as belong to one block.
 * @word_offset: ANDed with the index of a page: where in a word the bits of its
 *	block begin.
 * @reserved: One bit for each data page: its tags are live. Set and cleared
 *	under the block's lock, tested without; but set without it where the same
 *	word has another bit of the block.
 * @counts: Of pages, for each CPU.
 * @start_pfn: First data page whose tags are here.
 * @nr_pages: Number of data pages.
 * @pages_shift: log2 of the number of data pages whose tags share a block.
 * @id: Index of the region, from 0.
 * @tag_start: Physical address of the tag storage.
 * @base: Untagged kernel mapping of the tag storage.
 * @block_shift: log2 of the block size in bytes.
 * @nr_blocks: Number of tag blocks.
 * @free: The blocks in state FREE; a search aid, written under the block's lock,
 *	@state decides.
 * @bad: One bit for each block: it is to be OFFLINE instead of FREE; under the
 *	block's lock.
 * @kept: One bit for each block: the driver keeps it for relocation, see
 *	mtg_block_keep(); under the block's lock, tested without.
 * @kept_free: Number of those that are in state FREE.
 * @state: &enum mtg_block_state of each block, under the block's lock.
 * @locks: Block N is protected by lock N % MTG_BLOCK_LOCKS. Innermost of all
 *	locks, taken in hard interrupts, raw because pages are freed in any context.
 * @ops: The driver's callbacks; set while a driver is attached. Read under
 *	@srcu, or with preemption disabled.
 * @srcu: See @ops.
 * @priv: First argument of @ops.
 * @nr_state: Number of blocks in each state.
 * @evicted: Blocks that held data of the driver when they were reserved.
 * @evicted_atomic: Those of them that were not prepared.
 * @killed: Address spaces whose processes were killed, as there was no place for
 *	the data in the way of their tags.
 * @not_killed: Pages for which nobody was killed, as it would have been a process that
 *	the out-of-memory killer spares.
 * @skip_evict: For tests only: leave out @ops->evict. Data will be lost.
 */
struct mtg_region {
	unsigned long word_mask;
	unsigned long word_offset;
	unsigned long *reserved;
	struct mtg_page_counts __percpu *counts;
	unsigned long start_pfn;
	unsigned long nr_pages;
	unsigned int pages_shift;
	unsigned int id;

	phys_addr_t tag_start;
	void *base;
	unsigned int block_shift;
	u32 nr_blocks;
	struct mtg_map free;
	unsigned long *bad;
	unsigned long *kept;
	atomic_t kept_free;
	u8 *state;
	struct mtg_block_lock locks[MTG_BLOCK_LOCKS];

	const struct mtg_block_ops __rcu *ops;
	void *priv;
	struct srcu_struct srcu;

	atomic_t nr_state[MTG_BLOCK_STATES] ____cacheline_aligned_in_smp;
	atomic64_t evicted;
	atomic64_t evicted_atomic;
	atomic64_t killed;
	atomic64_t not_killed;
#ifdef CONFIG_MTETAGRAM_DEBUG
	bool skip_evict;
#endif
};

/**
 * mtg_region_block_size() - how large is a tag block?
 * @region: The region.
 *
 * Context: Any.
 * Return: Its size in bytes.
 */
static inline unsigned int mtg_region_block_size(const struct mtg_region *region)
{
	return 1U << region->block_shift;
}

/**
 * mtg_region_nr_free() - how many free blocks are not kept?
 * @region: The region.
 *
 * Context: Any. Others take and give back blocks meanwhile.
 * Return: Their number.
 */
static inline u32 mtg_region_nr_free(const struct mtg_region *region)
{
	return max(0, atomic_read(&region->nr_state[MTG_BLOCK_FREE]) -
		      atomic_read(&region->kept_free));
}

/**
 * mtg_block_is_kept() - is a block kept for relocation?
 * @region: The region.
 * @block: Index of the block.
 *
 * Context: Any.
 * Return: True if it is, see mtg_block_keep().
 */
static inline bool mtg_block_is_kept(const struct mtg_region *region, u32 block)
{
	return test_bit(block, region->kept);
}

/**
 * mtg_block_next_kept() - find a kept block
 * @region: The region.
 * @from: First block to look at.
 * @end: The block before which the search ends.
 *
 * Context: Any. The time is proportional to the number of blocks between the two.
 * Return: The first kept block not before @from; @end or more if there is none.
 */
static inline u32 mtg_block_next_kept(const struct mtg_region *region, u32 from, u32 end)
{
	return find_next_bit(region->kept, end, from);
}

/**
 * mtg_block_next_free() - find a block worth trying mtg_block_get() on
 * @region: The region.
 * @from: First block to look at.
 * @kept: Look for kept blocks, else for blocks that are not kept.
 *
 * Context: Any. A hint: others may take the block meanwhile.
 * Return: The first such block not before @from, or @region->nr_blocks.
 */
static inline u32 mtg_block_next_free(const struct mtg_region *region, u32 from, bool kept)
{
	return mtg_map_next(&region->free, from, region->kept, kept);
}

u64 mtg_region_burst(void);
u64 mtg_region_reserves(struct mtg_region *region);
u64 mtg_region_releases(struct mtg_region *region);
u64 mtg_region_nr_reserved(struct mtg_region *region);

int mtg_region_init(struct mtg_region *region);
void mtg_region_destroy(struct mtg_region *region);
int mtg_region_reserve(struct mtg_region *region, struct page *page,
		       enum mtg_urgency urgency);
int mtg_region_prepare(struct mtg_region *region, struct page *page, gfp_t gfp);
void mtg_region_release(struct mtg_region *region, unsigned long pfn,
			unsigned long nr_pages);
void mtg_region_release_page(struct mtg_region *region, unsigned long index);
int mtg_region_attach(struct mtg_region *region, const struct mtg_block_ops *ops,
		      void *priv);
void mtg_region_detach(struct mtg_region *region);

bool mtg_block_get(struct mtg_region *region, u32 block);
bool mtg_block_put(struct mtg_region *region, u32 block);
void mtg_block_offline(struct mtg_region *region, u32 block);
void mtg_block_online(struct mtg_region *region, u32 block);
void mtg_block_keep(struct mtg_region *region, u32 block, bool keep);
bool mtg_block_owned(struct mtg_region *region, u32 block);
unsigned int mtg_block_nr_reserved(struct mtg_region *region, u32 block);

struct mtg_region *mtg_region_by_id(unsigned int id);
bool mtg_block_untaggable(struct mtg_region *region, u32 block);

#endif /* _MTETAGRAM_TAGBLOCK_H */
