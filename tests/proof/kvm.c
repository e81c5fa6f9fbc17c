// SPDX-License-Identifier: GPL-2.0
/*
 * kvm: a virtual machine that stores tags in its memory. Each of the two code paths of KVM
 * that tag a page is taken.
 *
 *   kvm SIZE
 *
 * The memory of the machine is SIZE bytes that were written, and never tagged, before
 * it starts. The guest stores tags and data in the first half, whose pages KVM tags as
 * they are mapped; KVM_ARM_MTE_COPY_TAGS stores the tags of the second half, which
 * the guest has not touched. Then the guest verifies all of it, and so does this
 * program, by KVM_ARM_MTE_COPY_TAGS. Prints "ready" and waits for a line; after that
 * all is verified again.
 *
 * Exit status: 0 all right; 1 tags or bytes were wrong; 2 usage, or no such machine.
 */

#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <linux/kvm.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

#include "pattern.h"
#include "say.h"

/* Virtual and physical addresses of the guest are the same. */
#define RAM	0x40000000UL	/* 1 GiB, which one descriptor maps */
#define EXIT	0x1000UL	/* nothing is there: a store ends the run */
#define TABLE	0x10000UL	/* the translation table's offset in RAM */
#define START	0x200000UL	/* where the tested memory begins */
#define SEED	0x1234567UL

#define SYSREG(op1, crn, crm, op2)	ARM64_SYS_REG(3, op1, crn, crm, op2)
#define CORE(name)	(KVM_REG_ARM64 | KVM_REG_SIZE_U64 | KVM_REG_ARM_CORE | \
			 offsetof(struct kvm_regs, name) / sizeof(uint32_t))

/*
 * The guest: x0 to x1 is what to work on, x2 the seed, x3 where to store the number of
 * errors, x4 whether to verify. Granule A has tag (A / 16 + A / 4096 + seed) % 16 and
 * holds A ^ seed and A + seed.
 */
extern const char guest_begin[], guest_end[];
asm(".pushsection .rodata\n"
	".globl guest_begin, guest_end\n"
	"guest_begin:\n"
	"	mov	x10, #0\n"
	"1:	cmp	x0, x1\n"
	"	b.hs	4f\n"
	"	lsr	x6, x0, #4\n"
	"	add	x6, x6, x0, lsr #12\n"
	"	add	x6, x6, x2\n"
	"	and	x6, x6, #15\n"
	"	orr	x5, x0, x6, lsl #56\n"
	"	eor	x7, x0, x2\n"
	"	add	x8, x0, x2\n"
	"	cbnz	x4, 2f\n"
	"	stg	x5, [x5]\n"
	"	stp	x7, x8, [x5]\n"
	"	b	3f\n"
	"2:	mov	x9, x0\n"
	"	ldg	x9, [x9]\n"
	"	cmp	x9, x5\n"
	"	cinc	x10, x10, ne\n"
	"	ldp	x11, x12, [x5]\n"
	"	cmp	x11, x7\n"
	"	cinc	x10, x10, ne\n"
	"	cmp	x12, x8\n"
	"	cinc	x10, x10, ne\n"
	"3:	add	x0, x0, #16\n"
	"	b	1b\n"
	"4:	str	x10, [x3]\n"
	"	b	4b\n"
	"guest_end:\n"
	".popsection\n");

static int vm, vcpu;
static struct kvm_run *run;
static uint8_t *ram;
static size_t size;

static int call(int fd, unsigned long request, void *arg, const char *name)
{
	int ret = ioctl(fd, request, arg);

	if (ret < 0)
		die("kvm: %s: %s", name, strerror(errno));
	return ret;
}

#define CALL(fd, request, arg)	call(fd, request, arg, #request)

static void set_register(uint64_t id, uint64_t value)
{
	struct kvm_one_reg reg = { .id = id, .addr = (uintptr_t)&value };

	CALL(vcpu, KVM_SET_ONE_REG, &reg);
}

static void create_machine(void)
{
	struct kvm_userspace_memory_region region = { .guest_phys_addr = RAM };
	struct kvm_enable_cap mte = { .cap = KVM_CAP_ARM_MTE };
	struct kvm_vcpu_init target;
	int kvm = open("/dev/kvm", O_RDWR | O_CLOEXEC);

	if (kvm < 0)
		die("kvm: /dev/kvm: %s", strerror(errno));
	vm = CALL(kvm, KVM_CREATE_VM, NULL);
	CALL(vm, KVM_ENABLE_CAP, &mte);
	region.memory_size = size;
	region.userspace_addr = (uintptr_t)ram;
	CALL(vm, KVM_SET_USER_MEMORY_REGION, &region);
	vcpu = CALL(vm, KVM_CREATE_VCPU, NULL);
	CALL(vm, KVM_ARM_PREFERRED_TARGET, &target);
	CALL(vcpu, KVM_ARM_VCPU_INIT, &target);
	run = mmap(NULL, CALL(kvm, KVM_GET_VCPU_MMAP_SIZE, NULL), PROT_READ | PROT_WRITE,
		   MAP_SHARED, vcpu, 0);
	if (run == MAP_FAILED)
		die("kvm: mmap: %s", strerror(errno));
}

/* The guest translates addresses: without that, its memory is not of the tagged type. */
static void set_up_translation(void)
{
	uint64_t *table = (uint64_t *)(ram + TABLE);

	/* Blocks of 1 GiB, accessed; memory type 1 is a device, 0 is tagged. */
	table[0] = 0 | 1 << 10 | 1 << 2 | 1;
	table[1] = RAM | 1 << 10 | 3 << 8 | 1;
	/* MAIR_EL1: 0 Normal Tagged write-back, 1 Device-nGnRnE. */
	set_register(SYSREG(0, 10, 2, 0), 0xf0);
	/* TCR_EL1: TBI0; 40 bits physical; no TTBR1; inner shareable, cached; 39 bits. */
	set_register(SYSREG(0, 2, 0, 2), 1UL << 37 | 2UL << 32 | 1 << 23 | 25 << 16 |
		     3 << 12 | 1 << 10 | 1 << 8 | 25);
	/* TTBR0_EL1 */
	set_register(SYSREG(0, 2, 0, 0), RAM + TABLE);
	/* SCTLR_EL1: ATA, I, C, M and what reads as one. Tag checks stay off. */
	set_register(SYSREG(0, 1, 0, 0), 1UL << 43 | 0x30d00800 | 1 << 12 | 1 << 2 | 1);
}

/* Run the guest on [start, end); returns the number of errors that it found. */
static uint64_t run_guest(size_t start, size_t end, int verify)
{
	uint64_t errors;

	set_register(CORE(regs.pc), RAM);
	set_register(CORE(regs.regs[0]), RAM + start);
	set_register(CORE(regs.regs[1]), RAM + end);
	set_register(CORE(regs.regs[2]), SEED);
	set_register(CORE(regs.regs[3]), EXIT);
	set_register(CORE(regs.regs[4]), verify);
	while (ioctl(vcpu, KVM_RUN, NULL) < 0)
		if (errno != EINTR)
			die("kvm: KVM_RUN: %s", strerror(errno));
	if (run->exit_reason != KVM_EXIT_MMIO || run->mmio.phys_addr != EXIT)
		die("kvm: the guest ended with reason %u, address %#llx", run->exit_reason,
		    (unsigned long long)run->mmio.phys_addr);
	memcpy(&errors, run->mmio.data, sizeof(errors));
	return errors;
}

static uint8_t tag_of(uint64_t address)
{
	return (address / GRANULE + address / PAGE + SEED) % 16;
}

/* Copy the tags of one page to or from the machine. */
static void copy_tags(size_t page, uint8_t *tags, uint64_t flags)
{
	struct kvm_arm_copy_mte_tags copy = {
		.guest_ipa = RAM + page,
		.length = PAGE,
		.addr = tags,
		.flags = flags,
	};

	CALL(vm, KVM_ARM_MTE_COPY_TAGS, &copy);
}

static void store(size_t page)
{
	uint64_t *data = (uint64_t *)(ram + page);
	uint8_t tags[PAGE_TAGS];
	size_t i;

	for (i = 0; i < PAGE_TAGS; i++) {
		uint64_t address = RAM + page + i * GRANULE;

		tags[i] = tag_of(address);
		data[2 * i] = address ^ SEED;
		data[2 * i + 1] = address + SEED;
	}
	copy_tags(page, tags, KVM_ARM_TAGS_TO_GUEST);
}

static size_t count_wrong(size_t page)
{
	const uint64_t *data = (uint64_t *)(ram + page);
	uint8_t tags[PAGE_TAGS];
	size_t i, wrong = 0;

	copy_tags(page, tags, KVM_ARM_TAGS_FROM_GUEST);
	for (i = 0; i < PAGE_TAGS; i++) {
		uint64_t address = RAM + page + i * GRANULE;

		wrong += tags[i] != tag_of(address);
		wrong += data[2 * i] != (address ^ SEED);
		wrong += data[2 * i + 1] != address + SEED;
	}
	return wrong;
}

static int verify(void)
{
	size_t page, wrong = 0, errors = run_guest(START, size, 1);

	for (page = START; page < size; page += PAGE)
		wrong += count_wrong(page);
	say("kvm: %zu errors seen by the guest, %zu by its host", errors, wrong);
	return errors || wrong;
}

int main(int argc, char **argv)
{
	size_t page, half;
	char c;

	size = argc == 2 ? strtoul(argv[1], NULL, 0) / PAGE * PAGE : 0;
	if (size <= START || size > RAM)
		die("usage: kvm SIZE");
	ram = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (ram == MAP_FAILED)
		die("kvm: mmap: %s", strerror(errno));
	memset(ram, 1, size);
	memset(ram + TABLE, 0, PAGE);
	memcpy(ram, guest_begin, guest_end - guest_begin);
	create_machine();
	set_up_translation();

	half = (START + size) / 2 / PAGE * PAGE;
	run_guest(START, half, 0);
	for (page = half; page < size; page += PAGE)
		store(page);
	if (verify())
		return 1;
	say("ready");
	while (read(STDIN_FILENO, &c, 1) == 1 && c != '\n')
		;
	return verify();
}
