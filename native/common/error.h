/*
 * The one error convention: a function that can fail returns <0 and fills the error it takes as last argument.
 * Nothing here allocates, so it may be used between clone and exec.
 */
#pragma once

#include <stddef.h>

struct error {
    int code;       /* errno, or 0 */
    char text[480]; /* what was tried on which object, with the reason */
};

/* Fills the error and returns -1. With code != 0 the reason is appended: "mount proc on /proc: Permission denied". */
int fail(struct error *error, int code, const char *format, ...) __attribute__((format(printf, 3, 4)));

/* Puts "prefix: " before what is there; returns -1. */
int fail_in(struct error *error, const char *prefix);
