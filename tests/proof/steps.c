// SPDX-License-Identifier: GPL-2.0
/*
 * What a process can do to its memory that changes which pages have tags: the steps of
 * a sequence. See orders.h.
 *
 * A step that fails changes nothing, and that is not an error. The steps keep the model
 * of the area true: what mprotect() was told, and the tags that were stored.
 */

#define _GNU_SOURCE
#include <errno.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "orders.h"
#include "say.h"

#ifndef MADV_COLD
#define MADV_COLD	20
#endif
#ifndef MADV_PAGEOUT
#define MADV_PAGEOUT	21
#endif
#ifndef MADV_COLLAPSE
#define MADV_COLLAPSE	25
#endif
#define MAPS_MAX	40000UL	/* more than vm.max_map_count allows: each takes two mappings */

static bool kind_is_huge(enum kind kind)
{
	return kind == KIND_HUGE || kind == KIND_SHMEM_HUGE;
}

static bool kind_is_shared(enum kind kind)
{
	return kind == KIND_SHMEM || kind == KIND_SHMEM_HUGE;
}

static uint8_t *page_of(const struct area *area, unsigned int page)
{
	return area->base + page * PAGE;
}

/* A part without the first page, which is not whole folios. */
static unsigned int part_first(const struct area *area)
{
	return area->span / 2 + 1;
}

static unsigned int part_pages(const struct area *area)
{
	return area->span / 4;
}

static void set_prot(struct area *area, unsigned int first, unsigned int n, int prot)
{
	memset(area->prot + first, prot, n);
}

void area_protect(struct area *area, unsigned int first, unsigned int n, int prot)
{
	if (!mprotect(page_of(area, first), n * PAGE, prot))
		set_prot(area, first, n, prot);
}

static void forget_tags(struct area *area, unsigned int first, unsigned int n)
{
	memset(area->tags + first, 0, n * PAGE_TAGS);
	memset(area->loose + first, false, n);
}

static void map_pages(struct area *area, unsigned int first, unsigned int n, int prot)
{
	int flags = area->fd < 0 ? MAP_PRIVATE | MAP_ANONYMOUS : MAP_SHARED;

	if (mmap(page_of(area, first), n * PAGE, prot, flags | MAP_FIXED, area->fd,
		 area->fd < 0 ? 0 : first * PAGE) == MAP_FAILED)
		die("orders: mmap: %s", strerror(errno));
	set_prot(area, first, n, prot);
	if (area->kind == KIND_MTHP || kind_is_huge(area->kind))
		madvise(page_of(area, first), n * PAGE, MADV_HUGEPAGE);
}

/* A huge page's worth of addresses, and as many behind that to move a part to. */
void area_map(struct area *area, enum kind kind)
{
	uint8_t *start = mmap(NULL, 3 * HUGE_SIZE, PROT_NONE,
			      MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

	if (start == MAP_FAILED)
		die("orders: mmap: %s", strerror(errno));
	memset(area, 0, sizeof(*area));
	area->kind = kind;
	area->base = (uint8_t *)(((uintptr_t)start + HUGE_SIZE - 1) & ~(HUGE_SIZE - 1));
	/* The kernel makes folios of 64 KiB where a huge page does not fit. */
	area->pages = kind == KIND_MTHP ? FEW_PAGES : HUGE_PAGES;
	area->span = kind_is_huge(kind) ? HUGE_PAGES : FEW_PAGES;
	area->used = area->span;
	area->fd = -1;
	if (kind_is_shared(kind)) {
		area->fd = memfd_create("orders", MFD_CLOEXEC);
		if (area->fd < 0 || ftruncate(area->fd, HUGE_SIZE))
			die("orders: memfd: %s", strerror(errno));
	}
	map_pages(area, 0, area->pages, PLAIN);
}

struct access {
	uint8_t *page;
	unsigned int tag;
};

static void store_byte(void *arg)
{
	struct access *a = arg;

	*(volatile uint8_t *)mte_pointer(a->page, a->tag) = 1;
}

/* Write to pages that can be written to, as a correct program would. */
void area_touch(struct area *area, unsigned int first, unsigned int n)
{
	unsigned int i;

	for (i = first; i < first + n; i++) {
		struct access a = { page_of(area, i), area->tags[i][0] };

		if (!(area->prot[i] & PROT_WRITE))
			continue;
		if (area->loose[i] && area->prot[i] & PROT_MTE)
			a.tag = mte_load_tag(a.page);
		if (guard(store_byte, &a) != ACCESS_TAG_FAULT)
			continue;
		if (mte_load_tag(a.page))
			shared->counts.faults_foreign++;
		else
			shared->counts.faults_lost++;
	}
}

static void reserve(struct area *area)
{
	area_protect(area, 0, area->pages, HIDDEN);
}

static void reserve_rest(struct area *area)
{
	area_protect(area, 1, area->pages - 1, HIDDEN);
}

static void flag_head(struct area *area)
{
	area_protect(area, 0, 1, TAGGED);
	area_touch(area, 0, 1);
}

static void flag_part(struct area *area)
{
	area_protect(area, part_first(area), part_pages(area), TAGGED);
	area_touch(area, part_first(area), part_pages(area));
}

static void flag(struct area *area)
{
	area_protect(area, 0, area->pages, TAGGED);
	area_touch(area, 0, area->span);
}

static void plain(struct area *area)
{
	area_protect(area, 0, area->pages, PLAIN);
}

/* Tags of our own, never 0, in some of the pages that can take them. */
static void store(struct area *area)
{
	static unsigned int times;
	uint64_t state = pattern_hash(shared->task.key, ++times) | 1;
	unsigned int i, k, tag;

	for (i = 0; i < area->span; i++) {
		if ((area->prot[i] & TAGGED) != TAGGED || (i % 8 != 5 && i != 0))
			continue;
		for (k = 0; k < PAGE_TAGS; k++) {
			tag = pattern_next(&state) % 15 + 1;
			mte_store_tag(mte_pointer(page_of(area, i) + k * GRANULE, tag));
			area->tags[i][k] = tag;
		}
		area->loose[i] = false;
	}
}

/* Of one page, which splits a larger folio. */
static void cold_head(struct area *area)
{
	madvise(area->base, PAGE, MADV_COLD);
}

static void free_part(struct area *area)
{
	unsigned int first = part_first(area), n = part_pages(area);

	/* If the call fails in the middle, the pages before that are freed. */
	memset(area->loose + first, true, n);
	if (area->fd < 0)
		madvise(page_of(area, first), n * PAGE, MADV_FREE);
	else if (!madvise(page_of(area, first), n * PAGE, MADV_REMOVE))
		forget_tags(area, first, n);
}

static void page_out(struct area *area)
{
	madvise(area->base, area->pages * PAGE, MADV_PAGEOUT);
}

static void page_out_one(struct area *area)
{
	madvise(page_of(area, part_first(area)), PAGE, MADV_PAGEOUT);
}

static void unmap_part(struct area *area)
{
	unsigned int first = part_first(area), n = part_pages(area);

	munmap(page_of(area, first), n * PAGE);
	map_pages(area, first, n, TAGGED);
	if (area->fd < 0)
		forget_tags(area, first, n);
	area_touch(area, first, n);
}

static void drop_part(struct area *area)
{
	unsigned int first = part_first(area), n = part_pages(area);

	if (!madvise(page_of(area, first), n * PAGE, MADV_DONTNEED) && area->fd < 0)
		forget_tags(area, first, n);
	area_touch(area, first, n);
}

/* Move the part to other addresses and back. */
static void move_part(struct area *area)
{
	size_t size = part_pages(area) * PAGE;
	uint8_t *here = page_of(area, part_first(area)), *there = here + HUGE_SIZE;

	if (mremap(here, size, size, MREMAP_MAYMOVE | MREMAP_FIXED, there) == MAP_FAILED)
		return;
	if (mremap(there, size, size, MREMAP_MAYMOVE | MREMAP_FIXED, here) == MAP_FAILED)
		die("orders: mremap: %s", strerror(errno));
}

/* An mprotect() that fails late, because the process may not have so much data. */
static void fail_by_limit(struct area *area)
{
	struct rlimit limit;
	rlim_t old;

	area_protect(area, 0, area->pages, PROT_NONE);
	getrlimit(RLIMIT_DATA, &limit);
	old = limit.rlim_cur;
	limit.rlim_cur = PAGE;
	setrlimit(RLIMIT_DATA, &limit);
	if (!mprotect(area->base, area->pages * PAGE, TAGGED))
		set_prot(area, 0, area->pages, TAGGED);
	else if (errno == ENOMEM)
		shared->counts.limit_failures++;
	limit.rlim_cur = old;
	setrlimit(RLIMIT_DATA, &limit);
}

/* An mprotect() that fails late, because it would make too many mappings. */
static void fail_by_split(struct area *area)
{
	unsigned int first = part_first(area), n = part_pages(area);
	uint8_t *maps;
	size_t i;

	area_protect(area, first, n, PROT_READ);
	maps = mmap(NULL, 2 * MAPS_MAX * PAGE, PROT_NONE,
		    MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	if (maps == MAP_FAILED)
		return;
	for (i = 0; i < MAPS_MAX && !mprotect(maps + 2 * i * PAGE, PAGE, PROT_READ); i++)
		;
	if (!mprotect(page_of(area, first + 1), (n - 2) * PAGE, HIDDEN))
		set_prot(area, first + 1, n - 2, HIDDEN);
	else if (errno == ENOMEM)
		shared->counts.split_failures++;
	munmap(maps, 2 * MAPS_MAX * PAGE);
}

static void touch_some(struct area *area)
{
	unsigned int i;

	for (i = 0; i < area->span; i += 32)
		area_touch(area, i, 1);
	area_touch(area, part_first(area), 1);
	area_touch(area, area->span - 1, 1);
}

/* The child reads all tags, and stores others in its copies of the pages. */
static void be_child(struct area *area)
{
	unsigned int i;

	touch_some(area);
	scan_own(area, READER_CHILD);
	for (i = 0; area->fd < 0 && i < area->span; i += 32)
		if ((area->prot[i] & TAGGED) == TAGGED)
			store_secret(page_of(area, i), 1);
	_exit(0);
}

/* The parent writes while the child is there, and then the child writes. */
static void fork_and_copy(struct area *area)
{
	int go[2], status;
	pid_t pid;
	char c;

	if (pipe(go))
		die("orders: pipe: %s", strerror(errno));
	pid = fork();
	if (pid < 0)
		die("orders: fork: %s", strerror(errno));
	if (!pid) {
		close(go[1]);
		if (read(go[0], &c, 1) < 0)
			_exit(EXIT_SETUP);
		be_child(area);
	}
	close(go[0]);
	touch_some(area);
	close(go[1]);
	if (waitpid(pid, &status, 0) != pid || status)
		shared->counts.crashed++;
}

/* Copy the memory to a new huge page, if it is one mapping. */
static void collapse(struct area *area)
{
	if (madvise(area->base, area->pages * PAGE, MADV_COLLAPSE))
		return;
	shared->counts.collapses++;
	area->used = area->pages;
}

/* Have the kernel migrate pages, as many as it chooses. */
static void migrate(struct area *area)
{
	(void)area;
	ask_for_compaction();
}

static const struct {
	const char *name;
	void (*take)(struct area *area);
	bool private_only;
} steps[] = {
	{ .name = "reserve", .take = reserve },
	{ .name = "reserve-rest", .take = reserve_rest },
	{ .name = "flag-head", .take = flag_head },
	{ .name = "flag-part", .take = flag_part },
	{ .name = "flag", .take = flag },
	{ .name = "plain", .take = plain },
	{ .name = "store", .take = store },
	{ .name = "cold-head", .take = cold_head },
	{ .name = "free-part", .take = free_part },
	{ .name = "page-out", .take = page_out },
	{ .name = "page-out-one", .take = page_out_one },
	{ .name = "unmap-part", .take = unmap_part },
	{ .name = "drop-part", .take = drop_part },
	{ .name = "move-part", .take = move_part },
	{ .name = "fail-by-limit", .take = fail_by_limit, .private_only = true },
	{ .name = "fail-by-split", .take = fail_by_split },
	{ .name = "fork", .take = fork_and_copy },
	{ .name = "collapse", .take = collapse },
	{ .name = "migrate", .take = migrate },
};

const unsigned int nr_steps = sizeof(steps) / sizeof(steps[0]);

const char *step_name(unsigned int step)
{
	return steps[step].name;
}

bool step_applies(unsigned int step, enum kind kind)
{
	return !steps[step].private_only || !kind_is_shared(kind);
}

void take_step(struct area *area, unsigned int step)
{
	shared->counts.steps++;
	steps[step].take(area);
}
