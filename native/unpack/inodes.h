/* Files with several names, so that each is packed once. */
#pragma once

#include "common/error.h"

#include <stddef.h>
#include <sys/stat.h>

struct inode {
    dev_t device;
    ino_t number;
    char *path;
};

struct inodes {
    struct inode *slots;
    size_t capacity, count;
};

/* 1: the file is new and remembered under `path`. 0: it was met before, *first is the name it had (the set's own). */
int inodes_first(struct inodes *set, const struct stat *status, const char *path, const char **first,
                 struct error *error);
void inodes_clear(struct inodes *set);
