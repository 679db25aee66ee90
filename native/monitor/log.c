#include "monitor/log.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* One part grows at most sixfold (\u00XX), plus its frame of names and time. */
enum { PENDING_MAX = 160 << 10, FRAME_MAX = 128 };

static int open_file(struct log *log, int flags, struct error *error) {
    log->fd = open(log->path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC | flags, 0640);
    if (log->fd < 0)
        return fail(error, errno, "open log %s", log->path);
    struct stat status;
    log->size = fstat(log->fd, &status) == 0 ? (uint64_t)status.st_size : 0;
    return 0;
}

int log_open(struct log *log, const char *path, uint64_t max_bytes, unsigned max_files, struct error *error) {
    *log = (struct log){.fd = -1, .path = path, .max_bytes = max_bytes, .max_files = max_files};
    log->pending = malloc(PENDING_MAX);
    if (log->pending == NULL)
        return fail(error, ENOMEM, "open log %s", path);
    return open_file(log, 0, error);
}

/* path.1 becomes path.2 and so on, path becomes path.1, and a new path begins. */
static void rotate(struct log *log) {
    char from[PATH_MAX], to[PATH_MAX];
    for (unsigned i = log->max_files - 1; log->max_files > 1 && i >= 1; i--) {
        snprintf(to, sizeof to, "%s.%u", log->path, i);
        if (i == 1)
            snprintf(from, sizeof from, "%s", log->path);
        else
            snprintf(from, sizeof from, "%s.%u", log->path, i - 1);
        rename(from, to); /* those not there yet are no loss */
    }
    int old = log->fd;
    struct error ignored;
    /* A new file that cannot be made leaves the old one growing, which loses less. */
    if (open_file(log, log->max_files > 1 ? 0 : O_TRUNC, &ignored) < 0)
        log->fd = old;
    else
        close(old);
}

void log_flush(struct log *log) {
    size_t done = 0;
    while (done < log->pending_size) {
        ssize_t written = write(log->fd, log->pending + done, log->pending_size - done);
        if (written < 0 && errno == EINTR)
            continue;
        if (written <= 0) {
            /* Disk full: take back the torn line, if the file system lets us, and lose the rest. */
            if (ftruncate(log->fd, (off_t)log->size) == 0)
                done = 0;
            break;
        }
        done += (size_t)written;
    }
    log->size += done;
    log->pending_size = 0;
    if (log->max_bytes > 0 && log->size >= log->max_bytes)
        rotate(log);
}

/* Length of the valid UTF-8 sequence at `s`, or 0. */
static size_t utf8_length(const unsigned char *s, size_t size) {
    size_t length = s[0] >= 0xC2 && s[0] <= 0xDF ? 2 : (s[0] & 0xF0) == 0xE0 ? 3 : s[0] >= 0xF0 && s[0] <= 0xF4 ? 4 : 0;
    if (length == 0 || length > size)
        return 0;
    for (size_t i = 1; i < length; i++) {
        if ((s[i] & 0xC0) != 0x80)
            return 0;
    }
    /* Not overlong, no surrogate, not beyond U+10FFFF. */
    if ((s[0] == 0xE0 && s[1] < 0xA0) || (s[0] == 0xED && s[1] > 0x9F) || (s[0] == 0xF0 && s[1] < 0x90) ||
        (s[0] == 0xF4 && s[1] > 0x8F))
        return 0;
    return length;
}

static char *put(char *out, const char *text, size_t size) {
    memcpy(out, text, size);
    return out + size;
}

static char *escape_byte(char *out, unsigned char byte) {
    static const char hex[] = "0123456789abcdef";
    switch (byte) {
    case '"':
        return put(out, "\\\"", 2);
    case '\\':
        return put(out, "\\\\", 2);
    case '\n':
        return put(out, "\\n", 2);
    case '\r':
        return put(out, "\\r", 2);
    case '\t':
        return put(out, "\\t", 2);
    default:
        out = put(out, "\\u00", 4);
        *out++ = hex[byte >> 4];
        *out++ = hex[byte & 15];
        return out;
    }
}

static char *escape(char *out, const char *text, size_t size) {
    const unsigned char *at = (const unsigned char *)text, *end = at + size;
    while (at < end) {
        const unsigned char *plain = at;
        while (at < end && *at >= 0x20 && *at < 0x80 && *at != '"' && *at != '\\')
            at++;
        out = put(out, (const char *)plain, (size_t)(at - plain));
        if (at == end)
            break;
        if (*at < 0x80) {
            out = escape_byte(out, *at++);
            continue;
        }
        size_t length = utf8_length(at, (size_t)(end - at));
        if (length == 0) {
            out = put(out, "\\ufffd", 6);
            at++;
        } else {
            out = put(out, (const char *)at, length);
            at += length;
        }
    }
    return out;
}

size_t format_time(char *out, const struct timespec *time) {
    static time_t second = -1;
    static char text[24];
    if (time->tv_sec != second) {
        struct tm parts;
        gmtime_r(&time->tv_sec, &parts);
        strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%S", &parts);
        second = time->tv_sec;
    }
    memcpy(out, text, 19);
    out[19] = '.';
    long nanoseconds = time->tv_nsec;
    for (int i = 28; i >= 20; i--) {
        out[i] = (char)('0' + nanoseconds % 10);
        nanoseconds /= 10;
    }
    out[29] = 'Z';
    out[30] = 0;
    return 30;
}

static void log_part(struct log *log, struct log_line *line, const char *text, size_t size) {
    if (PENDING_MAX - log->pending_size < FRAME_MAX + 6 * size ||
        (log->max_bytes > 0 && log->size + log->pending_size >= log->max_bytes))
        log_flush(log);
    char *out = log->pending + log->pending_size;
    out = put(out, "{\"log\":\"", 8);
    out = escape(out, text, size);
    out = put(out, "\",\"stream\":\"", 12);
    out = put(out, line->stream, strlen(line->stream));
    out = put(out, "\",\"time\":\"", 10);
    out += format_time(out, &line->time);
    out = put(out, "\"}\n", 3);
    log->pending_size = (size_t)(out - log->pending);
}

/* How much of a full line to log as a part, so as not to cut a UTF-8 sequence. */
static size_t part_size(const char *text, size_t size) {
    for (size_t back = 1; back <= 3 && back < size; back++) {
        unsigned char byte = (unsigned char)text[size - back];
        if (byte < 0x80)
            break;
        if (byte >= 0xC0)
            return byte >= 0xF0 || (byte >= 0xE0 && back < 3) || back < 2 ? size - back : size;
    }
    return size;
}

/* Takes bytes without a newline into the begun line, logging it in parts as it gets full. */
static void keep(struct log *log, struct log_line *line, const char *data, size_t size) {
    if (line->text == NULL && (line->text = malloc(LOG_LINE_MAX)) == NULL)
        return; /* out of memory loses text, as a full disk does */
    while (size > 0) {
        size_t room = LOG_LINE_MAX - line->size, take = size < room ? size : room;
        memcpy(line->text + line->size, data, take);
        line->size += take;
        data += take;
        size -= take;
        if (line->size < LOG_LINE_MAX)
            break;
        size_t part = part_size(line->text, line->size);
        log_part(log, line, line->text, part);
        memmove(line->text, line->text + part, line->size - part);
        line->size -= part;
        line->continues = true;
    }
}

void log_append(struct log *log, struct log_line *line, const char *data, size_t size) {
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    while (size > 0) {
        if (line->size == 0 && !line->continues)
            line->time = now;
        const char *newline = memchr(data, '\n', size);
        size_t length = newline == NULL ? size : (size_t)(newline - data) + 1;
        if (newline != NULL && line->size == 0 && length <= LOG_LINE_MAX) {
            log_part(log, line, data, length);
            line->continues = false;
        } else {
            /* The newline itself is added last, so that a line of exactly 16 KiB ends with it as Docker's does. */
            keep(log, line, data, newline == NULL ? length : length - 1);
            if (newline != NULL) {
                if (line->size == 0) {
                    log_part(log, line, "\n", 1);
                } else {
                    char *whole = line->text;
                    whole[line->size] = '\n'; /* keep() leaves room: a full line was logged */
                    log_part(log, line, whole, line->size + 1);
                }
                line->size = 0;
                line->continues = false;
            }
        }
        data += length;
        size -= length;
    }
}

void log_end(struct log *log, struct log_line *line) {
    if (line->size > 0)
        log_part(log, line, line->text, line->size);
    free(line->text);
    line->text = NULL;
    line->size = 0;
}

void log_close(struct log *log) {
    if (log->fd < 0)
        return;
    log_flush(log);
    if (log->size > 0)
        fdatasync(log->fd);
    close(log->fd);
    free(log->pending);
    *log = (struct log){.fd = -1};
}
