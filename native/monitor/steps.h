/* The plan's steps inside the container's mount namespace; part of child.c's way to execve. */
#pragma once

#include "monitor/plan.h"

/* Sent by the monitor to the waiting child when the mounts are staged: which of the binds are files. */
struct staged_binds {
    bool is_file[MAX_BINDS];
};

/* From the staging folder: makes its "root" the root. The old one stays mounted over it until steps_do is done. */
int step_enter_root(struct error *error);

/* Does the steps in order, then lets go of the old root. `stage` and `old_root` are descriptors into it. */
int steps_do(const struct plan *plan, const struct staged_binds *staged, int stage, int old_root, struct error *error);

/* What must come after the terminal: the working folder, the read-only root. */
int steps_finish(const struct plan *plan, struct error *error);
