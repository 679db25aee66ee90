/* Writes tar: ustar, with a PAX header before the entries that need one. The reading half is tar.h. */
#pragma once

#include "common/error.h"

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>
#include <zlib.h>

/* Where the archive goes: a descriptor, through gzip if wanted. */
struct sink {
    int fd;
    bool gzip;
    z_stream z;
    size_t used;
    unsigned char buffer[64 * 1024];
};

int sink_open(struct sink *sink, int fd, bool gzip, struct error *error);
int sink_write(struct sink *sink, const void *data, size_t length, struct error *error);
/* Ends the archive and sends what is buffered. */
int sink_finish(struct sink *sink, struct error *error);
/* Gives memory back; the descriptor is the caller's. */
void sink_clear(struct sink *sink);

struct member {
    char type; /* as in tar.h */
    const char *path, *link;
    mode_t mode;
    uid_t uid;
    gid_t gid;
    int64_t mtime;
    uint64_t size;
    unsigned int major, minor;
    /* Extended attributes as PAX records (pax_add). */
    char *records;
    size_t records_length;
};

/* Appends "length key=value\n" to *records, which the caller frees. */
int pax_add(char **records, size_t *length, const char *key, const void *value, size_t value_length,
            struct error *error);
/* The entry's headers; `size` bytes and their padding are the caller's to write. Takes and frees `records`. */
int member_write(struct sink *sink, struct member *member, struct error *error);
/* Zeroes up to a whole block after data of that length. */
int member_pad(struct sink *sink, uint64_t length, struct error *error);
