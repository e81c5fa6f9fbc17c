// SPDX-License-Identifier: GPL-2.0
/* Memory tags, and accesses that may fault. See mte.h. */

#include <errno.h>
#include <setjmp.h>
#include <signal.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "mte.h"
#include "say.h"

#ifndef HWCAP2_MTE
#define HWCAP2_MTE		0x40000
#endif
#ifndef PR_MTE_TAG_SHIFT
#define PR_MTE_TAG_SHIFT	3
#endif
#ifndef SEGV_MTESERR
#define SEGV_MTESERR		9
#endif

static sigjmp_buf guard_env;
static volatile sig_atomic_t guarded;
static volatile sig_atomic_t guard_outcome;
static volatile uintptr_t guard_fault;

/* Synchronous checks. IRG, which is not used here, never chooses tag 0. */
int mte_enable(void)
{
	if (!(getauxval(AT_HWCAP2) & HWCAP2_MTE))
		return -ENODEV;
	if (prctl(PR_SET_TAGGED_ADDR_CTRL, PR_TAGGED_ADDR_ENABLE | PR_MTE_TCF_SYNC |
		  0xfffeUL << PR_MTE_TAG_SHIFT, 0, 0, 0))
		return -errno;
	return 0;
}

static void on_fault(int signal, siginfo_t *info, void *context)
{
	(void)context;
	if (!guarded) {
		say("proof: pid %d: signal %d (code %d) at %p, outside of the tested memory",
		    getpid(), signal, info->si_code, info->si_addr);
		_exit(128 + signal);
	}
	guard_fault = (uintptr_t)info->si_addr;
	if (signal == SIGBUS)
		guard_outcome = ACCESS_LOST;
	else if (info->si_code == SEGV_MTESERR)
		guard_outcome = ACCESS_TAG_FAULT;
	else
		guard_outcome = ACCESS_SEGV;
	siglongjmp(guard_env, 1);
}

void guard_install(void)
{
	/* The signal is not masked in the handler, so siglongjmp() need not restore a mask. */
	struct sigaction action = {
		.sa_sigaction = on_fault,
		.sa_flags = SA_SIGINFO | SA_NODEFER,
	};

	sigaction(SIGSEGV, &action, NULL);
	sigaction(SIGBUS, &action, NULL);
	action.sa_flags |= SA_RESETHAND;
	sigaction(SIGILL, &action, NULL);
}

enum outcome guard(guarded_fn fn, void *arg)
{
	guard_outcome = ACCESS_OK;
	guarded = 1;
	if (!sigsetjmp(guard_env, 0))
		fn(arg);
	guarded = 0;
	mte_checks_on();
	return guard_outcome;
}

/* Where the last guarded access faulted. */
uintptr_t guard_address(void)
{
	return guard_fault;
}
