/* train/registry.h - the models by name: one line per model in operators/operators.def and
   forecast/forecast.def, plus what a program adds itself. */
#ifndef FC_REGISTRY_H
#define FC_REGISTRY_H
#include "core/model.h"

enum { FC_MODELS_ADDED = 16 };

const fc_model_def *fc_model_find(const char *name); /* NULL if unknown */
const fc_model_def *fc_model_at(int i);              /* NULL past the end */
/* the model, or FC_E_USAGE naming the nearest known one */
fc_status fc_model_need(const char *name, const fc_model_def **out);
/* Makes a model of the caller's program known under its name (at most FC_MODELS_ADDED). def must outlive
   every use. Not for use while other threads look models up. */
void fc_model_add(const fc_model_def *def);
#endif
