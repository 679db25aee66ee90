#include "unpack/inodes.h"

#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

static size_t slot_of(const struct inodes *set, dev_t device, ino_t number);
static int grow(struct inodes *set, struct error *error);

int inodes_first(struct inodes *set, const struct stat *status, const char *path, const char **first,
                 struct error *error) {
    if (set->count * 2 >= set->capacity && grow(set, error) < 0)
        return -1;
    struct inode *slot = &set->slots[slot_of(set, status->st_dev, status->st_ino)];
    if (slot->path != NULL) {
        *first = slot->path;
        return 0;
    }
    *slot = (struct inode){status->st_dev, status->st_ino, strdup(path)};
    if (slot->path == NULL)
        return fail(error, ENOMEM, "remember %s", path);
    set->count++;
    return 1;
}

static size_t slot_of(const struct inodes *set, dev_t device, ino_t number) {
    size_t slot = (size_t)((uint64_t)number * UINT64_C(0x9e3779b97f4a7c15) % set->capacity);
    while (set->slots[slot].path != NULL && (set->slots[slot].device != device || set->slots[slot].number != number))
        slot = (slot + 1) % set->capacity;
    return slot;
}

static int grow(struct inodes *set, struct error *error) {
    struct inodes grown = {.capacity = set->capacity == 0 ? 256 : set->capacity * 2, .count = set->count};
    grown.slots = calloc(grown.capacity, sizeof *grown.slots);
    if (grown.slots == NULL)
        return fail(error, ENOMEM, "remember linked files");
    for (size_t i = 0; i < set->capacity; i++)
        if (set->slots[i].path != NULL)
            grown.slots[slot_of(&grown, set->slots[i].device, set->slots[i].number)] = set->slots[i];
    free(set->slots);
    *set = grown;
    return 0;
}

void inodes_clear(struct inodes *set) {
    for (size_t i = 0; i < set->capacity; i++)
        free(set->slots[i].path);
    free(set->slots);
    *set = (struct inodes){0};
}
