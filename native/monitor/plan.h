/*
 * The launch plan: what to do, in order, decided by the agent (vm/agent/runtime/plan.ts) and only carried out here.
 * The numbers of tags and the order of fields are the same there.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "common/error.h"
#include "common/records.h"

/* Records of a plan. n: numbers, s: strings. */
enum plan_tag {
    PLAN_CONTAINER = 1, /* n: open stdin, stdin once, stall ms; s: id, run folder, exit record path, cgroup folder */
    PLAN_LOG = 2,       /* n: max bytes (0: no limit), max files; s: path */
    PLAN_ID_RANGE = 3,  /* n: first id outside, size */
    PLAN_NAMESPACE = 4, /* n: CLONE_NEW…; s: path, "" for a new one */
    PLAN_LAYER = 5,     /* s: folder; topmost first */
    PLAN_OVERLAY = 6,   /* n: mount flags; s: upper, work */
    PLAN_CGROUP = 7,    /* n: 1 when its absence is not an error; s: file, value */
    PLAN_DEVICES = 8,   /* blob: BPF program for the cgroup */
    PLAN_NODE = 9,      /* n: mode with type, major, minor; s: path beneath /dev */
    PLAN_LINK = 10,     /* s: path beneath /dev, what it points to */
    PLAN_FOLDER = 11,   /* n: mode; s: path beneath /dev */
    PLAN_BIND = 12,     /* n: flags (enum bind_flag), MOUNT_ATTR_… to set; s: source. Numbered as they come, from 0 */

    /* Steps, done in this order by the container's own first process, after its root is "/". */
    PLAN_MOUNT = 20,     /* n: flags, propagation; s: type, source, target, data */
    PLAN_PUT_BIND = 21,  /* n: number of the bind, propagation; s: target */
    PLAN_PUT_DEV = 22,   /* s: target */
    PLAN_MASK = 23,      /* s: path */
    PLAN_READ_ONLY = 24, /* s: path */
    PLAN_SYSCTL = 25,    /* s: path beneath /proc/sys, value */
    PLAN_HOSTNAME = 26,  /* s: name */
    PLAN_DOMAINNAME = 27,
    PLAN_ROOT_READ_ONLY = 28,

    /* The process: of the container, or of an exec. */
    PLAN_PROCESS = 40, /* n: terminal, uid, gid, umask, no new privileges, oom_score_adj, columns, rows; s: cwd */
    PLAN_ARGS = 41,    /* s */
    PLAN_ENV = 42,     /* s */
    PLAN_GROUPS = 43,  /* n */
    PLAN_CAPABILITIES = 44, /* n: bounding, effective, permitted, inheritable, ambient */
    PLAN_RLIMIT = 45,       /* n: resource, soft, hard */
    PLAN_SECCOMP = 46,      /* n: flags; blob: struct sock_filter[] */
    PLAN_EXEC = 47, /* n: open stdin; s: exec id, program of the guest's that runs in place of the container's, or "" */
};

enum bind_flag { BIND_RECURSIVE = 1, BIND_IDMAP = 2 };

enum { MAX_BINDS = 512, MAX_RLIMITS = 16 };

struct process_plan {
    bool terminal, no_new_privileges;
    uid_t uid;
    gid_t gid;
    int mask, oom_score;
    unsigned columns, rows;
    const char *cwd;
    char **args, **env; /* NULL-terminated; freed with the plan */
    gid_t *groups;
    size_t groups_count;
    uint64_t bounding, effective, permitted, inheritable, ambient;
    struct {
        int resource;
        uint64_t soft, hard;
    } rlimits[MAX_RLIMITS];
    size_t rlimits_count;
    const void *seccomp; /* struct sock_filter[] */
    size_t seccomp_count;
    unsigned seccomp_flags;
};

struct plan {
    void *data; /* the records; all pointers of the plan point into it */
    size_t size;
    const char *id, *run_dir, *exit_record, *cgroup;
    bool open_stdin, stdin_once;
    unsigned stall_ms;
    const char *log_path;
    uint64_t log_max_bytes;
    unsigned log_max_files;
    bool has_id_range;
    uint32_t id_base, id_size;
    uint64_t new_namespaces;
    const char *user_namespace; /* of another container; NULL: a new one where there is an id range */
    const char *upper, *work;
    unsigned long overlay_flags;
    unsigned layers_count;
    struct process_plan process;
    const char *exec_id, *guest_program;
};

/* Takes over `data` (from malloc), also on failure. */
int plan_parse(struct plan *plan, void *data, size_t size, struct error *error);
void plan_free(struct plan *plan);

/* Goes through the records: start with *at = 0; false at the end. The plan was parsed, so no record is malformed. */
bool plan_next(const struct plan *plan, size_t *at, struct record *record);
