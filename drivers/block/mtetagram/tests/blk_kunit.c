// SPDX-License-Identifier: GPL-2.0
/*
 * KUnit: bios that the block layer should not let through, as a wrong driver that is
 * stacked on the device would send them. They need a real one: mtetagram0, set up, with
 * eight slots whose data may be lost; without such a device the suite is skipped.
 */

#include <kunit/test.h>
#include <linux/bio.h>
#include <linux/blkdev.h>
#include <linux/completion.h>
#include <linux/gfp.h>
#include <linux/mm.h>
#include <linux/string.h>

#include "../slot.h"

#define DEVICE		"/dev/mtetagram0"
#define SLOTS		8
#define SLOT_SECTORS	(MTG_SLOT_SIZE >> SECTOR_SHIFT)
/* So many segments of a sector, of which a bio has less. */
#define SEGMENTS	16

#define MARK		0xa5
#define PATTERN		0x5a

static struct file *file;
static struct block_device *bdev;
static struct page *page;	/* what a bio is about, then what is behind it */
static u8 *data;
static u8 *slot;

static int transfer(enum req_op op, unsigned int nr, void *buffer)
{
	struct bio_vec vec;
	struct bio bio;
	int ret;

	bio_init(&bio, bdev, &vec, 1, op | REQ_SYNC);
	bio.bi_iter.bi_sector = nr * SLOT_SECTORS;
	__bio_add_page(&bio, virt_to_page(buffer), MTG_SLOT_SIZE, 0);
	ret = submit_bio_wait(&bio);
	bio_uninit(&bio);
	return ret;
}

static int blk_init(struct kunit *test)
{
	unsigned int i;

	file = bdev_file_open_by_path(DEVICE, BLK_OPEN_READ | BLK_OPEN_WRITE, test, NULL);
	if (IS_ERR(file))
		kunit_skip(test, "no " DEVICE);
	bdev = file_bdev(file);
	if (bdev_nr_sectors(bdev) < SLOTS * SLOT_SECTORS)
		kunit_skip(test, DEVICE " is not set up");
	page = alloc_pages(GFP_KERNEL, get_order(SEGMENTS * SECTOR_SIZE));
	slot = (u8 *)__get_free_page(GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, page);
	KUNIT_ASSERT_NOT_NULL(test, slot);
	data = page_address(page);
	memset(data, MARK, SEGMENTS * SECTOR_SIZE);
	for (i = 0; i < SLOTS; i++) {
		memset(slot, PATTERN + i, MTG_SLOT_SIZE);
		/* Not filled with one pattern. */
		slot[i] = 0;
		KUNIT_ASSERT_EQ(test, 0, transfer(REQ_OP_WRITE, i, slot));
	}
	return 0;
}

static void blk_exit(struct kunit *test)
{
	if (page)
		__free_pages(page, get_order(SEGMENTS * SECTOR_SIZE));
	free_page((unsigned long)slot);
	if (!IS_ERR_OR_NULL(file))
		bdev_fput(file);
	page = NULL;
	slot = NULL;
	file = NULL;
}

static void done(struct bio *bio)
{
	complete(bio->bi_private);
}

/*
 * A bio of @size bytes at @sector, straight to the driver: the block layer looks for the
 * end of the device, and for nothing else. Behind the bio's own segments are more, which
 * nobody may touch.
 */
static int send(enum req_op op, sector_t sector, unsigned int size)
{
	DECLARE_COMPLETION_ONSTACK(completion);
	struct bio_vec vecs[SEGMENTS];
	struct bio bio;
	unsigned int i;

	for (i = 0; i < SEGMENTS; i++)
		bvec_set_page(&vecs[i], page + i * SECTOR_SIZE / PAGE_SIZE, SECTOR_SIZE,
			      i * SECTOR_SIZE % PAGE_SIZE);
	bio_init(&bio, bdev, vecs, SEGMENTS, op | REQ_SYNC);
	bio.bi_vcnt = DIV_ROUND_UP(size, SECTOR_SIZE);
	bio.bi_iter.bi_size = size;
	bio.bi_iter.bi_sector = sector;
	bio.bi_end_io = done;
	bio.bi_private = &completion;
	bdev->bd_disk->fops->submit_bio(&bio);
	wait_for_completion_io(&completion);
	bio_uninit(&bio);
	return blk_status_to_errno(bio.bi_status);
}

static void nothing_has_changed(struct kunit *test)
{
	unsigned int i;

	KUNIT_EXPECT_NULL(test, memchr_inv(data, MARK, SEGMENTS * SECTOR_SIZE));
	for (i = 0; i < SLOTS; i++) {
		KUNIT_ASSERT_EQ(test, 0, transfer(REQ_OP_READ, i, slot));
		KUNIT_EXPECT_EQ(test, 0, slot[i]);
		slot[i] = PATTERN + i;
		KUNIT_EXPECT_NULL(test, memchr_inv(slot, PATTERN + i, MTG_SLOT_SIZE));
	}
}

static void refuses(struct kunit *test, sector_t sector, unsigned int size)
{
	static const enum req_op ops[] = {
		REQ_OP_READ, REQ_OP_WRITE, REQ_OP_DISCARD, REQ_OP_WRITE_ZEROES,
	};
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(ops); i++) {
		KUNIT_EXPECT_EQ_MSG(test, -EIO, send(ops[i], sector, size),
				    "operation %d of %u bytes at sector %llu", ops[i], size,
				    (u64)sector);
		nothing_has_changed(test);
	}
}

static void blk_refuses_parts_of_slots(struct kunit *test)
{
	refuses(test, 0, SECTOR_SIZE);
	refuses(test, 0, MTG_SLOT_SIZE - SECTOR_SIZE);
	refuses(test, 0, MTG_SLOT_SIZE + SECTOR_SIZE);
	refuses(test, 0, MTG_SLOT_SIZE / 2 + 8);
}

static void blk_refuses_what_begins_within_a_slot(struct kunit *test)
{
	refuses(test, 1, MTG_SLOT_SIZE);
	refuses(test, SLOT_SECTORS - 1, MTG_SLOT_SIZE);
	refuses(test, SLOT_SECTORS / 2, SECTOR_SIZE);
}

static void blk_refuses_what_is_beyond_the_end(struct kunit *test)
{
	sector_t end = bdev_nr_sectors(bdev);

	refuses(test, end, MTG_SLOT_SIZE);
	refuses(test, end - SLOT_SECTORS, 2 * MTG_SLOT_SIZE);
	refuses(test, round_down(~(sector_t)0, SLOT_SECTORS), MTG_SLOT_SIZE);
}

static void blk_takes_whole_slots(struct kunit *test)
{
	KUNIT_EXPECT_EQ(test, 0, send(REQ_OP_WRITE, 0, 2 * MTG_SLOT_SIZE));
	memset(data, 0, SEGMENTS * SECTOR_SIZE);
	KUNIT_EXPECT_EQ(test, 0, send(REQ_OP_READ, SLOT_SECTORS, MTG_SLOT_SIZE));
	KUNIT_EXPECT_NULL(test, memchr_inv(data, MARK, MTG_SLOT_SIZE));
	KUNIT_EXPECT_NULL(test, memchr_inv(data + MTG_SLOT_SIZE, 0, MTG_SLOT_SIZE));
	KUNIT_EXPECT_EQ(test, 0, send(REQ_OP_DISCARD, 0, SLOTS * MTG_SLOT_SIZE));
	KUNIT_EXPECT_EQ(test, 0, send(REQ_OP_READ, 0, MTG_SLOT_SIZE));
	KUNIT_EXPECT_NULL(test, memchr_inv(data, 0, SEGMENTS * SECTOR_SIZE));
}

static struct kunit_case blk_cases[] = {
	KUNIT_CASE(blk_refuses_parts_of_slots),
	KUNIT_CASE(blk_refuses_what_begins_within_a_slot),
	KUNIT_CASE(blk_refuses_what_is_beyond_the_end),
	KUNIT_CASE(blk_takes_whole_slots),
	{ }
};

static struct kunit_suite blk_suite = {
	.name = "mtetagram-blk",
	.init = blk_init,
	.exit = blk_exit,
	.test_cases = blk_cases,
};

kunit_test_suite(blk_suite);
