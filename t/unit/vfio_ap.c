/* SPDX-License-Identifier: Apache-2.0
 * RUNQ_APUUID's device, looked up in trees that stand in for sysfs and /dev. */
#include "runtime/vfio_ap.h"

#include <ftw.h>
#include <sys/stat.h>

#include "lib/cleanup.h"
#include "lib/json.h"
#include "runtime/xalloc.h"
#include "t/tap.h"

#define UUID "b34543ee-496b-4769-8312-83707033e1de"
#define OTHER "00000000-496b-4769-8312-83707033e1de"

static char top[] = "/tmp/runq-vfio-ap-XXXXXX";
static const char *const dirs[] = {"bus", "bus/mdev", "bus/mdev/devices",
    "devices", "devices/" UUID, "devices/" OTHER, "vfio"};

static void
make_link(const char *target, const char *path)
{
	AUTO_FREE char *p = xasprintf("%s/%s", top, path);

	(void)remove(p);
	if (target != NULL && symlink(target, p) == -1)
		printf("# symlink %s: %s\n", p, strerror(errno));
}

static int
remove_one(const char *path, const struct stat *st, int flag, struct FTW *ftw)
{
	(void)st;
	(void)flag;
	(void)ftw;
	return remove(path);
}

/* As the kernel lays it out; the nodes are devices that every system has. */
static void
make_trees(void)
{
	for (size_t i = 0; i < sizeof(dirs) / sizeof(dirs[0]); i++) {
		AUTO_FREE char *p = xasprintf("%s/%s", top, dirs[i]);

		if (mkdir(p, 0700) == -1)
			printf("# mkdir %s: %s\n", p, strerror(errno));
	}
	make_link("../../../devices/" UUID, "bus/mdev/devices/" UUID);
	make_link("../../../devices/" OTHER, "bus/mdev/devices/" OTHER);
	make_link("../mdev_supported_types/vfio_ap-passthrough",
	    "devices/" UUID "/mdev_type");
	make_link("../mdev_supported_types/i915-GVTg_V5_4",
	    "devices/" OTHER "/mdev_type");
	make_link(
	    "../../../kernel/iommu_groups/7", "devices/" UUID "/iommu_group");
	make_link("/dev/null", "vfio/vfio");
	make_link("/dev/zero", "vfio/7");
}

static void
refused(const char *uuid, const char *sentence)
{
	struct vfio_ap ap = {0};
	struct err err = {""};

	if (!ok(vfio_ap_look(top, top, uuid, &ap, &err) == -1 &&
		    strstr(err.msg, sentence) != NULL,
		"refused: %s", sentence))
		printf("# %s\n", err.msg);
}

static void
test_look(void)
{
	struct vfio_ap ap = {0};
	struct err err = {""};

	if (!ok(vfio_ap_look(top, top, UUID, &ap, &err) == 0, "it is found"))
		printf("# %s\n", err.msg);
	is_int(ap.group, 7, "its group");
	ok(ap.vfio.present && ap.vfio.major == 1 && ap.vfio.minor == 3,
	    "/dev/vfio/vfio");
	ok(ap.group_dev.present && ap.group_dev.major == 1 &&
		ap.group_dev.minor == 5,
	    "/dev/vfio/7");

	refused("b34543ee-0000-4769-8312-83707033e1de",
	    "/bus/mdev/devices/b34543ee-0000-4769-8312-83707033e1de: No such");
	refused(OTHER, "type i915-GVTg_V5_4, must be vfio_ap-passthrough");
	make_link(
	    "../../../kernel/iommu_groups/x7", "devices/" UUID "/iommu_group");
	refused(UUID, "iommu_group: not a group");
	make_link("../../../kernel/iommu_groups/99999999999",
	    "devices/" UUID "/iommu_group");
	refused(UUID, "iommu_group: not a group");
	make_link(NULL, "devices/" UUID "/iommu_group");
	refused(UUID, "iommu_group: No such file");
	make_link(
	    "../../../kernel/iommu_groups/8", "devices/" UUID "/iommu_group");
	refused(UUID, "/vfio/8: No such file");
	make_link("../bus", "vfio/8");
	refused(UUID, "/vfio/8: not a character device");
	make_link(NULL, "vfio/vfio");
	refused(UUID, "/vfio/vfio: No such file");
	make_link(NULL, "devices/" UUID "/mdev_type");
	refused(UUID, "mdev_type: No such file");
}

static struct vfio_ap
collect(const char *config)
{
	AUTO_JSON struct json_object *o = json_tokener_parse(config);
	struct vfio_ap ap = {0};

	vfio_ap_collect(&ap, o);
	return ap;
}

static void
test_collect(void)
{
	static const char *const none[] = {"{}", "[]", "{\"process\":1}",
	    "{\"process\":{\"env\":[1]}}", "{\"process\":{\"env\":[\"A=1\"]}}",
	    "{\"process\":{\"env\":[\"RUNQ_APUUID=../../../../etc\"]}}"};
	struct vfio_ap ap;

	for (size_t i = 0; i < sizeof(none) / sizeof(none[0]); i++) {
		ap = collect(none[i]);
		ok(ap.error == NULL && !ap.vfio.present, "not looked for: %s",
		    none[i]);
	}
	ap = collect("{\"process\":{\"env\":[\"RUNQ_APUUID=x\",\"RUNQ_APUUID="
		     "B34543EE-496B-4769-8312-83707033E1DE\"]}}");
	ok(ap.error != NULL &&
		strstr(ap.error, "/sys/bus/mdev/devices/" UUID) != NULL,
	    "the last one is looked for, in lower case");
	free(ap.error);
}

int
main(void)
{
	if (mkdtemp(top) == NULL)
		return 1;
	make_trees();
	test_look();
	test_collect();
	nftw(top, remove_one, 16, FTW_DEPTH | FTW_PHYS);
	return done_testing();
}
