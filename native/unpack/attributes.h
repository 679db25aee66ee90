/* Owners and extended attributes as they are outside of a container's user namespace. */
#pragma once

#include "common/error.h"

#include <stddef.h>
#include <sys/types.h>

/* The id inside the namespace that starts at `base`; nobody for ids it does not hold. */
uid_t unshift_id(uid_t id, uid_t base);

/*
 * Appends those attributes that layers carry (user.*, security.capability, POSIX ACLs) as PAX records.
 * Of the open file `fd`, or, when that is -1, of `path`, whose last part is not followed.
 */
int add_attributes(int fd, const char *path, uid_t base, char **records, size_t *length, struct error *error);
