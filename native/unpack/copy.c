#include "unpack/copy.h"

#include "common/cleanup.h"
#include "unpack/inodes.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/fs.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/xattr.h>

enum { max_depth = 2048, piece_size = 8 * 1024 * 1024, max_names = 64 * 1024, max_value = 64 * 1024 };

struct copier {
    int to_root;
    struct copied *copied;
    void (*progress)(const struct copied *);
    struct inodes linked;
    /* For attributes. */
    char *names, *value;
};

static int copy_children(struct copier *copier, int from, int to, const char *path, int depth, struct error *error);
static int copy_entry(struct copier *copier, int from, int to, const char *name, const char *path, int depth,
                      struct error *error);
static int copy_subfolder(struct copier *copier, int from, int to, const char *name, const char *path, int depth,
                          struct error *error);
static int copy_file(struct copier *copier, int from, int to, const char *name, struct error *error);
static int copy_data(struct copier *copier, int from, int to, off_t size, struct error *error);
static int copy_extent(struct copier *copier, int from, int to, off_t at, off_t end, struct error *error);
static int copy_other(int from, int to, const char *name, const struct stat *status, struct error *error);
static int keep_attributes(struct copier *copier, int from, int to, const struct stat *status, struct error *error);

static void cleanup_closedirp(DIR **dir) {
    if (*dir != NULL)
        closedir(*dir);
}
#define cleanup_closedir __attribute__((cleanup(cleanup_closedirp)))

int copy_folder(const char *from, const char *to, struct copied *copied, void (*progress)(const struct copied *),
                struct error *error) {
    cleanup_close int source = open(from, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    if (source < 0)
        return fail(error, errno, "open %s", from);
    cleanup_close int target = open(to, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    if (target < 0)
        return fail(error, errno, "open %s", to);
    cleanup_free char *names = malloc(max_names), *value = malloc(max_value);
    if (names == NULL || value == NULL)
        return fail(error, ENOMEM, "copy %s", from);
    struct copier copier = {.to_root = target, .copied = copied, .progress = progress, .names = names, .value = value};
    struct stat status;
    int result = copy_children(&copier, source, target, "", 0, error);
    inodes_clear(&copier.linked);
    if (result == 0 && fstat(source, &status) < 0)
        return fail(error, errno, "look at %s", from);
    if (result == 0)
        result = keep_attributes(&copier, source, target, &status, error);
    if (result == 0 && syncfs(target) < 0)
        return fail(error, errno, "bring the copy to the disk");
    return result;
}

static int copy_children(struct copier *copier, int from, int to, const char *path, int depth, struct error *error) {
    if (depth == max_depth)
        return fail(error, 0, "folders nested deeper than %d", max_depth);
    int own = openat(from, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    cleanup_closedir DIR *dir = own < 0 ? NULL : fdopendir(own);
    if (dir == NULL)
        return fail(error, errno, "open /%s", path);
    for (struct dirent *child; (child = readdir(dir)) != NULL;) {
        if (strcmp(child->d_name, ".") == 0 || strcmp(child->d_name, "..") == 0)
            continue;
        cleanup_free char *child_path = NULL;
        if (asprintf(&child_path, "%s%s%s", path, *path == 0 ? "" : "/", child->d_name) < 0)
            return fail(error, ENOMEM, "copy /%s", path);
        if (copy_entry(copier, from, to, child->d_name, child_path, depth, error) < 0)
            return -1;
    }
    return 0;
}

static int copy_entry(struct copier *copier, int from, int to, const char *name, const char *path, int depth,
                      struct error *error) {
    struct stat status;
    if (fstatat(from, name, &status, AT_SYMLINK_NOFOLLOW) < 0)
        return errno == ENOENT ? 0 : fail(error, errno, "look at /%s", path);
    if (S_ISSOCK(status.st_mode))
        return 0;
    if (S_ISDIR(status.st_mode))
        return copy_subfolder(copier, from, to, name, path, depth, error);
    const char *first = NULL;
    if (status.st_nlink > 1) {
        int is_new = inodes_first(&copier->linked, &status, path, &first, error);
        if (is_new < 0)
            return -1;
        /* The first may have gone, or been left out, since: then this is a file of its own. */
        if (is_new == 0 && linkat(copier->to_root, first, to, name, 0) == 0) {
            copier->copied->files++;
            return 0;
        }
    }
    int result = S_ISREG(status.st_mode) ? copy_file(copier, from, to, name, error)
                                         : copy_other(from, to, name, &status, error);
    if (result < 0) {
        char where[256];
        snprintf(where, sizeof where, "/%s", path);
        return fail_in(error, where);
    }
    copier->copied->files += (uint64_t)result;
    copier->progress(copier->copied);
    return 0;
}

static int copy_subfolder(struct copier *copier, int from, int to, const char *name, const char *path, int depth,
                          struct error *error) {
    cleanup_close int source = openat(from, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    if (source < 0)
        return errno == ENOENT || errno == ENOTDIR || errno == ELOOP ? 0 : fail(error, errno, "open /%s", path);
    struct stat status;
    if (mkdirat(to, name, 0700) < 0)
        return fail(error, errno, "make /%s", path);
    cleanup_close int target = openat(to, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    if (target < 0)
        return fail(error, errno, "open the copy of /%s", path);
    if (copy_children(copier, source, target, path, depth + 1, error) < 0)
        return -1;
    if (fstat(source, &status) < 0)
        return fail(error, errno, "look at /%s", path);
    return keep_attributes(copier, source, target, &status, error);
}

/* 1: made. 0: it went, or something else took its place. */
static int copy_file(struct copier *copier, int from, int to, const char *name, struct error *error) {
    struct stat status;
    cleanup_close int source = openat(from, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOATIME | O_CLOEXEC);
    if (source < 0)
        return errno == ENOENT || errno == ELOOP ? 0 : fail(error, errno, "open");
    if (fstat(source, &status) < 0)
        return fail(error, errno, "look");
    if (!S_ISREG(status.st_mode))
        return 0;
    cleanup_close int target = openat(to, name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
    if (target < 0)
        return fail(error, errno, "make the copy");
    if (ioctl(target, FICLONE, source) == 0) {
        copier->copied->bytes += (uint64_t)status.st_size;
        copier->copied->shared_bytes += (uint64_t)status.st_size;
    } else if (errno == ENOSPC || errno == EDQUOT || errno == EIO)
        return fail(error, errno, "copy");
    else if (copy_data(copier, source, target, status.st_size, error) < 0)
        return -1;
    return keep_attributes(copier, source, target, &status, error) < 0 ? -1 : 1;
}

/* Only what is not a hole. */
static int copy_data(struct copier *copier, int from, int to, off_t size, struct error *error) {
    for (off_t at = 0; at < size;) {
        off_t data = lseek(from, at, SEEK_DATA);
        if (data < 0 && errno == ENXIO)
            break;
        if (data < 0)
            data = at; /* cannot tell */
        off_t end = lseek(from, data, SEEK_HOLE);
        if (end < 0 || end > size)
            end = size;
        if (data >= end)
            break;
        if (copy_extent(copier, from, to, data, end, error) < 0)
            return -1;
        at = end;
    }
    return ftruncate(to, size) == 0 ? 0 : fail(error, errno, "set the size of the copy");
}

static int copy_extent(struct copier *copier, int from, int to, off_t at, off_t end, struct error *error) {
    while (at < end) {
        size_t wanted = end - at < piece_size ? (size_t)(end - at) : piece_size;
        off_t in = at, out = at;
        ssize_t got = copy_file_range(from, &in, to, &out, wanted, 0);
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0 && (errno == EXDEV || errno == EINVAL || errno == EOPNOTSUPP || errno == ENOSYS)) {
            /* Between two file systems of which one cannot: by hand. */
            char buffer[64 * 1024];
            got = pread(from, buffer, wanted < sizeof buffer ? wanted : sizeof buffer, at);
            if (got < 0)
                return fail(error, errno, "read");
            for (ssize_t done = 0, put; done < got; done += put)
                if ((put = pwrite(to, buffer + done, (size_t)(got - done), at + done)) < 0)
                    return fail(error, errno, "write the copy");
        }
        if (got < 0)
            return fail(error, errno, "copy");
        if (got == 0)
            return 0; /* it was cut meanwhile */
        at += got;
        copier->copied->bytes += (uint64_t)got;
        copier->progress(copier->copied);
    }
    return 0;
}

/* Symbolic links, devices and fifos. */
static int copy_other(int from, int to, const char *name, const struct stat *status, struct error *error) {
    if (S_ISLNK(status->st_mode)) {
        cleanup_free char *target = calloc(1, (size_t)status->st_size + 1);
        if (target == NULL)
            return fail(error, ENOMEM, "read the link");
        if (readlinkat(from, name, target, (size_t)status->st_size) < 0)
            return errno == ENOENT || errno == EINVAL ? 0 : fail(error, errno, "read the link");
        if (symlinkat(target, to, name) < 0)
            return fail(error, errno, "make the link");
    } else if (mknodat(to, name, status->st_mode, status->st_rdev) < 0)
        return fail(error, errno, "make the device or fifo");
    if (fchownat(to, name, status->st_uid, status->st_gid, AT_SYMLINK_NOFOLLOW) < 0)
        return fail(error, errno, "set its owner");
    struct timespec times[2] = {status->st_atim, status->st_mtim};
    return utimensat(to, name, times, AT_SYMLINK_NOFOLLOW) == 0 ? 1 : fail(error, errno, "set its time");
}

/* The owner before the mode, which its change would rob of setuid; the time last. */
static int keep_attributes(struct copier *copier, int from, int to, const struct stat *status, struct error *error) {
    if (fchown(to, status->st_uid, status->st_gid) < 0 || fchmod(to, status->st_mode & 07777) < 0)
        return fail(error, errno, "set the owner and mode");
    ssize_t length = flistxattr(from, copier->names, max_names);
    for (const char *name = copier->names; length > 0 && name < copier->names + length; name += strlen(name) + 1) {
        if (strncmp(name, "user.", 5) != 0 && strcmp(name, "security.capability") != 0 &&
            strncmp(name, "system.posix_acl_", 17) != 0)
            continue;
        ssize_t size = fgetxattr(from, name, copier->value, max_value);
        if (size >= 0 && fsetxattr(to, name, copier->value, (size_t)size, 0) < 0 && errno != ENOTSUP)
            return fail(error, errno, "set the attribute %s", name);
    }
    struct timespec times[2] = {status->st_atim, status->st_mtim};
    return futimens(to, times) == 0 ? 0 : fail(error, errno, "set the time");
}
