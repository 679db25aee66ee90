/*
 * container-init -- PROGRAM ARGS…: PID 1 of containers run with --init. Starts the program in a process group of its own
 * (the terminal's foreground one, when there is a terminal), hands it every signal it is sent, reaps whatever process is left
 * to it, and ends as the program does (128+n for a signal; 126 or 127 when the program cannot be executed). With it, the
 * kernel ends all the others.
 */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

enum { NOT_EXECUTABLE = 126, NOT_FOUND = 127, SIGNALLED = 128 };

/* The kernel sends these for faults of our own code; blocking them would hide the fault. */
static const int own_faults[] = {SIGFPE, SIGILL, SIGSEGV, SIGBUS, SIGABRT, SIGTRAP, SIGSYS};

static sigset_t forwarded(void) {
    sigset_t set;
    sigfillset(&set);
    for (size_t i = 0; i < sizeof own_faults / sizeof *own_faults; i++)
        sigdelset(&set, own_faults[i]);
    return set;
}

/* In the child, with all signals blocked: to become the foreground group would else stop it (SIGTTOU). */
_Noreturn static void execute(char **command, const sigset_t *mask) {
    setpgid(0, 0);
    tcsetpgrp(STDIN_FILENO, getpgrp()); /* without a terminal there is no foreground */
    sigprocmask(SIG_SETMASK, mask, NULL);
    execvp(command[0], command);
    int code = errno;
    fprintf(stderr, "exec: \"%s\": %s\n", command[0], strerror(code));
    _exit(code == ENOENT || code == ENOTDIR ? NOT_FOUND : NOT_EXECUTABLE);
}

/* True when the program was among those that ended. */
static int reap(pid_t program, int *exit_code) {
    int found = 0, status;
    pid_t pid;
    while ((pid = waitpid(-1, &status, WNOHANG)) > 0) {
        if (pid != program)
            continue;
        found = 1;
        *exit_code = WIFSIGNALED(status) ? SIGNALLED + WTERMSIG(status) : WEXITSTATUS(status);
    }
    return found;
}

int main(int count, char **arguments) {
    if (count < 3 || strcmp(arguments[1], "--") != 0) {
        fprintf(stderr, "usage: container-init -- PROGRAM ARGS…\n");
        return NOT_FOUND;
    }
    sigset_t waited = forwarded(), before;
    sigprocmask(SIG_SETMASK, &waited, &before);
    pid_t program = fork();
    if (program < 0) {
        fprintf(stderr, "container-init: fork: %s\n", strerror(errno));
        return NOT_EXECUTABLE;
    }
    if (program == 0)
        execute(arguments + 2, &before);
    for (;;) {
        int exit_code = 0, number = sigwaitinfo(&waited, NULL);
        if (number == SIGCHLD) {
            if (reap(program, &exit_code))
                return exit_code;
        } else if (number > 0) {
            kill(program, number);
        }
    }
}
