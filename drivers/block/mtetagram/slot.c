// SPDX-License-Identifier: GPL-2.0
/*
 * The slot table, and the relocation of the objects that slots own.
 *
 * A slot's word holds a type in its three lowest bits and, by type:
 *
 *   SLOT_EMPTY   0: never written, or freed; reads as zeros
 *   SLOT_OBJECT  bits 3-15 length of the payload, bits 32-63 granule in the pool
 *   SLOT_FILL    bits 32-63 a 32-bit pattern that fills the page
 *   SLOT_SPILL   address of a struct spilled in ordinary memory (8 byte aligned)
 *   SLOT_SPILL_RAW  address of an incompressible page's copy in ordinary memory
 *   SLOT_LOST    the data had to be dropped; reads fail until it is written anew
 *
 *               store          evict           settle
 *   any state  -------> OBJECT -------> SPILL --------> OBJECT
 *   any state  -------> FILL      or --> LOST
 *   any state  --free-> EMPTY
 *
 * A slot's lock protects its word *and* the object behind it: an object is in the
 * pool if and only if its owner's word points to it, seen under the owner's lock.
 * That is what makes it possible to empty a block while all else goes on: find an
 * object in the bitmap, read its owner, lock the owner, and look again.
 *
 * An orphan is an object in the pool whose header was overwritten: nobody knows its owner,
 * but the owner knows it. If its block is emptied, the data goes to ordinary memory, and the
 * start bit of the object is cleared; its granules stay in use, so that nothing else can
 * begin there. The owner, who comes some day, finds no object where his word points, but an
 * orphan of that number. This costs nothing before such a header was found.
 *
 * Lock order: slot lock > orphan lock > group lock (pool.c) > tag block lock (tagblock.c),
 * and orphan lock > spill lock (spill.c).
 */

#include <kunit/visibility.h>
#include <linux/bug.h>
#include <linux/build_bug.h>
#include <linux/compiler.h>
#include <linux/errno.h>
#include <linux/gfp.h>
#include <linux/minmax.h>
#include <linux/mm.h>
#include <linux/overflow.h>
#include <linux/printk.h>
#include <linux/sched.h>
#include <linux/slab.h>
#include <linux/string.h>
#include <linux/vmalloc.h>

#include "inject.h"
#include "slot.h"
#include "trace.h"

/*
 * Groups that compaction tries to empty in vain before it ends. What is left then has
 * holes that are too small.
 */
#define COMPACT_PATIENCE	16

/* Others may take the spare page that was meant for an object, but not again and again. */
#define OFFLINE_TRIES		4

/* Blocks that are searched for kept ones before others may run: 8 KiB of a bitmap. */
#define KEPT_AT_ONCE		65536U

/* Slots that mtg_slots_clear() frees before it lets others run: some 5 us. */
#define SLOTS_PER_BREATH	16

/*
 * Free runs in the pool that are looked at for the objects of 4 KiB, before what is left of
 * these goes to ordinary memory: so nobody who leaves small holes everywhere makes it
 * a long search. Objects of heaps need 8 to 16 in the median and 30 at most.
 */
#define MAX_RUNS		128
#define MIN_BLOCK_SHIFT		(12 - MTG_GRANULE_SHIFT)

#define SLOT_TYPE_MASK	7ULL

enum slot_type {
	SLOT_EMPTY,
	SLOT_OBJECT,
	SLOT_FILL,
	SLOT_SPILL,
	SLOT_LOST,
	SLOT_SPILL_RAW,
};

/* An object outside the pool. Not for raw pages, which would need two pages then. */
struct spilled {
	unsigned int len;
	u8 data[];
};

/**
 * struct mtg_orphan - an object whose owner is not known
 * @next: The next one of the same list.
 * @granule: Where it was.
 * @granules: How long it is.
 * @object: As it was in the pool.
 */
struct mtg_orphan {
	struct mtg_orphan *next;
	u32 granule;
	u32 granules;
	struct mtg_object object;
};

static size_t orphan_size(u32 granules)
{
	return offsetof(struct mtg_orphan, object) + granules * MTG_GRANULE_SIZE;
}

/* Ordinary memory that an object of @len bytes needs: never more than 4 KiB. */
static size_t spilled_size(unsigned int len)
{
	struct spilled *spilled;

	return len == MTG_SLOT_SIZE ? len : struct_size(spilled, data, len);
}

static struct mtg_slot_set *slot_set(struct mtg_slots *slots, u32 index)
{
	return &slots->sets[index % MTG_SLOT_SETS];
}

/* True if the orphan lock is held as well: to be given to unlock_set(). */
static __always_inline bool lock_set(struct mtg_slots *slots, struct mtg_slot_set *set)
{
	raw_spin_lock(&set->lock);
	if (likely(!READ_ONCE(slots->broken)))
		return false;
	raw_spin_lock(&slots->orphan_lock);
	__release(&slots->orphan_lock); /* sparse does not know */
	return true;
}

static __always_inline void unlock_set(struct mtg_slots *slots, struct mtg_slot_set *set,
				       bool stopped)
{
	if (unlikely(stopped)) {
		__acquire(&slots->orphan_lock); /* see above */
		raw_spin_unlock(&slots->orphan_lock);
	}
	raw_spin_unlock(&set->lock);
}

static u64 *word_in_set(struct mtg_slot_set *set, u32 index)
{
	return &set->chunks[index / MTG_CHUNK_SLOTS][index % MTG_CHUNK_SLOTS];
}

/* The slot's word. To be looked up under its lock, as the table may grow. */
static u64 *slot_word(struct mtg_slots *slots, u32 index)
{
	return word_in_set(slot_set(slots, index), index);
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

/* Bytes of payload of a slot that holds something. Most are in the pool. */
static __always_inline unsigned int slot_len(u64 word)
{
	if (likely(slot_type(word) == SLOT_OBJECT))
		return object_len(word);
	switch (slot_type(word)) {
	case SLOT_SPILL:
		return ((struct spilled *)slot_pointer(word))->len;
	case SLOT_SPILL_RAW:
		return MTG_SLOT_SIZE;
	case SLOT_FILL:
		return MTG_FILL_LEN;
	default:
		return 0;
	}
}

/* What the set holds is read without its lock. */
static __always_inline void count(u32 *counter, int n)
{
	WRITE_ONCE(*counter, *counter + n);
}

static __always_inline void count_bytes(struct mtg_slot_set *set, int n)
{
	WRITE_ONCE(set->compr_size, set->compr_size + n);
}

/* Count contents of @len bytes in (@sign 1) or out (@sign -1) of what the set holds. */
static __always_inline void account_len(struct mtg_slot_set *set, unsigned int len, int sign)
{
	count(&set->stored, sign);
	if (len == MTG_FILL_LEN) {
		count(&set->same, sign);
		/* Like zram, whose patterns need no memory. */
		return;
	}
	count_bytes(set, sign * (int)len);
	if (len == MTG_SLOT_SIZE)
		count(&set->huge, sign);
}

/* The same for what @word refers to. */
static __always_inline void account(struct mtg_slot_set *set, u64 word, int sign)
{
	if (slot_type(word) != SLOT_EMPTY)
		account_len(set, slot_len(word), sign);
}

/* Does it count as nothing but its length? */
static bool is_packed(u64 word)
{
	return slot_type(word) == SLOT_OBJECT && object_len(word) != MTG_SLOT_SIZE &&
	       object_len(word) != MTG_FILL_LEN;
}

/* A slot's word changes from @old to @new. */
static __always_inline void account_change(struct mtg_slot_set *set, u64 old, u64 new)
{
	if (likely(is_packed(old) && is_packed(new))) {
		count_bytes(set, (int)(object_len(new) - object_len(old)));
		return;
	}
	account(set, old, -1);
	account(set, new, 1);
}

static struct mtg_orphan **find_orphan(struct mtg_slots *slots, u32 granule)
{
	struct mtg_orphan **p = &slots->orphans[granule / MTG_MIN_GRANULES % MTG_ORPHAN_LISTS];

	while (*p && (*p)->granule != granule)
		p = &(*p)->next;
	return p;
}

/* What @word points to, after mtg_slots_stop(); NULL if it was lost. */
static noinline const void *orphan_data(struct mtg_slots *slots, u64 word)
{
	u32 granule = object_granule(word);
	struct mtg_orphan *orphan;

	if (mtg_pool_begins(slots->pool, granule))
		return mtg_pool_data(slots->pool, granule, object_len(word));
	orphan = *find_orphan(slots, granule);
	return orphan ? orphan->object.data : NULL;
}

/* The payload of the object that @word points to. Under the slot's lock. */
static __always_inline const void *object_data(struct mtg_slots *slots, u64 word)
{
	if (likely(!READ_ONCE(slots->broken)))
		return mtg_pool_data(slots->pool, object_granule(word), object_len(word));
	return orphan_data(slots, word);
}

static noinline void forget_orphan(struct mtg_slots *slots, u32 granule)
{
	struct mtg_orphan **p = find_orphan(slots, granule), *orphan = *p;

	if (!orphan)
		return;
	*p = orphan->next;
	mtg_spill_free(&slots->spill, orphan, orphan_size(orphan->granules));
}

static __always_inline void free_object(struct mtg_slots *slots, u64 word)
{
	if (unlikely(READ_ONCE(slots->broken)))
		forget_orphan(slots, object_granule(word));
	mtg_pool_free(slots->pool, object_granule(word), object_len(word));
}

static bool is_spilled(u64 word)
{
	return slot_type(word) == SLOT_SPILL || slot_type(word) == SLOT_SPILL_RAW;
}

static noinline void free_spilled(struct mtg_slots *slots, u32 index, u64 word)
{
	mtg_map_clear(slot_set(slots, index)->spilled, index);
	mtg_spill_free(&slots->spill, slot_pointer(word), spilled_size(slot_len(word)));
}

/* Let go of what @word referred to, which the slot held. Under the slot's lock. */
static __always_inline void drop(struct mtg_slots *slots, u32 index, u64 word)
{
	if (likely(slot_type(word) == SLOT_OBJECT))
		free_object(slots, word);
	else if (is_spilled(word))
		free_spilled(slots, index, word);
}

/* There may be objects in kept blocks. */
static void use_kept(struct mtg_slots *slots)
{
	WRITE_ONCE(slots->kept_used, true);
	WRITE_ONCE(slots->unsettled, true);
}

static bool is_unsettled(struct mtg_slots *slots)
{
	return atomic_read(&slots->spill.nr_pages) || READ_ONCE(slots->kept_used);
}

/* Something has changed that lets spilled objects go home. Without our locks. */
static noinline void wake_if_spilled(struct mtg_slots *slots)
{
	if (is_unsettled(slots) && slots->wake)
		slots->wake(slots);
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
 *	MTG_SLOT_SIZE for a page as it is, else at most MTG_MAX_LEN.
 *
 * Context: Atomic or not; not in interrupts. Allocates no memory.
 * Return: 0; -ENOSPC or -EDQUOT like mtg_pool_alloc(), or -EROFS after
 *         mtg_slots_stop(), and then the slot keeps its old contents.
 */
int mtg_slot_store(struct mtg_slots *slots, u32 index, const void *data,
		   unsigned int len)
{
	struct mtg_slot_set *set = slot_set(slots, index);
	bool replaced = false;
	u64 *word, old, new;
	u32 granule;
	int ret = 0;

	raw_spin_lock(&set->lock);
	if (unlikely(READ_ONCE(slots->broken))) {
		ret = -EROFS;
		goto out;
	}
	word = word_in_set(set, index);
	old = *word;
	if (is_short_fill(data, len)) {
		new = (u64)*(const u32 *)data << 32 | SLOT_FILL;
	} else {
		ret = place(slots, index, old, len, &granule, &replaced);
		if (ret)
			goto out;
		memcpy(mtg_pool_data(slots->pool, granule, len), data, len);
		new = make_object(granule, len);
	}
	account_change(set, old, new);
	if (!replaced)
		drop(slots, index, old);
	*word = new;
	if (len == MTG_SLOT_SIZE)
		atomic64_inc(&slots->stats.huge_since);
out:
	raw_spin_unlock(&set->lock);
	return ret;
}
EXPORT_SYMBOL_IF_KUNIT(mtg_slot_store);

/**
 * mtg_slot_room() - how large may the new contents of a slot be?
 * @slots: The table.
 * @index: The slot.
 * @len: Where to put the largest length that may find a place.
 *
 * Context: Atomic or not; not in interrupts. A hint.
 * Return: 0 if all do; else the error that mtg_slot_store() returns for those that
 *         are longer than @len.
 */
int mtg_slot_room(struct mtg_slots *slots, u32 index, unsigned int *len)
{
	struct mtg_slot_set *set = slot_set(slots, index);
	int ret = mtg_pool_room(slots->pool, len);
	enum slot_type type;

	if (!ret)
		return 0;
	/* What is overwritten makes room, see place(). */
	raw_spin_lock(&set->lock);
	type = slot_type(*word_in_set(set, index));
	raw_spin_unlock(&set->lock);
	if (type == SLOT_OBJECT) {
		*len = MTG_SLOT_SIZE;
		ret = 0;
	}
	return ret;
}
EXPORT_SYMBOL_IF_KUNIT(mtg_slot_room);

/* After mtg_slots_stop(), when the object of @word may be an orphan. Under the slot's lock. */
static noinline int load_stopped(struct mtg_slots *slots, u64 word, void *buf)
{
	int len = object_len(word);
	const void *data;

	raw_spin_lock(&slots->orphan_lock);
	data = orphan_data(slots, word);
	if (data)
		memcpy(buf, data, len);
	raw_spin_unlock(&slots->orphan_lock);
	return data ? len : -EIO;
}

/* What is not in the pool. Under the slot's lock. */
static int load_other(u64 word, void *buf, void *page)
{
	const struct spilled *spilled;
	u32 *fill = buf;

	switch (slot_type(word)) {
	case SLOT_FILL:
		fill[0] = word >> 32;
		fill[1] = word >> 32;
		return MTG_FILL_LEN;
	case SLOT_SPILL:
		spilled = slot_pointer(word);
		memcpy(buf, spilled->data, spilled->len);
		return spilled->len;
	case SLOT_SPILL_RAW:
		memcpy(page, slot_pointer(word), MTG_SLOT_SIZE);
		return MTG_SLOT_SIZE;
	case SLOT_LOST:
		return -EIO;
	default:
		return 0;
	}
}

/**
 * mtg_slot_load_to() - copy out the contents of a slot
 * @slots: The table.
 * @index: The slot.
 * @buf: Room for MTG_SLOT_SIZE bytes, aligned to 4.
 * @page: Where to put a page that was stored as it is, instead of @buf.
 *
 * Context: Atomic or not; not in interrupts.
 * Return: Length of the contents as they were stored; 0 if there are none;
 *         -EIO if they were lost.
 */
int mtg_slot_load_to(struct mtg_slots *slots, u32 index, void *buf, void *page)
{
	struct mtg_slot_set *set = slot_set(slots, index);
	u64 word;
	int len;

	raw_spin_lock(&set->lock);
	word = *word_in_set(set, index);
	if (likely(slot_type(word) == SLOT_OBJECT)) {
		len = object_len(word);
		if (len == MTG_SLOT_SIZE)
			buf = page;
		if (likely(!READ_ONCE(slots->broken)))
			memcpy(buf, mtg_pool_data(slots->pool, object_granule(word), len), len);
		else
			len = load_stopped(slots, word, buf);
	} else {
		len = load_other(word, buf, page);
	}
	raw_spin_unlock(&set->lock);
	return len;
}
EXPORT_SYMBOL_IF_KUNIT(mtg_slot_load_to);

/* After mtg_slots_stop(), when the object of @word may be an orphan. Under the slot's lock. */
static noinline void drop_stopped(struct mtg_slots *slots, u32 index, u64 word)
{
	raw_spin_lock(&slots->orphan_lock);
	drop(slots, index, word);
	raw_spin_unlock(&slots->orphan_lock);
}

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
	struct mtg_slot_set *set = slot_set(slots, index);
	u64 *word, old;

	raw_spin_lock(&set->lock);
	word = word_in_set(set, index);
	old = *word;
	*word = SLOT_EMPTY;
	if (unlikely(READ_ONCE(slots->broken))) {
		account(set, old, -1);
		drop_stopped(slots, index, old);
	} else if (likely(slot_type(old) == SLOT_OBJECT)) {
		account_len(set, object_len(old), -1);
		mtg_pool_free(slots->pool, object_granule(old), object_len(old));
	} else {
		account(set, old, -1);
		drop(slots, index, old);
	}
	raw_spin_unlock(&set->lock);
	if (unlikely(READ_ONCE(slots->unsettled)))
		wake_if_spilled(slots);
	return slot_type(old) != SLOT_EMPTY;
}
EXPORT_SYMBOL_IF_KUNIT(mtg_slot_free);

/* For who may meet a table that grows: so many words it has, if it is looked up now. */
static u32 nr_words(struct mtg_slots *slots)
{
	/* Pairs with the smp_store_release() in mtg_slots_grow(). */
	return smp_load_acquire(&slots->nr);
}

/* Does the slot own the object at @granule? @index may be garbage. */
static bool refers_to(struct mtg_slots *slots, u32 index, u32 granule)
{
	u64 word = index < nr_words(slots) ? *slot_word(slots, index) : SLOT_EMPTY;

	return slot_type(word) == SLOT_OBJECT && object_granule(word) == granule;
}

/*
 * The last resort: the data is gone, and whoever reads it is told so. Better than
 * tags that overwrite it unnoticed, or tags that are overwritten by it. Always 0.
 */
static int lose_object(struct mtg_slots *slots, u32 index)
{
	u64 *word = slot_word(slots, index), old = *word;

	account_change(slot_set(slots, index), old, SLOT_LOST);
	*word = SLOT_LOST;
	free_object(slots, old);
	trace_mtetagram_fail(slots->name, object_granule(old) >> slots->pool->block_shift,
			     MTG_RUNG_LOSE);
	pr_err_ratelimited("%s: no memory to relocate slot %u, its data is lost\n",
			   slots->name, index);
	return 0;
}

/* Copy the slot's object to another place in the pool. Under the slot's lock. */
static int move_object(struct mtg_slots *slots, u32 index, enum mtg_alloc_mode mode,
		       unsigned int *runs)
{
	u64 *word = slot_word(slots, index), old = *word;
	const void *data = object_data(slots, old);
	unsigned int len = object_len(old);
	u32 granule;
	int ret;

	if (!data)
		return lose_object(slots, index);
	ret = mtg_pool_alloc_counted(slots->pool, len, index, mode, &granule, runs);
	if (ret)
		return ret;
	memcpy(mtg_pool_data(slots->pool, granule, len), data, len);
	*word = make_object(granule, len);
	free_object(slots, old);
	atomic64_inc(&slots->stats.relocated);
	trace_mtetagram_relocate(slots->name, object_granule(old) >> slots->pool->block_shift,
				 index, len, granule >> slots->pool->block_shift);
	return 0;
}

/*
 * Copy the slot's object to a spare page of ordinary memory. Under the slot's lock.
 * -ENOMEM: there is none.
 */
static int spill_object(struct mtg_slots *slots, u32 index, enum mtg_rung rung)
{
	u64 *word = slot_word(slots, index), old = *word;
	unsigned int len = object_len(old);
	const void *data = object_data(slots, old);
	struct spilled *spilled;
	void *memory;

	if (!data)
		return lose_object(slots, index);
	memory = mtg_spill_alloc(&slots->spill, spilled_size(len));
	if (!memory)
		return -ENOMEM;
	spilled = memory;
	if (len == MTG_SLOT_SIZE) {
		memcpy(memory, data, len);
		*word = (uintptr_t)memory | SLOT_SPILL_RAW;
	} else {
		spilled->len = len;
		memcpy(spilled->data, data, len);
		*word = (uintptr_t)memory | SLOT_SPILL;
	}
	mtg_map_set(slot_set(slots, index)->spilled, index);
	WRITE_ONCE(slots->unsettled, true);
	free_object(slots, old);
	trace_mtetagram_spill(slots->name, object_granule(old) >> slots->pool->block_shift,
			      index, len, rung);
	return 0;
}

/**
 * mtg_slots_stop() - store nothing any more, as something overwrites tag storage
 * @slots: The table.
 *
 * For when an error is found that the driver cannot have made: there is a way to
 * store tags that the hook does not know, or the device tree is wrong about where
 * tags are. What is stored can be read and freed, and mtg_slots_settle() takes it out
 * of tag storage, before more of it is overwritten. The table is like that for the
 * rest of its life.
 *
 * Context: Any but interrupts; no slot lock held.
 */
void mtg_slots_stop(struct mtg_slots *slots)
{
	if (READ_ONCE(slots->broken))
		return;
	WRITE_ONCE(slots->broken, true);
	pr_err("%s: tag storage was overwritten, nothing is stored any more until the next reset\n",
	       slots->name);
	if (slots->wake)
		slots->wake(slots);
}
EXPORT_SYMBOL_IF_KUNIT(mtg_slots_stop);

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

static void count_rung(struct mtg_slots *slots, enum mtg_rung rung)
{
	atomic64_inc(&slots->stats.rung[rung]);
}

/*
 * Whoever has a slot lock and did not take the orphan lock, because he took it before
 * mtg_slots_stop(), gives it back soon; then all know that there may be orphans.
 */
static void let_orphans_be(struct mtg_slots *slots)
{
	unsigned int i;

	/* Pairs with the smp_store_release() below, by another CPU. */
	if (smp_load_acquire(&slots->orphans_allowed))
		return;
	for (i = 0; i < MTG_SLOT_SETS; i++) {
		raw_spin_lock(&slots->sets[i].lock);
		raw_spin_unlock(&slots->sets[i].lock);
	}
	/* Pairs with the smp_load_acquire() above. */
	smp_store_release(&slots->orphans_allowed, true);
}

/* Copy the object to ordinary memory, for its owner to find it. Under the orphan lock. */
static int keep_orphan(struct mtg_slots *slots, u32 granule, u32 granules)
{
	struct mtg_orphan **p = find_orphan(slots, granule), *orphan;

	BUILD_BUG_ON(offsetof(struct mtg_orphan, object) + MTG_RAW_LEN - MTG_GRANULE_SIZE >
		     4096 - 16);
	/* The owners of pages as they are lie elsewhere, and such pages are too long. */
	if (granules >= MTG_RAW_GRANULES)
		return -EIO;
	orphan = mtg_spill_alloc(&slots->spill, orphan_size(granules));
	if (!orphan)
		return -ENOMEM;
	memcpy(&orphan->object, mtg_pool_object(slots->pool, granule),
	       granules * MTG_GRANULE_SIZE);
	orphan->granule = granule;
	orphan->granules = granules;
	orphan->next = *p;
	*p = orphan;
	return 0;
}

/**
 * struct eviction - a block that is being emptied
 * @start: Its first granule.
 * @mode: MTG_MOVE by all rungs; else within the pool, as mtg_pool_alloc().
 * @last: The last rung in mode MTG_MOVE, see mtg_slots_evict().
 * @may_sleep: Spare pages may be allocated between two objects.
 * @too_long: The shortest object, in bytes, that found no room in the pool. Those that
 *	are as long are not tried there again, or a full pool would be searched for each
 *	of them. Others may free something meanwhile; that is no loss.
 * @runs: Free runs that were looked at. After MAX_RUNS for each 4 KiB of the block nothing
 *	more is moved within the pool in mode MTG_MOVE.
 */
struct eviction {
	u32 start;
	enum mtg_alloc_mode mode;
	enum mtg_rung last;
	bool may_sleep;
	unsigned int too_long;
	unsigned int runs;
};

/*
 * The object's header names a slot that does not own it. It is not followed anywhere, and
 * its owner is not searched, as that would take as long as the table is large: it becomes
 * an orphan, if it reaches into the block that is to be emptied for tags.
 */
static noinline int make_orphan(struct mtg_slots *slots, u32 granule,
				const struct eviction *ev, enum mtg_rung *rung)
{
	unsigned int granules;
	int ret = 0;

	if (!READ_ONCE(slots->broken))
		pr_err("%s: object at granule %u has a damaged header\n", slots->name, granule);
	mtg_slots_stop(slots);
	if (ev->mode != MTG_MOVE)
		return -ENOSPC;
	let_orphans_be(slots);
	raw_spin_lock(&slots->orphan_lock);
	granules = mtg_pool_extent(slots->pool, granule);
	if (granules && granule + granules > ev->start) {
		if (*rung < MTG_RUNG_SPARE)
			*rung = MTG_RUNG_SPARE;
		ret = *rung == MTG_RUNG_LOSE ? -EIO :
		      keep_orphan(slots, granule, granules);
		if (ret == -EIO) {
			*rung = MTG_RUNG_LOSE;
			pr_err_ratelimited("%s: an object without a header is lost\n",
					   slots->name);
			ret = 0;
		}
		if (!ret) {
			mtg_pool_disown(slots->pool, granule);
			count_rung(slots, *rung);
		}
	}
	raw_spin_unlock(&slots->orphan_lock);
	return ret;
}

/* Does it pay to look for room in the pool? */
static bool may_find_room(struct mtg_slots *slots, const struct eviction *ev,
			  unsigned int len)
{
	return len < ev->too_long &&
	       ev->runs < MAX_RUNS << slots->pool->block_shift >> MIN_BLOCK_SHIFT;
}

/* The first rungs: within the pool. */
static bool move_elsewhere(struct mtg_slots *slots, u32 index, struct eviction *ev,
			   enum mtg_rung *rung)
{
	*rung = MTG_RUNG_MOVE;
	if (!mtg_should_fail(*rung) && !move_object(slots, index, MTG_MOVE, &ev->runs))
		return true;
	*rung = MTG_RUNG_KEPT;
	if (mtg_should_fail(*rung) || move_object(slots, index, MTG_KEPT, &ev->runs))
		return false;
	use_kept(slots);
	return true;
}

/*
 * The rungs that can be tried under the slot's lock, as they allocate no memory.
 * -ENOMEM: the object has to be spilled, and there is no spare page.
 */
static int relocate(struct mtg_slots *slots, u32 index, struct eviction *ev,
		    enum mtg_rung *rung)
{
	unsigned int len = object_len(*slot_word(slots, index));

	if (*rung <= MTG_RUNG_SPARE) {
		if (may_find_room(slots, ev, len)) {
			if (move_elsewhere(slots, index, ev, rung))
				return 0;
			ev->too_long = len;
		}
		*rung = MTG_RUNG_SPARE;
		if (mtg_should_fail(*rung))
			return -ENOMEM;
	}
	return spill_object(slots, index, *rung);
}

/*
 * There was no spare page: allocate one, as the caller may. The rung that could is the
 * next one; if none could, the object is refused or lost. The pages that the kernel
 * keeps for itself are only for callers who would lose data without them.
 */
static enum mtg_rung next_rung(struct mtg_slots *slots, enum mtg_rung rung,
			       enum mtg_rung last)
{
	if (last < MTG_RUNG_ATOMIC)
		return MTG_RUNG_REFUSE;
	if (rung <= MTG_RUNG_ATOMIC && !mtg_should_fail(MTG_RUNG_ATOMIC) &&
	    mtg_spill_grow(&slots->spill, GFP_ATOMIC))
		return MTG_RUNG_ATOMIC;
	if (last < MTG_RUNG_EMERGENCY)
		return MTG_RUNG_REFUSE;
	if (!mtg_should_fail(MTG_RUNG_EMERGENCY) &&
	    mtg_spill_grow(&slots->spill, GFP_ATOMIC | __GFP_MEMALLOC))
		return MTG_RUNG_EMERGENCY;
	return MTG_RUNG_LOSE;
}

/*
 * Try to evict the object at @granule, if it reaches into the block, by way of @rung in
 * mode MTG_MOVE. -EAGAIN: look again.
 */
static int evict_once(struct mtg_slots *slots, u32 granule, struct eviction *ev,
		      enum mtg_rung *rung)
{
	bool wrong = false, stopped;
	struct mtg_slot_set *set;
	int ret = 0;
	u32 index;

	if (!mtg_pool_owner(slots->pool, granule, &index))
		return 0;
	set = slot_set(slots, index);
	stopped = lock_set(slots, set);
	if (!refers_to(slots, index, granule)) {
		wrong = damaged(slots, granule, index);
		ret = -EAGAIN;
	} else if (granule + mtg_granules(object_len(*slot_word(slots, index))) > ev->start) {
		if (ev->mode != MTG_MOVE)
			ret = move_object(slots, index, ev->mode, &ev->runs);
		else if (*rung == MTG_RUNG_LOSE)
			lose_object(slots, index);
		else
			ret = relocate(slots, index, ev, rung);
		if (ev->mode == MTG_MOVE && !ret)
			count_rung(slots, *rung);
	}
	unlock_set(slots, set, stopped);
	return wrong ? make_orphan(slots, granule, ev, rung) : ret;
}

/*
 * Evict the object at @granule, if it reaches into the block. In mode MTG_MOVE this can
 * fail only with -ENOMEM, and if that may be refused; else as mtg_pool_alloc().
 */
static int evict(struct mtg_slots *slots, u32 granule, struct eviction *ev)
{
	enum mtg_rung rung = MTG_RUNG_MOVE;
	bool searched = false;
	int ret;

	while ((ret = evict_once(slots, granule, ev, &rung))) {
		if (ret == -EAGAIN)
			continue;
		if (ret != -ENOMEM)
			return ret;
		rung = next_rung(slots, rung, ev->last);
		if (rung >= MTG_RUNG_REFUSE && ev->last > MTG_RUNG_SPARE && !searched) {
			/* Before anybody pays with data or a process, look everywhere. */
			searched = true;
			ev->runs = 0;
			rung = MTG_RUNG_MOVE;
			continue;
		}
		if (rung == MTG_RUNG_REFUSE)
			return ret;
	}
	return 0;
}

static int evict_block(struct mtg_slots *slots, u32 block, struct eviction ev)
{
	struct mtg_spill *spill = &slots->spill;
	u32 granule;
	int ret = 0;

	ev.start = mtg_pool_block_start(slots->pool, block);
	ev.too_long = UINT_MAX;
	mtg_pool_close(slots->pool, block);
	for (granule = mtg_pool_first_object(slots->pool, block);
	     granule != MTG_NO_GRANULE && !ret;
	     granule = mtg_pool_next_object(slots->pool, block, granule)) {
		/* No object needs more than one. */
		if (ev.may_sleep &&
		    !mtg_spill_fill(spill, 1, GFP_KERNEL | __GFP_RETRY_MAYFAIL))
			return -ENOMEM;
		ret = evict(slots, granule, &ev);
	}
	return ret;
}

/* Into other blocks only, as mtg_pool_alloc() allows it in that mode. */
static int evict_within_pool(struct mtg_slots *slots, u32 block, enum mtg_alloc_mode mode)
{
	return evict_block(slots, block, (struct eviction){ .mode = mode });
}

/**
 * mtg_slots_evict() - move all objects out of a block that is wanted for tags
 * @slots: The table.
 * @block: The block.
 * @last: The last rung that objects may go to: MTG_RUNG_SPARE for callers who prepare
 *	and can make room and try again, MTG_RUNG_ATOMIC for those who hold locks and
 *	can refuse the tags, MTG_RUNG_LOSE for those who can neither wait nor fail.
 *
 * Objects go where &enum mtg_rung says, in that order.
 *
 * Context: Atomic or not; not in interrupts. Never sleeps. The work is bounded by
 *          the objects that touch one block, whatever they are.
 * Return: 0, and the block is empty. -ENOMEM if there is no memory, and never if @last is
 *         MTG_RUNG_LOSE: then the block is closed, with the objects that are left, and
 *         the caller has to call mtg_pool_reopen().
 */
int mtg_slots_evict(struct mtg_slots *slots, u32 block, enum mtg_rung last)
{
	int ret = evict_block(slots, block, (struct eviction){ .mode = MTG_MOVE, .last = last });

	/* Who prepares makes room and comes again. */
	if (ret && last > MTG_RUNG_SPARE) {
		count_rung(slots, MTG_RUNG_REFUSE);
		trace_mtetagram_fail(slots->name, block, MTG_RUNG_REFUSE);
	}
	wake_if_spilled(slots);
	return ret;
}
EXPORT_SYMBOL_IF_KUNIT(mtg_slots_evict);

/*
 * Empty the open ones among the blocks [first, end), all of one group, into others,
 * as far as there is room. What cannot be emptied stays open.
 */
static void give_up(struct mtg_slots *slots, u32 first, u32 end)
{
	struct mtg_pool *pool = slots->pool;
	unsigned int closed = 0;
	u32 block;

	for (block = first; block < end; block++)
		if (mtg_pool_close(pool, block))
			closed |= 1U << (block - first);
	for (block = first; block < end; block++)
		if (closed & 1U << (block - first))
			evict_within_pool(slots, block, MTG_SHRINK);
	for (block = first; block < end; block++)
		if (closed & 1U << (block - first))
			mtg_pool_reopen(pool, block);
}

/*
 * Give up blocks until @nr_blocks are open or no more can be emptied, @step of them
 * at a time; or until that was in vain @patience times running. The emptiest groups
 * go first, as that moves the least. False if it is done.
 */
static bool sweep(struct mtg_slots *slots, u32 nr_blocks, unsigned int step,
		  unsigned int patience)
{
	struct mtg_pool *pool = slots->pool;
	unsigned int per_group = 1U << pool->group_shift, max, failed = 0;
	unsigned int shift = pool->group_shift - pool->block_shift;
	u32 block;
	int nr;

	for (max = per_group / 16; max <= per_group; max += per_group / 16) {
		for (block = 0; block < pool->nr_blocks; block += step) {
			nr = atomic_read(&pool->nr_open);
			if (nr <= nr_blocks)
				return false;
			/* Here, as there may be millions of blocks to leave alone. */
			cond_resched();
			if (mtg_pool_used_in(pool, block >> shift) > max) {
				/* To the end of the group; "step" is added to that. */
				block |= (1U << shift) - 1;
				block -= step - 1;
				continue;
			}
			give_up(slots, block, min(block + step, pool->nr_blocks));
			failed = atomic_read(&pool->nr_open) < nr ? 0 : failed + 1;
			if (failed > patience)
				return true;
		}
	}
	return true;
}

/*
 * First whole groups, as large objects find no place in what is left of others; then
 * what can be moved together within a group.
 */
static void give_up_blocks(struct mtg_slots *slots, u32 nr_blocks, unsigned int patience)
{
	struct mtg_pool *pool = slots->pool;

	/* Then all of it leaves the pool anyway. */
	if (READ_ONCE(slots->broken))
		return;
	if (sweep(slots, nr_blocks, 1U << (pool->group_shift - pool->block_shift), patience))
		sweep(slots, nr_blocks, 1, patience);
}

/**
 * mtg_slots_offline() - move all objects out of a block that must not hold data
 * @slots: The table.
 * @block: The block. The provider gives it to nobody any more.
 *
 * Context: Process context, may sleep. The caller serialises calls, also with
 *          mtg_slots_shrink().
 * Return: 0, and the block was given back; -ENOMEM if there is no memory for what is
 *         in it, and then some of it may have moved.
 */
int mtg_slots_offline(struct mtg_slots *slots, u32 block)
{
	struct eviction ev = {
		.mode = MTG_MOVE,
		.last = MTG_RUNG_SPARE,
		.may_sleep = true,
	};
	unsigned int tries = OFFLINE_TRIES;
	int ret;

	do
		ret = evict_block(slots, block, ev);
	while (ret && --tries);
	mtg_pool_reopen(slots->pool, block);
	return ret;
}

/*
 * Bring the spilled object of a slot back into the pool, if it has one that is shorter than
 * @too_long, which becomes its length if there is no room for it. True if it is back.
 */
static bool bring_home(struct mtg_slots *slots, u32 index, unsigned int *too_long)
{
	struct mtg_slot_set *set = slot_set(slots, index);
	bool home = false, stopped;
	unsigned int len;
	u64 *word, old;
	u32 granule;

	stopped = lock_set(slots, set);
	word = word_in_set(set, index);
	old = *word;
	len = slot_len(old);
	if (stopped || !is_spilled(old) || len >= *too_long)
		goto out;
	if (mtg_pool_alloc(slots->pool, len, index, MTG_STORE, &granule)) {
		*too_long = len;
		goto out;
	}
	memcpy(mtg_pool_data(slots->pool, granule, len),
	       slot_type(old) == SLOT_SPILL_RAW ? slot_pointer(old) :
	       ((struct spilled *)slot_pointer(old))->data, len);
	*word = make_object(granule, len);
	free_spilled(slots, index, old);
	atomic64_inc(&slots->stats.settled);
	home = true;
out:
	unlock_set(slots, set, stopped);
	return home;
}

/* All that find room. One that finds none does not keep shorter ones from trying. */
static bool bring_all_home(struct mtg_slots *slots)
{
	const struct mtg_map *spilled = slots->sets[0].spilled;
	unsigned int too_long = UINT_MAX;
	bool any = false;
	u32 index;

	for (index = mtg_map_next(spilled, 0, NULL, false); index < spilled->nr;
	     index = mtg_map_next(spilled, index + 1, NULL, false)) {
		any |= bring_home(slots, index, &too_long);
		cond_resched();
	}
	return any;
}

/* Empty the kept ones among the blocks [@block, @end). */
static void empty_kept_between(struct mtg_slots *slots, u32 block, u32 end)
{
	struct mtg_pool *pool = slots->pool;

	for (block = pool->provider->next_kept(pool->ctx, block, end); block < end;
	     block = pool->provider->next_kept(pool->ctx, block + 1, end)) {
		cond_resched();
		if (mtg_pool_weight(pool, block) == UINT_MAX)
			continue;
		if (evict_within_pool(slots, block, MTG_STORE))
			use_kept(slots);
		mtg_pool_reopen(pool, block);
	}
}

/* Empty the kept blocks into others, as far as there is room for new data. */
static void empty_kept_blocks(struct mtg_slots *slots)
{
	u32 block, nr = slots->pool->nr_blocks;

	for (block = 0; block < nr; block += min(KEPT_AT_ONCE, nr - block)) {
		empty_kept_between(slots, block, block + min(KEPT_AT_ONCE, nr - block));
		cond_resched();
	}
}

/* Move the slot's object out of the pool, if it has one; false if there is no memory. */
static bool take_out(struct mtg_slots *slots, u32 index)
{
	struct mtg_slot_set *set = slot_set(slots, index);
	struct mtg_spill *spill = &slots->spill;
	bool stopped;
	int ret = 0;

	/* The reserve is for others. */
	if (!mtg_spill_fill(spill, READ_ONCE(spill->target) + 1, GFP_KERNEL | __GFP_NORETRY))
		return false;
	stopped = lock_set(slots, set);
	if (slot_type(*word_in_set(set, index)) == SLOT_OBJECT) {
		ret = spill_object(slots, index, MTG_RUNG_SPARE);
		if (!ret)
			count_rung(slots, MTG_RUNG_SPARE);
	}
	unlock_set(slots, set, stopped);
	return !ret;
}

/* Move all objects out of the pool. Does not rely on what is in it. */
static void drain(struct mtg_slots *slots)
{
	u32 n;

	for (n = 0; n < slots->nr && atomic64_read(&slots->pool->used_granules); n++) {
		/* Here it goes on when there is memory again. */
		if (!take_out(slots, slots->cursor))
			return;
		slots->cursor = (slots->cursor + 1) % slots->nr;
		cond_resched();
	}
}

/**
 * mtg_slots_settle() - bring objects back that had to make way for tags
 * @slots: The table.
 *
 * Spilled objects go into the pool as long as there is room for new data, and the
 * kept blocks are emptied for the next time. To be called again when something has
 * been freed, see &mtg_slots.wake. After mtg_slots_stop() it is the other way round:
 * all objects go to ordinary memory, as far as there is some.
 *
 * It looks at the objects that are spilled and at the kept blocks, however large the
 * table and the arena are, and holds no lock for longer than one object takes.
 *
 * Context: Process context, may sleep. The caller serialises calls, also with
 *          mtg_slots_shrink() and mtg_slots_grow().
 * Return: True if an object was moved; false if it was in vain.
 */
bool mtg_slots_settle(struct mtg_slots *slots)
{
	u64 moved = atomic64_read(&slots->stats.relocated), left;
	bool any;

	if (READ_ONCE(slots->broken)) {
		left = atomic64_read(&slots->pool->used_granules);
		drain(slots);
		return left > atomic64_read(&slots->pool->used_granules);
	}
	/* If something is spilled meanwhile, this is true again in the end. */
	WRITE_ONCE(slots->unsettled, false);
	any = bring_all_home(slots);
	if (READ_ONCE(slots->kept_used)) {
		WRITE_ONCE(slots->kept_used, false);
		empty_kept_blocks(slots);
		any |= moved != atomic64_read(&slots->stats.relocated);
	}
	if (is_unsettled(slots))
		WRITE_ONCE(slots->unsettled, true);
	return any;
}
EXPORT_SYMBOL_IF_KUNIT(mtg_slots_settle);

/**
 * mtg_slots_shrink() - let the objects use fewer blocks
 * @slots: The table.
 * @nr_blocks: Number of blocks that may be in use.
 *
 * Context: Process context, may sleep. The caller serialises calls.
 * Return: 0, and the pool's share is @nr_blocks; -ENOSPC if the objects do not fit,
 *         and then the share is as before.
 */
int mtg_slots_shrink(struct mtg_slots *slots, u32 nr_blocks)
{
	struct mtg_pool *pool = slots->pool;
	u32 share = pool->share;

	if (atomic64_read(&pool->used_granules) > (u64)nr_blocks << pool->block_shift)
		return -ENOSPC;
	/* From here on no block is opened beyond it, see may_open(). */
	WRITE_ONCE(pool->share, nr_blocks);
	give_up_blocks(slots, nr_blocks, UINT_MAX);
	if (atomic_read(&pool->nr_open) <= nr_blocks)
		return 0;
	WRITE_ONCE(pool->share, share);
	return -ENOSPC;
}
EXPORT_SYMBOL_IF_KUNIT(mtg_slots_shrink);

/**
 * mtg_slots_compact() - move the objects together
 * @slots: The table.
 *
 * Blocks that become empty are given back.
 *
 * Context: Process context, may sleep. The caller serialises calls.
 */
void mtg_slots_compact(struct mtg_slots *slots)
{
	struct mtg_pool *pool = slots->pool;
	int before = atomic_read(&pool->nr_open);

	give_up_blocks(slots, atomic64_read(&pool->used_granules) >> pool->block_shift,
		       COMPACT_PATIENCE);
	atomic64_add(max(before - atomic_read(&pool->nr_open), 0),
		     &slots->stats.compacted);
}
EXPORT_SYMBOL_IF_KUNIT(mtg_slots_compact);

/**
 * mtg_slots_usage() - what do the slots hold?
 * @slots: The table.
 *
 * Context: Any. Others may store and free meanwhile.
 * Return: The sum over all slots.
 */
struct mtg_slot_usage mtg_slots_usage(struct mtg_slots *slots)
{
	struct mtg_slot_usage usage = {};
	unsigned int i;

	for (i = 0; i < MTG_SLOT_SETS; i++) {
		const struct mtg_slot_set *set = &slots->sets[i];

		usage.stored += READ_ONCE(set->stored);
		usage.compr_size += READ_ONCE(set->compr_size);
		usage.same += READ_ONCE(set->same);
		usage.huge += READ_ONCE(set->huge);
	}
	return usage;
}
EXPORT_SYMBOL_IF_KUNIT(mtg_slots_usage);

/* An administrator may ask for any size: neither warn nor kill processes for it. */
#define TABLE_GFP	(GFP_KERNEL | __GFP_ZERO | __GFP_RETRY_MAYFAIL | __GFP_NOWARN)

/**
 * struct table - where the words of the slots are
 * @nr: Number of slots.
 * @chunks: See &struct mtg_slot_set.
 * @spilled: Ditto.
 */
struct table {
	u32 nr;
	u64 **chunks;
	struct mtg_map *spilled;
};

static u32 nr_chunks(u32 nr)
{
	return DIV_ROUND_UP((u64)nr, MTG_CHUNK_SLOTS);
}

/* All but its first @keep chunks, which another table has as well. */
static void free_table(struct table table, u32 keep)
{
	u32 i;

	for (i = keep; table.chunks && i < nr_chunks(table.nr); i++) {
		free_page((unsigned long)table.chunks[i]);
		cond_resched();
	}
	kvfree(table.chunks);
	if (table.spilled)
		mtg_map_destroy(table.spilled);
	kfree(table.spilled);
}

/* A table with the first @keep chunks of @old and new ones behind them. */
static int alloc_table(struct table *table, u32 nr, const struct table *old, u32 keep)
{
	u32 i;

	/* Not page by page until there is none left. */
	if (nr_chunks(nr) > totalram_pages())
		return -ENOMEM;
	table->nr = nr;
	table->chunks = __vmalloc(array_size(nr_chunks(nr), sizeof(*table->chunks)),
				  TABLE_GFP);
	table->spilled = kzalloc(sizeof(*table->spilled), GFP_KERNEL);
	if (!table->chunks || !table->spilled || mtg_map_init(table->spilled, nr))
		goto err;
	if (keep)
		memcpy(table->chunks, old->chunks, keep * sizeof(*table->chunks));
	for (i = keep; i < nr_chunks(nr); i++) {
		table->chunks[i] = (u64 *)__get_free_page(TABLE_GFP);
		if (!table->chunks[i])
			goto err;
		cond_resched();
	}
	return 0;
err:
	free_table(*table, keep);
	return -ENOMEM;
}

static void use_table(struct mtg_slot_set *set, struct table table)
{
	set->chunks = table.chunks;
	set->spilled = table.spilled;
}

/* While nobody changes it. */
static struct table current_table(struct mtg_slots *slots)
{
	return (struct table){ slots->nr, slots->sets[0].chunks, slots->sets[0].spilled };
}

/**
 * mtg_slots_metadata_size() - ordinary memory that the table needs for itself
 * @slots: The table.
 *
 * Context: Any.
 * Return: Bytes.
 */
size_t mtg_slots_metadata_size(struct mtg_slots *slots)
{
	return nr_chunks(slots->nr) * (PAGE_SIZE + sizeof(u64 *)) +
	       mtg_map_words(slots->nr) * sizeof(long);
}

/**
 * mtg_slots_init() - set up a table of empty slots
 * @slots: The table, zeroed.
 * @name: Name of the device; must live as long as the table.
 * @pool: Where the objects will be.
 * @nr: Number of slots.
 * @reserve: Number of spare pages for objects that have to leave the pool; see
 *	mtg_spill_balance(), which gets them.
 *
 * Context: Process context, may sleep.
 * Return: 0 or -ENOMEM.
 */
int mtg_slots_init(struct mtg_slots *slots, const char *name, struct mtg_pool *pool,
		   u32 nr, unsigned int reserve)
{
	struct table table;
	unsigned int i;

	if (alloc_table(&table, nr, NULL, 0))
		return -ENOMEM;
	slots->name = name;
	slots->pool = pool;
	slots->nr = nr;
	for (i = 0; i < MTG_SLOT_SETS; i++) {
		raw_spin_lock_init(&slots->sets[i].lock);
		use_table(&slots->sets[i], table);
	}
	raw_spin_lock_init(&slots->orphan_lock);
	mtg_spill_init(&slots->spill, reserve);
	return 0;
}
EXPORT_SYMBOL_IF_KUNIT(mtg_slots_init);

/* What is marked as spilled in the table of before, and still is, is in this one too. */
static void copy_spilled(struct mtg_slots *slots, const struct mtg_map *before)
{
	u32 index;

	for (index = mtg_map_next(before, 0, NULL, false); index < before->nr;
	     index = mtg_map_next(before, index + 1, NULL, false)) {
		struct mtg_slot_set *set = slot_set(slots, index);

		raw_spin_lock(&set->lock);
		if (is_spilled(*word_in_set(set, index)))
			mtg_map_set(set->spilled, index);
		raw_spin_unlock(&set->lock);
		cond_resched();
	}
}

/**
 * mtg_slots_grow() - add empty slots at the end, while the others are in use
 * @slots: The table.
 * @nr: The new number of slots, larger than that of now.
 *
 * The words stay where they are: new pages are added behind them. The sets go over to
 * the new list of pages one after the other, each under its lock, which is two
 * pointers. Nobody knows the new slots before this returns, so nobody writes them.
 *
 * Context: Process context, may sleep. The caller serialises calls, also with all
 *          others that go through the table from one end to the other.
 * Return: 0; -ENOMEM, and nothing has changed.
 */
int mtg_slots_grow(struct mtg_slots *slots, u32 nr)
{
	struct table old = current_table(slots), new;
	unsigned int i;

	if (alloc_table(&new, nr, &old, nr_chunks(old.nr)))
		return -ENOMEM;
	for (i = 0; i < MTG_SLOT_SETS; i++) {
		struct mtg_slot_set *set = &slots->sets[i];

		raw_spin_lock(&set->lock);
		use_table(set, new);
		raw_spin_unlock(&set->lock);
	}
	copy_spilled(slots, old.spilled);
	/* Pairs with nr_words(): who sees it sees the new table in each set. */
	smp_store_release(&slots->nr, nr);
	free_table(old, nr_chunks(old.nr));
	return 0;
}
EXPORT_SYMBOL_IF_KUNIT(mtg_slots_grow);

/* Those that nobody owns. */
static void drop_orphans(struct mtg_slots *slots)
{
	unsigned int i;

	raw_spin_lock(&slots->orphan_lock);
	for (i = 0; i < MTG_ORPHAN_LISTS; i++)
		while (slots->orphans[i])
			forget_orphan(slots, slots->orphans[i]->granule);
	raw_spin_unlock(&slots->orphan_lock);
}

/**
 * mtg_slots_clear() - free all slots
 * @slots: The table; nobody reads or writes slots any more, but blocks may still
 *	be evicted.
 *
 * Context: Process context, may sleep.
 */
void mtg_slots_clear(struct mtg_slots *slots)
{
	u32 index;

	for (index = 0; index < slots->nr; index++) {
		/* No slot becomes empty or used meanwhile, only objects move. */
		if (READ_ONCE(*slot_word(slots, index)) != SLOT_EMPTY)
			mtg_slot_free(slots, index);
		if (!(index % SLOTS_PER_BREATH))
			cond_resched();
	}
	drop_orphans(slots);
}
EXPORT_SYMBOL_IF_KUNIT(mtg_slots_clear);

/**
 * mtg_slots_destroy() - free the memory of a table
 * @slots: The table, cleared; nobody evicts blocks any more.
 *
 * Context: Process context, may sleep.
 */
void mtg_slots_destroy(struct mtg_slots *slots)
{
	mtg_spill_destroy(&slots->spill);
	free_table(current_table(slots), 0);
}
EXPORT_SYMBOL_IF_KUNIT(mtg_slots_destroy);
