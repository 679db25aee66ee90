#include "mounts.h"

#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <mntent.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>

#define NEW_ROOT "/newroot"
#define MOUNT_LIMIT 4096

struct mount_entry {
  const char *source, *target, *type;
  unsigned long flags;
  const char *options;
};

#define PLAIN (MS_NOSUID | MS_NODEV | MS_NOEXEC)

static const struct mount_entry early_mounts[] = {
    {"proc", "/proc", "proc", PLAIN, NULL},
    {"sysfs", "/sys", "sysfs", PLAIN, NULL},
    {"devtmpfs", "/dev", "devtmpfs", MS_NOSUID, "mode=0755"},
};

static const struct mount_entry late_mounts[] = {
    {"tmpfs", "/run", "tmpfs", MS_NOSUID | MS_NODEV, "mode=0755"},
    {"tmpfs", "/tmp", "tmpfs", MS_NOSUID | MS_NODEV, "mode=1777"},
    {"tmpfs", "/var", "tmpfs", MS_NOSUID | MS_NODEV, "mode=0755"},
    {"tmpfs", "/root", "tmpfs", MS_NOSUID | MS_NODEV, "mode=0700"},
    {"devpts", "/dev/pts", "devpts", MS_NOSUID | MS_NOEXEC, "mode=0620,gid=5,ptmxmode=0666"},
    {"tmpfs", "/dev/shm", "tmpfs", MS_NOSUID | MS_NODEV, "mode=1777"},
    {"mqueue", "/dev/mqueue", "mqueue", PLAIN, NULL},
    {"bpf", "/sys/fs/bpf", "bpf", PLAIN, "mode=0700"},
    {"cgroup2", "/sys/fs/cgroup", "cgroup2", PLAIN, "nsdelegate"},
};

static const char *const late_folders[] = {
    "/run/wherry", "/run/lock", "/var/lib", "/var/lib/wherry", "/var/log", "/var/tmp", "/var/cache",
};

static int mount_entries(const struct mount_entry *entries, size_t count, struct failure *err) {
  for (size_t index = 0; index < count; index++) {
    const struct mount_entry *entry = &entries[index];

    /* The mount points are in the image, except those inside other mounts; a read-only parent refuses harmlessly. */
    if (mkdir(entry->target, 0755) < 0 && errno != EEXIST && errno != EROFS && errno != EPERM) {
      return fail(err, "make folder %s", entry->target);
    }
    if (mount(entry->source, entry->target, entry->type, entry->flags, entry->options) < 0 && errno != EBUSY) {
      return fail(err, "mount %s on %s", entry->type, entry->target);
    }
  }
  return 0;
}

int mount_early(struct failure *err) {
  return mount_entries(early_mounts, sizeof(early_mounts) / sizeof(early_mounts[0]), err);
}

static int remove_entry(const char *path, const struct stat *status, int type, struct FTW *walk) {
  (void)status;
  (void)walk;
  return type == FTW_DP ? rmdir(path) : unlink(path);
}

int enter_system(const char *device, struct failure *err) {
  static const char *const moved[] = {"/proc", "/sys", "/dev"};

  if (make_folder(NEW_ROOT, 0755, err) < 0) return -1;
  if (mount(device, NEW_ROOT, "erofs", MS_RDONLY | MS_NODEV, NULL) < 0) return fail(err, "mount %s as erofs", device);
  for (size_t index = 0; index < sizeof(moved) / sizeof(moved[0]); index++) {
    char target[64];

    snprintf(target, sizeof(target), "%s%s", NEW_ROOT, moved[index]);
    if (mount(moved[index], target, NULL, MS_MOVE, NULL) < 0) return fail(err, "move %s", moved[index]);
  }
  /* The initramfs stays in memory until its files are gone; that it could not be freed does not matter to the boot. */
  nftw("/lib", remove_entry, 8, FTW_DEPTH | FTW_PHYS | FTW_MOUNT);
  unlink("/init");
  if (chdir(NEW_ROOT) < 0 || mount(".", "/", NULL, MS_MOVE, NULL) < 0 || chroot(".") < 0 || chdir("/") < 0) {
    return fail(err, "make %s the root", device);
  }
  return 0;
}

int mount_late(struct failure *err) {
  /* Containers and their mounts are cut off from the guest's by making everything private first. */
  if (mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0) return fail(err, "make the root private");
  if (mount_entries(late_mounts, sizeof(late_mounts) / sizeof(late_mounts[0]), err) < 0) return -1;
  for (size_t index = 0; index < sizeof(late_folders) / sizeof(late_folders[0]); index++) {
    if (make_folder(late_folders[index], 0755, err) < 0) return -1;
  }
  if (symlink("/run", "/var/run") < 0 && errno != EEXIST) return fail(err, "link /var/run");
  if (chmod("/var/tmp", 01777) < 0) return fail(err, "open /var/tmp to all");
  return 0;
}

static int enable_controllers(const char *folder, struct failure *err) {
  char path[128];
  char controllers[256];
  char *state = NULL;

  snprintf(path, sizeof(path), "%s/cgroup.controllers", folder);
  if (read_text(path, controllers, sizeof(controllers), err) < 0) return -1;
  snprintf(path, sizeof(path), "%s/cgroup.subtree_control", folder);
  for (char *name = strtok_r(controllers, " ", &state); name != NULL; name = strtok_r(NULL, " ", &state)) {
    char change[64];
    struct failure one_err;

    snprintf(change, sizeof(change), "+%s", name);
    if (write_text(path, change, &one_err) < 0) warn_failure(&one_err);
  }
  return 0;
}

int set_up_cgroups(struct failure *err) {
  if (enable_controllers("/sys/fs/cgroup", err) < 0) return -1;
  if (make_folder(AGENT_CGROUP, 0755, err) < 0 || make_folder(CONTAINERS_CGROUP, 0755, err) < 0) return -1;
  return enable_controllers(CONTAINERS_CGROUP, err);
}

static size_t list_mounts(char **targets, size_t limit) {
  cleanup_file FILE *table = setmntent("/proc/self/mounts", "re");
  const struct mntent *entry;
  size_t count = 0;

  if (table == NULL) return 0;
  while (count < limit && (entry = getmntent(table)) != NULL) {
    char *target = strdup(entry->mnt_dir);
    if (target != NULL) targets[count++] = target;
  }
  return count;
}

static int is_kept(const char *target) {
  return strcmp(target, "/") == 0 || strcmp(target, "/dev") == 0 || strcmp(target, "/proc") == 0;
}

void unmount_all(void) {
  cleanup_memory char **targets = calloc(MOUNT_LIMIT, sizeof(*targets));
  size_t count = targets != NULL ? list_mounts(targets, MOUNT_LIMIT) : 0;

  while (count > 0) {
    cleanup_memory char *target = targets[--count];

    if (is_kept(target) || umount2(target, UMOUNT_NOFOLLOW) == 0) continue;
    mount(NULL, target, NULL, MS_REMOUNT | MS_RDONLY, NULL);
  }
}
