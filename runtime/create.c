/* SPDX-License-Identifier: Apache-2.0
 * The commands create and run: derive the bundle, then become the delegate.
 *
 * Everything that can be refused is refused before anything is changed; then
 * mount points are made, the bundle is rewritten, and the file descriptors of
 * the supervisor are put in their places. */
#include "runtime/create.h"

#include "lib/cleanup.h"
#include "lib/json.h"
#include "lib/vm_spec.h"
#include "runtime/bundle.h"
#include "runtime/cli.h"
#include "runtime/console.h"
#include "runtime/delegate.h"
#include "runtime/derive.h"
#include "runtime/disks.h"
#include "runtime/hostfacts.h"
#include "runtime/listener.h"
#include "runtime/memfd.h"
#include "runtime/mountpoints.h"
#include "runtime/mounts.h"
#include "runtime/path.h"
#include "runtime/xalloc.h"

/* What create owns along the way; freed after a failure only. */
struct creation {
	struct bundle bundle;
	struct mounts mounts;
	struct disks disks;
	struct hostfacts facts;
	struct derived derived;
};

static void
creation_free(struct creation *c)
{
	derived_free(&c->derived);
	hostfacts_free(&c->facts);
	disks_free(&c->disks);
	mounts_free(&c->mounts);
	bundle_close(&c->bundle);
}

/* The spec in a sealed memfd at VM_SPEC_FD, inherited by the supervisor. */
static int
place_spec(const struct vm_spec *spec, struct err *err)
{
	AUTO_FREE char *text = NULL;
	size_t len;

	if ((text = vm_spec_serialize(spec, &len)) == NULL)
		return err_set(err, "VM spec: out of memory");
	return memfd_place(VM_SPEC_FD, "runq-vm-spec", text, len, err);
}

static int
load(struct creation *c, struct cli *cli, struct err *err)
{
	if (bundle_open(&c->bundle, cli->bundle, err) == -1 ||
	    mounts_parse(&c->mounts, c->bundle.config, c->bundle.path, err) ==
		-1 ||
	    disks_parse(&c->disks, c->bundle.config, c->bundle.path, err) == -1)
		return -1;
	disks_open(&c->disks);
	hostfacts_collect(&c->facts, c->bundle.config, c->bundle.path,
	    &c->mounts, &cli->settings);
	return derive(
	    &(struct derive_input){
		.config = c->bundle.config,
		.id = cli->id,
		.bundle = c->bundle.path,
		.settings = &cli->settings,
		.mounts = &c->mounts,
		.disks = &c->disks,
		.facts = &c->facts,
	    },
	    &c->derived, err);
}

/* derive() has found these members in order. */
static const char *
member(struct json_object *config, const char *a, const char *b)
{
	struct json_object *o = json_object_object_get(config, a);

	return json_object_get_string(json_object_object_get(o, b));
}

/* The last descriptor that the supervisor inherits; -1 with err. */
static int
place_fds(struct creation *c, const struct settings *s, struct err *err)
{
	AUTO_CLOSE int listener = -1;
	int last_fd = VM_SPEC_FD;

	listener_make(s, &c->derived.spec, &listener);
	if (place_spec(&c->derived.spec, err) == -1)
		return -1;
	if (listener != -1) {
		last_fd = VM_EXEC_FD;
		if (listener_place(take_fd(&listener), err) == -1)
			return -1;
	}
	return disks_place(&c->disks, last_fd, err);
}

static int
carry_out(struct creation *c, struct cli *cli, struct err *err)
{
	int last_fd;
	AUTO_FREE char *delegate = NULL, *rootfs = NULL;
	struct json_object *config;

	if (load(c, cli, err) == -1 ||
	    hostfacts_check_image(cli->settings.image_dir, c->derived.spec.arch,
		c->derived.spec.rootfs, err) == -1 ||
	    (delegate = delegate_find(cli->settings.runc, err)) == NULL)
		return -1;
	config = c->bundle.config;
	rootfs = path_join(c->bundle.path, member(config, "root", "path"));
	if (mountpoints_make(rootfs, &c->mounts, &c->disks,
		member(config, "process", "cwd"), err) == -1 ||
	    bundle_store(&c->bundle, c->derived.outer, err) == -1 ||
	    (last_fd = place_fds(c, &cli->settings, err)) == -1 ||
	    console_interpose(cli, err) == -1)
		return -1;
	return delegate_exec(delegate, cli, last_fd, err);
}

int
create_exec(struct cli *cli, struct err *err)
{
	struct creation c = {.bundle = {.fd = -1}};

	if (cli->id == NULL)
		return err_set(err, "%s: needs a container id", cli->command);
	(void)carry_out(&c, cli, err);
	creation_free(&c);
	return -1;
}
