/* tests/io/hand_made.h - safetensors files from a header and bytes. */
#ifndef FC_HAND_MADE_H
#define FC_HAND_MADE_H
#include "io/safetensors.h"
#include "tests/check.h"

/* length, header, n bytes of data */
static const char *make(const char *name, const char *header, const void *data, size_t n) {
  const char    *path = check_path(name);
  const uint64_t len  = strlen(header);
  FILE          *f    = fopen(path, "wb");

  fwrite(&len, sizeof len, 1, f);
  fputs(header, f);
  if (n) fwrite(data, 1, n, f);
  fclose(f);
  return path;
}
#endif
