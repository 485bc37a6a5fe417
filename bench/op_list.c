/* bench/op_list.c */
#include "bench/op_list.h"

#include <stddef.h>

/* one line per call: the op under the name of the table */
#define CALL(name, call)                                                                                     \
  static fc_tensor *name(fc_ctx *c, fc_tensor **in) { return call; }

CALL(linear, fc_linear_op(c, in[0], in[1], NULL, FC_ACT_NONE))
CALL(linear_bias_gelu, fc_linear_op(c, in[0], in[1], in[2], FC_ACT_GELU))
CALL(linear_grouped, fc_linear_grouped(c, in[0], in[1], NULL, 8))
CALL(linear_split, fc_linear_split(c, in[0], in[1], NULL, 8))
CALL(linear_merge, fc_linear_merge(c, in[0], in[1], NULL, FC_ACT_GELU))
CALL(matmul, fc_matmul(c, in[0], false, in[1], true, 1))
CALL(axial_x, fc_axial_product(c, in[0], in[1], 0))
CALL(axial_y, fc_axial_product(c, in[0], in[1], 1))
CALL(attention, fc_attention(c, in[0], in[1], in[2], NULL, 0.125))
CALL(axial_merge, fc_axial_merge(c, 2, in + 2, (int[]){0, 1}, in[0], in[1], false, 1e-5))
CALL(lane_attention, fc_lane_attention(c, 1, in, 16, 0.35))
CALL(attention_rows, fc_attention_rows(c, 1, in, in + 1, in[2], 16, 0.35, 0))
CALL(local_attention, fc_local_attention(c, in[0], 4, (fc_window_layout){2, 2, 0, false}, 0.18, 0, 0))
CALL(patch_down, fc_patch_down(c, in[0], in[1]))
CALL(windows, fc_window_split(c, in[0], (fc_window_layout){8, 8, 4, true}))
CALL(linear_modulated,
     fc_linear_modulated(c, in[0], NULL, NULL, 1e-5, (fc_modulation){in[1], 0}, in[2], in[3]))
CALL(linear_gated, fc_linear_gated(c, FC_ACT_GELU, in[0], in[1], NULL, in[2], (fc_modulation){in[3], 0}))
CALL(window_attention,
     fc_group_attention(c, in[0], in[1], in[2], in[3],
                        fc_groups_of_windows(c, &(fc_window_grid){1, 1, 64, 64, 8, 4, false, false, {0}}),
                        (fc_modulation){in[4], 0}))
CALL(conv, fc_conv(c, in[0], in[1], in[2], (fc_conv_spec){1, 1, 1, false}))
CALL(conv_half, fc_conv(c, in[0], in[1], in[2], (fc_conv_spec){2, 1, 1, false}))
CALL(rfft, fc_rfft(c, in[0], 2, FC_FFT_BACKWARD))
CALL(irfft, fc_irfft(c, in[0], 2, 128, FC_FFT_BACKWARD))
CALL(spectral_conv, fc_spectral_conv(c, in[0], 1, in + 1, in[2], NULL, FC_FFT_FORWARD))
CALL(fourier_mix, fc_fourier_mix(c, in[0], 1))
CALL(layer_norm, fc_layer_norm(c, in[0], in[1], in[2], 1e-5))
CALL(group_norm, fc_group_norm(c, in[0], 16, in[1], in[2], 1e-5))
CALL(standardize, fc_standardize(c, in[0], 8, 1, 1e-8))
CALL(softmax, fc_softmax(c, in[0]))
CALL(gelu, fc_activate(c, in[0], FC_ACT_GELU))
CALL(geglu, fc_geglu(c, in[0]))
CALL(add, fc_add(c, in[0], in[1]))
CALL(mean_axes, fc_mean_axes(c, in[0], 1u << 2))
CALL(permute, fc_permute(c, in[0], (int[]){0, 3, 1, 2, 4}))
CALL(rotary, fc_rotary(c, in[0], in[1], in[2], 64))
CALL(fourier_code, fc_fourier_code(c, 2, in, in[2]))
CALL(relative_l2, fc_relative_l2(c, in[0], in[1], 1e-5))

#define X(...)                                                                                               \
  {                                                                                                          \
    BENCH_STATE, (int)(sizeof((int64_t[]){__VA_ARGS__}) / sizeof(int64_t)), { __VA_ARGS__ }                  \
  }
#define W(...)                                                                                               \
  {                                                                                                          \
    BENCH_WEIGHT, (int)(sizeof((int64_t[]){__VA_ARGS__}) / sizeof(int64_t)), { __VA_ARGS__ }                 \
  }
#define K(...)                                                                                               \
  {                                                                                                          \
    BENCH_CONSTANT, (int)(sizeof((int64_t[]){__VA_ARGS__}) / sizeof(int64_t)), { __VA_ARGS__ }               \
  }

const bench_op bench_op_list[] = {
    {"linear 128-512", "16384x128", linear, true, {X(16384, 128), W(512, 128)}},
    {"linear 512-128", "16384x512", linear, true, {X(16384, 512), W(128, 512)}},
    {"linear 128-128", "16384x128", linear, true, {X(16384, 128), W(128, 128)}},
    {"linear 10-128", "16384x10", linear, true, {X(16384, 10), W(128, 10)}},
    {"linear+b+gelu 256-128", "16384x256", linear_bias_gelu, true, {X(16384, 256), W(128, 256), W(128)}},
    {"linear_grouped 256-128/8", "16384x256", linear_grouped, true, {X(16384, 256), W(128, 32)}},
    {"linear_split 128-8x64", "128x128x128", linear_split, true, {X(1, 128, 128, 128), W(512, 128)}},
    {"linear_merge 8x64-128+gelu", "8x128x128x64", linear_merge, true, {X(1, 8, 128, 128, 64), W(128, 512)}},
    {"matmul q k^T", "8x128x128", matmul, true, {X(1, 8, 128, 128), X(1, 8, 128, 128)}},
    {"axial_product x", "8x128x128x64", axial_x, true, {X(1, 8, 128, 128), X(1, 8, 128, 128, 64)}},
    {"axial_product y", "8x128x128x64", axial_y, true, {X(1, 8, 128, 128), X(1, 8, 128, 128, 64)}},
    {"attention", "8x1024x64", attention, true, {X(1, 8, 1024, 64), X(1, 8, 1024, 64), X(1, 8, 1024, 64)}},
    {"axial_merge x y",
     "5x64x64x96",
     axial_merge,
     true,
     {X(1, 5, 64, 64, 96), W(96, 960), X(1, 5, 64, 64), X(1, 5, 64, 64)}},
    {"attention_rows 16x8",
     "224x42x128",
     attention_rows,
     true,
     {X(224, 42, 128), X(224, 42, 128), X(224, 42, 128)}},
    {"lane_attention 16x8", "224x42x128", lane_attention, true, {X(224, 42, 384)}},
    {"local_attention 2x2", "64x64x384", local_attention, true, {X(1, 64, 64, 384)}},
    {"patch_down 2x2", "64x64x128", patch_down, true, {X(1, 64, 64, 128), W(128, 2, 2, 128)}},
    {"windows 8x8", "128x128x96", windows, false, {X(1, 128, 128, 96)}},
    {"linear_modulated 192-768",
     "4096x192",
     linear_modulated,
     true,
     {X(1, 4096, 192), X(1, 1152), W(768, 192), W(768)}},
    {"linear_gated gelu 768-192",
     "4096x768",
     linear_gated,
     true,
     {X(1, 4096, 768), W(192, 768), X(1, 4096, 192), X(1, 1152)}},
    {"window attention 8x8",
     "64x64x4x48",
     window_attention,
     true,
     {X(1, 64, 64, 192), X(1, 64, 64, 576), W(4), W(4, 64, 64), X(1, 1152)}},
    {"conv 3x3 64-64", "128x128x64", conv, true, {X(1, 128, 128, 64), W(64, 64, 3, 3), W(64)}},
    {"conv 3x3/2 128-64", "128x128x128", conv_half, true, {X(1, 128, 128, 128), W(64, 128, 3, 3), W(64)}},
    {"rfft", "64x128x128", rfft, false, {X(1, 64, 128, 128)}},
    {"irfft", "64x128x65x2", irfft, false, {X(1, 64, 128, 65, 2)}},
    {"spectral_conv 16x9 modes",
     "8x32x32x24",
     spectral_conv,
     true,
     {X(8, 32, 32, 24), W(24, 24, 16, 9, 2), W(24)}},
    {"spectral_conv 64x33 modes",
     "128x128x64",
     spectral_conv,
     true,
     {X(1, 128, 128, 64), W(64, 64, 64, 33, 2), W(64)}},
    {"fourier_mix", "128x128x64", fourier_mix, false, {X(1, 128, 128, 64)}},
    {"layer_norm", "16384x128", layer_norm, true, {X(16384, 128), W(128), W(128)}},
    {"layer_norm", "16384x256", layer_norm, true, {X(16384, 256), W(256), W(256)}},
    {"group_norm 16 groups", "1x16384x256", group_norm, true, {X(1, 16384, 256), W(256), W(256)}},
    {"standardize 8 rows", "8x1048576", standardize, true, {X(8, 1048576)}},
    {"softmax", "16384x128", softmax, true, {X(16384, 128)}},
    {"gelu", "16384x128", gelu, true, {X(16384, 128)}},
    {"geglu", "16384x256", geglu, true, {X(16384, 256)}},
    {"add", "16384x128", add, false, {X(16384, 128), X(16384, 128)}},
    {"add a row", "16384x256", add, false, {X(16384, 256), W(256)}},
    {"mean over y", "128x128x128", mean_axes, false, {X(1, 128, 128, 128)}},
    {"permute to heads", "128x128x8x64", permute, false, {X(1, 128, 128, 8, 64)}},
    {"rotary", "8x128x128", rotary, false, {X(1, 8, 128, 128), K(128), K(64)}},
    {"fourier_code", "128x128x128", fourier_code, false, {K(128), K(128), K(2, 64)}},
    {"relative_l2", "1x4x128x128x1", relative_l2, true, {X(1, 4, 128, 128, 1), K(1, 4, 128, 128, 1)}},
    {NULL, NULL, NULL, false, {{BENCH_STATE, 0, {0}}}},
};
