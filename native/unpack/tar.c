#include "unpack/tar.h"

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

enum { block = 512, max_extra_bytes = 1024 * 1024 };

struct header {
    unsigned char name[100], mode[8], uid[8], gid[8], size[12], mtime[12], checksum[8], type, link[100], magic[6],
        version[2], user[32], group[32], major[8], minor[8], prefix[155], rest[12];
};
_Static_assert(sizeof(struct header) == block, "a tar header is one block");

static int read_header(struct stream *stream, struct header *header, struct error *error);
static int read_extra(struct stream *stream, const struct header *header, struct extras *extras, struct error *error);
static int fill_entry(struct stream *stream, const struct header *header, struct entry *entry, struct error *error);
static int fill_numbers(const struct header *header, struct entry *entry, struct error *error);
static char *header_path(const struct header *header);

int tar_next(struct stream *stream, struct entry *entry, struct error *error) {
    struct header header;
    for (;;) {
        int got = read_header(stream, &header, error);
        if (got <= 0)
            return got;
        if (strchr("xgLK", header.type) == NULL || header.type == 0)
            break;
        if (read_extra(stream, &header, &entry->extras, error) < 0)
            return -1;
    }
    return fill_entry(stream, &header, entry, error) < 0 ? -1 : 1;
}

/* 0 at the end: a zero block, or nothing where a header would be. */
static int read_header(struct stream *stream, struct header *header, struct error *error) {
    size_t got = stream_read(stream, header, block);
    if (got == 0)
        return 0;
    if (got < block)
        return fail(error, 0, "the archive is truncated in a header");
    const unsigned char *bytes = (const unsigned char *)header;
    uint64_t said;
    unsigned int sum = 0, zeros = 0;
    int signed_sum = 0;
    for (size_t i = 0; i < block; i++) {
        bool in_checksum = i >= offsetof(struct header, checksum) && i < offsetof(struct header, type);
        sum += in_checksum ? ' ' : bytes[i];
        signed_sum += in_checksum ? ' ' : (signed char)bytes[i];
        zeros += bytes[i] == 0;
    }
    if (zeros == block)
        return 0;
    if (tar_number(header->checksum, sizeof header->checksum, &said) < 0 || (said != sum && (int)said != signed_sum))
        return fail(error, 0, "not a tar archive: a header's checksum is wrong");
    return 1;
}

/* PAX records ('x'), global ones ('g', which no image uses: skipped), GNU long name ('L') and long link ('K'). */
static int read_extra(struct stream *stream, const struct header *header, struct extras *extras, struct error *error) {
    uint64_t size;
    if (tar_number(header->size, sizeof header->size, &size) < 0 || size > max_extra_bytes)
        return fail(error, 0, "an extended header is too large");
    char *text = malloc(size + 1);
    if (text == NULL)
        return fail(error, 0, "not enough memory");
    int result = 0;
    if (stream_read(stream, text, size) < size)
        result = fail(error, 0, "the archive is truncated in an extended header");
    else if (tar_skip_padding(stream, size, error) < 0)
        result = -1;
    text[size] = 0;
    if (result == 0 && header->type == 'x')
        result = pax_parse(text, size, extras, error);
    if (result == 0 && (header->type == 'L' || header->type == 'K')) {
        char **slot = header->type == 'L' ? &extras->path : &extras->link;
        free(*slot);
        *slot = text;
        text = NULL;
    }
    free(text);
    return result;
}

static int fill_entry(struct stream *stream, const struct header *header, struct entry *entry, struct error *error) {
    struct extras *extras = &entry->extras;
    if (fill_numbers(header, entry, error) < 0)
        return -1;
    entry->path = extras->sparse_path != NULL ? strdup(extras->sparse_path)
                  : extras->path != NULL      ? strdup(extras->path)
                                              : header_path(header);
    entry->link = extras->link != NULL ? strdup(extras->link)
                                       : strndup((const char *)header->link, sizeof header->link);
    if (entry->path == NULL || entry->link == NULL)
        return fail(error, 0, "not enough memory");
    switch (header->type) {
    case 0:
    case '0':
    case '7': {
        /* Before ustar, a folder was a file with a slash at the end of its name. */
        size_t length = strlen(entry->path);
        entry->type = length > 0 && entry->path[length - 1] == '/' ? '5' : '0';
        break;
    }
    case 'S':
        entry->type = '0';
        if (sparse_read_gnu(stream, (const unsigned char *)header, entry, error) < 0)
            return -1;
        break;
    case '1':
    case '2':
    case '3':
    case '4':
    case '5':
    case '6':
        entry->type = (char)header->type;
        break;
    default:
        return fail(error, 0, "%s: entries of type 0x%02x are not supported", entry->path, header->type);
    }
    if (entry->type != '0')
        entry->stored_size = entry->size = 0;
    if (entry->type == '0' && extras->sparse) {
        entry->sparse = true;
        entry->size = extras->sparse_size;
        if (extras->sparse_major == 1 && sparse_read_pax1(stream, entry, error) < 0)
            return -1;
    }
    return entry->sparse ? sparse_check(entry, error) : 0;
}

static int fill_numbers(const struct header *header, struct entry *entry, struct error *error) {
    const struct extras *extras = &entry->extras;
    uint64_t mode, uid, gid, size, mtime, major = 0, minor = 0;
    if (tar_number(header->mode, sizeof header->mode, &mode) < 0 ||
        (!extras->has_uid && tar_number(header->uid, sizeof header->uid, &uid) < 0) ||
        (!extras->has_gid && tar_number(header->gid, sizeof header->gid, &gid) < 0) ||
        (!extras->has_size && tar_number(header->size, sizeof header->size, &size) < 0))
        return fail(error, 0, "a header holds a damaged number");
    if (extras->has_uid)
        uid = extras->uid;
    if (extras->has_gid)
        gid = extras->gid;
    if (extras->has_size)
        size = extras->size;
    /* (uid_t)-1 means "leave it" to chown. */
    if (uid >= UINT32_MAX || gid >= UINT32_MAX || size > INT64_MAX)
        return fail(error, 0, "a header holds a number that is too large");
    if (header->type == '3' || header->type == '4') {
        if (tar_number(header->major, sizeof header->major, &major) < 0 ||
            tar_number(header->minor, sizeof header->minor, &minor) < 0 || major > 4095 || minor > 1048575)
            return fail(error, 0, "a device's number is damaged");
    }
    entry->mode = (mode_t)(mode & 07777);
    entry->uid = (uid_t)uid;
    entry->gid = (gid_t)gid;
    entry->stored_size = entry->size = size;
    entry->major = (unsigned int)major;
    entry->minor = (unsigned int)minor;
    if (extras->has_mtime)
        entry->mtime = extras->mtime;
    else if (tar_number(header->mtime, sizeof header->mtime, &mtime) == 0)
        entry->mtime = (struct timespec){.tv_sec = (time_t)mtime};
    return 0;
}

static char *header_path(const struct header *header) {
    size_t name_length = strnlen((const char *)header->name, sizeof header->name);
    /* GNU's old format ("ustar  ") keeps other things in the prefix's place. */
    bool has_prefix = memcmp(header->magic, "ustar\0", 6) == 0 && header->prefix[0] != 0;
    size_t prefix_length = has_prefix ? strnlen((const char *)header->prefix, sizeof header->prefix) : 0;
    char *path = malloc(prefix_length + 1 + name_length + 1), *end = path;
    if (path == NULL)
        return NULL;
    if (prefix_length > 0) {
        end = mempcpy(end, header->prefix, prefix_length);
        *end++ = '/';
    }
    end = mempcpy(end, header->name, name_length);
    *end = 0;
    return path;
}

int tar_number(const unsigned char *field, size_t length, uint64_t *value) {
    *value = 0;
    if (field[0] & 0x80) {
        if (field[0] != 0x80)
            return -1; /* negative, or beyond 64 bits */
        for (size_t i = 1; i < length; i++) {
            if (*value >> 56)
                return -1;
            *value = *value << 8 | field[i];
        }
        return 0;
    }
    size_t i = 0;
    while (i < length && (field[i] == ' ' || field[i] == 0))
        i++;
    for (; i < length && field[i] >= '0' && field[i] <= '7'; i++)
        *value = *value << 3 | (uint64_t)(field[i] - '0');
    return i == length || field[i] == ' ' || field[i] == 0 ? 0 : -1;
}

int tar_skip_padding(struct stream *stream, uint64_t stored_size, struct error *error) {
    uint64_t padding = (block - stored_size % block) % block;
    return stream_skip(stream, padding) ? 0 : fail(error, 0, "the archive is truncated");
}

void entry_clear(struct entry *entry) {
    free(entry->path);
    free(entry->link);
    extras_clear(&entry->extras);
    *entry = (struct entry){0};
}

size_t stream_take(struct stream *stream, size_t wanted, const unsigned char **data) {
    while (stream->chunk == NULL || stream->offset == stream->chunk->length) {
        stream_close(stream);
        stream->chunk = queue_pop(stream->queue);
        if (stream->chunk == NULL) {
            stream->ended = true;
            return 0;
        }
    }
    size_t left = stream->chunk->length - stream->offset;
    size_t taken = left < wanted ? left : wanted;
    *data = stream->chunk->data + stream->offset;
    stream->offset += taken;
    return taken;
}

size_t stream_read(struct stream *stream, void *buffer, size_t length) {
    size_t done = 0;
    while (done < length) {
        const unsigned char *data;
        size_t got = stream_take(stream, length - done, &data);
        if (got == 0)
            break;
        memcpy((char *)buffer + done, data, got);
        done += got;
    }
    return done;
}

bool stream_skip(struct stream *stream, uint64_t length) {
    while (length > 0) {
        const unsigned char *data;
        size_t got = stream_take(stream, length < SIZE_MAX ? (size_t)length : SIZE_MAX, &data);
        if (got == 0)
            return false;
        length -= got;
    }
    return true;
}

void stream_close(struct stream *stream) {
    if (stream->chunk != NULL)
        chunk_release(stream->chunk);
    stream->chunk = NULL;
    stream->offset = 0;
}
