// SPDX-License-Identifier: GPL-2.0
/*
 * How many pages fit: the production pool.c and slot.c beside a model of zsmalloc.
 *
 *   density [-m MIB] [-r PERCENT] [-s SEED] FILE...
 *
 * FILE holds lengths of compressed pages (heap-pages makes such files). Pages of
 * random lengths are stored in an arena of MIB until the first is refused ("first
 * fill"); then random ones are replaced, freeing victims until the new one fits
 * ("churn", 4 times as many as there are). PERCENT of the pages do not compress.
 *
 * The program prints the density, which is the bytes of pages for each byte of arena and
 * metadata, and what the pool loses. The model of zsmalloc has its size classes, chains
 * of up to 8 pages, and compaction of all classes when it is full; its metadata is
 * 16 bytes a slot, 8 a handle and 56 a chain. It is a model: tests/bench/pool has
 * the measurement in the kernel.
 */
#include <getopt.h>

#include "production.h"

#define BLOCK	4096

static struct { uint64_t seed; size_t arena; unsigned int raw; } opt = { 1, 64 << 20, 0 };
static uint16_t *sizes;
static size_t nr_sizes;

static uint64_t splitmix(void)
{
	static uint64_t x;
	uint64_t z = (x += 0x9e3779b97f4a7c15) + opt.seed;

	z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9;
	z = (z ^ z >> 27) * 0x94d049bb133111eb;
	return z ^ z >> 31;
}

static unsigned int random_size(void)
{
	if (splitmix() % 100 < opt.raw)
		return 4096;
	return sizes[splitmix() % nr_sizes];
}

/* The provider: all blocks are free. */
static uint8_t *taken;
static u32 nr_taken, nr_blocks;

static bool get(void *ctx, u32 block, bool for_move)
{
	if (for_move || taken[block])
		return false;
	nr_taken++;
	taken[block] = true;
	return true;
}

static bool put(void *ctx, u32 block)
{
	nr_taken--;
	taken[block] = false;
	return true;
}

static bool owned(void *ctx, u32 block)
{
	return taken[block];
}

static u32 next_kept(void *ctx, u32 from, u32 end)
{
	return end;
}

static u32 next_free(void *ctx, u32 from, bool for_move)
{
	while (from < nr_blocks && taken[from])
		from++;
	return from;
}

static u32 nr_free(void *ctx)
{
	return nr_blocks - nr_taken;
}

static const struct mtg_provider provider = {
	get, put, owned, next_kept, next_free, nr_free
};

/* The operations of the pool and of the model of zsmalloc. */
struct store {
	bool (*put)(u32 slot, unsigned int len);
	void (*free)(u32 slot);
	size_t (*metadata)(size_t nr_stored);
};

static struct mtg_pool pool;
static struct mtg_slots slots;

static bool ours_put(u32 slot, unsigned int len)
{
	static uint8_t data[4096];

	if (len > MTG_MAX_LEN)
		len = MTG_RAW_LEN;
	return !mtg_slot_store(&slots, slot, data, len);
}

static void ours_free(u32 slot)
{
	mtg_slot_free(&slots, slot);
}

static size_t ours_metadata(size_t nr_stored)
{
	return mtg_pool_metadata_size(&pool) + nr_stored * sizeof(u64);
}

static const struct store ours = { ours_put, ours_free, ours_metadata };

/* zsmalloc: only the counts of its objects and chains. */
static struct zs_class { unsigned int size, pages, per_chain, objects, chains; } class[256];
static unsigned int nr_classes, zs_pages;
static u16 *zs_len;

static void zs_init(void)
{
	unsigned int size, pages, best, waste;

	for (size = 32; size <= 4096; size += 16) {
		for (best = 1, waste = 4096 % size, pages = 2; pages <= 8; pages++)
			if (pages * 4096 % size < waste) {
				waste = pages * 4096 % size;
				best = pages;
			}
		if (nr_classes && class[nr_classes - 1].pages == best &&
		    class[nr_classes - 1].per_chain == best * 4096 / size)
			class[nr_classes - 1].size = size;
		else
			class[nr_classes++] = (struct zs_class){
				size, best, best * 4096 / size, 0, 0 };
	}
}

static struct zs_class *zs_class(unsigned int len)
{
	struct zs_class *c = class;

	while (c->size < len + 8 && c < class + nr_classes - 1)
		c++;
	return c;
}

static void zs_compact(void)
{
	struct zs_class *c;

	for (zs_pages = 0, c = class; c < class + nr_classes; c++) {
		c->chains = DIV_ROUND_UP(c->objects, c->per_chain);
		zs_pages += c->chains * c->pages;
	}
}

static bool zs_put(u32 slot, unsigned int len)
{
	struct zs_class *c = zs_class(len);

	if (c->objects == c->chains * c->per_chain) {
		if (zs_pages + c->pages > nr_blocks)
			zs_compact();
		if (zs_pages + c->pages > nr_blocks)
			return false;
		zs_pages += c->pages;
		c->chains++;
	}
	c->objects++;
	zs_len[slot] = len;
	return true;
}

static void zs_free(u32 slot)
{
	zs_class(zs_len[slot])->objects--;
}

static size_t zs_metadata(size_t nr_stored)
{
	size_t chains = 0;
	struct zs_class *c;

	for (c = class; c < class + nr_classes; c++)
		chains += c->chains;
	return nr_stored * 24 + chains * 56;
}

static const struct store zs = { zs_put, zs_free, zs_metadata };

static double density(const struct store *store, size_t stored)
{
	return stored * 4096.0 / (opt.arena + store->metadata(stored));
}

/* ids[0..n-1] are the slots in use, in random order, ids[n..] the others. */
static void run(const struct store *store, double *first, double *churn)
{
	u32 nr = opt.arena / 64, *ids = calloc(nr, sizeof(*ids)), n = 0, i, victim;
	size_t samples = 0, step, steps;
	unsigned int len;
	double sum = 0;

	for (i = 0; i < nr; i++)
		ids[i] = i;
	while (store->put(ids[n], random_size()))
		n++;
	*first = density(store, n);
	steps = 4 * (size_t)n;
	for (step = 0; step < steps; step++) {
		for (len = random_size(); !store->put(ids[n], len);) {
			i = splitmix() % n;
			victim = ids[i];
			store->free(victim);
			ids[i] = ids[--n];
			ids[n] = victim;
		}
		n++;
		if (step > steps / 2 && step % 64 == 0) {
			sum += density(store, n);
			samples++;
		}
	}
	*churn = sum / samples;
	free(ids);
}

static void read_sizes(const char *path)
{
	FILE *f = fopen(path, "rb");
	long size;

	if (!f)
		exit(fprintf(stderr, "%s: %s\n", path, strerror(errno)) > 0);
	fseek(f, 0, SEEK_END);
	size = ftell(f);
	rewind(f);
	sizes = malloc(size);
	nr_sizes = fread(sizes, 2, size / 2, f);
	fclose(f);
}

int main(int argc, char **argv)
{
	double first, churn, zs_first, zs_churn;
	size_t payload;
	int c;

	while ((c = getopt(argc, argv, "m:r:s:")) != -1) {
		if (c == 'm')
			opt.arena = strtoul(optarg, NULL, 0) << 20;
		else if (c == 'r')
			opt.raw = strtoul(optarg, NULL, 0);
		else if (c == 's')
			opt.seed = strtoull(optarg, NULL, 0);
		else
			return 2;
	}
	nr_blocks = opt.arena / BLOCK;
	for (; optind < argc; optind++) {
		read_sizes(argv[optind]);
		taken = calloc(nr_blocks, 1);
		nr_taken = 0;
		memset(&pool, 0, sizeof(pool));
		memset(&slots, 0, sizeof(slots));
		if (mtg_pool_init(&pool, malloc(opt.arena), nr_blocks, BLOCK, &provider, NULL) ||
		    mtg_slots_init(&slots, "", &pool, opt.arena / 64, 0))
			return 1;
		zs_len = calloc(opt.arena / 64, sizeof(*zs_len));
		nr_classes = 0;
		zs_pages = 0;
		zs_init();
		run(&ours, &first, &churn);
		payload = mtg_slots_usage(&slots).compr_size;
		run(&zs, &zs_first, &zs_churn);
		printf("%-24s raw %2u %%: first fill %.3f (%.3f) %+.1f %%, churn %.3f (%.3f) %+.1f %%; payload %.1f %%, granules %.1f %%, metadata %.2f %%\n",
		       argv[optind], opt.raw, first, zs_first, (first / zs_first - 1) * 100,
		       churn, zs_churn, (churn / zs_churn - 1) * 100,
		       100.0 * payload / opt.arena,
		       100.0 * atomic64_read(&pool.used_granules) * MTG_GRANULE_SIZE / opt.arena,
		       100.0 * ours_metadata(mtg_slots_usage(&slots).stored) / opt.arena);
		mtg_slots_clear(&slots);
		mtg_slots_destroy(&slots);
		free(pool.base);
		mtg_pool_destroy(&pool);
		free(taken);
		free(zs_len);
		free(sizes);
	}
	return 0;
}
