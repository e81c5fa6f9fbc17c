/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Signals that ask the tool to stop. A command that takes long catches them, asks
 * interrupted() from time to time, and leaves nothing half done.
 */
#ifndef _INTERRUPT_H
#define _INTERRUPT_H

#include <stdbool.h>

/**
 * interrupt_catch() - note such signals from now on instead of ending
 */
void interrupt_catch(void);

/**
 * interrupted() - has such a signal come?
 *
 * Return: true if one has come since interrupt_catch().
 */
bool interrupted(void);

#endif
