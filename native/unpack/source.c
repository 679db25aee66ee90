#define OPENSSL_SUPPRESS_DEPRECATED /* the one-shot interface without the provider machinery keeps the program small */
#include "unpack/source.h"

#include <errno.h>
#include <openssl/sha.h>
#include <unistd.h>

/* Enough for the reader to tell the format. */
enum { magic_bytes = 4 };

static ssize_t append(struct source *source, struct chunk *chunk, struct error *error);
static int keep(struct source *source, const unsigned char *data, size_t length, uint64_t at, struct error *error);

void *source_run(void *argument) {
    struct source *source = argument;
    SHA256_CTX hash;
    SHA256_Init(&hash);
    for (bool wanted = true; wanted;) {
        struct chunk *chunk = chunk_new(1);
        ssize_t got;
        do {
            got = append(source, chunk, &source->error);
        } while (got > 0 && source->bytes == 0 && chunk->length < magic_bytes);
        source->failed = got < 0;
        if (got < 0 || chunk->length == 0) {
            chunk_release(chunk);
            break;
        }
        SHA256_Update(&hash, chunk->data, chunk->length);
        source->bytes += chunk->length;
        wanted = queue_push(source->output, chunk);
    }
    SHA256_Final(source->sha256, &hash);
    queue_end(source->output);
    return NULL;
}

/* Takes what one read gives, so that a slow download is unpacked as it comes. Returns 0 at the end. */
static ssize_t append(struct source *source, struct chunk *chunk, struct error *error) {
    uint64_t at = source->bytes + chunk->length;
    unsigned char *room = chunk->data + chunk->length;
    size_t wanted = CHUNK_SIZE - chunk->length;
    bool replay = at < source->resume_bytes;
    if (replay && source->resume_bytes - at < wanted)
        wanted = (size_t)(source->resume_bytes - at);
    ssize_t got;
    do {
        got = replay ? pread(source->ingest_fd, room, wanted, (off_t)at) : read(source->input_fd, room, wanted);
    } while (got < 0 && errno == EINTR);
    if (got < 0)
        return fail(error, errno, replay ? "read the partial download" : "read the layer");
    if (replay && got == 0)
        return fail(error, 0, "the partial download is shorter than said");
    if (!replay && got > 0 && source->ingest_fd >= 0 && keep(source, room, (size_t)got, at, error) < 0)
        return -1;
    chunk->length += (size_t)got;
    return got;
}

static int keep(struct source *source, const unsigned char *data, size_t length, uint64_t at, struct error *error) {
    for (size_t done = 0; done < length;) {
        ssize_t put = pwrite(source->ingest_fd, data + done, length - done, (off_t)(at + done));
        if (put < 0 && errno == EINTR)
            continue;
        if (put < 0)
            return fail(error, errno, "keep the downloaded layer");
        done += (size_t)put;
    }
    return 0;
}
