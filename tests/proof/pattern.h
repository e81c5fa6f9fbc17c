/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Contents and tags of pages, computed from a key.
 *
 * The tests keep no copy of what they wrote: a page's bytes and its 256 tags
 * follow from (seed, where the page is, how often it was written), so that they
 * can be computed again when the page is verified.
 */
#ifndef PROOF_PATTERN_H
#define PROOF_PATTERN_H

#include <stdint.h>

#define PAGE		4096UL
#define PAGE_WORDS	(PAGE / sizeof(uint64_t))
#define GRANULE		16UL
#define PAGE_TAGS	(PAGE / GRANULE)

/* What a page looks like to a compressor. */
enum content {
	CONTENT_RANDOM,		/* incompressible */
	CONTENT_HALF,		/* about 2:1 */
	CONTENT_QUARTER,	/* about 4:1 */
	CONTENT_TEXT,		/* words */
	CONTENT_FILL,		/* one 32-bit pattern, not 0 */
	CONTENT_ZERO,
	CONTENT_KINDS,
};

/* Share of the kinds of contents. */
enum mix {
	MIX_DATA,		/* like a heap: 1/8 incompressible, most 2:1 to 4:1 */
	MIX_BULK,		/* mostly fill, which costs a swap device no memory */
};

uint64_t pattern_hash(uint64_t a, uint64_t b);
uint64_t pattern_next(uint64_t *state);
enum content pattern_content(uint64_t key, enum mix mix);
void pattern_page(uint64_t *page, uint64_t key, enum content content);
void pattern_tags(uint8_t *tags, uint64_t key);
const char *pattern_name(enum content content);

#endif /* PROOF_PATTERN_H */
