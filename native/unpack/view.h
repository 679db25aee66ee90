/*
 * A container's files as the container sees them. Those of a running one are reached through its mount namespace; those of
 * a stopped one are mounted in a namespace of this process's own, and so gone with it. Either way nothing is resolved but
 * beneath `root_fd`, and /proc stays the guest's.
 */
#pragma once

#include "common/error.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

struct bind {
    const char *source, *target;
    bool read_only, recursive, idmap;
};

struct view {
    /* Running: its first process, and a word that this process's cgroup holds (pids come again). */
    pid_t process;
    const char *cgroup;
    /* Only the root file system itself, without what is mounted in it. */
    bool bare;

    /* Stopped: an empty folder to mount things on; layers topmost first. */
    const char *staging, *upper, *work;
    char **layers;
    size_t layer_count;
    struct bind *binds;
    size_t bind_count;
    bool read_only;

    /* No container's: just this folder, as it is in the guest. */
    const char *folder;

    /* Ids of its user namespace; size 0: none. */
    uint32_t base, size;
};

/*
 * Reads the words that describe it: `process PID CGROUP [bare]`, or `staging DIR upper DIR work DIR [layer DIR]…
 * [bind FLAGS SOURCE TARGET]… [read-only]`, and `ids BASE SIZE`; or `folder DIR`. FLAGS: any of "r" recursive, "o" read-only, "i" with mapped
 * ids, or "-". Returns how many it took, up to one that is none of these; <0 when they make no sense.
 */
int view_parse(struct view *view, int count, char **words);
/* An O_PATH descriptor of its root. */
int view_open(const struct view *view, int *root_fd, struct error *error);
