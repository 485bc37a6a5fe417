/* train/settings.c - option tables of data and training. */
#include "train/settings.h"

#include <stdlib.h>
#include <string.h>

const fc_option fc_root_options[] = {
    FC_OPT_TEXT(fc_settings, model, "", "which model; 'fieldcast models' lists them"),
    FC_OPT_END,
};

const fc_option fc_data_options[] = {
    FC_OPT_TEXT(fc_data_settings, train, "", "file, folder or pattern to learn from"),
    FC_OPT_TEXT(fc_data_settings, valid, "",
                "the same for validation; empty: the last trajectories of train"),
    FC_OPT_REAL(fc_data_settings, valid_fraction, "0.1", 0, 0.9,
                "share of trajectories kept for validation when valid is empty"),
    FC_OPT_TEXT(fc_data_settings, channels, "",
                "names of the channels to learn, separated by commas; empty: all"),
    FC_OPT_TEXT(fc_data_settings, inputs, "",
                "steady problems and points: given fields that are the input; empty: all"),
    FC_OPT_TEXT(
        fc_data_settings, params, "",
        "names of the data's parameters that the model is told (viscosity, time step), separated by commas"),
    FC_OPT_INTS(fc_data_settings, space_stride, "[]", 1, 1024,
                "take every n-th point along each axis; empty: all points"),
    FC_OPT_INT(fc_data_settings, frame_stride, "1", 1, 1 << 20, "take every n-th frame"),
    FC_OPT_INT(fc_data_settings, window_step, "1", 1, 1 << 20,
               "frames of the file between starts of windows"),
    FC_OPT_INT(fc_data_settings, window_out, "0", 0, 1 << 20,
               "target frames a window holds; 0: what the calls of one step need"),
    FC_OPT_INT(fc_data_settings, cache_mb, "1024", 0, 1 << 24,
               "keep the data in memory if it takes no more MiB per rank than this"),
    FC_OPT_BOOL(fc_data_settings, normalize, "true",
                "train on (x - mean) / std per channel, statistics of the training split"),
    FC_OPT_CHOICE(
        fc_data_settings, predict, "state|increment", "state",
        "what the network gives: the next frames, or their difference to the last known frame, in units of "
        "the standard deviation of one frame's change"),
    FC_OPT_CHOICE(fc_data_settings, kind, "auto|grid|points|series", "auto",
                  "fields on a grid, points and meshes, or time series; auto: told by content"),
    FC_OPT_TEXT(
        fc_data_settings, coordinates, "",
        "points: array of coordinates, or one for each axis; this and the next four: docs/formats.md"),
    FC_OPT_TEXT(
        fc_data_settings, functions, "",
        "points: input functions on points of their own, 'label=array+array'; empty: all of the file"),
    FC_OPT_TEXT(fc_data_settings, mask, "",
                "points: weights of the loss for each point; scores count points where it is not zero"),
    FC_OPT_TEXT(fc_data_settings, cells, "", "points: corners of cells, for pictures"),
    FC_OPT_TEXT(fc_data_settings, times, "", "points: times of the frames"),
    FC_OPT_INT(fc_data_settings, history, "0", 0, 64,
               "points: frames of the targets that are given as inputs for the next; 0: none"),
    FC_OPT_CHOICE(fc_data_settings, scale_coordinates, "standard|box|none", "standard",
                  "points: coordinates in units of their standard deviation, from 0 to 1 along each axis, or "
                  "as they are"),
    FC_OPT_TEXT(fc_data_settings, targets, "",
                "series: columns to forecast, separated by commas; empty: all that nothing else is said of"),
    FC_OPT_TEXT(
        fc_data_settings, observed, "",
        "series: columns that are inputs of the past only; empty: beside named targets all others; none"),
    FC_OPT_TEXT(fc_data_settings, known, "",
                "series: columns that are known ahead of time (holidays, prices)"),
    {"static", FC_T_TEXT, offsetof(fc_data_settings, statics), "",
     "series: columns that do not change along a series", 1, 0, NULL},
    FC_OPT_TEXT(fc_data_settings, categories, "",
                "series: columns whose values are names, or numbers that mean classes"),
    FC_OPT_TEXT(fc_data_settings, ignore, "", "series: columns that are not read"),
    FC_OPT_TEXT(fc_data_settings, date, "",
                "series: column of dates; empty: found by name and content; none: rows are numbered"),
    FC_OPT_TEXT(fc_data_settings, id, "",
                "series: column that names the series a row belongs to; empty: one"),
    FC_OPT_TEXT(fc_data_settings, step, "",
                "series: step between rows, such as 1h; empty: the most frequent"),
    FC_OPT_CHOICE(fc_data_settings, missing, "refuse|interpolate|hold", "refuse",
                  "series: cells without a number, and rows that the step demands but the file lacks"),
    FC_OPT_BOOL(fc_data_settings, sort, "false",
                "series: sort rows by date instead of refusing them unsorted"),
    FC_OPT_REALS(fc_data_settings, split, "[0.7, 0.1, 0.2]", 0, 1,
                 "series: shares of the rows for training, validation and test, in this order in time"),
    FC_OPT_INTS(fc_data_settings, split_rows, "[]", 0, 1LL << 40,
                "series: the same as numbers of rows, the rest is not used; empty: split counts"),
    FC_OPT_TEXT(
        fc_data_settings, split_dates, "",
        "series: first date of validation, of test and, if there is an end, behind it; empty: split counts"),
    FC_OPT_INTS(fc_data_settings, split_last, "[]", 0, 1LL << 40,
                "series: rows of validation and test at the end of each series; empty: split counts"),
    {"continue", FC_T_TEXT, offsetof(fc_data_settings, continued), "",
     "series: file whose rows go on behind the last ones of train, series by series", 1, 0, NULL},
    FC_OPT_TEXT(fc_data_settings, derive, "",
                "series: columns by formula: series (a class for each), row (its number), row%24 (modulo 24, "
                "classes), NAME@48 (a column 48 rows before)"),
    FC_OPT_CHOICE(fc_data_settings, scale, "column|series", "column",
                  "series: mean and deviation of a column, or of a column in each series"),
    FC_OPT_INT(fc_data_settings, min_lookback, "0", 0, 1LL << 40,
               "series: windows at the beginning of a series may know so few steps; 0: whole lookbacks"),
    FC_OPT_END,
};

typedef fc_train_settings T;

#define AT(member) offsetof(T, member)
#define INT(key, member, def, lo, hi, help)                                                                  \
  { key, FC_T_INT, AT(member), def, help, lo, hi, NULL }
#define REAL(key, member, def, lo, hi, help)                                                                 \
  { key, FC_T_REAL, AT(member), def, help, lo, hi, NULL }

const fc_option fc_train_options[] = {
    FC_OPT_INT(T, steps, "0", 0, 1LL << 40, "optimiser steps; 0: as many as epochs take"),
    FC_OPT_INT(T, epochs, "50", 0, 1 << 30, "passes over all windows, used when steps is 0"),
    FC_OPT_INT(T, batch, "8", 1, 1 << 20, "windows per forward pass, over all ranks"),
    FC_OPT_INT(T, domain, "1", 1, 4096,
               "ranks that share the grid of each window; the others have windows of their own"),
    FC_OPT_INT(T, accumulate, "1", 1, 1 << 20, "forward passes whose gradients are averaged into one step"),
    REAL("lr", schedule.lr, "5e-4", 0, 10, "largest learning rate"),
    FC_OPT_REAL(T, weight_decay, "1e-4", 0, 10, "weight decay; 0 makes AdamW Adam"),
    FC_OPT_CHOICE(T, decay, "decoupled|coupled", "decoupled",
                  "decay of AdamW, or added to the gradient as in Adam with an L2 norm"),
    FC_OPT_TEXT(
        T, group_lr, "",
        "weights with a rate of their own, [part of a name=factor, ..]: factor times lr, not scheduled"),
    FC_OPT_INT(T, group_epochs, "0", 0, 1 << 30,
               "epochs after which the weights of group_lr are like all others; 0: never"),
    FC_OPT_REAL(T, sam_rho, "0", 0, 1e3,
                "sharpness-aware: the gradient is taken so far up the slope, two passes a step; 0: no"),
    REAL("beta1", schedule.beta1, "0.9", 0, 0.9999999,
         "AdamW, first moment; onecycle with cycle_momentum replaces it"),
    FC_OPT_REAL(T, beta2, "0.999", 0, 0.9999999, "AdamW, second moment"),
    FC_OPT_REAL(T, eps, "1e-8", 0, 1, "AdamW, added to the root of the second moment"),
    FC_OPT_REAL(T, clip, "1", 0, 1e30, "largest L2 norm of the whole gradient; 0: no clipping"),
    FC_OPT_BOOL(
        T, clip_average, "false",
        "instead of clip: a gradient above 2 times the slow average of earlier norms is cut to 1.1 times the "
        "fast one"),
    {"schedule", FC_T_CHOICE, AT(schedule_kind), "onecycle", "course of the learning rate", 1, 0,
     FC_SCHEDULE_CHOICES},
    REAL("pct_start", schedule.pct_start, "0.3", 0, 1, "onecycle: fraction of the steps in which lr rises"),
    REAL("div_factor", schedule.div_factor, "25", 1, 1e12, "onecycle: first lr = lr / div_factor"),
    REAL("final_div_factor", schedule.final_div_factor, "1e4", 1, 1e12,
         "onecycle: last lr = first lr / final_div_factor"),
    {"cycle_momentum", FC_T_BOOL, AT(schedule.cycle_momentum), "true", "onecycle: beta1 runs opposite to lr",
     1, 0, NULL},
    REAL("base_momentum", schedule.base_momentum, "0.85", 0, 0.9999999, "onecycle: beta1 at the largest lr"),
    REAL("max_momentum", schedule.max_momentum, "0.95", 0, 0.9999999, "onecycle: beta1 at start and end"),
    INT("warmup", schedule.warmup, "0", 0, 1LL << 40, "constant, cosine, step: steps of linear warm-up"),
    INT("warmup_epochs", schedule.warmup_epochs, "3", 0, 1 << 20,
        "exponential_with_warmup: epochs before lr is reached"),
    REAL("lr_end", schedule.lr_end, "0", 0, 10, "cosine: learning rate at the end"),
    INT("decay_every", schedule.decay_every, "1000", 1, 1LL << 40, "step: steps between drops of lr"),
    REAL("decay_factor", schedule.decay_factor, "0.5", 0, 1, "step: lr is multiplied by this"),
    FC_OPT_CHOICE(
        T, loss, "relative_l2|relative_l2_channels|mse|mae|quantile|auto", "auto",
        "relative_l2: one norm per window; _channels: one per channel, averaged; auto: relative_l2, "
        "for series mse, or quantile if the model gives quantiles"),
    FC_OPT_BOOL(T, loss_in_units, "false",
                "the loss compares fields in their own units instead of normalised ones"),
    FC_OPT_BOOL(T, loss_ring, "false",
                "the prediction is set to zero on the border of the grid before it is compared"),
    FC_OPT_REAL(T, loss_derivative, "0", 0, 1e6,
                "weight of the relative L2 norm of central differences along each axis, added to the loss"),
    FC_OPT_REALS(T, channel_weights, "[]", 0, 1e30,
                 "mse and relative_l2: weight of each learned channel; empty: 1"),
    FC_OPT_INT(
        T, teacher_calls, "1", 1, 1 << 16,
        "calls of the model per window, each from true frames (teacher forcing); their losses are averaged"),
    FC_OPT_INT(T, flow_steps, "0", 0, 1 << 16,
               "flow matching: the model learns the velocity from noise to the next frame, a rollout follows "
               "it in so "
               "many steps per frame; 0: the model gives the frame itself"),
    FC_OPT_INT(T, out_frames, "0", 0, 1 << 20, "frames per call of the model; 0: the most it can"),
    INT("curriculum.start", curriculum_start, "0", 0, 1 << 20,
        "frames per call at the first step; 0: no curriculum"),
    INT("curriculum.end", curriculum_end, "0", 0, 1 << 20,
        "frames per call at the end of the curriculum; 0: out_frames"),
    INT("curriculum.over", curriculum_over, "0", 0, 1LL << 40,
        "steps from curriculum.start to curriculum.end"),
    INT("pushforward.after", push_after, "0", 0, 1LL << 40, "steps before the first pushforward step"),
    INT("pushforward.every", push_every, "1", 1, 1 << 20, "every n-th step is a pushforward step"),
    INT("pushforward.pushes", pushes, "0", 0, 64,
        "calls without gradient before the trained one; 0: no pushforward"),
    FC_OPT_REAL(T, noise, "0", 0, 1e3, "standard deviation of Gaussian noise added to normalised inputs"),
    FC_OPT_REAL(T, ema, "0", 0, 0.9999999, "decay of the average of the weights; 0: none"),
    FC_OPT_BOOL(T, shard_optimiser, "false",
                "each rank keeps its part of the moments and of the average alone; the same weights with "
                "less memory"),
    FC_OPT_INT(T, eval_every, "-1", -1, 1LL << 40,
               "steps between validations; 0: only at the end; -1: 500, for series one epoch"),
    FC_OPT_INT(T, patience, "0", 0, 1 << 20,
               "training ends after so many validations in a row without a better score; 0: never"),
    FC_OPT_INT(T, eval_windows, "16", 1, 1 << 20, "windows a validation looks at, spread evenly"),
    FC_OPT_INT(T, eval_frames, "16", 1, 1 << 20, "frames of the validation rollout"),
    FC_OPT_INT(T, save_every, "1000", 0, 1LL << 40, "steps between checkpoints; 0: by time only"),
    FC_OPT_REAL(T, save_minutes, "15", 0, 1e6, "minutes between checkpoints; 0: by steps only"),
    FC_OPT_INT(T, log_every, "10", 1, 1 << 30, "steps between lines of log.csv"),
    FC_OPT_INT(T, seed, "1", 0, 1LL << 62, "of initial weights, order of the data, noise and dropout"),
    FC_OPT_END,
};

void fc_settings_sections(fc_settings *s, const fc_model_def *def, void *args,
                          fc_section out[FC_SETTINGS_SECTIONS]) {
  out[0] = (fc_section){"", fc_root_options, s};
  out[1] = (fc_section){"args", def->options, args};
  out[2] = (fc_section){"data", fc_data_options, &s->data};
  out[3] = (fc_section){"train", fc_train_options, &s->train};
}

static fc_status check(fc_settings *s) {
  fc_train_settings *t = &s->train;

  t->schedule.kind = (fc_schedule_kind)t->schedule_kind;
  FC_REQUIRE(t->steps || t->epochs, FC_E_USAGE, "train.steps and train.epochs are both 0; give one of them");
  FC_REQUIRE(!t->curriculum_start || !t->curriculum_end || t->curriculum_start <= t->curriculum_end,
             FC_E_USAGE, "train.curriculum.start = %lld is larger than train.curriculum.end = %lld",
             (long long)t->curriculum_start, (long long)t->curriculum_end);
  FC_REQUIRE(
      !t->channel_weights.n || t->loss != FC_LOSS_RELATIVE_L2_CHANNELS, FC_E_USAGE,
      "train.channel_weights: the loss relative_l2_channels has a norm for each channel and no weights");
  FC_REQUIRE(
      t->teacher_calls == 1 || !t->pushes, FC_E_USAGE,
      "train.teacher_calls starts every call from true frames, train.pushforward.pushes from predicted ones; "
      "give one of them");
  FC_REQUIRE(!t->flow_steps || (!t->pushes && t->loss == FC_LOSS_MSE && !t->loss_in_units && !t->loss_ring &&
                                !t->loss_derivative),
             FC_E_USAGE, "train.flow_steps learns velocities: it wants train.loss = mse, and no pushforward");
  return FC_OK;
}

fc_status fc_settings_bind(fc_config *c, bool partial, fc_settings *s, const fc_model_def **def,
                           void **args) {
  fc_section sections[FC_SETTINGS_SECTIONS + 1] = {{"", fc_root_options, s}};

  *args = NULL;
  memset(s, 0, sizeof *s);
  FC_TRY(fc_config_bind(c, 1, sections, true));
  FC_TRY(fc_model_need(s->model, def));
  *args = calloc(1, (*def)->config_size);
  FC_REQUIRE(*args, FC_E_SYSTEM, "no memory for the options of %s", s->model);
  fc_settings_sections(s, *def, *args, sections);
  sections[FC_SETTINGS_SECTIONS] = (fc_section){"job", fc_job_options, &s->job};
  fc_status st                   = fc_config_bind(c, FC_SETTINGS_SECTIONS + 1, sections, partial);
  if (st == FC_OK) st = check(s);
  if (st == FC_OK) return FC_OK;
  free(*args);
  *args = NULL;
  return st;
}

fc_status fc_settings_text(fc_settings *s, const fc_model_def *def, void *args, char **out) {
  fc_section sections[FC_SETTINGS_SECTIONS];
  size_t     bytes;
  FILE      *f = open_memstream(out, &bytes);

  FC_REQUIRE(f, FC_E_SYSTEM, "no memory for the text of a configuration");
  fc_settings_sections(s, def, args, sections);
  fc_config_write(FC_SETTINGS_SECTIONS, sections, true, f);
  FC_REQUIRE(!fclose(f), FC_E_SYSTEM, "no memory for the text of a configuration");
  return FC_OK;
}

int64_t fc_curriculum_at(const fc_train_settings *t, int64_t step) {
  const int64_t end = t->curriculum_end ? fc_min64(t->curriculum_end, t->out_frames) : t->out_frames;

  if (!t->curriculum_start) return t->out_frames;
  if (step >= t->curriculum_over) return end;
  return fc_min64(end, t->curriculum_start + (end - t->curriculum_start) * step / t->curriculum_over);
}

int64_t fc_pushes_at(const fc_train_settings *t, int64_t step) {
  return step >= t->push_after && (step - t->push_after) % t->push_every == 0 ? t->pushes : 0;
}
