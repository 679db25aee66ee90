/* One archive in, files out: reading, decompressing, hashing and unpacking at once. */
#pragma once

#include "unpack/options.h"

/* Prints the result. On failure `kind` says what sort it is of (report.h). */
int job_run(const struct options *options, const char **kind, struct error *error);
