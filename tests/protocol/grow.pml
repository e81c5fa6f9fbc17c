/* SPDX-License-Identifier: GPL-2.0 */
/*
 * mtg_slots_grow() of drivers/block/mtetagram/slot.c, for spin: a table of two slots, in
 * sets of their own, gets a third, while one processor stores and another evicts a
 * block, which looks up slots by numbers that may be garbage.
 *
 * A set's words move under its lock; the new number of slots is published when all sets
 * have moved. A table whose words stay where they are, and that only gets more of them,
 * is the case in which nothing is copied.
 */
#define SETS	2
#define SET(slot)	((slot) % SETS)

#define OLD	0
#define NEW	1
#define WORD(table, slot)	words[3 * (table) + (slot)]

bit lock[SETS];
byte table[SETS];	/* under the set's lock */
byte nr = 2;
bool old_is_there = true;
byte words[6];		/* 3 for each table, but the old one has room for 2 */
byte stored[2];		/* what was stored last; the model's own record */

#define CHECK(slot)	assert(table[SET(slot)] == NEW || slot < 2 && old_is_there)

inline lock_set(slot_)
{
	atomic { lock[SET(slot_)] == 0 -> lock[SET(slot_)] = 1 }
}

/* mtg_slot_store(), of the slots that are known */
proctype store()
{
	byte slot, value;

end:
	do
	:: true ->
		if
		:: slot = 0
		:: slot = 1
		fi;
		lock_set(slot);
		/* slot_word() */
		CHECK(slot);
		assert(WORD(table[SET(slot)], slot) == stored[slot]);
		value = stored[slot] ^ 1;
		atomic { WORD(table[SET(slot)], slot) = value; stored[slot] = value }
		lock[SET(slot)] = 0
	od
}

/* evict_once(): refers_to(), with nr_words(), for any number */
proctype look()
{
	byte slot, seen;

end:
	do
	:: true ->
		if
		:: slot = 0
		:: slot = 1
		:: slot = 2
		fi;
		lock_set(slot);
#ifdef BUG_NO_NR
		seen = 3;
#else
		seen = nr;	/* smp_load_acquire() */
#endif
		if
		:: slot < seen -> CHECK(slot)
		:: else
		fi;
		lock[SET(slot)] = 0
	od
}

proctype grow()
{
	byte set;

#ifdef BUG_NR_EARLY
	nr = 3;
#endif
	do
	:: set < SETS ->
#ifdef BUG_COPY_UNLOCKED
		WORD(NEW, set) = WORD(OLD, set);
		lock_set(set);
#else
		lock_set(set);
		WORD(NEW, set) = WORD(OLD, set);
#endif
		table[set] = NEW;
		lock[set] = 0;
#ifdef BUG_FREE_EARLY
		old_is_there = false;
#endif
		set++
	:: else -> break
	od;
	nr = 3;			/* smp_store_release() */
	old_is_there = false
}

init
{
	atomic { run store(); run look(); run grow() }
}
