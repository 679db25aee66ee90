#include "unpack/paths.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/openat2.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

static size_t path_set_slot(const struct path_set *set, const char *path, size_t length);
static int path_set_grow(struct path_set *set, struct error *error);

int path_clean(const char *path, char **cleaned, struct error *error) {
    size_t length = strlen(path), end = 0;
    if (length >= PATH_MAX)
        return fail(error, ENAMETOOLONG, "an entry of %zu characters", length);
    char *out = malloc(length + 1);
    if (out == NULL)
        return fail(error, 0, "not enough memory");
    for (const char *at = path; *at != 0;) {
        size_t part = strcspn(at, "/");
        if (part == 2 && at[0] == '.' && at[1] == '.') {
            if (end == 0) {
                free(out);
                return fail(error, 0, "%s: leads out of the layer", path);
            }
            while (end > 0 && out[--end] != '/')
                ;
        } else if (part > 0 && !(part == 1 && at[0] == '.')) {
            if (end > 0)
                out[end++] = '/';
            memcpy(out + end, at, part);
            end += part;
        }
        at += part + (at[part] == '/');
    }
    out[end] = 0;
    *cleaned = out;
    return 0;
}

int open_in_root(int root_fd, const char *path, int flags) {
    struct open_how how = {.flags = (uint64_t)(flags | O_CLOEXEC), .resolve = RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS};
    for (int attempt = 0;; attempt++) {
        int fd = (int)syscall(SYS_openat2, root_fd, *path == 0 ? "." : path, &how, sizeof how);
        /* EAGAIN: something was renamed anywhere on the machine while ".." was resolved. */
        if (fd >= 0 || errno != EAGAIN || attempt == 100)
            return fd >= 0 ? fd : -errno;
    }
}

int path_set_add(struct path_set *set, const char *path, struct error *error) {
    size_t length = strlen(path);
    while (length > 0) {
        if (set->count * 2 >= set->capacity && path_set_grow(set, error) < 0)
            return -1;
        size_t slot = path_set_slot(set, path, length);
        if (set->slots[slot] != NULL)
            return 0; /* then its parents are there too */
        set->slots[slot] = strndup(path, length);
        if (set->slots[slot] == NULL)
            return fail(error, 0, "not enough memory");
        set->count++;
        while (length > 0 && path[--length] != '/')
            ;
    }
    return 0;
}

bool path_set_has(const struct path_set *set, const char *path) {
    return set->capacity > 0 && set->slots[path_set_slot(set, path, strlen(path))] != NULL;
}

static size_t path_set_slot(const struct path_set *set, const char *path, size_t length) {
    uint64_t hash = 14695981039346656037u; /* FNV-1a */
    for (size_t i = 0; i < length; i++)
        hash = (hash ^ (unsigned char)path[i]) * 1099511628211u;
    size_t slot = hash % set->capacity;
    while (set->slots[slot] != NULL &&
           (strncmp(set->slots[slot], path, length) != 0 || set->slots[slot][length] != 0))
        slot = (slot + 1) % set->capacity;
    return slot;
}

static int path_set_grow(struct path_set *set, struct error *error) {
    struct path_set grown = {.capacity = set->capacity == 0 ? 1024 : set->capacity * 2, .count = set->count};
    grown.slots = calloc(grown.capacity, sizeof *grown.slots);
    if (grown.slots == NULL)
        return fail(error, 0, "not enough memory");
    for (size_t i = 0; i < set->capacity; i++)
        if (set->slots[i] != NULL)
            grown.slots[path_set_slot(&grown, set->slots[i], strlen(set->slots[i]))] = set->slots[i];
    free(set->slots);
    *set = grown;
    return 0;
}

void path_set_clear(struct path_set *set) {
    for (size_t i = 0; i < set->capacity; i++)
        free(set->slots[i]);
    free(set->slots);
    *set = (struct path_set){0};
}
