/* Kernel modules, loaded from lists that the image builder has already put in dependency order. */
#ifndef WHERRY_INIT_MODULES_H
#define WHERRY_INIT_MODULES_H

#include "base.h"

/* Loads one module; one already loaded, or whose device is not there, is no failure. Waits while another loads it. */
int load_module(const char *path, struct failure *err);

/* Loads every module named in a list file (one absolute path a line). A module already loaded is no failure; one that
 * cannot be loaded is reported and the rest still are. Fails only when the list itself cannot be read. */
int load_modules(const char *list_path, struct failure *err);

#endif
