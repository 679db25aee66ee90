#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "common/cleanup.h"
#include "monitor/child.h"
#include "monitor/container.h"
#include "monitor/launch.h"
#include "monitor/steps.h"

static void run_child(const struct session *session, const struct child_ends *ends, int status, void *argument) {
    (void)argument;
    bool mapped = container.session.plan.has_id_range;
    uint64_t namespaces = CLONE_NEWNS | CLONE_NEWNET | CLONE_NEWIPC | CLONE_NEWUTS | CLONE_NEWCGROUP |
                          (mapped ? CLONE_NEWUSER : 0);
    child_of_exec(&session->plan, container.session.ended.fd, namespaces, mapped, ends, status);
}

static void free_exec(struct session *session) {
    for (struct session **at = &container.execs; *at != NULL; at = &(*at)->next) {
        if (*at == session) {
            *at = session->next;
            break;
        }
    }
    plan_free(&session->plan);
    free(session);
}

static void exec_failed(struct session *session, int kind, const struct error *error) {
    launch_reap(session, true);
    if (session->starter_client != NULL)
        answer_failure(session->starter_client, session->starter, kind, error);
    session->starter_client = NULL;
    session->state = SESSION_ENDED;
    session_close(session);
}

static void exec_started(struct session *session) {
    struct client *client = session->starter_client;
    int64_t numbers[] = {session->starter, session->pid, session->plan.process.terminal};
    session->state = SESSION_RUNNING;
    session->starter_client = NULL;
    loop_set(&session->status, 0);
    if (client != NULL) {
        client_answer(client, ANSWER_OK, numbers, 3, NULL, 0);
        client_join(client, session, WANTS_OUTPUT | WANTS_ERRORS | (session->plan.open_stdin ? WANTS_INPUT : 0));
        client_update(client);
    }
    session_flow(session);
}

static bool take_status(struct session *session) {
    struct child_message message;
    int fd;
    switch (read_status(session, &message, &fd)) {
    case CHILD_TERMINAL:
        session_terminal(session, fd);
        return true;
    case CHILD_FAILED:
        exec_failed(session, message.kind, &message.error);
        return false;
    case 0:
        exec_started(session);
        return false;
    default:
        return false;
    }
}

static void exec_status(struct watch *watch, uint32_t events) {
    (void)events;
    take_status(owner_of(watch, struct session, status));
}

static void announce(struct session *session, int exit_code) {
    int64_t numbers[] = {0, exit_code};
    const char *exec_id = session->plan.exec_id;
    for (struct client *client = request_clients; client != NULL; client = client->next) {
        if (client->watches)
            client_answer(client, EVENT_EXEC_EXITED, numbers, 2, &exec_id, 1);
    }
}

/* Its stream ends with the process; what children left behind write from then on is read and dropped. */
static void exec_ended(struct watch *watch, uint32_t events) {
    (void)events;
    struct session *session = owner_of(watch, struct session, ended);
    while (session->state == SESSION_STARTING && take_status(session))
        ;
    if (session->state != SESSION_RUNNING)
        return;
    int exit_code = launch_reap(session, false);
    loop_set(&session->ended, 0);
    close(session->ended.fd);
    session->ended.fd = -1;
    session_drain(session, false);
    session->state = SESSION_ENDED;
    announce(session, exit_code);
    struct client *next;
    for (struct client *client = session->clients; client != NULL; client = next) {
        next = client->next;
        client_finish(client);
    }
}

/*
 * The cgroup the container's first process has moved to, beneath its own: one that manages cgroups itself (systemd, an
 * engine inside) leaves its own empty, and the kernel then takes no process into that.
 */
static int open_inner_cgroup(void) {
    char path[64], text[4096];
    snprintf(path, sizeof path, "/proc/%d/cgroup", container.session.pid);
    cleanup_close int fd = open(path, O_RDONLY | O_CLOEXEC);
    ssize_t size = fd < 0 ? -1 : read(fd, text, sizeof text - 1);
    if (size <= 0)
        return -1;
    text[size] = 0;
    const char *own = strrchr(container.session.plan.cgroup, '/');
    char *unified = strstr(text, "0::/"), *inner = unified == NULL ? NULL : strstr(unified, own);
    if (inner == NULL || inner[strlen(own)] != '/')
        return -1;
    inner += strlen(own) + 1;
    inner[strcspn(inner, "\n")] = 0;
    return openat(container.cgroup, inner, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
}

static int clone_into(struct session *session, int cgroup, struct error *error) {
    const struct plan *outer = &container.session.plan;
    return launch(session, 0, -1, cgroup, run_child, NULL, outer->id_base + session->plan.process.uid,
                  outer->id_base + session->plan.process.gid, error);
}

/* The monitor itself must only be in the container's pid namespace for the time of the clone. */
static int clone_process(struct session *session, struct error *error) {
    cleanup_close int own = open("/proc/self/ns/pid", O_RDONLY | O_CLOEXEC);
    if (own < 0 || setns(container.session.ended.fd, CLONE_NEWPID) < 0)
        return fail(error, errno, "enter the container's pid namespace");
    int result = clone_into(session, container.cgroup, error);
    if (result < 0 && error->code == EBUSY) {
        session_close(session);
        cleanup_close int inner = open_inner_cgroup();
        if (inner >= 0)
            result = clone_into(session, inner, error);
    }
    if (setns(own, CLONE_NEWPID) < 0)
        result = fail(error, errno, "leave the container's pid namespace");
    return result;
}

static int set_up(struct session *session, struct error *error) {
    struct process_plan *process = &session->plan.process;
    if (process->seccomp_count == 0) { /* the container's filter holds for all in it */
        process->seccomp = container.session.plan.process.seccomp;
        process->seccomp_count = container.session.plan.process.seccomp_count;
        process->seccomp_flags = container.session.plan.process.seccomp_flags;
    }
    if (clone_process(session, error) < 0)
        return -1;
    session->ended.ready = exec_ended;
    session->status.ready = exec_status;
    loop_set(&session->ended, EPOLLIN);
    loop_set(&session->status, EPOLLIN);
    struct staged_binds none = {0};
    if (launch_limit(session, error) < 0)
        return -1;
    return send(session->status.fd, &none, sizeof none, MSG_NOSIGNAL) < 0 ? fail(error, errno, "start the process") : 0;
}

int exec_start(struct client *client, uint32_t id, const void *plan, size_t size, struct error *error) {
    if (container.session.state != SESSION_RUNNING)
        return fail(error, 0, "the container is not running");
    struct session *session = calloc(1, sizeof *session);
    void *copy = malloc(size);
    if (session == NULL || copy == NULL) {
        free(session);
        free(copy);
        return fail(error, ENOMEM, "start a process");
    }
    memcpy(copy, plan, size);
    session->next = container.execs;
    container.execs = session;
    session->ended.fd = session->status.fd = session->input.fd = -1;
    session->output[0].watch.fd = session->output[1].watch.fd = -1;
    session->state = SESSION_STARTING;
    session->starter = id;
    session->starter_client = client;
    if (plan_parse(&session->plan, copy, size, error) < 0 || session->plan.exec_id == NULL) {
        free_exec(session);
        return -1;
    }
    if (set_up(session, error) < 0) {
        session->starter_client = NULL;
        exec_failed(session, FAILED_SETUP, error);
        return -1;
    }
    return 0;
}

struct session *exec_find(const char *exec_id) {
    struct session *session = container.execs;
    while (session != NULL && (session->state == SESSION_ENDED || strcmp(session->plan.exec_id, exec_id) != 0))
        session = session->next;
    return session;
}

void exec_sweep(void) {
    struct session *next;
    for (struct session *session = container.execs; session != NULL; session = next) {
        next = session->next;
        bool flows = session->output[0].watch.fd >= 0 || session->output[1].watch.fd >= 0;
        if (session->state == SESSION_ENDED && session->clients == NULL && !flows) {
            session_close(session);
            free_exec(session);
        }
    }
}

void exec_end_all(void) {
    for (struct session *session = container.execs; session != NULL; session = session->next) {
        if (session->state == SESSION_RUNNING) {
            int exit_code = launch_reap(session, true);
            session->state = SESSION_ENDED;
            announce(session, exit_code);
        } else if (session->state == SESSION_STARTING) {
            struct error error;
            fail(&error, 0, "the container ended");
            exec_failed(session, FAILED_SETUP, &error);
        }
        session_close(session);
    }
}
