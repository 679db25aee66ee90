/*
 * What each layer of an image adds, changes and removes; the folders are unpacked layers, lowest first.
 *
 *   summary LAYER…        {"layer":{…}} for each, {"wasted":{…}} for the largest versions of files that later layers hide
 *   folder PATH LAYER…    {"entry":{…}} for what the last layer did in that folder, with the sums of all beneath
 *   find TEXT LAYER…      {"hit":{…}} for each time that a layer touches a name with that in it; in a path when it has a slash
 *
 * The last line is {"result":{…}} or {"error":{…}}.
 */
#pragma once

/* Returns the exit code. */
int layers_run(int count, char **words);
