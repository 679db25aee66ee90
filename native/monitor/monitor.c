#include "monitor/monitor.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "monitor/container.h"
#include "monitor/protocol.h"

static const int ignored_signals[] = {SIGTERM, SIGINT, SIGHUP, SIGQUIT};

enum { PLAN_TIMEOUT_MS = 30000, FAILED_LINGER_MS = 5000 };

void answer_failure(struct client *client, uint32_t id, int kind, const struct error *error) {
    int64_t numbers[] = {id, kind, error->code};
    const char *text = error->text;
    client_answer(client, ANSWER_ERROR, numbers, 3, &text, 1);
}

static void answer_ok(struct client *client, uint32_t id) {
    int64_t numbers[] = {id};
    client_answer(client, ANSWER_OK, numbers, 1, NULL, 0);
}

static int resize(const struct record *request, struct error *error) {
    const char *exec_id = record_string(request, 0);
    struct session *session = exec_id[0] == 0 ? &container.session : exec_find(exec_id);
    if (session == NULL)
        return fail(error, 0, "resize: no such exec: %s", exec_id);
    return session_resize(session, (unsigned)record_number(request, 1, 0), (unsigned)record_number(request, 2, 0),
                          error);
}

static void attach(struct client *client, uint32_t id, unsigned wants) {
    answer_ok(client, id);
    client_join(client, &container.session, wants);
    client_update(client);
}

static void tell_state(struct client *client, uint32_t id) {
    struct session *session = &container.session;
    int64_t numbers[] = {id, session->pid, session->plan.process.terminal, session->state};
    client->watches = true;
    client_answer(client, ANSWER_OK, numbers, 4, NULL, 0);
}

void handle_request(struct client *client, const struct record *request) {
    struct error error = {0};
    uint32_t id = (uint32_t)record_number(request, 0, 0);
    int done = 0;
    switch (request->tag) {
    case REQUEST_GO:
        done = container_go(client, id, &error);
        if (done == 0)
            return; /* answered when the program runs */
        break;
    case REQUEST_STATE:
        tell_state(client, id);
        return;
    case REQUEST_ATTACH:
        attach(client, id, (unsigned)record_number(request, 1, 0));
        return;
    case REQUEST_EXEC:
        done = exec_start(client, id, request->blob, request->blob_size, &error);
        if (done == 0)
            return; /* likewise */
        break;
    case REQUEST_RESIZE:
        done = resize(request, &error);
        break;
    case REQUEST_KILL:
        done = session_signal(&container.session, (int)record_number(request, 1, 0), &error);
        break;
    default:
        done = fail(&error, 0, "unknown request %u", request->tag);
    }
    if (done < 0)
        answer_failure(client, id, FAILED_SETUP, &error);
    else
        answer_ok(client, id);
}

void handle_gone(struct client *client) {
    for (struct session *exec = container.execs; exec != NULL; exec = exec->next) {
        if (exec->starter_client == client)
            exec->starter_client = NULL;
    }
    if (container.session.starter_client == client)
        container.session.starter_client = NULL;
    if (container.creator != client)
        return;
    container.creator = NULL;
    if (container.session.state == SESSION_CREATED) {
        container_destroy();
        container.leave_by = now_ms();
    }
}

/* Reads the plan that the connection begins with; returns it in memory of its own. */
static void *read_plan(int connection, size_t *size, uint32_t *id, struct error *error) {
    char *buffer = NULL;
    size_t used = 0, capacity = 0;
    for (;;) {
        struct record request;
        ptrdiff_t whole = record_read(&request, buffer, used, error);
        if (whole < 0)
            break;
        if (whole > 0) {
            *id = (uint32_t)record_number(&request, 0, 0);
            *size = request.blob_size;
            if (request.tag != REQUEST_CREATE || used != (size_t)whole) {
                fail(error, 0, "the first request must be create");
                break;
            }
            memmove(buffer, request.blob, request.blob_size);
            return buffer;
        }
        if (capacity - used < 16384) {
            capacity = (capacity + 16384) * 2;
            char *grown = realloc(buffer, capacity);
            if (grown == NULL) {
                fail(error, ENOMEM, "read plan");
                break;
            }
            buffer = grown;
        }
        struct pollfd waiting = {.fd = connection, .events = POLLIN};
        ssize_t got = poll(&waiting, 1, PLAN_TIMEOUT_MS) > 0 ? recv(connection, buffer + used, capacity - used, 0) : 0;
        if (got <= 0)
            _exit(0); /* nobody is there to be told */
        used += (size_t)got;
    }
    free(buffer);
    return NULL;
}

static bool anyone_waits(void) {
    for (struct client *client = request_clients; client != NULL; client = client->next) {
        if (client->queue_size > 0)
            return true;
    }
    for (struct session *exec = container.execs; exec != NULL; exec = exec->next) {
        if (exec->clients != NULL)
            return true;
    }
    return container.session.clients != NULL;
}

static void serve(void) {
    while (container.leave_by == 0 || (anyone_waits() && now_ms() < container.leave_by)) {
        int timeout = session_drop_stalled(&container.session);
        if (container.leave_by != 0 && (timeout < 0 || timeout > 1000))
            timeout = 1000;
        loop_once(timeout);
        exec_sweep();
    }
}

void monitor_run(int connection, const char *staging) {
    struct error error = {0};
    uint32_t id = 0;
    size_t size = 0;
    setsid();
    /* A shutdown that signals everything ends the container, and the monitor is to record that. */
    for (size_t i = 0; i < sizeof ignored_signals / sizeof *ignored_signals; i++)
        signal(ignored_signals[i], SIG_IGN);
    void *plan = read_plan(connection, &size, &id, &error);
    if (loop_open(&error) < 0)
        _exit(1);
    struct client *client = client_open(connection);
    if (client == NULL)
        _exit(1);
    if (plan == NULL || container_create(plan, size, staging, &error) < 0) {
        answer_failure(client, id, FAILED_SETUP, &error);
        container.leave_by = now_ms() + FAILED_LINGER_MS;
    } else {
        char name[16];
        snprintf(name, sizeof name, "mon:%.11s", container.session.plan.id);
        prctl(PR_SET_NAME, name);
        container.creator = client;
        client->watches = true;
        int64_t numbers[] = {id, container.session.pid, container.session.plan.process.terminal};
        client_answer(client, ANSWER_OK, numbers, 3, NULL, 0);
    }
    serve();
    _exit(0);
}
