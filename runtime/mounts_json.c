/* SPDX-License-Identifier: Apache-2.0
 * The mounts as two lists: what the guest mounts, and what the VM's container
 * has to have below /share for it. */
#include <stdlib.h>

#include "lib/cleanup.h"
#include "lib/paths.h"
#include "runtime/jbuild.h"
#include "runtime/mounts.h"
#include "runtime/oci.h"

static struct json_object *
mount_json(const char *destination, const char *type, const char *source)
{
	struct json_object *o = jb_obj();

	jb_str(o, "destination", destination);
	jb_str(o, "type", type);
	jb_str(o, "source", source);
	return o;
}

static struct json_object *
guest_share(const struct mount *m)
{
	AUTO_FREE char *source = xasprintf(SHARE_VOLUMES "/%u", m->volume);
	struct json_object *o = mount_json(m->destination, m->type, source);
	struct json_object *options = jb_arr();

	jb_bool(o, "file", m->file);
	for (size_t i = 0; i < m->options.n; i++) {
		const struct oci_option *opt =
		    oci_mount_option(m->options.v[i]);

		if (opt->place == OCI_OPTION_BOTH)
			jb_push_str(options,
			    opt->guest != NULL ? opt->guest : opt->name);
	}
	jb_set(o, "options", options);
	return o;
}

struct json_object *
mounts_guest(const struct mounts *m)
{
	static const char *const ro[] = {"ro"};
	struct json_object *a = jb_arr(), *o;

	for (size_t i = 0; i < m->n; i++) {
		const struct mount *mnt = &m->v[i];

		if (mnt->kind == MOUNT_BIND) {
			jb_push(a, guest_share(mnt));
			continue;
		}
		o = mount_json(mnt->destination, mnt->type, mnt->source);
		jb_set(o, "options",
		    jb_strv(
			(const char *const *)mnt->options.v, mnt->options.n));
		jb_push(a, o);
	}
	o = mount_json(MOUNTS_MODULES, "share", SHARE_MODULES);
	jb_bool(o, "file", false);
	jb_set(o, "options", jb_strv(ro, 1));
	jb_push(a, o);
	return a;
}

void
mounts_outer(const struct mounts *m, struct json_object *a)
{
	for (size_t i = 0; i < m->n; i++) {
		const struct mount *mnt = &m->v[i];
		AUTO_FREE char *destination = NULL;
		struct json_object *o, *options;

		if (mnt->kind != MOUNT_BIND)
			continue;
		destination =
		    xasprintf(PATH_SHARE "/" SHARE_VOLUMES "/%u", mnt->volume);
		o = mount_json(destination, "bind", mnt->source);
		options = jb_arr();
		/* type "bind" alone is not enough for crun(1) and runc(8) */
		if (!strlist_has(&mnt->options, "bind") &&
		    !strlist_has(&mnt->options, "rbind"))
			jb_push_str(options, "bind");
		for (size_t j = 0; j < mnt->options.n; j++) {
			const struct oci_option *opt =
			    oci_mount_option(mnt->options.v[j]);

			jb_push_str(
			    options, opt->host != NULL ? opt->host : opt->name);
		}
		jb_set(o, "options", options);
		jb_push(a, o);
	}
}
