/* SPDX-License-Identifier: Apache-2.0
 * The resolv.conf(5) that takes the place of the image's. */
#include "guest-agent/resolv.h"

#include <fcntl.h>
#include <stdio.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include "guest-agent/mnt.h"
#include "lib/cleanup.h"

#define NAME "resolv.conf"

bool
resolv_wanted(const struct dns_spec *dns)
{
	return dns->n_servers + dns->n_search + dns->n_options > 0;
}

static void
put_line(FILE *f, const char *keyword, const char *const *words, size_t n)
{
	if (n == 0)
		return;
	fputs(keyword, f);
	for (size_t i = 0; i < n; i++)
		fprintf(f, " %s", words[i]);
	fputc('\n', f);
}

char *
resolv_text(const struct dns_spec *dns, size_t *len)
{
	char *text = NULL;
	FILE *f = open_memstream(&text, len);

	if (f == NULL)
		return NULL;
	put_line(f, "search", dns->search, dns->n_search);
	for (size_t i = 0; i < dns->n_servers; i++)
		put_line(f, "nameserver", &dns->servers[i], 1);
	put_line(f, "options", dns->options, dns->n_options);
	if (fclose(f) != 0) {
		free(text);
		return NULL;
	}
	return text;
}

static int
write_text(int dir, const struct dns_spec *dns, struct err *err)
{
	AUTO_FREE char *text = NULL;
	AUTO_CLOSE int fd = -1;
	size_t len;

	if ((text = resolv_text(dns, &len)) == NULL)
		return err_sys(err, NAME);
	fd = openat(dir, NAME, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644);
	if (fd == -1 || fchmod(fd, 0644) == -1 ||
	    write(fd, text, len) != (ssize_t)len)
		return err_sys(err, "write " NAME);
	return 0;
}

/* A copy of the file's mount can be made only while its file system is
 * attached somewhere. */
int
resolv_create(const struct dns_spec *dns, const char *scratch, struct err *err)
{
	AUTO_CLOSE int fs = mnt_create("tmpfs", "resolv", NULL, 0,
	    MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV | MOUNT_ATTR_NOEXEC, err);
	AUTO_CLOSE int dir = -1, file = -1;

	if (fs == -1 || write_text(fs, dns, err) == -1)
		return -1;
	if ((dir = open(scratch, O_PATH | O_DIRECTORY | O_CLOEXEC)) == -1)
		return err_sys(err, "open %s", scratch);
	if (mnt_attach(fs, dir, err) == -1 ||
	    (file = mnt_clone(fs, NAME, false, err)) == -1)
		return -1;
	if (umount2(scratch, MNT_DETACH) == -1)
		return err_sys(err, "unmount %s", scratch);
	return take_fd(&file);
}
