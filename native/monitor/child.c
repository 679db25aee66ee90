#include "monitor/child.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <termios.h>
#include <unistd.h>

#include "common/cleanup.h"
#include "monitor/steps.h"

enum { STATUS_FD = 3 };

static void tell(int status, int tag, int kind, const struct error *error, int passed_fd) {
    struct child_message message = {.tag = tag, .kind = kind};
    if (error != NULL)
        message.error = *error;
    struct iovec part = {&message, sizeof message};
    union {
        char bytes[CMSG_SPACE(sizeof(int))];
        struct cmsghdr align;
    } control = {0};
    struct msghdr header = {.msg_iov = &part, .msg_iovlen = 1};
    if (passed_fd >= 0) {
        header.msg_control = control.bytes;
        header.msg_controllen = sizeof control.bytes;
        struct cmsghdr *rights = CMSG_FIRSTHDR(&header);
        rights->cmsg_level = SOL_SOCKET;
        rights->cmsg_type = SCM_RIGHTS;
        rights->cmsg_len = CMSG_LEN(sizeof(int));
        memcpy(CMSG_DATA(rights), &passed_fd, sizeof passed_fd);
    }
    sendmsg(status, &header, MSG_NOSIGNAL);
}

void child_fail(int status, int kind, const struct error *error) {
    tell(status, CHILD_FAILED, kind, error, -1);
    _exit(127);
}

/* Puts the streams on 0, 1, 2 and the status socket on 3, and closes all else, which is the monitor's. */
static void settle_descriptors(const struct child_ends *ends, int *status, int *kept) {
    int null = open("/dev/null", O_RDWR | O_CLOEXEC);
    int from[5] = {ends->in >= 0 ? ends->in : null, ends->out >= 0 ? ends->out : null,
                   ends->err >= 0 ? ends->err : null, *status, kept != NULL ? *kept : -1};
    for (int i = 0; i < 5; i++) /* above the targets, so that none is overwritten before it is used */
        from[i] = from[i] >= 0 ? fcntl(from[i], F_DUPFD_CLOEXEC, 16) : -1;
    for (int i = 0; i < 5; i++) {
        if (from[i] >= 0)
            dup3(from[i], i, i < 3 ? 0 : O_CLOEXEC);
    }
    close_range(kept != NULL ? 5 : 4, ~0U, 0);
    *status = STATUS_FD;
    if (kept != NULL)
        *kept = 4;
}

static void reset_signals(void) {
    struct sigaction by_default = {.sa_handler = SIG_DFL};
    for (int signal = 1; signal < NSIG; signal++)
        sigaction(signal, &by_default, NULL);
    sigset_t none;
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
}

/* Dies with the monitor; set again after each change of user, which clears it. */
static void die_with_monitor(void) { prctl(PR_SET_PDEATHSIG, SIGKILL); }

static void wait_for_monitor(int status, struct staged_binds *staged) {
    if (recv(status, staged, sizeof *staged, 0) != sizeof *staged)
        _exit(127); /* the monitor is gone, or gave up */
}

static int become_root(struct error *error) {
    if (setgroups(0, NULL) < 0 || syscall(SYS_setresgid, 0, 0, 0) < 0 || syscall(SYS_setresuid, 0, 0, 0) < 0)
        return fail(error, errno, "become root of the user namespace");
    die_with_monitor();
    return 0;
}

/* A terminal of the container's own devpts becomes the controlling one, on 0, 1 and 2. */
static int take_terminal(const struct process_plan *process, const char *ptmx, int status, bool console,
                         struct error *error) {
    cleanup_close int master = open(ptmx, O_RDWR | O_NOCTTY | O_CLOEXEC);
    int unlocked = 0, number;
    if (master < 0 || ioctl(master, TIOCSPTLCK, &unlocked) < 0 || ioctl(master, TIOCGPTN, &number) < 0)
        return fail(error, errno, "open a terminal");
    cleanup_close int slave = ioctl(master, TIOCGPTPEER, O_RDWR | O_NOCTTY | O_CLOEXEC);
    if (slave < 0)
        return fail(error, errno, "open a terminal");
    if (process->columns > 0) {
        struct winsize size = {.ws_col = (unsigned short)process->columns, .ws_row = (unsigned short)process->rows};
        ioctl(slave, TIOCSWINSZ, &size);
    }
    if (fchown(slave, process->uid, (gid_t)-1) < 0)
        return fail(error, errno, "give the terminal to user %u", process->uid);
    if (console) {
        char path[32];
        snprintf(path, sizeof path, "/dev/pts/%d", number);
        cleanup_close int made = open("/dev/console", O_CREAT | O_RDWR | O_NOCTTY | O_CLOEXEC, 0600);
        if (made < 0 || mount(path, "/dev/console", NULL, MS_BIND, NULL) < 0)
            return fail(error, errno, "mount /dev/console");
    }
    tell(status, CHILD_TERMINAL, 0, NULL, master);
    if (ioctl(slave, TIOCSCTTY, 0) < 0)
        return fail(error, errno, "make the terminal the controlling one");
    for (int i = 0; i < 3; i++)
        dup2(slave, i);
    return 0;
}

static int own_mounts(const struct plan *plan, const struct staged_binds *staged, const char *staging, int status,
                      struct error *error) {
    uint64_t more = plan->new_namespaces & CLONE_NEWCGROUP; /* made here, as its root is the cgroup one is in */
    if (unshare(CLONE_NEWNS | (int)more) < 0)
        return fail(error, errno, "make a mount namespace");
    tell(status, CHILD_UNSHARED, 0, NULL, -1);
    cleanup_close int stage = open(staging, O_PATH | O_DIRECTORY | O_CLOEXEC);
    cleanup_close int old_root = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);
    if (stage < 0 || old_root < 0 || fchdir(stage) < 0)
        return fail(error, errno, "enter %s", staging);
    if (step_enter_root(error) < 0)
        return -1;
    /* Now the guest's own folders are behind, which only its real root may search. */
    if (plan->has_id_range && become_root(error) < 0)
        return -1;
    if (steps_do(plan, staged, stage, old_root, error) < 0)
        return -1;
    return 0;
}

void child_of_container(const struct plan *plan, const char *staging, const struct child_ends *ends, int status) {
    struct error error;
    struct staged_binds staged;
    die_with_monitor();
    reset_signals();
    settle_descriptors(ends, &status, NULL);
    setsid();
    wait_for_monitor(status, &staged);
    umask(0);
    if (own_mounts(plan, &staged, staging, status, &error) < 0)
        child_fail(status, FAILED_SETUP, &error);
    if (plan->process.terminal && take_terminal(&plan->process, "/dev/ptmx", status, true, &error) < 0)
        child_fail(status, FAILED_SETUP, &error);
    if (steps_finish(plan, &error) < 0)
        child_fail(status, FAILED_SETUP, &error);
    child_execute(&plan->process, -1, status);
}

void child_of_exec(const struct plan *plan, int container, uint64_t namespaces, bool has_user_namespace,
                   const struct child_ends *ends, int status) {
    struct error error;
    struct staged_binds staged;
    die_with_monitor();
    reset_signals();
    settle_descriptors(ends, &status, &container);
    setsid();
    wait_for_monitor(status, &staged);
    bool is_guests = plan->guest_program[0] != 0;
    int program = is_guests ? open(plan->guest_program, O_PATH | O_CLOEXEC) : -1;
    if (is_guests && program < 0) {
        fail(&error, errno, "open %s", plan->guest_program);
        child_fail(status, FAILED_SETUP, &error);
    }
    if (setns(container, (int)namespaces) < 0) {
        fail(&error, errno, "enter the container's namespaces");
        child_fail(status, FAILED_SETUP, &error);
    }
    close(container);
    if (has_user_namespace && become_root(&error) < 0)
        child_fail(status, FAILED_SETUP, &error);
    if (plan->process.terminal && take_terminal(&plan->process, "/dev/pts/ptmx", status, false, &error) < 0)
        child_fail(status, FAILED_SETUP, &error);
    child_execute(&plan->process, program, status);
}
