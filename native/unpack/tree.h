/* Whole folders: removing them however deep, and measuring them. Symbolic links are never followed. */
#pragma once

#include "common/error.h"
#include "unpack/paths.h"

#include <stdint.h>

/* Removes parent/name and all beneath it; nothing there is success. */
int tree_remove(int parent_fd, const char *name, struct error *error);
/* Removes what is inside the folder `path` (open as folder_fd), except what `kept` holds by its path from the root. */
int tree_remove_others(int folder_fd, const char *path, const struct path_set *kept, struct error *error);
/* Bytes of all regular files, hard links once. */
int tree_usage(int parent_fd, const char *name, uint64_t *bytes, struct error *error);
