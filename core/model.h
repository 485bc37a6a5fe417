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
} fc_model_def;

/* pack, apply, unpack; inputs holds params [B, p] where the model takes some, else nothing */
fc_tensor *fc_model_frames(fc_ctx *c, const fc_model_def *def, const void *self, fc_tensor *window, int n_out,
                           fc_batch *inputs);
#endif
