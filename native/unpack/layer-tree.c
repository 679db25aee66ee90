/* The kernel's Documentation/filesystems/overlayfs.rst for the form of whiteouts and opaque folders. */
#include "unpack/layer-tree.h"

#include "common/cleanup.h"
#include "unpack/extract.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>

/* Some 250 MB of names: an image of more is not what somebody looks through. */
enum { max_depth = 2048, max_nodes = 2 * 1024 * 1024 };

static int apply_beneath(struct layer_tree *tree, int layer_fd, const char *path, struct error *error);
static int apply_folder(struct layer_tree *tree, struct layer_node *node, int fd, bool opaque, int depth,
                        struct error *error);
static int apply_entry(struct layer_tree *tree, struct layer_node *folder, int fd, const char *name, bool opaque,
                       int depth, struct error *error);
static int place(struct layer_tree *tree, struct layer_node *node, const struct stat *status, struct error *error);
static int hide_others(struct layer_tree *tree, struct layer_node *folder, struct error *error);
static int hide(struct layer_tree *tree, struct layer_node *node, struct error *error);
static int touch(struct layer_tree *tree, struct layer_node *node, enum change change, uint64_t size,
                 struct error *error);
static int size_of(struct layer_tree *tree, const struct stat *status, uint64_t *size, struct error *error);
static struct layer_node *child_of(struct layer_tree *tree, struct layer_node *parent, const char *name,
                                   struct error *error);
static struct layer_node *make_node(struct layer_tree *tree, struct layer_node *parent, const char *name,
                                    struct error *error);
static int grow(struct layer_tree *tree, struct error *error);
static size_t slot_of(const struct layer_tree *tree, const struct layer_node *parent, const char *name);

static void cleanup_closedirp(DIR **dir) {
    if (*dir != NULL)
        closedir(*dir);
}
#define cleanup_closedir __attribute__((cleanup(cleanup_closedirp)))

int layer_tree_apply(struct layer_tree *tree, const char *layer, const char *path, struct error *error) {
    if (tree->root == NULL && (tree->root = make_node(tree, NULL, "", error)) == NULL)
        return -1;
    cleanup_close int fd = open(layer, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    if (fd < 0)
        return fail(error, errno, "open the layer %s", layer);
    int result = apply_beneath(tree, fd, path, error);
    inodes_clear(&tree->linked);
    tree->layers++;
    return result;
}

/* Finds the folder in the layer; on the way the layer may hide it, or what it held before. */
static int apply_beneath(struct layer_tree *tree, int layer_fd, const char *path, struct error *error) {
    cleanup_close int fd = fcntl(layer_fd, F_DUPFD_CLOEXEC, 0);
    bool opaque = is_opaque(layer_fd);
    for (const char *at = path; *at != 0;) {
        size_t length = strcspn(at, "/");
        cleanup_free char *name = strndup(at, length);
        struct stat status;
        if (name == NULL)
            return fail(error, ENOMEM, "open %s", path);
        if (fstatat(fd, name, &status, AT_SYMLINK_NOFOLLOW) < 0)
            return errno != ENOENT ? fail(error, errno, "look at %s", path)
                   : opaque        ? hide(tree, tree->root, error)
                                   : 0;
        if (!S_ISDIR(status.st_mode)) {
            if (hide(tree, tree->root, error) < 0)
                return -1;
            /* Somebody asks what is in it, who saw it as a folder in another layer. */
            return is_whiteout(&status) || at[length] != 0 ? 0 : place(tree, tree->root, &status, error);
        }
        int next = openat(fd, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
        if (next < 0)
            return fail(error, errno, "open %s", path);
        close(fd);
        fd = next;
        opaque = opaque || is_opaque(fd);
        at += length + (at[length] == '/');
    }
    struct stat status;
    if (fd < 0 || fstat(fd, &status) < 0)
        return fail(error, errno, "look at the layer");
    if (place(tree, tree->root, &status, error) < 0)
        return -1;
    return apply_folder(tree, tree->root, fd, opaque, 0, error);
}

/* `opaque`: nothing of lower layers is to be seen in it. */
static int apply_folder(struct layer_tree *tree, struct layer_node *node, int fd, bool opaque, int depth,
                        struct error *error) {
    if (depth == max_depth)
        return fail(error, 0, "folders nested deeper than %d", max_depth);
    int own = openat(fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    cleanup_closedir DIR *dir = own < 0 ? NULL : fdopendir(own);
    if (dir == NULL)
        return fail(error, errno, "open the folder %s", node->name);
    for (struct dirent *child; (child = readdir(dir)) != NULL;)
        if (strcmp(child->d_name, ".") != 0 && strcmp(child->d_name, "..") != 0 &&
            apply_entry(tree, node, fd, child->d_name, opaque, depth, error) < 0)
            return -1;
    return opaque ? hide_others(tree, node, error) : 0;
}

static int apply_entry(struct layer_tree *tree, struct layer_node *folder, int fd, const char *name, bool opaque,
                       int depth, struct error *error) {
    struct stat status;
    if (fstatat(fd, name, &status, AT_SYMLINK_NOFOLLOW) < 0)
        return errno == ENOENT ? 0 : fail(error, errno, "look at %s", name); /* the image is being removed */
    struct layer_node *node = child_of(tree, folder, name, error);
    if (node == NULL)
        return -1;
    if (is_whiteout(&status))
        return hide(tree, node, error);
    if (place(tree, node, &status, error) < 0)
        return -1;
    if (!S_ISDIR(status.st_mode))
        return 0;
    cleanup_close int child = openat(fd, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    if (child < 0)
        return errno == ENOENT ? 0 : fail(error, errno, "open %s", name);
    return apply_folder(tree, node, child, opaque || is_opaque(child), depth + 1, error);
}

static int place(struct layer_tree *tree, struct layer_node *node, const struct stat *status, struct error *error) {
    bool there = node->layer >= 0, folder = S_ISDIR(status->st_mode);
    bool was_folder = there && S_ISDIR(node->mode);
    enum change change = there ? MODIFIED : ADDED;
    if (folder && was_folder && node->mode == status->st_mode && node->uid == status->st_uid &&
        node->gid == status->st_gid)
        change = UNCHANGED;
    uint64_t size = 0;
    if (!folder && size_of(tree, status, &size, error) < 0)
        return -1;
    if (there && !was_folder && tree->listener.on_hidden != NULL &&
        tree->listener.on_hidden(tree->listener.argument, node, tree->layers, false, error) < 0)
        return -1;
    if (was_folder && !folder)
        for (struct layer_node *child = node->children; child != NULL; child = child->sibling)
            if (hide(tree, child, error) < 0)
                return -1;
    node->layer = tree->layers;
    node->mode = status->st_mode;
    node->uid = status->st_uid;
    node->gid = status->st_gid;
    node->size = size;
    return touch(tree, node, change, size, error);
}

static int hide_others(struct layer_tree *tree, struct layer_node *folder, struct error *error) {
    for (struct layer_node *child = folder->children; child != NULL; child = child->sibling)
        if (child->layer != tree->layers && hide(tree, child, error) < 0)
            return -1;
    return 0;
}

/* Nothing when there is nothing to be seen of it. */
static int hide(struct layer_tree *tree, struct layer_node *node, struct error *error) {
    if (node->layer < 0)
        return 0;
    for (struct layer_node *child = node->children; child != NULL; child = child->sibling)
        if (hide(tree, child, error) < 0)
            return -1;
    if (!S_ISDIR(node->mode) && tree->listener.on_hidden != NULL &&
        tree->listener.on_hidden(tree->listener.argument, node, tree->layers, true, error) < 0)
        return -1;
    node->layer = -1;
    return touch(tree, node, DELETED, node->size, error);
}

static int touch(struct layer_tree *tree, struct layer_node *node, enum change change, uint64_t size,
                 struct error *error) {
    node->touched_by = tree->layers;
    node->change = change;
    node->touched_size = size;
    if (change == UNCHANGED || tree->listener.on_change == NULL)
        return 0;
    return tree->listener.on_change(tree->listener.argument, node, error);
}

static int size_of(struct layer_tree *tree, const struct stat *status, uint64_t *size, struct error *error) {
    if (!S_ISREG(status->st_mode))
        return 0;
    const char *first;
    int met = status->st_nlink > 1 ? inodes_first(&tree->linked, status, "", &first, error) : 1;
    if (met < 0)
        return -1;
    *size = met == 0 ? 0 : (uint64_t)status->st_size;
    return 0;
}

char *layer_node_path(const struct layer_node *node) {
    size_t length = 0;
    for (const struct layer_node *at = node; at->parent != NULL; at = at->parent)
        length += strlen(at->name) + 1;
    char *path = malloc(length + 1);
    if (path == NULL)
        return NULL;
    char *end = path + length;
    *end = 0;
    for (const struct layer_node *at = node; at->parent != NULL; at = at->parent) {
        size_t part = strlen(at->name);
        end -= part;
        memcpy(end, at->name, part);
        if (at->parent->parent != NULL)
            *--end = '/';
    }
    memmove(path, end, strlen(end) + 1);
    return path;
}

static struct layer_node *child_of(struct layer_tree *tree, struct layer_node *parent, const char *name,
                                   struct error *error) {
    for (struct layer_node *at = tree->slots[slot_of(tree, parent, name)]; at != NULL; at = at->next_in_slot)
        if (at->parent == parent && strcmp(at->name, name) == 0)
            return at;
    return make_node(tree, parent, name, error);
}

static struct layer_node *make_node(struct layer_tree *tree, struct layer_node *parent, const char *name,
                                    struct error *error) {
    if (tree->node_count == max_nodes) {
        tree->too_large = true;
        fail(error, 0, "the image has more than %d names", max_nodes);
        return NULL;
    }
    if (tree->node_count == tree->slot_count && grow(tree, error) < 0)
        return NULL;
    struct layer_node *node = calloc(1, sizeof *node + strlen(name) + 1);
    if (node == NULL) {
        fail(error, ENOMEM, "remember %s", name);
        return NULL;
    }
    strcpy(node->name, name);
    node->layer = node->touched_by = -1;
    node->parent = parent;
    if (parent != NULL) {
        node->sibling = parent->children;
        parent->children = node;
    }
    size_t slot = slot_of(tree, parent, name);
    node->next_in_slot = tree->slots[slot];
    tree->slots[slot] = node;
    tree->node_count++;
    return node;
}

static int grow(struct layer_tree *tree, struct error *error) {
    size_t count = tree->slot_count == 0 ? 4096 : tree->slot_count * 2;
    struct layer_node **old = tree->slots, **slots = calloc(count, sizeof *slots);
    size_t old_count = tree->slot_count;
    if (slots == NULL)
        return fail(error, ENOMEM, "remember the files");
    tree->slots = slots;
    tree->slot_count = count;
    for (size_t i = 0; i < old_count; i++)
        for (struct layer_node *node = old[i], *next; node != NULL; node = next) {
            next = node->next_in_slot;
            size_t slot = slot_of(tree, node->parent, node->name);
            node->next_in_slot = slots[slot];
            slots[slot] = node;
        }
    free(old);
    return 0;
}

static size_t slot_of(const struct layer_tree *tree, const struct layer_node *parent, const char *name) {
    uint64_t hash = 14695981039346656037u ^ (uintptr_t)parent; /* FNV-1a */
    for (const unsigned char *at = (const unsigned char *)name; *at != 0; at++)
        hash = (hash ^ *at) * 1099511628211u;
    return (hash ^ hash >> 32) % tree->slot_count;
}

void layer_tree_clear(struct layer_tree *tree) {
    for (size_t i = 0; i < tree->slot_count; i++)
        for (struct layer_node *node = tree->slots[i], *next; node != NULL; node = next) {
            next = node->next_in_slot;
            free(node);
        }
    free(tree->slots);
    inodes_clear(&tree->linked);
    *tree = (struct layer_tree){0};
}
