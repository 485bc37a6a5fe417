/* io/field_plain.h - private to io/field_plain*.c: bare data sets as they were found. */
#ifndef FC_FIELD_PLAIN_H
#define FC_FIELD_PLAIN_H
#include "io/field_layout.h"

enum { FC_PLAIN_T = 3, FC_PLAIN_COORDINATES = 4, FC_PLAIN_AXES = 5 };
extern const char *const fc_plain_coordinates[FC_PLAIN_COORDINATES]; /* x, y, z, t */

typedef struct fc_plain_set {
  char    name[FC_NAME];
  int     rank;
  int64_t dim[FC_H5_RANK];
  char    axes[FC_PLAIN_AXES + 1]; /* of fields: letters of fc_var, once known */
} fc_plain_set;

typedef struct fc_plain {
  int          n, n_vectors, n_scalars;
  fc_plain_set field[FC_FIELD_CHANNELS], vector[FC_FIELD_CHANNELS], scalar[FC_FIELD_CHANNELS];
  int64_t      length[FC_PLAIN_COORDINATES]; /* 0: there is no such coordinate */
  int64_t      samples;                      /* 0: not known */
  int          groups;                       /* at the root */
  bool         points, many; /* a name that means coordinates of points; more data sets than there is room */
  char         bad[FC_NAME]; /* numbers that cannot be read, for the message */
} fc_plain;

/* field[i].axes and samples from the shapes. FC_E_INPUT says what is to be added. */
fc_status fc_plain_axes(fc_plain *s, const char *path);
bool      fc_plain_has_coordinates(const fc_plain *s);
#endif
