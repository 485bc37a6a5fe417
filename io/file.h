/* io/file.h - write to a temporary name, then rename: a file under its own name is always complete. */
#ifndef FC_FILE_H
#define FC_FILE_H
#include "core/base.h"

#include <stdio.h>

bool      fc_file_exists(const char *path);
fc_status fc_make_folder(const char *path); /* with its parents; fine if it exists */
/* FC_E_SYSTEM if path exists and is no plain file: to be asked before long work whose result goes there */
fc_status fc_file_check_target(const char *path);
/* opens PATH.tmp; commit flushes, fsyncs and renames to PATH, and fails if any write failed */
fc_status fc_file_begin(const char *path, FILE **out);
fc_status fc_file_commit(const char *path,
                         FILE       *f); /* f is closed whatever is returned; on failure PATH is as before */
void      fc_file_abandon(const char *path, FILE *f); /* closes f, removes PATH.tmp; NULL is fine */
/* fsync, rename, fsync the folder; on failure path is as before and tmp is gone. Only plain files are
 * replaced. */
fc_status fc_file_replace(const char *tmp, const char *path);
/* bytes of x at a place of an open file; 0, or the errno of what went wrong */
int       fc_file_put(int fd, const void *x, int64_t bytes, int64_t at);
fc_status fc_file_read(const char *path, size_t limit, char **text, size_t *bytes); /* NUL added; free() it */
#endif
