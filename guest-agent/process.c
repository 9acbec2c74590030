/* SPDX-License-Identifier: Apache-2.0
 * From a child that is in its namespaces to the program that was asked for.
 *
 * The order of process_run() is the point:
 *
 *	1. limits, while there is the right to raise them
 *	2. no_new_privs
 *	3. "ready": from here on a seccomp filter may forbid to say anything
 *	4. the filter, without no_new_privs: only CAP_SYS_ADMIN may install it
 *	5. working directory, bounding set, user and groups, other capability
 *	   sets: each step takes away what the one before it needed
 *	6. the program is looked up as its user
 *	7. the filter, with no_new_privs: as late as can be
 *	8. exec
 */
#include "guest-agent/process.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "guest-agent/container.h"
#include "guest-agent/lookpath.h"
#include "guest-agent/report.h"
#include "guest-agent/terminal.h"
#include "guest-agent/user.h"
#include "lib/cleanup.h"

#define REPORT_FD 3

/* ---- beginning ------------------------------------------------------ */

static int
reset_signals(struct err *err)
{
	sigset_t none;

	/* Those that have no disposition (SIGKILL, the C library's own) refuse.
	 */
	for (int s = 1; s < NSIG; s++)
		(void)signal(s, SIG_DFL);
	sigemptyset(&none);
	if (sigprocmask(SIG_SETMASK, &none, NULL) == -1)
		return err_sys(err, "signal mask");
	return 0;
}

/* What moves to 0-3 may itself be in the way there: copy it up first. */
static int
place_fds(struct process_setup *p, struct err *err)
{
	int high[4] = {-1, -1, -1, -1}, n = p->io->terminal ? 0 : 3;

	for (int i = p->io->fds[0] == -1; i < n; i++)
		high[i] = fcntl(p->io->fds[i], F_DUPFD_CLOEXEC, REPORT_FD + 1);
	high[REPORT_FD] = fcntl(p->report, F_DUPFD_CLOEXEC, REPORT_FD + 1);
	for (int i = 0; i < 4; i++) {
		if (i < REPORT_FD && (i >= n || p->io->fds[i] == -1))
			continue;
		if (high[i] == -1 ||
		    dup3(high[i], i, i == REPORT_FD ? O_CLOEXEC : 0) == -1)
			return err_sys(err, "descriptors");
	}
	p->report = REPORT_FD;
	if (close_range(REPORT_FD + 1, ~0U, 0) == -1)
		return err_sys(err, "close descriptors");
	return 0;
}

int
process_begin(struct process_setup *p, struct err *err)
{
	if (reset_signals(err) == -1 || place_fds(p, err) == -1)
		return -1;
	if (setsid() == -1)
		return err_sys(err, "new session");
	/* the modes of what is made for the container are meant as they are */
	umask(022);
	return 0;
}

int
process_terminal(const struct process_setup *p, bool console, struct err *err)
{
	AUTO_CLOSE int master = -1, slave = -1;

	if (!p->io->terminal)
		return 0;
	if (terminal_open(p->spec->uid, p->io->rows, p->io->columns, &master,
		&slave, err) == -1 ||
	    (console && terminal_console(slave, err) == -1) ||
	    terminal_take(slave, err) == -1 ||
	    report_terminal(p->report, master, err) == -1)
		return -1;
	return 0;
}

/* ---- limits --------------------------------------------------------- */

/* Always: the agent's own, which its children inherit, is the lowest. */
static int
set_oom_score(const struct process_setup *p, struct err *err)
{
	int score = p->spec->has_oom_score_adj ? p->spec->oom_score_adj : 0;
	AUTO_CLOSE int fd = -1;

	fd = openat(p->proc, "self/oom_score_adj", O_WRONLY | O_CLOEXEC);
	if (fd == -1 || dprintf(fd, "%d", score) < 0)
		return err_sys(err, "process.oomScoreAdj: set %d", score);
	return 0;
}

/*
 * A kernel starts its first process with small limits, from which engines free
 * their containers (LimitNOFILE= and so on in docker.service): the same here,
 * for what the spec leaves open. Best effort.
 */
static void
set_default_limits(void)
{
	static const struct {
		int resource;
		rlim_t limit;
	} defaults[] = {
	    {RLIMIT_NOFILE, 1048576},
	    {RLIMIT_NPROC, RLIM_INFINITY},
	    {RLIMIT_CORE, RLIM_INFINITY},
	};

	for (size_t i = 0; i < sizeof(defaults) / sizeof(defaults[0]); i++) {
		struct rlimit l = {defaults[i].limit, defaults[i].limit};

		(void)setrlimit((__rlimit_resource_t)defaults[i].resource, &l);
	}
}

static int
set_limits(const struct process_setup *p, struct err *err)
{
	if (set_oom_score(p, err) == -1)
		return -1;
	set_default_limits();
	return rlimits_apply(&p->spec->rlimits, err);
}

/* ---- user ----------------------------------------------------------- */

static int
change_directory(const char *cwd, uint32_t *code, struct err *err)
{
	char why[128];
	int e;

	if (chdir(cwd) == 0)
		return 0;
	e = errno;
	*code = code_of(e);
	err_set(err, "chdir to cwd (\"%.512s\") failed: %s", cwd,
	    reason(e, why, sizeof(why)));
	errno = e;
	return -1;
}

/* stdin of a process that nobody talks to, as engines give it. */
static int
open_null_stdin(const struct process_setup *p, struct err *err)
{
	AUTO_CLOSE int fd = -1;

	if (p->io->terminal || p->io->fds[0] != -1)
		return 0;
	fd = open("/dev/null", O_RDONLY | O_CLOEXEC);
	if (fd == -1 || dup2(fd, STDIN_FILENO) == -1)
		return err_sys(err, "stdin: /dev/null");
	return 0;
}

/* Pipes are reopened by name (/dev/stdout): let the user own them. */
static void
give_stdio(uid_t uid)
{
	struct stat st;

	for (int fd = 0; fd < 3; fd++)
		if (fstat(fd, &st) == 0 && S_ISFIFO(st.st_mode))
			(void)!fchown(fd, uid, (gid_t)-1);
}

/* Root may enter where the user may not; and on some file systems the user
 * where root may not. */
static int
drop_privileges(const struct process_setup *p, uint32_t *code, struct err *err)
{
	bool inside = change_directory(p->spec->cwd, code, err) == 0;

	if (!inside && errno != EACCES && errno != EPERM)
		return -1;
	*code = 125;
	give_stdio(p->spec->uid);
	umask(p->spec->umask);
	if (caps_before_user(p->caps, err) == -1 ||
	    user_become(p->spec, err) == -1)
		return -1;
	if (!inside && change_directory(p->spec->cwd, code, err) == -1)
		return -1;
	*code = 125;
	return caps_after_user(p->caps, err);
}

/* ---- exec ----------------------------------------------------------- */

/* Executable by its mode, but also here and by this user? */
static int
check_access(const char *path, uint32_t *code, struct err *err)
{
	char why[128];

	if (faccessat(AT_FDCWD, path, X_OK, AT_EACCESS) == 0 ||
	    errno == ENOSYS || errno == EPERM)
		return 0;
	*code = code_of(errno);
	return err_set(
	    err, "exec %s: %s", path, reason(errno, why, sizeof(why)));
}

/*
 * The program was found, may be executed, and is nothing that the kernel can
 * execute. As under runc this is no failed start: the container runs, says why
 * on its stderr, and exits with 1.
 */
static noreturn void
exec_program(
    const char *path, const struct process_spec *spec, const char *const *env)
{
	char why[128];

	execve(path, (char *const *)(uintptr_t)spec->args,
	    (char *const *)(uintptr_t)env);
	dprintf(STDERR_FILENO, "exec %s: %s\n", path,
	    reason(errno, why, sizeof(why)));
	_exit(1);
}

static int
run(const struct process_setup *p, uint32_t *code, struct err *err)
{
	const struct process_spec *spec = p->spec;
	char path[PATH_MAX], home[USER_HOME_MAX];
	const char **env = user_environment(spec, "/etc/passwd", home);

	if (env == NULL)
		return err_sys(err, "environment");
	if (set_limits(p, err) == -1 || open_null_stdin(p, err) == -1)
		return -1;
	if (spec->no_new_privs && prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == -1)
		return err_sys(err, "no_new_privs");
	if (report_ready(p->report, err) == -1)
		return -1;
	if (p->filter != NULL && !spec->no_new_privs &&
	    seccomp_install(p->filter, err) == -1)
		return -1;
	if (drop_privileges(p, code, err) == -1 ||
	    lookpath(spec->args[0], env, path, sizeof(path), code, err) == -1 ||
	    check_access(path, code, err) == -1)
		return -1;
	if (p->filter != NULL && spec->no_new_privs &&
	    seccomp_install(p->filter, err) == -1)
		return -1;
	exec_program(path, spec, env);
}

noreturn void
process_run(const struct process_setup *p)
{
	uint32_t code = 125;
	struct err err;

	run(p, &code, &err);
	report_failed(p->report, code, &err);
}
