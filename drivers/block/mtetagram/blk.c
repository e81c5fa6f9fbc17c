// SPDX-License-Identifier: GPL-2.0
/*
 * The block device: bios in, slots out.
 *
 * A bio is done when submit_bio() returns, like that of zram: the data is copied
 * or compressed by the caller. The unit is the slot of 4 KiB, which is the logical
 * block size, so that every bio consists of whole slots; one that does not is refused.
 * A slot need not lie within one page of the bio (direct I/O from a buffer that is not
 * page aligned), and then it goes through a bounce buffer.
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
#include <linux/string.h>

#include "device.h"

#define SLOT_SECTORS	(MTG_SLOT_SIZE >> SECTOR_SHIFT)

/*
 * Pages that are longer when compressed are stored as they are, if there is room: to
 * read them is a copy then. For zram that begins at 3625 bytes. Of the pages of live
 * heaps one in 10,000 is between that and 4 KiB, with lz4 and with zstd.
 */
#define WORTH_LEN	(MTG_SLOT_SIZE * 7 / 8)

/*
 * Where in a stream's buffer an object is expanded from. lz4, as compiled, copies a long
 * run of literals 16 bytes at a time if both sides are aligned to 16, else 8. In front of
 * a run of 1.5 to 1.8 KiB at the beginning of a page, such as fio makes at 60 %, are 8
 * bytes. With zram it is aligned: zsmalloc has a handle of 8 bytes in front.
 */
#define LOAD_OFFSET	8

/* Does one 64-bit pattern fill the whole slot? Most that do not differ early. */
static bool is_filled(const void *data)
{
	const u64 *word = data, *end = data + MTG_SLOT_SIZE;
	u64 first = *word;

	for (; word < end; word += 8)
		if ((word[0] ^ first) | (word[1] ^ first) | (word[2] ^ first) |
		    (word[3] ^ first) | (word[4] ^ first) | (word[5] ^ first) |
		    (word[6] ^ first) | (word[7] ^ first))
			return false;
	return true;
}

static void fill(void *data, u64 pattern)
{
	/* Almost all are zeros, and for bytes there are fast instructions. */
	if (pattern == (u8)pattern * 0x0101010101010101ULL)
		memset(data, pattern, MTG_SLOT_SIZE);
	else
		memset64(data, pattern, MTG_SLOT_SIZE / sizeof(u64));
}

static int count_write_error(struct mtg_device *dev, int error)
{
	enum mtg_write_error cause = error == -EDQUOT ? MTG_WRITE_MEM_LIMIT :
				     error == -ENOMEM ? MTG_WRITE_NO_MEMORY :
				     error == -ENOSPC ? MTG_WRITE_NO_SPACE :
				     error == -EROFS ? MTG_WRITE_STOPPED :
						       MTG_WRITE_COMPRESS;

	atomic64_inc(&dev->failed_writes[cause]);
	/* The block layer has one status for both limits. */
	return error == -EDQUOT ? -ENOSPC : error;
}

/* A page of which compression leaves @len bytes in @buffer. */
static int store_page(struct mtg_device *dev, u32 index, const void *data,
		      const void *buffer, unsigned int len)
{
	int ret;

	if (len > MTG_FILL_LEN && len <= WORTH_LEN)
		return mtg_slot_store(&dev->slots, index, buffer, len);
	/* Little gained, or a length that has a meaning of its own. */
	ret = mtg_slot_store(&dev->slots, index, data, MTG_SLOT_SIZE);
	if (ret && len > MTG_FILL_LEN && len <= MTG_MAX_LEN)
		ret = mtg_slot_store(&dev->slots, index, buffer, len);
	return ret;
}

static int compress_slot(struct mtg_device *dev, u32 index, const void *data)
{
	struct mtg_stream *stream = mtg_stream_get(&dev->comp);
	unsigned int room, len;
	int ret = mtg_slot_room(&dev->slots, index, &room);

	len = dev->comp.ops->compress(stream->workspace, data, stream->buffer,
				      ret ? room : MTG_COMP_MAX);
	if (len)
		ret = store_page(dev, index, data, stream->buffer, len);
	else if (!ret)
		ret = -EIO;
	mtg_stream_put(stream);
	return ret;
}

static int write_slot(struct mtg_device *dev, u32 index, void *data)
{
	int ret;

	if (is_filled(data))
		ret = mtg_slot_store(&dev->slots, index, data, MTG_FILL_LEN);
	else
		ret = compress_slot(dev, index, data);
	return ret ? count_write_error(dev, ret) : 0;
}

static int expand(struct mtg_device *dev, struct mtg_stream *stream, const void *from,
		  int len, void *data)
{
	switch (len) {
	case 0:
		memset(data, 0, MTG_SLOT_SIZE);
		return 0;
	case MTG_FILL_LEN:
		fill(data, *(const u64 *)from);
		return 0;
	case MTG_SLOT_SIZE:
		return 0;	/* it is there already */
	default:
		return dev->comp.ops->decompress(stream->workspace, from, len, data);
	}
}

static int read_slot(struct mtg_device *dev, u32 index, void *data)
{
	struct mtg_stream *stream = mtg_stream_get(&dev->comp);
	void *from = stream->buffer + LOAD_OFFSET;
	int ret = mtg_slot_load_to(&dev->slots, index, from, data);

	if (ret >= 0) {
		ret = expand(dev, stream, from, ret, data);
		if (ret) {
			pr_err_ratelimited("%s: slot %u cannot be decompressed\n",
					   dev->disk->disk_name, index);
			mtg_slots_stop(&dev->slots);
		}
	}
	mtg_stream_put(stream);
	if (ret)
		atomic64_inc(&dev->failed_reads);
	return ret;
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

	if (!buffer) {
		if (!op_is_write(bio_op(bio))) {
			atomic64_inc(&dev->failed_reads);
			return -ENOMEM;
		}
		return count_write_error(dev, -ENOMEM);
	}
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
		bio->bi_status = errno_to_blk_status(ret);
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
 * A driver that is stacked on this one may ignore the limits of the queue, and nothing
 * between them looks: blk-mq does, but has no part in this. Such a bio would go past its
 * own pages, or to a slot that it does not mean.
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

/* Called by the swap core under its locks, with interrupts off. */
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
