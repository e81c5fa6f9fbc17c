// SPDX-License-Identifier: GPL-2.0
/*
 * The broker: the place where the pool and the tag blocks meet.
 *
 * Requests go in two directions:
 *
 *   down  The pool asks for a free tag block, or gives one back: &struct mtg_provider.
 *   up    The hook wants a tag block back for tags: &struct mtg_block_ops. The slots
 *	   evict the objects from the block.
 *
 * The broker also decides which blocks are kept for relocation, and how many spare pages
 * wait for spilled objects. Its worker fills up the spare pages, and settles spilled
 * objects when there is room for them in tag storage again.
 *
 * The broker has no lock of its own. The callers of both directions may hold locks
 * (Documentation/mm/mtetagram/hook.rst has their order). So no function of the two
 * directions may sleep, except the one that makes room.
 */

#include <linux/container_of.h>
#include <linux/gfp.h>
#include <linux/jiffies.h>
#include <linux/math.h>
#include <linux/minmax.h>
#include <linux/rwsem.h>
#include <linux/sched.h>
#include <linux/workqueue.h>

#include "broker.h"
#include "device.h"

/* Slots are freed in bunches: the worker waits, so that it can use what all of them free. */
#define SETTLE_DELAY		msecs_to_jiffies(10)
/* The longest wait of the worker after it was woken in vain again and again. */
#define SETTLE_MAX_DELAY	HZ

static struct workqueue_struct *settle_wq;

static bool provider_get(void *priv, u32 block, bool kept)
{
	struct mtg_region *region = ((struct mtg_device *)priv)->region;

	return mtg_block_is_kept(region, block) == kept && mtg_block_get(region, block);
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
	return mtg_block_next_kept(((struct mtg_device *)priv)->region, from, end);
}

static u32 provider_next_free(void *priv, u32 from, bool kept)
{
	return mtg_block_next_free(((struct mtg_device *)priv)->region, from, kept);
}

static u32 provider_nr_free(void *priv)
{
	return mtg_region_nr_free(((struct mtg_device *)priv)->region);
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
 * The number of spare pages that the objects of one block need. Two objects that are
 * larger than half a page cannot share a page, so the objects fill at most twice as many
 * bytes of pages. One more page is for the object that begins before the block.
 */
static unsigned int spare_for_block(struct mtg_device *dev)
{
	return 2 * DIV_ROUND_UP(mtg_region_block_size(dev->region), PAGE_SIZE) + 1;
}

/*
 * Allocate the spare pages that the eviction of one block needs, and no more: the worker
 * fills up the rest. The allocation tries as hard as the caller would try for a page of its
 * own, so it waits, fails or invokes the out-of-memory killer like any allocation. It never
 * uses the emergency reserves of memory, even if the caller may use them.
 *
 * While there are free blocks, no object is spilled. If there are none, the memory cgroup of
 * the caller pays for the objects that its tags drive into ordinary memory, until these
 * objects settle. Otherwise one cgroup could fill all ordinary memory with the data of
 * other cgroups. The spare pages that are there already belong to nobody: they are for
 * callers that cannot allocate. So the caller adds pages of its own, which are taken first.
 * The worker frees the pages above the target.
 */
static bool device_make_room(void *priv, gfp_t gfp)
{
	struct mtg_device *dev = priv;
	struct mtg_spill *spill = &dev->slots.spill;
	unsigned int enough = spare_for_block(dev);
	unsigned int spare = mtg_spill_nr_spare(spill);

	gfp &= __GFP_RECLAIM | __GFP_IO | __GFP_FS | __GFP_RETRY_MAYFAIL | __GFP_NORETRY;
	if (mtg_region_nr_free(dev->region) <= mtg_pool_headroom(&dev->pool)) {
		gfp |= __GFP_ACCOUNT;
		enough += min(spare, mtg_spill_target(spill));
	}
	return mtg_spill_fill(spill, enough, gfp);
}

/*
 * Wake the worker. It runs at once if many of the spare pages are gone and there may be memory
 * for new ones.
 */
static void wake_settle(struct mtg_slots *slots)
{
	struct mtg_device *dev = container_of(slots, struct mtg_device, slots);
	struct mtg_spill *spill = &slots->spill;
	bool urgent = mtg_spill_nr_spare(spill) < mtg_spill_target(spill) / 2;

	if (urgent && !READ_ONCE(dev->refill_failed))
		mod_delayed_work(settle_wq, &dev->settle, 0);
	else
		queue_delayed_work(settle_wq, &dev->settle, READ_ONCE(dev->settle_delay));
}

/**
 * mtg_broker_wake() - there may be room for spilled objects in tag storage now
 * @dev: The device, set up.
 *
 * To be called after a block was freed, a limit was raised, or objects were moved together.
 *
 * Context: Any; no lock of the slots or of the pool held.
 */
void mtg_broker_wake(struct mtg_device *dev)
{
	if (mtg_slots_unsettled(&dev->slots))
		wake_settle(&dev->slots);
}

static void device_freed(void *priv)
{
	mtg_broker_wake(priv);
}

static const struct mtg_block_ops block_ops = {
	.evict = device_evict,
	.resume = device_resume,
	.make_room = device_make_room,
	.freed = device_freed,
};

/*
 * Fill up the spare pages, and settle spilled objects. The spare pages come first: spilled
 * objects are safe, but the next burst may be near. After mtg_slots_stop() all objects are
 * moved out of tag storage instead.
 *
 * Returns true if the worker has to run again even if nothing is freed. *@in_vain says
 * whether there was something to move and nothing was moved.
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
	drained = !mtg_slots_stopped(slots) || !mtg_pool_used_granules(&dev->pool);
	*in_vain = !moved && (!filled || !drained || mtg_slots_unsettled(slots));
	return !filled || !drained;
}

/*
 * The worker. Memory and room do not come sooner if each free asks for them, so each run in
 * vain doubles the time to the next run.
 */
static void settle_work(struct work_struct *work)
{
	struct mtg_device *dev = container_of(to_delayed_work(work), struct mtg_device,
					      settle);
	bool again = true, in_vain = false;

	/* Set-up, reset and resize hold the lock for writing, and may wait for this work. */
	if (down_read_trylock(&dev->init_lock)) {
		again = dev->disksize && settle_once(dev, &in_vain);
		WRITE_ONCE(dev->settle_delay, in_vain ?
			   min(2 * dev->settle_delay, SETTLE_MAX_DELAY) : SETTLE_DELAY);
		up_read(&dev->init_lock);
	}
	if (again)
		queue_delayed_work(settle_wq, &dev->settle, dev->settle_delay);
}

/*
 * Count the untaggable blocks, as memory is now, and keep the first @want of them. With
 * 1 TiB of memory this takes a second, so only root may ask for it.
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
 * Relocation needs free blocks for one burst. Untaggable blocks are best, as no burst can
 * take them: they are kept for nothing else. The blocks that are missing are the headroom:
 * any free blocks that stores leave alone.
 */
static void keep_blocks(struct mtg_device *dev)
{
	struct mtg_region *region = dev->region;
	u32 want = min(DIV_ROUND_UP_ULL(mtg_region_burst(), mtg_region_block_size(region)),
		       region->nr_blocks / 8);

	mtg_pool_set_headroom(&dev->pool, want - find_untaggable(dev, want));
}

static void keep_no_blocks(struct mtg_region *region)
{
	u32 block, end = region->nr_blocks;

	for (block = mtg_block_next_kept(region, 0, end); block < end;
	     block = mtg_block_next_kept(region, block + 1, end))
		mtg_block_keep(region, block, false);
}

/* Memory was added or removed, and with it pages that may be tagged. */
static void recount_work(struct work_struct *work)
{
	find_untaggable(container_of(work, struct mtg_device, recount), 0);
}

/**
 * mtg_broker_add() - set up the broker's part of a new device
 * @dev: The device, with its region.
 *
 * Context: Process context, may sleep.
 */
void mtg_broker_add(struct mtg_device *dev)
{
	INIT_DELAYED_WORK(&dev->settle, settle_work);
	INIT_WORK(&dev->recount, recount_work);
	find_untaggable(dev, 0);
}

/**
 * mtg_broker_remove() - end what mtg_broker_add() began
 * @dev: The device. mtg_broker_recount() is not called any more.
 *
 * Context: Process context, may sleep.
 */
void mtg_broker_remove(struct mtg_device *dev)
{
	cancel_work_sync(&dev->recount);
}

/**
 * mtg_broker_recount() - count the untaggable blocks of a device again, soon
 * @dev: The device.
 *
 * Context: Any.
 */
void mtg_broker_recount(struct mtg_device *dev)
{
	queue_work(system_unbound_wq, &dev->recount);
}

/**
 * mtg_broker_open_pool() - set up the pool of a device over its tag blocks
 * @dev: The device, not set up.
 *
 * Also chooses the blocks that are kept for relocation.
 *
 * Context: Process context, may sleep; @dev->init_lock held for writing.
 * Return: 0, -EINVAL for an unsupported geometry, or -ENOMEM.
 */
int mtg_broker_open_pool(struct mtg_device *dev)
{
	struct mtg_region *region = dev->region;
	int ret = mtg_pool_init(&dev->pool, region->base, region->nr_blocks,
				mtg_region_block_size(region), &provider, dev);

	if (ret)
		return ret;
	mtg_pool_set_share(&dev->pool, dev->share);
	mtg_pool_set_mem_limit(&dev->pool, dev->mem_limit);
	keep_blocks(dev);
	return 0;
}

/**
 * mtg_broker_close_pool() - undo mtg_broker_open_pool()
 * @dev: The device. Its pool is empty.
 *
 * Context: Process context, may sleep; @dev->init_lock held for writing.
 */
void mtg_broker_close_pool(struct mtg_device *dev)
{
	keep_no_blocks(dev->region);
	mtg_pool_destroy(&dev->pool);
}

/**
 * mtg_broker_attach() - let the device take tag blocks, and the hook take them back
 * @dev: The device. Its pool and its slots are set up.
 *
 * Context: Process context, may sleep; @dev->init_lock held for writing.
 * Return: 0, or -EBUSY if the region has a user.
 */
int mtg_broker_attach(struct mtg_device *dev)
{
	/* What the worker met before a reset says nothing about now. */
	dev->settle_delay = SETTLE_DELAY;
	dev->refill_failed = false;
	dev->slots.wake = wake_settle;
	return mtg_region_attach(dev->region, &block_ops, dev);
}

/**
 * mtg_broker_detach() - undo mtg_broker_attach()
 * @dev: The device. All its blocks were given back.
 *
 * When it returns, no block is evicted and the worker does not run.
 *
 * Context: Process context, may sleep; @dev->init_lock held for writing.
 */
void mtg_broker_detach(struct mtg_device *dev)
{
	mtg_region_detach(dev->region);
	/* No block is evicted any more, so there is no reason to wake the worker. */
	cancel_delayed_work_sync(&dev->settle);
}

/**
 * mtg_broker_init() - create what the workers of all devices share
 *
 * Context: Process context, may sleep.
 * Return: 0 or -ENOMEM.
 */
int mtg_broker_init(void)
{
	/* The worker must run when memory is short: it is needed most then. */
	settle_wq = alloc_workqueue("mtetagram", WQ_MEM_RECLAIM | WQ_UNBOUND, 0);
	return settle_wq ? 0 : -ENOMEM;
}

/**
 * mtg_broker_exit() - undo mtg_broker_init()
 *
 * Context: Process context, may sleep. There are no devices any more.
 */
void mtg_broker_exit(void)
{
	destroy_workqueue(settle_wq);
}
