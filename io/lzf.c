/* io/lzf.c - HDF5 filter 32000: LZF, as h5py and with it PDEBench use it. The compressor is
   liblzf; a program linked to static HDF5 cannot load filter plugins, so ours is registered.
   Client data: filter revision, LZF version, bytes of an uncompressed chunk. */
#include "io/hdf5_util.h"

#include <errno.h>
#include <lzf.h>
#include <stdlib.h>

enum { LZF_FILTER = 32000, REVISION = 4 };
static const size_t LARGEST = (size_t)1 << 31; /* of a chunk; HDF5 itself allows 4 GiB */

/* Tells the reader how large a chunk becomes. */
static herr_t set_local(hid_t dcpl, hid_t type, hid_t space) {
  unsigned     flags, values[8] = {0};
  size_t       n = 8;
  hsize_t      chunk[H5S_MAX_RANK];
  const int    rank  = H5Pget_chunk(dcpl, H5S_MAX_RANK, chunk);
  const size_t size  = H5Tget_size(type);
  size_t       bytes = size;

  (void)space;
  if (rank < 0 || !size || H5Pget_filter_by_id2(dcpl, LZF_FILTER, &flags, &n, values, 0, NULL, NULL) < 0)
    return -1;
  for (int i = 0; i < rank; i++) bytes *= chunk[i];
  if (bytes > LARGEST) return -1;
  values[0] = REVISION;
  values[1] = LZF_VERSION;
  values[2] = (unsigned)bytes;
  return H5Pmodify_filter(dcpl, LZF_FILTER, flags, 3, values);
}

/* The size in the client data is a hint: other writers leave it out, so the buffer grows until it fits. */
static size_t expand(size_t nbytes, size_t hint, size_t *capacity, void **buf) {
  for (size_t room = hint ? hint : 4 * nbytes; room && room <= LARGEST; room *= 2) {
    void *out = malloc(room);
    if (!out) return 0;
    errno              = 0;
    const unsigned got = lzf_decompress(*buf, (unsigned)nbytes, out, (unsigned)room);
    if (got) {
      free(*buf);
      *buf      = out;
      *capacity = room;
      return got;
    }
    free(out);
    if (errno != E2BIG) return 0;
  }
  return 0;
}

/* The filter is optional: a chunk that does not shrink is stored as it is. */
static size_t shrink(size_t nbytes, size_t *capacity, void **buf) {
  void *out = malloc(nbytes);
  if (!out) return 0;
  const unsigned got = lzf_compress(*buf, (unsigned)nbytes, out, (unsigned)nbytes);
  if (!got) {
    free(out);
    return 0;
  }
  free(*buf);
  *buf      = out;
  *capacity = nbytes;
  return got;
}

static size_t filter(unsigned flags, size_t n_values, const unsigned values[], size_t nbytes,
                     size_t *capacity, void **buf) {
  if (!nbytes || nbytes > LARGEST) return 0;
  if (flags & H5Z_FLAG_REVERSE) return expand(nbytes, n_values >= 3 ? values[2] : 0, capacity, buf);
  return shrink(nbytes, capacity, buf);
}

void fc_lzf_register(void) {
  static const H5Z_class2_t lzf  = {H5Z_CLASS_T_VERS, LZF_FILTER, 1, 1, "lzf", NULL, set_local, filter};
  static bool               done = false;

  if (!done) done = H5Zregister(&lzf) >= 0;
}
