/* The container's cgroup (version 2): made, limited, asked, emptied, removed. */
#pragma once

#include <stdbool.h>

#include "monitor/plan.h"

/* Makes the plan's cgroup, writes its limits, attaches its device program. Returns a descriptor of its folder. */
int cgroup_open(const struct plan *plan, struct error *error);

/* Whether the kernel has killed for memory in it. */
bool cgroup_out_of_memory(int cgroup);

/* Kills all in it, and waits (a few seconds at most) until they are gone. */
void cgroup_kill(int cgroup);

/* Removes the folder and those the container has made beneath. */
void cgroup_remove(const char *path);
