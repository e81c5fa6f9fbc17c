// SPDX-License-Identifier: GPL-2.0
/*
 * Swap on a device: mkswap, swapon and swapoff. The tool adds what these programs lack: it
 * checks first that there is enough memory, shows progress, and says what the user can do.
 */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "device.h"
#include "exit.h"
#include "interrupt.h"
#include "message.h"
#include "program.h"
#include "size.h"
#include "swap.h"
#include "sysfs.h"
#include "users.h"

#define SWAPOFF_NO_MEMORY	2	/* exit status, see swapoff(8) */

/* "MemAvailable:     123456 kB" */
static bool parse_available(const char *line, uint64_t *bytes)
{
	static const char name[] = "MemAvailable:";
	char digits[SIZE_TEXT_MAX];

	return !strncmp(line, name, sizeof(name) - 1) &&
	       sscanf(line + sizeof(name) - 1, " %20[0-9] kB", digits) == 1 &&
	       !number_parse(digits, bytes) && !__builtin_mul_overflow(*bytes, 1024, bytes);
}

static bool read_available(uint64_t *bytes)
{
	FILE *file = sysfs_fopen("/proc/meminfo");
	char *line = NULL;
	bool found = false;
	size_t size = 0;

	while (file && !found && getline(&line, &size, file) > 0)
		found = parse_available(line, bytes);
	free(line);
	if (file)
		fclose(file);
	return found;
}

int swap_check_room(const struct swap_move *move)
{
	char a[SIZE_TEXT_MAX], b[SIZE_TEXT_MAX], c[SIZE_TEXT_MAX];
	const struct value *v = move->dev->v, *other = &v[V_OTHER_SWAP_FREE];
	uint64_t available, sum;

	if (move->force || !v[V_SWAP_USED].known || !read_available(&available))
		return EXIT_OK;
	if (__builtin_add_overflow(available, other->known ? other->number : 0, &sum) ||
	    v[V_SWAP_USED].number <= sum)
		return EXIT_OK;
	report_err(move->dev->path, "%s is swapped, but only %s of memory and %s of other swap are available; end some programs or add swap (swapon), or try it with --force; nothing was changed",
		   size_format(a, v[V_SWAP_USED].number, move->exact),
		   size_format(b, available, move->exact),
		   size_format(c, other->number, move->exact));
	return EXIT_NO_ROOM;
}

/* Looks again how much swap is left, and shows progress. */
static void tick(void *ctx)
{
	struct swap_move *move = ctx;
	struct device now = { .dir = move->dev->dir };
	uint64_t total = move->dev->v[V_SWAP_USED].number, left;

	memcpy(now.path, move->dev->path, sizeof(now.path));
	users_read(&now);
	left = now.v[V_SWAP_USED].number;
	if (now.swap && left <= total)
		progress_show(&move->progress, "moving swap to memory", total - left, total);
	/* device_close() must not close the directory of the other struct device. */
	now.dir = -1;
	device_close(&now);
}

int swap_off(struct swap_move *move)
{
	struct device *dev = move->dev;
	const char * const argv[] = { "swapoff", dev->path, NULL };
	int status;

	status = program_run_watched(dev->path, argv, tick, move);
	progress_end(&move->progress);
	if (!status)
		return EXIT_OK;
	if (status < 0)
		return EXIT_ERROR;
	if (interrupted()) {
		report_err(dev->path, "interrupted; a part of the swap is in memory now, the rest is swap as before");
		return EXIT_INTERRUPTED;
	}
	if (status == SWAPOFF_NO_MEMORY) {
		report_err(dev->path, "there was not enough memory for all that is swapped; end some programs or add swap (swapon), and try again; the device is swap as before");
		return EXIT_NO_ROOM;
	}
	report_err(dev->path, "swapoff failed with status %d; the device is as before",
		   status);
	return EXIT_ERROR;
}

int swap_format(struct device *dev)
{
	const char * const argv[] = { "mkswap", dev->path, NULL };

	return program_run(dev->path, argv) ? EXIT_ERROR : EXIT_OK;
}

int swap_on(struct device *dev, const char *priority)
{
	const char * const with[] = { "swapon", "--priority", priority, dev->path, NULL };
	const char * const without[] = { "swapon", dev->path, NULL };

	return program_run(dev->path, priority ? with : without) ? EXIT_ERROR : EXIT_OK;
}
