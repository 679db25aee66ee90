/*
 * A connection to the monitor's socket. It begins with requests (records, see protocol.h); `attach` and `exec` turn it
 * into a stream: from the monitor raw terminal bytes or Docker's frames (stream number, three zeroes, big-endian size),
 * to the monitor the process's input, ended by shutting down the writing side.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/records.h"
#include "monitor/loop.h"

struct session;

/* Who wants patience is not dropped, however long it takes nothing. */
enum { WANTS_INPUT = 1, WANTS_OUTPUT = 2, WANTS_ERRORS = 4, WANTS_PATIENCE = 8 };

struct client {
    struct watch watch;
    struct client *next; /* in the session's or the monitor's list */
    struct session *session; /* NULL: sends requests */
    unsigned wants;
    char *requests; /* bytes of requests not complete yet */
    size_t requests_size, requests_capacity;
    char *queue; /* to be sent */
    size_t queue_start, queue_size, queue_capacity;
    uint64_t stalled_since; /* when it last took something, while it lags; 0: does not lag */
    bool input_ended, closing;
    bool watches; /* is told of exits */
};

/* Takes the fd over. The client is in the list of those without a session. */
struct client *client_open(int fd);

/* All that send requests. */
extern struct client *request_clients;

/* Turns it into a stream of this session. */
void client_join(struct client *client, struct session *session, unsigned wants);

/* Queues a record: tag, numbers, strings. */
void client_answer(struct client *client, unsigned tag, const int64_t *numbers, unsigned numbers_count,
                   const char *const *strings, unsigned strings_count);

/* Queues output for it, framed unless the session is a terminal. */
void client_output(struct client *client, int number, const char *data, size_t size);

/* Whether so much waits for it that its session is held back. */
bool client_lags(const struct client *client);

/* Whether it may be read from: changes with the room for input. */
void client_update(struct client *client);

/* Ends it once it has taken all that is queued. */
void client_finish(struct client *client);

/* Closes and frees at once. */
void client_drop(struct client *client);

/* Handles a request; in monitor.c. May turn the client into a stream, but never drops it. */
void handle_request(struct client *client, const struct record *request);

/* A client went away; in monitor.c. */
void handle_gone(struct client *client);
