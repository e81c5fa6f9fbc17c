// SPDX-License-Identifier: GPL-2.0
/*
 * The production pool.c, spill.c and slot.c, unchanged, against a reference model.
 *
 *   test_store [-s SEED] [-n STEPS] [-t THREADS] [-b BLOCKSIZE] [-B BLOCKS] [-f]
 *
 * Each thread owns every THREADS-th slot and remembers what it stored there as a
 * seed and a length. Random operations: store, load, free, take a block for tags,
 * give it back, shrink and grow the share, bring spilled objects home. Some blocks
 * are never taken and kept for relocation. A block that is taken is overwritten at
 * once, as tags would overwrite it, and must still hold exactly that when it is
 * given back; or that is refused, and nothing may have changed. -f makes allocations
 * of ordinary memory fail at random, so that objects are dropped: then a slot may
 * read -EIO, but never wrong data.
 *
 * A failure prints the command line that repeats it (with one thread: exactly).
 */
#include <getopt.h>
#include <stdarg.h>

#include "../../drivers/block/mtetagram/pool.c"
#include "../../drivers/block/mtetagram/spill.c"
#include "../../drivers/block/mtetagram/slot.c"

__thread unsigned int shim_cpu;
bool (*shim_fail_alloc)(gfp_t gfp);

enum { FREE, USED, SWITCHING, TAGGED };

static struct {
	uint64_t seed;
	unsigned long steps;
	unsigned int threads, block_size, blocks, slots;
	bool faults;
} opt = { 1, 200000, 1, 4096, 256, 4096, false };

static uint8_t *arena;
static struct mtg_pool pool;
static struct mtg_slots slots;
static uint8_t *states;
static pthread_mutex_t states_lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_mutex_t shrink_lock = PTHREAD_MUTEX_INITIALIZER;

static __thread uint64_t rng;
static __thread unsigned long step;

static uint64_t splitmix(uint64_t *x)
{
	uint64_t z = *x += 0x9e3779b97f4a7c15;

	z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9;
	z = (z ^ z >> 27) * 0x94d049bb133111eb;
	return z ^ z >> 31;
}

static unsigned int rnd(unsigned int n)
{
	return splitmix(&rng) % n;
}

__attribute__((format(printf, 1, 2))) static void fail(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	printf("not ok - step %lu: ", step);
	vprintf(fmt, ap);
	printf("\n# repeat: test_store -s %llu -n %lu -t %u -b %u -B %u%s\n",
	       (unsigned long long)opt.seed, step + 1, opt.threads, opt.block_size,
	       opt.blocks, opt.faults ? " -f" : "");
	fflush(stdout);
	abort();
}

/* The provider: what tagblock.c does, as simply as possible. */
static bool move_state(u32 block, int from, int to)
{
	bool ok;

	pthread_mutex_lock(&states_lock);
	ok = states[block] == from;
	if (ok)
		states[block] = to;
	pthread_mutex_unlock(&states_lock);
	return ok;
}

/* A few blocks, in different places, that never are wanted for tags. */
static bool block_kept(void *ctx, u32 block)
{
	(void)ctx;
	return block % 37 == 5;
}

static bool block_get(void *ctx, u32 block, bool kept)
{
	return block_kept(ctx, block) == kept && move_state(block, FREE, USED);
}

static bool block_put(void *ctx, u32 block)
{
	(void)ctx;
	return move_state(block, USED, FREE);
}

static bool block_owned(void *ctx, u32 block)
{
	(void)ctx;
	return move_state(block, USED, USED);
}

static u32 next_free(void *ctx, u32 from, bool kept)
{
	while (from < opt.blocks &&
	       (block_kept(ctx, from) != kept || !move_state(from, FREE, FREE)))
		from++;
	return from;
}

static u32 nr_free(void *ctx)
{
	u32 block, n = 0;

	for (block = 0; block < opt.blocks; block++)
		n += !block_kept(ctx, block) && move_state(block, FREE, FREE);
	return n;
}

static const struct mtg_provider provider = {
	block_get, block_put, block_owned, block_kept, next_free, nr_free
};

static unsigned long stores, refused, taken, refusals;

/* Tags: written when the block is taken, and checked when it is given back. */
static void take_block(u32 block)
{
	bool used, may_refuse = rnd(2);

	if (block_kept(NULL, block))
		return;
	used = move_state(block, USED, SWITCHING);
	if (!used && !move_state(block, FREE, SWITCHING))
		return;
	if (used && mtg_slots_vacate(&slots, block, may_refuse)) {
		if (!may_refuse)
			fail("vacating block %u was refused", block);
		move_state(block, SWITCHING, USED);
		__atomic_fetch_add(&refusals, 1, __ATOMIC_RELAXED);
		return;
	}
	memset(arena + (size_t)block * opt.block_size, 0xa0 | (block & 0xf),
	       opt.block_size);
	move_state(block, SWITCHING, TAGGED);
}

static void give_back_block(u32 block)
{
	uint8_t *p = arena + (size_t)block * opt.block_size;
	unsigned int i;

	/* SWITCHING: nobody else gives it back at the same time. */
	if (!move_state(block, TAGGED, SWITCHING))
		return;
	for (i = 0; i < opt.block_size; i++)
		if (p[i] != (0xa0 | (block & 0xf)))
			fail("byte %u of block %u was written while it held tags", i, block);
	memset(p, 0x55, opt.block_size);
	move_state(block, SWITCHING, FREE);
}

/* The reference model. */
struct expect {
	uint64_t seed;
	int len;	/* 0: empty */
};

static void contents(uint64_t seed, unsigned int len, uint8_t *buf)
{
	unsigned int i;

	if (len == MTG_FILL_LEN && seed % 2) {
		memset(buf, (int)seed, 8);	/* a pattern that fits the slot's word */
		return;
	}
	for (i = 0; i < len; i++)
		buf[i] = splitmix(&seed);
}

static void check_slot(struct expect *e, u32 index)
{
	uint8_t want[MTG_SLOT_SIZE], got[MTG_SLOT_SIZE];
	int len = mtg_slot_load(&slots, index, got);

	if (len == -EIO && opt.faults && e->len)
		return;
	if (len != e->len)
		fail("slot %u has %d bytes instead of %d", index, len, e->len);
	contents(e->seed, e->len, want);
	if (memcmp(want, got, e->len))
		fail("slot %u holds other data", index);
}

static unsigned int random_len(void)
{
	switch (rnd(8)) {
	case 0:
		return MTG_FILL_LEN;
	case 1:
		return MTG_SLOT_SIZE;
	case 2:
		return 9 + rnd(200);
	default:
		return 300 + rnd(3500);
	}
}

static void store(struct expect *e, u32 index)
{
	uint8_t data[MTG_SLOT_SIZE];
	struct expect new = { splitmix(&rng), random_len() };
	int ret;

	contents(new.seed, new.len, data);
	ret = mtg_slot_store(&slots, index, data, new.len);
	if (!ret)
		*e = new;
	else if (ret != -ENOSPC)
		fail("store: %d", ret);
	__atomic_fetch_add(ret ? &refused : &stores, 1, __ATOMIC_RELAXED);
}

static void resize(void)
{
	u32 limit = rnd(4) ? opt.blocks : rnd(opt.blocks), before;
	int ret;

	pthread_mutex_lock(&shrink_lock);
	mtg_slots_settle(&slots);
	mtg_spill_balance(&slots.spill, GFP_KERNEL);
	before = pool.limit;
	ret = mtg_slots_shrink(&slots, limit);
	if (pool.limit != (ret ? before : limit))
		fail("shrink to %u returned %d and left %u", limit, ret, pool.limit);
	pthread_mutex_unlock(&shrink_lock);
}

static void *worker(void *arg)
{
	unsigned int id = (uintptr_t)arg, nr = opt.slots / opt.threads, i;
	struct expect *model = calloc(nr, sizeof(*model));

	shim_cpu = id;
	rng = opt.seed * 1000 + id;
	for (step = 0; step < opt.steps; step++) {
		u32 n = rnd(nr), index = n * opt.threads + id;
		unsigned int op = rnd(1000);

		if (op < 450) {
			store(&model[n], index);
		} else if (op < 700) {
			check_slot(&model[n], index);
		} else if (op < 850) {
			if (mtg_slot_free(&slots, index) != !!model[n].len)
				fail("slot %u: free disagrees", index);
			model[n].len = 0;
		} else if (op < 920) {
			take_block(rnd(opt.blocks));
			__atomic_fetch_add(&taken, 1, __ATOMIC_RELAXED);
		} else if (op < 998) {
			give_back_block(rnd(opt.blocks));
		} else {
			resize();
		}
	}
	for (i = 0; i < nr; i++)
		check_slot(&model[i], i * opt.threads + id);
	free(model);
	return NULL;
}

static bool fail_atomic(gfp_t gfp)
{
	return gfp & GFP_ATOMIC && rnd(2);
}

static void options(int argc, char **argv)
{
	int c;

	while ((c = getopt(argc, argv, "s:n:t:b:B:f")) != -1) {
		switch (c) {
		case 's':
			opt.seed = strtoull(optarg, NULL, 0);
			break;
		case 'n':
			opt.steps = strtoul(optarg, NULL, 0);
			break;
		case 't':
			opt.threads = strtoul(optarg, NULL, 0);
			break;
		case 'b':
			opt.block_size = strtoul(optarg, NULL, 0);
			break;
		case 'B':
			opt.blocks = strtoul(optarg, NULL, 0);
			break;
		case 'f':
			opt.faults = true;
			break;
		default:
			exit(2);
		}
	}
	opt.slots -= opt.slots % opt.threads;
}

static long long rung(enum mtg_rung rung)
{
	return atomic64_read(&slots.stats.rung[rung]);
}

/* With everything freed nothing may be left anywhere. */
static void check_empty(void)
{
	u32 block, kept = 0;

	for (block = 0; block < opt.blocks; block++)
		give_back_block(block);
	mtg_slots_clear(&slots);
	for (block = 0; block < opt.blocks; block++)
		kept += block_kept(NULL, block);
	if (atomic_read(&pool.nr_open) || atomic64_read(&pool.used_granules) ||
	    nr_free(NULL) + kept != opt.blocks)
		fail("%d blocks open, %lld granules used, %u of %u blocks free",
		     atomic_read(&pool.nr_open),
		     (long long)atomic64_read(&pool.used_granules),
		     nr_free(NULL) + kept, opt.blocks);
	if (atomic64_read(&slots.stats.stored) || atomic64_read(&slots.stats.compr_size) ||
	    atomic64_read(&slots.stats.same) || atomic64_read(&slots.stats.huge) ||
	    atomic_read(&slots.spill.nr_pages))
		fail("the statistics of an empty table are not zero");
	if (slots.broken || (!opt.faults && rung(MTG_RUNG_LOSE)))
		fail("damaged header or lost object");
}

int main(int argc, char **argv)
{
	pthread_t thread[64];
	unsigned int i;

	options(argc, argv);
	arena = calloc(opt.blocks, opt.block_size);
	states = calloc(opt.blocks, 1);
	if (mtg_pool_init(&pool, arena, opt.blocks, opt.block_size, &provider, NULL) ||
	    mtg_slots_init(&slots, "test", &pool, opt.slots, 8) ||
	    !mtg_spill_balance(&slots.spill, GFP_KERNEL))
		return 1;
	pool.headroom = opt.blocks / 16;
	if (opt.faults)
		shim_fail_alloc = fail_atomic;
	for (i = 0; i < opt.threads; i++)
		pthread_create(&thread[i], NULL, worker, (void *)(uintptr_t)i);
	for (i = 0; i < opt.threads; i++)
		pthread_join(thread[i], NULL);
	check_empty();
	printf("ok - seed %llu, %u threads, %lu steps, block size %u: %lu stores, %lu refused, %lu blocks taken, %lu refused, objects: %lld moved, %lld kept, %lld + %lld + %lld spilled, %lld returned, %lld dropped\n",
	       (unsigned long long)opt.seed, opt.threads, opt.steps, opt.block_size, stores,
	       refused, taken, refusals, rung(MTG_RUNG_MOVE), rung(MTG_RUNG_KEPT),
	       rung(MTG_RUNG_RESERVE), rung(MTG_RUNG_ATOMIC), rung(MTG_RUNG_EMERGENCY),
	       (long long)atomic64_read(&slots.stats.returned), rung(MTG_RUNG_LOSE));
	mtg_slots_destroy(&slots);
	mtg_pool_destroy(&pool);
	free(arena);
	free(states);
	return 0;
}
