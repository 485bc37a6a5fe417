/* io/store_file.h - what is behind fc_store; for io/store*.c alone; the sum also for io/state_file.c. */
#ifndef FC_STORE_FILE_H
#define FC_STORE_FILE_H
#include "io/store.h"

#include <hdf5.h>
#include <stdio.h>

enum { FC_STORE_VERSION = 1, FC_STORE_DIMS = 8 };

#ifdef FC_DOUBLE
#define FC_STORE_NATIVE H5T_NATIVE_DOUBLE
#define FC_STORE_REAL   H5T_IEEE_F64LE
#else
#define FC_STORE_NATIVE H5T_NATIVE_FLOAT
#define FC_STORE_REAL   H5T_IEEE_F32LE
#endif

struct fc_store {
  char *path, *tmp; /* tmp: PATH.tmp while it is written, else NULL */
  hid_t file;
  bool  failed; /* something is missing, there will be no file */
  int   error;  /* the first of the disk, an errno */
};

/* A store without file. HDF5 prints no errors of its own until the last store is freed. */
fc_status fc_store_new(const char *path, bool writing, fc_store **out);
/* io/store_sum.c: 16 bytes behind those of the file; *found: there are such. A file that has them says so in
   its attribute fieldcast_sum, so that their absence is a cut. The file is read back: what the sum vouches
   for is what arrived. An errno, or 0. */
int       fc_store_put_sum(const char *file);
uint64_t  fc_store_sum(const void *bytes, size_t n); /* of memory, for files of other kinds */
fc_status fc_store_check_sum(const char *path, FILE *f, bool *found); /* FC_E_INPUT: it does not fit */
#endif
