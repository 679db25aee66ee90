#include "disks.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>

/* Superblock of erofs: Documentation/filesystems/erofs.rst and fs/erofs/erofs_fs.h. */
#define EROFS_OFFSET 1024
#define EROFS_UUID_OFFSET (EROFS_OFFSET + 48)
#define USTAR_MAGIC_OFFSET 257
#define PROBE_SIZE 1536

static const unsigned char erofs_magic[4] = {0xe2, 0xe1, 0xf5, 0xe0};

/* The file system UUIDs vm/image/recipe.ts gives its images: "wherry" + "system"/"payload" in ASCII. */
static const unsigned char system_uuid[16] = "wherry\x40\x00\x80\x00system";
static const unsigned char payload_uuid[16] = "wherry\x40\x00\x80\x00payloa";

static const char *const role_names[DISK_ROLE_COUNT] = {"system", "data", "seed", "payload"};

const char *disk_role_name(enum disk_role role) {
  return role_names[role];
}

static int role_by_serial(const char *name, enum disk_role *role) {
  static const char prefix[] = "wherry-";
  char path[300];
  char serial[64];
  struct failure err;

  snprintf(path, sizeof(path), "/sys/block/%s/serial", name);
  if (read_text(path, serial, sizeof(serial), &err) < 0) return -1;
  if (strncmp(serial, prefix, sizeof(prefix) - 1) != 0) return -1;
  for (int index = 0; index < DISK_ROLE_COUNT; index++) {
    if (strcmp(serial + sizeof(prefix) - 1, role_names[index]) == 0) {
      *role = (enum disk_role)index;
      return 0;
    }
  }
  return -1;
}

static enum disk_role role_by_content(const unsigned char *start) {
  if (memcmp(start + EROFS_OFFSET, erofs_magic, sizeof(erofs_magic)) == 0) {
    if (memcmp(start + EROFS_UUID_OFFSET, system_uuid, sizeof(system_uuid)) == 0) return DISK_SYSTEM;
    if (memcmp(start + EROFS_UUID_OFFSET, payload_uuid, sizeof(payload_uuid)) == 0) return DISK_PAYLOAD;
  }
  if (memcmp(start + USTAR_MAGIC_OFFSET, "ustar", 5) == 0) return DISK_SEED;
  return DISK_DATA;
}

static int probe_content(const char *device, enum disk_role *role) {
  unsigned char start[PROBE_SIZE];
  cleanup_fd int fd = open(device, O_RDONLY | O_CLOEXEC);

  if (fd < 0) return -1;
  if (pread(fd, start, sizeof(start), 0) != (ssize_t)sizeof(start)) return -1;
  *role = role_by_content(start);
  return 0;
}

static int is_disk_name(const char *name) {
  return strncmp(name, "vd", 2) == 0 || strncmp(name, "sd", 2) == 0 || strncmp(name, "nvme", 4) == 0;
}

void find_disks(struct disks *found) {
  cleanup_dir DIR *block = opendir("/sys/block");
  const struct dirent *entry;

  memset(found, 0, sizeof(*found));
  if (block == NULL) return;
  while ((entry = readdir(block)) != NULL) {
    char device[64];
    enum disk_role role;

    if (!is_disk_name(entry->d_name) || strlen(entry->d_name) > 32) continue;
    snprintf(device, sizeof(device), "/dev/%.32s", entry->d_name);
    if (role_by_serial(entry->d_name, &role) < 0 && probe_content(device, &role) < 0) continue;
    if (found->path[role][0] == '\0') memcpy(found->path[role], device, sizeof(device));
  }
}

int link_disks(const struct disks *found, struct failure *err) {
  if (make_folder("/dev/disk", 0755, err) < 0 || make_folder("/dev/disk/wherry", 0755, err) < 0) return -1;
  for (int role = 0; role < DISK_ROLE_COUNT; role++) {
    char link[64];

    if (found->path[role][0] == '\0') continue;
    snprintf(link, sizeof(link), "/dev/disk/wherry/%s", role_names[role]);
    if (symlink(found->path[role], link) < 0 && errno != EEXIST) return fail(err, "link %s", link);
  }
  return 0;
}
