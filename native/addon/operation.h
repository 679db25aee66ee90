/*
 * An operation is one request to the kernel. JavaScript calls it by name and gets a promise; it runs on a thread of
 * Node's pool, so that nothing here ever blocks the agent. Results are numbers: >= 0, or a negated errno, from which
 * vm/agent/kernel/addon-kernel.ts makes errors that say what was tried.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

enum { MAX_ARGUMENTS = 5 };

struct argument {
    int64_t number;
    /* Of strings and buffers: a copy. NULL when JavaScript gave null. */
    char *data;
    size_t size;
};

struct call {
    struct argument arguments[MAX_ARGUMENTS];
    int64_t result;
    /* Set by operations that answer with bytes; allocated, becomes a Buffer instead of the number. */
    char *reply;
    size_t reply_size;
};

struct operation {
    const char *name;
    /* One letter an argument: n = integer, s = string or null, b = buffer. */
    const char *signature;
    void (*run)(struct call *call);
};

/* Each file's operations; the last has no name. */
extern const struct operation netlink_operations[];
extern const struct operation filesystem_operations[];
extern const struct operation process_operations[];
