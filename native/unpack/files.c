#include "unpack/files.h"

#include "common/cleanup.h"
#include "unpack/job.h"
#include "unpack/pack.h"
#include "unpack/paths.h"
#include "unpack/report.h"
#include "unpack/view.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <linux/securebits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/fsuid.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/statvfs.h>

/* More than that nobody reads by eye. */
enum { report_fd = 3, max_links = 40, max_listed = 10000 };

static int run(const struct view *view, int root_fd, int count, char **words, const char **kind, struct error *error);
static int find(int root_fd, const char *path, const char **kind, struct error *error);
static int list(int root_fd, const char *path, const char **kind, struct error *error);
static int print_entries(DIR *folder, const char *path, struct error *error);
static int print_entry(int folder, const char *name, struct error *error);
static int get(const struct view *view, int root_fd, const char *path, const char *name, const char **kind,
               struct error *error);
static int pack_to_stdout(const struct view *view, const char *source, const char *as, struct error *error);
static int put(const struct view *view, int root_fd, int count, char **words, const char **kind, struct error *error);
static int become_owner(const struct view *view, struct error *error);
static int open_at(int root_fd, const char *path, int flags, const char **kind, struct error *error);
static int print_found(int root_fd, const char *path, int fd, struct error *error);
static int resolve(int root_fd, const char *path, char *resolved, struct error *error);

int files_run(int count, char **words) {
    struct error error = {0};
    struct view view;
    int used = view_parse(&view, count, words);
    if (used < 0 || count - used < 2 || strcmp(words[used], "--") != 0)
        return 2;
    report_to(report_fd);
    const char *kind = "io";
    cleanup_close int root_fd = -1;
    if (view_open(&view, &root_fd, &error) < 0)
        return report_error(error.code == ESRCH || error.code == ENOENT ? "gone" : "io", &error);
    if (run(&view, root_fd, count - used - 1, words + used + 1, &kind, &error) < 0)
        return report_error(kind, &error);
    return 0;
}

static int run(const struct view *view, int root_fd, int count, char **words, const char **kind, struct error *error) {
    if (count == 2 && strcmp(words[0], "stat") == 0) {
        cleanup_close int fd = find(root_fd, words[1], kind, error);
        return fd < 0 ? -1 : report_done();
    }
    if (count == 2 && strcmp(words[0], "list") == 0)
        return list(root_fd, words[1], kind, error);
    if (count == 3 && strcmp(words[0], "get") == 0)
        return get(view, root_fd, words[1], words[2], kind, error) < 0 ? -1 : report_done();
    if (count == 1 && strcmp(words[0], "export") == 0) {
        char source[48];
        snprintf(source, sizeof source, "/proc/self/fd/%d/.", root_fd);
        return pack_to_stdout(view, source, "", error) < 0 ? -1 : report_done();
    }
    if (count >= 2 && strcmp(words[0], "put") == 0)
        return put(view, root_fd, count - 1, words + 1, kind, error);
    return fail(error, EINVAL, "%s", words[0]);
}

/* Opens what is at the path and tells of it. */
static int find(int root_fd, const char *path, const char **kind, struct error *error) {
    size_t length = strlen(path);
    bool follows = length == 0 || path[length - 1] == '/' || (length >= 2 && strcmp(path + length - 2, "/.") == 0);
    cleanup_close int fd = open_at(root_fd, path, O_PATH | (follows ? 0 : O_NOFOLLOW), kind, error);
    return fd < 0 || print_found(root_fd, path, fd, error) < 0 ? -1 : take_fd(&fd);
}

static int list(int root_fd, const char *path, const char **kind, struct error *error) {
    cleanup_close int fd = open_at(root_fd, path, O_RDONLY | O_DIRECTORY, kind, error);
    if (fd < 0)
        return -1;
    DIR *folder = fdopendir(fd);
    if (folder == NULL)
        return fail(error, errno, "read %s", path);
    take_fd(&fd); /* the folder's now */
    int result = print_entries(folder, path, error);
    closedir(folder);
    return result;
}

static int print_entries(DIR *folder, const char *path, struct error *error) {
    unsigned count = 0;
    for (struct dirent *entry; errno = 0, entry = readdir(folder), entry != NULL;) {
        if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0)
            continue;
        if (++count > max_listed)
            break;
        if (print_entry(dirfd(folder), entry->d_name, error) < 0)
            return -1;
    }
    if (errno != 0)
        return fail(error, errno, "read %s", path);
    report_begin("result");
    report_number("more", count > max_listed);
    report_end();
    return 0;
}

static int print_entry(int folder, const char *name, struct error *error) {
    struct stat status;
    char target[PATH_MAX] = "";
    if (fstatat(folder, name, &status, AT_SYMLINK_NOFOLLOW) < 0)
        return errno == ENOENT ? 0 : fail(error, errno, "look at %s", name); /* went meanwhile */
    if (S_ISLNK(status.st_mode)) {
        ssize_t size = readlinkat(folder, name, target, sizeof target - 1);
        target[size < 0 ? 0 : size] = 0;
    }
    report_begin("entry");
    report_text("name", name);
    report_number("mode", status.st_mode);
    report_number("size", (uint64_t)status.st_size);
    report_number("seconds", (uint64_t)(status.st_mtim.tv_sec < 0 ? 0 : status.st_mtim.tv_sec));
    report_text("target", target);
    report_end();
    return 0;
}

static int get(const struct view *view, int root_fd, const char *path, const char *name, const char **kind,
               struct error *error) {
    cleanup_close int fd = find(root_fd, path, kind, error);
    struct stat status;
    if (fd < 0)
        return -1;
    if (fstat(fd, &status) < 0)
        return fail(error, errno, "look at %s", path);
    char source[64 + NAME_MAX];
    if (S_ISDIR(status.st_mode)) {
        snprintf(source, sizeof source, "/proc/self/fd/%d/.", fd);
        return pack_to_stdout(view, source, name, error);
    }
    cleanup_free char *folder = strdup(path);
    char *slash = folder == NULL ? NULL : strrchr(folder, '/');
    if (slash == NULL)
        return fail(error, folder == NULL ? ENOMEM : EINVAL, "open %s", path);
    slash[slash == folder ? 1 : 0] = 0;
    cleanup_close int parent = open_at(root_fd, folder, O_PATH | O_DIRECTORY, kind, error);
    if (parent < 0)
        return -1;
    snprintf(source, sizeof source, "/proc/self/fd/%d/%s", parent, strrchr(path, '/') + 1);
    return pack_to_stdout(view, source, name, error);
}

static int pack_to_stdout(const struct view *view, const char *source, const char *as, struct error *error) {
    struct packer packer = {
        .source = source, .as = as, .unshift = view->base, .max_time = INT64_MAX, .output_fd = STDOUT_FILENO};
    pack_run(&packer);
    if (packer.failed)
        *error = packer.error;
    return packer.failed ? -1 : 0;
}

static int put(const struct view *view, int root_fd, int count, char **words, const char **kind, struct error *error) {
    struct options options = {
        .root_fd = root_fd, .into = words[0], .plain = true, .copies = true, .shift = view->base,
        .max_bytes = UINT64_C(1) << 40, .max_entries = 1 << 24,
    };
    for (int i = 1; i < count; i++) {
        if (strcmp(words[i], "no-replace") == 0)
            options.no_replace = true;
        else if (strcmp(words[i], "owner") != 0 || i + 1 == count || options_owner(&options.packer, words[++i]) < 0)
            return fail(error, EINVAL, "%s", words[i]);
    }
    cleanup_close int folder = open_at(root_fd, words[0], O_PATH, kind, error);
    struct stat status;
    struct statvfs mount;
    if (folder < 0)
        return -1;
    if (fstat(folder, &status) < 0 || fstatvfs(folder, &mount) < 0)
        return fail(error, errno, "look at %s", words[0]);
    if (!S_ISDIR(status.st_mode)) {
        *kind = "not-a-directory";
        return fail(error, ENOTDIR, "%s", words[0]);
    }
    if (mount.f_flag & ST_RDONLY) {
        *kind = "read-only";
        return fail(error, EROFS, "%s", words[0]);
    }
    return become_owner(view, error) < 0 ? -1 : job_run(&options, kind, error);
}

/* On a mount with mapped ids nobody can make files who is not in the map; the rights of root stay. */
static int become_owner(const struct view *view, struct error *error) {
    if (view->size == 0)
        return 0;
    if (prctl(PR_SET_SECUREBITS, SECBIT_NO_SETUID_FIXUP) < 0)
        return fail(error, errno, "keep the rights of root");
    setfsgid(view->base);
    setfsuid(view->base);
    prctl(PR_SET_PDEATHSIG, SIGKILL); /* was cleared with the ids */
    return (uid_t)setfsuid((uid_t)-1) == view->base ? 0 : fail(error, EPERM, "become the container's root");
}

static int open_at(int root_fd, const char *path, int flags, const char **kind, struct error *error) {
    int fd = open_in_root(root_fd, path, flags);
    if (fd >= 0)
        return fd;
    *kind = fd == -ENOENT ? "not-found" : fd == -ENOTDIR ? "not-a-directory" : "io";
    return fail(error, -fd, "%s", path);
}

static int print_found(int root_fd, const char *path, int fd, struct error *error) {
    struct stat status;
    char target[PATH_MAX] = "";
    if (fstat(fd, &status) < 0)
        return fail(error, errno, "look at %s", path);
    if (S_ISLNK(status.st_mode) && resolve(root_fd, path, target, error) < 0)
        return -1;
    report_begin("found");
    report_number("mode", status.st_mode);
    report_number("size", (uint64_t)status.st_size);
    report_number("seconds", (uint64_t)status.st_mtim.tv_sec);
    report_number("nanoseconds", (uint64_t)status.st_mtim.tv_nsec);
    report_text("target", target);
    report_end();
    return 0;
}

/* The path without links; what does not exist is taken as it stands. */
static int resolve(int root_fd, const char *path, char *resolved, struct error *error) {
    char rest[PATH_MAX], text[PATH_MAX], whole[PATH_MAX];
    int links = 0;
    if (snprintf(rest, sizeof rest, "%s", path) >= (int)sizeof rest)
        return fail(error, ENAMETOOLONG, "%s", path);
    resolved[0] = 0;
    for (char *name; name = rest + strspn(rest, "/"), *name != 0;) {
        size_t length = strcspn(name, "/"), before = strlen(resolved);
        if (length == 2 && name[0] == '.' && name[1] == '.') {
            char *slash = strrchr(resolved, '/');
            *(slash == NULL ? resolved : slash) = 0;
        } else if (length != 1 || name[0] != '.') {
            if (before + 1 + length >= PATH_MAX)
                return fail(error, ENAMETOOLONG, "%s", path);
            snprintf(resolved + before, PATH_MAX - before, "/%.*s", (int)length, name);
        }
        memmove(rest, name + length, strlen(name + length) + 1);
        cleanup_close int fd = open_in_root(root_fd, resolved, O_PATH | O_NOFOLLOW);
        struct stat status;
        if (fd < 0 || fstat(fd, &status) < 0 || !S_ISLNK(status.st_mode))
            continue;
        ssize_t size = readlinkat(fd, "", text, sizeof text - 1);
        if (size < 0 || ++links > max_links)
            return fail(error, size < 0 ? errno : ELOOP, "follow %s", path);
        text[size] = 0;
        if (snprintf(whole, sizeof whole, "%s/%s", text, rest) >= (int)sizeof whole)
            return fail(error, ENAMETOOLONG, "follow %s", path);
        strcpy(rest, whole);
        resolved[text[0] == '/' ? 0 : before] = 0;
    }
    if (resolved[0] == 0)
        strcpy(resolved, "/");
    return 0;
}
