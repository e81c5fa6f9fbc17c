/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The word of a slot: what a slot holds, in 64 bits.
 *
 * The three lowest bits are the type. What the other bits mean depends on the type:
 *
 *              63                            32 31      16 15        3 2    0
 *             +--------------------------------+----------+-----------+------+
 *   EMPTY     |                                0                      |  0   |
 *             +--------------------------------+----------+-----------+------+
 *   OBJECT    | first granule in the pool      |    0     | length    |  1   |
 *             +--------------------------------+----------+-----------+------+
 *   FILL      | 32-bit pattern                 |          0           |  2   |
 *             +--------------------------------+----------------------+------+
 *   SPILL     | address of a struct spilled, aligned to 8 bytes       |  3   |
 *             +-------------------------------------------------------+------+
 *   LOST      |                                0                      |  4   |
 *             +-------------------------------------------------------+------+
 *   SPILL_RAW | address of a raw page in ordinary memory              |  5   |
 *             +-------------------------------------------------------+------+
 *
 *               store          evict           settle
 *   any state  -------> OBJECT -------> SPILL --------> OBJECT
 *   any state  -------> FILL      or --> LOST
 *   any state  --free-> EMPTY
 *
 * Private to slot.c and relocate.c.
 */
#ifndef _MTETAGRAM_SLOT_WORD_H
#define _MTETAGRAM_SLOT_WORD_H

#include <linux/build_bug.h>
#include <linux/compiler.h>
#include <linux/overflow.h>
#include <linux/types.h>

#include "unit.h"

#define SLOT_TYPE_MASK	7ULL

/**
 * enum slot_type - the type of a slot's word
 * @SLOT_EMPTY: The slot was never written, or it was freed. It reads as zeros.
 * @SLOT_OBJECT: The contents are an object in the pool.
 * @SLOT_FILL: The page is filled with a pattern.
 * @SLOT_SPILL: The contents are in ordinary memory, with a header.
 * @SLOT_LOST: The contents were dropped. Reads fail until the slot is written or freed.
 * @SLOT_SPILL_RAW: The contents are a raw page in ordinary memory.
 */
enum slot_type {
	SLOT_EMPTY,
	SLOT_OBJECT,
	SLOT_FILL,
	SLOT_SPILL,
	SLOT_LOST,
	SLOT_SPILL_RAW,
};

/**
 * struct spilled - a spilled object
 * @len: Bytes of its payload.
 * @data: The payload.
 *
 * A raw page has no header: it would need two pages of ordinary memory with one.
 */
struct spilled {
	unsigned int len;
	u8 data[];
};

/**
 * spilled_size() - how much ordinary memory does a spilled object need?
 * @len: Bytes of its payload.
 *
 * Context: Any.
 * Return: Bytes, never more than 4 KiB.
 */
static inline size_t spilled_size(unsigned int len)
{
	struct spilled *spilled;

	return len == MTG_SLOT_SIZE ? len : struct_size(spilled, data, len);
}

/**
 * word_type() - what type has a word?
 * @word: The word.
 *
 * Context: Any.
 * Return: The type.
 */
static inline enum slot_type word_type(u64 word)
{
	return word & SLOT_TYPE_MASK;
}

/**
 * make_object() - make the word of an object in the pool
 * @granule: The object's first granule.
 * @len: Bytes of its payload.
 *
 * Context: Any.
 * Return: The word.
 */
static inline u64 make_object(u32 granule, unsigned int len)
{
	BUILD_BUG_ON(MTG_SLOT_SIZE >= 1 << 13);
	return (u64)granule << 32 | len << 3 | SLOT_OBJECT;
}

/**
 * object_granule() - where in the pool is the object?
 * @word: A word of type SLOT_OBJECT.
 *
 * Context: Any.
 * Return: The object's first granule.
 */
static inline u32 object_granule(u64 word)
{
	return word >> 32;
}

/**
 * object_len() - how long is the object?
 * @word: A word of type SLOT_OBJECT.
 *
 * Context: Any.
 * Return: Bytes of its payload.
 */
static inline unsigned int object_len(u64 word)
{
	return (u32)word >> 3;
}

/**
 * slot_pointer() - where in ordinary memory are the contents?
 * @word: A word of type SLOT_SPILL or SLOT_SPILL_RAW.
 *
 * Context: Any.
 * Return: The address.
 */
static inline void *slot_pointer(u64 word)
{
	return (void *)(uintptr_t)(word & ~SLOT_TYPE_MASK);
}

/**
 * is_spilled() - are the contents in ordinary memory?
 * @word: The word.
 *
 * Context: Any.
 * Return: True if they are.
 */
static inline bool is_spilled(u64 word)
{
	return word_type(word) == SLOT_SPILL || word_type(word) == SLOT_SPILL_RAW;
}

/**
 * slot_len() - how long are the contents of a slot?
 * @word: The word of the slot. Most words are of type SLOT_OBJECT.
 *
 * Context: Under the slot's lock.
 * Return: Bytes of payload; 0 if there are no contents.
 */
static __always_inline unsigned int slot_len(u64 word)
{
	if (likely(word_type(word) == SLOT_OBJECT))
		return object_len(word);
	switch (word_type(word)) {
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

#endif /* _MTETAGRAM_SLOT_WORD_H */
