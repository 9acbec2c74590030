/* SPDX-License-Identifier: Apache-2.0
 * The container's terminal, made raw before anybody can type. */
#ifndef RUNTIME_CONSOLE_H
#define RUNTIME_CONSOLE_H

#include "lib/err.h"

struct cli;

/*
 * The delegate makes a terminal and sends its master to --console-socket; the
 * line discipline that counts is the guest's. What is typed before the first
 * process of the container could switch this one off would be echoed and
 * edited twice, and an end of file be lost. So the delegate is given a socket
 * of ours in the command line, and a small process between the two switches
 * the terminal's input to raw and hands the master on. It ends with that, or
 * with the delegate. Without --console-socket nothing is done.
 */
int console_interpose(struct cli *cli, struct err *err);

#endif
