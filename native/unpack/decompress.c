#include "unpack/decompress.h"

#include <zlib.h>
#include <zstd.h>

static int plain(struct decompressor *d, struct chunk *first, struct error *error);
static int gunzip(struct decompressor *d, struct chunk *first, struct error *error);
static int inflate_chunk(struct decompressor *d, z_stream *z, struct chunk *in, bool *in_member, struct error *error);
static int unzstd(struct decompressor *d, struct chunk *first, struct error *error);
static int unzstd_chunk(struct decompressor *d, ZSTD_DStream *stream, struct chunk *in, size_t *hint, struct error *error);
static struct chunk *next_input(struct decompressor *d);
static int emit(struct decompressor *d, struct chunk *chunk, struct error *error);

void *decompress_run(void *argument) {
    struct decompressor *d = argument;
    struct chunk *first = next_input(d);
    if (first != NULL) {
        const unsigned char *b = first->data;
        size_t n = first->length;
        int result;
        if (n >= 2 && b[0] == 0x1f && b[1] == 0x8b)
            result = gunzip(d, first, &d->error);
        else if (n >= 4 && ((b[0] == 0x28 && b[1] == 0xb5 && b[2] == 0x2f && b[3] == 0xfd) ||
                            ((b[0] & 0xf0) == 0x50 && b[1] == 0x2a && b[2] == 0x4d && b[3] == 0x18)))
            result = unzstd(d, first, &d->error);
        else
            result = plain(d, first, &d->error);
        d->failed = result < 0;
    }
    queue_abandon(d->input);
    queue_end(d->outputs[0]);
    queue_end(d->outputs[1]);
    return NULL;
}

static int plain(struct decompressor *d, struct chunk *first, struct error *error) {
    for (struct chunk *in = first; in != NULL; in = next_input(d)) {
        __atomic_add_fetch(&d->bytes_in, in->length, __ATOMIC_RELAXED);
        in->holders = 2; /* nobody else holds it yet */
        if (emit(d, in, error) < 0)
            return -1;
    }
    return 0;
}

static int gunzip(struct decompressor *d, struct chunk *first, struct error *error) {
    z_stream z = {0};
    if (inflateInit2(&z, 15 + 16) != Z_OK)
        return fail(error, 0, "not enough memory to decompress");
    bool in_member = true;
    int result = 0;
    for (struct chunk *in = first; in != NULL && result == 0; in = next_input(d)) {
        result = inflate_chunk(d, &z, in, &in_member, error);
        __atomic_add_fetch(&d->bytes_in, in->length, __ATOMIC_RELAXED);
        chunk_release(in);
    }
    inflateEnd(&z);
    if (result == 0 && in_member)
        return fail(error, 0, "the gzip data is truncated");
    return result;
}

static int inflate_chunk(struct decompressor *d, z_stream *z, struct chunk *in, bool *in_member, struct error *error) {
    z->next_in = in->data;
    z->avail_in = (uInt)in->length;
    bool output_full = false;
    while (z->avail_in > 0 || output_full) {
        if (!*in_member) {
            if (inflateReset(z) != Z_OK)
                return fail(error, 0, "the gzip data is damaged");
            *in_member = true;
        }
        struct chunk *out = chunk_new(2);
        z->next_out = out->data;
        z->avail_out = CHUNK_SIZE;
        int status;
        /* Small members (estargz has one for each file) share an output chunk. */
        do {
            status = inflate(z, Z_NO_FLUSH);
        } while (status == Z_STREAM_END && z->avail_in > 0 && z->avail_out > 0 && inflateReset(z) == Z_OK);
        out->length = CHUNK_SIZE - z->avail_out;
        output_full = z->avail_out == 0 && status == Z_OK;
        if (status == Z_STREAM_END)
            *in_member = false;
        else if (status != Z_OK && status != Z_BUF_ERROR) {
            chunk_release(out);
            return fail(error, 0, "the gzip data is damaged: %s", z->msg != NULL ? z->msg : "bad stream");
        }
        if (out->length == 0)
            chunk_release(out);
        else if (emit(d, out, error) < 0)
            return -1;
    }
    return 0;
}

static int unzstd(struct decompressor *d, struct chunk *first, struct error *error) {
    ZSTD_DStream *stream = ZSTD_createDStream();
    if (stream == NULL)
        return fail(error, 0, "not enough memory to decompress");
    /* 128 MiB, what the zstd tool itself accepts: a hostile frame may not ask for gigabytes. */
    ZSTD_DCtx_setParameter(stream, ZSTD_d_windowLogMax, 27);
    size_t hint = 1;
    int result = 0;
    for (struct chunk *in = first; in != NULL && result == 0; in = next_input(d)) {
        result = unzstd_chunk(d, stream, in, &hint, error);
        __atomic_add_fetch(&d->bytes_in, in->length, __ATOMIC_RELAXED);
        chunk_release(in);
    }
    ZSTD_freeDStream(stream);
    if (result == 0 && hint != 0)
        return fail(error, 0, "the zstd data is truncated");
    return result;
}

/* hint is 0 exactly between frames. */
static int unzstd_chunk(struct decompressor *d, ZSTD_DStream *stream, struct chunk *in, size_t *hint, struct error *error) {
    ZSTD_inBuffer input = {in->data, in->length, 0};
    bool output_full = false;
    while (input.pos < input.size || output_full) {
        struct chunk *out = chunk_new(2);
        ZSTD_outBuffer output = {out->data, CHUNK_SIZE, 0};
        *hint = ZSTD_decompressStream(stream, &output, &input);
        out->length = output.pos;
        output_full = output.pos == CHUNK_SIZE;
        if (ZSTD_isError(*hint)) {
            chunk_release(out);
            return fail(error, 0, "the zstd data is damaged: %s", ZSTD_getErrorName(*hint));
        }
        if (*hint == 0)
            output_full = false;
        if (out->length == 0)
            chunk_release(out);
        else if (emit(d, out, error) < 0)
            return -1;
    }
    return 0;
}

static struct chunk *next_input(struct decompressor *d) {
    struct chunk *chunk = queue_pop(d->input);
    d->input_ended = chunk == NULL;
    return chunk;
}

/* Hands a chunk (held twice) to both readers. A reader that left because of its own error reports that one itself. */
static int emit(struct decompressor *d, struct chunk *chunk, struct error *error) {
    uint64_t total = __atomic_add_fetch(&d->bytes_out, chunk->length, __ATOMIC_RELAXED);
    if (total > d->max_bytes) {
        chunk_release(chunk);
        chunk_release(chunk);
        d->too_large = 1;
        return fail(error, 0, "the layer is larger than %llu bytes", (unsigned long long)d->max_bytes);
    }
    bool hashed = queue_push(d->outputs[0], chunk);
    bool read = queue_push(d->outputs[1], chunk);
    return hashed && read ? 0 : fail(error, 0, "the layer is no longer wanted");
}
