/* core/nn/conv.c */
#include "core/domain.h"
#include "core/nn/nn.h"

static void declare(fc_conv_layer *l, fc_params *p, const char *name, int ndim, const int64_t *dim, bool bias,
                    fc_init weight_init, fc_init bias_init) {
  fc_params_push(p, "%s", name);
  l->weight = fc_param(p, "weight", weight_init, 2 + ndim, dim);
  l->bias   = bias ? fc_param(p, "bias", bias_init, 1, dim) : NULL;
  fc_params_pop(p);
}

/* shape [out, in / groups, n..] and the number of points of the kernel */
static int64_t shape_of(int64_t *dim, int ndim, int64_t in, int64_t out, int64_t n, int64_t groups) {
  int64_t points = 1;

  dim[0] = out;
  dim[1] = in / groups;
  for (int i = 0; i < ndim; i++) points *= dim[2 + i] = n;
  return points;
}

void fc_conv_init(fc_conv_layer *l, fc_params *p, const char *name, int ndim, int64_t in, int64_t out,
                  int64_t n, bool bias, fc_conv_spec spec) {
  int64_t       dim[FC_MAX_DIMS];
  const fc_init init = fc_init_fan_in(shape_of(dim, ndim, in, out, n, spec.groups) * dim[1]);

  declare(l, p, name, ndim, dim, bias, init, init);
  l->spec = spec;
}

void fc_conv_init_xavier(fc_conv_layer *l, fc_params *p, const char *name, int ndim, int64_t in, int64_t out,
                         int64_t n, bool bias, fc_conv_spec spec) {
  int64_t       dim[FC_MAX_DIMS];
  const int64_t points = shape_of(dim, ndim, in, out, n, spec.groups);

  declare(l, p, name, ndim, dim, bias, fc_init_xavier(points * dim[1], points * out, 1), fc_init_constant(0));
  l->spec = spec;
}

fc_tensor *fc_conv_apply(fc_ctx *c, const fc_conv_layer *l, fc_tensor *x) {
  return fc_conv(c, x, l->weight, l->bias, l->spec);
}

/* lines of the neighbours on both sides; what the kernel makes of lines beyond them is dropped */
fc_tensor *fc_conv_apply_shared(fc_ctx *c, const fc_conv_layer *l, fc_tensor *x, fc_cut lines) {
  const int64_t n = x->dim[1], pad = l->spec.pad;

  if (!fc_domain_shared(c)) return fc_conv_apply(c, l, x);
  x = fc_halo_rows(c, x, 1, lines, (fc_halo){pad, pad, l->spec.periodic});
  return fc_slice(c, fc_conv_apply(c, l, x), 1, pad, n);
}
