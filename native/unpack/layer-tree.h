/*
 * The names of an image's files, as its layers leave them one after the other. Only names and sizes are held, never content.
 *
 *   struct layer_tree tree = {.listener = {on_change, on_hidden, argument}};
 *   layer_tree_apply(&tree, "/layers/base", "", &error);
 *   layer_tree_apply(&tree, "/layers/next", "", &error);
 *   layer_tree_clear(&tree);
 */
#pragma once

#include "common/error.h"
#include "unpack/inodes.h"

#include <stdbool.h>
#include <stdint.h>
#include <sys/stat.h>

/* A layer says so of a name that it has, or hides. `UNCHANGED`: a folder that is there as before. */
enum change { UNCHANGED, ADDED, MODIFIED, DELETED };

struct layer_node {
    struct layer_node *parent, *children, *sibling, *next_in_slot;
    /* The layer whose version is what the image shows; -1: it shows none. */
    int layer;
    mode_t mode;
    uid_t uid;
    gid_t gid;
    /* Of a file; one of several names counts at the first that is met. */
    uint64_t size;
    /* The last layer that had or hid the name, what it did, and the bytes that it brought or took. */
    int touched_by;
    enum change change;
    uint64_t touched_size;
    char name[];
};

struct layer_listener {
    /* A name in, or hidden by, the layer: `node->change` and the rest of its touched fields tell what. Negative: stops. */
    int (*on_change)(void *argument, const struct layer_node *node, struct error *error);
    /* A file's version that `node` still holds is replaced or removed by a later layer: `by`. */
    int (*on_hidden)(void *argument, const struct layer_node *node, int by, bool removed, struct error *error);
    void *argument;
};

struct layer_tree {
    struct layer_listener listener;
    /* Stands for the folder that the layers are looked at from. */
    struct layer_node *root;
    struct layer_node **slots;
    size_t slot_count, node_count;
    /* How many layers were applied. */
    int layers;
    struct inodes linked;
    bool too_large;
};

/* Applies the layer in the folder `layer` on top; only what is beneath `path` (clean, empty: all) is looked at. */
int layer_tree_apply(struct layer_tree *tree, const char *layer, const char *path, struct error *error);
void layer_tree_clear(struct layer_tree *tree);
/* Its way from the root, without a slash before it. The caller's to free; NULL: no memory. */
char *layer_node_path(const struct layer_node *node);
