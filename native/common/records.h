/*
 * Records: the one encoding of what crosses between the agent and the monitor (plans, requests, answers, events).
 *
 *   u32 size      bytes after this field
 *   u16 tag       what it is
 *   u16 numbers   how many numbers follow, 8 bytes each
 *   u32 strings   how many NUL-terminated strings follow those
 *   then the numbers, the strings, and as blob whatever is left
 *
 * All little-endian, as are the machines this runs on. Records may nest: a plan is the blob of a request.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "common/error.h"

struct record {
    unsigned tag;
    unsigned numbers_count, strings_count;
    const unsigned char *numbers; /* unaligned; read with record_number */
    const char *strings;          /* the first; the next starts after its NUL */
    const void *blob;
    size_t blob_size;
};

enum { RECORD_HEADER = 12, RECORD_MAX = 16 << 20 };

/*
 * Reads the record at `data`. Returns its whole size, 0 when `size` bytes do not hold all of it yet, <0 when it is
 * malformed. The record points into `data`.
 */
ptrdiff_t record_read(struct record *record, const void *data, size_t size, struct error *error);

/* The number at `index`, or `otherwise` when there are fewer. */
int64_t record_number(const struct record *record, unsigned index, int64_t otherwise);

/* The string at `index`, or "" when there are fewer. */
const char *record_string(const struct record *record, unsigned index);

/* Writes a record into `out`; returns its size, or <0 when `capacity` is too small. */
ptrdiff_t record_write(void *out, size_t capacity, unsigned tag, const int64_t *numbers, unsigned numbers_count,
                       const char *const *strings, unsigned strings_count);
