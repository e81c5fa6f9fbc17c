// SPDX-License-Identifier: GPL-2.0
/*
 * Compression: lz4, zstd and lzo-rle from lib/, and a stream for each CPU.
 */

#include <linux/align.h>
#include <linux/cpumask.h>
#include <linux/errno.h>
#include <linux/lz4.h>
#include <linux/lzo.h>
#include <linux/percpu.h>
#include <linux/slab.h>
#include <linux/string.h>
#include <linux/zstd.h>

#include "comp.h"

static size_t lz4_workspace_size(void)
{
	return LZ4_MEM_COMPRESS;
}

static unsigned int lz4_compress(void *workspace, const void *src, void *dst,
				 unsigned int max)
{
	return LZ4_compress_fast(src, dst, MTG_SLOT_SIZE, max,
				 LZ4_ACCELERATION_DEFAULT, workspace);
}

static int lz4_decompress(void *workspace, const void *src, unsigned int len,
			  void *dst)
{
	int ret = LZ4_decompress_safe(src, dst, len, MTG_SLOT_SIZE);

	return ret == MTG_SLOT_SIZE ? 0 : -EIO;
}

static size_t lzorle_workspace_size(void)
{
	return LZO1X_MEM_COMPRESS;
}

static unsigned int lzorle_compress(void *workspace, const void *src, void *dst,
				    unsigned int max)
{
	size_t len = MTG_COMP_MAX;

	return lzorle1x_1_compress(src, MTG_SLOT_SIZE, dst, &len, workspace) ==
	       LZO_E_OK ? len : 0;
}

static int lzorle_decompress(void *workspace, const void *src, unsigned int len,
			     void *dst)
{
	size_t out = MTG_SLOT_SIZE;

	return lzo1x_decompress_safe(src, len, dst, &out) == LZO_E_OK &&
	       out == MTG_SLOT_SIZE ? 0 : -EIO;
}

/* The contexts are set up once: to set them up costs more than to compress a page. */
struct zstd_workspace {
	zstd_parameters params;
	zstd_cctx *cctx;
	zstd_dctx *dctx;
	u64 memory[];	/* of both contexts */
};

/* The level that zram uses by default, for sources of one page. */
static zstd_parameters zstd_slot_params(void)
{
	return zstd_get_params(zstd_default_clevel(), MTG_SLOT_SIZE);
}

static size_t zstd_cctx_size(const zstd_parameters *params)
{
	return ALIGN(zstd_cctx_workspace_bound(&params->cParams), sizeof(u64));
}

static size_t zstd_workspace_size(void)
{
	zstd_parameters params = zstd_slot_params();

	return sizeof(struct zstd_workspace) + zstd_cctx_size(&params) +
	       zstd_dctx_workspace_bound();
}

static bool zstd_init(void *workspace)
{
	struct zstd_workspace *w = workspace;
	size_t size;

	w->params = zstd_slot_params();
	size = zstd_cctx_size(&w->params);
	w->cctx = zstd_init_cctx(w->memory, size);
	w->dctx = zstd_init_dctx((void *)w->memory + size, zstd_dctx_workspace_bound());
	return w->cctx && w->dctx;
}

static unsigned int zstd_compress(void *workspace, const void *src, void *dst,
				  unsigned int max)
{
	struct zstd_workspace *w = workspace;
	size_t len;

	len = zstd_compress_cctx(w->cctx, dst, max, src, MTG_SLOT_SIZE, &w->params);
	return zstd_is_error(len) ? 0 : len;
}

static int zstd_decompress(void *workspace, const void *src, unsigned int len,
			   void *dst)
{
	struct zstd_workspace *w = workspace;

	return zstd_decompress_dctx(w->dctx, dst, MTG_SLOT_SIZE, src, len) ==
	       MTG_SLOT_SIZE ? 0 : -EIO;
}

const struct mtg_comp_ops mtg_comp_algorithms[] = {
	{ "lz4", lz4_workspace_size, NULL, lz4_compress, lz4_decompress },
	{ "zstd", zstd_workspace_size, zstd_init, zstd_compress, zstd_decompress },
	{ "lzo-rle", lzorle_workspace_size, NULL, lzorle_compress, lzorle_decompress },
	{ }
};

/**
 * mtg_comp_find() - find an algorithm
 * @name: Its name; a newline at the end is ignored.
 *
 * Context: Any.
 * Return: The algorithm or NULL.
 */
const struct mtg_comp_ops *mtg_comp_find(const char *name)
{
	const struct mtg_comp_ops *ops;

	for (ops = mtg_comp_algorithms; ops->name; ops++)
		if (sysfs_streq(name, ops->name))
			return ops;
	return NULL;
}

/**
 * mtg_comp_init() - set up streams for all possible CPUs
 * @comp: The algorithm and its streams, to be set up.
 * @ops: The algorithm.
 *
 * Context: Process context, may sleep.
 * Return: 0 or -ENOMEM.
 */
int mtg_comp_init(struct mtg_comp *comp, const struct mtg_comp_ops *ops)
{
	struct mtg_stream *stream;
	int cpu;

	comp->ops = ops;
	comp->streams = alloc_percpu(struct mtg_stream);
	if (!comp->streams)
		return -ENOMEM;
	for_each_possible_cpu(cpu) {
		stream = per_cpu_ptr(comp->streams, cpu);
		mutex_init(&stream->lock);
		stream->workspace = kvmalloc(ops->workspace_size(), GFP_KERNEL);
		stream->buffer = kvmalloc(MTG_COMP_MAX, GFP_KERNEL);
		if (!stream->workspace || !stream->buffer ||
		    (ops->init && !ops->init(stream->workspace))) {
			mtg_comp_destroy(comp);
			return -ENOMEM;
		}
	}
	return 0;
}

/**
 * mtg_comp_destroy() - free all streams
 * @comp: The algorithm and its streams; may be half set up.
 *
 * Context: Process context, may sleep.
 */
void mtg_comp_destroy(struct mtg_comp *comp)
{
	struct mtg_stream *stream;
	int cpu;

	for_each_possible_cpu(cpu) {
		stream = per_cpu_ptr(comp->streams, cpu);
		kvfree(stream->workspace);
		kvfree(stream->buffer);
	}
	free_percpu(comp->streams);
}

/**
 * mtg_stream_get() - get a stream to work with
 * @comp: The algorithm and its streams.
 *
 * The stream belongs to the CPU on which the task runs. If the task moves to another CPU, it
 * still uses this stream, and another task may have to wait for it.
 *
 * Context: May sleep.
 * Return: The stream, locked.
 */
struct mtg_stream *mtg_stream_get(struct mtg_comp *comp)
{
	struct mtg_stream *stream = raw_cpu_ptr(comp->streams);

	mutex_lock(&stream->lock);
	return stream;
}

/**
 * mtg_stream_put() - end the use of a stream
 * @stream: The stream that mtg_stream_get() has returned.
 *
 * Context: May sleep.
 */
void mtg_stream_put(struct mtg_stream *stream)
{
	mutex_unlock(&stream->lock);
}
