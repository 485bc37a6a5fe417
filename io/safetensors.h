/* io/safetensors.h - weights by official state_dict name. Every rule of the format is enforced
   on reading (header bounds, no holes, no overlaps, sizes, duplicates). */
#ifndef FC_SAFETENSORS_H
#define FC_SAFETENSORS_H
#include "core/params.h"

typedef struct fc_safetensor { /* one entry of a file */
  const char *name, *dtype;
  int         ndim;
  int64_t     dim[8];
  int64_t     begin, end; /* bytes from the start of the data */
} fc_safetensor;

typedef struct fc_safetensors fc_safetensors;

fc_status fc_safetensors_open(const char *path, fc_safetensors **out); /* header checked, data not read */
void      fc_safetensors_close(fc_safetensors *s);
int       fc_safetensors_size(const fc_safetensors *s);
const fc_safetensor *fc_safetensors_at(const fc_safetensors *s, int i); /* in the order of the data */
/* text of __metadata__ as "key: value" lines, "" if none */
const char *fc_safetensors_metadata(const fc_safetensors *s);
/* numbers of entry i as fc_real: F64 F32 F16 BF16, integers and BOOL; C64 as pairs, so x holds twice as many.
   Other types are listed but not read: FC_E_INPUT. */
fc_status fc_safetensors_read(const fc_safetensors *s, int i, fc_real *x);

typedef struct fc_weights_report {
  int loaded, missing, unexpected;
} fc_weights_report;

/* Copies every tensor into p by name (or alias; a leading "module." is ignored). Strict: FC_E_MISMATCH names
   the first missing, unexpected or misshapen tensor and what was expected, and no weight has changed.
   Formula parameters may be missing. Not strict: missing and unexpected ones are counted only; shapes must
   fit all the same. A C64 entry of shape S fits a parameter of shape S + [2], as does a real one of that
   shape. A tensor stored under several of its names must be the same numbers each time. report may be NULL.
 */
fc_status fc_weights_load(const char *path, fc_params *p, bool strict, fc_weights_report *report);
/* Byte for byte what the official writer makes: sorted by name, header padded to 8, {"format":"pt"} in the
   metadata. Always F32, in the double build too; names of other versions (fc_param_alias) are not written.
   Complex weights as pairs, for readers that do not know C64: the metadata list their names, with commas,
   under "complex_as_real_pairs". */
fc_status fc_weights_save(const char *path, const fc_params *p);
#endif
