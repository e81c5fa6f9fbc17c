// SPDX-License-Identifier: GPL-2.0
/*
 * The pool and the slots against zsmalloc, without the block layer: the production
 * sources over ordinary memory, in any kernel that has zsmalloc.
 *
 * /sys/module/pool_bench/parameters/run takes a command and shows what came of it:
 *
 *	corpus FILE		read the pages to store
 *	run ALGORITHM MIB	measure with an arena of that size
 *	scale ALGORITHM MIB REAL PEER	measure what may depend on the size
 *
 * A line of the result is: name, number of operations, time of all of them in ns for
 * us and for zsmalloc, and the median time of TURN of them. The two take turns on the
 * same objects in the same order, and begin in turns. Both store all objects once and
 * free them before anything is timed, as memory is slower when it is used for the first
 * time: in the kernel in user space by 1.1 us for each page of the arena, and by nothing
 * for those of zsmalloc. Whatever is copied in is compared in the end.
 *
 * To scale an arena beyond the memory there is, only its first REAL MiB have pages of
 * their own. All others share a few: what is stored there is overwritten by others, so
 * it can be stored, loaded and freed as always, but not compared, and no block there be
 * emptied. All metadata is real. zsmalloc takes part if PEER is not 0.
 */

#include <linux/bitmap.h>
#include <linux/file.h>
#include <linux/fs.h>
#include <linux/gfp.h>
#include <linux/ktime.h>
#include <linux/minmax.h>
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/moduleparam.h>
#include <linux/prandom.h>
#include <linux/sched.h>
#include <linux/sort.h>
#include <linux/string.h>
#include <linux/vmalloc.h>
#include <linux/zsmalloc.h>

#include "comp.h"
#include "pool.h"
#include "slot.h"

#define BLOCK_SIZE_BYTES	4096
#define SEED			1
/* Operations of a turn of one side: so few that the task is seldom preempted in a turn. */
#define TURN			256
/* Operations of each phase of "scale", and pages of the part of the arena without own. */
#define SCALE_OPS		4096
#define SHARED_PAGES		256
/* Each side would store longer objects uncompressed; as zram, see huge_class_size. */
#define MAX_LEN			3600
#define ZS_GFP	(GFP_NOIO | __GFP_HIGHMEM | __GFP_MOVABLE | __GFP_NOWARN)

/* The pages; where each compressed page lies, and its length. */
static struct {
	u8 *pages;
	u32 nr;
	u8 *packed;
	u32 *offset;
	u16 *len;
} corpus;

/* Our side: blocks are in use, free, or hold tags. The first @nr_real have memory. */
static struct {
	struct mtg_pool pool;
	struct mtg_slots slots;
	struct mtg_comp comp;
	void *arena;
	u32 nr_blocks;
	u32 nr_real;
	u32 nr_free;
	unsigned long *used;
	struct mtg_map free;
} our;

static struct {
	struct zs_pool *pool;
	unsigned long *handle;
} peer;

/* Numbers of the objects in the order of the next phase, and what each slot holds. */
static u32 *order;
static u32 *content;
static u32 nr_objects;
static u32 *times;
static u8 *buffer;
static struct rnd_state rnd;
static char result[PAGE_SIZE];
static int result_len;

static bool fake_get(void *ctx, u32 block, bool kept)
{
	if (kept || !mtg_map_test(&our.free, block))
		return false;
	mtg_map_clear(&our.free, block);
	set_bit(block, our.used);
	our.nr_free--;
	return true;
}

static bool fake_put(void *ctx, u32 block)
{
	if (!test_and_clear_bit(block, our.used))
		return false;
	mtg_map_set(&our.free, block);
	our.nr_free++;
	return true;
}

static bool fake_owned(void *ctx, u32 block)
{
	return test_bit(block, our.used);
}

static u32 fake_next_kept(void *ctx, u32 from, u32 end)
{
	return end;
}

static u32 fake_next_free(void *ctx, u32 from, bool kept)
{
	return kept ? our.nr_blocks : mtg_map_next(&our.free, from, NULL, false);
}

static u32 fake_nr_free(void *ctx)
{
	return our.nr_free;
}

static const struct mtg_provider fake_provider = {
	.get = fake_get,
	.put = fake_put,
	.owned = fake_owned,
	.next_kept = fake_next_kept,
	.next_free = fake_next_free,
	.nr_free = fake_nr_free,
};

static __printf(1, 2) void say(const char *format, ...)
{
	va_list args;

	va_start(args, format);
	result_len += vscnprintf(result + result_len, sizeof(result) - result_len, format,
				 args);
	va_end(args);
}

/* The kernel's shuffle, on our own seed. */
static void shuffle(u32 *array, u32 n)
{
	while (n > 1) {
		u32 i = prandom_u32_state(&rnd) % n--;

		swap(array[i], array[n]);
	}
}

static const void *object(u32 id, unsigned int *len)
{
	*len = corpus.len[id];
	return corpus.packed + corpus.offset[id];
}

/* Phases: each does one thing to one slot. They return false to end the phase. */

static bool our_store(u32 slot, u32 id)
{
	unsigned int len;
	const void *data = object(id, &len);

	return !mtg_slot_store(&our.slots, slot, data, len);
}

static bool peer_store(u32 slot, u32 id)
{
	unsigned int len;
	const void *data = object(id, &len);
	unsigned long old = peer.handle[slot], handle;

	handle = zs_malloc(peer.pool, len, ZS_GFP);
	if (IS_ERR_VALUE(handle))
		return false;
	memcpy(zs_map_object(peer.pool, handle, ZS_MM_WO), data, len);
	zs_unmap_object(peer.pool, handle);
	if (old)
		zs_free(peer.pool, old);
	peer.handle[slot] = handle;
	return true;
}

static bool our_load(u32 slot, u32 id)
{
	return mtg_slot_load(&our.slots, slot, buffer) > 0;
}

static bool peer_load(u32 slot, u32 id)
{
	unsigned long handle = peer.handle[slot];

	memcpy(buffer, zs_map_object(peer.pool, handle, ZS_MM_RO), corpus.len[id]);
	zs_unmap_object(peer.pool, handle);
	return true;
}

static bool our_free(u32 slot, u32 id)
{
	return mtg_slot_free(&our.slots, slot);
}

static bool peer_free(u32 slot, u32 id)
{
	zs_free(peer.pool, peer.handle[slot]);
	peer.handle[slot] = 0;
	return true;
}

static unsigned int compress(struct mtg_stream *stream, u32 id)
{
	return our.comp.ops->compress(stream->workspace,
				      corpus.pages + (size_t)id * PAGE_SIZE,
				      stream->buffer, MTG_COMP_MAX);
}

static bool our_write(u32 slot, u32 id)
{
	struct mtg_stream *stream = mtg_stream_get(&our.comp);
	unsigned int len = compress(stream, id);
	int ret = mtg_slot_store(&our.slots, slot, stream->buffer, len);

	mtg_stream_put(stream);
	return !ret;
}

static bool peer_write(u32 slot, u32 id)
{
	struct mtg_stream *stream = mtg_stream_get(&our.comp);
	unsigned int len = compress(stream, id);
	unsigned long handle = zs_malloc(peer.pool, len, ZS_GFP);

	if (IS_ERR_VALUE(handle)) {
		mtg_stream_put(stream);
		return false;
	}
	memcpy(zs_map_object(peer.pool, handle, ZS_MM_WO), stream->buffer, len);
	zs_unmap_object(peer.pool, handle);
	mtg_stream_put(stream);
	zs_free(peer.pool, peer.handle[slot]);
	peer.handle[slot] = handle;
	return true;
}

static bool our_read(u32 slot, u32 id)
{
	struct mtg_stream *stream = mtg_stream_get(&our.comp);
	int len = mtg_slot_load(&our.slots, slot, stream->buffer);
	int ret = len <= 0 ? -EIO :
		  our.comp.ops->decompress(stream->workspace, stream->buffer, len, buffer);

	mtg_stream_put(stream);
	return !ret;
}

/* Like zram, decompress from the place of the object. */
static bool peer_read(u32 slot, u32 id)
{
	struct mtg_stream *stream = mtg_stream_get(&our.comp);
	unsigned long handle = peer.handle[slot];
	const void *data = zs_map_object(peer.pool, handle, ZS_MM_RO);
	int ret = our.comp.ops->decompress(stream->workspace, data, corpus.len[id], buffer);

	zs_unmap_object(peer.pool, handle);
	mtg_stream_put(stream);
	return !ret;
}

typedef bool (*phase_fn)(u32 slot, u32 id);

/* Time @fn for the slots [@from, @end) of @order; false if it failed. */
static bool time_turn(phase_fn fn, u32 from, u32 end, u64 *ns)
{
	u64 start = ktime_get_ns();

	for (; from < end; from++)
		if (!fn(order[from], content[order[from]]))
			return false;
	*ns = ktime_get_ns() - start;
	return true;
}

static int compare(const void *a, const void *b)
{
	return *(const u32 *)a < *(const u32 *)b ? -1 : *(const u32 *)a > *(const u32 *)b;
}

static u32 median(u32 *array, u32 n)
{
	sort(array, n, sizeof(*array), compare, NULL);
	return n ? array[n / 2] : 0;
}

/*
 * Do something to the first @n slots of @order, in turns: ours, theirs, theirs, ours,
 * and so on. If there is no peer, ours only.
 */
static int take_turns(const char *name, phase_fn ours, phase_fn peers, u32 n)
{
	phase_fn fn[] = { ours, peer.pool ? peers : NULL };
	u32 *turn[] = { times, times + n / TURN };
	u64 sum[2] = { }, ns;
	u32 i, who, nr = 0;

	for (i = 0; i < n; i += TURN) {
		bool whole = i + TURN <= n;

		for (who = 0; who < 2; who++) {
			u32 side = who ^ (i / TURN & 1);

			if (!fn[side])
				continue;
			if (!time_turn(fn[side], i, min(i + TURN, n), &ns))
				return -EIO;
			sum[side] += ns;
			if (whole)
				turn[side][nr] = ns;
			cond_resched();
		}
		nr += whole;
	}
	say("%s %u %llu %llu %u %u\n", name, n, sum[0], sum[1], median(turn[0], nr),
	    fn[1] ? median(turn[1], nr) : 0);
	return 0;
}

/* Do something to @n random slots, in turns as above. */
static int phase(const char *name, phase_fn ours, phase_fn peers, u32 n)
{
	shuffle(order, nr_objects);
	return take_turns(name, ours, peers, n);
}

/* Give @n random slots other contents. */
static void change_contents(u32 n)
{
	u32 i;

	shuffle(order, nr_objects);
	for (i = 0; i + 1 < n; i += 2)
		swap(content[order[i]], content[order[i + 1]]);
}

/* Evict a block as if tags were about to be stored there; then the block is free again. */
static u32 evict(u32 block)
{
	u64 start;

	clear_bit(block, our.used);
	start = ktime_get_ns();
	mtg_slots_evict(&our.slots, block, MTG_RUNG_LOSE);
	start = ktime_get_ns() - start;
	mtg_map_set(&our.free, block);
	our.nr_free++;
	return start;
}

/* Evict @n random blocks that are in use. */
static void evict_some(const char *name, u32 n)
{
	u64 moved = mtg_slots_events(&our.slots, MTG_RELOCATED), sum = 0;
	u32 i = 0, tries = 16 * n;

	while (i < n && tries--) {
		u32 block = prandom_u32_state(&rnd) % our.nr_real;

		if (!test_bit(block, our.used))
			continue;
		times[i] = evict(block);
		sum += times[i++];
		cond_resched();
	}
	sort(times, i, sizeof(*times), compare, NULL);
	say("%s %u sum=%llu median=%u p99=%u max=%u moved=%llu\n", name, i, sum,
	    times[i / 2], times[i * 99 / 100], times[i - 1],
	    mtg_slots_events(&our.slots, MTG_RELOCATED) - moved);
}

/* Move the objects together: blocks and pages that become free, and the time. */
static void compact(void)
{
	int before = atomic_read(&our.pool.nr_open);
	u64 start = ktime_get_ns(), ours, peers;
	u64 moved = mtg_slots_events(&our.slots, MTG_RELOCATED);
	unsigned long pages;
	u32 needed;

	mtg_slots_compact(&our.slots);
	ours = ktime_get_ns() - start;
	start = ktime_get_ns();
	pages = zs_compact(peer.pool);
	peers = ktime_get_ns() - start;
	say("compact %d %lu %llu %llu\n", before - atomic_read(&our.pool.nr_open), pages,
	    ours, peers);
	needed = DIV_ROUND_UP(atomic64_read(&our.pool.used_granules) * MTG_GRANULE_SIZE,
			      BLOCK_SIZE_BYTES);
	say("free-blocks open-before=%d open-after=%d needed=%u moved=%llu\n", before,
	    atomic_read(&our.pool.nr_open), needed,
	    mtg_slots_events(&our.slots, MTG_RELOCATED) - moved);
}

static int compare_all(void)
{
	u32 i;

	for (i = 0; i < nr_objects; i++) {
		const void *page = corpus.pages + (size_t)content[i] * PAGE_SIZE;

		if (!our_read(i, content[i]) || memcmp(buffer, page, PAGE_SIZE) ||
		    !peer_read(i, content[i]) || memcmp(buffer, page, PAGE_SIZE)) {
			say("slot %u differs\n", i);
			return -EIO;
		}
		cond_resched();
	}
	return 0;
}

static void say_density(const char *name)
{
	u64 used = (u64)atomic_read(&our.pool.nr_open) * BLOCK_SIZE_BYTES;
	u64 pages = zs_get_total_pages(peer.pool);

	/* Slot tables: one word, against zram's entry; and zsmalloc's handle. */
	used += mtg_pool_metadata_size(&our.pool) + (u64)nr_objects * sizeof(u64);
	say("%s %u %llu %llu\n", name, nr_objects, used,
	    (u64)pages * PAGE_SIZE + pages / 8 * 56 + (u64)nr_objects * (16 + 8));
}

/* See the top. */
static int warm_up(void)
{
	int ret = phase("warm-store", our_store, peer_store, nr_objects);

	return ret ?: phase("warm-free", our_free, peer_free, nr_objects);
}

/* How many blocks and pages the two sides have given back since before. */
static void say_given_back(const char *name, int blocks, unsigned long pages)
{
	say("%s blocks=%d pages=%lu\n", name, blocks - atomic_read(&our.pool.nr_open),
	    pages - zs_get_total_pages(peer.pool));
}

static int measure(void)
{
	unsigned long pages;
	int ret, blocks;

	ret = warm_up();
	ret = ret ?: phase("store", our_store, peer_store, nr_objects);
	say_density("size-full");
	ret = ret ?: phase("load", our_load, peer_load, nr_objects);
	change_contents(nr_objects);
	ret = ret ?: phase("overwrite", our_store, peer_store, nr_objects);
	change_contents(nr_objects);
	ret = ret ?: phase("compress-and-overwrite", our_write, peer_write, nr_objects);
	say_density("size-churned");
	ret = ret ?: phase("load-and-decompress", our_read, peer_read, nr_objects);
	if (ret)
		return ret;
	evict_some("evict-full", 1024);
	ret = compare_all();
	blocks = atomic_read(&our.pool.nr_open);
	pages = zs_get_total_pages(peer.pool);
	ret = ret ?: phase("free", our_free, peer_free, nr_objects / 2);
	if (ret)
		return ret;
	evict_some("evict-half", 1024);
	compact();
	say_given_back("given-back", blocks, pages);
	return 0;
}

/*
 * The longest of our operations on the first slots of @order, each timed alone, while no
 * interrupt can prolong it.
 */
static void say_longest(const char *name, phase_fn fn)
{
	unsigned long flags;
	u64 ns, longest = 0;
	u32 i;

	for (i = 0; i < SCALE_OPS; i++) {
		local_irq_save(flags);
		ns = ktime_get_ns();
		fn(order[i], content[order[i]]);
		ns = ktime_get_ns() - ns;
		local_irq_restore(flags);
		longest = max(longest, ns);
	}
	say("longest-%s ns=%llu\n", name, longest);
}

static void say_metadata(void)
{
	u64 chains = peer.pool ? zs_get_total_pages(peer.pool) / 8 : 0;

	/* zram's entry of a slot, zsmalloc's handle of an object and its chains of pages. */
	say("metadata objects=%u pool=%zu slots=%zu zram=%llu\n", nr_objects,
	    mtg_pool_metadata_size(&our.pool), nr_objects * sizeof(u64),
	    (u64)nr_objects * (16 + 8) + chains * 56);
}

/*
 * Fill the arena, replace a tenth of it, then look at each operation. What is freed in
 * one order is stored again in another one.
 */
static int scale(void)
{
	int ret;

	ret = phase("fill", our_store, peer_store, nr_objects);
	change_contents(nr_objects / 10);
	ret = ret ?: phase("churn", our_store, peer_store, nr_objects / 10);
	change_contents(SCALE_OPS);
	ret = ret ?: phase("overwrite", our_store, peer_store, SCALE_OPS);
	ret = ret ?: phase("load", our_load, peer_load, SCALE_OPS);
	ret = ret ?: phase("free", our_free, peer_free, SCALE_OPS);
	shuffle(order, SCALE_OPS);
	ret = ret ?: take_turns("store", our_store, peer_store, SCALE_OPS);
	if (ret)
		return ret;
	evict_some("evict", 512);
	shuffle(order, nr_objects);
	say_longest("overwrite", our_store);
	say_longest("load", our_load);
	say_longest("free", our_free);
	shuffle(order, SCALE_OPS);
	say_longest("store", our_store);
	say_metadata();
	return 0;
}

static void free_our(void)
{
	if (our.slots.nr) {
		mtg_slots_clear(&our.slots);
		mtg_slots_destroy(&our.slots);
	}
	if (our.pool.base)
		mtg_pool_destroy(&our.pool);
	if (our.comp.streams)
		mtg_comp_destroy(&our.comp);
	vfree(our.arena);
	bitmap_free(our.used);
	mtg_map_destroy(&our.free);
	memset(&our, 0, sizeof(our));
}

/* Map the arena; see the top. vfree() unmaps and frees it, however often a page is in it. */
static void *map_arena(void)
{
	struct page **pages = vcalloc(our.nr_blocks, sizeof(*pages));
	u32 i, nr_own = our.nr_real + SHARED_PAGES;
	void *arena = NULL;

	for (i = 0; pages && i < our.nr_blocks; i++) {
		if (i >= nr_own) {
			pages[i] = pages[i - SHARED_PAGES];
			get_page(pages[i]);
		} else {
			pages[i] = alloc_page(GFP_KERNEL | __GFP_ZERO);
			if (!pages[i])
				break;
		}
	}
	if (pages && i == our.nr_blocks)
		arena = vmap(pages, i, VM_MAP | VM_MAP_PUT_PAGES, PAGE_KERNEL);
	if (arena)
		return arena;
	while (pages && i--)
		put_page(pages[i]);
	vfree(pages);
	return NULL;
}

static int make_our(const struct mtg_comp_ops *ops, u32 nr_blocks, u32 nr_real)
{
	our.nr_blocks = nr_blocks;
	our.nr_real = nr_real;
	our.nr_free = nr_blocks;
	our.arena = map_arena();
	our.used = bitmap_zalloc(nr_blocks, GFP_KERNEL);
	if (!our.arena || !our.used || mtg_map_init(&our.free, nr_blocks))
		return -ENOMEM;
	mtg_map_fill(&our.free);
	return mtg_comp_init(&our.comp, ops) ?:
	       mtg_pool_init(&our.pool, our.arena, nr_blocks, BLOCK_SIZE_BYTES,
			     &fake_provider, NULL);
}

static void free_peer(void)
{
	u32 i;

	for (i = 0; peer.handle && i < nr_objects; i++)
		if (peer.handle[i])
			zs_free(peer.pool, peer.handle[i]);
	if (peer.pool)
		zs_destroy_pool(peer.pool);
	vfree(peer.handle);
	memset(&peer, 0, sizeof(peer));
}

static int make_peer(void)
{
	peer.pool = zs_create_pool("pool_bench");
	peer.handle = vcalloc(nr_objects, sizeof(*peer.handle));
	return peer.pool && peer.handle ? 0 : -ENOMEM;
}

/* Compress all pages. A page that does not shrink gets length 0, and is not used here. */
static void pack(void)
{
	struct mtg_stream *stream = mtg_stream_get(&our.comp);
	u32 id, at = 0;

	for (id = 0; id < corpus.nr; id++) {
		unsigned int len = compress(stream, id);

		if (len > MAX_LEN)
			len = 0;
		memcpy(corpus.packed + at, stream->buffer, len);
		corpus.offset[id] = at;
		corpus.len[id] = len;
		at += len;
		cond_resched();
	}
	mtg_stream_put(stream);
}

/*
 * How many objects fill 92 % of the arena? The pages in their order, and again from the
 * first one if there are too few. Says which they are if @ids.
 */
static u32 choose(u32 *ids)
{
	u64 room = (u64)our.nr_blocks * BLOCK_SIZE_BYTES / 100 * 92;
	u32 id, n = 0;

	for (id = 0; ; id = (id + 1) % corpus.nr) {
		u32 size = mtg_granules(corpus.len[id]) * MTG_GRANULE_SIZE;

		if (!corpus.len[id])
			continue;
		if (size > room)
			return n;
		room -= size;
		if (ids)
			ids[n] = id;
		n++;
	}
}

static void free_objects(void)
{
	vfree(order);
	vfree(content);
	vfree(times);
	order = NULL;
	content = NULL;
	times = NULL;
	nr_objects = 0;
}

static int make_objects(void)
{
	u32 i;

	pack();
	nr_objects = choose(NULL);
	order = vmalloc_array(nr_objects, sizeof(*order));
	content = vmalloc_array(nr_objects, sizeof(*content));
	times = vmalloc_array(nr_objects, sizeof(*times));
	if (!order || !content || !times)
		return -ENOMEM;
	choose(content);
	for (i = 0; i < nr_objects; i++)
		order[i] = i;
	return mtg_slots_init(&our.slots, "pool_bench", &our.pool, nr_objects, 0);
}

static int run(const char *algorithm, u32 mib, u32 real_mib, bool with_peer,
	       int (*measure)(void))
{
	const struct mtg_comp_ops *ops = mtg_comp_find(algorithm);
	int ret;

	if (!ops || !corpus.nr || !real_mib || real_mib > mib)
		return -EINVAL;
	prandom_seed_state(&rnd, SEED);
	ret = make_our(ops, mib << 8, real_mib << 8);
	ret = ret ?: make_objects();
	if (!ret && with_peer)
		ret = make_peer();
	ret = ret ?: measure();
	free_peer();
	free_our();
	free_objects();
	return ret;
}

static void free_corpus(void)
{
	vfree(corpus.pages);
	vfree(corpus.packed);
	vfree(corpus.offset);
	vfree(corpus.len);
	memset(&corpus, 0, sizeof(corpus));
}

static int alloc_corpus(loff_t size)
{
	u32 nr = size / PAGE_SIZE;

	corpus.pages = vmalloc(size);
	corpus.packed = vmalloc(size);
	corpus.offset = vmalloc_array(nr, sizeof(*corpus.offset));
	corpus.len = vmalloc_array(nr, sizeof(*corpus.len));
	return corpus.pages && corpus.packed && corpus.offset && corpus.len ? 0 : -ENOMEM;
}

static int read_corpus(const char *path)
{
	struct file *file = filp_open(path, O_RDONLY, 0);
	loff_t pos = 0, size;
	int ret;

	if (IS_ERR(file))
		return PTR_ERR(file);
	free_corpus();
	size = round_down(i_size_read(file_inode(file)), PAGE_SIZE);
	ret = alloc_corpus(size);
	while (!ret && pos < size)
		if (kernel_read(file, corpus.pages + pos, min(size - pos, 1 << 20),
				&pos) <= 0)
			ret = -EIO;
	fput(file);
	if (ret)
		free_corpus();
	else
		corpus.nr = size / PAGE_SIZE;
	return ret;
}

static int run_set(const char *command, const struct kernel_param *kp)
{
	char what[16], word[128] = "";
	u32 mib = 0, real = 0, with_peer = 0;

	result_len = 0;
	result[0] = '\0';
	if (sscanf(command, "%15s %127s %u %u %u", what, word, &mib, &real, &with_peer) < 2)
		return -EINVAL;
	if (!strcmp(what, "corpus"))
		return read_corpus(word);
	if (!strcmp(what, "run"))
		return run(word, mib, mib, true, measure);
	return strcmp(what, "scale") ? -EINVAL : run(word, mib, real, with_peer, scale);
}

static int run_get(char *buf, const struct kernel_param *kp)
{
	return sysfs_emit(buf, "%s\n", result);
}

static const struct kernel_param_ops run_ops = { .set = run_set, .get = run_get };
module_param_cb(run, &run_ops, NULL, 0600);
MODULE_PARM_DESC(run, "a command");

static void __exit pool_bench_exit(void)
{
	free_corpus();
	vfree(buffer);
}

static int __init pool_bench_init(void)
{
	buffer = vmalloc(PAGE_SIZE);
	return buffer ? 0 : -ENOMEM;
}

module_init(pool_bench_init);
module_exit(pool_bench_exit);
MODULE_DESCRIPTION("Times the pool of mtetagram against zsmalloc");
MODULE_LICENSE("GPL");
/* Built apart, but of the same sources: the kernel is none the worse for it. */
MODULE_INFO(intree, "Y");
