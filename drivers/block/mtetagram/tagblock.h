/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Tag blocks: which part of the MTE tag storage holds tags, and which part holds data?
 *
 * Private interface between the tag block layer (tagblock.c, region.c; built in) and the
 * driver (may be a module). The tag block layer knows neither slots nor compression. The
 * driver knows no pages.
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
#include "verify.h"

struct page;

/*
 * The functions of the built-in half are in a symbol namespace of their own, so that no other
 * module uses them by accident. Here is the only place that knows how Linux 6.12 spells
 * that: from 6.13 on the name is a string.
 */
#define EXPORT_SYMBOL_MTETAGRAM(symbol)	EXPORT_SYMBOL_NS_GPL(symbol, MTETAGRAM)
#define MTG_IMPORT_SYMBOLS		MODULE_IMPORT_NS(MTETAGRAM)

/* A tag of 4 bits for every 16 bytes of data. */
#define MTG_TAG_RATIO	32

/* With so many locks two CPUs rarely want the same lock, and the locks take only 4 KiB. */
#define MTG_BLOCK_LOCKS	64

/*
 * There is one region for each memory controller group. The largest system that we know
 * has 8 of them (Arm Total Compute FPGA, 8 memory nodes).
 */
#define MTG_MAX_REGIONS	8

/**
 * enum mtg_block_state - what a tag block holds
 * @MTG_BLOCK_FREE: Nothing: none of its data pages is reserved, and the driver does not use
 *	it.
 * @MTG_BLOCK_USED: Data of the driver.
 * @MTG_BLOCK_SWITCHING: One CPU moves the data out and cleans the block for tags, or verifies
 *	the place of tags, with preemption disabled. Other CPUs that need the block spin.
 * @MTG_BLOCK_TAGGED: Tags: at least one of its data pages is reserved.
 * @MTG_BLOCK_OFFLINE: Nothing: its memory has failed, so it never holds data again. Tags have
 *	no other place, so the block still becomes TAGGED.
 * @MTG_BLOCK_STATES: Number of states.
 *
 * The legal changes, and the part of the kernel that makes them::
 *
 *   FREE --mtg_block_get()--> USED --mtg_block_put()--> FREE      driver
 *   FREE, USED, OFFLINE --mtg_region_reserve()--> SWITCHING       hook
 *   SWITCHING --> TAGGED, or USED if the eviction has failed      hook
 *   TAGGED --mtg_region_release()--> FREE                         hook
 *   FREE --mtg_block_offline()--> OFFLINE                         driver
 *   OFFLINE --mtg_block_online()--> FREE                          driver
 *   FREE --mtg_block_begin_check()--> SWITCHING                   verification
 *   SWITCHING --mtg_block_end_check()--> FREE                     verification
 *
 * A block that was taken offline becomes OFFLINE whenever it would otherwise become FREE.
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
 * enum mtg_urgency - what a caller of mtg_region_reserve() can do if there is no room
 * @MTG_PREPARE: The caller can wait. It makes room and tries again.
 * @MTG_MAY_REFUSE: The caller cannot wait, but it can do without tags.
 * @MTG_MUST: The caller is about to tag, and nothing can stop it. Only for such a caller the
 *	emergency reserves of memory are used, and data is dropped.
 */
enum mtg_urgency {
	MTG_PREPARE,
	MTG_MAY_REFUSE,
	MTG_MUST,
};

/**
 * enum mtg_region_event - what a region counts
 * @MTG_EVICTED: Blocks that held data of the driver when they were wanted for tags.
 * @MTG_EVICTED_ATOMIC: Blocks of @MTG_EVICTED that were wanted for a page that was not
 *	prepared.
 * @MTG_KILLED: Address spaces whose processes were killed, because there was no place for
 *	the data in the way of their tags.
 * @MTG_NOT_KILLED: Pages for which no process was killed, because the out-of-memory killer
 *	spares the process that wanted the tags.
 * @MTG_REGION_EVENTS: Number of kinds of events.
 */
enum mtg_region_event {
	MTG_EVICTED,
	MTG_EVICTED_ATOMIC,
	MTG_KILLED,
	MTG_NOT_KILLED,
	MTG_REGION_EVENTS
};

/**
 * enum mtg_step - a step of a tag block's change between data and tags
 * @MTG_STEP_EVICT: Data is moved out of the block.
 * @MTG_STEP_EVICT_FIRST: The eviction comes before the cleaning of data.
 * @MTG_STEP_CLEAN_DATA: The data lines of the block are cleaned.
 * @MTG_STEP_CLEAN_FREE: That is done for blocks that held no data, too.
 * @MTG_STEP_CLEAN_LAST: It is done for the last 64 bytes of the block, too.
 * @MTG_STEP_CLEAN_TAGS: The tag lines of a freed page are cleaned.
 * @MTG_STEP_CLEAN_HALF: That is done for the second half of the page, too.
 * @MTG_STEP_TAGS_FIRST: It is done before the page's bit is cleared.
 * @MTG_STEP_KEXEC: All lines of the region are cleaned before another kernel starts.
 *
 * For tests, which leave steps out: see mtg_leaves_out().
 */
enum mtg_step {
	MTG_STEP_EVICT,
	MTG_STEP_EVICT_FIRST,
	MTG_STEP_CLEAN_DATA,
	MTG_STEP_CLEAN_FREE,
	MTG_STEP_CLEAN_LAST,
	MTG_STEP_CLEAN_TAGS,
	MTG_STEP_CLEAN_HALF,
	MTG_STEP_TAGS_FIRST,
	MTG_STEP_KEXEC
};

/**
 * struct mtg_block_lock - a lock that is alone in its cache line
 * @lock: The lock, see &mtg_region.locks.
 *
 * Neighbouring blocks have different locks.
 */
struct mtg_block_lock {
	raw_spinlock_t lock; /* see above */
} ____cacheline_aligned_in_smp;

/**
 * struct mtg_page_counts - what one CPU has counted since boot
 * @reserves: Pages that it has reserved.
 * @releases: Pages that it has released.
 */
struct mtg_page_counts {
	atomic_long_t reserves;
	atomic_long_t releases;
};

/**
 * struct mtg_block_ops - what the driver does for the tag blocks
 * @evict: Move all data out of the block. Called in state SWITCHING, with preemption disabled
 *	and no lock of the tag block layer held. The calling task may hold page-table locks.
 *	Must not sleep. After it has returned 0, tags are written. It may return -ENOMEM
 *	unless @urgency is MTG_MUST, and then @resume is called.
 * @resume: The block is in state USED again, because @evict has failed. Called in the same
 *	context as @evict. The driver may put the block back.
 * @make_room: Make it likely that @evict succeeds for MTG_PREPARE. May sleep if @gfp allows
 *	that. Returns false if there is no memory.
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
 * @word_mask: The bits of one block in a word of @reserved, if they begin at bit 0. If a block
 *	has more bits than a word: all bits.
 * @word_offset: The index of a page ANDed with this says where in a word the bits of the page's
 *	block begin.
 * @reserved: One bit for each data page: the page is reserved, its tags are live. Bits are
 *	cleared under the block's lock and tested without it. They are set under the block's
 *	lock, or without it if the same word has another bit of the same block.
 * @counts: Counters of pages, one set for each CPU.
 * @start_pfn: The first data page whose tags are in this region.
 * @nr_pages: Number of data pages.
 * @pages_shift: log2 of the number of data pages whose tags share a block.
 * @id: Index of the region, from 0.
 * @tag_start: Physical address of the tag storage.
 * @base: Untagged kernel mapping of the tag storage.
 * @block_shift: log2 of the block size in bytes.
 * @nr_blocks: Number of tag blocks.
 * @free: The blocks in state FREE. Only a search aid: @state decides. Written under the
 *	block's lock.
 * @bad: One bit for each block: the block becomes OFFLINE instead of FREE. Under the block's
 *	lock.
 * @kept: One bit for each block: the driver keeps it for relocation, see mtg_block_keep().
 *	Written under the block's lock, tested without it.
 * @kept_free: Number of kept blocks in state FREE.
 * @state: &enum mtg_block_state of each block. Written under the block's lock.
 * @locks: Block N is protected by lock N % MTG_BLOCK_LOCKS. These locks are the innermost of
 *	all locks. They are raw and taken with interrupts off, because pages are freed in any
 *	context.
 * @ops: The callbacks of the driver, while a driver is attached. Read under @srcu, or with
 *	preemption disabled.
 * @srcu: See @ops.
 * @priv: First argument of the callbacks.
 * @nr_state: Number of blocks in each state.
 * @events: Number of events of each kind since boot, &enum mtg_region_event.
 * @verified: The last verification, see mtg_region_verified().
 * @leave_out: For tests only: one bit for each &enum mtg_step that is left out.
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
	atomic64_t events[MTG_REGION_EVENTS];
	struct mtg_verification verified;
#ifdef CONFIG_MTETAGRAM_DEBUG
	u64 leave_out;
#endif
};

#ifdef CONFIG_MTETAGRAM_DEBUG
DECLARE_STATIC_KEY_FALSE(mtg_leaving_out);
#endif

/**
 * mtg_leaves_out() - must a step be left out, as a test wants to see data or tags lost?
 * @region: The region.
 * @step: The step.
 *
 * Context: Any.
 * Return: True if the step must be left out. Always false without CONFIG_MTETAGRAM_DEBUG.
 */
static inline bool mtg_leaves_out(const struct mtg_region *region, enum mtg_step step)
{
#ifdef CONFIG_MTETAGRAM_DEBUG
	return static_branch_unlikely(&mtg_leaving_out) &&
	       READ_ONCE(region->leave_out) & BIT_ULL(step);
#else
	return false;
#endif
}

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
 * mtg_region_nr_in() - how many blocks are in a state?
 * @region: The region.
 * @state: The state.
 *
 * Context: Any. Others change the states of blocks meanwhile.
 * Return: Their number.
 */
static inline u32 mtg_region_nr_in(const struct mtg_region *region,
				   enum mtg_block_state state)
{
	return atomic_read(&region->nr_state[state]);
}

/**
 * mtg_region_events() - how often has something happened since boot?
 * @region: The region.
 * @event: What.
 *
 * Context: Any.
 * Return: Number of events.
 */
static inline u64 mtg_region_events(const struct mtg_region *region,
				    enum mtg_region_event event)
{
	return atomic64_read(&region->events[event]);
}

/**
 * mtg_region_block_state() - what does a block hold?
 * @region: The region.
 * @block: Index of the block.
 *
 * Context: Any. A hint: without the block's lock, the state can change at any time.
 * Return: The state.
 */
static inline enum mtg_block_state
mtg_region_block_state(const struct mtg_region *region, u32 block)
{
	return READ_ONCE(region->state[block]);
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
size_t mtg_region_metadata_size(const struct mtg_region *region);
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
bool mtg_block_begin_check(struct mtg_region *region, u32 block);
void mtg_block_end_check(struct mtg_region *region, u32 block);
unsigned int mtg_block_nr_reserved(struct mtg_region *region, u32 block);

struct mtg_region *mtg_region_by_id(unsigned int id);
bool mtg_block_untaggable(struct mtg_region *region, u32 block);

#endif /* _MTETAGRAM_TAGBLOCK_H */
