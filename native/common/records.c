#include "common/records.h"

#include <endian.h>
#include <string.h>

#if __BYTE_ORDER != __LITTLE_ENDIAN
#error "records are little-endian"
#endif

struct header {
    uint32_t size;
    uint16_t tag, numbers;
    uint32_t strings;
};
_Static_assert(sizeof(struct header) == RECORD_HEADER, "no padding");

ptrdiff_t record_read(struct record *record, const void *data, size_t size, struct error *error) {
    struct header header;
    if (size < sizeof header)
        return 0;
    memcpy(&header, data, sizeof header);
    size_t whole = sizeof header.size + header.size;
    if (header.size < sizeof header - sizeof header.size || header.size > RECORD_MAX)
        return fail(error, 0, "record of %u bytes", header.size);
    if (size < whole)
        return 0;

    const unsigned char *at = (const unsigned char *)data + sizeof header, *end = (const unsigned char *)data + whole;
    if ((size_t)(end - at) / 8 < header.numbers)
        return fail(error, 0, "record %u is shorter than its numbers", header.tag);
    *record = (struct record){.tag = header.tag,
                              .numbers_count = header.numbers,
                              .strings_count = header.strings,
                              .numbers = at,
                              .strings = (const char *)at + 8 * (size_t)header.numbers};
    at += 8 * (size_t)header.numbers;
    for (uint32_t i = 0; i < header.strings; i++) {
        const unsigned char *nul = memchr(at, 0, (size_t)(end - at));
        if (nul == NULL)
            return fail(error, 0, "record %u is shorter than its strings", header.tag);
        at = nul + 1;
    }
    record->blob = at;
    record->blob_size = (size_t)(end - at);
    return (ptrdiff_t)whole;
}

int64_t record_number(const struct record *record, unsigned index, int64_t otherwise) {
    if (index >= record->numbers_count)
        return otherwise;
    int64_t number;
    memcpy(&number, record->numbers + 8 * (size_t)index, sizeof number);
    return number;
}

const char *record_string(const struct record *record, unsigned index) {
    if (index >= record->strings_count)
        return "";
    const char *string = record->strings;
    while (index-- > 0)
        string += strlen(string) + 1;
    return string;
}

ptrdiff_t record_write(void *out, size_t capacity, unsigned tag, const int64_t *numbers, unsigned numbers_count,
                       const char *const *strings, unsigned strings_count) {
    size_t whole = RECORD_HEADER + 8 * (size_t)numbers_count;
    for (unsigned i = 0; i < strings_count; i++)
        whole += strlen(strings[i]) + 1;
    if (whole > capacity)
        return -1;
    struct header header = {.size = (uint32_t)(whole - sizeof header.size),
                            .tag = (uint16_t)tag,
                            .numbers = (uint16_t)numbers_count,
                            .strings = strings_count};
    unsigned char *at = out;
    memcpy(at, &header, sizeof header);
    at += sizeof header;
    if (numbers_count > 0)
        memcpy(at, numbers, 8 * (size_t)numbers_count);
    at += 8 * (size_t)numbers_count;
    for (unsigned i = 0; i < strings_count; i++) {
        size_t size = strlen(strings[i]) + 1;
        memcpy(at, strings[i], size);
        at += size;
    }
    return (ptrdiff_t)whole;
}
