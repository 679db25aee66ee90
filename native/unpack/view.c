#include "unpack/view.h"

#include "common/cleanup.h"
#include "unpack/extract.h"
#include "unpack/paths.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/syscall.h>
#include <sys/wait.h>

static int open_running(const struct view *view, int *root_fd, struct error *error);
static int check_cgroup(int process_fd, const char *wanted, struct error *error);
static int open_stopped(const struct view *view, int *root_fd, struct error *error);
static int make_user_namespace(const struct view *view, int *fd, struct error *error);
static int mount_layers(const struct view *view, int user_namespace, struct error *error);
static int mount_bind(const struct view *view, const struct bind *bind, int tree, int root_fd, struct error *error);
static int clone_tree(const char *source, bool recursive, bool read_only, int user_namespace, struct error *error);
static bool number_of(const char *text, uint32_t *number);

int view_parse(struct view *view, int count, char **words) {
    *view = (struct view){0};
    view->layers = calloc((size_t)count + 1, sizeof *view->layers);
    view->binds = calloc((size_t)count + 1, sizeof *view->binds);
    if (view->layers == NULL || view->binds == NULL)
        return -1;
    int at = 0;
    while (at < count) {
        const char *word = words[at];
        int left = count - at - 1;
        char **rest = words + at + 1;
        uint32_t number;
        if (strcmp(word, "process") == 0 && left >= 2 && number_of(rest[0], &number)) {
            view->process = (pid_t)number;
            view->cgroup = rest[1];
            at += 3;
        } else if (strcmp(word, "ids") == 0 && left >= 2 && number_of(rest[0], &view->base) &&
                   number_of(rest[1], &view->size))
            at += 3;
        else if (strcmp(word, "bind") == 0 && left >= 3) {
            view->binds[view->bind_count++] = (struct bind){
                .source = rest[1],
                .target = rest[2],
                .recursive = strchr(rest[0], 'r') != NULL,
                .read_only = strchr(rest[0], 'o') != NULL,
                .idmap = strchr(rest[0], 'i') != NULL,
            };
            at += 4;
        } else if (strcmp(word, "bare") == 0 || strcmp(word, "read-only") == 0) {
            *(*word == 'b' ? &view->bare : &view->read_only) = true;
            at += 1;
        } else if (left >= 1 && strcmp(word, "layer") == 0) {
            view->layers[view->layer_count++] = rest[0];
            at += 2;
        } else if (left >= 1 && strcmp(word, "staging") == 0) {
            view->staging = rest[0];
            at += 2;
        } else if (left >= 1 && strcmp(word, "upper") == 0) {
            view->upper = rest[0];
            at += 2;
        } else if (left >= 1 && strcmp(word, "folder") == 0) {
            view->folder = rest[0];
            at += 2;
        } else if (left >= 1 && strcmp(word, "work") == 0) {
            view->work = rest[0];
            at += 2;
        } else
            break;
    }
    bool stopped = view->staging != NULL && view->upper != NULL && view->work != NULL;
    return stopped + (view->process > 0) + (view->folder != NULL) == 1 ? at : -1;
}

int view_open(const struct view *view, int *root_fd, struct error *error) {
    if (view->folder != NULL) {
        *root_fd = open(view->folder, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
        return *root_fd < 0 ? fail(error, errno, "open %s", view->folder) : 0;
    }
    return view->process > 0 ? open_running(view, root_fd, error) : open_stopped(view, root_fd, error);
}

/* The namespace is left again at once: its /proc is not ours. The descriptor stays in it. */
static int open_running(const struct view *view, int *root_fd, struct error *error) {
    char path[32];
    snprintf(path, sizeof path, "/proc/%d", view->process);
    cleanup_close int process = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);
    if (process < 0)
        return fail(error, errno, "open the process");
    if (check_cgroup(process, view->cgroup, error) < 0)
        return -1;
    cleanup_close int theirs = openat(process, "ns/mnt", O_RDONLY | O_CLOEXEC);
    cleanup_close int ours = open("/proc/self/ns/mnt", O_RDONLY | O_CLOEXEC);
    if (theirs < 0 || ours < 0)
        return fail(error, errno, "open the mount namespace");
    if (unshare(CLONE_FS) < 0 || setns(theirs, CLONE_NEWNS) < 0)
        return fail(error, errno, "enter the mount namespace");
    *root_fd = view->bare ? (int)syscall(SYS_open_tree, AT_FDCWD, "/", OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC)
                          : open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);
    int code = errno;
    if (setns(ours, CLONE_NEWNS) < 0)
        return fail(error, errno, "come back from the mount namespace");
    return *root_fd < 0 ? fail(error, code, "open the root") : 0;
}

static int check_cgroup(int process_fd, const char *wanted, struct error *error) {
    cleanup_close int fd = openat(process_fd, "cgroup", O_RDONLY | O_CLOEXEC);
    char text[4096] = "";
    if (fd < 0 || read(fd, text, sizeof text - 1) <= 0)
        return fail(error, errno, "read the process's cgroup");
    return strstr(text, wanted) != NULL ? 0 : fail(error, ESRCH, "the process is not the container's");
}

static int open_stopped(const struct view *view, int *root_fd, struct error *error) {
    cleanup_close int user_namespace = -1;
    if (view->size > 0 && make_user_namespace(view, &user_namespace, error) < 0)
        return -1;
    if (unshare(CLONE_NEWNS) < 0 || mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0)
        return fail(error, errno, "make a mount namespace");
    /* Opened before the staging folder may hide one of them. */
    int *trees = calloc(view->bind_count + 1, sizeof *trees);
    if (trees == NULL)
        return fail(error, ENOMEM, "open the mounts");
    for (size_t i = 0; i < view->bind_count; i++) {
        const struct bind *bind = &view->binds[i];
        trees[i] = clone_tree(bind->source, bind->recursive, bind->read_only, bind->idmap ? user_namespace : -1, error);
        if (trees[i] < 0) {
            free(trees);
            return -1; /* the process ends, and its descriptors with it */
        }
    }
    int result = mount_layers(view, user_namespace, error);
    if (result == 0) {
        *root_fd = open("root", O_PATH | O_DIRECTORY | O_CLOEXEC);
        if (*root_fd < 0)
            result = fail(error, errno, "open the root");
    }
    for (size_t i = 0; i < view->bind_count; i++) {
        if (result == 0)
            result = mount_bind(view, &view->binds[i], trees[i], *root_fd, error);
        close(trees[i]);
    }
    free(trees);
    if (result == 0 && view->read_only) {
        struct mount_attr attributes = {.attr_set = MOUNT_ATTR_RDONLY};
        if (syscall(SYS_mount_setattr, *root_fd, "", AT_EMPTY_PATH, &attributes, sizeof attributes) < 0)
            return fail(error, errno, "make the root read-only");
    }
    return chdir("/") < 0 ? fail(error, errno, "leave the staging folder") : result;
}

/* Of a child that only lives until its namespace is held here, or this process is no more: killed ones close their pipes too. */
static int make_user_namespace(const struct view *view, int *fd, struct error *error) {
    int ready[2], held[2];
    if (pipe2(ready, O_CLOEXEC) < 0)
        return fail(error, errno, "make a pipe");
    cleanup_close int reading = ready[0];
    cleanup_close int writing = ready[1];
    if (pipe2(held, O_CLOEXEC) < 0)
        return fail(error, errno, "make a pipe");
    cleanup_close int waiting = held[0];
    cleanup_close int holding = held[1];
    pid_t child = fork();
    if (child < 0)
        return fail(error, errno, "fork");
    if (child == 0) {
        char end;
        close(holding);
        if (unshare(CLONE_NEWUSER) == 0 && write(writing, "", 1) == 1 && read(waiting, &end, 1) == 0)
            _exit(0);
        _exit(1);
    }
    close(take_fd(&writing));
    static const char *const names[] = {"uid_map", "gid_map"};
    char path[64], map[48], byte;
    int result = read(reading, &byte, 1) == 1 ? 0 : fail(error, EPERM, "make a user namespace");
    snprintf(map, sizeof map, "0 %u %u", view->base, view->size);
    for (int i = 0; i < 2 && result == 0; i++) {
        snprintf(path, sizeof path, "/proc/%d/%s", child, names[i]);
        cleanup_close int file = open(path, O_WRONLY | O_CLOEXEC);
        if (file < 0 || write(file, map, strlen(map)) < 0)
            result = fail(error, errno, "write %s", names[i]);
    }
    snprintf(path, sizeof path, "/proc/%d/ns/user", child);
    if (result == 0 && (*fd = open(path, O_RDONLY | O_CLOEXEC)) < 0)
        result = fail(error, errno, "open the user namespace");
    kill(child, SIGKILL);
    waitpid(child, NULL, 0);
    return result;
}

/* Leaves the process in the staging folder, with the overlay on "root". Names are short: the kernel takes one page of them. */
static int mount_layers(const struct view *view, int user_namespace, struct error *error) {
    char options[4096] = "lowerdir=", name[24];
    size_t used = strlen(options);
    int *trees = calloc(view->layer_count + 1, sizeof *trees);
    if (trees == NULL)
        return fail(error, ENOMEM, "open the layers");
    int result = 0;
    size_t opened = 0;
    for (; opened < view->layer_count && result == 0; opened++) {
        trees[opened] = clone_tree(view->layers[opened], false, false, user_namespace, error);
        if (trees[opened] < 0) {
            result = -1;
            break;
        }
    }
    cleanup_close int upper = open(view->upper, O_PATH | O_DIRECTORY | O_CLOEXEC);
    cleanup_close int work = open(view->work, O_PATH | O_DIRECTORY | O_CLOEXEC);
    if (result == 0 && (upper < 0 || work < 0))
        result = fail(error, errno, "open %s", upper < 0 ? view->upper : view->work);
    if (result == 0 && (mount("tmpfs", view->staging, "tmpfs", 0, "mode=711") < 0 || chdir(view->staging) < 0 ||
                        mkdir("root", 0755) < 0 || mkdir("none", 0755) < 0))
        result = fail(error, errno, "mount %s", view->staging);
    for (size_t i = 0; i < opened; i++) {
        snprintf(name, sizeof name, "%zu", i);
        if (result == 0 && (mkdir(name, 0755) < 0 ||
                            syscall(SYS_move_mount, trees[i], "", AT_FDCWD, name, MOVE_MOUNT_F_EMPTY_PATH) < 0))
            result = fail(error, errno, "mount the layer %s", view->layers[i]);
        close(trees[i]);
        if (used < sizeof options - 16)
            used += (size_t)sprintf(options + used, "%s%s", i > 0 ? ":" : "", name);
        else if (result == 0)
            result = fail(error, 0, "too many layers: %zu", view->layer_count);
    }
    free(trees);
    if (result < 0)
        return -1;
    int rest = snprintf(options + used, sizeof options - used, "%s,upperdir=/proc/self/fd/%d,workdir=/proc/self/fd/%d,redirect_dir=off",
                        view->layer_count == 0 ? "none" : "", upper, work);
    if (rest < 0 || (size_t)rest >= sizeof options - used)
        return fail(error, 0, "too many layers: %zu", view->layer_count);
    return mount("overlay", "root", "overlay", 0, options) < 0 ? fail(error, errno, "mount the layers") : 0;
}

/* The place is made where it is missing, as at a start. */
static int mount_bind(const struct view *view, const struct bind *bind, int tree, int root_fd, struct error *error) {
    struct stat status;
    cleanup_free char *path = NULL;
    if (fstat(tree, &status) < 0)
        return fail(error, errno, "look at %s", bind->source);
    if (path_clean(bind->target, &path, error) < 0)
        return -1;
    int flags = O_PATH | (S_ISDIR(status.st_mode) ? O_DIRECTORY : 0);
    cleanup_close int place = open_in_root(root_fd, path, flags);
    if (place == -ENOENT) {
        struct extractor maker;
        extractor_init(&maker, root_fd);
        maker.made_uid = maker.made_gid = view->base;
        const char *name = enter_parent(&maker, path, error);
        cleanup_close int parent = name == NULL ? -1 : fcntl(maker.parent_fd, F_DUPFD_CLOEXEC, 0);
        extractor_clear(&maker);
        if (parent < 0)
            return -1;
        bool made = S_ISDIR(status.st_mode) ? mkdirat(parent, name, 0755) == 0
                                            : mknodat(parent, name, S_IFREG | 0644, 0) == 0;
        if (!made || fchownat(parent, name, view->base, view->base, AT_SYMLINK_NOFOLLOW) < 0)
            return fail(error, errno, "make %s", bind->target);
        place = open_in_root(root_fd, path, flags);
    }
    if (place < 0)
        return fail(error, -place, "mount on %s", bind->target);
    unsigned how = MOVE_MOUNT_F_EMPTY_PATH | MOVE_MOUNT_T_EMPTY_PATH;
    return syscall(SYS_move_mount, tree, "", place, "", how) < 0 ? fail(error, errno, "mount on %s", bind->target) : 0;
}

static int clone_tree(const char *source, bool recursive, bool read_only, int user_namespace, struct error *error) {
    unsigned deep = recursive ? AT_RECURSIVE : 0;
    cleanup_close int tree =
        (int)syscall(SYS_open_tree, AT_FDCWD, source, deep | OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC);
    if (tree < 0)
        return fail(error, errno, "open %s", source);
    if (user_namespace >= 0) {
        struct mount_attr map = {.attr_set = MOUNT_ATTR_IDMAP, .userns_fd = (uint64_t)user_namespace};
        /* File systems that cannot map ids are shown with the guest's, as in a running container. */
        if (syscall(SYS_mount_setattr, tree, "", AT_EMPTY_PATH, &map, sizeof map) < 0 && errno != EINVAL)
            return fail(error, errno, "map the ids of %s", source);
    }
    struct mount_attr attributes = {.attr_set = MOUNT_ATTR_RDONLY};
    if (read_only && syscall(SYS_mount_setattr, tree, "", AT_EMPTY_PATH | deep, &attributes, sizeof attributes) < 0)
        return fail(error, errno, "make %s read-only", source);
    return take_fd(&tree);
}

static bool number_of(const char *text, uint32_t *number) {
    char *end;
    errno = 0;
    unsigned long value = strtoul(text, &end, 10);
    *number = (uint32_t)value;
    return errno == 0 && end != text && *end == 0 && value <= UINT32_MAX;
}
