#include "unpack/tar.h"

#include <string.h>

enum { block = 512 };

static int add_gnu_extents(const unsigned char *slots, size_t count, struct extras *extras, struct error *error);
static int next_decimal(struct stream *stream, uint64_t *stored_left, unsigned char *buffer, size_t *at, uint64_t *value,
                        struct error *error);

/* Old GNU: four extents and the real size in the header, then blocks of 21 more while a flag says so. */
int sparse_read_gnu(struct stream *stream, const unsigned char *header, struct entry *entry, struct error *error) {
    if (tar_number(header + 483, 12, &entry->size) < 0 || entry->size > INT64_MAX)
        return fail(error, 0, "%s: its sparse header is damaged", entry->path);
    entry->sparse = true;
    if (add_gnu_extents(header + 386, 4, &entry->extras, error) < 0)
        return -1;
    bool more = header[482] != 0;
    while (more) {
        unsigned char next[block];
        if (stream_read(stream, next, block) < block)
            return fail(error, 0, "the archive is truncated in a sparse header");
        if (add_gnu_extents(next, 21, &entry->extras, error) < 0)
            return -1;
        more = next[504] != 0;
    }
    return 0;
}

static int add_gnu_extents(const unsigned char *slots, size_t count, struct extras *extras, struct error *error) {
    for (size_t i = 0; i < count && slots[i * 24] != 0; i++) {
        uint64_t offset, length;
        if (tar_number(slots + i * 24, 12, &offset) < 0 || tar_number(slots + i * 24 + 12, 12, &length) < 0)
            return fail(error, 0, "a sparse header is damaged");
        if (extras_add_extent(extras, offset, length, error) < 0)
            return -1;
    }
    return 0;
}

/* PAX 1.0: the data starts with the map, decimal numbers each on a line, padded to whole blocks. */
int sparse_read_pax1(struct stream *stream, struct entry *entry, struct error *error) {
    unsigned char buffer[block];
    size_t at = block;
    uint64_t count, offset, length;
    if (next_decimal(stream, &entry->stored_size, buffer, &at, &count, error) < 0)
        return -1;
    for (uint64_t i = 0; i < count; i++) {
        if (next_decimal(stream, &entry->stored_size, buffer, &at, &offset, error) < 0 ||
            next_decimal(stream, &entry->stored_size, buffer, &at, &length, error) < 0 ||
            extras_add_extent(&entry->extras, offset, length, error) < 0)
            return -1;
    }
    return 0;
}

static int next_decimal(struct stream *stream, uint64_t *stored_left, unsigned char *buffer, size_t *at, uint64_t *value,
                        struct error *error) {
    *value = 0;
    for (int digits = 0; digits < 20; digits++) {
        if (*at == block) {
            if (*stored_left < block || stream_read(stream, buffer, block) < block)
                return fail(error, 0, "a sparse file's map is truncated");
            *stored_left -= block;
            *at = 0;
        }
        unsigned char byte = buffer[(*at)++];
        if (byte == '\n' && digits > 0)
            return 0;
        if (byte < '0' || byte > '9')
            break;
        *value = *value * 10 + (uint64_t)(byte - '0');
    }
    return fail(error, 0, "a sparse file's map is damaged");
}

int sparse_check(const struct entry *entry, struct error *error) {
    uint64_t end = 0, stored = 0;
    for (size_t i = 0; i < entry->extras.extent_count; i++) {
        const struct extent *extent = &entry->extras.extents[i];
        if (extent->offset < end || extent->length > entry->size || extent->offset > entry->size - extent->length)
            return fail(error, 0, "%s: its sparse map is damaged", entry->path);
        end = extent->offset + extent->length;
        stored += extent->length;
    }
    return stored == entry->stored_size ? 0 : fail(error, 0, "%s: its sparse map does not fit its data", entry->path);
}
