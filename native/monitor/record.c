#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "common/cleanup.h"
#include "monitor/container.h"

static int write_durably(const char *path, const char *text, struct error *error) {
    cleanup_close int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    size_t size = strlen(text);
    if (fd < 0 || write(fd, text, size) != (ssize_t)size || fdatasync(fd) < 0)
        return fail(error, errno, "write %s", path);
    return 0;
}

int record_exit(const char *path, int exit_code, bool out_of_memory, char *finished_at, struct error *error) {
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    format_time(finished_at, &now);
    char text[160], temporary[PATH_MAX];
    snprintf(text, sizeof text, "{\"exitCode\":%d,\"oomKilled\":%s,\"finishedAt\":\"%s\"}\n", exit_code,
             out_of_memory ? "true" : "false", finished_at);
    if (snprintf(temporary, sizeof temporary, "%s.new", path) >= (int)sizeof temporary)
        return fail(error, ENAMETOOLONG, "write %s", path);
    if (write_durably(temporary, text, error) < 0)
        return -1;
    return rename(temporary, path) < 0 ? fail(error, errno, "rename %s", temporary) : 0;
}

void record_settle(const char *path) {
    char folder[PATH_MAX];
    snprintf(folder, sizeof folder, "%s", path);
    char *slash = strrchr(folder, '/');
    if (slash == NULL || slash == folder)
        return;
    *slash = 0;
    cleanup_close int fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd >= 0)
        fsync(fd);
}
