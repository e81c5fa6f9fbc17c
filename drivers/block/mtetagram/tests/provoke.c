// SPDX-License-Identifier: GPL-2.0
/*
 * Provokes for tests what cannot be had from user space when it is wanted:
 *
 *   disk=NAME   a disk of that name is there already, so that the driver cannot add its own
 *   damage=1    all blocks of the first region that hold data are overwritten
 *   freeze=1    when the driver's worker next moves an object, its CPU is taken from it,
 *               between two objects, until "thaw" is written; "frozen" says when it is so
 */

#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/blkdev.h>
#include <linux/cpumask.h>
#include <linux/kthread.h>
#include <linux/module.h>
#include <linux/percpu.h>
#include <linux/sched.h>
#include <linux/string.h>

#include "../tagblock.h"
#include "../trace.h"

static char *disk;
module_param(disk, charp, 0400);
MODULE_PARM_DESC(disk, "name of a disk that is in the way");

static bool damage;
module_param(damage, bool, 0400);
MODULE_PARM_DESC(damage, "overwrite data in tag storage");

static bool freeze;
module_param(freeze, bool, 0400);
MODULE_PARM_DESC(freeze, "take the CPU from the worker");

static int frozen;
module_param(frozen, int, 0400);
MODULE_PARM_DESC(frozen, "1 when that has happened");

static bool thaw;
module_param(thaw, bool, 0600);
MODULE_PARM_DESC(thaw, "written to let the worker go on");

static struct gendisk *gendisk;
static DEFINE_PER_CPU(struct task_struct *, thief);

static const struct block_device_operations ops = {
	.owner = THIS_MODULE,
};

/* Runs when it is woken, as it is more urgent than anything else on its CPU. */
static int steal_cpu(void *unused)
{
	set_current_state(TASK_IDLE);
	while (!kthread_should_stop()) {
		schedule();
		while (READ_ONCE(frozen) && !READ_ONCE(thaw) && !kthread_should_stop())
			cpu_relax();
		set_current_state(TASK_IDLE);
	}
	__set_current_state(TASK_RUNNING);
	return 0;
}

/* Under the lock of a slot, so that the CPU is gone when the worker unlocks it. */
static void probe(void *unused, const char *name, u32 block, u32 slot, unsigned int len,
		  u32 to)
{
	if (current->flags & PF_WQ_WORKER && !cmpxchg(&frozen, 0, 1))
		wake_up_process(this_cpu_read(thief));
}

static void end_freeze(void)
{
	unsigned int cpu;

	unregister_trace_mtetagram_relocate(probe, NULL);
	tracepoint_synchronize_unregister();
	for_each_possible_cpu(cpu) {
		struct task_struct *task = per_cpu(thief, cpu);

		if (task)
			kthread_stop(task);
	}
}

static int begin_freeze(void)
{
	unsigned int cpu;
	int ret;

	for_each_online_cpu(cpu) {
		struct task_struct *task = kthread_create_on_cpu(steal_cpu, NULL, cpu,
								 "thief/%u");

		if (IS_ERR(task)) {
			end_freeze();
			return PTR_ERR(task);
		}
		sched_set_fifo(task);
		per_cpu(thief, cpu) = task;
		wake_up_process(task);
	}
	ret = register_trace_mtetagram_relocate(probe, NULL);
	if (ret)
		end_freeze();
	return ret;
}

static int add_disk_in_the_way(void)
{
	int ret;

	gendisk = blk_alloc_disk(NULL, NUMA_NO_NODE);
	if (IS_ERR(gendisk))
		return PTR_ERR(gendisk);
	gendisk->fops = &ops;
	strscpy(gendisk->disk_name, disk, DISK_NAME_LEN);
	ret = add_disk(gendisk);
	if (ret)
		put_disk(gendisk);
	return ret;
}

static void overwrite_data(void)
{
	struct mtg_region *region = mtg_region_by_id(0);
	size_t size = 1UL << region->block_shift;
	u32 block;

	for (block = 0; block < region->nr_blocks; block++)
		if (region->state[block] == MTG_BLOCK_USED)
			memset(region->base + block * size, 0xff, size);
}

static int __init provoke_init(void)
{
	if (disk)
		return add_disk_in_the_way();
	if (damage) {
		overwrite_data();
		return 0;
	}
	return freeze ? begin_freeze() : -EINVAL;
}

static void __exit provoke_exit(void)
{
	if (disk) {
		del_gendisk(gendisk);
		put_disk(gendisk);
	} else if (freeze) {
		end_freeze();
	}
}

module_init(provoke_init);
module_exit(provoke_exit);

MTG_IMPORT_SYMBOLS;
MODULE_LICENSE("GPL");
MODULE_DESCRIPTION("Provokes rare events, for tests of mtetagram");
