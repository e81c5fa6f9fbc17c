// SPDX-License-Identifier: GPL-2.0
/*
 * mtetagramctl: set up and watch mtetagram devices. This file finds the command and runs
 * it. Each command has a file of its own.
 */

#include <stdio.h>
#include <string.h>

#include "commands.h"
#include "exit.h"
#include "message.h"
#include "util.h"

static const struct command {
	const char *name;
	int (*run)(int argc, char **argv);
	const char *help;
} commands[] = {
	{ "status", cmd_status, "show what devices hold and how much room there is" },
	{ "watch",  cmd_watch,  "show what changes, with rates and errors" },
	{ "map",    cmd_map,    "draw which tag blocks hold data and which hold tags" },
	{ "stats",  cmd_stats,  "list all numbers, also for Prometheus" },
	{ "setup",  cmd_setup,  "give a device a size and make it ready for use" },
	{ "limit",  cmd_limit,  "show or set the share and the memory limit" },
	{ "resize", cmd_resize, "set the share of the carve-out, or make a device larger" },
	{ "drain",  cmd_drain,  "move all data out, give all tag blocks back" },
	{ "verify", cmd_verify, "check that tags are where the device tree says" },
	{ "reset",  cmd_reset,  "drop all data and settings of a device" },
};

static void print_help(void)
{
	size_t i;

	printf("Usage: mtetagramctl COMMAND [OPTION]... [ARGUMENT]...\n\n"
	       "Manage mtetagram devices: compressed RAM disks in the tag storage\n"
	       "(carve-out) of arm64 machines with MTE.\n\n"
	       "Commands:\n");
	for (i = 0; i < ARRAY_SIZE(commands); i++)
		printf("  %-8s %s\n", commands[i].name, commands[i].help);
	printf("\nWithout a command: status.\n"
	       "See 'mtetagramctl COMMAND --help', and mtetagramctl(8).\n\n"
	       "Exit status: %d done, %d failed, %d wrong arguments, %d no device,\n"
	       "%d device in use, %d no room, %d not permitted, %d not with this driver,\n"
	       "%d interrupted.\n",
	       EXIT_OK, EXIT_ERROR, EXIT_USAGE, EXIT_NO_DEVICE, EXIT_BUSY, EXIT_NO_ROOM,
	       EXIT_DENIED, EXIT_UNSUPPORTED, EXIT_INTERRUPTED);
}

static int run(int argc, char **argv)
{
	const char *arg = argc > 1 ? argv[1] : NULL;
	size_t i;

	if (!arg) {
		current_command = "status";
		return cmd_status(argc, argv);
	}
	if (!strcmp(arg, "--help") || !strcmp(arg, "-h") || !strcmp(arg, "help")) {
		print_help();
		return EXIT_OK;
	}
	if (!strcmp(arg, "--version") || !strcmp(arg, "-V")) {
		printf("mtetagramctl %s\n", VERSION);
		return EXIT_OK;
	}
	for (i = 0; i < ARRAY_SIZE(commands); i++) {
		if (strcmp(arg, commands[i].name))
			continue;
		current_command = commands[i].name;
		return commands[i].run(argc - 1, argv + 1);
	}
	return usage_error("%s: unknown command", arg);
}

int main(int argc, char **argv)
{
	int ret = run(argc, argv);

	/* Output that could not be written is an error; a disk may be full. */
	if (fflush(stdout) || ferror(stdout)) {
		report_err(NULL, "cannot write to standard output");
		return ret ?: EXIT_ERROR;
	}
	return ret;
}
