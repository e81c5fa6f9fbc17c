// SPDX-License-Identifier: GPL-2.0
/*
 * slots: write and verify single slots (4 KiB) of a block device or file.
 *
 * The contents of a slot follow from the seed and its number, so nothing is kept to
 * verify against. I/O is direct, from a buffer with any alignment that the device
 * accepts, of one slot or many at a time, in order or not.
 *
 * Exit status: 0 done; 1 a slot is wrong, or an I/O failed that should not have;
 * 2 usage or set-up.
 */

#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "pattern.h"
#include "say.h"

#define BATCH_MAX	256
#define REPORTS_MAX	10

static struct {
	const char *path;
	uint64_t from;
	uint64_t count;
	uint64_t seed;
	uint64_t step;		/* slot i is number i * step modulo count */
	unsigned int batch;	/* slots in one I/O */
	unsigned int misalign;	/* bytes from the start of a page to the buffer */
	int content;		/* enum content, or -1 for a mix */
	uint64_t lost;		/* so many slots must be unreadable, and none wrong */
} options = { .count = 1, .seed = 1, .step = 1, .batch = 1, .content = -1 };

static int device;
static uint8_t *buffer;
static unsigned int reports;

static void slot_contents(uint64_t slot, uint64_t *data)
{
	uint64_t key = pattern_hash(options.seed, slot);

	pattern_page(data, key, options.content < 0 ? pattern_content(key, MIX_DATA) :
						      (enum content)options.content);
}

/* Slots of the @i-th I/O: returns the first, sets how many. */
static uint64_t nth(uint64_t i, unsigned int *nr)
{
	uint64_t batches = (options.count + options.batch - 1) / options.batch;
	uint64_t first = i * options.step % batches * options.batch;

	*nr = options.count - first < options.batch ? options.count - first : options.batch;
	return options.from + first;
}

/* Returns 0 or an errno. */
static int transfer(uint64_t slot, unsigned int nr, bool write)
{
	size_t size = nr * PAGE;
	ssize_t done = write ? pwrite(device, buffer, size, slot * PAGE) :
			       pread(device, buffer, size, slot * PAGE);

	if (done < 0)
		return errno;
	return (size_t)done == size ? 0 : EIO;
}

static int write_batch(uint64_t slot, unsigned int nr)
{
	uint64_t data[PAGE_WORDS];
	unsigned int i;

	for (i = 0; i < nr; i++) {
		slot_contents(slot + i, data);
		memcpy(buffer + i * PAGE, data, PAGE);
	}
	return transfer(slot, nr, true);
}

static uint64_t batches(void)
{
	return (options.count + options.batch - 1) / options.batch;
}

static int cmd_write(void)
{
	unsigned int nr;
	uint64_t i;

	for (i = 0; i < batches(); i++) {
		uint64_t slot = nth(i, &nr);
		int error = write_batch(slot, nr);

		if (error) {
			say("slots: %s: writing slot %llu: %s", options.path,
			    (unsigned long long)slot, strerror(error));
			return 1;
		}
	}
	return 0;
}

/* Write in order until the device is full; print how many slots were written. */
static int cmd_fill(void)
{
	uint64_t slot;
	int error = 0;

	for (slot = options.from; slot < options.from + options.count && !error; slot++)
		error = write_batch(slot, 1);
	if (error)
		slot--;
	if (error && error != ENOSPC) {
		say("slots: %s: writing slot %llu: %s instead of ENOSPC", options.path,
		    (unsigned long long)slot, strerror(error));
		return 1;
	}
	say("%llu", (unsigned long long)(slot - options.from));
	return 0;
}

/* All writes must fail for want of space. */
static int cmd_full(void)
{
	uint64_t i, slot;
	unsigned int nr;

	for (i = 0; i < batches(); i++) {
		int error;

		slot = nth(i, &nr);
		error = write_batch(slot, nr);
		if (error == ENOSPC)
			continue;
		say("slots: %s: writing slot %llu: %s instead of ENOSPC", options.path,
		    (unsigned long long)slot, error ? strerror(error) : "it was written");
		return 1;
	}
	return 0;
}

static bool is_right(uint64_t slot, const uint8_t *got)
{
	uint64_t data[PAGE_WORDS];
	unsigned int i;

	slot_contents(slot, data);
	if (!memcmp(data, got, PAGE))
		return true;
	for (i = 0; ((uint8_t *)data)[i] == got[i]; i++)
		;
	if (++reports <= REPORTS_MAX)
		say("slots: %s: slot %llu is wrong from byte %u on: expected %02x got %02x",
		    options.path, (unsigned long long)slot, i, ((uint8_t *)data)[i], got[i]);
	return false;
}

static int cmd_verify(void)
{
	uint64_t i, wrong = 0, lost = 0;
	unsigned int k, nr;

	for (i = 0; i < batches(); i++) {
		uint64_t slot = nth(i, &nr);
		int error = transfer(slot, nr, false);

		if (error == EIO && options.lost) {
			lost += nr;
			continue;
		}
		if (error) {
			say("slots: %s: reading slot %llu: %s", options.path,
			    (unsigned long long)slot, strerror(error));
			wrong += nr;
			continue;
		}
		for (k = 0; k < nr; k++)
			wrong += !is_right(slot + k, buffer + k * PAGE);
	}
	if (wrong)
		say("slots: %s: %llu of %llu slots are wrong", options.path,
		    (unsigned long long)wrong, (unsigned long long)options.count);
	if (lost != options.lost)
		say("slots: %s: %llu slots cannot be read, instead of %llu", options.path,
		    (unsigned long long)lost, (unsigned long long)options.lost);
	return wrong || lost != options.lost;
}

static const char help[] =
	"usage: slots COMMAND DEVICE [options]\n"
	"  write             write the slots\n"
	"  verify            read them and compare\n"
	"  fill              write in order until ENOSPC, print how many slots were written\n"
	"  full              writes must fail with ENOSPC\n"
	"  --from N          first slot (0)\n"
	"  --count N         number of slots (1)\n"
	"  --seed N          contents follow from it (1)\n"
	"  --content KIND    random, half, quarter, text, fill, zero or mix (mix)\n"
	"  --lost N          verify: so many slots must be unreadable\n"
	"  --batch N         slots in one I/O (1)\n"
	"  --step N          not in order: take every Nth, N and their number coprime\n"
	"  --misalign BYTES  of the buffer, from the start of a page (0)";

static const struct option long_options[] = {
	{ "from", required_argument, NULL, 'f' },
	{ "count", required_argument, NULL, 'c' },
	{ "seed", required_argument, NULL, 's' },
	{ "content", required_argument, NULL, 'k' },
	{ "batch", required_argument, NULL, 'b' },
	{ "step", required_argument, NULL, 't' },
	{ "misalign", required_argument, NULL, 'm' },
	{ "lost", required_argument, NULL, 'l' },
	{ "help", no_argument, NULL, 'h' },
	{ }
};

static uint64_t parse(const char *text)
{
	char *end;
	uint64_t value = strtoull(text, &end, 0);

	if (end == text || *end)
		die("slots: %s is not a number", text);
	return value;
}

static int parse_content(const char *text)
{
	int i;

	if (!strcmp(text, "mix"))
		return -1;
	for (i = 0; i < CONTENT_KINDS; i++)
		if (!strcmp(text, pattern_name(i)))
			return i;
	die("slots: no content is called %s", text);
}

static void parse_option(int option)
{
	switch (option) {
	case 'f':
		options.from = parse(optarg);
		break;
	case 'c':
		options.count = parse(optarg);
		break;
	case 's':
		options.seed = parse(optarg);
		break;
	case 'k':
		options.content = parse_content(optarg);
		break;
	case 'l':
		options.lost = parse(optarg);
		break;
	case 'b':
		options.batch = parse(optarg);
		break;
	case 't':
		options.step = parse(optarg);
		break;
	case 'm':
		options.misalign = parse(optarg);
		break;
	default:
		die("%s", help);
	}
}

static void set_up(bool write)
{
	size_t size = (BATCH_MAX + 1) * PAGE;

	if (!options.batch || options.batch > BATCH_MAX || options.misalign >= PAGE)
		die("slots: --batch is at most %u, --misalign less than a page", BATCH_MAX);
	device = open(options.path, (write ? O_RDWR : O_RDONLY) | O_DIRECT);
	if (device < 0)
		die("slots: %s: %s", options.path, strerror(errno));
	buffer = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (buffer == MAP_FAILED)
		die("slots: no memory");
	buffer += options.misalign;
}

int main(int argc, char **argv)
{
	static const struct {
		const char *name;
		int (*run)(void);
	} commands[] = {
		{ "write", cmd_write }, { "verify", cmd_verify },
		{ "fill", cmd_fill }, { "full", cmd_full },
	};
	unsigned int i;
	int option;

	while ((option = getopt_long(argc, argv, "", long_options, NULL)) != -1)
		parse_option(option);
	if (argc - optind != 2)
		die("%s", help);
	options.path = argv[optind + 1];
	for (i = 0; i < sizeof(commands) / sizeof(commands[0]); i++) {
		if (strcmp(commands[i].name, argv[optind]))
			continue;
		set_up(commands[i].run != cmd_verify);
		return commands[i].run();
	}
	die("%s", help);
}
