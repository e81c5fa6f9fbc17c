/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Lengths of compressed pages of real heaps, for tests. Needs model.h.
 */
#ifndef HEAPS_H
#define HEAPS_H

/*
 * Lengths of compressed heap pages (heap-pages): the medians of 32 equal parts.
 * Half of a mix of Python, node, a compiler and a shell.
 */
static const struct heap { const char *name; u16 len[32]; } heaps[] = {
	{ "mix, lz4", {
		186, 562, 705, 805, 856, 924, 981, 1026, 1060, 1090, 1115,
		1155, 1230, 1309, 1362, 1406, 1477, 1579, 1685, 1781, 1878, 1989,
		2087, 2260, 2333, 2398, 2479, 2575, 2690, 2810, 2962, 3134,
	} },
	{ "mix, zstd", {
		130, 283, 355, 426, 469, 510, 540, 565, 582, 597, 614,
		633, 654, 676, 697, 727, 763, 795, 822, 861, 918, 959,
		1034, 1137, 1217, 1341, 1436, 1592, 1786, 1891, 1973, 2084,
	} },
	{ "shell, lz4", {
		2137, 2240, 2279, 2313, 2339, 2361, 2381, 2397, 2417, 2435, 2461,
		2486, 2511, 2535, 2563, 2591, 2619, 2654, 2683, 2718, 2752, 2779,
		2808, 2844, 2874, 2931, 2987, 3032, 3069, 3106, 3167, 3283,
	} },
};

static unsigned int random_len(const struct heap *heap, uint64_t *rng)
{
	unsigned int i = splitmix(rng) % 31;

	/* A length between two neighbours of the table. */
	return heap->len[i] + splitmix(rng) % (heap->len[i + 1] - heap->len[i] + 1);
}

#endif /* HEAPS_H */
