/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A device: what main.c, device.c, broker.c, blk.c and sysfs.c share.
 *
 * device.c has the functions, blk.c handles the bios and sysfs.c the attributes.
 */
#ifndef _MTETAGRAM_DEVICE_H
#define _MTETAGRAM_DEVICE_H

#include <linux/atomic.h>
#include <linux/blkdev.h>
#include <linux/rwsem.h>
#include <linux/types.h>
#include <linux/workqueue.h>

#include "comp.h"
#include "pool.h"
#include "slot.h"
#include "tagblock.h"

/**
 * enum mtg_write_error - why a write failed
 * @MTG_WRITE_NO_SPACE: No room in the blocks that the device may use.
 * @MTG_WRITE_MEM_LIMIT: mem_limit does not allow more blocks.
 * @MTG_WRITE_NO_MEMORY: No ordinary memory for a bounce buffer.
 * @MTG_WRITE_COMPRESS: The compression library reported an error.
 * @MTG_WRITE_STOPPED: The device is stopped, see mtg_slots_stop().
 * @MTG_WRITE_ERRORS: Number of causes.
 */
enum mtg_write_error {
	MTG_WRITE_NO_SPACE,
	MTG_WRITE_MEM_LIMIT,
	MTG_WRITE_NO_MEMORY,
	MTG_WRITE_COMPRESS,
	MTG_WRITE_STOPPED,
	MTG_WRITE_ERRORS
};

/**
 * struct mtg_device - one /dev/mtetagramX
 * @region: The tag storage of the device.
 * @disk: The disk of the device.
 * @added: User space may know the disk.
 * @init_lock: Held for writing to set up, reset and resize the device. Held for reading
 *	while an attribute looks at what was set up. I/O needs no lock: the device is open
 *	then, and an open device cannot be reset. Slots move under locks of their own.
 * @resetting: A reset is under way, and nobody may open the device. Protected by the
 *	open_mutex of the disk.
 * @disksize: Size in bytes; 0 while the device is not set up.
 * @algorithm: The compression algorithm.
 * @comp: The compression streams; set up only with @disksize.
 * @pool: The pool; set up only with @disksize.
 * @slots: The slot table; set up only with @disksize.
 * @share: Tag blocks that the device may use; applied at set-up.
 * @mem_limit: Tag blocks that mem_limit allows, U32_MAX if all.
 * @spare_size: Spare pages that wait for spilled objects; applied at set-up.
 * @nr_untaggable: Number of untaggable blocks. They were counted when the driver was loaded,
 *	when the device was set up, or when memory was last added or removed.
 * @recount: Work that counts the untaggable blocks.
 * @settle: Work that settles spilled objects, see settle_work() in broker.c.
 * @settle_delay: How long @settle waits when it is woken, in jiffies. Each run in vain makes
 *	it longer.
 * @refill_failed: When @settle ran last, there was no memory for spare pages.
 * @failed_reads: Number of reads that returned an error.
 * @failed_writes: Number of writes that returned an error, by cause.
 * @invalid_io: Number of bios that were refused, because they do not consist of whole slots
 *	of the device.
 * @notify_free: Number of slots that the swap core or a discard has freed.
 */
struct mtg_device {
	struct mtg_region *region;
	struct gendisk *disk;
	bool added;
	struct rw_semaphore init_lock;
	bool resetting;

	u64 disksize;
	const struct mtg_comp_ops *algorithm;
	struct mtg_comp comp;
	struct mtg_pool pool;
	struct mtg_slots slots;
	u32 share;
	u32 mem_limit;
	unsigned int spare_size;
	u32 nr_untaggable;
	struct work_struct recount;
	struct delayed_work settle;
	unsigned long settle_delay;
	bool refill_failed;

	atomic64_t failed_reads;
	atomic64_t failed_writes[MTG_WRITE_ERRORS];
	atomic64_t invalid_io;
	atomic64_t notify_free;
};

/**
 * mtg_dev() - find the device of a sysfs attribute
 * @dev: The device of the driver core.
 *
 * Context: Any.
 * Return: The device.
 */
static inline struct mtg_device *mtg_dev(struct device *dev)
{
	return dev_to_disk(dev)->private_data;
}

struct mtg_device *mtg_device_create(struct mtg_region *region, int major);
int mtg_device_add_disk(struct mtg_device *dev, const struct attribute_group **groups);
void mtg_device_destroy(struct mtg_device *dev);

int mtg_device_setup(struct mtg_device *dev, u64 disksize);
int mtg_device_grow(struct mtg_device *dev, u64 disksize);
int mtg_device_reset(struct mtg_device *dev);
int mtg_device_set_share(struct mtg_device *dev, u32 nr_blocks);
void mtg_device_set_mem_limit(struct mtg_device *dev, u32 nr_blocks);
void mtg_device_stop(struct mtg_device *dev);
int mtg_device_offline(struct mtg_device *dev, u64 address);
int mtg_device_set_spare_size(struct mtg_device *dev, unsigned int nr_pages);

extern const struct block_device_operations mtg_block_ops;
extern const struct attribute_group *mtg_disk_groups[];

#endif /* _MTETAGRAM_DEVICE_H */
