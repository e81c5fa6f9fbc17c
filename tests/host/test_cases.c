// SPDX-License-Identifier: GPL-2.0
/*
 * Cases that random operations do not reach: how well compaction moves objects together,
 * how much work it is to evict a block, and set-up without memory.
 *
 *   test_cases [-s SEED]
 */
#include <getopt.h>
#include <sched.h>

#include "model.h"
#include "heaps.h"
#include "result.h"

static uint64_t rng = 1;

static u64 payload(void)
{
	return mtg_slots_usage(&m.table).compr_size;
}

static void free_random(unsigned int nr)
{
	u32 index;

	while (nr) {
		index = splitmix(&rng) % m.slots;
		nr -= mtg_slot_free(&m.table, index);
	}
}

/* The device is filled, objects are replaced, and half of all objects are freed, at random. */
static void test_compaction(const struct heap *heap, unsigned int block_size,
			    unsigned int tagged_percent)
{
	static uint8_t data[MTG_SLOT_SIZE];
	unsigned int i, blocks = (16 << 20) / block_size, before, ideal, ours, stored;
	uint64_t n;

	model_init(block_size, blocks, 8 * ((16 << 20) / 4096));
	for (i = 0; i < blocks; i++)
		if (splitmix(&rng) % 100 < tagged_percent)
			take_block(i, MTG_RUNG_LOSE);
	ours = m.nr_free;
	for (n = 0; n < 40000; n++) {
		i = splitmix(&rng) % m.slots;
		mtg_slot_free(&m.table, i);
		if (mtg_slot_store(&m.table, i, data, random_len(heap, &rng)))
			free_random(1);
	}
	stored = mtg_slots_usage(&m.table).stored;
	free_random(stored / 2);
	ideal = ours - DIV_ROUND_UP(payload(), block_size);
	before = m.nr_free;
	mtg_slots_compact(&m.table);
	check_pool();
	result(m.nr_free >= ideal * 9 / 10,
	       "%s, blocks of %u, %u %% tagged: half of %u objects freed, then of %u blocks %u are free, after compaction %u of %u possible, %.1f %%",
	       heap->name, block_size, tagged_percent, stored, ours, before, m.nr_free,
	       ideal, 100.0 * m.nr_free / ideal);
	model_destroy();
}

/* Evicting a block moves no more objects than the smallest ones that fit into it. */
static void test_evict_is_bounded(unsigned int block_size)
{
	unsigned int bound = block_size / MTG_GRANULE_SIZE / MTG_MIN_GRANULES + 1;
	unsigned int i, worst = 0, moved;
	uint8_t data[MTG_SLOT_SIZE] = { 1 };

	model_init(block_size, (1 << 20) / block_size, 65536);
	m.pool.headroom = m.blocks / 4;
	for (i = 0; i < 65536; i++)
		if (mtg_slot_store(&m.table, i, data, i % 61 ? 9 : random_len(heaps, &rng)))
			break;
	for (i = 0; i < m.blocks / 4; i++) {
		moved = mtg_slots_events(&m.table, MTG_RELOCATED);
		take_block(splitmix(&rng) % m.blocks, MTG_RUNG_LOSE);
		worst = max(worst, (unsigned int)mtg_slots_events(&m.table, MTG_RELOCATED) - moved);
	}
	result(worst > bound / 2 && worst <= bound,
	       "blocks of %u: a block was emptied with %u moves at most, of %u possible",
	       block_size, worst, bound);
	model_destroy();
}

static bool fail_always(gfp_t gfp)
{
	return true;
}

/*
 * All headers of a block are overwritten, and the block is taken for tags. All data is
 * still there, and eviction does not search the table: the number of locks shows that.
 */
static void test_damage_is_bounded(unsigned int block_size)
{
	unsigned int objects = 0, n, wrong = 0, adopted;
	uint8_t data[MTG_SLOT_SIZE] = { 1 }, got[MTG_SLOT_SIZE];
	unsigned long locks;
	u32 granule, i;

	model_init(block_size, (1 << 20) / block_size, 1 << 20);
	m.pool.headroom = m.blocks / 4;
	for (n = 0; n < m.slots; n++) {
		*(unsigned int *)data = n;
		if (mtg_slot_store(&m.table, n, data, 20))
			break;
	}
	m.damaged = true;
	for (granule = mtg_pool_first_object(&m.pool, 1); granule != MTG_NO_GRANULE;
	     granule = mtg_pool_next_object(&m.pool, 1, granule), objects++)
		mtg_pool_object(&m.pool, granule)->owner = granule + 1;
	locks = shim_locks;
	take_block(1, MTG_RUNG_LOSE);
	locks = shim_locks - locks;
	/* Some slots are freed before the others are read. */
	for (i = 0; i < n; i += 3)
		if (!mtg_slot_free(&m.table, i) || mtg_slot_load(&m.table, i, got))
			fail("slot %u cannot be freed", i);
	for (i = 0; i < n; i++)
		wrong += i % 3 && (mtg_slot_load(&m.table, i, got) != 20 ||
				   *(unsigned int *)got != i);
	check_pool();
	mtg_slots_settle(&m.table);
	adopted = 0;
	for (i = 0; i < MTG_ORPHAN_LISTS; i++)
		adopted += !m.table.orphans[i];
	for (i = 0; i < n; i++)
		wrong += i % 3 && (mtg_slot_load(&m.table, i, got) != 20 ||
				   *(unsigned int *)got != i);
	result(objects >= block_size / 256 && !wrong && adopted == MTG_ORPHAN_LISTS &&
	       !rung(MTG_RUNG_LOSE) && locks < MTG_SLOT_SETS + 32 * objects,
	       "blocks of %u: a block with %u damaged headers is emptied with %lu locks, %u of %u slots are wrong",
	       block_size, objects, locks, wrong, n);
	model_destroy();
}

/* The header of an object is damaged, and there is no memory for the object. */
static void test_damage_without_memory(void)
{
	uint8_t data[MTG_SLOT_SIZE] = { 1 }, got[MTG_SLOT_SIZE];
	int ret, other;

	model_init(4096, 8, 1024);
	m.table.spill.target = 0;
	mtg_spill_balance(&m.table.spill, GFP_KERNEL);
	if (mtg_slot_store(&m.table, 1, data, 3000) || mtg_slot_store(&m.table, 2, data, 900))
		fail("no room");
	m.damaged = true;
	m.lossy = true;
	mtg_pool_object(&m.pool, mtg_pool_first_object(&m.pool, 0))->owner = 12345;
	shim_fail_alloc = fail_always;
	take_block(0, MTG_RUNG_LOSE);
	shim_fail_alloc = NULL;
	ret = mtg_slot_load(&m.table, 1, got);
	other = mtg_slot_load(&m.table, 2, got);
	check_pool();
	mtg_slots_settle(&m.table);
	result(ret == -EIO && other == 900 && rung(MTG_RUNG_LOSE) == 1 &&
	       mtg_slot_load(&m.table, 1, got) == -EIO && mtg_slot_free(&m.table, 1),
	       "a damaged header without memory: the object reads %d, the other one %d", ret,
	       other);
	model_destroy();
}

/*
 * The pool is full but for holes of the smallest size. Long and short objects take turns in
 * the blocks that are taken: the long objects spill, the short objects find the holes.
 */
static void test_short_objects_fill_holes(void)
{
	unsigned int i, n, spilled, holes = 0;
	uint8_t data[MTG_SLOT_SIZE] = { 1 };

	model_init(4096, 64, 65536);
	m.pool.headroom = 0;
	for (n = 0; n < 65536; n++)
		if (mtg_slot_store(&m.table, n, data, n % 2 ? 20 : 700))
			break;
	for (; !mtg_slot_store(&m.table, n, data, 20); n++)
		;
	for (i = 1; i < n; i += 20, holes++)
		mtg_slot_free(&m.table, i);
	for (i = m.blocks / 2; i < m.blocks; i++)
		take_block(i, MTG_RUNG_LOSE);
	spilled = rung(MTG_RUNG_SPARE) + rung(MTG_RUNG_ATOMIC);
	result(rung(MTG_RUNG_MOVE) > holes && spilled > holes,
	       "of %u holes of a full pool %lld were filled by short objects, %u objects were spilled",
	       holes, rung(MTG_RUNG_MOVE), spilled);
	model_destroy();
}

static int fail_at;

static bool fail_nth(gfp_t gfp)
{
	return !--fail_at;
}

/* One raw page, and as many objects of 300 bytes as fit. Returns the number of slots. */
static u32 fill_with_short_ones(void)
{
	uint8_t data[MTG_SLOT_SIZE] = { };
	u32 n;

	mtg_slot_store(&m.table, 0, data, MTG_SLOT_SIZE);
	for (n = 1; n < m.slots; n++) {
		memcpy(data, &n, sizeof(n));
		if (mtg_slot_store(&m.table, n, data, 300))
			break;
	}
	return n;
}

/*
 * Fill the pool, and evict its first 24 blocks: hundreds of objects are spilled, as all kept
 * blocks are taken. Returns the number of slots that were written.
 */
static u32 fill_and_spill(u32 nr_blocks, u32 nr_slots)
{
	u32 n, i;

	model_init(4096, nr_blocks, nr_slots);
	m.pool.headroom = 0;
	take_kept(true);
	n = fill_with_short_ones();
	for (i = 0; i < 24; i++)
		take_block(i, MTG_RUNG_LOSE);
	return n;
}

/*
 * Hundreds of objects are spilled, the first of which is a raw page. Then there is room for
 * all of these but for the raw page.
 */
static void test_settle_goes_past(void)
{
	unsigned int wrong = 0, spilled;
	uint8_t got[MTG_SLOT_SIZE];
	u32 n, i;

	n = fill_and_spill(128, 16384);
	spilled = rung(MTG_RUNG_SPARE) + rung(MTG_RUNG_ATOMIC);
	if (word_type(*slot_word(&m.table, 0)) != SLOT_SPILL_RAW)
		fail("the page as it is was not spilled");
	for (i = n - 1; i > n / 2; i -= 2)
		mtg_slot_free(&m.table, i);
	mtg_slots_settle(&m.table);
	for (i = 1; i <= n / 2; i++)
		wrong += mtg_slot_load(&m.table, i, got) != 300 || memcmp(&i, got, sizeof(i));
	check_pool();
	result(!wrong && spilled > 240 && atomic_read(&m.table.spill.nr_pages) == 1 &&
	       mtg_slots_events(&m.table, MTG_SETTLED) == spilled - 1,
	       "of %u spilled objects %lld settled, past one that found no room", spilled,
	       (long long)mtg_slots_events(&m.table, MTG_SETTLED));
	take_kept(false);
	model_destroy();
}

static unsigned int wakes, pauses;
static u32 free_from, free_to;

static void count_wake(struct mtg_slots *slots)
{
	wakes++;
}

/* A process exits when the worker has looked at 200 spilled objects. */
static void free_at_pause(void)
{
	u32 i;

	if (++pauses == 200)
		for (i = free_from; i < free_to; i++)
			mtg_slot_free(&m.table, i);
}

/*
 * What is freed while the worker runs is room that the worker has already missed. So these
 * frees wake the worker, and its next run settles the rest. Of two stores the one that frees
 * old contents wakes it. When nothing is left, frees do not wake it.
 */
static void test_settle_hears_of_frees(void)
{
	unsigned int during, left, stores, in_vain;
	const uint64_t zero = 0;
	u32 n, i;

	n = fill_and_spill(64, 4096);
	m.table.wake = count_wake;
	free_from = n / 2;
	free_to = n - 10;
	shim_at_pause = free_at_pause;
	mtg_slots_settle(&m.table);
	shim_at_pause = NULL;
	during = wakes;
	left = atomic_read(&m.table.spill.nr_pages);
	wakes = 0;
	mtg_slot_store(&m.table, free_from, &zero, MTG_FILL_LEN);
	mtg_slot_store(&m.table, free_from - 1, &zero, MTG_FILL_LEN);
	stores = wakes;
	mtg_slots_settle(&m.table);
	wakes = 0;
	for (i = free_to; i < n; i++)
		mtg_slot_free(&m.table, i);
	in_vain = wakes;
	result(pauses >= 200 && left && during == free_to - free_from && stores == 1 &&
	       !atomic_read(&m.table.spill.nr_pages) && !in_vain,
	       "%u frees during settle: %u wake-ups, %u spilled pages left to the next run; %u wake-ups when nothing is left",
	       free_to - free_from, during, left, in_vain);
	m.table.wake = NULL;
	take_kept(false);
	model_destroy();
}

/*
 * In a table of millions of slots a few hundred objects are spilled, and some are in kept
 * blocks. The number of these objects decides how much work settling is, not the size of
 * the table.
 */
static void test_settle_looks_at_few(void)
{
	unsigned long steps, in_vain;
	unsigned int spilled, i;

	model_init(4096, 256, 8 << 20);
	m.pool.headroom = 0;
	fill_with_short_ones();
	for (i = 0; i < 64; i++)
		take_block(i, MTG_RUNG_LOSE);
	spilled = rung(MTG_RUNG_SPARE) + rung(MTG_RUNG_ATOMIC);
	steps = shim_locks + shim_breaths;
	if (mtg_slots_settle(&m.table))
		fail("an object settled without room");
	in_vain = shim_locks + shim_breaths - steps;
	for (i = 0; i < 64; i++)
		give_back_block(i);
	steps = shim_locks + shim_breaths;
	if (!mtg_slots_settle(&m.table))
		fail("nothing settled");
	steps = shim_locks + shim_breaths - steps;
	result(spilled > 240 && rung(MTG_RUNG_KEPT) && in_vain < 4 * spilled &&
	       steps < 8 * spilled && !atomic_read(&m.table.spill.nr_pages),
	       "%u slots, %u objects spilled: %lu locks and pauses in vain, %lu when all settle",
	       m.slots, spilled, in_vain, steps);
	model_destroy();
}

static unsigned int asked[2];	/* allocations: atomic, from the emergency reserves */
static bool no_atomic;

static bool note_gfp(gfp_t gfp)
{
	if (gfp & GFP_ATOMIC)
		asked[!!(gfp & __GFP_MEMALLOC)]++;
	return gfp & GFP_ATOMIC && no_atomic;
}

/* The pool is full, its kept block holds tags, and there are no spare pages. */
static void fill_all_places(void)
{
	uint8_t data[MTG_SLOT_SIZE] = { 1 };
	u32 n;

	model_init(4096, 32, 4096);
	m.pool.headroom = 0;
	m.table.spill.target = 0;
	mtg_spill_balance(&m.table.spill, GFP_KERNEL);
	for (n = 0; n < m.slots && !mtg_slot_store(&m.table, n, data, 1300); n++)
		;
	move_state(5, FREE, TAGGED);
	asked[0] = 0;
	asked[1] = 0;
}

/* All places are full: what becomes of an eviction whose last rung is @last? */
static int evict_when_full(enum mtg_rung last, bool atomic_fails)
{
	int ret;

	fill_all_places();
	no_atomic = atomic_fails;
	shim_fail_alloc = note_gfp;
	move_state(7, USED, SWITCHING);
	ret = mtg_slots_evict(&m.table, 7, last);
	shim_fail_alloc = NULL;
	move_state(7, SWITCHING, USED);
	mtg_pool_reopen(&m.pool, 7);
	move_state(5, TAGGED, FREE);
	/* A caller that prepares makes room and tries again, so no refusal is counted. */
	if (rung(MTG_RUNG_REFUSE) != (ret && last > MTG_RUNG_SPARE))
		fail("%lld refusals are counted", rung(MTG_RUNG_REFUSE));
	m.lossy = true;
	return ret;
}

static void test_rungs_by_urgency(void)
{
	static const struct {
		const char *caller;
		enum mtg_rung last;
		bool atomic_fails, refused, lost, atomic, emergency;
	} cases[] = {
		{ "prepares", MTG_RUNG_SPARE, false, true, false, false, false },
		{ "may refuse", MTG_RUNG_ATOMIC, false, false, false, true, false },
		{ "may refuse, no memory", MTG_RUNG_ATOMIC, true, true, false, true, false },
		{ "must", MTG_RUNG_LOSE, false, false, false, true, false },
		{ "must, no memory", MTG_RUNG_LOSE, true, false, true, true, true },
	};
	unsigned int i;
	int ret;

	for (i = 0; i < ARRAY_SIZE(cases); i++) {
		ret = evict_when_full(cases[i].last, cases[i].atomic_fails);
		result(!!ret == cases[i].refused && !!asked[0] == cases[i].atomic &&
		       !!asked[1] == cases[i].emergency &&
		       !!rung(MTG_RUNG_LOSE) == cases[i].lost,
		       "a caller that %s: %d, %u atomic allocations, %u of the emergency reserves, %lld lost",
		       cases[i].caller, ret, asked[0], asked[1], rung(MTG_RUNG_LOSE));
		model_destroy();
	}
}

/* A block with failed memory is emptied in process context, without atomic reserves. */
static void test_offlining_waits(void)
{
	int ret, refused;

	fill_all_places();
	shim_fail_alloc = fail_always;
	refused = mtg_slots_offline(&m.table, 7);
	shim_fail_alloc = note_gfp;
	ret = mtg_slots_offline(&m.table, 7);
	shim_fail_alloc = NULL;
	move_state(5, TAGGED, FREE);
	result(!ret && refused == -ENOMEM && !asked[0] && !asked[1] && m.states[7] == FREE,
	       "offlining: %d without memory, then %d, %u atomic allocations", refused, ret,
	       asked[0] + asked[1]);
	model_destroy();
}

/*
 * Each allocation of the set-up and of the growth fails once. The sanitizer finds memory
 * that is leaked.
 */
static void test_setup_without_memory(void)
{
	unsigned int n, refused = 0;

	for (n = 1; n < 1000; n++) {
		struct mtg_pool pool = { };
		struct mtg_slots slots = { };
		int ret;

		fail_at = n;
		shim_fail_alloc = fail_nth;
		ret = mtg_pool_init(&pool, NULL, 64, 4096, &model_provider, NULL);
		if (!ret) {
			ret = mtg_slots_init(&slots, "test", &pool, 64, 8);
			if (!ret) {
				ret = mtg_slots_grow(&slots, 128);
				mtg_slots_destroy(&slots);
			}
			mtg_pool_destroy(&pool);
		}
		if (fail_at > 0)
			break;
		refused += ret == -ENOMEM;
	}
	shim_fail_alloc = NULL;
	/* Two allocations of the slots; of the pool: the groups, three tables and the list. */
	result(refused == n - 1 && n > 7,
	       "set-up fails at each of its %u allocations, and leaks nothing", n - 1);
}

#define MAP_THREADS	4

struct map_thread {
	struct mtg_map *map;
	uint64_t x;
	u32 steps;
	u32 first;
	u32 rare;
};

/*
 * Each thread sets and clears bits of its own; each word holds bits of all threads. The
 * rarer a bit is set, the more words are zero.
 */
static void *change_map(void *arg)
{
	struct map_thread *t = arg;
	u32 n;

	while (t->steps--) {
		t->x = t->x * 6364136223846793005ULL + 1442695040888963407ULL;
		n = (t->x >> 33) % (t->map->nr / MAP_THREADS) * MAP_THREADS + t->first;
		if (t->x >> 8 & t->rare)
			mtg_map_clear(t->map, n);
		else
			mtg_map_set(t->map, n);
	}
	return NULL;
}

/* Other threads run now and then, so that all orders of steps come up. */
static void let_others_in(void)
{
	static __thread unsigned int n;

	if (!(++n % 61))
		sched_yield();
}

static void test_map(u32 nr, u32 rounds, u32 steps)
{
	static const u32 rare[] = { 3, 63, 1023, 16383 };
	struct map_thread threads[MAP_THREADS];
	pthread_t ids[MAP_THREADS];
	struct mtg_map map = { };
	u32 i, round;

	if (mtg_map_init(&map, nr))
		fail("no memory");
	shim_before_step = let_others_in;
	for (round = 0; round < rounds; round++) {
		for (i = 0; i < MAP_THREADS; i++) {
			threads[i] = (struct map_thread){ &map, ++rng * 0x9e3779b97f4a7c15,
				steps, i, rare[round % ARRAY_SIZE(rare)] };
			pthread_create(&ids[i], NULL, change_map, &threads[i]);
		}
		for (i = 0; i < MAP_THREADS; i++)
			pthread_join(ids[i], NULL);
		check_map(&map);
	}
	shim_before_step = NULL;
	mtg_map_fill(&map);
	check_map(&map);
	mtg_map_destroy(&map);
	result(true, "map of %u bits in %u levels, %u threads, %u steps", nr, map.top + 1,
	       MAP_THREADS, MAP_THREADS * rounds * steps);
}

int main(int argc, char **argv)
{
	unsigned int i;

	if (getopt(argc, argv, "s:") == 's')
		rng = strtoull(optarg, NULL, 0);
	results_begin(28);
	test_map(64, 100, 1000);
	test_map(200, 1000, 1000);
	test_map(300000, 16, 300000);
	test_setup_without_memory();
	test_evict_is_bounded(4096);
	test_evict_is_bounded(65536);
	test_short_objects_fill_holes();
	test_rungs_by_urgency();
	test_offlining_waits();
	test_settle_goes_past();
	test_settle_looks_at_few();
	test_settle_hears_of_frees();
	test_damage_is_bounded(4096);
	test_damage_is_bounded(65536);
	test_damage_without_memory();
	for (i = 0; i < ARRAY_SIZE(heaps); i++) {
		test_compaction(&heaps[i], 4096, 0);
		test_compaction(&heaps[i], 4096, 10);
		test_compaction(&heaps[i], 65536, 0);
	}
	return results_end();
}
