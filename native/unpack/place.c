#include "unpack/extract.h"

#include "common/cleanup.h"
#include "unpack/tree.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/sysmacros.h>
#include <sys/xattr.h>

static int place_file(struct extractor *x, const struct entry *entry, const char *name, struct stream *stream,
                      struct error *error);
static int write_data(struct extractor *x, int fd, uint64_t offset, uint64_t length, struct stream *stream,
                      struct error *error);
static int place_folder(struct extractor *x, const struct entry *entry, const char *path, const char *name,
                        struct error *error);
static int finish_folder(struct extractor *x, const struct entry *entry, const char *path, int fd, struct error *error);
static int place_link(struct extractor *x, const struct entry *entry, const char *name, struct error *error);
static int place_other(struct extractor *x, const struct entry *entry, const char *name, struct error *error);
static int make_way(struct extractor *x, const char *name, struct error *error);
static int check_replaced(struct extractor *x, const struct entry *entry, const char *path, const char *name,
                          struct error *error);
static int set_xattrs(struct extractor *x, const struct entry *entry, int fd, const char *name, struct error *error);

int place_entry(struct extractor *x, const struct entry *entry, const char *path, struct stream *stream,
                struct error *error) {
    if (x->beneath != NULL && path[strlen(x->beneath) + 1] == 0)
        return stream_skip(stream, entry->stored_size) ? 0 : fail(error, 0, "the archive is truncated");
    if (*path == 0) {
        if (entry->type != '5') {
            x->unsafe = true;
            return fail(error, 0, "the layer's root can only be a folder");
        }
        cleanup_close int root = open_in_root(x->root_fd, "", O_RDONLY | O_DIRECTORY);
        return root < 0 ? fail(error, -root, "open the layer's root") : finish_folder(x, entry, path, root, error);
    }
    const char *name = enter_parent(x, path, error);
    if (name == NULL)
        return -1;
    int whiteout = place_whiteout(x, path, name, error);
    if (whiteout < 0)
        return -1;
    if (whiteout > 0)
        return stream_skip(stream, entry->stored_size) ? 0 : fail(error, 0, "the archive is truncated");
    if (x->no_replace && check_replaced(x, entry, path, name, error) < 0)
        return -1;
    switch (entry->type) {
    case '0':
        return place_file(x, entry, name, stream, error);
    case '1':
        return place_link(x, entry, name, error);
    case '5':
        return place_folder(x, entry, path, name, error);
    default:
        return place_other(x, entry, name, error);
    }
}

/* In Docker's words, which clients show. */
static int check_replaced(struct extractor *x, const struct entry *entry, const char *path, const char *name,
                          struct error *error) {
    struct stat status;
    if (fstatat(x->parent_fd, name, &status, AT_SYMLINK_NOFOLLOW) < 0 ||
        S_ISDIR(status.st_mode) == (entry->type == '5'))
        return 0;
    x->refused = true;
    const char *from = entry->type == '5' ? "non-directory" : "directory";
    const char *to = entry->type == '5' ? "directory" : "non-directory";
    return fail(error, 0, "cannot overwrite %s \"%s\" with %s \"%s\"", from, path, to,
                x->beneath == NULL ? "/" : x->beneath);
}

static int place_file(struct extractor *x, const struct entry *entry, const char *name, struct stream *stream,
                      struct error *error) {
    int flags = O_CREAT | O_EXCL | O_WRONLY | O_NOFOLLOW | O_CLOEXEC;
    cleanup_close int fd = openat(x->parent_fd, name, flags, entry->mode & 0777);
    if (fd < 0 && errno == EEXIST) {
        if (make_way(x, name, error) < 0)
            return -1;
        fd = openat(x->parent_fd, name, flags, entry->mode & 0777);
    }
    if (fd < 0)
        return fail(error, errno, "make the file");
    if (!entry->sparse && write_data(x, fd, 0, entry->stored_size, stream, error) < 0)
        return -1;
    for (size_t i = 0; entry->sparse && i < entry->extras.extent_count; i++) {
        const struct extent *extent = &entry->extras.extents[i];
        if (write_data(x, fd, extent->offset, extent->length, stream, error) < 0)
            return -1;
    }
    if (entry->sparse && ftruncate(fd, (off_t)entry->size) < 0)
        return fail(error, errno, "set the file's size");
    uid_t uid = entry->uid + x->shift;
    gid_t gid = entry->gid + x->shift;
    bool owned = uid != 0 || gid != 0 || x->parent_setgid;
    if (owned && fchown(fd, uid, gid) < 0)
        return fail(error, errno, "set the file's owner");
    /* After the owner, whose change clears setuid; the mode at opening lacks those bits. */
    if ((entry->mode & 07000) != 0 && fchmod(fd, entry->mode) < 0)
        return fail(error, errno, "set the file's mode");
    if (set_xattrs(x, entry, fd, NULL, error) < 0)
        return -1;
    struct timespec times[2] = {entry->mtime, entry->mtime};
    return futimens(fd, times) == 0 ? 0 : fail(error, errno, "set the file's time");
}

static int write_data(struct extractor *x, int fd, uint64_t offset, uint64_t length, struct stream *stream,
                      struct error *error) {
    while (length > 0) {
        const unsigned char *data;
        size_t got = stream_take(stream, length < CHUNK_SIZE ? (size_t)length : CHUNK_SIZE, &data);
        if (got == 0)
            return fail(error, 0, "the archive is truncated");
        for (size_t done = 0; done < got;) {
            ssize_t put = pwrite(fd, data + done, got - done, (off_t)(offset + done));
            if (put < 0 && errno == EINTR)
                continue;
            if (put < 0)
                return fail(error, errno, "write the file");
            done += (size_t)put;
        }
        offset += got;
        length -= got;
        x->progress(x->progress_argument);
    }
    return 0;
}

static int place_folder(struct extractor *x, const struct entry *entry, const char *path, const char *name,
                        struct error *error) {
    struct stat status;
    if (fstatat(x->parent_fd, name, &status, AT_SYMLINK_NOFOLLOW) == 0 && !S_ISDIR(status.st_mode) &&
        !is_whiteout(&status) && make_way(x, name, error) < 0)
        return -1;
    if (make_folder(x, x->parent_fd, name, error) < 0)
        return -1;
    cleanup_close int fd = openat(x->parent_fd, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    return fd < 0 ? fail(error, errno, "open the folder") : finish_folder(x, entry, path, fd, error);
}

static int finish_folder(struct extractor *x, const struct entry *entry, const char *path, int fd, struct error *error) {
    if (fchown(fd, entry->uid + x->shift, entry->gid + x->shift) < 0 || fchmod(fd, entry->mode) < 0)
        return fail(error, errno, "set the folder's owner and mode");
    if (set_xattrs(x, entry, fd, NULL, error) < 0)
        return -1;
    if (x->folder_count == x->folder_capacity) {
        size_t capacity = x->folder_capacity == 0 ? 256 : x->folder_capacity * 2;
        struct folder_time *grown = reallocarray(x->folders, capacity, sizeof *grown);
        if (grown == NULL)
            return fail(error, ENOMEM, "remember the folder");
        x->folders = grown;
        x->folder_capacity = capacity;
    }
    char *copy = strdup(path);
    if (copy == NULL)
        return fail(error, ENOMEM, "remember the folder");
    x->folders[x->folder_count++] = (struct folder_time){copy, entry->mtime};
    return 0;
}

static int place_link(struct extractor *x, const struct entry *entry, const char *name, struct error *error) {
    cleanup_free char *target = NULL;
    if (entry_path(x, entry->link, &target, error) < 0) {
        x->unsafe = true;
        return fail_in(error, "a hard link");
    }
    char *slash = strrchr(target, '/');
    if (slash != NULL)
        *slash = 0;
    cleanup_close int folder = open_in_root(x->root_fd, slash == NULL ? "" : target, O_PATH | O_DIRECTORY);
    if (folder < 0)
        return fail(error, -folder, "link to %s", entry->link);
    const char *target_name = slash == NULL ? target : slash + 1;
    if (linkat(folder, target_name, x->parent_fd, name, 0) == 0)
        return 0;
    if (errno != EEXIST)
        return fail(error, errno, "link to %s", entry->link);
    struct stat old, wanted;
    if (fstatat(folder, target_name, &wanted, AT_SYMLINK_NOFOLLOW) < 0)
        return fail(error, errno, "link to %s", entry->link);
    if (fstatat(x->parent_fd, name, &old, AT_SYMLINK_NOFOLLOW) == 0 && old.st_ino == wanted.st_ino &&
        old.st_dev == wanted.st_dev)
        return 0; /* a link to itself must not remove the file */
    if (make_way(x, name, error) < 0)
        return -1;
    return linkat(folder, target_name, x->parent_fd, name, 0) == 0 ? 0 : fail(error, errno, "link to %s", entry->link);
}

/* Symbolic links, devices and fifos. */
static int place_other(struct extractor *x, const struct entry *entry, const char *name, struct error *error) {
    static const mode_t kinds[] = {['3'] = S_IFCHR, ['4'] = S_IFBLK, ['6'] = S_IFIFO};
    bool symlink = entry->type == '2';
    mode_t kind = symlink ? 0 : kinds[(unsigned char)entry->type];
    if (symlink && *entry->link == 0)
        return fail(error, 0, "a symbolic link to nothing");
    for (bool retried = false;; retried = true) {
        int made = symlink ? symlinkat(entry->link, x->parent_fd, name)
                           : mknodat(x->parent_fd, name, kind | (entry->mode & 07777), makedev(entry->major, entry->minor));
        if (made == 0)
            break;
        if (errno != EEXIST || retried)
            return fail(error, errno, symlink ? "make the symbolic link" : "make the device or fifo");
        if (make_way(x, name, error) < 0)
            return -1;
    }
    if (fchownat(x->parent_fd, name, entry->uid + x->shift, entry->gid + x->shift, AT_SYMLINK_NOFOLLOW) < 0)
        return fail(error, errno, "set its owner");
    if (!symlink && fchmodat(x->parent_fd, name, entry->mode, 0) < 0)
        return fail(error, errno, "set its mode");
    if (set_xattrs(x, entry, -1, name, error) < 0)
        return -1;
    struct timespec times[2] = {entry->mtime, entry->mtime};
    return utimensat(x->parent_fd, name, times, AT_SYMLINK_NOFOLLOW) == 0 ? 0 : fail(error, errno, "set its time");
}

/* Removes what an earlier entry or layer put there: the later one wins. */
static int make_way(struct extractor *x, const char *name, struct error *error) {
    return tree_remove(x->parent_fd, name, error);
}

/*
 * Only names that mean something to programs in a container: trusted.overlay.* would steer the guest's own overlay mount.
 * What the filesystem cannot hold is counted, not fatal.
 */
static int set_xattrs(struct extractor *x, const struct entry *entry, int fd, const char *name, struct error *error) {
    for (size_t i = 0; i < entry->extras.xattr_count; i++) {
        const struct xattr *attribute = &entry->extras.xattrs[i];
        bool known = strncmp(attribute->name, "user.", 5) == 0 || strcmp(attribute->name, "security.capability") == 0 ||
                     strncmp(attribute->name, "system.posix_acl_", 17) == 0;
        char path[64 + 256];
        int result = -1;
        errno = ENOTSUP;
        if (known && strncmp(attribute->name, "user.overlay.", 13) != 0) {
            if (fd >= 0)
                result = fsetxattr(fd, attribute->name, attribute->value, attribute->length, 0);
            else if (snprintf(path, sizeof path, "/proc/self/fd/%d/%s", x->parent_fd, name) < (int)sizeof path)
                result = lsetxattr(path, attribute->name, attribute->value, attribute->length, 0);
        }
        if (result < 0 && errno != ENOTSUP && errno != EPERM && errno != EINVAL)
            return fail(error, errno, "set the attribute %s", attribute->name);
        x->skipped_xattrs += result < 0;
    }
    return 0;
}
