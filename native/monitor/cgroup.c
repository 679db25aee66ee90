#include "monitor/cgroup.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/bpf.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "common/cleanup.h"
#include "monitor/loop.h"

static int write_at(int folder, const char *name, const char *value) {
    cleanup_close int fd = openat(folder, name, O_WRONLY | O_CLOEXEC);
    if (fd < 0)
        return -1;
    return write(fd, value, strlen(value)) < 0 ? -1 : 0;
}

static ssize_t read_at(int folder, const char *name, char *out, size_t capacity) {
    cleanup_close int fd = openat(folder, name, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return -1;
    ssize_t size = read(fd, out, capacity - 1);
    out[size > 0 ? size : 0] = 0;
    return size;
}

/* The number after "\nkey " or at the start; 0 when absent. */
static long read_key(int folder, const char *name, const char *key) {
    char text[1024];
    if (read_at(folder, name, text, sizeof text) < 0)
        return 0;
    size_t length = strlen(key);
    for (char *line = text; line != NULL && *line != 0; line = strchr(line, '\n')) {
        line += *line == '\n';
        if (strncmp(line, key, length) == 0 && line[length] == ' ')
            return strtol(line + length + 1, NULL, 10);
    }
    return 0;
}

static int attach_devices(int cgroup, const struct record *record, struct error *error) {
    union bpf_attr load = {
        .prog_type = BPF_PROG_TYPE_CGROUP_DEVICE,
        .insn_cnt = (uint32_t)(record->blob_size / sizeof(struct bpf_insn)),
        .insns = (uint64_t)(uintptr_t)record->blob,
        .license = (uint64_t)(uintptr_t) "",
    };
    cleanup_close int program = (int)syscall(SYS_bpf, BPF_PROG_LOAD, &load, sizeof load);
    if (program < 0)
        return fail(error, errno, "load the device rules");
    union bpf_attr attach = {
        .target_fd = (uint32_t)cgroup,
        .attach_bpf_fd = (uint32_t)program,
        .attach_type = BPF_CGROUP_DEVICE,
        .attach_flags = BPF_F_ALLOW_MULTI,
    };
    if (syscall(SYS_bpf, BPF_PROG_ATTACH, &attach, sizeof attach) < 0)
        return fail(error, errno, "attach the device rules");
    return 0;
}

static int set_up(int cgroup, const struct plan *plan, struct error *error) {
    struct record record;
    for (size_t at = 0; plan_next(plan, &at, &record);) {
        if (record.tag == PLAN_CGROUP) {
            const char *name = record_string(&record, 0), *value = record_string(&record, 1);
            if (write_at(cgroup, name, value) < 0 && !(errno == ENOENT && record_number(&record, 0, 0) != 0))
                return fail(error, errno, "write %s to cgroup file %s", value, name);
        } else if (record.tag == PLAN_DEVICES && attach_devices(cgroup, &record, error) < 0) {
            return -1;
        }
    }
    return 0;
}

int cgroup_open(const struct plan *plan, struct error *error) {
    if (mkdir(plan->cgroup, 0755) < 0) {
        /* One left by a monitor that was killed: its processes must not count as the new container's. */
        if (errno == EEXIST) {
            cleanup_close int old = open(plan->cgroup, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
            cgroup_kill(old);
            cgroup_remove(plan->cgroup);
        }
        if (mkdir(plan->cgroup, 0755) < 0)
            return fail(error, errno, "make cgroup %s", plan->cgroup);
    }
    cleanup_close int cgroup = open(plan->cgroup, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (cgroup < 0)
        fail(error, errno, "open cgroup %s", plan->cgroup);
    else if (set_up(cgroup, plan, error) == 0)
        return take_fd(&cgroup);
    rmdir(plan->cgroup);
    return -1;
}

bool cgroup_out_of_memory(int cgroup) { return read_key(cgroup, "memory.events", "oom_kill") > 0; }

void cgroup_kill(int cgroup) {
    write_at(cgroup, "cgroup.kill", "1");
    cleanup_close int events = openat(cgroup, "cgroup.events", O_RDONLY | O_CLOEXEC);
    for (uint64_t until = now_ms() + 5000; events >= 0 && now_ms() < until;) {
        if (read_key(cgroup, "cgroup.events", "populated") == 0)
            return;
        struct pollfd changed = {.fd = events, .events = POLLPRI};
        poll(&changed, 1, 10); /* the kernel may coalesce its notices: look again soon */
    }
}

void cgroup_remove(const char *path) {
    for (int tries = 0; rmdir(path) < 0 && errno == EBUSY && tries < 50; tries++) {
        DIR *folder = opendir(path);
        for (struct dirent *entry; folder != NULL && (entry = readdir(folder)) != NULL;) {
            char beneath[PATH_MAX];
            if (entry->d_type != DT_DIR || entry->d_name[0] == '.')
                continue;
            if (snprintf(beneath, sizeof beneath, "%s/%s", path, entry->d_name) < (int)sizeof beneath)
                cgroup_remove(beneath);
        }
        if (folder != NULL)
            closedir(folder);
        if (rmdir(path) == 0 || errno != EBUSY)
            return;
        usleep(2000);
    }
}
