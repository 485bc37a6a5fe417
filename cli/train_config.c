/* cli/train_config.c */
#include "cli/train_config.h"

#include <string.h>

void fc_default_folder(const char *config, char *out, size_t size) {
  const char *base = strrchr(config, '/') ? strrchr(config, '/') + 1 : config;
  const char *dot  = strrchr(base, '.');

  snprintf(out, size, "runs/%.*s", (int)(dot && dot > base ? dot - base : (long)strlen(base)), base);
}

fc_status fc_load_config(const char *path, const fc_list *set, fc_config **out) {
  FC_TRY(fc_config_load(path, out));
  for (int i = 0; i < set->n; i++) {
    const fc_status s = fc_config_set(*out, set->v[i]);
    if (s == FC_OK) continue;
    fc_config_destroy(*out);
    return s;
  }
  return FC_OK;
}
