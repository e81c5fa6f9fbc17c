// SPDX-License-Identifier: GPL-2.0
/*
 * audit: does every page with tags own its tag storage, and no other page?
 *
 * Two witnesses that know nothing of each other are compared, page by page: the
 * driver's record of reserved pages (debugfs) and the page flags of the kernel
 * (PG_mte_tagged, which /proc/kpageflags shows as KPF_ARCH_2). Each difference must
 * have one of these reasons, which are counted apart:
 *
 *   reserved, not flagged  permanent: the zero page (KPF_ZERO_PAGE), whose tags are
 *                          live without the flag, and the range of the crash kernel
 *                          hardware-poisoned: such a page is never freed
 *   either                 tail of a large folio: /proc/kpageflags shows the flags
 *                          of its head, which says nothing of the tail
 *
 * All other differences are listed, and the exit status is 1. The number of reserved
 * pages and of blocks that hold a reserved page must agree with the devices' own
 * counters. All regions are compared together; their blocks are of one size.
 *
 * The machine should be quiet. A difference that is gone in a second look is one between
 * two moments, not between two records.
 *
 * Exit status: 0 all explained, 1 not, 2 cannot run.
 */

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "say.h"

/* include/uapi/linux/kernel-page-flags.h and include/linux/kernel-page-flags.h */
#define KPF_COMPOUND_TAIL	16
#define KPF_HWPOISON		19
#define KPF_ZERO_PAGE		24
#define KPF_ARCH_2		41

#define PAGE_SHIFT	12
#define TAG_RATIO	32
#define LISTED_MAX	20
#define TRIES		5

#define DEBUGFS		"/sys/kernel/debug/mtetagram/region%u/%s"
#define SYSFS		"/sys/block/mtetagram%u/tag_storage/%s"

struct result {
	uint64_t reserved;
	uint64_t flagged;
	uint64_t permanent;	/* permanent and not flagged */
	uint64_t poisoned;
	uint64_t tails;
	uint64_t only_reserved;	/* unexplained */
	uint64_t only_flagged;	/* unexplained */
	uint64_t not_permanent;	/* permanent for no known reason */
	uint64_t blocks;	/* that hold a reserved page */
};

static uint64_t *flags;
static unsigned char *reserved, *permanent;
static uint64_t max_pfn;
static uint64_t crash_first = 1, crash_last;

static bool has(uint64_t pfn, int bit)
{
	return flags[pfn] >> bit & 1;
}

/* Read a whole file whose length is not known before. */
static char *read_all(const char *path, size_t *size)
{
	size_t room = 1 << 16, len = 0;
	char *data = malloc(room);
	ssize_t got;
	int fd = open(path, O_RDONLY);

	if (fd < 0)
		return NULL;
	/* /proc/kpageflags wants to be read in units of 8 bytes. */
	while (data && (got = read(fd, data + len, room - len - 8)) > 0) {
		len += got;
		if (len == room - 8)
			data = realloc(data, room *= 2);
	}
	if (!data)
		die("audit: out of memory");
	close(fd);
	data[len] = '\0';
	*size = len;
	return data;
}

static void read_flags(void)
{
	size_t size;

	free(flags);
	flags = (uint64_t *)read_all("/proc/kpageflags", &size);
	if (!flags)
		die("audit: /proc/kpageflags: %s", strerror(errno));
	max_pfn = size / sizeof(*flags);
}

static unsigned char *empty_map(unsigned char *old)
{
	free(old);
	old = calloc(max_pfn, 1);
	if (!old)
		die("audit: out of memory");
	return old;
}

/* "a-b,c" into a map with a byte for each page; false if there is no such region. */
static bool read_pfns(unsigned int region, const char *name, unsigned char *map)
{
	char path[128], *text, *at;
	size_t size;

	snprintf(path, sizeof(path), DEBUGFS, region, name);
	text = read_all(path, &size);
	if (!text)
		return false;
	for (at = text; *at && *at != '\n'; at += *at == ',') {
		uint64_t first = strtoull(at, &at, 10), last = first;

		if (*at == '-')
			last = strtoull(at + 1, &at, 10);
		if ((*at && *at != ',' && *at != '\n') || last < first || last >= max_pfn)
			die("audit: %s: cannot be understood at %.20s", path, at);
		memset(map + first, 1, last - first + 1);
	}
	free(text);
	return true;
}

/* Returns how many regions there are. */
static unsigned int read_reserved(void)
{
	unsigned int region = 0;

	reserved = empty_map(reserved);
	permanent = empty_map(permanent);
	while (read_pfns(region, "reserved", reserved) &&
	       read_pfns(region, "permanent", permanent))
		region++;
	if (!region)
		die("audit: no record in debugfs (is it mounted?)");
	return region;
}

static void read_crash_range(void)
{
	unsigned long long first, last;
	char line[256];
	FILE *f = fopen("/proc/iomem", "r");

	while (f && fgets(line, sizeof(line), f)) {
		if (!strstr(line, "Crash kernel") ||
		    sscanf(line, " %llx-%llx", &first, &last) != 2)
			continue;
		crash_first = first >> PAGE_SHIFT;
		crash_last = last >> PAGE_SHIFT;
	}
	if (f)
		fclose(f);
}

/* The sum of an attribute of all devices; false if the module is not loaded. */
static bool read_number(unsigned int regions, const char *name, uint64_t *sum)
{
	char path[128], *text;
	unsigned int region;
	size_t size;

	*sum = 0;
	for (region = 0; region < regions; region++) {
		snprintf(path, sizeof(path), SYSFS, region, name);
		text = read_all(path, &size);
		if (!text)
			return false;
		*sum += strtoull(text, NULL, 10);
		free(text);
	}
	return true;
}

static void list(uint64_t pfn, uint64_t nth, const char *what)
{
	if (nth <= LISTED_MAX)
		say("audit: page %llu (flags %#llx) is %s", (unsigned long long)pfn,
		    (unsigned long long)flags[pfn], what);
}

static void explain(struct result *r, uint64_t pfn, bool report)
{
	if (has(pfn, KPF_COMPOUND_TAIL)) {
		r->tails++;
	} else if (!reserved[pfn]) {
		r->only_flagged++;
		if (report)
			list(pfn, r->only_flagged, "flagged as tagged, but not reserved");
	} else if (permanent[pfn]) {
		r->permanent++;
	} else if (has(pfn, KPF_HWPOISON)) {
		r->poisoned++;
	} else {
		r->only_reserved++;
		if (report)
			list(pfn, r->only_reserved, "reserved, but not flagged as tagged");
	}
}

static void compare(struct result *r, uint64_t block_pages, bool report)
{
	uint64_t pfn, last_block = UINT64_MAX;

	memset(r, 0, sizeof(*r));
	for (pfn = 0; pfn < max_pfn; pfn++) {
		if (permanent[pfn] && !has(pfn, KPF_ZERO_PAGE) &&
		    (pfn < crash_first || pfn > crash_last)) {
			r->not_permanent++;
			if (report)
				list(pfn, r->not_permanent, "permanent, why?");
		}
		r->flagged += has(pfn, KPF_ARCH_2);
		r->reserved += reserved[pfn];
		if (reserved[pfn] && pfn / block_pages != last_block) {
			last_block = pfn / block_pages;
			r->blocks++;
		}
		if (reserved[pfn] != has(pfn, KPF_ARCH_2))
			explain(r, pfn, report);
	}
}

/* Do the devices' counters agree with their records? */
static bool check_counters(unsigned int regions, const struct result *r, bool report)
{
	uint64_t pages, tagged, used, available, offline, all;

	if (!read_number(regions, "reserved_pages", &pages) ||
	    !read_number(regions, "blocks_tagged", &tagged) ||
	    !read_number(regions, "blocks_used", &used) ||
	    !read_number(regions, "blocks_free", &available) ||
	    !read_number(regions, "blocks_offline", &offline) ||
	    !read_number(regions, "blocks", &all)) {
		if (report)
			say("audit: the module is not loaded, no counters to compare with");
		return true;
	}
	if (report)
		say("audit: blocks %llu = free %llu + used %llu + tagged %llu + offline %llu",
		    (unsigned long long)all, (unsigned long long)available,
		    (unsigned long long)used, (unsigned long long)tagged,
		    (unsigned long long)offline);
	if (pages == r->reserved && tagged == r->blocks &&
	    available + used + tagged + offline == all)
		return true;
	if (report)
		say("audit: counters are wrong: reserved_pages %llu for %llu, blocks_tagged %llu for %llu",
		    (unsigned long long)pages, (unsigned long long)r->reserved,
		    (unsigned long long)tagged, (unsigned long long)r->blocks);
	return false;
}

static bool audit(bool report)
{
	uint64_t block_size;
	unsigned int regions;
	struct result r;
	bool counted;

	read_flags();
	regions = read_reserved();
	if (!read_number(1, "block_size", &block_size))
		block_size = 4096;
	compare(&r, block_size * TAG_RATIO >> PAGE_SHIFT, report);
	counted = check_counters(regions, &r, report);
	if (report)
		say("audit: reserved %llu flagged %llu; explained: permanent %llu poisoned %llu tails %llu; unexplained: reserved %llu flagged %llu permanent %llu",
		    (unsigned long long)r.reserved, (unsigned long long)r.flagged,
		    (unsigned long long)r.permanent, (unsigned long long)r.poisoned,
		    (unsigned long long)r.tails, (unsigned long long)r.only_reserved,
		    (unsigned long long)r.only_flagged, (unsigned long long)r.not_permanent);
	return counted && !r.only_reserved && !r.only_flagged && !r.not_permanent;
}

int main(int argc, char **argv)
{
	int try;

	if (argc != 1) {
		say("usage: %s", argv[0]);
		return EXIT_SETUP;
	}
	read_crash_range();
	for (try = 1; try < TRIES; try++)
		if (audit(false))
			break;
	return audit(true) ? 0 : 1;
}
