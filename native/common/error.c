#include "common/error.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

int fail(struct error *error, int code, const char *format, ...) {
    error->code = code;
    va_list arguments;
    va_start(arguments, format);
    int used = vsnprintf(error->text, sizeof error->text, format, arguments);
    va_end(arguments);
    /* strerrordesc_np neither translates nor locks, so it is safe after clone. */
    const char *reason = code != 0 ? strerrordesc_np(code) : NULL;
    if (reason != NULL && used >= 0 && (size_t)used < sizeof error->text)
        snprintf(error->text + used, sizeof error->text - (size_t)used, ": %s", reason);
    return -1;
}

int fail_in(struct error *error, const char *prefix) {
    char rest[sizeof error->text];
    memcpy(rest, error->text, sizeof rest);
    if (snprintf(error->text, sizeof error->text, "%s: %s", prefix, rest) >= (int)sizeof error->text)
        error->text[sizeof error->text - 1] = 0;
    return -1;
}
