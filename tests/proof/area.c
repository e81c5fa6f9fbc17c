// SPDX-License-Identifier: GPL-2.0
/*
 * Areas: mappings whose contents and tags are known, page by page.
 *
 * The state of a page is two numbers: the version of its contents and that of its
 * tags. All else is computed from them. Versions are never used twice by a process
 * or by the processes forked from it, so an old version of a page, or the version
 * that another process wrote after a fork, is told from the right one.
 *
 * A page that turns out to be wrong is reported and written anew, so that one
 * error is counted once. A page that cannot be read back (SIGBUS) is thrown away.
 */

#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "area.h"
#include "mte.h"
#include "report.h"
#include "say.h"

#define HUGE_SIZE	(2UL << 20)

/* How many pages are looked up at once, before they are verified one by one. */
#define WINDOW		64

/* What a guarded access to one page works on. */
struct access {
	uint8_t *page;
	const uint64_t *data;
	const uint8_t *tags;	/* NULL: the page has no tags */
	bool new_tags;
	uint64_t *got;
	uint8_t *got_tags;
	unsigned int granule;
	unsigned int tag;
	bool write;
};

static uint8_t *page_address(const struct area *area, unsigned int page)
{
	return area->base + page * PAGE;
}

static bool is_tagged(const struct area *area, unsigned int page)
{
	return page >= area->tagged_from && page < area->tagged_to;
}

static void expected_data(const struct area *area, unsigned int page, uint64_t *data)
{
	uint32_t version = area->state[page].version;
	uint64_t key = pattern_hash(area->key + page, version);

	pattern_page(data, key, version ? pattern_content(key, area->type.mix) :
					  CONTENT_ZERO);
}

static void expected_tags(const struct area *area, unsigned int page, uint8_t *tags)
{
	uint32_t version = area->state[page].tags;

	if (version)
		pattern_tags(tags, pattern_hash(area->key + page, version));
	else
		memset(tags, 0, PAGE_TAGS);
}

/* Addresses for @size bytes at a multiple of @align, not yet accessible. */
static uint8_t *find_room(size_t size, size_t align)
{
	size_t padded = size + align - PAGE;
	uint8_t *start = mmap(NULL, padded, PROT_NONE,
			      MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	uint8_t *base;

	if (start == MAP_FAILED)
		die("proof: no address space for %zu bytes", padded);
	base = (uint8_t *)(((uintptr_t)start + align - 1) & ~(align - 1));
	if (base > start)
		munmap(start, base - start);
	if (start + padded > base + size)
		munmap(base + size, start + padded - base - size);
	return base;
}

static int make_memfd(size_t size)
{
	int fd = memfd_create("proof", MFD_CLOEXEC);

	if (fd < 0 || ftruncate(fd, size))
		die("proof: memfd of %zu bytes: %s", size, strerror(errno));
	return fd;
}

static void map_at(struct area *area, uint8_t *base)
{
	int prot = PROT_READ | PROT_WRITE;
	int flags = MAP_FIXED | MAP_NORESERVE, fd = -1;
	size_t size = area->nr * PAGE;

	if (area->type.tagging == TAGGING_AT_MAP)
		prot |= PROT_MTE;
	switch (area->type.kind) {
	case KIND_PRIVATE:
		flags |= MAP_PRIVATE | MAP_ANONYMOUS;
		break;
	case KIND_SHARED:
		flags |= MAP_SHARED | MAP_ANONYMOUS;
		break;
	case KIND_MEMFD:
		flags |= MAP_SHARED;
		fd = make_memfd(size);
		break;
	}
	area->base = mmap(base, size, prot, flags, fd, 0);
	if (area->base == MAP_FAILED)
		die("proof: mmap of %zu bytes (prot %#x flags %#x): %s", size, prot, flags,
		    strerror(errno));
	if (fd >= 0)
		close(fd);
	if (area->type.thp)
		madvise(area->base, size, MADV_HUGEPAGE);
}

/* @area is all zeros, or was unmapped. */
void area_map(struct area *area, const struct area_type *type, unsigned int nr)
{
	size_t size = nr * PAGE;

	if (nr > area->state_max) {
		area->state = locked_alloc(nr * sizeof(*area->state));
		area->state_max = nr;
	}
	memset(area->state, 0, nr * sizeof(*area->state));
	area->type = *type;
	area->nr = nr;
	area->key = pattern_hash(options.seed, (uint64_t)self.worker << 32 |
					       ++self.areas_made);
	area->tagged_from = 0;
	area->tagged_to = type->tagging == TAGGING_AT_MAP ? nr : 0;
	map_at(area, find_room(size, type->thp ? HUGE_SIZE : PAGE));
	count(COUNT_MAPS, 1);
}

void area_unmap(struct area *area)
{
	munmap(area->base, area->nr * PAGE);
}

/* Move the area to another address: page table entries move, pages do not. */
void area_move(struct area *area)
{
	unsigned int tagged = area->tagged_to - area->tagged_from;
	size_t size = area->nr * PAGE;
	uint8_t *base;

	/* mremap() moves only one mapping; an area that is tagged in part is several. */
	if (tagged && tagged < area->nr)
		return;
	base = find_room(size, area->type.thp ? HUGE_SIZE : PAGE);
	base = mremap(area->base, size, size, MREMAP_MAYMOVE | MREMAP_FIXED, base);
	if (base == MAP_FAILED)
		die("proof: mremap of %zu bytes: %s", size, strerror(errno));
	area->base = base;
	count(COUNT_MOVES, 1);
}

/* Forget the contents of a page that is lost. */
static void discard_page(struct area *area, unsigned int page)
{
	int advice = area->type.kind == KIND_PRIVATE ? MADV_DONTNEED : MADV_REMOVE;

	madvise(page_address(area, page), PAGE, advice);
	memset(&area->state[page], 0, sizeof(*area->state));
}

static void do_store(void *arg)
{
	struct access *a = arg;
	unsigned int i;

	if (!a->tags) {
		memcpy(a->page, a->data, PAGE);
		return;
	}
	for (i = 0; i < PAGE_TAGS; i++) {
		void *p = mte_pointer(a->page + i * GRANULE, a->tags[i]);

		if (a->new_tags)
			mte_store_tag(p);
		mte_store(p, &a->data[i * 2]);
	}
}

/* Every other time the tags stay, so that stores are checked against old tags. */
static bool wants_new_tags(const struct area *area, unsigned int page)
{
	return is_tagged(area, page) && (!area->state[page].tags || dice(2));
}

/* Write new contents to a page, and perhaps new tags. */
void area_write(struct area *area, unsigned int page)
{
	struct page_state *state = &area->state[page];
	uint8_t tags[PAGE_TAGS];
	uint64_t data[PAGE_WORDS];
	struct access access = {
		.page = page_address(area, page),
		.data = data,
		.tags = is_tagged(area, page) ? tags : NULL,
		.new_tags = wants_new_tags(area, page),
	};
	enum outcome outcome;

	/* 1 version in 8 keeps tags of 0, the others get new tags. */
	state->version = ++self.version;
	if (access.new_tags && state->version % 8)
		state->tags = state->version;
	expected_data(area, page, data);
	expected_tags(area, page, tags);

	outcome = guard(do_store, &access);
	if (outcome != ACCESS_OK) {
		report_access(area, page, outcome, "written");
		discard_page(area, page);
		state->version = self.version;
		state->tags = is_tagged(area, page) ? self.version : 0;
		access.new_tags = true;
		expected_tags(area, page, tags);
		if (guard(do_store, &access) != ACCESS_OK)
			die("proof: pid %d: a fresh page cannot be written", getpid());
	}
	count(COUNT_WRITTEN, 1);
}

/* Write one page in @one_in, chosen at random. */
void area_write_some(struct area *area, unsigned int from, unsigned int nr,
		     unsigned int one_in)
{
	unsigned int page;

	for (page = from; page < from + nr; page++)
		if (!dice(one_in))
			area_write(area, page);
}

void area_populate(struct area *area)
{
	unsigned int page;

	for (page = 0; page < area->nr; page++)
		if (dice(UNTOUCHED_ONE_IN))
			area_write(area, page);
}

static void do_load_tags(void *arg)
{
	struct access *a = arg;
	unsigned int i;

	for (i = 0; i < PAGE_TAGS; i++)
		a->got_tags[i] = mte_load_tag(a->page + i * GRANULE);
}

static void do_load(void *arg)
{
	struct access *a = arg;
	unsigned int i;

	for (i = 0; i < PAGE_TAGS; i++)
		mte_load(mte_pointer(a->page + i * GRANULE, a->tags[i]), &a->got[i * 2]);
}

static void do_load_unchecked(void *arg)
{
	struct access *a = arg;

	mte_checks_off();
	memcpy(a->got, a->page, PAGE);
	mte_checks_on();
}

static void do_touch(void *arg)
{
	struct access *a = arg;
	void *p = mte_pointer(a->page + a->granule * GRANULE, a->tag);

	if (a->write)
		mte_store(p, &a->data[a->granule * 2]);
	else
		mte_load(p, a->got);
}

/* An access with a wrong tag must fault, at the right address, and change nothing. */
static void expect_tag_fault(struct area *area, unsigned int page,
			     const uint64_t *data, const uint8_t *tags)
{
	uint64_t got[2];
	unsigned int granule = dice(PAGE_TAGS);
	struct access access = {
		.page = page_address(area, page),
		.data = data,
		.got = got,
		.granule = granule,
		.tag = tags[granule] ^ (1 + dice(15)),
		.write = dice(2),
	};
	enum outcome outcome = guard(do_touch, &access);

	if (outcome == ACCESS_TAG_FAULT &&
	    mte_pointer((void *)guard_address(), 0) == access.page + granule * GRANULE)
		count(COUNT_TAG_FAULTS, 1);
	else
		report_no_fault(area, page, granule, tags[granule], access.tag, outcome);
}

/* Returns false if the page could not be read. */
static bool read_page(struct area *area, unsigned int page, struct access *access)
{
	bool tagged = is_tagged(area, page);
	enum outcome outcome = ACCESS_OK;

	if (tagged)
		outcome = guard(do_load_tags, access);
	if (outcome == ACCESS_OK && tagged &&
	    !memcmp(access->tags, access->got_tags, PAGE_TAGS)) {
		outcome = guard(do_load, access);
		if (outcome == ACCESS_TAG_FAULT) {
			/* The tags are right, but the check of an access failed. */
			report_access(area, page, outcome, "read");
			outcome = guard(do_load_unchecked, access);
		}
	} else if (outcome == ACCESS_OK) {
		outcome = guard(do_load_unchecked, access);
	}
	if (outcome == ACCESS_OK)
		return true;
	report_access(area, page, outcome, "read");
	discard_page(area, page);
	return false;
}

static void verify_page(struct area *area, unsigned int page, bool resident)
{
	uint64_t data[PAGE_WORDS], got[PAGE_WORDS];
	uint8_t tags[PAGE_TAGS], got_tags[PAGE_TAGS];
	struct access access = {
		.page = page_address(area, page),
		.tags = tags,
		.got = got,
		.got_tags = got_tags,
	};
	const struct page_state *state = &area->state[page];
	bool touched = state->version || state->tags;
	bool bad = false;

	expected_data(area, page, data);
	expected_tags(area, page, tags);
	if (!read_page(area, page, &access))
		return;

	count(COUNT_VERIFIED, 1);
	count(touched ? COUNT_SWAPPED : COUNT_UNTOUCHED, touched ? !resident : 1);
	if (is_tagged(area, page)) {
		count(COUNT_TAGGED, 1);
		if (memcmp(tags, got_tags, PAGE_TAGS)) {
			report_tags(area, page, resident, tags, got_tags);
			bad = true;
		} else if (!dice(8)) {
			expect_tag_fault(area, page, data, tags);
		}
	}
	if (memcmp(data, got, PAGE)) {
		report_data(area, page, resident, data, got);
		bad = true;
	}
	if (bad) {
		discard_page(area, page);
		area_write(area, page);
	}
}

/* Verify data and tags of the pages. */
void area_verify(struct area *area, unsigned int from, unsigned int nr)
{
	unsigned char resident[WINDOW];
	unsigned int page, end = from + nr;

	for (page = from; page < end; page++) {
		unsigned int in_window = (page - from) % WINDOW;
		unsigned int left = end - page < WINDOW ? end - page : WINDOW;

		if (!in_window && mincore(page_address(area, page), left * PAGE, resident))
			die("proof: mincore: %s", strerror(errno));
		verify_page(area, page, resident[in_window] & 1);
	}
}

/* Swap pages out, as far as there is room and the pages are not shared. */
void area_page_out(struct area *area, unsigned int from, unsigned int nr)
{
	madvise(page_address(area, from), nr * PAGE, MADV_PAGEOUT);
	count(COUNT_PAGEOUTS, 1);
}

/* Private pages are zeros after this. Shared pages only lose their mapping. */
void area_dontneed(struct area *area, unsigned int from, unsigned int nr)
{
	if (madvise(page_address(area, from), nr * PAGE, MADV_DONTNEED))
		die("proof: MADV_DONTNEED: %s", strerror(errno));
	if (area->type.kind == KIND_PRIVATE)
		memset(&area->state[from], 0, nr * sizeof(*area->state));
	count(COUNT_DONTNEEDS, 1);
}

/* A hole in the file behind a shared mapping. */
void area_remove(struct area *area, unsigned int from, unsigned int nr)
{
	if (madvise(page_address(area, from), nr * PAGE, MADV_REMOVE))
		die("proof: MADV_REMOVE: %s", strerror(errno));
	memset(&area->state[from], 0, nr * sizeof(*area->state));
	count(COUNT_REMOVES, 1);
}

/*
 * PROT_MTE for [from, to), and for all pages between that and the pages that have it already.
 * If the kernel has no memory to make room for the tags, nothing is tagged.
 */
void area_tag(struct area *area, unsigned int from, unsigned int to)
{
	if (area->tagged_to > area->tagged_from) {
		from = from < area->tagged_from ? from : area->tagged_from;
		to = to > area->tagged_to ? to : area->tagged_to;
	}
	if (mprotect(page_address(area, from), (to - from) * PAGE,
		     PROT_READ | PROT_WRITE | PROT_MTE)) {
		if (errno != ENOMEM)
			die("proof: mprotect(PROT_MTE): %s", strerror(errno));
		return;
	}
	area->tagged_from = from;
	area->tagged_to = to;
	count(COUNT_MPROTECTS, 1);
}

static void do_spoil_data(void *arg)
{
	struct access *a = arg;

	mte_checks_off();
	a->page[a->granule * GRANULE] ^= 0x10;
	mte_checks_on();
}

static void do_spoil_tag(void *arg)
{
	struct access *a = arg;
	uint8_t *p = a->page + a->granule * GRANULE;

	mte_store_tag(mte_pointer(p, mte_load_tag(p) ^ 1));
}

/* Make an error on purpose, to see the proof fail. */
bool area_spoil(struct area *area, unsigned int page, enum inject what)
{
	struct access access = {
		.page = page_address(area, page),
		.granule = dice(PAGE_TAGS),
	};

	if (!area->state[page].version || (what == INJECT_TAG && !is_tagged(area, page)))
		return false;
	return guard(what == INJECT_TAG ? do_spoil_tag : do_spoil_data, &access) ==
	       ACCESS_OK;
}
