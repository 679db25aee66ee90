/* What the agent is told: one JSON object a line, {"name":{"key":value,…}}. */
#pragma once

#include "common/error.h"

#include <stdint.h>

/* Lines go to stdout unless told otherwise. */
void report_to(int fd);
void report_begin(const char *name);
void report_number(const char *key, uint64_t value);
void report_text(const char *key, const char *value);
/* `sha256:…` */
void report_digest(const char *key, const unsigned char *sha256);
void report_end(void);
/* An empty result. Returns 0, the exit code. */
int report_done(void);
/* Returns 1, the exit code. */
int report_error(const char *kind, const struct error *error);
/* What sort of failure an errno is, where the attempt does not say. */
const char *kind_of(int code);
