#include "unpack/report.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>

static FILE *output;
static const char *separator = "";

static FILE *out(void) { return output != NULL ? output : stdout; }

static void key_out(const char *key) {
    fprintf(out(), "%s\"%s\":", separator, key);
    separator = ",";
}

void report_to(int fd) {
    output = fdopen(fd, "w");
    if (output != NULL)
        setlinebuf(output);
}

void report_begin(const char *name) {
    fprintf(out(), "{\"%s\":{", name);
    separator = "";
}

void report_number(const char *key, uint64_t value) {
    key_out(key);
    fprintf(out(), "%" PRIu64, value);
}

/* Names may hold anything; what is not UTF-8 is the reader's to replace. */
void report_text(const char *key, const char *value) {
    key_out(key);
    putc('"', out());
    for (const unsigned char *at = (const unsigned char *)value; *at != 0; at++) {
        if (*at == '"' || *at == '\\')
            fprintf(out(), "\\%c", *at);
        else if (*at < 0x20 || *at == 0x7f)
            fprintf(out(), "\\u%04x", *at);
        else
            putc(*at, out());
    }
    putc('"', out());
}

void report_digest(const char *key, const unsigned char *sha256) {
    key_out(key);
    fputs("\"sha256:", out());
    for (int i = 0; i < 32; i++)
        fprintf(out(), "%02x", sha256[i]);
    putc('"', out());
}

void report_end(void) { fputs("}}\n", out()); }

int report_done(void) {
    report_begin("result");
    report_end();
    return 0;
}

int report_error(const char *kind, const struct error *error) {
    report_begin("error");
    report_text("kind", kind);
    report_text("message", error->text);
    report_end();
    return 1;
}

const char *kind_of(int code) {
    switch (code) {
    case ENOSPC:
    case EDQUOT:
        return "disk-full";
    case EIO:
    case EROFS:
    case ENOMEM:
    case EMFILE:
    case ENFILE:
    case EACCES:
        return "io";
    default: /* names too long, links to nothing, folders that are files: the archive asks for the impossible */
        return "bad-archive";
    }
}
