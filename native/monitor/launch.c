#include "monitor/launch.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/sched.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/cleanup.h"
#include "monitor/child.h"

static void close_ends(struct child_ends *ends) {
    int *all[] = {&ends->in, &ends->out, &ends->err};
    for (int i = 0; i < 3; i++) {
        if (*all[i] >= 0)
            close(*all[i]);
        *all[i] = -1;
    }
}

/* As the kernel tells it here: in the namespace of the process itself the number is another (proc_pid_fdinfo(5)). */
static pid_t pid_of(int pidfd) {
    char path[40], text[512];
    snprintf(path, sizeof path, "/proc/self/fdinfo/%d", pidfd);
    cleanup_close int fd = open(path, O_RDONLY | O_CLOEXEC);
    ssize_t size = fd < 0 ? -1 : read(fd, text, sizeof text - 1);
    text[size < 0 ? 0 : size] = 0;
    const char *line = strstr(text, "\nPid:");
    return line == NULL ? -1 : atoi(line + strlen("\nPid:"));
}

/*
 * Clones from within a user namespace. There is no way back out of one, so a helper goes there and leaves the process it
 * clones to the monitor: as its child (CLONE_PARENT), its pidfd in the table of descriptors that the two share. Returns as clone does.
 */
static pid_t clone_inside(int user_namespace, struct clone_args *arguments, int *pidfd) {
    struct {
        int pidfd, code;
    } *told = mmap(NULL, sizeof *told, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (told == MAP_FAILED)
        return -1;
    told->pidfd = -1;
    struct clone_args helper = {.flags = CLONE_FILES, .exit_signal = SIGCHLD};
    pid_t pid = (pid_t)syscall(SYS_clone3, &helper, sizeof helper);
    if (pid == 0) {
        /* Those who live in there may not look into it. */
        prctl(PR_SET_DUMPABLE, 0);
        arguments->flags |= CLONE_PARENT;
        arguments->exit_signal = 0;
        arguments->pidfd = (uint64_t)(uintptr_t)&told->pidfd;
        long cloned = setns(user_namespace, CLONE_NEWUSER) < 0 ? -1 : syscall(SYS_clone3, arguments, sizeof *arguments);
        if (cloned == 0)
            return 0;
        told->code = cloned < 0 ? errno : 0;
        _exit(0);
    }
    int code = errno, status;
    if (pid > 0) {
        while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
            ;
        code = told->code;
        *pidfd = told->pidfd;
        pid = *pidfd < 0 ? -1 : pid_of(*pidfd);
    }
    if (pid < 0 && *pidfd >= 0) /* it ends by itself: nobody holds the other end of its status socket */
        close(*pidfd);
    munmap(told, sizeof *told);
    errno = code;
    return pid;
}

int launch(struct session *session, uint64_t flags, int user_namespace, int cgroup, launch_child *run, void *argument,
           uid_t outer_uid, gid_t outer_gid, struct error *error) {
    struct child_ends ends;
    int sockets[2] = {-1, -1};
    session->status.fd = session->ended.fd = -1;
    if (session_pipes(session, &ends, outer_uid, outer_gid, error) < 0) {
        close_ends(&ends);
        return -1;
    }
    if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, sockets) < 0) {
        close_ends(&ends);
        return fail(error, errno, "make a socket pair");
    }
    int pidfd = -1;
    struct clone_args arguments = {
        .flags = flags | CLONE_PIDFD | (cgroup >= 0 ? CLONE_INTO_CGROUP : 0),
        .pidfd = (uint64_t)(uintptr_t)&pidfd,
        .exit_signal = SIGCHLD,
        .cgroup = cgroup >= 0 ? (uint64_t)cgroup : 0,
    };
    pid_t pid = user_namespace >= 0 ? clone_inside(user_namespace, &arguments, &pidfd)
                                    : (pid_t)syscall(SYS_clone3, &arguments, sizeof arguments);
    if (pid == 0) {
        run(session, &ends, sockets[1], argument);
        _exit(127);
    }
    int code = errno;
    close(sockets[1]);
    close_ends(&ends);
    session->status.fd = sockets[0];
    if (pid < 0)
        return fail(error, code, "clone the process");
    session->pid = pid;
    session->ended.fd = pidfd;
    return 0;
}

static int write_file(pid_t pid, const char *name, const char *text, struct error *error) {
    char path[64];
    snprintf(path, sizeof path, "/proc/%d/%s", pid, name);
    cleanup_close int fd = open(path, O_WRONLY | O_CLOEXEC);
    if (fd < 0 || write(fd, text, strlen(text)) < 0)
        return fail(error, errno, "write %s to %s", text, path);
    return 0;
}

int launch_limit(const struct session *session, struct error *error) {
    const struct process_plan *process = &session->plan.process;
    for (size_t i = 0; i < process->rlimits_count; i++) {
        struct rlimit64 limit = {.rlim_cur = process->rlimits[i].soft, .rlim_max = process->rlimits[i].hard};
        if (prlimit64(session->pid, (enum __rlimit_resource)process->rlimits[i].resource, &limit, NULL) < 0)
            return fail(error, errno, "set resource limit %d", process->rlimits[i].resource);
    }
    char score[16];
    snprintf(score, sizeof score, "%d", process->oom_score);
    return write_file(session->pid, "oom_score_adj", score, error);
}

int launch_map_ids(const struct session *session, uint32_t base, uint32_t size, struct error *error) {
    char map[48];
    snprintf(map, sizeof map, "0 %u %u", base, size);
    if (write_file(session->pid, "uid_map", map, error) < 0)
        return -1;
    return write_file(session->pid, "gid_map", map, error);
}

int launch_reap(struct session *session, bool wait) {
    siginfo_t info = {0};
    if (session->ended.fd < 0)
        return 137;
    if (wait)
        syscall(SYS_pidfd_send_signal, session->ended.fd, SIGKILL, NULL, 0);
    int result;
    do {
        result = waitid(P_PIDFD, (id_t)session->ended.fd, &info, WEXITED | (wait ? 0 : WNOHANG));
    } while (result < 0 && errno == EINTR);
    if (result < 0 || info.si_pid == 0)
        return 137;
    return info.si_code == CLD_EXITED ? info.si_status : 128 + info.si_status;
}
