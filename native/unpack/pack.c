#include "unpack/pack.h"

#include "common/cleanup.h"
#include "unpack/archive.h"
#include "unpack/attributes.h"
#include "unpack/extract.h"
#include "unpack/inodes.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/xattr.h>

/* Deeper than any path that programs can name; each level holds a descriptor. */
enum { max_depth = 2048, copy_size = 256 * 1024 };

struct walk {
    const struct packer *packer;
    struct sink *sink;
    struct inodes linked;
    unsigned char *copy_buffer;
};

struct names {
    char **list;
    size_t count;
};

static int pack(struct packer *packer, struct error *error);
static int pack_entry(struct walk *walk, int parent_fd, const char *name, const char *path, int depth,
                      struct error *error);
static int pack_folder(struct walk *walk, int fd, const char *path, int depth, struct error *error);
static int pack_file(struct walk *walk, int fd, struct member *member, struct error *error);
static int describe(struct walk *walk, int fd, const char *at, const struct stat *status, const char *path,
                    struct member *member, struct error *error);
static int write_mark(struct walk *walk, const char *path, const char *name, int64_t mtime, struct error *error);
static int put(struct walk *walk, struct member *member, struct error *error);
static void print_member(const struct member *member);
static int read_names(int fd, struct names *names, struct error *error);
static bool is_skipped(const struct packer *packer, const char *path);
static const char *slash_after(const char *path);
static int64_t time_of(const struct packer *packer, const struct stat *status);

static void cleanup_names(struct names *names) {
    for (size_t i = 0; i < names->count; i++)
        free(names->list[i]);
    free(names->list);
}

void *pack_run(void *argument) {
    struct packer *packer = argument;
    if (pack(packer, &packer->error) < 0)
        __atomic_store_n(&packer->failed, 1, __ATOMIC_RELEASE); /* before the reader sees the end */
    if (packer->output_fd >= 0)
        close(packer->output_fd);
    return NULL;
}

static int pack(struct packer *packer, struct error *error) {
    cleanup_free struct sink *sink = malloc(sizeof *sink);
    cleanup_free unsigned char *copy_buffer = malloc(copy_size);
    if (sink == NULL || copy_buffer == NULL)
        return fail(error, ENOMEM, "pack %s", packer->source);
    if (sink_open(sink, packer->output_fd, packer->gzip, error) < 0)
        return -1;
    struct walk walk = {.packer = packer, .sink = sink, .copy_buffer = copy_buffer};
    int result;
    if (*packer->as != 0)
        result = pack_entry(&walk, AT_FDCWD, packer->source, packer->as, 0, error);
    else {
        cleanup_close int fd = open(packer->source, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
        result = fd < 0 ? fail(error, errno, "open %s", packer->source) : pack_folder(&walk, fd, "", 0, error);
    }
    if (result == 0 && !packer->list)
        result = sink_finish(sink, error);
    inodes_clear(&walk.linked);
    sink_clear(sink);
    return result;
}

static int pack_entry(struct walk *walk, int parent_fd, const char *name, const char *path, int depth,
                      struct error *error) {
    const struct packer *packer = walk->packer;
    if (is_skipped(packer, path))
        return 0;
    struct stat status;
    if (fstatat(parent_fd, name, &status, AT_SYMLINK_NOFOLLOW) < 0)
        return errno == ENOENT && depth > 0 ? 0 : fail(error, errno, "look at %s", path); /* a live container removed it */
    if (packer->overlay && S_ISCHR(status.st_mode) && status.st_rdev == 0)
        return write_mark(walk, path, "", time_of(packer, &status), error);
    if (S_ISSOCK(status.st_mode))
        return 0; /* the archive has no word for them, and nobody listens on a copy */
    bool opens = S_ISREG(status.st_mode) || S_ISDIR(status.st_mode);
    cleanup_close int fd = -1;
    if (opens) {
        /* Not what may have taken its place meanwhile: a pipe would block, a link lead elsewhere. */
        fd = openat(parent_fd, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOATIME | O_CLOEXEC);
        if (fd < 0 && errno == ENOENT)
            return 0;
        mode_t kind = status.st_mode & S_IFMT;
        if (fd < 0 || fstat(fd, &status) < 0)
            return fail(error, errno, "open %s", path);
        if ((status.st_mode & S_IFMT) != kind)
            return fail(error, 0, "%s changed while it was read", path);
    }
    cleanup_free char *at = NULL;
    if (!opens && (parent_fd == AT_FDCWD ? asprintf(&at, "%s", name)
                                         : asprintf(&at, "/proc/self/fd/%d/%s", parent_fd, name)) < 0)
        return fail(error, ENOMEM, "look at %s", path);
    cleanup_free char *folder_path = NULL;
    if (S_ISDIR(status.st_mode) && asprintf(&folder_path, "%s%s", path, slash_after(path)) < 0)
        return fail(error, ENOMEM, "look at %s", path);
    struct member member = {.path = folder_path != NULL ? folder_path : path};
    if (!S_ISDIR(status.st_mode) && status.st_nlink > 1) {
        int first = inodes_first(&walk->linked, &status, path, &member.link, error);
        if (first < 0)
            return -1;
        member.type = '1';
        if (first == 0)
            return put(walk, &member, error);
    }
    cleanup_free char *target = NULL;
    if (S_ISLNK(status.st_mode)) {
        target = calloc(1, (size_t)status.st_size + 1);
        if (target == NULL || readlinkat(parent_fd, name, target, (size_t)status.st_size) < 0)
            return fail(error, errno, "read the link %s", path);
        member.link = target;
    }
    if (describe(walk, fd, at, &status, path, &member, error) < 0)
        return -1;
    if (S_ISREG(status.st_mode))
        return pack_file(walk, fd, &member, error);
    if (put(walk, &member, error) < 0)
        return -1;
    return S_ISDIR(status.st_mode) ? pack_folder(walk, fd, path, depth, error) : 0;
}

static int pack_folder(struct walk *walk, int fd, const char *path, int depth, struct error *error) {
    if (depth == max_depth)
        return fail(error, 0, "%s: folders nested deeper than %d", path, max_depth);
    struct stat status;
    if (walk->packer->overlay && is_opaque(fd) && *path != 0 && fstat(fd, &status) == 0 &&
        write_mark(walk, path, ".wh..opq", time_of(walk->packer, &status), error) < 0)
        return -1;
    __attribute__((cleanup(cleanup_names))) struct names names = {0};
    if (read_names(fd, &names, error) < 0)
        return fail_in(error, path);
    for (size_t i = 0; i < names.count; i++) {
        cleanup_free char *child = NULL;
        if (asprintf(&child, "%s%s%s", path, *path == 0 ? "" : slash_after(path), names.list[i]) < 0)
            return fail(error, ENOMEM, "read %s", path);
        if (pack_entry(walk, fd, names.list[i], child, depth + 1, error) < 0)
            return -1;
    }
    return 0;
}

/* As long as it was when it was opened: a file that shrinks meanwhile ends in zeroes. */
static int pack_file(struct walk *walk, int fd, struct member *member, struct error *error) {
    if (put(walk, member, error) < 0)
        return -1;
    if (walk->packer->list)
        return 0;
    bool ended = false;
    for (uint64_t left = member->size; left > 0;) {
        size_t wanted = left < copy_size ? (size_t)left : copy_size;
        ssize_t got = ended ? 0 : read(fd, walk->copy_buffer, wanted);
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            return fail(error, errno, "read %s", member->path);
        if (got == 0) {
            ended = true;
            memset(walk->copy_buffer, 0, wanted);
            got = (ssize_t)wanted;
        }
        if (sink_write(walk->sink, walk->copy_buffer, (size_t)got, error) < 0)
            return -1;
        left -= (uint64_t)got;
    }
    return member_pad(walk->sink, member->size, error);
}

static int describe(struct walk *walk, int fd, const char *at, const struct stat *status, const char *path,
                    struct member *member, struct error *error) {
    const struct packer *packer = walk->packer;
    switch (status->st_mode & S_IFMT) {
    case S_IFREG:
        member->type = '0';
        member->size = (uint64_t)status->st_size;
        break;
    case S_IFDIR:
        member->type = '5';
        break;
    case S_IFLNK:
        member->type = '2';
        break;
    case S_IFCHR:
        member->type = '3';
        break;
    case S_IFBLK:
        member->type = '4';
        break;
    default:
        member->type = '6';
    }
    if (member->type == '3' || member->type == '4') {
        member->major = major(status->st_rdev);
        member->minor = minor(status->st_rdev);
    }
    bool overrides_mode = packer->has_mode && member->type != '2';
    member->mode = overrides_mode ? packer->mode : status->st_mode & 07777;
    member->uid = packer->has_owner ? packer->uid : unshift_id(status->st_uid, packer->unshift);
    member->gid = packer->has_owner ? packer->gid : unshift_id(status->st_gid, packer->unshift);
    member->mtime = time_of(packer, status);
    return add_attributes(fd, at, packer->unshift, &member->records, &member->records_length, error) < 0
               ? fail_in(error, path)
               : 0;
}

/* "folder/.wh.name" for a whiteout of folder/name, "folder/.wh..wh..opq" (with `name`) for an opaque folder. */
static int write_mark(struct walk *walk, const char *path, const char *name, int64_t mtime, struct error *error) {
    const char *slash = strrchr(path, '/');
    cleanup_free char *mark = NULL;
    int made = *name != 0 ? asprintf(&mark, "%s/.wh.%s", path, name)
                          : asprintf(&mark, "%.*s.wh.%s", slash == NULL ? 0 : (int)(slash - path + 1), path,
                                     slash == NULL ? path : slash + 1);
    if (made < 0)
        return fail(error, ENOMEM, "mark %s as removed", path);
    struct member member = {.type = '0', .path = mark, .mode = 0600, .mtime = mtime};
    return put(walk, &member, error);
}

static int put(struct walk *walk, struct member *member, struct error *error) {
    if (!walk->packer->list)
        return member_write(walk->sink, member, error);
    print_member(member);
    free(member->records);
    member->records = NULL;
    return 0;
}

static void print_member(const struct member *member) {
    printf("{\"entry\":{\"type\":\"%c\",\"mode\":%u,\"uid\":%u,\"gid\":%u,\"mtime\":%" PRId64 ",\"size\":%" PRIu64 ",\"path\":\"",
           member->type, member->mode, member->uid, member->gid, member->mtime, member->size);
    for (const unsigned char *at = (const unsigned char *)member->path; *at != 0; at++) {
        if (*at < 0x20 || *at == '"' || *at == '\\')
            printf("\\u%04x", *at);
        else
            putchar(*at);
    }
    puts("\"}}");
}

static int by_bytes(const void *a, const void *b) { return strcmp(*(char *const *)a, *(char *const *)b); }

static int read_names(int fd, struct names *names, struct error *error) {
    int own = openat(fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    DIR *dir = own < 0 ? NULL : fdopendir(own);
    if (dir == NULL) {
        int code = errno;
        if (own >= 0)
            close(own);
        return fail(error, code, "open the folder");
    }
    int result = 0;
    size_t capacity = 0;
    for (struct dirent *child; result == 0 && (child = readdir(dir)) != NULL;) {
        if (strcmp(child->d_name, ".") == 0 || strcmp(child->d_name, "..") == 0)
            continue;
        if (names->count == capacity) {
            capacity = capacity == 0 ? 64 : capacity * 2;
            char **grown = reallocarray(names->list, capacity, sizeof *grown);
            if (grown == NULL) {
                result = fail(error, ENOMEM, "read the folder");
                break;
            }
            names->list = grown;
        }
        char *copy = strdup(child->d_name);
        if (copy == NULL)
            result = fail(error, ENOMEM, "read the folder");
        else
            names->list[names->count++] = copy;
    }
    closedir(dir);
    if (names->count > 1)
        qsort(names->list, names->count, sizeof *names->list, by_bytes);
    return result;
}

static bool is_skipped(const struct packer *packer, const char *path) {
    for (size_t i = 0; i < packer->skip_count; i++)
        if (strcmp(packer->skip[i], path) == 0)
            return true;
    return false;
}

/* What parts a folder's name from what follows: nothing more when it is "/". */
static const char *slash_after(const char *path) { return *path != 0 && path[strlen(path) - 1] == '/' ? "" : "/"; }

static int64_t time_of(const struct packer *packer, const struct stat *status) {
    int64_t seconds = status->st_mtim.tv_sec;
    return seconds > packer->max_time ? packer->max_time : seconds;
}
