#define OPENSSL_SUPPRESS_DEPRECATED
#include "unpack/job.h"

#include "common/cleanup.h"
#include "unpack/decompress.h"
#include "unpack/extract.h"
#include "unpack/report.h"
#include "unpack/source.h"

#include <errno.h>
#include <fcntl.h>
#include <openssl/sha.h>
#include <stdio.h>
#include <time.h>

struct hasher {
    struct queue *input;
    unsigned char sha256[32];
};

struct progress {
    struct decompressor *decompressor;
    struct timespec last;
};

static void set_up(struct extractor *extractor, const struct options *options, int root_fd);
static int start_packing(struct packer *packer, pthread_t *thread, int *input_fd, struct error *error);
static int enter_folder(struct extractor *extractor, int root_fd, const char *path, int *folder_fd,
                        struct error *error);
static bool first_failure(const struct source *source, const struct decompressor *decompressor,
                          const struct extractor *extractor, bool extract_failed, bool archive_ended, const char **kind,
                          struct error *error);
static int finish(const struct options *options, int root_fd, int keep_fd, struct error *error);
static void *hash_run(void *argument);
static void report_progress(void *argument);
static int unpack(const struct options *options, struct extractor *extractor, const char **kind, struct error *error);

int job_run(const struct options *options, const char **kind, struct error *error) {
    struct extractor extractor;
    extractor_init(&extractor, -1);
    int result = unpack(options, &extractor, kind, error);
    extractor_clear(&extractor);
    return result;
}

/* Threads: read and keep → decompress → hash the archive; this one makes the files. */
static int unpack(const struct options *options, struct extractor *extractor, const char **kind, struct error *error) {
    cleanup_close int root_fd = -1, keep_fd = -1, into_fd = -1;
    *kind = "io";
    if (options->root_fd >= 0)
        root_fd = fcntl(options->root_fd, F_DUPFD_CLOEXEC, 0);
    else if (options->root != NULL)
        root_fd = open(options->root, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (root_fd < 0 && !options->no_root)
        return fail(error, errno, "open %s", options->root == NULL ? "the root" : options->root);
    if (options->keep != NULL) {
        keep_fd = open(options->keep, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
        if (keep_fd < 0 || ftruncate(keep_fd, (off_t)options->resume) < 0) {
            *kind = kind_of(errno);
            return fail(error, errno, "open %s", options->keep);
        }
    }
    if (options->into != NULL && !options->copies &&
        enter_folder(extractor, root_fd, options->into, &into_fd, error) < 0) {
        *kind = kind_of(error->code);
        return -1;
    }
    int input_fd = STDIN_FILENO;
    struct packer packer = options->packer;
    pthread_t packing;
    if (packer.source != NULL && start_packing(&packer, &packing, &input_fd, error) < 0)
        return -1;
    struct queue compressed, to_hash, to_read;
    queue_init(&compressed);
    queue_init(&to_hash);
    queue_init(&to_read);
    struct source source = {
        .input_fd = input_fd, .ingest_fd = keep_fd, .resume_bytes = options->resume, .output = &compressed};
    struct decompressor decompressor = {
        .input = &compressed, .outputs = {&to_hash, &to_read}, .max_bytes = options->max_bytes};
    struct hasher hasher = {.input = &to_hash};
    struct progress progress = {.decompressor = &decompressor};
    pthread_t threads[3];
    if (pthread_create(&threads[0], NULL, source_run, &source) != 0 ||
        pthread_create(&threads[1], NULL, decompress_run, &decompressor) != 0 ||
        pthread_create(&threads[2], NULL, hash_run, &hasher) != 0)
        return fail(error, errno, "start a thread"); /* the process ends, and those that run with it */

    struct stream stream = {.queue = &to_read};
    set_up(extractor, options, into_fd >= 0 ? into_fd : root_fd);
    extractor->progress = report_progress;
    extractor->progress_argument = &progress;
    int result = 0;
    if (options->no_root)
        stream_skip(&stream, UINT64_MAX);
    else
        result = extract(extractor, &stream, error);
    stream_close(&stream);
    if (packer.source != NULL && __atomic_load_n(&packer.failed, __ATOMIC_ACQUIRE)) {
        *error = packer.error;
        *kind = "io";
        return -1;
    }
    if (first_failure(&source, &decompressor, extractor, result < 0, stream.ended, kind, error))
        return -1;
    pthread_join(threads[0], NULL);
    pthread_join(threads[2], NULL);
    if (packer.source != NULL)
        pthread_join(packing, NULL);
    if (finish(options, root_fd, keep_fd, error) < 0) {
        *kind = kind_of(error->code);
        return -1;
    }
    report_begin("result");
    report_digest("digest", source.sha256);
    report_digest("diffId", hasher.sha256);
    report_number("compressedBytes", source.bytes);
    report_number("archiveBytes", decompressor.bytes_out);
    report_number("entries", extractor->entries);
    report_number("fileBytes", extractor->bytes);
    report_number("skippedAttributes", extractor->skipped_xattrs);
    report_end();
    return 0;
}

static void set_up(struct extractor *extractor, const struct options *options, int root_fd) {
    const struct packer *packer = &options->packer;
    extractor->root_fd = root_fd;
    extractor->apply = options->apply;
    extractor->plain = options->plain;
    extractor->shift = options->shift;
    bool packs = packer->source != NULL && packer->has_owner;
    extractor->made_uid = packs ? packer->uid : options->shift;
    extractor->made_gid = packs ? packer->gid : options->shift;
    if (options->copies) {
        extractor->beneath = options->into;
        extractor->no_replace = options->no_replace;
        extractor->owner = packer->has_owner ? packer : NULL;
    }
    extractor->max_bytes = options->max_bytes;
    extractor->max_entries = options->max_entries;
}

/* What is packed here goes the way of a download: through a pipe. Owns the pipe's writing end from here on. */
static int start_packing(struct packer *packer, pthread_t *thread, int *input_fd, struct error *error) {
    int ends[2];
    if (pipe2(ends, O_CLOEXEC) < 0)
        return fail(error, errno, "make a pipe");
    fcntl(ends[1], F_SETPIPE_SZ, 1 << 20); /* only faster */
    *input_fd = ends[0];
    packer->output_fd = ends[1];
    return pthread_create(thread, NULL, pack_run, packer) == 0 ? 0 : fail(error, errno, "start a thread");
}

/* The folder `path` beneath the root, made with all its parents where it is missing. */
static int enter_folder(struct extractor *extractor, int root_fd, const char *path, int *folder_fd,
                        struct error *error) {
    cleanup_free char *inside = NULL;
    if (asprintf(&inside, "%s%s.", path, *path == 0 ? "" : "/") < 0)
        return fail(error, ENOMEM, "enter %s", path);
    extractor->root_fd = root_fd;
    if (enter_parent(extractor, inside, error) == NULL)
        return fail_in(error, path);
    *folder_fd = openat(extractor->parent_fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (*folder_fd < 0)
        return fail(error, errno, "open %s", path);
    extractor_clear(extractor);
    extractor_init(extractor, *folder_fd);
    return 0;
}

/*
 * A stage that ends early makes the later ones fail too, so the earliest is to blame. A stage's flags may be read once its
 * output's end was seen; the others may still be running, and end with the process.
 */
static bool first_failure(const struct source *source, const struct decompressor *decompressor,
                          const struct extractor *extractor, bool extract_failed, bool archive_ended, const char **kind,
                          struct error *error) {
    if (archive_ended && decompressor->input_ended && source->failed) {
        *error = source->error;
        *kind = kind_of(error->code);
    } else if (archive_ended && decompressor->failed) {
        *error = decompressor->error;
        *kind = decompressor->too_large ? "too-large" : kind_of(error->code);
    } else if (extract_failed)
        *kind = extractor->too_large ? "too-large" : extractor->refused ? "refused" : extractor->unsafe ? "unsafe" : kind_of(error->code);
    else
        return false;
    return true;
}

/* All that was written is on the disk before the result is printed; plain files are on their way to a layer. */
static int finish(const struct options *options, int root_fd, int keep_fd, struct error *error) {
    if (keep_fd >= 0 && fsync(keep_fd) < 0)
        return fail(error, errno, "write %s to the disk", options->keep);
    if (root_fd >= 0 && !options->plain && syncfs(root_fd) < 0)
        return fail(error, errno, "write %s to the disk", options->root);
    return 0;
}

static void *hash_run(void *argument) {
    struct hasher *hasher = argument;
    SHA256_CTX hash;
    SHA256_Init(&hash);
    for (struct chunk *chunk; (chunk = queue_pop(hasher->input)) != NULL; chunk_release(chunk))
        SHA256_Update(&hash, chunk->data, chunk->length);
    SHA256_Final(hasher->sha256, &hash);
    return NULL;
}

static void report_progress(void *argument) {
    struct progress *progress = argument;
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC_COARSE, &now);
    int64_t elapsed_ms =
        (now.tv_sec - progress->last.tv_sec) * 1000 + (now.tv_nsec - progress->last.tv_nsec) / 1000000;
    if (elapsed_ms < 100)
        return;
    progress->last = now;
    report_begin("progress");
    report_number("bytesIn", __atomic_load_n(&progress->decompressor->bytes_in, __ATOMIC_RELAXED));
    report_number("bytesOut", __atomic_load_n(&progress->decompressor->bytes_out, __ATOMIC_RELAXED));
    report_end();
}
