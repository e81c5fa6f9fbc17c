/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Compression: the kernel's own libraries behind one small interface.
 */
#ifndef _MTETAGRAM_COMP_H
#define _MTETAGRAM_COMP_H

#include <linux/mutex.h>
#include <linux/types.h>

#include "unit.h"

/* Compressed data may be larger than the original data. */
#define MTG_COMP_MAX	(2 * MTG_SLOT_SIZE)

/**
 * struct mtg_comp_ops - one compression algorithm
 * @name: The name in sysfs.
 * @workspace_size: Returns the bytes of memory that @compress and @decompress work in.
 * @init: Prepare a workspace, which is aligned to 8 bytes. Returns false if that failed. May
 *	be NULL.
 * @compress: Compress a page to @dst, which has room for MTG_COMP_MAX bytes. Returns the
 *	compressed length; 0 if that failed, or if the length is larger than @max. An
 *	algorithm that cannot end early may ignore @max.
 * @decompress: Expand @len bytes to exactly one page. Returns 0 or -EIO.
 */
struct mtg_comp_ops {
	const char *name;
	size_t (*workspace_size)(void);
	bool (*init)(void *workspace);
	unsigned int (*compress)(void *workspace, const void *src, void *dst,
				 unsigned int max);
	int (*decompress)(void *workspace, const void *src, unsigned int len,
			  void *dst);
};

/**
 * struct mtg_stream - the memory that one compression or decompression needs
 * @lock: Held by the task that uses the stream. A sleeping lock, so that compression can be
 *	preempted.
 * @workspace: Memory of the algorithm, see &mtg_comp_ops.workspace_size.
 * @buffer: MTG_COMP_MAX bytes.
 */
struct mtg_stream {
	struct mutex lock; /* see above */
	void *workspace;
	void *buffer;
};

/**
 * struct mtg_comp - an algorithm with a stream for each CPU
 * @ops: The algorithm.
 * @streams: A stream for each CPU.
 */
struct mtg_comp {
	const struct mtg_comp_ops *ops;
	struct mtg_stream __percpu *streams;
};

/* The last entry has no name. The first one is the default. */
extern const struct mtg_comp_ops mtg_comp_algorithms[];

const struct mtg_comp_ops *mtg_comp_find(const char *name);
int mtg_comp_init(struct mtg_comp *comp, const struct mtg_comp_ops *ops);
void mtg_comp_destroy(struct mtg_comp *comp);
struct mtg_stream *mtg_stream_get(struct mtg_comp *comp);
void mtg_stream_put(struct mtg_stream *stream);

#endif /* _MTETAGRAM_COMP_H */
