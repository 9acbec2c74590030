/* SPDX-License-Identifier: Apache-2.0
 * OCI mount options: attributes, propagation, data, refusals. */
#include "guest-agent/mount_options.h"

#include <string.h>
#include <sys/mount.h>

#include "t/tap.h"

#define PARSE(type, out, err, ...)                                             \
	mount_options_parse(type, (const char *const[]){__VA_ARGS__},          \
	    sizeof((const char *const[]){__VA_ARGS__}) / sizeof(char *), out,  \
	    err)

static void
attributes(void)
{
	struct mount_options o;

	is_int(PARSE(MOUNT_SHARE, &o, NULL, "ro", "nosuid", "nodev", "noexec",
		   "nosymfollow"),
	    0, "attributes are taken");
	is_int((long long)o.top.set,
	    MOUNT_ATTR_RDONLY | MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV |
		MOUNT_ATTR_NOEXEC | MOUNT_ATTR_NOSYMFOLLOW,
	    "and set");
	is_int((long long)o.top.clear, 0, "nothing is cleared");
	mount_options_free(&o);

	PARSE(MOUNT_SHARE, &o, NULL, "ro", "rw", "suid", "nosuid");
	is_int((long long)o.top.set, MOUNT_ATTR_NOSUID, "the last one wins");
	is_int((long long)o.top.clear, MOUNT_ATTR_RDONLY,
	    "also when it takes back");
	mount_options_free(&o);

	PARSE(MOUNT_SHARE, &o, NULL, "rro", "rnoexec", "nodev");
	is_int((long long)o.tree.set, MOUNT_ATTR_RDONLY | MOUNT_ATTR_NOEXEC,
	    "recursive ones are apart");
	is_int((long long)o.top.set, MOUNT_ATTR_NODEV, "from the others");
	mount_options_free(&o);
}

static void
access_times(void)
{
	struct mount_options o;

	PARSE(MOUNT_SHARE, &o, NULL, "noatime", "nodiratime");
	is_int((long long)o.top.set, MOUNT_ATTR_NOATIME | MOUNT_ATTR_NODIRATIME,
	    "noatime");
	is_int((long long)o.top.clear, MOUNT_ATTR__ATIME,
	    "clears the field that it sets");
	mount_options_free(&o);

	PARSE(MOUNT_TMPFS, &o, NULL, "noatime", "strictatime");
	is_int((long long)o.top.set, MOUNT_ATTR_STRICTATIME,
	    "strictatime takes noatime's place");
	mount_options_free(&o);

	PARSE(MOUNT_TMPFS, &o, NULL, "strictatime", "relatime");
	is_int((long long)o.top.set, 0, "relatime is 0");
	mount_options_free(&o);
}

static void
binds(void)
{
	struct mount_options o;

	is_int(PARSE(MOUNT_SHARE, &o, NULL, "rbind", "rprivate"), 0, "rbind");
	ok(o.rbind && !o.bind, "is noted");
	is_int((long long)o.propagation, MS_PRIVATE, "rprivate");
	ok(o.propagate_tree, "is for the tree");
	mount_options_free(&o);
	PARSE(MOUNT_SHARE, &o, NULL, "bind", "shared");
	ok(o.bind && !o.rbind, "bind is noted");
	is_int((long long)o.propagation, MS_SHARED, "shared");
	ok(!o.propagate_tree, "is for the top alone");
	mount_options_free(&o);
}

static void
data(void)
{
	struct mount_options o;

	is_int(PARSE(MOUNT_TMPFS, &o, NULL, "nosuid", "size=65536k", "mode=755",
		   "uid=7", "sync", "tmpcopyup", "async"),
	    0, "tmpfs");
	is_int((long long)o.n_data, 5, "has its data");
	is_str(o.data[0], "size=65536k", "size");
	ok(o.mode, "mode is noted");
	ok(o.copy_up, "tmpcopyup is noted");
	mount_options_free(&o);

	is_int(PARSE(MOUNT_DEVPTS, &o, NULL, "newinstance", "ptmxmode=0666",
		   "mode=0620", "gid=5"),
	    0, "devpts");
	is_int((long long)o.n_data, 4, "has its data");
	mount_options_free(&o);

	is_int(PARSE(MOUNT_PROC, &o, NULL, "hidepid=2"), 0, "proc hidepid");
	mount_options_free(&o);
}

static void
refusals(void)
{
	static const struct {
		enum mount_type type;
		const char *option;
	} bad[] = {
	    {MOUNT_SHARE, "size=1m"},
	    {MOUNT_TMPFS, "bind"},
	    {MOUNT_SHARE, "tmpcopyup"},
	    {MOUNT_TMPFS, "source=/dev/vda"},
	    {MOUNT_TMPFS, "size=1m,uid=0"},
	    {MOUNT_TMPFS, "size=1\n"},
	    {MOUNT_TMPFS, "=1"},
	    {MOUNT_TMPFS, ""},
	    {MOUNT_TMPFS, " size "},
	    {MOUNT_CGROUP, "nsdelegate"},
	    {MOUNT_SYSFS, "mode=755"},
	    {MOUNT_PROC, "rw,ro"},
	    {MOUNT_TMPFS, "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"},
	};
	struct mount_options o;
	struct err err;
	enum mount_type t;

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		ok(mount_options_parse(
		       bad[i].type, &bad[i].option, 1, &o, &err) == -1,
		    "refused, case %zu", i);
		mount_options_free(&o);
	}
	PARSE(MOUNT_TMPFS, &o, &err, "nosuch=1");
	is_str(err.msg, "option \"nosuch=1\" is unknown for type tmpfs",
	    "the error names option and type");
	mount_options_free(&o);
	ok(mount_type_parse("cgroup", &t, &err) == 0 && t == MOUNT_CGROUP,
	    "a type by name");
	ok(mount_type_parse("ext4", &t, &err) == -1 &&
		strstr(err.msg, "\"ext4\"") != NULL,
	    "an unknown type is named");
}

int
main(void)
{
	attributes();
	access_times();
	binds();
	data();
	refusals();
	return done_testing();
}
