#include "monitor/client.h"

#include <endian.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

#include "monitor/session.h"

enum { LAGS_ABOVE = 256 << 10, FLOWS_BELOW = 64 << 10 };

struct client *request_clients;

static struct client **list_of(struct client *client) {
    return client->session != NULL ? &client->session->clients : &request_clients;
}

static void unlink_client(struct client *client) {
    for (struct client **at = list_of(client); *at != NULL; at = &(*at)->next) {
        if (*at == client) {
            *at = client->next;
            return;
        }
    }
}

static void link_client(struct client *client) {
    client->next = *list_of(client);
    *list_of(client) = client;
}

bool client_lags(const struct client *client) { return client->stalled_since != 0; }

void client_update(struct client *client) {
    bool readable = !client->input_ended;
    if (client->session != NULL && (client->wants & WANTS_INPUT) && client->session->waiting_size > 0)
        readable = false;
    loop_set(&client->watch,
             (readable ? EPOLLIN | EPOLLRDHUP : EPOLLHUP) | (client->queue_size > 0 ? EPOLLOUT : 0));
}

/* Keeps what could not be sent. Its bound is LAGS_ABOVE and one read more, as the session is then held back. */
static void enqueue(struct client *client, const void *data, size_t size) {
    if (size == 0)
        return;
    size_t end = client->queue_start + client->queue_size;
    if (client->queue_capacity - end < size) {
        memmove(client->queue, client->queue + client->queue_start, client->queue_size);
        client->queue_start = 0;
        end = client->queue_size;
        if (client->queue_capacity - end < size) {
            size_t capacity = (end + size) * 2;
            char *grown = realloc(client->queue, capacity);
            if (grown == NULL) {
                client->closing = true; /* a gap would be worse than an end */
                return;
            }
            client->queue = grown;
            client->queue_capacity = capacity;
        }
    }
    memcpy(client->queue + end, data, size);
    client->queue_size += size;
    if (client->queue_size > LAGS_ABOVE && client->stalled_since == 0)
        client->stalled_since = now_ms();
}

static void send_parts(struct client *client, struct iovec *parts, int count) {
    if (client->closing)
        return;
    size_t sent = 0;
    if (client->queue_size == 0) {
        struct msghdr message = {.msg_iov = parts, .msg_iovlen = (size_t)count};
        ssize_t result = sendmsg(client->watch.fd, &message, MSG_DONTWAIT | MSG_NOSIGNAL);
        if (result > 0)
            sent = (size_t)result; /* errors show as hang-up */
    }
    for (int i = 0; i < count; i++) {
        size_t skip = sent < parts[i].iov_len ? sent : parts[i].iov_len;
        enqueue(client, (char *)parts[i].iov_base + skip, parts[i].iov_len - skip);
        sent -= skip;
    }
    client_update(client);
}

void client_output(struct client *client, int number, const char *data, size_t size) {
    struct {
        uint8_t number, zero[3];
        uint32_t size;
    } frame = {.number = (uint8_t)number, .size = htobe32((uint32_t)size)};
    struct iovec parts[] = {{&frame, sizeof frame}, {(void *)data, size}};
    bool raw = client->session->plan.process.terminal;
    send_parts(client, raw ? parts + 1 : parts, raw ? 1 : 2);
}

void client_answer(struct client *client, unsigned tag, const int64_t *numbers, unsigned numbers_count,
                   const char *const *strings, unsigned strings_count) {
    char buffer[1024];
    ptrdiff_t size = record_write(buffer, sizeof buffer, tag, numbers, numbers_count, strings, strings_count);
    if (size < 0)
        return; /* all answers are short: an error's text is bounded */
    struct iovec part = {buffer, (size_t)size};
    send_parts(client, &part, 1);
}

static void send_queue(struct client *client) {
    ssize_t sent = send(client->watch.fd, client->queue + client->queue_start, client->queue_size,
                        MSG_DONTWAIT | MSG_NOSIGNAL);
    if (sent <= 0)
        return;
    client->queue_start += (size_t)sent;
    client->queue_size -= (size_t)sent;
    if (client->queue_size == 0) {
        free(client->queue); /* few lag, and seldom: an idle client costs no buffer */
        client->queue = NULL;
        client->queue_start = client->queue_capacity = 0;
    }
    if (client->stalled_since != 0)
        client->stalled_since = client->queue_size > FLOWS_BELOW ? now_ms() : 0;
}

/* Splits what was read into requests; drops a client that sends nonsense. */
static void take_requests(struct client *client, const char *data, size_t size) {
    if (client->requests_capacity - client->requests_size < size) {
        size_t capacity = (client->requests_size + size) * 2;
        char *grown = realloc(client->requests, capacity);
        if (grown == NULL) {
            client_drop(client);
            return;
        }
        client->requests = grown;
        client->requests_capacity = capacity;
    }
    memcpy(client->requests + client->requests_size, data, size);
    client->requests_size += size;

    char *buffer = client->requests;
    size_t all = client->requests_size, done = 0;
    struct error error;
    struct record request;
    while (client->session == NULL) {
        ptrdiff_t length = record_read(&request, buffer + done, all - done, &error);
        if (length < 0) {
            client_drop(client);
            return;
        }
        if (length == 0)
            break;
        done += (size_t)length;
        handle_request(client, &request);
    }
    if (client->session != NULL) {
        /* What came with the request is input already. */
        if (all > done && (client->wants & WANTS_INPUT))
            session_input(client->session, buffer + done, all - done);
        free(client->requests);
        client->requests = NULL;
        client->requests_size = client->requests_capacity = 0;
        client_update(client);
    } else {
        memmove(buffer, buffer + done, all - done);
        client->requests_size = all - done;
    }
}

static void end_input(struct client *client) {
    client->input_ended = true;
    struct session *session = client->session;
    if (session == NULL)
        return;
    if ((client->wants & WANTS_INPUT) && session->plan.stdin_once)
        session_input_ends(session);
}

static bool read_some(struct client *client) {
    static char buffer[32768];
    ssize_t size = recv(client->watch.fd, buffer, sizeof buffer, MSG_DONTWAIT);
    if (size < 0)
        return errno == EAGAIN || errno == EINTR;
    if (size == 0) {
        end_input(client);
        return client->session != NULL; /* one that sends requests has nothing more to say */
    }
    if (client->session == NULL) {
        take_requests(client, buffer, (size_t)size);
        return true;
    }
    if (client->wants & WANTS_INPUT)
        session_input(client->session, buffer, (size_t)size);
    return true;
}

static void client_ready(struct watch *watch, uint32_t events) {
    struct client *client = owner_of(watch, struct client, watch);
    struct session *session = client->session;
    if (events & EPOLLOUT)
        send_queue(client);
    bool done = client->closing && client->queue_size == 0;
    if (done || (events & EPOLLERR) != 0 || ((events & EPOLLHUP) != 0 && (events & EPOLLIN) == 0)) {
        client_drop(client);
    } else if (events & client->watch.events & EPOLLIN) { /* another client may have filled the input meanwhile */
        if (!read_some(client))
            client_drop(client);
        else if (session == NULL)
            return; /* it may have been dropped */
        else
            client_update(client);
    } else {
        client_update(client);
    }
    if (session != NULL)
        session_balance(session);
}

struct client *client_open(int fd) {
    struct client *client = calloc(1, sizeof *client);
    if (client == NULL) {
        close(fd);
        return NULL;
    }
    client->watch = (struct watch){.fd = fd, .ready = client_ready};
    link_client(client);
    client_update(client);
    return client;
}

void client_join(struct client *client, struct session *session, unsigned wants) {
    unlink_client(client);
    client->session = session;
    client->wants = wants;
    link_client(client);
}

void client_finish(struct client *client) {
    if (client->queue_size == 0) {
        client_drop(client);
        return;
    }
    client->closing = true;
    client->input_ended = true;
    client_update(client);
}

void client_drop(struct client *client) {
    if (client->session != NULL && !client->input_ended)
        end_input(client);
    handle_gone(client);
    loop_set(&client->watch, 0);
    close(client->watch.fd);
    unlink_client(client);
    free(client->requests);
    free(client->queue);
    free(client);
}
