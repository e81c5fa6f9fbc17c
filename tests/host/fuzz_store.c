// SPDX-License-Identifier: GPL-2.0
/*
 * libFuzzer: any bytes are operations on the pool and the slots (model.h).
 *
 * The first byte is the block size and the number of blocks. The blocks are so few that a
 * short input fills them. All that must be true is checked after each operation.
 */
#include <stdarg.h>

#include "model.h"

static void fail(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vfprintf(stderr, fmt, ap);
	fprintf(stderr, "\n");
	abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const unsigned int sizes[] = { 4096, 8192, 16384, 65536 };
	unsigned int block_size;
	struct share s;
	struct op op;

	if (!size)
		return 0;
	block_size = sizes[*data % 4];
	model_init(block_size, (1 + *data / 4 % 16) * 65536 / block_size / 4 + 1, 64);
	share_init(&s, 0, 1);
	for (data++, size--; size >= sizeof(op); data += sizeof(op), size -= sizeof(op)) {
		memcpy(&op, data, sizeof(op));
		do_op(&s, &op);
		check_pool();
	}
	share_check(&s);
	model_destroy();
	return 0;
}
