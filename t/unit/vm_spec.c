/* SPDX-License-Identifier: Apache-2.0
 * The VM spec: what is written is read back, all else is refused. */
#include "lib/vm_spec.h"

#include <string.h>

#include "lib/cleanup.h"
#include "lib/json.h"
#include "t/tap.h"

#define UUID "b34543ee-496b-4769-8312-83707033e1de"
#define MACHINE                                                                \
	"\"machine\":{\"arch\":\"x86_64\",\"accel\":\"auto\",\"cpus\":1,"      \
	"\"mem_mib\":256,\"nestedvm\":false,\"boot_timeout\":120}"
#define HEAD "{\"version\":1,\"id\":\"a\",\"terminal\":false,"
#define TAIL                                                                   \
	",\"rootfs\":{\"type\":\"virtiofs\"},\"exec\":false,\"container\":{}}"
#define WITH_TLS(exec, tls)                                                    \
	HEAD MACHINE ",\"rootfs\":{\"type\":\"virtiofs\"},\"exec\":" exec      \
		     ",\"tls\":" tls ",\"container\":{}}"
#define MINIMAL HEAD MACHINE TAIL

static void
fill(struct vm_spec *s)
{
	static char *const warnings[] = {"one", "two", NULL};

	vm_spec_init(s);
	s->id = strdup("3f0c_.+-");
	s->arch = strdup("s390x");
	s->ap = (struct vm_ap){strdup(UUID), 7};
	s->accel = VM_ACCEL_TCG;
	s->cpus = VM_CPU_MAX;
	s->mem_mib = VM_MEM_MAX;
	s->cpuargs = strdup("max,+x2apic,-vmx,level=13");
	s->nestedvm = true;
	s->boot_timeout = VM_BOOT_TIMEOUT_MAX;
	s->rootfs = VM_ROOTFS_9P;
	s->cache_9p = strdup("loose");
	s->exec = true;
	s->tls.ca = strdup("authority\n");
	s->tls.cert = strdup("certificate\n");
	s->tls.key = strdup("key\n");
	s->terminal = true;
	s->warnings = calloc(3, sizeof(char *));
	for (size_t i = 0; i < 2; i++)
		s->warnings[i] = strdup(warnings[i]);
	s->disks = calloc(2, sizeof(*s->disks));
	s->n_disks = 2;
	s->disks[0] = (struct vm_disk){
	    strdup("0001"), VM_DISK_RAW, VM_DISK_WRITETHROUGH, true};
	s->disks[1] = (struct vm_disk){
	    strdup("a-B_9"), VM_DISK_QCOW2, VM_DISK_UNSAFE, false};
	s->container = json_object_new_object();
	json_object_object_add(
	    s->container, "hostname", json_object_new_string("h/\xc3\xa4\n"));
	s->dns = json_tokener_parse("{\"servers\":[\"::1\"],\"options\":[],"
				    "\"search\":[\"example.org\"]}");
}

static void
test_round_trip(void)
{
	AUTO_FREE char *text = NULL, *again = NULL;
	struct vm_spec a, b;
	struct err err = {""};
	size_t len, len2;

	fill(&a);
	text = vm_spec_serialize(&a, &len);
	ok(text != NULL && strlen(text) == len, "written");
	ok(strchr(text, '\n') == NULL, "on one line");
	is_int(vm_spec_parse(text, len, &b, &err), 0, "read back");
	is_str(err.msg, "", "without an error");
	is_str(b.id, a.id, "id");
	is_str(b.arch, "s390x", "arch");
	is_str(b.ap.uuid, UUID, "AP device");
	is_int(b.ap.group, 7, "its group");
	is_int(b.accel, VM_ACCEL_TCG, "accel");
	is_int(b.cpus, VM_CPU_MAX, "cpus");
	is_int(b.mem_mib, VM_MEM_MAX, "mem_mib");
	is_str(b.cpuargs, a.cpuargs, "cpuargs");
	ok(b.nestedvm && b.exec && b.terminal, "flags");
	is_str(b.tls.ca, a.tls.ca, "tls.ca");
	is_str(b.tls.cert, a.tls.cert, "tls.cert");
	is_str(b.tls.key, a.tls.key, "tls.key");
	is_int(b.boot_timeout, VM_BOOT_TIMEOUT_MAX, "boot_timeout");
	is_int(b.rootfs, VM_ROOTFS_9P, "rootfs");
	is_str(b.cache_9p, "loose", "9pcache");
	is_int((long long)b.n_disks, 2, "disks");
	is_str(b.disks[1].id, "a-B_9", "id of a disk");
	is_int(b.disks[0].cache, VM_DISK_WRITETHROUGH, "cache of a disk");
	is_int(b.disks[1].format, VM_DISK_QCOW2, "format of a disk");
	ok(b.disks[0].readonly && !b.disks[1].readonly, "read-only disk");
	is_str(b.warnings != NULL ? b.warnings[1] : NULL, "two", "warnings");
	ok(json_object_equal(a.container, b.container), "container");
	ok(json_object_equal(a.dns, b.dns), "dns");
	again = vm_spec_serialize(&b, &len2);
	is_str(again, text, "the same text again");
	vm_spec_free(&a);
	vm_spec_free(&b);
	vm_spec_free(&b);
	ok(b.id == NULL, "freed twice");
}

static void
test_minimal(void)
{
	struct vm_spec s;
	struct err err = {""};

	is_int(vm_spec_parse(MINIMAL, strlen(MINIMAL), &s, &err), 0, "minimal");
	is_str(err.msg, "", "without an error");
	ok(s.cpuargs == NULL && s.cache_9p == NULL && s.warnings == NULL &&
		s.dns == NULL,
	    "what is absent is NULL");
	vm_spec_free(&s);
}

static void
refused(const char *text, const char *want)
{
	struct vm_spec s;
	struct err err = {""};

	if (!ok(vm_spec_parse(text, strlen(text), &s, &err) == -1 &&
		    strstr(err.msg, want) != NULL,
		"refused: %s", want))
		printf("# %s: %s\n", text, err.msg);
	vm_spec_free(&s);
}

/* MINIMAL with its machine's member replaced. */
#define WITH_MACHINE(m) HEAD "\"machine\":{" m "}" TAIL
#define M_REST "\"nestedvm\":false,\"boot_timeout\":1"

static void
test_refused(void)
{
	refused("", "VM spec");
	refused("[]", "not an object");
	refused("{", "VM spec");
	refused(MINIMAL "x", "VM spec");
	refused("{\"version\":2}", "spec.version");
	refused("{\"version\":1,\"foo\":1}", "spec.foo: unknown member");
	refused("{\"version\":1}", "spec.id: missing");
	refused("{\"version\":1,\"id\":\"a/b\"}", "spec.id");
	refused("{\"version\":1,\"id\":\"..\"}", "spec.id");
	refused("{\"version\":1,\"id\":\"a\"}", "spec.terminal: missing");
	refused(HEAD "\"rootfs\":{}}", "spec.exec: missing");
	refused(HEAD "\"exec\":1}", "spec.exec");
	refused(HEAD MACHINE ",\"exec\":false,\"rootfs\":{\"type\":\"nfs\"},"
			     "\"container\":{}}",
	    "rootfs.type");
	refused(HEAD MACHINE ",\"exec\":false,\"rootfs\":{\"type\":\"9p\","
			     "\"9pcache\":\"yes\"},\"container\":{}}",
	    "rootfs.9pcache");
	refused(HEAD MACHINE ",\"exec\":false,\"rootfs\":{\"type\":\"9p\"}}",
	    "spec.container: missing");
	refused(HEAD MACHINE ",\"exec\":true,\"rootfs\":{\"type\":\"9p\"},"
			     "\"container\":{}}",
	    "spec.tls");
	refused(WITH_TLS("false", "{}"), "spec.tls");
	refused(WITH_TLS("true", "{}"), "tls.ca: missing");
	refused(WITH_TLS("true", "{\"ca\":\"\"}"), "tls.ca: 0 bytes");
	refused(WITH_TLS("true", "{\"x\":\"\"}"), "tls.x: unknown member");
	refused(WITH_MACHINE("\"arch\":\"arm\""), "machine.arch");
	refused(WITH_MACHINE("\"arch\":\"s390x\",\"accel\":\"hax\""),
	    "machine.accel");
	refused(WITH_MACHINE("\"arch\":\"s390x\",\"accel\":\"kvm\","
			     "\"cpus\":0,\"mem_mib\":128," M_REST),
	    "machine.cpus");
	refused(WITH_MACHINE("\"arch\":\"s390x\",\"accel\":\"kvm\","
			     "\"cpus\":256,\"mem_mib\":128," M_REST),
	    "machine.cpus");
	refused(WITH_MACHINE("\"arch\":\"s390x\",\"accel\":\"kvm\","
			     "\"cpus\":1,\"mem_mib\":63," M_REST),
	    "machine.mem_mib");
	refused(WITH_MACHINE("\"arch\":\"s390x\",\"accel\":\"kvm\","
			     "\"cpus\":1,\"mem_mib\":128,\"nestedvm\":false,"
			     "\"boot_timeout\":3601"),
	    "machine.boot_timeout");
	refused(WITH_MACHINE("\"arch\":\"s390x\",\"accel\":\"kvm\","
			     "\"cpuargs\":\"host,-drive x\""),
	    "machine.cpuargs");
	refused(WITH_MACHINE("\"bus\":1"), "machine.bus: unknown member");
	refused(HEAD MACHINE ",\"dns\":{\"servers\":[\"a\\nb\"]}" TAIL,
	    "dns.servers");
	refused(HEAD MACHINE ",\"dns\":{\"x\":1}" TAIL, "dns.x");
	refused(HEAD MACHINE ",\"warnings\":[1]" TAIL, "spec.warnings");
	refused(HEAD MACHINE ",\"ap\":{\"uuid\":\"../x\",\"group\":1}" TAIL,
	    "ap.uuid");
	refused(HEAD MACHINE ",\"ap\":{\"uuid\":\"" UUID
			     "\",\"group\":-1}" TAIL,
	    "ap.group");
	refused(HEAD MACHINE ",\"ap\":{\"uuid\":\"" UUID "\"}" TAIL,
	    "ap.group: missing");
}

#define WITH_DISKS(d) HEAD MACHINE ",\"disks\":" d TAIL
#define DISK(id, format, cache)                                                \
	"{\"id\":\"" id "\",\"format\":\"" format "\",\"cache\":\"" cache "\"" \
	"}"
#define TEN(d) d "," d "," d "," d "," d "," d "," d "," d "," d "," d

static void
test_disks(void)
{
	refused(WITH_DISKS("{}"), "spec.disks");
	refused(WITH_DISKS("[1]"), "disks[0]: not an object");
	refused(WITH_DISKS("[{}]"), "disks[0].id: missing");
	refused(
	    WITH_DISKS("[{\"path\":\"/x\"}]"), "disks[0].path: unknown member");
	refused(WITH_DISKS("[" DISK("", "raw", "none") "]"), "disks[0].id");
	refused(WITH_DISKS("[" DISK("a/b", "raw", "none") "]"), "disks[0].id");
	refused(WITH_DISKS("[" DISK("a", "vmdk", "none") "]"),
	    "disks[0].format: \"vmdk\", must be raw or qcow2");
	refused(WITH_DISKS("[" DISK("a", "raw", "on") "]"),
	    "disks[0].cache: \"on\", must be writeback, writethrough, none or "
	    "unsafe");
	refused(WITH_DISKS("[" DISK("a", "raw", "none") "," DISK(
		    "a", "qcow2", "none") "]"),
	    "disks[1].id: \"a\" is there twice");
	refused(WITH_DISKS("[" TEN("1") "," TEN("1") "]"), "spec.disks: 20");
}

static void
test_cpuargs(void)
{
	static const char *const good[] = {"host", "max", "EPYC-v1",
	    "host,+vmx", "host,-vmx,migratable=off", "z14.2-base",
	    "qemu64,vendor=GenuineIntel,family=6"};
	static const char *const bad[] = {"", ",", "host,", "host,,+x",
	    "host,vmx", "+vmx", "-host", "host +x", "host,+",
	    "host,a=", "host,=b", "host,a=b=c", "host;x", "host\n",
	    "host,a=/etc", "help,?", "help"};
	struct err err;

	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++)
		ok(vm_cpuargs_check(good[i], &err) == 0, "cpuargs %s", good[i]);
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		ok(vm_cpuargs_check(bad[i], &err) == -1, "bad cpuargs %zu", i);
}

static void
test_names(void)
{
	enum vm_accel a = VM_ACCEL_AUTO;
	enum vm_rootfs r = VM_ROOTFS_VIRTIOFS;
	struct err err;

	is_int(vm_accel_parse("kvm", &a, &err), 0, "accel kvm");
	is_str(vm_accel_name(a), "kvm", "its name");
	is_int(vm_accel_parse("xen", &a, &err), -1, "accel xen");
	is_str(err.msg, "\"xen\", must be auto, kvm or tcg", "its sentence");
	is_int(vm_rootfs_parse("9p", &r, &err), 0, "rootfs 9p");
	is_str(vm_rootfs_name(r), "9p", "its name");
	is_int(vm_rootfs_parse("nfs", &r, &err), -1, "rootfs nfs");
	is_str(err.msg, "\"nfs\", must be virtiofs or 9p", "its sentence");
}

int
main(void)
{
	test_round_trip();
	test_minimal();
	test_refused();
	test_disks();
	test_cpuargs();
	test_names();
	return done_testing();
}
