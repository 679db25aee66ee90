#include "monitor/plan.h"

#include <errno.h>
#include <linux/filter.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>

#include "common/cleanup.h"

bool plan_next(const struct plan *plan, size_t *at, struct record *record) {
    struct error ignored;
    ptrdiff_t size = record_read(record, (const char *)plan->data + *at, plan->size - *at, &ignored);
    if (size <= 0)
        return false;
    *at += (size_t)size;
    return true;
}

static int copy_strings(char ***out, const struct record *record, struct error *error) {
    free(*out);
    *out = calloc((size_t)record->strings_count + 1, sizeof **out);
    if (*out == NULL)
        return fail(error, ENOMEM, "read plan");
    const char *string = record->strings;
    for (unsigned i = 0; i < record->strings_count; i++) {
        (*out)[i] = (char *)string; /* execve takes char *const[], and does not write */
        string += strlen(string) + 1;
    }
    return 0;
}

static int copy_groups(struct process_plan *process, const struct record *record, struct error *error) {
    free(process->groups);
    process->groups = calloc((size_t)record->numbers_count + 1, sizeof *process->groups);
    if (process->groups == NULL)
        return fail(error, ENOMEM, "read plan");
    process->groups_count = record->numbers_count;
    for (unsigned i = 0; i < record->numbers_count; i++)
        process->groups[i] = (gid_t)record_number(record, i, 0);
    return 0;
}

static int parse_process(struct process_plan *process, const struct record *record, struct error *error) {
    switch (record->tag) {
    case PLAN_PROCESS:
        process->terminal = record_number(record, 0, 0) != 0;
        process->uid = (uid_t)record_number(record, 1, 0);
        process->gid = (gid_t)record_number(record, 2, 0);
        process->mask = (int)record_number(record, 3, 022);
        process->no_new_privileges = record_number(record, 4, 0) != 0;
        process->oom_score = (int)record_number(record, 5, 0);
        process->columns = (unsigned)record_number(record, 6, 0);
        process->rows = (unsigned)record_number(record, 7, 0);
        process->cwd = record_string(record, 0);
        return 0;
    case PLAN_ARGS:
        return copy_strings(&process->args, record, error);
    case PLAN_ENV:
        return copy_strings(&process->env, record, error);
    case PLAN_GROUPS:
        return copy_groups(process, record, error);
    case PLAN_CAPABILITIES:
        process->bounding = (uint64_t)record_number(record, 0, 0);
        process->effective = (uint64_t)record_number(record, 1, 0);
        process->permitted = (uint64_t)record_number(record, 2, 0);
        process->inheritable = (uint64_t)record_number(record, 3, 0);
        process->ambient = (uint64_t)record_number(record, 4, 0);
        return 0;
    case PLAN_RLIMIT:
        if (process->rlimits_count == MAX_RLIMITS)
            return fail(error, 0, "plan has more than %d resource limits", MAX_RLIMITS);
        process->rlimits[process->rlimits_count].resource = (int)record_number(record, 0, 0);
        process->rlimits[process->rlimits_count].soft = (uint64_t)record_number(record, 1, 0);
        process->rlimits[process->rlimits_count].hard = (uint64_t)record_number(record, 2, 0);
        process->rlimits_count++;
        return 0;
    case PLAN_SECCOMP:
        process->seccomp = record->blob;
        process->seccomp_count = record->blob_size / sizeof(struct sock_filter);
        process->seccomp_flags = (unsigned)record_number(record, 0, 0);
        return 0;
    default:
        return 0;
    }
}

static int parse_record(struct plan *plan, const struct record *record, struct error *error) {
    switch (record->tag) {
    case PLAN_CONTAINER:
        plan->open_stdin = record_number(record, 0, 0) != 0;
        plan->stdin_once = record_number(record, 1, 0) != 0;
        plan->stall_ms = (unsigned)record_number(record, 2, 15000);
        plan->id = record_string(record, 0);
        plan->run_dir = record_string(record, 1);
        plan->exit_record = record_string(record, 2);
        plan->cgroup = record_string(record, 3);
        return 0;
    case PLAN_LOG:
        plan->log_max_bytes = (uint64_t)record_number(record, 0, 0);
        plan->log_max_files = (unsigned)record_number(record, 1, 1);
        plan->log_path = record_string(record, 0);
        return 0;
    case PLAN_ID_RANGE:
        plan->has_id_range = true;
        plan->id_base = (uint32_t)record_number(record, 0, 0);
        plan->id_size = (uint32_t)record_number(record, 1, 0);
        return 0;
    case PLAN_NAMESPACE:
        if (record_string(record, 0)[0] == 0)
            plan->new_namespaces |= (uint64_t)record_number(record, 0, 0);
        else if (record_number(record, 0, 0) == CLONE_NEWUSER)
            plan->user_namespace = record_string(record, 0);
        return 0;
    case PLAN_LAYER:
        plan->layers_count++;
        return 0;
    case PLAN_OVERLAY:
        plan->overlay_flags = (unsigned long)record_number(record, 0, 0);
        plan->upper = record_string(record, 0);
        plan->work = record_string(record, 1);
        return 0;
    case PLAN_EXEC:
        plan->open_stdin = record_number(record, 0, 0) != 0;
        plan->stdin_once = true;
        plan->exec_id = record_string(record, 0);
        plan->guest_program = record_string(record, 1);
        return 0;
    default:
        return parse_process(&plan->process, record, error);
    }
}

int plan_parse(struct plan *plan, void *data, size_t size, struct error *error) {
    *plan = (struct plan){.data = data, .size = size, .process.cwd = "/"};
    size_t at = 0;
    while (at < size) {
        struct record record;
        ptrdiff_t read = record_read(&record, (char *)data + at, size - at, error);
        if (read < 0)
            return fail_in(error, "read plan");
        if (read == 0)
            return fail(error, 0, "read plan: it is cut short");
        if (parse_record(plan, &record, error) < 0)
            return -1;
        at += (size_t)read;
    }
    if (plan->id == NULL && plan->exec_id == NULL)
        return fail(error, 0, "read plan: it names no container");
    if (plan->process.args == NULL || plan->process.args[0] == NULL)
        return fail(error, 0, "read plan: no command");
    if (plan->process.env == NULL && (plan->process.env = calloc(1, sizeof(char *))) == NULL)
        return fail(error, ENOMEM, "read plan");
    return 0;
}

void plan_free(struct plan *plan) {
    free(plan->process.args);
    free(plan->process.env);
    free(plan->process.groups);
    free(plan->data);
    *plan = (struct plan){0};
}
