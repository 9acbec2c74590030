/* SPDX-License-Identifier: Apache-2.0
 * The command line of runq-exec. */
#include "runtime/rexec_cli.h"

#include <getopt.h>
#include <string.h>

#include "runtime/xalloc.h"

enum {
	OPT_TLSCACERT = 256
};

static const struct option options[] = {
    {"tlscert", required_argument, NULL, 'c'},
    {"tlskey", required_argument, NULL, 'k'},
    {"tlscacert", required_argument, NULL, OPT_TLSCACERT},
    {"env", required_argument, NULL, 'e'},
    {"help", no_argument, NULL, 'h'},
    {"interactive", no_argument, NULL, 'i'},
    {"tty", no_argument, NULL, 't'},
    {"version", no_argument, NULL, 'v'},
    {NULL, 0, NULL, 0},
};

static int
add_env(struct rexec_cli *c, const char *s, struct err *err)
{
	const char *value;

	if (s[0] == '\0' || s[0] == '=')
		return err_set(
		    err, "-e \"%.64s\" (allowed: NAME=VALUE or NAME)", s);
	if (strchr(s, '=') != NULL)
		strlist_add(&c->env, s);
	else if ((value = getenv(s)) != NULL)
		strlist_take(&c->env, xasprintf("%s=%s", s, value));
	return 0;
}

static int
take_option(struct rexec_cli *c, int opt, char **argv, struct err *err)
{
	switch (opt) {
	case 'c':
		c->tls_cert = optarg;
		return 0;
	case 'k':
		c->tls_key = optarg;
		return 0;
	case OPT_TLSCACERT:
		c->tls_ca = optarg;
		return 0;
	case 'e':
		return add_env(c, optarg, err);
	case 'h':
		c->help = true;
		return 0;
	case 'i':
		c->interactive = true;
		return 0;
	case 't':
		c->tty = true;
		return 0;
	case 'v':
		c->version = true;
		return 0;
	case ':':
		return err_set(err, "option %.64s needs a value; see --help",
		    argv[optind - 1]);
	default:
		if (optopt > 0 && optopt < OPT_TLSCACERT)
			return err_set(
			    err, "unknown option -%c; see --help", optopt);
		return err_set(
		    err, "unknown option %.64s; see --help", argv[optind - 1]);
	}
}

int
rexec_cli_parse(struct rexec_cli *c, int argc, char **argv, struct err *err)
{
	int opt;

	*c = (struct rexec_cli){.tls_cert = RUNQ_PREFIX "/cert.pem",
	    .tls_key = RUNQ_PREFIX "/key.pem",
	    .tls_ca = RUNQ_PREFIX "/ca.pem"};
	optind = 0; /* getopt(3), NOTES: begins anew, also in tests */
	opterr = 0;
	while ((opt = getopt_long(argc, argv, "+:c:k:e:hitv", options, NULL)) !=
	    -1)
		if (take_option(c, opt, argv, err) == -1)
			return -1;
	if (c->help || c->version)
		return 0;
	if (argc - optind < 1)
		return err_set(err, "no container given; see --help");
	if (argc - optind < 2)
		return err_set(err, "no command given; see --help");
	c->container = argv[optind];
	c->args = argv + optind + 1;
	return 0;
}

void
rexec_cli_free(struct rexec_cli *c)
{
	strlist_free(&c->env);
}
