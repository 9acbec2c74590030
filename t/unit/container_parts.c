/* SPDX-License-Identifier: Apache-2.0
 * Small parts of the agent's container side: the program search, paths in a
 * root, sysctl names, HOME, resolv.conf, tmpfs contents. */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "guest-agent/ap.h"
#include "guest-agent/copy_up.h"
#include "guest-agent/lookpath.h"
#include "guest-agent/resolv.h"
#include "guest-agent/root_path.h"
#include "guest-agent/sysctl.h"
#include "guest-agent/user.h"
#include "lib/cleanup.h"
#include "t/tap.h"

static char dir[] = "/tmp/container_parts.XXXXXX";

static void
make_file(const char *path, const char *text, mode_t mode)
{
	FILE *f = fopen(path, "we");

	if (f == NULL)
		return;
	fputs(text, f);
	fclose(f);
	chmod(path, mode);
}

/* ---- lookpath ------------------------------------------------------- */

static void
looks(const char *file, const char *path, int want_code, const char *want)
{
	char var[1024], out[1024];
	const char *const env[] = {"X=1", var, NULL};
	struct err err = {""};
	uint32_t code = 0;
	int r;

	snprintf(var, sizeof(var), "PATH=%s", path);
	r = lookpath(file, env, out, sizeof(out), &code, &err);
	is_int(r == 0 ? 0 : code, want_code, want);
	is_str(r == 0 ? out : err.msg, want, "with these words");
}

static void
lookpaths(void)
{
	make_file("prog", "", 0755);
	make_file("data", "", 0644);
	mkdir("sub", 0755);
	make_file("sub/other", "", 0755);

	looks("./prog", "", 0, "./prog");
	looks("nosuch", "/bin:/usr/bin", 127,
	    "exec: \"nosuch\": executable file not found in $PATH");
	looks("/no/such", "", 127,
	    "exec: \"/no/such\": stat /no/such: no such file or directory");
	looks("./data", "", 126, "exec: \"./data\": permission denied");
	looks("./sub", "", 126, "exec: \"./sub\": is a directory");
	looks("./data/x", "", 125,
	    "exec: \"./data/x\": stat ./data/x: not a directory");
	looks("sh", "/no/such:/bin", 0, "/bin/sh");
	looks("sh", "/bin:", 0, "/bin/sh");
	looks(
	    "sh", "", 127, "exec: \"sh\": executable file not found in $PATH");
	looks("prog", "", 127,
	    "exec: \"prog\": executable file not found in $PATH");
	looks("prog", ":/bin", 125,
	    "exec: \"prog\": cannot run executable found relative to current "
	    "directory");
	looks("other", "sub", 125,
	    "exec: \"other\": cannot run executable found relative to current "
	    "directory");
	looks(
	    "", "/bin", 127, "exec: \"\": executable file not found in $PATH");
	looks(".", "/bin", 127,
	    "exec: \".\": executable file not found in $PATH");
}

/* ---- paths in a root ------------------------------------------------ */

static bool
is_at(int fd, const char *path)
{
	struct stat a, b;

	return fd != -1 && fstat(fd, &a) == 0 && lstat(path, &b) == 0 &&
	    a.st_ino == b.st_ino && a.st_dev == b.st_dev;
}

static void
opens(int root, const char *path, enum root_path_make make, const char *want)
{
	AUTO_CLOSE int fd = root_path_open(root, path, make, NULL);

	if (want == NULL)
		ok(fd == -1, "%s cannot be opened", path);
	else
		ok(is_at(fd, want), "%s is %s", path, want);
}

static void
root_paths(void)
{
	AUTO_CLOSE int root = -1;

	if (lacks_syscall(SYS_openat2)) {
		skip("paths in a root", LACKS_OPENAT2);
		return;
	}
	mkdir("root", 0755);
	mkdir("outside", 0755);
	mkdir("root/etc", 0755);
	if (symlink("../../../outside", "root/up") == -1 ||
	    symlink("/outside", "root/abs") == -1 ||
	    symlink("/new/target", "root/dangling") == -1 ||
	    symlink("loop", "root/loop") == -1 ||
	    symlink("etc", "root/rel") == -1)
		printf("# symlink: %s\n", strerror(errno));
	root = open("root", O_PATH | O_DIRECTORY | O_CLOEXEC);

	opens(root, "/etc", ROOT_PATH_MUST_EXIST, "root/etc");
	opens(root, "/", ROOT_PATH_MUST_EXIST, "root");
	opens(root, "/../../etc", ROOT_PATH_MUST_EXIST, "root/etc");
	opens(root, "/nosuch", ROOT_PATH_MUST_EXIST, NULL);
	opens(root, "/a/b/c", ROOT_PATH_DIRECTORY, "root/a/b/c");
	opens(root, "/f/g", ROOT_PATH_FILE, "root/f/g");
	opens(root, "/rel/x", ROOT_PATH_FILE, "root/etc/x");
	opens(root, "/up/x", ROOT_PATH_DIRECTORY, "root/outside/x");
	opens(root, "/abs/y", ROOT_PATH_FILE, "root/outside/y");
	opens(root, "/dangling", ROOT_PATH_FILE, "root/new/target");
	opens(root, "/q/../r//s/.", ROOT_PATH_DIRECTORY, "root/r/s");
	opens(root, "/../..", ROOT_PATH_DIRECTORY, "root");
	opens(root, "/loop/x", ROOT_PATH_DIRECTORY, NULL);
	opens(root, "/f/g/h", ROOT_PATH_DIRECTORY, NULL);
	ok(access("outside/x", F_OK) == -1 && access("outside/y", F_OK) == -1,
	    "nothing was made outside of the root");
}

/* ---- names, HOME, resolv.conf --------------------------------------- */

static void
sysctls(void)
{
	static const char *const bad[] = {"", ".", "..", "a..b", "a/../b", ".a",
	    "a.", "/a", "a/", "a b", "a\nb", "a.b;c", "a/./b"};
	char out[256];

	ok(sysctl_path("net.core.somaxconn", out, sizeof(out), NULL) == 0,
	    "dots");
	is_str(out, "sys/net/core/somaxconn", "become slashes");
	ok(sysctl_path(
	       "net/ipv4/conf/eth0.1/rp_filter", out, sizeof(out), NULL) == 0,
	    "slashes");
	is_str(out, "sys/net/ipv4/conf/eth0.1/rp_filter", "leave dots alone");
	ok(sysctl_path("net.ipv4.conf.eth0/1.x", out, sizeof(out), NULL) == 0,
	    "and the other way round");
	is_str(out, "sys/net/ipv4/conf/eth0.1/x", "as sysctl(8) has it");
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		ok(sysctl_path(bad[i], out, sizeof(out), NULL) == -1,
		    "not a sysctl name, case %zu", i);
	ok(sysctl_path("a.b", out, 6, NULL) == -1, "too long a name");
}

static void
ap_devices(void)
{
	unsigned major = 0, minor = 0;
	FILE *f;

	mkdir("class", 0755);
	mkdir("class/misc", 0755);
	mkdir("class/misc/z90crypt", 0755);
	if ((f = fopen("class/misc/z90crypt/dev", "w")) == NULL ||
	    fputs("10:58\n", f) == EOF || fclose(f) == EOF)
		printf("# cannot write\n");
	ok(ap_misc_device(".", "z90crypt", &major, &minor, NULL) == 0 &&
		major == 10 && minor == 58,
	    "the number of a device of class misc");
	ok(ap_misc_device(".", "pkey", &major, &minor, NULL) == -1,
	    "one that is not there");
}

static void
homes(void)
{
	char home[256], var[USER_HOME_MAX];
	const char *given[] = {"A=1", "HOME=", NULL};
	struct process_spec p = {.uid = 5, .env = given, .n_env = 2};
	const char **env;

	make_file("passwd",
	    "root:x:0:0:root:/root:/bin/sh\nbroken\n:\n\nx:x:5x:1::/no:\n"
	    "u:x:5:5:U:/home/u:/bin/sh\nu2:x:5:5:U:/later:/bin/sh\n"
	    "e:x:6:6:::\nr:x:7:7::rel:\n",
	    0644);
	user_home("passwd", 0, home, sizeof(home));
	is_str(home, "/root", "home of root");
	user_home("passwd", 5, home, sizeof(home));
	is_str(home, "/home/u", "home of the first of that uid");
	user_home("passwd", 6, home, sizeof(home));
	is_str(home, "/", "an empty home");
	user_home("passwd", 7, home, sizeof(home));
	is_str(home, "/", "a relative home");
	user_home("passwd", 8, home, sizeof(home));
	is_str(home, "/", "an unknown user");
	user_home("nosuch", 0, home, sizeof(home));
	is_str(home, "/", "no passwd");
	user_home(".", 0, home, sizeof(home));
	is_str(home, "/", "a directory as passwd");

	env = user_environment(&p, "passwd", var);
	is_str(env[1], "HOME=/home/u", "an empty HOME is replaced");
	ok(env[2] == NULL, "in its place");
	free(env);
	p.n_env = 1;
	env = user_environment(&p, "passwd", var);
	is_str(env[1], "HOME=/home/u", "a missing HOME is added");
	free(env);
	given[0] = "HOME=/mine";
	env = user_environment(&p, "passwd", var);
	is_str(env[0], "HOME=/mine", "a HOME is left");
	ok(env[1] == NULL, "and alone");
	free(env);
}

static void
resolvs(void)
{
	const char *servers[] = {"1.1.1.1", "::1"}, *search[] = {"a", "b.c"},
		   *options[] = {"ndots:2"};
	struct dns_spec d = {.servers = servers, .n_servers = 2};
	size_t len;
	char *text;

	ok(!resolv_wanted(&(struct dns_spec){0}), "empty lists change nothing");
	text = resolv_text(&d, &len);
	is_str(text, "nameserver 1.1.1.1\nnameserver ::1\n", "servers");
	free(text);
	d.search = search;
	d.n_search = 2;
	d.options = options;
	d.n_options = 1;
	text = resolv_text(&d, &len);
	is_str(text,
	    "search a b.c\nnameserver 1.1.1.1\nnameserver ::1\n"
	    "options ndots:2\n",
	    "everything");
	free(text);
}

/* ---- copy up -------------------------------------------------------- */

static void
copies(void)
{
	AUTO_CLOSE int from = -1, to = -1;
	char target[16] = "";
	struct stat st;

	mkdir("from", 0750);
	mkdir("from/d", 0700);
	mkdir("to", 0755);
	make_file("from/d/f", "text", 0640);
	chmod("from/d/f", 04711);
	if (symlink("d/f", "from/l") == -1 || mkfifo("from/p", 0600) == -1)
		printf("# %s\n", strerror(errno));
	from = open("from", O_PATH | O_DIRECTORY | O_CLOEXEC);
	to = open("to", O_PATH | O_DIRECTORY | O_CLOEXEC);
	is_int(copy_up(from, to, NULL), 0, "copy");
	ok(stat("to", &st) == 0 && (st.st_mode & 07777) == 0750, "its mode");
	ok(stat("to/d", &st) == 0 && (st.st_mode & 07777) == 0700,
	    "a directory's mode");
	ok(stat("to/d/f", &st) == 0 && (st.st_mode & 07777) == 04711 &&
		st.st_size == 4,
	    "a file with its set-id bit");
	ok(readlink("to/l", target, sizeof(target) - 1) == 3 &&
		strcmp(target, "d/f") == 0,
	    "a link");
	ok(lstat("to/p", &st) == 0 && S_ISFIFO(st.st_mode), "a FIFO");
	is_int(copy_up(from, to, NULL), -1, "nothing is overwritten");
}

static void
remove_all(void)
{
	char command[128];

	snprintf(command, sizeof(command), "rm -rf %s", dir);
	if (chdir("/") == -1 || system(command) != 0)
		printf("# cannot remove %s\n", dir);
}

int
main(void)
{
	if (mkdtemp(dir) == NULL || chdir(dir) == -1)
		return 1;
	umask(022);
	lookpaths();
	root_paths();
	sysctls();
	ap_devices();
	homes();
	resolvs();
	copies();
	remove_all();
	return done_testing();
}
