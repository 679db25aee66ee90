#include "base.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <string.h>
#include <sys/stat.h>

int fail(struct failure *err, const char *format, ...) {
  int code = errno;
  va_list args;

  va_start(args, format);
  int used = vsnprintf(err->message, sizeof(err->message), format, args);
  va_end(args);
  err->code = code;
  if (code != 0 && used >= 0 && (size_t)used < sizeof(err->message)) {
    snprintf(err->message + used, sizeof(err->message) - (size_t)used, ": %s", strerror(code));
  }
  return -1;
}

int fail_in(struct failure *err, const char *format, ...) {
  char inner[sizeof(err->message)];
  va_list args;

  memcpy(inner, err->message, sizeof(inner));
  va_start(args, format);
  int used = vsnprintf(err->message, sizeof(err->message), format, args);
  va_end(args);
  if (used >= 0 && (size_t)used < sizeof(err->message)) {
    size_t room = sizeof(err->message) - (size_t)used;
    snprintf(err->message + used, room, ": %.*s", (int)room, inner);
  }
  return -1;
}

void say(const char *format, ...) {
  char line[512] = "wherry: ";
  size_t used = strlen(line);
  va_list args;

  va_start(args, format);
  int added = vsnprintf(line + used, sizeof(line) - used - 1, format, args);
  va_end(args);
  if (added < 0) return;
  used = strlen(line);
  line[used] = '\n';
  /* A console that cannot be written to leaves nobody to tell. */
  ssize_t ignored = write(STDOUT_FILENO, line, used + 1);
  (void)ignored;
}

void warn_failure(const struct failure *err) {
  say("warning: %s", err->message);
}

static int write_all(int fd, const void *bytes, size_t length) {
  const char *at = bytes;

  while (length > 0) {
    ssize_t count = write(fd, at, length);
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) return -1;
    at += count;
    length -= (size_t)count;
  }
  return 0;
}

int write_text(const char *path, const char *text, struct failure *err) {
  cleanup_fd int fd = open(path, O_WRONLY | O_CLOEXEC);

  if (fd < 0) return fail(err, "open %s", path);
  if (write_all(fd, text, strlen(text)) < 0) return fail(err, "write '%s' to %s", text, path);
  return 0;
}

int create_file(const char *path, const void *bytes, size_t length, unsigned mode, struct failure *err) {
  cleanup_fd int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, mode);

  if (fd < 0) return fail(err, "create %s", path);
  if (write_all(fd, bytes, length) < 0) return fail(err, "write %s", path);
  return 0;
}

int read_text(const char *path, char *text, size_t size, struct failure *err) {
  cleanup_fd int fd = open(path, O_RDONLY | O_CLOEXEC);

  if (fd < 0) return fail(err, "open %s", path);
  ssize_t count = read(fd, text, size - 1);
  if (count < 0) return fail(err, "read %s", path);
  while (count > 0 && strchr(" \t\r\n", text[count - 1]) != NULL) count--;
  text[count] = '\0';
  return 0;
}

int make_folder(const char *path, unsigned mode, struct failure *err) {
  if (mkdir(path, mode) < 0 && errno != EEXIST) return fail(err, "make folder %s", path);
  return 0;
}
