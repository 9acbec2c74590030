/* SPDX-License-Identifier: Apache-2.0
 * Inode numbers: the upper 16 bits say which file system, and for file systems
 * that use these bits themselves which value of them. */
#include "supervisor/ninepd_inode.h"

#define LOW_BITS 48

static size_t
find(struct ninep_inodes *t, dev_t dev, uint64_t high)
{
	size_t i;

	for (i = 0; i < t->n; i++)
		if (t->space[i].dev == dev && t->space[i].high == high)
			return i;
	if (i == NINEP_INODE_SPACES)
		return i - 1;
	t->space[i].dev = dev;
	t->space[i].high = high;
	t->n++;
	return i;
}

uint64_t
ninep_inode(struct ninep_inodes *t, dev_t dev, uint64_t ino)
{
	const uint64_t low = ino & ((UINT64_C(1) << LOW_BITS) - 1);

	return (uint64_t)find(t, dev, ino >> LOW_BITS) << LOW_BITS | low;
}
