/* train/loader.h - batches in shuffled order, an endless stream: epoch after epoch, each a Philox
   permutation of all windows keyed by (seed, epoch). The position in the stream is one counter, so
   resuming needs nothing else. A batch may cross the end of an epoch; all batches have one size.

   When the windows are not in memory a thread reads the next batch while the present one is used.
   HDF5 is not thread safe: call fc_loader_quiet before any other use of HDF5. */
#ifndef FC_LOADER_H
#define FC_LOADER_H
#include "train/windows.h"

typedef struct fc_loader fc_loader;

typedef struct fc_load {
  fc_real *input,
      *target; /* [n, n_in, X.., C_in], [n, n_target, X.., C_out], normalised; the caller may change them */
  fc_real *params;   /* [n, p] */
  int64_t  n, first; /* this rank's windows, and where they stand in the whole batch */
} fc_load;

/* batch: windows over all ranks; this rank gets its share by fc_comm_block. windows must outlive the loader.
 */
fc_status fc_loader_create(fc_windows *w, int64_t batch, uint64_t seed, fc_loader **out);
void      fc_loader_destroy(fc_loader *l);
int64_t   fc_loader_bytes(const fc_windows *w, int64_t batch);

void    fc_loader_seek(fc_loader *l, int64_t position); /* windows consumed so far, over all ranks */
int64_t fc_loader_position(const fc_loader *l);
/* the next batch, valid until the next call */
fc_status fc_loader_next(fc_loader *l, fc_load *out);
void fc_loader_quiet(fc_loader *l); /* returns when the thread is idle; it stays so until fc_loader_next */
#endif
