/*
 * Reads tar: ustar, GNU (long names, sparse) and PAX (names, numbers, extended attributes, sparse 0.0, 0.1 and 1.0).
 * POSIX.1-2017 pax(1) and the GNU tar manual, "Basic Tar Format" and "Storing Sparse Files", describe the formats.
 */
#pragma once

#include "common/error.h"
#include "unpack/queue.h"

#include <stdint.h>
#include <sys/types.h>
#include <time.h>

struct stream {
    struct queue *queue;
    struct chunk *chunk;
    size_t offset; /* into the chunk */
    bool ended;
};

/* Up to `wanted` bytes without copying; 0 at the end. Valid until the next call. */
size_t stream_take(struct stream *stream, size_t wanted, const unsigned char **data);
/* Returns how many were read, less than `length` only at the end. */
size_t stream_read(struct stream *stream, void *buffer, size_t length);
/* False when the end came first. */
bool stream_skip(struct stream *stream, uint64_t length);
void stream_close(struct stream *stream);

struct xattr {
    char *name;
    void *value;
    size_t length;
};

/* A run of data in a sparse file. */
struct extent {
    uint64_t offset, length;
};

/* What PAX records and GNU extra headers say about the entry that follows them. */
struct extras {
    char *path, *link;
    struct xattr *xattrs;
    size_t xattr_count;
    bool has_size, has_uid, has_gid, has_mtime;
    uint64_t size;
    uid_t uid;
    gid_t gid;
    struct timespec mtime;
    char *sparse_path;
    int sparse_major;
    bool sparse;
    uint64_t sparse_size;
    struct extent *extents;
    size_t extent_count;
};

struct entry {
    char type; /* '0' file, '1' hard link, '2' symlink, '3' char, '4' block, '5' folder, '6' fifo */
    char *path, *link;
    mode_t mode;
    uid_t uid;
    gid_t gid;
    struct timespec mtime;
    unsigned int major, minor;
    /* Bytes in the archive, and of the file (they differ for sparse ones). */
    uint64_t stored_size, size;
    bool sparse;
    struct extras extras;
};

/* The entry's data must be consumed (stored_size, then its padding) before the next call. 1: got one, 0: end. */
int tar_next(struct stream *stream, struct entry *entry, struct error *error);
/* Skips what pads an entry's data to a whole block. */
int tar_skip_padding(struct stream *stream, uint64_t stored_size, struct error *error);
void entry_clear(struct entry *entry);

/* pax.c */
int pax_parse(char *records, size_t length, struct extras *extras, struct error *error);
void extras_clear(struct extras *extras);
int extras_add_extent(struct extras *extras, uint64_t offset, uint64_t length, struct error *error);

/* sparse.c: the maps that are not in PAX records. `header` is the 512-byte block. */
int sparse_read_gnu(struct stream *stream, const unsigned char *header, struct entry *entry, struct error *error);
int sparse_read_pax1(struct stream *stream, struct entry *entry, struct error *error);
/* Extents ascend, do not overlap and stay inside the file; their sum is what is stored. */
int sparse_check(const struct entry *entry, struct error *error);

/* Octal, or base-256 when the first bit is set. Returns -1 when it is neither or too large. */
int tar_number(const unsigned char *field, size_t length, uint64_t *value);
