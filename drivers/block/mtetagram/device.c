// SPDX-License-Identifier: GPL-2.0
/*
 * The life of a device: create, set up, grow, change, reset, destroy.
 *
 * A device exists as long as the driver is loaded. It is set up, that is, it has a pool,
 * slots and compression streams, from the time that a disksize is written to the next reset.
 * &mtg_device.init_lock serialises these steps. I/O does not take that lock: a device that
 * is open cannot be reset.
 */

#define pr_fmt(fmt) "mtetagram: " fmt

#include <linux/atomic.h>
#include <linux/blkdev.h>
#include <linux/err.h>
#include <linux/lockdep.h>
#include <linux/mutex.h>
#include <linux/numa.h>
#include <linux/printk.h>
#include <linux/rwsem.h>
#include <linux/slab.h>
#include <linux/string.h>

#include "broker.h"
#include "device.h"
#include "relocate.h"
#include "verify.h"

/* The statistics of a device that is not set up read as zero. */
static void clear_store(struct mtg_device *dev)
{
	memset(&dev->pool, 0, sizeof(dev->pool));
	memset(&dev->slots, 0, sizeof(dev->slots));
}

static bool size_is_valid(u64 disksize)
{
	return disksize && disksize / MTG_SLOT_SIZE <= U32_MAX;
}

/**
 * mtg_device_setup() - allocate what a device of a given size needs, and use it
 * @dev: The device, not set up.
 * @disksize: Its size in bytes, a multiple of the page size.
 *
 * Context: Process context, may sleep; @dev->init_lock held for writing.
 * Return: 0; -EINVAL if the size is 0 or too large; -EIO if tags are not where the device tree
 *         says; -ENOMEM.
 */
int mtg_device_setup(struct mtg_device *dev, u64 disksize)
{
	struct mtg_verification verified;
	int ret;

	lockdep_assert_held_write(&dev->init_lock);

	if (!size_is_valid(disksize))
		return -EINVAL;
	mtg_region_verified(dev->region, &verified);
	if (verified.verdict == MTG_VERIFY_WRONG)
		return -EIO;
	ret = mtg_broker_open_pool(dev);
	if (ret)
		return ret;
	ret = mtg_slots_init(&dev->slots, dev->disk->disk_name, &dev->pool,
			     disksize / MTG_SLOT_SIZE, dev->spare_size);
	if (ret)
		goto err_slots;
	ret = -ENOMEM;
	if (!mtg_spill_balance(&dev->slots.spill, GFP_KERNEL))
		goto err_comp;
	ret = mtg_comp_init(&dev->comp, dev->algorithm);
	if (ret)
		goto err_comp;
	ret = mtg_broker_attach(dev);
	if (ret)
		goto err_attach;

	WRITE_ONCE(dev->disksize, disksize);
	set_capacity_and_notify(dev->disk, disksize >> SECTOR_SHIFT);
	return 0;

err_attach:
	mtg_comp_destroy(&dev->comp);
err_comp:
	mtg_slots_destroy(&dev->slots);
err_slots:
	mtg_broker_close_pool(dev);
	clear_store(dev);
	return ret;
}

/**
 * mtg_device_grow() - make a device larger while it is in use
 * @dev: The device, set up.
 * @disksize: Its new size in bytes, a multiple of the page size.
 *
 * Context: Process context, may sleep; @dev->init_lock held for writing.
 * Return: 0, or an error and nothing has changed: -EINVAL if the size is 0 or too
 *         large; -EBUSY if the device is at least that large already, as the part
 *         beyond a smaller size may be in use; -ENOMEM.
 */
int mtg_device_grow(struct mtg_device *dev, u64 disksize)
{
	int ret;

	lockdep_assert_held_write(&dev->init_lock);

	if (!size_is_valid(disksize))
		return -EINVAL;
	if (disksize <= dev->disksize)
		return -EBUSY;
	ret = mtg_slots_grow(&dev->slots, disksize / MTG_SLOT_SIZE);
	if (ret)
		return ret;
	WRITE_ONCE(dev->disksize, disksize);
	set_capacity_and_notify(dev->disk, disksize >> SECTOR_SHIFT);
	return 0;
}

static void set_defaults(struct mtg_device *dev)
{
	unsigned int i;

	dev->algorithm = &mtg_comp_algorithms[0];
	WRITE_ONCE(dev->share, dev->region->nr_blocks);
	dev->mem_limit = U32_MAX;
	/* Two bursts: a page of objects may need two spare pages, see spare_for_block(). */
	WRITE_ONCE(dev->spare_size, PHYS_PFN(2 * mtg_region_burst()));
	atomic64_set(&dev->failed_reads, 0);
	atomic64_set(&dev->invalid_io, 0);
	atomic64_set(&dev->notify_free, 0);
	for (i = 0; i < MTG_WRITE_ERRORS; i++)
		atomic64_set(&dev->failed_writes[i], 0);
}

/* The worker is locked out: it would take blocks, and give them back later. */
static void teardown(struct mtg_device *dev)
{
	lockdep_assert_held_write(&dev->init_lock);

	if (!dev->disksize)
		return;
	WRITE_ONCE(dev->disksize, 0);
	/* Each block goes back when its last object is freed. */
	mtg_slots_clear(&dev->slots);
	mtg_broker_detach(dev);
	mtg_comp_destroy(&dev->comp);
	mtg_slots_destroy(&dev->slots);
	mtg_broker_close_pool(dev);
	clear_store(dev);
}

/**
 * mtg_device_reset() - drop all data and settings of a device
 * @dev: The device.
 *
 * Context: Process context, may sleep.
 * Return: 0, or -EBUSY if the device is open.
 */
int mtg_device_reset(struct mtg_device *dev)
{
	struct gendisk *disk = dev->disk;

	mutex_lock(&disk->open_mutex);
	if (disk_openers(disk) || dev->resetting) {
		mutex_unlock(&disk->open_mutex);
		return -EBUSY;
	}
	/* From now on nobody can open the device. */
	dev->resetting = true;
	mutex_unlock(&disk->open_mutex);

	sync_blockdev(disk->part0);
	down_write(&dev->init_lock);
	set_capacity_and_notify(disk, 0);
	teardown(dev);
	set_defaults(dev);
	up_write(&dev->init_lock);

	mutex_lock(&disk->open_mutex);
	dev->resetting = false;
	mutex_unlock(&disk->open_mutex);
	return 0;
}

/**
 * mtg_device_set_share() - set how much of the carve-out the device may use
 * @dev: The device, set up or not.
 * @nr_blocks: The share, in tag blocks.
 *
 * Relocates objects if the device uses more now.
 *
 * Context: Process context, may sleep; @dev->init_lock held for writing.
 * Return: 0; -ENOSPC if what is stored does not fit, and nothing has changed.
 */
int mtg_device_set_share(struct mtg_device *dev, u32 nr_blocks)
{
	int ret;

	lockdep_assert_held_write(&dev->init_lock);

	ret = dev->disksize ? mtg_slots_shrink(&dev->slots, nr_blocks) : 0;
	if (ret)
		return ret;
	WRITE_ONCE(dev->share, nr_blocks);
	if (dev->disksize)
		mtg_broker_wake(dev);
	return 0;
}

/**
 * mtg_device_set_mem_limit() - set zram's mem_limit
 * @dev: The device, set up or not.
 * @nr_blocks: The limit in tag blocks; U32_MAX for none.
 *
 * Context: Process context; @dev->init_lock held for writing.
 */
void mtg_device_set_mem_limit(struct mtg_device *dev, u32 nr_blocks)
{
	lockdep_assert_held_write(&dev->init_lock);

	dev->mem_limit = nr_blocks;
	mtg_pool_set_mem_limit(&dev->pool, nr_blocks);
	if (dev->disksize)
		mtg_broker_wake(dev);
}

/* Evict the block. What had to be spilled settles elsewhere. */
static int offline_used(struct mtg_device *dev, u32 block)
{
	int ret = mtg_slots_offline(&dev->slots, block);

	mtg_broker_wake(dev);
	return ret;
}

/**
 * mtg_device_offline() - store no more data in a tag block whose memory has failed
 * @dev: The device, set up or not.
 * @address: Physical address in the block.
 *
 * The data in the block is moved away, as far as it still can be read.
 *
 * Context: Process context, may sleep; @dev->init_lock held for writing.
 * Return: 0; -ENXIO if @address is not in the tag storage; -ENOMEM if there is no
 *         memory for the data, and then the block stays in use.
 */
int mtg_device_offline(struct mtg_device *dev, u64 address)
{
	struct mtg_region *region = dev->region;
	u64 block = (address - region->tag_start) >> region->block_shift;
	int ret = 0;

	lockdep_assert_held_write(&dev->init_lock);

	if (address < region->tag_start || block >= region->nr_blocks)
		return -ENXIO;
	mtg_block_offline(region, block);
	if (dev->disksize && mtg_block_owned(region, block))
		ret = offline_used(dev, block);
	if (ret)
		mtg_block_online(region, block);
	return ret;
}

/**
 * mtg_device_set_spare_size() - set how many spare pages wait for spilled objects
 * @dev: The device, set up or not.
 * @nr_pages: The number of pages.
 *
 * Context: Process context, may sleep; @dev->init_lock held for writing.
 * Return: 0; -ENOMEM if there is no memory for the pages, and nothing has changed.
 */
int mtg_device_set_spare_size(struct mtg_device *dev, unsigned int nr_pages)
{
	struct mtg_spill *spill = &dev->slots.spill;

	lockdep_assert_held_write(&dev->init_lock);

	if (dev->disksize) {
		mtg_spill_set_target(spill, nr_pages);
		if (!mtg_spill_balance(spill, GFP_KERNEL | __GFP_RETRY_MAYFAIL)) {
			mtg_spill_set_target(spill, dev->spare_size);
			mtg_spill_balance(spill, GFP_KERNEL | __GFP_NORETRY);
			return -ENOMEM;
		}
	}
	WRITE_ONCE(dev->spare_size, nr_pages);
	return 0;
}

/**
 * mtg_device_stop() - store nothing any more, as tags are not where the device tree says
 * @dev: The device, set up or not.
 *
 * Context: Process context, may sleep.
 */
void mtg_device_stop(struct mtg_device *dev)
{
	down_read(&dev->init_lock);
	if (dev->disksize)
		mtg_slots_stop(&dev->slots);
	up_read(&dev->init_lock);
}

static struct gendisk *create_disk(unsigned int id, int major)
{
	struct queue_limits lim = {
		.logical_block_size		= MTG_SLOT_SIZE,
		.physical_block_size		= PAGE_SIZE,
		.io_min				= PAGE_SIZE,
		.io_opt				= PAGE_SIZE,
		.max_hw_discard_sectors		= UINT_MAX,
		.max_write_zeroes_sectors	= UINT_MAX,
		/* A page is read twice: to compress it, and then to store it raw. */
		.features			= BLK_FEAT_STABLE_WRITES |
						  BLK_FEAT_SYNCHRONOUS,
	};
	struct gendisk *disk = blk_alloc_disk(&lim, NUMA_NO_NODE);

	if (IS_ERR(disk))
		return disk;
	disk->major = major;
	disk->first_minor = id;
	disk->minors = 1;
	disk->flags |= GENHD_FL_NO_PART;
	disk->fops = &mtg_block_ops;
	snprintf(disk->disk_name, DISK_NAME_LEN, "mtetagram%u", id);
	return disk;
}

/**
 * mtg_device_create() - create the device of a region
 * @region: The region.
 * @major: Major number of the disk.
 *
 * The device is not set up, and user space does not know it: see mtg_device_add_disk().
 *
 * Context: Process context, may sleep.
 * Return: The device, or an ERR_PTR().
 */
struct mtg_device *mtg_device_create(struct mtg_region *region, int major)
{
	struct mtg_device *dev = kvzalloc(sizeof(*dev), GFP_KERNEL);
	struct gendisk *disk;

	if (!dev)
		return ERR_PTR(-ENOMEM);
	disk = create_disk(region->id, major);
	if (IS_ERR(disk)) {
		kvfree(dev);
		return ERR_CAST(disk);
	}
	disk->private_data = dev;
	dev->disk = disk;
	dev->region = region;
	init_rwsem(&dev->init_lock);
	set_defaults(dev);
	mtg_broker_add(dev);
	return dev;
}

/**
 * mtg_device_add_disk() - let user space see a device
 * @dev: The device. User space may use it before this returns.
 * @groups: The sysfs attributes of the disk.
 *
 * Context: Process context, may sleep.
 * Return: 0 or an error, which was logged.
 */
int mtg_device_add_disk(struct mtg_device *dev, const struct attribute_group **groups)
{
	int ret = device_add_disk(NULL, dev->disk, groups);

	if (ret)
		pr_err("%s cannot be added: error %d\n", dev->disk->disk_name, ret);
	dev->added = !ret;
	return ret;
}

/**
 * mtg_device_destroy() - remove a device
 * @dev: The device, which nobody has open: the use count of the module says so.
 *
 * Context: Process context, may sleep.
 */
void mtg_device_destroy(struct mtg_device *dev)
{
	if (dev->added)
		del_gendisk(dev->disk);
	mtg_broker_remove(dev);
	down_write(&dev->init_lock);
	teardown(dev);
	up_write(&dev->init_lock);
	put_disk(dev->disk);
	kvfree(dev);
}
