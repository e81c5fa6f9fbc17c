/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The codec: a page in, the bytes of a slot out; and back.
 *
 * Knows slots and compression, but neither bios nor devices.
 */
#ifndef _MTETAGRAM_CODEC_H
#define _MTETAGRAM_CODEC_H

#include <linux/types.h>

struct mtg_comp;
struct mtg_slots;

int mtg_codec_store(struct mtg_comp *comp, struct mtg_slots *slots, u32 index,
		    const void *page);
int mtg_codec_load(struct mtg_comp *comp, struct mtg_slots *slots, u32 index, void *page);

#endif /* _MTETAGRAM_CODEC_H */
