#include "monitor/session.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/pidfd.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "common/cleanup.h"

enum { INPUT_MAX = 64 << 10 };

static void output_ready(struct watch *watch, uint32_t events);
static void input_ready(struct watch *watch, uint32_t events);

static int make_pipe(int *mine, int *theirs, bool i_read, uid_t uid, gid_t gid, struct error *error) {
    int ends[2];
    if (pipe2(ends, O_CLOEXEC) < 0)
        return fail(error, errno, "make a pipe");
    *mine = ends[i_read ? 0 : 1];
    *theirs = ends[i_read ? 1 : 0];
    fcntl(*mine, F_SETFL, O_NONBLOCK);
    if (fchown(*theirs, uid, gid) < 0)
        return fail(error, errno, "give a pipe to user %u", uid);
    return 0;
}

int session_pipes(struct session *session, struct child_ends *ends, uid_t uid, gid_t gid, struct error *error) {
    static const char *const names[] = {"stdout", "stderr"};
    *ends = (struct child_ends){-1, -1, -1};
    session->input = (struct watch){.fd = -1, .ready = input_ready};
    for (int i = 0; i < 2; i++) {
        session->output[i] = (struct stream){.watch = {.fd = -1, .ready = output_ready},
                                             .session = session,
                                             .number = i + 1,
                                             .line.stream = names[i]};
    }
    if (session->plan.process.terminal)
        return 0;
    if (session->plan.open_stdin && make_pipe(&session->input.fd, &ends->in, false, uid, gid, error) < 0)
        return -1;
    if (make_pipe(&session->output[0].watch.fd, &ends->out, true, uid, gid, error) < 0)
        return -1;
    return make_pipe(&session->output[1].watch.fd, &ends->err, true, uid, gid, error);
}

void session_terminal(struct session *session, int master) {
    fcntl(master, F_SETFL, O_NONBLOCK);
    session->output[0].watch.fd = master;
    session->input.fd = fcntl(master, F_DUPFD_CLOEXEC, 0); /* watched apart: each side has its own readiness */
    struct error ignored;
    /* The size may have been set after the process was cloned with its copy of the plan. */
    if (session->plan.process.columns > 0)
        session_resize(session, session->plan.process.columns, session->plan.process.rows, &ignored);
}

static void close_watch(struct watch *watch) {
    if (watch->fd < 0)
        return;
    loop_set(watch, 0);
    close(watch->fd);
    watch->fd = -1;
}

static void close_stream(struct stream *stream) {
    if (stream->session->log != NULL)
        log_end(stream->session->log, &stream->line);
    close_watch(&stream->watch);
}

/* Reads once. Returns false when there is nothing more for now, or for ever. */
static bool read_output(struct stream *stream) {
    static char buffer[65536];
    struct session *session = stream->session;
    ssize_t size = read(stream->watch.fd, buffer, sizeof buffer);
    if (size < 0 && (errno == EAGAIN || errno == EINTR))
        return false;
    if (size <= 0) { /* a terminal that nobody holds any more says EIO */
        close_stream(stream);
        return false;
    }
    if (session->log != NULL)
        log_append(session->log, &stream->line, buffer, (size_t)size);
    unsigned wanted = stream->number == 2 ? WANTS_ERRORS : WANTS_OUTPUT;
    for (struct client *client = session->clients; client != NULL; client = client->next) {
        if (client->wants & wanted)
            client_output(client, stream->number, buffer, (size_t)size);
    }
    return true;
}

static void output_ready(struct watch *watch, uint32_t events) {
    (void)events;
    struct stream *stream = owner_of(watch, struct stream, watch);
    read_output(stream);
    if (stream->session->log != NULL)
        log_flush(stream->session->log);
    session_balance(stream->session);
}

void session_flow(struct session *session) {
    for (int i = 0; i < 2; i++) {
        if (session->output[i].watch.fd >= 0)
            loop_set(&session->output[i].watch, session->held_back ? 0 : EPOLLIN);
    }
}

void session_drain(struct session *session, bool close_all) {
    for (int i = 0; i < 2; i++) {
        struct stream *stream = &session->output[i];
        while (stream->watch.fd >= 0 && read_output(stream))
            ;
        if (close_all && stream->watch.fd >= 0)
            close_stream(stream);
    }
    if (close_all) {
        close_watch(&session->input);
        free(session->waiting_input);
        session->waiting_input = NULL;
        session->waiting_size = 0;
    }
    if (session->log != NULL)
        log_flush(session->log);
}

void session_balance(struct session *session) {
    bool lags = false;
    for (struct client *client = session->clients; client != NULL; client = client->next)
        lags = lags || client_lags(client);
    if (lags == session->held_back)
        return;
    session->held_back = lags;
    session_flow(session);
}

int session_drop_stalled(struct session *session) {
    int due = -1;
    if (session->plan.exec_id != NULL)
        return due;
    uint64_t now = now_ms();
    struct client *next;
    for (struct client *client = session->clients; client != NULL; client = next) {
        next = client->next;
        if (!client_lags(client) || (client->wants & WANTS_PATIENCE))
            continue;
        uint64_t waited = now - client->stalled_since;
        if (waited >= session->plan.stall_ms)
            client_drop(client);
        else if (due < 0 || (uint64_t)due > session->plan.stall_ms - waited)
            due = (int)(session->plan.stall_ms - waited);
    }
    session_balance(session);
    return due;
}

/* Clients are read from only while nothing waits. */
static void update_inputs(struct session *session) {
    for (struct client *client = session->clients; client != NULL; client = client->next)
        client_update(client);
}

static void stop_input(struct session *session) {
    close_watch(&session->input);
    session->waiting_size = 0;
}

/* Writes what it can of what waits. */
static void push_input(struct session *session) {
    while (session->waiting_size > 0 && session->input.fd >= 0) {
        ssize_t written = write(session->input.fd, session->waiting_input, session->waiting_size);
        if (written < 0 && errno == EINTR)
            continue;
        if (written < 0 && errno == EAGAIN) {
            loop_set(&session->input, EPOLLOUT);
            return;
        }
        if (written < 0) { /* the process closed its input; the rest is for nobody */
            stop_input(session);
            return;
        }
        session->waiting_size -= (size_t)written;
        memmove(session->waiting_input, session->waiting_input + written, session->waiting_size);
    }
    if (session->input.fd >= 0)
        loop_set(&session->input, 0);
    if (session->input_ends && !session->plan.process.terminal)
        stop_input(session);
}

static void input_ready(struct watch *watch, uint32_t events) {
    (void)events;
    struct session *session = owner_of(watch, struct session, input);
    push_input(session);
    update_inputs(session);
}

size_t session_input(struct session *session, const char *data, size_t size) {
    if (session->input.fd < 0 || session->input_ends || !session->plan.open_stdin)
        return size;
    if (session->waiting_input == NULL && (session->waiting_input = malloc(INPUT_MAX)) == NULL)
        return 0;
    size_t room = INPUT_MAX - session->waiting_size, take = size < room ? size : room;
    memcpy(session->waiting_input + session->waiting_size, data, take);
    session->waiting_size += take;
    push_input(session);
    if (session->waiting_size > 0)
        update_inputs(session);
    return take;
}

void session_input_ends(struct session *session) {
    session->input_ends = true;
    push_input(session);
}

int session_resize(struct session *session, unsigned columns, unsigned rows, struct error *error) {
    struct winsize size = {.ws_col = (unsigned short)columns, .ws_row = (unsigned short)rows};
    session->plan.process.columns = columns;
    session->plan.process.rows = rows;
    int terminal = session->output[0].watch.fd;
    if (!session->plan.process.terminal)
        return fail(error, 0, "resize: not a terminal");
    /* Before the start the size waits in the plan. */
    if (terminal >= 0 && ioctl(terminal, TIOCSWINSZ, &size) < 0)
        return fail(error, errno, "resize the terminal");
    return 0;
}

int session_signal(struct session *session, int signal, struct error *error) {
    if (session->state == SESSION_ENDED)
        return fail(error, ESRCH, "send signal %d", signal);
    if (syscall(SYS_pidfd_send_signal, session->ended.fd, signal, NULL, 0) < 0)
        return fail(error, errno, "send signal %d", signal);
    return 0;
}

void session_close(struct session *session) {
    session_drain(session, true);
    struct client *next;
    for (struct client *client = session->clients; client != NULL; client = next) {
        next = client->next;
        client_finish(client);
    }
    close_watch(&session->ended);
    close_watch(&session->status);
}
