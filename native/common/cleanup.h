/* Releases what a function owns, on every path out of it. */
#pragma once

#include <stdlib.h>
#include <unistd.h>

static inline void cleanup_freep(void *p) { free(*(void **)p); }

static inline void cleanup_closep(int *fd) {
    if (*fd >= 0)
        close(*fd);
}

#define cleanup_free __attribute__((cleanup(cleanup_freep)))
#define cleanup_close __attribute__((cleanup(cleanup_closep)))

/* Gives up ownership: `return take_fd(&fd);` */
static inline int take_fd(int *fd) {
    int taken = *fd;
    *fd = -1;
    return taken;
}
