/*
 * unpack layer --root DIR | --no-root   reads a compressed layer on stdin, unpacks it, prints its digests
 *     [--keep FILE [--resume BYTES]]    keeps the compressed bytes in FILE, whose first BYTES are already there
 *     [--apply] [--shift UID]           carries whiteouts out instead of keeping them; moves owners
 *     [--max-bytes N] [--max-entries N]
 *     [--plain] [--into PATH]           whiteouts are files like others; unpacks into a folder beneath DIR, made if missing
 *     [--pack SOURCE …]                 makes the layer of files here instead of reading it; options.h tells how
 * unpack remove DIR                     removes a folder however deep
 * unpack usage DIR                      prints the bytes of its files
 *
 * Every line on stdout is JSON: {"progress":{…}} about every 100 ms, last {"result":{…}} or {"error":{…}} (exit code 1).
 */
#define OPENSSL_SUPPRESS_DEPRECATED
#include "common/cleanup.h"
#include "unpack/decompress.h"
#include "unpack/extract.h"
#include "unpack/options.h"
#include "unpack/source.h"
#include "unpack/tree.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <malloc.h>
#include <openssl/sha.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>

struct hasher {
    struct queue *input;
    unsigned char sha256[32];
};

struct progress {
    struct decompressor *decompressor;
    struct timespec last;
};

static int run_layer(const struct options *options);
static int unpack(const struct options *options, struct extractor *extractor, const char **kind, struct error *error);
static int start_packing(struct packer *packer, pthread_t *thread, int *input_fd, struct error *error);
static int enter_folder(struct extractor *extractor, int root_fd, const char *path, int *folder_fd,
                        struct error *error);
static bool first_failure(const struct source *source, const struct decompressor *decompressor,
                          const struct extractor *extractor, bool extract_failed, bool archive_ended, const char **kind,
                          struct error *error);
static int finish(const struct options *options, int root_fd, int keep_fd, struct error *error);
static void *hash_run(void *argument);
static void report_progress(void *argument);
static int report_error(const char *kind, const struct error *error);
static const char *kind_of(int code);
static void print_hex(const char *name, const unsigned char *bytes);

int main(int count, char **words) {
    /* Chunks come and go all the time: keep their memory instead of mapping it anew. */
    mallopt(M_MMAP_THRESHOLD, 64 * 1024 * 1024);
    mallopt(M_TRIM_THRESHOLD, 128 * 1024 * 1024);
    signal(SIGPIPE, SIG_IGN);
    /* Without the agent nobody would use the result, and the next agent works on the same files. */
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    umask(0);
    setlinebuf(stdout);
    struct rlimit files;
    if (getrlimit(RLIMIT_NOFILE, &files) == 0) {
        files.rlim_cur = files.rlim_max;
        setrlimit(RLIMIT_NOFILE, &files);
    }
    struct error error = {0};
    struct options options;
    if (count == 3 && strcmp(words[1], "remove") == 0) {
        if (tree_remove(AT_FDCWD, words[2], &error) < 0)
            return report_error(kind_of(error.code), &error);
        puts("{\"result\":{}}");
        return 0;
    }
    if (count == 3 && strcmp(words[1], "usage") == 0) {
        uint64_t bytes = 0;
        if (tree_usage(AT_FDCWD, words[2], &bytes, &error) < 0)
            return report_error(kind_of(error.code), &error);
        printf("{\"result\":{\"bytes\":%" PRIu64 "}}\n", bytes);
        return 0;
    }
    if (count < 2 || strcmp(words[1], "layer") != 0 || options_parse(count - 1, words + 1, &options) < 0) {
        fputs("usage: unpack layer (--root DIR | --no-root) [--keep FILE [--resume BYTES]] [--apply] [--shift UID] "
              "[--max-bytes N] [--max-entries N] [--plain] [--into PATH] [--pack SOURCE ...]\n       unpack remove DIR\n       unpack usage DIR\n",
              stderr);
        return 2;
    }
    return run_layer(&options);
}

static int run_layer(const struct options *options) {
    struct error error = {0};
    struct extractor extractor;
    const char *kind = NULL;
    extractor_init(&extractor, -1);
    int result = unpack(options, &extractor, &kind, &error);
    extractor_clear(&extractor);
    if (result < 0)
        return report_error(kind, &error);
    return 0;
}

/* Threads: read and keep → decompress → hash the archive; this one makes the files. */
static int unpack(const struct options *options, struct extractor *extractor, const char **kind, struct error *error) {
    cleanup_close int root_fd = -1, keep_fd = -1, into_fd = -1;
    *kind = "io";
    if (options->root != NULL) {
        root_fd = open(options->root, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        if (root_fd < 0)
            return fail(error, errno, "open %s", options->root);
    }
    if (options->keep != NULL) {
        keep_fd = open(options->keep, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
        if (keep_fd < 0 || ftruncate(keep_fd, (off_t)options->resume) < 0) {
            *kind = kind_of(errno);
            return fail(error, errno, "open %s", options->keep);
        }
    }
    if (options->into != NULL && enter_folder(extractor, root_fd, options->into, &into_fd, error) < 0) {
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
    extractor->root_fd = into_fd >= 0 ? into_fd : root_fd;
    extractor->apply = options->apply;
    extractor->plain = options->plain;
    extractor->shift = options->shift;
    extractor->made_uid = packer.has_owner ? packer.uid : options->shift;
    extractor->made_gid = packer.has_owner ? packer.gid : options->shift;
    extractor->max_bytes = options->max_bytes;
    extractor->max_entries = options->max_entries;
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
    fputs("{\"result\":{", stdout);
    print_hex("digest", source.sha256);
    print_hex("diffId", hasher.sha256);
    printf("\"compressedBytes\":%" PRIu64 ",\"archiveBytes\":%" PRIu64 ",\"entries\":%" PRIu64 ",\"fileBytes\":%" PRIu64
           ",\"skippedAttributes\":%" PRIu64 "}}\n",
           source.bytes, decompressor.bytes_out, extractor->entries, extractor->bytes, extractor->skipped_xattrs);
    return 0;
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
        *kind = extractor->too_large ? "too-large" : extractor->unsafe ? "unsafe" : kind_of(error->code);
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
    printf("{\"progress\":{\"bytesIn\":%" PRIu64 ",\"bytesOut\":%" PRIu64 "}}\n",
           __atomic_load_n(&progress->decompressor->bytes_in, __ATOMIC_RELAXED),
           __atomic_load_n(&progress->decompressor->bytes_out, __ATOMIC_RELAXED));
}

static const char *kind_of(int code) {
    switch (code) {
    case ENOSPC:
    case EDQUOT:
        return "disk-full";
    case EIO:
    case EROFS:
    case ENOMEM:
    case EMFILE:
    case ENFILE:
    case EACCES:
        return "io";
    default: /* names too long, links to nothing, folders that are files: the archive asks for the impossible */
        return "bad-archive";
    }
}

static int report_error(const char *kind, const struct error *error) {
    printf("{\"error\":{\"kind\":\"%s\",\"message\":\"", kind);
    for (const unsigned char *at = (const unsigned char *)error->text; *at != 0; at++) {
        if (*at == '"' || *at == '\\')
            printf("\\%c", *at);
        else if (*at < 0x20 || *at >= 0x7f)
            putchar('?'); /* names in an archive may hold anything */
        else
            putchar(*at);
    }
    puts("\"}}");
    return 1;
}

static void print_hex(const char *name, const unsigned char *bytes) {
    printf("\"%s\":\"sha256:", name);
    for (int i = 0; i < 32; i++)
        printf("%02x", bytes[i]);
    fputs("\",", stdout);
}
