/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A reference model of the device: the production pool.c, spill.c and slot.c,
 * unchanged, operations on them, and what must be true afterwards.
 *
 * An operation is 6 bytes, and any bytes are operations: so a sequence may come from a
 * random generator, from a fuzzer, or from a file. The program that includes this file
 * defines fail(), which does not return.
 *
 * Some blocks are never taken for tags: they are the kept blocks. A block that is taken is
 * overwritten at once, as tags would overwrite it. When it is given back, it must still
 * hold these bytes. If a block cannot be taken, nothing may have changed.
 */
#ifndef MODEL_H
#define MODEL_H

#include "production.h"

__attribute__((format(printf, 1, 2), noreturn)) static void fail(const char *fmt, ...);

enum op_kind {
	OP_STORE, OP_LOAD, OP_FREE, OP_TAKE, OP_GIVE, OP_SHRINK, OP_ROOM, OP_COMPACT,
	OP_DAMAGE, OP_FAULTS, OP_SETTLE, OP_GROW, NR_OPS
};

static const char *const op_names[NR_OPS] = {
	"store", "load", "free", "take", "give", "shrink", "room", "compact", "damage",
	"faults", "settle", "grow"
};

struct op {
	uint8_t kind;	/* modulo NR_OPS */
	uint8_t flags;
	uint16_t index;	/* slot or block, modulo their number */
	uint16_t arg;
} __attribute__((packed));

struct expect {
	uint64_t seed;
	int len;	/* 0: empty */
};

/* What a thread may touch: each STEP-th slot from FIRST on. */
struct share {
	struct expect *expect;
	unsigned int nr, first, step;
	uint64_t count;
};

static struct {
	unsigned int block_size, blocks, slots;
	bool threads;	/* several threads run */
	bool lossy;	/* allocations were made to fail: data may be lost */
	bool damaged;
	uint8_t *arena, *states;
	unsigned int nr_free;	/* without kept blocks */
	struct mtg_pool pool;
	struct mtg_slots table;
	pthread_mutex_t lock;	/* of states and nr_free */
	pthread_mutex_t resize;
	struct { unsigned long stores, refused, taken, raw, not_taken; } count;
} m = { .lock = PTHREAD_MUTEX_INITIALIZER, .resize = PTHREAD_MUTEX_INITIALIZER };

static __thread unsigned int faults;	/* allocations to fail */
static __thread enum mtg_rung last_rung;	/* the last rung of the caller that takes a block */

#define COUNT(name) __atomic_fetch_add(&m.count.name, 1, __ATOMIC_RELAXED)

static uint64_t splitmix(uint64_t *x)
{
	uint64_t z = *x += 0x9e3779b97f4a7c15;

	z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9;
	z = (z ^ z >> 27) * 0x94d049bb133111eb;
	return z ^ z >> 31;
}

/* The provider: what tagblock.c does, as simply as possible. */
enum { FREE, USED, SWITCHING, TAGGED };

/* A few blocks, in different places, are never wanted for tags. */
static NOT_COUNTED bool model_kept(void *ctx, u32 block)
{
	return block % 37 == 5;
}

static NOT_COUNTED u32 model_next_kept(void *ctx, u32 from, u32 end)
{
	while (from < end && !model_kept(ctx, from))
		from++;
	return from;
}

static NOT_COUNTED bool move_state(u32 block, int from, int to)
{
	bool ok;

	pthread_mutex_lock(&m.lock);
	ok = m.states[block] == from;
	if (ok) {
		m.states[block] = to;
		if (!model_kept(NULL, block))
			m.nr_free += (to == FREE) - (from == FREE);
	}
	pthread_mutex_unlock(&m.lock);
	return ok;
}

static NOT_COUNTED bool model_get(void *ctx, u32 block, bool kept)
{
	return model_kept(ctx, block) == kept && move_state(block, FREE, USED);
}

static NOT_COUNTED bool model_put(void *ctx, u32 block)
{
	return move_state(block, USED, FREE);
}

static NOT_COUNTED bool model_owned(void *ctx, u32 block)
{
	return move_state(block, USED, USED);
}

static NOT_COUNTED u32 model_next_free(void *ctx, u32 from, bool kept)
{
	pthread_mutex_lock(&m.lock);
	while (from < m.blocks && (m.states[from] != FREE || model_kept(ctx, from) != kept))
		from++;
	pthread_mutex_unlock(&m.lock);
	return from;
}

static NOT_COUNTED u32 model_nr_free(void *ctx)
{
	u32 n;

	pthread_mutex_lock(&m.lock);
	n = m.nr_free;
	pthread_mutex_unlock(&m.lock);
	return n;
}

static const struct mtg_provider model_provider = {
	model_get, model_put, model_owned, model_next_kept, model_next_free, model_nr_free
};

static uint8_t *block_address(u32 block)
{
	return m.arena + (size_t)block * m.block_size;
}

static uint8_t tag_byte(u32 block)
{
	return 0xa0 | (block & 0xf);
}

static void take_block(u32 block, enum mtg_rung last)
{
	bool used;
	int ret = 0;

	if (model_kept(NULL, block))
		return;
	used = move_state(block, USED, SWITCHING);
	if (!used && !move_state(block, FREE, SWITCHING))
		return;
	if (used) {
		last_rung = last;
		ret = mtg_slots_evict(&m.table, block, last);
		last_rung = MTG_RUNG_MOVE;
	}
	if (ret) {
		if (last == MTG_RUNG_LOSE || (last != MTG_RUNG_SPARE && !m.lossy))
			fail("evicting block %u was refused", block);
		move_state(block, SWITCHING, USED);
		mtg_pool_reopen(&m.pool, block);
		COUNT(not_taken);
		return;
	}
	memset(block_address(block), tag_byte(block), m.block_size);
	move_state(block, SWITCHING, TAGGED);
	COUNT(taken);
}

static void give_back_block(u32 block)
{
	uint8_t *p = block_address(block);

	/* SWITCHING: no other thread gives the block back at the same time. */
	if (!move_state(block, TAGGED, SWITCHING))
		return;
	if (p[0] != tag_byte(block) || memcmp(p, p + 1, m.block_size - 1))
		fail("block %u was written to while it held tags", block);
	memset(p, 0x55, m.block_size);
	move_state(block, SWITCHING, FREE);
}

/* Take all kept blocks, or give them back. */
static __maybe_unused void take_kept(bool taken)
{
	u32 block;

	for (block = 0; block < m.blocks; block++)
		if (model_kept(NULL, block))
			move_state(block, taken ? FREE : TAGGED, taken ? TAGGED : FREE);
}

static void contents(uint64_t seed, unsigned int len, uint8_t *buf)
{
	uint64_t word;
	unsigned int i;

	if (len == MTG_FILL_LEN && seed % 2) {
		memset(buf, (int)seed, 8);	/* a pattern that fits the slot's word */
		return;
	}
	for (i = 0; i < len; i += sizeof(word)) {
		word = splitmix(&seed);
		memcpy(buf + i, &word, min(len - i, sizeof(word)));
	}
}

static void check_slot(struct expect *e, u32 index)
{
	uint8_t want[MTG_SLOT_SIZE], got[MTG_SLOT_SIZE], raw[MTG_SLOT_SIZE];
	int len = mtg_slot_load_to(&m.table, index, got, raw);

	if (len == -EIO && m.lossy && e->len)
		return;
	if (len != e->len)
		fail("slot %u has %d bytes instead of %d", index, len, e->len);
	contents(e->seed, e->len, want);
	if (memcmp(want, len == MTG_SLOT_SIZE ? raw : got, e->len))
		fail("slot %u holds other data", index);
}

static unsigned int store_len(uint16_t arg)
{
	switch (arg % 8) {
	case 0:
		return MTG_FILL_LEN;
	case 1:
		return MTG_SLOT_SIZE;
	case 2:
		return 9 + arg / 8 % 200;
	case 3:
		return MTG_MAX_LEN - arg / 8 % 300;
	default:
		return 300 + arg / 8 % 3500;
	}
}

static void do_store(struct share *s, const struct op *op, u32 n, u32 index)
{
	uint8_t data[MTG_SLOT_SIZE];
	uint64_t seed = s->count << 32 | index;
	struct expect new = { splitmix(&seed), store_len(op->arg) };
	int ret;

	contents(new.seed, new.len, data);
	ret = mtg_slot_store(&m.table, index, data, new.len);
	if (ret && ret != -ENOSPC && !(ret == -EROFS && m.damaged))
		fail("store: %d", ret);
	if (ret) {
		COUNT(refused);
	} else {
		s->expect[n] = new;
		COUNT(stores);
		if (new.len == MTG_SLOT_SIZE)
			COUNT(raw);
	}
}

static void do_shrink(u32 limit)
{
	u32 before;
	int ret;

	pthread_mutex_lock(&m.resize);
	before = m.pool.share;
	ret = mtg_slots_shrink(&m.table, limit);
	if (m.pool.share != (ret ? before : limit))
		fail("shrink to %u returned %d and left %u", limit, ret, m.pool.share);
	pthread_mutex_unlock(&m.resize);
}

static void do_compact(void)
{
	u32 limit;

	pthread_mutex_lock(&m.resize);
	limit = m.pool.share;
	mtg_slots_compact(&m.table);
	if (m.pool.share != limit)
		fail("compaction left a limit of %u instead of %u", m.pool.share, limit);
	pthread_mutex_unlock(&m.resize);
}

/* What the device's worker does now and then. */
static void do_settle(void)
{
	unsigned int i;
	bool broken;

	pthread_mutex_lock(&m.resize);
	broken = READ_ONCE(m.table.broken);
	/* Other threads may be about to store. */
	if (broken && m.threads) {
		pthread_mutex_unlock(&m.resize);
		return;
	}
	mtg_slots_settle(&m.table);
	if (broken && atomic64_read(&m.pool.used_granules))
		fail("objects are left in overwritten tag storage");
	/* Go on as after a reset, but keep all data. */
	if (broken) {
		m.table.broken = false;
		m.table.orphans_allowed = false;
		for (i = 0; i < MTG_ORPHAN_LISTS; i++)
			if (m.table.orphans[i])
				fail("an orphan was not found by its owner");
	}
	mtg_spill_balance(&m.table.spill, GFP_KERNEL);
	pthread_mutex_unlock(&m.resize);
}

/* The table grows while other threads use it. The last of the new slots is tried. */
static void do_grow(unsigned int more)
{
	u64 pattern = 7, got = 0;
	u32 last;
	int ret;

	pthread_mutex_lock(&m.resize);
	last = m.table.nr + more;
	if (last < 2 * m.slots + 2048) {
		if (mtg_slots_grow(&m.table, last + 1) || m.table.nr != last + 1)
			fail("cannot grow to %u slots", last + 1);
		if (mtg_slot_load(&m.table, last, &got))
			fail("new slot %u is not empty", last);
		ret = mtg_slot_store(&m.table, last, &pattern, sizeof(pattern));
		/* The table has stopped because of damage that was found before. */
		if (ret && ret != -ENOSPC && !(ret == -EROFS && READ_ONCE(m.table.broken)))
			fail("new slot %u cannot be stored: %d", last, ret);
		if (!ret &&
		    (mtg_slot_load(&m.table, last, &got) != sizeof(got) || got != pattern))
			fail("new slot %u does not keep what was stored", last);
		mtg_slot_free(&m.table, last);
	}
	pthread_mutex_unlock(&m.resize);
}

/* A length for which mtg_slot_room() sees no room must be refused. */
static void do_room(struct share *s, u32 n, u32 index)
{
	uint8_t data[MTG_SLOT_SIZE] = { 1 };
	unsigned int len;
	int why = mtg_slot_room(&m.table, index, &len);

	if (len > MTG_SLOT_SIZE)
		fail("room for %u bytes", len);
	if (!why || len == MTG_SLOT_SIZE || s->step > 1 || s->expect[n].len)
		return;
	if (len + 1 > MTG_MAX_LEN || READ_ONCE(m.table.broken))
		return;
	if (mtg_slot_store(&m.table, index, data, len + 1) != why)
		fail("%u bytes were stored with room for %u", len + 1, len);
}

/* Overwrite the header of an object, with another slot's number or with garbage. */
static void do_damage(const struct op *op)
{
	u32 granules = m.blocks << m.pool.block_shift;
	u32 granule = find_next_bit(m.pool.start, granules,
				    (u32)op->index * 64 % granules);

	if (granule >= granules || is_raw(&m.pool, granule))
		return;
	mtg_pool_object(&m.pool, granule)->owner = op->flags & 1 ? op->arg * 0x10001u :
								    op->arg % m.slots;
	m.damaged = true;
}

static long long rung(enum mtg_rung rung)
{
	return atomic64_read(&m.table.rung[rung]);
}

/* Only while no other thread runs: a change that is under way would look wrong. */
static void check_group(u32 group)
{
	struct mtg_group *g = &m.pool.groups[group];
	unsigned int class, longest = scan_group(&m.pool, group, 0, UINT_MAX).longest;

	if (g->used != bitmap_weight(m.pool.used + group_start(&m.pool, group) / 64,
				     group_bits(&m.pool)))
		fail("not %u granules are used in group %u", g->used, group);
	if (g->longest != longest)
		fail("group %u has a run of %u, not %u", group, longest, g->longest);
	for (class = 0; class < MTG_CLASSES; class++) {
		bool right = class == class_of(longest);

		if (class && mtg_map_test(&m.pool.listed,
					  listing(&m.pool, class, group)) != right)
			fail("group %u is listed in class %u", group, class);
	}
}

/* A search from either end finds the bits that are set, and no others. */
static void check_map(const struct mtg_map *map)
{
	u32 n, from = 0, last = map->nr;

	for (n = 0; n < map->nr; n++) {
		if (!mtg_map_test(map, n))
			continue;
		if (mtg_map_next(map, from, NULL, false) != n)
			fail("%u is found after %u, not %u",
			     mtg_map_next(map, from, NULL, false), from, n);
		from = n + 1;
		last = n;
	}
	if (mtg_map_next(map, from, NULL, false) != map->nr || mtg_map_last(map) != last)
		fail("%u is the last one, not %u", mtg_map_last(map), last);
}

static void check_pool(void)
{
	u32 granules = m.pool.nr_groups << m.pool.group_shift, owner, i, n = 0;
	u64 used = 0;

	for (i = 0; i < m.table.nr; i++) {
		u64 word = *slot_word(&m.table, i);
		u32 granule = object_granule(word);

		if (mtg_map_test(m.table.sets[0].spilled, i) != is_spilled(word))
			fail("slot %u is marked as spilled or not, but is the other", i);
		if (word_type(word) != SLOT_OBJECT)
			continue;
		used += mtg_granules(object_len(word));
		/* The header of its object was overwritten, and the block evicted. */
		if (m.damaged && !mtg_pool_begins(&m.pool, granule)) {
			if (!*find_orphan(&m.table, granule) && !m.lossy)
				fail("slot %u has neither an object nor an orphan", i);
			continue;
		}
		n++;
		if (!mtg_pool_owner(&m.pool, granule, &owner) || (owner != i && !m.damaged))
			fail("slot %u does not own its object at %u", i, granule);
		if (find_next_zero_bit(m.pool.used, granules, granule) <
		    granule + mtg_granules(object_len(word)))
			fail("the object at %u is not all marked", granule);
	}
	if (bitmap_weight(m.pool.start, granules) != n ||
	    bitmap_weight(m.pool.used, granules) != used ||
	    atomic64_read(&m.pool.used_granules) != (int64_t)used)
		fail("%u objects of %llu granules do not fit the bitmaps", n,
		     (unsigned long long)used);
	for (i = n = 0; i < m.blocks; i++) {
		bool ours = m.states[i] == USED;

		n += ours;
		if (is_open(&m.pool, i) != ours)
			fail("block %u is open or used, not both", i);
	}
	if (atomic_read(&m.pool.nr_open) != (int)n)
		fail("%u blocks are open, not %d", n, atomic_read(&m.pool.nr_open));
	for (i = 0; i < m.pool.nr_groups; i++)
		check_group(i);
	check_map(&m.pool.listed);
	check_map(m.table.sets[0].spilled);
	if (m.table.broken && !m.damaged)
		fail("a damaged header, but no operation has damaged one");
	if (!m.lossy && rung(MTG_RUNG_LOSE))
		fail("an object was lost");
}

/* The last rungs of the three kinds of callers of mtg_slots_evict(). */
static const enum mtg_rung callers[] = {
	MTG_RUNG_LOSE, MTG_RUNG_ATOMIC, MTG_RUNG_LOSE, MTG_RUNG_SPARE
};

static __maybe_unused void do_op(struct share *s, const struct op *op)
{
	u32 n = op->index % s->nr, index = n * s->step + s->first;
	u32 block = op->index % m.blocks;

	s->count++;
	switch (op->kind % NR_OPS) {
	case OP_STORE:
		return do_store(s, op, n, index);
	case OP_LOAD:
		return check_slot(&s->expect[n], index);
	case OP_FREE:
		if (mtg_slot_free(&m.table, index) != !!s->expect[n].len)
			fail("slot %u: free disagrees", index);
		s->expect[n].len = 0;
		return;
	case OP_TAKE:
		return take_block(block, callers[op->flags % ARRAY_SIZE(callers)]);
	case OP_GIVE:
		return give_back_block(block);
	case OP_SHRINK:
		return do_shrink(op->flags & 3 ? m.blocks : block);
	case OP_ROOM:
		return do_room(s, n, index);
	case OP_COMPACT:
		return do_compact();
	case OP_DAMAGE:
		/* With other threads, damage in the middle of a move would be a data race. */
		if (s->step == 1)
			do_damage(op);
		return;
	case OP_FAULTS:
		faults = op->arg % 8;
		if (!m.lossy)
			m.lossy = true;
		return;
	case OP_SETTLE:
		return do_settle();
	case OP_GROW:
		return do_grow(op->arg % 128);
	}
}

/* The driver must not even ask for memory that the caller may not use. */
static bool fail_counted(gfp_t gfp)
{
	if (gfp & __GFP_MEMALLOC && last_rung != MTG_RUNG_LOSE)
		fail("the emergency reserves are tried with rung %u as the last", last_rung);
	if (gfp & GFP_ATOMIC && last_rung < MTG_RUNG_ATOMIC)
		fail("an atomic allocation with rung %u as the last", last_rung);
	if (!(gfp & (__GFP_MEMALLOC | __GFP_NOMEMALLOC)) && gfp & GFP_ATOMIC)
		fail("an atomic allocation may reach the emergency reserves");
	return gfp & GFP_ATOMIC && faults && faults--;
}

static void model_init(unsigned int block_size, unsigned int blocks, unsigned int slots)
{
	m.block_size = block_size;
	m.blocks = blocks;
	m.slots = slots;
	for (m.nr_free = 0; blocks; blocks--)
		m.nr_free += !model_kept(NULL, blocks - 1);
	m.lossy = false;
	m.damaged = false;
	faults = 0;
	m.arena = calloc(m.blocks, block_size);
	m.states = calloc(m.blocks, 1);
	memset(&m.pool, 0, sizeof(m.pool));
	memset(&m.table, 0, sizeof(m.table));
	if (mtg_pool_init(&m.pool, m.arena, m.blocks, block_size, &model_provider, NULL) ||
	    mtg_slots_init(&m.table, "test", &m.pool, slots, 8) ||
	    !mtg_spill_balance(&m.table.spill, GFP_KERNEL))
		fail("no memory");
	m.pool.headroom = m.blocks / 16;
	shim_fail_alloc = fail_counted;
}

static __maybe_unused void share_init(struct share *s, unsigned int first, unsigned int step)
{
	*s = (struct share){ .nr = m.slots / step, .first = first, .step = step };
	s->expect = calloc(s->nr, sizeof(*s->expect));
}

/* All that was stored is there. */
static __maybe_unused void share_check(struct share *s)
{
	u32 i;

	for (i = 0; i < s->nr; i++)
		check_slot(&s->expect[i], i * s->step + s->first);
	free(s->expect);
}

static __maybe_unused void model_summary(void)
{
	printf("%lu stores (%lu raw), %lu refused, %lu blocks taken, %lu refused, objects: %lld moved, %lld kept, %lld + %lld + %lld spilled, %lld settled, %lld lost%s\n",
	       m.count.stores, m.count.raw, m.count.refused, m.count.taken,
	       m.count.not_taken, rung(MTG_RUNG_MOVE), rung(MTG_RUNG_KEPT),
	       rung(MTG_RUNG_SPARE), rung(MTG_RUNG_ATOMIC), rung(MTG_RUNG_EMERGENCY),
	       (long long)mtg_slots_events(&m.table, MTG_SETTLED), rung(MTG_RUNG_LOSE),
	       m.damaged ? ", headers damaged" : "");
}

/* When everything is freed, nothing may be left anywhere. */
static void model_destroy(void)
{
	struct mtg_slot_usage usage;
	u32 block;

	for (block = 0; block < m.blocks; block++)
		give_back_block(block);
	check_pool();
	mtg_slots_clear(&m.table);
	for (block = 0; block < m.blocks; block++)
		if (m.states[block] != FREE)
			fail("block %u is not free", block);
	if (atomic_read(&m.pool.nr_open) || atomic64_read(&m.pool.used_granules))
		fail("%d blocks open, %lld granules used", atomic_read(&m.pool.nr_open),
		     (long long)atomic64_read(&m.pool.used_granules));
	usage = mtg_slots_usage(&m.table);
	if (usage.stored || usage.compr_size || usage.same || usage.huge ||
	    atomic_read(&m.table.spill.nr_pages))
		fail("the statistics of an empty table are not zero");
	check_pool();
	mtg_slots_destroy(&m.table);
	mtg_pool_destroy(&m.pool);
	free(m.arena);
	free(m.states);
}

#endif /* MODEL_H */
