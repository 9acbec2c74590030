/* SPDX-License-Identifier: Apache-2.0
 * OCI mount options. */
#include "guest-agent/mount_options.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>

static const char *const type_names[] = {
    [MOUNT_PROC] = "proc",
    [MOUNT_SYSFS] = "sysfs",
    [MOUNT_TMPFS] = "tmpfs",
    [MOUNT_DEVPTS] = "devpts",
    [MOUNT_MQUEUE] = "mqueue",
    [MOUNT_CGROUP] = "cgroup",
    [MOUNT_SHARE] = "share",
};
#define N_TYPES (sizeof(type_names) / sizeof(type_names[0]))

int
mount_type_parse(const char *name, enum mount_type *out, struct err *err)
{
	for (size_t i = 0; i < N_TYPES; i++)
		if (strcmp(name, type_names[i]) == 0) {
			*out = (enum mount_type)i;
			return 0;
		}
	return err_set(err,
	    "type \"%.32s\" (allowed: proc, sysfs, tmpfs, devpts, mqueue, "
	    "cgroup, share)",
	    name);
}

/*
 * Options that are attributes of a mount. With an "r" in front each of them is
 * for the whole tree (mount_setattr(2), AT_RECURSIVE). The access time mode is
 * one value in a field: whoever sets it clears the field first.
 */
static const struct attr_option {
	const char *name;
	uint64_t set, clear;
} attr_options[] = {
    {"ro", MOUNT_ATTR_RDONLY, 0},
    {"rw", 0, MOUNT_ATTR_RDONLY},
    {"nosuid", MOUNT_ATTR_NOSUID, 0},
    {"suid", 0, MOUNT_ATTR_NOSUID},
    {"nodev", MOUNT_ATTR_NODEV, 0},
    {"dev", 0, MOUNT_ATTR_NODEV},
    {"noexec", MOUNT_ATTR_NOEXEC, 0},
    {"exec", 0, MOUNT_ATTR_NOEXEC},
    {"nodiratime", MOUNT_ATTR_NODIRATIME, 0},
    {"diratime", 0, MOUNT_ATTR_NODIRATIME},
    {"noatime", MOUNT_ATTR_NOATIME, MOUNT_ATTR__ATIME},
    {"strictatime", MOUNT_ATTR_STRICTATIME, MOUNT_ATTR__ATIME},
    {"relatime", MOUNT_ATTR_RELATIME, MOUNT_ATTR__ATIME},
    /* what these take back leaves the kernel's default, relatime */
    {"atime", MOUNT_ATTR_RELATIME, MOUNT_ATTR__ATIME},
    {"norelatime", MOUNT_ATTR_RELATIME, MOUNT_ATTR__ATIME},
    {"nostrictatime", MOUNT_ATTR_RELATIME, MOUNT_ATTR__ATIME},
    {"nosymfollow", MOUNT_ATTR_NOSYMFOLLOW, 0},
    {"symfollow", 0, MOUNT_ATTR_NOSYMFOLLOW},
};

static const struct propagation_option {
	const char *name;
	uint64_t flag;
} propagation_options[] = {
    {"private", MS_PRIVATE},
    {"shared", MS_SHARED},
    {"slave", MS_SLAVE},
    {"unbindable", MS_UNBINDABLE},
};

/* Options of a superblock, which the kernel parses for every file system;
 * "" is accepted and means nothing (it is the default, or mount(8)'s own). */
static const struct super_option {
	const char *name, *data;
} super_options[] = {
    {"sync", "sync"},
    {"async", "async"},
    {"dirsync", "dirsync"},
    {"lazytime", "lazytime"},
    {"nolazytime", "nolazytime"},
    {"mand", ""}, /* mandatory locking went with Linux 5.15 */
    {"nomand", ""},
    {"remount", ""},
    {"defaults", ""},
    {"silent", ""},
    {"loud", ""},
    {"iversion", ""},
    {"noiversion", ""},
};

/* tmpfs(5), devpts in the kernel's filesystems/devpts.rst, proc(5). */
static const char *const data_keys[N_TYPES] = {
    [MOUNT_PROC] = " hidepid gid subset ",
    [MOUNT_TMPFS] = " size mode uid gid nr_inodes nr_blocks huge mpol ",
    [MOUNT_DEVPTS] = " newinstance ptmxmode mode uid gid max ",
};

static void
apply_attr(struct mount_attrs *a, const struct attr_option *o)
{
	a->set &= ~(o->clear | o->set);
	a->clear &= ~o->set;
	a->set |= o->set;
	a->clear |= o->clear;
}

static bool
take_attr(struct mount_options *out, const char *option)
{
	for (size_t i = 0; i < sizeof(attr_options) / sizeof(attr_options[0]);
	     i++) {
		const struct attr_option *o = &attr_options[i];

		if (strcmp(option, o->name) == 0)
			apply_attr(&out->top, o);
		else if (option[0] == 'r' && strcmp(option + 1, o->name) == 0)
			apply_attr(&out->tree, o);
		else
			continue;
		return true;
	}
	return false;
}

static bool
take_propagation(struct mount_options *out, const char *option)
{
	for (size_t i = 0; i < 4; i++) {
		const struct propagation_option *o = &propagation_options[i];
		bool tree =
		    option[0] == 'r' && strcmp(option + 1, o->name) == 0;

		if (!tree && strcmp(option, o->name) != 0)
			continue;
		out->propagation = o->flag;
		out->propagate_tree = tree;
		return true;
	}
	return false;
}

static bool
take_super(struct mount_options *out, const char *option, bool has_super)
{
	for (size_t i = 0; i < sizeof(super_options) / sizeof(super_options[0]);
	     i++) {
		if (strcmp(option, super_options[i].name) != 0)
			continue;
		if (super_options[i].data[0] != '\0' && has_super)
			out->data[out->n_data++] = super_options[i].data;
		return true;
	}
	return false;
}

static bool
take_word(struct mount_options *out, enum mount_type type, const char *option)
{
	if (strcmp(option, "bind") == 0 && type == MOUNT_SHARE)
		out->bind = true;
	else if (strcmp(option, "rbind") == 0 && type == MOUNT_SHARE)
		out->rbind = true;
	else if (strcmp(option, "tmpcopyup") == 0 && type == MOUNT_TMPFS)
		out->copy_up = true;
	else
		return false;
	return true;
}

static bool
is_value(const char *s)
{
	for (; *s != '\0'; s++)
		if (!isalnum((unsigned char)*s) && strchr("%._:=-", *s) == NULL)
			return false;
	return true;
}

static bool
take_data(struct mount_options *out, enum mount_type type, const char *option)
{
	char key[32];
	size_t len = strcspn(option, "=");

	if (data_keys[type] == NULL || len == 0 || len > sizeof(key) - 3 ||
	    !is_value(option + len))
		return false;
	key[0] = ' ';
	memcpy(key + 1, option, len);
	key[len + 1] = ' ';
	key[len + 2] = '\0';
	if (strstr(data_keys[type], key) == NULL)
		return false;
	if (strcmp(key, " mode ") == 0)
		out->mode = true;
	out->data[out->n_data++] = option;
	return true;
}

int
mount_options_parse(enum mount_type type, const char *const *options, size_t n,
    struct mount_options *out, struct err *err)
{
	*out = (struct mount_options){0};
	if ((out->data = calloc(n + 1, sizeof(*out->data))) == NULL)
		return err_sys(err, "mount options");
	for (size_t i = 0; i < n; i++) {
		/* a new superblock of these types is the mount's own; those of
		 * the others are shared with the rest of the guest */
		bool has_super = type == MOUNT_TMPFS;

		if (!take_attr(out, options[i]) &&
		    !take_propagation(out, options[i]) &&
		    !take_super(out, options[i], has_super) &&
		    !take_word(out, type, options[i]) &&
		    !take_data(out, type, options[i]))
			return err_set(err,
			    "option \"%.64s\" is unknown for type %s",
			    options[i], type_names[type]);
	}
	return 0;
}

void
mount_options_free(struct mount_options *o)
{
	free(o->data);
	o->data = NULL;
}
