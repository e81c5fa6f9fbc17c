/* SPDX-License-Identifier: GPL-2.0 */
/* What programs that run in the guests of benchmarks share. */
#ifndef BENCH_LOAD_H
#define BENCH_LOAD_H

#include <err.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <fcntl.h>
#include <time.h>
#include <unistd.h>

#define PAGE 4096UL

static inline unsigned long number(const char *text)
{
	char *end;
	unsigned long value = strtoul(text, &end, 0);

	if (end == text || *end)
		errx(2, "%s is no number", text);
	return value;
}

static inline uint64_t now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * 1000000000ULL + t.tv_nsec;
}

static inline uint64_t next(uint64_t *state)
{
	*state ^= *state << 13;
	*state ^= *state >> 7;
	*state ^= *state << 17;
	return *state;
}

static inline void *map_memory(size_t size, int extra)
{
	void *p = mmap(NULL, size, PROT_READ | PROT_WRITE | extra,
		       MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

	if (p == MAP_FAILED)
		err(1, "mmap of %zu bytes", size);
	return p;
}

/* The file's content, locked in memory. */
static inline const char *read_source(const char *name, size_t *size)
{
	struct stat st;
	char *to;
	int fd = open(name, O_RDONLY);

	if (fd < 0 || fstat(fd, &st))
		err(1, "%s", name);
	*size = st.st_size;
	to = map_memory(st.st_size, 0);
	for (off_t at = 0; at < st.st_size;) {
		ssize_t n = read(fd, to + at, st.st_size - at);

		if (n <= 0)
			err(1, "%s", name);
		at += n;
	}
	close(fd);
	if (mlock(to, st.st_size))
		err(1, "mlock");
	return to;
}

#endif
