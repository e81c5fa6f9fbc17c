// SPDX-License-Identifier: GPL-2.0
/* Contents and tags of pages, computed from a key. See pattern.h. */

#include <string.h>

#include "pattern.h"

static const char * const content_names[CONTENT_KINDS] = {
	[CONTENT_RANDOM] = "random",
	[CONTENT_HALF] = "half",
	[CONTENT_QUARTER] = "quarter",
	[CONTENT_TEXT] = "text",
	[CONTENT_FILL] = "fill",
	[CONTENT_ZERO] = "zero",
};

/* Each word has 8 letters, so that it is one store. */
static const char words[32][9] = {
	"page    ", "tag     ", "storage ", "swap    ", "block   ", "kernel  ",
	"memory  ", "reserve ", "object  ", "granule ", "release ", "the     ",
	"of      ", "and     ", "slot    ", "device  ", "pool    ", "fault   ",
	"a       ", "process ", "evict  ", "move    ", "compress", "is      ",
	"to      ", "\n\n      ", ", which ", "never   ", "always  ", "mapping ",
	"0x00000 ", "zero    ",
};

/* The finaliser of splitmix64: every bit of the input changes half of the output. */
uint64_t pattern_hash(uint64_t a, uint64_t b)
{
	uint64_t x = a + 0x9e3779b97f4a7c15ULL * (b + 1);

	x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9ULL;
	x = (x ^ (x >> 27)) * 0x94d049bb133111ebULL;
	return x ^ (x >> 31);
}

/* xorshift64: only three shifts a word, because emulation makes it slow. */
uint64_t pattern_next(uint64_t *state)
{
	uint64_t x = *state;

	x ^= x << 13;
	x ^= x >> 7;
	x ^= x << 17;
	return *state = x;
}

const char *pattern_name(enum content content)
{
	return content_names[content];
}

enum content pattern_content(uint64_t key, enum mix mix)
{
	static const enum content data[16] = {
		CONTENT_RANDOM, CONTENT_RANDOM, CONTENT_HALF, CONTENT_HALF,
		CONTENT_HALF, CONTENT_HALF, CONTENT_HALF, CONTENT_QUARTER,
		CONTENT_QUARTER, CONTENT_QUARTER, CONTENT_QUARTER, CONTENT_TEXT,
		CONTENT_TEXT, CONTENT_TEXT, CONTENT_FILL, CONTENT_ZERO,
	};
	uint64_t pick = pattern_hash(key, 1);

	if (mix == MIX_BULK && pick % 8)
		return CONTENT_FILL;
	return data[pattern_hash(key, 4) % 16];
}

/* Lines of 64 bytes whose first @random words are random, the others the same. */
static void fill_lines(uint64_t *page, uint64_t state, unsigned int random)
{
	uint64_t same = pattern_next(&state);
	unsigned int i;

	for (i = 0; i < PAGE_WORDS; i++)
		page[i] = i % 8 < random ? pattern_next(&state) : same;
}

static void fill_text(uint64_t *page, uint64_t state)
{
	uint64_t bits = 0;
	unsigned int i;

	for (i = 0; i < PAGE_WORDS; i++) {
		if (i % 12 == 0)
			bits = pattern_next(&state);
		memcpy(&page[i], words[bits % 32], sizeof(*page));
		bits >>= 5;
	}
}

void pattern_page(uint64_t *page, uint64_t key, enum content content)
{
	uint64_t state = pattern_hash(key, 2) | 1;
	unsigned int i;

	switch (content) {
	case CONTENT_RANDOM:
		fill_lines(page, state, 8);
		break;
	case CONTENT_HALF:
		fill_lines(page, state, 4);
		break;
	case CONTENT_QUARTER:
		fill_lines(page, state, 2);
		break;
	case CONTENT_TEXT:
		fill_text(page, state);
		break;
	case CONTENT_FILL:
		state = (uint32_t)state;
		for (i = 0; i < PAGE_WORDS; i++)
			page[i] = state << 32 | state;
		break;
	default:
		memset(page, 0, PAGE);
	}
}

/* 1 page in 4 has runs of equal tags, like chunks of a heap; the others have random tags. */
void pattern_tags(uint8_t *tags, uint64_t key)
{
	uint64_t state = pattern_hash(key, 3) | 1, bits = 0;
	unsigned int i, run = key % 4 ? 1 : 32;

	for (i = 0; i < PAGE_TAGS; i++) {
		if (i % (16 * run) == 0)
			bits = pattern_next(&state);
		tags[i] = bits >> (i / run % 16 * 4) & 15;
	}
}
