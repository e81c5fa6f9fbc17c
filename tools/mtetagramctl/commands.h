/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The commands. Each one parses its own arguments, does its work, reports its errors,
 * and returns an exit code. argv[0] is the name of the command.
 */
#ifndef _COMMANDS_H
#define _COMMANDS_H

int cmd_status(int argc, char **argv);
int cmd_stats(int argc, char **argv);
int cmd_watch(int argc, char **argv);
int cmd_map(int argc, char **argv);
int cmd_setup(int argc, char **argv);
int cmd_limit(int argc, char **argv);
int cmd_resize(int argc, char **argv);
int cmd_drain(int argc, char **argv);
int cmd_verify(int argc, char **argv);
int cmd_reset(int argc, char **argv);

#endif
