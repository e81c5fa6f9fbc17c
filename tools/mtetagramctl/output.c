// SPDX-License-Identifier: GPL-2.0
/*
 * Output to a file that appears only when it is complete, so that no reader sees half of
 * it. The tool writes a temporary file in the same directory and renames it.
 */

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "alloc.h"
#include "exit.h"
#include "message.h"
#include "output.h"

static int failed(const char *what, const char *path)
{
	int error = errno;

	report_err(NULL, "cannot %s %s: %s%s", what, path, strerror(error),
		   error == EACCES || error == EROFS ? "; choose another --output" : "");
	return error == EACCES || error == EPERM ? EXIT_DENIED : EXIT_ERROR;
}

int output_open(struct output *output, const char *path)
{
	static const char suffix[] = ".XXXXXX";
	size_t len;
	int fd;

	*output = (struct output){ .path = path };
	if (!path) {
		output->file = stdout;
		return EXIT_OK;
	}
	len = strlen(path);
	output->temporary = xcalloc(1, len + sizeof(suffix));
	memcpy(output->temporary, path, len);
	memcpy(output->temporary + len, suffix, sizeof(suffix));
	fd = mkstemp(output->temporary);
	output->file = fd < 0 ? NULL : fdopen(fd, "w");
	if (!output->file) {
		int ret = failed("write", path);

		free(output->temporary);
		return ret;
	}
	return EXIT_OK;
}

int output_close(struct output *output, int ret)
{
	if (!output->path)
		return ret;
	/* The collector that reads the file runs as another user. */
	if (!ret && (fchmod(fileno(output->file), 0644) || fflush(output->file) ||
		     fsync(fileno(output->file))))
		ret = failed("write", output->path);
	if (fclose(output->file) && !ret)
		ret = failed("write", output->path);
	if (!ret && rename(output->temporary, output->path))
		ret = failed("replace", output->path);
	if (ret)
		unlink(output->temporary);
	free(output->temporary);
	return ret;
}
