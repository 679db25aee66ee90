#include "monitor/loop.h"

#include <errno.h>
#include <stddef.h>
#include <time.h>

static int epoll_fd = -1;
static struct epoll_event batch[16];
static int batch_size;

int loop_open(struct error *error) {
    epoll_fd = epoll_create1(EPOLL_CLOEXEC);
    return epoll_fd < 0 ? fail(error, errno, "make the event loop") : 0;
}

void loop_set(struct watch *watch, uint32_t events) {
    if (watch->events == events)
        return;
    struct epoll_event event = {.events = events, .data.ptr = watch};
    int what = events == 0 ? EPOLL_CTL_DEL : watch->events == 0 ? EPOLL_CTL_ADD : EPOLL_CTL_MOD;
    epoll_ctl(epoll_fd, what, watch->fd, &event);
    watch->events = events;
    if (events == 0) {
        for (int i = 0; i < batch_size; i++) {
            if (batch[i].data.ptr == watch)
                batch[i].data.ptr = NULL;
        }
    }
}

void loop_once(int timeout_ms) {
    batch_size = epoll_wait(epoll_fd, batch, sizeof batch / sizeof *batch, timeout_ms);
    for (int i = 0; i < batch_size; i++) {
        struct watch *watch = batch[i].data.ptr;
        if (watch != NULL)
            watch->ready(watch, batch[i].events);
    }
    batch_size = 0;
}

uint64_t now_ms(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}
