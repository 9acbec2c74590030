/* SPDX-License-Identifier: Apache-2.0
 * The agent's reading of "container", "process", "dns": what is taken, and
 * that each wrong member is refused by its name. */
#include "guest-agent/spec.h"

#include <string.h>

#include "lib/json.h"
#include "t/tap.h"

static const char good[] =
    "{\"hostname\":\"h\",\"root\":{\"source\":\"rootfs\",\"readonly\":true},"
    "\"process\":{\"terminal\":true,\"args\":[\"sh\",\"-c\"],"
    "\"env\":[\"A=b\",\"C=\"],\"cwd\":\"/tmp\",\"user\":{\"uid\":1000,"
    "\"gid\":100,\"umask\":63,\"additionalGids\":[4,4294967294]},"
    "\"capabilities\":{\"bounding\":[\"CAP_CHOWN\",\"CAP_KILL\"],"
    "\"ambient\":[\"CAP_CHECKPOINT_RESTORE\"]},"
    "\"rlimits\":[{\"type\":\"RLIMIT_NOFILE\",\"soft\":7,\"hard\":8},"
    "{\"type\":\"RLIMIT_CORE\",\"soft\":18446744073709551615,"
    "\"hard\":18446744073709551615}],"
    "\"noNewPrivileges\":true,\"oomScoreAdj\":-5},"
    "\"mounts\":[{\"destination\":\"/proc\",\"type\":\"proc\","
    "\"source\":\"proc\",\"options\":[\"nosuid\"]},"
    "{\"destination\":\"/d\",\"type\":\"share\",\"source\":\"vol/12\","
    "\"file\":true,\"options\":[\"ro\"]}],"
    "\"sysctl\":{\"net.core.somaxconn\":\"256\"},"
    "\"maskedPaths\":[\"/proc/kcore\"],\"readonlyPaths\":[\"/proc/sys\"],"
    "\"pids\":100,\"runqenv\":true}";

static void
whole(void)
{
	AUTO_JSON struct json_object *o =
	    json_parse(good, strlen(good), "t", NULL);
	struct container_spec c;
	struct err err = {""};

	if (!ok(container_spec_parse(o, NULL, &c, &err) == 0, "a container"))
		printf("# %s\n", err.msg);
	is_str(c.hostname, "h", "hostname");
	is_str(c.domainname, "", "no domainname");
	ok(c.root_readonly, "read-only root");
	ok(c.process.terminal, "terminal");
	is_int((long long)c.process.n_args, 2, "args");
	is_str(c.process.env[1], "C=", "env");
	is_str(c.process.cwd, "/tmp", "cwd");
	is_int(c.process.uid, 1000, "uid");
	is_int(c.process.gid, 100, "gid");
	is_int(c.process.umask, 077, "umask");
	is_int((long long)c.process.n_groups, 2, "groups");
	is_int(c.process.groups[1], 4294967294, "the largest gid");
	is_int((long long)c.process.caps.bounding, 0x21, "bounding set");
	is_int((long long)c.process.caps.ambient, 1LL << 40, "ambient set");
	is_int((long long)c.process.caps.permitted, 0, "absent set");
	is_int((long long)c.process.rlimits.n, 2, "rlimits");
	is_int((long long)c.process.rlimits.v[0].limit.rlim_cur, 7, "soft");
	is_int((long long)c.process.rlimits.v[0].limit.rlim_max, 8, "hard");
	ok(c.process.rlimits.v[1].limit.rlim_cur == RLIM_INFINITY, "infinity");
	ok(c.process.no_new_privs, "no new privileges");
	is_int(c.process.oom_score_adj, -5, "oom score");
	is_int((long long)c.n_mounts, 2, "mounts");
	is_str(c.mounts[1].source, "vol/12", "share");
	is_str(c.sysctls[0].value, "256", "sysctl");
	is_int((long long)c.n_masked, 1, "masked paths");
	is_int((long long)c.n_readonly, 1, "read-only paths");
	is_int(c.pids, 100, "pids");
	ok(c.runqenv, "runqenv");
	container_spec_free(&c);
}

/* The least that a container needs, with one member more. */
static void
refuses(const char *process, const char *more, const char *word)
{
	char text[4096];
	AUTO_JSON struct json_object *o = NULL;
	struct container_spec c;
	struct err err = {""};

	snprintf(text, sizeof(text),
	    "{\"root\":{\"source\":\"rootfs\"},"
	    "\"process\":{\"args\":[\"a\"]%s}%s}",
	    process, more);
	o = json_parse(text, strlen(text), "t", &err);
	if (o == NULL) {
		ok(false, "test document: %s", err.msg);
		return;
	}
	if (word == NULL) {
		if (!ok(container_spec_parse(o, NULL, &c, &err) == 0,
			"taken: %s%s", process, more))
			printf("# %s\n", err.msg);
	} else if (!ok(container_spec_parse(o, NULL, &c, &err) == -1 &&
			   strstr(err.msg, word) != NULL,
		       "refused with \"%s\"", word)) {
		printf("# %s%s: %s\n", process, more, err.msg);
	}
	container_spec_free(&c);
}

#define MOUNT(members) ",\"mounts\":[{" members "}]"

static void
garbage(void)
{
	refuses("", "", NULL);
	refuses(",\"args\":[]", "", "process.args");
	refuses(",\"args\":[1]", "", "process.args[0]");
	refuses(",\"args\":\"sh\"", "", "process.args");
	refuses(",\"env\":[\"A\"]", "", "process.env[0]");
	refuses(",\"env\":[\"B=\",\"=x\"]", "", "process.env[1]");
	refuses(",\"cwd\":\"tmp\"", "", "process.cwd");
	refuses(",\"user\":{\"uid\":-1}", "", "process.user.uid");
	refuses(",\"user\":{\"gid\":4294967295}", "", "process.user.gid");
	refuses(",\"user\":{\"umask\":512}", "", "process.user.umask");
	refuses(",\"user\":{\"additionalGids\":[-1]}", "", "additionalGids[0]");
	refuses(
	    ",\"user\":{\"additionalGids\":[\"1\"]}", "", "additionalGids[0]");
	refuses(",\"capabilities\":{\"bounding\":[\"CAP_NOSUCH\"]}", "",
	    "capabilities.bounding: \"CAP_NOSUCH\"");
	refuses(",\"capabilities\":{\"ambient\":[\"chown\"]}", "", "\"chown\"");
	refuses(",\"capabilities\":[]", "", "process.capabilities");
	refuses(",\"rlimits\":[{\"type\":\"RLIMIT_X\"}]", "", "\"RLIMIT_X\"");
	refuses(",\"rlimits\":[{\"type\":\"RLIMIT_AS\",\"soft\":2,"
		"\"hard\":1}]",
	    "", "hard limit 1");
	refuses(",\"rlimits\":[{\"type\":\"RLIMIT_AS\"},"
		"{\"type\":\"RLIMIT_AS\"}]",
	    "", "twice");
	refuses(",\"rlimits\":[{\"type\":\"RLIMIT_AS\",\"soft\":-1}]", "",
	    "process.rlimits.soft");
	refuses(",\"rlimits\":[7]", "", "process.rlimits");
	refuses(",\"oomScoreAdj\":1001", "", "process.oomScoreAdj");
	refuses(",\"noNewPrivileges\":1", "", "noNewPrivileges");
	refuses("", ",\"root\":{\"source\":\"/\"}", "root.source");
	refuses("", ",\"root\":7", "container.root");
	refuses("", ",\"sysctl\":{\"a.b\":7}", "container.sysctl.a.b");
	refuses("", ",\"maskedPaths\":[\"proc\"]", "container.maskedPaths");
	refuses("", ",\"readonlyPaths\":[7]", "container.readonlyPaths");
	refuses("", ",\"seccomp\":[]", "container.seccomp");
	refuses("", ",\"pids\":\"1\"", "container.pids");
	refuses("", ",\"hostname\":{}", "container.hostname");
	refuses("", ",\"mounts\":[7]", "mounts[0]");
	refuses("", MOUNT("\"type\":\"proc\""), "mounts[0].destination");
	refuses("",
	    MOUNT("\"destination\":\"x\",\"type\":\"proc\","
		  "\"source\":\"proc\""),
	    "mounts[0].destination");
	refuses("",
	    MOUNT("\"destination\":\"//\",\"type\":\"proc\","
		  "\"source\":\"proc\""),
	    "below the root");
	refuses("",
	    MOUNT("\"destination\":\"/x\",\"type\":\"ext4\","
		  "\"source\":\"x\""),
	    "\"/x\": type \"ext4\"");
	refuses("",
	    MOUNT("\"destination\":\"/x\",\"type\":\"tmpfs\","
		  "\"source\":\"x\",\"options\":[\"foo\"]"),
	    "\"/x\": option \"foo\"");
}

static void
disks(void)
{
#define DISKS(d) ",\"disks\":[" d "]"
	refuses("", DISKS("{\"id\":\"0001\"}"), NULL);
	refuses("",
	    DISKS("{\"id\":\"a\",\"fstype\":\"ext4\",\"root\":true},"
		  "{\"id\":\"b\",\"fstype\":\"xfs\",\"readonly\":true,"
		  "\"mountpoint\":\"/x\"}") ",\"rootExclude\":[\"/a\"]",
	    NULL);
	refuses("", ",\"disks\":{}", "container.disks");
	refuses("", DISKS("7"), "disks[0]");
	refuses("", DISKS("{}"), "disks[0].id");
	refuses("", DISKS("{\"id\":\"../x\"}"), "disks[0].id: \"../x\"");
	refuses("", DISKS("{\"id\":\"a\",\"fstype\":\"vfat\"}"),
	    "disks[0].fstype: \"vfat\"");
	refuses("", DISKS("{\"id\":\"a\",\"mountpoint\":\"/x\"}"),
	    "disks[0].fstype");
	refuses("", DISKS("{\"id\":\"a\",\"root\":true}"), "disks[0].fstype");
	refuses("",
	    DISKS("{\"id\":\"a\",\"fstype\":\"ext4\","
		  "\"mountpoint\":\"x\"}"),
	    "disks[0].mountpoint");
	refuses("",
	    DISKS("{\"id\":\"a\",\"fstype\":\"ext4\",\"root\":true},"
		  "{\"id\":\"b\",\"fstype\":\"ext4\",\"root\":true}"),
	    "disks[1].root");
	refuses("", ",\"rootExclude\":[\"a\"]", "container.rootExclude");
}

static void
shares(void)
{
	static const char *const bad[] = {"", "vol", "vol/", "vol/a", "vol/01",
	    "vol/1/..", "vol/-1", "vol/1234567", "../rootfs", "rootfs",
	    "/modules", "modules/..", "vol//1"};
	char more[256];

#define SHARE                                                                  \
	MOUNT("\"destination\":\"/x\",\"type\":\"share\",\"source\":\"%s\"")
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		snprintf(more, sizeof(more), SHARE, bad[i]);
		refuses("", more, "mounts[0].source");
	}
	snprintf(more, sizeof(more), SHARE, "vol/0");
	refuses("", more, NULL);
	snprintf(more, sizeof(more), SHARE, "modules");
	refuses("", more, NULL);
}

static void
dns_words(void)
{
	static const char *const bad[] = {
	    "{\"servers\":[\"1.2.3.4\\nsearch x\"]}", "{\"search\":[\"\"]}",
	    "{\"options\":[\"a b\"]}", "{\"servers\":\"1.2.3.4\"}"};
	AUTO_JSON struct json_object *o =
	    json_parse(good, strlen(good), "t", NULL);
	struct container_spec c;
	struct err err;

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		AUTO_JSON struct json_object *d =
		    json_parse(bad[i], strlen(bad[i]), "t", NULL);

		ok(container_spec_parse(o, d, &c, &err) == -1 &&
			strncmp(err.msg, "dns.", 4) == 0,
		    "dns refused, case %zu", i);
		container_spec_free(&c);
	}
}

int
main(void)
{
	whole();
	garbage();
	disks();
	shares();
	dns_words();
	return done_testing();
}
