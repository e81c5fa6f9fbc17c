// SPDX-License-Identifier: GPL-2.0
/*
 * The table of values, and what follows from a value alone: its text, and the values
 * that are derived from it. Nothing is derived from an unknown value.
 */

#include <inttypes.h>
#include <stdio.h>

#include "values.h"

#define PAGE_BYTES	4096	/* the driver counts in these */
#define SECTOR_BYTES	512	/* the block layer counts in these */

/*
 * /proc/swaps counts pages that the device does not store: pages of zeros, which the
 * kernel notes elsewhere, and slots that the kernel has set aside. The device stores the
 * swap header, which /proc/swaps does not count.
 */
static bool derive_not_stored(const struct value *v, struct value *to)
{
	uint64_t header = v[V_DATA].number >= PAGE_BYTES ? PAGE_BYTES : 0;
	uint64_t stored = v[V_DATA].number - header;

	if (!v[V_SWAP_USED].known || !v[V_DATA].known)
		return false;
	to->number = v[V_SWAP_USED].number > stored ? v[V_SWAP_USED].number - stored : 0;
	return true;
}

static bool derive_used(const struct value *v, struct value *to)
{
	return v[V_BLOCKS_USED].known && v[V_BLOCK_SIZE].known &&
	       !__builtin_mul_overflow(v[V_BLOCKS_USED].number, v[V_BLOCK_SIZE].number,
				       &to->number);
}

/* Same-filled pages are left out: they are not compressed, and would flatter the ratio. */
static bool derive_ratio(const struct value *v, struct value *to)
{
	if (!v[V_DATA].known || !v[V_SAME].known || !v[V_COMPR].known ||
	    !v[V_COMPR].number || v[V_SAME].number > v[V_DATA].number ||
	    __builtin_mul_overflow(v[V_DATA].number - v[V_SAME].number, 100, &to->number))
		return false;
	to->number /= v[V_COMPR].number;
	return true;
}

static bool derive_gain(const struct value *v, struct value *to)
{
	uint64_t cost, data = v[V_DATA].number;

	if (!v[V_DATA].known || !v[V_SPILLED].known || !v[V_METADATA].known ||
	    __builtin_add_overflow(v[V_SPILLED].number, v[V_METADATA].number, &cost))
		return false;
	to->negative = cost > data;
	to->number = to->negative ? cost - data : data - cost;
	return true;
}

const struct value_info values[NR_VALUES] = {
#define VALUE(id, ...)	{ .name = #id, __VA_ARGS__ },
#include "values.def"
#undef VALUE
};

void values_derive(struct value v[NR_VALUES])
{
	enum value_id id;

	for (id = 0; id < NR_VALUES; id++)
		if (values[id].derive)
			v[id].known = values[id].derive(v, &v[id]);
}

bool value_is_size(enum value_id id)
{
	return values[id].kind == KIND_SIZE || values[id].kind == KIND_TRAFFIC;
}

bool value_is_counter(enum value_id id)
{
	return values[id].kind == KIND_EVENTS || values[id].kind == KIND_TRAFFIC;
}

bool value_is_zero(const struct value *value)
{
	return value->known && !value->number;
}

const char *value_text(const struct value *v, enum value_id id, bool exact,
		       char buf[SIZE_TEXT_MAX])
{
	const struct value *value = &v[id];
	char number[SIZE_TEXT_MAX];

	if (!value->known)
		return "-";
	if (values[id].kind == KIND_RATIO)
		snprintf(number, sizeof(number), "%" PRIu64 ".%02" PRIu64,
			 value->number / 100, value->number % 100);
	else
		size_format(number, value->number, exact || !value_is_size(id));
	snprintf(buf, SIZE_TEXT_MAX, "%s%.30s", value->negative ? "-" : "", number);
	return buf;
}
