// SPDX-License-Identifier: GPL-2.0
/*
 * A function for GNU make, $(exit-with STATUS): ends make with that status.
 *
 * make itself ends with 0 or 2, but "make guest RUN=script" and "make check" promise the
 * status of the script. The Makefile loads this function for these two targets.
 */
#include <gnumake.h>
#include <stdlib.h>

int plugin_is_GPL_compatible;

static char *exit_with(const char *name, unsigned int argc, char **argv)
{
	(void)name;
	(void)argc;
	exit(atoi(argv[0]));
}

/* make derives this name from the name of the file. */
int make_exit_gmk_setup(void);

int make_exit_gmk_setup(void)
{
	gmk_add_function("exit-with", exit_with, 1, 1, GMK_FUNC_DEFAULT);
	return 1;
}
