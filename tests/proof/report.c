// SPDX-License-Identifier: GPL-2.0
/* Reports of errors. See report.h. */

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "report.h"
#include "say.h"

/* All errors are counted; only so many are printed. */
#define REPORTS_MAX	10

static bool may_print(void)
{
	if (++self.reports == REPORTS_MAX + 1)
		say("proof: pid %d: further errors are counted but not printed", getpid());
	return self.reports <= REPORTS_MAX;
}

/* The page frame, if the kernel shows it. */
static uint64_t read_pfn(const void *address)
{
	int fd = open("/proc/self/pagemap", O_RDONLY | O_CLOEXEC);
	uint64_t entry = 0;

	if (fd < 0)
		return 0;
	if (pread(fd, &entry, sizeof(entry), (uintptr_t)address / PAGE * 8) !=
	    sizeof(entry))
		entry = 0;
	close(fd);
	/* Bit 63: present, the frame number is in bits 0 to 54. */
	return entry >> 63 ? entry & ((1ULL << 55) - 1) : 0;
}

static const char *where(const struct area *area, unsigned int page, char *text,
			 size_t size)
{
	static const char * const kinds[] = { "private", "shared", "memfd" };
	static const char * const taggings[] = {
		"untagged", "tagged by mmap", "tagged by mprotect",
	};
	const uint8_t *address = area->base + page * PAGE;
	bool late = area->type.tagging == TAGGING_LATE && page >= area->tagged_from &&
		    page < area->tagged_to;

	snprintf(text, size,
		 "worker %u pid %d %s%s, %s, page %u of %u at %p, pfn %#llx, version %u tags %u",
		 self.worker, getpid(), kinds[area->type.kind],
		 area->type.thp ? " (huge)" : "",
		 taggings[area->type.tagging == TAGGING_LATE && !late ? 0 :
			  area->type.tagging],
		 page, area->nr, address, (unsigned long long)read_pfn(address),
		 area->state[page].version, area->state[page].tags);
	return text;
}

/* Says what is there instead. */
static const char *guess(const uint64_t *got)
{
	unsigned int i;

	for (i = 1; i < PAGE_WORDS && got[i] == got[0]; i++)
		;
	if (i < PAGE_WORDS)
		return "";
	return got[0] ? ", the page is filled with one word" : ", the page is all zeros";
}

void report_data(const struct area *area, unsigned int page, bool resident,
		 const uint64_t *expected, const uint64_t *got)
{
	const uint8_t *e = (const uint8_t *)expected, *g = (const uint8_t *)got;
	unsigned int i, first = PAGE, last = 0, different = 0;
	char text[256];

	count(COUNT_BAD_DATA, 1);
	if (!may_print())
		return;
	for (i = 0; i < PAGE; i++) {
		if (e[i] == g[i])
			continue;
		first = i < first ? i : first;
		last = i;
		different++;
	}
	i = first & ~7U;
	say("proof: BAD DATA: %s, was %s: %u bytes differ in %u-%u, from %u on expected %016llx got %016llx%s",
	    where(area, page, text, sizeof(text)), resident ? "in memory" : "swapped",
	    different, first, last, i, (unsigned long long)expected[i / 8],
	    (unsigned long long)got[i / 8], guess(got));
}

void report_tags(const struct area *area, unsigned int page, bool resident,
		 const uint8_t *expected, const uint8_t *got)
{
	unsigned int i, first = PAGE_TAGS, last = 0, different = 0, zero = 0;
	char text[256];

	count(COUNT_BAD_TAGS, 1);
	if (!may_print())
		return;
	for (i = 0; i < PAGE_TAGS; i++) {
		zero += !got[i];
		if (expected[i] == got[i])
			continue;
		first = i < first ? i : first;
		last = i;
		different++;
	}
	say("proof: BAD TAGS: %s, was %s: %u tags differ in %u-%u, at %u expected %x got %x%s",
	    where(area, page, text, sizeof(text)), resident ? "in memory" : "swapped",
	    different, first, last, first, expected[first], got[first],
	    zero == PAGE_TAGS ? ", all tags are 0" : "");
}

/* An access with the right tag failed. */
void report_access(const struct area *area, unsigned int page, enum outcome outcome,
		   const char *verb)
{
	const char *what = outcome == ACCESS_LOST ? "LOST PAGE (SIGBUS)" :
			   outcome == ACCESS_TAG_FAULT ? "WRONG TAG FAULT" :
							 "SEGMENTATION FAULT";
	char text[256];

	count(outcome == ACCESS_LOST ? COUNT_LOST : COUNT_BAD_FAULTS, 1);
	if (may_print())
		say("proof: %s: %s, while it was %s, at %#lx", what,
		    where(area, page, text, sizeof(text)), verb, guard_address());
}

/* An access with a wrong tag did not fault as it should. */
void report_no_fault(const struct area *area, unsigned int page, unsigned int granule,
		     unsigned int tag, unsigned int used, enum outcome outcome)
{
	char text[256];

	if (outcome == ACCESS_LOST) {
		report_access(area, page, outcome, "accessed with a wrong tag");
		return;
	}
	count(COUNT_BAD_FAULTS, 1);
	if (may_print())
		say("proof: NO TAG FAULT: %s: granule %u has tag %x, access with tag %x ended with outcome %d",
		    where(area, page, text, sizeof(text)), granule, tag, used, outcome);
}
