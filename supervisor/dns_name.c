/* SPDX-License-Identifier: Apache-2.0
 * DNS servers that were given by the name of a container. */
#include "supervisor/dns_name.h"

#include <arpa/inet.h>
#include <json-c/json.h>
#include <stdint.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>

#include "lib/cleanup.h"
#include "lib/dns_relay.h"
#include "lib/json.h"

#define WAIT 5		 /* seconds */
#define NAME_MAX_DNS 253 /* RFC 1035, 2.3.4, as text */
#define LABEL_MAX 63
#define TYPE_A 1
#define CLASS_IN 1
#define ANSWER_MAX 4096

/* ---- messages: RFC 1035, section 4.1 ------------------------------------- */

/* Its length; 0: not a name. p has room for any name. */
static size_t
put_query(uint8_t *p, const char *name)
{
	static const uint8_t head[DNS_HEADER] = {
	    0x72, 0x71, 1, 0, 0, 1}; /* RD, one question */
	static const uint8_t tail[] = {0, 0, TYPE_A, 0, CLASS_IN};
	size_t n = DNS_HEADER;

	if (strlen(name) > NAME_MAX_DNS)
		return 0;
	memcpy(p, head, sizeof head);
	while (*name != '\0') {
		size_t len = strcspn(name, ".");

		if (len == 0 || len > LABEL_MAX)
			return 0;
		p[n++] = (uint8_t)len;
		memcpy(p + n, name, len);
		n += len;
		name += len + (name[len] == '.');
	}
	memcpy(p + n, tail, sizeof tail);
	return n + sizeof tail;
}

/* What is behind the name at off; 0: broken. A pointer ends it. */
static size_t
skip_name(const uint8_t *p, size_t len, size_t off)
{
	while (off < len) {
		if (p[off] == 0)
			return off + 1;
		if ((p[off] & 0xc0) == 0xc0)
			return off + 2;
		off += 1 + (size_t)p[off];
	}
	return 0;
}

static unsigned
get_u16(const uint8_t *p)
{
	return (unsigned)(p[0] << 8 | p[1]);
}

bool
dns_name_parse(const uint8_t *p, size_t len, char text[DNS_NAME_TEXT])
{
	unsigned questions, answers;
	size_t off = DNS_HEADER;

	if (len < DNS_HEADER)
		return false;
	questions = get_u16(p + 4);
	answers = get_u16(p + 6);
	while (questions-- > 0)
		if ((off = skip_name(p, len, off)) == 0 || (off += 4) > len)
			return false;
	while (answers-- > 0) {
		size_t size;

		if ((off = skip_name(p, len, off)) == 0 || off + 10 > len)
			return false;
		size = get_u16(p + off + 8);
		if (off + 10 + size > len)
			return false;
		if (get_u16(p + off) == TYPE_A &&
		    get_u16(p + off + 2) == CLASS_IN && size == 4)
			return inet_ntop(AF_INET, p + off + 10, text,
				   DNS_NAME_TEXT) != NULL;
		off += 10 + size;
	}
	return false;
}

/* ---- asking -------------------------------------------------------------- */

static int
ask(const uint8_t *query, size_t len, uint8_t *answer, size_t *answer_len,
    struct err *err)
{
	AUTO_CLOSE int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	struct sockaddr_in docker = {.sin_family = AF_INET,
	    .sin_port = htons(DNS_PORT),
	    .sin_addr.s_addr = htonl(DNS_DOCKER_ADDRESS)};
	const struct timeval wait = {WAIT, 0};
	ssize_t n;

	if (fd == -1 ||
	    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &wait, sizeof wait) == -1 ||
	    connect(fd, (struct sockaddr *)&docker, sizeof docker) == -1 ||
	    send(fd, query, len, 0) == -1 ||
	    (n = recv(fd, answer, ANSWER_MAX, 0)) == -1)
		return err_sys(err, "Docker's DNS server");
	*answer_len = (size_t)n;
	return 0;
}

static int
resolve(
    const char *name, bool docker, char text[DNS_NAME_TEXT], struct err *err)
{
	uint8_t query[DNS_HEADER + NAME_MAX_DNS + 16], answer[ANSWER_MAX];
	size_t len = put_query(query, name), n = 0;

	if (len == 0)
		return err_set(err, "DNS server \"%.64s\": not a name", name);
	if (!docker)
		return err_set(err,
		    "DNS server \"%.64s\": a name is known on a user-defined "
		    "network only; give its address",
		    name);
	if (ask(query, len, answer, &n, err) == -1)
		return err_prefix(err, "DNS server \"%.64s\"", name);
	if (!dns_name_parse(answer, n, text))
		return err_set(err,
		    "DNS server \"%.64s\": no container of that name is on "
		    "the networks of this one",
		    name);
	return 0;
}

static bool
is_address(const char *s)
{
	struct in6_addr bin;

	return inet_pton(AF_INET, s, &bin) == 1 ||
	    inet_pton(AF_INET6, s, &bin) == 1;
}

int
dns_name_servers(struct json_object *dns, bool docker, struct err *err)
{
	struct json_object *servers = NULL;
	char text[DNS_NAME_TEXT];

	if (dns == NULL)
		return 0;
	if (json_opt_arr(dns, "dns", "servers", &servers, err) == -1)
		return -1;
	for (size_t i = 0;
	     servers != NULL && i < json_object_array_length(servers); i++) {
		const char *s = json_object_get_string(
		    json_object_array_get_idx(servers, i));

		if (is_address(s))
			continue;
		if (resolve(s, docker, text, err) == -1)
			return -1;
		json_object_array_put_idx(
		    servers, i, json_object_new_string(text));
	}
	return 0;
}
