/* SPDX-License-Identifier: Apache-2.0
 * What derivation needs to know of the host. */
#include "runtime/hostfacts.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <sys/sysmacros.h>
#include <sys/utsname.h>
#include <sys/wait.h>

#include "lib/cleanup.h"
#include "lib/guest_image.h"
#include "lib/json.h"
#include "lib/paths.h"
#include "runtime/listener.h"
#include "runtime/mounts.h"
#include "runtime/path.h"
#include "runtime/settings.h"
#include "runtime/xalloc.h"

static void
look_at_device(const char *path, struct device_fact *d)
{
	struct stat st;

	*d = (struct device_fact){0};
	if (stat(path, &st) == -1 || !S_ISCHR(st.st_mode))
		return;
	d->present = true;
	d->major = major(st.st_rdev);
	d->minor = minor(st.st_rdev);
}

int
hostfacts_char_major(const char *driver)
{
	AUTO_FCLOSE FILE *f = fopen("/proc/devices", "re");
	char line[128], name[64];
	int n;

	while (f != NULL && fgets(line, sizeof(line), f) != NULL) {
		if (strncmp(line, "Block devices", 13) == 0)
			break;
		if (sscanf(line, "%d %63s", &n, name) == 2 &&
		    strcmp(name, driver) == 0)
			return n;
	}
	return -1;
}

/* Without a word: the supervisor says what is missing when it is needed. */
static void
modprobe(const char *module)
{
	int status, null;
	pid_t pid = fork();

	if (pid == -1)
		return;
	if (pid == 0) {
		if ((null = open("/dev/null", O_RDWR)) != -1) {
			dup2(null, 0);
			dup2(null, 1);
			dup2(null, 2);
		}
		execl("/sbin/modprobe", "modprobe", "-q", module, (char *)NULL);
		_exit(127);
	}
	while (waitpid(pid, &status, 0) == -1 && errno == EINTR)
		;
}

static enum path_kind
kind_of(mode_t mode)
{
	switch (mode & S_IFMT) {
	case S_IFDIR:
		return PATH_KIND_DIR;
	case S_IFSOCK:
		return PATH_KIND_SOCKET;
	case S_IFIFO:
		return PATH_KIND_FIFO;
	case S_IFBLK:
	case S_IFCHR:
		return PATH_KIND_DEVICE;
	default:
		return PATH_KIND_FILE;
	}
}

static void
look_at_path(struct hostfacts *f, const char *path)
{
	struct path_fact *p;
	struct stat st;
	struct statfs fs;

	if (hostfacts_path(f, path) != NULL)
		return;
	f->paths = xreallocarray(f->paths, f->n_paths + 1, sizeof(*f->paths));
	p = &f->paths[f->n_paths++];
	*p = (struct path_fact){.path = xstrdup(path)};
	if (stat(path, &st) == -1) {
		p->error = errno;
		return;
	}
	p->kind = kind_of(st.st_mode);
	if (p->kind == PATH_KIND_DIR && statfs(path, &fs) == 0 &&
	    fs.f_type == TMPFS_MAGIC) {
		p->tmpfs = true;
		p->tmpfs_size = (uint64_t)fs.f_blocks * (uint64_t)fs.f_bsize;
	}
}

static bool
same_file(const char *a, const char *b)
{
	struct stat sa, sb;

	return stat(a, &sa) == 0 && stat(b, &sb) == 0 &&
	    sa.st_dev == sb.st_dev && sa.st_ino == sb.st_ino;
}

/* config is not checked yet: anything may be of another type. */
static bool
netns_is_hosts(struct json_object *config)
{
	struct json_object *linux_o, *list, *ns;
	const char *type, *path;

	if (!json_object_object_get_ex(config, "linux", &linux_o) ||
	    !json_object_is_type(linux_o, json_type_object) ||
	    !json_object_object_get_ex(linux_o, "namespaces", &list) ||
	    !json_object_is_type(list, json_type_array))
		return false;
	for (size_t i = 0; i < json_object_array_length(list); i++) {
		ns = json_object_array_get_idx(list, i);
		type = path = NULL;
		if (json_opt_str(ns, "", "type", &type, NULL) == -1 ||
		    json_opt_str(ns, "", "path", &path, NULL) == -1 ||
		    type == NULL || path == NULL ||
		    strcmp(type, "network") != 0)
			continue;
		if (same_file(path, "/proc/self/ns/net") ||
		    same_file(path, "/proc/1/ns/net"))
			return true;
	}
	return false;
}

void
hostfacts_count_cpus(struct hostfacts *f)
{
	long n = sysconf(_SC_NPROCESSORS_ONLN);

	f->cpus = n > 0 ? (unsigned)n : 0;
}

/* docker-init, for example: a program of the host's, not of the image's. */
static void
look_at_entry(struct hostfacts *f, struct json_object *process,
    const struct mounts *mounts)
{
	AUTO_FREE const char **args = NULL;
	size_t n;

	if (json_opt_strv(process, "process", "args", &args, &n, NULL) == -1 ||
	    n == 0)
		return;
	for (size_t i = 0; i < mounts->n; i++)
		if (mounts->v[i].kind == MOUNT_BIND &&
		    strcmp(mounts->v[i].destination, args[0]) == 0)
			image_arch_of_file(mounts->v[i].source, &f->entry);
}

/* config is not checked yet. */
static void
look_at_image(struct hostfacts *f, struct json_object *config,
    const char *bundle, const struct mounts *mounts)
{
	struct json_object *root = NULL, *process = NULL;
	AUTO_FREE char *rootfs = NULL;
	const char *path = NULL;

	if (json_opt_obj(config, "config.json", "root", &root, NULL) == -1 ||
	    json_opt_obj(config, "config.json", "process", &process, NULL) ==
		-1 ||
	    root == NULL || process == NULL ||
	    json_opt_str(root, "root", "path", &path, NULL) == -1 ||
	    path == NULL)
		return;
	rootfs = path_join(bundle, path);
	image_arch_find(rootfs, process, &f->image);
	look_at_entry(f, process, mounts);
}

void
hostfacts_find_guests(struct hostfacts *f, const struct settings *s)
{
	static const char *const archs[] = {"x86_64", "s390x"};

	for (size_t i = 0; i < sizeof(archs) / sizeof(archs[0]); i++) {
		const struct guest_image *g =
		    guest_image_find(archs[i], s->rootfs);
		AUTO_FREE char *kernel =
		    xasprintf("%s%s", s->image_dir, g->kernel);
		size_t len = strlen(f->guests);

		if (access(kernel, F_OK) == 0)
			snprintf(f->guests + len, sizeof(f->guests) - len,
			    "%s%s", len > 0 ? ", " : "", archs[i]);
	}
}

void
hostfacts_collect(struct hostfacts *f, struct json_object *config,
    const char *bundle, const struct mounts *mounts, const struct settings *s)
{
	struct utsname u;

	*f = (struct hostfacts){0};
	if (uname(&u) == 0) {
		snprintf(f->arch, sizeof(f->arch), "%s", u.machine);
		snprintf(f->hostname, sizeof(f->hostname), "%s", u.nodename);
	}
	look_at_device("/dev/kvm", &f->kvm);
	look_at_device("/dev/vhost-net", &f->vhost_net);
	look_at_device("/dev/vhost-vsock", &f->vhost_vsock);
	if ((f->macvtap_major = hostfacts_char_major("macvtap")) == -1) {
		modprobe("macvtap");
		f->macvtap_major = hostfacts_char_major("macvtap");
	}
	hostfacts_count_cpus(f);
	limits_collect(&f->limits);
	f->netns_is_hosts = netns_is_hosts(config);
	vfio_ap_collect(&f->ap, config);
	look_at_image(f, config, bundle, mounts);
	hostfacts_find_guests(f, s);
	free(listener_certs(s->image_dir, &f->image_certs));
	for (size_t i = 0; i < mounts->n; i++)
		if (mounts->v[i].kind == MOUNT_BIND)
			look_at_path(f, mounts->v[i].source);
}

void
hostfacts_free(struct hostfacts *f)
{
	for (size_t i = 0; i < f->n_paths; i++)
		free(f->paths[i].path);
	free(f->paths);
	free(f->ap.error);
	*f = (struct hostfacts){0};
}

const struct path_fact *
hostfacts_path(const struct hostfacts *f, const char *path)
{
	for (size_t i = 0; i < f->n_paths; i++)
		if (strcmp(f->paths[i].path, path) == 0)
			return &f->paths[i];
	return NULL;
}

static int
need_file(const char *dir, const char *file, struct err *err)
{
	AUTO_FREE char *path = xasprintf("%s%s", dir, file);

	if (access(path, F_OK) == -1)
		return err_sys(err,
		    "%s: the VM image is not assembled (run image/setup)",
		    path);
	return 0;
}

/* Without the host's own guests there is no image at all. */
static int
check_foreign(const char *dir, const struct guest_image *g, struct err *err)
{
	AUTO_FREE char *path = xasprintf("%s%s", dir, g->kernel);
	struct utsname u;

	if (access(path, F_OK) == 0 || uname(&u) == -1 ||
	    strcmp(u.machine, g->arch) == 0)
		return 0;
	return err_set(err,
	    "%s: guests of %s are not installed here; to install them: "
	    "image/setup --guest %s",
	    path, g->arch, g->arch);
}

int
hostfacts_check_image(
    const char *dir, const char *arch, enum vm_rootfs rootfs, struct err *err)
{
	const struct guest_image *image = guest_image_find(arch, rootfs);

	if (image == NULL)
		return err_set(err, "no guests of %.32s", arch);
	if (need_file(dir, PATH_SUPERVISOR, err) == -1 ||
	    check_foreign(dir, image, err) == -1 ||
	    need_file(dir, image->qemu, err) == -1 ||
	    need_file(dir, image->kernel, err) == -1 ||
	    need_file(dir, image->initrd, err) == -1 ||
	    need_file(dir, image->modules, err) == -1)
		return -1;
	return 0;
}
