/* SPDX-License-Identifier: Apache-2.0
 * The container in the guest: its namespaces and who starts in them.
 *
 * The entry point is forked by one clone3(2): into its control group and into
 * new pid, mount, ipc and uts namespaces, as a child of the agent and pid 1 of
 * its own. The network namespace stays the VM's. Everything else the child
 * does to itself, in this order:
 *
 *	1. forget the agent: signals, descriptors, session    process_begin()
 *	2. a cgroup namespace, now that it is in its group
 *	3. names                                              uts namespace
 *	4. root and mounts, then out of the initramfs         root_enter()
 *	5. terminal, in the container's devpts                process_terminal()
 *	6. kernel parameters
 *	7. read-only and masked paths, read-only root         root_seal()
 *	8. limits, user, capabilities, seccomp, exec          process_run()
 *
 * Other processes take a shorter way. A pid namespace is entered by children
 * only, so the agent points its own "namespace for children" there for the
 * length of one clone3; the child joins the other namespaces, and goes on with
 * steps 5 and 8.
 *
 * The child tells how it fares by report.h. Until its exec it has the agent's
 * memory: it is not dumpable, so nobody in the container can trace it.
 */
#include "guest-agent/container.h"

#include <errno.h>
#include <linux/sched.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/pidfd.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "guest-agent/cgroup.h"
#include "guest-agent/disks.h"
#include "guest-agent/dns_redirect.h"
#include "guest-agent/mnt.h"
#include "guest-agent/process.h"
#include "guest-agent/report.h"
#include "guest-agent/root.h"
#include "guest-agent/seccomp.h"
#include "guest-agent/spec.h"
#include "guest-agent/sysctl.h"
#include "lib/cleanup.h"
#include "lib/json.h"

#define JOINED (CLONE_NEWNS | CLONE_NEWIPC | CLONE_NEWUTS | CLONE_NEWCGROUP)

struct container {
	struct container_spec spec;
	bool has_filter;
	struct seccomp_filter filter;
	int cgroup; /* -1 until the start */
};

struct container *
container_new(
    struct json_object *container, struct json_object *dns, struct err *err)
{
	struct container *c = calloc(1, sizeof(*c));

	if (c == NULL) {
		err_sys(err, "container");
		return NULL;
	}
	c->cgroup = -1;
	if (container_spec_parse(container, dns, &c->spec, err) == -1)
		goto fail;
	if (c->spec.seccomp != NULL) {
		if (seccomp_compile(c->spec.seccomp, &c->filter, err) == -1)
			goto fail;
		c->has_filter = true;
	}
	return c;
fail:
	container_free(c);
	return NULL;
}

void
container_free(struct container *c)
{
	if (c == NULL)
		return;
	if (c->has_filter)
		seccomp_free(&c->filter);
	if (c->cgroup != -1)
		close(c->cgroup);
	container_spec_free(&c->spec);
	free(c);
}

int
container_attach(struct container *c, const struct copytree_progress *progress,
    struct err *err)
{
	return disks_attach(&c->spec, progress, err);
}

void
container_release(struct container *c)
{
	if (c != NULL)
		disks_release(&c->spec);
	else
		sync();
}

bool
container_terminal(const struct container *c)
{
	return c->spec.process.terminal;
}

bool
container_systemd(const struct container *c)
{
	return c->spec.systemd;
}

static int
need_cgroup(struct container *c, struct err *err)
{
	if (c->cgroup == -1)
		c->cgroup = cgroup_create(c->spec.pids, c->spec.memory, err);
	return c->cgroup == -1 ? -1 : 0;
}

int
container_set_dns(struct container *c, uint16_t port, struct err *err)
{
	if (need_cgroup(c, err) == -1)
		return -1;
	return dns_redirect(c->cgroup, port, err);
}

/* ---- forking -------------------------------------------------------- */

/* As fork(2), into the group and new namespaces of flags. */
static pid_t
fork_into(int cgroup, uint64_t flags, struct err *err)
{
	struct clone_args args = {
	    .flags = flags | CLONE_INTO_CGROUP,
	    .exit_signal = SIGCHLD,
	    .cgroup = (uint64_t)cgroup,
	};
	long pid;

	/* inherited by the child */
	if (prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) == -1)
		return err_sys(err, "not dumpable");
	pid = syscall(SYS_clone3, &args, sizeof(args));
	return pid == -1 ? err_sys(err, "fork") : (pid_t)pid;
}

static int
open_proc(struct process_setup *p, struct err *err)
{
	p->proc = mnt_create("proc", "proc", NULL, 0,
	    MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV | MOUNT_ATTR_NOEXEC, err);
	return p->proc == -1 ? -1 : 0;
}

/* ---- the entry point ------------------------------------------------ */

static int
set_names(const struct container_spec *c, struct err *err)
{
	const char *host = c->hostname, *domain = c->domainname;

	if (host[0] != '\0' && sethostname(host, strlen(host)) == -1)
		return err_sys(err, "container.hostname \"%.64s\"", host);
	if (domain[0] != '\0' && setdomainname(domain, strlen(domain)) == -1)
		return err_sys(err, "container.domainname \"%.64s\"", domain);
	return 0;
}

static int
set_sysctls(const struct container_spec *c, int proc, struct err *err)
{
	for (size_t i = 0; i < c->n_sysctls; i++)
		if (sysctl_write(proc, c->sysctls[i].name, c->sysctls[i].value,
			err) == -1)
			return -1;
	return 0;
}

static int
enter_container(
    const struct container_spec *c, struct process_setup *p, struct err *err)
{
	if (process_begin(p, err) == -1)
		return -1;
	if (unshare(CLONE_NEWCGROUP) == -1)
		return err_sys(err, "new cgroup namespace");
	if (set_names(c, err) == -1 || open_proc(p, err) == -1 ||
	    root_enter(c, p->proc, err) == -1 ||
	    process_terminal(p, true, err) == -1 ||
	    set_sysctls(c, p->proc, err) == -1 || root_seal(c, err) == -1)
		return -1;
	return 0;
}

static noreturn void
entry_point(const struct container_spec *c, struct process_setup *p)
{
	struct err err;

	if (enter_container(c, p, &err) == -1)
		report_failed(p->report, 125, &err);
	process_run(p);
}

static const struct seccomp_filter *
filter_of(const struct container *c)
{
	return c->has_filter ? &c->filter : NULL;
}

int
container_start(struct container *c, const struct process_io *io,
    struct process *out, uint32_t *code, struct err *err)
{
	AUTO_CLOSE int ours = -1, childs = -1;
	pid_t pid;

	*code = 125;
	if (need_cgroup(c, err) == -1)
		return -1;
	if (report_pair(&ours, &childs, err) == -1)
		return -1;
	pid = fork_into(c->cgroup,
	    CLONE_NEWPID | CLONE_NEWNS | CLONE_NEWIPC | CLONE_NEWUTS, err);
	if (pid == -1)
		return -1;
	if (pid == 0) {
		struct process_setup p = {&c->spec.process,
		    &c->spec.process.caps, filter_of(c), io, childs, -1};

		entry_point(&c->spec, &p);
	}
	*out = (struct process){.pid = pid, .report_fd = take_fd(&ours)};
	return 0;
}

/* ---- one more process ----------------------------------------------- */

static noreturn void
joined_process(int entry_point_fd, struct process_setup *p)
{
	struct err err;

	if (setns(entry_point_fd, JOINED) == -1)
		err_sys(&err, "join the container's namespaces");
	else if (process_begin(p, &err) == 0 && open_proc(p, &err) == 0 &&
	    process_terminal(p, false, &err) == 0)
		process_run(p);
	report_failed(p->report, 125, &err);
}

/* clone3 with children for the pid namespace of the entry point. */
static pid_t
fork_beside(int entry_point_fd, int cgroup, struct err *err)
{
	AUTO_CLOSE int self = pidfd_open(getpid(), 0);
	AUTO_CLOSE int leaf = -1;
	pid_t pid;

	if (self == -1)
		return err_sys(err, "pidfd_open");
	if (setns(entry_point_fd, CLONE_NEWPID) == -1) {
		if (errno == ESRCH)
			return err_set(err, "the container is not running");
		return err_sys(err, "pid namespace of the container");
	}
	pid = fork_into(cgroup, 0, err);
	/* the container has divided its group: systemd does */
	if (pid == -1 && errno == EBUSY &&
	    (leaf = cgroup_leaf(cgroup, err)) != -1)
		pid = fork_into(leaf, 0, err);
	if (pid == 0)
		return 0;
	/* back again, or the next child would be there, too */
	if (setns(self, CLONE_NEWPID) == -1)
		abort();
	return pid;
}

static int
parse_exec(const struct container *c, struct json_object *exec,
    struct process_spec *spec, struct seccomp_filter *filter, bool *has_filter,
    struct err *err)
{
	struct json_object *process, *seccomp = NULL;

	if (json_need_obj(exec, "exec", "process", &process, err) == -1 ||
	    process_spec_parse(process, spec, err) == -1 ||
	    json_opt_obj(exec, "exec", "seccomp", &seccomp, err) == -1)
		return -1;
	/* what EXEC does not say is as for the entry point */
	if (!spec->has_caps)
		spec->caps = c->spec.process.caps;
	if (!spec->has_oom_score_adj) {
		spec->has_oom_score_adj = c->spec.process.has_oom_score_adj;
		spec->oom_score_adj = c->spec.process.oom_score_adj;
	}
	if (seccomp == NULL)
		return 0;
	if (seccomp_compile(seccomp, filter, err) == -1)
		return -1;
	*has_filter = true;
	return 0;
}

static int
start_exec(struct container *c, pid_t entry_point, struct process_setup *p,
    struct process *out, struct err *err)
{
	AUTO_CLOSE int target = pidfd_open(entry_point, 0);
	AUTO_CLOSE int ours = -1, childs = -1;
	pid_t pid;

	if (target == -1 || c->cgroup == -1)
		return err_set(err, "the container is not running");
	if (report_pair(&ours, &childs, err) == -1)
		return -1;
	if ((pid = fork_beside(target, c->cgroup, err)) == -1)
		return -1;
	if (pid == 0) {
		p->report = childs;
		joined_process(target, p);
	}
	*out = (struct process){.pid = pid, .report_fd = take_fd(&ours)};
	return 0;
}

int
container_exec(struct container *c, pid_t entry_point, struct json_object *exec,
    const struct process_io *io, struct process *out, uint32_t *code,
    struct err *err)
{
	struct process_spec spec = {0};
	struct seccomp_filter filter;
	bool has_filter = false;
	int r;

	*code = 125;
	r = parse_exec(c, exec, &spec, &filter, &has_filter, err);
	if (r == 0) {
		struct process_setup p = {&spec, &spec.caps,
		    has_filter ? &filter : filter_of(c), io, -1, -1};

		r = start_exec(c, entry_point, &p, out, err);
	}
	if (has_filter)
		seccomp_free(&filter);
	process_spec_free(&spec);
	return r;
}
