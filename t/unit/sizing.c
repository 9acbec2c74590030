/* SPDX-License-Identifier: Apache-2.0
 * How many CPUs a container's limits make. */
#include "lib/json.h"
#include "runtime/cpus.h"
#include "runtime/hostfacts.h"
#include "runtime/settings.h"
#include "t/tap.h"

static const struct {
	const char *cpu; /* linux.resources.cpu */
	unsigned option, variable, host;
	unsigned want; /* 0: an error */
	bool by_limit;
	const char *name;
} cases[] = {
    {"{}", 1, 0, 8, 1, false, "no limit: the option"},
    {"{}", 3, 0, 2, 3, false, "the option is not capped"},
    {"{\"shares\":512}", 1, 0, 8, 1, false, "shares are no limit"},
    {"{\"quota\":-1,\"period\":100000}", 2, 0, 8, 2, false, "quota -1: none"},
    {"{\"quota\":0,\"period\":0}", 2, 0, 8, 2, false, "quota 0: none"},
    {"{\"quota\":200000,\"period\":100000}", 1, 0, 8, 2, true, "--cpus 2"},
    {"{\"quota\":150000,\"period\":100000}", 1, 0, 8, 2, true, "--cpus 1.5"},
    {"{\"quota\":1000,\"period\":100000}", 4, 0, 8, 1, true, "--cpus 0.01"},
    {"{\"quota\":250000}", 1, 0, 8, 3, true, "the kernel's period"},
    {"{\"quota\":900000,\"period\":100000}", 1, 0, 4, 4, true,
	"no more than the host has"},
    {"{\"quota\":900000,\"period\":1}", 1, 0, 0, 255, true,
	"no more than a VM can have"},
    {"{\"quota\":9223372036854775807,\"period\":1}", 1, 0, 0, 255, true,
	"the largest quota"},
    {"{\"cpus\":\"0-2,5\"}", 1, 0, 8, 4, true, "--cpuset-cpus 0-2,5"},
    {"{\"cpus\":\"7\"}", 4, 0, 8, 1, true, "--cpuset-cpus 7"},
    {"{\"cpus\":\"\"}", 4, 0, 8, 4, false, "no cpuset"},
    {"{\"cpus\":\"0-1\",\"quota\":400000}", 1, 0, 8, 2, true,
	"a quota, no more than the cpuset"},
    {"{\"cpus\":\"0-7\",\"quota\":100000}", 1, 0, 8, 1, true,
	"a cpuset, no more than the quota"},
    {"{\"cpus\":\"x\"}", 2, 0, 8, 2, false, "a broken cpuset is runc's"},
    {"{\"cpus\":\"3-1\"}", 2, 0, 8, 2, false, "a range that runs backwards"},
    {"{\"cpus\":\"0-99999999999\"}", 2, 0, 8, 2, false, "a range too long"},
    {"{\"cpus\":\"-1\"}", 2, 0, 8, 2, false, "a negative one"},
    {"{\"quota\":400000,\"cpus\":\"0\"}", 1, 3, 2, 3, false,
	"RUNQ_CPU goes before all"},
    {"{\"quota\":\"1\"}", 1, 0, 8, 0, false, "a quota of another type"},
    {"{\"period\":-1}", 1, 0, 8, 0, false, "a negative period"},
};

static void
run_case(size_t i)
{
	AUTO_JSON struct json_object *config = NULL;
	struct settings s = {.cpu = cases[i].option};
	struct hostfacts facts = {.cpus = cases[i].host};
	struct cpus cpus = {0};
	struct err e = {""};
	char text[256];
	int r;

	snprintf(text, sizeof text, "{\"linux\":{\"resources\":{\"cpu\":%s}}}",
	    cases[i].cpu);
	config = json_parse(text, strlen(text), "config.json", &e);
	if (cases[i].variable > 0) {
		s.cpu = cases[i].variable;
		s.cpu_by_env = true;
	}
	r = config == NULL ? -1 : cpus_derive(config, &s, &facts, &cpus, &e);
	if (cases[i].want == 0) {
		ok(r == -1 && strstr(e.msg, "cpu") != NULL, "%s",
		    cases[i].name);
		return;
	}
	if (!ok(r == 0 && cpus.n == cases[i].want &&
		    cpus.by_limit == cases[i].by_limit,
		"%s", cases[i].name))
		printf("# got %u, %d, %s\n", cpus.n, cpus.by_limit, e.msg);
}

int
main(void)
{
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
		run_case(i);
	return done_testing();
}
