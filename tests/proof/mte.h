/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Memory tags, and accesses that may fault.
 *
 * An access under guard() that raises SIGSEGV or SIGBUS ends guard() instead of
 * the program; anywhere else these signals are fatal and reported.
 */
#ifndef PROOF_MTE_H
#define PROOF_MTE_H

#include <stdbool.h>
#include <stdint.h>

#include "pattern.h"

#ifndef PROT_MTE
#define PROT_MTE	0x20
#endif

enum outcome {
	ACCESS_OK,
	ACCESS_TAG_FAULT,	/* synchronous tag check fault */
	ACCESS_LOST,		/* SIGBUS: the page could not be read back */
	ACCESS_SEGV,		/* any other SIGSEGV */
};

typedef void (*guarded_fn)(void *arg);

int mte_enable(void);
void guard_install(void);
enum outcome guard(guarded_fn fn, void *arg);
uintptr_t guard_address(void);

static inline void *mte_pointer(const void *p, unsigned int tag)
{
	uintptr_t address = (uintptr_t)p & ~(0xffULL << 56);

	return (void *)(address | (uintptr_t)tag << 56);
}

/* The tag that memory has. */
static inline unsigned int mte_load_tag(const void *p)
{
	uintptr_t address = (uintptr_t)p;

	asm volatile("ldg %0, [%0]" : "+r" (address) : : "memory");
	return address >> 56 & 15;
}

/* Give a granule the tag of the pointer. */
static inline void mte_store_tag(void *p)
{
	asm volatile("stg %0, [%0]" : : "r" (p) : "memory");
}

/* One granule in one checked access. */
static inline void mte_load(const void *p, uint64_t *data)
{
	asm volatile("ldp %0, %1, [%2]"
		     : "=&r" (data[0]), "=&r" (data[1]) : "r" (p) : "memory");
}

static inline void mte_store(void *p, const uint64_t *data)
{
	asm volatile("stp %0, %1, [%2]"
		     : : "r" (data[0]), "r" (data[1]), "r" (p) : "memory");
}

/* Accesses between these two are not checked. */
static inline void mte_checks_off(void)
{
	asm volatile("msr tco, #1" : : : "memory");
}

static inline void mte_checks_on(void)
{
	asm volatile("msr tco, #0" : : : "memory");
}

#endif /* PROOF_MTE_H */
