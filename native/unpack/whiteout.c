/* OCI image specification, "Layer", Whiteouts; the kernel's Documentation/filesystems/overlayfs.rst for their form. */
#include "unpack/extract.h"

#include "common/cleanup.h"
#include "unpack/tree.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/sysmacros.h>

static int hide_folder_content(struct extractor *x, const char *folder, struct error *error);
static int hide(struct extractor *x, const char *hidden, struct error *error);
static int carry_out(struct extractor *x, const char *path, const char *hidden, struct error *error);

int place_whiteout(struct extractor *x, const char *path, const char *name, struct error *error) {
    if (x->plain || strncmp(name, ".wh.", 4) != 0)
        return 0;
    const char *hidden = name + 4;
    if (strcmp(hidden, ".wh..opq") == 0)
        return hide_folder_content(x, path, error) < 0 ? -1 : 1;
    if (strncmp(hidden, ".wh.", 4) == 0)
        return 1; /* other marks of aufs mean nothing here */
    if (*hidden == 0 || strcmp(hidden, ".") == 0 || strcmp(hidden, "..") == 0) {
        x->unsafe = true;
        return fail(error, 0, "a whiteout without a name");
    }
    return (x->apply ? carry_out(x, path, hidden, error) : hide(x, hidden, error)) < 0 ? -1 : 1;
}

/* `path` is the mark's own; what it hides is in the same folder. */
static int hide_folder_content(struct extractor *x, const char *path, struct error *error) {
    cleanup_close int fd = openat(x->parent_fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0)
        return fail(error, errno, "open its folder");
    if (!x->apply)
        return mark_opaque(fd, error);
    cleanup_free char *folder = strdup(path);
    if (folder == NULL)
        return fail(error, ENOMEM, "hide the content of a folder");
    char *slash = strrchr(folder, '/');
    *(slash == NULL ? folder : slash) = 0;
    return tree_remove_others(fd, folder, &x->made, error);
}

static int hide(struct extractor *x, const char *hidden, struct error *error) {
    if (mknodat(x->parent_fd, hidden, S_IFCHR, makedev(0, 0)) == 0)
        return 0;
    if (errno != EEXIST)
        return fail(error, errno, "make the whiteout of %s", hidden);
    /* This layer has already put something there, which hides the lower one; a folder must also not merge with it. */
    cleanup_close int fd = openat(x->parent_fd, hidden, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    if (fd >= 0)
        return mark_opaque(fd, error);
    return errno == ENOTDIR || errno == ELOOP ? 0 : fail(error, errno, "open %s", hidden);
}

static int carry_out(struct extractor *x, const char *path, const char *hidden, struct error *error) {
    const char *slash = strrchr(path, '/');
    cleanup_free char *target = NULL;
    int folder_length = slash == NULL ? 0 : (int)(slash - path + 1);
    if (asprintf(&target, "%.*s%s", folder_length, path, hidden) < 0)
        return fail(error, ENOMEM, "hide %s", hidden);
    if (!path_set_has(&x->made, target))
        return tree_remove(x->parent_fd, hidden, error);
    cleanup_close int fd = openat(x->parent_fd, hidden, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    return fd >= 0 ? tree_remove_others(fd, target, &x->made, error) : 0;
}
