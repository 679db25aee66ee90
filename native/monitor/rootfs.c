#include "monitor/rootfs.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "common/cleanup.h"

enum { MADE_LAYERS = 128, MADE_BINDS = 32 };

int open_tree_at(int folder, const char *path, unsigned flags) {
    return (int)syscall(SYS_open_tree, folder, path, flags | OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC);
}

int set_mount_attributes(int fd, const char *path, unsigned flags, struct mount_attr *attributes) {
    return (int)syscall(SYS_mount_setattr, fd, path, flags, attributes, sizeof *attributes);
}

int move_mount_to(int mount, int folder, const char *target, unsigned flags) {
    return (int)syscall(SYS_move_mount, mount, "", folder, target, flags | MOVE_MOUNT_F_EMPTY_PATH);
}

static int make_mount_point(const char *name, bool folder) {
    if (folder)
        return mkdir(name, 0711) < 0 && errno != EEXIST ? -1 : 0;
    int fd = open(name, O_CREAT | O_WRONLY | O_CLOEXEC, 0600);
    if (fd < 0)
        return -1;
    close(fd);
    return 0;
}

int staging_make(const char *staging, struct error *error) {
    static const char *const folders[] = {"root", "dev", "none", "b", "f"};
    /* 0711: the containers' roots search it for what is staged; outside of a start it holds nothing. */
    if (mkdir(staging, 0711) < 0 && errno != EEXIST)
        return fail(error, errno, "make %s", staging);
    if (chdir(staging) < 0)
        return fail(error, errno, "enter %s", staging);
    for (size_t i = 0; i < sizeof folders / sizeof *folders; i++) {
        if (make_mount_point(folders[i], true) < 0)
            return fail(error, errno, "make %s/%s", staging, folders[i]);
    }
    char name[32];
    for (int i = 0; i < MADE_LAYERS; i++) {
        snprintf(name, sizeof name, "%d", i);
        if (make_mount_point(name, true) < 0)
            return fail(error, errno, "make %s/%s", staging, name);
    }
    for (int i = 0; i < MADE_BINDS; i++) {
        snprintf(name, sizeof name, "b/%d", i);
        if (make_mount_point(name, true) < 0)
            return fail(error, errno, "make %s/%s", staging, name);
        name[0] = 'f';
        if (make_mount_point(name, false) < 0)
            return fail(error, errno, "make %s/%s", staging, name);
    }
    return 0;
}

static int mount_layer(const char *source, const char *name, int user_namespace, struct error *error) {
    cleanup_close int tree = open_tree_at(AT_FDCWD, source, 0);
    if (tree < 0)
        return fail(error, errno, "open layer %s", source);
    if (user_namespace >= 0) {
        struct mount_attr attributes = {.attr_set = MOUNT_ATTR_IDMAP, .userns_fd = (uint64_t)user_namespace};
        if (set_mount_attributes(tree, "", AT_EMPTY_PATH, &attributes) < 0)
            return fail(error, errno, "map the ids of layer %s", source);
    }
    if (make_mount_point(name, true) < 0 || move_mount_to(tree, AT_FDCWD, name, 0) < 0)
        return fail(error, errno, "mount layer %s", source);
    return 0;
}

static int mount_overlay(const struct plan *plan, int user_namespace, struct error *error) {
    char options[4096] = "lowerdir=";
    size_t used = strlen(options);
    struct record record;
    int layer = 0;
    for (size_t at = 0; plan_next(plan, &at, &record);) {
        if (record.tag != PLAN_LAYER)
            continue;
        char name[16];
        snprintf(name, sizeof name, "%d", layer);
        if (mount_layer(record_string(&record, 0), name, user_namespace, error) < 0)
            return -1;
        used += (size_t)snprintf(options + used, sizeof options - used, "%s%s", layer > 0 ? ":" : "", name);
        if (used > sizeof options - 64)
            return fail(error, 0, "too many layers: %u", plan->layers_count);
        layer++;
    }
    if (layer == 0)
        used += (size_t)snprintf(options + used, sizeof options - used, "none");
    int rest = snprintf(options + used, sizeof options - used, ",upperdir=%s,workdir=%s,redirect_dir=off", plan->upper,
                        plan->work);
    if (rest < 0 || (size_t)rest >= sizeof options - used)
        return fail(error, 0, "too many layers: %u", plan->layers_count);
    if (mount("overlay", "root", "overlay", plan->overlay_flags, options) < 0)
        return fail(error, errno, "mount overlay on %s", plan->upper);
    return 0;
}

static int make_dev_entry(const struct plan *plan, const struct record *record, struct error *error) {
    const char *name = record_string(record, 0);
    char path[PATH_MAX];
    if (snprintf(path, sizeof path, "dev/%s", name) >= (int)sizeof path)
        return fail(error, ENAMETOOLONG, "make /dev/%s", name);
    mode_t mode = (mode_t)record_number(record, 0, 0);
    int made = 0;
    for (char *slash = path + 4; (slash = strchr(slash, '/')) != NULL; *slash++ = '/') {
        *slash = 0;
        if (mkdir(path, 0755) == 0 && chown(path, plan->id_base, plan->id_base) < 0)
            made = -1;
    }
    if (record->tag == PLAN_LINK)
        made = symlink(record_string(record, 1), path);
    else if (record->tag == PLAN_FOLDER)
        made = mkdir(path, mode);
    else
        made = mknod(path, mode, makedev((unsigned)record_number(record, 1, 0), (unsigned)record_number(record, 2, 0)));
    if (made < 0 || lchown(path, plan->id_base, plan->id_base) < 0 ||
        (record->tag != PLAN_LINK && chmod(path, mode & 07777) < 0))
        return fail(error, errno, "make /dev/%s", name);
    return 0;
}

/* Made here and not in the container, as nobody can make devices in a user namespace. */
static int mount_dev(const struct plan *plan, struct error *error) {
    char options[96];
    snprintf(options, sizeof options, "mode=755,size=65536k,uid=%u,gid=%u", plan->id_base, plan->id_base);
    struct record record;
    bool mounted = false;
    for (size_t at = 0; plan_next(plan, &at, &record);) {
        if (record.tag != PLAN_NODE && record.tag != PLAN_LINK && record.tag != PLAN_FOLDER)
            continue;
        if (!mounted && mount("tmpfs", "dev", "tmpfs", MS_NOSUID | MS_STRICTATIME, options) < 0)
            return fail(error, errno, "mount /dev");
        mounted = true;
        if (make_dev_entry(plan, &record, error) < 0)
            return -1;
    }
    return 0;
}

int rootfs_mount(const struct plan *plan, int user_namespace, struct error *error) {
    if (mount_overlay(plan, user_namespace, error) < 0)
        return -1;
    return mount_dev(plan, error);
}

static int stage_bind(const struct record *record, unsigned number, int user_namespace, bool *is_file,
                      struct error *error) {
    const char *source = record_string(record, 0);
    int64_t flags = record_number(record, 0, 0);
    unsigned recursive = flags & BIND_RECURSIVE ? AT_RECURSIVE : 0;
    cleanup_close int tree = open_tree_at(AT_FDCWD, source, recursive);
    if (tree < 0)
        return fail(error, errno, "open %s to mount it", source);
    if (flags & BIND_IDMAP && user_namespace >= 0) {
        struct mount_attr map = {.attr_set = MOUNT_ATTR_IDMAP, .userns_fd = (uint64_t)user_namespace};
        /* File systems that cannot map ids (EINVAL) are shown with the guest's ids, which the container does not know. */
        if (set_mount_attributes(tree, "", AT_EMPTY_PATH, &map) < 0 && errno != EINVAL)
            return fail(error, errno, "map the ids of %s", source);
    }
    struct mount_attr attributes = {.attr_set = (uint64_t)record_number(record, 1, 0)};
    if (attributes.attr_set != 0 && set_mount_attributes(tree, "", AT_EMPTY_PATH | recursive, &attributes) < 0)
        return fail(error, errno, "set the mount options of %s", source);
    struct stat status;
    if (fstat(tree, &status) < 0)
        return fail(error, errno, "look at %s", source);
    char name[32];
    *is_file = !S_ISDIR(status.st_mode);
    snprintf(name, sizeof name, "%c/%u", *is_file ? 'f' : 'b', number);
    if (make_mount_point(name, !*is_file) < 0 || move_mount_to(tree, AT_FDCWD, name, 0) < 0)
        return fail(error, errno, "stage %s", source);
    return 0;
}

int rootfs_stage_binds(const struct plan *plan, int user_namespace, struct staged_binds *staged, struct error *error) {
    struct record record;
    unsigned number = 0;
    for (size_t at = 0; plan_next(plan, &at, &record);) {
        if (record.tag != PLAN_BIND)
            continue;
        if (number == MAX_BINDS)
            return fail(error, 0, "more than %d mounts", MAX_BINDS);
        if (stage_bind(&record, number, user_namespace, &staged->is_file[number], error) < 0)
            return -1;
        number++;
    }
    return 0;
}
