/* SPDX-License-Identifier: Apache-2.0
 * One case of t/unit/golden/: a command line, facts about a host and a
 * config.json, and what must come out of them. */
#ifndef T_UNIT_DERIVE_CASE_H
#define T_UNIT_DERIVE_CASE_H

struct json_object;
struct limits;

/*
 * Runs the whole derivation. The result is {"error": sentence} or
 * {"spec": ..., "outer": ...}; the spec went through its text form. In facts,
 * "paths" says what a source of a bind mount is ("file", "socket", ..., or
 * the size of a tmpfs); one that is not listed is a directory.
 */
struct json_object *case_run(struct json_object *args,
    struct json_object *facts, struct json_object *config);

/* Resource limits; the names belong to o, which may be NULL. */
void case_limits(struct json_object *o, struct limits *l);

/* All golden files of a folder of t/unit/, sorted: paths, NULL-terminated. */
char **case_files(const char *dir);
void case_files_free(char **files);

struct json_object *case_load(const char *path);

#endif
