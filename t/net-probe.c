/* SPDX-License-Identifier: Apache-2.0
 * Plays supervisor, QEMU and guest for the network tests: moves this network
 * namespace's interfaces with net_setup(), makes a tap of the same MAC address
 * in another namespace in place of each virtio-net, configures that namespace
 * with net_configure(), and carries the frames between the two.
 *
 *	net-probe setup			net_setup() alone; prints its JSON
 *	net-probe vm NETNS [late]	all of it; prints the JSON when the
 *					"guest" is ready, then carries frames
 *					until its stdin ends. late: the taps
 *					appear when the guest waits for them
 *	net-probe guest MS <JSON	net_configure() alone, deadline MS
 *	net-probe advertise IF		sends a router advertisement for
 *					2001:db8:77::/64
 */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <json-c/json.h>
#include <linux/if_tun.h>
#include <net/if_arp.h>
#include <netinet/icmp6.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "guest-agent/net.h"
#include "lib/json.h"
#include "supervisor/net.h"

#define DEADLINE_MS 10000

static int
fail(const char *what)
{
	fprintf(stderr, "net-probe: %s: %s\n", what, strerror(errno));
	return 1;
}

static int
fail_err(const struct err *err)
{
	fprintf(stderr, "net-probe: %s\n", err->msg);
	return 1;
}

/* A tap in the current namespace in place of the guest's virtio-net. */
static int
make_nic(const struct net_nic *nic, size_t i)
{
	struct ifreq ifr = {.ifr_flags = IFF_TAP | IFF_NO_PI | IFF_VNET_HDR};
	int fd = open("/dev/net/tun", O_RDWR | O_NONBLOCK | O_CLOEXEC);
	int sock = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	/* Names that collide with those to be given: eth1, eth0, eth3... */
	snprintf(ifr.ifr_name, sizeof ifr.ifr_name, "eth%zu", i ^ 1);
	if (fd == -1 || sock == -1 || ioctl(fd, TUNSETIFF, &ifr) == -1)
		return -1;
	ifr.ifr_hwaddr.sa_family = ARPHRD_ETHER;
	memcpy(ifr.ifr_hwaddr.sa_data, nic->mac, sizeof nic->mac);
	if (ioctl(sock, SIOCSIFHWADDR, &ifr) == -1)
		return -1;
	close(sock);
	return fd;
}

static int
make_nics(const struct net *net, int *fds)
{
	const unsigned offload = TUN_F_CSUM | TUN_F_TSO4 | TUN_F_TSO6;

	for (size_t i = 0; i < net->n; i++) {
		if ((fds[i] = make_nic(&net->nics[i], i)) == -1)
			return fail("tap");
		/* as QEMU does with what the guest's driver accepted */
		if (ioctl(fds[i], TUNSETOFFLOAD, offload) == -1 ||
		    ioctl(net->nics[i].tap_fd, TUNSETOFFLOAD, offload) == -1)
			return fail("TUNSETOFFLOAD");
	}
	return 0;
}

static int
enter(const char *netns)
{
	char path[256];
	int fd;

	snprintf(path, sizeof path, "/run/netns/%s", netns);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd == -1 || setns(fd, CLONE_NEWNET) == -1)
		return fail(path);
	close(fd);
	return 0;
}

/* Until process pid sleeps in poll(2). */
static int
wait_for_poll(pid_t pid)
{
	char path[64], line[64];
	const struct timespec tick = {.tv_nsec = 2000000};
	FILE *f;

	snprintf(path, sizeof path, "/proc/%d/wchan", pid);
	for (int i = 0; i < DEADLINE_MS / 2; i++) {
		if ((f = fopen(path, "re")) == NULL)
			return fail(path);
		line[0] = '\0';
		if (fgets(line, sizeof line, f) != NULL &&
		    strstr(line, "poll") != NULL) {
			fclose(f);
			return 0;
		}
		fclose(f);
		nanosleep(&tick, NULL);
	}
	errno = ETIMEDOUT;
	return fail(path);
}

/* net_configure() in a child, so that the taps can be made while it waits. */
static int
configure(const struct net *net, int *fds, int late)
{
	struct err err;
	int status;
	pid_t pid;

	if (!late && make_nics(net, fds) != 0)
		return 1;
	fflush(NULL);
	if ((pid = fork()) == 0) {
		if (net_configure(net->config, DEADLINE_MS, &err) == -1)
			_exit(fail_err(&err));
		_exit(0);
	}
	if (late && (wait_for_poll(pid) != 0 || make_nics(net, fds) != 0)) {
		kill(pid, SIGKILL);
		return 1;
	}
	if (waitpid(pid, &status, 0) == -1)
		return fail("wait");
	return status != 0;
}

static void
carry(int from, int to)
{
	static char frame[65536 + 64];
	ssize_t n;

	while ((n = read(from, frame, sizeof frame)) > 0)
		if (write(to, frame, (size_t)n) == -1 && errno == EBADFD)
			break;
}

static int
carry_all(const struct net *net, const int *fds)
{
	struct pollfd p[2 * NET_NICS_MAX + 1];
	size_t n = net->n;

	for (size_t i = 0; i < n; i++) {
		p[2 * i] = (struct pollfd){net->nics[i].tap_fd, POLLIN, 0};
		p[2 * i + 1] = (struct pollfd){fds[i], POLLIN, 0};
	}
	p[2 * n] = (struct pollfd){0, POLLIN, 0};
	for (;;) {
		if (poll(p, 2 * n + 1, -1) == -1)
			return fail("poll");
		for (size_t i = 0; i < n; i++) {
			carry(p[2 * i].fd, p[2 * i + 1].fd);
			carry(p[2 * i + 1].fd, p[2 * i].fd);
		}
		if (p[2 * n].revents != 0)
			return 0;
	}
}

static void
print_json(const struct net *net)
{
	puts(json_object_to_json_string_ext(net->config,
	    JSON_C_TO_STRING_PLAIN | JSON_C_TO_STRING_NOSLASHESCAPE));
	fflush(stdout);
}

static int
check_nics(const struct net *net)
{
	for (size_t i = 0; i < net->n; i++) {
		int fd = net->nics[i].tap_fd;

		if (!(fcntl(fd, F_GETFL) & O_NONBLOCK) ||
		    !(fcntl(fd, F_GETFD) & FD_CLOEXEC)) {
			fprintf(stderr, "net-probe: %s: flags of the tap\n",
			    net->nics[i].name);
			return 1;
		}
	}
	return 0;
}

static int
vm(const char *netns, int late)
{
	int fds[NET_NICS_MAX];
	struct net net;
	struct err err;
	int r = 1;

	if (net_setup(&net, &err) == -1)
		return fail_err(&err);
	if (check_nics(&net) == 0 && enter(netns) == 0 &&
	    configure(&net, fds, late) == 0) {
		print_json(&net);
		r = carry_all(&net, fds);
	}
	net_free(&net);
	return r;
}

static int
setup(void)
{
	struct net net;
	struct err err;

	if (net_setup(&net, &err) == -1)
		return fail_err(&err);
	print_json(&net);
	net_free(&net);
	return 0;
}

static int
guest(int deadline_ms)
{
	static char text[65536];
	size_t n = fread(text, 1, sizeof text, stdin);
	struct json_object *network;
	struct err err;
	int r = 0;

	network = json_parse(text, n, "network", &err);
	if (network == NULL || net_configure(network, deadline_ms, &err) == -1)
		r = fail_err(&err);
	json_object_put(network);
	return r;
}

/* RFC 4861, 4.2 and 4.6.2; the kernel puts the checksum in. */
static int
advertise(const char *name)
{
	struct {
		struct nd_router_advert ra;
		struct nd_opt_prefix_info prefix;
	} m = {.ra = {.nd_ra_type = ND_ROUTER_ADVERT,
		   .nd_ra_router_lifetime = htons(1800)},
	    .prefix = {.nd_opt_pi_type = ND_OPT_PREFIX_INFORMATION,
		.nd_opt_pi_len = sizeof m.prefix / 8,
		.nd_opt_pi_prefix_len = 64,
		.nd_opt_pi_flags_reserved =
		    ND_OPT_PI_FLAG_ONLINK | ND_OPT_PI_FLAG_AUTO,
		.nd_opt_pi_valid_time = htonl(3600),
		.nd_opt_pi_preferred_time = htonl(3600)}};
	struct sockaddr_in6 all = {
	    .sin6_family = AF_INET6, .sin6_scope_id = if_nametoindex(name)};
	int fd = socket(AF_INET6, SOCK_RAW | SOCK_CLOEXEC, IPPROTO_ICMPV6);
	int hops = 255;

	inet_pton(AF_INET6, "ff02::1", &all.sin6_addr);
	inet_pton(AF_INET6, "2001:db8:77::", &m.prefix.nd_opt_pi_prefix);
	if (fd == -1 ||
	    setsockopt(fd, IPPROTO_IPV6, IPV6_MULTICAST_HOPS, &hops,
		sizeof hops) == -1 ||
	    sendto(fd, &m, sizeof m, 0, (struct sockaddr *)&all, sizeof all) ==
		-1)
		return fail("advertise");
	close(fd);
	return 0;
}

int
main(int argc, char **argv)
{
	if (argc == 2 && strcmp(argv[1], "setup") == 0)
		return setup();
	if (argc >= 3 && strcmp(argv[1], "vm") == 0)
		return vm(argv[2], argc > 3);
	if (argc == 3 && strcmp(argv[1], "guest") == 0)
		return guest(atoi(argv[2]));
	if (argc == 3 && strcmp(argv[1], "advertise") == 0)
		return advertise(argv[2]);
	fprintf(stderr,
	    "usage: net-probe setup | vm NETNS [late] | "
	    "guest MS | advertise IF\n");
	return 2;
}
