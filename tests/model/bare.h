/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What programs for the bare machine model share: the start, the serial line, and tags.
 *
 * The MMU is on, with an identity map of Tagged Normal memory. The size of DRAM is given as
 * -DRAM_MIB.
 */
#ifndef BARE_H
#define BARE_H

#include <stdint.h>

#define DRAM		0x40000000UL
#define RAM		((uint64_t)RAM_MIB << 20)
#define CARVEOUT	(DRAM + RAM - RAM / 32)
#define PAGE		(DRAM + 0x800000)

static volatile uint32_t *const uart = (uint32_t *)0x09000000;
static uint64_t table[512] __attribute__((aligned(4096)));

static void print(const char *s)
{
	while (*s)
		*uart = *s++;
}

static inline void result(int ok, const char *name)
{
	print(ok ? "ok " : "not ok ");
	print(name);
	print("\n");
}

static inline void store_tag(uint64_t addr, unsigned int tag)
{
	asm volatile("stg %0, [%0]" : : "r" (addr | (uint64_t)tag << 56) : "memory");
}

static inline unsigned int load_tag(uint64_t addr)
{
	asm volatile("ldg %0, [%0]" : "+r" (addr) : : "memory");
	return addr >> 56 & 15;
}

static inline uint8_t *tag_byte(uint64_t addr)
{
	return (uint8_t *)(CARVEOUT + (addr - DRAM) / 32);
}

/* 1 GiB blocks: devices, then DRAM as Tagged Normal. */
static void mmu_on(void)
{
	uint64_t sctlr;

	table[0] = 0x0 | 1 | 1 << 2 | 1 << 10;			/* attribute 1 */
	table[1] = DRAM | 1 | 0 << 2 | 1 << 10 | 3 << 8;	/* attribute 0 */
	asm volatile("msr mair_el1, %0" : : "r" (0x00f0UL));
	/* 39-bit addresses, top byte ignored, write-back tables, 40-bit physical. */
	asm volatile("msr tcr_el1, %0" : :
		     "r" (25UL | 1 << 8 | 1 << 10 | 3 << 12 | 2UL << 32 | 1UL << 37 |
			  1UL << 23));
	asm volatile("msr ttbr0_el1, %0" : : "r" (table));
	asm volatile("dsb sy; isb; mrs %0, sctlr_el1" : "=r" (sctlr));
	/* MMU, caches, and access to allocation tags (ATA). */
	sctlr |= 1 | 1 << 2 | 1 << 12 | 1UL << 43;
	asm volatile("msr sctlr_el1, %0; isb" : : "r" (sctlr));
}

/* PSCI SYSTEM_OFF */
static inline void power_off(void)
{
	asm volatile("mov w0, %w0; hvc #0" : : "r" (0x84000008) : "x0");
	for (;;)
		;
}

asm(".section .text.start, \"ax\"\n"
	".global _start\n"
	"_start:\n"
	"	ldr x0, =0x40700000\n"
	"	mov sp, x0\n"
	"	mov x0, #(3 << 20)\n"	/* no traps of floating point, which gcc may use */
	"	msr cpacr_el1, x0\n"
	"	isb\n"
	"	b main\n");

#endif
