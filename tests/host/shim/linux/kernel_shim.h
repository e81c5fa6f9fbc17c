/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The functions of the kernel that pool.c and slot.c use, for user space. All
 * headers of shim/ lead here. Spinlocks are mutexes, so that ThreadSanitizer
 * understands them.
 */
#ifndef KERNEL_SHIM_H
#define KERNEL_SHIM_H

#include <errno.h>
#include <limits.h>
#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

typedef uint8_t u8;
typedef uint16_t u16;
typedef uint32_t u32;
typedef uint64_t u64;
typedef unsigned int gfp_t;

#define __maybe_unused		__attribute__((unused))
/* Not counted as work of the production code, see test_steps.c. */
#ifdef __clang__
#define NOT_COUNTED
#else
#define NOT_COUNTED		__attribute__((no_sanitize_coverage))
#endif
#define likely(x)		__builtin_expect(!!(x), 1)
#define noinline		__attribute__((noinline))
#define unlikely(x)		__builtin_expect(!!(x), 0)
#define U32_MAX			UINT32_MAX
#define ARRAY_SIZE(a)	(sizeof(a) / sizeof((a)[0]))
#define BITS_PER_BYTE		8
#define BITS_PER_LONG		64
#define BITS_TO_LONGS(n)	(((n) + 63) / 64)
#define DIV_ROUND_UP(n, d)	(((n) + (d) - 1) / (d))
#define BUILD_BUG_ON(x)		_Static_assert(!(x), #x)
#define EXPORT_SYMBOL_IF_KUNIT(x) _Static_assert(1, #x)
#define lockdep_assert_held(l)	((void)(l))
#define cond_resched()		shim_breathe()
static inline __attribute__((format(printf, 1, 2))) void pr_err(const char *f, ...)
{
	(void)f;
}

#define pr_err_ratelimited	pr_err
/* For sparse. */
#define __acquire(x)		((void)0)
#define __release(x)		((void)0)
#define READ_ONCE(x)		__atomic_load_n(&(x), __ATOMIC_RELAXED)
#define WRITE_ONCE(x, v)	__atomic_store_n(&(x), v, __ATOMIC_RELAXED)
#define struct_size(p, member, n) (sizeof(*(p)) + (n) * sizeof((p)->member[0]))
#define min(a, b)	({ __auto_type _a = (a); __auto_type _b = (b); _a < _b ? _a : _b; })
#define max_t(t, a, b)	max((t)(a), (t)(b))
#define max(a, b)	({ __auto_type _c = (a); __auto_type _d = (b); _c > _d ? _c : _d; })

static inline bool is_power_of_2(unsigned long n)
{
	return n && !(n & (n - 1));
}

static inline int ilog2(unsigned long n)
{
	return 63 - __builtin_clzl(n);
}

static inline unsigned int __ffs(unsigned long n)
{
	return __builtin_ctzl(n);
}

static inline unsigned int __fls(unsigned long n)
{
	return ilog2(n);
}

static inline int fls(unsigned int n)
{
	return n ? 32 - __builtin_clz(n) : 0;
}

/* Each thread of a test is a CPU. shim_breaths counts its calls of cond_resched(). */
extern __thread unsigned long shim_breaths;
/* What another thread does while this one pauses, if not NULL. */
extern void (*shim_at_pause)(void);

static inline void shim_breathe(void)
{
	shim_breaths++;
	if (shim_at_pause)
		shim_at_pause();
}

extern __thread unsigned int shim_cpu;
#define nr_cpu_ids		4U
#define raw_smp_processor_id()	(shim_cpu % nr_cpu_ids)

/* Memory: a test can make allocations fail. */
#define GFP_KERNEL	1
#define GFP_ATOMIC	2
#define __GFP_MEMALLOC	4
#define __GFP_NOMEMALLOC 8
#define __GFP_ZERO	16	/* for __get_free_page(); the other functions always clear */
#define __GFP_NOWARN	0
#define __GFP_NORETRY	0
extern bool (*shim_fail_alloc)(gfp_t gfp);

static inline void *kvcalloc(size_t n, size_t size, gfp_t gfp)
{
	return shim_fail_alloc && shim_fail_alloc(gfp) ? NULL : calloc(n, size);
}

#define PAGE_SIZE	4096UL
#define PAGE_MASK	(~(PAGE_SIZE - 1))
#define ALIGN(x, a)	(((x) + (a) - 1) & ~((a) - 1))

#define totalram_pages()	(1UL << 24)	/* 64 GiB */

static inline unsigned long __get_free_page(gfp_t gfp)
{
	void *page;

	if (shim_fail_alloc && shim_fail_alloc(gfp))
		return 0;
	page = aligned_alloc(PAGE_SIZE, PAGE_SIZE);
	return (unsigned long)(gfp & __GFP_ZERO ? memset(page, 0, PAGE_SIZE) : page);
}

#define free_page(p)	free((void *)(p))

#define array_size(n, size) ((size_t)(n) * (size))
#define __GFP_RETRY_MAYFAIL	0
#define __vmalloc(size, gfp)	kvcalloc(1, size, gfp)
#define vfree(p)	free(p)
#define kvfree(p)	free(p)
#define kzalloc(size, gfp) kvcalloc(1, size, gfp)
#define kfree(p)	free(p)
#define ____cacheline_aligned_in_smp __attribute__((aligned(64)))

/* Tracepoints: none. */
#define TP_PROTO(...)	__VA_ARGS__
#define TP_ARGS(...)
#define TRACE_EVENT(name, proto, ...)						\
	static inline __attribute__((unused)) void trace_##name(proto) { }
#define DECLARE_EVENT_CLASS(...)
#define DEFINE_EVENT(class, name, proto, args)					\
	static inline __attribute__((unused)) void trace_##name(proto) { }

/* Locks; a test counts how often its thread takes one. */
typedef pthread_mutex_t raw_spinlock_t;
extern __thread unsigned long shim_locks;
#define raw_spin_lock_init(l)	pthread_mutex_init(l, NULL)
#define raw_spin_lock(l)	(shim_locks++, pthread_mutex_lock(l))
#define raw_spin_unlock(l)	pthread_mutex_unlock(l)

/* Atomics. */
typedef struct { int v; } atomic_t;
typedef struct { int64_t v; } atomic64_t;
#define atomic_read(a)		__atomic_load_n(&(a)->v, __ATOMIC_RELAXED)
#define atomic_set(a, x)	__atomic_store_n(&(a)->v, x, __ATOMIC_RELAXED)
#define atomic_add(n, a)	((void)__atomic_fetch_add(&(a)->v, n, __ATOMIC_SEQ_CST))
#define atomic_sub(n, a)	((void)__atomic_fetch_sub(&(a)->v, n, __ATOMIC_SEQ_CST))
#define atomic_inc(a)		atomic_add(1, a)
#define atomic_dec(a)		atomic_sub(1, a)
#define atomic_inc_return(a)	__atomic_add_fetch(&(a)->v, 1, __ATOMIC_SEQ_CST)
#define atomic_dec_and_test(a)	(!__atomic_sub_fetch(&(a)->v, 1, __ATOMIC_SEQ_CST))
/* All of the above that write are full barriers. */
#define smp_mb__after_atomic()	do { } while (0)
#define smp_load_acquire(p)	__atomic_load_n(p, __ATOMIC_ACQUIRE)
#define smp_store_release(p, v)	__atomic_store_n(p, v, __ATOMIC_RELEASE)
#define atomic_try_cmpxchg(a, old, new)						\
	__atomic_compare_exchange_n(&(a)->v, old, new, false, __ATOMIC_SEQ_CST,	\
				    __ATOMIC_SEQ_CST)
#define atomic64_read		atomic_read
#define atomic64_add		atomic_add
#define atomic64_sub		atomic_sub
#define atomic64_inc		atomic_inc

/* ThreadSanitizer does not know fences: a read and write of one word orders as well. */
extern unsigned int shim_fence;
#define smp_mb()		((void)__atomic_fetch_add(&shim_fence, 0, __ATOMIC_SEQ_CST))

/* A test lets other threads in where each atomic step on a word begins. */
extern void (*shim_before_step)(void);

typedef struct { long v; } atomic_long_t;
#define atomic_long_read	atomic_read
#define atomic_long_set		atomic_set

static inline long atomic_long_fetch_or(long mask, atomic_long_t *a)
{
	if (shim_before_step)
		shim_before_step();
	return __atomic_fetch_or(&a->v, mask, __ATOMIC_SEQ_CST);
}

static inline long atomic_long_fetch_andnot(long mask, atomic_long_t *a)
{
	if (shim_before_step)
		shim_before_step();
	return __atomic_fetch_and(&a->v, ~mask, __ATOMIC_SEQ_CST);
}

#define BIT_MASK(n)		(1UL << (n) % 64)
#define BIT_WORD(n)		((n) / 64)

/* Bits. The caller of a function with two underscores holds a lock for the words. */
#define DECLARE_BITMAP(name, bits) unsigned long name[BITS_TO_LONGS(bits)]

static inline bool test_bit(unsigned long n, const unsigned long *map)
{
	return __atomic_load_n(&map[n / 64], __ATOMIC_RELAXED) >> n % 64 & 1;
}

static inline void set_bit(unsigned long n, unsigned long *map)
{
	__atomic_fetch_or(&map[n / 64], 1UL << n % 64, __ATOMIC_SEQ_CST);
}

static inline void clear_bit(unsigned long n, unsigned long *map)
{
	__atomic_fetch_and(&map[n / 64], ~(1UL << n % 64), __ATOMIC_SEQ_CST);
}

static inline void __set_bit(unsigned long n, unsigned long *map)
{
	map[n / 64] |= 1UL << n % 64;
}

static inline void __clear_bit(unsigned long n, unsigned long *map)
{
	map[n / 64] &= ~(1UL << n % 64);
}

/* Words are loaded atomically, because a search may race with set_bit(). */
static inline unsigned long shim_find(const unsigned long *map, unsigned long size,
				      unsigned long from, unsigned long invert)
{
	unsigned long word;

	if (from >= size)
		return size;
	word = (READ_ONCE(map[from / 64]) ^ invert) & ~0UL << from % 64;
	for (from -= from % 64; !word;) {
		from += 64;
		if (from >= size)
			return size;
		word = READ_ONCE(map[from / 64]) ^ invert;
	}
	from += __builtin_ctzl(word);
	return min(from, size);
}

#define find_next_bit(map, size, from)		shim_find(map, size, from, 0)
#define find_next_zero_bit(map, size, from)	shim_find(map, size, from, ~0UL)
#define find_first_zero_bit(map, size)		shim_find(map, size, 0, ~0UL)

static inline unsigned long find_last_bit(const unsigned long *map, unsigned long size)
{
	unsigned long i = BITS_TO_LONGS(size), word;

	while (i--) {
		word = READ_ONCE(map[i]);
		if (size < 64 * (i + 1))
			word &= (1UL << size % 64) - 1;
		if (word)
			return 64 * i + ilog2(word);
	}
	return size;
}

#define for_each_set_bit_from(bit, map, size)					\
	for ((bit) = find_next_bit(map, size, bit); (bit) < (size);		\
	     (bit) = find_next_bit(map, size, (bit) + 1))

/* Like the kernel's: from @start to the end, then from 0 up to @start. */
#define for_each_set_bit_wrap(bit, map, size, start)				\
	for (unsigned long _s = (start), _n = find_next_bit(map, size, _s),	\
	     _wrapped = _n >= (size) ? (_n = find_next_bit(map, _s, 0), 1) : 0;	\
	     (bit) = _n, _wrapped ? _n < _s : _n < (size);			\
	     _n = find_next_bit(map, _wrapped ? _s : (size), _n + 1),		\
	     !_wrapped && _n >= (size) ?					\
		(_wrapped = 1, _n = find_next_bit(map, _s, 0)) : 0)

static inline void shim_change(unsigned long *map, unsigned long start,
			       unsigned long n, bool value)
{
	unsigned long end = start + n;

	while (start < end) {
		unsigned long bits = min(end - start, 64 - start % 64);
		unsigned long mask = (bits < 64 ? (1UL << bits) - 1 : ~0UL) << start % 64;

		if (value)
			map[start / 64] |= mask;
		else
			map[start / 64] &= ~mask;
		start += bits;
	}
}

#define bitmap_set(map, start, n)	shim_change(map, start, n, true)
#define bitmap_clear(map, start, n)	shim_change(map, start, n, false)

static inline bool bitmap_empty(const unsigned long *map, unsigned long n)
{
	return find_next_bit(map, n, 0) >= n;
}

static inline void bitmap_fill(unsigned long *map, unsigned long n)
{
	memset(map, 0xff, BITS_TO_LONGS(n) * sizeof(long));
}

static inline void bitmap_copy(unsigned long *to, const unsigned long *from,
			       unsigned long n)
{
	memcpy(to, from, BITS_TO_LONGS(n) * sizeof(long));
}

static inline unsigned int bitmap_weight(const unsigned long *map, unsigned long n)
{
	unsigned int weight = 0;

	while (n--)
		weight += test_bit(n, map);
	return weight;
}

#endif /* KERNEL_SHIM_H */
