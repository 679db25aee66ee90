/* Makes a layer's entries beneath a root folder. */
#pragma once

#include "common/error.h"
#include "unpack/pack.h"
#include "unpack/paths.h"
#include "unpack/tar.h"

#include <stdint.h>
#include <sys/stat.h>

struct folder_time {
    char *path;
    struct timespec mtime;
};

struct extractor {
    int root_fd;
    /* False: whiteouts are kept in overlayfs' form. True: they are carried out on what is already in the root. */
    bool apply;
    /* A folder that all names are beneath, or NULL. Links on the way to it resolve in the root. */
    const char *beneath;
    /* A folder does not take the place of anything else, nor anything else that of a folder. */
    bool no_replace;
    /* Whose everything is, instead of what the archive says; NULL: the archive's. */
    const struct packer *owner;
    /* No whiteouts: ".wh.x" is a file like others. */
    bool plain;
    /* Added to every owner. */
    uid_t shift;
    /* Owner of folders that entries need and the archive does not hold. */
    uid_t made_uid;
    gid_t made_gid;
    uint64_t max_entries, max_bytes;
    void (*progress)(void *argument);
    void *progress_argument;

    uint64_t entries, bytes, skipped_xattrs;
    bool too_large, unsafe, refused;

    /* The folder of the last entry: archives list a folder's children one after the other. */
    char *parent_path;
    int parent_fd;
    bool parent_setgid;
    struct folder_time *folders;
    size_t folder_count, folder_capacity;
    struct path_set made; /* only with apply */
};

void extractor_init(struct extractor *extractor, int root_fd);
/* Unpacks the whole archive. */
int extract(struct extractor *extractor, struct stream *stream, struct error *error);
void extractor_clear(struct extractor *extractor);

/* place.c: makes one entry. `path` is clean; the entry's data is read from the stream. */
int place_entry(struct extractor *extractor, const struct entry *entry, const char *path, struct stream *stream,
                struct error *error);
/* whiteout.c: 1 when the name was one and has been handled. */
int place_whiteout(struct extractor *extractor, const char *path, const char *name, struct error *error);

/* A name of the archive as a path from the root, without "." and "..". The caller frees. */
int entry_path(const struct extractor *extractor, const char *name, char **path, struct error *error);
/* Opens (and makes, where missing) the folder that holds `path`; sets parent_fd. Returns the last part of the path. */
const char *enter_parent(struct extractor *extractor, const char *path, struct error *error);
/* mkdir that replaces this layer's own whiteout by an opaque folder. 1 made, 0 was there, -1. */
int make_folder(struct extractor *extractor, int parent_fd, const char *name, struct error *error);
int mark_opaque(int folder_fd, struct error *error);
bool is_opaque(int folder_fd);
bool is_whiteout(const struct stat *status);
