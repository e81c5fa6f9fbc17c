// SPDX-License-Identifier: GPL-2.0
/*
 * One worker: what it maps, and what it does with it, round by round.
 *
 * Most of the memory is bulk: private, never tagged, touched from one end to the
 * other in every round, so that all memory is in demand and the kernel must swap.
 * In between, after each WINDOW pages of bulk, something happens to one of the
 * active areas, which are small and of all types; and now and then the worker
 * forks, and both processes go on with what they have.
 *
 * With --swap-bulk the bulk is compressible data that is paged out after use: the swap
 * device is full of objects although there is memory enough.
 */

#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "area.h"
#include "mte.h"
#include "report.h"
#include "say.h"

#define WINDOW		128	/* pages of bulk between two operations */
#define BULK_AREA	8192	/* pages */
#define BULK_AREAS	64
#define HUGE_PAGES	512	/* pages of a huge page */
#define BALLAST_CHUNKS	48	/* given back before an operation, each of so many pages: */
#define BALLAST_CHUNK	8
#define FORK_ONE_IN	8	/* operations */
#define CHILD_OPERATIONS	4

static const struct area_type active_types[] = {
	{ KIND_PRIVATE, TAGGING_AT_MAP, false, MIX_DATA },
	{ KIND_SHARED, TAGGING_AT_MAP, false, MIX_DATA },
	{ KIND_MEMFD, TAGGING_AT_MAP, false, MIX_DATA },
	{ KIND_PRIVATE, TAGGING_AT_MAP, true, MIX_DATA },
	{ KIND_SHARED, TAGGING_AT_MAP, true, MIX_DATA },
	{ KIND_PRIVATE, TAGGING_LATE, false, MIX_DATA },
	{ KIND_SHARED, TAGGING_LATE, false, MIX_DATA },
	{ KIND_MEMFD, TAGGING_LATE, false, MIX_DATA },
	{ KIND_PRIVATE, TAGGING_LATE, true, MIX_DATA },
	{ KIND_MEMFD, TAGGING_LATE, true, MIX_DATA },
	{ KIND_PRIVATE, TAGGING_NEVER, false, MIX_DATA },
	{ KIND_SHARED, TAGGING_NEVER, false, MIX_DATA },
	{ KIND_MEMFD, TAGGING_NEVER, false, MIX_DATA },
	{ KIND_PRIVATE, TAGGING_NEVER, true, MIX_DATA },
};

#define ARRAY_SIZE(a)	(sizeof(a) / sizeof((a)[0]))
#define ACTIVE		ARRAY_SIZE(active_types)
#define ACTIVE_TAGGED	10
#define ACTIVE_UNTAGGED	(ACTIVE - ACTIVE_TAGGED)

static struct area active[ACTIVE];
static struct area bulk[BULK_AREAS];
static unsigned int nr_bulk;
static uint8_t *ballast;
static uint64_t ballast_pages;
static unsigned int operations;
static unsigned int forks;

/* Huge types only if they are at least one huge page, and then whole ones. */
static void map_active(unsigned int i, unsigned int nr)
{
	struct area_type type = active_types[i];

	if (type.thp && nr < HUGE_PAGES / 2)
		type.thp = false;
	else if (type.thp)
		nr = (nr + HUGE_PAGES / 2) / HUGE_PAGES * HUGE_PAGES;
	area_map(&active[i], &type, nr);
}

static unsigned int at_least(unsigned int minimum, uint64_t pages)
{
	return pages > minimum ? pages : minimum;
}

static void map_all(void)
{
	uint64_t pages = options.mem / PAGE;
	uint64_t tagged = pages * options.tagged_percent / 100;
	uint64_t untagged = pages * options.active_percent / 100;
	uint64_t left = pages - tagged - untagged;
	struct area_type type = {
		KIND_PRIVATE, TAGGING_NEVER, false, options.swap_bulk ? MIX_DATA : MIX_BULK
	};
	unsigned int i;

	for (i = 0; i < ACTIVE; i++) {
		bool is_tagged = i < ACTIVE_TAGGED;

		map_active(i, is_tagged ? at_least(16, tagged / ACTIVE_TAGGED) :
					  at_least(16, untagged / ACTIVE_UNTAGGED));
		area_populate(&active[i]);
	}
	for (; left >= WINDOW && nr_bulk < BULK_AREAS; nr_bulk++) {
		uint64_t nr = left < BULK_AREA ? left : BULK_AREA;

		area_map(&bulk[nr_bulk], &type, nr);
		/* A child does not need the bulk, whose page tables would make each fork slow. */
		madvise(bulk[nr_bulk].base, nr * PAGE, MADV_DONTFORK);
		area_populate(&bulk[nr_bulk]);
		if (options.swap_bulk)
			area_page_out(&bulk[nr_bulk], 0, nr);
		left -= nr;
	}
}

static void pick_range(const struct area *area, unsigned int *from, unsigned int *nr)
{
	*from = dice(area->nr);
	*nr = 1 + dice(area->nr - *from);
}

/*
 * Tag a part, or all, of an area that is tagged late. A part of a huge page is tagged only
 * with --thp-partial: a kernel without the patches loses tags when it splits such a page.
 */
static void tag_late(struct area *area)
{
	unsigned int from, nr;

	if (area->tagged_to - area->tagged_from == area->nr)
		return;
	pick_range(area, &from, &nr);
	if (dice(2) || (area->type.thp && !options.thp_partial)) {
		from = 0;
		nr = area->nr;
	}
	/* Some pages are in swap, without tags; but not if huge pages are to be tagged. */
	if (!area->type.thp || (dice(2) && !options.thp_partial))
		area_page_out(area, area->nr / 4, area->nr / 4);
	area_tag(area, from, from + nr);
	area_verify(area, 0, area->nr);
	area_write_some(area, 0, area->nr, 2);
}

static void replace(struct area *area)
{
	unsigned int i = area - active, nr = area->nr;

	area_unmap(area);
	map_active(i, nr);
	area_populate(area);
}

/* What may happen to an area that only this process has mapped. */
static void operate(struct area *area)
{
	unsigned int from, nr;

	pick_range(area, &from, &nr);
	switch (dice(8)) {
	case 0:
	case 1:
		area_write_some(area, 0, area->nr, 4);
		break;
	case 2:
	case 3:
		area_page_out(area, from, nr);
		break;
	case 4:
		area_dontneed(area, from, nr);
		break;
	case 5:
		if (area->type.kind != KIND_PRIVATE && dice(2))
			area_remove(area, from, nr);
		else
			area_move(area);
		break;
	case 6:
		replace(area);
		break;
	case 7:
		break;
	}
	if (area->type.tagging == TAGGING_LATE && !dice(2))
		tag_late(area);
	area_verify(area, 0, area->nr);
}

/*
 * After a fork both processes may change private memory, and read all of it;
 * shared memory stays as it is until the child has gone.
 */
static void operate_forked(struct area *area)
{
	unsigned int from, nr;

	pick_range(area, &from, &nr);
	if (area->type.kind == KIND_PRIVATE) {
		area_write_some(area, from, nr, 2);
		if (dice(2))
			area_dontneed(area, from, 1 + nr / 8);
	}
	if (dice(2))
		area_page_out(area, from, nr);
	area_verify(area, 0, area->nr);
}

__attribute__((noreturn)) static void run_child(void)
{
	unsigned int i, from, nr;

	lock_self();
	/* The parent does not use these versions. */
	self.version = 1U << 31 | (forks & 0x7ff) << 20;
	for (i = 0; i < CHILD_OPERATIONS; i++)
		operate_forked(&active[dice(ACTIVE)]);
	/* And end with data in swap. */
	i = dice(ACTIVE);
	pick_range(&active[i], &from, &nr);
	if (active[i].type.kind == KIND_PRIVATE)
		area_write_some(&active[i], from, nr, 2);
	area_page_out(&active[i], from, nr);
	_exit(0);
}

static void fork_and_verify(void)
{
	unsigned int i;
	int status;
	pid_t pid = fork();

	if (pid < 0) {
		say("proof: worker %u: fork: %s", self.worker, strerror(errno));
		return;
	}
	forks++;
	/* From here on parent and child make different decisions. */
	self.random = pattern_hash(self.random, !pid) | 1;
	if (!pid)
		run_child();
	count(COUNT_FORKS, 1);
	for (i = 0; i < CHILD_OPERATIONS; i++)
		operate_forked(&active[dice(ACTIVE)]);
	while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
		;
	if (WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL) {
		count(COUNT_KILLED, 1);
		say("proof: worker %u: child %d was killed, out of memory?", self.worker, pid);
	} else if (status) {
		count(COUNT_CRASHED, 1);
		say("proof: worker %u: child %d ended with wait status %#x", self.worker, pid,
		    status);
	}
	/* The changes in the child's copies must not show in the parent's pages. */
	for (i = 0; i < ACTIVE; i++)
		if (active[i].type.kind == KIND_PRIVATE)
			area_verify(&active[i], 0, active[i].nr);
}

struct probe {
	uint8_t *page;
	unsigned int tag;
};

static void do_probe(void *arg)
{
	struct probe *probe = arg;
	unsigned int i;
	uint64_t got[2];

	for (i = 0; i < PAGE_TAGS; i++) {
		mte_load(mte_pointer(probe->page + i * GRANULE, probe->tag), got);
		if (got[0] | got[1])
			count(COUNT_BAD_DATA, 1);
	}
}

/*
 * A tagged mapping that was never written is backed by the zero page. A pointer without a tag
 * reads zeros; a pointer with a tag faults.
 */
static void probe_zero_page(void)
{
	struct area_type type = { KIND_PRIVATE, TAGGING_AT_MAP, false, MIX_DATA };
	static struct area area;
	unsigned int page;

	area_map(&area, &type, 16);
	for (page = 0; page < area.nr; page++) {
		struct probe probe = { .page = area.base + page * PAGE };
		enum outcome outcome = guard(do_probe, &probe);

		count(COUNT_VERIFIED, 1);
		count(COUNT_UNTOUCHED, 1);
		if (outcome != ACCESS_OK)
			report_access(&area, page, outcome, "read untouched");
		probe.tag = 1 + dice(15);
		outcome = guard(do_probe, &probe);
		if (outcome == ACCESS_TAG_FAULT)
			count(COUNT_TAG_FAULTS, 1);
		else
			report_no_fault(&area, page, 0, 0, probe.tag, outcome);
	}
	area_verify(&area, 0, area.nr);
	area_unmap(&area);
}

/* Ballast: memory that only decides which pages are free for all other memory. */
static void map_ballast(void)
{
	ballast_pages = options.ballast / PAGE;
	if (ballast_pages <= BALLAST_CHUNK) {
		ballast_pages = 0;
		return;
	}
	ballast = mmap(NULL, ballast_pages * PAGE, PROT_READ | PROT_WRITE,
		       MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	if (ballast == MAP_FAILED)
		die("proof: no ballast: %s", strerror(errno));
	madvise(ballast, ballast_pages * PAGE, MADV_DONTFORK);
	memset(ballast, 1, ballast_pages * PAGE);
}

/*
 * The kernel hands out first what was freed last. So give back some memory from all
 * over the place, now that something is about to be allocated, and take instead what
 * is left over from the time before.
 */
static void shift_ballast(void)
{
	static uint64_t missing[BALLAST_CHUNKS];
	unsigned int i, page;

	if (!ballast_pages)
		return;
	for (i = 0; i < BALLAST_CHUNKS; i++)
		for (page = 0; page < BALLAST_CHUNK; page++)
			ballast[(missing[i] + page) * PAGE] = 1;
	for (i = 0; i < BALLAST_CHUNKS; i++) {
		missing[i] = dice(ballast_pages - BALLAST_CHUNK);
		madvise(ballast + missing[i] * PAGE, BALLAST_CHUNK * PAGE, MADV_DONTNEED);
	}
}

static void next_operation(void)
{
	shift_ballast();
	operate(&active[dice(ACTIVE)]);
	if (++operations % FORK_ONE_IN == 0)
		fork_and_verify();
	progress();
}

static bool enough(void)
{
	return stopped() || (options.operations && operations >= options.operations);
}

static void round_of_work(void)
{
	unsigned int i, from, done = 0;

	probe_zero_page();
	for (i = 0; i < nr_bulk; i++) {
		for (from = 0; from < bulk[i].nr && !enough(); from += WINDOW) {
			unsigned int nr = bulk[i].nr - from;

			nr = nr < WINDOW ? nr : WINDOW;
			area_verify(&bulk[i], from, nr);
			area_write_some(&bulk[i], from, nr, 8);
			if (options.swap_bulk)
				area_page_out(&bulk[i], from, nr);
			next_operation();
			done++;
		}
	}
	for (; done < ACTIVE && !enough(); done++)
		next_operation();
}

static void spoil_something(void)
{
	unsigned int i;

	if (options.inject == INJECT_NOTHING || self.worker)
		return;
	if (options.inject == INJECT_KILL)
		raise(SIGKILL);
	for (i = 0; i < active[0].nr; i++)
		if (area_spoil(&active[0], i, options.inject))
			return;
}

static void final_verify(void)
{
	unsigned int i;

	for (i = 0; i < ACTIVE; i++) {
		area_verify(&active[i], 0, active[i].nr);
		progress();
	}
	for (i = 0; i < nr_bulk; i++) {
		area_verify(&bulk[i], 0, bulk[i].nr);
		progress();
	}
}

/* Every second worker unmaps all memory, the others exit with data in swap. */
static void leave(void)
{
	unsigned int i;

	for (i = 0; i < ACTIVE; i++) {
		if (self.worker % 2)
			area_page_out(&active[i], 0, active[i].nr);
		else
			area_unmap(&active[i]);
	}
}

static void prefer_for_oom(void)
{
	int fd = open("/proc/self/oom_score_adj", O_WRONLY | O_CLOEXEC);

	/* If memory runs out, the kernel should kill this process. */
	if (fd < 0)
		return;
	if (write(fd, "500", 3) != 3)
		say("proof: oom_score_adj: %s", strerror(errno));
	close(fd);
}

int run_worker(unsigned int worker)
{
	unsigned int round;

	self.worker = worker;
	self.random = pattern_hash(options.seed, worker) | 1;
	prefer_for_oom();
	guard_install();
	lock_self();
	map_ballast();
	map_all();
	for (round = 0; round < options.rounds && !enough(); round++)
		round_of_work();
	spoil_something();
	final_verify();
	leave();
	return 0;
}
