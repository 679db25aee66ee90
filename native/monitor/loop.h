/* The one event loop: epoll, level-triggered, single-threaded. */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <sys/epoll.h>

#include "common/error.h"

struct watch {
    int fd;
    uint32_t events; /* 0: not in the loop */
    void (*ready)(struct watch *watch, uint32_t events);
};

int loop_open(struct error *error);

/* Makes the loop watch for `events`; 0 takes it out, so that not even a hang-up is reported. Never closes the fd. */
void loop_set(struct watch *watch, uint32_t events);

/* Waits at most `timeout_ms` (<0: for ever) and calls what is ready. A watch removed by one of them is not called. */
void loop_once(int timeout_ms);

uint64_t now_ms(void);

/* The watch's owner, from the member that is the watch. */
#define owner_of(watch, type, member) ((type *)(void *)((char *)(watch)-offsetof(type, member)))
