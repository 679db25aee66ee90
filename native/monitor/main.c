/*
 * `monitor SOCKET STAGING [CGROUP]`: the spawner. Waits on SOCKET; each connection makes it fork, and the fork becomes the
 * monitor of the container whose plan the connection brings. So a start costs a fork of this small process, no execve,
 * and nothing of the agent's.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/cleanup.h"
#include "monitor/monitor.h"
#include "monitor/rootfs.h"

static void wake(int signal) { (void)signal; }

/* Leaves the agent's cgroup, which is killed with the agent. */
static int enter_cgroup(const char *path, struct error *error) {
    char procs[256];
    if (mkdir(path, 0755) < 0 && errno != EEXIST)
        return fail(error, errno, "make cgroup %s", path);
    snprintf(procs, sizeof procs, "%s/cgroup.procs", path);
    cleanup_close int fd = open(procs, O_WRONLY | O_CLOEXEC);
    return fd < 0 || write(fd, "0", 1) < 0 ? fail(error, errno, "enter cgroup %s", path) : 0;
}

static int listen_on(const char *path, struct error *error) {
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    if (snprintf(address.sun_path, sizeof address.sun_path, "%s", path) >= (int)sizeof address.sun_path)
        return fail(error, ENAMETOOLONG, "listen on %s", path);
    cleanup_close int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    umask(0177);
    int bound = bind(fd, (struct sockaddr *)&address, sizeof address);
    if (bound < 0 && errno == EADDRINUSE) {
        cleanup_close int other = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
        if (connect(other, (struct sockaddr *)&address, sizeof address) == 0)
            return fail(error, EADDRINUSE, "listen on %s", path);
        unlink(path);
        bound = bind(fd, (struct sockaddr *)&address, sizeof address);
    }
    umask(022);
    if (bound < 0 || listen(fd, 1024) < 0)
        return fail(error, errno, "listen on %s", path);
    return take_fd(&fd);
}

/* Ready: whoever started us waits for this byte. Then nothing of theirs is kept; complaints go to the kernel's log. */
static void let_go(void) {
    ssize_t ignored = write(STDOUT_FILENO, "\n", 1);
    (void)ignored;
    int null = open("/dev/null", O_RDWR | O_CLOEXEC);
    dup2(null, STDIN_FILENO);
    dup2(null, STDOUT_FILENO);
    int log = open("/dev/kmsg", O_WRONLY | O_CLOEXEC);
    dup2(log >= 0 ? log : null, STDERR_FILENO);
    close_range(3, ~0U, CLOSE_RANGE_CLOEXEC);
}

static void serve(int listener, const char *staging) {
    sigset_t chld, none;
    sigemptyset(&none);
    sigemptyset(&chld);
    sigaddset(&chld, SIGCHLD);
    sigprocmask(SIG_BLOCK, &chld, NULL);
    signal(SIGCHLD, wake);
    for (;;) {
        struct pollfd waiting = {.fd = listener, .events = POLLIN};
        ppoll(&waiting, 1, NULL, &none);
        while (waitpid(-1, NULL, WNOHANG) > 0)
            ;
        if (!(waiting.revents & POLLIN))
            continue;
        int connection = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
        if (connection < 0)
            continue;
        if (fork() == 0) {
            close(listener);
            signal(SIGCHLD, SIG_DFL);
            sigprocmask(SIG_SETMASK, &none, NULL);
            monitor_run(connection, staging);
        }
        close(connection);
    }
}

int main(int count, char **arguments) {
    struct error error;
    if (count < 3) {
        dprintf(STDERR_FILENO, "usage: monitor SOCKET STAGING [CGROUP]\n");
        return 2;
    }
    setsid();
    prctl(PR_SET_NAME, "spawner");
    signal(SIGPIPE, SIG_IGN);
    int listener = -1;
    if ((count > 3 && enter_cgroup(arguments[3], &error) < 0) ||
        (listener = listen_on(arguments[1], &error)) < 0 || staging_make(arguments[2], &error) < 0) {
        dprintf(STDERR_FILENO, "monitor: %s\n", error.text);
        return 1;
    }
    if (chdir("/") == 0)
        let_go();
    serve(listener, arguments[2]);
}
