/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A bitmap of any size in which the next set bit is found in a few steps: in levels, of
 * which each has one bit for each word of the one below that is not zero. The highest
 * one is a single word.
 *
 * Anybody sets and clears bits at any time, the same bit only under a lock of the
 * caller's. Both begin at the lowest level. Who sets the first bit of a word sets the bit
 * above; who clears the last one clears that, and then looks once more whether the word
 * is still zero. So a bit is found as long as it is set, but for the moments in which it
 * or a neighbour is changed; and now and then a bit above leads to a word of zeros.
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
	/* Whoever asks for much gets an error: no warning, and nobody is killed for it. */
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

/* The word that holds bit @n of @level. */
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

/* Set bit @n of @level, and those that lead to it. */
static inline void mtg_map_set_from(struct mtg_map *map, unsigned int level, u32 n)
{
	/* Fully ordered: who looks again, see below, sees this or is seen. */
	while (!atomic_long_fetch_or(BIT_MASK(n), mtg_map_word(map, level, n)) &&
	       level < map->top) {
		n = BIT_WORD(n);
		level++;
	}
}

/**
 * mtg_map_set() - set a bit
 * @map: The map.
 * @n: The bit, which nobody else changes.
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
 * @n: The bit, which nobody else changes.
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
		/* Somebody has set a bit there and relied on the one that is gone. */
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
 * @map: The map, which nobody else uses.
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

/* Go down from bit @n of @level, to the first or the last word of the bitmap. */
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

/* The next word of the bitmap after @n that may not be zero; past the end if none is. */
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
 * @from: Where to begin.
 * @filter: If not NULL, a bitmap: bits count only if they are set there, or are not.
 * @set: Which of the two.
 *
 * Context: Any.
 * Return: The first one from @from on; the number of bits if there is none.
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
 * Context: Any. A hint: it may be too high if others change the map, or have.
 * Return: The last one; the number of bits if there is none.
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
