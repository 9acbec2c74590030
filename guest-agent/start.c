/* SPDX-License-Identifier: Apache-2.0
 * START carried out for the VM as a whole. */
#include "guest-agent/start.h"

#include <fcntl.h>
#include <linux/random.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "guest-agent/modules.h"
#include "guest-agent/net.h"
#include "guest-agent/session.h"
#include "lib/cleanup.h"
#include "lib/json.h"
#include "lib/paths.h"
#include "lib/vm_spec.h"

#define SEED_MAX 64
#define NET_DEADLINE 10000 /* ms for an interface to appear */

/* A restored VM lives in the time when it was saved. */
static int
set_clock(struct json_object *doc, struct err *err)
{
	struct json_object *o = NULL;
	struct timespec now;
	int64_t sec, nsec;

	if (json_opt_obj(doc, "START", "clock", &o, err) == -1)
		return -1;
	if (o == NULL)
		return 0;
	if (json_need_int(o, "clock", "sec", 0, INT64_MAX, &sec, err) == -1 ||
	    json_need_int(o, "clock", "nsec", 0, 999999999, &nsec, err) == -1)
		return -1;
	clock_gettime(CLOCK_REALTIME, &now);
	if (llabs(now.tv_sec - sec) <= 1)
		return 0;
	now = (struct timespec){.tv_sec = sec, .tv_nsec = nsec};
	if (clock_settime(CLOCK_REALTIME, &now) == -1)
		return err_sys(err, "set the clock");
	return 0;
}

static int
hex_digit(char c)
{
	static const char digits[] = "0123456789abcdef";
	const char *p = c == '\0' ? NULL : strchr(digits, c);

	return p == NULL ? -1 : (int)(p - digits);
}

/* random(4), RNDADDENTROPY: the host's bytes count as entropy. */
static int
add_seed(struct json_object *doc, struct err *err)
{
	/* struct rand_pool_info of linux/random.h, with room */
	struct {
		int entropy_count; /* bits */
		int buf_size;	   /* bytes */
		unsigned char bytes[SEED_MAX];
	} pool = {0};
	AUTO_CLOSE int fd = -1;
	const char *hex = NULL;
	size_t n;

	if (json_opt_str(doc, "START", "seed", &hex, err) == -1)
		return -1;
	if (hex == NULL)
		return 0;
	n = strlen(hex) / 2;
	if (n > SEED_MAX || strlen(hex) % 2 != 0)
		return err_set(err, "START.seed: %zu digits", strlen(hex));
	for (size_t i = 0; i < n; i++) {
		int hi = hex_digit(hex[2 * i]), lo = hex_digit(hex[2 * i + 1]);

		if (hi == -1 || lo == -1)
			return err_set(err, "START.seed: not hexadecimal");
		pool.bytes[i] = (unsigned char)(hi << 4 | lo);
	}
	pool.entropy_count = (int)(n * 8);
	pool.buf_size = (int)n;
	if ((fd = open("/dev/urandom", O_WRONLY | O_CLOEXEC)) == -1 ||
	    ioctl(fd, RNDADDENTROPY, &pool) == -1)
		return err_sys(err, "add entropy");
	return 0;
}

/*
 * msize: the largest that virtio takes, 125 pages of 4096 bytes of its 128
 * descriptors. Access rights are looked at here and not by the host, for each
 * user ("client", the default of 9p2000.L).
 */
static int
mount_9p(struct json_object *share, struct err *err)
{
	const char *cache = NULL;
	char options[128];

	if (json_need_str(share, "share", "cache", &cache, err) == -1)
		return -1;
	if (vm_9pcache_check(cache, err) == -1)
		return err_prefix(err, "share.cache");
	if (modules_load("9p", err) == -1)
		return -1;
	snprintf(options, sizeof(options),
	    "trans=virtio,version=9p2000.L,msize=512000,cache=%s", cache);
	if (mount(SHARE_TAG, PATH_SHARE, "9p", 0, options) == -1)
		return err_sys(err, "mount the share by 9p");
	return 0;
}

static int
mount_share(struct json_object *doc, struct err *err)
{
	struct json_object *share = NULL;

	if (json_opt_obj(doc, "START", "share", &share, err) == -1)
		return -1;
	mkdir(PATH_SHARE, 0755);
	if (share != NULL)
		return mount_9p(share, err);
	if (modules_load("virtiofs", err) == -1)
		return -1;
	if (mount(SHARE_TAG, PATH_SHARE, "virtiofs", 0, NULL) == -1)
		return err_sys(err, "mount the share");
	return 0;
}

static int
set_network(struct json_object *doc, struct err *err)
{
	struct json_object *net = NULL, *nics = NULL;

	if (json_opt_obj(doc, "START", "network", &net, err) == -1 ||
	    (net != NULL &&
		json_opt_arr(net, "network", "interfaces", &nics, err) == -1))
		return -1;
	if (nics != NULL && json_object_array_length(nics) > 0 &&
	    modules_load("net", err) == -1)
		return -1;
	return net_configure(net, NET_DEADLINE, err);
}

struct container *
start_prepare(struct json_object *doc, const struct copytree_progress *progress,
    struct err *err)
{
	struct json_object *container, *dns = NULL;
	struct container *c;
	int64_t version;

	if (json_need_int(doc, "START", "version", VM_SPEC_VERSION,
		VM_SPEC_VERSION, &version, err) == -1 ||
	    json_need_obj(doc, "START", "container", &container, err) == -1 ||
	    json_opt_obj(doc, "START", "dns", &dns, err) == -1 ||
	    set_clock(doc, err) == -1 || add_seed(doc, err) == -1 ||
	    mount_share(doc, err) == -1 || set_network(doc, err) == -1)
		return NULL;
	if ((c = container_new(container, dns, err)) == NULL)
		return NULL;
	if (container_attach(c, progress, err) == -1) {
		container_release(c);
		container_free(c);
		return NULL;
	}
	return c;
}

bool
start_wants_dns(struct json_object *doc)
{
	struct json_object *net = NULL;
	bool wanted = false;

	(void)json_opt_obj(doc, "START", "network", &net, NULL);
	if (net != NULL)
		(void)json_opt_bool(
		    net, "network", "docker_dns", &wanted, NULL);
	return wanted;
}

int
start_stdio(struct json_object *doc, struct session *s, struct err *err)
{
	struct process_io *io = session_io(s);
	struct json_object *t = NULL;
	int64_t rows, columns;
	bool null = false, onlcr = true;

	if (json_opt_obj(doc, "START", "terminal", &t, err) == -1 ||
	    json_opt_bool(doc, "START", "stdin_null", &null, err) == -1)
		return -1;
	if (null)
		session_without_stdin(s);
	if (t == NULL)
		return 0;
	if (json_need_int(t, "terminal", "rows", 0, 65535, &rows, err) == -1 ||
	    json_need_int(t, "terminal", "columns", 0, 65535, &columns, err) ==
		-1)
		return -1;
	if (json_opt_bool(t, "terminal", "onlcr", &onlcr, err) == -1)
		return -1;
	io->no_onlcr = !onlcr;
	io->rows = (uint32_t)rows;
	io->columns = (uint32_t)columns;
	return 0;
}
