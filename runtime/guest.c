/* SPDX-License-Identifier: Apache-2.0
 * The agent's part of the spec: the container as the guest runs it. */
#include "runtime/guest.h"

#include <string.h>

#include "lib/json.h"
#include "lib/paths.h"
#include "runtime/hostfacts.h"
#include "runtime/jbuild.h"
#include "runtime/mounts.h"
#include "runtime/process.h"
#include "runtime/settings.h"
#include "runtime/systemd.h"

#define PIDS_MAX 4194304 /* PID_MAX_LIMIT of Linux */

/* --uts host: the guest then has the host's name. */
static int
take_names(struct json_object *config, const struct hostfacts *facts,
    struct json_object *to, struct err *err)
{
	const char *hostname = "", *domainname = "";

	if (json_opt_str(config, "config.json", "hostname", &hostname, err) ==
		-1 ||
	    json_opt_str(
		config, "config.json", "domainname", &domainname, err) == -1)
		return -1;
	/* __NEW_UTS_LEN, uname(2) */
	if (strlen(hostname) > 64 || strlen(domainname) > 64)
		return err_set(
		    err, "hostname, domainname: must be at most 64 bytes");
	jb_str(
	    to, "hostname", hostname[0] != '\0' ? hostname : facts->hostname);
	jb_str(to, "domainname", domainname);
	return 0;
}

static int
take_root(struct json_object *config, struct json_object *to, struct err *err)
{
	struct json_object *root, *out = jb_set(to, "root", jb_obj());
	bool readonly = false;

	if (json_need_obj(config, "config.json", "root", &root, err) == -1 ||
	    json_opt_bool(root, "root", "readonly", &readonly, err) == -1)
		return -1;
	jb_str(out, "source", SHARE_ROOTFS);
	jb_bool(out, "readonly", readonly);
	return 0;
}

static int
take_sysctl(
    struct json_object *linux_o, struct json_object *to, struct err *err)
{
	struct json_object *from = NULL, *out = jb_set(to, "sysctl", jb_obj());

	if (json_opt_obj(linux_o, "linux", "sysctl", &from, err) == -1)
		return -1;
	if (from == NULL)
		return 0;
	json_object_object_foreach (from, key, val) {
		if (!json_object_is_type(val, json_type_string))
			return err_set(
			    err, "linux.sysctl: %.64s: must be a string", key);
		jb_share(out, key, val);
	}
	return 0;
}

static int
take_linux(struct json_object *linux_o, struct json_object *to, struct err *err)
{
	struct json_object *seccomp = NULL, *r = NULL, *pids = NULL;
	int64_t limit = 0;

	if (take_sysctl(linux_o, to, err) == -1 ||
	    jb_copy_strv(linux_o, "linux", "maskedPaths", to, err) == -1 ||
	    jb_copy_strv(linux_o, "linux", "readonlyPaths", to, err) == -1 ||
	    json_opt_obj(linux_o, "linux", "seccomp", &seccomp, err) == -1 ||
	    json_opt_obj(linux_o, "linux", "resources", &r, err) == -1)
		return -1;
	jb_share(to, "seccomp", seccomp);
	if (r != NULL &&
	    json_opt_obj(r, "linux.resources", "pids", &pids, err) == -1)
		return -1;
	/* zero and less: no limit */
	if (pids != NULL &&
	    json_opt_int(pids, "linux.resources.pids", "limit", INT64_MIN,
		INT64_MAX, &limit, err) == -1)
		return -1;
	if (limit > 0 && limit <= PIDS_MAX)
		jb_int(to, "pids", limit);
	return 0;
}

struct json_object *
guest_container(struct json_object *config, const struct settings *s,
    const struct hostfacts *facts, const struct mounts *mounts,
    struct strlist *warnings, struct err *err)
{
	struct json_object *o = jb_obj(), *process, *linux_o;

	if (take_names(config, facts, o, err) == -1 ||
	    take_root(config, o, err) == -1 ||
	    json_need_obj(config, "config.json", "process", &process, err) ==
		-1 ||
	    json_need_obj(config, "config.json", "linux", &linux_o, err) ==
		-1 ||
	    (process = process_guest(process, &facts->limits, warnings, err)) ==
		NULL) {
		json_object_put(o);
		return NULL;
	}
	jb_set(o, "process", process);
	jb_set(o, "mounts", mounts_guest(mounts));
	if (take_linux(linux_o, o, err) == -1) {
		json_object_put(o);
		return NULL;
	}
	jb_bool(o, "runqenv", s->runqenv);
	if (s->systemd)
		systemd_prepare(o, warnings);
	return o;
}
