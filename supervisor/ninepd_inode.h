/* SPDX-License-Identifier: Apache-2.0
 * Inode numbers for a guest that sees one file system where the host has
 * several. */
#ifndef SUPERVISOR_NINEPD_INODE_H
#define SUPERVISOR_NINEPD_INODE_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/* Numbers below 2^48, what most file systems have, need one entry for each. */
#define NINEP_INODE_SPACES 1024

/* All zeroes: empty. */
struct ninep_inodes {
	struct {
		dev_t dev;
		uint64_t high;
	} space[NINEP_INODE_SPACES];
	size_t n;
};

/*
 * A number that no other file has, whatever file system it is of. Those of the
 * first file system that was asked for stay as they are, below 2^48: so they
 * are what its directories say. When there are more file systems than entries
 * those above share the last.
 */
uint64_t ninep_inode(struct ninep_inodes *t, dev_t dev, uint64_t ino);

#endif
