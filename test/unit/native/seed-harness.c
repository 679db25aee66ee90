/* Unpacks argv[1] into argv[2] with init's own code, then prints what seed.env says; exits with 1 and the reason. */
#include <string.h>

#include "../../../native/init/seed.h"

int main(int argc, char **argv) {
  char env[512];
  struct seed seed = {0};
  struct failure err;

  if (argc != 3) return 2;
  snprintf(env, sizeof(env), "%.400s/seed.env", argv[2]);
  if (unpack_seed(argv[1], argv[2], &err) < 0) {
    printf("%s\n", err.message);
    return 1;
  }
  if (access(env, F_OK) < 0) return 0;
  if (read_seed_env(env, &seed, &err) < 0) {
    printf("%s\n", err.message);
    return 1;
  }
  printf("%s|%s|%s|%s|%s|%s\n", seed.hostname, seed.clock_ms, seed.net_mode, seed.net_address, seed.net_gateway,
         seed.net_dns);
  return 0;
}
