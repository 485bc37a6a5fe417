/* io/hdf5_list.h - everything in an HDF5 file, for 'fieldcast info'. */
#ifndef FC_HDF5_LIST_H
#define FC_HDF5_LIST_H
#include "io/hdf5_util.h"

typedef struct fc_h5_entry {
  const char *name; /* path without the leading slash */
  const char *type; /* "float32", "int64", "text", "complex or compound", ... */
  int         rank;
  int64_t     dim[FC_H5_RANK]; /* the first axes if there are more */
  char       *text;            /* value of a scalar text, valid during the call; else NULL */
} fc_h5_entry;

/* Calls visit for every data set, alphabetically; FC_E_INPUT if the file is damaged, else what visit returns.
 */
fc_status fc_h5_list(hid_t file, const char *path, fc_status (*visit)(void *user, const fc_h5_entry *e),
                     void *user);
#endif
