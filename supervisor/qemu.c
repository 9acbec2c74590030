/* SPDX-License-Identifier: Apache-2.0
 * QEMU: its command line and its start. */
#include "supervisor/qemu.h"

#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "lib/cleanup.h"
#include "lib/guest_image.h"
#include "lib/paths.h"
#include "supervisor/confine.h"
#include "supervisor/machine.h"
#include "supervisor/share.h"

#define ARGV_MAX 96

/* The command line under construction: NULL-terminated, owned strings. */
struct args {
	char *v[ARGV_MAX];
	size_t n;
	bool failed;
};

static void __attribute__((format(printf, 2, 3)))
arg(struct args *a, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	if (a->n + 1 >= ARGV_MAX || vasprintf(&a->v[a->n], fmt, ap) == -1)
		a->failed = true;
	else
		a->v[++a->n] = NULL;
	va_end(ap);
}

static void
args_free(struct args *a)
{
	for (size_t i = 0; i < a->n; i++)
		free(a->v[i]);
}

/* Files of QEMU's own that must be there; the guest's part of them first, so
 * that the sentence names what is missing and not what QEMU made of it. */
static int
need_file(const char *path, const char *what, struct err *err)
{
	if (access(path, R_OK) == -1)
		return err_sys(err, "%s %s", what, path);
	return 0;
}

/* ---- the command line ---------------------------------------------------- */

static void
add_machine(
    struct args *a, const struct vm_spec *s, const struct machine *m, bool kvm)
{
	const char *cpu = s->cpuargs, *nested = "";

	if (cpu == NULL)
		cpu = kvm ? m->cpu_kvm : m->cpu_tcg;
	if (s->nestedvm)
		nested = kvm ? m->nested_kvm : m->nested_tcg;
	arg(a, "-name");
	arg(a, "runq");
	arg(a, "-machine");
	arg(a, "%s,accel=%s,memory-backend=ram", m->type, kvm ? "kvm" : "tcg");
	arg(a, "-cpu");
	arg(a, "%s%s", cpu, nested);
	/* sockets: what every guest sees, also one without ACPI */
	arg(a, "-smp");
	arg(a, "%u,sockets=%u,cores=1,threads=1", s->cpus, s->cpus);
	arg(a, "-m");
	arg(a, "%uM", s->mem_mib);
	/* vhost-user devices need memory that can be shared */
	arg(a, "-object");
	arg(a, "memory-backend-memfd,id=ram,size=%uM,share=on", s->mem_mib);
}

static void
add_confinement(struct args *a)
{
	arg(a, "-nodefaults");
	arg(a, "-no-user-config");
	arg(a, "-display");
	arg(a, "none");
	arg(a, "-no-reboot");
	arg(a, "-S");
	arg(a, "-sandbox");
	arg(a,
	    "on,obsolete=deny,elevateprivileges=deny,spawn=deny,"
	    "resourcecontrol=deny");
}

static void
add_kernel(struct args *a, const struct guest_image *g, const struct machine *m,
    bool kvm)
{
	arg(a, "-kernel");
	arg(a, "%s", g->kernel);
	arg(a, "-initrd");
	arg(a, "%s", g->initrd);
	arg(a, "-append");
	arg(a, "%s%s%s", m->cmdline, kvm ? "" : " ", kvm ? "" : m->cmdline_tcg);
}

/* The one device that has a part which QMP cannot add, fsdev. ninepd is at the
 * other end of the socket. */
static void
add_fsdev(struct args *a, const struct vm_spec *s, const struct share *share)
{
	if (s->rootfs != VM_ROOTFS_9P)
		return;
	arg(a, "-fsdev");
	arg(a, "proxy,id=" SHARE_TAG ",sock_fd=%d", share->socket_fd);
}

static void
add_devices(struct args *a, const struct machine *m,
    const struct carrier *carrier, const int *fds)
{
	arg(a, "-chardev");
	arg(a, "socket,id=qmp,fd=%d", fds[0]);
	arg(a, "-mon");
	arg(a, "chardev=qmp,mode=control");
	arg(a, "-chardev");
	arg(a, "socket,id=people,fd=%d,server=on,wait=off", fds[1]);
	arg(a, "-mon");
	arg(a, "chardev=people,mode=control");
	arg(a, "-chardev");
	arg(a, "socket,id=console,fd=%d", fds[2]);
	for (size_t i = 0; m->console[i] != NULL; i++)
		arg(a, "%s", m->console[i]);
	arg(a, "-object");
	arg(a, "rng-builtin,id=rng");
	arg(a, "-device");
	arg(a, "%s,rng=rng", m->dev_rng);
	arg(a, "-device");
	arg(a, "%s,free-page-reporting=on", m->dev_balloon);
	if (carrier_kind(carrier) == CARRIER_VSOCK) {
		arg(a, "-device");
		arg(a, "%s,guest-cid=%u,vhostfd=%d", m->dev_vsock,
		    carrier_cid(carrier), carrier_device_fd(carrier));
		return;
	}
	arg(a, "-device");
	arg(a, "%s,max_ports=2", m->dev_serial);
	arg(a, "-chardev");
	arg(a, "socket,id=channel,fd=%d", carrier_device_fd(carrier));
	arg(a, "-device");
	arg(a, "virtserialport,chardev=channel,name=" CHANNEL_PORT_NAME);
}

/* ---- its sockets --------------------------------------------------------- */

static int
listen_at(const char *path, struct err *err)
{
	struct sockaddr_un sa = {.sun_family = AF_UNIX};
	AUTO_CLOSE int fd = -1;

	if (strlen(path) >= sizeof sa.sun_path)
		return err_set(err, "%s: too long", path);
	strcpy(sa.sun_path, path);
	if ((fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0)) == -1 ||
	    bind(fd, (struct sockaddr *)&sa, sizeof sa) == -1 ||
	    chmod(path, 0600) == -1 || listen(fd, 1) == -1)
		return err_sys(err, "listen at %s", path);
	return take_fd(&fd);
}

static int
pair(int *ours, int *theirs, struct err *err)
{
	int sv[2];

	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, sv) == -1)
		return err_sys(err, "socketpair");
	*ours = sv[0];
	*theirs = sv[1];
	return 0;
}

static int
check_files(const struct guest_image *g, struct err *err)
{
	if (need_file(g->qemu, "QEMU", err) == -1 ||
	    need_file(g->kernel, "guest kernel", err) == -1)
		return -1;
	return need_file(g->initrd, "initrd", err);
}

static int
exec_qemu(struct args *a, const int *fds, size_t nfds,
    const struct confine_qemu *jail, struct qemu *out, struct err *err)
{
	AUTO_CLOSE int log = -1;
	int p[2];
	struct spawn s = {.name = "QEMU",
	    .argv = a->v,
	    .fds = fds,
	    .nfds = nfds,
	    .confine = confine_qemu,
	    .arg = jail};

	if (a->failed)
		return err_set(err, "QEMU: command line too long");
	if (pipe2(p, O_CLOEXEC) == -1)
		return err_sys(err, "pipe");
	out->stderr_fd = p[0];
	s.stderr_fd = log = p[1];
	return spawn_start(&s, &out->child, err);
}

int
qemu_start(const struct vm_spec *spec, const struct machine *m, bool kvm,
    const struct carrier *carrier, struct share *share, struct qemu *out,
    struct err *err)
{
	AUTO_CLOSE int qmp = -1, people = -1, console = -1;
	struct args a = {.n = 0};
	const struct guest_image *image =
	    guest_image_find(spec->arch, spec->rootfs);
	const struct confine_qemu jail = {.kvm = kvm, .ap = &spec->ap};
	int fds[5], r;

	*out = (struct qemu){.qmp_fd = -1, .console_fd = -1, .stderr_fd = -1};
	if (check_files(image, err) == -1 ||
	    pair(&out->qmp_fd, &qmp, err) == -1 ||
	    pair(&out->console_fd, &console, err) == -1 ||
	    (people = listen_at(PATH_QMP_SOCKET, err)) == -1)
		goto fail;
	fds[0] = qmp;
	fds[1] = people;
	fds[2] = console;
	fds[3] = carrier_device_fd(carrier);
	fds[4] = share->socket_fd;
	arg(&a, "%s", image->qemu);
	add_machine(&a, spec, m, kvm);
	add_confinement(&a);
	add_kernel(&a, image, m, kvm);
	add_fsdev(&a, spec, share);
	add_devices(&a, m, carrier, fds);
	r = exec_qemu(
	    &a, fds, spec->rootfs == VM_ROOTFS_9P ? 5 : 4, &jail, out, err);
	if (spec->rootfs == VM_ROOTFS_9P)
		cleanup_closep(&share->socket_fd);
	args_free(&a);
	if (r == 0)
		return 0;
fail:
	cleanup_closep(&out->qmp_fd);
	cleanup_closep(&out->console_fd);
	cleanup_closep(&out->stderr_fd);
	return -1;
}
