/* The monitor of one container. */
#pragma once

/* Takes the connection over: reads the plan from it, and serves until the container has ended. */
_Noreturn void monitor_run(int connection, const char *staging);
