// SPDX-License-Identifier: GPL-2.0
/*
 * The block device: bios in, pages out.
 *
 * A bio is done when submit_bio() returns, as with zram: the task that submits the bio copies
 * or compresses the data. The logical block size is a slot of 4 KiB, so every bio consists of
 * whole slots, and any other bio is refused. Direct I/O from a buffer that is not page aligned
 * makes bios in which a slot lies in two pages: such a slot goes through a bounce buffer.
 */

#define pr_fmt(fmt) "mtetagram: " fmt

#include <linux/align.h>
#include <linux/bio.h>
#include <linux/blkdev.h>
#include <linux/highmem.h>
#include <linux/module.h>
#include <linux/printk.h>
#include <linux/sched.h>
#include <linux/slab.h>

#include "codec.h"
#include "device.h"

#define SLOT_SECTORS	(MTG_SLOT_SIZE >> SECTOR_SHIFT)

static int write_slot(struct mtg_device *dev, u32 index, const void *data)
{
	return mtg_codec_store(&dev->comp, &dev->slots, index, data);
}

static int read_slot(struct mtg_device *dev, u32 index, void *data)
{
	return mtg_codec_load(&dev->comp, &dev->slots, index, data);
}

/* Copy one slot between a buffer and the bio at @iter. */
static void copy_slot(struct bio *bio, struct bvec_iter iter, void *buffer,
		      bool to_bio)
{
	unsigned int done = 0;

	while (done < MTG_SLOT_SIZE) {
		struct bio_vec bv = bio_iter_iovec(bio, iter);
		unsigned int len = min(bv.bv_len, MTG_SLOT_SIZE - done);

		if (to_bio)
			memcpy_to_page(bv.bv_page, bv.bv_offset, buffer + done, len);
		else
			memcpy_from_page(buffer + done, bv.bv_page, bv.bv_offset, len);
		done += len;
		bio_advance_iter_single(bio, &iter, len);
	}
}

static int bounce_slot(struct mtg_device *dev, struct bio *bio, struct bvec_iter iter,
		       u32 index)
{
	void *buffer = kmalloc(MTG_SLOT_SIZE, GFP_NOIO);
	int ret;

	if (!buffer)
		return -ENOMEM;
	if (op_is_write(bio_op(bio))) {
		copy_slot(bio, iter, buffer, false);
		ret = write_slot(dev, index, buffer);
	} else {
		ret = read_slot(dev, index, buffer);
		if (!ret)
			copy_slot(bio, iter, buffer, true);
	}
	kfree(buffer);
	return ret;
}

static int transfer_slot(struct mtg_device *dev, struct bio *bio,
			 struct bvec_iter iter)
{
	struct bio_vec bv = bio_iter_iovec(bio, iter);
	u32 index = iter.bi_sector / SLOT_SECTORS;
	void *data;
	int ret;

	if (bv.bv_len < MTG_SLOT_SIZE)
		return bounce_slot(dev, bio, iter, index);

	data = bvec_kmap_local(&bv);
	if (op_is_write(bio_op(bio))) {
		ret = write_slot(dev, index, data);
	} else {
		ret = read_slot(dev, index, data);
		flush_dcache_page(bv.bv_page);
	}
	kunmap_local(data);
	return ret;
}

static enum mtg_write_error write_error(int error)
{
	switch (error) {
	case -EDQUOT:
		return MTG_WRITE_MEM_LIMIT;
	case -ENOMEM:
		return MTG_WRITE_NO_MEMORY;
	case -ENOSPC:
		return MTG_WRITE_NO_SPACE;
	case -EROFS:
		return MTG_WRITE_STOPPED;
	default:
		return MTG_WRITE_COMPRESS;
	}
}

static noinline void fail_bio(struct mtg_device *dev, struct bio *bio, int error)
{
	if (op_is_write(bio_op(bio)))
		atomic64_inc(&dev->failed_writes[write_error(error)]);
	else
		atomic64_inc(&dev->failed_reads);
	/* The block layer has one status for both limits. */
	bio->bi_status = errno_to_blk_status(error == -EDQUOT ? -ENOSPC : error);
}

static void transfer(struct mtg_device *dev, struct bio *bio)
{
	unsigned long start = bio_start_io_acct(bio);
	struct bvec_iter iter = bio->bi_iter;
	int ret = 0;

	while (iter.bi_size) {
		ret = transfer_slot(dev, bio, iter);
		/* Most bios of swap are of one slot. */
		if (ret || iter.bi_size == MTG_SLOT_SIZE)
			break;
		bio_advance_iter(bio, &iter, MTG_SLOT_SIZE);
	}
	if (ret)
		fail_bio(dev, bio, ret);
	bio_end_io_acct(bio, start);
	bio_endio(bio);
}

static void discard(struct mtg_device *dev, struct bio *bio)
{
	u32 index = bio->bi_iter.bi_sector / SLOT_SECTORS;
	u32 end = index + bio->bi_iter.bi_size / MTG_SLOT_SIZE;

	for (; index < end; index++) {
		if (mtg_slot_free(&dev->slots, index))
			atomic64_inc(&dev->notify_free);
		cond_resched();
	}
	bio_endio(bio);
}

/*
 * A driver that is stacked on this one may ignore the limits of the queue. blk-mq would check
 * them, but this driver does not use blk-mq. A bio that is not valid would reach beyond its
 * own pages, or into a wrong slot.
 */
static bool is_valid(struct mtg_device *dev, struct bio *bio)
{
	sector_t size = READ_ONCE(dev->disksize) >> SECTOR_SHIFT;
	sector_t sector = bio->bi_iter.bi_sector, sectors = bio_sectors(bio);

	return IS_ALIGNED(sector << SECTOR_SHIFT | bio->bi_iter.bi_size, MTG_SLOT_SIZE) &&
	       sectors <= size && sector <= size - sectors;
}

static void refuse(struct mtg_device *dev, struct bio *bio)
{
	pr_err_ratelimited("%s: refused I/O of %u bytes at sector %llu: not whole slots of %u bytes, or beyond the end; what is stacked on the device is wrong\n",
			   dev->disk->disk_name, bio->bi_iter.bi_size,
			   (u64)bio->bi_iter.bi_sector, MTG_SLOT_SIZE);
	atomic64_inc(&dev->invalid_io);
	bio_io_error(bio);
}

static void mtg_submit_bio(struct bio *bio)
{
	struct mtg_device *dev = bio->bi_bdev->bd_disk->private_data;

	if (unlikely(!is_valid(dev, bio))) {
		refuse(dev, bio);
		return;
	}
	switch (bio_op(bio)) {
	case REQ_OP_READ:
	case REQ_OP_WRITE:
		transfer(dev, bio);
		break;
	case REQ_OP_DISCARD:
	case REQ_OP_WRITE_ZEROES:
		discard(dev, bio);
		break;
	default:
		bio_io_error(bio);
	}
}

/* The swap core calls this function under its locks, and sometimes with interrupts off. */
static void mtg_swap_slot_free(struct block_device *bdev, unsigned long index)
{
	struct mtg_device *dev = bdev->bd_disk->private_data;

	/* The swap core counts in pages. */
	for (index *= PAGE_SIZE / MTG_SLOT_SIZE; ; index++) {
		mtg_slot_free(&dev->slots, index);
		if ((index + 1) % (PAGE_SIZE / MTG_SLOT_SIZE) == 0)
			break;
	}
	atomic64_inc(&dev->notify_free);
}

static int mtg_open(struct gendisk *disk, blk_mode_t mode)
{
	struct mtg_device *dev = disk->private_data;

	return dev->resetting ? -EBUSY : 0;
}

const struct block_device_operations mtg_block_ops = {
	.owner			= THIS_MODULE,
	.open			= mtg_open,
	.submit_bio		= mtg_submit_bio,
	.swap_slot_free_notify	= mtg_swap_slot_free,
};
