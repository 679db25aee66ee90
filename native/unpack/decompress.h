/* gzip (several members), zstd (several frames, skippable ones too) or plain, told apart by the first bytes. */
#pragma once

#include "common/error.h"
#include "unpack/queue.h"

#include <stdint.h>

struct decompressor {
    struct queue *input;
    /* Each gets every chunk: the hash and the tar reader. */
    struct queue *outputs[2];
    /* More than this many bytes is an error. */
    uint64_t max_bytes;

    /* Read by the progress reports while running. */
    uint64_t bytes_in;
    uint64_t bytes_out;
    bool input_ended;
    int failed;
    int too_large;
    struct error error;
};

/* Thread body: argument is a struct decompressor. */
void *decompress_run(void *argument);
