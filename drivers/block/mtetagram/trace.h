/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Tracepoints: the changes of a tag block between data and tags, their time, the order of the
 * cache maintenance, and what became of each object in the block.
 */
#undef TRACE_SYSTEM
#define TRACE_SYSTEM mtetagram

#if !defined(_MTETAGRAM_TRACE_H) || defined(TRACE_HEADER_MULTI_READ)
#define _MTETAGRAM_TRACE_H

#include <linux/tracepoint.h>

DECLARE_EVENT_CLASS(mtetagram_block,
	TP_PROTO(unsigned int region, u32 block),
	TP_ARGS(region, block),
	TP_STRUCT__entry(
		__field(unsigned int, region)
		__field(u32, block)
	),
	TP_fast_assign(
		__entry->region = region;
		__entry->block = block;
	),
	TP_printk("region=%u block=%u", __entry->region, __entry->block)
);

/* The data lines of a block are about to be cleaned: tags will be stored there. */
DEFINE_EVENT(mtetagram_block, mtetagram_clean_data,
	TP_PROTO(unsigned int region, u32 block),
	TP_ARGS(region, block)
);

/* The last reserved page of a block was released. */
DEFINE_EVENT(mtetagram_block, mtetagram_release,
	TP_PROTO(unsigned int region, u32 block),
	TP_ARGS(region, block)
);

DECLARE_EVENT_CLASS(mtetagram_page,
	TP_PROTO(unsigned int region, u32 block, unsigned long pfn),
	TP_ARGS(region, block, pfn),
	TP_STRUCT__entry(
		__field(unsigned int, region)
		__field(u32, block)
		__field(unsigned long, pfn)
	),
	TP_fast_assign(
		__entry->region = region;
		__entry->block = block;
		__entry->pfn = pfn;
	),
	TP_printk("region=%u block=%u pfn=0x%lx", __entry->region,
		  __entry->block, __entry->pfn)
);

/* A page was reserved: it may be tagged from here on. */
DEFINE_EVENT(mtetagram_page, mtetagram_reserve,
	TP_PROTO(unsigned int region, u32 block, unsigned long pfn),
	TP_ARGS(region, block, pfn)
);

/* The tag lines of a freed page are about to be cleaned: data may be stored there later. */
DEFINE_EVENT(mtetagram_page, mtetagram_clean_tags,
	TP_PROTO(unsigned int region, u32 block, unsigned long pfn),
	TP_ARGS(region, block, pfn)
);

/* A block was evicted, or @error says why not. */
TRACE_EVENT(mtetagram_evict,
	TP_PROTO(unsigned int region, u32 block, u64 ns, int error),
	TP_ARGS(region, block, ns, error),
	TP_STRUCT__entry(
		__field(unsigned int, region)
		__field(u32, block)
		__field(u64, ns)
		__field(int, error)
	),
	TP_fast_assign(
		__entry->region = region;
		__entry->block = block;
		__entry->ns = ns;
		__entry->error = error;
	),
	TP_printk("region=%u block=%u ns=%llu error=%d", __entry->region,
		  __entry->block, __entry->ns, __entry->error)
);

DECLARE_EVENT_CLASS(mtetagram_object,
	TP_PROTO(const char *device, u32 block, u32 slot, unsigned int len, u32 where),
	TP_ARGS(device, block, slot, len, where),
	TP_STRUCT__entry(
		__string(device, device)
		__field(u32, block)
		__field(u32, slot)
		__field(unsigned int, len)
		__field(u32, where)
	),
	TP_fast_assign(
		__assign_str(device);
		__entry->block = block;
		__entry->slot = slot;
		__entry->len = len;
		__entry->where = where;
	),
	TP_printk("%s block=%u slot=%u len=%u where=%u", __get_str(device),
		  __entry->block, __entry->slot, __entry->len, __entry->where)
);

/* An object was relocated from its block to the block @where. */
DEFINE_EVENT(mtetagram_object, mtetagram_relocate,
	TP_PROTO(const char *device, u32 block, u32 slot, unsigned int len, u32 where),
	TP_ARGS(device, block, slot, len, where)
);

/* An object was spilled; @where is &enum mtg_rung. */
DEFINE_EVENT(mtetagram_object, mtetagram_spill,
	TP_PROTO(const char *device, u32 block, u32 slot, unsigned int len, u32 where),
	TP_ARGS(device, block, slot, len, where)
);

/* There was no place for an object of the block; @rung says what was done instead. */
TRACE_EVENT(mtetagram_fail,
	TP_PROTO(const char *device, u32 block, unsigned int rung),
	TP_ARGS(device, block, rung),
	TP_STRUCT__entry(
		__string(device, device)
		__field(u32, block)
		__field(unsigned int, rung)
	),
	TP_fast_assign(
		__assign_str(device);
		__entry->block = block;
		__entry->rung = rung;
	),
	TP_printk("%s block=%u rung=%u", __get_str(device), __entry->block,
		  __entry->rung)
);

#endif /* _MTETAGRAM_TRACE_H */

#undef TRACE_INCLUDE_PATH
#define TRACE_INCLUDE_PATH .
#undef TRACE_INCLUDE_FILE
#define TRACE_INCLUDE_FILE trace
#include <trace/define_trace.h>
