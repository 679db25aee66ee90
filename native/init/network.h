/* The guest's own network: loopback, and the one interface to the host. */
#ifndef WHERRY_INIT_NETWORK_H
#define WHERRY_INIT_NETWORK_H

#include "base.h"
#include "seed.h"

/* Brings lo up, then eth0 as the seed says: a static address, or DHCP (busybox udhcpc, which stays to renew the lease). */
int set_up_network(const struct seed *seed, struct failure *err);

#endif
