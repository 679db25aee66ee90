/*
 * The log file, in Docker's json-file format: one JSON object a line,
 *   {"log":"text\n","stream":"stdout","time":"2026-11-22T08:30:00.123456789Z"}
 * A line longer than 16 KiB is split into parts without "\n"; what is not UTF-8 becomes U+FFFD.
 * A full disk loses lines, never tears one and never stops the container.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <time.h>

#include "common/error.h"

enum { LOG_LINE_MAX = 16384 };

struct log {
    int fd;
    const char *path;
    uint64_t size, max_bytes; /* max_bytes 0: no limit */
    unsigned max_files;
    char *pending; /* whole lines not yet written */
    size_t pending_size;
};

/* The line that a stream has begun and not ended. */
struct log_line {
    const char *stream;
    char *text; /* LOG_LINE_MAX bytes, made when first needed */
    size_t size;
    bool continues;       /* earlier parts were logged */
    struct timespec time; /* when the line began: its parts share it */
};

int log_open(struct log *log, const char *path, uint64_t max_bytes, unsigned max_files, struct error *error);

/* Logs the whole lines in `data` and keeps the begun one. Written to the file by log_flush. */
void log_append(struct log *log, struct log_line *line, const char *data, size_t size);

/* Logs what is left of a begun line, as its stream has ended. */
void log_end(struct log *log, struct log_line *line);

void log_flush(struct log *log);

/* Flushes, makes it durable and closes. */
void log_close(struct log *log);

/* RFC 3339 in UTC with nanoseconds; `out` holds at least 31 bytes. Returns the length. */
size_t format_time(char *out, const struct timespec *time);
