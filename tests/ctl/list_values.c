// SPDX-License-Identifier: GPL-2.0
/*
 * Prints the table of values for checks.sh, one value a line: its name, its file, its
 * column, its metric. "-" stands for none.
 */

#include <stdio.h>

#include "values.h"

int main(void)
{
	enum value_id id;

	for (id = 0; id < NR_VALUES; id++)
		printf("%s %s %s %s\n", values[id].name, values[id].file ?: "-",
		       values[id].column ?: "-", values[id].metric ?: "-");
	return 0;
}
