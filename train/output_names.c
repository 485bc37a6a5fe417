/* train/output_names.c */
#include "train/output_names.h"

#include "io/file.h"

#include <string.h>

fc_status fc_output_names_make(const char *out, fc_output_names *n) {
  const char  *dot    = strrchr(out, '.');
  const size_t length = strlen(out);

  FC_REQUIRE(length && length < FC_TEXT, FC_E_USAGE, "-o names the output: a folder, or NAME.hdf5");
  if (dot && (!strcmp(dot, ".hdf5") || !strcmp(dot, ".h5"))) {
    snprintf(n->file, sizeof n->file, "%s", out);
    snprintf(n->stem, sizeof n->stem, "%.*s-", (int)(dot - out), out);
    return FC_OK;
  }
  snprintf(n->file, sizeof n->file, "%s/prediction.hdf5", out);
  snprintf(n->stem, sizeof n->stem, "%s/", out);
  return fc_make_folder(out);
}
