#include "unpack/layers.h"

#include "common/cleanup.h"
#include "unpack/layer-tree.h"
#include "unpack/paths.h"
#include "unpack/report.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* More than that nobody reads by eye. */
enum { max_wasted = 200, max_entries = 10000, max_hits = 1000 };

struct sums {
    uint64_t added, modified, deleted; /* files, not folders */
    uint64_t bytes, deleted_bytes;     /* of what it brings; of what it removes */
};

struct hidden {
    const struct layer_node *node;
    uint64_t size;
    int layer, by;
    bool removed;
};

struct summary {
    struct sums sums;
    struct hidden *hidden;
    size_t count, capacity;
    uint64_t hidden_bytes;
};

struct search {
    const char *text;
    bool in_path;
    unsigned hits;
};

struct entry {
    const struct layer_node *node;
    struct sums sums;
};

static int summary(struct layer_tree *tree, int count, char **layers, struct error *error);
static int count_change(void *argument, const struct layer_node *node, struct error *error);
static int note_hidden(void *argument, const struct layer_node *node, int by, bool removed, struct error *error);
static int print_wasted(struct summary *summary, struct error *error);
static int folder(struct layer_tree *tree, const char *wanted, int count, char **layers, const char **kind,
                  struct error *error);
static int print_folder(const struct layer_tree *tree, struct error *error);
static void print_entry(const struct entry *entry, int layer);
static bool sum_beneath(const struct layer_node *node, int layer, struct sums *sums);
static int find(struct layer_tree *tree, const char *text, int count, char **layers, struct error *error);
static int print_hit(void *argument, const struct layer_node *node, struct error *error);
static void add_change(struct sums *sums, const struct layer_node *node);
static void report_sums(const struct sums *sums);
static const char *word_of(enum change change);

int layers_run(int count, char **words) {
    struct error error = {0};
    struct layer_tree tree = {0};
    const char *kind = NULL;
    int result;
    setvbuf(stdout, NULL, _IOFBF, 64 * 1024);
    if (strcmp(words[0], "summary") == 0)
        result = summary(&tree, count - 1, words + 1, &error);
    else if (count > 2 && strcmp(words[0], "folder") == 0)
        result = folder(&tree, words[1], count - 2, words + 2, &kind, &error);
    else if (count > 2 && strcmp(words[0], "find") == 0)
        result = find(&tree, words[1], count - 2, words + 2, &error);
    else
        return 2;
    if (kind == NULL)
        kind = tree.too_large ? "too-large" : "io";
    layer_tree_clear(&tree);
    return result < 0 ? report_error(kind, &error) : 0;
}

static int summary(struct layer_tree *tree, int count, char **layers, struct error *error) {
    struct summary summary = {0};
    tree->listener = (struct layer_listener){count_change, note_hidden, &summary};
    int result = 0;
    for (int i = 0; i < count && result == 0; i++) {
        summary.sums = (struct sums){0};
        result = layer_tree_apply(tree, layers[i], "", error);
        if (result < 0)
            break;
        report_begin("layer");
        report_sums(&summary.sums);
        report_end();
    }
    if (result == 0)
        result = print_wasted(&summary, error);
    free(summary.hidden);
    return result;
}

static int count_change(void *argument, const struct layer_node *node, struct error *error) {
    (void)error;
    add_change(&((struct summary *)argument)->sums, node);
    return 0;
}

static int note_hidden(void *argument, const struct layer_node *node, int by, bool removed, struct error *error) {
    struct summary *summary = argument;
    if (summary->count == summary->capacity) {
        size_t capacity = summary->capacity == 0 ? 256 : summary->capacity * 2;
        struct hidden *grown = reallocarray(summary->hidden, capacity, sizeof *grown);
        if (grown == NULL)
            return fail(error, ENOMEM, "remember what is hidden");
        summary->hidden = grown;
        summary->capacity = capacity;
    }
    summary->hidden[summary->count++] = (struct hidden){node, node->size, node->layer, by, removed};
    summary->hidden_bytes += node->size;
    return 0;
}

static int by_hidden_size(const void *a, const void *b) {
    const struct hidden *one = a, *other = b;
    return one->size == other->size ? one->layer - other->layer : one->size < other->size ? 1 : -1;
}

static int print_wasted(struct summary *summary, struct error *error) {
    if (summary->count > 1)
        qsort(summary->hidden, summary->count, sizeof *summary->hidden, by_hidden_size);
    for (size_t i = 0; i < summary->count && i < max_wasted && summary->hidden[i].size > 0; i++) {
        const struct hidden *hidden = &summary->hidden[i];
        cleanup_free char *path = layer_node_path(hidden->node);
        if (path == NULL)
            return fail(error, ENOMEM, "tell what is hidden");
        report_begin("wasted");
        report_text("path", path);
        report_number("size", hidden->size);
        report_number("layer", (uint64_t)hidden->layer);
        report_number("by", (uint64_t)hidden->by);
        report_number("removed", hidden->removed);
        report_end();
    }
    report_begin("result");
    report_number("files", summary->count);
    report_number("bytes", summary->hidden_bytes);
    report_end();
    return 0;
}

static int folder(struct layer_tree *tree, const char *wanted, int count, char **layers, const char **kind,
                  struct error *error) {
    cleanup_free char *path = NULL;
    bool seen = false;
    if (path_clean(wanted, &path, error) < 0) {
        *kind = "unsafe";
        return -1;
    }
    for (int i = 0; i < count; i++) {
        if (layer_tree_apply(tree, layers[i], path, error) < 0)
            return -1;
        seen = seen || tree->root->touched_by >= 0;
    }
    if (!seen) {
        *kind = "not-found";
        return fail(error, ENOENT, "look at %s", wanted);
    }
    return print_folder(tree, error);
}

static int by_sums(const void *a, const void *b) {
    const struct sums *one = &((const struct entry *)a)->sums, *other = &((const struct entry *)b)->sums;
    uint64_t first = one->bytes + one->deleted_bytes, second = other->bytes + other->deleted_bytes;
    return first == second ? 0 : first < second ? 1 : -1;
}

/* The largest when there are too many. */
static int print_folder(const struct layer_tree *tree, struct error *error) {
    size_t count = 0;
    int layer = tree->layers - 1;
    for (const struct layer_node *at = tree->root->children; at != NULL; at = at->sibling)
        count++;
    cleanup_free struct entry *entries = calloc(count + 1, sizeof *entries);
    if (entries == NULL)
        return fail(error, ENOMEM, "read the folder");
    count = 0;
    for (const struct layer_node *at = tree->root->children; at != NULL; at = at->sibling) {
        struct sums sums = {0};
        if (sum_beneath(at, layer, &sums))
            entries[count++] = (struct entry){at, sums};
    }
    if (count > max_entries)
        qsort(entries, count, sizeof *entries, by_sums);
    for (size_t i = 0; i < count && i < max_entries; i++)
        print_entry(&entries[i], layer);
    report_begin("result");
    report_number("more", count > max_entries ? count - max_entries : 0);
    report_end();
    return 0;
}

static void print_entry(const struct entry *entry, int layer) {
    const struct layer_node *node = entry->node;
    report_begin("entry");
    report_text("name", node->name);
    report_number("mode", node->mode);
    report_text("change", word_of(node->touched_by == layer ? node->change : UNCHANGED));
    report_sums(&entry->sums);
    report_end();
}

/* Whether the layer changes anything there. */
static bool sum_beneath(const struct layer_node *node, int layer, struct sums *sums) {
    bool changed = node->touched_by == layer && node->change != UNCHANGED;
    if (changed)
        add_change(sums, node);
    for (const struct layer_node *child = node->children; child != NULL; child = child->sibling)
        changed = sum_beneath(child, layer, sums) || changed;
    return changed;
}

static int find(struct layer_tree *tree, const char *text, int count, char **layers, struct error *error) {
    struct search search = {.text = text, .in_path = strchr(text, '/') != NULL};
    tree->listener = (struct layer_listener){.on_change = print_hit, .argument = &search};
    for (int i = 0; i < count && search.hits <= max_hits; i++)
        if (layer_tree_apply(tree, layers[i], "", error) < 0)
            return -1;
    report_begin("result");
    report_number("more", search.hits > max_hits);
    report_end();
    return 0;
}

static int print_hit(void *argument, const struct layer_node *node, struct error *error) {
    struct search *search = argument;
    if (search->hits > max_hits || (!search->in_path && strcasestr(node->name, search->text) == NULL))
        return 0;
    cleanup_free char *path = layer_node_path(node), *rooted = NULL;
    if (path == NULL || asprintf(&rooted, "/%s", path) < 0)
        return fail(error, ENOMEM, "tell what was found");
    if ((search->in_path && strcasestr(rooted, search->text) == NULL) || ++search->hits > max_hits)
        return 0;
    report_begin("hit");
    report_text("path", path);
    report_number("layer", (uint64_t)node->touched_by);
    report_number("mode", node->mode);
    report_text("change", word_of(node->change));
    report_number("size", node->touched_size);
    report_end();
    return 0;
}

static void add_change(struct sums *sums, const struct layer_node *node) {
    if (S_ISDIR(node->mode) || node->change == UNCHANGED)
        return;
    if (node->change == DELETED) {
        sums->deleted++;
        sums->deleted_bytes += node->touched_size;
        return;
    }
    *(node->change == ADDED ? &sums->added : &sums->modified) += 1;
    sums->bytes += node->touched_size;
}

static void report_sums(const struct sums *sums) {
    report_number("added", sums->added);
    report_number("modified", sums->modified);
    report_number("deleted", sums->deleted);
    report_number("bytes", sums->bytes);
    report_number("deletedBytes", sums->deleted_bytes);
}

static const char *word_of(enum change change) {
    static const char *const words[] = {[UNCHANGED] = "unchanged", [ADDED] = "added", [MODIFIED] = "modified", [DELETED] = "deleted"};
    return words[change];
}
