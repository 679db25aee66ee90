#include "modules.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/syscall.h>

/* Of a module that by itself makes a link that nobody asked for. */
static const char *parameters_of(const char *path) {
  const char *slash = strrchr(path, '/');

  return strncmp(slash != NULL ? slash + 1 : path, "dummy.ko", 8) == 0 ? "numdummies=0" : "";
}

int load_module(const char *path, struct failure *err) {
  cleanup_fd int fd = open(path, O_RDONLY | O_CLOEXEC);

  if (fd < 0) return fail(err, "open module %s", path);
  /* ENODEV: a driver for hardware this machine lacks. */
  if (syscall(SYS_finit_module, fd, parameters_of(path), 0) < 0 && errno != EEXIST && errno != ENODEV) {
    return fail(err, "load module %s", path);
  }
  return 0;
}

int load_modules(const char *list_path, struct failure *err) {
  cleanup_file FILE *list = fopen(list_path, "re");
  char line[256];

  if (list == NULL) return fail(err, "open module list %s", list_path);
  while (fgets(line, sizeof(line), list) != NULL) {
    struct failure module_err;

    line[strcspn(line, "\n")] = '\0';
    if (line[0] != '\0' && load_module(line, &module_err) < 0) warn_failure(&module_err);
  }
  return 0;
}
