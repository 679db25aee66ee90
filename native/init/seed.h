/* The seed disk: a plain ustar archive with what the host tells the guest at boot. */
#ifndef WHERRY_INIT_SEED_H
#define WHERRY_INIT_SEED_H

#include "base.h"

#define SEED_FOLDER "/run/wherry/seed"

/* Values of seed.env; empty strings where the host said nothing. */
struct seed {
  char hostname[65];
  char clock_ms[24];
  char net_mode[16];
  char net_address[32]; /* a.b.c.d/prefix */
  char net_gateway[20];
  char net_dns[128]; /* separated by spaces or commas */
};

/* Unpacks the archive on a device into a folder. Refuses names that are absolute or leave the folder, entries that are
 * neither files nor folders, and a bad checksum. */
int unpack_seed(const char *device, const char *folder, struct failure *err);

/* Reads KEY='value' lines. Unknown keys are left alone. */
int read_seed_env(const char *path, struct seed *seed, struct failure *err);

#endif
