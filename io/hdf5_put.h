/* io/hdf5_put.h - attributes as h5py writes them, which The Well's own checker insists on: booleans are
   enumerations of int8, texts variable-length UTF-8, an empty list is float64 of shape (0). False: refused.
 */
#ifndef FC_HDF5_PUT_H
#define FC_HDF5_PUT_H
#include "io/hdf5_util.h"

bool        fc_h5_put_text(hid_t at, const char *name, const char *text);
bool        fc_h5_put_texts(hid_t at, const char *name, int n, const char *const *texts);
bool        fc_h5_put_flags(hid_t at, const char *name, int n, const signed char *x); /* n == 0: a scalar */
bool        fc_h5_put_int(hid_t at, const char *name, int64_t x);
bool        fc_h5_put_real(hid_t at, const char *name, double x);
hid_t       fc_h5_flag_type(void);        /* the enumeration; close it */
const char *fc_h5_unit(const char *unit); /* "1" for a number without unit */
#endif
