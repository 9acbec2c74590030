/* SPDX-License-Identifier: Apache-2.0
 * The command line: our options out, the delegate's untouched. */
#include "runtime/cli.h"

#include <string.h>

#include "runtime/xalloc.h"
#include "t/tap.h"

static struct cli cli;
static struct err err;

/* Splits line at blanks; '_' stands for an empty argument. */
static int
parse(const char *line)
{
	static char buf[1024], *argv[64];
	char *save = NULL;
	int argc = 1;

	memset(argv, 0, sizeof(argv));
	argv[0] = (char *)"runq";
	cli_free(&cli);
	err.msg[0] = '\0';
	snprintf(buf, sizeof(buf), "%s", line);
	for (char *w = strtok_r(buf, " ", &save); w != NULL;
	     w = strtok_r(NULL, " ", &save))
		argv[argc++] = strcmp(w, "_") == 0 ? w + 1 : w;
	return cli_parse(&cli, argc, argv, &err);
}

static void
is_list(const struct strlist *l, const char *want, const char *name)
{
	char got[1024] = "";

	for (size_t i = 0; i < l->n; i++) {
		if (i > 0)
			strcat(got, " ");
		strcat(got, l->v[i]);
	}
	is_str(got, want, name);
}

static void
test_docker(void)
{
	is_int(parse("--cpu 2 --mem=300 --root /r --log /l.json --log-format "
		     "json create --bundle /b --pid-file /p "
		     "--console-socket /s abc"),
	    0, "as the shim calls it");
	is_str(cli.command, "create", "command");
	is_str(cli.id, "abc", "id");
	is_str(cli.bundle, "/b", "bundle");
	is_str(cli.log, "/l.json", "log");
	is_str(cli.log_format, "json", "log format");
	is_int(cli.settings.cpu, 2, "--cpu 2");
	is_int(cli.settings.mem, 300, "--mem=300");
	is_list(&cli.global, "--root /r --log /l.json --log-format json",
	    "global options of the delegate");
	is_list(&cli.rest, "--bundle /b --pid-file /p --console-socket /s abc",
	    "the command's");
}

static void
test_forms(void)
{
	is_int(parse("--systemd-cgroup --cgroup-manager=systemd run -d -b /b "
		     "--noexec --cpu 3 --pid-file=/p id x"),
	    0, "after the command");
	is_int(cli.settings.cpu, 3, "--cpu after the command");
	ok(cli.settings.noexec, "--noexec after the command");
	is_str(cli.bundle, "/b", "-b");
	is_str(cli.id, "id", "id");
	is_list(&cli.rest, "-d -b /b --pid-file=/p id x", "rest");
	is_int(parse("-root /r -log=/l state id"), 0, "one dash");
	is_str(cli.log, "/l", "-log=");
	is_list(&cli.global, "-root /r -log=/l", "kept as it was");
	is_int(parse("--noexec=false --runqenv=1 list"), 0, "flag=value");
	ok(!cli.settings.noexec && cli.settings.runqenv, "their values");
	is_int(parse("--log --cpu create"), 0, "a value like our option");
	is_str(cli.log, "--cpu", "stays a value");
	is_str(cli.command, "create", "before the command");
	is_int(parse("create --bundle --mem id"), 0, "the same after it");
	is_str(cli.bundle, "--mem", "stays a value");
	is_str(cli.id, "id", "before the id");
	is_int(parse("run -- -id"), 0, "--");
	is_list(&cli.rest, "-- -id", "protects the id");
	is_int(parse("kill --all id --cpu"), 0, "our name after the id");
	is_list(&cli.rest, "--all id --cpu", "is not ours");
	is_int(parse("update --cpu-share 5 --memory 7 --mem 99 id"), 0,
	    "names that begin alike");
	is_list(&cli.rest, "--cpu-share 5 --memory 7 id", "stay");
	is_int(parse("--dns 1.1.1.1 --dns 8.8.8.8,::1 --tmpfs /a --tmpfs /b,/c "
		     "list"),
	    0, "lists");
	is_int((long long)cli.settings.dns.n, 3, "grow");
	is_int((long long)cli.settings.tmpfs.n, 3, "grow");
	is_int(parse("--arch s390x list"), 0, "--arch");
	is_str(cli.settings.arch, "s390x", "its value");
	is_int(parse("--arch s390x --arch auto list"), 0, "--arch auto");
	is_str(cli.settings.arch, NULL, "takes it back");
	is_int(parse("--dns , list"), 0, "an empty list");
	is_int((long long)cli.settings.dns.n, 0, "is empty");
}

static void
test_ours(void)
{
	is_int(parse("--version"), 0, "--version");
	ok(cli.version && cli.command == NULL, "alone");
	is_int(parse("-v"), 0, "-v");
	ok(cli.version, "short");
	is_int(parse("--help"), 0, "--help");
	ok(cli.help, "set");
	is_int(parse("create --help"), 0, "create --help");
	ok(cli.help, "set");
	is_int(parse("exec --help"), 0, "exec --help");
	ok(!cli.help, "is the command's");
	is_int(parse(""), 0, "nothing");
	ok(cli.command == NULL && cli.id == NULL, "is nothing");
	is_int(parse("create"), 0, "create alone");
	ok(cli.id == NULL, "has no id");
	is_int(parse("create --preserve-fds 0 id"), 0, "--preserve-fds 0");
	is_list(&cli.rest, "id", "is ours");
}

static void
test_exec(void)
{
	is_int(parse("--root /r --log /l --log-format json exec --process "
		     "/p.json --console-socket /s --detach --pid-file /pid "
		     "abc"),
	    0, "exec as the shim calls it");
	is_str(cli.id, "abc", "id");
	is_str(cli.exec.process, "/p.json", "--process");
	is_list(&cli.exec.pass, "--console-socket /s --detach --pid-file /pid",
	    "what the delegate gets");
	is_list(&cli.rest,
	    "--process /p.json --console-socket /s --detach --pid-file /pid "
	    "abc",
	    "all of it, for a container of another runtime");
	is_int(parse("exec -t -e A=1 --env B= -u 5:6 --cwd /d -g 7 -c CAP_KILL "
		     "--cap=CAP_CHOWN --no-new-privs --noexec id sh -c -t"),
	    0, "exec as a person calls it");
	is_str(cli.id, "id", "id");
	is_str(cli.args[0], "sh", "command");
	is_str(cli.args[2], "-t", "its options are its own");
	ok(cli.args[3] == NULL, "end of its arguments");
	ok(cli.exec.terminal && cli.exec.process == NULL, "-t");
	is_list(&cli.exec.env, "A=1 B=", "-e, --env");
	ok(cli.exec.has_user && cli.exec.uid == 5 && cli.exec.has_group &&
		cli.exec.gid == 6,
	    "-u UID:GID");
	is_str(cli.exec.cwd, "/d", "--cwd");
	ok(cli.exec.n_groups == 1 && cli.exec.groups[0] == 7, "-g");
	is_list(&cli.exec.caps, "CAP_KILL CAP_CHOWN", "-c, --cap=");
	is_int(cli.exec.no_new_privs, 1, "--no-new-privs");
	ok(cli.settings.noexec, "our option among them");
	is_int((long long)cli.exec.pass.n, 0, "nothing for the delegate");
	is_int(parse("exec --tty=false --user 4294967294 --ignore-paused "
		     "--preserve-fds 0 id x"),
	    0, "other forms");
	ok(!cli.exec.terminal && cli.exec.uid == 4294967294, "their values");
	ok(!cli.exec.has_group && cli.exec.no_new_privs == -1, "not given");
	ok(!cli.exec.has_refused, "--preserve-fds 0 is nothing");
	is_list(&cli.exec.pass, "--ignore-paused", "for the delegate");
	is_int(parse("exec --preserve-fds 2 --cgroup x id y"), 0,
	    "what only another runtime's container can have");
	ok(cli.exec.has_refused, "is for later");
	is_str(cli.exec.refused.msg,
	    "exec: --preserve-fds: \"2\", must be 0: file descriptors cannot "
	    "cross into a VM",
	    "the first of them");
	is_int(parse("--noexec-all exec id"), 0, "--noexec-all");
	ok(cli.settings.noexec_all, "set");
	is_int(parse("exec -h"), 0, "exec -h");
	ok(cli.exec.help && !cli.help, "is the delegate's");
}

static void
refused(const char *line, const char *want)
{
	if (ok(parse(line) == -1, "refused: %s", line))
		is_str(err.msg, want, "its sentence");
}

static void
test_refused(void)
{
	refused("--cpu 0 list",
	    "--cpu: \"0\", must be a whole number from 1 to 255");
	refused("--cpu=2x list",
	    "--cpu: \"2x\", must be a whole number from 1 to 255");
	refused("--cpu -1 list",
	    "--cpu: \"-1\", must be a whole number from 1 to 255");
	refused("--cpu _ list",
	    "--cpu: \"\", must be a whole number from 1 to 255");
	refused("--mem 99999999999999999999 list",
	    "--mem: \"99999999999999999999\", must be a whole number of MiB "
	    "from 96 to 1048576");
	refused(
	    "--accel xen list", "--accel: \"xen\", must be auto, kvm or tcg");
	refused(
	    "--rootfs nfs list", "--rootfs: \"nfs\", must be virtiofs or 9p");
	refused("--9pcache x list",
	    "--9pcache: \"x\", must be none, mmap, loose or "
	    "fscache");
	refused("--noexec=maybe list",
	    "--noexec: \"maybe\", must be 1, true, 0 or false");
	refused("--dns 1.2.3 list",
	    "--dns: \"1.2.3\", must be a comma-separated list of IPv4 or IPv6 "
	    "addresses, or names of containers");
	refused("--tmpfs tmp list",
	    "--tmpfs: \"tmp\", must be a comma-separated list of absolute "
	    "paths");
	refused("--image-dir x list",
	    "--image-dir: \"x\", must be an absolute path");
	refused("--boot-timeout 0 list",
	    "--boot-timeout: \"0\", must be a whole number from 1 to 3600");
	refused("list --cpu", "--cpu: needs a value");
	refused("--log", "--log: needs a value");
	refused("create --preserve-fds 2 id",
	    "--preserve-fds: \"2\", must be 0: file descriptors cannot cross "
	    "into a VM");
	refused("run -f other.json id",
	    "-f: another name for config.json is not supported");
	refused("exec --frob id x", "exec: --frob: unknown option");
	refused("exec -e A id x", "exec: --env: \"A\", must be NAME=VALUE");
	refused(
	    "exec --env==1 id x", "exec: --env: \"=1\", must be NAME=VALUE");
	refused("exec -u root id x",
	    "exec: --user: \"root\", must be UID or UID:GID, whole numbers up "
	    "to 4294967294");
	refused("exec -u 1: id x",
	    "exec: --user: \"1:\", must be UID or UID:GID, whole numbers up "
	    "to 4294967294");
	refused("exec -g -1 id x",
	    "exec: --additional-gids: \"-1\", must be a whole number from 0 to "
	    "4294967294");
	refused("exec --cwd tmp id x",
	    "exec: --cwd: \"tmp\", must be an absolute path of less than 4096 "
	    "bytes");
	refused("exec --process= id", "exec: --process: empty, must be a file");
	refused("exec --tty=x id y",
	    "exec: --tty: \"x\", must be 1, true, 0 or false");
	refused("exec --process", "--process: needs a value");
	refused("--cpu 0 --log /l --log-format json --mem 1 create id",
	    "--cpu: \"0\", must be a whole number from 1 to 255");
	is_str(cli.log, "/l", "--log is known after an error");
	is_str(cli.log_format, "json", "--log-format too");
}

int
main(void)
{
	test_docker();
	test_forms();
	test_ours();
	test_exec();
	test_refused();
	cli_free(&cli);
	return done_testing();
}
