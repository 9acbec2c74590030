/* SPDX-License-Identifier: Apache-2.0
 * The command line: an OCI runtime's, with our own options taken out. */
#ifndef RUNTIME_CLI_H
#define RUNTIME_CLI_H

#include <stdbool.h>

#include "lib/err.h"
#include "runtime/exec_options.h"
#include "runtime/settings.h"
#include "runtime/strlist.h"

struct cli {
	struct settings settings;
	const char *command; /* NULL: none was given */
	/* what the delegate is to see, as it was given */
	struct strlist global; /* options before the command */
	struct strlist rest;   /* all after the command */
	bool help;
	bool version;
	/* read along the way; borrowed from argv */
	const char *log;	  /* NULL: none */
	const char *log_format;	  /* NULL: none */
	const char *bundle;	  /* NULL: the current directory */
	const char *id;		  /* first operand of the command, or NULL */
	char **args;		  /* those after it, NULL-terminated, or NULL */
	struct exec_options exec; /* of the command exec */
};

/*
 * Reads the whole line also after an error, so that --log is known when it is
 * reported. *cli is initialised by this call; free it also after -1.
 */
int cli_parse(struct cli *cli, int argc, char **argv, struct err *err);
void cli_free(struct cli *cli);

/* True for commands whose bundle is derived: create and run. */
bool cli_takes_bundle(const char *command);

#endif
