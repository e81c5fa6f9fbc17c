// SPDX-License-Identifier: GPL-2.0
/*
 * Attributes in /sys/block/mtetagramX.
 *
 * Attributes that zram has too have zram's name, format and errors, so that the tools of zram
 * work. That is why mm_stat and io_stat have many values. All other attributes have one value
 * in each file, in a directory for each subject.
 *
 * See Documentation/ABI/testing/sysfs-block-mtetagram.
 */

#include <linux/blkdev.h>
#include <linux/device.h>
#include <linux/kernel.h>
#include <linux/math64.h>
#include <linux/mm.h>
#include <linux/sched.h>
#include <linux/string.h>
#include <linux/sysfs.h>

#include "broker.h"
#include "device.h"
#include "verify.h"

/* A size with or without a suffix, as zram takes it. Unlike zram, nothing may follow. */
static int parse_size(const char *buf, u64 *size)
{
	char *end;

	*size = memparse(buf, &end);
	return end == buf || *skip_spaces(end) ? -EINVAL : 0;
}

static int parse_address(const char *buf, u64 *address)
{
	return kstrtou64(buf, 0, address);
}

/* The write half of a file: @_parse turns the text into a number, which @_set gets. */
#define STORE_ATTR(_name, _parse, _set)						\
static ssize_t _name##_store(struct device *d, struct device_attribute *attr,	\
			     const char *buf, size_t len)			\
{										\
	struct mtg_device *dev = mtg_dev(d);					\
	u64 value;								\
	int ret;								\
										\
	ret = _parse(buf, &value);						\
	if (ret)								\
		return ret;							\
	down_write(&dev->init_lock);						\
	ret = _set(dev, value);							\
	up_write(&dev->init_lock);						\
	return ret ?: len;							\
}

/* A read-only file that shows one number, computed from @dev. */
#define NUMBER_ATTR(_name, _expr)						\
static ssize_t _name##_show(struct device *d, struct device_attribute *attr,	\
			    char *buf)						\
{										\
	struct mtg_device *dev = mtg_dev(d);					\
	u64 value;								\
										\
	down_read(&dev->init_lock);						\
	value = (_expr);							\
	up_read(&dev->init_lock);						\
	return sysfs_emit(buf, "%llu\n", value);				\
}										\
static DEVICE_ATTR_RO(_name)

static u64 blocks_to_bytes(struct mtg_device *dev, u64 blocks)
{
	return blocks * mtg_region_block_size(dev->region);
}

static u64 spilled_size(struct mtg_device *dev)
{
	return (u64)mtg_spill_nr_pages(&dev->slots.spill) * PAGE_SIZE;
}

static u64 mem_used(struct mtg_device *dev, int blocks)
{
	return blocks_to_bytes(dev, blocks) + spilled_size(dev);
}

static u64 failed_writes(struct mtg_device *dev)
{
	u64 sum = 0;
	unsigned int i;

	for (i = 0; i < MTG_WRITE_ERRORS; i++)
		sum += atomic64_read(&dev->failed_writes[i]);
	return sum;
}

static ssize_t disksize_show(struct device *d, struct device_attribute *attr,
			     char *buf)
{
	return sysfs_emit(buf, "%llu\n", READ_ONCE(mtg_dev(d)->disksize));
}

static int set_disksize(struct mtg_device *dev, u64 size)
{
	if (!size)
		return -EINVAL;
	size = PAGE_ALIGN(size);
	return dev->disksize ? mtg_device_grow(dev, size) : mtg_device_setup(dev, size);
}
STORE_ATTR(disksize, parse_size, set_disksize)
static DEVICE_ATTR_RW(disksize);

static ssize_t initstate_show(struct device *d, struct device_attribute *attr,
			      char *buf)
{
	return sysfs_emit(buf, "%d\n", !!READ_ONCE(mtg_dev(d)->disksize));
}
static DEVICE_ATTR_RO(initstate);

static ssize_t reset_store(struct device *d, struct device_attribute *attr,
			   const char *buf, size_t len)
{
	unsigned short value;
	int ret;

	ret = kstrtou16(buf, 10, &value);
	if (ret)
		return ret;
	if (!value)
		return -EINVAL;
	return mtg_device_reset(mtg_dev(d)) ?: len;
}
static DEVICE_ATTR_WO(reset);

static ssize_t comp_algorithm_show(struct device *d, struct device_attribute *attr,
				   char *buf)
{
	struct mtg_device *dev = mtg_dev(d);
	const struct mtg_comp_ops *ops;
	int len = 0;

	down_read(&dev->init_lock);
	for (ops = mtg_comp_algorithms; ops->name; ops++)
		len += sysfs_emit_at(buf, len, ops == dev->algorithm ? "[%s] " : "%s ",
				     ops->name);
	up_read(&dev->init_lock);
	len += sysfs_emit_at(buf, len, "\n");
	return len;
}

static ssize_t comp_algorithm_store(struct device *d, struct device_attribute *attr,
				    const char *buf, size_t len)
{
	const struct mtg_comp_ops *ops = mtg_comp_find(buf);
	struct mtg_device *dev = mtg_dev(d);
	int ret = 0;

	if (!ops)
		return -EINVAL;
	down_write(&dev->init_lock);
	if (dev->disksize)
		ret = -EBUSY;
	else
		dev->algorithm = ops;
	up_write(&dev->init_lock);
	return ret ?: len;
}
static DEVICE_ATTR_RW(comp_algorithm);

static int set_mem_limit(struct mtg_device *dev, u64 size)
{
	size = min(size, blocks_to_bytes(dev, dev->region->nr_blocks));
	/* Rounded up: a small limit must not become 0, which means none. */
	mtg_device_set_mem_limit(dev, size ? DIV_ROUND_UP_ULL(size, blocks_to_bytes(dev, 1)) :
					     U32_MAX);
	return 0;
}
STORE_ATTR(mem_limit, parse_size, set_mem_limit)
static DEVICE_ATTR_WO(mem_limit);

static ssize_t mem_used_max_store(struct device *d, struct device_attribute *attr,
				  const char *buf, size_t len)
{
	struct mtg_device *dev = mtg_dev(d);
	unsigned long value;

	if (kstrtoul(buf, 10, &value) || value)
		return -EINVAL;
	down_read(&dev->init_lock);
	mtg_pool_reset_max_open(&dev->pool);
	up_read(&dev->init_lock);
	return len;
}
static DEVICE_ATTR_WO(mem_used_max);

static ssize_t compact_store(struct device *d, struct device_attribute *attr,
			     const char *buf, size_t len)
{
	struct mtg_device *dev = mtg_dev(d);
	int ret = 0;

	down_write(&dev->init_lock);
	if (dev->disksize) {
		mtg_slots_compact(&dev->slots);
		mtg_broker_wake(dev);
	} else {
		ret = -EINVAL;
	}
	up_write(&dev->init_lock);
	return ret ?: len;
}
static DEVICE_ATTR_WO(compact);

static ssize_t mm_stat_show(struct device *d, struct device_attribute *attr, char *buf)
{
	struct mtg_device *dev = mtg_dev(d);
	struct mtg_slot_usage usage;
	u64 limit, compacted;
	ssize_t len;

	down_read(&dev->init_lock);
	compacted = mtg_slots_events(&dev->slots, MTG_COMPACTED);
	limit = dev->mem_limit == U32_MAX ? 0 : blocks_to_bytes(dev, dev->mem_limit);
	usage = mtg_slots_usage(&dev->slots);
	len = sysfs_emit(buf, "%8llu %8llu %8llu %8llu %8llu %8llu %8llu %8llu %8llu\n",
			 usage.stored * MTG_SLOT_SIZE, usage.compr_size,
			 mem_used(dev, mtg_pool_nr_open(&dev->pool)), limit,
			 mem_used(dev, mtg_pool_max_open(&dev->pool)),
			 usage.same,
			 blocks_to_bytes(dev, compacted) / PAGE_SIZE,
			 usage.huge,
			 mtg_slots_events(&dev->slots, MTG_STORED_HUGE));
	up_read(&dev->init_lock);
	return len;
}
static DEVICE_ATTR_RO(mm_stat);

static ssize_t io_stat_show(struct device *d, struct device_attribute *attr, char *buf)
{
	struct mtg_device *dev = mtg_dev(d);

	return sysfs_emit(buf, "%8llu %8llu %8llu %8llu\n",
			  (u64)atomic64_read(&dev->failed_reads), failed_writes(dev),
			  (u64)atomic64_read(&dev->invalid_io),
			  (u64)atomic64_read(&dev->notify_free));
}
static DEVICE_ATTR_RO(io_stat);

static struct attribute *disk_attrs[] = {
	&dev_attr_disksize.attr,
	&dev_attr_initstate.attr,
	&dev_attr_reset.attr,
	&dev_attr_comp_algorithm.attr,
	&dev_attr_mem_limit.attr,
	&dev_attr_mem_used_max.attr,
	&dev_attr_compact.attr,
	&dev_attr_mm_stat.attr,
	&dev_attr_io_stat.attr,
	NULL
};

static const struct attribute_group disk_group = {
	.attrs = disk_attrs,
};

static u64 spare_available(struct mtg_device *dev)
{
	return (u64)mtg_spill_nr_spare(&dev->slots.spill) * PAGE_SIZE;
}

/* Ordinary memory that is needed because of the carve-out, or because of the data in it. */
static u64 metadata_size(struct mtg_device *dev)
{
	u64 size = mtg_region_metadata_size(dev->region);

	if (dev->disksize)
		size += mtg_pool_metadata_size(&dev->pool) +
			mtg_slots_metadata_size(&dev->slots) +
			spare_available(dev);
	return size;
}

static u64 rung(struct mtg_device *dev, enum mtg_rung rung)
{
	return mtg_slots_rung(&dev->slots, rung);
}

NUMBER_ATTR(size, blocks_to_bytes(dev, dev->region->nr_blocks));
NUMBER_ATTR(block_size, blocks_to_bytes(dev, 1));
NUMBER_ATTR(blocks, dev->region->nr_blocks);
NUMBER_ATTR(blocks_free, mtg_region_nr_in(dev->region, MTG_BLOCK_FREE));
NUMBER_ATTR(blocks_used, mtg_region_nr_in(dev->region, MTG_BLOCK_USED));
NUMBER_ATTR(blocks_tagged, mtg_region_nr_in(dev->region, MTG_BLOCK_TAGGED));
NUMBER_ATTR(blocks_offline, mtg_region_nr_in(dev->region, MTG_BLOCK_OFFLINE));
NUMBER_ATTR(blocks_untaggable, READ_ONCE(dev->nr_untaggable));
NUMBER_ATTR(reserved_pages, mtg_region_nr_reserved(dev->region));
NUMBER_ATTR(metadata_size, metadata_size(dev));
NUMBER_ATTR(spilled_size, spilled_size(dev));
NUMBER_ATTR(spare_available, spare_available(dev));

static ssize_t state_show(struct device *d, struct device_attribute *attr, char *buf)
{
	struct mtg_device *dev = mtg_dev(d);
	bool broken;

	down_read(&dev->init_lock);
	broken = mtg_slots_stopped(&dev->slots);
	up_read(&dev->init_lock);
	return sysfs_emit(buf, broken ? "stopped\n" : "ok\n");
}
static DEVICE_ATTR_RO(state);

static ssize_t spare_size_show(struct device *d, struct device_attribute *attr,
			       char *buf)
{
	return sysfs_emit(buf, "%llu\n",
			  (u64)READ_ONCE(mtg_dev(d)->spare_size) * PAGE_SIZE);
}

static int set_spare_size(struct mtg_device *dev, u64 size)
{
	/* No more can be spilled than the tag storage holds. */
	if (size > blocks_to_bytes(dev, dev->region->nr_blocks))
		return -EINVAL;
	return mtg_device_set_spare_size(dev, PHYS_PFN(PAGE_ALIGN(size)));
}
STORE_ATTR(spare_size, parse_size, set_spare_size)
static DEVICE_ATTR_RW(spare_size);

NUMBER_ATTR(used_size, mtg_pool_used_granules(&dev->pool) * MTG_GRANULE_SIZE);

/*
 * A byte of block_map: the state in the two highest bits, and in the six others how much of
 * the block is in use, from 0 (nothing) to BLOCK_MAP_FULL (all of it). Four states have
 * numbers of two bits. An offline block has the byte of a free block that is full, which no
 * free block is.
 */
#define BLOCK_MAP_FULL		63
#define BLOCK_MAP_OFFLINE	(MTG_BLOCK_FREE << 6 | BLOCK_MAP_FULL)

/* Without the block's lock: the byte may be out of date when user space reads it anyway. */
static u8 block_map_byte(struct mtg_device *dev, u32 block)
{
	struct mtg_region *region = dev->region;
	u8 state = mtg_region_block_state(region, block);
	unsigned int part = 0, whole = 1;

	BUILD_BUG_ON(MTG_BLOCK_STATES > 5);
	if (state == MTG_BLOCK_OFFLINE)
		return BLOCK_MAP_OFFLINE;
	if (state == MTG_BLOCK_TAGGED) {
		part = mtg_block_nr_reserved(region, block);
		whole = mtg_region_block_size(region) * MTG_TAG_RATIO / PAGE_SIZE;
	} else if (state == MTG_BLOCK_USED && dev->disksize) {
		part = mtg_pool_block_weight(&dev->pool, block);
		whole = mtg_region_block_size(region) / MTG_GRANULE_SIZE;
	}
	return state << 6 | DIV_ROUND_UP(part * BLOCK_MAP_FULL, whole);
}

static ssize_t block_map_read(struct file *file, struct kobject *kobj,
			      struct bin_attribute *attr, char *buf, loff_t pos,
			      size_t len)
{
	struct mtg_device *dev = mtg_dev(kobj_to_dev(kobj));
	u32 nr_blocks = dev->region->nr_blocks;
	size_t i;

	if (pos >= nr_blocks)
		return 0;
	len = min_t(size_t, len, nr_blocks - pos);
	down_read(&dev->init_lock);
	for (i = 0; i < len; i++) {
		buf[i] = block_map_byte(dev, pos + i);
		cond_resched();
	}
	up_read(&dev->init_lock);
	return len;
}
static BIN_ATTR_ADMIN_RO(block_map, 0);

static ssize_t share_show(struct device *d, struct device_attribute *attr, char *buf)
{
	struct mtg_device *dev = mtg_dev(d);

	return sysfs_emit(buf, "%llu\n", blocks_to_bytes(dev, READ_ONCE(dev->share)));
}

static int set_share(struct mtg_device *dev, u64 size)
{
	if (size > blocks_to_bytes(dev, dev->region->nr_blocks))
		return -EINVAL;
	return mtg_device_set_share(dev, div_u64(size, blocks_to_bytes(dev, 1)));
}
STORE_ATTR(share, parse_size, set_share)
static DEVICE_ATTR_RW(share);

STORE_ATTR(offline_page, parse_address, mtg_device_offline)
static DEVICE_ATTR_WO(offline_page);

static ssize_t verify_show(struct device *d, struct device_attribute *attr, char *buf)
{
	static const char * const verdicts[] = {
		[MTG_VERIFY_NONE]	= "none",
		[MTG_VERIFY_OK]		= "ok",
		[MTG_VERIFY_STOPPED]	= "interrupted",
		[MTG_VERIFY_WRONG]	= "wrong",
		[MTG_VERIFY_RUNNING]	= "running",
	};
	struct mtg_verification v;

	mtg_region_verified(mtg_dev(d)->region, &v);
	return sysfs_emit(buf, "%s %u %u %u %u\n", verdicts[v.verdict], v.nr_checked,
			  v.nr_no_page, v.nr_in_use, v.nr_places);
}

/* Without init_lock: to verify all blocks takes long, and needs the region only. */
static ssize_t verify_store(struct device *d, struct device_attribute *attr,
			    const char *buf, size_t len)
{
	struct mtg_device *dev = mtg_dev(d);
	bool all = sysfs_streq(buf, "all");
	int ret;

	if (!all && !sysfs_streq(buf, "sample"))
		return -EINVAL;
	ret = mtg_region_verify(dev->region, all);
	if (ret == -EIO)
		mtg_device_stop(dev);
	return ret ?: len;
}
static DEVICE_ATTR_RW(verify);

static struct attribute *tag_storage_attrs[] = {
	&dev_attr_size.attr,
	&dev_attr_block_size.attr,
	&dev_attr_blocks.attr,
	&dev_attr_blocks_free.attr,
	&dev_attr_blocks_used.attr,
	&dev_attr_blocks_tagged.attr,
	&dev_attr_blocks_offline.attr,
	&dev_attr_blocks_untaggable.attr,
	&dev_attr_offline_page.attr,
	&dev_attr_reserved_pages.attr,
	&dev_attr_share.attr,
	&dev_attr_metadata_size.attr,
	&dev_attr_spilled_size.attr,
	&dev_attr_spare_available.attr,
	&dev_attr_spare_size.attr,
	&dev_attr_used_size.attr,
	&dev_attr_state.attr,
	&dev_attr_verify.attr,
	NULL
};

static struct bin_attribute *tag_storage_bin_attrs[] = {
	&bin_attr_block_map,
	NULL
};

static const struct attribute_group tag_storage_group = {
	.name = "tag_storage",
	.attrs = tag_storage_attrs,
	.bin_attrs = tag_storage_bin_attrs,
};

NUMBER_ATTR(no_space, atomic64_read(&dev->failed_writes[MTG_WRITE_NO_SPACE]));

static ssize_t mem_limit_show(struct device *d, struct device_attribute *attr,
			      char *buf)
{
	struct mtg_device *dev = mtg_dev(d);

	return sysfs_emit(buf, "%llu\n",
			  (u64)atomic64_read(&dev->failed_writes[MTG_WRITE_MEM_LIMIT]));
}

/* The write-only file mem_limit above has the same name, but is in another directory. */
static struct device_attribute dev_attr_failed_mem_limit =
	__ATTR(mem_limit, 0444, mem_limit_show, NULL);

NUMBER_ATTR(no_memory, atomic64_read(&dev->failed_writes[MTG_WRITE_NO_MEMORY]));
NUMBER_ATTR(compress, atomic64_read(&dev->failed_writes[MTG_WRITE_COMPRESS]));
NUMBER_ATTR(stopped, atomic64_read(&dev->failed_writes[MTG_WRITE_STOPPED]));

static struct attribute *failed_writes_attrs[] = {
	&dev_attr_no_space.attr,
	&dev_attr_failed_mem_limit.attr,
	&dev_attr_no_memory.attr,
	&dev_attr_compress.attr,
	&dev_attr_stopped.attr,
	NULL
};

static const struct attribute_group failed_writes_group = {
	.name = "failed_writes",
	.attrs = failed_writes_attrs,
};

NUMBER_ATTR(reserved, mtg_region_reserves(dev->region));
NUMBER_ATTR(released, mtg_region_releases(dev->region));
NUMBER_ATTR(evicted, mtg_region_events(dev->region, MTG_EVICTED));
NUMBER_ATTR(evicted_atomic, mtg_region_events(dev->region, MTG_EVICTED_ATOMIC));
NUMBER_ATTR(relocated, mtg_slots_events(&dev->slots, MTG_RELOCATED));
NUMBER_ATTR(relocated_kept, rung(dev, MTG_RUNG_KEPT));
NUMBER_ATTR(spilled, rung(dev, MTG_RUNG_SPARE) + rung(dev, MTG_RUNG_ATOMIC) +
		     rung(dev, MTG_RUNG_EMERGENCY));
NUMBER_ATTR(spilled_atomic, rung(dev, MTG_RUNG_ATOMIC));
NUMBER_ATTR(spilled_emergency, rung(dev, MTG_RUNG_EMERGENCY));
NUMBER_ATTR(settled, mtg_slots_events(&dev->slots, MTG_SETTLED));
NUMBER_ATTR(refused, rung(dev, MTG_RUNG_REFUSE));
NUMBER_ATTR(killed, mtg_region_events(dev->region, MTG_KILLED));
NUMBER_ATTR(not_killed, mtg_region_events(dev->region, MTG_NOT_KILLED));
NUMBER_ATTR(lost, rung(dev, MTG_RUNG_LOSE));

static struct attribute *hook_attrs[] = {
	&dev_attr_reserved.attr,
	&dev_attr_released.attr,
	&dev_attr_evicted.attr,
	&dev_attr_evicted_atomic.attr,
	&dev_attr_relocated.attr,
	&dev_attr_relocated_kept.attr,
	&dev_attr_spilled.attr,
	&dev_attr_spilled_atomic.attr,
	&dev_attr_spilled_emergency.attr,
	&dev_attr_settled.attr,
	&dev_attr_refused.attr,
	&dev_attr_killed.attr,
	&dev_attr_not_killed.attr,
	&dev_attr_lost.attr,
	NULL
};

static const struct attribute_group hook_group = {
	.name = "hook",
	.attrs = hook_attrs,
};

const struct attribute_group *mtg_disk_groups[] = {
	&disk_group,
	&tag_storage_group,
	&failed_writes_group,
	&hook_group,
	NULL
};
