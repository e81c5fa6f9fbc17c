/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The inside of the slot table: what slot.c and relocate.c share, and no other file uses.
 */
#ifndef _MTETAGRAM_SLOT_TABLE_H
#define _MTETAGRAM_SLOT_TABLE_H

#include <linux/compiler.h>
#include <linux/lockdep.h>
#include <linux/types.h>

#include "pool.h"
#include "slot.h"
#include "slot_word.h"

/**
 * struct mtg_orphan - an object whose owner is not known
 * @next: The next orphan of the same list.
 * @granule: Where the object was.
 * @granules: How long the object is.
 * @object: The object as it was in the pool.
 */
struct mtg_orphan {
	struct mtg_orphan *next;
	u32 granule;
	u32 granules;
	struct mtg_object object;
};

const void *mtg_orphan_data(struct mtg_slots *slots, u64 word);
void mtg_orphan_forget(struct mtg_slots *slots, u32 granule);
int mtg_orphan_keep(struct mtg_slots *slots, u32 granule, u32 granules);
void mtg_slot_free_spilled(struct mtg_slots *slots, u32 index, u64 word);
void mtg_slots_wake(struct mtg_slots *slots);

/**
 * slot_set() - find the set of a slot
 * @slots: The table.
 * @index: The slot.
 *
 * Context: Any.
 * Return: The set.
 */
static inline struct mtg_slot_set *slot_set(struct mtg_slots *slots, u32 index)
{
	return &slots->sets[index % MTG_SLOT_SETS];
}

/**
 * word_in_set() - find the word of a slot in its set
 * @set: The set.
 * @index: The slot.
 *
 * Context: Under the set's lock, as the table may grow; or while it cannot grow.
 * Return: The word.
 */
static inline u64 *word_in_set(struct mtg_slot_set *set, u32 index)
{
	return &set->chunks[index / MTG_CHUNK_SLOTS][index % MTG_CHUNK_SLOTS];
}

/**
 * slot_word() - find the word of a slot
 * @slots: The table.
 * @index: The slot.
 *
 * Context: As of word_in_set().
 * Return: The word.
 */
static inline u64 *slot_word(struct mtg_slots *slots, u32 index)
{
	return word_in_set(slot_set(slots, index), index);
}

/**
 * count_slots() - add to a counter of a set
 * @counter: The counter.
 * @n: What to add.
 *
 * Context: Under the set's lock. The counter is read without the lock.
 */
static __always_inline void count_slots(u32 *counter, int n)
{
	WRITE_ONCE(*counter, *counter + n);
}

/**
 * count_bytes() - add to the bytes of payload of a set
 * @set: The set.
 * @n: What to add.
 *
 * Context: Under the set's lock.
 */
static __always_inline void count_bytes(struct mtg_slot_set *set, int n)
{
	lockdep_assert_held(&set->lock);

	WRITE_ONCE(set->compr_size, set->compr_size + n);
}

/**
 * account_len() - count contents in or out of what a set holds
 * @set: The set.
 * @len: Bytes of payload of the contents.
 * @sign: 1 to count them in, -1 to count them out.
 *
 * Context: Under the set's lock.
 */
static __always_inline void account_len(struct mtg_slot_set *set, unsigned int len, int sign)
{
	lockdep_assert_held(&set->lock);

	count_slots(&set->stored, sign);
	if (len == MTG_FILL_LEN) {
		count_slots(&set->same, sign);
		/* Like zram, whose patterns need no memory. */
		return;
	}
	count_bytes(set, sign * (int)len);
	if (len == MTG_SLOT_SIZE)
		count_slots(&set->huge, sign);
}

/**
 * account() - count what a word stands for in or out of what a set holds
 * @set: The set.
 * @word: The word.
 * @sign: 1 to count it in, -1 to count it out.
 *
 * Context: Under the set's lock.
 */
static __always_inline void account(struct mtg_slot_set *set, u64 word, int sign)
{
	if (word_type(word) != SLOT_EMPTY)
		account_len(set, slot_len(word), sign);
}

/**
 * is_packed() - is the word that of a compressed object?
 * @word: The word.
 *
 * For such an object only the bytes of payload are counted: it is neither same-filled nor huge.
 *
 * Context: Any.
 * Return: True if it is.
 */
static inline bool is_packed(u64 word)
{
	return word_type(word) == SLOT_OBJECT && object_len(word) != MTG_SLOT_SIZE &&
	       object_len(word) != MTG_FILL_LEN;
}

/**
 * account_change() - count a slot whose word changes
 * @set: The set of the slot.
 * @old: The old word.
 * @new: The new word.
 *
 * Context: Under the set's lock.
 */
static __always_inline void account_change(struct mtg_slot_set *set, u64 old, u64 new)
{
	if (likely(is_packed(old) && is_packed(new))) {
		count_bytes(set, (int)(object_len(new) - object_len(old)));
		return;
	}
	account(set, old, -1);
	account(set, new, 1);
}

/**
 * free_object() - free the object that a word points to, in the pool
 * @slots: The table.
 * @word: A word of type SLOT_OBJECT.
 *
 * Context: Under the slot's lock, and under the orphan lock after mtg_slots_stop().
 */
static __always_inline void free_object(struct mtg_slots *slots, u64 word)
{
	if (unlikely(mtg_slots_stopped(slots)))
		mtg_orphan_forget(slots, object_granule(word));
	mtg_pool_free(slots->pool, object_granule(word), object_len(word));
}

#endif /* _MTETAGRAM_SLOT_TABLE_H */
