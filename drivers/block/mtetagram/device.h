/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A device: what main.c, device.c, broker.c, blk.c and sysfs.c share.
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
 * @MTG_WRITE_MEM_LIMIT: mem_limit forbids to use more blocks.
 * @MTG_WRITE_NO_MEMORY: No ordinary memory for a bounce buffer.
 * @MTG_WRITE_COMPRESS: The compression library reported an error.
 * @MTG_WRITE_STOPPED: Tag storage was overwritten before, see mtg_slots_stop().
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
 * @region: Its tag storage.
 * @disk: Its disk.
 * @added: User space may know it.
 * @init_lock: Held for writing to set up, reset and resize, for reading while
 *	attributes look at what is set up. I/O needs no lock: there is none while
 *	the device is not open, and no reset while it is; slots move under their own.
 * @resetting: A reset is under way, nobody may open the device; under the disk's
 *	open_mutex.
 * @disksize: Size in bytes; 0 while not set up.
 * @algorithm: What to compress with.
 * @comp: Set up only with @disksize.
 * @pool: Ditto.
 * @slots: Ditto.
 * @share: Blocks that the device may use, applied at set-up.
 * @mem_limit: Blocks that mem_limit allows, U32_MAX if all.
 * @spare_size: Pages that wait for objects without a place, applied at set-up.
 * @nr_untaggable: Blocks that can never hold tags: as memory was when the driver was
 *	loaded, when the device was set up, and when memory was added or removed.
 * @recount: Counts these.
 * @settle: Brings objects back that had to make way for tags, see settle().
 * @settle_delay: How long it waits when it is woken, in jiffies; longer after each time
 *	that it ran in vain.
 * @refill_failed: There was no memory for the reserve when it ran last.
 * @failed_reads: Reads that returned an error.
 * @failed_writes: Writes that returned an error, by cause.
 * @invalid_io: Bios that were refused, as they are not whole slots of the device.
 * @notify_free: Slots freed by the swap core or by discard.
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

static inline struct mtg_device *mtg_dev(struct device *dev)
{
	return dev_to_disk(dev)->private_data;
}

struct mtg_device *mtg_device_create(struct mtg_region *region, int major);
int mtg_device_add_disk(struct mtg_device *dev);
void mtg_device_destroy(struct mtg_device *dev);

int mtg_device_setup(struct mtg_device *dev, u64 disksize);
int mtg_device_grow(struct mtg_device *dev, u64 disksize);
int mtg_device_reset(struct mtg_device *dev);
int mtg_device_set_share(struct mtg_device *dev, u32 nr_blocks);
int mtg_device_offline(struct mtg_device *dev, u64 address);
int mtg_device_set_spare_size(struct mtg_device *dev, unsigned int nr_pages);

extern const struct block_device_operations mtg_block_ops;
extern const struct attribute_group *mtg_disk_groups[];

#endif /* _MTETAGRAM_DEVICE_H */
