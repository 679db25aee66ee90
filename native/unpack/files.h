/*
 * unpack files VIEW… -- stat PATH              what is at PATH, whose last link is not followed unless a slash follows it
 * unpack files VIEW… -- list PATH             what is in the folder PATH, links not followed: {"entry":{…}} for each, up to 10000
 * unpack files VIEW… -- get PATH NAME          its archive on stdout, with NAME for the last part of PATH
 * unpack files VIEW… -- export                 the archive of all of it on stdout
 * unpack files VIEW… -- put PATH [no-replace] [owner UID:GID]
 *                                              unpacks stdin into the folder PATH
 *
 * VIEW is told in view.h. Lines of JSON as in main.c go to descriptor 3: {"found":{…}} for stat and get, then the result or
 * error.
 */
#pragma once

int files_run(int count, char **words);
