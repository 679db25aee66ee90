#include "monitor/container.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "common/cleanup.h"
#include "monitor/cgroup.h"
#include "monitor/child.h"
#include "monitor/launch.h"
#include "monitor/rootfs.h"

enum { LINGER_MS = 30000 };

struct container container = {.cgroup = -1, .own_mounts = -1, .user_namespace = -1, .listener.fd = -1};

static void container_ended(struct watch *watch, uint32_t events);
static void container_status(struct watch *watch, uint32_t events);

static const struct {
    uint64_t flag;
    const char *own;
} joinable[] = {
    {CLONE_NEWNET, "/proc/self/ns/net"},
    {CLONE_NEWIPC, "/proc/self/ns/ipc"},
    {CLONE_NEWUTS, "/proc/self/ns/uts"},
    {CLONE_NEWPID, "/proc/self/ns/pid"},
    {CLONE_NEWCGROUP, "/proc/self/ns/cgroup"},
};
enum { JOINABLE = sizeof joinable / sizeof *joinable };

/*
 * Joins the namespaces of the plan that exist already: by the monitor, as the child's own user namespace has no right to
 * them. `own` gets descriptors of the monitor's, to go back to.
 */
static int join_namespaces(const struct plan *plan, int own[JOINABLE], struct error *error) {
    struct record record;
    for (size_t at = 0; plan_next(plan, &at, &record);) {
        const char *path = record_string(&record, 0);
        int flag = (int)record_number(&record, 0, 0);
        if (record.tag != PLAN_NAMESPACE || path[0] == 0 || flag == CLONE_NEWUSER)
            continue;
        cleanup_close int namespace = open(path, O_RDONLY | O_CLOEXEC);
        if (namespace < 0)
            return fail(error, errno, "open namespace %s", path);
        for (int i = 0; i < JOINABLE; i++) {
            if (joinable[i].flag == (uint64_t)flag && own[i] < 0)
                own[i] = open(joinable[i].own, O_RDONLY | O_CLOEXEC);
        }
        if (setns(namespace, flag) < 0)
            return fail(error, errno, "join namespace %s", path);
    }
    return 0;
}

static int leave_namespaces(int own[JOINABLE], struct error *error) {
    int result = 0;
    for (int i = 0; i < JOINABLE; i++) {
        if (own[i] < 0)
            continue;
        if (setns(own[i], 0) < 0)
            result = fail(error, errno, "go back to %s", joinable[i].own);
        close(own[i]);
    }
    return result;
}

static void run_child(const struct session *session, const struct child_ends *ends, int status, void *argument) {
    child_of_container(&session->plan, argument, ends, status);
}

static int clone_process(struct error *error) {
    struct plan *plan = &container.session.plan;
    int own[JOINABLE] = {-1, -1, -1, -1, -1};
    /* The mount and cgroup namespaces are made by the child, after the mounts and in its cgroup. */
    uint64_t flags = plan->new_namespaces & ~(uint64_t)(CLONE_NEWNS | CLONE_NEWCGROUP | CLONE_NEWUSER);
    if (plan->has_id_range && plan->user_namespace == NULL)
        flags |= CLONE_NEWUSER;
    int result = join_namespaces(plan, own, error);
    if (result == 0)
        result = launch(&container.session, flags, container.user_namespace, container.cgroup, run_child,
                        (void *)container.staging, plan->id_base + plan->process.uid,
                        plan->id_base + plan->process.gid, error);
    struct error back;
    if (leave_namespaces(own, result < 0 ? &back : error) < 0)
        result = -1;
    return result;
}

static int enter_private_mounts(struct error *error) {
    container.own_mounts = open("/proc/self/ns/mnt", O_RDONLY | O_CLOEXEC);
    if (container.own_mounts < 0 || unshare(CLONE_NEWNS) < 0)
        return fail(error, errno, "make a mount namespace");
    if (mount(NULL, "/", NULL, MS_SLAVE | MS_REC, NULL) < 0)
        return fail(error, errno, "keep the mounts private");
    if (chdir(container.staging) < 0)
        return fail(error, errno, "enter %s", container.staging);
    return 0;
}

/* The private namespace ends with the last who is in it; the container has its copy. */
static void leave_private_mounts(void) {
    if (container.own_mounts < 0)
        return;
    setns(container.own_mounts, CLONE_NEWNS);
    close(container.own_mounts);
    container.own_mounts = -1;
    if (container.user_namespace >= 0)
        close(container.user_namespace);
    container.user_namespace = -1;
}

static void accept_client(struct watch *watch, uint32_t events) {
    (void)events;
    int fd = accept4(watch->fd, NULL, NULL, SOCK_CLOEXEC);
    if (fd >= 0)
        client_open(fd);
}

static int socket_address(struct sockaddr_un *address, struct error *error) {
    *address = (struct sockaddr_un){.sun_family = AF_UNIX};
    int size = snprintf(address->sun_path, sizeof address->sun_path, "%s/monitor.sock", container.session.plan.run_dir);
    if (size >= (int)sizeof address->sun_path)
        return fail(error, ENAMETOOLONG, "listen in %s", container.session.plan.run_dir);
    return 0;
}

static int listen_for_clients(struct error *error) {
    struct sockaddr_un address;
    if (socket_address(&address, error) < 0)
        return -1;
    if (mkdir(container.session.plan.run_dir, 0700) < 0 && errno != EEXIST)
        return fail(error, errno, "make %s", container.session.plan.run_dir);
    unlink(address.sun_path);
    container.listener = (struct watch){.fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0),
                                        .ready = accept_client};
    mode_t before = umask(0177);
    int bound = bind(container.listener.fd, (struct sockaddr *)&address, sizeof address);
    umask(before);
    if (bound < 0 || listen(container.listener.fd, 64) < 0)
        return fail(error, errno, "listen on %s", address.sun_path);
    loop_set(&container.listener, EPOLLIN);
    return 0;
}

static void stop_listening(void) {
    struct sockaddr_un address;
    struct error ignored;
    if (container.listener.fd < 0)
        return;
    loop_set(&container.listener, 0);
    close(container.listener.fd);
    container.listener.fd = -1;
    if (socket_address(&address, &ignored) == 0)
        unlink(address.sun_path);
}

/* `path`: one of another container, or the process's own, whose ids are mapped now. */
static int open_user_namespace(const char *path, struct error *error) {
    container.user_namespace = open(path, O_RDONLY | O_CLOEXEC);
    return container.user_namespace < 0 ? fail(error, errno, "open %s", path) : 0;
}

static int set_up(struct error *error) {
    struct session *session = &container.session;
    struct plan *plan = &session->plan;
    if (plan->log_path != NULL) {
        if (log_open(&container.log, plan->log_path, plan->log_max_bytes, plan->log_max_files, error) < 0)
            return -1;
        session->log = &container.log;
    }
    if (plan->cgroup[0] != 0 && (container.cgroup = cgroup_open(plan, error)) < 0)
        return -1;
    if (plan->user_namespace != NULL && open_user_namespace(plan->user_namespace, error) < 0)
        return -1;
    if (enter_private_mounts(error) < 0 || clone_process(error) < 0)
        return -1;
    if (plan->has_id_range && plan->user_namespace == NULL) {
        char path[64];
        snprintf(path, sizeof path, "/proc/%d/ns/user", session->pid);
        if (launch_map_ids(session, plan->id_base, plan->id_size, error) < 0 || open_user_namespace(path, error) < 0)
            return -1;
    }
    if (launch_limit(session, error) < 0 || rootfs_mount(plan, container.user_namespace, error) < 0)
        return -1;
    session->ended.ready = container_ended;
    loop_set(&session->ended, EPOLLIN);
    return listen_for_clients(error);
}

int container_create(void *data, size_t size, const char *staging, struct error *error) {
    container.staging = staging;
    container.log.fd = -1;
    container.session.ended.fd = container.session.status.fd = container.session.input.fd = -1;
    container.session.output[0].watch.fd = container.session.output[1].watch.fd = -1;
    if (plan_parse(&container.session.plan, data, size, error) < 0)
        return -1;
    if (set_up(error) == 0)
        return 0;
    container_destroy();
    return -1;
}

static int release(struct error *error) {
    struct session *session = &container.session;
    struct staged_binds staged = {0};
    if (rootfs_stage_binds(&session->plan, container.user_namespace, &staged, error) < 0)
        return -1;
    if (send(session->status.fd, &staged, sizeof staged, MSG_NOSIGNAL) < 0)
        return fail(error, errno, "start the process");
    return 0;
}

int container_go(struct client *client, uint32_t id, struct error *error) {
    struct session *session = &container.session;
    if (session->state != SESSION_CREATED)
        return fail(error, 0, "the container was started before");
    session->state = SESSION_STARTING;
    session->starter = id;
    session->starter_client = client;
    session->status.ready = container_status;
    loop_set(&session->status, EPOLLIN);
    if (release(error) == 0)
        return 0;
    container_destroy();
    container.leave_by = now_ms() + LINGER_MS;
    return -1;
}

int read_status(struct session *session, struct child_message *message, int *fd) {
    struct iovec part = {message, sizeof *message};
    union {
        char bytes[CMSG_SPACE(sizeof(int))];
        struct cmsghdr align;
    } control;
    struct msghdr header = {
        .msg_iov = &part, .msg_iovlen = 1, .msg_control = control.bytes, .msg_controllen = sizeof control.bytes};
    *fd = -1;
    ssize_t size = recvmsg(session->status.fd, &header, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);
    if (size < 0)
        return errno == EAGAIN || errno == EINTR ? -1 : 0;
    if (size < (ssize_t)sizeof *message)
        return 0;
    struct cmsghdr *rights = CMSG_FIRSTHDR(&header);
    if (rights != NULL && rights->cmsg_type == SCM_RIGHTS)
        memcpy(fd, CMSG_DATA(rights), sizeof *fd);
    return message->tag;
}

static void started(void) {
    struct session *session = &container.session;
    int64_t numbers[] = {session->starter};
    session->state = SESSION_RUNNING;
    container.creator = NULL;
    loop_set(&session->status, 0);
    leave_private_mounts();
    session_flow(session);
    if (session->starter_client != NULL)
        client_answer(session->starter_client, ANSWER_OK, numbers, 1, NULL, 0);
    session->starter_client = NULL;
}

static void start_failed(const struct child_message *message) {
    struct session *session = &container.session;
    struct client *client = session->starter_client;
    container_destroy();
    if (client != NULL)
        answer_failure(client, session->starter, message->kind, &message->error);
    container.leave_by = now_ms() + LINGER_MS;
}

/* Takes what the child says. Returns false when there is no more to come. */
static bool take_status(void) {
    struct session *session = &container.session;
    struct child_message message;
    int fd;
    switch (read_status(session, &message, &fd)) {
    case CHILD_UNSHARED:
        leave_private_mounts();
        return true;
    case CHILD_TERMINAL:
        session_terminal(session, fd);
        return true;
    case CHILD_FAILED:
        start_failed(&message);
        return false;
    case 0:
        started();
        return false;
    default:
        return false;
    }
}

static void container_status(struct watch *watch, uint32_t events) {
    (void)watch;
    (void)events;
    take_status();
}

/* Tells all who wait for it, after everything else is done. */
static void announce_exit(int exit_code, bool out_of_memory, const char *finished_at) {
    int64_t numbers[] = {0, exit_code, out_of_memory};
    struct client *next;
    for (struct client *client = request_clients; client != NULL; client = next) {
        next = client->next;
        if (client->watches)
            client_answer(client, EVENT_EXITED, numbers, 3, &finished_at, 1);
        client_finish(client);
    }
}

static void container_ended(struct watch *watch, uint32_t events) {
    (void)watch;
    (void)events;
    struct session *session = &container.session;
    while (session->state == SESSION_STARTING && take_status())
        ;
    if (container.leave_by != 0)
        return; /* it was a failed start */
    int exit_code = launch_reap(session, false);
    bool out_of_memory = container.cgroup >= 0 && cgroup_out_of_memory(container.cgroup);
    bool ran = session->state == SESSION_RUNNING;
    char finished_at[40];
    struct error error;
    container_destroy();
    if (ran && record_exit(session->plan.exit_record, exit_code, out_of_memory, finished_at, &error) < 0)
        dprintf(STDERR_FILENO, "monitor %s: %s\n", session->plan.id, error.text);
    if (ran) {
        announce_exit(exit_code, out_of_memory, finished_at);
        record_settle(session->plan.exit_record);
    }
    container.leave_by = now_ms() + LINGER_MS;
}

void container_destroy(void) {
    struct session *session = &container.session;
    stop_listening();
    if (session->ended.fd >= 0 && session->state != SESSION_RUNNING)
        launch_reap(session, true);
    session->state = SESSION_ENDED;
    if (container.cgroup >= 0) {
        cgroup_kill(container.cgroup);
        close(container.cgroup);
        container.cgroup = -1;
    }
    exec_end_all();
    session_close(session);
    log_close(&container.log);
    leave_private_mounts();
    if (session->plan.cgroup != NULL && session->plan.cgroup[0] != 0)
        cgroup_remove(session->plan.cgroup);
}
