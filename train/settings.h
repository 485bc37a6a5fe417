/* train/settings.h - what a training configuration holds: the keys 'model', 'args', 'data', 'train'
   and 'job'. */
#ifndef FC_SETTINGS_H
#define FC_SETTINGS_H
#include "core/config.h"
#include "hpc/job.h"
#include "train/registry.h"
#include "train/schedule.h"

/* FC_LOSS_AUTO is decided when the data are opened */
typedef enum {
  FC_LOSS_RELATIVE_L2,
  FC_LOSS_RELATIVE_L2_CHANNELS,
  FC_LOSS_MSE,
  FC_LOSS_MAE,
  FC_LOSS_QUANTILE,
  FC_LOSS_AUTO
} fc_loss_kind;

typedef enum { FC_PREDICT_STATE, FC_PREDICT_INCREMENT } fc_predict_kind;

typedef enum { FC_KIND_AUTO, FC_KIND_GRID, FC_KIND_POINTS, FC_KIND_SERIES } fc_settings_kind;

typedef enum { FC_COORDINATES_STANDARD, FC_COORDINATES_BOX, FC_COORDINATES_NONE } fc_coordinates_kind;

typedef enum { FC_SCALE_COLUMN, FC_SCALE_SERIES } fc_scale_kind;

typedef struct fc_data_settings {
  char    train[FC_TEXT], valid[FC_TEXT], channels[FC_TEXT], inputs[FC_TEXT], params[FC_TEXT];
  double  valid_fraction;
  fc_ints space_stride;
  int64_t frame_stride, window_step, window_out, cache_mb;
  bool    normalize;
  int     predict;           /* FC_PREDICT_STATE, FC_PREDICT_INCREMENT */
  int     kind;              /* fc_settings_kind */
  int     scale_coordinates; /* fc_coordinates_kind */
  char    coordinates[FC_TEXT], functions[FC_TEXT], mask[FC_TEXT], cells[FC_TEXT], times[FC_TEXT];
  int64_t history;
  /* series: lists of columns by their role, where dates and names stand, parts in time */
  char     targets[FC_TEXT], observed[FC_TEXT], known[FC_TEXT], statics[FC_TEXT], categories[FC_TEXT];
  char     ignore[FC_TEXT], date[FC_TEXT], id[FC_TEXT], step[FC_TEXT], split_dates[FC_TEXT];
  int      missing; /* fc_missing_kind */
  bool     sort;
  fc_reals split;
  fc_ints  split_rows;
  fc_ints  split_last;
  char     continued[FC_TEXT], derive[FC_TEXT];
  int      scale; /* fc_scale_kind */
  int64_t  min_lookback;
  char     future[FC_TEXT]; /* no option, set for a forecast: see fc_series_append */
  bool     ahead;           /* no option: columns by formula go on for the horizon */
} fc_data_settings;

typedef enum { FC_DECAY_DECOUPLED, FC_DECAY_COUPLED } fc_decay_kind;

typedef struct fc_train_settings {
  int64_t     steps, epochs, batch, accumulate, out_frames, domain;
  double      weight_decay, beta2, eps, clip, noise, ema, sam_rho;
  int         decay; /* fc_decay_kind */
  char        group_lr[FC_TEXT];
  int64_t     group_epochs, patience;
  fc_schedule schedule; /* lr, beta1 and all of the curve; total is filled in by the trainer */
  int         schedule_kind, loss;
  bool        loss_in_units, loss_ring, clip_average, shard_optimiser;
  double      loss_derivative;
  fc_reals    channel_weights;
  int64_t     teacher_calls, flow_steps;
  int64_t     curriculum_start, curriculum_end, curriculum_over;
  int64_t     push_after, push_every, pushes;
  int64_t     eval_every, eval_windows, eval_frames, save_every, log_every, seed;
  double      save_minutes;
} fc_train_settings;

typedef struct fc_settings {
  char              model[FC_TEXT];
  fc_data_settings  data;
  fc_train_settings train;
  fc_job            job; /* how 'fieldcast submit' runs it; no part of what a run keeps */
} fc_settings;

extern const fc_option fc_root_options[], fc_data_options[], fc_train_options[];

enum { FC_SETTINGS_SECTIONS = 4 };
/* root, args, data, train, for fc_config_bind and fc_config_write */
void fc_settings_sections(fc_settings *s, const fc_model_def *def, void *args,
                          fc_section out[FC_SETTINGS_SECTIONS]);
/* Binds everything: finds the model, then the four tables and that of 'job'; *args is allocated (free it).
   partial: leave keys that no table knows alone (official config.json files keep more than the model reads).
   Also checks that settings fit together. */
fc_status fc_settings_bind(fc_config *c, bool partial, fc_settings *s, const fc_model_def **def, void **args);
/* the same as YAML text; free() it */
fc_status fc_settings_text(fc_settings *s, const fc_model_def *def, void *args, char **out);

/* frames one call is trained on at this step: start + floor((end - start) step / over), end from step over on
 */
int64_t fc_curriculum_at(const fc_train_settings *t, int64_t step);
/* calls without gradient before the trained one: `pushes` at every push_every-th step after push_after, else
 * 0 */
int64_t fc_pushes_at(const fc_train_settings *t, int64_t step);
#endif
