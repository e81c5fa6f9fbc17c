/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The broker: the place where the pool and the tag blocks meet.
 */
#ifndef _MTETAGRAM_BROKER_H
#define _MTETAGRAM_BROKER_H

struct mtg_device;

int mtg_broker_init(void);
void mtg_broker_exit(void);

void mtg_broker_add(struct mtg_device *dev);
void mtg_broker_remove(struct mtg_device *dev);
void mtg_broker_recount(struct mtg_device *dev);
void mtg_broker_wake(struct mtg_device *dev);

int mtg_broker_open_pool(struct mtg_device *dev);
void mtg_broker_close_pool(struct mtg_device *dev);
int mtg_broker_attach(struct mtg_device *dev);
void mtg_broker_detach(struct mtg_device *dev);

#endif /* _MTETAGRAM_BROKER_H */
