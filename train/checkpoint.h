/* train/checkpoint.h - a run in one file (io/store.h): weights by official name, optimiser, counters,
   normalisation, grid, units, options, code version.

   Entries: weights/NAME, ema/NAME, adam_m/NAME, adam_v/NAME arrays; adam_steps by tensor; counters
   [step, position]; best [score]; waited [validations]; clip [fast, slow, count];
   normalisation/{in,out,params}_{mean,std}, of points also {x,function_0,..}; channels/{in,out,..} text
   "name<TAB>unit<TAB>field<TAB>rank<TAB>component" per line; series/.. instead of channels and normalisation
   (train/series_known.c); geometry; texts model, config (YAML), version,
   precision, format. */
#ifndef FC_CHECKPOINT_H
#define FC_CHECKPOINT_H
#include "io/cloud.h"
#include "train/clip.h"
#include "train/network.h"
#include "train/optim.h"
#include "train/series.h"
#include "train/source.h"

#define FC_CHECKPOINT_FORMAT "fieldcast checkpoint 1"

typedef struct fc_saved { /* all but weights and moments */
  fc_settings         settings;
  const fc_model_def *def;
  void               *args; /* owned after fc_checkpoint_read */
  fc_geometry         geo;
  fc_scaling          in, out, params;
  fc_scaling          x, function[FC_CLOUD_FUNCTIONS]; /* points: coordinates, columns of input functions */
  int                 n_functions;
  fc_series_known    *series;         /* owned; columns of a series, NULL for other data */
  int64_t             step, position; /* optimiser steps done; windows consumed */
  fc_clip             clip;           /* averages of the gradient norm */
  double              best;           /* best validation score so far; infinity if none */
  int64_t             waited;         /* validations since then */
  char                version[32], precision[16];
} fc_saved;

/* Replaces path in one piece. o may be NULL (imported weights). previous (may be NULL): the file that was at
   path is kept under this name; at every moment a complete checkpoint exists under path. If ranks share the
   optimiser it is collective: rank 0 lays the file out, every rank writes its part of the moments where it
   belongs, and the file takes its name when all have. Its bytes do not tell how many ranks wrote it. */
fc_status fc_checkpoint_write(const char *path, const char *previous, const fc_saved *k, const fc_network *n,
                              fc_optim *o);

/* Everything but arrays of the model. FC_E_INPUT if path is no checkpoint or holds an unknown model. */
fc_status fc_checkpoint_read(const char *path, fc_saved *k);
void      fc_checkpoint_free(fc_saved *k); /* args and series */
/* Weights into n by name. average: the averaged weights where the file has them; *averaged says so (may be
 * NULL). */
fc_status fc_checkpoint_weights(const char *path, const fc_network *n, bool average, bool *averaged);
/* moments and step counts of the optimiser of n, of this rank's part if it is shared; FC_E_MISMATCH if the
   file has none */
fc_status fc_checkpoint_optim(const char *path, const fc_network *n, fc_optim *o);
#endif
