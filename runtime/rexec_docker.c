/* SPDX-License-Identifier: Apache-2.0
 * Asks the Docker API which container a name or short id means. */
#include "runtime/rexec_docker.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>

#include "lib/cleanup.h"
#include "lib/json.h"
#include "lib/vm_spec.h"
#include "runtime/rexec_http.h"

#define BODY_MAX (32u << 20)
#define TIMEOUT 30 /* seconds without a byte */

/* As Docker has them: a letter or digit, then also "_.-". */
#define NAME_CHARS                                                             \
	"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_.-"
#define NAME_MAX_LEN 255

/* ---- DOCKER_HOST --------------------------------------------------------- */

static int
parse_tcp(const char *s, struct docker_host *out)
{
	const char *colon = strrchr(s, ':'), *end;
	size_t n;

	if (colon == NULL)
		return -1;
	end = colon;
	if (*s == '[') { /* an IPv6 address */
		if (end[-1] != ']')
			return -1;
		s++;
		end--;
	}
	n = (size_t)(end - s);
	if (n == 0 || n >= sizeof out->host ||
	    (end == colon && memchr(s, ':', n) != NULL))
		return -1;
	memcpy(out->host, s, n);
	out->host[n] = '\0';
	n = strspn(colon + 1, "0123456789");
	if (n == 0 || n > 5 ||
	    (colon[1 + n] != '\0' && strcmp(colon + 1 + n, "/") != 0))
		return -1;
	memcpy(out->port, colon + 1, n);
	out->port[n] = '\0';
	return 0;
}

int
docker_host_parse(const char *text, struct docker_host *out, struct err *err)
{
	*out = (struct docker_host){.tcp = false};
	if (strncmp(text, "unix:///", 8) == 0 &&
	    strlen(text + 7) < sizeof out->path) {
		strcpy(out->path, text + 7);
		return 0;
	}
	out->tcp = true;
	if (strncmp(text, "tcp://", 6) == 0 && parse_tcp(text + 6, out) == 0)
		return 0;
	return err_set(err,
	    "DOCKER_HOST: \"%.256s\" (allowed: unix:///PATH or "
	    "tcp://HOST:PORT)",
	    text);
}

/* ---- one request --------------------------------------------------------- */

static int
dial_unix(const struct docker_host *h, struct err *err)
{
	struct sockaddr_un sa = {.sun_family = AF_UNIX};
	AUTO_CLOSE int fd = -1;

	strcpy(sa.sun_path, h->path);
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd == -1 ||
	    connect(fd, (const struct sockaddr *)&sa, sizeof sa) == -1)
		return err_sys(err, "Docker API at %s", h->path);
	return take_fd(&fd);
}

static int
dial_tcp(const struct docker_host *h, struct err *err)
{
	const struct timeval tv = {TIMEOUT, 0};
	struct addrinfo hints = {.ai_socktype = SOCK_STREAM}, *all, *a;
	int fd = -1, r;

	if ((r = getaddrinfo(h->host, h->port, &hints, &all)) != 0)
		return err_set(
		    err, "Docker API at %s: %s", h->host, gai_strerror(r));
	for (a = all; a != NULL && fd == -1; a = a->ai_next) {
		fd = socket(a->ai_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
		if (fd == -1)
			continue;
		setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &tv, sizeof tv);
		if (connect(fd, a->ai_addr, a->ai_addrlen) == -1) {
			r = errno;
			close(take_fd(&fd));
			errno = r;
		}
	}
	freeaddrinfo(all);
	if (fd == -1)
		return err_sys(
		    err, "Docker API at %s, port %s", h->host, h->port);
	return fd;
}

static int
exchange(int fd, const char *path, struct http *http, struct err *err)
{
	const struct timeval tv = {TIMEOUT, 0};
	char request[NAME_MAX_LEN + 200], chunk[16384];
	ssize_t n;
	int len;

	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &tv, sizeof tv);
	setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &tv, sizeof tv);
	len = snprintf(request, sizeof request,
	    "GET %s HTTP/1.1\r\nHost: docker\r\nAccept: application/json\r\n"
	    "User-Agent: runq-exec\r\nConnection: close\r\n\r\n",
	    path);
	if (send(fd, request, (size_t)len, MSG_NOSIGNAL) != len)
		return err_sys(err, "Docker API: send");
	while (http->state != HTTP_DONE) {
		n = recv(fd, chunk, sizeof chunk, 0);
		if (n == -1 && errno == EINTR)
			continue;
		if (n == -1 && (errno == EAGAIN || errno == EWOULDBLOCK))
			return err_set(err,
			    "Docker API: no answer in %d seconds", TIMEOUT);
		if (n == -1)
			return err_sys(err, "Docker API: receive");
		if ((n == 0 ? http_end(http, err)
			    : http_feed(http, chunk, (size_t)n, err)) == -1)
			return err_prefix(err, "Docker API");
	}
	return 0;
}

static int
get(const struct docker_host *host, const char *path, struct http *http,
    struct err *err)
{
	AUTO_CLOSE int fd = -1;

	fd = host->tcp ? dial_tcp(host, err) : dial_unix(host, err);
	return fd == -1 ? -1 : exchange(fd, path, http, err);
}

/* ---- containers ---------------------------------------------------------- */

static int
parse_config(
    struct json_object *o, struct docker_container *out, struct err *err)
{
	AUTO_FREE const char **env = NULL;
	struct json_object *config = NULL;
	size_t n = 0;

	if (json_opt_obj(o, "container", "Config", &config, err) == -1 ||
	    (config != NULL &&
		json_opt_strv(config, "Config", "Env", &env, &n, err) == -1))
		return -1;
	for (size_t i = 0; i < n; i++)
		if (strncmp(env[i], "RUNQ_NOEXEC=", 12) == 0)
			out->noexec = true;
	return 0;
}

static int
parse(struct json_object *o, const char *name, struct docker_container *out,
    struct err *err)
{
	struct json_object *state, *host = NULL;
	const char *id, *runtime = "?", *status = "not running";
	bool running = false, paused = false;

	if (json_need_str(o, "container", "Id", &id, err) == -1 ||
	    json_need_obj(o, "container", "State", &state, err) == -1 ||
	    json_opt_bool(state, "State", "Running", &running, err) == -1 ||
	    json_opt_bool(state, "State", "Paused", &paused, err) == -1 ||
	    json_opt_str(state, "State", "Status", &status, err) == -1 ||
	    json_opt_obj(o, "container", "HostConfig", &host, err) == -1 ||
	    (host != NULL &&
		json_opt_str(host, "HostConfig", "Runtime", &runtime, err) ==
		    -1) ||
	    parse_config(o, out, err) == -1 || vm_id_check(id, err) == -1)
		return err_prefix(err, "Docker API");
	if (!running)
		return err_set(
		    err, "container %s is not running (%.32s)", name, status);
	if (paused)
		return err_set(err, "container %s is paused", name);
	out->id = strdup(id);
	out->runtime = strdup(runtime);
	if (out->id == NULL || out->runtime == NULL)
		return err_set(err, "out of memory");
	return 0;
}

int
docker_parse(const char *text, size_t len, const char *name,
    struct docker_container *out, struct err *err)
{
	AUTO_JSON struct json_object *o = NULL;

	if ((o = json_parse(text, len, "Docker API", err)) == NULL)
		return -1;
	return parse(o, name, out, err);
}

/* What Docker says about a request that it refused. */
static int
refused(const struct http *http, const char *name, struct err *err)
{
	AUTO_JSON struct json_object *o = NULL;
	const char *message = "no reason given";

	if (http->status == 404)
		return err_set(err, "no such container: %s", name);
	o = json_parse((const char *)buf_data(&http->body),
	    buf_len(&http->body), "Docker API", err);
	if (o != NULL)
		json_opt_str(o, "Docker API", "message", &message, err);
	return err_set(err, "container %s: Docker says (status %d): %.512s",
	    name, http->status, message);
}

int
docker_find(const struct docker_host *host, const char *name,
    struct docker_container *out, struct err *err)
{
	char path[NAME_MAX_LEN + 32];
	struct http *http;
	size_t n = strlen(name);
	int r = -1;

	*out = (struct docker_container){.id = NULL};
	if (n == 0 || n > NAME_MAX_LEN || strspn(name, NAME_CHARS) != n ||
	    strchr("_.-", name[0]) != NULL)
		return err_set(err,
		    "\"%.64s\" is no container's name or id (allowed: letters, "
		    "digits and \"_.-\")",
		    name);
	snprintf(path, sizeof path, "/containers/%s/json", name);
	if ((http = malloc(sizeof *http)) == NULL)
		return err_set(err, "out of memory");
	http_init(http, BODY_MAX);
	if (get(host, path, http, err) == 0)
		r = http->status == 200
		    ? docker_parse((const char *)buf_data(&http->body),
			  buf_len(&http->body), name, out, err)
		    : refused(http, name, err);
	http_free(http);
	free(http);
	return r;
}

void
docker_container_free(struct docker_container *c)
{
	free(c->id);
	free(c->runtime);
	*c = (struct docker_container){.id = NULL};
}

/* ---- runtimes ------------------------------------------------------------ */

static int
is_runq(struct json_object *info, const char *runtime)
{
	struct json_object *all = NULL, *one = NULL;
	const char *path = NULL, *base;

	if (json_opt_obj(info, "info", "Runtimes", &all, NULL) == -1 ||
	    all == NULL ||
	    json_opt_obj(all, "Runtimes", runtime, &one, NULL) == -1 ||
	    one == NULL ||
	    json_opt_str(one, "runtime", "path", &path, NULL) == -1 ||
	    path == NULL)
		return -1;
	base = strrchr(path, '/') != NULL ? strrchr(path, '/') + 1 : path;
	return strncmp(base, "runq", 4) == 0;
}

int
docker_runtime_is_runq(const struct docker_host *host, const char *runtime)
{
	AUTO_JSON struct json_object *o = NULL;
	struct http *http = malloc(sizeof *http);
	int r = -1;

	if (http == NULL)
		return -1;
	http_init(http, BODY_MAX);
	if (get(host, "/info", http, NULL) == 0 && http->status == 200 &&
	    (o = json_parse((const char *)buf_data(&http->body),
		 buf_len(&http->body), "Docker API", NULL)) != NULL)
		r = is_runq(o, runtime);
	http_free(http);
	free(http);
	return r;
}
