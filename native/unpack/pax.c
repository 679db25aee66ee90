#include "unpack/tar.h"

#include <stdlib.h>
#include <string.h>

enum { max_extents = 1 << 20, max_xattrs = 1024 };

static int apply(struct extras *extras, const char *key, const char *value, size_t length, struct error *error);
static int apply_sparse(struct extras *extras, const char *key, const char *value, struct error *error);
static int parse_map(struct extras *extras, const char *map, struct error *error);
static int add_xattr(struct extras *extras, const char *name, const char *value, size_t length, struct error *error);
static int replace(char **slot, const char *value, struct error *error);
static int decimal(const char *text, uint64_t max, uint64_t *value);
static int parse_time(const char *text, struct timespec *time);

/* Records are "length key=value\n", the length counting all of itself. Values may hold any byte. */
int pax_parse(char *records, size_t length, struct extras *extras, struct error *error) {
    size_t at = 0;
    while (at < length) {
        size_t size = 0, digits = at;
        while (digits < length && records[digits] >= '0' && records[digits] <= '9' && size <= length)
            size = size * 10 + (size_t)(records[digits++] - '0');
        if (digits == at || digits >= length || records[digits] != ' ' || size > length - at ||
            size < digits - at + 3 || records[at + size - 1] != '\n')
            return fail(error, 0, "an extended header is damaged");
        char *key = records + digits + 1, *end = records + at + size - 1;
        char *equals = memchr(key, '=', (size_t)(end - key));
        if (equals == NULL)
            return fail(error, 0, "an extended header is damaged");
        *equals = *end = 0;
        if (apply(extras, key, equals + 1, (size_t)(end - equals - 1), error) < 0)
            return -1;
        at += size;
    }
    return 0;
}

static int apply(struct extras *extras, const char *key, const char *value, size_t length, struct error *error) {
    uint64_t number;
    if (strncmp(key, "SCHILY.xattr.", 13) == 0)
        return add_xattr(extras, key + 13, value, length, error);
    if (strncmp(key, "GNU.sparse.", 11) == 0)
        return apply_sparse(extras, key + 11, value, error);
    if (memchr(value, 0, length) != NULL)
        return fail(error, 0, "an extended header's %s holds a zero byte", key);
    if (strcmp(key, "path") == 0)
        return replace(&extras->path, value, error);
    if (strcmp(key, "linkpath") == 0)
        return replace(&extras->link, value, error);
    if (strcmp(key, "size") == 0) {
        extras->has_size = true;
        if (decimal(value, INT64_MAX, &extras->size) < 0)
            return fail(error, 0, "an extended header's size is damaged");
    } else if (strcmp(key, "uid") == 0 || strcmp(key, "gid") == 0) {
        if (decimal(value, UINT32_MAX - 1, &number) < 0)
            return fail(error, 0, "an extended header's %s is damaged", key);
        if (key[0] == 'u') {
            extras->has_uid = true;
            extras->uid = (uid_t)number;
        } else {
            extras->has_gid = true;
            extras->gid = (gid_t)number;
        }
    } else if (strcmp(key, "mtime") == 0) {
        extras->has_mtime = true;
        if (parse_time(value, &extras->mtime) < 0)
            return fail(error, 0, "an extended header's mtime is damaged");
    }
    return 0; /* atime, ctime, uname, comment…: of no use here */
}

static int apply_sparse(struct extras *extras, const char *key, const char *value, struct error *error) {
    uint64_t number = 0;
    extras->sparse = true;
    if (strcmp(key, "name") == 0)
        return replace(&extras->sparse_path, value, error);
    if (strcmp(key, "map") == 0)
        return parse_map(extras, value, error);
    if (decimal(value, INT64_MAX, &number) < 0)
        return fail(error, 0, "an extended header's GNU.sparse.%s is damaged", key);
    if (strcmp(key, "major") == 0) {
        if (number > 1)
            return fail(error, 0, "sparse files of version %llu are not supported", (unsigned long long)number);
        extras->sparse_major = (int)number;
    } else if (strcmp(key, "realsize") == 0 || strcmp(key, "size") == 0)
        extras->sparse_size = number;
    else if (strcmp(key, "offset") == 0)
        return extras_add_extent(extras, number, 0, error);
    else if (strcmp(key, "numbytes") == 0 && extras->extent_count > 0)
        extras->extents[extras->extent_count - 1].length = number;
    return 0;
}

/* "offset,length,offset,length…" */
static int parse_map(struct extras *extras, const char *map, struct error *error) {
    while (*map != 0) {
        uint64_t pair[2];
        for (int i = 0; i < 2; i++) {
            char text[24];
            size_t length = strcspn(map, ",");
            if (length >= sizeof text)
                return fail(error, 0, "a sparse file's map is damaged");
            memcpy(text, map, length);
            text[length] = 0;
            if (decimal(text, INT64_MAX, &pair[i]) < 0)
                return fail(error, 0, "a sparse file's map is damaged");
            map += length + (map[length] == ',');
        }
        if (extras_add_extent(extras, pair[0], pair[1], error) < 0)
            return -1;
    }
    return 0;
}

int extras_add_extent(struct extras *extras, uint64_t offset, uint64_t length, struct error *error) {
    if (extras->extent_count == max_extents)
        return fail(error, 0, "a sparse file has too many parts");
    if ((extras->extent_count & (extras->extent_count - 1)) == 0) { /* grow at powers of two */
        size_t capacity = extras->extent_count == 0 ? 1 : extras->extent_count * 2;
        struct extent *grown = reallocarray(extras->extents, capacity, sizeof *grown);
        if (grown == NULL)
            return fail(error, 0, "not enough memory");
        extras->extents = grown;
    }
    extras->extents[extras->extent_count++] = (struct extent){offset, length};
    return 0;
}

static int add_xattr(struct extras *extras, const char *name, const char *value, size_t length, struct error *error) {
    if (extras->xattr_count == max_xattrs)
        return fail(error, 0, "an entry has too many extended attributes");
    struct xattr *grown = reallocarray(extras->xattrs, extras->xattr_count + 1, sizeof *grown);
    if (grown == NULL)
        return fail(error, 0, "not enough memory");
    extras->xattrs = grown;
    struct xattr *added = &grown[extras->xattr_count];
    *added = (struct xattr){strdup(name), malloc(length + 1), length};
    extras->xattr_count++;
    if (added->name == NULL || added->value == NULL)
        return fail(error, 0, "not enough memory");
    memcpy(added->value, value, length);
    return 0;
}

static int replace(char **slot, const char *value, struct error *error) {
    free(*slot);
    *slot = strdup(value);
    return *slot != NULL ? 0 : fail(error, 0, "not enough memory");
}

static int decimal(const char *text, uint64_t max, uint64_t *value) {
    *value = 0;
    if (*text == 0)
        return -1;
    for (; *text != 0; text++) {
        if (*text < '0' || *text > '9' || *value > (max - (uint64_t)(*text - '0')) / 10)
            return -1;
        *value = *value * 10 + (uint64_t)(*text - '0');
    }
    return 0;
}

/* "[-]seconds[.fraction]" */
static int parse_time(const char *text, struct timespec *time) {
    bool negative = *text == '-';
    char seconds[24];
    text += negative;
    size_t length = strcspn(text, ".");
    uint64_t whole;
    if (length >= sizeof seconds)
        return -1;
    memcpy(seconds, text, length);
    seconds[length] = 0;
    if (decimal(seconds, INT64_MAX / 2, &whole) < 0)
        return -1;
    long nanoseconds = 0, unit = 100000000;
    for (text += length + (text[length] == '.'); *text >= '0' && *text <= '9'; text++, unit /= 10)
        nanoseconds += (*text - '0') * unit;
    if (*text != 0)
        return -1;
    *time = (struct timespec){negative ? -(time_t)whole : (time_t)whole, nanoseconds};
    if (negative && nanoseconds > 0)
        *time = (struct timespec){time->tv_sec - 1, 1000000000 - nanoseconds};
    return 0;
}

void extras_clear(struct extras *extras) {
    free(extras->path);
    free(extras->link);
    free(extras->sparse_path);
    free(extras->extents);
    for (size_t i = 0; i < extras->xattr_count; i++) {
        free(extras->xattrs[i].name);
        free(extras->xattrs[i].value);
    }
    free(extras->xattrs);
    *extras = (struct extras){0};
}
