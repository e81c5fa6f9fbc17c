// SPDX-License-Identifier: GPL-2.0
/*
 * Files of the kernel, below a root that can be moved.
 *
 * The tool does not trust these files: it limits their length, and a file of the wrong
 * form is an error.
 */

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "alloc.h"
#include "inject.h"
#include "size.h"
#include "sysfs.h"

int sysfs_open(const char *path, int flags)
{
	/* A program that runs with more rights than its user ignores the variable. */
	const char *root = secure_getenv("MTETAGRAM_SYSROOT") ?: "";
	char full[PATH_MAX];
	int fd;

	if (snprintf(full, sizeof(full), "%s%s", root, path) >= (int)sizeof(full))
		return -ENAMETOOLONG;
	fd = open(full, flags | O_CLOEXEC | O_NONBLOCK);
	return fd < 0 ? -errno : fd;
}

DIR *sysfs_opendir(const char *path)
{
	int fd = sysfs_open(path, O_RDONLY | O_DIRECTORY);
	DIR *dir;

	if (fd < 0) {
		errno = -fd;
		return NULL;
	}
	dir = fdopendir(fd);
	if (!dir)
		close(fd);
	return dir;
}

FILE *sysfs_fopen(const char *path)
{
	int fd = sysfs_open(path, O_RDONLY);
	FILE *file;

	if (fd < 0) {
		errno = -fd;
		return NULL;
	}
	file = fdopen(fd, "r");
	if (!file)
		close(fd);
	return file;
}

/* An attribute is a regular file. A pipe, for example, could block the tool. */
static int open_attribute(int dir, const char *name, int flags)
{
	int fd = openat(dir, name, flags | O_CLOEXEC | O_NONBLOCK);
	struct stat st;

	if (fd < 0)
		return -errno;
	if (fstat(fd, &st) || !S_ISREG(st.st_mode)) {
		close(fd);
		return -EISDIR;
	}
	return fd;
}

static ssize_t read_all(int fd, void *buf, size_t size)
{
	size_t len = 0;
	ssize_t ret;

	while (len < size) {
		ret = read(fd, buf + len, size - len);
		if (ret < 0 && errno == EINTR)
			continue;
		if (ret < 0)
			return -errno;
		if (!ret)
			break;
		len += ret;
	}
	return len;
}

int sysfs_read(int dir, const char *name, char buf[SYSFS_VALUE_MAX + 1])
{
	int fd, len;

	len = inject_error("read", name, NULL);
	if (len)
		return len;
	fd = open_attribute(dir, name, O_RDONLY);
	if (fd < 0)
		return fd;
	len = read_all(fd, buf, SYSFS_VALUE_MAX + 1);
	close(fd);
	if (len < 0)
		return len;
	if (len > SYSFS_VALUE_MAX)
		return -EFBIG;
	if (memchr(buf, '\0', len))
		return -EILSEQ;
	if (len && buf[len - 1] == '\n')
		len--;
	buf[len] = '\0';
	return len;
}

ssize_t sysfs_read_binary(int dir, const char *name, size_t max, uint8_t **data)
{
	size_t size = 0, len = 0;
	ssize_t ret;
	int fd;

	ret = inject_error("read", name, NULL);
	if (ret)
		return ret;
	fd = open_attribute(dir, name, O_RDONLY);
	if (fd < 0)
		return fd;
	*data = NULL;
	do {
		/* One byte more than allowed shows that the file is too long. */
		size = size ? 2 * size : SYSFS_VALUE_MAX;
		if (size > max)
			size = max + 1;
		*data = xrealloc(*data, size, 1);
		ret = read_all(fd, *data + len, size - len);
		if (ret > 0)
			len += ret;
	} while (ret > 0 && len == size && size <= max);
	close(fd);
	if (ret >= 0 && len > max)
		ret = -EFBIG;
	if (ret < 0) {
		free(*data);
		*data = NULL;
		return ret;
	}
	return len;
}

int sysfs_read_number(int dir, const char *name, uint64_t *number)
{
	char buf[SYSFS_VALUE_MAX + 1];
	int ret = sysfs_read(dir, name, buf);

	return ret < 0 ? ret : number_parse(buf, number);
}

int sysfs_write(int dir, const char *name, const char *value)
{
	size_t len = strlen(value);
	int ret = inject_error("write", name, value), fd;
	ssize_t done;

	inject_trace("write %s %s", name, value);
	if (ret)
		return ret == INJECT_DROP ? 0 : ret;
	/* sysfs ignores O_TRUNC; the files of the tests need it. */
	fd = open_attribute(dir, name, O_WRONLY | O_TRUNC);
	if (fd < 0)
		return fd;
	do {
		done = write(fd, value, len);
	} while (done < 0 && errno == EINTR);
	ret = done < 0 ? -errno : (size_t)done < len ? -EIO : 0;
	if (close(fd) && !ret)
		ret = -errno;
	return ret;
}

int sysfs_may_write(int dir, const char *name)
{
	int ret = inject_error("access", name, NULL);

	if (ret)
		return ret;
	return faccessat(dir, name, W_OK, AT_EACCESS) ? -errno : 0;
}
