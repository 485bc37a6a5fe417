/* core/model.h - what a model file exports: one constant of type fc_model_def. */
#ifndef FC_MODEL_H
#define FC_MODEL_H
#include "core/batch.h"
#include "core/options.h"
#include "core/params.h"

/* What a field operator wants from and gives to gridded data. Standard layout of a window:
   [B, T, X(, Y(, Z)), C], the layout of the readers, of losses and of rollouts. */
typedef struct fc_frames {
  int     n_in;    /* frames of history per call */
  int     max_out; /* most frames per call (latent steps); 1 for one-step models */
  int     ndim;    /* space dimensions: 1, 2, 3 */
  int64_t channels_in, channels_out;
  int64_t multiple; /* every axis length must be a multiple of this */
  bool    steady;   /* one field to one field, no time (Darcy) */
  bool    square;   /* all axes of one length */
  int64_t params;   /* numbers per trajectory (viscosity): pack then finds params [B, params] in out */
  bool    timestep; /* takes a time in [0, 1] (flow matching): pack may find timestep [B] in out */
} fc_frames;

/* What a model for point clouds and meshes takes from a sample of N points, and gives for each of them.
   A batch of B samples is packed: the rows of all samples one after the other (core/segments.h), under the
   names x [R, space], x_lengths [B], fx [R, features] if any, u_p [B, params] if any, T [B, 1] if time is
   taken, and for each input function i: f<i> [R_i, width], f<i>_lengths [B]. The output is [R, targets]. */
enum { FC_FUNCTIONS = 8 };
typedef struct fc_cloud_wants {
  int     space;    /* coordinates of a point */
  int64_t features; /* given numbers per point: fields, normals, boundary flags */
  int64_t params;   /* numbers per sample: viscosity, Reynolds number, time step */
  int64_t targets;
  int     functions;           /* input functions on points of their own */
  int64_t width[FC_FUNCTIONS]; /* of a row of function i: its coordinates, then its values */
  bool    time;
} fc_cloud_wants;

/* What a forecaster takes and gives. Windows come as a standard batch of B: x_enc [B, L, N], the lookback;
   x_mark_enc [B, L, M], calendar marks; x_dec [B, label + P, N], the last label known steps, then zeros;
   x_mark_dec [B, label + P, M]. A model that names its columns finds, in the order of `column`, instead:
   reals [B, L + P, R] and categories [B, L + P, K] (whole numbers), zeros where the future is not known,
   lengths [B, 2] with the known steps of lookback and horizon (valid ones first), target [B, L, targets]. */
typedef enum { FC_MARKS_NONE, FC_MARKS_SCALED, FC_MARKS_WHOLE } fc_marks_kind;
typedef enum { FC_COLUMN_TARGET, FC_COLUMN_OBSERVED, FC_COLUMN_KNOWN, FC_COLUMN_STATIC } fc_column_role;
enum { FC_COLUMNS = 64, FC_QUANTILES = 16 };
typedef struct fc_series_column {
  const char    *name;
  fc_column_role role;
  int64_t        categories; /* 0: a real number; else whole numbers 0 .. categories-1 */
} fc_series_column;
typedef struct fc_series_wants {
  int64_t          lookback, label, horizon; /* L, label, P */
  int64_t          variates;                 /* N; 0: any number, the weights do not depend on it */
  int64_t          targets; /* columns of the output, the last ones of x_enc; 0: all of them */
  fc_marks_kind    marks;
  char             freq[8]; /* of the marks: s, t, h, d, b, w, m, q */
  int              n_quantiles;
  double           quantile[FC_QUANTILES]; /* of the output; none: a point forecast */
  int              n_columns;
  fc_series_column column[FC_COLUMNS]; /* names are the model's own and live as long as it does */
} fc_series_wants;

/* How the ranks of a domain share a batch (core/domain.h). cut: of the shared axis, in the entries of the
   batch: points, or cells of a grid's first axis; with unit such that windows, patches and coarser levels end
   at the borders. part: what a rank has of an official input; name NULL: of the output. apply then finds this
   rank's shares, and c->cut. */
typedef enum {
  FC_PART_WHOLE,  /* every rank has all of it */
  FC_PART_AXIS,   /* an axis is cut */
  FC_PART_ROWS,   /* rows of all samples, one sample after the other: of each, a rank has its block */
  FC_PART_LENGTHS /* [B]: the lengths of such samples, a rank's own ones */
} fc_part_kind;
typedef struct fc_part { /* of an axis: how it is cut, n = 0: as the batch. Of rows and lengths: cut is that
                            of a sample with its padding, n = 0: there is none, each sample is cut by itself;
                            lengths NULL: all samples have cut.n rows */
  fc_part_kind     kind;
  int              axis;
  fc_cut           cut;
  int64_t          samples;
  const fc_tensor *lengths;
} fc_part;
typedef struct fc_sharing {
  fc_status (*cut)(const void *self, const fc_batch *whole, fc_cut *out);
  fc_part (*part)(const void *self, const fc_batch *whole, const char *name);
} fc_sharing;
/* an axis that is cut as the batch; -1: every rank has all of it */
static inline fc_part fc_part_axis(int axis) {
  return (fc_part){.kind = axis < 0 ? FC_PART_WHOLE : FC_PART_AXIS, .axis = axis};
}

typedef struct fc_model_def {
  const char      *name, *task, *summary, *paper; /* "factformer", "operator", one line, reference */
  const fc_option *options;                       /* hyper-parameters under their official names */
  size_t           config_size, self_size;

  /* Declares weights; checks that options fit together. variant-dependent defaults are applied here. */
  fc_status (*init)(void *self, fc_params *p, const void *config);

  /* Official inputs by name. check says in words what does not fit; apply may then assert. */
  fc_status (*check)(const void *self, const fc_batch *b);
  fc_tensor *(*apply)(fc_ctx *c, const void *self, const fc_batch *b);

  /* Gridded data, NULL for other tasks: what is wanted; standard window [B, n_in, X.., C] -> official
     inputs asking for n_out frames; official output -> [B, n_out, X.., C]. Both are differentiable. */
  fc_status (*frames)(const void *self, fc_frames *out);
  void (*pack)(fc_ctx *c, const void *self, fc_tensor *window, int n_out, fc_batch *out);
  fc_tensor *(*unpack)(fc_ctx *c, const void *self, fc_tensor *y);

  /* Point clouds and meshes, NULL for models that want a grid. check and apply then also take packed batches.
   */
  fc_status (*cloud)(const void *self, fc_cloud_wants *out);

  /* Series, NULL for other tasks: what is wanted; standard batch -> official inputs (NULL: they are the
     same); official output -> [B, P, targets] or [B, P, targets, quantiles] (NULL: it is that already). */
  fc_status (*series)(const void *self, fc_series_wants *out);
  void (*series_pack)(fc_ctx *c, const void *self, const fc_batch *standard, fc_batch *out);
  fc_tensor *(*series_unpack)(fc_ctx *c, const void *self, fc_tensor *y);

  const fc_sharing *sharing; /* NULL: every rank needs the whole batch */
} fc_model_def;

/* pack, apply, unpack; inputs holds params [B, p] where the model takes some, else nothing */
fc_tensor *fc_model_frames(fc_ctx *c, const fc_model_def *def, const void *self, fc_tensor *window, int n_out,
                           fc_batch *inputs);
#endif
