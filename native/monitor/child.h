/*
 * The way from clone to execve, in the container's first process and in an exec's. Runs in a copy of the single-threaded
 * monitor and allocates nothing; never returns.
 */
#pragma once

#include "monitor/plan.h"
#include "monitor/protocol.h"
#include "monitor/session.h"

/* What a child tells the monitor over its status socket (SOCK_SEQPACKET); its end without CHILD_FAILED is the execve. */
enum child_tag {
    CHILD_UNSHARED = 1, /* has its own copy of the mounts */
    CHILD_TERMINAL = 2, /* carries the terminal's master as SCM_RIGHTS */
    CHILD_FAILED = 3,
};

struct child_message {
    int tag;
    int kind; /* enum failure_kind */
    struct error error;
};

/* Waits for staged_binds on `status` (maps and limits are written, the mounts staged), then does the plan. */
_Noreturn void child_of_container(const struct plan *plan, const char *staging, const struct child_ends *ends, int status);

/* Waits likewise, then joins the namespaces of the process behind `container` (a pidfd). */
_Noreturn void child_of_exec(const struct plan *plan, int container, uint64_t namespaces, bool has_user_namespace,
                             const struct child_ends *ends, int status);

/*
 * The last steps, from the process's own user to execve; process.c. `program`: opened by the caller, to be run whatever
 * its name is in here; -1 for the one that the arguments name.
 */
_Noreturn void child_execute(const struct process_plan *process, int program, int status);

/* Reports and ends. */
_Noreturn void child_fail(int status, int kind, const struct error *error);
