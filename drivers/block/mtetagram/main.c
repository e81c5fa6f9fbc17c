// SPDX-License-Identifier: GPL-2.0
/*
 * mtetagram: MTE tag storage that holds no tags, as a compressed RAM disk.
 *
 * Devices: one for each region of tag storage; set-up, reset, load and unload.
 *
 * See Documentation/admin-guide/blockdev/mtetagram.rst for its use, and
 * Documentation/mm/mtetagram/index.rst for the design.
 */

#define pr_fmt(fmt) "mtetagram: " fmt

#include <linux/bitops.h>
#include <linux/blkdev.h>
#include <linux/cpumask.h>
#include <linux/lockdep.h>
#include <linux/memory.h>
#include <linux/module.h>
#include <linux/notifier.h>
#include <linux/slab.h>
#include <linux/suspend.h>
#include <linux/workqueue.h>

#include "device.h"
#include "inject.h"

static int mtg_major;
static struct mtg_device **devices;
static unsigned int nr_devices;

static bool provider_get(void *priv, u32 block, bool kept)
{
	struct mtg_region *region = ((struct mtg_device *)priv)->region;

	return test_bit(block, region->kept) == kept && mtg_block_get(region, block);
}

static bool provider_put(void *priv, u32 block)
{
	return mtg_block_put(((struct mtg_device *)priv)->region, block);
}

static bool provider_owned(void *priv, u32 block)
{
	return mtg_block_owned(((struct mtg_device *)priv)->region, block);
}

static u32 provider_next_kept(void *priv, u32 from, u32 end)
{
	return find_next_bit(((struct mtg_device *)priv)->region->kept, end, from);
}

static u32 provider_next_free(void *priv, u32 from, bool kept)
{
	struct mtg_region *region = ((struct mtg_device *)priv)->region;

	return mtg_block_next_free(region, from, region->kept, kept);
}

static u32 provider_nr_free(void *priv)
{
	struct mtg_region *region = ((struct mtg_device *)priv)->region;

	return max(0, atomic_read(&region->nr_state[MTG_BLOCK_FREE]) -
		      atomic_read(&region->kept_free));
}

static const struct mtg_provider provider = {
	.get = provider_get,
	.put = provider_put,
	.owned = provider_owned,
	.next_kept = provider_next_kept,
	.next_free = provider_next_free,
	.nr_free = provider_nr_free,
};

static int device_evict(void *priv, u32 block, enum mtg_urgency urgency)
{
	static const enum mtg_rung last[] = {
		[MTG_PREPARE]		= MTG_RUNG_SPARE,
		[MTG_MAY_REFUSE]	= MTG_RUNG_ATOMIC,
		[MTG_MUST]		= MTG_RUNG_LOSE,
	};
	struct mtg_device *dev = priv;

	return mtg_slots_evict(&dev->slots, block, last[urgency]);
}

static void device_resume(void *priv, u32 block)
{
	mtg_pool_reopen(&((struct mtg_device *)priv)->pool, block);
}

/*
 * Spare pages for one block: its objects fill at most twice as many bytes of pages,
 * as two that are larger than half a page share none, and one more runs into it.
 */
static unsigned int spare_for_block(struct mtg_device *dev)
{
	return 2 * DIV_ROUND_UP(1U << dev->region->block_shift, PAGE_SIZE) + 1;
}

/*
 * No more than what is needed: the worker fills up the rest. And as hard as the caller
 * would try for a page of its own, so that it waits, fails or has somebody killed like
 * any allocation; but not from the emergency reserves, whatever it may do.
 *
 * While there are free blocks, nothing is spilled. Else the caller's memory cgroup pays
 * for what its tags drive into ordinary memory, until that goes home: or it could fill
 * all of it with the data of others. Spare pages that are there already are nobody's, and
 * for those who cannot allocate; so the caller puts pages of its own on top, which are
 * taken first. The worker frees what is above the target.
 */
static bool device_make_room(void *priv, gfp_t gfp)
{
	struct mtg_device *dev = priv;
	struct mtg_spill *spill = &dev->slots.spill;
	unsigned int enough = spare_for_block(dev);
	unsigned int spare = atomic_read(&spill->nr_spare);

	gfp &= __GFP_RECLAIM | __GFP_IO | __GFP_FS | __GFP_RETRY_MAYFAIL | __GFP_NORETRY;
	if (provider_nr_free(dev) <= READ_ONCE(dev->pool.headroom)) {
		gfp |= __GFP_ACCOUNT;
		enough += min(spare, READ_ONCE(spill->target));
	}
	return mtg_spill_fill(spill, enough, gfp);
}

static struct workqueue_struct *settle_wq;

/* Frees come in bunches, wait for some. */
#define SETTLE_DELAY	msecs_to_jiffies(10)
/* What was in vain again and again is tried no more often than this. */
#define SETTLE_MAX_DELAY	HZ

/* At once if much of the reserve is gone, and there may be memory for it. */
static void wake_settle(struct mtg_slots *slots)
{
	struct mtg_device *dev = container_of(slots, struct mtg_device, slots);
	bool urgent = atomic_read(&slots->spill.nr_spare) < READ_ONCE(slots->spill.target) / 2;

	if (urgent && !READ_ONCE(dev->refill_failed))
		mod_delayed_work(settle_wq, &dev->settle, 0);
	else
		queue_delayed_work(settle_wq, &dev->settle, READ_ONCE(dev->settle_delay));
}

static void device_freed(void *priv)
{
	struct mtg_device *dev = priv;

	if (atomic_read(&dev->slots.spill.nr_pages) || READ_ONCE(dev->slots.kept_used))
		wake_settle(&dev->slots);
}

static const struct mtg_block_ops block_ops = {
	.evict = device_evict,
	.resume = device_resume,
	.make_room = device_make_room,
	.freed = device_freed,
};

/*
 * Fill up the reserve, and bring spilled objects home. The reserve comes first: what is
 * spilled is safe, but the next burst may be near. After mtg_slots_stop() all objects are
 * taken out of tag storage instead. True if it has to go on, even if nobody frees
 * anything; *@in_vain if it moved nothing of what is left.
 */
static bool settle_once(struct mtg_device *dev, bool *in_vain)
{
	struct mtg_slots *slots = &dev->slots;
	gfp_t gfp = GFP_KERNEL | __GFP_NORETRY;
	bool moved, filled, drained;

	mtg_spill_balance(&slots->spill, gfp);
	moved = mtg_slots_settle(slots);
	filled = mtg_spill_balance(&slots->spill, gfp);
	WRITE_ONCE(dev->refill_failed, !filled);
	drained = !READ_ONCE(slots->broken) || !atomic64_read(&dev->pool.used_granules);
	*in_vain = !moved && (!filled || !drained || atomic_read(&slots->spill.nr_pages) ||
			      READ_ONCE(slots->kept_used));
	return !filled || !drained;
}

/*
 * Memory that is short, and room that is not there, do not come sooner for being asked for
 * by each free: after each time in vain the next one is twice as far away.
 */
static void settle(struct work_struct *work)
{
	struct mtg_device *dev = container_of(to_delayed_work(work), struct mtg_device,
					      settle);
	bool again = true, in_vain = true;

	/* Set-up, reset and resize hold it for writing, and may wait for us. */
	if (down_read_trylock(&dev->init_lock)) {
		if (dev->disksize)
			again = settle_once(dev, &in_vain);
		else
			again = false;
		up_read(&dev->init_lock);
	}
	WRITE_ONCE(dev->settle_delay, in_vain ? min(2 * dev->settle_delay, SETTLE_MAX_DELAY) :
						SETTLE_DELAY);
	if (again)
		queue_delayed_work(settle_wq, &dev->settle, dev->settle_delay);
}

/*
 * The largest burst under one lock: a huge page tagged at once, on each CPU. In bytes of
 * tag storage. Pages of shared memory that are mapped together by one fault are at most
 * as many as such blocks of 4 KiB, and mprotect() prepares its pages before it locks.
 */
static u64 worst_burst(void)
{
	return (u64)PMD_SIZE / MTG_TAG_RATIO * num_possible_cpus();
}

/*
 * Count the blocks that can never hold tags, as memory is now, and keep the first @want
 * of them. At 1 TiB it is a second's work: nobody but root may ask for it.
 */
static u32 find_untaggable(struct mtg_device *dev, u32 want)
{
	struct mtg_region *region = dev->region;
	u32 block, count = 0;

	for (block = 0; block < region->nr_blocks; block++) {
		cond_resched();
		if (mtg_block_untaggable(region, block) && count++ < want)
			mtg_block_keep(region, block, true);
	}
	WRITE_ONCE(dev->nr_untaggable, count);
	return min(count, want);
}

/*
 * Relocation needs free blocks, for one burst. Those that never will hold tags are
 * best, as no burst can take them: they are kept for nothing else. What is missing
 * is headroom: any free blocks that stores leave alone.
 */
static void keep_blocks(struct mtg_device *dev)
{
	struct mtg_region *region = dev->region;
	u32 want = min(DIV_ROUND_UP_ULL(worst_burst(), 1U << region->block_shift),
		       region->nr_blocks / 8);

	dev->pool.headroom = want - find_untaggable(dev, want);
}

static void keep_no_blocks(struct mtg_region *region)
{
	unsigned long block;

	for_each_set_bit(block, region->kept, region->nr_blocks)
		mtg_block_keep(region, block, false);
}

/* Statistics of a device that is not set up read as zero. */
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
 * mtg_device_setup() - allocate what a device of that size needs, and use it
 * @dev: The device, not set up.
 * @disksize: Its size in bytes, a multiple of the page size.
 *
 * Context: Process context; @dev->init_lock held for writing.
 * Return: 0, -EINVAL if the size is 0 or too large, -ENOMEM.
 */
int mtg_device_setup(struct mtg_device *dev, u64 disksize)
{
	struct mtg_region *region = dev->region;
	int ret;

	if (!size_is_valid(disksize))
		return -EINVAL;
	ret = mtg_pool_init(&dev->pool, region->base, region->nr_blocks,
			    1U << region->block_shift, &provider, dev);
	if (ret)
		return ret;
	dev->pool.share = dev->share;
	dev->pool.mem_limit = dev->mem_limit;
	keep_blocks(dev);

	ret = mtg_slots_init(&dev->slots, dev->disk->disk_name, &dev->pool,
			     disksize / MTG_SLOT_SIZE, dev->spare_size);
	if (ret)
		goto err_slots;
	ret = -ENOMEM;
	if (!mtg_spill_balance(&dev->slots.spill, GFP_KERNEL))
		goto err_comp;
	dev->slots.wake = wake_settle;
	ret = mtg_comp_init(&dev->comp, dev->algorithm);
	if (ret)
		goto err_comp;
	ret = mtg_region_attach(region, &block_ops, dev);
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
	keep_no_blocks(region);
	mtg_pool_destroy(&dev->pool);
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
 *         large; -EBUSY if the device is that large already: what is beyond a smaller
 *         size may be in use; -ENOMEM.
 */
int mtg_device_grow(struct mtg_device *dev, u64 disksize)
{
	int ret;

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

/**
 * mtg_device_set_defaults() - forget all settings of a device
 * @dev: The device, not set up.
 *
 * Context: Process context; @dev->init_lock held for writing.
 */
void mtg_device_set_defaults(struct mtg_device *dev)
{
	unsigned int i;

	dev->algorithm = &mtg_comp_algorithms[0];
	WRITE_ONCE(dev->share, dev->region->nr_blocks);
	dev->mem_limit = U32_MAX;
	/* Twice a burst, see spare_for_block(). */
	WRITE_ONCE(dev->spare_size, PHYS_PFN(2 * worst_burst()));
	atomic64_set(&dev->failed_reads, 0);
	atomic64_set(&dev->invalid_io, 0);
	atomic64_set(&dev->notify_free, 0);
	for (i = 0; i < MTG_WRITE_ERRORS; i++)
		atomic64_set(&dev->failed_writes[i], 0);
}

/* The worker is locked out: it takes blocks, and gives them back later. */
static void device_teardown(struct mtg_device *dev)
{
	lockdep_assert_held_write(&dev->init_lock);

	if (!dev->disksize)
		return;
	WRITE_ONCE(dev->disksize, 0);
	/* All blocks go back as their last objects are freed. */
	mtg_slots_clear(&dev->slots);
	mtg_region_detach(dev->region);
	/* Nobody evicts blocks any more, or has reason to wake the worker. */
	cancel_delayed_work_sync(&dev->settle);
	keep_no_blocks(dev->region);
	mtg_comp_destroy(&dev->comp);
	mtg_slots_destroy(&dev->slots);
	mtg_pool_destroy(&dev->pool);
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
	/* From now on nobody can open it. */
	dev->resetting = true;
	mutex_unlock(&disk->open_mutex);

	sync_blockdev(disk->part0);
	down_write(&dev->init_lock);
	set_capacity_and_notify(disk, 0);
	device_teardown(dev);
	mtg_device_set_defaults(dev);
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
 * Moves objects if it uses more now.
 *
 * Context: Process context, may sleep; @dev->init_lock held for writing.
 * Return: 0; -ENOSPC if what is stored does not fit, and nothing has changed.
 */
int mtg_device_set_share(struct mtg_device *dev, u32 nr_blocks)
{
	int ret = dev->disksize ? mtg_slots_shrink(&dev->slots, nr_blocks) : 0;

	if (!ret)
		WRITE_ONCE(dev->share, nr_blocks);
	return ret;
}

/**
 * mtg_device_offline() - store no more data in a tag block whose memory has failed
 * @dev: The device, set up or not.
 * @address: Physical address in the block.
 *
 * The data that is there is moved away, as far as it still can be read.
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

	if (address < region->tag_start || block >= region->nr_blocks)
		return -ENXIO;
	mtg_block_offline(region, block);
	if (dev->disksize && mtg_block_owned(region, block))
		ret = mtg_slots_offline(&dev->slots, block);
	if (ret)
		mtg_block_online(region, block);
	return ret;
}

/**
 * mtg_device_set_spare_size() - set how much memory waits for objects to spill
 * @dev: The device, set up or not.
 * @nr_pages: The size of the reserve.
 *
 * Context: Process context, may sleep; @dev->init_lock held for writing.
 * Return: 0; -ENOMEM if there is no memory for it, and nothing has changed.
 */
int mtg_device_set_spare_size(struct mtg_device *dev, unsigned int nr_pages)
{
	struct mtg_spill *spill = &dev->slots.spill;

	if (dev->disksize) {
		WRITE_ONCE(spill->target, nr_pages);
		if (!mtg_spill_balance(spill, GFP_KERNEL | __GFP_RETRY_MAYFAIL)) {
			WRITE_ONCE(spill->target, dev->spare_size);
			mtg_spill_balance(spill, GFP_KERNEL | __GFP_NORETRY);
			return -ENOMEM;
		}
	}
	WRITE_ONCE(dev->spare_size, nr_pages);
	return 0;
}

static bool usable(struct mtg_region *region)
{
	if (1U << region->block_shift <= MTG_MAX_BLOCK_SIZE)
		return true;
	pr_err_once("region %u: blocks of %u bytes are larger than the %u that are supported\n",
		    region->id, 1U << region->block_shift, MTG_MAX_BLOCK_SIZE);
	return false;
}

/* Memory was added or removed, and with it pages that may be tagged. */
static void recount(struct work_struct *work)
{
	find_untaggable(container_of(work, struct mtg_device, recount), 0);
}

static int create_device(struct mtg_region *region)
{
	struct queue_limits lim = {
		.logical_block_size		= MTG_SLOT_SIZE,
		.physical_block_size		= PAGE_SIZE,
		.io_min				= PAGE_SIZE,
		.io_opt				= PAGE_SIZE,
		.max_hw_discard_sectors		= UINT_MAX,
		.max_write_zeroes_sectors	= UINT_MAX,
		/* Written pages are read twice: to compress, then to store raw. */
		.features			= BLK_FEAT_STABLE_WRITES |
						  BLK_FEAT_SYNCHRONOUS,
	};
	struct mtg_device *dev;
	int ret;

	dev = kvzalloc(sizeof(*dev), GFP_KERNEL);
	if (!dev)
		return -ENOMEM;
	dev->region = region;
	init_rwsem(&dev->init_lock);
	INIT_DELAYED_WORK(&dev->settle, settle);
	dev->settle_delay = SETTLE_DELAY;
	INIT_WORK(&dev->recount, recount);
	mtg_device_set_defaults(dev);
	find_untaggable(dev, 0);

	dev->disk = blk_alloc_disk(&lim, NUMA_NO_NODE);
	if (IS_ERR(dev->disk)) {
		ret = PTR_ERR(dev->disk);
		kvfree(dev);
		return ret;
	}
	dev->disk->major = mtg_major;
	dev->disk->first_minor = region->id;
	dev->disk->minors = 1;
	dev->disk->flags |= GENHD_FL_NO_PART;
	dev->disk->fops = &mtg_block_ops;
	dev->disk->private_data = dev;
	snprintf(dev->disk->disk_name, DISK_NAME_LEN, "mtetagram%u", region->id);
	devices[nr_devices++] = dev;
	return 0;
}

static int create_devices(void)
{
	struct mtg_region *region;
	unsigned int id;
	int ret = 0;

	for (id = 0; !ret && (region = mtg_region_by_id(id)); id++)
		if (usable(region))
			ret = create_device(region);
	return ret;
}

/*
 * From the first one on, user space may have a device open, and nothing may fail any
 * more: a device that cannot be added does not take the others with it. Returns an error
 * if none could.
 */
static int add_disks(void)
{
	unsigned int i, added = 0;
	int ret, error = 0;

	for (i = 0; i < nr_devices; i++) {
		struct mtg_device *dev = devices[i];

		ret = device_add_disk(NULL, dev->disk, mtg_disk_groups);
		if (ret) {
			pr_err("%s cannot be added: error %d\n", dev->disk->disk_name, ret);
			error = ret;
			continue;
		}
		dev->added = true;
		added++;
	}
	return added ? 0 : error;
}

/* Only when nobody has it open: the module's use count says so. */
static void remove_device(struct mtg_device *dev)
{
	if (dev->added)
		del_gendisk(dev->disk);
	cancel_work_sync(&dev->recount);
	down_write(&dev->init_lock);
	device_teardown(dev);
	up_write(&dev->init_lock);
	put_disk(dev->disk);
	kvfree(dev);
}

/*
 * The carve-out is not part of a hibernation image: what is stored in it would be
 * gone after resume.
 */
static int veto_hibernation(struct notifier_block *nb, unsigned long action,
			    void *data)
{
	unsigned int i;

	if (action != PM_HIBERNATION_PREPARE)
		return NOTIFY_DONE;
	for (i = 0; i < nr_devices; i++) {
		/* An empty one might be written to before tasks are frozen. */
		if (!READ_ONCE(devices[i]->disksize))
			continue;
		pr_err("%s is set up, and hibernation would lose its data: reset it first\n",
		       devices[i]->disk->disk_name);
		return notifier_from_errno(-EBUSY);
	}
	return NOTIFY_DONE;
}

static struct notifier_block pm_nb = {
	.notifier_call = veto_hibernation,
};

static int memory_changed(struct notifier_block *nb, unsigned long action, void *data)
{
	unsigned int i;

	if (action == MEM_ONLINE || action == MEM_OFFLINE)
		for (i = 0; i < nr_devices; i++)
			queue_work(system_unbound_wq, &devices[i]->recount);
	return NOTIFY_OK;
}

static struct notifier_block memory_nb = {
	.notifier_call = memory_changed,
};

static void remove_all(void)
{
	unregister_memory_notifier(&memory_nb);
	unregister_pm_notifier(&pm_nb);
	while (nr_devices)
		remove_device(devices[--nr_devices]);
	kfree(devices);
	mtg_fault_exit();
	unregister_blkdev(mtg_major, "mtetagram");
	destroy_workqueue(settle_wq);
}

static unsigned int nr_usable(void)
{
	struct mtg_region *region;
	unsigned int id, count = 0;

	for (id = 0; (region = mtg_region_by_id(id)); id++)
		count += usable(region);
	return count;
}

static int __init mtg_init(void)
{
	unsigned int count = nr_usable();
	int ret;

	if (!count) {
		pr_err("no usable MTE tag storage: the device tree has no arm,mte-tag-storage node, or it was refused at boot\n");
		return -ENODEV;
	}
	devices = kcalloc(count, sizeof(*devices), GFP_KERNEL);
	/* It has to get on when memory is short: that is when it is needed. */
	settle_wq = alloc_workqueue("mtetagram", WQ_MEM_RECLAIM | WQ_UNBOUND, 0);
	mtg_major = devices && settle_wq ? register_blkdev(0, "mtetagram") : -ENOMEM;
	if (mtg_major < 0) {
		if (settle_wq)
			destroy_workqueue(settle_wq);
		kfree(devices);
		return mtg_major;
	}
	mtg_fault_init();
	ret = create_devices();
	if (!ret) {
		register_pm_notifier(&pm_nb);
		register_memory_notifier(&memory_nb);
		ret = add_disks();
	}
	if (ret)
		remove_all();
	return ret;
}

static void __exit mtg_exit(void)
{
	remove_all();
}

module_init(mtg_init);
module_exit(mtg_exit);

MODULE_LICENSE("GPL");
MODULE_DESCRIPTION("Compressed RAM block device in unused MTE tag storage");
