/* SPDX-License-Identifier: Apache-2.0
 * runq, an OCI runtime that runs each container in a VM of its own. */
#include <stdio.h>
#include <string.h>

#include "config.h"
#include "lib/cleanup.h"
#include "lib/err.h"
#include "runtime/check.h"
#include "runtime/cli.h"
#include "runtime/create.h"
#include "runtime/delegate.h"
#include "runtime/errlog.h"
#include "runtime/exec.h"
#include "runtime/features.h"
#include "runtime/pause.h"
#include "runtime/update.h"

#ifndef RUNQ_COMMIT
#define RUNQ_COMMIT PACKAGE_VERSION
#endif

static const char usage[] =
    "usage: runq [options] command [command options] [container id]\n"
    "\n"
    "An OCI runtime that runs each container in a VM of its own. The commands\n"
    "create and run derive the VM from the bundle's config.json, exec starts "
    "a\n"
    "process in the VM; the others are those of runc(8) or crun(1), which is\n"
    "run with all options that are not listed here. check says what of this\n"
    "host a VM will use, and what is missing.\n"
    "\n"
    "  --cpu N                  CPUs of the VM (1)\n"
    "  --mem MIB                its memory (256)\n"
    "  --cpuargs STRING         CPU model and features for QEMU\n"
    "  --accel auto|kvm|tcg     accelerator (auto)\n"
    "  --arch auto|x86_64|s390x architecture of the VM (auto: the image's)\n"
    "  --nestedvm               VMs inside the VM\n"
    "  --rootfs virtiofs|9p     how the image reaches the VM (virtiofs)\n"
    "  --9pcache MODE           none, mmap, loose or fscache (mmap)\n"
    "  --tmpfs PATH[,PATH]      tmpfs where the bundle mounts nothing\n"
    "  --dns ADDR[,ADDR]        name servers\n"
    "  --dns-opts OPT[,OPT]     options of resolv.conf(5)\n"
    "  --dns-search DOM[,DOM]   search domains\n"
    "  --dns-preserve           keep the container's resolv.conf\n"
    "  --runqenv                write the environment to /.runqenv\n"
    "  --noexec                 no runq-exec\n"
    "  --noexec-all             no runq-exec, and no exec by the engine\n"
    "  --boot-timeout SECONDS   for the VM's boot (120)\n"
    "  --image-dir DIR          the assembled VM image (" PATH_IMAGE_DIR ")\n"
    "  --runc PATH              the OCI runtime to run (runc)\n"
    "  --help, --version\n";

/* What is missing was said: no error to report. */
static int
cmd_check(struct cli *cli, struct err *err)
{
	struct check_facts facts;

	err->msg[0] = '\0';
	check_collect(&facts, &cli->settings);
	return check_report(&facts, stdout) == 0 ? 0 : -1;
}

static int
cmd_create(struct cli *cli, struct err *err)
{
	return create_exec(cli, err);
}

static int
cmd_features(struct cli *cli, struct err *err)
{
	(void)cli;
	(void)err;
	features_print();
	return 0;
}

static int
cmd_help(struct cli *cli, struct err *err)
{
	(void)cli;
	(void)err;
	fputs(usage, stdout);
	return 0;
}

static int
cmd_exec(struct cli *cli, struct err *err)
{
	return exec_exec(cli, err);
}

static int
cmd_pause(struct cli *cli, struct err *err)
{
	return pause_exec(cli, err);
}

static int
cmd_resume(struct cli *cli, struct err *err)
{
	return resume_exec(cli, err);
}

static int
cmd_state(struct cli *cli, struct err *err)
{
	return state_exec(cli, err);
}

static int
cmd_update(struct cli *cli, struct err *err)
{
	return update_exec(cli, err);
}

static int
cmd_checkpoint(struct cli *cli, struct err *err)
{
	return err_set(err,
	    "%s is not supported: the state of a VM is not a container's",
	    cli->command);
}

static int
cmd_delegate(struct cli *cli, struct err *err)
{
	AUTO_FREE char *path = delegate_find(cli->settings.runc, err);

	if (path == NULL)
		return -1;
	return delegate_exec(path, cli, STDERR_FILENO, err);
}

/* All others are the delegate's. */
static const struct command {
	const char *name;
	int (*run)(struct cli *cli, struct err *err);
} commands[] = {
    {"check", cmd_check},
    {"checkpoint", cmd_checkpoint},
    {"create", cmd_create},
    {"exec", cmd_exec},
    {"features", cmd_features},
    {"h", cmd_help},
    {"help", cmd_help},
    {"pause", cmd_pause},
    {"restore", cmd_checkpoint},
    {"resume", cmd_resume},
    {"run", cmd_create},
    {"state", cmd_state},
    {"update", cmd_update},
};

/* dockerd reads the three lines that runc prints. */
static void
print_version(void)
{
	printf("runq version %s\ncommit: %s\nspec: 1.0.2\n", PACKAGE_VERSION,
	    RUNQ_COMMIT);
}

static int
dispatch(struct cli *cli, struct err *err)
{
	if (cli->version) {
		print_version();
		return 0;
	}
	if (cli->help || cli->command == NULL)
		return cmd_help(cli, err);
	for (size_t i = 0; i < sizeof(commands) / sizeof(commands[0]); i++)
		if (strcmp(commands[i].name, cli->command) == 0)
			return commands[i].run(cli, err);
	return cmd_delegate(cli, err);
}

int
main(int argc, char **argv)
{
	struct cli cli;
	struct err err = {""};
	int r = cli_parse(&cli, argc, argv, &err);

	if (r == 0)
		r = dispatch(&cli, &err);
	/* empty: the delegate has reported it */
	if (r == -1 && err.msg[0] != '\0')
		errlog_report(cli.log, cli.log_format, err.msg);
	cli_free(&cli);
	return r == -1 || fflush(stdout) != 0 ? 1 : 0;
}
