/* cli/info.h - 'fieldcast info': each kind of file fills a JSON report in a file of its own;
   the report is printed for people or, with --json, for machines. */
#ifndef FC_INFO_H
#define FC_INFO_H
#include "cli/cli.h"

#include <jansson.h>

typedef struct fc_info_options {
  bool statistics;
} fc_info_options;

/* Fills out, in which "file" is set already; the first thing each sets is "kind". Broken files fail with
 * FC_E_INPUT. */
typedef fc_status fc_info_kind(const char *path, const fc_info_options *o, json_t *out);
fc_info_kind      fc_info_hdf5, fc_info_safetensors, fc_info_csv, fc_info_npy, fc_info_png, fc_info_json,
    fc_info_yaml, fc_info_xml, fc_info_raw, fc_info_folder;
/* a data set of fields, or of points, in one or many files; also used for folders */
fc_info_kind fc_info_fields, fc_info_cloud;
fc_info_kind fc_info_series; /* a table or HDF5 file */

/* text that is not UTF-8 is shown with '?'; numbers that are not finite become null */
void fc_info_text(json_t *o, const char *key, const char *text);
void fc_info_real(json_t *o, const char *key, double x);
void fc_info_int(json_t *o, const char *key, int64_t x);
void fc_info_shape(json_t *o, const char *key, int n, const int64_t *dim);

void fc_info_print(const json_t *report);
#endif
