/* io/hdf5_put.c */
#include "io/hdf5_put.h"

static bool put(hid_t at, const char *name, hid_t type, hid_t space, const void *x) {
  const hid_t a  = H5Acreate2(at, name, type, space, H5P_DEFAULT, H5P_DEFAULT);
  const bool  ok = a >= 0 && H5Awrite(a, type, x) >= 0;

  fc_h5_close(a);
  fc_h5_close(space);
  return ok;
}

static hid_t text_type(void) {
  const hid_t t = H5Tcopy(H5T_C_S1);
  H5Tset_size(t, H5T_VARIABLE);
  H5Tset_cset(t, H5T_CSET_UTF8);
  return t;
}

bool fc_h5_put_text(hid_t at, const char *name, const char *text) {
  const hid_t t  = text_type();
  const bool  ok = put(at, name, t, H5Screate(H5S_SCALAR), &text);
  fc_h5_close(t);
  return ok;
}

bool fc_h5_put_texts(hid_t at, const char *name, int n, const char *const *texts) {
  const hsize_t len = (hsize_t)n;
  const hid_t   t = n ? text_type() : H5Tcopy(H5T_NATIVE_DOUBLE), space = H5Screate_simple(1, &len, NULL);
  const double  none = 0;
  const bool    ok   = put(at, name, t, space, n ? (const void *)texts : &none);
  fc_h5_close(t);
  return ok;
}

hid_t fc_h5_flag_type(void) {
  const hid_t       t  = H5Tenum_create(H5T_STD_I8LE);
  const signed char no = 0, yes = 1;
  H5Tenum_insert(t, "FALSE", &no);
  H5Tenum_insert(t, "TRUE", &yes);
  return t;
}

bool fc_h5_put_flags(hid_t at, const char *name, int n, const signed char *x) {
  const hsize_t len = (hsize_t)n;
  const hid_t   t   = fc_h5_flag_type();
  const bool    ok  = put(at, name, t, n ? H5Screate_simple(1, &len, NULL) : H5Screate(H5S_SCALAR), x);
  fc_h5_close(t);
  return ok;
}

bool fc_h5_put_int(hid_t at, const char *name, int64_t x) {
  return put(at, name, H5T_NATIVE_INT64, H5Screate(H5S_SCALAR), &x);
}

bool fc_h5_put_real(hid_t at, const char *name, double x) {
  return put(at, name, H5T_NATIVE_DOUBLE, H5Screate(H5S_SCALAR), &x);
}

const char *fc_h5_unit(const char *unit) { return unit && unit[0] ? unit : "1"; }
