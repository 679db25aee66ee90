/*
 * pty COLUMNS ROWS -- PROGRAM ARGS…: runs a program on a terminal of its own and copies between that terminal and
 * standard input and output. Lines "COLUMNS ROWS\n" on descriptor 3 resize it. Ends as the program does (128+n for a
 * signal). End of file on standard input is typed as the terminal's end-of-file character.
 *
 * No policy; the SSH sessions of the guest use it because Node cannot open a terminal.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pty.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/wait.h>
#include <termios.h>
#include <unistd.h>

enum { CONTROL_FD = 3 };

static int child_fd = -1;

/* Wakes poll when the program ends though a background process keeps the terminal open. */
static void on_child(int signal_number) {
    (void)signal_number;
    int saved = errno;
    if (child_fd >= 0 && write(child_fd, "x", 1) < 0) { /* the pipe is full of wake-ups already */
    }
    errno = saved;
}

/* Signals the program's foreground group as the terminal's driver would on a hang-up. */
static void on_hangup(int signal_number) {
    (void)signal_number;
    _exit(129);
}

static int write_all(int fd, const char *data, size_t length) {
    while (length > 0) {
        ssize_t written = write(fd, data, length);
        if (written < 0 && errno == EINTR) continue;
        if (written < 0) return -1;
        data += written;
        length -= (size_t)written;
    }
    return 0;
}

static void resize(int master, int columns, int rows) {
    struct winsize size = {.ws_col = (unsigned short)columns, .ws_row = (unsigned short)rows};
    if (columns > 0 && rows > 0) ioctl(master, TIOCSWINSZ, &size);
}

/* Reads resize lines; returns 0 at end of file. */
static int read_control(int master) {
    static char line[64];
    static size_t used = 0;
    ssize_t got = read(CONTROL_FD, line + used, sizeof line - 1 - used);
    if (got <= 0) return got < 0 && errno == EINTR;
    used += (size_t)got;
    line[used] = '\0';
    for (char *end; (end = strchr(line, '\n')) != NULL;) {
        int columns, rows;
        if (sscanf(line, "%d %d", &columns, &rows) == 2) resize(master, columns, rows);
        used -= (size_t)(end + 1 - line);
        memmove(line, end + 1, used + 1);
    }
    if (used == sizeof line - 1) used = 0;
    return 1;
}

/* Copies what is there; returns 0 when the source has ended. */
static int copy(int from, int to) {
    char buffer[16384];
    ssize_t got = read(from, buffer, sizeof buffer);
    if (got < 0 && (errno == EINTR || errno == EAGAIN)) return 1;
    if (got <= 0) return 0;
    return write_all(to, buffer, (size_t)got) == 0;
}

static void type_end_of_file(int master) {
    struct termios settings;
    char end = 4;
    if (tcgetattr(master, &settings) == 0) end = (char)settings.c_cc[VEOF];
    write_all(master, &end, 1);
}

static int exit_code(int status) {
    return WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
}

int main(int argc, char **argv) {
    if (argc < 5 || strcmp(argv[3], "--") != 0) {
        fprintf(stderr, "usage: pty COLUMNS ROWS -- PROGRAM ARGS...\n");
        return 125;
    }
    int wake[2];
    if (pipe2(wake, O_CLOEXEC | O_NONBLOCK) < 0) {
        perror("pty: pipe");
        return 125;
    }
    child_fd = wake[1];
    struct sigaction action = {.sa_handler = on_child, .sa_flags = SA_NOCLDSTOP};
    sigaction(SIGCHLD, &action, NULL);
    struct sigaction hangup = {.sa_handler = on_hangup};
    sigaction(SIGHUP, &hangup, NULL);
    signal(SIGPIPE, SIG_IGN);

    struct winsize size = {.ws_col = (unsigned short)atoi(argv[1]), .ws_row = (unsigned short)atoi(argv[2])};
    int master;
    pid_t child = forkpty(&master, NULL, NULL, size.ws_col > 0 && size.ws_row > 0 ? &size : NULL);
    if (child < 0) {
        perror("pty: forkpty");
        return 125;
    }
    if (child == 0) {
        signal(SIGPIPE, SIG_DFL);
        signal(SIGHUP, SIG_DFL);
        close(CONTROL_FD);
        execvp(argv[4], argv + 4);
        perror(argv[4]);
        _exit(errno == ENOENT ? 127 : 126);
    }
    fcntl(master, F_SETFD, FD_CLOEXEC);

    struct pollfd polled[4] = {
        {.fd = STDIN_FILENO, .events = POLLIN},
        {.fd = master, .events = POLLIN},
        {.fd = CONTROL_FD, .events = POLLIN},
        {.fd = wake[0], .events = POLLIN},
    };
    int status = 0;
    int ended = 0;
    while (polled[1].fd >= 0) {
        /* After the program's end only what is still in the terminal is copied. */
        int ready = poll(polled, 4, ended ? 50 : -1);
        if (ready < 0 && errno != EINTR) break;
        if (ready == 0 && ended) break;
        if (ready <= 0) continue;
        if (polled[1].revents != 0 && !copy(master, STDOUT_FILENO)) polled[1].fd = -1;
        if (polled[0].revents != 0 && !copy(STDIN_FILENO, master)) {
            type_end_of_file(master);
            polled[0].fd = -1;
        }
        if (polled[2].revents != 0 && !read_control(master)) polled[2].fd = -1;
        if (polled[3].revents != 0) {
            char drain[16];
            while (read(wake[0], drain, sizeof drain) > 0) {
            }
            if (!ended && waitpid(child, &status, WNOHANG) == child) ended = 1;
        }
    }
    if (!ended) {
        close(master);
        while (waitpid(child, &status, 0) < 0 && errno == EINTR) {
        }
    }
    return exit_code(status);
}
