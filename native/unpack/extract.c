#include "unpack/extract.h"

#include "common/cleanup.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/xattr.h>

static int extract_entry(struct extractor *x, struct entry *entry, struct stream *stream, struct error *error);
static int enter(struct extractor *x, char *parent, struct error *error);
static int make_parents(struct extractor *x, const char *parent, struct error *error);
static int set_folder_times(struct extractor *x, struct error *error);

void extractor_init(struct extractor *x, int root_fd) {
    *x = (struct extractor){.root_fd = root_fd, .parent_fd = -1, .max_entries = UINT64_MAX, .max_bytes = UINT64_MAX};
}

int extract(struct extractor *x, struct stream *stream, struct error *error) {
    struct entry entry = {0};
    int got;
    while ((got = tar_next(stream, &entry, error)) > 0) {
        if (extract_entry(x, &entry, stream, error) < 0 || tar_skip_padding(stream, entry.stored_size, error) < 0) {
            got = -1;
            break;
        }
        entry_clear(&entry);
        x->progress(x->progress_argument);
    }
    entry_clear(&entry);
    if (got < 0)
        return -1;
    /* What follows the end of the archive belongs to the layer's digest all the same. */
    stream_skip(stream, UINT64_MAX);
    return set_folder_times(x, error);
}

static int extract_entry(struct extractor *x, struct entry *entry, struct stream *stream, struct error *error) {
    cleanup_free char *path = NULL;
    if (entry_path(x, entry->path, &path, error) < 0) {
        x->unsafe = error->code == 0;
        return -1;
    }
    x->entries++;
    if (x->entries > x->max_entries || entry->size > x->max_bytes - x->bytes) {
        x->too_large = true;
        return fail(error, 0, "the layer holds more than %llu entries or %llu bytes",
                    (unsigned long long)x->max_entries, (unsigned long long)x->max_bytes);
    }
    x->bytes += entry->size;
    if (x->owner != NULL) {
        entry->uid = x->owner->uid;
        entry->gid = x->owner->gid;
    }
    if (place_entry(x, entry, path, stream, error) < 0)
        return x->refused ? -1 : fail_in(error, *path == 0 ? "/" : path);
    return x->apply ? path_set_add(&x->made, path, error) : 0;
}

int entry_path(const struct extractor *x, const char *name, char **path, struct error *error) {
    cleanup_free char *clean = NULL;
    if (path_clean(name, &clean, error) < 0)
        return -1;
    if (x->beneath != NULL && asprintf(path, "%s/%s", x->beneath, clean) < 0)
        return fail(error, ENOMEM, "name %s", clean);
    if (x->beneath == NULL) {
        *path = clean;
        clean = NULL;
    }
    return 0;
}

const char *enter_parent(struct extractor *x, const char *path, struct error *error) {
    const char *slash = strrchr(path, '/');
    size_t length = slash == NULL ? 0 : (size_t)(slash - path);
    bool same = x->parent_fd >= 0 && strncmp(x->parent_path, path, length) == 0 && x->parent_path[length] == 0;
    if (!same) {
        char *parent = strndup(path, length);
        if (parent == NULL) {
            fail(error, 0, "not enough memory");
            return NULL;
        }
        if (enter(x, parent, error) < 0)
            return NULL;
    }
    return slash == NULL ? path : slash + 1;
}

/* Owns `parent`. */
static int enter(struct extractor *x, char *parent, struct error *error) {
    if (x->parent_fd >= 0)
        close(x->parent_fd);
    free(x->parent_path);
    x->parent_path = parent;
    x->parent_fd = open_in_root(x->root_fd, parent, O_PATH | O_DIRECTORY);
    if (x->parent_fd == -ENOENT || x->parent_fd == -ENOTDIR) {
        if (make_parents(x, parent, error) < 0)
            return -1;
        x->parent_fd = open_in_root(x->root_fd, parent, O_PATH | O_DIRECTORY);
    }
    struct stat status;
    if (x->parent_fd < 0 || fstat(x->parent_fd, &status) < 0)
        return fail(error, x->parent_fd < 0 ? -x->parent_fd : errno, "open its folder");
    x->parent_setgid = (status.st_mode & S_ISGID) != 0;
    return 0;
}

/* A layer may leave folders out that a lower layer has; their owner and mode are then the usual ones. */
static int make_parents(struct extractor *x, const char *parent, struct error *error) {
    cleanup_close int at = open_in_root(x->root_fd, "", O_PATH | O_DIRECTORY);
    cleanup_free char *prefix = strdup(parent);
    if (at < 0 || prefix == NULL)
        return fail(error, at < 0 ? -at : ENOMEM, "open the layer's root");
    for (char *part = prefix; part != NULL;) {
        char *slash = strchr(part, '/');
        if (slash != NULL)
            *slash = 0;
        int next = open_in_root(x->root_fd, prefix, O_PATH | O_DIRECTORY);
        if (next == -ENOENT || next == -ENOTDIR) {
            if (make_folder(x, at, part, error) < 0)
                return -1;
            next = open_in_root(x->root_fd, prefix, O_PATH | O_DIRECTORY);
        }
        if (next < 0)
            return fail(error, -next, "open the folder %s", prefix);
        close(at);
        at = next;
        if (slash != NULL)
            *slash = '/';
        part = slash == NULL ? NULL : slash + 1;
    }
    return 0;
}

int make_folder(struct extractor *x, int parent_fd, const char *name, struct error *error) {
    bool opaque = false;
    if (mkdirat(parent_fd, name, 0755) < 0) {
        struct stat status;
        if (errno != EEXIST)
            return fail(error, errno, "make the folder %s", name);
        if (fstatat(parent_fd, name, &status, AT_SYMLINK_NOFOLLOW) < 0)
            return fail(error, errno, "look at %s", name);
        if (S_ISDIR(status.st_mode))
            return 0;
        opaque = is_whiteout(&status);
        if (!opaque)
            return fail(error, ENOTDIR, "use %s as a folder", name);
        if (unlinkat(parent_fd, name, 0) < 0 || mkdirat(parent_fd, name, 0755) < 0)
            return fail(error, errno, "make the folder %s", name);
    }
    cleanup_close int fd = openat(parent_fd, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    if (fd < 0 || ((x->made_uid != 0 || x->made_gid != 0) && fchown(fd, x->made_uid, x->made_gid) < 0))
        return fail(error, errno, "make the folder %s", name);
    if (opaque && mark_opaque(fd, error) < 0)
        return -1;
    return 1;
}

int mark_opaque(int folder_fd, struct error *error) {
    return fsetxattr(folder_fd, "trusted.overlay.opaque", "y", 1, 0) == 0
               ? 0
               : fail(error, errno, "mark the folder opaque");
}

bool is_opaque(int folder_fd) {
    char value = 0;
    return fgetxattr(folder_fd, "trusted.overlay.opaque", &value, 1) == 1 && value == 'y';
}

bool is_whiteout(const struct stat *status) { return S_ISCHR(status->st_mode) && status->st_rdev == 0; }

/* Last, because making children changes them. A folder that was replaced meanwhile is left alone. */
static int set_folder_times(struct extractor *x, struct error *error) {
    for (size_t i = x->folder_count; i-- > 0;) {
        struct timespec times[2] = {x->folders[i].mtime, x->folders[i].mtime};
        int fd = open_in_root(x->root_fd, x->folders[i].path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW);
        if (fd == -ENOENT || fd == -ENOTDIR || fd == -ELOOP)
            continue;
        if (fd < 0)
            return fail(error, -fd, "%s: set its time", x->folders[i].path);
        int result = futimens(fd, times);
        int code = errno;
        close(fd);
        if (result < 0)
            return fail(error, code, "%s: set its time", x->folders[i].path);
    }
    return 0;
}

void extractor_clear(struct extractor *x) {
    if (x->parent_fd >= 0)
        close(x->parent_fd);
    free(x->parent_path);
    for (size_t i = 0; i < x->folder_count; i++)
        free(x->folders[i].path);
    free(x->folders);
    path_set_clear(&x->made);
}
