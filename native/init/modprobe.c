/*
 * modprobe for the kernel's own requests (request_module) and for people: `modprobe NAME...`.
 *
 * busybox's takes a module that /proc/modules lists for loaded, although it may still be initialising; the kernel then
 * goes on before, say, the file system is registered, and a mount fails with ENODEV. This one always asks the kernel,
 * which waits.
 */
#include <errno.h>
#include <fnmatch.h>
#include <string.h>
#include <sys/utsname.h>

#include "base.h"
#include "modules.h"

#define NAME_LIMIT 256
#define LINE_LIMIT 4096

/* The kernel takes '-' and '_' in names for the same; module files use either. */
static void normalise(char *name) {
  for (; *name != '\0'; name++) {
    if (*name == '-') *name = '_';
  }
}

/* "kernel/net/foo-bar.ko" -> "foo_bar" */
static void name_of_file(const char *file, char *name, size_t size) {
  const char *slash = strrchr(file, '/');

  snprintf(name, size, "%s", slash != NULL ? slash + 1 : file);
  char *suffix = strstr(name, ".ko");
  if (suffix != NULL) *suffix = '\0';
  normalise(name);
}

static FILE *open_table(const char *folder, const char *table) {
  char path[NAME_LIMIT];

  snprintf(path, sizeof(path), "%.128s/%s", folder, table);
  return fopen(path, "re");
}

/* Loads what one line of modules.dep says: what the module depends on, last first, then the module. */
static int load_line(const char *folder, char *line, struct failure *err) {
  char *files[64];
  size_t count = 0;
  char *state = NULL;

  for (char *file = strtok_r(line, ": \n", &state); file != NULL; file = strtok_r(NULL, ": \n", &state)) {
    errno = 0;
    if (count == sizeof(files) / sizeof(files[0])) return fail(err, "%s depends on too many modules", files[0]);
    files[count++] = file;
  }
  while (count > 0) {
    char path[NAME_LIMIT * 2];

    snprintf(path, sizeof(path), "%s/%s", folder, files[--count]);
    if (load_module(path, err) < 0) return -1;
  }
  return 0;
}

/* Returns 1 when a module of that name was found (and loaded), 0 when there is none. */
static int load_by_name(const char *folder, const char *wanted, struct failure *err) {
  char line[LINE_LIMIT];

  cleanup_file FILE *table = open_table(folder, "modules.dep");
  if (table == NULL) return fail(err, "open %s/modules.dep", folder);
  while (fgets(line, sizeof(line), table) != NULL) {
    char name[NAME_LIMIT];

    snprintf(name, sizeof(name), "%.*s", (int)strcspn(line, ":"), line);
    name_of_file(name, name, sizeof(name));
    if (strcmp(name, wanted) == 0) return load_line(folder, line, err) < 0 ? -1 : 1;
  }
  return 0;
}

/* Loads every module with an alias that matches; returns how many. */
static int load_by_alias(const char *folder, const char *wanted, struct failure *err) {
  char line[LINE_LIMIT];
  int loaded = 0;

  cleanup_file FILE *table = open_table(folder, "modules.alias");
  if (table == NULL) return fail(err, "open %s/modules.alias", folder);
  while (fgets(line, sizeof(line), table) != NULL) {
    char pattern[NAME_LIMIT];
    char name[NAME_LIMIT];

    if (sscanf(line, "alias %255s %255s", pattern, name) != 2) continue;
    normalise(pattern);
    normalise(name);
    if (fnmatch(pattern, wanted, 0) != 0) continue;
    int found = load_by_name(folder, name, err);
    if (found < 0) return -1;
    loaded += found;
  }
  return loaded;
}

/* Returns 1 when the kernel has the module built in. */
static int is_builtin(const char *folder, const char *wanted) {
  char line[LINE_LIMIT];

  cleanup_file FILE *table = open_table(folder, "modules.builtin");
  if (table == NULL) return 0;
  while (fgets(line, sizeof(line), table) != NULL) {
    char name[NAME_LIMIT];

    name_of_file(line, name, sizeof(name));
    if (strcmp(name, wanted) == 0) return 1;
  }
  return 0;
}

static int load(const char *folder, const char *asked, struct failure *err) {
  char wanted[NAME_LIMIT];

  snprintf(wanted, sizeof(wanted), "%s", asked);
  normalise(wanted);
  int found = load_by_name(folder, wanted, err);
  if (found == 0) found = load_by_alias(folder, wanted, err);
  if (found != 0) return found < 0 ? -1 : 0;
  if (is_builtin(folder, wanted)) return 0;
  errno = 0;
  return fail(err, "module %s not found in %s", asked, folder);
}

int main(int argc, char **argv) {
  char folder[NAME_LIMIT];
  struct utsname system;
  int quiet = 0;
  int code = 0;

  if (uname(&system) < 0) return 1;
  snprintf(folder, sizeof(folder), "/usr/lib/modules/%.64s", system.release);
  for (int index = 1; index < argc; index++) {
    struct failure err;

    /* The kernel calls "modprobe -q -- NAME"; other options have no meaning here. */
    if (argv[index][0] == '-') {
      quiet |= strcmp(argv[index], "-q") == 0;
    } else if (load(folder, argv[index], &err) < 0) {
      if (!quiet) fprintf(stderr, "modprobe: %s\n", err.message);
      code = 1;
    }
  }
  return code;
}
