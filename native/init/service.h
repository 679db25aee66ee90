/*
 * The running guest: one supervised program (the agent), reaping of everything re-parented to PID 1, the power button,
 * and the way down.
 */
#ifndef WHERRY_INIT_SERVICE_H
#define WHERRY_INIT_SERVICE_H

#include "base.h"

/* Why the guest goes down. */
enum ending { END_POWER_OFF, END_RESTART };

struct service {
  const char *const *argv;
  const char *cgroup; /* folder of the program's own control group, or NULL */
  int once;           /* when it ends, report its exit code and power off, instead of starting it again */
};

/* Blocks the signals PID 1 handles, so that none is lost before supervise() waits for them. Call before any fork. */
void block_signals(void);

/* Undoes block_signals in a forked child. Async-signal-safe. */
void unblock_signals(void);

/* Runs the service until a signal, the power button or (once) its end asks the guest to go down. */
enum ending supervise(const struct service *service);

/* Asks the service to end (it finds SHUTDOWN_MARK and so knows the guest goes down), then ends everything else, flushes
 * and unmounts. Does not return. */
void shut_down(enum ending ending) __attribute__((noreturn));

/* Exists once the guest is going down: an agent that gets SIGTERM and finds it stops its containers. */
#define SHUTDOWN_MARK "/run/wherry/shutdown"

#endif
