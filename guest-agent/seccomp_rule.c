/* SPDX-License-Identifier: Apache-2.0
 * One rule of an OCI seccomp profile, out of its JSON. */
#include "guest-agent/seccomp_rule.h"

#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/json.h"

#define WHERE_MAX 96
#define COUNT(a) (sizeof(a) / sizeof *(a))

static const struct {
	const char *name;
	uint32_t action;
} actions[] = {
    {"SCMP_ACT_ALLOW", SCMP_ACT_ALLOW},
    {"SCMP_ACT_ERRNO", SCMP_ACT_ERRNO(0)},
    {"SCMP_ACT_KILL", SCMP_ACT_KILL_THREAD},
    {"SCMP_ACT_KILL_PROCESS", SCMP_ACT_KILL_PROCESS},
    {"SCMP_ACT_KILL_THREAD", SCMP_ACT_KILL_THREAD},
    {"SCMP_ACT_LOG", SCMP_ACT_LOG},
    {"SCMP_ACT_TRACE", SCMP_ACT_TRACE(0)},
    {"SCMP_ACT_TRAP", SCMP_ACT_TRAP},
};

static const struct {
	const char *name;
	enum scmp_compare op;
} operators[] = {
    {"SCMP_CMP_EQ", SCMP_CMP_EQ},
    {"SCMP_CMP_GE", SCMP_CMP_GE},
    {"SCMP_CMP_GT", SCMP_CMP_GT},
    {"SCMP_CMP_LE", SCMP_CMP_LE},
    {"SCMP_CMP_LT", SCMP_CMP_LT},
    {"SCMP_CMP_MASKED_EQ", SCMP_CMP_MASKED_EQ},
    {"SCMP_CMP_NE", SCMP_CMP_NE},
};

/* The action named by member key of o, with errno_key or EPERM as its data. */
int
seccomp_read_action(struct json_object *o, const char *where, const char *key,
    const char *errno_key, uint32_t *action, struct err *err)
{
	const char *name;
	int64_t data = EPERM;

	if (json_need_str(o, where, key, &name, err) == -1 ||
	    json_opt_int(o, where, errno_key, 0, UINT16_MAX, &data, err) == -1)
		return -1;
	if (strcmp(name, "SCMP_ACT_NOTIFY") == 0)
		return err_set(err,
		    "%s.%s: SCMP_ACT_NOTIFY is not supported: its listener is "
		    "outside of the VM",
		    where, key);
	for (size_t i = 0; i < COUNT(actions); i++) {
		if (strcmp(name, actions[i].name) != 0)
			continue;
		*action = actions[i].action;
		if (*action == SCMP_ACT_ERRNO(0) ||
		    *action == SCMP_ACT_TRACE(0))
			*action |= (uint32_t)data;
		return 0;
	}
	return err_set(
	    err, "%s.%s: unknown action \"%.64s\"", where, key, name);
}

static int
read_condition(struct json_object *o, const char *where,
    struct scmp_arg_cmp *cmp, struct err *err)
{
	const char *op;
	int64_t index;
	uint64_t a = 0, b = 0;

	if (json_need_int(o, where, "index", 0, 5, &index, err) == -1 ||
	    json_need_str(o, where, "op", &op, err) == -1 ||
	    json_opt_u64(o, where, "value", &a, err) == -1 ||
	    json_opt_u64(o, where, "valueTwo", &b, err) == -1)
		return -1;
	for (size_t i = 0; i < COUNT(operators); i++) {
		if (strcmp(op, operators[i].name) == 0) {
			*cmp = (struct scmp_arg_cmp){
			    (unsigned)index, operators[i].op, a, b};
			return 0;
		}
	}
	return err_set(err, "%s.op: unknown operator \"%.64s\"", where, op);
}

static int
read_conditions(struct json_object *o, const char *where,
    struct seccomp_rule *rule, struct err *err)
{
	struct json_object *args = NULL;
	char at[WHERE_MAX];
	bool seen[6] = {false};
	size_t n;

	if (json_opt_arr(o, where, "args", &args, err) == -1)
		return -1;
	n = args == NULL ? 0 : json_object_array_length(args);
	if (n > SECCOMP_ARGS_MAX)
		return err_set(err,
		    "%s.args: %zu conditions (allowed: 0 to %d)", where, n,
		    SECCOMP_ARGS_MAX);
	if (n > 0 && (rule->cmps = calloc(n, sizeof *rule->cmps)) == NULL)
		return err_sys(err, "%s.args", where);
	for (size_t i = 0; i < n; i++) {
		struct scmp_arg_cmp *cmp = &rule->cmps[i];

		snprintf(at, sizeof at, "%s.args[%zu]", where, i);
		if (read_condition(
			json_object_array_get_idx(args, i), at, cmp, err) == -1)
			return -1;
		rule->alternatives = rule->alternatives || seen[cmp->arg];
		seen[cmp->arg] = true;
		rule->n_cmps++;
	}
	return 0;
}

int
seccomp_rule_read(struct json_object *o, const char *where,
    struct seccomp_rule *rule, struct err *err)
{
	*rule = (struct seccomp_rule){0};
	if (seccomp_read_action(
		o, where, "action", "errnoRet", &rule->action, err) == -1 ||
	    json_opt_strv(
		o, where, "names", &rule->names, &rule->n_names, err) == -1)
		return -1;
	if (rule->n_names == 0)
		return err_set(err, "%s.names: must name a system call", where);
	for (size_t i = 0; i < rule->n_names; i++)
		if (rule->names[i][0] == '\0')
			return err_set(err, "%s.names[%zu]: empty", where, i);
	return read_conditions(o, where, rule, err);
}

void
seccomp_rule_swap(struct seccomp_rule *rule, unsigned a, unsigned b)
{
	for (unsigned i = 0; i < rule->n_cmps; i++) {
		if (rule->cmps[i].arg == a)
			rule->cmps[i].arg = b;
		else if (rule->cmps[i].arg == b)
			rule->cmps[i].arg = a;
	}
}

void
seccomp_rule_free(struct seccomp_rule *rule)
{
	free(rule->names);
	free(rule->cmps);
}
