/* cli/info_safetensors.c - weights: tensors, types, shapes, how many numbers. */
#include "cli/info.h"
#include "io/safetensors.h"

static void row(json_t *list, const fc_safetensor *t, int64_t *numbers) {
  json_t *r = json_object();
  int64_t n = 1;

  for (int i = 0; i < t->ndim; i++) n *= t->dim[i];
  *numbers += n;
  fc_info_text(r, "tensor", t->name);
  fc_info_text(r, "type", t->dtype);
  fc_info_shape(r, "shape", t->ndim, t->dim);
  json_array_append_new(list, r);
}

fc_status fc_info_safetensors(const char *path, const fc_info_options *o, json_t *out) {
  fc_safetensors *s;
  int64_t         numbers = 0;

  (void)o;
  fc_info_text(out, "kind", "safetensors");
  FC_TRY(fc_safetensors_open(path, &s));
  json_t *list = json_array();
  for (int i = 0; i < fc_safetensors_size(s); i++) row(list, fc_safetensors_at(s, i), &numbers);
  fc_info_int(out, "tensors", fc_safetensors_size(s));
  fc_info_int(out, "numbers", numbers);
  if (fc_safetensors_metadata(s)[0]) fc_info_text(out, "metadata", fc_safetensors_metadata(s));
  json_object_set_new(out, "contents", list);
  fc_safetensors_close(s);
  return FC_OK;
}
