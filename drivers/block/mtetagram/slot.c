// SPDX-License-Identifier: GPL-2.0
/*
 * The slot table, and the relocation of the objects that slots own.
 *
 * A slot's word holds a type in its three lowest bits and, by type:
 *
 *   SLOT_EMPTY   0: never written, or freed; reads as zeros
 *   SLOT_OBJECT  bits 3-15 length of the payload, bits 32-63 granule in the pool
 *   SLOT_FILL    bits 32-63 a 32-bit pattern that fills the page
 *   SLOT_SPILL   address of a struct spill in ordinary memory (8 byte aligned)
 *   SLOT_SPILL_RAW  address of an incompressible page's copy in ordinary memory
 *   SLOT_LOST    the data had to be dropped; reads fail until it is written anew
 *
 *                store               vacate                     vacate
 *   EMPTY, FILL --------> OBJECT -------------> OBJECT, SPILL ---------> LOST
 *   any state   --------> OBJECT or FILL
 *   any state   --free--> EMPTY
 *
 * A slot's lock protects its word *and* the object behind it: an object is in the
 * pool if and only if its owner's word points to it, seen under the owner's lock.
 * That is what makes it possible to empty a block while all else goes on: find an
 * object in the bitmap, read its owner, lock the owner, and look again.
 *
 * Lock order: slot lock > group lock (pool.c) > tag block lock (tagblock.c).
 */

#include <kunit/visibility.h>
#include <linux/bug.h>
#include <linux/build_bug.h>
#include <linux/errno.h>
#include <linux/overflow.h>
#include <linux/printk.h>
#include <linux/sched.h>
#include <linux/slab.h>
#include <linux/string.h>
#include <linux/vmalloc.h>

#include "slot.h"

#define SLOT_TYPE_MASK	7ULL

enum slot_type {
	SLOT_EMPTY,
	SLOT_OBJECT,
	SLOT_FILL,
	SLOT_SPILL,
	SLOT_LOST,
	SLOT_SPILL_RAW,
};

/*
 * An object that found no place in the pool. Not for raw pages: with a header they
 * would need two pages in a row, which may not be there while single pages are.
 */
struct spill {
	unsigned int len;
	u8 data[];
};

/* Ordinary memory that an object of @len bytes needs: never more than 4 KiB. */
static size_t spill_size(unsigned int len)
{
	struct spill *spill;

	return len == MTG_SLOT_SIZE ? len : struct_size(spill, data, len);
}

static raw_spinlock_t *slot_lock(struct mtg_slots *slots, u32 index)
{
	return &slots->locks[index % MTG_SLOT_LOCKS];
}

static enum slot_type slot_type(u64 word)
{
	return word & SLOT_TYPE_MASK;
}

static u64 make_object(u32 granule, unsigned int len)
{
	BUILD_BUG_ON(MTG_SLOT_SIZE >= 1 << 13);
	return (u64)granule << 32 | len << 3 | SLOT_OBJECT;
}

static u32 object_granule(u64 word)
{
	return word >> 32;
}

static unsigned int object_len(u64 word)
{
	return (u32)word >> 3;
}

static void *slot_pointer(u64 word)
{
	return (void *)(uintptr_t)(word & ~SLOT_TYPE_MASK);
}

/* Bytes of payload of a slot that holds something. */
static unsigned int slot_len(u64 word)
{
	switch (slot_type(word)) {
	case SLOT_OBJECT:
		return object_len(word);
	case SLOT_SPILL:
		return ((struct spill *)slot_pointer(word))->len;
	case SLOT_SPILL_RAW:
		return MTG_SLOT_SIZE;
	case SLOT_FILL:
		return MTG_FILL_LEN;
	default:
		return 0;
	}
}

/* Count @word in (@sign 1) or out (@sign -1) of the statistics. */
static void account(struct mtg_slots *slots, u64 word, int sign)
{
	unsigned int len = slot_len(word);

	if (slot_type(word) == SLOT_EMPTY)
		return;
	atomic64_add(sign, &slots->stats.stored);
	if (len == MTG_FILL_LEN) {
		atomic64_add(sign, &slots->stats.same);
		/* Like zram, whose patterns need no memory. */
		return;
	}
	atomic64_add(sign * (int)len, &slots->stats.compr_size);
	if (len == MTG_SLOT_SIZE)
		atomic64_add(sign, &slots->stats.huge);
}

static void free_object(struct mtg_slots *slots, u64 word)
{
	mtg_pool_free(slots->pool, object_granule(word), object_len(word));
}

/*
 * Let go of what @word refers to. Under the slot's lock. Returns memory that the
 * caller has to free when it has unlocked, or NULL.
 */
static void *drop(struct mtg_slots *slots, u64 word)
{
	switch (slot_type(word)) {
	case SLOT_OBJECT:
		free_object(slots, word);
		return NULL;
	case SLOT_SPILL:
	case SLOT_SPILL_RAW:
		atomic64_sub(slot_len(word), &slots->stats.spilled_size);
		return slot_pointer(word);
	default:
		return NULL;
	}
}

static bool is_short_fill(const void *data, unsigned int len)
{
	return len == MTG_FILL_LEN && !memcmp(data, data + 4, 4);
}

/*
 * Find room for the new contents of a slot whose word is @old. In a full pool the
 * place of the old object is used, if the new one fits there. Then *@replaced is
 * set and there is nothing left to drop.
 */
static int place(struct mtg_slots *slots, u32 index, u64 old, unsigned int len,
		 u32 *granule, bool *replaced)
{
	int ret = mtg_pool_alloc(slots->pool, len, index, MTG_STORE, granule);

	*replaced = ret && slot_type(old) == SLOT_OBJECT &&
		    mtg_pool_realloc(slots->pool, object_granule(old),
				     object_len(old), len, index, granule);
	return *replaced ? 0 : ret;
}

/**
 * mtg_slot_store() - store the contents of a slot
 * @slots: The table.
 * @index: The slot.
 * @data: The contents as the caller encoded them.
 * @len: Their length: MTG_FILL_LEN for a pattern that fills the page,
 *	MTG_SLOT_SIZE for a page as it is, else anything in between.
 *
 * Context: Atomic or not; not in interrupts. Allocates no memory.
 * Return: 0; -ENOSPC or -EDQUOT like mtg_pool_alloc(), and then the slot keeps
 *         its old contents.
 */
int mtg_slot_store(struct mtg_slots *slots, u32 index, const void *data,
		   unsigned int len)
{
	bool replaced = false;
	void *memory = NULL;
	u64 old, new;
	u32 granule;
	int ret = 0;

	raw_spin_lock(slot_lock(slots, index));
	old = slots->table[index];
	if (is_short_fill(data, len)) {
		new = (u64)*(const u32 *)data << 32 | SLOT_FILL;
	} else {
		ret = place(slots, index, old, len, &granule, &replaced);
		if (ret)
			goto out;
		memcpy(mtg_pool_object(slots->pool, granule)->data, data, len);
		new = make_object(granule, len);
	}
	account(slots, old, -1);
	if (!replaced)
		memory = drop(slots, old);
	slots->table[index] = new;
	account(slots, new, 1);
	if (len == MTG_SLOT_SIZE)
		atomic64_inc(&slots->stats.huge_since);
out:
	raw_spin_unlock(slot_lock(slots, index));
	kfree(memory);
	return ret;
}
EXPORT_SYMBOL_IF_KUNIT(mtg_slot_store);

/**
 * mtg_slot_load() - copy out the contents of a slot
 * @slots: The table.
 * @index: The slot.
 * @buf: Room for MTG_SLOT_SIZE bytes.
 *
 * Context: Atomic or not; not in interrupts.
 * Return: Length of the contents as they were stored; 0 if there are none;
 *         -EIO if they were lost.
 */
int mtg_slot_load(struct mtg_slots *slots, u32 index, void *buf)
{
	u32 fill[2];
	u64 word;
	int len;

	raw_spin_lock(slot_lock(slots, index));
	word = slots->table[index];
	len = slot_len(word);
	switch (slot_type(word)) {
	case SLOT_OBJECT:
		memcpy(buf, mtg_pool_object(slots->pool, object_granule(word))->data,
		       len);
		break;
	case SLOT_SPILL:
		memcpy(buf, ((struct spill *)slot_pointer(word))->data, len);
		break;
	case SLOT_SPILL_RAW:
		memcpy(buf, slot_pointer(word), len);
		break;
	case SLOT_FILL:
		fill[0] = word >> 32;
		fill[1] = word >> 32;
		memcpy(buf, fill, sizeof(fill));
		break;
	case SLOT_LOST:
		len = -EIO;
		break;
	case SLOT_EMPTY:
		break;
	}
	raw_spin_unlock(slot_lock(slots, index));
	return len;
}
EXPORT_SYMBOL_IF_KUNIT(mtg_slot_load);

/**
 * mtg_slot_free() - forget the contents of a slot
 * @slots: The table.
 * @index: The slot.
 *
 * Context: Atomic or not, also with interrupts off; not in interrupts.
 * Return: True if the slot held something.
 */
bool mtg_slot_free(struct mtg_slots *slots, u32 index)
{
	void *memory;
	u64 old;

	raw_spin_lock(slot_lock(slots, index));
	old = slots->table[index];
	slots->table[index] = SLOT_EMPTY;
	account(slots, old, -1);
	memory = drop(slots, old);
	raw_spin_unlock(slot_lock(slots, index));
	kfree(memory);
	return slot_type(old) != SLOT_EMPTY;
}
EXPORT_SYMBOL_IF_KUNIT(mtg_slot_free);

/* Does the slot own the object at @granule? @index may be garbage. */
static bool refers_to(struct mtg_slots *slots, u32 index, u32 granule)
{
	u64 word = index < slots->nr ? slots->table[index] : SLOT_EMPTY;

	return slot_type(word) == SLOT_OBJECT && object_granule(word) == granule;
}

/* Copy the slot's object to another place in the pool. Under the slot's lock. */
static int move_object(struct mtg_slots *slots, u32 index, enum mtg_alloc_mode mode)
{
	u64 old = slots->table[index];
	unsigned int len = object_len(old);
	u32 granule;
	int ret;

	ret = mtg_pool_alloc(slots->pool, len, index, mode, &granule);
	if (ret)
		return ret;
	memcpy(mtg_pool_object(slots->pool, granule)->data,
	       mtg_pool_object(slots->pool, object_granule(old))->data, len);
	slots->table[index] = make_object(granule, len);
	free_object(slots, old);
	atomic64_inc(&slots->stats.moved);
	return 0;
}

/*
 * Copy the slot's object to ordinary memory, spill_size() bytes of it. Under the
 * slot's lock.
 */
static void spill_object(struct mtg_slots *slots, u32 index, void *memory)
{
	u64 old = slots->table[index];
	unsigned int len = object_len(old);
	const void *data = mtg_pool_object(slots->pool, object_granule(old))->data;
	struct spill *spill = memory;

	if (len == MTG_SLOT_SIZE) {
		memcpy(memory, data, len);
		slots->table[index] = (uintptr_t)memory | SLOT_SPILL_RAW;
	} else {
		spill->len = len;
		memcpy(spill->data, data, len);
		slots->table[index] = (uintptr_t)memory | SLOT_SPILL;
	}
	free_object(slots, old);
	atomic64_inc(&slots->stats.spilled);
	atomic64_add(len, &slots->stats.spilled_size);
}

/*
 * The last resort: the data is gone, and whoever reads it is told so. Better than
 * tags that overwrite it unnoticed, or tags that are overwritten by it.
 */
static void lose_object(struct mtg_slots *slots, u32 index)
{
	u64 old = slots->table[index];

	account(slots, old, -1);
	slots->table[index] = SLOT_LOST;
	account(slots, SLOT_LOST, 1);
	free_object(slots, old);
	atomic64_inc(&slots->stats.lost);
	pr_err_ratelimited("%s: no memory to relocate slot %u, its data is lost\n",
			   slots->name, index);
}

/*
 * An object's header names a slot that does not own it. The object is not
 * followed anywhere: its owner is searched in the table instead, and the header
 * repaired. Slow, and never needed unless something scribbles over the arena.
 */
static bool repair_owner(struct mtg_slots *slots, u32 granule, u32 wrong)
{
	u32 index;

	if (!slots->broken)
		pr_err("%s: object at granule %u has a damaged header (owner %u), tag storage was overwritten\n",
		       slots->name, granule, wrong);
	WRITE_ONCE(slots->broken, true);

	for (index = 0; index < slots->nr; index++) {
		bool found;

		raw_spin_lock(slot_lock(slots, index));
		found = refers_to(slots, index, granule);
		if (found)
			mtg_pool_object(slots->pool, granule)->owner = index;
		raw_spin_unlock(slot_lock(slots, index));
		if (found)
			return true;
	}
	return false;
}

/*
 * Is the header of the object wrong? Under the lock of the slot @index, which the
 * header named but which does not own it: if the header still says so, no store
 * or free is under way that would explain it.
 */
static bool damaged(struct mtg_slots *slots, u32 granule, u32 index)
{
	u32 owner;

	return mtg_pool_owner(slots->pool, granule, &owner) && owner == index;
}

/*
 * Evict an object that the pool has no room for. Under the slot's lock. -EAGAIN:
 * come back with *@need bytes of memory, which are allocated without the lock.
 */
static int evict_homeless(struct mtg_slots *slots, u32 index, void **memory,
			  size_t *need)
{
	size_t size = spill_size(object_len(slots->table[index]));

	if (size > *need) {
		*need = size;
		return -EAGAIN;
	}
	if (*memory)
		spill_object(slots, index, *memory);
	else
		lose_object(slots, index);
	*memory = NULL;
	return 0;
}

/*
 * Evict the object at @granule if it reaches beyond @start: to another place in
 * the pool; in mode MTG_MOVE also to ordinary memory, and if there is none, drop
 * it.
 */
static int evict(struct mtg_slots *slots, u32 granule, u32 start,
		 enum mtg_alloc_mode mode)
{
	size_t need = 0, have = 0;
	void *memory = NULL;
	int ret = 0;
	u32 index;

	while (mtg_pool_owner(slots->pool, granule, &index)) {
		bool wrong = false;

		raw_spin_lock(slot_lock(slots, index));
		if (!refers_to(slots, index, granule)) {
			wrong = damaged(slots, granule, index);
			ret = -EAGAIN;
		} else if (granule + mtg_granules(object_len(slots->table[index])) > start) {
			ret = move_object(slots, index, mode);
			if (ret && mode == MTG_MOVE)
				ret = evict_homeless(slots, index, &memory, &need);
		}
		raw_spin_unlock(slot_lock(slots, index));

		if (ret != -EAGAIN)
			break;
		ret = 0;
		/* An object without an owner is nobody's data. */
		if (wrong && !repair_owner(slots, granule, index))
			break;
		if (need > have) {
			kfree(memory);
			memory = kmalloc(need, GFP_ATOMIC | __GFP_NOWARN);
			have = need;
		}
	}
	kfree(memory);
	return ret;
}

static int evict_block(struct mtg_slots *slots, u32 block, enum mtg_alloc_mode mode)
{
	u32 granule, start = mtg_pool_block_start(slots->pool, block);
	int ret = 0;

	mtg_pool_close(slots->pool, block);
	for (granule = mtg_pool_first_object(slots->pool, block);
	     granule != MTG_NO_GRANULE && !ret;
	     granule = mtg_pool_next_object(slots->pool, block, granule))
		ret = evict(slots, granule, start, mode);
	return ret;
}

/**
 * mtg_slots_vacate() - move all objects out of a block that is wanted for tags
 * @slots: The table.
 * @block: The block.
 *
 * Objects go to other blocks; if there is no room, to ordinary memory that is
 * allocated without waiting; and if there is none, they are dropped, counted and
 * logged, and reads of their slots fail from then on.
 *
 * Context: Atomic or not; not in interrupts. Never sleeps. The work is bounded by
 *          the objects that touch one block.
 */
void mtg_slots_vacate(struct mtg_slots *slots, u32 block)
{
	evict_block(slots, block, MTG_MOVE);
}
EXPORT_SYMBOL_IF_KUNIT(mtg_slots_vacate);

/**
 * mtg_slots_shrink() - let the objects use fewer blocks
 * @slots: The table.
 * @nr_blocks: Number of blocks that may be in use.
 *
 * The emptiest blocks are given up first, as that moves the least.
 *
 * Context: Process context, may sleep. The caller serialises calls.
 * Return: 0, and the pool's limit is @nr_blocks; -ENOSPC if the objects do not fit,
 *         and then the limit is as before.
 */
int mtg_slots_shrink(struct mtg_slots *slots, u32 nr_blocks)
{
	struct mtg_pool *pool = slots->pool;
	unsigned int per_block = 1U << pool->block_shift, max;
	u32 block, limit = pool->limit;

	if (atomic64_read(&pool->used_granules) > (u64)nr_blocks << pool->block_shift)
		return -ENOSPC;
	/* From here on no block is opened beyond it, see may_open(). */
	WRITE_ONCE(pool->limit, nr_blocks);
	for (max = per_block / 16; max <= per_block; max += per_block / 16) {
		for (block = 0; block < pool->nr_blocks; block++) {
			unsigned int weight;

			if (atomic_read(&pool->nr_open) <= nr_blocks)
				return 0;
			weight = mtg_pool_block_weight(pool, block);
			if (!weight || weight > max)
				continue;
			evict_block(slots, block, MTG_SHRINK);
			mtg_pool_reopen(pool, block);
			cond_resched();
		}
	}
	if (atomic_read(&pool->nr_open) <= nr_blocks)
		return 0;
	WRITE_ONCE(pool->limit, limit);
	return -ENOSPC;
}
EXPORT_SYMBOL_IF_KUNIT(mtg_slots_shrink);

/**
 * mtg_slots_init() - set up a table of empty slots
 * @slots: The table, zeroed.
 * @name: Name of the device; must live as long as the table.
 * @pool: Where the objects will be.
 * @nr: Number of slots.
 *
 * Context: Process context, may sleep.
 * Return: 0 or -ENOMEM.
 */
int mtg_slots_init(struct mtg_slots *slots, const char *name, struct mtg_pool *pool,
		   u32 nr)
{
	unsigned int i;

	slots->name = name;
	slots->pool = pool;
	slots->nr = nr;
	/* Not kvcalloc(), which warns of the sizes an administrator may ask for. */
	slots->table = vzalloc(array_size(nr, sizeof(*slots->table)));
	if (!slots->table)
		return -ENOMEM;
	for (i = 0; i < MTG_SLOT_LOCKS; i++)
		raw_spin_lock_init(&slots->locks[i]);
	return 0;
}
EXPORT_SYMBOL_IF_KUNIT(mtg_slots_init);

/**
 * mtg_slots_clear() - free all slots
 * @slots: The table; nobody reads or writes slots any more, but blocks may still
 *	be vacated.
 *
 * Context: Process context, may sleep.
 */
void mtg_slots_clear(struct mtg_slots *slots)
{
	u32 index;

	for (index = 0; index < slots->nr; index++) {
		mtg_slot_free(slots, index);
		cond_resched();
	}
}
EXPORT_SYMBOL_IF_KUNIT(mtg_slots_clear);

/**
 * mtg_slots_destroy() - free the memory of a table
 * @slots: The table, cleared; nobody vacates blocks any more.
 *
 * Context: Process context, may sleep.
 */
void mtg_slots_destroy(struct mtg_slots *slots)
{
	vfree(slots->table);
}
EXPORT_SYMBOL_IF_KUNIT(mtg_slots_destroy);
