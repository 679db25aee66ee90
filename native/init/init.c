/*
 * PID 1 of the guest, from the kernel's hand-over in the initramfs to power-off. It is one program for both, so that
 * the way from initramfs to system costs no exec and no fork.
 *
 *   initramfs: modules for the disks -> find the system disk -> make it the root
 *   system:    mounts, cgroups -> seed -> clock, host name, sysctls -> network -> agent, supervised -> down
 */
#include <errno.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/reboot.h>
#include <sys/time.h>
#include <time.h>

#include "base.h"
#include "disks.h"
#include "modules.h"
#include "mounts.h"
#include "network.h"
#include "seed.h"
#include "service.h"

#define MODULE_LISTS "/usr/lib/wherry-boot"
#define PAYLOAD_FOLDER "/payload"
#define AGENT_FOLDER "/usr/lib/wherry"
#define DISK_WAIT_MS 10000
#define CLOCK_BEHIND_MS 2000
/* The seed is written just before the boot: a clock far ahead of it is wrong, a little ahead is the boot itself. */
#define CLOCK_AHEAD_MS 600000

struct options {
  int payload; /* wherry.payload=run */
  int dev;     /* wherry.dev=1 */
};

static struct options read_options(void) {
  char text[4096];
  char *state = NULL;
  struct failure err;
  struct options options = {0};

  if (read_text("/proc/cmdline", text, sizeof(text), &err) < 0) {
    warn_failure(&err);
    return options;
  }
  for (char *word = strtok_r(text, " ", &state); word != NULL; word = strtok_r(NULL, " ", &state)) {
    if (strcmp(word, "wherry.payload=run") == 0) options.payload = 1;
    if (strcmp(word, "wherry.dev=1") == 0) options.dev = 1;
  }
  return options;
}

/* "virtio" or "hyperv": which drivers this machine's devices take. */
static const char *find_platform(void) {
  char vendor[64];
  struct failure err;

  if (read_text("/sys/class/dmi/id/sys_vendor", vendor, sizeof(vendor), &err) < 0) return "virtio";
  return strcmp(vendor, "Microsoft Corporation") == 0 ? "hyperv" : "virtio";
}

static int wait_for_system(struct disks *disks, struct failure *err) {
  const struct timespec step = {.tv_nsec = 10 * 1000 * 1000};

  for (int waited_ms = 0; waited_ms < DISK_WAIT_MS; waited_ms += 10) {
    find_disks(disks);
    if (disks->path[DISK_SYSTEM][0] != '\0') return 0;
    nanosleep(&step, NULL);
  }
  errno = 0;
  return fail(err, "no disk with serial wherry-system, and none that holds the system image");
}

static int leave_initramfs(struct disks *disks, struct failure *err) {
  char list[64];

  if (mount_early(err) < 0) return -1;
  snprintf(list, sizeof(list), "/lib/modules-%s", find_platform());
  if (load_modules(list, err) < 0) return -1;
  if (wait_for_system(disks, err) < 0) return -1;
  return enter_system(disks->path[DISK_SYSTEM], err);
}

static void set_clock(const char *clock_ms) {
  long long wanted = strtoll(clock_ms, NULL, 10);
  struct timeval now;

  if (wanted <= 0) return;
  gettimeofday(&now, NULL);
  long long actual = (long long)now.tv_sec * 1000 + now.tv_usec / 1000;
  if (actual >= wanted - CLOCK_BEHIND_MS && actual <= wanted + CLOCK_AHEAD_MS) return;
  now = (struct timeval){.tv_sec = wanted / 1000, .tv_usec = wanted % 1000 * 1000};
  if (settimeofday(&now, NULL) < 0) {
    struct failure err;
    fail(&err, "set the clock");
    warn_failure(&err);
  }
}

static void set_name(const char *hostname) {
  const char *name = hostname[0] != '\0' ? hostname : "wherry";
  char hosts[256];
  struct failure err;

  if (sethostname(name, strlen(name)) < 0) {
    fail(&err, "set the host name to %s", name);
    warn_failure(&err);
  }
  snprintf(hosts, sizeof(hosts), "127.0.0.1 localhost %s\n::1 localhost ip6-localhost\n", name);
  if (create_file("/run/wherry/hosts", hosts, strlen(hosts), 0644, &err) < 0) warn_failure(&err);
  if (create_file("/run/wherry/hostname", name, strlen(name), 0644, &err) < 0) warn_failure(&err);
}

static void set_sysctls(void) {
  static const char *const values[][2] = {
      {"net/ipv4/ip_forward", "1"},
      {"net/ipv4/conf/all/rp_filter", "2"},
      {"net/ipv4/conf/default/rp_filter", "2"},
      {"net/ipv4/conf/all/route_localnet", "1"},
      {"net/ipv4/ip_unprivileged_port_start", "0"},
      {"net/ipv4/ping_group_range", "0 2147483647"},
      {"net/ipv6/conf/all/forwarding", "1"},
      {"net/core/somaxconn", "4096"},
      {"fs/file-max", "1048576"},
      {"fs/inotify/max_user_instances", "8192"},
      {"fs/inotify/max_user_watches", "1048576"},
      {"fs/pipe-user-pages-soft", "0"},
      {"kernel/pid_max", "4194304"},
      {"kernel/keys/maxkeys", "20000"},
      {"kernel/keys/maxbytes", "2000000"},
      {"kernel/panic", "-1"},
      {"user/max_user_namespaces", "65536"},
      {"vm/max_map_count", "262144"},
      {"vm/overcommit_memory", "1"},
  };

  for (size_t index = 0; index < sizeof(values) / sizeof(values[0]); index++) {
    char path[128];
    struct failure err;

    snprintf(path, sizeof(path), "/proc/sys/%s", values[index][0]);
    if (write_text(path, values[index][1], &err) < 0) warn_failure(&err);
  }
}

static void apply_seed(const struct disks *disks, struct seed *seed) {
  const char *device = disks->path[DISK_SEED];
  struct failure err;

  if (device[0] == '\0') {
    say("warning: no seed disk");
  } else if (make_folder(SEED_FOLDER, 0700, &err) < 0 || unpack_seed(device, SEED_FOLDER, &err) < 0 ||
             read_seed_env(SEED_FOLDER "/seed.env", seed, &err) < 0) {
    warn_failure(&err);
  }
  set_clock(seed->clock_ms);
  set_name(seed->hostname);
}

static int mount_payload(const struct disks *disks, struct failure *err) {
  errno = 0;
  if (disks->path[DISK_PAYLOAD][0] == '\0') return fail(err, "no disk with serial wherry-payload");
  if (mount(disks->path[DISK_PAYLOAD], PAYLOAD_FOLDER, "erofs", MS_RDONLY, NULL) < 0) {
    return fail(err, "mount %s on %s", disks->path[DISK_PAYLOAD], PAYLOAD_FOLDER);
  }
  return 0;
}

static void prepare_payload(const struct disks *disks, const struct options *options) {
  struct failure err;

  if (!options->payload && !options->dev) return;
  if (mount_payload(disks, &err) < 0) {
    warn_failure(&err);
    return;
  }
  if (!options->dev || access(PAYLOAD_FOLDER "/agent", F_OK) < 0) return;
  if (mount(PAYLOAD_FOLDER "/agent", AGENT_FOLDER, NULL, MS_BIND, NULL) < 0) {
    fail(&err, "put %s/agent over %s", PAYLOAD_FOLDER, AGENT_FOLDER);
    warn_failure(&err);
  }
}

/* Loads the system disk's list of that name, in the variant for the platform if it has one. */
static void load_list(const char *name, const char *platform) {
  char path[128];
  struct failure err;

  snprintf(path, sizeof(path), "%s/modules-%s%s%s", MODULE_LISTS, name, platform[0] != '\0' ? "-" : "", platform);
  if (load_modules(path, &err) < 0) warn_failure(&err);
}

/* Modules nobody waits for load beside the agent's start. */
static void load_modules_in_background(const char *platform) {
  pid_t pid = fork();

  if (pid == 0) {
    unblock_signals();
    load_list("late", "");
    load_list("late", platform);
    _exit(0);
  }
}

static void bring_up(const struct disks *disks, const struct options *options, const char *platform) {
  struct seed seed = {0};
  struct failure err;

  if (mount_late(&err) < 0 || set_up_cgroups(&err) < 0 || link_disks(disks, &err) < 0) warn_failure(&err);
  say("stage seed");
  apply_seed(disks, &seed);
  say("stage network");
  load_list("network", platform);
  set_sysctls();
  if (set_up_network(&seed, &err) < 0) warn_failure(&err);
  prepare_payload(disks, options);
}

int main(void) {
  static const char *const agent_argv[] = {"/usr/bin/node", AGENT_FOLDER "/agent.js", NULL};
  static const char *const payload_argv[] = {"/usr/bin/sh", PAYLOAD_FOLDER "/run.sh", NULL};
  struct disks disks = {0};
  struct failure err;

  block_signals();
  reboot(RB_DISABLE_CAD);
  if (leave_initramfs(&disks, &err) < 0) {
    say("fatal: %s", err.message);
    sync();
    reboot(RB_POWER_OFF);
  }
  say("stage init");
  const struct options options = read_options();
  const char *platform = find_platform();
  bring_up(&disks, &options, platform);
  say("stage agent");
  load_modules_in_background(platform);
  const struct service service = {
      .argv = options.payload ? payload_argv : agent_argv,
      .cgroup = AGENT_CGROUP,
      .once = options.payload,
  };
  shut_down(supervise(&service));
}
