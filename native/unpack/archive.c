#include "unpack/archive.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* Speed matters more than size: the layer is read back at once, and mostly stays on this machine. */
enum { gzip_level = 1, block = 512, name_length = 100 };

static int send_out(struct sink *sink, const unsigned char *data, size_t length, struct error *error);
static int compress_some(struct sink *sink, const void *data, size_t length, int flush, struct error *error);
static int add_text(struct member *member, const char *key, const char *value, struct error *error);
static int add_number(struct member *member, const char *key, int64_t value, struct error *error);
static int header_write(struct sink *sink, const struct member *member, struct error *error);
static void octal(unsigned char *field, size_t width, uint64_t value);

int sink_open(struct sink *sink, int fd, bool gzip, struct error *error) {
    sink->fd = fd;
    sink->gzip = false;
    sink->used = 0;
    sink->z = (z_stream){0};
    if (gzip && deflateInit2(&sink->z, gzip_level, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY) != Z_OK)
        return fail(error, 0, "not enough memory to compress");
    sink->gzip = gzip;
    return 0;
}

int sink_write(struct sink *sink, const void *data, size_t length, struct error *error) {
    if (sink->gzip)
        return compress_some(sink, data, length, Z_NO_FLUSH, error);
    const unsigned char *from = data;
    while (length > 0) {
        size_t room = sizeof sink->buffer - sink->used, part = length < room ? length : room;
        memcpy(sink->buffer + sink->used, from, part);
        sink->used += part;
        from += part;
        length -= part;
        if (sink->used == sizeof sink->buffer) {
            if (send_out(sink, sink->buffer, sink->used, error) < 0)
                return -1;
            sink->used = 0;
        }
    }
    return 0;
}

int sink_finish(struct sink *sink, struct error *error) {
    static const unsigned char end[2 * block];
    if (sink_write(sink, end, sizeof end, error) < 0)
        return -1;
    if (sink->gzip)
        return compress_some(sink, NULL, 0, Z_FINISH, error);
    return send_out(sink, sink->buffer, sink->used, error);
}

void sink_clear(struct sink *sink) {
    if (sink->gzip)
        deflateEnd(&sink->z);
}

static int compress_some(struct sink *sink, const void *data, size_t length, int flush, struct error *error) {
    sink->z.next_in = (unsigned char *)data; /* zlib does not write there */
    sink->z.avail_in = (uInt)length;
    do {
        sink->z.next_out = sink->buffer;
        sink->z.avail_out = sizeof sink->buffer;
        deflate(&sink->z, flush);
        if (send_out(sink, sink->buffer, sizeof sink->buffer - sink->z.avail_out, error) < 0)
            return -1;
    } while (sink->z.avail_out == 0);
    return 0;
}

static int send_out(struct sink *sink, const unsigned char *data, size_t length, struct error *error) {
    while (length > 0) {
        ssize_t put = write(sink->fd, data, length);
        if (put < 0 && errno == EINTR)
            continue;
        if (put < 0)
            return fail(error, errno, "write the archive");
        data += put;
        length -= (size_t)put;
    }
    return 0;
}

int pax_add(char **records, size_t *length, const char *key, const void *value, size_t value_length,
            struct error *error) {
    /* The number counts its own digits. */
    size_t rest = strlen(key) + value_length + 3, total = rest + 1;
    char digits[24];
    while (rest + (size_t)snprintf(digits, sizeof digits, "%zu", total) != total)
        total = rest + strlen(digits);
    char *grown = realloc(*records, *length + total + 1);
    if (grown == NULL)
        return fail(error, ENOMEM, "describe an entry");
    *records = grown;
    char *at = grown + *length;
    at += sprintf(at, "%zu %s=", total, key);
    memcpy(at, value, value_length);
    at[value_length] = '\n';
    *length += total;
    return 0;
}

int member_write(struct sink *sink, struct member *member, struct error *error) {
    int result = 0;
    if (strlen(member->path) > name_length)
        result = add_text(member, "path", member->path, error);
    if (result == 0 && member->link != NULL && strlen(member->link) > name_length)
        result = add_text(member, "linkpath", member->link, error);
    if (result == 0 && member->size >> 33 != 0)
        result = add_number(member, "size", (int64_t)member->size, error);
    if (result == 0 && member->uid >> 21 != 0)
        result = add_number(member, "uid", member->uid, error);
    if (result == 0 && member->gid >> 21 != 0)
        result = add_number(member, "gid", member->gid, error);
    if (result == 0 && (member->mtime < 0 || member->mtime >> 33 != 0))
        result = add_number(member, "mtime", member->mtime, error);
    if (result == 0 && member->records_length > 0) {
        const struct member extra = {.type = 'x', .path = "PaxHeaders.0/entry", .mode = 0644, .size = member->records_length};
        result = header_write(sink, &extra, error);
        if (result == 0)
            result = sink_write(sink, member->records, member->records_length, error);
        if (result == 0)
            result = member_pad(sink, member->records_length, error);
    }
    free(member->records);
    member->records = NULL;
    return result == 0 ? header_write(sink, member, error) : -1;
}

static int add_text(struct member *member, const char *key, const char *value, struct error *error) {
    return pax_add(&member->records, &member->records_length, key, value, strlen(value), error);
}

static int add_number(struct member *member, const char *key, int64_t value, struct error *error) {
    char text[24];
    snprintf(text, sizeof text, "%" PRId64, value);
    return add_text(member, key, text, error);
}

/* POSIX.1-2017 pax(1), "ustar Interchange Format". Numbers that do not fit are 0 here and said by PAX. */
static int header_write(struct sink *sink, const struct member *member, struct error *error) {
    unsigned char header[block] = {0};
    memcpy(header, member->path, strnlen(member->path, name_length));
    octal(header + 100, 8, member->mode & 07777);
    octal(header + 108, 8, member->uid);
    octal(header + 116, 8, member->gid);
    octal(header + 124, 12, member->size);
    octal(header + 136, 12, member->mtime < 0 ? 0 : (uint64_t)member->mtime);
    header[156] = (unsigned char)member->type;
    if (member->link != NULL)
        memcpy(header + 157, member->link, strnlen(member->link, name_length));
    memcpy(header + 257, "ustar\0" "00", 8);
    octal(header + 329, 8, member->major);
    octal(header + 337, 8, member->minor);
    memset(header + 148, ' ', 8);
    unsigned int sum = 0;
    for (size_t i = 0; i < block; i++)
        sum += header[i];
    octal(header + 148, 7, sum);
    return sink_write(sink, header, block, error);
}

static void octal(unsigned char *field, size_t width, uint64_t value) {
    if (value >> (3 * (width - 1)) != 0)
        value = 0;
    field[width - 1] = 0;
    for (size_t i = width - 1; i-- > 0; value >>= 3)
        field[i] = (unsigned char)('0' + (value & 7));
}

int member_pad(struct sink *sink, uint64_t length, struct error *error) {
    static const unsigned char zeroes[block];
    size_t rest = (size_t)(length % block);
    return rest == 0 ? 0 : sink_write(sink, zeroes, block - rest, error);
}
