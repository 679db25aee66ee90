/* What clients and the monitor say to each other, as records. The first number is always the request's id. */
#pragma once

enum request_tag {
    REQUEST_CREATE = 100, /* to the spawner only; blob: plan */
    REQUEST_GO = 101,
    REQUEST_STATE = 102,  /* whoever asks (or created) is also told of exits from then on */
    REQUEST_ATTACH = 103, /* n: id, WANTS_… */
    REQUEST_RESIZE = 104, /* n: id, columns, rows; s: exec id or "" */
    REQUEST_KILL = 105,   /* n: id, signal */
    REQUEST_EXEC = 106,   /* n: id; blob: plan of the process */
};

enum answer_tag {
    ANSWER_OK = 200,    /* n: id, then: create, exec: pid; state: pid, terminal, state; */
    ANSWER_ERROR = 201, /* n: id, failure kind, errno; s: text */
    EVENT_EXITED = 210, /* n: 0, exit code, out of memory; s: finished at */
    EVENT_EXEC_EXITED = 211, /* n: 0, exit code; s: exec id */
};

enum failure_kind { FAILED_SETUP = 0, FAILED_NOT_FOUND = 1, FAILED_NOT_EXECUTABLE = 2 };
