/* SPDX-License-Identifier: Apache-2.0
 * A bundle's config.json: the engine's original and what replaces it. */
#ifndef RUNTIME_BUNDLE_H
#define RUNTIME_BUNDLE_H

#include <stdbool.h>
#include <stddef.h>

#include "lib/err.h"

struct json_object;

/* The annotation that marks a config.json as written by us; its value is the
 * version of runq. */
#define BUNDLE_ANNOTATION "org.runq.version"

struct bundle {
	char *path; /* absolute, without symbolic links */
	int fd;	    /* the directory */
	char *text; /* the engine's config.json as it was read */
	size_t len;
	struct json_object *config;
	bool saved; /* text is in config.json.runq already */
};

/*
 * Opens dir (NULL: the current directory) and reads its config.json, or, when
 * that one is ours from an earlier run, the original from config.json.runq.
 * *b is initialised by this call; close it also after -1.
 */
int bundle_open(struct bundle *b, const char *dir, struct err *err);
void bundle_close(struct bundle *b);

/* Keeps the original as config.json.runq and puts config in its place, each
 * in one step. */
int bundle_store(struct bundle *b, struct json_object *config, struct err *err);

#endif
