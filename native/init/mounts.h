/* Every mount of the boot, from the initramfs to the running guest, and the control groups. */
#ifndef WHERRY_INIT_MOUNTS_H
#define WHERRY_INIT_MOUNTS_H

#include "base.h"

#define AGENT_CGROUP "/sys/fs/cgroup/wherry-agent"
#define CONTAINERS_CGROUP "/sys/fs/cgroup/wherry"

/* /proc, /sys and /dev, still in the initramfs. */
int mount_early(struct failure *err);

/* Mounts the system disk read-only, moves the early mounts there, makes it the root and frees the initramfs. */
int enter_system(const char *device, struct failure *err);

/* What the running guest needs beyond: pts, shm, run, tmp, var, bpf, cgroup2. */
int mount_late(struct failure *err);

/* All controllers on for the root's and the containers' children; folders for the agent and the containers. */
int set_up_cgroups(struct failure *err);

/* Unmounts everything that can be, last mounted first; what stays busy is made read-only. */
void unmount_all(void);

#endif
