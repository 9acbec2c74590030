/* SPDX-License-Identifier: Apache-2.0
 * The container as START describes it. */
#include "guest-agent/spec.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/cleanup.h"
#include "lib/json.h"
#include "lib/paths.h"

#define MOUNTS_MAX 8192
#define SYSCTLS_MAX 4096

/* "modules", or "vol/" and a number as printf writes it. */
static bool
is_share(const char *source)
{
	const char *n = source + strlen(SHARE_VOLUMES "/");

	if (strcmp(source, SHARE_MODULES) == 0)
		return true;
	if (strncmp(source, SHARE_VOLUMES "/", strlen(SHARE_VOLUMES "/")) != 0)
		return false;
	return strlen(n) > 0 && strlen(n) < 7 &&
	    strspn(n, "0123456789") == strlen(n) &&
	    (n[0] != '0' || n[1] == '\0');
}

static bool
is_path(const char *path)
{
	return path[0] == '/' && strlen(path) < PATH_MAX;
}

static int
parse_mount(struct json_object *o, const char *where, struct mount_spec *m,
    struct err *err)
{
	AUTO_FREE const char **options = NULL;
	const char *type;
	size_t n;
	bool file = false;

	if (json_need_str(o, where, "destination", &m->destination, err) ==
		-1 ||
	    json_need_str(o, where, "type", &type, err) == -1 ||
	    json_need_str(o, where, "source", &m->source, err) == -1 ||
	    json_opt_bool(o, where, "file", &file, err) == -1 ||
	    json_opt_strv(o, where, "options", &options, &n, err) == -1)
		return -1;
	if (!is_path(m->destination))
		return err_set(err,
		    "%s.destination: \"%.256s\" is not an "
		    "absolute path",
		    where, m->destination);
	if (strspn(m->destination, "/") == strlen(m->destination))
		return err_set(
		    err, "%s.destination: must be below the root", where);
	if (mount_type_parse(type, &m->type, err) == -1 ||
	    mount_options_parse(m->type, options, n, &m->options, err) == -1)
		return err_prefix(
		    err, "%s: mount at \"%.256s\"", where, m->destination);
	if (m->type == MOUNT_SHARE && !is_share(m->source))
		return err_set(err,
		    "%s.source: \"%.64s\" (allowed: " SHARE_MODULES
		    ", " SHARE_VOLUMES "/N)",
		    where, m->source);
	return 0;
}

static int
parse_mounts(struct json_object *o, struct container_spec *c, struct err *err)
{
	struct json_object *a = NULL;
	char where[32];
	size_t n;

	if (json_opt_arr(o, "container", "mounts", &a, err) == -1)
		return -1;
	if (a == NULL)
		return 0;
	if ((n = json_object_array_length(a)) > MOUNTS_MAX)
		return err_set(
		    err, "container.mounts: %zu (allowed: %d)", n, MOUNTS_MAX);
	if ((c->mounts = calloc(n + 1, sizeof(*c->mounts))) == NULL)
		return err_sys(err, "container.mounts");
	for (size_t i = 0; i < n; i++) {
		snprintf(where, sizeof(where), "mounts[%zu]", i);
		c->n_mounts++;
		if (parse_mount(json_object_array_get_idx(a, i), where,
			&c->mounts[i], err) == -1)
			return -1;
	}
	return 0;
}

static int
parse_sysctls(struct json_object *o, struct container_spec *c, struct err *err)
{
	struct json_object *all = NULL;
	int n;

	if (json_opt_obj(o, "container", "sysctl", &all, err) == -1)
		return -1;
	if (all == NULL)
		return 0;
	if ((n = json_object_object_length(all)) > SYSCTLS_MAX)
		return err_set(
		    err, "container.sysctl: %d (allowed: %d)", n, SYSCTLS_MAX);
	if ((c->sysctls = calloc((size_t)n + 1, sizeof(*c->sysctls))) == NULL)
		return err_sys(err, "container.sysctl");
	json_object_object_foreach (all, key, value) {
		(void)value;
		c->sysctls[c->n_sysctls].name = key;
		if (json_need_str(all, "container.sysctl", key,
			&c->sysctls[c->n_sysctls].value, err) == -1)
			return -1;
		c->n_sysctls++;
	}
	return 0;
}

static int
parse_paths(struct json_object *o, const char *key, const char ***out,
    size_t *n, struct err *err)
{
	if (json_opt_strv(o, "container", key, out, n, err) == -1)
		return -1;
	for (size_t i = 0; i < *n; i++)
		if (!is_path((*out)[i]))
			return err_set(err,
			    "container.%s: \"%.256s\" is not an absolute path",
			    key, (*out)[i]);
	return 0;
}

static int
parse_root(struct json_object *o, struct container_spec *c, struct err *err)
{
	struct json_object *root;
	const char *source;

	if (json_need_obj(o, "container", "root", &root, err) == -1 ||
	    json_need_str(root, "root", "source", &source, err) == -1 ||
	    json_opt_bool(root, "root", "readonly", &c->root_readonly, err) ==
		-1)
		return -1;
	if (strcmp(source, SHARE_ROOTFS) != 0)
		return err_set(err,
		    "root.source: \"%.64s\" (allowed: " SHARE_ROOTFS ")",
		    source);
	return 0;
}

static int
parse_container(
    struct json_object *o, struct container_spec *c, struct err *err)
{
	struct json_object *process;

	if (json_opt_str(o, "container", "hostname", &c->hostname, err) == -1 ||
	    json_opt_str(o, "container", "domainname", &c->domainname, err) ==
		-1 ||
	    parse_root(o, c, err) == -1 ||
	    json_need_obj(o, "container", "process", &process, err) == -1 ||
	    process_spec_parse(process, &c->process, err) == -1 ||
	    parse_mounts(o, c, err) == -1 ||
	    disk_specs_parse(o, c, err) == -1 ||
	    parse_sysctls(o, c, err) == -1 ||
	    parse_paths(o, "maskedPaths", &c->masked, &c->n_masked, err) ==
		-1 ||
	    parse_paths(
		o, "readonlyPaths", &c->readonly, &c->n_readonly, err) == -1 ||
	    json_opt_obj(o, "container", "seccomp", &c->seccomp, err) == -1 ||
	    json_opt_int(o, "container", "pids", INT64_MIN, INT64_MAX, &c->pids,
		err) == -1 ||
	    json_opt_int(o, "container", "memory", INT64_MIN, INT64_MAX,
		&c->memory, err) == -1 ||
	    json_opt_bool(o, "container", "runqenv", &c->runqenv, err) == -1 ||
	    json_opt_bool(o, "container", "systemd", &c->systemd, err) == -1 ||
	    json_opt_bool(o, "container", "ap", &c->ap, err) == -1)
		return -1;
	return 0;
}

/* One word of resolv.conf(5): nothing that could begin another line. */
static int
check_words(
    const char *const *words, size_t n, const char *what, struct err *err)
{
	for (size_t i = 0; i < n; i++)
		for (const char *p = words[i]; p == words[i] || *p != '\0'; p++)
			if (*p <= ' ' || *p > '~')
				return err_set(err,
				    "dns.%s[%zu]: must be one word of "
				    "printable characters",
				    what, i);
	return 0;
}

static int
parse_dns(struct json_object *o, struct dns_spec *d, struct err *err)
{
	if (o == NULL)
		return 0;
	if (json_opt_strv(
		o, "dns", "servers", &d->servers, &d->n_servers, err) == -1 ||
	    json_opt_strv(o, "dns", "search", &d->search, &d->n_search, err) ==
		-1 ||
	    json_opt_strv(
		o, "dns", "options", &d->options, &d->n_options, err) == -1 ||
	    check_words(d->servers, d->n_servers, "servers", err) == -1 ||
	    check_words(d->search, d->n_search, "search", err) == -1 ||
	    check_words(d->options, d->n_options, "options", err) == -1)
		return -1;
	return 0;
}

int
container_spec_parse(struct json_object *container, struct json_object *dns,
    struct container_spec *out, struct err *err)
{
	*out = (struct container_spec){.hostname = "", .domainname = ""};
	out->json = json_object_get(container);
	out->dns_json = json_object_get(dns);
	if (parse_container(container, out, err) == -1 ||
	    parse_dns(dns, &out->dns, err) == -1)
		return -1;
	return 0;
}

void
container_spec_free(struct container_spec *c)
{
	process_spec_free(&c->process);
	for (size_t i = 0; i < c->n_mounts; i++)
		mount_options_free(&c->mounts[i].options);
	free(c->mounts);
	free(c->disks);
	free(c->root_exclude);
	free(c->sysctls);
	free(c->masked);
	free(c->readonly);
	free(c->dns.servers);
	free(c->dns.search);
	free(c->dns.options);
	json_object_put(c->json);
	json_object_put(c->dns_json);
	*c = (struct container_spec){0};
}
