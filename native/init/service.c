#include "service.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/input.h>
#include <poll.h>
#include <signal.h>
#include <stdint.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/reboot.h>
#include <sys/signalfd.h>
#include <sys/timerfd.h>
#include <sys/wait.h>
#include <time.h>

#include "mounts.h"

#define RESPAWN_FIRST_MS 250
#define RESPAWN_LIMIT_MS 5000
#define STABLE_AFTER_MS 10000
#define SERVICE_GRACE_MS 15000
#define REST_GRACE_MS 2000
#define OOM_SCORE "-500"
#define BUTTON_LIMIT 8

static pid_t service_pid = -1;

static void handled_signals(sigset_t *set) {
  static const int signals[] = {SIGCHLD, SIGTERM, SIGUSR1, SIGUSR2, SIGINT, SIGHUP, SIGPWR};

  sigemptyset(set);
  for (size_t index = 0; index < sizeof(signals) / sizeof(signals[0]); index++) sigaddset(set, signals[index]);
}

void block_signals(void) {
  sigset_t set;

  handled_signals(&set);
  sigprocmask(SIG_BLOCK, &set, NULL);
}

void unblock_signals(void) {
  sigset_t set;

  handled_signals(&set);
  sigprocmask(SIG_UNBLOCK, &set, NULL);
}

static int64_t now_ms(void) {
  struct timespec now;

  clock_gettime(CLOCK_MONOTONIC, &now);
  return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static void enter_cgroup(const char *folder) {
  char path[128];
  struct failure err;

  snprintf(path, sizeof(path), "%s/cgroup.procs", folder);
  if (write_text(path, "0", &err) < 0) warn_failure(&err);
  if (write_text("/proc/self/oom_score_adj", OOM_SCORE, &err) < 0) warn_failure(&err);
}

static pid_t start(const struct service *service) {
  static const char *const environment[] = {
      "PATH=/usr/lib/wherry:/usr/sbin:/usr/bin:/sbin:/bin",
      "HOME=/root",
      "LANG=C.UTF-8",
      "TERM=linux",
      "SSL_CERT_FILE=/etc/ssl/certs/ca-certificates.crt",
      NULL,
  };
  pid_t pid = fork();

  if (pid != 0) return pid;
  setsid();
  unblock_signals();
  if (service->cgroup != NULL) enter_cgroup(service->cgroup);
  execve(service->argv[0], (char *const *)(uintptr_t)service->argv, (char *const *)(uintptr_t)environment);
  struct failure err;
  fail(&err, "start %s", service->argv[0]);
  warn_failure(&err);
  _exit(127);
}

static int exit_code(int status) {
  return WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
}

/* Collects every child that has ended; returns 1 and its status when the service was among them. */
static int reap(int *service_status) {
  int ended = 0;
  int status;
  pid_t pid;

  while ((pid = waitpid(-1, &status, WNOHANG)) > 0) {
    if (pid != service_pid) continue;
    service_pid = -1;
    *service_status = status;
    ended = 1;
  }
  return ended;
}

static int can_power_off(int fd) {
  unsigned char keys[KEY_MAX / 8 + 1] = {0};

  return ioctl(fd, EVIOCGBIT(EV_KEY, sizeof(keys)), keys) >= 0 && (keys[KEY_POWER / 8] & (1 << (KEY_POWER % 8))) != 0;
}

/* Opens the event devices that have a power key and are not open yet. */
static size_t open_buttons(struct pollfd *buttons, size_t limit) {
  size_t count = 0;

  for (int index = 0; index < 16 && count < limit; index++) {
    char path[32];

    snprintf(path, sizeof(path), "/dev/input/event%d", index);
    int fd = open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
    if (fd < 0) continue;
    if (can_power_off(fd)) {
      buttons[count++] = (struct pollfd){.fd = fd, .events = POLLIN};
    } else {
      close(fd);
    }
  }
  return count;
}

static int power_pressed(int fd) {
  struct input_event event;

  while (read(fd, &event, sizeof(event)) == (ssize_t)sizeof(event)) {
    if (event.type == EV_KEY && event.code == KEY_POWER && event.value == 1) return 1;
  }
  return 0;
}

static void arm(int timer_fd, int64_t delay_ms) {
  const struct itimerspec when = {
      .it_value = {.tv_sec = delay_ms / 1000, .tv_nsec = (delay_ms % 1000) * 1000000},
  };

  timerfd_settime(timer_fd, 0, &when, NULL);
}

struct supervision {
  const struct service *service;
  int64_t started_ms;
  int64_t backoff_ms;
  int timer_fd;
};

static void start_service(struct supervision *state) {
  state->started_ms = now_ms();
  service_pid = start(state->service);
  if (service_pid < 0) arm(state->timer_fd, RESPAWN_LIMIT_MS);
}

static void service_ended(struct supervision *state, int status) {
  if (now_ms() - state->started_ms >= STABLE_AFTER_MS) state->backoff_ms = RESPAWN_FIRST_MS;
  say("%s ended with code %d; starting it again in %lld ms", state->service->argv[0], exit_code(status),
      (long long)state->backoff_ms);
  arm(state->timer_fd, state->backoff_ms);
  state->backoff_ms = state->backoff_ms * 2 > RESPAWN_LIMIT_MS ? RESPAWN_LIMIT_MS : state->backoff_ms * 2;
}

/* Returns 1 when the signal asks the guest to go down. */
static int handle_signal(struct supervision *state, int signal, enum ending *ending) {
  int status;

  if (signal == SIGCHLD) {
    if (!reap(&status)) return 0;
    if (!state->service->once) {
      service_ended(state, status);
      return 0;
    }
    printf("\nwherry-payload-exit: %d\n", exit_code(status));
    fflush(stdout);
    *ending = END_POWER_OFF;
    return 1;
  }
  *ending = signal == SIGINT || signal == SIGHUP ? END_RESTART : END_POWER_OFF;
  return 1;
}

static int handle_timer(int fd) {
  uint64_t expirations;

  return read(fd, &expirations, sizeof(expirations)) == (ssize_t)sizeof(expirations);
}

enum ending supervise(const struct service *service) {
  enum ending ending = END_POWER_OFF;
  sigset_t set;

  handled_signals(&set);
  int signal_fd = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
  struct supervision state = {
      .service = service,
      .backoff_ms = RESPAWN_FIRST_MS,
      .timer_fd = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK),
  };
  struct pollfd polled[2 + BUTTON_LIMIT] = {
      {.fd = signal_fd, .events = POLLIN},
      {.fd = state.timer_fd, .events = POLLIN},
  };
  size_t buttons = 0;

  start_service(&state);
  for (;;) {
    struct signalfd_siginfo info;

    /* The button's modules load in the background; SIGCHLD of that loader wakes us when they are there. */
    if (buttons == 0) buttons = open_buttons(polled + 2, BUTTON_LIMIT);
    if (poll(polled, 2 + buttons, -1) < 0 && errno != EINTR) return END_POWER_OFF;
    while (read(signal_fd, &info, sizeof(info)) == (ssize_t)sizeof(info)) {
      if (handle_signal(&state, (int)info.ssi_signo, &ending)) return ending;
    }
    if (handle_timer(state.timer_fd) && service_pid < 0) start_service(&state);
    for (size_t index = 0; index < buttons; index++) {
      if (power_pressed(polled[2 + index].fd)) return END_POWER_OFF;
    }
  }
}

/* Reaps until the service has ended (all == 0) or no child is left (all == 1), at most limit_ms. */
static void wait_for_children(int all, int64_t limit_ms) {
  const struct timespec step = {.tv_nsec = 10 * 1000 * 1000};
  int64_t deadline = now_ms() + limit_ms;
  int status;

  while (now_ms() < deadline) {
    reap(&status);
    if (!all && service_pid < 0) return;
    if (all && waitpid(-1, NULL, WNOHANG) < 0 && errno == ECHILD) return;
    nanosleep(&step, NULL);
  }
}

void shut_down(enum ending ending) {
  struct failure err;

  say("stage %s", ending == END_RESTART ? "restart" : "power-off");
  if (create_file(SHUTDOWN_MARK, "", 0, 0644, &err) < 0) warn_failure(&err);
  if (service_pid > 0) {
    kill(service_pid, SIGTERM);
    wait_for_children(0, SERVICE_GRACE_MS);
  }
  kill(-1, SIGTERM);
  wait_for_children(1, REST_GRACE_MS);
  kill(-1, SIGKILL);
  wait_for_children(1, REST_GRACE_MS);
  sync();
  unmount_all();
  sync();
  reboot(ending == END_RESTART ? RB_AUTOBOOT : RB_POWER_OFF);
  for (;;) pause();
}
