/* A folder's tree made once more, sharing its blocks with the first where the file system can (reflink). */
#pragma once

#include "common/error.h"

#include <stdint.h>

struct copied {
    /* Names of files, links and the rest; bytes as files are long, and those of them that are shared. */
    uint64_t files, bytes, shared_bytes;
};

/*
 * Into the empty folder `to`; owners, modes, times, attributes, hard links and holes are kept. What goes meanwhile is left
 * out, a file that is written meanwhile is as long as it was when it was met. Sockets are left out: nobody listens on a copy.
 * `progress` is called every so often. All is on the disk at the end.
 */
int copy_folder(const char *from, const char *to, struct copied *copied, void (*progress)(const struct copied *),
                struct error *error);
