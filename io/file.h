/* io/file.h - write to a temporary name, then rename. */
#ifndef FC_FILE_H
#define FC_FILE_H
#include "core/base.h"

#include <stdio.h>

bool      fc_file_exists(const char *path);
fc_status fc_make_folder(const char *path); /* with its parents; fine if it exists */
/* opens PATH.tmp; commit flushes, fsyncs and renames to PATH, and fails if any write failed */
fc_status fc_file_begin(const char *path, FILE **out);
fc_status fc_file_commit(const char *path, FILE *f);
void      fc_file_abandon(const char *path, FILE *f);
fc_status fc_file_replace(const char *tmp, const char *path); /* fsync, rename, fsync the folder */
fc_status fc_file_read(const char *path, size_t limit, char **text, size_t *bytes); /* NUL added; free() it */
#endif
