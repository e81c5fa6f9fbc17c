// SPDX-License-Identifier: GPL-2.0
/*
 * proof: is every byte and every tag right, after swap, fork, mprotect, exit?
 *
 * Several processes use more memory than the machine has, some of it with memory
 * tags, so that the kernel swaps all the time. Nothing is stored twice: the bytes
 * and the 256 tags of each page are computed from (seed, area, page, version), and
 * computed again whenever the page is verified. See README.md for what is covered.
 *
 *   proof.c    options, the processes, progress, the verdict
 *   worker.c   what one process does
 *   area.c     mappings and their pages: write, verify, and what else happens
 *   report.c   what is said about an error
 *   pattern.c  contents and tags from a key
 *   mte.c      tagged accesses, and accesses that may fault
 *
 * Two properties make the pressure safe. Most of the memory beyond what fits is
 * filled with a pattern of 32 bits a page, which a compressing device stores
 * without memory of its own: all other memory fits into RAM even if the device
 * refuses to store it. And what the verdict depends on is locked in memory, so
 * that a corrupted swap device corrupts tested memory only.
 *
 * Exit status: 0 all verified; 1 corruption; 2 cannot run; 3 no corruption, but
 * pages were lost (SIGBUS) or processes were killed.
 */

#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/swap.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "area.h"
#include "mte.h"
#include "say.h"

#define PROCS_MAX	64
/* Steps of work, of all workers together, between two lines of progress. */
#define STEPS_PER_TURN	64

#define EXIT_CORRUPT	1
#define EXIT_INCOMPLETE	3

struct options options = {
	.procs = 4,
	.rounds = 1,
	.seed = 1,
	.tagged_percent = 4,
	.active_percent = 8,
	.compact = true,
};

struct self self;

/* What all processes share. */
static struct {
	unsigned int stop;	/* SIGTERM */
	uint64_t counters[PROCS_MAX][COUNTERS];
} *common;

static pid_t workers[PROCS_MAX];
static time_t start;

static time_t now(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec;
}

/* A worker and its children count in one place. */
void count(enum counter counter, uint64_t n)
{
	__atomic_fetch_add(&self.counters[counter], n, __ATOMIC_RELAXED);
}

uint64_t total(enum counter counter)
{
	uint64_t sum = 0;
	unsigned int i;

	for (i = 0; i < options.procs; i++)
		sum += __atomic_load_n(&common->counters[i][counter], __ATOMIC_RELAXED);
	return sum;
}

/* A number below @sides, by the seed. */
uint64_t dice(uint64_t sides)
{
	return (pattern_next(&self.random) >> 16) % sides;
}

bool stopped(void)
{
	return __atomic_load_n(&common->stop, __ATOMIC_RELAXED);
}

static void on_term(int signal)
{
	(void)signal;
	__atomic_store_n(&common->stop, 1, __ATOMIC_RELAXED);
}

/* Tell the parent that a step of work is done. */
void progress(void)
{
	if (write(self.progress, "", 1) != 1)
		die("proof: the first process is gone");
}

/* Memory that is never swapped, shared with children only until they write. */
void *locked_alloc(size_t size)
{
	void *p = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS,
		       -1, 0);

	if (p == MAP_FAILED || mlock(p, size))
		die("proof: cannot lock %zu bytes: %s", size, strerror(errno));
	return p;
}

/* Lock page by page, because there are holes between the segments of a program. */
static void lock_range(const void *first, const void *end)
{
	uintptr_t page = (uintptr_t)first & ~(PAGE - 1);

	for (; page < (uintptr_t)end; page += PAGE)
		if (mlock((void *)page, PAGE) && errno != ENOMEM)
			die("proof: mlock: %s", strerror(errno));
}

/*
 * Code, data, thread pointer and stack of this process must not depend on the tested swap
 * device. A child does not inherit locks; pages that it has not written are still locked
 * by its parent.
 */
void lock_self(void)
{
	extern const char __executable_start[], end[];
	const char *thread = __builtin_thread_pointer();
	char stack[16 * PAGE];

	/* The stack will not grow below this frame. */
	memset(stack, 0, sizeof(stack));
	lock_range(__executable_start, end);
	lock_range(thread - PAGE, thread + PAGE);
	lock_range(stack, stack + sizeof(stack));
}

/* A number from a file of "name value" lines, 0 if there is none. */
static uint64_t read_number(const char *path, const char *name)
{
	char text[8192], *at;
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t len;

	if (fd < 0)
		return 0;
	len = read(fd, text, sizeof(text) - 1);
	close(fd);
	text[len > 0 ? len : 0] = '\0';
	at = strstr(text, name);
	return at ? strtoull(at + strlen(name), NULL, 10) : 0;
}

/* More than RAM, as far as the swap device surely takes it: see the top of the file. */
static void choose_size(void)
{
	uint64_t available = read_number("/proc/meminfo", "MemAvailable:") << 10;
	uint64_t swap = read_number("/proc/meminfo", "SwapFree:") << 10;
	uint64_t more = swap / 2 < available / 8 ? swap / 2 : available / 8;

	if (!available)
		die("proof: /proc/meminfo says nothing of MemAvailable");
	if (!options.mem && !swap)
		die("proof: no swap: give a size with --mem");
	/* The pages that stay untouched take no memory. */
	if (!options.mem)
		options.mem = (available + more) * UNTOUCHED_ONE_IN / (UNTOUCHED_ONE_IN - 1) /
			      options.procs / PAGE * PAGE;
	say("proof: %llu MiB available, %llu MiB swap, %u processes of %llu MiB, %u %% tagged, seed %llu",
	    (unsigned long long)available >> 20, (unsigned long long)swap >> 20, options.procs,
	    (unsigned long long)options.mem >> 20, options.tagged_percent,
	    (unsigned long long)options.seed);
}

static uint64_t oom_kills(void)
{
	return read_number("/proc/vmstat", "\noom_kill ");
}

#define TOTAL(counter) ((unsigned long long)total(COUNT_##counter))

static void print_progress(void)
{
	say("proof: %3ld s: %llu written, %llu verified (%llu swapped, %llu tagged), %llu tag faults, %llu forks, bad %llu, lost %llu",
	    (long)(now() - start), TOTAL(WRITTEN), TOTAL(VERIFIED), TOTAL(SWAPPED),
	    TOTAL(TAGGED), TOTAL(TAG_FAULTS), TOTAL(FORKS),
	    TOTAL(BAD_DATA) + TOTAL(BAD_TAGS) + TOTAL(BAD_FAULTS), TOTAL(LOST));
}

static void print_summary(uint64_t oom)
{
	say("proof: pages written %llu verified %llu swapped %llu tagged %llu untouched %llu",
	    TOTAL(WRITTEN), TOTAL(VERIFIED), TOTAL(SWAPPED), TOTAL(TAGGED),
	    TOTAL(UNTOUCHED));
	say("proof: tag faults %llu forks %llu pageouts %llu mprotects %llu dontneeds %llu removes %llu moves %llu maps %llu",
	    TOTAL(TAG_FAULTS), TOTAL(FORKS), TOTAL(PAGEOUTS), TOTAL(MPROTECTS),
	    TOTAL(DONTNEEDS), TOTAL(REMOVES), TOTAL(MOVES), TOTAL(MAPS));
	say("proof: lost pages %llu killed %llu crashed %llu oom kills %llu", TOTAL(LOST),
	    TOTAL(KILLED), TOTAL(CRASHED), (unsigned long long)oom);
}

/* Migrates pages from all over the memory, tagged ones among them. */
static void compact_memory(void)
{
	int fd = open("/proc/sys/vm/compact_memory", O_WRONLY | O_CLOEXEC);

	if (fd < 0)
		return;
	if (write(fd, "1", 1) < 0)
		options.compact = false;
	close(fd);
}

/* swapoff brings all pages back at once, while the workers go on. */
static void cycle_swap(const char *device)
{
	if (swapoff(device)) {
		/* The kernel sees that the pages would not fit into memory. */
		say("proof: swapoff %s: %s", device, strerror(errno));
		if (errno != ENOMEM && errno != EINTR)
			count(COUNT_CRASHED, 1);
		return;
	}
	if (swapon(device, SWAP_FLAG_DISCARD))
		die("proof: swapon %s: %s", device, strerror(errno));
}

/* How a worker ended. It has counted the errors that it found. */
static void judge_worker(unsigned int worker, int status)
{
	self.counters = common->counters[worker];
	if (WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL) {
		count(COUNT_KILLED, 1);
		say("proof: worker %u (pid %d) was killed, out of memory?", worker,
		    workers[worker]);
	} else if (status) {
		count(COUNT_CRASHED, 1);
		say("proof: worker %u (pid %d) ended with wait status %#x", worker,
		    workers[worker], status);
	}
}

static void start_workers(int progress[2])
{
	unsigned int i;

	if (pipe(progress))
		die("proof: pipe: %s", strerror(errno));
	self.progress = progress[1];
	for (i = 0; i < options.procs; i++) {
		workers[i] = fork();
		if (workers[i] < 0)
			die("proof: fork: %s", strerror(errno));
		self.counters = common->counters[i];
		if (workers[i])
			continue;
		signal(SIGTERM, SIG_DFL);
		close(progress[0]);
		exit(run_worker(i));
	}
	close(progress[1]);
}

/* The output depends on the work that was done, not on time: a slow machine prints as much. */
static void follow_workers(int progress)
{
	unsigned int steps = 0;
	char bytes[STEPS_PER_TURN];
	ssize_t n;

	/* The end comes when all have ended. */
	while ((n = read(progress, bytes, sizeof(bytes))) > 0) {
		steps += n;
		if (steps < STEPS_PER_TURN)
			continue;
		steps = 0;
		print_progress();
		if (options.compact)
			compact_memory();
		if (options.cycle_swap)
			cycle_swap(options.cycle_swap);
	}
}

static void run_workers(void)
{
	unsigned int i;
	int progress[2], status;

	start_workers(progress);
	follow_workers(progress[0]);
	for (i = 0; i < options.procs; i++)
		if (waitpid(workers[i], &status, 0) == workers[i])
			judge_worker(i, status);
}

static int verdict(uint64_t oom)
{
	unsigned long long data = TOTAL(BAD_DATA);
	unsigned long long tags = TOTAL(BAD_TAGS), faults = TOTAL(BAD_FAULTS);

	print_summary(oom);
	if (data || tags || faults) {
		say("proof: corrupt pages data=%llu tags=%llu faults=%llu lost=%llu", data, tags,
		    faults, TOTAL(LOST));
		return EXIT_CORRUPT;
	}
	if (TOTAL(LOST) || TOTAL(KILLED) || TOTAL(CRASHED)) {
		say("proof: incomplete: lost=%llu killed=%llu crashed=%llu", TOTAL(LOST),
		    TOTAL(KILLED), TOTAL(CRASHED));
		return EXIT_INCOMPLETE;
	}
	say("proof: all verified");
	return 0;
}

static const char help[] =
	"usage: proof [options]\n"
	"Verify all bytes and tags of memory that is swapped, forked, tagged late.\n"
	"  --procs N           processes (4)\n"
	"  --mem SIZE          for each process, with K, M or G (past RAM)\n"
	"  --rounds N          times that all memory is gone through (1)\n"
	"  --operations N      of each process, instead of --rounds\n"
	"  --endless           until SIGTERM, which always ends it in order\n"
	"  --seed N            all decisions and contents follow from it (1)\n"
	"  --tagged-percent N  share of memory that is tagged (4)\n"
	"  --active-percent N  share that is as busy as that, but untagged (8)\n"
	"  --ballast SIZE      more memory for each process, freed and taken again at\n"
	"                      random, so that tested memory moves over all of RAM\n"
	"  --swap-bulk         keep the other memory in swap, and compressible\n"
	"  --thp-partial       also tag parts of huge pages\n"
	"  --no-compact        do not have the kernel compact memory\n"
	"  --cycle-swap DEV    swapoff and swapon now and then\n"
	"  --inject WHAT       make an error: data, tag or kill\n"
	"  --help\n"
	"Exit status: 0 verified, 1 corruption, 2 cannot run, 3 pages or processes lost";

enum {
	OPT_PROCS = 256, OPT_MEM, OPT_ROUNDS, OPT_OPERATIONS, OPT_ENDLESS, OPT_SEED,
	OPT_TAGGED, OPT_ACTIVE, OPT_BALLAST, OPT_SWAP_BULK, OPT_PARTIAL, OPT_NO_COMPACT,
	OPT_CYCLE, OPT_INJECT, OPT_HELP,
};

static const struct option long_options[] = {
	{ "procs", required_argument, NULL, OPT_PROCS },
	{ "mem", required_argument, NULL, OPT_MEM },
	{ "rounds", required_argument, NULL, OPT_ROUNDS },
	{ "operations", required_argument, NULL, OPT_OPERATIONS },
	{ "endless", no_argument, NULL, OPT_ENDLESS },
	{ "seed", required_argument, NULL, OPT_SEED },
	{ "tagged-percent", required_argument, NULL, OPT_TAGGED },
	{ "active-percent", required_argument, NULL, OPT_ACTIVE },
	{ "ballast", required_argument, NULL, OPT_BALLAST },
	{ "swap-bulk", no_argument, NULL, OPT_SWAP_BULK },
	{ "thp-partial", no_argument, NULL, OPT_PARTIAL },
	{ "no-compact", no_argument, NULL, OPT_NO_COMPACT },
	{ "cycle-swap", required_argument, NULL, OPT_CYCLE },
	{ "inject", required_argument, NULL, OPT_INJECT },
	{ "help", no_argument, NULL, OPT_HELP },
	{ }
};

static uint64_t parse(const char *text, uint64_t max)
{
	static const char units[] = "KMG";
	const char *unit;
	char *end;
	uint64_t value;

	errno = 0;
	value = strtoull(text, &end, 0);
	unit = *end ? strchr(units, *end) : NULL;
	if (unit) {
		value <<= 10 * (unit - units + 1);
		end++;
	}
	if (errno || end == text || *end || value > max)
		die("proof: %s is not a number, or is more than %llu", text,
		    (unsigned long long)max);
	return value;
}

static enum inject parse_inject(const char *text)
{
	if (!strcmp(text, "data"))
		return INJECT_DATA;
	if (!strcmp(text, "tag"))
		return INJECT_TAG;
	if (!strcmp(text, "kill"))
		return INJECT_KILL;
	die("proof: --inject takes data, tag or kill");
}

static void parse_option(int option)
{
	switch (option) {
	case OPT_PROCS:
		options.procs = parse(optarg, PROCS_MAX);
		break;
	case OPT_MEM:
		options.mem = parse(optarg, 1ULL << 40);
		break;
	case OPT_ROUNDS:
		options.rounds = parse(optarg, 1U << 30);
		break;
	case OPT_OPERATIONS:
		options.operations = parse(optarg, 1U << 30);
		options.rounds = UINT_MAX;
		break;
	case OPT_ENDLESS:
		options.rounds = UINT_MAX;
		break;
	case OPT_SEED:
		options.seed = parse(optarg, UINT64_MAX);
		break;
	case OPT_TAGGED:
		options.tagged_percent = parse(optarg, 100);
		break;
	case OPT_ACTIVE:
		options.active_percent = parse(optarg, 100);
		break;
	case OPT_BALLAST:
		options.ballast = parse(optarg, 1ULL << 40);
		break;
	case OPT_SWAP_BULK:
		options.swap_bulk = true;
		break;
	case OPT_PARTIAL:
		options.thp_partial = true;
		break;
	case OPT_NO_COMPACT:
		options.compact = false;
		break;
	case OPT_CYCLE:
		options.cycle_swap = optarg;
		break;
	case OPT_INJECT:
		options.inject = parse_inject(optarg);
		break;
	case OPT_HELP:
		say("%s", help);
		exit(0);
	default:
		die("proof: see proof --help");
	}
}

static void parse_options(int argc, char **argv)
{
	int option;

	while ((option = getopt_long(argc, argv, "", long_options, NULL)) != -1)
		parse_option(option);
	if (optind < argc || !options.procs ||
	    options.tagged_percent + options.active_percent > 100)
		die("proof: see proof --help");
}

int main(int argc, char **argv)
{
	uint64_t oom;
	int error;

	parse_options(argc, argv);
	error = mte_enable();
	if (error)
		die("proof: no memory tagging: %s", strerror(-error));
	choose_size();
	common = mmap(NULL, sizeof(*common), PROT_READ | PROT_WRITE,
		      MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (common == MAP_FAILED || mlock(common, sizeof(*common)))
		die("proof: cannot lock %zu bytes: %s", sizeof(*common), strerror(errno));
	lock_self();

	start = now();
	signal(SIGTERM, on_term);
	oom = oom_kills();
	run_workers();
	return verdict(oom_kills() - oom);
}
