/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Memory. These functions never return NULL: without memory the tool reports that and
 * ends.
 */
#ifndef _ALLOC_H
#define _ALLOC_H

#include <stddef.h>

/**
 * xcalloc() - like calloc()
 * @n: number of elements
 * @size: size of an element
 *
 * Return: memory for the caller to free, filled with zeros.
 */
void *xcalloc(size_t n, size_t size);

/**
 * xrealloc() - like reallocarray()
 * @p: memory that moves, or NULL
 * @n: number of elements
 * @size: size of an element
 *
 * Return: memory for the caller to free.
 */
void *xrealloc(void *p, size_t n, size_t size);

/**
 * xstrdup() - like strdup()
 * @s: the string to copy
 *
 * Return: a copy for the caller to free.
 */
char *xstrdup(const char *s);

#endif
