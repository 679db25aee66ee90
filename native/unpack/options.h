/* The words after `unpack layer`. */
#pragma once

#include "unpack/pack.h"

/*
 * --pack SOURCE [--as NAME] [--overlay] [--unshift UID] [--owner UID:GID] [--mode OCTAL] [--max-time SECONDS]
 *     [--skip NAME]… [--gzip | --list]
 */
struct options {
    const char *root, *keep, *into;
    uint64_t resume, max_bytes, max_entries;
    uid_t shift;
    bool apply, no_root, plain;
    /* For copies into a container (files.c): the root is open, `into` exists and its links resolve in the root. */
    int root_fd;
    bool copies, no_replace;
    /* source is NULL when the layer comes on stdin. */
    struct packer packer;
};

/* <0: not understood. Points into `words`; `packer.skip` lives as long as the process. */
int options_parse(int count, char **words, struct options *options);
/* UID:GID */
int options_owner(struct packer *packer, const char *text);
