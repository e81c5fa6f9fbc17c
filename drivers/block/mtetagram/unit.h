/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The unit of all layers above the tag blocks: the page of the device.
 */
#ifndef _MTETAGRAM_UNIT_H
#define _MTETAGRAM_UNIT_H

/* A slot is 4 KiB, whatever the kernel's page size. */
#define MTG_SLOT_SIZE	4096

/* A page that is one 64-bit pattern all over is stored as that pattern. */
#define MTG_FILL_LEN	8

#endif /* _MTETAGRAM_UNIT_H */
