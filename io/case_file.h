/* io/case_file.h - the HDF5 side of a reference case (inputs, outputs, gradients, losses): small named
 * arrays. */
#ifndef FC_CASE_FILE_H
#define FC_CASE_FILE_H
#include "core/tensor.h"

typedef struct fc_case_array {
  char    name[192]; /* below its group: "u", "encoder.layers.0.1.to_v.weight" */
  int     ndim;
  int64_t dim[FC_MAX_DIMS];
  double *x; /* integers and floats alike */
} fc_case_array;

typedef struct fc_case_file fc_case_file;

fc_status fc_case_open(const char *path, fc_case_file **out);
void      fc_case_close(fc_case_file *f); /* also frees what was read; NULL is fine */
bool      fc_case_has(const fc_case_file *f, const char *name);
/* one data set, e.g. "/output/y" */
fc_status fc_case_read(fc_case_file *f, const char *name, const fc_case_array **out);
/* all data sets of a group; n = 0 if the group does not exist */
fc_status fc_case_group(fc_case_file *f, const char *group, int *n, const fc_case_array **out);
#endif
