// SPDX-License-Identifier: GPL-2.0
/*
 * orders: does a process see, as tags, data or tags that other processes have stored?
 *
 *   orders DEVICE [options]
 *
 * DEVICE is filled with data that hold a string of 16 bytes. Then an unprivileged process
 * takes each sequence of steps (steps.c) up to a length, on each kind of memory. Before
 * that, other processes have left data, or tags with another string, in the tag blocks of
 * the memory. After the sequence all tags are read: by the process, by its tracer, from its
 * core dump, or after the memory was swapped. Each tag must be the tag that this process
 * has stored there, or 0.
 *
 * This process is root: it stores the data, and stores them anew before each sequence. Its
 * child is the tracer, which runs as the user nobody; the tracer has a child for each sequence.
 * Another child of root is the other user, which leaves tags.
 *
 * The options decide which sequences are taken, in which order, and with which tags. The
 * options do not decide what lies in a tag block at a moment.
 *
 * Exit status: 0 all tags were right; 1 tags of others were seen, or data is not what was
 * stored; 2 usage or set-up; 3 only own tags were lost, or a process was.
 */

#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <grp.h>
#include <linux/fs.h>
#include <sched.h>
#include <signal.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "orders.h"
#include "say.h"

#define NOBODY		65534
#define OTHER_USER	65533
#define REPORTS_MAX	12	/* for each kind of memory */
#define FAILURES_MAX	64	/* the device is full when so many slots were refused */
#define LINE		256	/* bytes of a slot with the string once in each */
#define MIXED_PAGES	128U
#define MIXED_STEP	16U

static const char * const kind_names[KINDS] = {
	"huge", "mthp", "small", "shmem", "shmem-huge",
};

static const char * const before_names[BEFORES] = {
	"data", "tags", "some tags",
};

static const char * const reader_names[READERS] = {
	"ldg", "ptrace", "core", "swap", "child",
};

static struct {
	const char *path;
	const char *sequence;	/* this one only */
	uint64_t seed;
	uint64_t sample;	/* one of so many sequences of the full length */
	unsigned int length;
	unsigned int kinds;	/* bits */
	bool every;		/* each sequence with all readers and all states before */
	bool inject;
} options = { .seed = 1, .sample = 1, .length = 2, .kinds = (1 << KINDS) - 1 };

struct shared *shared;

static int device;
static uint8_t *buffer;		/* one slot */
static bool *written;		/* slots */
static uint64_t nr_slots;	/* of these are filled */
static uint64_t next_slot;	/* to be stored anew */
static char *directory;		/* where core dumps go */
/* To the tracer, from it or from a sequence, and to a sequence. */
static int commands[2], answers[2], compacted[2];
static unsigned int reports;

/* Half of the slots are incompressible; the others hold little but the string. */
static void slot_contents(uint64_t slot)
{
	unsigned int i, at = slot * GRANULE % LINE, size = slot % 4 == 2 ? GRANULE : GRANULE / 2;

	if (slot % 4 >= 2) {
		for (i = 0; i < PAGE; i += size)
			memcpy(buffer + i, shared->secret[0], size);
		return;
	}
	pattern_page((uint64_t *)buffer, pattern_hash(options.seed, slot), CONTENT_RANDOM);
	for (i = 0; i < PAGE; i += LINE)
		memcpy(buffer + i + at, shared->secret[0], GRANULE);
}

static bool store_slot(uint64_t slot)
{
	slot_contents(slot);
	if (pwrite(device, buffer, PAGE, slot * PAGE) == (ssize_t)PAGE)
		return true;
	if (errno != ENOSPC)
		die("orders: writing slot %llu: %s", (unsigned long long)slot, strerror(errno));
	return false;
}

static void fill(void)
{
	uint64_t slot, size, stored = 0;
	unsigned int failed = 0;

	device = open(options.path, O_RDWR | O_DIRECT | O_CLOEXEC);
	if (device < 0 || ioctl(device, BLKGETSIZE64, &size))
		die("orders: %s: %s", options.path, strerror(errno));
	written = calloc(size / PAGE, sizeof(*written));
	buffer = aligned_alloc(PAGE, PAGE);
	if (!written || !buffer)
		die("orders: no memory");
	for (slot = 0; slot < size / PAGE && failed < FAILURES_MAX; slot++) {
		written[slot] = store_slot(slot);
		stored += written[slot];
		failed = written[slot] ? 0 : failed + 1;
	}
	nr_slots = slot;
	say("orders: %llu slots fill the device", (unsigned long long)stored);
	if (failed < FAILURES_MAX)
		die("orders: %s is too large to be filled", options.path);
}

/* Tag blocks that held tags are free now: store some slots there. */
static void refill(unsigned int n)
{
	for (; n; n--, next_slot = (next_slot + 1) % nr_slots)
		written[next_slot] |= store_slot(next_slot);
}

static uint64_t count_bad_slots(void)
{
	static uint8_t got[PAGE] __attribute__((aligned(PAGE)));
	uint64_t slot, bad = 0;

	for (slot = 0; slot < nr_slots; slot++) {
		memset(buffer, 0, PAGE);
		if (written[slot])
			slot_contents(slot);
		bad += pread(device, got, PAGE, slot * PAGE) != (ssize_t)PAGE ||
		       memcmp(got, buffer, PAGE);
	}
	return bad;
}

static void become(unsigned int id)
{
	/* The process can be traced and dumps core, as after a login. */
	if (setgroups(0, NULL) || setresgid(id, id, id) || setresuid(id, id, id) ||
	    prctl(PR_SET_DUMPABLE, 1))
		die("orders: cannot become user %u: %s", id, strerror(errno));
}

static pid_t must_fork(void)
{
	pid_t pid = fork();

	if (pid < 0)
		die("orders: fork: %s", strerror(errno));
	return pid;
}

static void wait_for(pid_t pid)
{
	int status;

	if (waitpid(pid, &status, 0) != pid || status)
		die("orders: a helper ended with status %#x", status);
}

/*
 * The process of the other user. It leaves tags in memory that it gives back. With @some, it
 * keeps a page of each block until the other end of @go is closed.
 */
static void leave_tags(bool some, int ready, int go)
{
	struct area *area = &shared->area;
	unsigned int i;
	char c = 0;

	become(OTHER_USER);
	area_map(area, some ? KIND_SMALL : shared->task.kind);
	if (some)
		area->span = MIXED_PAGES;
	area_protect(area, 0, area->pages, TAGGED);
	area_touch(area, 0, area->span);
	for (i = 0; i < area->span; i++)
		store_secret(area->base + i * PAGE, 1);
	for (i = 0; some && i < area->span; i++)
		if (i % MIXED_STEP)
			madvise(area->base + i * PAGE, PAGE, MADV_DONTNEED);
	if (write(ready, &c, 1) != 1 || (some && read(go, &c, 1) < 0))
		_exit(EXIT_SETUP);
	_exit(0);
}

/* Returns the other user's process, which goes away when go[1] is closed. */
static pid_t other_user(bool some, int go[2])
{
	int ready[2];
	pid_t pid;
	char c;

	if (pipe(ready) || pipe(go))
		die("orders: pipe: %s", strerror(errno));
	pid = must_fork();
	if (!pid) {
		close(go[1]);
		leave_tags(some, ready[1], go[0]);
	}
	close(go[0]);
	close(ready[1]);
	if (read(ready[0], &c, 1) != 1)
		die("orders: the other user is gone");
	close(ready[0]);
	return pid;
}

static void hide(struct area *area)
{
	area_protect(area, 0, area->pages, HIDDEN);
}

/* The process of a sequence. */
static void be_sequence(const struct task *task)
{
	struct area *area = &shared->area;
	unsigned int i;

	guard_install();
	area_map(area, task->kind);
	area_touch(area, 0, area->span);
	for (i = 0; i < task->length; i++)
		take_step(area, task->steps[i]);
	if (task->inject) {
		area_protect(area, 0, 1, TAGGED);
		store_secret(area->base, 0);
	}
	if (task->reader != READER_LDG)
		hide(area);
	if (task->reader == READER_SWAP)
		madvise(area->base, area->pages * PAGE, MADV_PAGEOUT);
	if (task->reader == READER_CORE)
		raise(SIGABRT);
	if (task->reader == READER_PTRACE) {
		ptrace(PTRACE_TRACEME, 0, NULL, NULL);
		raise(SIGSTOP);
	}
	area_protect(area, 0, area->pages, TAGGED);
	scan_own(area, task->reader == READER_SWAP ? READER_SWAP : READER_LDG);
	_exit(0);
}

static void run_sequence(const struct task *task)
{
	struct counts *counts = &shared->counts;
	pid_t pid = must_fork();
	int status;

	if (!pid)
		be_sequence(task);
	if (waitpid(pid, &status, WUNTRACED) != pid)
		die("orders: waitpid: %s", strerror(errno));
	if (WIFSTOPPED(status)) {
		if (WSTOPSIG(status) == SIGSTOP)
			scan_traced(&shared->area, pid);
		if (ptrace(PTRACE_DETACH, pid, NULL, NULL))
			die("orders: the sequence cannot be traced: %s", strerror(errno));
		waitpid(pid, &status, 0);
	}
	if (WIFSIGNALED(status) && WTERMSIG(status) == SIGABRT &&
	    task->reader == READER_CORE) {
		if (!scan_core(&shared->area, "core"))
			die("orders: no core dump: %s", strerror(errno));
		unlink("core");
	} else if (WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL) {
		counts->killed++;
	} else if (status) {
		counts->crashed++;
	}
}

/* The unprivileged parent of all sequences. */
static void be_tracer(void)
{
	struct rlimit unlimited = { RLIM_INFINITY, RLIM_INFINITY };
	char c;

	setrlimit(RLIMIT_CORE, &unlimited);
	become(NOBODY);
	if (chdir(directory))
		die("orders: %s: %s", directory, strerror(errno));
	close(commands[1]);
	close(answers[0]);
	while (read(commands[0], &c, 1) == 1) {
		run_sequence(&shared->task);
		c = 'd';
		if (write(answers[1], &c, 1) != 1)
			break;
	}
	_exit(0);
}

/* In a sequence: only root may do this. */
void ask_for_compaction(void)
{
	char c = 'c';

	if (write(answers[1], &c, 1) != 1 || read(compacted[0], &c, 1) != 1)
		die("orders: the kernel does not compact memory");
}

static void compact(void)
{
	int fd = open("/proc/sys/vm/compact_memory", O_WRONLY | O_CLOEXEC);
	char c = '1';

	if (fd < 0 || write(fd, &c, 1) != 1 || write(compacted[1], &c, 1) != 1)
		die("orders: compact_memory: %s", strerror(errno));
	close(fd);
}

static void have_it_run(void)
{
	char c = 'g';

	if (write(commands[1], &c, 1) != 1)
		die("orders: the tracer is gone");
	do {
		if (read(answers[0], &c, 1) != 1)
			die("orders: the tracer is gone");
		if (c == 'c')
			compact();
	} while (c != 'd');
}

static uint64_t sum(size_t offset)
{
	uint64_t n = 0;
	int i;

	for (i = 0; i < READERS; i++)
		n += *(uint64_t *)((char *)&shared->counts.by[i] + offset);
	return n;
}

#define SUM(field)	sum(offsetof(struct readings, field))

static const char *task_name(const struct task *task, char *text, size_t size)
{
	size_t len = snprintf(text, size, "%s, before: %s, reader: %s, steps:",
			      kind_names[task->kind], before_names[task->before],
			      reader_names[task->reader]);
	unsigned int i;

	for (i = 0; i < task->length && len < size; i++)
		len += snprintf(text + len, size - len, " %s", step_name(task->steps[i]));
	return text;
}

static void run_task(void)
{
	struct task *task = &shared->task;
	uint64_t foreign = SUM(foreign), strings = SUM(strings), stale = SUM(stale);
	uint64_t lost = SUM(lost);
	bool some = task->before == BEFORE_MIXED && task->kind < KIND_SHMEM_HUGE && task->kind;
	pid_t other = 0;
	char text[256];
	int go[2];

	refill(task->kind == KIND_HUGE || task->kind == KIND_SHMEM_HUGE ? 48 : 12);
	if (task->before != BEFORE_DATA) {
		other = other_user(some, go);
		if (!some)
			wait_for(other);
	}
	have_it_run();
	if (other) {
		close(go[1]);
		if (some)
			wait_for(other);
	}
	shared->counts.sequences++;
	if ((SUM(foreign) == foreign && SUM(lost) == lost) || ++reports > REPORTS_MAX)
		return;
	say("orders: %s: %s: %llu tags, %llu and %llu half strings; %llu own tags lost",
	    SUM(foreign) == foreign ? "LOST" : "SEEN", task_name(task, text, sizeof(text)),
	    (unsigned long long)(SUM(foreign) - foreign),
	    (unsigned long long)(SUM(strings) - strings),
	    (unsigned long long)(SUM(stale) - stale), (unsigned long long)(SUM(lost) - lost));
}

/* With each reader and each state before, or with one of each. */
static void run_variants(void)
{
	struct task *task = &shared->task;
	unsigned int i;

	if (!options.every) {
		task->reader = task->key % READER_CHILD;
		task->before = task->key / READER_CHILD % BEFORES;
		run_task();
		return;
	}
	for (i = 0; i < READER_CHILD * BEFORES; i++) {
		task->reader = i % READER_CHILD;
		task->before = i / READER_CHILD;
		run_task();
	}
}

/* A number as steps; false if it is not to be run. */
static bool make_sequence(struct task *task, uint64_t number)
{
	unsigned int i;

	for (i = 0; i < task->length; i++, number /= nr_steps) {
		task->steps[i] = number % nr_steps;
		if (!step_applies(task->steps[i], task->kind))
			return false;
		/* A step that follows itself changes nothing. */
		if (i && task->steps[i] == task->steps[i - 1])
			return false;
	}
	return true;
}

static void run_length(unsigned int length)
{
	struct task *task = &shared->task;
	uint64_t number, count = 1;
	unsigned int i;

	for (i = 0; i < length; i++)
		count *= nr_steps;
	task->length = length;
	for (number = 0; number < count; number++) {
		task->key = pattern_hash(options.seed, number * (LENGTH_MAX + 1) + length);
		if (length == options.length && task->key / 64 % options.sample)
			continue;
		if (make_sequence(task, number))
			run_variants();
	}
}

static void run_kind(enum kind kind)
{
	uint64_t sequences = shared->counts.sequences, foreign = SUM(foreign);
	uint64_t strings = SUM(strings), lost = SUM(lost);
	unsigned int length;

	shared->task.kind = kind;
	reports = 0;
	if (options.sequence)
		run_variants();
	for (length = 0; !options.sequence && length <= options.length; length++)
		run_length(length);
	say("orders: %s: sequences %llu foreign %llu strings %llu lost %llu",
	    kind_names[kind], (unsigned long long)(shared->counts.sequences - sequences),
	    (unsigned long long)(SUM(foreign) - foreign),
	    (unsigned long long)(SUM(strings) - strings),
	    (unsigned long long)(SUM(lost) - lost));
}

static int print_result(uint64_t bad_slots)
{
	const struct counts *c = &shared->counts;
	int i;

	for (i = 0; i < READERS; i++) {
		const struct readings *r = &c->by[i];

		say("orders: by %s: pages %llu tags %llu foreign %llu strings %llu stale %llu lost %llu unreadable %llu",
		    reader_names[i], (unsigned long long)r->pages, (unsigned long long)r->tags,
		    (unsigned long long)r->foreign, (unsigned long long)r->strings,
		    (unsigned long long)r->stale, (unsigned long long)r->lost,
		    (unsigned long long)r->unreadable);
	}
	say("orders: in all: sequences %llu steps %llu limit-failures %llu split-failures %llu collapses %llu killed %llu crashed %llu bad-slots %llu",
	    (unsigned long long)c->sequences, (unsigned long long)c->steps,
	    (unsigned long long)c->limit_failures, (unsigned long long)c->split_failures,
	    (unsigned long long)c->collapses, (unsigned long long)c->killed,
	    (unsigned long long)c->crashed, (unsigned long long)bad_slots);
	say("orders: seen of others: tags %llu strings %llu stale %llu faults %llu",
	    (unsigned long long)SUM(foreign), (unsigned long long)SUM(strings),
	    (unsigned long long)SUM(stale), (unsigned long long)c->faults_foreign);
	say("orders: lost of our own: tags %llu faults %llu", (unsigned long long)SUM(lost),
	    (unsigned long long)c->faults_lost);
	if (SUM(foreign) || c->faults_foreign || bad_slots)
		return 1;
	if (SUM(lost) || SUM(unreadable) || c->faults_lost || c->killed || c->crashed)
		return 3;
	return 0;
}

static const char help[] =
	"usage: orders DEVICE [options]\n"
	"  --length N        steps of a sequence, at most (2)\n"
	"  --sample N        of the longest ones take one of N (1)\n"
	"  --every           each sequence with each reader and each state before it\n"
	"  --kind KIND       huge, mthp, small, shmem or shmem-huge; may be repeated (all)\n"
	"  --sequence STEPS  only this one; names with commas between them\n"
	"  --seed N          all decisions follow from it (1)\n"
	"  --inject          leave the string in tags, so that it must be seen";

static const struct option long_options[] = {
	{ "length", required_argument, NULL, 'l' },
	{ "sample", required_argument, NULL, 'n' },
	{ "every", no_argument, NULL, 'e' },
	{ "kind", required_argument, NULL, 'k' },
	{ "sequence", required_argument, NULL, 'q' },
	{ "seed", required_argument, NULL, 's' },
	{ "inject", no_argument, NULL, 'i' },
	{ "help", no_argument, NULL, 'h' },
	{ }
};

static uint64_t parse(const char *text, uint64_t min, uint64_t max)
{
	char *end;
	uint64_t value = strtoull(text, &end, 0);

	if (end == text || *end || value < min || value > max)
		die("orders: %s is not a number from %llu to %llu", text,
		    (unsigned long long)min, (unsigned long long)max);
	return value;
}

static unsigned int parse_kind(const char *text)
{
	unsigned int i;

	for (i = 0; i < KINDS; i++)
		if (!strcmp(text, kind_names[i]))
			return 1 << i;
	die("orders: no kind is called %s", text);
}

static void parse_option(int option)
{
	static bool some_kinds;

	switch (option) {
	case 'l':
		options.length = parse(optarg, 0, LENGTH_MAX);
		break;
	case 'n':
		options.sample = parse(optarg, 1, UINT64_MAX);
		break;
	case 'e':
		options.every = true;
		break;
	case 'k':
		options.kinds = (some_kinds ? options.kinds : 0) | parse_kind(optarg);
		some_kinds = true;
		break;
	case 'q':
		options.sequence = optarg;
		break;
	case 's':
		options.seed = parse(optarg, 0, UINT64_MAX);
		break;
	case 'i':
		options.inject = true;
		break;
	default:
		die("%s", help);
	}
}

static void parse_sequence(struct task *task)
{
	char *text = strdup(options.sequence), *save, *name;
	unsigned int step;

	for (name = strtok_r(text, ",", &save); name; name = strtok_r(NULL, ",", &save)) {
		for (step = 0; step < nr_steps && strcmp(name, step_name(step)); step++)
			;
		if (step == nr_steps || task->length == LENGTH_MAX)
			die("orders: no step is called %s, or there are too many", name);
		task->steps[task->length++] = step;
	}
	task->key = options.seed;
	free(text);
}

static void set_up(void)
{
	cpu_set_t first;
	unsigned int i;

	shared = mmap(NULL, sizeof(*shared), PROT_READ | PROT_WRITE,
		      MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (shared == MAP_FAILED || madvise(shared, sizeof(*shared), MADV_DONTDUMP))
		die("orders: no memory");
	for (i = 0; i < sizeof(shared->secret); i += sizeof(uint64_t)) {
		uint64_t word = pattern_hash(options.seed, 1000 + i);

		memcpy((uint8_t *)shared->secret + i, &word, sizeof(word));
	}
	/* On one CPU, the next process gets the memory that the last one has freed. */
	CPU_ZERO(&first);
	CPU_SET(0, &first);
	if (sched_setaffinity(0, sizeof(first), &first))
		die("orders: no CPU 0");
	directory = strdup("/tmp/orders-XXXXXX");
	if (!directory || !mkdtemp(directory) || chown(directory, NOBODY, NOBODY))
		die("orders: %s: %s", directory, strerror(errno));
	if (pipe2(commands, O_CLOEXEC) || pipe2(answers, O_CLOEXEC) || pipe2(compacted, O_CLOEXEC))
		die("orders: pipe: %s", strerror(errno));
}

int main(int argc, char **argv)
{
	unsigned int kind;
	pid_t tracer;
	int option;

	while ((option = getopt_long(argc, argv, "", long_options, NULL)) != -1)
		parse_option(option);
	if (argc - optind != 1)
		die("%s", help);
	options.path = argv[optind];
	if (mte_enable())
		die("orders: no memory tagging");
	set_up();
	if (options.sequence)
		parse_sequence(&shared->task);
	shared->task.inject = options.inject;
	fill();
	tracer = must_fork();
	if (!tracer)
		be_tracer();
	close(answers[1]);
	for (kind = 0; kind < KINDS; kind++)
		if (options.kinds >> kind & 1)
			run_kind(kind);
	close(commands[1]);
	wait_for(tracer);
	rmdir(directory);
	return print_result(count_bad_slots());
}
