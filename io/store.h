/* io/store.h - named arrays and texts in one HDF5 file, replaced in one piece: written to PATH.tmp, summed,
   fsynced, renamed. The same calls with the same numbers give the same bytes. Checkpoints are stores. A name
   may have groups before it ("weights/head.bias"). While a store is open HDF5 prints no errors of its own. */
#ifndef FC_STORE_H
#define FC_STORE_H
#include "core/base.h"

typedef struct fc_store fc_store;

fc_status fc_store_create(const char *path, fc_store **out);
/* at most 8 axes; stored as float32 (float64 in the double build) */
fc_status fc_store_put_reals(fc_store *s, const char *name, int ndim, const int64_t *dim, const fc_real *x);
fc_status fc_store_put_doubles(fc_store *s, const char *name, int64_t n, const double *x);
fc_status fc_store_put_ints(fc_store *s, const char *name, int64_t n, const int64_t *x);
fc_status fc_store_put_text(fc_store *s, const char *name, const char *text);
/* Room for an array whose numbers come later, from whichever ranks have them: *at, where in the file. seal
   writes all else, then any rank puts pieces to their places in the file that will be path, then comes
   commit. */
fc_status fc_store_reserve_reals(fc_store *s, const char *name, int ndim, const int64_t *dim, int64_t *at);
fc_status fc_store_seal(fc_store *s);
typedef struct fc_store_piece {
  int64_t        at, n; /* byte in the file; numbers */
  const fc_real *x;
} fc_store_piece;
fc_status fc_store_fill(const char *path, int n, const fc_store_piece *piece);
fc_status fc_store_commit(fc_store *s);  /* makes it the file; s is gone whatever is returned */
void      fc_store_abandon(fc_store *s); /* also closes a store opened for reading; NULL is fine */

/* FC_E_INPUT: missing, truncated or not a store, in words */
fc_status fc_store_open(const char *path, fc_store **out);
bool      fc_store_has(const fc_store *s, const char *name);
fc_status fc_store_shape(const fc_store *s, const char *name, int *ndim, int64_t *dim); /* dim[8] */
/* the length must be exactly n */
fc_status fc_store_get_reals(const fc_store *s, const char *name, int64_t n, fc_real *x);
/* rows first .. first + n - 1 of its first axis, with all the others */
fc_status fc_store_get_rows(const fc_store *s, const char *name, int64_t first, int64_t n, fc_real *x);
fc_status fc_store_get_doubles(const fc_store *s, const char *name, int64_t n, double *x);
fc_status fc_store_get_ints(const fc_store *s, const char *name, int64_t n, int64_t *x);
fc_status fc_store_get_text(const fc_store *s, const char *name, char **out); /* free() it */
/* calls visit with the full name of every array below the group ("" for all), sorted by name, texts included
   (ndim 0); stops at the first failure. No such group: no calls. */
fc_status fc_store_each(const fc_store *s, const char *group,
                        fc_status (*visit)(void *user, const char *name, int ndim, const int64_t *dim),
                        void *user);
#endif
