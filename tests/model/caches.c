// SPDX-License-Identifier: GPL-2.0
/*
 * Runs on the bare machine model with caches: does each DC instruction do what it says?
 *
 * Prints KTAP to the serial line and powers off. Some of the tests make errors on purpose,
 * which the model must report: their addresses are in tests/model/run.
 */
#include "bare.h"

/* Data whose tags each test uses: a tag line is 64 bytes, the tags of 2 KiB of data. */
#define LINE		64
#define LINE_DATA	2048

#define DEFINE_DC(op)								\
static void dc_##op(uint64_t addr)						\
{										\
	asm volatile("dc " #op ", %0; dsb sy" : : "r" (addr) : "memory");	\
}

DEFINE_DC(ivac)
DEFINE_DC(igvac)
DEFINE_DC(igdvac)
DEFINE_DC(cvac)
DEFINE_DC(cvau)
DEFINE_DC(cgvac)
DEFINE_DC(cgdvac)
DEFINE_DC(civac)
DEFINE_DC(cigvac)
DEFINE_DC(cigdvac)

/* Data whose tag lines have errors made with them. tests/model/run knows the addresses. */
#define ERRORS		(DRAM + 0x1000000)

/* The byte of the carve-out that holds the tags of 32 bytes, as an address. */
static uint64_t tags_of(uint64_t addr)
{
	return (uint64_t)tag_byte(addr);
}

static uint64_t next_page = PAGE;

/* Data of which no tag has been used. */
static uint64_t fresh(void)
{
	return next_page += 4096;
}

static void store_byte(uint64_t addr, uint8_t value)
{
	*(volatile uint8_t *)tag_byte(addr) = value;
}

static uint8_t load_byte(uint64_t addr)
{
	return *(volatile uint8_t *)tag_byte(addr);
}

static void discard(uint64_t addr)
{
	dc_igvac(addr);
	dc_ivac(tags_of(addr));
}

/* Tags that were stored reach the carve-out when their line is cleaned. */
static void test_clean_tags(void)
{
	int op, ok = 1;

	for (op = 0; op < 4; op++) {
		uint64_t addr = fresh();

		store_tag(addr, 5);
		store_tag(addr + 16, 6);
		/* An address in the middle of the line, and none in the next line. */
		switch (op) {
		case 0:
			dc_cgvac(addr + 1040);
			break;
		case 1:
			dc_cgdvac(addr + 1040);
			break;
		case 2:
			dc_cigvac(addr + 1040);
			break;
		case 3:
			dc_cigdvac(addr + 1040);
			break;
		}
		if (op < 2)
			dc_igvac(addr);
		/* Speculation may have fetched the data line before. */
		dc_ivac(tags_of(addr));
		ok &= load_byte(addr) == 0x65;
	}
	result(ok, "1 DC CGVAC, CGDVAC, CIGVAC, CIGDVAC write tags back");
}

/* Data that was stored is seen as tags when its line is cleaned. */
static void test_clean_data(void)
{
	uint64_t addr = fresh();
	int ok;

	store_byte(addr, 0x43);
	dc_cvac(tags_of(addr));
	dc_ivac(tags_of(addr));
	dc_igvac(addr);
	ok = load_tag(addr) == 3 && load_tag(addr + 16) == 4;

	addr = fresh();
	store_byte(addr, 0x21);
	dc_civac(tags_of(addr) + 63);
	dc_igvac(addr);
	ok &= load_tag(addr) == 1 && load_tag(addr + 16) == 2;
	result(ok, "2 DC CVAC and CIVAC write data back");
}

/* What was not written back is lost by an invalidation. */
static void test_invalidate(void)
{
	uint64_t addr = fresh();
	int ok;

	store_tag(addr, 7);
	dc_igvac(addr);
	ok = load_tag(addr) == 0;

	addr = fresh();
	store_tag(addr, 7);
	dc_igdvac(addr);
	ok &= load_tag(addr) == 0;

	addr = fresh();
	store_byte(addr, 0x77);
	dc_ivac(tags_of(addr));
	ok &= load_byte(addr) == 0;
	result(ok, "3 DC IGVAC, IGDVAC and IVAC drop what was not written back");
}

/* The next line, other kinds of DC, and other data do not matter. */
static void test_nothing_else(void)
{
	uint64_t addr = fresh();
	int ok;

	store_tag(addr, 9);
	dc_igvac(addr + LINE_DATA);
	dc_igvac(addr - 16);
	dc_ivac(addr);
	dc_civac(addr);
	dc_cvau(addr);
	asm volatile("dc cisw, %0; dsb sy" : : "r" (0UL) : "memory");
	ok = load_tag(addr) == 9;
	dc_cigvac(addr);

	addr = fresh();
	store_byte(addr, 0x99);
	dc_ivac(tags_of(addr) + LINE);
	dc_igvac(addr);
	dc_cvau(tags_of(addr));
	ok &= load_byte(addr) == 0x99;
	discard(addr);
	result(ok, "4 lines stay where they are, but for their own DC instructions");
}

/* Every way to store tags and to store data ends in the same two caches. */
static void test_all_stores(void)
{
	uint64_t addr = fresh(), pair[2] = { 0x0706050403020100, 0x0f0e0d0c0b0a0908 }, old = 1;
	uint64_t bytes;
	int i, ok;

	asm volatile("stgm %0, [%1]" : : "r" (0x7777777777777777UL), "r" (addr) : "memory");
	asm volatile("st2g %0, [%0]" : : "r" ((addr + 16) | 1UL << 56) : "memory");
	asm volatile("stzg %0, [%0]" : : "r" ((addr + 96) | 2UL << 56) : "memory");
	asm volatile("dc gzva, %0" : : "r" ((addr + 1024) | 3UL << 56) : "memory");
	dc_cigvac(addr);
	dc_cigvac(addr + LINE_DATA / 2);
	dc_ivac(tags_of(addr));
	ok = load_byte(addr) == 0x17 && load_byte(addr + 32) == 0x71 &&
	     load_byte(addr + 96) == 0x72 && load_byte(addr + 1024) == 0x33;
	discard(addr);

	addr = fresh();
	bytes = tags_of(addr);
	/* Unaligned, and across two lines. */
	asm volatile("stp %0, %1, [%2]" : : "r" (pair[0]), "r" (pair[1]), "r" (bytes + 57) :
		     "memory");
	asm volatile("ldaddal %0, %1, [%2]" : "+r" (old) : "r" (0UL), "r" (bytes + 128) :
		     "memory");
	asm volatile("1: ldaxr %0, [%1]; add %0, %0, #5; stlxr w9, %0, [%1]; cbnz w9, 1b" :
		     "=&r" (old) : "r" (bytes + 136) : "x9", "memory");
	*(volatile uint64_t *)(bytes + 192) = ~0UL;
	asm volatile("dc zva, %0" : : "r" (bytes + 192) : "memory");
	for (i = 0; i < 16; i++)
		ok &= *(volatile uint8_t *)(bytes + 57 + i) == i;
	ok &= *(volatile uint64_t *)(bytes + 136) == 5;
	ok &= *(volatile uint64_t *)(bytes + 192) == 0;
	fresh(); /* the tags of two pages */
	for (i = 0; i < 256; i += LINE) {
		dc_civac(bytes + i);
		dc_igvac(addr + i * 32);
	}
	ok &= load_tag(addr + 58 * 32) == 1 && load_tag(addr + 72 * 32) == 15 &&
	      load_tag(addr + 136 * 32) == 5;
	result(ok, "5 all kinds of stores of tags and of data");
}

/* Errors that the model reports, on addresses that tests/model/run knows. */
static void make_errors(void)
{
	uint64_t addr = ERRORS;

	store_tag(addr, 1);
	load_byte(addr);		/* breach: data load, dirty tag line */
	discard(addr);

	addr += LINE_DATA;
	store_byte(addr, 1);
	store_tag(addr, 1);		/* breach: tag store, dirty data line */
	discard(addr);

	addr += LINE_DATA;
	load_tag(addr);
	store_byte(addr, 1);		/* stale: data store, clean tag line */
	discard(addr);

	addr += LINE_DATA;
	load_byte(addr);
	load_tag(addr);			/* stale: tag load, clean data line */
	discard(addr);
}

/*
 * What a load finds where both lines are dirty. In the mode "worst" the other line was written
 * back last, in all other modes the load finds its own line.
 */
static void test_worst(void)
{
	uint64_t addr = ERRORS + 4 * LINE_DATA, found;

	store_byte(addr, 0x55);
	store_tag(addr, 8);		/* breach */
	found = load_tag(addr);
	print(found == 5 ? "# worst\n" : "# own line\n");
	discard(addr);

	/* Speculation: the tag line was there before the data was stored. */
	addr = fresh();
	store_byte(addr, 0x66);
	dc_civac(tags_of(addr));
	print(load_tag(addr) == 6 ? "# no speculation\n" : "# speculation\n");
	discard(addr);
}

void main(void)
{
	mmu_on();
	print("1..5\n");
	test_clean_tags();
	test_clean_data();
	test_invalidate();
	test_nothing_else();
	test_all_stores();
	make_errors();
	test_worst();
	power_off();
}
