/* io/hdf5_util.h - small helpers over HDF5 that never print and never trust the file:
   attributes and data sets may be missing, of another type, or of absurd size. */
#ifndef FC_HDF5_UTIL_H
#define FC_HDF5_UTIL_H
#include "io/field.h"

#include <hdf5.h>

enum { FC_H5_RANK = 8 };

/* HDF5 prints its own error stack; it is silenced only while one of our functions runs,
   because the program around us may want to see it. */
typedef struct fc_h5_quiet {
  H5E_auto2_t print;
  void       *data;
} fc_h5_quiet;
fc_h5_quiet fc_h5_hush(void); /* also makes the LZF filter known */
void        fc_h5_unhush(fc_h5_quiet q);

/* Opens for reading. FC_E_INPUT says what is wrong: missing, no permission, a folder, classic netCDF,
   not HDF5, truncated or damaged. */
fc_status fc_h5_open(const char *path, hid_t *out);
/* Creates a file; negative if it cannot. The first error of the disk, then or later, lands in *error (an
   errno; 0 before, and alive until the file is closed), and HDF5 does not hear of it: look before trusting
   the file. */
hid_t fc_h5_create(const char *path, int *error);
/* io/hdf5_source.c: H5Fopen that survives damaged heaps; without the words of fc_h5_open */
hid_t fc_h5_open_checked(const char *path);
void  fc_h5_close(hid_t id); /* of any kind; a negative id is fine */

typedef enum { FC_H5_NOTHING, FC_H5_GROUP, FC_H5_DATASET } fc_h5_kind;
fc_h5_kind fc_h5_what(hid_t at, const char *name); /* name may be a path */
/* names below a group in alphabetical order, stops when visit returns false */
void fc_h5_each(hid_t at, bool (*visit)(void *user, hid_t at, const char *name), void *user);

/* Attributes. A scalar and a one-element array are the same. False: missing or of another kind. */
bool  fc_h5_text(hid_t at, const char *attribute, char *buf, size_t size); /* cut to size */
char *fc_h5_text_new(hid_t at, const char *attribute);                     /* NULL if absent; free() it */
bool  fc_h5_real(hid_t at, const char *attribute, double *x);
bool  fc_h5_flag(hid_t at, const char *attribute, bool *x);
/* lists: how many were found (at most max), 0 for an empty list, -1 if absent or of another kind */
int fc_h5_texts(hid_t at, const char *attribute, int max, char (*out)[FC_NAME]);
int fc_h5_flags(hid_t at, const char *attribute, int max, bool *out);

/* Opens a data set of numbers (integer, float or boolean), checks rank <= FC_H5_RANK and that its size is
   plausible for the file. path and name are for the message. */
fc_status fc_h5_numbers(hid_t at, const char *path, const char *name, hid_t *out, int *rank, int64_t *dim);
/* n values along the last axis from start; the first of two axes is at index lead. FC_E_INPUT if it cannot.
 */
fc_status fc_h5_row(hid_t at, const char *path, const char *name, int64_t lead, int64_t start, int64_t n,
                    double *x);
/* the reason why a data set cannot be read: unknown filter, or damage */
fc_status fc_h5_unreadable(hid_t data_set, const char *path, const char *name);

void fc_lzf_register(void); /* io/lzf.c */
#endif
