// SPDX-License-Identifier: GPL-2.0
/*
 * The codec: a page in, the bytes of a slot out; and back.
 *
 * The length of what is stored says how it was encoded:
 *
 *   0			nothing: the slot was never written, or it was freed
 *   MTG_FILL_LEN	a pattern of 64 bits that fills the page
 *   MTG_SLOT_SIZE	the page as it is
 *   any other		the compressed page
 *
 * The functions here hold the lock of a compression stream, and no other lock of the driver.
 */

#define pr_fmt(fmt) "mtetagram: " fmt

#include <linux/errno.h>
#include <linux/printk.h>
#include <linux/string.h>

#include "codec.h"
#include "comp.h"
#include "slot.h"

/*
 * If compression leaves more bytes than this, the page is stored as a raw page, if there is
 * room: to read a raw page is only a copy. zram stores a raw page from 3625 bytes on. Of
 * 10,000 pages of live heaps, one has a compressed length between WORTH_LEN and 4 KiB, with
 * lz4 and with zstd.
 */
#define WORTH_LEN	(MTG_SLOT_SIZE * 7 / 8)

/*
 * Where in a stream's buffer the compressed page lies when it is expanded: 8 bytes off a
 * 16-byte boundary. The kernel's lz4, as gcc compiles it, copies literals 16 bytes at a time
 * only if source and destination are aligned alike. The first literals of a page are behind
 * 8 bytes of compressed data, if there are 1.5 to 1.8 KiB of them, as in the data that fio
 * makes with 60 % to compress. zram has this alignment from the 8-byte handle of zsmalloc.
 */
#define LOAD_OFFSET	8

/* Does one 64-bit pattern fill the whole page? Most other pages differ early. */
static bool is_filled(const void *page)
{
	const u64 *word = page, *end = page + MTG_SLOT_SIZE;
	u64 first = *word;

	for (; word < end; word += 8)
		if ((word[0] ^ first) | (word[1] ^ first) | (word[2] ^ first) |
		    (word[3] ^ first) | (word[4] ^ first) | (word[5] ^ first) |
		    (word[6] ^ first) | (word[7] ^ first))
			return false;
	return true;
}

static void fill_page(void *page, u64 pattern)
{
	/* Almost all patterns are zeros, and a pattern of bytes has fast instructions. */
	if (pattern == (u8)pattern * 0x0101010101010101ULL)
		memset(page, pattern, MTG_SLOT_SIZE);
	else
		memset64(page, pattern, MTG_SLOT_SIZE / sizeof(u64));
}

/* Store a page of which compression has left @len bytes in @buffer. */
static int store_compressed(struct mtg_slots *slots, u32 index, const void *page,
			    const void *buffer, unsigned int len)
{
	int ret;

	if (len > MTG_FILL_LEN && len <= WORTH_LEN)
		return mtg_slot_store(slots, index, buffer, len);
	/* Little was gained, or the length has a meaning of its own. */
	ret = mtg_slot_store(slots, index, page, MTG_SLOT_SIZE);
	if (ret && len > MTG_FILL_LEN && len <= MTG_MAX_LEN)
		ret = mtg_slot_store(slots, index, buffer, len);
	return ret;
}

static int compress_and_store(struct mtg_comp *comp, struct mtg_slots *slots, u32 index,
			      const void *page)
{
	struct mtg_stream *stream = mtg_stream_get(comp);
	unsigned int room, len;
	int ret = mtg_slot_room(slots, index, &room);

	len = comp->ops->compress(stream->workspace, page, stream->buffer,
				  ret ? room : MTG_COMP_MAX);
	if (len)
		ret = store_compressed(slots, index, page, stream->buffer, len);
	else if (!ret)
		ret = -EIO;
	mtg_stream_put(stream);
	return ret;
}

/**
 * mtg_codec_store() - encode a page, and store it in a slot
 * @comp: How to compress it.
 * @slots: The slot table.
 * @index: The slot.
 * @page: The page, MTG_SLOT_SIZE bytes.
 *
 * Context: Process context, may sleep.
 * Return: 0, or an error and the slot keeps its old contents: -EIO if the page cannot be
 *         compressed, else as mtg_slot_store().
 */
int mtg_codec_store(struct mtg_comp *comp, struct mtg_slots *slots, u32 index,
		    const void *page)
{
	if (is_filled(page))
		return mtg_slot_store(slots, index, page, MTG_FILL_LEN);
	return compress_and_store(comp, slots, index, page);
}

/* Decode what mtg_slot_load_to() has put in @from, or in @page. */
static int expand(struct mtg_comp *comp, struct mtg_stream *stream, const void *from,
		  int len, void *page)
{
	switch (len) {
	case 0:
		memset(page, 0, MTG_SLOT_SIZE);
		return 0;
	case MTG_FILL_LEN:
		fill_page(page, *(const u64 *)from);
		return 0;
	case MTG_SLOT_SIZE:
		return 0;
	default:
		return comp->ops->decompress(stream->workspace, from, len, page);
	}
}

/**
 * mtg_codec_load() - load the contents of a slot, and decode them
 * @comp: How they were compressed.
 * @slots: The slot table.
 * @index: The slot.
 * @page: Where to put the page, MTG_SLOT_SIZE bytes.
 *
 * Contents that cannot be decompressed were overwritten: from then on nothing is stored.
 *
 * Context: Process context, may sleep.
 * Return: 0; -EIO if the contents were lost or are damaged.
 */
int mtg_codec_load(struct mtg_comp *comp, struct mtg_slots *slots, u32 index, void *page)
{
	struct mtg_stream *stream = mtg_stream_get(comp);
	void *from = stream->buffer + LOAD_OFFSET;
	int ret = mtg_slot_load_to(slots, index, from, page);

	if (ret >= 0) {
		ret = expand(comp, stream, from, ret, page);
		if (ret) {
			pr_err_ratelimited("%s: slot %u cannot be decompressed\n",
					   slots->name, index);
			mtg_slots_stop(slots);
		}
	}
	mtg_stream_put(stream);
	return ret;
}
