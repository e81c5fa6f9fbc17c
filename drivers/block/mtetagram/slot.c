// SPDX-License-Identifier: GPL-2.0
/*
 * The slot table: store, load and free the contents of slots.
 *
 * Each slot has a word that says what it holds: slot_word.h describes the word. A slot's lock
 * protects its word *and* the object that the word points to. Objects are moved by relocate.c.
 *
 * Lock order: slot lock > orphan lock > group lock (pool.c) > tag block lock (tagblock.c),
 * and orphan lock > spill lock (spill.c).
 */

#include <kunit/visibility.h>
#include <linux/build_bug.h>
#include <linux/compiler.h>
#include <linux/errno.h>
#include <linux/gfp.h>
#include <linux/lockdep.h>
#include <linux/minmax.h>
#include <linux/mm.h>
#include <linux/overflow.h>
#include <linux/sched.h>
#include <linux/slab.h>
#include <linux/string.h>
#include <linux/vmalloc.h>

#include "slot.h"
#include "slot_table.h"

/* Slots that mtg_slots_clear() frees before other tasks may run: some 5 us. */
#define SLOTS_PER_BREATH	16

static size_t orphan_size(u32 granules)
{
	return offsetof(struct mtg_orphan, object) + granules * MTG_GRANULE_SIZE;
}

static struct mtg_orphan **find_orphan(struct mtg_slots *slots, u32 granule)
{
	struct mtg_orphan **p = &slots->orphans[granule / MTG_MIN_GRANULES % MTG_ORPHAN_LISTS];

	while (*p && (*p)->granule != granule)
		p = &(*p)->next;
	return p;
}

/**
 * mtg_orphan_data() - find the payload of an object that may be an orphan
 * @slots: The table, after mtg_slots_stop().
 * @word: A word of type SLOT_OBJECT.
 *
 * Context: Under the slot's lock and the orphan lock. Also under a slot lock alone that was
 *          taken before mtg_slots_stop(): there are no orphans then.
 * Return: The payload; NULL if it was lost.
 */
noinline const void *mtg_orphan_data(struct mtg_slots *slots, u64 word)
{
	u32 granule = object_granule(word);
	struct mtg_orphan *orphan;

	if (mtg_pool_begins(slots->pool, granule))
		return mtg_pool_data(slots->pool, granule, object_len(word));
	orphan = *find_orphan(slots, granule);
	return orphan ? orphan->object.data : NULL;
}

/**
 * mtg_orphan_forget() - free an orphan
 * @slots: The table, after mtg_slots_stop().
 * @granule: Where the orphan was. Nothing happens if there is no orphan of that number.
 *
 * Context: As of mtg_orphan_data().
 */
noinline void mtg_orphan_forget(struct mtg_slots *slots, u32 granule)
{
	struct mtg_orphan **p = find_orphan(slots, granule), *orphan = *p;

	if (!orphan)
		return;
	*p = orphan->next;
	mtg_spill_free(&slots->spill, orphan, orphan_size(orphan->granules));
}

/**
 * mtg_slot_free_spilled() - free a spilled object
 * @slots: The table.
 * @index: The slot that owns it.
 * @word: The word of the slot, of type SLOT_SPILL or SLOT_SPILL_RAW.
 *
 * Context: Under the slot's lock.
 */
noinline void mtg_slot_free_spilled(struct mtg_slots *slots, u32 index, u64 word)
{
	lockdep_assert_held(&slot_set(slots, index)->lock);

	mtg_map_clear(slot_set(slots, index)->spilled, index);
	mtg_spill_free(&slots->spill, slot_pointer(word), spilled_size(slot_len(word)));
}

/* Free what @word refers to, which is or was the word of the slot. Under the slot's lock. */
static __always_inline void drop(struct mtg_slots *slots, u32 index, u64 word)
{
	if (likely(word_type(word) == SLOT_OBJECT))
		free_object(slots, word);
	else if (is_spilled(word))
		mtg_slot_free_spilled(slots, index, word);
}

/**
 * mtg_slots_wake() - wake the worker, if there is something to settle
 * @slots: The table. Something was freed.
 *
 * Context: Any but interrupts; no lock of the slots held.
 */
noinline void mtg_slots_wake(struct mtg_slots *slots)
{
	if (mtg_slots_unsettled(slots) && slots->wake)
		slots->wake(slots);
}

static bool is_short_fill(const void *data, unsigned int len)
{
	return len == MTG_FILL_LEN && !memcmp(data, data + 4, 4);
}

/*
 * Find room for the new contents of a slot whose word is @old. In a full pool the new object
 * takes the place of the old one, if it fits there. Then *@replaced is set, and nothing is left
 * to free.
 */
static int place(struct mtg_slots *slots, u32 index, u64 old, unsigned int len,
		 u32 *granule, bool *replaced)
{
	int ret = mtg_pool_alloc(slots->pool, len, index, MTG_STORE, granule);

	*replaced = ret && word_type(old) == SLOT_OBJECT &&
		    mtg_pool_realloc(slots->pool, object_granule(old),
				     object_len(old), len, index, granule);
	return *replaced ? 0 : ret;
}

/**
 * mtg_slot_store() - store the contents of a slot
 * @slots: The table.
 * @index: The slot.
 * @data: The contents as the caller has encoded them.
 * @len: Their length: MTG_FILL_LEN for a pattern that fills the page, MTG_SLOT_SIZE for a raw
 *	page, else at most MTG_MAX_LEN.
 *
 * Context: Atomic or not; not in interrupts. Allocates no memory.
 * Return: 0; or an error, and then the slot keeps its old contents: -ENOSPC or -EDQUOT as
 *         mtg_pool_alloc(), -EROFS after mtg_slots_stop().
 */
int mtg_slot_store(struct mtg_slots *slots, u32 index, const void *data,
		   unsigned int len)
{
	struct mtg_slot_set *set = slot_set(slots, index);
	u64 *word, old = SLOT_EMPTY, new;
	bool replaced = false;
	u32 granule;
	int ret = 0;

	raw_spin_lock(&set->lock);
	if (unlikely(mtg_slots_stopped(slots))) {
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
		atomic64_inc(&slots->events[MTG_STORED_HUGE]);
out:
	raw_spin_unlock(&set->lock);
	/* Only the old contents, which are free now, can have made room. */
	if (unlikely(READ_ONCE(slots->unsettled)) && !ret && word_type(old) != SLOT_EMPTY)
		mtg_slots_wake(slots);
	return ret;
}
EXPORT_SYMBOL_IF_KUNIT(mtg_slot_store);

/**
 * mtg_slot_room() - how large may the new contents of a slot be?
 * @slots: The table.
 * @index: The slot.
 * @len: Where to put the largest length for which there may be room.
 *
 * Context: Atomic or not; not in interrupts. A hint.
 * Return: 0 if there is room for any length; else the error that mtg_slot_store() returns for
 *         longer contents than @len.
 */
int mtg_slot_room(struct mtg_slots *slots, u32 index, unsigned int *len)
{
	struct mtg_slot_set *set = slot_set(slots, index);
	int ret = mtg_pool_room(slots->pool, len);
	enum slot_type type;

	if (!ret)
		return 0;
	/* The old contents make room for the new ones, see place(). */
	raw_spin_lock(&set->lock);
	type = word_type(*word_in_set(set, index));
	raw_spin_unlock(&set->lock);
	if (type == SLOT_OBJECT) {
		*len = MTG_SLOT_SIZE;
		ret = 0;
	}
	return ret;
}
EXPORT_SYMBOL_IF_KUNIT(mtg_slot_room);

/* Load after mtg_slots_stop(): the object of @word may be an orphan. Under the slot's lock. */
static noinline int load_stopped(struct mtg_slots *slots, u64 word, void *buf)
{
	int len = object_len(word);
	const void *data;

	raw_spin_lock(&slots->orphan_lock);
	data = mtg_orphan_data(slots, word);
	if (data)
		memcpy(buf, data, len);
	raw_spin_unlock(&slots->orphan_lock);
	return data ? len : -EIO;
}

/* Load contents that are not in the pool. Under the slot's lock. */
static int load_other(u64 word, void *buf, void *page)
{
	const struct spilled *spilled;
	u32 *fill = buf;

	switch (word_type(word)) {
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
 * @page: Where to put a raw page, instead of @buf.
 *
 * Context: Atomic or not; not in interrupts.
 * Return: Length of the contents as they were stored; 0 if there are no contents; -EIO if they
 *         were lost.
 */
int mtg_slot_load_to(struct mtg_slots *slots, u32 index, void *buf, void *page)
{
	struct mtg_slot_set *set = slot_set(slots, index);
	u64 word;
	int len;

	raw_spin_lock(&set->lock);
	word = *word_in_set(set, index);
	if (likely(word_type(word) == SLOT_OBJECT)) {
		len = object_len(word);
		if (len == MTG_SLOT_SIZE)
			buf = page;
		if (likely(!mtg_slots_stopped(slots)))
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

/* Free after mtg_slots_stop(): the object of @word may be an orphan. Under the slot's lock. */
static noinline void drop_stopped(struct mtg_slots *slots, u32 index, u64 word)
{
	raw_spin_lock(&slots->orphan_lock);
	drop(slots, index, word);
	raw_spin_unlock(&slots->orphan_lock);
}

/**
 * mtg_slot_free() - free the contents of a slot
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
	if (unlikely(mtg_slots_stopped(slots))) {
		account(set, old, -1);
		drop_stopped(slots, index, old);
	} else if (likely(word_type(old) == SLOT_OBJECT)) {
		account_len(set, object_len(old), -1);
		mtg_pool_free(slots->pool, object_granule(old), object_len(old));
	} else {
		account(set, old, -1);
		drop(slots, index, old);
	}
	raw_spin_unlock(&set->lock);
	if (unlikely(READ_ONCE(slots->unsettled)))
		mtg_slots_wake(slots);
	return word_type(old) != SLOT_EMPTY;
}
EXPORT_SYMBOL_IF_KUNIT(mtg_slot_free);

/**
 * mtg_orphan_keep() - copy an object to ordinary memory, where its owner finds it
 * @slots: The table, after mtg_slots_stop().
 * @granule: The object's first granule.
 * @granules: How many granules are copied, see mtg_pool_extent().
 *
 * Context: Under the orphan lock.
 * Return: 0; -ENOMEM if there is no spare page; -EIO if the object cannot be an orphan.
 */
int mtg_orphan_keep(struct mtg_slots *slots, u32 granule, u32 granules)
{
	struct mtg_orphan **p = find_orphan(slots, granule), *orphan;

	lockdep_assert_held(&slots->orphan_lock);

	BUILD_BUG_ON(offsetof(struct mtg_orphan, object) + MTG_RAW_LEN - MTG_GRANULE_SIZE >
		     4096 - 16);
	/* The owner of a raw page is stored elsewhere, and a raw page is too long. */
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

/* The administrator may ask for any size: no warning, and no process is killed for memory. */
#define TABLE_GFP	(GFP_KERNEL | __GFP_ZERO | __GFP_RETRY_MAYFAIL | __GFP_NOWARN)

/**
 * struct table - where the words of the slots are
 * @nr: Number of slots.
 * @chunks: See &mtg_slot_set.chunks.
 * @spilled: See &mtg_slot_set.spilled.
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

/* Free a table, except its first @keep chunks, which another table has too. */
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

/* Allocate a table with the first @keep chunks of @old, and new chunks behind them. */
static int alloc_table(struct table *table, u32 nr, const struct table *old, u32 keep)
{
	u32 i;

	/* Do not allocate page by page until there is no memory left. */
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

/* The caller makes sure that the table does not change. */
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
 * @pool: The pool for the objects.
 * @nr: Number of slots.
 * @reserve: Number of spare pages for spilled objects; mtg_spill_balance() allocates them.
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

/* Mark in the new table the slots that the table before has marked and that are spilled still. */
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
 * The words stay where they are: new chunks are added behind them. Each set goes over to the
 * new array of chunks under its own lock; only two pointers change. Nobody knows the new slots
 * before this returns, so nobody writes to them.
 *
 * Context: Process context, may sleep. The caller serialises calls, also with all functions
 *          that walk through the whole table.
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
	/* Pairs with nr_words(): a CPU that sees it sees the new table in each set. */
	smp_store_release(&slots->nr, nr);
	free_table(old, nr_chunks(old.nr));
	return 0;
}
EXPORT_SYMBOL_IF_KUNIT(mtg_slots_grow);

/* Free the orphans that no slot owns. */
static void drop_orphans(struct mtg_slots *slots)
{
	unsigned int i;

	raw_spin_lock(&slots->orphan_lock);
	for (i = 0; i < MTG_ORPHAN_LISTS; i++)
		while (slots->orphans[i])
			mtg_orphan_forget(slots, slots->orphans[i]->granule);
	raw_spin_unlock(&slots->orphan_lock);
}

/**
 * mtg_slots_clear() - free all slots
 * @slots: The table. Slots are not read or written any more, but blocks may still be evicted.
 *
 * Context: Process context, may sleep.
 */
void mtg_slots_clear(struct mtg_slots *slots)
{
	u32 index;

	for (index = 0; index < slots->nr; index++) {
		/* Without the lock: slots do not become empty or used, objects only move. */
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
 * @slots: The table, cleared. Blocks are not evicted any more.
 *
 * Context: Process context, may sleep.
 */
void mtg_slots_destroy(struct mtg_slots *slots)
{
	mtg_spill_destroy(&slots->spill);
	free_table(current_table(slots), 0);
}
EXPORT_SYMBOL_IF_KUNIT(mtg_slots_destroy);
