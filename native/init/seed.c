#include "seed.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>

#define BLOCK 512
#define FILE_LIMIT (1024 * 1024)

/* POSIX.1-1988 ustar header, the fields used here. */
struct header {
  char name[100];
  char mode[8];
  char uid[8];
  char gid[8];
  char size[12];
  char mtime[12];
  char checksum[8];
  char type;
  char linkname[100];
  char magic[6];
  char version[2];
  char uname[32];
  char gname[32];
  char devmajor[8];
  char devminor[8];
  char prefix[155];
  char pad[12];
};
_Static_assert(sizeof(struct header) == BLOCK, "a tar header is one block");

static unsigned long parse_octal(const char *field, size_t length) {
  unsigned long value = 0;

  for (size_t index = 0; index < length && field[index] != '\0'; index++) {
    if (field[index] >= '0' && field[index] <= '7') value = value * 8 + (unsigned long)(field[index] - '0');
  }
  return value;
}

static int checksum_matches(const struct header *header) {
  const unsigned char *bytes = (const unsigned char *)header;
  unsigned long sum = 0;

  for (size_t index = 0; index < BLOCK; index++) {
    int in_checksum = index >= offsetof(struct header, checksum) && index < offsetof(struct header, type);
    sum += in_checksum ? ' ' : bytes[index];
  }
  return sum == parse_octal(header->checksum, sizeof(header->checksum));
}

static int is_safe_name(const char *name) {
  if (name[0] == '\0' || name[0] == '/') return 0;
  for (const char *part = name; part != NULL; part = strchr(part, '/')) {
    if (*part == '/') part++;
    size_t length = strcspn(part, "/");
    if (length == 2 && part[0] == '.' && part[1] == '.') return 0;
  }
  return 1;
}

static void entry_name(const struct header *header, char *name, size_t size) {
  if (header->prefix[0] != '\0') {
    snprintf(name, size, "%.155s/%.100s", header->prefix, header->name);
  } else {
    snprintf(name, size, "%.100s", header->name);
  }
}

static int make_parents(const char *folder, const char *name, struct failure *err) {
  char path[512];

  for (const char *slash = strchr(name, '/'); slash != NULL; slash = strchr(slash + 1, '/')) {
    snprintf(path, sizeof(path), "%s/%.*s", folder, (int)(slash - name), name);
    if (make_folder(path, 0700, err) < 0) return -1;
  }
  return 0;
}

static int read_exactly(int fd, void *bytes, size_t length, struct failure *err) {
  char *at = bytes;

  while (length > 0) {
    ssize_t count = read(fd, at, length);
    if (count < 0 && errno == EINTR) continue;
    if (count == 0) errno = ENODATA;
    if (count <= 0) return fail(err, "read the seed disk");
    at += count;
    length -= (size_t)count;
  }
  return 0;
}

static int unpack_file(int fd, const struct header *header, const char *folder, const char *name, struct failure *err) {
  size_t size = parse_octal(header->size, sizeof(header->size));
  size_t padded = (size + BLOCK - 1) / BLOCK * BLOCK;
  char path[512];

  errno = 0;
  if (size > FILE_LIMIT) return fail(err, "seed entry %s is larger than %d bytes", name, FILE_LIMIT);
  cleanup_memory char *content = malloc(padded + 1);
  if (content == NULL) return fail(err, "allocate %zu bytes", padded);
  if (read_exactly(fd, content, padded, err) < 0) return -1;
  if (header->type == 'x' || header->type == 'g') return 0;
  if (!is_safe_name(name)) return fail(err, "seed entry '%s' leaves the seed folder", name);
  if (make_parents(folder, name, err) < 0) return -1;
  snprintf(path, sizeof(path), "%s/%s", folder, name);
  if (header->type == '5') {
    size_t length = strlen(path);
    if (path[length - 1] == '/') path[length - 1] = '\0';
    return make_folder(path, 0700, err);
  }
  if (header->type != '0' && header->type != '\0') return fail(err, "seed entry %s is of type '%c'", name, header->type);
  return create_file(path, content, size, 0600, err);
}

int unpack_seed(const char *device, const char *folder, struct failure *err) {
  cleanup_fd int fd = open(device, O_RDONLY | O_CLOEXEC);

  if (fd < 0) return fail(err, "open seed disk %s", device);
  for (;;) {
    struct header header;
    char name[300];

    if (read_exactly(fd, &header, sizeof(header), err) < 0) return -1;
    if (header.name[0] == '\0') return 0;
    errno = 0;
    if (memcmp(header.magic, "ustar", 5) != 0 || !checksum_matches(&header)) {
      return fail(err, "seed disk %s holds no valid tar archive", device);
    }
    entry_name(&header, name, sizeof(name));
    if (unpack_file(fd, &header, folder, name, err) < 0) return -1;
  }
}

/* 'it'\''s' -> it's; a value without quotes is taken as it is. */
static void unquote(const char *quoted, char *value, size_t size) {
  size_t used = 0;
  int inside = 0;

  for (const char *at = quoted; *at != '\0' && used + 1 < size; at++) {
    if (*at == '\'') {
      inside = !inside;
    } else if (*at == '\\' && !inside && at[1] != '\0') {
      value[used++] = *++at;
    } else {
      value[used++] = *at;
    }
  }
  value[used] = '\0';
}

int read_seed_env(const char *path, struct seed *seed, struct failure *err) {
  const struct {
    const char *key;
    char *value;
    size_t size;
  } fields[] = {
      {"WHERRY_HOSTNAME", seed->hostname, sizeof(seed->hostname)},
      {"WHERRY_CLOCK_MS", seed->clock_ms, sizeof(seed->clock_ms)},
      {"WHERRY_NET_MODE", seed->net_mode, sizeof(seed->net_mode)},
      {"WHERRY_NET_ADDRESS", seed->net_address, sizeof(seed->net_address)},
      {"WHERRY_NET_GATEWAY", seed->net_gateway, sizeof(seed->net_gateway)},
      {"WHERRY_NET_DNS", seed->net_dns, sizeof(seed->net_dns)},
  };
  cleanup_file FILE *file = fopen(path, "re");
  char line[512];

  if (file == NULL) return fail(err, "open %s", path);
  while (fgets(line, sizeof(line), file) != NULL) {
    line[strcspn(line, "\r\n")] = '\0';
    char *equals = strchr(line, '=');
    if (equals == NULL) continue;
    *equals = '\0';
    for (size_t index = 0; index < sizeof(fields) / sizeof(fields[0]); index++) {
      if (strcmp(line, fields[index].key) == 0) unquote(equals + 1, fields[index].value, fields[index].size);
    }
  }
  return 0;
}
