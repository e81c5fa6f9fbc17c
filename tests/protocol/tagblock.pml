/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The protocol of drivers/block/mtetagram by which tag storage changes between tags and
 * data, for spin: two tag blocks of two pages in one word of the record, two or three
 * slots, whose objects may straddle the blocks, and three processors.
 *
 * tests/protocol/models says which processor does what. tests/protocol/run searches each
 * of these models as a whole, and verifies that each mutation (BUG_...) is found.
 *
 * A step of the model is a step of the driver, or a part of the driver that holds a lock and
 * has one single access to data that other processors read or write without that lock. Taking
 * the lock then commutes with the steps of others before the access, and releasing the lock
 * with their steps after the access. So:
 *
 * - A group lock (pool.c) is held for one step, as its sections change the state of one
 *   block. The exception is an object whose end empties two blocks: glock.
 * - A block lock (tagblock.c) is held for one step, but by release.
 * - A slot lock (slot.c) is held for many steps.
 *
 * Weak ordering is not modelled: see litmus/. These are left out, as they do not change which
 * processor may write where: blocks that are OFFLINE or kept; limits (a store may be refused at
 * any time); the stock of spare pages (a call that can be refused may find none at any time);
 * an object that is replaced in its place; objects that are lost (they spill here).
 */

/* What a processor does: set in tests/protocol/models. */
#define OP_MUST		1	/* tags a page, cannot be refused */
#define OP_MAY		2	/* maps pages with tags, can be refused */
#define OP_PREPARE	4	/* mprotect(): reserves and initialises, can be refused */
#define OP_FREE		8	/* frees pages */
#define OP_STORE	16	/* stores and frees slots */
#define OP_SETTLE	32	/* the worker, and what empties a block for other reasons */
#define OP_SPLIT	64	/* splits a huge page */
#define OP_LIFE		128	/* attaches and detaches the driver */
#define OP_VERIFY	256	/* verifies the place of tags */
#define OP_TAGS		(OP_MUST | OP_MAY | OP_PREPARE)
#define ALL_OPS		(OPS0 | OPS1 | OPS2)

/* The pages that are tagged, one bit for each; the slots that are stored. */
#ifndef PAGES
#define PAGES	15
#endif
#ifndef SLOTS
#define SLOTS	3
#endif
#if SLOTS & 4
#define NR_SLOTS	3
#define ALL_SLOTS(x)	(x(0) && x(1) && x(2))
#else
#define NR_SLOTS	2
#define ALL_SLOTS(x)	(x(0) && x(1))
#endif

#define BIT(n)		(1 << (n))
#define BLOCK(page)	((page) / 2)
#define PAGES_OF(block)	(3 << 2 * (block))

/* enum mtg_block_state */
#define FREE		0
#define USED		1
#define SWITCHING	2
#define TAGGED		3

/* tagblock.c */
byte reserved;		/* one word of region->reserved: bit N is page N */
byte state[2];
bit lock[2];		/* block locks */
short balance;		/* reserves - releases */

/*
 * What lies in the tag storage of a page. A page's tags and a granule of the pool are the
 * same bytes: the layout within a block is the hardware's affair.
 */
#define DATA	0	/* bytes of an object, or what else a free block holds */
#define OLD	1	/* tags of the page's former life */
#define GOOD	2	/* zeros, or what was stored as tags of the page since it was allocated */
byte bytes[4];
byte data_lines = 3;	/* bit N: data lines of block N may be dirty */
byte tag_lines;		/* bit N: tag lines of page N may be dirty */

/* The pages. */
#define FREEING	7
byte users[4];		/* processors that do something with the page, or FREEING */
byte allocated;
byte tagged;		/* PG_mte_tagged */
byte tag_lock;		/* PG_mte_lock */

/*
 * pool.c: four granules in one group; the object of slot 1 takes two, others take one.
 * An object begins in block 0 and ends in block 1 only if there are two others.
 */
#define NONE	4
byte owner[4];		/* 1 + slot of the object that begins there */
byte open;		/* bit N: block N takes objects */
bit glock;

/* slot.c */
#define EMPTY	0	/* 1 to 4: object at granule 0 to 3 */
#define SPILL	5
byte word[NR_SLOTS];
bit slock[NR_SLOTS];

byte busy;		/* processors that are in the middle of something */

#if ALL_OPS & OP_LIFE
bit ops;		/* region->ops */
bit alive;		/* what the callbacks use: code and data */
bit rcu[3], srcu[3];	/* the processor is in such a section */
bit worker;		/* the worker holds init_lock */
bit going;		/* teardown wants or holds it */
#endif

#define OPEN(block)	(open & BIT(block))
#define HOLE0	(owner[0] == 0)
#define HOLE1	(owner[1] == 0 && owner[0] != 2)
#define HOLE2	(owner[2] == 0 && owner[1] != 2)
#define HOLE3	(owner[3] == 0 && owner[2] != 2)
#define HOLDS_NOTHING(block)	((block) == 0 && HOLE0 && HOLE1 || \
				 (block) == 1 && HOLE2 && HOLE3)
#define LAST(granule, slot)	((granule) + ((slot) == 1))

/* The slot's object reaches into the block. While the slot is locked, its word does not count:
 * the processor that holds the lock frees the granules before it clears the word. */
#define REACHES(slot, block)	(!slock[slot] && word[slot] != EMPTY && \
				 word[slot] != SPILL && \
				 (BLOCK(word[slot] - 1) == (block) || \
				  BLOCK(LAST(word[slot] - 1, slot)) == (block)))
#define NOT_IN_0(slot)	(!REACHES(slot, 0))
#define NOT_IN_1(slot)	(!REACHES(slot, 1))

/*
 * Invariant 9: no byte of data is where tags are live, and user space, which can read
 * tags only if page_mte_tagged(), at any moment, sees zeros or its own.
 */
#define READABLE(page)	((tagged & reserved & allocated) & BIT(page))
#define TRUSTED(page)	(!(reserved & BIT(page) && bytes[page] == DATA) && \
			 !(READABLE(page) && bytes[page] != GOOD))
#define CHECK_TAGS	assert(TRUSTED(0) && TRUSTED(1) && TRUSTED(2) && TRUSTED(3))

/* Bytes of an object, or its header, are written to a granule. */
inline write_granule(granule)
{
	/* Invariant 2. */
	assert(!((reserved | tagged) & PAGES_OF(BLOCK(granule))));
	/* Tags to data: or the tags would be written back over the object. */
	assert(!(tag_lines & PAGES_OF(BLOCK(granule))));
	bytes[granule] = DATA;
	data_lines = data_lines | BIT(BLOCK(granule));
	CHECK_TAGS
}

/* The payload of the slot's object. */
inline write_object(granule)
{
	d_step {
		write_granule(granule);
		if
		:: slot == 1 -> write_granule(LAST(granule, 1))
		:: else
		fi
	}
}

/* Tags are stored. */
inline write_tags(page_)
{
	d_step {
		/* Invariant 1: neither what a slot refers to, nor what is about to be. */
		assert(BLOCK(page_) == 0 && ALL_SLOTS(NOT_IN_0) ||
		       BLOCK(page_) == 1 && ALL_SLOTS(NOT_IN_1));
		assert(HOLDS_NOTHING(BLOCK(page_)));
		/* Data to tags: or the data would be written back over the tags. */
		assert(!(data_lines & BIT(BLOCK(page_))));
		assert(reserved & BIT(page_));
		bytes[page_] = GOOD;
		tag_lines = tag_lines | BIT(page_)
	}
}

/* Invariant 5, and what else is true while no processor is in the middle of a step. */
#define COUNT(x)	(((x) & 1) + ((x) >> 1 & 1) + ((x) >> 2 & 1) + ((x) >> 3 & 1))
#define QUIET_BLOCK(block_) \
	((state[block_] == TAGGED) == ((reserved & PAGES_OF(block_)) != 0) && \
	 (state[block_] == USED) == !HOLDS_NOTHING(block_) && \
	 (state[block_] == USED) == (OPEN(block_) != 0) && \
	 state[block_] != SWITCHING && !lock[block_])
#define QUIET_GRANULE(at_)	(owner[at_] == 0 || word[owner[at_] - 1] == (at_) + 1)
#define QUIET_SLOT(slot_)	(word[slot_] == EMPTY || word[slot_] == SPILL || \
				 owner[word[slot_] - 1] == (slot_) + 1)

inline finish()
{
	busy--;
	if
	:: busy == 0 ->
		assert(balance == COUNT(reserved));
		assert((reserved & ~allocated) == 0);
		assert((tagged & ~reserved) == 0);
		assert(QUIET_BLOCK(0) && QUIET_BLOCK(1));
		assert(QUIET_GRANULE(0) && QUIET_GRANULE(1));
		assert(QUIET_GRANULE(2) && QUIET_GRANULE(3));
		assert(ALL_SLOTS(QUIET_SLOT))
	:: else
	fi;
	/* What is left over makes no difference. */
	first = 0; n = 0; page = 0; block = 0; freed = 0; mask = 0; may = 0; prepare = 0;
	old = 0; ok = 0; was = 0; ret = 0; slot = 0; at = 0; from = 0; id = 0; two = 0
}

/*
 * pool.c and slot.c
 */

/* put_block(), with mtg_block_put() */
inline put_block(block_)
{
	open = open & ~BIT(block_);
	if
#ifdef BUG_PUT_UNCHECKED
	:: state[block_] != FREE -> state[block_] = FREE
#else
	:: state[block_] == USED -> state[block_] = FREE
#endif
	:: else
	fi
}

/* mtg_pool_free(). A block that gets empty is given back, if it takes objects. */
inline free_object(from_)
{
	atomic {
		glock == 0 ->
		owner[from_] = 0;
		two = BLOCK(from_) != BLOCK(LAST(from_, slot)) && OPEN(1) && HOLDS_NOTHING(1);
		glock = two;
		if
		:: OPEN(BLOCK(from_)) && HOLDS_NOTHING(BLOCK(from_)) -> put_block(BLOCK(from_))
		:: else
		fi
	}
	if
	:: atomic { two -> put_block(1); glock = 0; two = 0 }
	:: else
	fi
}

#define FITS0	(OPEN(0) && HOLE0 && (slot == 0 || HOLE1))
#define FITS1	(OPEN(0) && HOLE1 && (slot == 0 || OPEN(1) && HOLE2))
#define FITS2	(OPEN(1) && HOLE2 && (slot == 0 || HOLE3))
#define FITS3	(OPEN(1) && HOLE3 && slot == 0)

/* mark_used() writes the object's header, too. */
inline mark_used()
{
	owner[at] = slot + 1;
	write_granule(at)
}

/* open_and_alloc(), with mtg_block_get() */
inline alloc_in_new(block_)
{
	if
	:: at == NONE ->
#ifdef BUG_GET_UNLOCKED
		if
		:: state[block_] == FREE ->
			atomic {
				glock == 0 ->
				state[block_] = USED;
				open = open | BIT(block_);
				at = 2 * block_;
				mark_used()
			}
		:: else
		fi
#else
		atomic {
			glock == 0 ->
			if
			:: state[block_] == FREE ->
				state[block_] = USED;
				open = open | BIT(block_);
				at = 2 * block_;
				mark_used()
			:: else
			fi
		}
#endif
	:: else
	fi
}

/* enum mtg_alloc_mode */
#define STORE	0	/* may open a block, if the limits allow that */
#define MOVE	1	/* opens any free block */
#define SHRINK	2	/* opens none */

/* mtg_pool_alloc() */
inline alloc(mode)
{
	at = NONE;
	atomic {
		glock == 0 ->
		if
		:: FITS0 -> at = 0
		:: FITS1 -> at = 1
		:: FITS2 -> at = 2
		:: FITS3 -> at = 3
		:: else
		fi;
		if
		:: at != NONE -> mark_used()
		:: else
		fi
	}
	if
	:: mode != SHRINK -> alloc_in_new(0); alloc_in_new(1)
	:: mode != MOVE
	fi
}

/* Also as a condition: does the object at the granule reach into the block? */
#define TOUCHES(granule) \
	(BLOCK(granule) == block || BLOCK(LAST(granule, slot)) == block)

/* What is left over makes no difference. */
inline evicted()
{
	slot = 0; at = 0; id = 0; ok = 0
}

/*
 * evict(): move the object that begins at from away, if it reaches into the block. What
 * has no place is spilled in mode MOVE, if there is memory.
 */
inline evict(mode)
{
	do
	:: atomic { glock == 0 -> id = owner[from] }
		if
		:: id == 0 -> break
		:: else -> slot = id - 1
		fi;
		atomic {
			slock[slot] == 0 ->
			slock[slot] = 1;
#ifdef BUG_NO_LOOK_AT_OWNER
			ok = 1
#else
			ok = word[slot] == from + 1
#endif
		}
		if
		:: ok && TOUCHES(from) ->
			alloc(mode);
			if
			:: at != NONE ->
				write_object(at);
				word[slot] = at + 1;
				free_object(from)
			:: at == NONE && mode == MOVE ->
				word[slot] = SPILL;
				free_object(from)
			:: at == NONE && (mode != MOVE || may) -> ret = 1
			fi;
			atomic { slock[slot] = 0; evicted(); break }
		:: atomic { ok && !TOUCHES(from) -> slock[slot] = 0; evicted(); break }
		/* Look at the slot again. */
		:: atomic { !ok -> slock[slot] = 0; evicted() }
		fi
	od
}

/* evict_block(). Objects that begin in block 0 may reach into block 1. */
inline evict_block(mode)
{
#ifndef BUG_NO_CLOSE
	atomic { glock == 0 -> open = open & ~BIT(block) }
#endif
#ifdef BUG_NO_STRADDLING
	from = 2 * block;
#else
	from = block;
#endif
	do
	:: from < 2 * block + 2 && !ret -> evict(mode); from++
	:: atomic { else -> from = 0; break }
	od
}

/* mtg_pool_reopen(), with mtg_block_put() and mtg_block_owned() */
inline reopen()
{
	atomic {
		glock == 0 ->
		if
		:: OPEN(block)
		:: !OPEN(block) && HOLDS_NOTHING(block) -> put_block(block)
#ifdef BUG_REOPEN_UNCHECKED
		:: !OPEN(block) && !HOLDS_NOTHING(block) ->
#else
		:: !OPEN(block) && !HOLDS_NOTHING(block) && state[block] == USED ->
#endif
			open = open | BIT(block)
		:: else
		fi
	}
}

/* mtg_slot_store() */
inline store_slot()
{
	alloc(STORE);
	if
	:: at != NONE ->
		write_object(at);
		old = word[slot];
		if
		:: old != EMPTY && old != SPILL -> from = old - 1; free_object(from)
		:: else
		fi;
		word[slot] = at + 1
	:: else
	fi
}

/* mtg_slot_free() */
inline free_slot()
{
	atomic { old = word[slot]; word[slot] = EMPTY }
	if
	:: old != EMPTY && old != SPILL -> from = old - 1; free_object(from)
	:: else
	fi
}

/* settle_slot() */
inline settle_slot()
{
	if
	:: word[slot] == SPILL ->
		alloc(STORE);
		if
		:: at != NONE -> write_object(at); word[slot] = at + 1
		:: else
		fi
	:: else
	fi
}

/*
 * tagblock.c
 */

#if ALL_OPS & OP_LIFE
/* The callbacks are there until the processor has left its section. */
#define enter(section)	section[me] = 1
#define leave(section)	section[me] = 0

/* A callback begins, or ends. */
#define CALLBACK	assert(ops && alive)
#define IN_CALLBACK	assert(alive)

#define call_if_attached(section) \
	enter(section); \
	if \
	:: ops -> IN_CALLBACK \
	:: else \
	fi; \
	leave(section)

/* synchronize_rcu(), synchronize_srcu() */
#define synchronize(section) \
	section[0] == 0; \
	section[1] == 0; \
	section[2] == 0
#define ATTACHED	(ops)
#ifdef BUG_WORKER_GOES_ON
#define WORKER_MAY_RUN	(true)
#else
#define WORKER_MAY_RUN	(!going)
#endif
#define WORKER_RUNS	worker = 1
#define WORKER_ENDS	assert(alive); worker = 0
#else
#define enter(section)	skip
#define leave(section)	skip
#define CALLBACK	skip
#define IN_CALLBACK	skip
#define ATTACHED	(true)
#define WORKER_MAY_RUN	(true)
#define WORKER_RUNS	skip
#define WORKER_ENDS	skip
#endif

/* mtg_reserve_at_once() */
inline reserve_at_once()
{
	old = reserved;
	do
	:: atomic { old & BIT(page) -> ok = 1; old = 0; break }
#ifdef BUG_ANY_BIT_OF_WORD
	:: atomic { !(old & BIT(page)) && !old -> ok = 0; old = 0; break }
#else
	:: atomic { !(old & BIT(page)) && !(old & PAGES_OF(block)) -> ok = 0; old = 0; break }
#endif
	:: else ->
		atomic {
			if
#ifdef BUG_PLAIN_STORE
			:: true ->
#else
			:: reserved == old ->
#endif
				old = old | BIT(page);
				reserved = old;
				balance++;
				CHECK_TAGS
			:: else -> old = reserved
			fi
		}
	od
}

/* reserve_locked(): set_bit(), if it is not set */
inline set_page_bit()
{
	if
	:: !(reserved & BIT(page)) ->
		reserved = reserved | BIT(page);
		balance++;
		CHECK_TAGS
	:: else
	fi
}

/* switch_to_tags() */
inline switch_to_tags()
{
#ifdef BUG_BIT_FIRST
	atomic { lock[block] == 0 -> set_page_bit() }
#endif
#ifdef BUG_TAGGED_FIRST
	state[block] = TAGGED;
#endif
	if
	:: was == USED ->
		CALLBACK;
		evict_block(MOVE);
		IN_CALLBACK
	:: else
	fi;
	if
	:: !ret ->
#ifdef BUG_CLEAN_BEFORE_CLEAR
		data_lines = data_lines & ~BIT(block);
#endif
#ifndef BUG_NO_CLEAR
		d_step {
			bytes[2 * block] = GOOD;
			bytes[2 * block + 1] = GOOD;
			data_lines = data_lines | BIT(block)
		}
#endif
#if !defined(BUG_CLEAN_BEFORE_CLEAR) && !defined(BUG_NO_CLEAN)
		data_lines = data_lines & ~BIT(block)
#endif
	:: else
	fi
}

/* reserve_locked(), with preemption disabled */
inline reserve_locked()
{
	enter(rcu);
	do
	:: atomic {
			lock[block] == 0 ->
			was = state[block];
			if
			:: was == TAGGED -> set_page_bit()
#ifdef BUG_NO_SWITCHING
			:: was == USED
			:: was == FREE -> state[block] = SWITCHING
#else
			:: was == USED || was == FREE -> state[block] = SWITCHING
#endif
			:: was == SWITCHING
			fi
		}
		if
		:: atomic { was == TAGGED -> was = 0; break }
		/* wait_for_switch() */
		:: was == SWITCHING ->
			state[block] != SWITCHING;
#ifdef BUG_NO_LOOK_AFTER_WAIT
			atomic { lock[block] == 0 -> set_page_bit() }
			break
#endif
		:: else ->
			switch_to_tags();
			atomic {
				lock[block] == 0 ->
				if
				:: ret -> state[block] = USED
				:: else -> state[block] = TAGGED; set_page_bit()
				fi;
				was = 0;
				break
			}
		fi
	od;
	if
	:: ret ->
#ifndef BUG_NO_REOPEN
		CALLBACK;
		reopen();
		IN_CALLBACK
#endif
	:: else
	fi;
	leave(rcu)
}

/* try_page_mte_tagging(), and what its callers do then */
inline initialise()
{
	if
	:: atomic { !(tag_lock & BIT(page)) -> tag_lock = tag_lock | BIT(page) }
#ifdef BUG_FLAG_BEFORE_TAGS
		atomic { tagged = tagged | BIT(page); CHECK_TAGS }
#endif
#ifdef BUG_PREPARE_WITHOUT_TAGS
		if
		:: prepare
		:: !prepare -> write_tags(page)
		fi;
#else
		write_tags(page);
#endif
		atomic { tagged = tagged | BIT(page); CHECK_TAGS }
	:: tagged & BIT(page)
	fi
}

#define TAKES(page_)	((PAGES & BIT(page_)) && users[page_] != FREEING)

/* A processor allocates a page, or gets a reference, for what follows. */
inline take_pages()
{
	if
	:: TAKES(0) -> first = 0
	:: TAKES(1) -> first = 1
	:: TAKES(2) -> first = 2
	:: TAKES(3) -> first = 3
	fi;
	n = 1;
#ifdef HUGE
	if
	:: first == HUGE && TAKES(HUGE + 1) -> n = 2
	:: true
	fi;
#endif
	page = first;
	do
	:: page < first + n ->
		users[page]++;
		allocated = allocated | BIT(page);
		page++
	:: else -> break
	od;
	page = first;
	if
	:: can & OP_MUST
	:: can & OP_MAY -> may = 1
	:: can & OP_PREPARE -> may = 1; prepare = 1
	fi
}

/* Pages get tags: mte_sync_tags() and others, or __mtetagram_prepare_range(). */
inline tag_pages()
{
	do
	:: page < first + n && !ret ->
		block = BLOCK(page);
		reserve_at_once();
		if
		:: !ok ->
#if ALL_OPS & OP_LIFE
			if
			:: prepare && state[block] == USED -> call_if_attached(srcu)
			:: else
			fi;
#endif
			reserve_locked()
		:: else
		fi;
		ok = 0;
		if
		:: prepare && !ret -> initialise()
		:: else
		fi;
		page++
	:: else -> break
	od;
	page = first;
	do
	:: page < first + n && !ret && !prepare -> initialise(); page++
	:: else -> break
	od
}

/* Clear the lowest bit in mask. */
inline clear_page_bit()
{
	if
	:: mask & 1 -> page = 0
	:: (mask & 3) == 2 -> page = 1
	:: (mask & 7) == 4 -> page = 2
	:: mask == 8 -> page = 3
	fi;
	mask = mask & ~BIT(page);
	reserved = reserved & ~BIT(page);
	bytes[page] = OLD;
	balance--
}

/* release_in_block(). No other processor has the pages, so their bits do not change. */
inline release_in_block()
{
	mask = reserved & freed & PAGES_OF(block);
	if
	:: mask ->
#ifndef BUG_TAGS_NOT_CLEANED
		tag_lines = tag_lines & ~mask;
#endif
#ifndef BUG_RELEASE_UNLOCKED
		atomic { lock[block] == 0 -> lock[block] = 1 }
#endif
#ifdef BUG_NO_SECOND_LOOK
		ok = (reserved & PAGES_OF(block)) == mask;
#endif
		do
		:: atomic { mask -> clear_page_bit() }
		:: else -> break
		od;
#ifndef BUG_NO_SECOND_LOOK
		ok = (reserved & PAGES_OF(block)) == 0;
#endif
		atomic {
			if
			:: ok ->
				state[block] = FREE;
				bytes[2 * block] = DATA;
				bytes[2 * block + 1] = DATA;
				data_lines = data_lines | BIT(block)
			:: else
			fi;
			lock[block] = 0
		}
#if ALL_OPS & OP_LIFE
		/* tell_driver() */
		if
		:: ok -> call_if_attached(rcu)
		:: else
		fi;
#endif
		ok = 0
	:: else
	fi
}

#define IS_FREED(page_)	((PAGES & allocated & BIT(page_)) && users[page_] == 0)

inline free_which()
{
	if
	:: IS_FREED(0) -> first = 0
	:: IS_FREED(1) -> first = 1
	:: IS_FREED(2) -> first = 2
	:: IS_FREED(3) -> first = 3
	fi;
	users[first] = FREEING;
	freed = BIT(first);
#ifdef HUGE
	if
	:: first == HUGE && IS_FREED(HUGE + 1) ->
		users[HUGE + 1] = FREEING;
		freed = freed | BIT(HUGE + 1)
	:: true
	fi
#endif
}

/* free_pages_prepare(), which clears the flags, then mtg_region_release() */
inline free_pages()
{
	atomic { tagged = tagged & ~freed; tag_lock = tag_lock & ~freed }
	block = 0;
	release_in_block();
	block = 1;
	release_in_block()
}

#define IS_UNUSED(page_)	((PAGES & BIT(page_)) && users[page_] == 0 && \
				 !(allocated & BIT(page_)))

/* take_page(): no other processor has the page. */
inline take_unused_page()
{
	if
	:: IS_UNUSED(0) -> first = 0
	:: IS_UNUSED(1) -> first = 1
	:: IS_UNUSED(2) -> first = 2
	:: IS_UNUSED(3) -> first = 3
	fi;
	users[first] = FREEING;
	block = BLOCK(first)
}

/* Bytes that are no object are stored to the block as data: zeros, or what it held. */
inline write_block()
{
	d_step {
		assert(HOLDS_NOTHING(block) && !(reserved & PAGES_OF(block)));
		assert(!(tag_lines & PAGES_OF(block)));
		bytes[2 * block] = DATA;
		bytes[2 * block + 1] = DATA;
		data_lines = data_lines | BIT(block);
		CHECK_TAGS
	}
	data_lines = data_lines & ~BIT(block)
}

/* run_probes(), after boot: the page is not reserved */
inline run_probe()
{
	write_block();
	d_step {
		assert(HOLDS_NOTHING(block) && !(reserved & PAGES_OF(block)));
		assert(!(data_lines & BIT(block)));
		bytes[first] = OLD;
		tag_lines = tag_lines | BIT(first);
		CHECK_TAGS
	}
#ifndef BUG_VERIFY_TAGS_NOT_CLEANED
	tag_lines = tag_lines & ~BIT(first);
#endif
	write_block()
}

/* mtg_block_begin_check() and mtg_block_end_check() */
inline verify_block()
{
	atomic {
		lock[block] == 0 ->
		ok = state[block] == FREE;
		if
#ifndef BUG_VERIFY_NO_SWITCHING
		:: ok -> state[block] = SWITCHING
#else
		:: ok
#endif
		:: else
		fi
	}
	if
	:: ok ->
		run_probe();
		atomic { lock[block] == 0 -> state[block] = FREE }
	:: else
	fi
}

#define ANY(x)	(x(0) || x(1) || x(2) || x(3))

proctype cpu(byte me; short can)
{
	byte first, n, page, block, freed, mask, old, was, slot, at, from, id, mode;
	bit may, prepare, ok, ret, two;

end:
	do
#if ALL_OPS & OP_TAGS
	:: atomic { can & OP_TAGS && ANY(TAKES) -> take_pages(); busy++ }
		tag_pages();
		atomic {
			page = first;
			do
			:: page < first + n -> users[page]--; page++
			:: else -> break
			od;
			finish()
		}
#endif
#if ALL_OPS & OP_FREE
	:: atomic { can & OP_FREE && ANY(IS_FREED) -> free_which(); busy++ }
		free_pages();
		atomic {
			allocated = allocated & ~freed;
			page = 0;
			do
			:: page < 4 ->
				if
				:: freed & BIT(page) -> users[page] = 0
				:: else
				fi;
				page++
			:: else -> break
			od;
			finish()
		}
#endif
#if ALL_OPS & OP_VERIFY
	:: atomic { can & OP_VERIFY && ANY(IS_UNUSED) -> take_unused_page(); busy++ }
		verify_block();
		atomic { users[first] = 0; finish() }
#endif
#if ALL_OPS & OP_STORE
	:: atomic {
			can & OP_STORE && ATTACHED ->
			if
			:: SLOTS & 1 -> slot = 0
			:: SLOTS & 2 -> slot = 1
			:: SLOTS & 4 -> slot = 2
			fi;
			busy++
		}
		atomic { slock[slot] == 0 -> slock[slot] = 1 }
		if
		:: store_slot()
		:: free_slot()
		fi;
		atomic { slock[slot] = 0; finish() }
#endif
#if ALL_OPS & OP_SETTLE
	:: atomic { can & OP_SETTLE && ATTACHED && WORKER_MAY_RUN -> WORKER_RUNS; busy++ }
		do
		:: slot < NR_SLOTS ->
			atomic { slock[slot] == 0 -> slock[slot] = 1 }
			settle_slot();
			atomic { slock[slot] = 0; slot++ }
		:: else -> break
		od;
		/* evict_kept_blocks(), or evict_blocks_within() */
		do
		:: block < 2 && OPEN(block) ->
			if
			:: mode = STORE
			:: mode = SHRINK
			fi;
			evict_block(mode);
			reopen();
			atomic { ret = 0; mode = 0; block++ }
		:: block < 2 && !OPEN(block) -> block++
		:: block == 2 -> break
		od;
		atomic { WORKER_ENDS; finish() }
#endif
#if ALL_OPS & OP_SPLIT
	/* Of a huge page: each page keeps its own flags. */
	:: atomic {
			can & OP_SPLIT && users[HUGE] != FREEING && users[HUGE + 1] != FREEING &&
			(allocated & (3 << HUGE)) == 3 << HUGE ->
#ifdef BUG_SPLIT_COPIES_FLAGS
			tagged = tagged | (tagged & BIT(HUGE)) << 1;
			tag_lock = tag_lock | (tag_lock & BIT(HUGE)) << 1;
#endif
			CHECK_TAGS
		}
#endif
#if ALL_OPS & OP_LIFE
	/* mtg_region_attach() */
	:: atomic { can & OP_LIFE && !alive -> alive = 1; ops = 1 }
	/* device_teardown(), which holds init_lock for writing */
	:: atomic { can & OP_LIFE && ops -> going = 1; busy++ }
#ifndef BUG_WORKER_GOES_ON
		worker == 0;
#endif
		do
		:: slot < NR_SLOTS ->
			atomic { slock[slot] == 0 -> slock[slot] = 1 }
			free_slot();
			atomic { slock[slot] = 0; slot++ }
		:: else -> break
		od;
		/* mtg_region_detach() */
#ifndef BUG_NO_WAIT_FOR_EVICT
		synchronize(rcu);
#endif
		assert(state[0] != USED && state[1] != USED);
		ops = 0;
#ifndef BUG_NO_WAIT_FOR_FREED
		synchronize(rcu);
#endif
#ifndef BUG_NO_WAIT_FOR_PREPARE
		synchronize(srcu);
#endif
		alive = 0;
		atomic { going = 0; finish() }
#endif
	od
}

init
{
	atomic {
		run cpu(0, OPS0);
		run cpu(1, OPS1);
		run cpu(2, OPS2)
	}
}
