/* SPDX-License-Identifier: Apache-2.0
 * The container's network moved to the VM.
 *
 * The order matters:
 *	1. read what the engine set up, describe it for the agent;
 *	2. for each interface make a macvtap and open it;
 *	3. silence this namespace's own stack on the interfaces.
 * Until step 3 all can be undone, and an error does so.
 */
#include "supervisor/net.h"

#include <fcntl.h>
#include <json-c/json.h>
#include <string.h>
#include <unistd.h>

#include "lib/rtnl.h"
#include "supervisor/net_config.h"
#include "supervisor/net_mute.h"
#include "supervisor/net_state.h"
#include "supervisor/net_tap.h"

struct setup {
	struct rtnl *rtnl;
	struct net_state state;
	const struct net_link *links[NET_NICS_MAX]; /* of state */
	struct net_tap taps[NET_NICS_MAX];
	size_t n_taps; /* that were begun */
};

static int
choose_links(struct setup *s, struct net *net, struct err *err)
{
	for (size_t i = 0; i < s->state.n_links; i++) {
		const struct net_link *link = &s->state.links[i];
		int carries = net_config_carries(link, err);
		struct net_nic *nic = &net->nics[net->n];

		if (carries == -1)
			return -1;
		if (carries == 0)
			continue;
		if (net->n == NET_NICS_MAX)
			return err_set(err,
			    "interface %s: too many interfaces (allowed: up to "
			    "%d)",
			    link->name, NET_NICS_MAX);
		*nic = (struct net_nic){
		    .mtu = link->mtu, .tap_fd = -1, .vhost_fd = -1};
		memcpy(nic->name, link->name, sizeof nic->name);
		memcpy(nic->mac, link->mac, sizeof nic->mac);
		s->links[net->n++] = link;
	}
	return 0;
}

static int
make_taps(struct setup *s, struct net *net, struct err *err)
{
	for (size_t i = 0; i < net->n; i++) {
		s->n_taps++;
		if (net_tap_create(s->rtnl, s->links[i], &s->taps[i], err) ==
		    -1)
			return -1;
		net->nics[i].tap_fd = net_tap_open(&s->taps[i], err);
		if (net->nics[i].tap_fd == -1)
			return err_prefix(
			    err, "interface %s", net->nics[i].name);
		/* Faster where the host has it, and nothing without. */
		net->nics[i].vhost_fd =
		    open("/dev/vhost-net", O_RDWR | O_CLOEXEC);
	}
	return 0;
}

/* Redirections are Docker Swarm's: it gives a task whose ports it publishes two
 * interfaces at least. */
static int
read_redirects(struct setup *s, const struct net *net, struct err *err)
{
	return net->n < 2 ? 0 : net_redirects_read(&s->state.redirects, err);
}

static int
run(struct setup *s, struct net *net, struct err *err)
{
	if ((s->rtnl = rtnl_open(0, err)) == NULL ||
	    net_state_read(s->rtnl, &s->state, err) == -1 ||
	    choose_links(s, net, err) == -1 ||
	    read_redirects(s, net, err) == -1)
		return -1;
	if ((net->config = net_config_json(&s->state)) == NULL)
		return err_set(err, "network: out of memory");
	if (make_taps(s, net, err) == -1 ||
	    net_mute(s->rtnl, s->links, net->n, err) == -1)
		return -1;
	return 0;
}

int
net_setup(struct net *net, struct err *err)
{
	struct setup s = {.n_taps = 0};
	int r;

	*net = (struct net){.n = 0};
	if ((r = run(&s, net, err)) == -1) {
		while (s.n_taps-- > 0)
			net_tap_delete(
			    s.rtnl, s.links[s.n_taps], &s.taps[s.n_taps]);
		net_free(net);
	}
	net_state_free(&s.state);
	rtnl_close(s.rtnl);
	return r;
}

void
net_free(struct net *net)
{
	for (size_t i = 0; i < net->n; i++) {
		if (net->nics[i].tap_fd >= 0)
			close(net->nics[i].tap_fd);
		if (net->nics[i].vhost_fd >= 0)
			close(net->nics[i].vhost_fd);
	}
	json_object_put(net->config);
	*net = (struct net){.n = 0};
}
