/* SPDX-License-Identifier: Apache-2.0
 * The supervisor: PID 1 of a VM's container.
 *
 * Its life, in the order of main():
 *	1. listen for relays, which may come from now on, and wait;
 *	2. read the VM spec that runq left on fd 3;
 *	3. decide the accelerator, reserve the carrier;
 *	4. start virtiofsd or ninepd, and QEMU, each confined; meanwhile
 *	5. move the container's network to macvtaps, read the certificates;
 *	6. give up every privilege;
 *	7. run the VM (vm.c) and end with the container's exit code.
 * When PID 1 ends the kernel kills whatever is left of the container.
 */
#include <event2/event.h>
#include <fcntl.h>
#include <json-c/json.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <unistd.h>

#include "lib/accel.h"
#include "lib/log.h"
#include "lib/paths.h"
#include "lib/vm_spec.h"
#include "supervisor/carrier.h"
#include "supervisor/confine.h"
#include "supervisor/disks.h"
#include "supervisor/dns_catch.h"
#include "supervisor/dns_name.h"
#include "supervisor/exec_door.h"
#include "supervisor/machine.h"
#include "supervisor/net.h"
#include "supervisor/qemu.h"
#include "supervisor/share.h"
#include "supervisor/signals.h"
#include "supervisor/spec.h"
#include "supervisor/stdio_fds.h"
#include "supervisor/tls.h"
#include "supervisor/vm.h"

static int
setup_accel(const struct vm_spec *spec, bool *kvm, struct err *err)
{
	const char *why;

	if (accel_probe(spec->accel, spec->arch, kvm, &why, err) == -1)
		return -1;
	if (!*kvm && spec->ap.uuid != NULL)
		return err_set(err,
		    "RUNQ_APUUID: AP devices need KVM, which does not work "
		    "here: %s",
		    why != NULL ? why : "it is switched off");
	if (why != NULL)
		log_warn("%s: running without KVM, slowly", why);
	return 0;
}

/* The share's server and QEMU each need an fd per open file and device. */
static void
raise_nofile(void)
{
	struct rlimit r;

	if (getrlimit(RLIMIT_NOFILE, &r) == 0) {
		r.rlim_cur = r.rlim_max;
		setrlimit(RLIMIT_NOFILE, &r);
	}
}

static int
setup(const struct vm_spec *spec, struct vm_parts *p, struct err *err)
{
	bool kvm;

	if ((p->machine = machine_find(spec->arch)) == NULL)
		return err_set(
		    err, "guest architecture %s is not supported", spec->arch);
	if (setup_accel(spec, &kvm, err) == -1 ||
	    (p->carrier = carrier_new(CARRIER_VSOCK, err)) == NULL ||
	    share_start(spec, p->share, err) == -1 ||
	    qemu_start(spec, p->machine, kvm, p->carrier, p->share, p->qemu,
		err) == -1 ||
	    net_setup(p->net, err) == -1 ||
	    spawn_check(&p->share->child, err) == -1 ||
	    spawn_check(&p->qemu->child, err) == -1)
		return -1;
	return 0;
}

/* runq-exec: what is wrong with certificates is not wrong with the VM. */
static void
setup_exec(struct vm_spec *spec, struct vm_parts *p)
{
	struct err err;

	if (!spec->exec)
		return;
	p->exec_fd = VM_EXEC_FD;
	if ((p->tls = tls_new(&spec->tls, spec->id, &err)) == NULL) {
		log_warn("runq-exec does not work here: %s", err.msg);
		close(VM_EXEC_FD);
	}
	vm_tls_wipe(&spec->tls);
}

/* Docker's DNS server is there before us: a hook of runc's started it. Names of
 * peers work also without what is caught. */
static int
setup_dns(struct vm_parts *p, struct err *err)
{
	static struct dns_catch caught;
	struct err why;

	p->docker_dns = dns_catch_wanted();
	if (dns_name_servers(p->spec->dns, p->docker_dns, err) == -1)
		return -1;
	if (!p->docker_dns)
		return 0;
	json_object_object_add(
	    p->net->config, "docker_dns", json_object_new_boolean(true));
	if (dns_catch_open(&caught, &why) == 0)
		p->dns_catch = &caught;
	else
		log_warn("DNS: names outside of Docker's networks are not "
			 "found: %s",
		    why.msg);
	return 0;
}

/*
 * Three priorities: what is left at the default has the middle one. Strangers'
 * handshakes have the lowest (exec_tls.c), and after each few of them we look
 * whether somebody else has something to do.
 */
static struct event_base *
new_base(void)
{
	struct event_config *config = event_config_new();
	struct event_base *base = NULL;

	if (config != NULL &&
	    event_config_set_max_dispatch_interval(config, NULL, 4, 2) == 0)
		base = event_base_new_with_config(config);
	if (config != NULL)
		event_config_free(config);
	if (base != NULL && event_base_priority_init(base, 3) == -1) {
		event_base_free(base);
		base = NULL;
	}
	return base;
}

static int
run(struct vm_spec *spec, int relay_fd)
{
	static struct qemu qemu;
	static struct share share;
	static struct net net;
	int stdio_fds[3];
	struct vm_parts parts = {.spec = spec,
	    .qemu = &qemu,
	    .share = &share,
	    .net = &net,
	    .stdio_fds = stdio_fds,
	    .relay_fd = relay_fd};
	struct event_base *base;
	struct vm *vm;
	struct err err;
	int code;

	if (setup(spec, &parts, &err) == -1)
		goto fail;
	setup_exec(spec, &parts);
	if (setup_dns(&parts, &err) == -1)
		goto fail;
	if ((base = new_base()) == NULL) {
		err_set(&err, "out of memory");
		goto fail;
	}
	if (stdio_inherit(stdio_fds, &err) == -1 ||
	    (vm = vm_new(base, &parts, &err)) == NULL ||
	    confine_self(parts.docker_dns, &err) == -1)
		goto fail;
	code = vm_run(vm);
	vm_free(vm);
	tls_free(parts.tls);
	carrier_free(parts.carrier);
	net_free(&net);
	event_base_free(base);
	return code;
fail:
	log_error("%s", err.msg);
	return VM_EXIT_FAILURE;
}

int
main(void)
{
	struct vm_spec spec;
	struct err err;
	int code, relay_fd;

	log_init("runq", STDERR_FILENO, LOG_LEVEL_WARN);
	signals_block();
	raise_nofile();
	if (getpid() != 1) {
		log_error("this program is PID 1 of a container made by "
			  "runq; see runq(8)");
		return VM_EXIT_FAILURE;
	}
	relay_fd = exec_door_listen(PATH_EXEC_SOCKET, &err);
	if (relay_fd == -1 || spec_read(VM_SPEC_FD, &spec, &err) == -1) {
		log_error("%s", err.msg);
		return VM_EXIT_FAILURE;
	}
	if (spec.exec)
		fcntl(VM_EXEC_FD, F_SETFD, FD_CLOEXEC);
	if (disks_inherit(&spec, &err) == -1) {
		log_error("%s", err.msg);
		return VM_EXIT_FAILURE;
	}
	for (char **w = spec.warnings; w != NULL && *w != NULL; w++)
		log_warn("%s", *w);
	code = run(&spec, relay_fd);
	vm_spec_free(&spec);
	return code;
}
