/* SPDX-License-Identifier: Apache-2.0
 * A bundle's config.json: the engine's original and what replaces it. */
#include "runtime/bundle.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>

#include "lib/cleanup.h"
#include "lib/json.h"
#include "lib/wire.h"
#include "runtime/xalloc.h"

#define CONFIG "config.json"
#define ORIGINAL "config.json.runq"

/* Reads file of the bundle; what does not fit a START message is refused. */
static int
read_file(struct bundle *b, const char *file, struct err *err)
{
	AUTO_CLOSE int fd = -1;
	struct stat st;
	size_t size;

	fd = openat(b->fd, file, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
	if (fd == -1 || fstat(fd, &st) == -1)
		return err_sys(err, "%s/%s", b->path, file);
	if (!S_ISREG(st.st_mode))
		return err_set(err, "%s/%s: not a regular file", b->path, file);
	if (st.st_size > WIRE_SPEC_MAX)
		return err_set(err, "%s/%s: larger than %u bytes", b->path,
		    file, WIRE_SPEC_MAX);
	size = (size_t)st.st_size;
	free(b->text);
	b->text = xcalloc(size + 1, 1);
	for (b->len = 0; b->len < size;) {
		ssize_t n = read(fd, b->text + b->len, size - b->len);

		if (n == -1 && errno != EINTR)
			return err_sys(err, "read %s/%s", b->path, file);
		if (n == 0)
			break;
		if (n > 0)
			b->len += (size_t)n;
	}
	return 0;
}

static int
load(struct bundle *b, const char *file, struct err *err)
{
	if (read_file(b, file, err) == -1)
		return -1;
	json_object_put(b->config);
	if ((b->config = json_parse(b->text, b->len, file, err)) == NULL)
		return -1;
	if (!json_object_is_type(b->config, json_type_object))
		return err_set(err, "%s: not a JSON object", file);
	return 0;
}

static bool
is_ours(struct json_object *config)
{
	struct json_object *a, *v;

	return json_object_object_get_ex(config, "annotations", &a) &&
	    json_object_is_type(a, json_type_object) &&
	    json_object_object_get_ex(a, BUNDLE_ANNOTATION, &v);
}

int
bundle_open(struct bundle *b, const char *dir, struct err *err)
{
	*b = (struct bundle){.fd = -1};
	if (dir == NULL)
		dir = ".";
	if ((b->path = realpath(dir, NULL)) == NULL)
		return err_sys(err, "bundle %s", dir);
	b->fd = open(b->path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (b->fd == -1)
		return err_sys(err, "bundle %s", b->path);
	if (load(b, CONFIG, err) == -1)
		return -1;
	if (!is_ours(b->config))
		return 0;
	b->saved = true;
	if (load(b, ORIGINAL, err) == -1)
		return err_prefix(err,
		    CONFIG " has the annotation " BUNDLE_ANNOTATION
			   ", but its original cannot be read");
	if (is_ours(b->config))
		return err_set(err,
		    ORIGINAL ": has the annotation " BUNDLE_ANNOTATION
			     ", which is runq's own");
	return 0;
}

void
bundle_close(struct bundle *b)
{
	free(b->path);
	free(b->text);
	json_object_put(b->config);
	if (b->fd != -1)
		close(b->fd);
	*b = (struct bundle){.fd = -1};
}

static int
write_all(int fd, const char *p, size_t n)
{
	while (n > 0) {
		ssize_t w = write(fd, p, n);

		if (w == -1 && errno != EINTR)
			return -1;
		if (w > 0) {
			p += w;
			n -= (size_t)w;
		}
	}
	return 0;
}

/* Under a name of its own first: a reader sees the old file or the new. */
static int
replace(struct bundle *b, const char *file, const char *text, size_t len,
    struct err *err)
{
	AUTO_FREE char *tmp = xasprintf(".%s.%ld", file, (long)getpid());
	AUTO_CLOSE int fd = -1;

	(void)unlinkat(b->fd, tmp, 0);
	/* the environment in it may hold secrets */
	fd = openat(b->fd, tmp,
	    O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (fd == -1)
		return err_sys(err, "%s/%s", b->path, tmp);
	if (write_all(fd, text, len) == -1 ||
	    renameat(b->fd, tmp, b->fd, file) == -1) {
		err_sys(err, "write %s/%s", b->path, file);
		(void)unlinkat(b->fd, tmp, 0);
		return -1;
	}
	return 0;
}

int
bundle_store(struct bundle *b, struct json_object *config, struct err *err)
{
	const char *text;
	size_t len;

	text = json_object_to_json_string_length(config,
	    JSON_C_TO_STRING_PLAIN | JSON_C_TO_STRING_NOSLASHESCAPE, &len);
	xcheck((void *)(uintptr_t)text);
	if (!b->saved && replace(b, ORIGINAL, b->text, b->len, err) == -1)
		return -1;
	b->saved = true;
	return replace(b, CONFIG, text, len, err);
}
