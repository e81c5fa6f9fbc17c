// SPDX-License-Identifier: GPL-2.0
/*
 * Random operations on the pool and the slots, checked against a model.
 *
 *   test_store [-s SEED] [-n STEPS] [-t THREADS] [-b BLOCKSIZE] [-B BLOCKS] [-f] [-d]
 *   test_store [-b BLOCKSIZE] [-B BLOCKS] -r FILE
 *
 * Each thread owns every THREADS-th slot. -f makes allocations of ordinary memory fail, so
 * that objects are dropped: then a slot may read -EIO, but never wrong data. -d damages
 * headers of objects. With several threads this happens only while all of them wait, and from
 * then on nothing is stored.
 *
 * A failure prints the seed. With one thread the sequence is made as short as possible,
 * printed, and kept in a file; -r repeats it.
 */
#include <fcntl.h>
#include <getopt.h>
#include <stdarg.h>
#include <sys/mman.h>
#include <sys/wait.h>

#include "model.h"

static struct {
	uint64_t seed;
	unsigned long steps;
	unsigned int threads, block_size, blocks;
	bool faults, damage;
	const char *replay;
} opt = { 1, 200000, 1, 4096, 256, false, false, NULL };

static __thread unsigned long step;
static unsigned long *failed_step;	/* shared with children */

static void fail(const char *fmt, ...)
{
	va_list ap;

	*failed_step = step;
	va_start(ap, fmt);
	printf("step %lu: ", step);
	vprintf(fmt, ap);
	printf("\n");
	fflush(stdout);
	abort();
}

static void show(const struct op *op)
{
	unsigned int kind = op->kind % NR_OPS, slots = m.slots;

	printf("#   %s", op_names[kind]);
	if (kind == OP_STORE)
		printf(" slot %u, %u bytes\n", op->index % slots, store_len(op->arg));
	else if (kind == OP_TAKE || kind == OP_GIVE)
		printf(" block %u\n", op->index % m.blocks);
	else if (kind == OP_SHRINK)
		printf(" to %u\n", op->flags & 3 ? m.blocks : op->index % m.blocks);
	else
		printf(" %u (%u, %u)\n", op->index % slots, op->flags, op->arg);
}

/* Of 1000 operations. */
static const unsigned int weights[NR_OPS] = {
	[OP_STORE] = 449, [OP_LOAD] = 250, [OP_FREE] = 150, [OP_TAKE] = 65, [OP_GIVE] = 75,
	[OP_SHRINK] = 2, [OP_ROOM] = 3, [OP_COMPACT] = 1, [OP_DAMAGE] = 1, [OP_FAULTS] = 1,
	[OP_SETTLE] = 2, [OP_GROW] = 1,
};

/* The device is full, then runs empty, then gets its blocks back, again and again. */
static struct op random_op(uint64_t *rng, unsigned long i)
{
	uint64_t word = splitmix(rng);
	unsigned int n = splitmix(rng) % 1000, phase = i / 4096 % 4;
	struct op op;

	memcpy(&op, &word, sizeof(op));
	for (op.kind = 0; n >= weights[op.kind]; op.kind++)
		n -= weights[op.kind];
	if ((op.kind == OP_DAMAGE && !opt.damage) || (op.kind == OP_FAULTS && !opt.faults))
		op.kind = OP_LOAD;
	if (phase == 1 && op.kind == OP_STORE && op.flags % 2)
		op.kind = OP_FREE;
	if (phase > 1 && op.kind == OP_TAKE && op.flags % phase)
		op.kind = OP_GIVE;
	return op;
}

static unsigned int nr_slots(void)
{
	unsigned int nr = 4 * (opt.blocks * opt.block_size / 4096);

	return nr - nr % opt.threads;
}

static void init(void)
{
	model_init(opt.block_size, opt.blocks, nr_slots());
}

static void run_sequence(const struct op *ops, unsigned long nr)
{
	struct share s;

	init();
	share_init(&s, 0, 1);
	for (step = 0; step < nr; step++) {
		do_op(&s, &ops[step]);
		if (step % (nr < 4096 ? 16 : 1024) == 0)
			check_pool();
	}
	share_check(&s);
	model_summary();
	model_destroy();
}

/* Run the sequence in a child. True if it fails; *nr is the step that failed. */
static bool fails(const struct op *ops, unsigned long *nr, bool loud)
{
	pid_t pid;
	int status;

	fflush(stdout);
	*failed_step = *nr - 1;
	pid = fork();
	if (!pid) {
		int null = open("/dev/null", O_WRONLY);

		if (!loud) {
			dup2(null, 1);
			dup2(null, 2);
		}
		run_sequence(ops, *nr);
		fflush(stdout);
		_exit(0);
	}
	waitpid(pid, &status, 0);
	if (!status)
		return false;
	/* The steps after the failed one do not matter. */
	*nr = min(*nr, *failed_step + 1);
	return true;
}

/* Leave out all steps that are not needed for the failure, in ever smaller pieces. */
static unsigned long shrink(struct op *ops, unsigned long nr)
{
	struct op *less = malloc(nr * sizeof(*ops));
	unsigned long chunk, from, n;

	for (chunk = max(nr / 2, 1UL); chunk; chunk /= 2)
		for (from = 0; from < nr;) {
			n = nr - min(chunk, nr - from);
			memcpy(less, ops, from * sizeof(*ops));
			memcpy(less + from, ops + (nr - n) + from,
			       (n - from) * sizeof(*ops));
			if (n && fails(less, &n, false)) {
				memcpy(ops, less, n * sizeof(*ops));
				nr = n;
			} else {
				from += chunk;
			}
		}
	free(less);
	return nr;
}

static void keep(const struct op *ops, unsigned long nr)
{
	char path[] = "/tmp/test_store.XXXXXX";
	int fd = mkstemp(path);

	if (fd >= 0 && write(fd, ops, nr * sizeof(*ops)) == (ssize_t)(nr * sizeof(*ops)))
		printf("# repeat: test_store -b %u -B %u -r %s\n", opt.block_size,
		       opt.blocks, path);
	close(fd);
}

static int single(void)
{
	struct op *ops = malloc(opt.steps * sizeof(*ops));
	unsigned long nr = opt.steps, i;
	uint64_t rng = opt.seed;

	for (i = 0; i < nr; i++)
		ops[i] = random_op(&rng, i);
	if (!fails(ops, &nr, true)) {
		free(ops);
		return 0;
	}
	printf("# fails with -s %llu -n %lu -b %u -B %u%s%s, is made shorter ...\n",
	       (unsigned long long)opt.seed, nr, opt.block_size, opt.blocks,
	       opt.faults ? " -f" : "", opt.damage ? " -d" : "");
	nr = shrink(ops, nr);
	printf("# %lu steps are enough:\n", nr);
	m.blocks = opt.blocks;
	m.slots = nr_slots();
	for (i = 0; i < nr; i++)
		show(&ops[i]);
	fails(ops, &nr, true);
	keep(ops, nr);
	free(ops);
	return 1;
}

static int replay(void)
{
	FILE *f = fopen(opt.replay, "rb");
	struct op *ops;
	long size;

	if (!f || fseek(f, 0, SEEK_END))
		exit(2);
	size = ftell(f);
	rewind(f);
	ops = calloc(1, size + 1);
	if (fread(ops, 1, size, f) != (size_t)size)
		exit(2);
	fclose(f);
	run_sequence(ops, size / sizeof(*ops));
	free(ops);
	return 0;
}

static pthread_barrier_t barrier;

/* Damage half of the headers of all objects. */
static void damage_many(uint64_t *rng)
{
	struct op op = { .kind = OP_DAMAGE };
	unsigned int i;

	for (i = 0; i < m.blocks * 8; i++) {
		op.flags = splitmix(rng);
		op.index = splitmix(rng);
		op.arg = splitmix(rng);
		do_damage(&op);
	}
}

static void *worker(void *arg)
{
	uint64_t rng = opt.seed * 1000 + (uintptr_t)arg;
	struct share s;

	shim_cpu = (uintptr_t)arg;
	share_init(&s, shim_cpu, opt.threads);
	for (step = 0; step < opt.steps; step++) {
		struct op op = random_op(&rng, step);

		if (opt.damage && step == opt.steps / 2) {
			pthread_barrier_wait(&barrier);
			if (!shim_cpu)
				damage_many(&rng);
			pthread_barrier_wait(&barrier);
		}
		do_op(&s, &op);
	}
	share_check(&s);
	return NULL;
}

static int threads(void)
{
	pthread_t thread[64];
	unsigned int i;

	init();
	/* The options do not change while the threads run. */
	m.lossy = opt.faults;
	m.threads = true;
	pthread_barrier_init(&barrier, NULL, opt.threads);
	for (i = 0; i < opt.threads; i++)
		pthread_create(&thread[i], NULL, worker, (void *)(uintptr_t)i);
	for (i = 0; i < opt.threads; i++)
		pthread_join(thread[i], NULL);
	model_summary();
	model_destroy();
	return 0;
}

static void options(int argc, char **argv)
{
	int c;

	while ((c = getopt(argc, argv, "s:n:t:b:B:fdr:")) != -1) {
		switch (c) {
		case 's':
			opt.seed = strtoull(optarg, NULL, 0);
			break;
		case 'n':
			opt.steps = strtoul(optarg, NULL, 0);
			break;
		case 't':
			opt.threads = strtoul(optarg, NULL, 0);
			break;
		case 'b':
			opt.block_size = strtoul(optarg, NULL, 0);
			break;
		case 'B':
			opt.blocks = strtoul(optarg, NULL, 0);
			break;
		case 'f':
			opt.faults = true;
			break;
		case 'd':
			opt.damage = true;
			break;
		case 'r':
			opt.replay = optarg;
			break;
		default:
			exit(2);
		}
	}
}

int main(int argc, char **argv)
{
	options(argc, argv);
	failed_step = mmap(NULL, sizeof(*failed_step), PROT_READ | PROT_WRITE,
			   MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (failed_step == MAP_FAILED)
		return 2;
	if (opt.replay)
		return replay();
	return opt.threads > 1 ? threads() : single();
}
