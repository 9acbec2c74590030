/* SPDX-License-Identifier: Apache-2.0
 * The listener for runq-exec, and the certificates that it goes with. */
#include "runtime/listener.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/buf.h"
#include "lib/cleanup.h"
#include "lib/rexec.h"
#include "lib/vm_spec.h"
#include "runtime/settings.h"
#include "runtime/slurp.h"
#include "runtime/xalloc.h"

/* Connections that wait while the VM boots. */
#define BACKLOG 512

/* NULL with err; err is empty when there is no such file. */
static char *
read_pem(const char *dir, const char *name, struct err *err)
{
	AUTO_FREE char *path = xasprintf("%s/%s", dir, name);
	AUTO_CLOSE int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
	struct buf b;
	char *text = NULL;

	err->msg[0] = '\0';
	if (fd == -1) {
		if (errno != ENOENT)
			err_sys(err, "%.512s", path);
		return NULL;
	}
	buf_init(&b, VM_TLS_PEM_MAX);
	if (slurp(fd, path, &b, err) == 0) {
		text = xstrndup((const char *)buf_data(&b), buf_len(&b));
		if (text[0] == '\0' || strlen(text) != buf_len(&b)) {
			err_set(err, "%.512s: not a PEM file", path);
			explicit_bzero(text, strlen(text));
			free(text);
			text = NULL;
		}
	}
	if (buf_len(&b) > 0)
		explicit_bzero(b.mem, b.cap);
	buf_free(&b);
	return text;
}

static int
read_tls(const char *dir, struct vm_tls *tls, struct err *err)
{
	if ((tls->ca = read_pem(dir, "ca.pem", err)) == NULL ||
	    (tls->cert = read_pem(dir, "cert.pem", err)) == NULL ||
	    (tls->key = read_pem(dir, "key.pem", err)) == NULL) {
		vm_tls_wipe(tls);
		return -1;
	}
	return 0;
}

static int
listen_at(const char *id, struct err *err)
{
	AUTO_CLOSE int s = -1;
	struct sockaddr_un sa;
	socklen_t len;
	int fd;

	if (rexec_addr(id, &sa, &len, err) == -1)
		return -1;
	s = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (s == -1 || bind(s, (const struct sockaddr *)&sa, len) == -1 ||
	    listen(s, BACKLOG) == -1)
		return err_sys(err, "listen at @%.128s", sa.sun_path + 1);
	/* out of the way of the descriptors that are handed over */
	if ((fd = fcntl(s, F_DUPFD_CLOEXEC, VM_EXEC_FD + 1)) == -1)
		return err_sys(err, "listen at @%.128s", sa.sun_path + 1);
	return fd;
}

char *
listener_certs(const char *image_dir, bool *inside)
{
	AUTO_FREE char *in = xasprintf("%s/certs", image_dir);
	size_t n = strlen(image_dir);
	struct stat st;
	bool is_dir = lstat(in, &st) == 0 && S_ISDIR(st.st_mode);

	if (inside != NULL)
		*inside = is_dir;
	if (is_dir)
		return xstrdup(in);
	while (n > 0 && image_dir[n - 1] == '/')
		n--;
	while (n > 0 && image_dir[n - 1] != '/')
		n--;
	return xasprintf("%.*scerts", (int)n, image_dir);
}

static void
add_warning(struct vm_spec *spec, char *text)
{
	size_t n = 0;

	while (spec->warnings != NULL && spec->warnings[n] != NULL)
		n++;
	spec->warnings = xreallocarray(spec->warnings, n + 2, sizeof(char *));
	spec->warnings[n] = text;
	spec->warnings[n + 1] = NULL;
}

void
listener_make(const struct settings *s, struct vm_spec *spec, int *fd)
{
	AUTO_FREE char *dir = NULL;
	struct err err;

	*fd = -1;
	if (s->noexec || s->noexec_all)
		return;
	dir = listener_certs(s->image_dir, NULL);
	if (read_tls(dir, &spec->tls, &err) == 0 &&
	    (*fd = listen_at(spec->id, &err)) != -1) {
		spec->exec = true;
		return;
	}
	vm_tls_wipe(&spec->tls);
	if (err.msg[0] != '\0')
		add_warning(spec,
		    xasprintf("runq-exec does not work here: %s", err.msg));
}

int
listener_place(int fd, struct err *err)
{
	int r = dup2(fd, VM_EXEC_FD);

	close(fd);
	return r == -1 ? err_sys(err, "listener for runq-exec") : 0;
}
