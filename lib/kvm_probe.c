/* SPDX-License-Identifier: Apache-2.0
 * Does /dev/kvm run a guest? */
#include "lib/kvm_probe.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/kvm.h>
#include <poll.h>
#include <signal.h>
#include <stdint.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "lib/cleanup.h"

#define API_VERSION 12 /* the only one: kernel's virt/kvm/api.rst, 4.1 */

/* An x86 CPU starts 16 bytes below 4 GiB; the last page holds the program. */
#define PAGE 4096u
#define PAGE_ADDR (0x100000000u - PAGE)
#define RESET_OFFSET (PAGE - 16)
/* Three pages that Intel CPUs of before 2010 need for real mode (api.rst,
 * KVM_SET_TSS_ADDR), in a place where there is nothing. */
#define TSS_ADDR 0xfffbd000u

#define PORT 0x80
#define ANSWER 42

static const uint8_t program[] = {
    0xb0, ANSWER / 2, /* mov $21, %al */
    0x00, 0xc0,	      /* add %al, %al */
    0xe6, PORT,	      /* out %al, $0x80 */
    0xf4,	      /* hlt */
};

static int
load_program(int vm, struct err *err)
{
	struct kvm_userspace_memory_region region = {
	    .guest_phys_addr = PAGE_ADDR,
	    .memory_size = PAGE,
	};
	uint8_t *page = mmap(NULL, PAGE, PROT_READ | PROT_WRITE,
	    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (page == MAP_FAILED)
		return err_sys(err, "mmap");
	memcpy(page + RESET_OFFSET, program, sizeof program);
	region.userspace_addr = (uintptr_t)page;
	if (ioctl(vm, KVM_SET_TSS_ADDR, TSS_ADDR) == -1)
		return err_sys(err, "KVM_SET_TSS_ADDR");
	if (ioctl(vm, KVM_SET_USER_MEMORY_REGION, &region) == -1)
		return err_sys(err, "KVM_SET_USER_MEMORY_REGION");
	return 0;
}

/* The program writes its answer to a port, then halts. */
static int
run_program(int vcpu, const struct kvm_run *run, struct err *err)
{
	const uint8_t *answer;

	if (ioctl(vcpu, KVM_RUN, 0) == -1)
		return err_sys(err, "KVM_RUN");
	answer = (const uint8_t *)run + run->io.data_offset;
	if (run->exit_reason != KVM_EXIT_IO || run->io.port != PORT ||
	    run->io.direction != KVM_EXIT_IO_OUT || *answer != ANSWER)
		return err_set(err,
		    "a guest of four instructions fails (exit reason %u)",
		    run->exit_reason);
	if (ioctl(vcpu, KVM_RUN, 0) == -1)
		return err_sys(err, "KVM_RUN");
	if (run->exit_reason != KVM_EXIT_HLT)
		return err_set(err, "a guest does not halt (exit reason %u)",
		    run->exit_reason);
	return 0;
}

static int
try_vcpu(int kvm, int vm, bool x86, struct err *err)
{
	struct kvm_run *run;
	int vcpu, size;

	if (x86 && load_program(vm, err) == -1)
		return -1;
	if ((vcpu = ioctl(vm, KVM_CREATE_VCPU, 0)) == -1)
		return err_sys(err, "KVM_CREATE_VCPU");
	if (!x86)
		return 0;
	if ((size = ioctl(kvm, KVM_GET_VCPU_MMAP_SIZE, 0)) == -1)
		return err_sys(err, "KVM_GET_VCPU_MMAP_SIZE");
	run = mmap(
	    NULL, (size_t)size, PROT_READ | PROT_WRITE, MAP_SHARED, vcpu, 0);
	if (run == MAP_FAILED)
		return err_sys(err, "mmap of the virtual CPU");
	return run_program(vcpu, run, err);
}

/* In the child: what it opens and maps goes when it exits. */
static int
try_kvm(const char *device, bool x86, struct err *err)
{
	int kvm = open(device, O_RDWR | O_CLOEXEC), vm, version;

	if (kvm == -1)
		return err_sys(err, "open");
	if ((version = ioctl(kvm, KVM_GET_API_VERSION, 0)) == -1)
		return err_sys(err, "KVM_GET_API_VERSION");
	if (version != API_VERSION)
		return err_set(err, "KVM API version %d (needed: %d)", version,
		    API_VERSION);
	if ((vm = ioctl(kvm, KVM_CREATE_VM, 0)) == -1)
		return err_sys(err, "KVM_CREATE_VM");
	return try_vcpu(kvm, vm, x86, err);
}

/* Waits for the child's word: "" is success. */
static int
hear(int fd, int deadline_ms, struct err *err)
{
	struct pollfd pfd = {.fd = fd, .events = POLLIN};
	char msg[ERR_MSG_MAX];
	ssize_t n;
	int r;

	do
		r = poll(&pfd, 1, deadline_ms);
	while (r == -1 && errno == EINTR);
	if (r == -1)
		return err_sys(err, "poll");
	if (r == 0)
		return err_set(err, "no answer within %d ms", deadline_ms);
	if ((n = read(fd, msg, sizeof msg)) == -1)
		return err_sys(err, "read");
	if (n == 0)
		return err_set(err, "the probe died");
	msg[n - 1] = '\0';
	return msg[0] == '\0' ? 0 : err_set(err, "%s", msg);
}

static int
probe_in_child(const char *device, bool x86, int deadline_ms, struct err *err)
{
	AUTO_CLOSE int ours = -1;
	AUTO_CLOSE int theirs = -1;
	int fds[2], ret;
	pid_t pid;

	if (pipe2(fds, O_CLOEXEC) == -1)
		return err_sys(err, "pipe");
	ours = fds[0];
	theirs = fds[1];
	if ((pid = fork()) == -1)
		return err_sys(err, "fork");
	if (pid == 0) {
		struct err child = {""};

		if (try_kvm(device, x86, &child) == 0)
			child.msg[0] = '\0';
		_exit(write(theirs, child.msg, strlen(child.msg) + 1) == -1);
	}
	close(take_fd(&theirs));
	ret = hear(ours, deadline_ms, err);
	kill(pid, SIGKILL);
	while (waitpid(pid, NULL, 0) == -1 && errno == EINTR)
		;
	return ret;
}

int
kvm_probe(const char *device, bool x86, int deadline_ms, struct err *err)
{
	if (probe_in_child(device, x86, deadline_ms, err) == -1)
		return err_prefix(err, "%s", device);
	return 0;
}
