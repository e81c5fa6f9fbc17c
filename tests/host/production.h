/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The production code, unchanged, and the variables of the shim. A program includes this
 * file once. Macros that replace those of the shim come before the #include.
 */
#ifndef PRODUCTION_H
#define PRODUCTION_H

#include "../../drivers/block/mtetagram/pool.c"
#include "../../drivers/block/mtetagram/spill.c"
#include "../../drivers/block/mtetagram/slot.c"
#include "../../drivers/block/mtetagram/relocate.c"

__thread unsigned int shim_cpu;
__thread unsigned long shim_locks;
__thread unsigned long shim_breaths;
bool (*shim_fail_alloc)(gfp_t gfp);
void (*shim_before_step)(void);
void (*shim_at_pause)(void);
unsigned int shim_fence;

#endif /* PRODUCTION_H */
