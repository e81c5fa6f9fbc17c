// SPDX-License-Identifier: GPL-2.0
/* Reads all tags of a sequence's memory, and compares them. See orders.h. */

#define _GNU_SOURCE
#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/uio.h>
#include <unistd.h>

#include "orders.h"
#include "say.h"

#ifndef PTRACE_PEEKMTETAGS
#define PTRACE_PEEKMTETAGS	33
#endif
#ifndef PT_AARCH64_MEMTAG_MTE
#define PT_AARCH64_MEMTAG_MTE	(PT_LOPROC + 2)
#endif
#define HALF		(GRANULE / 2)

/* Occurrences of half of the string in the page's part of the tag storage. */
static unsigned int count_halves(const uint8_t *bytes, const uint8_t *string)
{
	unsigned int i, n = 0;

	for (i = 0; i + HALF <= PAGE_BYTES; i++)
		n += !memcmp(bytes + i, string, HALF) || !memcmp(bytes + i, string + HALF, HALF);
	return n;
}

static void count_foreign(const uint8_t *tags, struct readings *r)
{
	uint8_t bytes[PAGE_BYTES];
	unsigned int i;

	/* Two tags are a byte, the first one is in the low half. */
	for (i = 0; i < PAGE_BYTES; i++)
		bytes[i] = tags[2 * i] | tags[2 * i + 1] << 4;
	r->strings += count_halves(bytes, shared->secret[0]);
	r->stale += count_halves(bytes, shared->secret[1]);
}

static void judge(const struct area *area, unsigned int page, const uint8_t *got,
		  struct readings *r)
{
	const uint8_t *expected = area->tags[page];
	unsigned int i, foreign = 0;

	r->pages++;
	r->tags += PAGE_TAGS;
	if (!memcmp(expected, got, PAGE_TAGS))
		return;
	for (i = 0; i < PAGE_TAGS; i++) {
		if (got[i] == expected[i])
			continue;
		foreign += got[i] != 0;
		r->lost += !got[i] && !area->loose[page];
	}
	r->foreign += foreign;
	if (foreign)
		count_foreign(got, r);
}

struct page_tags {
	const uint8_t *page;
	uint8_t tags[PAGE_TAGS];
};

static void load_tags(void *arg)
{
	struct page_tags *p = arg;
	unsigned int i;

	for (i = 0; i < PAGE_TAGS; i++)
		p->tags[i] = mte_load_tag(p->page + i * GRANULE);
}

/* Read the tags of pages that this process can access. */
void scan_own(struct area *area, enum reader reader)
{
	struct readings *r = &shared->counts.by[reader];
	struct page_tags p;
	unsigned int i;

	for (i = 0; i < area->used; i++) {
		if ((area->prot[i] & TAGGED) != TAGGED)
			continue;
		p.page = area->base + i * PAGE;
		if (guard(load_tags, &p) == ACCESS_OK)
			judge(area, i, p.tags, r);
		else
			r->unreadable++;
	}
}

/* Read the tags of all PROT_MTE pages, also of those that the stopped process cannot access. */
void scan_traced(struct area *area, int pid)
{
	struct readings *r = &shared->counts.by[READER_PTRACE];
	uint8_t tags[PAGE_TAGS];
	unsigned int i;

	for (i = 0; i < area->used; i++) {
		struct iovec iov = { tags, PAGE_TAGS };

		if (!(area->prot[i] & PROT_MTE))
			continue;
		if (ptrace(PTRACE_PEEKMTETAGS, pid, area->base + i * PAGE, &iov) ||
		    iov.iov_len != PAGE_TAGS)
			r->unreadable++;
		else
			judge(area, i, tags, r);
	}
}

static void judge_dumped(const struct area *area, unsigned int page, const uint8_t *bytes)
{
	uint8_t tags[PAGE_TAGS];
	unsigned int i;

	for (i = 0; i < PAGE_BYTES; i++) {
		tags[2 * i] = bytes[i] & 15;
		tags[2 * i + 1] = bytes[i] >> 4;
	}
	judge(area, page, tags, &shared->counts.by[READER_CORE]);
}

static bool scan_segment(const struct area *area, int fd, const Elf64_Phdr *segment)
{
	uint8_t bytes[PAGE_BYTES];
	uint64_t at, page;

	for (at = 0; at < segment->p_filesz; at += PAGE_BYTES) {
		page = (segment->p_vaddr - (uintptr_t)area->base) / PAGE + at / PAGE_BYTES;
		if (pread(fd, bytes, PAGE_BYTES, segment->p_offset + at) != PAGE_BYTES)
			return false;
		if (page < area->used)
			judge_dumped(area, page, bytes);
	}
	return true;
}

/* The segments of tags of a core dump, which is false if it cannot be read. */
bool scan_core(struct area *area, const char *path)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	bool ok = false;
	unsigned int i;
	Elf64_Ehdr header;
	Elf64_Phdr segment;

	if (fd < 0)
		return false;
	if (pread(fd, &header, sizeof(header), 0) == sizeof(header) &&
	    !memcmp(header.e_ident, ELFMAG, SELFMAG))
		ok = true;
	for (i = 0; ok && i < header.e_phnum; i++) {
		ok = pread(fd, &segment, sizeof(segment),
			   header.e_phoff + i * sizeof(segment)) == sizeof(segment);
		if (ok && segment.p_type == PT_AARCH64_MEMTAG_MTE)
			ok = scan_segment(area, fd, &segment);
	}
	close(fd);
	return ok;
}

/* Store a string as tags, again and again, in each page that can take tags. */
void store_secret(uint8_t *page, unsigned int which)
{
	const uint8_t *string = shared->secret[which];
	unsigned int i;

	for (i = 0; i < PAGE_TAGS; i++)
		mte_store_tag(mte_pointer(page + i * GRANULE,
					  string[i / 2 % GRANULE] >> i % 2 * 4 & 15));
}
