// SPDX-License-Identifier: GPL-2.0
/*
 * Provokes for tests what cannot be had from user space when it is wanted:
 *
 *   disk=NAME   a disk of that name is there already, so that the driver cannot add its own
 *   damage=1    all blocks of the first region that hold data are overwritten
 */

#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/blkdev.h>
#include <linux/module.h>
#include <linux/string.h>

#include "../tagblock.h"

static char *disk;
module_param(disk, charp, 0400);
MODULE_PARM_DESC(disk, "name of a disk that is in the way");

static bool damage;
module_param(damage, bool, 0400);
MODULE_PARM_DESC(damage, "overwrite data in tag storage");

static struct gendisk *gendisk;

static const struct block_device_operations ops = {
	.owner = THIS_MODULE,
};

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
	if (!damage)
		return -EINVAL;
	overwrite_data();
	return 0;
}

static void __exit provoke_exit(void)
{
	if (!disk)
		return;
	del_gendisk(gendisk);
	put_disk(gendisk);
}

module_init(provoke_init);
module_exit(provoke_exit);

MTG_IMPORT_SYMBOLS;
MODULE_LICENSE("GPL");
MODULE_DESCRIPTION("Provokes rare events, for tests of mtetagram");
