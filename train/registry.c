/* train/registry.c - both .def lists, included twice: declarations, then the table. */
#include "train/registry.h"

#include <string.h>

#define FC_MODEL(name) extern const fc_model_def fc_model_##name;
#include "forecast/forecast.def"
#include "operators/operators.def"
#undef FC_MODEL

#define FC_MODEL(name) &fc_model_##name,
static const fc_model_def *const built_in[] = {
#include "forecast/forecast.def"
#include "operators/operators.def"
    NULL};
#undef FC_MODEL

static const fc_model_def *added[FC_MODELS_ADDED];
static int                 n_added;

const fc_model_def *fc_model_at(int i) {
  const int n = FC_COUNT(built_in) - 1;

  if (i < 0 || i >= n + n_added) return NULL;
  return i < n ? built_in[i] : added[i - n];
}

const fc_model_def *fc_model_find(const char *name) {
  const fc_model_def *def;

  for (int i = 0; (def = fc_model_at(i)); i++)
    if (!strcmp(def->name, name)) return def;
  return NULL;
}

fc_status fc_model_need(const char *name, const fc_model_def **out) {
  const char         *names[FC_COUNT(built_in) + FC_MODELS_ADDED];
  const fc_model_def *def;
  int                 n = 0;

  *out = fc_model_find(name);
  if (*out) return FC_OK;
  FC_REQUIRE(name[0], FC_E_USAGE, "no model is named; write 'model: NAME' ('fieldcast models' lists them)");
  while ((def = fc_model_at(n))) names[n++] = def->name;
  const char *near = fc_nearest(name, n, names);
  return fc_fail(FC_E_USAGE, "there is no model '%s'%s%s%s; 'fieldcast models' lists them", name,
                 near ? "; did you mean '" : "", near ? near : "", near ? "'" : "");
}

void fc_model_add(const fc_model_def *def) {
  FC_ASSERT(n_added < FC_MODELS_ADDED, "more than %d models added", FC_MODELS_ADDED);
  FC_ASSERT(!fc_model_find(def->name), "a model named %s is already known", def->name);
  added[n_added++] = def;
}
