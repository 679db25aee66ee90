#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <limits.h>
#include <linux/capability.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "monitor/child.h"

static int drop_bounding(uint64_t keep, struct error *error) {
    for (unsigned long capability = 0; capability < 64; capability++) {
        int has = prctl(PR_CAPBSET_READ, capability, 0, 0, 0);
        if (has < 0)
            return 0; /* beyond the kernel's last */
        if (has == 1 && !(keep >> capability & 1) && prctl(PR_CAPBSET_DROP, capability, 0, 0, 0) < 0)
            return fail(error, errno, "drop capability %lu", capability);
    }
    return 0;
}

static int set_capabilities(uint64_t effective, uint64_t permitted, uint64_t inheritable) {
    struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3};
    struct __user_cap_data_struct data[2];
    for (int i = 0; i < 2; i++) {
        data[i].effective = (uint32_t)(effective >> 32 * i);
        data[i].permitted = (uint32_t)(permitted >> 32 * i);
        data[i].inheritable = (uint32_t)(inheritable >> 32 * i);
    }
    return (int)syscall(SYS_capset, &header, data);
}

/* All that are permitted become effective again: changing the user has cleared them. */
static int raise_capabilities(void) {
    struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3};
    struct __user_cap_data_struct data[2];
    if (syscall(SYS_capget, &header, data) < 0)
        return -1;
    for (int i = 0; i < 2; i++)
        data[i].effective = data[i].permitted;
    return (int)syscall(SYS_capset, &header, data);
}

static int final_capabilities(const struct process_plan *process, struct error *error) {
    if (set_capabilities(process->effective, process->permitted, process->inheritable) < 0)
        return fail(error, errno, "set the capabilities");
    for (unsigned long capability = 0; capability < 64; capability++) {
        if (process->ambient >> capability & 1 &&
            prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, capability, 0, 0) < 0)
            return fail(error, errno, "set ambient capability %lu", capability);
    }
    return 0;
}

static int load_seccomp(const struct process_plan *process, struct error *error) {
    if (process->seccomp_count == 0)
        return 0;
    struct sock_fprog program = {.len = (unsigned short)process->seccomp_count,
                                 .filter = (struct sock_filter *)process->seccomp};
    if (syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, process->seccomp_flags, &program) < 0)
        return fail(error, errno, "load the seccomp filter");
    return 0;
}

static int set_user(const struct process_plan *process, struct error *error) {
    umask((mode_t)process->mask);
    syscall(SYS_keyctl, 1 /* KEYCTL_JOIN_SESSION_KEYRING */, NULL); /* kernels without keys are fine */
    if (drop_bounding(process->bounding, error) < 0)
        return -1;
    if (process->no_new_privileges && prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
        return fail(error, errno, "set no_new_privs");
    if (prctl(PR_SET_KEEPCAPS, 1, 0, 0, 0) < 0)
        return fail(error, errno, "keep capabilities");
    if (setgroups(process->groups_count, process->groups) < 0)
        return fail(error, errno, "set the groups");
    if (syscall(SYS_setresgid, process->gid, process->gid, process->gid) < 0)
        return fail(error, errno, "set group %u", process->gid);
    if (syscall(SYS_setresuid, process->uid, process->uid, process->uid) < 0)
        return fail(error, errno, "set user %u", process->uid);
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    /* Without no_new_privs a filter needs CAP_SYS_ADMIN, so it comes before the capabilities go. */
    if (!process->no_new_privileges && (raise_capabilities() < 0 || load_seccomp(process, error) < 0))
        return -1;
    if (final_capabilities(process, error) < 0)
        return -1;
    return process->no_new_privileges ? load_seccomp(process, error) : 0;
}

static const char *find_variable(char *const *env, const char *name) {
    size_t length = strlen(name);
    for (; *env != NULL; env++) {
        if (strncmp(*env, name, length) == 0 && (*env)[length] == '=')
            return *env + length + 1;
    }
    return NULL;
}

/* 0 when `path` is a file one may execute, else the errno. */
static int check_executable(const char *path) {
    struct stat status;
    if (stat(path, &status) < 0)
        return errno;
    if (S_ISDIR(status.st_mode))
        return EISDIR;
    return faccessat(AT_FDCWD, path, X_OK, AT_EACCESS) < 0 ? errno : 0;
}

static int find_in_path(const char *name, const char *path, char *found) {
    for (const char *at = path; at != NULL;) {
        const char *colon = strchr(at, ':');
        int length = colon == NULL ? (int)strlen(at) : (int)(colon - at);
        int size = snprintf(found, PATH_MAX, "%.*s/%s", length, length == 0 ? "." : at, name);
        if (length == 0)
            size = snprintf(found, PATH_MAX, "./%s", name);
        if (size < PATH_MAX && check_executable(found) == 0)
            return 0;
        at = colon == NULL ? NULL : colon + 1;
    }
    return ENOENT;
}

/* Docker's words, which its clients look for. */
_Noreturn static void fail_execute(int status, const char *name, int code) {
    struct error error = {.code = code};
    int kind = FAILED_NOT_EXECUTABLE;
    switch (code) {
    case ENOENT:
    case ENOTDIR:
        kind = FAILED_NOT_FOUND;
        if (strchr(name, '/') == NULL)
            fail(&error, 0, "exec: \"%s\": executable file not found in $PATH", name);
        else
            fail(&error, 0, "exec: \"%s\": stat %s: %s", name, name,
                 code == ENOENT ? "no such file or directory" : "not a directory");
        break;
    case EACCES:
    case EPERM:
        fail(&error, 0, "exec: \"%s\": permission denied", name);
        break;
    case EISDIR:
        fail(&error, 0, "exec: \"%s\": is a directory", name);
        break;
    case ENOEXEC:
        fail(&error, 0, "exec %s: exec format error", name);
        break;
    default:
        fail(&error, code, "exec: \"%s\"", name);
    }
    error.code = code;
    child_fail(status, kind, &error);
}

void child_execute(const struct process_plan *process, int guest_program, int status) {
    struct error error;
    char found[PATH_MAX];
    const char *program = process->args[0];
    if (set_user(process, &error) < 0)
        child_fail(status, FAILED_SETUP, &error);
    if (chdir(process->cwd) < 0) {
        int code = errno;
        fail(&error, 0, "chdir to cwd (\"%s\") set in config.json failed: %s", process->cwd,
             code == ENOENT    ? "no such file or directory"
             : code == ENOTDIR ? "not a directory"
             : code == EACCES  ? "permission denied"
                               : strerrordesc_np(code));
        error.code = code;
        child_fail(status, FAILED_SETUP, &error);
    }
    if (guest_program >= 0) {
        syscall(SYS_execveat, guest_program, "", process->args, process->env, AT_EMPTY_PATH);
        fail_execute(status, program, errno);
    }
    if (strchr(program, '/') == NULL) {
        const char *path = find_variable(process->env, "PATH");
        if (program[0] == 0 ||
            find_in_path(program, path != NULL ? path : "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
                         found) != 0)
            fail_execute(status, program, ENOENT);
        program = found;
    } else {
        int code = check_executable(program);
        if (code != 0)
            fail_execute(status, program, code);
    }
    execve(program, process->args, process->env);
    /* A script whose interpreter is missing says ENOENT although the file is there. */
    int code = errno;
    if (code == ENOENT) {
        fail(&error, 0, "exec %s: no such file or directory", program);
        error.code = code;
        child_fail(status, FAILED_NOT_FOUND, &error);
    }
    fail_execute(status, process->args[0], code);
}
