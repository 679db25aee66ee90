/* Netlink sockets, in this network namespace or another. Messages are made and read in TypeScript. */
#include <errno.h>
#include <fcntl.h>
#include <linux/netlink.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>

#include "addon/operation.h"
#include "common/cleanup.h"

enum { MAX_REPLY_BYTES = 16 << 20, TIMEOUT_SECONDS = 10 };

static int open_socket(int protocol) {
    cleanup_close int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, protocol);
    if (fd < 0)
        return -errno;
    const struct sockaddr_nl address = {.nl_family = AF_NETLINK};
    const struct timeval timeout = {.tv_sec = TIMEOUT_SECONDS};
    const int on = 1;
    if (bind(fd, (const struct sockaddr *)&address, sizeof(address)) < 0 ||
        setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &timeout, sizeof(timeout)) < 0 ||
        setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &timeout, sizeof(timeout)) < 0)
        return -errno;
    /* Kernels without them answer as well, only in fewer words. */
    setsockopt(fd, SOL_NETLINK, NETLINK_EXT_ACK, &on, sizeof(on));
    setsockopt(fd, SOL_NETLINK, NETLINK_CAP_ACK, &on, sizeof(on));
    return take_fd(&fd);
}

/* A socket belongs for good to the namespace it was made in; only this thread, and only meanwhile, is elsewhere. */
static int open_socket_in(int protocol, const char *namespace_path) {
    cleanup_close int home = open("/proc/thread-self/ns/net", O_RDONLY | O_CLOEXEC);
    if (home < 0)
        return -errno;
    cleanup_close int other = open(namespace_path, O_RDONLY | O_CLOEXEC);
    if (other < 0)
        return -errno;
    if (setns(other, CLONE_NEWNET) < 0)
        return -errno;
    int fd = open_socket(protocol);
    /* A thread of the pool left in a container's network must not serve anyone again. */
    if (setns(home, CLONE_NEWNET) < 0)
        abort();
    return fd;
}

/* (protocol, path of a network namespace or null) -> descriptor */
static void run_open(struct call *call) {
    const char *path = call->arguments[1].data;
    int protocol = (int)call->arguments[0].number;
    call->result = path == NULL ? open_socket(protocol) : open_socket_in(protocol, path);
}

/* Counts the messages that end an answer. */
static int count_ends(const char *data, size_t size) {
    int ends = 0;
    int left = (int)size;
    for (const struct nlmsghdr *header = (const struct nlmsghdr *)data; NLMSG_OK(header, (unsigned int)left);
         header = NLMSG_NEXT(header, left)) {
        if (header->nlmsg_type == NLMSG_ERROR || header->nlmsg_type == NLMSG_DONE)
            ends++;
    }
    return ends;
}

static int receive_part(int fd, struct call *call) {
    ssize_t size;
    do
        size = recv(fd, NULL, 0, MSG_PEEK | MSG_TRUNC);
    while (size < 0 && errno == EINTR);
    if (size < 0)
        return errno == EAGAIN ? -ETIMEDOUT : -errno;
    if (call->reply_size + (size_t)size > MAX_REPLY_BYTES)
        return -EMSGSIZE;
    /* Aligned, as each part is read as messages. */
    char *grown = realloc(call->reply, NLMSG_ALIGN(call->reply_size + (size_t)size) + 1);
    if (grown == NULL)
        return -ENOMEM;
    call->reply = grown;
    char *part = grown + call->reply_size;
    do
        size = recv(fd, part, (size_t)size, 0);
    while (size < 0 && errno == EINTR);
    if (size < 0)
        return errno == EAGAIN ? -ETIMEDOUT : -errno;
    call->reply_size += NLMSG_ALIGN((size_t)size);
    return count_ends(part, (size_t)size);
}

/* (descriptor, messages, how many of them are answered) -> all answers */
static void run_exchange(struct call *call) {
    int fd = (int)call->arguments[0].number;
    int64_t expected = call->arguments[2].number;
    const struct sockaddr_nl kernel = {.nl_family = AF_NETLINK};
    ssize_t sent;
    do
        sent = sendto(fd, call->arguments[1].data, call->arguments[1].size, 0, (const struct sockaddr *)&kernel,
                      sizeof(kernel));
    while (sent < 0 && errno == EINTR);
    if (sent < 0) {
        call->result = -errno;
        return;
    }
    call->reply = calloc(1, 1);
    if (call->reply == NULL) {
        call->result = -ENOMEM;
        return;
    }
    while (expected > 0) {
        int ends = receive_part(fd, call);
        if (ends < 0) {
            call->result = ends;
            return;
        }
        expected -= ends;
    }
}

const struct operation netlink_operations[] = {
    {"netlinkOpen", "ns", run_open},
    {"netlinkExchange", "nbn", run_exchange},
    {NULL, NULL, NULL},
};
