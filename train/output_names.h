/* train/output_names.h - what -o OUT stands for: a folder, or NAME.hdf5 with everything else beside it. */
#ifndef FC_OUTPUT_NAMES_H
#define FC_OUTPUT_NAMES_H
#include "core/options.h"

typedef struct fc_output_names {
  char file[FC_TEXT + 32]; /* the predictions: OUT, or OUT/prediction.hdf5 */
  char stem[FC_TEXT + 32]; /* before names of tables and pictures: "NAME-", or "OUT/" */
} fc_output_names;

/* makes the folder if it is one */
fc_status fc_output_names_make(const char *out, fc_output_names *n);
#endif
