/*
 * The container's mounts, as far as the monitor makes them: in a mount namespace of its own, on fixed mount points
 * beneath the staging folder (so that 127 layers fit into overlay's 4096 bytes of options, as "0:1:2…"). The
 * container's first process then copies that namespace, which locks the flags set here.
 */
#pragma once

#include <sys/mount.h>

#include "monitor/plan.h"
#include "monitor/steps.h"

/* Makes the staging folder with its mount points; once, by the spawner. */
int staging_make(const char *staging, struct error *error);

/*
 * Layers (idmapped when `user_namespace` >= 0), overlay and /dev. The caller is in its private mount namespace and in
 * the staging folder.
 */
int rootfs_mount(const struct plan *plan, int user_namespace, struct error *error);

/* The sources of bind mounts, staged as "b/<number>" (folders) or "f/<number>" (files). */
int rootfs_stage_binds(const struct plan *plan, int user_namespace, struct staged_binds *staged, struct error *error);

int open_tree_at(int folder, const char *path, unsigned flags);
int set_mount_attributes(int fd, const char *path, unsigned flags, struct mount_attr *attributes);
int move_mount_to(int mount, int folder, const char *target, unsigned flags);
