/* SPDX-License-Identifier: Apache-2.0
 * From a module's name or alias to its files, dependencies first. */
#include "guest-agent/modprobe.h"

#include <string.h>
#include <unistd.h>

#include "lib/cleanup.h"
#include "t/tap.h"

static char loaded[512];

static int
load(void *arg, const char *file, struct err *err)
{
	if (arg != NULL && strstr(file, arg) != NULL)
		return err_set(err, "%s: damaged", file);
	strcat(loaded, file);
	strcat(loaded, " ");
	return 0;
}

static void
write_file(const char *name, const char *text)
{
	AUTO_FCLOSE FILE *f = fopen(name, "we");

	ok(f != NULL && fputs(text, f) >= 0, "%s", name);
}

static void
resolves(const char *name, const char *want)
{
	struct err err = {""};

	loaded[0] = '\0';
	is_int(modprobe_resolve(".", name, load, NULL, &err), 0, name);
	is_str(loaded, want, "its files");
}

int
main(void)
{
	char dir[] = "/tmp/runq-modprobe-XXXXXX";
	static char bad[] = "crc32c";
	struct err err = {""};

	if (!ok(mkdtemp(dir) != NULL && chdir(dir) == 0, "a folder"))
		return done_testing();
	write_file("modules.dep",
	    "kernel/lib/libcrc32c.ko: kernel/crypto/crc32c.ko\n"
	    "kernel/crypto/crc32c.ko:\n"
	    "kernel/fs/xfs/xfs.ko.xz: kernel/lib/libcrc32c.ko "
	    "kernel/crypto/crc32c.ko\n"
	    "kernel/net/ip-tables.ko:\n");
	write_file("modules.alias",
	    "# Aliases extracted from modules themselves.\n"
	    "alias fs-xfs xfs\n"
	    "alias crypto-crc32c crc32c\n"
	    "alias crypto-crc32c libcrc32c\n"
	    "alias net-pf-*-proto-6 ip_tables\n");
	resolves("crc32c", "kernel/crypto/crc32c.ko ");
	resolves("xfs",
	    "kernel/crypto/crc32c.ko kernel/lib/libcrc32c.ko "
	    "kernel/fs/xfs/xfs.ko.xz ");
	resolves("fs-xfs",
	    "kernel/crypto/crc32c.ko kernel/lib/libcrc32c.ko "
	    "kernel/fs/xfs/xfs.ko.xz ");
	resolves("ip_tables", "kernel/net/ip-tables.ko ");
	resolves("ip-tables", "kernel/net/ip-tables.ko ");
	resolves("net-pf-16-proto-6", "kernel/net/ip-tables.ko ");
	resolves("crypto-crc32c",
	    "kernel/crypto/crc32c.ko kernel/crypto/crc32c.ko "
	    "kernel/lib/libcrc32c.ko ");
	is_int(modprobe_resolve(".", "fs-none", load, NULL, &err), -1,
	    "an unknown one");
	is_str(err.msg, "no module fs-none", "its sentence");
	loaded[0] = '\0';
	is_int(modprobe_resolve(".", "xfs", load, bad, &err), -1,
	    "a dependency that fails");
	is_str(loaded, "", "stops the rest");
	is_int(
	    modprobe_resolve("none", "xfs", load, NULL, &err), -1, "no tables");
	ok(modprobe_is_me("/sbin/modprobe") && modprobe_is_me("modprobe") &&
		!modprobe_is_me("/init") && !modprobe_is_me("/modprobe/init"),
	    "by its name");
	unlink("modules.dep");
	unlink("modules.alias");
	rmdir(dir);
	return done_testing();
}
