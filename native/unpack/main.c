/*
 * unpack layer --root DIR | --no-root   reads a compressed layer on stdin, unpacks it, prints its digests
 *     [--keep FILE [--resume BYTES]]    keeps the compressed bytes in FILE, whose first BYTES are already there
 *     [--apply] [--shift UID]           carries whiteouts out instead of keeping them; moves owners
 *     [--max-bytes N] [--max-entries N]
 *     [--plain] [--into PATH]           whiteouts are files like others; unpacks into a folder beneath DIR, made if missing
 *     [--pack SOURCE …]                 makes the layer of files here instead of reading it; options.h tells how
 * unpack remove DIR                     removes a folder however deep
 * unpack usage DIR                      prints the bytes of its files
 * unpack copy DIR TO                    copies a folder's tree into an empty folder; copy.h
 * unpack files …                        copies out of and into containers; files.h
 * unpack layers …                       compares the layers of an image; layers.h
 *
 * Every line on stdout is JSON: {"progress":{…}} about every 100 ms, last {"result":{…}} or {"error":{…}} (exit code 1).
 */
#include "unpack/copy.h"
#include "unpack/files.h"
#include "unpack/job.h"
#include "unpack/layers.h"
#include "unpack/report.h"
#include "unpack/tree.h"

#include <fcntl.h>
#include <malloc.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <time.h>

enum { progress_ms = 100 };

static int run_layer(const struct options *options);
static int run_copy(const char *from, const char *to);
static void tell_copied(const struct copied *copied);
static void print_copied(const char *what, const struct copied *copied);

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
        return report_done();
    }
    if (count == 3 && strcmp(words[1], "usage") == 0) {
        uint64_t bytes = 0;
        if (tree_usage(AT_FDCWD, words[2], &bytes, &error) < 0)
            return report_error(kind_of(error.code), &error);
        report_begin("result");
        report_number("bytes", bytes);
        report_end();
        return 0;
    }
    if (count == 4 && strcmp(words[1], "copy") == 0)
        return run_copy(words[2], words[3]);
    if (count > 2 && strcmp(words[1], "files") == 0)
        return files_run(count - 2, words + 2);
    if (count > 3 && strcmp(words[1], "layers") == 0)
        return layers_run(count - 2, words + 2);
    if (count < 2 || strcmp(words[1], "layer") != 0 || options_parse(count - 1, words + 1, &options) < 0) {
        fputs("usage: unpack layer (--root DIR | --no-root) [--keep FILE [--resume BYTES]] [--apply] [--shift UID] "
              "[--max-bytes N] [--max-entries N] [--plain] [--into PATH] [--pack SOURCE ...]\n       unpack remove DIR\n       unpack usage DIR\n       unpack copy DIR TO\n       unpack files ...\n       unpack layers ...\n",
              stderr);
        return 2;
    }
    return run_layer(&options);
}

static int run_copy(const char *from, const char *to) {
    struct error error = {0};
    struct copied copied = {0};
    if (copy_folder(from, to, &copied, tell_copied, &error) < 0)
        return report_error(kind_of(error.code), &error);
    print_copied("result", &copied);
    return 0;
}

static void tell_copied(const struct copied *copied) {
    static struct timespec told;
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC_COARSE, &now);
    if ((now.tv_sec - told.tv_sec) * 1000 + (now.tv_nsec - told.tv_nsec) / 1000000 < progress_ms)
        return;
    told = now;
    print_copied("progress", copied);
}

static void print_copied(const char *what, const struct copied *copied) {
    report_begin(what);
    report_number("files", copied->files);
    report_number("bytes", copied->bytes);
    report_number("sharedBytes", copied->shared_bytes);
    report_end();
}

static int run_layer(const struct options *options) {
    struct error error = {0};
    if (options->packer.source != NULL && options->packer.list) {
        struct packer packer = options->packer;
        setvbuf(stdout, NULL, _IOFBF, 64 * 1024);
        pack_run(&packer);
        return packer.failed ? report_error(kind_of(packer.error.code), &packer.error) : report_done();
    }
    const char *kind = NULL;
    return job_run(options, &kind, &error) < 0 ? report_error(kind, &error) : 0;
}
