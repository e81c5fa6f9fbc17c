/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Fault injection: let a rung of relocation fail, so that a test reaches the next rung; or let
 * the allocation of spare pages fail, which makes room before a block is evicted.
 */
#ifndef _MTETAGRAM_INJECT_H
#define _MTETAGRAM_INJECT_H

#include <linux/types.h>

#include "relocate.h"

#ifdef CONFIG_MTETAGRAM_FAULT_INJECTION
bool mtg_should_fail(enum mtg_rung rung);
bool mtg_should_fail_make_room(void);
void mtg_fault_init(void);
void mtg_fault_exit(void);
#else
static inline bool mtg_should_fail(enum mtg_rung rung)
{
	return false;
}

static inline bool mtg_should_fail_make_room(void)
{
	return false;
}

static inline void mtg_fault_init(void)
{
}

static inline void mtg_fault_exit(void)
{
}
#endif

#endif /* _MTETAGRAM_INJECT_H */
