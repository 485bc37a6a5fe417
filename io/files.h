/* io/files.h - which files a path stands for: one, those of a folder, or those that fit a pattern. */
#ifndef FC_FILES_H
#define FC_FILES_H
#include "core/base.h"

#include <glob.h>

/* The files, sorted by name; none (gl_pathc = 0) if path is meant as the name of one file. endings: patterns
   with blanks between, "*.hdf5 *.h5", that a folder is searched for; of a data set folder data/train or train
   serves as well. FC_E_INPUT: nothing fits. globfree(out) afterwards, whatever is returned. */
fc_status fc_files_list(const char *path, const char *endings, glob_t *out);
#endif
