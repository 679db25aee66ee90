/* Processes by descriptor, and the clock. */
#include <errno.h>
#include <signal.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "addon/operation.h"

/* (pid) -> descriptor, closed on exec */
static void run_pidfd_open(struct call *call) {
    long fd = syscall(SYS_pidfd_open, (pid_t)call->arguments[0].number, 0);
    call->result = fd < 0 ? -errno : fd;
}

/* (descriptor, signal; 0 only asks whether it lives) */
static void run_pidfd_signal(struct call *call) {
    long sent = syscall(SYS_pidfd_send_signal, (int)call->arguments[0].number, (int)call->arguments[1].number, NULL, 0);
    call->result = sent < 0 ? -errno : 0;
}

/* (milliseconds since 1970) */
static void run_set_clock(struct call *call) {
    int64_t milliseconds = call->arguments[0].number;
    const struct timespec now = {.tv_sec = milliseconds / 1000, .tv_nsec = milliseconds % 1000 * 1000000};
    call->result = clock_settime(CLOCK_REALTIME, &now) < 0 ? -errno : 0;
}

const struct operation process_operations[] = {
    {"pidfdOpen", "n", run_pidfd_open},
    {"pidfdSignal", "nn", run_pidfd_signal},
    {"setClock", "n", run_set_clock},
    {NULL, NULL, NULL},
};
