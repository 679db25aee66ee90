/* The compressed layer: first what an interrupted download left behind, then stdin. */
#pragma once

#include "common/error.h"
#include "unpack/queue.h"

#include <stdint.h>

struct source {
    int input_fd;
    /* Where the compressed bytes are kept, or -1. Its first resume_bytes are read back before the input. */
    int ingest_fd;
    uint64_t resume_bytes;
    struct queue *output;

    /* Results, valid once the thread is joined. */
    uint64_t bytes;
    unsigned char sha256[32];
    int failed;
    struct error error;
};

/* Thread body: argument is a struct source. */
void *source_run(void *argument);
