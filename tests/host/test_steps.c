// SPDX-License-Identifier: GPL-2.0
/*
 * How much work an eviction does, which runs with preemption off and locks held.
 *
 *   test_steps [-v]
 *
 * Work is counted in steps: the basic blocks of the production code that are executed,
 * about five instructions each, as the compiler counts them (-fsanitize-coverage=trace-pc).
 * The number is the same on any machine. The work of memcpy() and memset() does not count:
 * the block size bounds it. -v prints the figures of each kind of data.
 */
#include <getopt.h>

#include "shim/linux/kernel_shim.h"

static unsigned long steps;

void __sanitizer_cov_trace_pc(void);

NOT_COUNTED void __sanitizer_cov_trace_pc(void)
{
	steps++;
}

#include "model.h"
#include "heaps.h"
#include "result.h"

static uint64_t rng = 1;
static bool verbose;

/* Workloads: the lengths of the objects, and which objects are freed again. */
static unsigned int len_lz4(u32 n)
{
	return random_len(&heaps[0], &rng);
}

static unsigned int len_zstd(u32 n)
{
	return random_len(&heaps[1], &rng);
}

static unsigned int len_random(u32 n)
{
	unsigned int len = 9 + splitmix(&rng) % MTG_SLOT_SIZE;

	return len > MTG_MAX_LEN ? MTG_SLOT_SIZE : len;
}

/* A pattern of 64 bits whose halves differ. */
static unsigned int len_pattern(u32 n)
{
	return MTG_FILL_LEN;
}

/* The length of a page that is nearly one pattern. */
static unsigned int len_tiny(u32 n)
{
	return 9 + splitmix(&rng) % 20;
}

/* Holes of different lengths, and small objects that fill most of each. */
static unsigned int len_uneven(u32 n)
{
	return 9 + 32 * (7 + splitmix(&rng) % 7);
}

/* As many different lengths as there are, the smallest most often. */
static unsigned int len_small(u32 n)
{
	return 9 + splitmix(&rng) % (1 + splitmix(&rng) % 400);
}

static const struct workload {
	const char *name;
	unsigned int (*len)(u32 n);
	unsigned int freed;	/* one of so many is freed after the device was filled */
	bool refill;		/* with patterns, of which some are freed */
} workloads[] = {
	{ "heap, lz4", len_lz4, 12, false },
	{ "heap, zstd", len_zstd, 12, false },
	{ "random", len_random, 12, false },
	{ "patterns", len_pattern, 12, false },
	{ "patterns, every second freed", len_pattern, 2, false },
	{ "tiny", len_tiny, 12, false },
	{ "small", len_small, 12, false },
	{ "small, every second freed", len_small, 2, false },
	{ "uneven", len_uneven, 2, true },
	{ "heap, lz4, and patterns", len_lz4, 2, true },
	{ "patterns, no room", len_pattern, 0, false },
	{ "small, no room", len_small, 0, false },
};

struct cost { unsigned long median, worst; unsigned int objects; };

static int compare(const void *a, const void *b)
{
	unsigned long x = *(const unsigned long *)a, y = *(const unsigned long *)b;

	return x < y ? -1 : x > y;
}

static void fill(const struct workload *w)
{
	/* The pattern is too long for the word of a slot. */
	static uint8_t data[MTG_SLOT_SIZE] = { 1 };
	u32 n, i;

	for (n = 0; n < m.slots; n++)
		if (mtg_slot_store(&m.table, n, data, w->len(n)))
			break;
	for (i = 0; w->freed && i < n; i += w->freed)
		mtg_slot_free(&m.table, i);
	if (!w->refill)
		return;
	for (i = n; i < m.slots; i++)
		if (mtg_slot_store(&m.table, i, data, MTG_FILL_LEN))
			break;
	for (n = i, i = 0; i < n; i += 16)
		mtg_slot_free(&m.table, i + splitmix(&rng) % 16);
}

/* Evict an eighth of the blocks, one after the other. */
static struct cost cost_of_evicting(const struct workload *w, unsigned int block_size)
{
	unsigned long cost[1024], before;
	unsigned int n = 0, i, moved, most = 0;

	model_init(block_size, (8 << 20) / block_size, 8 * 8192 * 4);
	if (!w->freed)
		take_kept(true);
	m.pool.headroom = 0;
	fill(w);
	/* At random: in order, the objects of each block would move into the next one. */
	for (i = 0; n < m.blocks / 8; i++) {
		u32 block = splitmix(&rng) % m.blocks;

		if (m.states[block] != USED || i > 64 * m.blocks) {
			if (i > 64 * m.blocks)
				break;
			continue;
		}
		mtg_spill_fill(&m.table.spill, 64, GFP_KERNEL);
		move_state(block, USED, SWITCHING);
		moved = mtg_slots_events(&m.table, MTG_RELOCATED);
		before = steps;
		if (mtg_slots_evict(&m.table, block, MTG_RUNG_LOSE))
			fail("a block was not emptied");
		cost[n++] = steps - before;
		most = max(most, (unsigned int)mtg_slots_events(&m.table, MTG_RELOCATED) - moved);
		move_state(block, SWITCHING, FREE);
	}
	if (!n)
		fail("no block to empty");
	qsort(cost, n, sizeof(*cost), compare);
	if (!w->freed)
		take_kept(false);
	model_destroy();
	return (struct cost){ cost[n / 2], cost[n - 1], most };
}

/* Evicting a block of any workload needs at most four times the steps of a heap's. */
static void test_evict(unsigned int block_size)
{
	unsigned long usual = 0, worst = 0;
	struct cost cost;
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(workloads); i++) {
		cost = cost_of_evicting(&workloads[i], block_size);
		if (i < 2)
			usual = max(usual, cost.median);
		worst = max(worst, cost.worst);
		if (verbose)
			printf("# blocks of %u, %s: %lu steps in the median, at most %lu, %u objects moved at most\n",
			       block_size, workloads[i].name, cost.median, cost.worst,
			       cost.objects);
	}
	result(worst <= 4 * usual,
	       "blocks of %u: emptied with %lu steps where a heap is, with at most %lu, %.1f times as many",
	       block_size, usual, worst, (double)worst / usual);
}

int main(int argc, char **argv)
{
	verbose = getopt(argc, argv, "v") == 'v';
	results_begin(2);
	test_evict(4096);
	test_evict(65536);
	return results_end();
}
