/*
 * A session: one process (the container's first, or an exec's) with its streams, and the clients attached to them.
 *
 * Output goes to the log and to every client; a client that lags is waited for (the process is then held back, as by a
 * full pipe), but one of a container that takes nothing for the plan's stall time is dropped, so that nobody who went
 * away can stop the container or its log. An exec's output has only the one reader, so it is held back without limit.
 */
#pragma once

#include <signal.h>
#include <stdbool.h>

#include "monitor/client.h"
#include "monitor/log.h"
#include "monitor/loop.h"
#include "monitor/plan.h"

enum session_state { SESSION_CREATED, SESSION_STARTING, SESSION_RUNNING, SESSION_ENDED };

struct stream {
    struct watch watch; /* fd <0: closed */
    struct session *session;
    int number; /* 1 stdout (or the terminal), 2 stderr */
    struct log_line line;
};

struct session {
    struct session *next; /* of the execs */
    struct plan plan;
    enum session_state state;
    pid_t pid;
    struct watch ended;  /* the pidfd */
    struct watch status; /* to the process before its execve */
    struct stream output[2];
    struct watch input; /* pipe or terminal; fd <0: closed */
    char *waiting_input;
    size_t waiting_size;
    bool input_ends; /* close it once what waits is written */
    struct log *log; /* NULL: not logged */
    struct client *clients;
    bool held_back;
    bool ended_seen;
    uint32_t starter; /* id of the request that the start answers */
    struct client *starter_client;
    int exit_code;
};

/* The process's ends of its pipes; -1 where there is none. Closed by the caller after the process is cloned. */
struct child_ends {
    int in, out, err;
};

/* Makes pipes owned by the given user, so that it may open /dev/stdout anew. Terminals come later, from the child. */
int session_pipes(struct session *session, struct child_ends *ends, uid_t uid, gid_t gid, struct error *error);

/* The terminal's master, received from the child. Takes the fd over. */
void session_terminal(struct session *session, int master);

/* Begins to read output. */
void session_flow(struct session *session);

/* Reads what output is left, without waiting; `close_all` also closes the streams and logs begun lines. */
void session_drain(struct session *session, bool close_all);

/* Takes input from a client; returns how many bytes were taken. */
size_t session_input(struct session *session, const char *data, size_t size);
void session_input_ends(struct session *session);

/* Reading from the process stops while a client lags. */
void session_balance(struct session *session);

/* When the next client is due to be dropped, as milliseconds from now; -1: none. Drops those that are overdue. */
int session_drop_stalled(struct session *session);

int session_resize(struct session *session, unsigned columns, unsigned rows, struct error *error);
int session_signal(struct session *session, int signal, struct error *error);

/* Closes all and frees what it owns; its clients end once they have all. */
void session_close(struct session *session);
