/* SPDX-License-Identifier: Apache-2.0
 * runq-exec: runs a command in a running container, as docker exec does, over
 * a connection of its own that both sides authenticate. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "config.h"
#include "lib/err.h"
#include "lib/log.h"
#include "runtime/rexec_cli.h"
#include "runtime/rexec_docker.h"
#include "runtime/rexec_session.h"
#include "runtime/rexec_tls.h"

static const char usage[] =
    "Usage:\n"
    "  runq-exec [options] <container> command args\n"
    "\n"
    "Run a command in a running runq container\n"
    "\n"
    "Options:\n"
    "  -c, --tlscert string     TLS certificate file (default \"" RUNQ_PREFIX
    "/cert.pem\")\n"
    "  -k, --tlskey string      TLS private key file (default \"" RUNQ_PREFIX
    "/key.pem\")\n"
    "      --tlscacert string   authority of the containers' certificates\n"
    "                           (default \"" RUNQ_PREFIX "/ca.pem\")\n"
    "  -e, --env stringArray    Set environment variables for command\n"
    "  -h, --help               Print this help\n"
    "  -i, --interactive        Keep STDIN open even if not attached\n"
    "  -t, --tty                Allocate a pseudo-TTY\n"
    "  -v, --version            Print version\n"
    "\n"
    "Environment Variable:\n"
    "  DOCKER_HOST    specifies the Docker daemon socket.\n"
    "\n"
    "Example:\n"
    "  runq-exec -ti a6c3b7c bash\n";

/* Nobody listens, or that is what it looks like. */
static int
no_listener(const struct docker_host *host, const struct docker_container *c,
    const char *name, struct err *err)
{
	if (errno != ECONNREFUSED && errno != ENOENT)
		return -1;
	if (docker_runtime_is_runq(host, c->runtime) == 0)
		return err_set(err,
		    "container %s is not a runq container (its runtime is "
		    "%.64s)",
		    name, c->runtime);
	if (c->noexec)
		return err_set(err,
		    "container %s does not allow runq-exec: it has RUNQ_NOEXEC "
		    "in its environment",
		    name);
	return err_set(err,
	    "container %s does not allow runq-exec: it was started with "
	    "--noexec, or without certificates in " RUNQ_PREFIX
	    "/certs, or it is not on this host",
	    name);
}

static int
connect_to(struct rexec_tls *tls, const struct rexec_cli *cli,
    struct docker_container *c, struct err *err)
{
	const char *text = getenv("DOCKER_HOST");
	struct docker_host host;

	if (text == NULL || text[0] == '\0')
		text = DOCKER_HOST_DEFAULT;
	if (docker_host_parse(text, &host, err) == -1 ||
	    docker_find(&host, cli->container, c, err) == -1)
		return -1;
	if (rexec_tls_connect(tls, c->id, err) == -1)
		return no_listener(&host, c, cli->container, err);
	return 0;
}

static int
run(const struct rexec_cli *cli, struct err *err)
{
	struct docker_container c = {.id = NULL};
	struct rexec_tls *tls;
	int code = REXEC_FAILED;

	if (cli->tty && cli->interactive && !isatty(STDIN_FILENO)) {
		err_set(err, "-t: stdin is not a terminal; use -i alone");
		return code;
	}
	tls = rexec_tls_new(cli->tls_ca, cli->tls_cert, cli->tls_key, err);
	if (tls == NULL)
		return code;
	if (connect_to(tls, cli, &c, err) == 0)
		code = rexec_session(tls, c.id, cli, err);
	rexec_tls_free(tls);
	docker_container_free(&c);
	return code;
}

int
main(int argc, char **argv)
{
	struct err err = {""};
	struct rexec_cli cli;
	int code = REXEC_FAILED;

	log_init("runq-exec", STDERR_FILENO, LOG_LEVEL_WARN);
	if (rexec_cli_parse(&cli, argc, argv, &err) == 0) {
		if (cli.help) {
			fputs(usage, stdout);
			code = 0;
		} else if (cli.version) {
			printf("runq-exec version %s\n", PACKAGE_VERSION);
			code = 0;
		} else {
			code = run(&cli, &err);
		}
	}
	if (err.msg[0] != '\0')
		log_error("%s", err.msg);
	rexec_cli_free(&cli);
	return code;
}
