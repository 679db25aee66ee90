/* Cloning the process of a session: its streams, status socket, limits and ids. */
#pragma once

#include "monitor/session.h"

/*
 * Clones the process with `flags` (CLONE_NEW…) into the cgroup (<0: the monitor's own), and into a user namespace that is there already
 * (<0: none): the new namespaces then belong to that one. In the child, `run` is called
 * with its ends and its status socket, and never returns. The child waits there for launch_release.
 */
typedef void launch_child(const struct session *session, const struct child_ends *ends, int status, void *argument);
int launch(struct session *session, uint64_t flags, int user_namespace, int cgroup, launch_child *run, void *argument,
           uid_t outer_uid, gid_t outer_gid, struct error *error);

/* Resource limits and OOM score, which only the guest's root may raise. */
int launch_limit(const struct session *session, struct error *error);

/* Writes the id range of the child's new user namespace. */
int launch_map_ids(const struct session *session, uint32_t base, uint32_t size, struct error *error);

/* Ends the process, if it lives, and takes its exit code: 0…255, 128+n for signal n. */
int launch_reap(struct session *session, bool wait);
