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

enum { MAX_LINKS = 40 };

/* Puts a link's text before what is left of the path. */
static int follow_link(const char *link, char *rest, char *resolved, struct error *error) {
    char text[PATH_MAX], whole[PATH_MAX];
    ssize_t size = readlink(link, text, sizeof text - 1);
    if (size < 0)
        return fail(error, errno, "read link %s", link);
    text[size] = 0;
    if (snprintf(whole, sizeof whole, "%s/%s", text, rest) >= (int)sizeof whole)
        return fail(error, ENAMETOOLONG, "follow link %s", link);
    strcpy(rest, whole);
    if (text[0] == '/')
        resolved[0] = 0;
    return 0;
}

static int make_entry(const char *path, bool folder, struct error *error) {
    if (folder)
        return mkdir(path, 0755) < 0 && errno != EEXIST ? fail(error, errno, "make %s", path) : 0;
    cleanup_close int fd = open(path, O_CREAT | O_EXCL | O_WRONLY | O_CLOEXEC, 0644);
    return fd < 0 ? fail(error, errno, "make %s", path) : 0;
}

/*
 * Makes a mount point and the folders above it, following the image's links (also those that lead nowhere yet), which
 * cannot leave the root. `resolved` (PATH_MAX) gets its path without links.
 */
static int make_target(const char *path, bool folder, char *resolved, struct error *error) {
    char rest[PATH_MAX];
    struct stat status = {.st_mode = S_IFDIR};
    int links = 0;
    if (snprintf(rest, sizeof rest, "%s", path) >= (int)sizeof rest)
        return fail(error, ENAMETOOLONG, "make %s", path);
    resolved[0] = 0;
    for (;;) {
        char *name = rest + strspn(rest, "/");
        if (*name == 0)
            break;
        size_t length = strcspn(name, "/"), before = strlen(resolved);
        char *after = name + length;
        bool last = after[strspn(after, "/")] == 0;
        if (length == 1 && name[0] == '.') {
            memmove(rest, after, strlen(after) + 1);
            continue;
        }
        if (length == 2 && name[0] == '.' && name[1] == '.') {
            char *slash = strrchr(resolved, '/');
            if (slash != NULL)
                *slash = 0;
            memmove(rest, after, strlen(after) + 1);
            continue;
        }
        if (before + 1 + length >= PATH_MAX)
            return fail(error, ENAMETOOLONG, "make %s", path);
        snprintf(resolved + before, PATH_MAX - before, "/%.*s", (int)length, name);
        memmove(rest, after, strlen(after) + 1);
        if (lstat(resolved, &status) < 0) {
            if (errno != ENOENT)
                return fail(error, errno, "make %s", resolved);
            if (make_entry(resolved, !last || folder, error) < 0 || lstat(resolved, &status) < 0)
                return -1;
        } else if (S_ISLNK(status.st_mode)) {
            char link[PATH_MAX];
            strcpy(link, resolved);
            resolved[before] = 0;
            if (++links > MAX_LINKS)
                return fail(error, ELOOP, "make %s", path);
            if (follow_link(link, rest, resolved, error) < 0)
                return -1;
        }
    }
    if (resolved[0] == 0)
        strcpy(resolved, "/");
    if (stat(resolved, &status) < 0 || S_ISDIR(status.st_mode) != folder)
        return fail(error, folder ? ENOTDIR : EISDIR, "mount on %s", path);
    return 0;
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
    const char *type = record_string(record, 0), *source = record_string(record, 1), *data = record_string(record, 3);
    char target[PATH_MAX];
    if (make_target(record_string(record, 2), true, target, error) < 0 || refuse_proc(target, error) < 0)
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

static int put_mount(int tree, const char *path, int64_t propagation, struct error *error) {
    struct stat status;
    char target[PATH_MAX];
    if (fstat(tree, &status) < 0)
        return fail(error, errno, "look at the mount for %s", path);
    if (make_target(path, S_ISDIR(status.st_mode), target, error) < 0 || refuse_proc(target, error) < 0)
        return -1;
    if (move_mount_to(tree, AT_FDCWD, target, 0) < 0)
        return fail(error, errno, "mount on %s", path);
    return set_propagation(target, propagation, error);
}

static int put_bind(const struct record *record, int stage, const struct staged_binds *staged, struct error *error) {
    const char *target = record_string(record, 0);
    unsigned number = (unsigned)record_number(record, 0, 0);
    char name[32];
    snprintf(name, sizeof name, "%c/%u", number < MAX_BINDS && staged->is_file[number] ? 'f' : 'b', number);
    cleanup_close int tree = open_tree_at(stage, name, AT_RECURSIVE);
    if (tree < 0)
        return fail(error, errno, "open the staged mount for %s", target);
    return put_mount(tree, target, record_number(record, 1, 0), error);
}

static int put_dev(const struct record *record, int stage, struct error *error) {
    cleanup_close int tree = open_tree_at(stage, "dev", 0);
    if (tree < 0)
        return fail(error, errno, "open the staged /dev");
    return put_mount(tree, record_string(record, 0), 0, error);
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

/*
 * Of the caller's namespaces. Through the guest's /proc: the container's own is read-only when it shows processes of
 * others.
 */
static int set_sysctl(int old_root, const char *name, const char *value, struct error *error) {
    char path[PATH_MAX];
    if (snprintf(path, sizeof path, "proc/sys/%s", name) >= (int)sizeof path)
        return fail(error, ENAMETOOLONG, "set sysctl %s", name);
    cleanup_close int fd = openat(old_root, path, O_WRONLY | O_CLOEXEC);
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
            done = set_sysctl(old_root, first, record_string(&record, 1), error);
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
    char made[PATH_MAX];
    if (stat(plan->process.cwd, &status) < 0 && errno == ENOENT && make_target(plan->process.cwd, true, made, error) < 0)
        return -1;
    struct record record;
    for (size_t at = 0; plan_next(plan, &at, &record);) {
        struct mount_attr attributes = {.attr_set = MOUNT_ATTR_RDONLY};
        if (record.tag == PLAN_ROOT_READ_ONLY && set_mount_attributes(AT_FDCWD, "/", 0, &attributes) < 0)
            return fail(error, errno, "make the root read-only");
    }
    return 0;
}
