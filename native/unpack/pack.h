/*
 * Makes the archive of a folder or file: a container's changes (`overlay`: its upper folder, in the form of the OCI image
 * specification's "Layer"), or files on their way into an image. Names come in the order of their bytes, times in whole
 * seconds, so that the same files give the same archive.
 */
#pragma once

#include "common/error.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

struct packer {
    const char *source;
    /* Its name in the archive. "": a folder without an entry of its own. */
    const char *as;
    /* Whiteouts and opaque folders are told as such. */
    bool overlay;
    /* Taken from every owner: the base of the user namespace that made the files. */
    uid_t unshift;
    bool has_owner, has_mode;
    uid_t uid;
    gid_t gid;
    mode_t mode;
    /* Later times become this one. */
    int64_t max_time;
    /* Names in the archive that are left out, with all beneath them. */
    char *const *skip;
    size_t skip_count;
    bool gzip;
    /* Prints what would be packed, a line of JSON each, instead of packing it. No file is read. */
    bool list;
    int output_fd;

    int failed;
    struct error error;
};

/* Thread body: argument is a struct packer. Closes output_fd. */
void *pack_run(void *argument);
