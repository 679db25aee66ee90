/* The monitor's one container: made, started, watched, recorded, cleaned up. */
#pragma once

#include "monitor/session.h"

struct container {
    struct session session;
    struct session *execs;
    struct log log;
    const char *staging;
    int cgroup;         /* its folder */
    int own_mounts;     /* the guest's mount namespace, while the monitor is in a private one; else -1 */
    int user_namespace; /* the container's, until its mounts are made; else -1 */
    struct watch listener;
    struct client *creator; /* until the start: without it nobody would ever start the container */
    uint64_t leave_by;      /* when the monitor ends although clients lag; 0: the container lives */
};

extern struct container container;

/* Up to a process that waits. Takes over `data`, the plan. On failure nothing is left. */
int container_create(void *data, size_t size, const char *staging, struct error *error);

/* Makes the mounts and lets the process go on; the answer follows from its status socket. */
int container_go(struct client *client, uint32_t id, struct error *error);

/* Kills and removes all there is of it. */
void container_destroy(void);

/* exec.c */
int exec_start(struct client *client, uint32_t id, const void *plan, size_t size, struct error *error);
struct session *exec_find(const char *exec_id);

/* Sees to those that ended and nobody reads any more. */
void exec_sweep(void);

/* All have been killed with the container. */
void exec_end_all(void);

/*
 * record.c: writes the exit record. After record_exit it is durable as "<path>.new" or "<path>", which a reader must both
 * look at; record_settle makes the rename durable too, when nobody waits any more.
 */
int record_exit(const char *path, int exit_code, bool out_of_memory, char *finished_at, struct error *error);
void record_settle(const char *path);

/* Answers a request with a failure. */
void answer_failure(struct client *client, uint32_t id, int kind, const struct error *error);

/* Reads one message of a child: its tag, 0 at execve (or death), <0 when there is none yet. `fd` is a terminal or -1. */
struct child_message;
int read_status(struct session *session, struct child_message *message, int *fd);
