/* SPDX-License-Identifier: GPL-2.0 */
/*
 * drivers/block/mtetagram/map.h, for spin: three processors, each of which sets and
 * clears a bit of its own; the bits lie in two words, with a bit for each in the word
 * above. A search finds a bit that is set while no processor changes a bit of its word.
 */
byte below[2];
byte above;
byte busy;

#define WORD	((me) / 2)	/* processors 0 and 1 share a word */

/* mtg_map_set_from(), from the word above on */
#define SET_ABOVE	above = above | 1 << WORD

/* A bit above that leads to a word of zeros is allowed. */
#define FOUND(word)	(below[word] == 0 || (above & 1 << (word)))

inline finish()
{
	busy--;
	assert(busy || FOUND(0) && FOUND(1))
}

proctype cpu(byte me)
{
	byte before;

end:
	do
	/* mtg_map_set() */
	:: atomic { !(below[WORD] & 1 << me) -> busy++ }
		atomic { before = below[WORD]; below[WORD] = below[WORD] | 1 << me }
		if
		:: before == 0 -> SET_ABOVE
		:: else
		fi;
		atomic { before = 0; finish() }
	/* mtg_map_clear() */
	:: atomic { below[WORD] & 1 << me -> busy++ }
		atomic { below[WORD] = below[WORD] & ~(1 << me); before = below[WORD] }
		if
		:: before == 0 ->
			above = above & ~(1 << WORD);
#ifndef BUG_NO_LOOK
			/* Another processor may have set a bit there. */
			if
			:: below[WORD] != 0 -> SET_ABOVE
			:: else
			fi
#endif
		:: else
		fi;
		atomic { before = 0; finish() }
	od
}

init
{
	atomic { run cpu(0); run cpu(1); run cpu(2) }
}
