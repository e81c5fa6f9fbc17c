// SPDX-License-Identifier: GPL-2.0
/*
 * paths: take one of the code paths on which Linux tags a page, on purpose, and verify the
 * bytes and tags that come out of it.
 *
 *   paths NAME        see the table at the end; "paths list" prints the names
 *
 * tests/guest/paths.sh looks in the kernel's trace whether the path was really taken.
 *
 * Exit status: 0 all right; 1 bytes or tags were wrong; 2 the path cannot be taken.
 */

#define _GNU_SOURCE
#include <fcntl.h>
#include <linux/userfaultfd.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>

#include "mte.h"
#include "say.h"

#define PAGE		4096UL
#define GRANULE		16UL
#define HUGE		(2UL << 20)
#define SIZE		(256 * PAGE)
#define TAGGED		(PROT_READ | PROT_WRITE | PROT_MTE)
#define PLAIN		(PROT_READ | PROT_WRITE)
#ifndef MADV_SOFT_OFFLINE
#define MADV_SOFT_OFFLINE 101
#endif
#ifndef MADV_COLLAPSE
#define MADV_COLLAPSE	25
#endif

/* mm/gup_test.h */
struct pin_longterm_test {
	uint64_t addr;
	uint64_t size;
	uint32_t flags;
};

#define PIN_LONGTERM_TEST_START	_IOW('g', 7, struct pin_longterm_test)

/* Newer than the headers of the C library: uapi/linux/userfaultfd.h */
#ifndef UFFDIO_MOVE
struct uffdio_move {
	uint64_t dst;
	uint64_t src;
	uint64_t len;
	uint64_t mode;
	int64_t move;
};

#define UFFDIO_MOVE	_IOWR(UFFDIO, 0x05, struct uffdio_move)
#endif

static void *need(void *p)
{
	if (p == MAP_FAILED || !p)
		die("paths: no memory");
	return p;
}

static void must(int ret, const char *what)
{
	if (ret) {
		perror(what);
		exit(2);
	}
}

static char *map(size_t size, int prot)
{
	return need(mmap(NULL, size, prot, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0));
}

static char *map_fd(int fd, size_t size, int prot)
{
	return need(mmap(NULL, size, prot, MAP_SHARED, fd, 0));
}

/* Aligned to a huge page. */
static char *map_huge(size_t size, int prot)
{
	char *p = map(size + HUGE, prot);

	p += HUGE - ((uintptr_t)p & (HUGE - 1));
	must(madvise(p, size, MADV_HUGEPAGE), "MADV_HUGEPAGE");
	return p;
}

static unsigned int tag_of(size_t offset, unsigned int salt)
{
	return (offset / GRANULE * 7 + offset / PAGE + salt) % 16;
}

/* Each granule has another tag, each page holds another number. */
static void fill(char *area, size_t size, unsigned int salt)
{
	size_t i;

	for (i = 0; i < size; i += GRANULE) {
		char *p = mte_pointer(area + i, tag_of(i, salt));

		mte_store_tag(p);
		if (i % PAGE == 0)
			*(size_t *)p = i + salt;
	}
}

static void fill_plain(char *area, size_t size, unsigned int salt)
{
	size_t i;

	for (i = 0; i < size; i += PAGE)
		*(size_t *)(area + i) = i + salt;
}

static int wrong_tags(char *area, size_t size, unsigned int salt, bool zero)
{
	size_t i, wrong = 0;

	for (i = 0; i < size; i += GRANULE) {
		unsigned int tag = zero ? 0 : tag_of(i, salt);

		wrong += mte_load_tag(area + i) != tag;
		if (i % PAGE == 0)
			wrong += *(size_t *)mte_pointer(area + i, tag) != i + salt;
	}
	if (wrong)
		say("paths: %zu granules or pages are wrong", wrong);
	return !!wrong;
}

static int wrong(char *area, size_t size, unsigned int salt)
{
	return wrong_tags(area, size, salt, false);
}

/* The bytes are as written without tags, and the tags are 0; then the page takes others. */
static int wrong_new(char *area, size_t size, unsigned int salt)
{
	if (wrong_tags(area, size, salt, true))
		return 1;
	fill(area, size, salt + 1);
	return wrong(area, size, salt + 1);
}

static int wait_for(pid_t pid)
{
	int status;

	if (waitpid(pid, &status, 0) != pid || !WIFEXITED(status))
		return 1;
	return WEXITSTATUS(status);
}

static int memory_file(size_t size)
{
	int fd = memfd_create("paths", 0);

	must(fd < 0 || ftruncate(fd, size), "memfd");
	return fd;
}

static int anon(void)
{
	char *p = map(SIZE, TAGGED);

	fill(p, SIZE, 1);
	return wrong(p, SIZE, 1);
}

static int late(void)
{
	char *p = map(SIZE, PLAIN);

	must(madvise(p, SIZE, MADV_NOHUGEPAGE), "MADV_NOHUGEPAGE");
	fill_plain(p, SIZE, 2);
	must(mprotect(p, SIZE, TAGGED), "mprotect");
	return wrong_new(p, SIZE, 2);
}

static int thp(void)
{
	char *p = map_huge(HUGE, TAGGED);

	fill(p, HUGE, 3);
	return wrong(p, HUGE, 3);
}

static int thp_late(void)
{
	char *p = map_huge(HUGE, PLAIN);

	fill_plain(p, HUGE, 4);
	must(mprotect(p, HUGE, TAGGED), "mprotect");
	return wrong_new(p, HUGE, 4);
}

/* The area is too small for a huge page, and gets folios of 64 KiB. */
static int mthp(void)
{
	char *p = map(SIZE, TAGGED);

	must(madvise(p, SIZE, MADV_HUGEPAGE), "MADV_HUGEPAGE");
	fill(p, SIZE, 5);
	return wrong(p, SIZE, 5);
}

static int huge_zero(void)
{
	char *p = map_huge(HUGE, TAGGED);
	size_t i, bad = 0;

	for (i = 0; i < HUGE; i += GRANULE)
		bad += mte_load_tag(p + i) != 0 || p[i] != 0;
	fill(p, HUGE, 6);
	return bad || wrong(p, HUGE, 6);
}

static int shared(void)
{
	char *p = map_fd(memory_file(SIZE), SIZE, TAGGED);

	fill(p, SIZE, 7);
	return wrong(p, SIZE, 7);
}

/* The pages are in the page cache: one fault also maps the pages around. */
static int around(void)
{
	int fd = memory_file(SIZE);
	char *p;

	fill_plain(map_fd(fd, SIZE, PLAIN), SIZE, 8);
	p = map_fd(fd, SIZE, TAGGED);
	return wrong_new(p, SIZE, 8);
}

/* This program provides the missing pages of the area (userfaultfd). */
static int userfault(char *p)
{
	struct uffdio_register range = {
		.range = { (uintptr_t)p, SIZE }, .mode = UFFDIO_REGISTER_MODE_MISSING,
	};
	struct uffdio_api api = { .api = UFFD_API };
	int fd = syscall(SYS_userfaultfd, O_CLOEXEC);

	must(fd < 0 || ioctl(fd, UFFDIO_API, &api), "userfaultfd");
	must(ioctl(fd, UFFDIO_REGISTER, &range), "UFFDIO_REGISTER");
	return fd;
}

static int uffd_copy(void)
{
	char *p = map(SIZE, TAGGED), *from = map(SIZE, PLAIN);
	struct uffdio_copy copy;
	int fd = userfault(p);

	fill_plain(from, SIZE, 9);
	copy = (struct uffdio_copy) { (uintptr_t)p, (uintptr_t)from, SIZE, 0, 0 };
	must(ioctl(fd, UFFDIO_COPY, &copy), "UFFDIO_COPY");
	return wrong_new(p, SIZE, 9);
}

/* The zero page has tags of 0, and is replaced when it is written. */
static int uffd_zero(void)
{
	char *p = map(SIZE, TAGGED);
	struct uffdio_zeropage zero = { .range = { (uintptr_t)p, SIZE } };
	size_t i, bad = 0;

	must(ioctl(userfault(p), UFFDIO_ZEROPAGE, &zero), "UFFDIO_ZEROPAGE");
	for (i = 0; i < SIZE; i += GRANULE)
		bad += mte_load_tag(p + i) != 0 || p[i] != 0;
	fill(p, SIZE, 20);
	return bad || wrong(p, SIZE, 20);
}

/* The pages take their tags with them, so nothing is reserved. */
static int uffd_move(void)
{
	char *p = map(SIZE, TAGGED), *from = map(SIZE, TAGGED);
	struct uffdio_move move = { (uintptr_t)p, (uintptr_t)from, SIZE, 0, 0 };

	must(madvise(from, SIZE, MADV_NOHUGEPAGE), "MADV_NOHUGEPAGE");
	fill(from, SIZE, 21);
	must(ioctl(userfault(p), UFFDIO_MOVE, &move), "UFFDIO_MOVE");
	return wrong(p, SIZE, 21);
}

/* Pages of a file are copied. They were never mapped, and have no tags. */
static int cow_file(void)
{
	int fd = memory_file(SIZE);
	char *p;

	fill_plain(map_fd(fd, SIZE, PLAIN), SIZE, 22);
	p = need(mmap(NULL, SIZE, TAGGED, MAP_PRIVATE, fd, 0));
	fill(p, SIZE, 22);
	return wrong(p, SIZE, 22);
}

static int child_writes(char *p, unsigned int salt)
{
	pid_t pid = fork();

	if (!pid) {
		int bad = wrong(p, SIZE, salt);

		fill(p, SIZE, salt + 5);
		_exit(bad || wrong(p, SIZE, salt + 5));
	}
	return wait_for(pid) || wrong(p, SIZE, salt);
}

static int cow(void)
{
	char *p = map(SIZE, TAGGED);

	fill(p, SIZE, 10);
	return child_writes(p, 10);
}

/* Pinned pages are copied by fork() itself. */
static int fork_pinned(void)
{
	char *p = map(SIZE, TAGGED);
	struct pin_longterm_test pin = { (uintptr_t)p, SIZE, 0 };
	int fd = open("/sys/kernel/debug/gup_test", O_RDWR);

	fill(p, SIZE, 11);
	must(fd < 0 || ioctl(fd, PIN_LONGTERM_TEST_START, &pin), "gup_test");
	return child_writes(p, 11);
}

static uint64_t entry(const void *p)
{
	static int fd = -1;
	uint64_t e = 0;

	if (fd < 0)
		fd = open("/proc/self/pagemap", O_RDONLY);
	if (pread(fd, &e, 8, (uintptr_t)p / PAGE * 8) != 8)
		die("paths: pagemap");
	return e;
}

/* Memory that is about to fail is moved to other pages. */
static size_t move(char *p, size_t size)
{
	size_t i, moved = 0;

	for (i = 0; i < size; i += PAGE) {
		uint64_t before = entry(p + i);

		must(madvise(p + i, PAGE, MADV_SOFT_OFFLINE), "MADV_SOFT_OFFLINE");
		moved += entry(p + i) != before;
	}
	return moved;
}

static void write_file(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY);

	must(fd < 0 || write(fd, text, strlen(text)) < 0, path);
	close(fd);
}

static int migrate(void)
{
	char *p = map(SIZE, TAGGED);
	size_t moved;

	must(madvise(p, SIZE, MADV_NOHUGEPAGE), "MADV_NOHUGEPAGE");
	fill(p, SIZE, 12);
	moved = move(p, 16 * PAGE);
	say("paths: %zu pages moved", moved);
	return wrong(p, SIZE, 12) || moved != 16;
}

/*
 * MADV_COLLAPSE needs no MADV_HUGEPAGE, and without it khugepaged cannot be faster.
 */
static int collapse(void)
{
	char *p = map(2 * HUGE, TAGGED);

	p += HUGE - ((uintptr_t)p & (HUGE - 1));
	fill(p, HUGE, 13);
	must(madvise(p, HUGE, MADV_COLLAPSE), "MADV_COLLAPSE");
	return wrong(p, HUGE, 13);
}

static int collapse_shared(void)
{
	int fd = memory_file(2 * HUGE);
	char *p = need(mmap(NULL, 3 * HUGE, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0));

	p += HUGE - ((uintptr_t)p & (HUGE - 1));
	need(mmap(p, 2 * HUGE, TAGGED, MAP_SHARED | MAP_FIXED, fd, 0));
	fill(p, 2 * HUGE, 14);
	must(madvise(p, HUGE, MADV_COLLAPSE), "MADV_COLLAPSE");
	return wrong(p, 2 * HUGE, 14);
}

static unsigned long read_number(const char *path)
{
	unsigned long n = 0;
	FILE *f = fopen(path, "r");

	if (!f || fscanf(f, "%lu", &n) != 1)
		die("paths: %s", path);
	fclose(f);
	return n;
}

static unsigned long vmstat(const char *name)
{
	FILE *f = fopen("/proc/vmstat", "r");
	unsigned long n, value = 0;
	char key[64];

	while (f && fscanf(f, "%63s %lu", key, &n) == 2)
		value = strcmp(key, name) ? value : n;
	if (f)
		fclose(f);
	return value;
}

/* The number of pages that are shared after KSM has scanned all memory twice. */
static unsigned long merged(char *p, size_t size)
{
	unsigned long scans = read_number("/sys/kernel/mm/ksm/full_scans");

	must(madvise(p, size, MADV_MERGEABLE), "MADV_MERGEABLE");
	while (read_number("/sys/kernel/mm/ksm/full_scans") < scans + 4)
		usleep(10000);
	return read_number("/sys/kernel/mm/ksm/pages_sharing");
}

static void ksm_on(void)
{
	write_file("/sys/kernel/mm/ksm/pages_to_scan", "10000");
	write_file("/sys/kernel/mm/ksm/sleep_millisecs", "1");
	write_file("/sys/kernel/mm/ksm/run", "1");
}

/* KSM merges equal pages, but not tagged ones. */
static int ksm(void)
{
	char *plain = map(SIZE, PLAIN), *tagged = map(SIZE, TAGGED);
	unsigned long shared_plain, shared_both;
	size_t i;

	ksm_on();
	memset(plain, 0x51, SIZE);
	for (i = 0; i < SIZE; i += PAGE)
		memset(tagged + i, 0x52, PAGE);
	shared_plain = merged(plain, SIZE);
	shared_both = merged(tagged, SIZE);
	write_file("/sys/kernel/mm/ksm/run", "2");
	say("paths: %lu pages shared, %lu with tagged ones", shared_plain, shared_both);
	return !shared_plain || shared_both != shared_plain;
}

/* A child that waits until all writers of @go are closed, and then verifies. */
static pid_t child_looks(int go[2], int (*look)(char *p), char *p)
{
	pid_t pid;
	char c;

	must(pipe(go), "pipe");
	pid = fork();
	if (pid) {
		close(go[0]);
		return pid;
	}
	close(go[1]);
	while (read(go[0], &c, 1) > 0)
		;
	_exit(look(p));
}

static int remote_is_wrong(char *p)
{
	return wrong_new(p, SIZE, 18);
}

/* Another process writes to memory that was never touched. */
static int remote(void)
{
	char *p = map(SIZE, TAGGED), *from = map(SIZE, PLAIN), name[32];
	int go[2], pid = child_looks(go, remote_is_wrong, p), fd;

	fill_plain(from, SIZE, 18);
	snprintf(name, sizeof(name), "/proc/%d/mem", pid);
	fd = open(name, O_RDWR);
	must(fd < 0 || pwrite(fd, from, SIZE, (uintptr_t)p) != (ssize_t)SIZE, name);
	close(go[1]);
	return wait_for(pid);
}

typedef ssize_t (*copy_fn)(pid_t pid, const struct iovec *local, unsigned long nr_local,
			   const struct iovec *remote, unsigned long nr_remote,
			   unsigned long flags);

static void copy(copy_fn fn, pid_t pid, char *here, char *there)
{
	struct iovec local = { here, SIZE }, remote = { there, SIZE };

	must(fn(pid, &local, 1, &remote, 1, 0) != (ssize_t)SIZE, "process_vm");
}

/* A system call writes to the memory, and takes its pages on another code path. */
static int process_vm(void)
{
	char *p = map(SIZE, TAGGED), *from = map(SIZE, PLAIN);
	int go[2], pid = child_looks(go, remote_is_wrong, p);

	fill_plain(from, SIZE, 18);
	copy(process_vm_writev, pid, from, p);
	close(go[1]);
	return wait_for(pid);
}

static size_t swapped(char *p, size_t size)
{
	size_t i, n = 0;

	for (i = 0; i < size; i += PAGE)
		n += entry(p + i) >> 62 & 1;
	return n;
}

static char *tagged_in_swap(char *p, unsigned int salt)
{
	fill(p, SIZE, salt);
	must(madvise(p, SIZE, MADV_PAGEOUT), "MADV_PAGEOUT");
	say("paths: %zu of %zu pages in swap", swapped(p, SIZE), SIZE / PAGE);
	return p;
}

static int swapin(void)
{
	return wrong(tagged_in_swap(map(SIZE, TAGGED), 15), SIZE, 15);
}

static int swapin_shared(void)
{
	return wrong(tagged_in_swap(map_fd(memory_file(SIZE), SIZE, TAGGED), 16), SIZE, 16);
}

/* The write of another process does not change tags. */
static int swapped_is_wrong(char *p)
{
	size_t i;

	for (i = 0; i < SIZE; i += PAGE)
		*(size_t *)mte_pointer(p + i, tag_of(i, 26)) -= 100;
	return wrong(p, SIZE, 26);
}

/* Another process reads and writes pages that are in swap, with their tags. */
static int process_vm_swap(void)
{
	char *p = map(SIZE, TAGGED), *q = map(SIZE, TAGGED), *here = map(SIZE, PLAIN);
	int go[2], pid;
	size_t i;

	tagged_in_swap(p, 26);
	tagged_in_swap(q, 26);
	/* The two processes have the same pages in swap; a write makes a copy. */
	pid = child_looks(go, swapped_is_wrong, p);
	copy(process_vm_readv, pid, here, q);
	for (i = 0; i < SIZE; i += PAGE)
		*(size_t *)(here + i) += 100;
	copy(process_vm_writev, pid, here, p);
	close(go[1]);
	for (i = 0; i < SIZE; i += PAGE)
		if (*(size_t *)(here + i) != i + 26 + 100)
			return 1;
	return wait_for(pid) || wrong(p, SIZE, 26) || wrong(q, SIZE, 26);
}

/*
 * Equal pages that KSM has merged, and that are made PROT_MTE after that. In swap, all of
 * them are one page. The first page that comes back takes this page, and the others are
 * copies. The program is in a memory cgroup, because MADV_PAGEOUT leaves alone a page that
 * is mapped several times.
 */
static int ksm_swapin(void)
{
	char *p = map(SIZE, PLAIN);
	unsigned long before = vmstat("ksm_swpin_copy");
	size_t i, bad = 0;
	int fd;

	ksm_on();
	memset(p, 0x53, SIZE);
	if (merged(p, SIZE) < SIZE / PAGE - 1)
		die("paths: KSM merged nothing");
	write_file("/sys/kernel/mm/ksm/run", "0");
	must(mprotect(p, SIZE, TAGGED), "mprotect");
	/* The pages are mapped so often that the kernel would find them to be in use. */
	write_file("/proc/self/clear_refs", "1");
	fd = open("/sys/fs/cgroup/paths/memory.reclaim", O_WRONLY);
	must(fd < 0, "memory.reclaim");
	for (i = 0; i < 100 && swapped(p, SIZE) < SIZE / PAGE; i++)
		/* The write may fail: there was not so much memory, or the kernel gave up. */
		if (write(fd, "64M", 3) < 0)
			continue;
	say("paths: %zu of %zu pages in swap", swapped(p, SIZE), SIZE / PAGE);
	for (i = 0; i < SIZE; i += GRANULE)
		bad += mte_load_tag(p + i) != 0 || p[i] != 0x53;
	before = vmstat("ksm_swpin_copy") - before;
	say("paths: %lu pages copied", before);
	fill(p, SIZE, 27);
	return bad || wrong(p, SIZE, 27) || before < SIZE / PAGE / 2;
}

/* The caller runs swapoff while this program waits. */
static int swapped_off(void)
{
	char *p = tagged_in_swap(map(SIZE, TAGGED), 17);
	char *q = tagged_in_swap(map_fd(memory_file(SIZE), SIZE, TAGGED), 25), c;

	say("ready");
	while (read(0, &c, 1) > 0)
		;
	if (swapped(p, SIZE))
		die("paths: still in swap");
	return wrong(p, SIZE, 17) || wrong(q, SIZE, 25);
}

/* A huge page on memory whose tags are not 0: the last owner has left tags. */
static char *used_huge(void)
{
	char *p = map_huge(HUGE, TAGGED);

	fill(p, HUGE, 24);
	must(munmap(p, HUGE), "munmap");
	p = map_huge(HUGE, PLAIN);
	fill_plain(p, HUGE, 24);
	return p;
}

static void split(char *p)
{
	unsigned long before = vmstat("thp_split_page");
	char text[80];

	snprintf(text, sizeof(text), "%d,%#lx,%#lx", getpid(), (unsigned long)p,
		 (unsigned long)(p + HUGE));
	write_file("/sys/kernel/debug/split_huge_pages", text);
	if (vmstat("thp_split_page") != before + 1)
		die("paths: the huge page was not split");
}

static size_t count_tags_not(char *p, size_t size, unsigned int tag)
{
	size_t i, n = 0;

	for (i = 0; i < size; i += GRANULE)
		n += mte_load_tag(p + i) != tag;
	return n;
}

static size_t count_bytes_wrong(char *p, unsigned int salt)
{
	size_t i, n = 0;

	mte_checks_off();
	for (i = 0; i < HUGE; i += PAGE)
		n += *(size_t *)(p + i) != i + salt;
	mte_checks_on();
	return n;
}

/*
 * A huge page that is tagged in part, and then split: the stock kernel gives all parts the
 * state of the first part. Tags that are cleared by this are only counted. But a page that
 * becomes tagged later must begin with tags of 0.
 */
static int split_partly(void)
{
	char *p = used_huge();
	size_t half = HUGE / 2, i, cleared, found, bytes;

	must(mprotect(p + half, half, TAGGED), "mprotect");
	for (i = half; i < HUGE; i += GRANULE)
		mte_store_tag(mte_pointer(p + i, 9));
	split(p);
	cleared = count_tags_not(p + half, half, 9);
	bytes = count_bytes_wrong(p, 24);
	must(munmap(p, HUGE), "munmap");

	p = used_huge();
	must(mprotect(p, half, TAGGED), "mprotect");
	split(p);
	must(mprotect(p + half, half, TAGGED), "mprotect");
	found = count_tags_not(p + half, half, 0);
	bytes += count_bytes_wrong(p, 24);
	say("paths: of %zu tags, %zu set before the split were cleared, %zu never set are not 0; %zu pages are wrong",
	    half / GRANULE, cleared, found, bytes);
	return found || bytes;
}

static void touch(void *p)
{
	*(volatile char *)p;
}

/* The memory of the page fails. The kernel may kill the process that uses it. */
static void fail_memory(void *p)
{
	must(madvise(p, PAGE, MADV_HWPOISON), "MADV_HWPOISON");
}

static int poison(void)
{
	char *p = map(2 * SIZE, TAGGED);

	fill(p, 2 * SIZE, 19);
	guard(fail_memory, p + SIZE);
	if (guard(touch, mte_pointer(p + SIZE, tag_of(SIZE, 19))) != ACCESS_LOST) {
		say("paths: a page whose memory failed can be read");
		return 1;
	}
	return wrong(p, SIZE, 19);
}

static const struct {
	const char *name;
	int (*run)(void);
} paths[] = {
	{ "anon", anon },
	{ "mprotect", late },
	{ "thp", thp },
	{ "thp-mprotect", thp_late },
	{ "mthp", mthp },
	{ "huge-zero", huge_zero },
	{ "shmem", shared },
	{ "fault-around", around },
	{ "uffd-copy", uffd_copy },
	{ "uffd-zero", uffd_zero },
	{ "uffd-move", uffd_move },
	{ "cow", cow },
	{ "cow-file", cow_file },
	{ "fork-pinned", fork_pinned },
	{ "migrate", migrate },
	{ "collapse", collapse },
	{ "collapse-shmem", collapse_shared },
	{ "ksm", ksm },
	{ "ksm-swapin", ksm_swapin },
	{ "swapin", swapin },
	{ "swapin-shmem", swapin_shared },
	{ "swapoff", swapped_off },
	{ "remote", remote },
	{ "process-vm", process_vm },
	{ "process-swap", process_vm_swap },
	{ "split", split_partly },
	{ "poison", poison },
};

int main(int argc, char **argv)
{
	size_t i;

	if (argc != 2)
		die("usage: paths NAME|list");
	for (i = 0; i < sizeof(paths) / sizeof(paths[0]); i++) {
		if (!strcmp(argv[1], "list"))
			say("%s", paths[i].name);
		if (strcmp(argv[1], paths[i].name))
			continue;
		if (mte_enable())
			die("paths: no memory tagging");
		guard_install();
		return paths[i].run();
	}
	return strcmp(argv[1], "list") ? 2 : 0;
}
