// SPDX-License-Identifier: GPL-2.0
/*
 * Other programs. They run without a shell, so no argument is ever interpreted.
 */

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <spawn.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/types.h>
#include <sys/wait.h>
#include <time.h>

#include "interrupt.h"
#include "message.h"
#include "program.h"
#include "util.h"

extern char **environ;

static int spawn(pid_t *pid, const char * const argv[])
{
	/* PATH may lack these directories after su. */
	static const char * const dirs[] = { "/usr/sbin", "/sbin" };
	posix_spawn_file_actions_t actions;
	/* posix_spawn() does not change the strings; its type is older than const. */
	char **args = (char **)argv;
	char path[PATH_MAX];
	size_t i;
	int ret;

	ret = posix_spawn_file_actions_init(&actions);
	if (ret)
		return ret;
	ret = posix_spawn_file_actions_addopen(&actions, 1, "/dev/null", O_WRONLY, 0);
	if (!ret)
		ret = posix_spawnp(pid, argv[0], &actions, NULL, args, environ);
	for (i = 0; ret == ENOENT && i < ARRAY_SIZE(dirs); i++) {
		snprintf(path, sizeof(path), "%s/%s", dirs[i], argv[0]);
		ret = posix_spawn(pid, path, &actions, NULL, args, environ);
	}
	posix_spawn_file_actions_destroy(&actions);
	return ret;
}

int program_run_watched(const char *subject, const char * const argv[],
			void (*tick)(void *ctx), void *ctx)
{
	const struct timespec pause = { .tv_nsec = 100 * 1000 * 1000 };
	int ret, status;
	bool told = false;
	pid_t pid, done;

	fflush(stdout);
	ret = spawn(&pid, argv);
	if (ret) {
		report_err(subject, "cannot run %s: %s", argv[0], strerror(ret));
		return -1;
	}
	while (!(done = waitpid(pid, &status, WNOHANG))) {
		tick(ctx);
		if (interrupted() && !told) {
			told = true;
			kill(pid, SIGTERM);
		}
		nanosleep(&pause, NULL);
	}
	if (done < 0) {
		report_err(subject, "lost track of %s: %s", argv[0], strerror(errno));
		return -1;
	}
	return WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
}

int program_run(const char *subject, const char * const argv[])
{
	int ret, status;
	pid_t pid;

	fflush(stdout);
	ret = spawn(&pid, argv);
	if (ret) {
		report_err(subject, "cannot run %s: %s", argv[0], strerror(ret));
		return -1;
	}
	while (waitpid(pid, &status, 0) < 0) {
		if (errno == EINTR)
			continue;
		report_err(subject, "lost track of %s: %s", argv[0], strerror(errno));
		return -1;
	}
	if (WIFSIGNALED(status)) {
		report_err(subject, "%s was killed by signal %d", argv[0],
			   WTERMSIG(status));
		return -1;
	}
	if (WEXITSTATUS(status)) {
		report_err(subject, "%s failed with status %d", argv[0],
			   WEXITSTATUS(status));
		return -1;
	}
	return 0;
}
