// SPDX-License-Identifier: GPL-2.0
/*
 * The pool and the slots at the size of a machine with 1 TiB: a carve-out of 32 GiB, 8
 * million blocks, 25 million slots. The test calls each function that walks through blocks or
 * slots. It counts the steps (see test_steps.c) of each function: all of them, the most with
 * a lock held, and the most without a pause in which other tasks may run (cond_resched()).
 *
 *   test_scale
 *
 * The arena is sparse: a few thousand of its pages are used.
 */
#include <sys/mman.h>

#include "shim/linux/kernel_shim.h"

/* Steps so far, when the outermost lock was taken, and at the last pause; the most of each. */
static struct {
	unsigned long steps, locked, paused, longest_lock, longest_pause;
	unsigned int depth;
} now;

void __sanitizer_cov_trace_pc(void);

NOT_COUNTED void __sanitizer_cov_trace_pc(void)
{
	now.steps++;
}

static NOT_COUNTED void note_lock(raw_spinlock_t *lock)
{
	if (!now.depth++)
		now.locked = now.steps;
}

static NOT_COUNTED void note_unlock(raw_spinlock_t *lock)
{
	if (!--now.depth)
		now.longest_lock = max(now.longest_lock, now.steps - now.locked);
}

static NOT_COUNTED void note_pause(void)
{
	now.longest_pause = max(now.longest_pause, now.steps - now.paused);
	now.paused = now.steps;
}

/* One thread, so a lock is only counted. */
#undef raw_spin_lock
#undef raw_spin_unlock
#undef cond_resched
#define raw_spin_lock(l)	note_lock(l)
#define raw_spin_unlock(l)	note_unlock(l)
#define cond_resched()		note_pause()

#include "production.h"
#include "result.h"

#define BLOCK_SIZE	4096
#define BLOCKS		(8U << 20)
#define SLOTS		25000000U
#define KEPT		512U
#define OBJECTS		20000U

/*
 * The most steps with a lock held or without a pause: 100 us, if a step is five instructions
 * of a nanosecond.
 */
#define AT_ONCE		20000UL

static void begin(void)
{
	now.longest_lock = 0;
	now.longest_pause = 0;
	now.steps = 0;
	now.paused = 0;
}

static void end(const char *what, unsigned long at_most)
{
	note_pause();
	result(now.longest_lock <= AT_ONCE && now.longest_pause <= AT_ONCE &&
	       now.steps <= at_most,
	       "%s: %lu steps, %lu at most with a lock, %lu at most without a pause", what,
	       now.steps, now.longest_lock, now.longest_pause);
}

/* The provider. It has a map like tagblock.c. Kept blocks are near the beginning and at the end. */
static struct mtg_map free_blocks;
static unsigned long *kept, *used;
static u32 nr_free;

static bool get(void *ctx, u32 block, bool from_kept)
{
	if (test_bit(block, kept) != from_kept || !mtg_map_test(&free_blocks, block))
		return false;
	mtg_map_clear(&free_blocks, block);
	__set_bit(block, used);
	nr_free -= !from_kept;
	return true;
}

static bool put(void *ctx, u32 block)
{
	if (!test_bit(block, used))
		return false;
	__clear_bit(block, used);
	mtg_map_set(&free_blocks, block);
	nr_free += !test_bit(block, kept);
	return true;
}

static bool owned(void *ctx, u32 block)
{
	return test_bit(block, used);
}

static u32 next_kept(void *ctx, u32 from, u32 end)
{
	return find_next_bit(kept, end, from);
}

static u32 next_free(void *ctx, u32 from, bool from_kept)
{
	return mtg_map_next(&free_blocks, from, kept, from_kept);
}

static u32 nr_free_blocks(void *ctx)
{
	return nr_free;
}

static const struct mtg_provider provider = {
	get, put, owned, next_kept, next_free, nr_free_blocks
};

static struct mtg_pool pool;
static struct mtg_slots slots;
static u8 data[MTG_SLOT_SIZE] = { 1 };

static long long rung(enum mtg_rung rung)
{
	return atomic64_read(&slots.rung[rung]);
}

/* The slots are spread over the whole table. Their objects are in the first blocks. */
static u32 slot_of(u32 n)
{
	return (u64)n * (SLOTS / OBJECTS) + n % 7;
}

static unsigned int len_of(u32 n)
{
	return n % 50 ? 300 + n % 1500 : MTG_SLOT_SIZE;
}

static void set_up(void *arena)
{
	u32 i;

	begin();
	if (mtg_map_init(&free_blocks, BLOCKS))
		exit(2);
	mtg_map_fill(&free_blocks);
	end("a map of all blocks, all bits set", 3 * BLOCKS / 64);
	kept = calloc(BLOCKS / 64, sizeof(long));
	used = calloc(BLOCKS / 64, sizeof(long));
	for (i = 0; i < KEPT / 2; i++) {
		__set_bit(5000 + i, kept);
		__set_bit(BLOCKS - 1 - i, kept);
	}
	nr_free = BLOCKS - KEPT;
	begin();
	if (mtg_pool_init(&pool, arena, BLOCKS, BLOCK_SIZE, &provider, NULL))
		exit(2);
	end("set-up of the pool", 8 * pool.nr_groups);
	begin();
	if (mtg_slots_init(&slots, "scale", &pool, SLOTS, 4096))
		exit(2);
	end("set-up of the slots", SLOTS / 16);
	if (!mtg_spill_balance(&slots.spill, GFP_KERNEL))
		exit(2);
}

static void fill(void)
{
	u32 n;

	begin();
	for (n = 0; n < OBJECTS; n++) {
		memcpy(data, &n, sizeof(n));
		if (mtg_slot_store(&slots, slot_of(n), data, len_of(n)))
			exit(2);
		note_pause();
	}
	end("20,000 stores", OBJECTS * 400UL);
}

/* Take all free blocks for tags, but for the kept ones; or give them back. */
static void take_all(bool tags)
{
	u32 block;

	for (block = 0; block < BLOCKS; block++) {
		if (test_bit(block, kept) || test_bit(block, used) ||
		    mtg_map_test(&free_blocks, block) != tags)
			continue;
		if (tags)
			mtg_map_clear(&free_blocks, block);
		else
			mtg_map_set(&free_blocks, block);
		nr_free += tags ? -1 : 1;
	}
}

/* A thousand blocks are wanted for tags while only kept blocks are free. */
static void displace(void)
{
	u32 block, n = 0;

	take_all(true);
	begin();
	for (block = 0; n < 1000; block++) {
		if (!test_bit(block, used) || test_bit(block, kept))
			continue;
		__clear_bit(block, used);
		if (mtg_slots_evict(&slots, block, MTG_RUNG_LOSE))
			exit(2);
		n++;
		note_pause();
	}
	end("1,000 blocks emptied into kept ones and ordinary memory", n * 4000UL);
}

static unsigned int wrong_slots(void)
{
	unsigned int wrong = 0;
	static u8 got[MTG_SLOT_SIZE];
	u32 n;

	for (n = 0; n < OBJECTS; n++)
		wrong += mtg_slot_load(&slots, slot_of(n), got) != len_of(n) ||
			 memcmp(got, &n, sizeof(n));
	return wrong;
}

static void settle(void)
{
	unsigned long spilled = rung(MTG_RUNG_SPARE) + rung(MTG_RUNG_ATOMIC);
	unsigned long moved = rung(MTG_RUNG_KEPT);

	begin();
	mtg_slots_settle(&slots);
	end("settle in vain", 100 * (spilled + moved) + BLOCKS / 32);
	take_all(false);
	begin();
	mtg_slots_settle(&slots);
	end("settle, all objects settle", 1000 * (spilled + moved) + BLOCKS / 32);
	result(spilled > 300 && moved > 300 && !atomic_read(&slots.spill.nr_pages) &&
	       !wrong_slots(),
	       "%lu spilled objects settled, %lu left kept blocks", spilled, moved);
}

/* Two of three objects are freed, so that there is room in each block. */
static void move_together(void)
{
	int before;
	u32 n;

	for (n = 0; n < OBJECTS; n++)
		if (n % 3)
			mtg_slot_free(&slots, slot_of(n));
	before = atomic_read(&pool.nr_open);
	begin();
	if (mtg_slots_shrink(&slots, before * 2 / 3))
		exit(2);
	end("a smaller limit", 40UL * BLOCKS);
	begin();
	mtg_slots_compact(&slots);
	end("compaction", 40UL * BLOCKS);
	result(atomic_read(&pool.nr_open) < before * 2 / 3, "of %d blocks %d are open", before,
	       atomic_read(&pool.nr_open));
}

int main(void)
{
	void *arena = mmap(NULL, (size_t)BLOCKS * BLOCK_SIZE, PROT_READ | PROT_WRITE,
			   MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

	if (arena == MAP_FAILED)
		return 2;
	results_begin(13);
	set_up(arena);
	fill();
	displace();
	settle();
	begin();
	if (mtg_slots_grow(&slots, SLOTS + 1000000))
		return 2;
	end("a million more slots", SLOTS / 64);
	move_together();
	begin();
	mtg_slots_clear(&slots);
	end("all slots freed", 16UL * SLOTS);
	mtg_slots_destroy(&slots);
	mtg_pool_destroy(&pool);
	return results_end();
}
