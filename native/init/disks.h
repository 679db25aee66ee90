/*
 * The guest's disks and what each is for. A virtio disk says so by its serial ("wherry-system"); where the machine
 * gives disks no serial (Hyper-V) the content decides, and the one that is none of ours in content is the data disk.
 */
#ifndef WHERRY_INIT_DISKS_H
#define WHERRY_INIT_DISKS_H

#include "base.h"

enum disk_role { DISK_SYSTEM, DISK_DATA, DISK_SEED, DISK_PAYLOAD, DISK_ROLE_COUNT };

/* Device paths by role; an empty string where there is no such disk. */
struct disks {
  char path[DISK_ROLE_COUNT][64];
};

/* "system", "data", "seed", "payload". */
const char *disk_role_name(enum disk_role role);

/* Looks at every block device present now. Never fails: what is not there stays empty. */
void find_disks(struct disks *found);

/* Makes /dev/disk/wherry/<role> symbolic links. */
int link_disks(const struct disks *found, struct failure *err);

#endif
