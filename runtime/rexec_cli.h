/* SPDX-License-Identifier: Apache-2.0
 * The command line of runq-exec. */
#ifndef RUNTIME_REXEC_CLI_H
#define RUNTIME_REXEC_CLI_H

#include <stdbool.h>

#include "lib/err.h"
#include "runtime/strlist.h"

struct rexec_cli {
	const char *tls_cert, *tls_key, *tls_ca; /* paths */
	struct strlist env;			 /* NAME=VALUE */
	bool help, version, interactive, tty;
	const char *container;
	char **args; /* NULL-terminated; borrowed from argv */
};

/* Options stop at the container. -e NAME takes the value of getenv(3); one
 * that is not set there is left out. */
int
rexec_cli_parse(struct rexec_cli *c, int argc, char **argv, struct err *err);
void rexec_cli_free(struct rexec_cli *c);

#endif
