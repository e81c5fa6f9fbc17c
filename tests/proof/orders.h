/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What the files of orders share. The design is described at the top of orders.c.
 *
 * struct shared lies in memory that the processes of one run share. Only one of these
 * processes runs at a time, and the others wait for it: so there is no lock.
 */
#ifndef PROOF_ORDERS_H
#define PROOF_ORDERS_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/mman.h>

#include "mte.h"
#include "pattern.h"

#define HUGE_SIZE	(2UL << 20)
#define HUGE_PAGES	(HUGE_SIZE / PAGE)
#define FEW_PAGES	64U
#define PAGE_BYTES	(PAGE_TAGS / 2)	/* of tag storage */
#define LENGTH_MAX	8

#define HIDDEN		(PROT_NONE | PROT_MTE)
#define PLAIN		(PROT_READ | PROT_WRITE)
#define TAGGED		(PROT_READ | PROT_WRITE | PROT_MTE)

enum kind {
	KIND_HUGE,		/* private, one huge page */
	KIND_MTHP,		/* private, folios of 64 KiB */
	KIND_SMALL,		/* private, single pages */
	KIND_SHMEM,		/* memfd, single pages */
	KIND_SHMEM_HUGE,	/* memfd, one huge page */
	KINDS,
};

/* What lies in the tag blocks of the memory that a sequence will get. */
enum before {
	BEFORE_DATA,		/* others' data */
	BEFORE_TAGS,		/* tags of another user, which gave all memory back */
	BEFORE_MIXED,		/* the same, but that user still has a page of each block */
	BEFORES,
};

enum reader {
	READER_LDG,		/* the process itself */
	READER_PTRACE,		/* its tracer */
	READER_CORE,		/* a reader of its core dump */
	READER_SWAP,		/* the process itself, after swap-out and swap-in */
	READER_CHILD,		/* a child of it, within a sequence */
	READERS,
};

struct task {
	enum kind kind;
	enum before before;
	enum reader reader;
	unsigned int length;
	uint8_t steps[LENGTH_MAX];
	uint64_t key;		/* what is random in it follows from this */
	bool inject;		/* store a secret as tags, behind the model's back */
};

/* The memory of a sequence, and what its process knows of it. */
struct area {
	enum kind kind;
	uint8_t *base;
	unsigned int pages;		/* mapped */
	unsigned int span;		/* populated: what the steps are about */
	unsigned int used;		/* the same, or all after a collapse: what is read */
	int fd;				/* shared memory, or -1 */
	uint8_t prot[HUGE_PAGES];
	uint8_t tags[HUGE_PAGES][PAGE_TAGS]; /* that this process has stored, else 0 */
	bool loose[HUGE_PAGES];		/* MADV_FREE: they may be 0 as well */
};

struct readings {
	uint64_t pages;
	uint64_t tags;
	uint64_t foreign;	/* tags that are neither 0 nor our own */
	uint64_t strings;	/* halves of the string that others stored as data */
	uint64_t stale;		/* halves of the string that others stored as tags */
	uint64_t lost;		/* our own tags that are 0 */
	uint64_t unreadable;	/* pages */
};

struct counts {
	struct readings by[READERS];
	uint64_t sequences;
	uint64_t steps;
	uint64_t limit_failures; /* mprotect() that failed as it was meant to */
	uint64_t split_failures;
	uint64_t collapses;
	uint64_t faults_foreign; /* tag check faults of correct accesses */
	uint64_t faults_lost;
	uint64_t killed;
	uint64_t crashed;
};

struct shared {
	struct task task;
	struct area area;
	struct counts counts;
	uint8_t secret[2][GRANULE]; /* strings: stored as data, stored as tags */
};

extern struct shared *shared;

/* orders.c */
void ask_for_compaction(void);

/* steps.c */
extern const unsigned int nr_steps;
const char *step_name(unsigned int step);
bool step_applies(unsigned int step, enum kind kind);
void take_step(struct area *area, unsigned int step);
void area_map(struct area *area, enum kind kind);
void area_protect(struct area *area, unsigned int first, unsigned int n, int prot);
void area_touch(struct area *area, unsigned int first, unsigned int n);

/* scan.c */
void scan_own(struct area *area, enum reader reader);
void scan_traced(struct area *area, int pid);
bool scan_core(struct area *area, const char *path);
void store_secret(uint8_t *page, unsigned int which);

#endif /* PROOF_ORDERS_H */
