#include "monitor/steps.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/magic.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "common/cleanup.h"
#include "monitor/rootfs.h"

int step_enter_root(struct error *error) {
    /* Onto itself: the inherited mount is locked to its place, a new one on top of it is not. */
    if (mount("root", "root", NULL, MS_BIND, NULL) < 0 || chdir("root") < 0)
        return fail(error, errno, "bind the root");
    if (syscall(SYS_pivot_root, ".", ".") < 0)
        return fail(error, errno, "pivot_root");
    return chdir("/") < 0 ? fail(error, errno, "enter the root") : 0;
}

/* Makes the folder and those above it. */
static int make_folders(const char *path, struct error *error) {
    char copy[PATH_MAX];
    if (snprintf(copy, sizeof copy, "%s", path) >= (int)sizeof copy)
        return fail(error, ENAMETOOLONG, "make %s", path);
    struct stat status;
    if (stat(copy, &status) == 0)
        return S_ISDIR(status.st_mode) ? 0 : fail(error, ENOTDIR, "make %s", path);
    for (char *slash = copy; (slash = strchr(slash + 1, '/')) != NULL; *slash = '/') {
        *slash = 0;
        if (mkdir(copy, 0755) < 0 && errno != EEXIST)
            return fail(error, errno, "make %s", copy);
    }
    if (mkdir(copy, 0755) < 0 && errno != EEXIST)
        return fail(error, errno, "make %s", path);
    return 0;
}

static int make_file(const char *path, struct error *error) {
    char folder[PATH_MAX];
    if (snprintf(folder, sizeof folder, "%s", path) >= (int)sizeof folder)
        return fail(error, ENAMETOOLONG, "make %s", path);
    struct stat status;
    if (stat(path, &status) == 0)
        return S_ISDIR(status.st_mode) ? fail(error, EISDIR, "mount a file on %s", path) : 0;
    char *slash = strrchr(folder, '/');
    if (slash != NULL && slash != folder) {
        *slash = 0;
        if (make_folders(folder, error) < 0)
            return -1;
    }
    cleanup_close int fd = open(path, O_CREAT | O_WRONLY | O_NOCTTY | O_NONBLOCK | O_CLOEXEC, 0644);
    return fd < 0 ? fail(error, errno, "make %s", path) : 0;
}

/* An image's symbolic link must not lead a mount into /proc, where it would hide what guards the container. */
static int refuse_proc(const char *target, struct error *error) {
    struct statfs status;
    if (statfs(target, &status) == 0 && status.f_type == PROC_SUPER_MAGIC)
        return fail(error, 0, "mount on %s: it is inside /proc", target);
    return 0;
}

static int set_propagation(const char *target, int64_t propagation, struct error *error) {
    if (propagation != 0 && mount(NULL, target, NULL, (unsigned long)propagation, NULL) < 0)
        return fail(error, errno, "set the propagation of %s", target);
    return 0;
}

static int do_mount(const struct record *record, struct error *error) {
    const char *type = record_string(record, 0), *source = record_string(record, 1), *target = record_string(record, 2),
               *data = record_string(record, 3);
    if (make_folders(target, error) < 0 || refuse_proc(target, error) < 0)
        return -1;
    struct stat before = {0};
    bool keep_mode = strcmp(type, "tmpfs") == 0 && strstr(data, "mode=") == NULL && stat(target, &before) == 0;
    if (mount(source, target, type, (unsigned long)record_number(record, 0, 0), data) < 0)
        return fail(error, errno, "mount %s on %s", type, target);
    if (keep_mode && !((unsigned long)record_number(record, 0, 0) & MS_RDONLY) &&
        chmod(target, before.st_mode & 07777) < 0)
        return fail(error, errno, "set the mode of %s", target);
    return set_propagation(target, record_number(record, 1, 0), error);
}

static int put_mount(int tree, const char *target, struct error *error) {
    struct stat status;
    if (fstat(tree, &status) < 0)
        return fail(error, errno, "look at the mount for %s", target);
    int made = S_ISDIR(status.st_mode) ? make_folders(target, error) : make_file(target, error);
    if (made < 0 || refuse_proc(target, error) < 0)
        return -1;
    if (move_mount_to(tree, AT_FDCWD, target, MOVE_MOUNT_T_SYMLINKS) < 0)
        return fail(error, errno, "mount on %s", target);
    return 0;
}

static int put_bind(const struct record *record, int stage, const struct staged_binds *staged, struct error *error) {
    const char *target = record_string(record, 0);
    unsigned number = (unsigned)record_number(record, 0, 0);
    char name[32];
    snprintf(name, sizeof name, "%c/%u", number < MAX_BINDS && staged->is_file[number] ? 'f' : 'b', number);
    cleanup_close int tree = open_tree_at(stage, name, AT_RECURSIVE);
    if (tree < 0)
        return fail(error, errno, "open the staged mount for %s", target);
    if (put_mount(tree, target, error) < 0)
        return -1;
    return set_propagation(target, record_number(record, 1, 0), error);
}

static int put_dev(const struct record *record, int stage, struct error *error) {
    cleanup_close int tree = open_tree_at(stage, "dev", 0);
    if (tree < 0)
        return fail(error, errno, "open the staged /dev");
    return put_mount(tree, record_string(record, 0), error);
}

/* An empty read-only folder, made once for all masked ones. */
static int open_empty_folder(int *empty, struct error *error) {
    if (*empty < 0) {
        cleanup_close int context = (int)syscall(SYS_fsopen, "tmpfs", 1 /* FSOPEN_CLOEXEC */);
        if (context < 0 || syscall(SYS_fsconfig, context, 6 /* FSCONFIG_CMD_CREATE */, NULL, NULL, 0) < 0)
            return fail(error, errno, "make an empty folder");
        *empty = (int)syscall(SYS_fsmount, context, 1 /* FSMOUNT_CLOEXEC */, MOUNT_ATTR_RDONLY);
        if (*empty < 0)
            return fail(error, errno, "make an empty folder");
        return fcntl(*empty, F_DUPFD_CLOEXEC, 0);
    }
    return open_tree_at(*empty, "", AT_EMPTY_PATH);
}

static int mask(const char *path, int old_root, int *empty, struct error *error) {
    struct stat status;
    if (stat(path, &status) < 0)
        return errno == ENOENT || errno == ENOTDIR ? 0 : fail(error, errno, "mask %s", path);
    cleanup_close int tree = -1;
    if (S_ISDIR(status.st_mode)) {
        tree = open_empty_folder(empty, error);
        if (tree < 0)
            return fail_in(error, path);
    } else {
        tree = open_tree_at(old_root, "dev/null", 0);
    }
    if (tree < 0 || move_mount_to(tree, AT_FDCWD, path, MOVE_MOUNT_T_SYMLINKS) < 0)
        return fail(error, errno, "mask %s", path);
    return 0;
}

static int make_read_only(const char *path, struct error *error) {
    cleanup_close int tree = open_tree_at(AT_FDCWD, path, AT_RECURSIVE);
    if (tree < 0)
        return errno == ENOENT || errno == ENOTDIR ? 0 : fail(error, errno, "make %s read-only", path);
    struct mount_attr attributes = {.attr_set = MOUNT_ATTR_RDONLY};
    if (set_mount_attributes(tree, "", AT_EMPTY_PATH | AT_RECURSIVE, &attributes) < 0 ||
        move_mount_to(tree, AT_FDCWD, path, MOVE_MOUNT_T_SYMLINKS) < 0)
        return fail(error, errno, "make %s read-only", path);
    return 0;
}

static int set_sysctl(const char *name, const char *value, struct error *error) {
    char path[PATH_MAX];
    if (snprintf(path, sizeof path, "/proc/sys/%s", name) >= (int)sizeof path)
        return fail(error, ENAMETOOLONG, "set sysctl %s", name);
    cleanup_close int fd = open(path, O_WRONLY | O_CLOEXEC);
    if (fd < 0 || write(fd, value, strlen(value)) < 0)
        return fail(error, errno, "set sysctl %s to %s", name, value);
    return 0;
}

int steps_do(const struct plan *plan, const struct staged_binds *staged, int stage, int old_root,
             struct error *error) {
    cleanup_close int empty = -1;
    struct record record;
    for (size_t at = 0; plan_next(plan, &at, &record);) {
        const char *first = record_string(&record, 0);
        int done = 0;
        switch (record.tag) {
        case PLAN_MOUNT:
            done = do_mount(&record, error);
            break;
        case PLAN_PUT_BIND:
            done = put_bind(&record, stage, staged, error);
            break;
        case PLAN_PUT_DEV:
            done = put_dev(&record, stage, error);
            break;
        case PLAN_MASK:
            done = mask(first, old_root, &empty, error);
            break;
        case PLAN_READ_ONLY:
            done = make_read_only(first, error);
            break;
        case PLAN_SYSCTL:
            done = set_sysctl(first, record_string(&record, 1), error);
            break;
        case PLAN_HOSTNAME:
            done = sethostname(first, strlen(first)) < 0 ? fail(error, errno, "set host name %s", first) : 0;
            break;
        case PLAN_DOMAINNAME:
            done = setdomainname(first, strlen(first)) < 0 ? fail(error, errno, "set domain name %s", first) : 0;
            break;
        default:
            break;
        }
        if (done < 0)
            return -1;
    }
    if (fchdir(old_root) < 0 || umount2(".", MNT_DETACH) < 0 || chdir("/") < 0)
        return fail(error, errno, "let go of the guest's root");
    return 0;
}

int steps_finish(const struct plan *plan, struct error *error) {
    struct stat status;
    if (stat(plan->process.cwd, &status) < 0 && errno == ENOENT && make_folders(plan->process.cwd, error) < 0)
        return -1;
    struct record record;
    for (size_t at = 0; plan_next(plan, &at, &record);) {
        struct mount_attr attributes = {.attr_set = MOUNT_ATTR_RDONLY};
        if (record.tag == PLAN_ROOT_READ_ONLY && set_mount_attributes(AT_FDCWD, "/", 0, &attributes) < 0)
            return fail(error, errno, "make the root read-only");
    }
    return 0;
}
