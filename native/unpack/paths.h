/* Names inside an archive, and the way from the layer's root to them. */
#pragma once

#include "common/error.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* "/a/./b/../c/" -> "a/c"; the root is "". Refuses what climbs above the root. The caller frees. */
int path_clean(const char *path, char **cleaned, struct error *error);

/* openat2 with RESOLVE_IN_ROOT: symbolic links, absolute ones too, resolve inside the root. -errno on failure. */
int open_in_root(int root_fd, const char *path, int flags);

/* Paths this layer has made, with all their parents. */
struct path_set {
    char **slots;
    size_t capacity, count;
};

int path_set_add(struct path_set *set, const char *path, struct error *error);
bool path_set_has(const struct path_set *set, const char *path);
void path_set_clear(struct path_set *set);
