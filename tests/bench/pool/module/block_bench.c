// SPDX-License-Identifier: GPL-2.0
/*
 * Pages in and out of a block device, the way the swap core does it: one page, one
 * bio on the stack, and wait. Each operation is timed alone.
 *
 * /sys/module/block_bench/parameters/run takes one command at a time and shows what
 * came of the last one:
 *
 *	corpus FILE	read the pages to write
 *	open DEVICE	start anew with another device; SEED as a second word
 *	close
 *	write N KIND	store pages in random empty slots
 *	overwrite N KIND	replace the contents of random slots
 *	read N		read random slots
 *	discard N	discard random slots, a bio for each
 *	notify N	free random slots like the swap core
 *	mirror DEVICE	open a second device, and store there what the first one holds
 *	threads N WAY CPUS	read or write N random slots from so many CPUs, each of
 *			which has slots of its own; and the same on the mirror, in turns
 *			of TURN slots. "ratio" is the median of the mirror's time of a turn
 *			to that of the device, in thousandths
 *	verify		read all slots and compare; "errors" counts those that differ
 *
 * KIND is corpus, same (one 64-bit pattern all over) or random (incompressible). A
 * command ends at the first error of the device. Callers are serialised by the lock
 * of the module's parameters.
 */

#include <linux/bio.h>
#include <linux/blkdev.h>
#include <linux/completion.h>
#include <linux/file.h>
#include <linux/fs.h>
#include <linux/kthread.h>
#include <linux/ktime.h>
#include <linux/math64.h>
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/moduleparam.h>
#include <linux/prandom.h>
#include <linux/sched.h>
#include <linux/sort.h>
#include <linux/string.h>
#include <linux/vmalloc.h>

#define RANDOM_PAGES	64
/* A turn is so short that the host seldom takes the processor away in the middle. */
#define TURN		256
#define NO_PAGE		U32_MAX

/* What a slot may hold: pages of the file, then these. */
static struct {
	u8 *pages;
	u32 nr;
	u32 next;
} corpus;

static u8 *random_pages;
static u8 *same_page;
static u8 *buffer;

static struct file *bdev_file, *mirror_file;
static struct rnd_state rnd;
/* Slots that hold something, then the empty ones; what each slot holds. */
static u32 *slots, *content;
static u32 nr_slots, nr_live;
static u32 *times;
static u32 max_times;
static char result[160];

static struct block_device *bdev(void)
{
	return file_bdev(bdev_file);
}

static int one_bio_to(struct block_device *to, blk_opf_t op, u32 slot, void *data)
{
	struct bio_vec bvec;
	struct bio bio;
	int ret;

	bio_init(&bio, to, &bvec, 1, op | REQ_SYNC);
	bio.bi_iter.bi_sector = (sector_t)slot * (PAGE_SIZE / SECTOR_SIZE);
	if (data)
		__bio_add_page(&bio, vmalloc_to_page(data), PAGE_SIZE, 0);
	else
		bio.bi_iter.bi_size = PAGE_SIZE;
	ret = submit_bio_wait(&bio);
	bio_uninit(&bio);
	return ret;
}

static int one_bio(blk_opf_t op, u32 slot, void *data)
{
	return one_bio_to(bdev(), op, slot, data);
}

static int notify(u32 slot)
{
	bdev()->bd_disk->fops->swap_slot_free_notify(bdev(), slot);
	return 0;
}

static void *page_of(u32 id)
{
	if (id < corpus.nr)
		return corpus.pages + (size_t)id * PAGE_SIZE;
	id -= corpus.nr;
	return id ? random_pages + (size_t)(id - 1) * PAGE_SIZE : same_page;
}

static u32 choose(const char *kind)
{
	if (!strcmp(kind, "same"))
		return corpus.nr;
	if (!strcmp(kind, "random"))
		return corpus.nr + 1 + prandom_u32_state(&rnd) % RANDOM_PAGES;
	if (strcmp(kind, "corpus") || !corpus.nr)
		return NO_PAGE;
	/* Pages come in the order of the file, whose pages are shuffled. */
	corpus.next %= corpus.nr;
	return corpus.next++;
}

/* The slot becomes the last one that holds something, or the first empty one. */
static u32 pick(u32 from, u32 nr, u32 to)
{
	u32 i = from + prandom_u32_state(&rnd) % nr;

	swap(slots[i], slots[to]);
	return slots[to];
}

static int do_write(u32 slot, const char *kind, u32 *ns)
{
	u32 id = choose(kind);
	u64 start;
	int ret;

	if (id == NO_PAGE)
		return -EINVAL;
	start = ktime_get_ns();
	ret = one_bio(REQ_OP_WRITE, slot, page_of(id));
	*ns = ktime_get_ns() - start;
	if (!ret)
		content[slot] = id;
	return ret;
}

/* One operation; -ENODATA if there is no slot left for it. */
static int step(const char *what, const char *kind, u32 *ns)
{
	u64 start;
	u32 slot;
	int ret;

	if (!strcmp(what, "write")) {
		if (nr_live == nr_slots)
			return -ENODATA;
		slot = pick(nr_live, nr_slots - nr_live, nr_live);
		ret = do_write(slot, kind, ns);
		nr_live += !ret;
		return ret;
	}
	if (!nr_live)
		return -ENODATA;
	if (!strcmp(what, "overwrite"))
		return do_write(slots[prandom_u32_state(&rnd) % nr_live], kind, ns);
	if (!strcmp(what, "read")) {
		slot = slots[prandom_u32_state(&rnd) % nr_live];
		start = ktime_get_ns();
		ret = one_bio(REQ_OP_READ, slot, buffer);
		*ns = ktime_get_ns() - start;
		return ret;
	}
	slot = pick(0, nr_live, nr_live - 1);
	start = ktime_get_ns();
	if (!strcmp(what, "discard"))
		ret = one_bio(REQ_OP_DISCARD, slot, NULL);
	else if (!strcmp(what, "notify"))
		ret = notify(slot);
	else
		return -EINVAL;
	*ns = ktime_get_ns() - start;
	nr_live -= !ret;
	return ret;
}

static int compare(const void *a, const void *b)
{
	return *(const u32 *)a < *(const u32 *)b ? -1 : *(const u32 *)a > *(const u32 *)b;
}

static void report(u32 n, int error)
{
	u64 sum = 0;
	u32 i;

	for (i = 0; i < n; i++)
		sum += times[i];
	sort(times, n, sizeof(*times), compare, NULL);
	snprintf(result, sizeof(result),
		 "ops=%u error=%d live=%u total=%llu median=%u p99=%u max=%u", n, error,
		 nr_live, sum, n ? times[n / 2] : 0, n ? times[n * 99 / 100] : 0,
		 n ? times[n - 1] : 0);
}

static int run_steps(const char *what, u32 n, const char *kind)
{
	int ret = 0;
	u32 i;

	if (n > max_times)
		return -EINVAL;
	for (i = 0; i < n && !ret; i++) {
		ret = step(what, kind, &times[i]);
		cond_resched();
	}
	if (ret == -EINVAL)
		return ret;
	report(ret ? i - 1 : i, ret);
	return 0;
}

/* One of several threads at the same time: each takes every @nr-th of the live slots. */
struct worker {
	struct task_struct *task;
	struct completion done;
	struct block_device *bdev;
	struct rnd_state rnd;
	u8 *buffer;
	bool write;
	u32 first, nr, ops;
	int error;
};

static int worker_step(struct worker *w)
{
	u32 n = prandom_u32_state(&w->rnd) % (nr_live / w->nr) * w->nr + w->first;
	u32 slot = slots[n];
	int ret;

	if (!w->write)
		return one_bio_to(w->bdev, REQ_OP_READ, slot, w->buffer);
	n = prandom_u32_state(&w->rnd) % corpus.nr;
	ret = one_bio_to(w->bdev, REQ_OP_WRITE, slot, page_of(n));
	if (!ret)
		content[slot] = n;
	return ret;
}

static int work(void *arg)
{
	struct worker *w = arg;
	u32 i;

	for (i = 0; i < w->ops && !w->error; i++) {
		w->error = worker_step(w);
		cond_resched();
	}
	kthread_complete_and_exit(&w->done, 0);
}

static int make_worker(struct worker *w, u32 i, u32 nr, bool write, u32 seed)
{
	w->first = i;
	w->nr = nr;
	w->ops = TURN / nr;
	w->write = write;
	init_completion(&w->done);
	prandom_seed_state(&w->rnd, seed + i);
	w->buffer = vmalloc(PAGE_SIZE);
	w->task = kthread_create(work, w, "block_bench/%u", i);
	if (IS_ERR(w->task))
		return PTR_ERR(w->task);
	kthread_bind(w->task, i);
	return w->buffer ? 0 : -ENOMEM;
}

/* One turn: the time from the start of the first to the end of the last one. */
static int run_workers(struct worker *workers, u32 nr, bool write, u32 seed,
		       struct file *file, u32 *ns)
{
	int ret = 0, error = 0;
	u64 start;
	u32 i;

	memset(workers, 0, nr * sizeof(*workers));
	for (i = 0; i < nr && !ret; i++) {
		workers[i].bdev = file_bdev(file);
		ret = make_worker(&workers[i], i, nr, write, seed);
	}
	start = ktime_get_ns();
	for (i = 0; i < nr && !ret; i++)
		wake_up_process(workers[i].task);
	for (i = 0; i < nr && !ret; i++)
		wait_for_completion(&workers[i].done);
	*ns = ktime_get_ns() - start;
	for (i = 0; i < nr; i++) {
		/* The threads that never ran. */
		if (ret && !IS_ERR_OR_NULL(workers[i].task))
			kthread_stop(workers[i].task);
		error = error ?: workers[i].error;
		vfree(workers[i].buffer);
	}
	return ret ?: error;
}

static int run_threads(u32 n, bool write, u32 nr)
{
	struct file *files[] = { bdev_file, mirror_file };
	u32 i, who, seed, ns[2], turns = n / TURN;
	struct worker *workers;
	int ret = 0;

	if (!nr || nr > num_online_cpus() || nr_live < nr || !corpus.nr || !turns ||
	    turns > max_times || !mirror_file)
		return -EINVAL;
	workers = vcalloc(nr, sizeof(*workers));
	if (!workers)
		return -ENOMEM;
	for (i = 0; i < turns && !ret; i++) {
		seed = prandom_u32_state(&rnd);
		/* The two devices take turns in being the first. */
		for (who = i % 2; who < i % 2 + 2 && !ret; who++)
			ret = run_workers(workers, nr, write, seed, files[who % 2],
					  &ns[who % 2]);
		times[i] = div_u64(1000ULL * ns[1], ns[0]);
	}
	vfree(workers);
	if (ret)
		return ret;
	sort(times, turns, sizeof(*times), compare, NULL);
	snprintf(result, sizeof(result), "turns=%u ratio=%u low=%u high=%u", turns,
		 times[turns / 2], times[turns / 4], times[turns * 3 / 4]);
	return 0;
}

static int open_mirror(const char *path)
{
	struct file *file;
	int ret = 0;
	u32 i;

	if (mirror_file)
		return -EBUSY;
	file = bdev_file_open_by_path(path, BLK_OPEN_READ | BLK_OPEN_WRITE, &slots, NULL);
	if (IS_ERR(file))
		return PTR_ERR(file);
	mirror_file = file;
	for (i = 0; i < nr_live && !ret; i++)
		ret = one_bio_to(file_bdev(file), REQ_OP_WRITE, slots[i],
				 page_of(content[slots[i]]));
	return ret;
}

static bool differs(struct block_device *from, u32 slot)
{
	return one_bio_to(from, REQ_OP_READ, slot, buffer) ||
	       memcmp(buffer, page_of(content[slot]), PAGE_SIZE);
}

static int verify(void)
{
	u32 i, errors = 0;

	for (i = 0; i < nr_live; i++) {
		errors += differs(bdev(), slots[i]);
		if (mirror_file)
			errors += differs(file_bdev(mirror_file), slots[i]);
		cond_resched();
	}
	snprintf(result, sizeof(result), "ops=%u errors=%u", nr_live, errors);
	return 0;
}

static int read_corpus(const char *path)
{
	struct file *file = filp_open(path, O_RDONLY, 0);
	loff_t pos = 0, size;
	ssize_t n = 0;

	if (IS_ERR(file))
		return PTR_ERR(file);
	size = round_down(i_size_read(file_inode(file)), PAGE_SIZE);
	vfree(corpus.pages);
	corpus.nr = 0;
	corpus.pages = vmalloc(size);
	while (corpus.pages && pos < size) {
		n = kernel_read(file, corpus.pages + pos, min(size - pos, 1 << 20), &pos);
		if (n <= 0)
			break;
	}
	fput(file);
	if (!corpus.pages || pos < size)
		return -EIO;
	corpus.nr = size / PAGE_SIZE;
	snprintf(result, sizeof(result), "pages=%u", corpus.nr);
	return 0;
}

static void close_device(void)
{
	if (bdev_file)
		bdev_fput(bdev_file);
	if (mirror_file)
		bdev_fput(mirror_file);
	bdev_file = NULL;
	mirror_file = NULL;
	vfree(slots);
	vfree(content);
	vfree(times);
	slots = NULL;
	content = NULL;
	times = NULL;
	nr_live = 0;
	nr_slots = 0;
	max_times = 0;
}

static int open_device(const char *path, u32 seed)
{
	struct file *file;
	u32 i;

	close_device();
	file = bdev_file_open_by_path(path, BLK_OPEN_READ | BLK_OPEN_WRITE, &slots, NULL);
	if (IS_ERR(file))
		return PTR_ERR(file);
	bdev_file = file;
	nr_slots = bdev_nr_sectors(bdev()) / (PAGE_SIZE / SECTOR_SIZE);
	max_times = 2 * nr_slots;
	slots = vmalloc_array(nr_slots, sizeof(*slots));
	content = vmalloc_array(nr_slots, sizeof(*content));
	times = vmalloc_array(max_times, sizeof(*times));
	if (!slots || !content || !times) {
		close_device();
		return -ENOMEM;
	}
	for (i = 0; i < nr_slots; i++)
		slots[i] = i;
	corpus.next = 0;
	prandom_seed_state(&rnd, seed);
	snprintf(result, sizeof(result), "slots=%u", nr_slots);
	return 0;
}

static int run_set(const char *command, const struct kernel_param *kp)
{
	char what[16], word[128] = "", kind[16] = "";
	u32 n = 0, nr = 0;

	result[0] = '\0';
	if (sscanf(command, "%15s %127s %15s %u", what, word, kind, &nr) < 1)
		return -EINVAL;
	if (!strcmp(what, "corpus"))
		return read_corpus(word);
	if (!strcmp(what, "open"))
		return open_device(word, kstrtou32(kind, 10, &n) ? 1 : n);
	if (!strcmp(what, "close")) {
		close_device();
		return 0;
	}
	if (!bdev_file)
		return -ENODEV;
	if (!strcmp(what, "verify"))
		return verify();
	if (!strcmp(what, "mirror"))
		return open_mirror(word);
	if (kstrtou32(word, 10, &n))
		return -EINVAL;
	return strcmp(what, "threads") ? run_steps(what, n, kind) :
	       run_threads(n, !strcmp(kind, "write"), nr);
}

static int run_get(char *buf, const struct kernel_param *kp)
{
	return sysfs_emit(buf, "%s\n", result);
}

static const struct kernel_param_ops run_ops = { .set = run_set, .get = run_get };
module_param_cb(run, &run_ops, NULL, 0600);
MODULE_PARM_DESC(run, "a command");

static void block_bench_exit(void)
{
	close_device();
	vfree(corpus.pages);
	vfree(random_pages);
	vfree(same_page);
	vfree(buffer);
}

static int __init block_bench_init(void)
{
	struct rnd_state state;

	random_pages = vmalloc(RANDOM_PAGES * PAGE_SIZE);
	same_page = vmalloc(PAGE_SIZE);
	buffer = vmalloc(PAGE_SIZE);
	if (!random_pages || !same_page || !buffer) {
		block_bench_exit();
		return -ENOMEM;
	}
	prandom_seed_state(&state, 1);
	prandom_bytes_state(&state, random_pages, RANDOM_PAGES * PAGE_SIZE);
	memset(same_page, 0x5a, PAGE_SIZE);
	return 0;
}

module_init(block_bench_init);
module_exit(block_bench_exit);
MODULE_DESCRIPTION("Times pages in and out of a block device");
MODULE_LICENSE("GPL");
/* Built apart, but of the same sources: the kernel is none the worse for it. */
MODULE_INFO(intree, "Y");
