#include "unpack/queue.h"

#include <stdlib.h>

void queue_init(struct queue *queue) {
    *queue = (struct queue){0};
    pthread_mutex_init(&queue->lock, NULL);
    pthread_cond_init(&queue->changed, NULL);
}

bool queue_push(struct queue *queue, struct chunk *chunk) {
    pthread_mutex_lock(&queue->lock);
    while (queue->count == QUEUE_DEPTH && !queue->abandoned)
        pthread_cond_wait(&queue->changed, &queue->lock);
    bool taken = !queue->abandoned;
    if (taken) {
        queue->slots[(queue->first + queue->count++) % QUEUE_DEPTH] = chunk;
        pthread_cond_broadcast(&queue->changed);
    }
    pthread_mutex_unlock(&queue->lock);
    if (!taken)
        chunk_release(chunk);
    return taken;
}

void queue_end(struct queue *queue) {
    pthread_mutex_lock(&queue->lock);
    queue->ended = true;
    pthread_cond_broadcast(&queue->changed);
    pthread_mutex_unlock(&queue->lock);
}

struct chunk *queue_pop(struct queue *queue) {
    pthread_mutex_lock(&queue->lock);
    while (queue->count == 0 && !queue->ended)
        pthread_cond_wait(&queue->changed, &queue->lock);
    struct chunk *chunk = NULL;
    if (queue->count > 0) {
        chunk = queue->slots[queue->first];
        queue->first = (queue->first + 1) % QUEUE_DEPTH;
        queue->count--;
        pthread_cond_broadcast(&queue->changed);
    }
    pthread_mutex_unlock(&queue->lock);
    return chunk;
}

void queue_abandon(struct queue *queue) {
    pthread_mutex_lock(&queue->lock);
    queue->abandoned = true;
    while (queue->count > 0) {
        chunk_release(queue->slots[queue->first]);
        queue->first = (queue->first + 1) % QUEUE_DEPTH;
        queue->count--;
    }
    pthread_cond_broadcast(&queue->changed);
    pthread_mutex_unlock(&queue->lock);
}

struct chunk *chunk_new(int holders) {
    struct chunk *chunk = malloc(sizeof *chunk);
    if (chunk == NULL)
        abort(); /* 256 KiB short: nothing sensible can follow */
    chunk->length = 0;
    chunk->holders = holders;
    return chunk;
}

void chunk_release(struct chunk *chunk) {
    if (__atomic_sub_fetch(&chunk->holders, 1, __ATOMIC_ACQ_REL) == 0)
        free(chunk);
}
