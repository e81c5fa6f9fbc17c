/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Reports of errors: which page of which mapping, where it was, what is wrong.
 * Each call counts one error; the first ones of each process are printed.
 */
#ifndef PROOF_REPORT_H
#define PROOF_REPORT_H

#include "area.h"
#include "mte.h"

void report_data(const struct area *area, unsigned int page, bool resident,
		 const uint64_t *expected, const uint64_t *got);
void report_tags(const struct area *area, unsigned int page, bool resident,
		 const uint8_t *expected, const uint8_t *got);
void report_access(const struct area *area, unsigned int page, enum outcome outcome,
		   const char *verb);
void report_no_fault(const struct area *area, unsigned int page, unsigned int granule,
		     unsigned int tag, unsigned int used, enum outcome outcome);

#endif /* PROOF_REPORT_H */
