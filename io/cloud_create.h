/* io/cloud_create.h - private to io/cloud_writer.c and io/cloud_create.c: data sets of a new file of points.
 */
#ifndef FC_CLOUD_CREATE_H
#define FC_CLOUD_CREATE_H
#include "io/cloud_layout.h"
#include "io/cloud_writer.h"

enum { FC_CLOUD_SETS = FC_FIELD_CHANNELS + FC_CLOUD_PARAMS + 2 * FC_CLOUD_FUNCTIONS + 6 };

typedef struct fc_cloud_set {
  hid_t   id;
  int     n; /* numbers per row; 0: rows are numbers */
  hid_t   memory;
  bool    whole;          /* has all its rows from the start */
  int64_t rows;           /* appended so far */
  int64_t total, address; /* of a shared file: rows, where they lie */
} fc_cloud_set;

struct fc_cloud_writer {
  char                *path, *tmp;
  const fc_cloud_spec *spec;
  hid_t                file;
  int                  error; /* the first of the disk, an errno */
  int                  fd;    /* of a shared file, else -1 */
  int                  n;
  int64_t              points;             /* of all samples of a shared file */
  fc_cloud_set         set[FC_CLOUD_SETS]; /* in the order of fc_cloud_build */
};

/* FC_E_USAGE if the specification cannot become a file */
fc_status fc_cloud_spec_check(const fc_cloud_spec *s);
/* groups, attributes and data sets; of a shared file all but the numbers of samples. false: refused */
bool fc_cloud_build(fc_cloud_writer *w);
bool fc_cloud_append(fc_cloud_set *g, int64_t rows, const void *x);
/* rows of a kind (io/cloud_layout.h) of one sample, of all samples of a shared file */
int64_t fc_cloud_rows_of(const fc_cloud_size *z, int rows);
int64_t fc_cloud_total(const fc_cloud_spec *s, int rows);
#endif
