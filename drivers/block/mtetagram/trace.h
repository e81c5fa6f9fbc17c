/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Tracepoints of the tag block layer: who got which block, and which caches were
 * emptied for it, in which order.
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

/* The data lines of a block are cleaned: tags will be stored there. */
DEFINE_EVENT(mtetagram_block, mtetagram_clean_data,
	TP_PROTO(unsigned int region, u32 block),
	TP_ARGS(region, block)
);

/* The last tagged page of a block was freed. */
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

/* A page may be tagged from here on. */
DEFINE_EVENT(mtetagram_page, mtetagram_reserve,
	TP_PROTO(unsigned int region, u32 block, unsigned long pfn),
	TP_ARGS(region, block, pfn)
);

/* The tag lines of a freed page are cleaned: data may be stored there. */
DEFINE_EVENT(mtetagram_page, mtetagram_clean_tags,
	TP_PROTO(unsigned int region, u32 block, unsigned long pfn),
	TP_ARGS(region, block, pfn)
);

#endif /* _MTETAGRAM_TRACE_H */

#undef TRACE_INCLUDE_PATH
#define TRACE_INCLUDE_PATH .
#undef TRACE_INCLUDE_FILE
#define TRACE_INCLUDE_FILE trace
#include <trace/define_trace.h>
