/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Areas: mappings whose contents and tags are known, page by page.
 */
#ifndef PROOF_AREA_H
#define PROOF_AREA_H

#include "proof.h"

/* When an area is populated, one page of so many stays untouched. */
#define UNTOUCHED_ONE_IN	8

enum kind {
	KIND_PRIVATE,
	KIND_SHARED,
	KIND_MEMFD,
};

enum tagging {
	TAGGING_NEVER,
	TAGGING_AT_MAP,
	TAGGING_LATE,		/* mprotect() after it was populated */
};

struct area_type {
	enum kind kind;
	enum tagging tagging;
	bool thp;
	enum mix mix;
};

/* A version of 0 stands for zeros, and for tags that are all 0. */
struct page_state {
	uint32_t version;
	uint32_t tags;
};

struct area {
	struct area_type type;
	uint8_t *base;
	unsigned int nr;	/* pages */
	unsigned int tagged_from;
	unsigned int tagged_to;	/* the pages between these two have PROT_MTE */
	uint64_t key;
	struct page_state *state;
	unsigned int state_max;	/* pages that @state has room for */
};

void area_map(struct area *area, const struct area_type *type, unsigned int nr);
void area_unmap(struct area *area);
void area_move(struct area *area);
void area_populate(struct area *area);
void area_write(struct area *area, unsigned int page);
void area_write_some(struct area *area, unsigned int from, unsigned int nr,
		     unsigned int one_in);
void area_verify(struct area *area, unsigned int from, unsigned int nr);
void area_page_out(struct area *area, unsigned int from, unsigned int nr);
void area_dontneed(struct area *area, unsigned int from, unsigned int nr);
void area_remove(struct area *area, unsigned int from, unsigned int nr);
void area_tag(struct area *area, unsigned int from, unsigned int to);
bool area_spoil(struct area *area, unsigned int page, enum inject what);

#endif /* PROOF_AREA_H */
