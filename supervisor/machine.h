/* SPDX-License-Identifier: Apache-2.0
 * Machine facts: all that differs between guest architectures, as tables. */
#ifndef SUPERVISOR_MACHINE_H
#define SUPERVISOR_MACHINE_H

struct machine {
	const char *arch;    /* as in the VM spec, and in file names */
	const char *type;    /* -machine, without accelerator */
	const char *cpu_kvm; /* -cpu when none is given */
	const char *cpu_tcg;
	/* what --nestedvm adds to -cpu; "": nothing */
	const char *nested_kvm, *nested_tcg;
	const char *cmdline;	    /* of the kernel */
	const char *cmdline_tcg;    /* more of it without KVM */
	const char *const *console; /* options that put the guest's console
				     * on chardev "console" */
	/* virtio device models on this machine's bus */
	const char *dev_serial, *dev_vsock, *dev_rng, *dev_balloon, *dev_fs,
	    *dev_9p, *dev_net, *dev_blk;
	const char *dev_ap;			     /* NULL: no AP devices */
	const char *net_extra_key, *net_extra_value; /* NULL: none */
};

/* The facts of an architecture, or NULL. */
const struct machine *machine_find(const char *arch);

extern const struct machine machine_x86_64, machine_s390x;

#endif
