/* core/params.h - named weights. Names are the official state_dict names, so a
   safetensors file binds by name. First declare, then commit: one aligned block for
   values and one for gradients, walked flat by optimiser and allreduce.
   Trainable tensors come first in the block, constants (stored, not trained) last. */
#ifndef FC_PARAMS_H
#define FC_PARAMS_H
#include "core/tensor.h"

typedef enum {
  FC_INIT_CONSTANT,
  FC_INIT_UNIFORM,
  FC_INIT_NORMAL,
  FC_INIT_NORMAL_PADDED,
  FC_INIT_TRUNC_NORMAL,
  FC_INIT_ORTHOGONAL,
  FC_INIT_ROTARY,
  FC_INIT_POSITIVE,
  FC_INIT_FORMULA
} fc_init_kind;
typedef double (*fc_init_fn)(const int64_t *dim, int64_t i); /* element i of a tensor of that shape */
typedef struct fc_init {
  fc_init_kind kind;
  double       scale; /* constant; half width; standard deviation; std before truncation at 2 std; gain; base;
                         width */
  fc_init_fn at;      /* FC_INIT_FORMULA */
} fc_init;

fc_init fc_init_constant(double value);
fc_init fc_init_uniform(double half_width);
fc_init fc_init_fan_in(int64_t fan_in); /* PyTorch's default for Linear and Conv: U(+-1/sqrt(fan_in)) */
fc_init fc_init_xavier(int64_t fan_in, int64_t fan_out, double gain); /* U(+-gain sqrt(6/(in+out))) */
fc_init fc_init_normal(double std);
fc_init fc_init_normal_padded(double std); /* the first row is 0: embedding with a padding row */
fc_init fc_init_positive(double width);    /* U[0, width) */
fc_init fc_init_rotary(double base);       /* inverse frequencies base^(-i/n) of n values */
fc_init fc_init_formula(fc_init_fn at);

typedef enum {
  FC_PARAM_TRAINED  = 0,
  FC_PARAM_CONSTANT = 1, /* in the weights file, no gradient, untouched by the optimiser */
  FC_PARAM_FORMULA  = 2, /* constant known by formula: a weights file may lack it */
} fc_param_kind;

typedef struct fc_params fc_params;

fc_status fc_params_create(fc_params **out);
void      fc_params_destroy(fc_params *p);
void      fc_params_push(fc_params *p, const char *fmt, ...)
    __attribute__((format(printf, 2, 3))); /* "blocks.%d" */
void fc_params_pop(fc_params *p);

/* The tensor's values exist after fc_params_commit. Name is prefixed by what was pushed, with dots. */
fc_tensor *fc_param(fc_params *p, const char *name, fc_init init, int ndim, const int64_t *dim);
fc_tensor *fc_param_of(fc_params *p, fc_param_kind kind, const char *name, fc_init init, int ndim,
                       const int64_t *dim);
/* Complex numbers are pairs of real ones: the tensor gets one more axis of length 2 at the end, (real,
   imaginary). init is for both parts: a complex normal of deviation s has parts of s / sqrt 2. The gradient
   of z is the pair (dL/dRe z, dL/dIm z), which an optimiser takes as two numbers, as PyTorch does. */
fc_tensor *fc_param_complex(fc_params *p, const char *name, fc_init init, int ndim, const int64_t *dim);
/* the newest parameter is a whole number in weights files (I64), as PyTorch's counters are */
void fc_param_whole(fc_params *p);
/* from here on, until it is switched off: parameters that the network does not read, so that a weights file
   may lack them */
void fc_params_unread(fc_params *p, bool on);
/* one more name of the newest parameter, of another version of the official code: files may hold either or
   both */
void fc_param_alias(fc_params *p, const char *name);
/* A module that the official code has in two places: every parameter below the full name `from` ("gate_a") is
   one below `to` ("gate_b") as well. Files may hold all of its names or any of them; we write all. */
void fc_params_mirror(fc_params *p, const char *from, const char *to);

/* dry: no memory for values, only shapes and counts */
fc_status fc_params_commit(fc_params *p, uint64_t seed, bool dry);

int           fc_params_size(const fc_params *p); /* tensors, constants included */
const char   *fc_params_at(const fc_params *p, int i, fc_tensor **t);
fc_param_kind fc_params_kind(const fc_params *p, int i);
bool          fc_params_complex(const fc_params *p, int i);         /* declared by fc_param_complex? */
bool          fc_params_whole(const fc_params *p, int i);           /* by fc_param_whole? */
bool          fc_params_dispensable(const fc_params *p, int i);     /* may a weights file lack it? */
fc_tensor    *fc_params_find(const fc_params *p, const char *name); /* NULL if unknown; aliases count */
/* the k-th further name that files list as well (fc_params_mirror), NULL if there are not so many */
const char *fc_params_mirrored(const fc_params *p, int i, int k);
int64_t     fc_params_trainable(const fc_params *p); /* numbers that are trained, padding not counted */
int64_t  fc_params_block(const fc_params *p, bool trained_only); /* length of the block, padding included */
int64_t  fc_params_offset(const fc_params *p, int i);            /* where tensor i begins, dry or not */
fc_real *fc_params_values(fc_params *p);                         /* [block(false)] */
fc_real *fc_params_grads(fc_params *p);                          /* [block(true)] */
void     fc_params_zero_grads(fc_params *p);                     /* also forgets which tensors were reached */
#endif
