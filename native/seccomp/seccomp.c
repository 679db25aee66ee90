/*
 * Reads a seccomp profile from stdin as records (vm/agent/runtime/seccomp.ts writes them), writes the filter to stdout
 * as struct sock_filter[]. Run once per profile; the agent keeps the result.
 *
 *   1 default       n: errno; s: action
 *   2 architecture  s: name
 *   3 rule          n: errno, then per argument index, value, second value; s: action, operator per argument, names
 */
#include <ctype.h>
#include <errno.h>
#include <linux/filter.h>
#include <seccomp.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <linux/seccomp.h>

#include "common/cleanup.h"
#include "common/records.h"

enum { TAG_DEFAULT = 1, TAG_ARCHITECTURE = 2, TAG_RULE = 3, MAX_INPUT = 1 << 20, X32_BIT = 0x40000000 };

static int parse_action(uint32_t *action, const char *name, int64_t code, struct error *error) {
    uint32_t number = (uint32_t)code & 0xffff;
    const struct {
        const char *name;
        uint32_t action;
    } actions[] = {
        {"SCMP_ACT_ALLOW", SCMP_ACT_ALLOW},
        {"SCMP_ACT_ERRNO", SCMP_ACT_ERRNO(number)},
        {"SCMP_ACT_KILL", SCMP_ACT_KILL_THREAD},
        {"SCMP_ACT_KILL_THREAD", SCMP_ACT_KILL_THREAD},
        {"SCMP_ACT_KILL_PROCESS", SCMP_ACT_KILL_PROCESS},
        {"SCMP_ACT_LOG", SCMP_ACT_LOG},
        {"SCMP_ACT_TRAP", SCMP_ACT_TRAP},
        {"SCMP_ACT_TRACE", SCMP_ACT_TRACE(number)},
    };
    for (size_t i = 0; i < sizeof actions / sizeof *actions; i++) {
        if (strcmp(actions[i].name, name) == 0) {
            *action = actions[i].action;
            return 0;
        }
    }
    return fail(error, 0, "unknown seccomp action %s", name);
}

static int parse_operator(enum scmp_compare *operator, const char *name, struct error *error) {
    static const struct {
        const char *name;
        enum scmp_compare operator;
    } operators[] = {
        {"SCMP_CMP_NE", SCMP_CMP_NE}, {"SCMP_CMP_LT", SCMP_CMP_LT}, {"SCMP_CMP_LE", SCMP_CMP_LE},
        {"SCMP_CMP_EQ", SCMP_CMP_EQ}, {"SCMP_CMP_GE", SCMP_CMP_GE}, {"SCMP_CMP_GT", SCMP_CMP_GT},
        {"SCMP_CMP_MASKED_EQ", SCMP_CMP_MASKED_EQ},
    };
    for (size_t i = 0; i < sizeof operators / sizeof *operators; i++) {
        if (strcmp(operators[i].name, name) == 0) {
            *operator= operators[i].operator;
            return 0;
        }
    }
    return fail(error, 0, "unknown seccomp operator %s", name);
}

static int add_architecture(scmp_filter_ctx filter, const char *name, struct error *error) {
    char lower[32] = {0};
    if (strncmp(name, "SCMP_ARCH_", 10) != 0)
        return fail(error, 0, "unknown architecture %s", name);
    for (size_t i = 0; i < sizeof lower - 1 && name[10 + i] != 0; i++)
        lower[i] = (char)tolower((unsigned char)name[10 + i]);
    uint32_t token = seccomp_arch_resolve_name(lower);
    if (token == 0)
        return fail(error, 0, "unknown architecture %s", name);
    int added = seccomp_arch_add(filter, token);
    return added < 0 && added != -EEXIST ? fail(error, -added, "add architecture %s", name) : 0;
}

static int add_rule(scmp_filter_ctx filter, const struct record *record, uint32_t otherwise, struct error *error) {
    struct scmp_arg_cmp arguments[6];
    uint32_t action;
    unsigned count = (record->numbers_count - 1) / 3;
    if (record->numbers_count == 0 || count > 6 || record->strings_count < 1 + count)
        return fail(error, 0, "a malformed rule");
    if (parse_action(&action, record_string(record, 0), record_number(record, 0, 0), error) < 0)
        return -1;
    if (action == otherwise)
        return 0; /* libseccomp refuses what changes nothing */
    for (unsigned i = 0; i < count; i++) {
        arguments[i] = (struct scmp_arg_cmp){.arg = (unsigned)record_number(record, 1 + 3 * i, 0),
                                             .datum_a = (scmp_datum_t)record_number(record, 2 + 3 * i, 0),
                                             .datum_b = (scmp_datum_t)record_number(record, 3 + 3 * i, 0)};
        if (parse_operator(&arguments[i].op, record_string(record, 1 + i), error) < 0)
            return -1;
    }
    for (unsigned i = 1 + count; i < record->strings_count; i++) {
        const char *name = record_string(record, i);
        int number = seccomp_syscall_resolve_name(name);
        if (number == __NR_SCMP_ERROR)
            continue; /* of another architecture, or newer than the library */
        int added = seccomp_rule_add_array(filter, action, number, count, arguments);
        if (added < 0)
            return fail(error, -added, "add a rule for %s", name);
    }
    return 0;
}

static int fill(scmp_filter_ctx *filter, const char *input, size_t size, struct error *error) {
    uint32_t otherwise = 0;
    for (size_t at = 0; at < size;) {
        struct record record;
        ptrdiff_t length = record_read(&record, input + at, size - at, error);
        if (length <= 0)
            return length == 0 ? fail(error, 0, "the profile is cut short") : -1;
        at += (size_t)length;
        const char *name = record_string(&record, 0);
        if (record.tag == TAG_DEFAULT) {
            if (parse_action(&otherwise, name, record_number(&record, 0, 1), error) < 0)
                return -1;
            *filter = seccomp_init(otherwise);
        }
        if (*filter == NULL)
            return fail(error, 0, "the profile has no default action");
        if (record.tag == TAG_ARCHITECTURE && add_architecture(*filter, name, error) < 0)
            return -1;
        if (record.tag == TAG_RULE && add_rule(*filter, &record, otherwise, error) < 0)
            return -1;
    }
    return *filter == NULL ? fail(error, 0, "an empty profile") : 0;
}

static int newest_syscall(void) {
    int newest = 0;
    for (int number = 400; number < 1000; number++) {
        char *name = seccomp_syscall_resolve_num_arch(SCMP_ARCH_NATIVE, number);
        if (name != NULL)
            newest = number;
        free(name);
    }
    return newest;
}

/*
 * System calls newer than the library must look as if the kernel did not have them: a program that hears EPERM does not
 * fall back to the older call, as it does on ENOSYS. The numbers above 402 are the same on all architectures.
 */
static int write_prelude(struct error *error) {
    struct sock_filter prelude[] = {
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
        BPF_JUMP(BPF_JMP | BPF_JGE | BPF_K, X32_BIT, 2, 0),
        BPF_JUMP(BPF_JMP | BPF_JGT | BPF_K, (uint32_t)newest_syscall(), 0, 1),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | ENOSYS),
    };
    return write(STDOUT_FILENO, prelude, sizeof prelude) == sizeof prelude ? 0 : fail(error, errno, "write the filter");
}

int main(void) {
    struct error error;
    cleanup_free char *input = malloc(MAX_INPUT);
    size_t size = 0;
    for (ssize_t got; input != NULL && (got = read(STDIN_FILENO, input + size, MAX_INPUT - size)) > 0;)
        size += (size_t)got;
    scmp_filter_ctx filter = NULL;
    int result = fill(&filter, input, size, &error);
    if (result == 0)
        result = write_prelude(&error);
    if (result == 0) {
        seccomp_attr_set(filter, SCMP_FLTATR_CTL_OPTIMIZE, 2); /* a tree, not a list: fewer steps per call */
        int exported = seccomp_export_bpf(filter, STDOUT_FILENO);
        if (exported < 0)
            result = fail(&error, -exported, "compile the profile");
    }
    if (result < 0)
        dprintf(STDERR_FILENO, "seccomp: %s\n", error.text);
    if (filter != NULL)
        seccomp_release(filter);
    return result < 0 ? 1 : 0;
}
