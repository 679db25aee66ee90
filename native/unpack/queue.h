/* Blocks of bytes handed from one thread to others, with a bound on how many wait. */
#pragma once

#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>

#define CHUNK_SIZE (256 * 1024)
#define QUEUE_DEPTH 8

struct chunk {
    size_t length;
    int holders; /* released by each; the last one frees */
    unsigned char data[CHUNK_SIZE];
};

struct queue {
    pthread_mutex_t lock;
    pthread_cond_t changed;
    struct chunk *slots[QUEUE_DEPTH];
    size_t first, count;
    bool ended;     /* the producer is done */
    bool abandoned; /* the consumer wants no more; pushes are dropped */
};

void queue_init(struct queue *queue);
/* Takes one hold of the chunk. Waits while full. Returns false when the consumer is gone (the hold is released). */
bool queue_push(struct queue *queue, struct chunk *chunk);
void queue_end(struct queue *queue);
/* Next chunk, or NULL at the end. The caller releases it. */
struct chunk *queue_pop(struct queue *queue);
/* The consumer leaves; what waits is released. */
void queue_abandon(struct queue *queue);

struct chunk *chunk_new(int holders);
void chunk_release(struct chunk *chunk);
