/*
 * What every file of the guest's init shares: the error convention, owned values that release themselves, and logging.
 *
 * Error convention: a function that can fail takes `struct failure *err` last and returns 0, or -1 with *err filled in.
 * A caller either passes the failure up (adding what it attempted with fail_in) or reports it with warn_failure.
 */
#ifndef WHERRY_INIT_BASE_H
#define WHERRY_INIT_BASE_H

#include <dirent.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

struct failure {
  int code; /* an errno value, or 0 where no system call failed */
  char message[320];
};

/* Records "<formatted>: <strerror(errno)>" (without the latter when errno is 0) and returns -1. */
int fail(struct failure *err, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* Puts "<formatted>: " before the message already in *err and returns -1. */
int fail_in(struct failure *err, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* One line on the console, prefixed "wherry: ". */
void say(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* Reports a failure the boot survives. */
void warn_failure(const struct failure *err);

static inline void release_memory(void *pointer) {
  free(*(void **)pointer);
}

static inline void release_fd(const int *fd) {
  if (*fd >= 0) close(*fd);
}

static inline void release_file(FILE **file) {
  if (*file != NULL) fclose(*file);
}

static inline void release_dir(DIR **dir) {
  if (*dir != NULL) closedir(*dir);
}

#define cleanup_memory __attribute__((cleanup(release_memory)))
#define cleanup_fd __attribute__((cleanup(release_fd)))
#define cleanup_file __attribute__((cleanup(release_file)))
#define cleanup_dir __attribute__((cleanup(release_dir)))

/* Writes text to an existing file (sysctl, cgroup and other kernel files). */
int write_text(const char *path, const char *text, struct failure *err);

/* Creates or replaces a small file. */
int create_file(const char *path, const void *bytes, size_t length, unsigned mode, struct failure *err);

/* Reads at most size-1 bytes, ends them with NUL and cuts trailing white space. */
int read_text(const char *path, char *text, size_t size, struct failure *err);

/* mkdir that accepts an existing folder. */
int make_folder(const char *path, unsigned mode, struct failure *err);

#endif
