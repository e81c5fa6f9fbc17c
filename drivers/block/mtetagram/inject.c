// SPDX-License-Identifier: GPL-2.0
/*
 * The switches of fault injection, in debugfs: mtetagram/fail_RUNG and
 * mtetagram/fail_make_room. Documentation/fault-injection/fault-injection.rst describes the
 * files in them.
 */

#include <linux/debugfs.h>
#include <linux/fault-inject.h>

#include "inject.h"

/* The switch that is for no rung is behind the switches of all rungs. */
#define FAIL_MAKE_ROOM	MTG_RUNGS

static struct fault_attr attrs[] = {
	[MTG_RUNG_MOVE]		= FAULT_ATTR_INITIALIZER,
	[MTG_RUNG_KEPT]		= FAULT_ATTR_INITIALIZER,
	[MTG_RUNG_SPARE]	= FAULT_ATTR_INITIALIZER,
	[MTG_RUNG_ATOMIC]	= FAULT_ATTR_INITIALIZER,
	[MTG_RUNG_EMERGENCY]	= FAULT_ATTR_INITIALIZER,
	[FAIL_MAKE_ROOM]	= FAULT_ATTR_INITIALIZER,
};

static const char * const names[] = {
	[MTG_RUNG_MOVE]		= "fail_move",
	[MTG_RUNG_KEPT]		= "fail_kept",
	[MTG_RUNG_SPARE]	= "fail_spare",
	[MTG_RUNG_ATOMIC]	= "fail_atomic",
	[MTG_RUNG_EMERGENCY]	= "fail_emergency",
	[FAIL_MAKE_ROOM]	= "fail_make_room",
};

static struct dentry *dirs[ARRAY_SIZE(attrs)];

/**
 * mtg_should_fail() - must a rung fail this time?
 * @rung: The rung, up to MTG_RUNG_EMERGENCY.
 *
 * Context: Any.
 * Return: True if it must fail.
 */
bool mtg_should_fail(enum mtg_rung rung)
{
	return should_fail(&attrs[rung], 1);
}

/**
 * mtg_should_fail_make_room() - must the allocation of a spare page fail this time?
 *
 * Context: Any.
 * Return: True if it must fail.
 */
bool mtg_should_fail_make_room(void)
{
	return should_fail(&attrs[FAIL_MAKE_ROOM], 1);
}

/**
 * mtg_fault_init() - create the switches
 *
 * Context: Process context, may sleep.
 */
void mtg_fault_init(void)
{
	struct dentry *parent = debugfs_lookup("mtetagram", NULL);
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(attrs); i++)
		if (names[i])
			dirs[i] = fault_create_debugfs_attr(names[i], parent, &attrs[i]);
	dput(parent);
}

/**
 * mtg_fault_exit() - remove the switches
 *
 * Context: Process context, may sleep.
 */
void mtg_fault_exit(void)
{
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(attrs); i++)
		debugfs_remove(dirs[i]);
}
