// SPDX-License-Identifier: GPL-2.0
/*
 * Runs on the bare machine model: do tags appear in the right bytes of DRAM?
 *
 * Tag stores, plain loads of the carve-out, and the other way round. Prints KTAP to the serial
 * line and powers off.
 */
#include "bare.h"

#define GRANULES	256

static void test_tags_to_bytes(void)
{
	static const uint8_t bytes[] = { 0x10, 0x32, 0x54, 0x76, 0x98, 0xba, 0xdc, 0xfe };
	int i, ok = 1;

	for (i = 0; i < 16; i++)
		store_tag(PAGE + i * 16, i);
	for (i = 0; i < 8; i++)
		ok &= tag_byte(PAGE)[i] == bytes[i];
	result(ok, "1 tags 0 to 15 are the bytes 10 32 54 76 98 ba dc fe");

	for (i = 0; i < GRANULES; i++)
		store_tag(PAGE + 4096 + i * 16, (i * 7 + 3) & 15);
	for (i = 0; i < GRANULES; i++)
		ok &= (tag_byte(PAGE + 4096)[i / 2] >> i % 2 * 4 & 15) == ((i * 7 + 3) & 15);
	/* And the neighbours are untouched. */
	ok &= tag_byte(PAGE)[8] == 0 && tag_byte(PAGE + 4096)[-1] == 0 &&
	      tag_byte(PAGE + 8192)[0] == 0;
	result(ok, "2 a page of tags is 128 bytes at 1/32 of its offset");
}

static void test_bytes_to_tags(void)
{
	int i, ok = 1;

	for (i = 0; i < GRANULES / 2; i++)
		tag_byte(PAGE + 8192)[i] = i * 5;
	for (i = 0; i < GRANULES; i++)
		ok &= load_tag(PAGE + 8192 + i * 16) ==
		      ((unsigned int)(uint8_t)(i / 2 * 5) >> i % 2 * 4 & 15);
	result(ok, "3 bytes written to the carve-out are read as tags");
}

/* The last 1/32 of the carve-out would hold its own tags; it is plain memory. */
static void test_no_tags_of_tags(void)
{
	uint64_t addr = CARVEOUT + 64;
	volatile uint64_t *data = (uint64_t *)addr;
	int ok;

	*data = 0x0123456789abcdef;
	*tag_byte(addr) = 0x5a;
	store_tag(addr, 9);
	ok = *data == 0x0123456789abcdef && *tag_byte(addr) == 0x5a && load_tag(addr) == 0;
	result(ok, "4 the carve-out has no tags of its own");
}

/* What kernels use: 16 tags, or those of a block that DCZID_EL0 gives, at once. */
static void test_many_tags(void)
{
	uint64_t addr = PAGE + 4 * 4096 + 512, tags = 0xfedcba9876543210, back, size;
	int i, ok = 1;

	asm volatile("stgm %0, [%1]" : : "r" (tags), "r" (addr) : "memory");
	asm volatile("ldgm %0, [%1]" : "=r" (back) : "r" (addr) : "memory");
	ok &= back == tags && *(uint64_t *)tag_byte(addr) == tags;
	ok &= tag_byte(addr)[-1] == 0 && tag_byte(addr)[8] == 0;

	addr += 1024;
	asm volatile("mrs %0, dczid_el0" : "=r" (size));
	size = 4UL << (size & 15);
	asm volatile("dc gva, %0" : : "r" (addr | 11UL << 56) : "memory");
	for (i = 0; i < size / 32; i++)
		ok &= tag_byte(addr)[i] == 0xbb;
	ok &= tag_byte(addr)[-1] == 0 && tag_byte(addr)[size / 32] == 0;
	result(ok, "5 STGM and DC GVA store the tags of a block");
}

void main(void)
{
	mmu_on();
	print("1..5\n");
	test_tags_to_bytes();
	test_bytes_to_tags();
	test_no_tags_of_tags();
	test_many_tags();
	power_off();
}
