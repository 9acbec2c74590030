/* SPDX-License-Identifier: Apache-2.0
 * For which machine an image is: ELF headers, the entry point in a root file
 * system that is not trusted, scripts, programs that images have. */
#include "runtime/image_arch.h"

#include <elf.h>
#include <endian.h>
#include <json-c/json.h>
#include <stdint.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/cleanup.h"
#include "lib/json.h"
#include "t/tap.h"

static char dir[] = "/tmp/image_arch.XXXXXX";

/* ---- ELF headers ------------------------------------------------------------
 */

struct header {
	const char *name;
	unsigned char class, data, version;
	uint16_t type, machine;
	size_t n;
	const char *want; /* NULL: not a program */
};

static void
make_header(const struct header *h, unsigned char head[64])
{
	uint16_t type = h->data == ELFDATA2MSB ? htobe16(h->type)
					       : htole16(h->type),
		 machine = h->data == ELFDATA2MSB ? htobe16(h->machine)
						  : htole16(h->machine);

	memset(head, 0, 64);
	memcpy(head, ELFMAG, SELFMAG);
	head[EI_CLASS] = h->class;
	head[EI_DATA] = h->data;
	head[EI_VERSION] = h->version;
	memcpy(head + 16, &type, 2);
	memcpy(head + 18, &machine, 2);
}

static void
test_headers(void)
{
	static const struct header headers[] = {
	    {"x86_64", 2, 1, 1, ET_DYN, EM_X86_64, 64, "x86_64"},
	    {"x86_64, static", 2, 1, 1, ET_EXEC, EM_X86_64, 64, "x86_64"},
	    {"i386", 1, 1, 1, ET_EXEC, EM_386, 52, "x86_64"},
	    {"x32", 1, 1, 1, ET_EXEC, EM_X86_64, 52, "x86_64"},
	    {"s390x", 2, 2, 1, ET_EXEC, EM_S390, 64, "s390x"},
	    {"s390", 1, 2, 1, ET_EXEC, EM_S390, 52, "s390"},
	    {"s390x, little endian", 2, 1, 1, ET_EXEC, EM_S390, 64,
		"ELF machine 22"},
	    {"x86_64, big endian", 2, 2, 1, ET_EXEC, EM_X86_64, 64,
		"ELF machine 62"},
	    {"aarch64", 2, 1, 1, ET_DYN, EM_AARCH64, 64, "aarch64"},
	    {"nobody's", 2, 1, 1, ET_DYN, 65535, 64, "ELF machine 65535"},
	    {"an object file", 2, 1, 1, ET_REL, EM_X86_64, 64, NULL},
	    {"a core", 2, 1, 1, ET_CORE, EM_X86_64, 64, NULL},
	    {"class 0", 0, 1, 1, ET_EXEC, EM_X86_64, 64, NULL},
	    {"class 3", 3, 1, 1, ET_EXEC, EM_X86_64, 64, NULL},
	    {"data 0", 2, 0, 1, ET_EXEC, EM_X86_64, 64, NULL},
	    {"data 3", 2, 3, 1, ET_EXEC, EM_X86_64, 64, NULL},
	    {"version 0", 2, 1, 0, ET_EXEC, EM_X86_64, 64, NULL},
	    {"cut short", 2, 1, 1, ET_EXEC, EM_X86_64, 63, NULL},
	    {"32 bits, cut short", 1, 1, 1, ET_EXEC, EM_386, 51, NULL},
	    {"empty", 2, 1, 1, ET_EXEC, EM_X86_64, 0, NULL},
	};
	unsigned char head[64];
	char got[ELF_ARCH_NAME];
	int r;

	for (size_t i = 0; i < sizeof(headers) / sizeof(headers[0]); i++) {
		const struct header *h = &headers[i];

		make_header(h, head);
		strcpy(got, "");
		r = elf_arch(head, h->n, got);
		is_int(r, h->want == NULL ? -1 : 0, h->name);
		if (h->want != NULL)
			is_str(got, h->want, h->name);
	}
	make_header(&headers[0], head);
	head[0] = 0;
	is_int(elf_arch(head, 64, got), -1, "no magic");
}

/* ---- an image
 * ------------------------------------------------------------------ */

static char root[64];

static void
write_file(const char *path, const void *data, size_t n)
{
	char at[256];
	FILE *f;

	snprintf(at, sizeof(at), "%s%s", root, path);
	if ((f = fopen(at, "we")) == NULL)
		return;
	fwrite(data, 1, n, f);
	fclose(f);
}

static void
text(const char *path, const char *s)
{
	write_file(path, s, strlen(s));
}

static void
program(const char *path, uint16_t machine)
{
	const struct header h = {
	    "", 2, machine == EM_S390 ? 2 : 1, 1, ET_EXEC, machine, 64, NULL};
	unsigned char head[64];

	make_header(&h, head);
	write_file(path, head, sizeof(head));
}

static void
make_dir(const char *path)
{
	char at[256];

	snprintf(at, sizeof(at), "%s%s", root, path);
	mkdir(at, 0755);
}

static void
link_to(const char *target, const char *path)
{
	char at[256];

	snprintf(at, sizeof(at), "%s%s", root, path);
	if (symlink(target, at) == -1)
		ok(false, "symlink %s", at);
}

/* process is JSON; want "" is: cannot be told. */
static void
says(const char *process, const char *want, const char *file, const char *name)
{
	AUTO_JSON struct json_object *o =
	    json_parse(process, strlen(process), name, NULL);
	struct image_arch got;

	image_arch_find(root, o, &got);
	is_str(got.name, want, name);
	is_str(got.file, file, name);
}

#define ARGS(first) "{\"args\":[\"" first "\",\"x\"]}"

static void
test_entry(void)
{
	says(ARGS("/bin/prog"), "s390x", "/bin/prog", "an absolute path");
	says(ARGS("prog"), "s390x", "/bin/prog", "the default PATH");
	says("{\"args\":[\"prog\"],\"env\":[\"PATH=rel:/none:/opt:/bin\"]}",
	    "aarch64", "/opt/prog", "PATH");
	says("{\"args\":[\"prog\"],\"env\":[\"PATH=/none\"]}", "x86_64",
	    "/bin/sh", "not in PATH: /bin/sh");
	says("{\"args\":[\"./prog\"],\"cwd\":\"/opt\"}", "aarch64",
	    "/opt/./prog", "below the working directory");
	says(ARGS("/bin/script"), "s390x", "/bin/prog", "a script");
	says(ARGS("/bin/script2"), "s390x", "/bin/prog",
	    "a script whose interpreter is one");
	says(ARGS("/bin/loop"), "x86_64", "/bin/sh",
	    "a script that interprets itself");
	says(ARGS("/bin/relative"), "x86_64", "/bin/sh",
	    "an interpreter that is not absolute");
	says(ARGS("/bin/garbage"), "x86_64", "/bin/sh", "no program");
	says(ARGS("/missing"), "x86_64", "/bin/sh", "not there");
	says(ARGS("/bin"), "x86_64", "/bin/sh", "a directory");
	says(ARGS("/bin/pipe"), "x86_64", "/bin/sh", "a pipe is not opened");
}

static void
test_links(void)
{
	says(ARGS("/links/relative"), "s390x", "/links/relative",
	    "a relative link");
	says(ARGS("/links/absolute"), "s390x", "/links/absolute",
	    "an absolute link, in the image");
	says(ARGS("/links/up"), "s390x", "/links/up",
	    "more .. than directories, in the image");
	says(ARGS("/links/host"), "x86_64", "/bin/sh",
	    "a file of the host is not reached");
	says(ARGS("/links/circle"), "x86_64", "/bin/sh", "a circle of links");
	says(ARGS("/../../bin/prog"), "s390x", "/../../bin/prog",
	    "out of the image and in again");
}

/* config.json is not checked yet when we look */
static void
test_garbage(void)
{
	static const char *const garbage[] = {"{}", "{\"args\":[]}",
	    "{\"args\":{}}", "{\"args\":[1]}", "{\"args\":[\"\"]}",
	    "{\"args\":[\"prog\"],\"env\":[{}]}",
	    "{\"args\":[\"./prog\"],\"cwd\":3}", "[]"};

	for (size_t i = 0; i < sizeof(garbage) / sizeof(garbage[0]); i++) {
		AUTO_JSON struct json_object *o =
		    json_parse(garbage[i], strlen(garbage[i]), "garbage", NULL);
		struct image_arch got;

		image_arch_find(root, o, &got);
		ok(got.name[0] != '\0', "process %s: told", garbage[i]);
	}
}

static void
test_nothing(void)
{
	struct image_arch got;

	image_arch_find("/does/not/exist", NULL, &got);
	is_str(got.name, "", "no image");
	image_arch_find("/proc/self/fd", NULL, &got);
	is_str(got.name, "", "an image without programs");
	image_arch_of_file("/dev/null", &got);
	is_str(got.name, "", "a device of the host");
	image_arch_of_file("/proc/self/exe", &got);
	ok(got.name[0] != '\0', "a program of the host: %s", got.name);
}

int
main(void)
{
	char outside[64], at[128];

	if (mkdtemp(dir) == NULL)
		return 1;
	snprintf(root, sizeof(root), "%s/root", dir);
	mkdir(root, 0755);
	make_dir("/bin");
	make_dir("/opt");
	make_dir("/links");
	program("/bin/sh", EM_X86_64);
	program("/bin/prog", EM_S390);
	program("/opt/prog", EM_AARCH64);
	text("/bin/script", "#! \t/bin/prog -x\n");
	text("/bin/script2", "#!/bin/script");
	text("/bin/loop", "#!/bin/loop\n");
	text("/bin/relative", "#!prog\n");
	text("/bin/garbage", "\001\002");
	snprintf(at, sizeof(at), "%s/bin/pipe", root);
	mkfifo(at, 0644);
	snprintf(outside, sizeof(outside), "%s/outside", dir);
	link_to("../bin/prog", "/links/relative");
	link_to("/bin/prog", "/links/absolute");
	link_to("../../../../bin/prog", "/links/up");
	link_to(outside, "/links/host");
	link_to("circle", "/links/circle");
	/* the file that must not be reached */
	snprintf(root, sizeof(root), "%s", dir);
	program("/outside", EM_S390);
	snprintf(root, sizeof(root), "%s/root", dir);

	test_headers();
	if (lacks_syscall(SYS_openat2)) {
		skip("images", LACKS_OPENAT2);
	} else {
		test_entry();
		test_links();
		test_garbage();
		test_nothing();
	}

	snprintf(at, sizeof(at), "rm -rf %s", dir);
	return system(at) == 0 ? done_testing() : 1;
}
