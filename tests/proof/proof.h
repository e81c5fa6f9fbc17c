/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What the files of the proof share: options, counters, the state of a process.
 * The design is described at the top of proof.c.
 */
#ifndef PROOF_PROOF_H
#define PROOF_PROOF_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "pattern.h"

enum counter {
	COUNT_WRITTEN,		/* pages written */
	COUNT_VERIFIED,		/* pages verified, tagged and untouched ones included */
	COUNT_SWAPPED,		/* of these, pages that were not in memory before */
	COUNT_TAGGED,		/* of these, pages whose 256 tags were verified */
	COUNT_UNTOUCHED,	/* of these, pages never written, which must read 0 */
	COUNT_TAG_FAULTS,	/* accesses with a wrong tag that faulted as they must */
	COUNT_MPROTECTS,
	COUNT_PAGEOUTS,
	COUNT_DONTNEEDS,
	COUNT_REMOVES,
	COUNT_MOVES,
	COUNT_MAPS,
	COUNT_FORKS,
	COUNT_BAD_DATA,		/* pages with wrong contents */
	COUNT_BAD_TAGS,		/* pages with wrong tags */
	COUNT_BAD_FAULTS,	/* tag faults that should not have come, or did not come */
	COUNT_LOST,		/* pages that could not be read back: SIGBUS */
	COUNT_KILLED,		/* processes that were killed by SIGKILL */
	COUNT_CRASHED,		/* processes that ended otherwise than they should */
	COUNTERS,
};

enum inject {
	INJECT_NOTHING,
	INJECT_DATA,		/* flip one bit of a page behind the proof's back */
	INJECT_TAG,		/* the same with a tag */
	INJECT_KILL,		/* one worker kills itself */
};

struct options {
	unsigned int procs;
	uint64_t mem;		/* bytes for each process */
	unsigned int rounds;
	unsigned int operations; /* of each process, 0: as many as the rounds have */
	uint64_t seed;
	unsigned int tagged_percent;
	unsigned int active_percent;
	uint64_t ballast;	/* bytes for each process */
	bool swap_bulk;		/* keep bulk in swap, although there is memory enough */
	bool thp_partial;
	bool compact;
	const char *cycle_swap;
	enum inject inject;
};

/* One process: a worker, or a child that a worker has forked. */
struct self {
	unsigned int worker;
	uint64_t random;	/* state of the generator of decisions */
	uint32_t version;	/* of the last page written */
	uint32_t areas_made;
	unsigned int reports;	/* mismatches printed so far */
	uint64_t *counters;
	int progress;		/* pipe that takes a byte for each step of work */
};

extern struct options options;
extern struct self self;

void count(enum counter counter, uint64_t n);
uint64_t total(enum counter counter);
uint64_t dice(uint64_t sides);
bool stopped(void);
void progress(void);
void *locked_alloc(size_t size);
void lock_self(void);
int run_worker(unsigned int worker);

#endif /* PROOF_PROOF_H */
