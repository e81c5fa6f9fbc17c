// SPDX-License-Identifier: GPL-2.0
/*
 * mtetagramctl verify: check that tags are where the device tree says.
 *
 * The driver does the work while an attribute is written. A child process writes the
 * attribute, so that the tool can show progress meanwhile. A signal ends the child, and then
 * the driver ends the work.
 */

#include <errno.h>
#include <getopt.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/types.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "commands.h"
#include "device.h"
#include "exit.h"
#include "interrupt.h"
#include "message.h"
#include "option.h"
#include "progress.h"
#include "sysfs.h"

static const char attribute[] = "tag_storage/verify";

/* What the attribute says. */
struct result {
	char verdict[16];
	uint64_t checked;
	uint64_t no_page;
	uint64_t in_use;
	uint64_t places;
};

static void print_help(void)
{
	puts("Usage: mtetagramctl verify [OPTION]... [DEVICE]\n\n"
	     "Check that the machine keeps its tags where the device tree says: in free tag\n"
	     "blocks, by storing tags to free memory. Data is not touched, and the device can\n"
	     "be in use. DEVICE may be left out if there is only one.\n\n"
	     "  -a, --all        check all free tag blocks, and not a sample of 48\n"
	     "      --progress   print progress even if standard error is no terminal\n"
	     "  -h, --help       print this and exit");
}

static int read_result(const struct device *dev, struct result *result)
{
	char buf[SYSFS_VALUE_MAX + 1];
	int ret = sysfs_read(dev->dir, attribute, buf);

	if (ret < 0)
		return ret;
	if (sscanf(buf, "%15s %" SCNu64 " %" SCNu64 " %" SCNu64 " %" SCNu64, result->verdict,
		   &result->checked, &result->no_page, &result->in_use,
		   &result->places) != 5)
		return -EILSEQ;
	return 0;
}

static void show_progress(const struct device *dev, struct progress *progress,
			  uint64_t block_size)
{
	struct result r;

	if (!read_result(dev, &r) && !strcmp(r.verdict, "running"))
		progress_show(progress, "verifying",
			      (r.checked + r.no_page + r.in_use) * block_size,
			      r.places * block_size);
}

/* Writes the attribute. Returns 0 or -errno; -EINTR after an interruption. */
static int write_watched(struct device *dev, const char *what, struct progress *progress,
			 uint64_t block_size)
{
	const struct timespec pause = { .tv_nsec = 100 * 1000 * 1000 };
	pid_t pid, done;
	int status;

	fflush(stdout);
	pid = fork();
	if (pid < 0)
		return -errno;
	if (!pid)
		_exit(-device_write(dev, attribute, what));
	interrupt_catch();
	while (!(done = waitpid(pid, &status, WNOHANG)) || (done < 0 && errno == EINTR)) {
		if (interrupted())
			kill(pid, SIGTERM);
		else
			show_progress(dev, progress, block_size);
		nanosleep(&pause, NULL);
	}
	progress_end(progress);
	if (done < 0)
		return -errno;
	return WIFEXITED(status) ? -WEXITSTATUS(status) : -EINTR;
}

static int failed(struct device *dev, const char *what, int error)
{
	switch (error) {
	case -EIO:
		report_err(dev->path, "tags are not where the device tree says; the kernel log (dmesg) has the addresses. The device stores nothing any more: switch its swap off or copy its data, and boot with arm64.nomte until the firmware is repaired");
		return EXIT_ERROR;
	case -EBUSY:
		report_err(dev->path, "another verification is under way; try again later");
		return EXIT_BUSY;
	case -EINTR:
		report_err(dev->path, "interrupted");
		return EXIT_INTERRUPTED;
	default:
		return device_write_failed(dev, attribute, what, error);
	}
}

static int print_result(struct device *dev)
{
	struct result r;
	int ret = read_result(dev, &r);

	if (ret) {
		device_bad_file(dev, attribute, ret);
		return EXIT_ERROR;
	}
	if (!r.checked) {
		report_err(dev->path, "nothing could be verified: no tag block is free and has a free data page; try again later");
		return EXIT_BUSY;
	}
	printf("%s: verified: %" PRIu64 " tag blocks; ", dev->path, r.checked);
	printf("not checked: %" PRIu64 " without a free data page, %" PRIu64 " in use\n",
	       r.no_page, r.in_use);
	return EXIT_OK;
}

static int verify(const char *name, const char *what, bool forced)
{
	struct progress progress = { .forced = forced };
	uint64_t block_size;
	struct device dev;
	int ret = device_open(&dev, name), error;

	if (ret)
		return ret;
	progress.subject = dev.path;
	ret = device_read_number(&dev, V_BLOCK_SIZE, &block_size);
	if (!ret) {
		error = write_watched(&dev, what, &progress, block_size);
		ret = error ? failed(&dev, what, error) : print_result(&dev);
	}
	device_close(&dev);
	return ret;
}

int cmd_verify(int argc, char **argv)
{
	enum { OPTION_PROGRESS = 256 };
	static const struct option long_options[] = {
		{ "all", no_argument, NULL, 'a' },
		{ "help", no_argument, NULL, 'h' },
		{ "progress", no_argument, NULL, OPTION_PROGRESS },
		{ }
	};
	const char *what = "sample";
	bool progress = false;
	int c;

	opterr = 0;
	while ((c = getopt_long(argc, argv, ":ah", long_options, NULL)) != -1) {
		switch (c) {
		case 'a':
			what = "all";
			break;
		case 'h':
			print_help();
			return EXIT_OK;
		case OPTION_PROGRESS:
			progress = true;
			break;
		default:
			return option_error(c, argv);
		}
	}
	if (argc - optind > 1)
		return usage_error("one device at a time");
	return verify(argv[optind], what, progress);
}
