#include "network.h"

#include <arpa/inet.h>
#include <errno.h>
#include <net/if.h>
#include <net/route.h>
#include <stdint.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <time.h>

#define INTERFACE "eth0"
#define RESOLV_CONF "/run/wherry/resolv.conf"

static int open_socket(struct failure *err) {
  int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

  return fd < 0 ? fail(err, "open a socket") : fd;
}

static int bring_up(int fd, const char *name, struct failure *err) {
  struct ifreq request = {0};

  snprintf(request.ifr_name, sizeof(request.ifr_name), "%s", name);
  if (ioctl(fd, SIOCGIFFLAGS, &request) < 0) return fail(err, "find interface %s", name);
  request.ifr_flags |= IFF_UP;
  if (ioctl(fd, SIOCSIFFLAGS, &request) < 0) return fail(err, "bring %s up", name);
  return 0;
}

static void set_inet(struct sockaddr *address, in_addr_t value) {
  struct sockaddr_in inet = {.sin_family = AF_INET, .sin_addr = {.s_addr = value}};

  memcpy(address, &inet, sizeof(inet));
}

static int set_address(int fd, const char *cidr, struct failure *err) {
  struct ifreq request = {0};
  struct in_addr address;
  char text[32];
  char *rest = NULL;

  snprintf(text, sizeof(text), "%s", cidr);
  char *slash = strchr(text, '/');
  if (slash != NULL) *slash = '\0';
  unsigned long prefix = slash != NULL ? strtoul(slash + 1, &rest, 10) : 24;
  errno = 0;
  if (inet_pton(AF_INET, text, &address) != 1 || prefix < 1 || prefix > 32 || (rest != NULL && *rest != '\0')) {
    return fail(err, "'%s' is not an address with a prefix length", cidr);
  }
  snprintf(request.ifr_name, sizeof(request.ifr_name), INTERFACE);
  set_inet(&request.ifr_addr, address.s_addr);
  if (ioctl(fd, SIOCSIFADDR, &request) < 0) return fail(err, "give %s the address %s", INTERFACE, text);
  set_inet(&request.ifr_netmask, htonl((uint32_t)(UINT64_C(0xffffffff) << (32 - prefix))));
  if (ioctl(fd, SIOCSIFNETMASK, &request) < 0) return fail(err, "set the netmask of %s", INTERFACE);
  return 0;
}

static int add_default_route(int fd, const char *gateway, struct failure *err) {
  struct rtentry route = {.rt_flags = RTF_UP | RTF_GATEWAY, .rt_dev = (char *)(uintptr_t)INTERFACE};
  struct in_addr address;

  errno = 0;
  if (inet_pton(AF_INET, gateway, &address) != 1) return fail(err, "'%s' is not a gateway address", gateway);
  set_inet(&route.rt_dst, INADDR_ANY);
  set_inet(&route.rt_genmask, INADDR_ANY);
  set_inet(&route.rt_gateway, address.s_addr);
  if (ioctl(fd, SIOCADDRT, &route) < 0 && errno != EEXIST) return fail(err, "route through %s", gateway);
  return 0;
}

static int write_resolv_conf(const char *servers, struct failure *err) {
  char copy[128];
  char text[512];
  size_t used = 0;
  char *state = NULL;

  snprintf(copy, sizeof(copy), "%s", servers);
  text[0] = '\0';
  for (char *one = strtok_r(copy, " ,", &state); one != NULL; one = strtok_r(NULL, " ,", &state)) {
    used += (size_t)snprintf(text + used, sizeof(text) - used, "nameserver %s\n", one);
  }
  return create_file(RESOLV_CONF, text, strlen(text), 0644, err);
}

static int start_dhcp(struct failure *err) {
  pid_t pid = fork();

  if (pid < 0) return fail(err, "fork for udhcpc");
  if (pid == 0) {
    setsid();
    execl("/usr/bin/busybox", "udhcpc", "-f", "-R", "-t", "5", "-T", "2", "-A", "5", "-i", INTERFACE, "-s",
          "/usr/share/udhcpc/wherry.script", (char *)NULL);
    _exit(127);
  }
  return 0;
}

/* Hyper-V offers its network device asynchronously, after the driver is loaded. */
static int wait_for_interface(int fd, struct failure *err) {
  const struct timespec pause = {.tv_nsec = 20 * 1000 * 1000};

  for (int attempt = 0; attempt < 250; attempt++) {
    if (bring_up(fd, INTERFACE, err) == 0) return 0;
    if (err->code != ENODEV) return -1;
    nanosleep(&pause, NULL);
  }
  return -1;
}

int set_up_network(const struct seed *seed, struct failure *err) {
  cleanup_fd int fd = open_socket(err);

  if (fd < 0 || bring_up(fd, "lo", err) < 0) return -1;
  if (seed->net_mode[0] == '\0' || strcmp(seed->net_mode, "none") == 0) return 0;
  if (wait_for_interface(fd, err) < 0) return -1;
  if (strcmp(seed->net_mode, "dhcp") == 0) return start_dhcp(err);
  errno = 0;
  if (strcmp(seed->net_mode, "static") != 0) return fail(err, "network mode '%s' is unknown", seed->net_mode);
  if (set_address(fd, seed->net_address, err) < 0) return -1;
  if (seed->net_gateway[0] != '\0' && add_default_route(fd, seed->net_gateway, err) < 0) return -1;
  return write_resolv_conf(seed->net_dns, err);
}
