#include "unpack/tree.h"

#include "common/cleanup.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

/* Deeper folders are first moved to the top, so that neither the stack nor the descriptors run out. */
enum { max_depth = 128 };

struct removal {
    int top_fd;
    unsigned long moved;
};

static int remove_one(struct removal *removal, int parent_fd, const char *name, int depth, struct error *error);
static int remove_children(struct removal *removal, int fd, int depth, struct error *error);
static DIR *open_folder(int parent_fd, const char *name, struct error *error);
static bool is_dots(const char *name);

static void cleanup_closedirp(DIR **dir) {
    if (*dir != NULL)
        closedir(*dir);
}
#define cleanup_closedir __attribute__((cleanup(cleanup_closedirp)))

int tree_remove(int parent_fd, const char *name, struct error *error) {
    if (unlinkat(parent_fd, name, 0) == 0 || errno == ENOENT)
        return 0;
    if (errno != EISDIR && errno != EPERM)
        return fail(error, errno, "remove %s", name);
    cleanup_close int top = openat(parent_fd, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    if (top < 0)
        return fail(error, errno, "open %s to remove it", name);
    struct removal removal = {.top_fd = top};
    unsigned long moved;
    do { /* what was moved to the top may have been missed by the pass */
        moved = removal.moved;
        if (remove_children(&removal, top, 0, error) < 0)
            return -1;
    } while (removal.moved != moved);
    return unlinkat(parent_fd, name, AT_REMOVEDIR) == 0 ? 0 : fail(error, errno, "remove %s", name);
}

static int remove_children(struct removal *removal, int fd, int depth, struct error *error) {
    cleanup_closedir DIR *dir = open_folder(fd, ".", error);
    if (dir == NULL)
        return -1;
    for (struct dirent *child; (child = readdir(dir)) != NULL;)
        if (!is_dots(child->d_name) && remove_one(removal, fd, child->d_name, depth, error) < 0)
            return -1;
    return 0;
}

static int remove_one(struct removal *removal, int parent_fd, const char *name, int depth, struct error *error) {
    if (unlinkat(parent_fd, name, 0) == 0 || errno == ENOENT)
        return 0;
    if (errno != EISDIR && errno != EPERM)
        return fail(error, errno, "remove %s", name);
    if (depth >= max_depth) {
        char moved[32];
        for (;;) {
            snprintf(moved, sizeof moved, ".removing-%lu", removal->moved++);
            if (renameat2(parent_fd, name, removal->top_fd, moved, RENAME_NOREPLACE) == 0)
                return 0;
            if (errno != EEXIST)
                return fail(error, errno, "move %s to remove it", name);
        }
    }
    cleanup_close int fd = openat(parent_fd, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    if (fd < 0)
        return fail(error, errno, "open %s to remove it", name);
    if (remove_children(removal, fd, depth + 1, error) < 0)
        return -1;
    return unlinkat(parent_fd, name, AT_REMOVEDIR) == 0 ? 0 : fail(error, errno, "remove %s", name);
}

int tree_remove_others(int folder_fd, const char *path, const struct path_set *kept, struct error *error) {
    cleanup_closedir DIR *dir = open_folder(folder_fd, ".", error);
    if (dir == NULL)
        return -1;
    for (struct dirent *child; (child = readdir(dir)) != NULL;) {
        if (is_dots(child->d_name))
            continue;
        cleanup_free char *child_path = NULL;
        if (asprintf(&child_path, "%s%s%s", path, *path == 0 ? "" : "/", child->d_name) < 0)
            return fail(error, 0, "not enough memory");
        if (!path_set_has(kept, child_path)) {
            if (tree_remove(folder_fd, child->d_name, error) < 0)
                return -1;
            continue;
        }
        cleanup_close int fd = openat(folder_fd, child->d_name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
        if (fd >= 0 && tree_remove_others(fd, child_path, kept, error) < 0)
            return -1;
        if (fd < 0 && errno != ENOTDIR && errno != ELOOP)
            return fail(error, errno, "open %s", child_path);
    }
    return 0;
}

/* A file with n names counts a part of n at each. */
int tree_usage(int parent_fd, const char *name, uint64_t *bytes, struct error *error) {
    cleanup_closedir DIR *dir = open_folder(parent_fd, name, error);
    if (dir == NULL)
        return -1;
    for (struct dirent *child; (child = readdir(dir)) != NULL;) {
        struct stat status;
        if (is_dots(child->d_name))
            continue;
        if (fstatat(dirfd(dir), child->d_name, &status, AT_SYMLINK_NOFOLLOW) < 0) {
            if (errno == ENOENT)
                continue; /* a live container may remove it meanwhile */
            return fail(error, errno, "measure %s", child->d_name);
        }
        if (S_ISREG(status.st_mode))
            *bytes += (uint64_t)status.st_size / (status.st_nlink > 0 ? status.st_nlink : 1);
        else if (S_ISDIR(status.st_mode) && tree_usage(dirfd(dir), child->d_name, bytes, error) < 0 &&
                 error->code != ENOENT)
            return -1;
    }
    return 0;
}

static DIR *open_folder(int parent_fd, const char *name, struct error *error) {
    int fd = openat(parent_fd, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    DIR *dir = fd >= 0 ? fdopendir(fd) : NULL;
    if (dir == NULL) {
        int code = errno;
        if (fd >= 0)
            close(fd);
        fail(error, code, "open %s", name);
    }
    return dir;
}

static bool is_dots(const char *name) { return strcmp(name, ".") == 0 || strcmp(name, "..") == 0; }
