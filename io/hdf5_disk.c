/* io/hdf5_disk.c - an HDF5 file driver for new files that survives a full disk. HDF5 1.10 cannot close
   a file whose last bytes it cannot write: the file stays half open and the program crashes at exit. This
   driver keeps the first error for us and lets HDF5 believe that all went well; the file is thrown away. */
#include "io/hdf5_util.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

typedef struct disk_info {
  int *error;
} disk_info; /* travels in the file access list */
typedef struct disk_file {
  H5FD_t  pub; /* must be first */
  int     fd;
  haddr_t eoa, eof; /* allocated by HDF5; written so far */
  int    *error;
} disk_file;

static H5FD_t *disk_open(const char *name, unsigned flags, hid_t fapl, haddr_t maxaddr) {
  const disk_info *info = H5Pget_driver_info(fapl);
  disk_file       *f    = calloc(1, sizeof *f);

  (void)maxaddr, (void)flags; /* only ever used to create */
  if (!f || !info) goto fail;
  f->error = info->error;
  f->fd    = open(name, O_RDWR | O_CREAT | O_TRUNC, 0666);
  if (f->fd >= 0) return &f->pub;
  *f->error = errno;
fail:
  free(f);
  return NULL;
}

static void note(disk_file *f, int error) {
  if (!*f->error) *f->error = error ? error : EIO;
}

static herr_t disk_close(H5FD_t *pub) {
  disk_file *f = (disk_file *)pub;

  if (close(f->fd)) note(f, errno);
  free(f);
  return 0;
}

static herr_t disk_query(const H5FD_t *pub, unsigned long *flags) {
  (void)pub;
  *flags = H5FD_FEAT_AGGREGATE_METADATA | H5FD_FEAT_ACCUMULATE_METADATA | H5FD_FEAT_DATA_SIEVE |
           H5FD_FEAT_AGGREGATE_SMALLDATA | H5FD_FEAT_DEFAULT_VFD_COMPATIBLE;
  return 0;
}

static haddr_t get_eoa(const H5FD_t *pub, H5FD_mem_t type) {
  (void)type;
  return ((const disk_file *)pub)->eoa;
}

static herr_t set_eoa(H5FD_t *pub, H5FD_mem_t type, haddr_t addr) {
  (void)type;
  ((disk_file *)pub)->eoa = addr;
  return 0;
}

static haddr_t get_eof(const H5FD_t *pub, H5FD_mem_t type) {
  (void)type;
  return ((const disk_file *)pub)->eof;
}

/* What was never written reads as zeros. */
static herr_t disk_read(H5FD_t *pub, H5FD_mem_t type, hid_t dxpl, haddr_t addr, size_t size, void *buffer) {
  disk_file *f  = (disk_file *)pub;
  char      *to = buffer;

  (void)type, (void)dxpl;
  while (size > 0) {
    const ssize_t n = pread(f->fd, to, size, (off_t)addr);
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) note(f, errno);
    if (n <= 0) break;
    to += n, addr += (haddr_t)n, size -= (size_t)n;
  }
  memset(to, 0, size);
  return 0;
}

static herr_t disk_write(H5FD_t *pub, H5FD_mem_t type, hid_t dxpl, haddr_t addr, size_t size,
                         const void *buffer) {
  disk_file  *f    = (disk_file *)pub;
  const char *from = buffer;

  (void)type, (void)dxpl;
  if (addr + size > f->eof) f->eof = addr + size;
  while (size > 0 && !*f->error) {
    const ssize_t n = pwrite(f->fd, from, size, (off_t)addr);
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0)
      note(f, n < 0 ? errno : ENOSPC);
    else
      from += n, addr += (haddr_t)n, size -= (size_t)n;
  }
  return 0;
}

static herr_t disk_truncate(H5FD_t *pub, hid_t dxpl, hbool_t closing) {
  disk_file *f = (disk_file *)pub;

  (void)dxpl, (void)closing;
  if (f->eoa == f->eof) return 0;
  if (!*f->error && ftruncate(f->fd, (off_t)f->eoa)) note(f, errno);
  f->eof = f->eoa;
  return 0;
}

static const H5FD_class_t disk = {.name      = "fieldcast_disk",
                                  .maxaddr   = ((haddr_t)1 << 62),
                                  .fc_degree = H5F_CLOSE_WEAK,
                                  .fapl_size = sizeof(disk_info),
                                  .open      = disk_open,
                                  .close     = disk_close,
                                  .query     = disk_query,
                                  .get_eoa   = get_eoa,
                                  .set_eoa   = set_eoa,
                                  .get_eof   = get_eof,
                                  .read      = disk_read,
                                  .write     = disk_write,
                                  .truncate  = disk_truncate,
                                  .fl_map    = H5FD_FLMAP_DICHOTOMY};

hid_t fc_h5_create(const char *path, int *error) {
  static hid_t    driver = -1;
  const disk_info info   = {error};

  if (driver < 0 || H5Iget_type(driver) != H5I_VFL) driver = H5FDregister(&disk);
  const hid_t access = H5Pcreate(H5P_FILE_ACCESS);
  H5Pset_driver(access, driver, &info);
  const hid_t file = H5Fcreate(path, H5F_ACC_TRUNC, H5P_DEFAULT, access);
  fc_h5_close(access);
  return file;
}
