// SPDX-License-Identifier: GPL-2.0
/*
 * mtetagram: MTE tag storage that holds no tags, as a compressed RAM disk.
 *
 * Load and unload of the driver: one device for each region of tag storage.
 *
 * Documentation/admin-guide/blockdev/mtetagram.rst describes the use of the driver, and
 * Documentation/mm/mtetagram/hook.rst the design.
 */

#define pr_fmt(fmt) "mtetagram: " fmt

#include <linux/blkdev.h>
#include <linux/err.h>
#include <linux/memory.h>
#include <linux/module.h>
#include <linux/moduleparam.h>
#include <linux/notifier.h>
#include <linux/printk.h>
#include <linux/suspend.h>

#include "broker.h"
#include "device.h"
#include "inject.h"

/*
 * modprobe gives each mtetagram.NAME= of the kernel's command line to the module. The built-in
 * half has acted on mtetagram.verify= at boot.
 */
static int ignore_verify(const char *value, const struct kernel_param *param)
{
	return 0;
}

static const struct kernel_param_ops verify_ops = {
	.set = ignore_verify,
};
module_param_cb(verify, &verify_ops, NULL, 0);
MODULE_PARM_DESC(verify, "Only on the command line of the kernel, as mtetagram.verify=sample|all|off");

static int mtg_major;
static struct mtg_device *devices[MTG_MAX_REGIONS];
static unsigned int nr_devices;

static bool usable(struct mtg_region *region)
{
	if (mtg_region_block_size(region) <= MTG_MAX_BLOCK_SIZE)
		return true;
	pr_err_once("region %u: blocks of %u bytes are larger than the %u that are supported\n",
		    region->id, mtg_region_block_size(region), MTG_MAX_BLOCK_SIZE);
	return false;
}

static int create_devices(void)
{
	struct mtg_region *region;
	struct mtg_device *dev;
	unsigned int id;

	for (id = 0; (region = mtg_region_by_id(id)); id++) {
		if (!usable(region))
			continue;
		dev = mtg_device_create(region, mtg_major);
		if (IS_ERR(dev))
			return PTR_ERR(dev);
		devices[nr_devices++] = dev;
	}
	if (nr_devices)
		return 0;
	pr_err("no usable MTE tag storage: the device tree has no arm,mte-tag-storage node, or it was refused at boot\n");
	return -ENODEV;
}

static void destroy_devices(void)
{
	while (nr_devices)
		mtg_device_destroy(devices[--nr_devices]);
}

/*
 * User space may open a device as soon as the first one is added, and nothing may fail any
 * more. So a device that cannot be added does not take the others with it. Returns an error
 * if no device could be added.
 */
static int add_disks(void)
{
	unsigned int i, added = 0;
	int ret, error = 0;

	for (i = 0; i < nr_devices; i++) {
		ret = mtg_device_add_disk(devices[i], mtg_disk_groups);
		if (ret)
			error = ret;
		else
			added++;
	}
	return added ? 0 : error;
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
		/* An empty device could be written to before tasks are frozen. */
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
			mtg_broker_recount(devices[i]);
	return NOTIFY_OK;
}

static struct notifier_block memory_nb = {
	.notifier_call = memory_changed,
};

static void register_notifiers(void)
{
	register_pm_notifier(&pm_nb);
	register_memory_notifier(&memory_nb);
}

static void unregister_notifiers(void)
{
	unregister_memory_notifier(&memory_nb);
	unregister_pm_notifier(&pm_nb);
}

static int __init mtg_init(void)
{
	int ret = mtg_broker_init();

	if (ret)
		return ret;
	mtg_major = register_blkdev(0, "mtetagram");
	if (mtg_major < 0) {
		ret = mtg_major;
		goto err_broker;
	}
	ret = create_devices();
	if (ret)
		goto err_devices;
	mtg_fault_init();
	register_notifiers();
	ret = add_disks();
	if (ret)
		goto err_notifiers;
	return 0;

err_notifiers:
	unregister_notifiers();
	mtg_fault_exit();
err_devices:
	destroy_devices();
	unregister_blkdev(mtg_major, "mtetagram");
err_broker:
	mtg_broker_exit();
	return ret;
}

static void __exit mtg_exit(void)
{
	unregister_notifiers();
	destroy_devices();
	mtg_fault_exit();
	unregister_blkdev(mtg_major, "mtetagram");
	mtg_broker_exit();
}

module_init(mtg_init);
module_exit(mtg_exit);

MTG_IMPORT_SYMBOLS;
MODULE_LICENSE("GPL");
MODULE_DESCRIPTION("Compressed RAM block device in unused MTE tag storage");
