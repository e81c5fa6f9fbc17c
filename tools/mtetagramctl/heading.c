// SPDX-License-Identifier: GPL-2.0
/*
 * What a device is in use for.
 */

#include <stdio.h>

#include "device.h"
#include "heading.h"
#include "message.h"

const char *heading_state(const struct device *dev)
{
	if (dev->swap)
		return "swap";
	if (dev->mountpoint)
		return "mounted";
	if (dev->holder)
		return "held";
	if (!dev->v[V_INITSTATE].known)
		return NULL;
	return dev->v[V_INITSTATE].number ? "ready" : "unset";
}

void heading_print(const struct device *dev)
{
	char buf[SIZE_TEXT_MAX], safe[1024];

	if (dev->swap)
		printf("%s: swap, priority %s\n", dev->path,
		       value_text(dev->v, V_SWAP_PRIORITY, true, buf));
	else if (dev->mountpoint)
		printf("%s: mounted on %s\n", dev->path,
		       escape(safe, sizeof(safe), dev->mountpoint));
	else if (dev->holder)
		printf("%s: used by %s\n", dev->path,
		       escape(safe, sizeof(safe), dev->holder));
	else if (!dev->v[V_INITSTATE].known)
		printf("%s:\n", dev->path);
	else if (dev->v[V_INITSTATE].number)
		printf("%s: ready, not in use\n", dev->path);
	else
		printf("%s: not set up\n", dev->path);
}
