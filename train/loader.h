/* train/loader.h - batches in shuffled order, an endless stream: epoch after epoch, each a Philox
   permutation of all items of a feed keyed by (seed, epoch). The position in the stream is one counter, so
   resuming needs nothing else. A batch may cross the end of an epoch; all batches have one number of items.

   When the items are not in memory a thread reads the next batch while the present one is used.
   HDF5 is not thread safe: call fc_loader_quiet before any other use of HDF5. */
#ifndef FC_LOADER_H
#define FC_LOADER_H
#include "train/feed.h"

typedef struct fc_loader fc_loader;

typedef struct fc_load {
  void   *batch;    /* in the form of the feed; the caller may change it */
  int64_t n, first; /* this rank's items, and where they stand in the whole batch */
} fc_load;

/* batch: items over all ranks; this rank gets its share by fc_comm_block, ranks of
   one domain the same. The feed must outlive the loader.
 */
fc_status fc_loader_create(const fc_feed *f, int64_t batch, uint64_t seed, fc_loader **out);
void      fc_loader_destroy(fc_loader *l);
int64_t   fc_loader_bytes(const fc_feed *f, int64_t batch);

void    fc_loader_seek(fc_loader *l, int64_t position); /* items consumed so far, over all ranks */
int64_t fc_loader_position(const fc_loader *l);
/* the next batch, valid until the next call */
fc_status fc_loader_next(fc_loader *l, fc_load *out);
void fc_loader_quiet(fc_loader *l); /* returns when the thread is idle; it stays so until fc_loader_next */
#endif
