/* io/hdf5_source.c - an HDF5 file driver for reading files that may be damaged. HDF5 1.10 follows the
   object sizes inside a global heap (where variable-length texts live) without checking them, and runs past
   the end of its buffer or in circles. This driver looks at each heap as it is read and refuses a bad one. */
#include "io/hdf5_util.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

typedef struct source {
  H5FD_t  pub; /* must be first */
  int     fd;
  haddr_t eoa, eof; /* what HDF5 believes to be there; what is */
} source;

/* ---- global heaps: HDF5 File Format Specification 3.0, section III.E, with 8-byte lengths ---- */
enum { HEAD = 16, SMALLEST = 4096 };

static uint64_t u64(const unsigned char *p) {
  uint64_t x = 0;
  for (int i = 7; i >= 0; i--) x = x << 8 | p[i];
  return x;
}

/* Objects follow each other, each with a header of 16 bytes (index, count, -, size) and a size that is
   rounded up to 8; object 0 is the free rest, whose size includes its header. */
static bool sound_heap(const unsigned char *p, size_t n) {
  if (n < HEAD || memcmp(p, "GCOL\1\0\0\0", 8)) return true; /* something else */
  const uint64_t size = u64(p + 8);
  if (size < SMALLEST) return false;
  if (size > n) return true; /* HDF5 now knows its size and will read the whole */
  for (uint64_t at = HEAD; size - at >= HEAD;) {
    const bool     rest = p[at] == 0 && p[at + 1] == 0;
    const uint64_t room = size - at, bytes = u64(p + at + 8);
    if (bytes > room || (rest && bytes < HEAD)) return false;
    const uint64_t need = rest ? bytes : HEAD + (bytes + 7) / 8 * 8;
    if (need > room) return false;
    at += need;
  }
  return true;
}

/* ---- the driver ---- */
static H5FD_t *source_open(const char *name, unsigned flags, hid_t fapl, haddr_t maxaddr) {
  source     *s = calloc(1, sizeof *s);
  struct stat st;

  (void)flags, (void)fapl, (void)maxaddr; /* only ever used to read */
  if (!s) return NULL;
  s->fd = open(name, O_RDONLY | O_CLOEXEC);
  if (s->fd >= 0 && !fstat(s->fd, &st)) {
    s->eof = (haddr_t)st.st_size;
    return &s->pub;
  }
  if (s->fd >= 0) close(s->fd);
  free(s);
  return NULL;
}

static herr_t source_close(H5FD_t *pub) {
  source *s = (source *)pub;

  close(s->fd);
  free(s);
  return 0;
}

static herr_t source_query(const H5FD_t *pub, unsigned long *flags) {
  (void)pub;
  *flags = H5FD_FEAT_DATA_SIEVE | H5FD_FEAT_DEFAULT_VFD_COMPATIBLE;
  return 0;
}

static haddr_t get_eoa(const H5FD_t *pub, H5FD_mem_t type) {
  (void)type;
  return ((const source *)pub)->eoa;
}

static herr_t set_eoa(H5FD_t *pub, H5FD_mem_t type, haddr_t addr) {
  (void)type;
  ((source *)pub)->eoa = addr;
  return 0;
}

static haddr_t get_eof(const H5FD_t *pub, H5FD_mem_t type) {
  (void)type;
  return ((const source *)pub)->eof;
}

/* Beyond the end of the file there are zeros, as for HDF5's own driver. */
static herr_t source_read(H5FD_t *pub, H5FD_mem_t type, hid_t dxpl, haddr_t addr, size_t size, void *buffer) {
  const source *s    = (const source *)pub;
  char         *to   = buffer;
  size_t        left = size;

  (void)type, (void)dxpl;
  while (left > 0) {
    const ssize_t n = pread(s->fd, to, left, (off_t)addr);
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return -1;
    if (n == 0) break;
    to += n, addr += (haddr_t)n, left -= (size_t)n;
  }
  memset(to, 0, left);
  return sound_heap(buffer, size) ? 0 : -1;
}

static herr_t source_write(H5FD_t *pub, H5FD_mem_t type, hid_t dxpl, haddr_t addr, size_t size,
                           const void *buffer) {
  (void)pub, (void)type, (void)dxpl, (void)addr, (void)size, (void)buffer;
  return -1;
}

static const H5FD_class_t driver_class = {.name      = "fieldcast_source",
                                          .maxaddr   = (haddr_t)1 << 62,
                                          .fc_degree = H5F_CLOSE_WEAK,
                                          .open      = source_open,
                                          .close     = source_close,
                                          .query     = source_query,
                                          .get_eoa   = get_eoa,
                                          .set_eoa   = set_eoa,
                                          .get_eof   = get_eof,
                                          .read      = source_read,
                                          .write     = source_write,
                                          .fl_map    = H5FD_FLMAP_DICHOTOMY};

hid_t fc_h5_open_checked(const char *path) {
  static hid_t driver = -1;

  if (driver < 0 || H5Iget_type(driver) != H5I_VFL) driver = H5FDregister(&driver_class);
  const hid_t access = H5Pcreate(H5P_FILE_ACCESS);
  H5Pset_driver(access, driver, NULL);
  const hid_t file = H5Fopen(path, H5F_ACC_RDONLY, access);
  fc_h5_close(access);
  return file;
}
