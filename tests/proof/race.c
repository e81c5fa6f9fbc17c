// SPDX-License-Identifier: GPL-2.0
/*
 * race: all processors want the same tag blocks at the same time, while the same
 * slots are stored, loaded and discarded.
 *
 * Taggers, each bound to a processor, share one memfd. In each round they map the memfd
 * with PROT_MTE and touch its pages together, in one of three ways: each page is touched
 * by one tagger, so that the pages of one tag block are tagged from several processors;
 * or all taggers touch the same page first; or all touch a huge page at once. Then each
 * tagger tags and writes its own pages, verifies the pages of its neighbour, and gives
 * its own pages back, at the same time as the other taggers of the tag block.
 *
 * I/O processes write, read and discard slots (4 KiB) of a block device directly. Each
 * process has slots of its own, and knows their contents. All processes share some other
 * slots, which must hold exactly what one of the processes has written last. The contents of
 * a slot say which slot and which version it is.
 *
 * I/O goes on as long as there are taggers. SIGTERM ends the program early, and in order.
 * With --endless only SIGTERM ends it, and a line is printed for each round.
 *
 * Nothing is stored to compare with: contents and tags follow from numbers. Errors of a
 * slot that should be readable count as lost, once for each slot.
 *
 * Exit status: 0 all right; 1 corruption; 2 cannot run; 3 no corruption, but slots were
 * lost or processes were killed.
 */

#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <linux/fs.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "mte.h"
#include "pattern.h"
#include "say.h"

#define HUGE_SIZE	(2UL << 20)
#define PROCS_MAX	16
#define BATCH		8	/* slots in one I/O, at most */
#define REPORTS_MAX	5	/* of each process */
/* A key: the slot in the low bits, the version above. */
#define SLOT_BITS	24

enum counter {
	COUNT_ROUNDS,
	COUNT_TAGGED,		/* pages given tags */
	COUNT_VERIFIED,		/* pages whose data and tags were right */
	COUNT_STORED,		/* slots */
	COUNT_LOADED,
	COUNT_DISCARDED,
	COUNT_REFUSED,		/* I/Os that failed for want of space */
	COUNT_LOST,		/* slots */
	COUNT_BAD_SLOTS,
	COUNT_BAD_DATA,		/* pages */
	COUNT_BAD_TAGS,
	COUNT_KILLED,		/* processes */
	COUNTERS,
};

static const char * const counter_names[COUNTERS] = {
	"rounds", "tagged", "verified", "stored", "loaded", "discarded", "refused",
	"lost", "bad slots", "bad data", "bad tags", "killed",
};

static struct {
	unsigned int taggers;
	unsigned int io;
	size_t mem;
	const char *device;
	uint64_t slots;		/* of each I/O process */
	uint64_t shared;	/* slots of all of them */
	bool endless;
	unsigned int rounds;
	uint64_t seed;
	bool load_only;
} options = { .mem = 2UL << 20, .shared = 64, .rounds = 1, .seed = 1 };

/* The memory that the processes share. */
static struct {
	pthread_barrier_t barrier;
	uint64_t counters[COUNTERS];
	unsigned int stop;	/* set by the first tagger for all, between barriers */
	unsigned int enough;	/* SIGTERM */
} *common;

static uint64_t random_state;
static unsigned int reports;

static void count(enum counter counter, uint64_t n)
{
	__atomic_fetch_add(&common->counters[counter], n, __ATOMIC_RELAXED);
}

static uint64_t total(enum counter counter)
{
	return __atomic_load_n(&common->counters[counter], __ATOMIC_RELAXED);
}

static uint64_t dice(uint64_t sides)
{
	return (pattern_next(&random_state) >> 16) % sides;
}

static bool is_over(unsigned int round)
{
	if (__atomic_load_n(&common->enough, __ATOMIC_RELAXED))
		return true;
	return !options.endless && round >= options.rounds;
}

#define report(...) do { if (reports++ < REPORTS_MAX) say("race: " __VA_ARGS__); } while (0)

/* ---- taggers ---- */

static int memfd;
static unsigned int tagger;	/* number of this one */
static unsigned int nr_pages;
static uint8_t *plain;		/* mapping without tags, to have the pages allocated */

/* The arguments of one guarded access. */
struct access {
	uint8_t *page;
	uint64_t key;
};

static void wait_for_all(void)
{
	pthread_barrier_wait(&common->barrier);
}

/* Room at a multiple of 2 MiB, and @offset beyond. */
static uint8_t *find_room(size_t offset)
{
	size_t size = options.mem + 2 * HUGE_SIZE;
	uint8_t *start = mmap(NULL, size, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS |
			      MAP_NORESERVE, -1, 0);

	if (start == MAP_FAILED)
		die("race: no address space");
	return (uint8_t *)(((uintptr_t)start + HUGE_SIZE - 1) & ~(HUGE_SIZE - 1)) + offset;
}

static uint8_t *map_file(size_t offset, int prot)
{
	uint8_t *base = mmap(find_room(offset), options.mem, PROT_READ | PROT_WRITE | prot,
			     MAP_SHARED | MAP_FIXED, memfd, 0);

	if (base == MAP_FAILED)
		die("race: mmap: %s", strerror(errno));
	madvise(base, options.mem, MADV_HUGEPAGE);
	return base;
}

static void do_write(void *arg)
{
	struct access *a = arg;
	uint64_t data[PAGE_WORDS];
	uint8_t tags[PAGE_TAGS];
	unsigned int i;

	pattern_page(data, a->key, CONTENT_HALF);
	pattern_tags(tags, a->key);
	for (i = 0; i < PAGE_TAGS; i++) {
		void *p = mte_pointer(a->page + i * GRANULE, tags[i]);

		mte_store_tag(p);
		mte_store(p, &data[i * 2]);
	}
}

static void do_verify(void *arg)
{
	struct access *a = arg;
	uint64_t data[PAGE_WORDS], got[2];
	uint8_t tags[PAGE_TAGS];
	unsigned int i;

	pattern_page(data, a->key, CONTENT_HALF);
	pattern_tags(tags, a->key);
	for (i = 0; i < PAGE_TAGS; i++) {
		uint8_t *p = a->page + i * GRANULE;

		if (mte_load_tag(p) != tags[i]) {
			count(COUNT_BAD_TAGS, 1);
			report("pid %d: %p has tag %u instead of %u", getpid(), p,
			       mte_load_tag(p), tags[i]);
			return;
		}
		mte_load(mte_pointer(p, tags[i]), got);
		if (memcmp(got, &data[i * 2], sizeof(got))) {
			count(COUNT_BAD_DATA, 1);
			report("pid %d: %p holds %016llx instead of %016llx", getpid(), p,
			       (unsigned long long)got[0], (unsigned long long)data[i * 2]);
			return;
		}
	}
	count(COUNT_VERIFIED, 1);
}

/* Do something to all pages of @whose. */
static void each_page(uint8_t *base, unsigned int whose, unsigned int round, guarded_fn fn)
{
	unsigned int page;

	for (page = whose; page < nr_pages; page += options.taggers) {
		struct access access = {
			.page = base + page * PAGE,
			.key = pattern_hash(options.seed + round, page),
		};
		enum outcome outcome = guard(fn, &access);

		if (outcome == ACCESS_OK)
			continue;
		count(COUNT_BAD_TAGS, 1);
		report("pid %d: page %u: %s", getpid(), page,
		       outcome == ACCESS_TAG_FAULT ? "a wrong tag fault" : "a fault");
	}
}

/*
 * From here on the pages are tagged. The mapping is not aligned like the file, so it has
 * no huge pages: a read fault maps 16 pages, and a write fault maps one page.
 */
static uint8_t *map_tagged(unsigned int way)
{
	uint8_t *base = map_file(way ? PAGE : 0, PROT_MTE);
	unsigned int page;

	/* All taggers touch the same pages, of which some may have their tags by now. */
	mte_checks_off();
	if (way != 2)
		for (page = 0; page < nr_pages; page += 16)
			*(volatile uint8_t *)(base + page * PAGE);
	mte_checks_on();
	return base;
}

static void give_back(uint8_t *base, unsigned int way)
{
	unsigned int page;

	/* Several processors touch pages of one block, or one processor touches all. */
	for (page = tagger; way && page < nr_pages; page += options.taggers)
		if (madvise(base + page * PAGE, PAGE, MADV_REMOVE))
			die("race: MADV_REMOVE: %s", strerror(errno));
	munmap(base, options.mem);
	wait_for_all();
	if (!tagger && (ftruncate(memfd, 0) || ftruncate(memfd, options.mem)))
		die("race: ftruncate: %s", strerror(errno));
}

static void tag_round(unsigned int round)
{
	/* This choice is the same for all taggers. */
	uint64_t way = pattern_hash(options.seed, round);
	unsigned int page;
	uint8_t *base;

	/* The pages are allocated as huge pages without tags, so that tag blocks are whole. */
	if (!tagger && way % 4)
		for (page = 0; page < nr_pages; page++)
			plain[page * PAGE] = 1;
	wait_for_all();
	base = map_tagged(way / 4 % 3);
	each_page(base, tagger, round, do_write);
	count(COUNT_TAGGED, nr_pages / options.taggers);
	wait_for_all();
	each_page(base, (tagger + 1) % options.taggers, round, do_verify);
	wait_for_all();
	give_back(base, way / 16 % 2);
	if (tagger)
		return;
	count(COUNT_ROUNDS, 1);
	if (options.endless)
		say("race: round %u", round + 1);
}

static void bind_to_cpu(unsigned int number)
{
	cpu_set_t set;

	CPU_ZERO(&set);
	CPU_SET(number % sysconf(_SC_NPROCESSORS_ONLN), &set);
	if (sched_setaffinity(0, sizeof(set), &set))
		die("race: sched_setaffinity: %s", strerror(errno));
}

static int run_tagger(unsigned int number)
{
	unsigned int round = 0;

	tagger = number;
	bind_to_cpu(number);
	guard_install();
	plain = map_file(0, 0);
	do {
		tag_round(round++);
		/* No process reads this before the barrier, or sets it after the barrier. */
		if (!tagger)
			__atomic_store_n(&common->stop, is_over(round), __ATOMIC_RELAXED);
		wait_for_all();
	} while (!common->stop);
	return 0;
}

/* ---- I/O ---- */

static int device;
static uint64_t first_slot;	/* that only this process uses */
static uint32_t *versions;	/* of the slots of this process; 0: zeros */
static bool *lost;
static uint32_t version;
static uint64_t *buffer;

static void fill_slot(uint64_t *data, uint64_t slot)
{
	uint64_t key = (uint64_t)version << SLOT_BITS | slot;

	pattern_page(data, key, dice(8) ? CONTENT_HALF : CONTENT_RANDOM);
	data[0] = key;
}

/* The version of the contents, 0 for zeros, or -1 if the contents are wrong. */
static int64_t check_slot(const uint64_t *data, uint64_t slot)
{
	static const uint64_t zeros[PAGE_WORDS];
	uint64_t page[PAGE_WORDS], key = data[0];
	enum content kind;

	if (!memcmp(data, zeros, PAGE))
		return 0;
	for (kind = CONTENT_RANDOM; kind <= CONTENT_HALF; kind++) {
		pattern_page(page, key, kind);
		page[0] = key;
		if (!memcmp(page, data, PAGE) &&
		    (key & ((1 << SLOT_BITS) - 1)) == slot)
			return key >> SLOT_BITS;
	}
	return -1;
}

static bool is_shared(uint64_t slot)
{
	return slot < options.shared;
}

static void note_content(uint64_t slot, uint32_t content)
{
	if (is_shared(slot))
		return;
	versions[slot - first_slot] = content;
	lost[slot - first_slot] = false;
}

/*
 * Read a slot and compare. If @attempt is not 0, a store of that version has failed,
 * and may have done its work for this slot all the same.
 */
static void load(uint64_t slot, uint32_t attempt)
{
	ssize_t done = pread(device, buffer, PAGE, slot * PAGE);
	int64_t got;

	if (done < 0 && errno == EIO) {
		if (is_shared(slot) || !lost[slot - first_slot])
			count(COUNT_LOST, 1);
		if (!is_shared(slot))
			lost[slot - first_slot] = true;
		return;
	}
	if (done != PAGE)
		die("race: reading slot %llu: %s", (unsigned long long)slot, strerror(errno));
	count(COUNT_LOADED, 1);
	got = check_slot(buffer, slot);
	if (got > 0 && got == attempt)
		note_content(slot, attempt);
	if (got >= 0 && (is_shared(slot) || got == versions[slot - first_slot]))
		return;
	count(COUNT_BAD_SLOTS, 1);
	report("pid %d: slot %llu holds %016llx, version %lld instead of %u", getpid(),
	       (unsigned long long)slot, (unsigned long long)buffer[0], (long long)got,
	       is_shared(slot) ? 0 : versions[slot - first_slot]);
}

static void store(uint64_t slot, unsigned int nr)
{
	unsigned int i;
	ssize_t done;

	version++;
	for (i = 0; i < nr; i++)
		fill_slot(buffer + i * PAGE_WORDS, slot + i);
	done = pwrite(device, buffer, nr * PAGE, slot * PAGE);
	if (done == (ssize_t)(nr * PAGE)) {
		for (i = 0; i < nr; i++)
			note_content(slot + i, version);
		count(COUNT_STORED, nr);
		return;
	}
	if (done >= 0 || errno != ENOSPC)
		die("race: writing slot %llu: %s", (unsigned long long)slot, strerror(errno));
	count(COUNT_REFUSED, 1);
	/* The first slots of a batch may have been stored; a single slot keeps its contents. */
	for (i = 0; i < nr; i++)
		load(slot + i, nr > 1 ? version : 0);
}

static void discard(uint64_t slot, unsigned int nr)
{
	uint64_t range[2] = { slot * PAGE, nr * PAGE };
	unsigned int i;

	if (ioctl(device, BLKDISCARD, range))
		die("race: discard: %s", strerror(errno));
	for (i = 0; i < nr; i++)
		note_content(slot + i, 0);
	count(COUNT_DISCARDED, nr);
}

static void io_step(void)
{
	bool shared = options.shared && !dice(4);
	uint64_t first = shared ? 0 : first_slot;
	uint64_t range = shared ? options.shared : options.slots;
	uint64_t slot = dice(range);
	unsigned int nr = 1 + dice(range - slot < BATCH ? range - slot : BATCH);

	switch (options.load_only ? 9 : dice(10)) {
	case 0:
		discard(first + slot, nr);
		break;
	case 1:
	case 2:
	case 3:
		store(first + slot, nr);
		break;
	default:
		load(first + slot, 0);
	}
}

static bool io_done(uint64_t step)
{
	if (options.taggers)
		return __atomic_load_n(&common->stop, __ATOMIC_RELAXED);
	return is_over(step / 1000);
}

static int run_io(unsigned int number)
{
	uint64_t slot, step;

	first_slot = options.shared + number * options.slots;
	version = number << 20;
	versions = calloc(options.slots, sizeof(*versions));
	lost = calloc(options.slots, sizeof(*lost));
	if (!versions || !lost || posix_memalign((void **)&buffer, PAGE, BATCH * PAGE) ||
	    mlockall(MCL_CURRENT))
		die("race: no memory");
	device = open(options.device, O_RDWR | O_DIRECT | O_CLOEXEC);
	if (device < 0)
		die("race: %s: %s", options.device, strerror(errno));
	discard(first_slot, options.slots);
	for (slot = 0; slot < options.slots; slot++)
		store(first_slot + slot, 1);
	for (step = 0; !io_done(step); step++)
		io_step();
	for (slot = 0; slot < options.slots; slot++)
		load(first_slot + slot, 0);
	return 0;
}

/* ---- all ---- */

static pid_t start(int (*run)(unsigned int), unsigned int number)
{
	pid_t pid = fork();

	if (pid < 0)
		die("race: fork: %s", strerror(errno));
	if (pid)
		return pid;
	signal(SIGTERM, SIG_DFL);
	random_state = pattern_hash(options.seed, getpid()) | 1;
	exit(run(number));
}

static void make_common(void)
{
	pthread_barrierattr_t attr;

	common = mmap(NULL, sizeof(*common), PROT_READ | PROT_WRITE,
		      MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (common == MAP_FAILED || mlock(common, sizeof(*common)))
		die("race: no memory");
	pthread_barrierattr_init(&attr);
	pthread_barrierattr_setpshared(&attr, PTHREAD_PROCESS_SHARED);
	if (options.taggers)
		pthread_barrier_init(&common->barrier, &attr, options.taggers);
}

static void make_file(void)
{
	options.mem = (options.mem + HUGE_SIZE - 1) & ~(HUGE_SIZE - 1);
	nr_pages = options.mem / PAGE;
	memfd = memfd_create("race", MFD_CLOEXEC);
	if (memfd < 0 || ftruncate(memfd, options.mem))
		die("race: memfd: %s", strerror(errno));
}

static void on_term(int signal)
{
	(void)signal;
	common->enough = 1;
}

/* The other processes may wait for ever for a process that is gone: end all of them, too. */
static int wait_for_children(const pid_t *pids, unsigned int nr)
{
	unsigned int i, left = nr;
	int status, setup = 0;

	while (left) {
		if (wait(&status) < 0)
			continue;
		left--;
		if (!status || WTERMSIG(status) == SIGTERM)
			continue;
		say("race: a process ended with wait status %#x", status);
		if (WIFEXITED(status))
			setup = WEXITSTATUS(status);
		else
			count(COUNT_KILLED, 1);
		for (i = 0; i < nr; i++)
			kill(pids[i], SIGTERM);
	}
	return setup;
}

static int verdict(int setup)
{
	unsigned int i;

	for (i = 0; i < COUNTERS; i++)
		say("race: %-9s %llu", counter_names[i], (unsigned long long)total(i));
	if (total(COUNT_BAD_SLOTS) || total(COUNT_BAD_DATA) || total(COUNT_BAD_TAGS))
		return 1;
	if (setup)
		return setup;
	return total(COUNT_LOST) || total(COUNT_KILLED) ? 3 : 0;
}

static const char help[] =
	"usage: race [options]\n"
	"  --taggers N    processes that tag, verify and free the same memory (0)\n"
	"  --mem SIZE     of that memory in MiB (2)\n"
	"  --device DEV   for I/O\n"
	"  --io N         processes that do I/O (0)\n"
	"  --slots N      slots of each of them\n"
	"  --shared N     slots of all of them (64)\n"
	"  --load-only    only read what was written at first\n"
	"  --rounds N     of tagging, or thousands of I/Os (1)\n"
	"  --endless      instead of --rounds: until SIGTERM\n"
	"  --seed N       (1)";

static const struct option long_options[] = {
	{ "taggers", required_argument, NULL, 't' },
	{ "mem", required_argument, NULL, 'm' },
	{ "device", required_argument, NULL, 'd' },
	{ "io", required_argument, NULL, 'i' },
	{ "slots", required_argument, NULL, 's' },
	{ "shared", required_argument, NULL, 'S' },
	{ "load-only", no_argument, NULL, 'l' },
	{ "rounds", required_argument, NULL, 'r' },
	{ "endless", no_argument, NULL, 'E' },
	{ "seed", required_argument, NULL, 'e' },
	{ }
};

static uint64_t parse(const char *text, uint64_t max)
{
	char *end;
	uint64_t value = strtoull(text, &end, 0);

	if (end == text || *end || value > max)
		die("race: %s is not a number, or is more than %llu", text,
		    (unsigned long long)max);
	return value;
}

static void parse_option(int option)
{
	switch (option) {
	case 't':
		options.taggers = parse(optarg, PROCS_MAX);
		break;
	case 'm':
		options.mem = parse(optarg, 1 << 20) << 20;
		break;
	case 'd':
		options.device = optarg;
		break;
	case 'i':
		options.io = parse(optarg, PROCS_MAX);
		break;
	case 's':
		options.slots = parse(optarg, 1 << (SLOT_BITS - 4));
		break;
	case 'S':
		options.shared = parse(optarg, 1 << 16);
		break;
	case 'l':
		options.load_only = true;
		break;
	case 'r':
		options.rounds = parse(optarg, 1U << 30);
		break;
	case 'E':
		options.endless = true;
		break;
	case 'e':
		options.seed = parse(optarg, UINT64_MAX);
		break;
	default:
		die("%s", help);
	}
}

int main(int argc, char **argv)
{
	pid_t pids[2 * PROCS_MAX];
	unsigned int i, nr = 0;
	int option;

	while ((option = getopt_long(argc, argv, "", long_options, NULL)) != -1)
		parse_option(option);
	if (optind < argc || (options.io && (!options.device || !options.slots)))
		die("%s", help);
	if (options.taggers && mte_enable())
		die("race: no memory tagging");
	make_common();
	make_file();
	signal(SIGTERM, on_term);
	for (i = 0; i < options.taggers; i++)
		pids[nr++] = start(run_tagger, i);
	for (i = 0; i < options.io; i++)
		pids[nr++] = start(run_io, i);
	return verdict(wait_for_children(pids, nr));
}
