/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A bitmap of any size in which the next set bit is found in a few steps.
 *
 * The bitmap has levels. The lowest level is the bitmap itself. Each bit of a higher level
 * stands for one word of the level below, and is set if that word is not zero. The highest
 * level is a single word.
 *
 *   level 2 (top)	...0011
 *			     ||
 *   level 1		     |+-- word 0 is not zero: ...0101
 *			     +--- word 1 is not zero: ...1000
 *   level 0		words 0, 2 and 67 of the bitmap are not zero
 *
 * Several CPUs may change the bitmap at the same time. Only the changes of one and the same
 * bit must be serialised by the caller. Each change begins at the lowest level. To set the
 * first bit of a word also sets the word's bit one level up. To clear the last bit of a word
 * clears the bit above, and then reads the word again: if another CPU has set a bit
 * meanwhile, the bit above is set again.
 *
 * So a set bit is found, except in the moments in which the bit or a bit of the same word is
 * changed. And sometimes a bit of a higher level leads to a word of zeros.
 *
 * Builds in user space as it is (tests/host).
 */
#ifndef _MTETAGRAM_MAP_H
#define _MTETAGRAM_MAP_H

#include <linux/atomic.h>
#include <linux/bitops.h>
#include <linux/bits.h>
#include <linux/compiler.h>
#include <linux/errno.h>
#include <linux/gfp.h>
#include <linux/sched.h>
#include <linux/slab.h>
#include <linux/types.h>

/* Enough for 2^32 bits. */
#define MTG_MAP_LEVELS	6

/**
 * struct mtg_map - a bitmap with levels
 * @nr: Number of bits.
 * @top: The highest level.
 * @level: The levels; the lowest one is the bitmap itself.
 */
struct mtg_map {
	u32 nr;
	unsigned int top;
	atomic_long_t *level[MTG_MAP_LEVELS];
};

/**
 * mtg_map_words() - what a map takes
 * @nr: Number of bits.
 *
 * Context: Any.
 * Return: Number of words of all levels.
 */
static inline size_t mtg_map_words(u32 nr)
{
	size_t words = 0;

	do {
		nr = BITS_TO_LONGS(nr);
		words += nr;
	} while (nr > 1);
	return words;
}

/**
 * mtg_map_init() - set up a map of zeros
 * @map: The map.
 * @nr: Number of bits.
 *
 * Context: Process context, may sleep.
 * Return: 0 or -ENOMEM.
 */
static inline int mtg_map_init(struct mtg_map *map, u32 nr)
{
	/* A large map may fail: no warning, and no process is killed for its memory. */
	atomic_long_t *words = kvcalloc(mtg_map_words(nr), sizeof(*words),
					GFP_KERNEL | __GFP_RETRY_MAYFAIL | __GFP_NOWARN);
	unsigned int level = 0;

	if (!words)
		return -ENOMEM;
	map->nr = nr;
	map->level[0] = words;
	while (nr > BITS_PER_LONG) {
		nr = BITS_TO_LONGS(nr);
		words += nr;
		map->level[++level] = words;
	}
	map->top = level;
	return 0;
}

/**
 * mtg_map_destroy() - free a map
 * @map: The map, set up or zeroed.
 *
 * Context: Process context, may sleep.
 */
static inline void mtg_map_destroy(struct mtg_map *map)
{
	kvfree(map->level[0]);
	map->level[0] = NULL;
}

/**
 * mtg_map_word() - find the word that holds a bit
 * @map: The map.
 * @level: The level.
 * @n: The bit of that level.
 *
 * Context: Any.
 * Return: The word.
 */
static inline atomic_long_t *mtg_map_word(const struct mtg_map *map, unsigned int level,
					  u32 n)
{
	return &map->level[level][BIT_WORD(n)];
}

/**
 * mtg_map_test() - is a bit set?
 * @map: The map.
 * @n: The bit.
 *
 * Context: Any.
 * Return: True if it is.
 */
static inline bool mtg_map_test(const struct mtg_map *map, u32 n)
{
	return atomic_long_read(mtg_map_word(map, 0, n)) & BIT_MASK(n);
}

/**
 * mtg_map_set_from() - set a bit of a level, and the bits above that lead to it
 * @map: The map.
 * @level: The level.
 * @n: The bit of that level.
 *
 * Context: Any.
 */
static inline void mtg_map_set_from(struct mtg_map *map, unsigned int level, u32 n)
{
	/*
	 * Fully ordered; pairs with the second read in mtg_map_clear(). Either the CPU that
	 * clears the word's last bit sees this bit, or this CPU sees an empty word and sets
	 * the bit above.
	 */
	while (!atomic_long_fetch_or(BIT_MASK(n), mtg_map_word(map, level, n)) &&
	       level < map->top) {
		n = BIT_WORD(n);
		level++;
	}
}

/**
 * mtg_map_set() - set a bit
 * @map: The map.
 * @n: The bit. The caller serialises the changes of this bit.
 *
 * Context: Any.
 */
static inline void mtg_map_set(struct mtg_map *map, u32 n)
{
	mtg_map_set_from(map, 0, n);
}

/**
 * mtg_map_clear() - clear a bit
 * @map: The map.
 * @n: The bit. The caller serialises the changes of this bit.
 *
 * Context: Any.
 */
static inline void mtg_map_clear(struct mtg_map *map, u32 n)
{
	atomic_long_t *word, *below = NULL;
	unsigned int level = 0;
	bool left;

	for (;;) {
		word = mtg_map_word(map, level, n);
		left = atomic_long_fetch_andnot(BIT_MASK(n), word) & ~BIT_MASK(n);
		/* Another CPU has set a bit there and relied on the bit that is gone now. */
		if (below && atomic_long_read(below)) {
			mtg_map_set_from(map, level, n);
			return;
		}
		if (left || level == map->top)
			return;
		below = word;
		n = BIT_WORD(n);
		level++;
	}
}

/**
 * mtg_map_fill() - set all bits
 * @map: The map, which is not in use yet.
 *
 * Context: Process context, may sleep.
 */
static inline void mtg_map_fill(struct mtg_map *map)
{
	u32 n, nr = map->nr;
	unsigned int level;

	for (level = 0; level <= map->top; level++) {
		for (n = 0; n < nr / BITS_PER_LONG; n++) {
			atomic_long_set(&map->level[level][n], ~0UL);
			if (!(n % 4096))
				cond_resched();
		}
		if (nr % BITS_PER_LONG)
			atomic_long_set(&map->level[level][n], BIT_MASK(nr) - 1);
		nr = BITS_TO_LONGS(nr);
	}
}

/**
 * mtg_map_descend() - find the word of the bitmap that a bit of a higher level leads to
 * @map: The map.
 * @level: The level, not the lowest.
 * @n: The bit of that level.
 * @last: Whether the last set word below the bit is wanted, else the first.
 *
 * Context: Any.
 * Return: Index of the word in the lowest level.
 */
static inline u32 mtg_map_descend(const struct mtg_map *map, unsigned int level, u32 n,
				  bool last)
{
	while (level-- > 1) {
		unsigned long word = atomic_long_read(&map->level[level][n]);

		n *= BITS_PER_LONG;
		if (word)
			n += last ? __fls(word) : __ffs(word);
	}
	return n;
}

/**
 * mtg_map_next_word() - find the next word of the bitmap that is not zero
 * @map: The map.
 * @n: The search begins behind this word.
 *
 * Context: Any. A hint: the word may be zero if another CPU changes the map.
 * Return: Index of the word; past the end of the bitmap if there is none.
 */
static inline u32 mtg_map_next_word(const struct mtg_map *map, u32 n)
{
	u32 nr = BITS_TO_LONGS(map->nr), end = nr;
	unsigned int level = 1;

	for (n++; n < nr; level++) {
		unsigned long word = atomic_long_read(mtg_map_word(map, level, n)) &
				     ~0UL << n % BITS_PER_LONG;

		n = BIT_WORD(n);
		if (word)
			return mtg_map_descend(map, level, n * BITS_PER_LONG + __ffs(word),
					       false);
		n++;
		nr = BITS_TO_LONGS(nr);
	}
	return end;
}

/**
 * mtg_map_next() - find a set bit
 * @map: The map.
 * @from: The first bit to look at.
 * @filter: A second bitmap, or NULL. A bit counts only if its bit in @filter equals @set.
 * @set: See @filter.
 *
 * Context: Any.
 * Return: The first set bit from @from on; the number of bits if there is none.
 */
static inline u32 mtg_map_next(const struct mtg_map *map, u32 from,
			       const unsigned long *filter, bool set)
{
	unsigned long word, edge = ~0UL << from % BITS_PER_LONG;
	u32 n;

	if (from >= map->nr)
		return map->nr;
	for (n = BIT_WORD(from); n < BITS_TO_LONGS(map->nr);
	     n = mtg_map_next_word(map, n), edge = ~0UL) {
		word = atomic_long_read(&map->level[0][n]) & edge;
		if (filter)
			word &= READ_ONCE(filter[n]) ^ (set ? 0 : ~0UL);
		if (word)
			return n * BITS_PER_LONG + __ffs(word);
	}
	return map->nr;
}

/**
 * mtg_map_last() - find the last set bit
 * @map: The map.
 *
 * Context: Any. A hint: the result may be too high if another CPU changes the map.
 * Return: The last set bit; the number of bits if there is none.
 */
static inline u32 mtg_map_last(const struct mtg_map *map)
{
	unsigned long word = atomic_long_read(map->level[map->top]);
	u32 n = 0;

	if (!word)
		return map->nr;
	if (map->top) {
		n = mtg_map_descend(map, map->top, __fls(word), true);
		word = atomic_long_read(&map->level[0][n]);
	}
	return n * BITS_PER_LONG + (word ? __fls(word) : 0);
}

#endif /* _MTETAGRAM_MAP_H */
