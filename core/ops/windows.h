/* core/ops/windows.h - moving between a grid and its windows, shared by the operations on windows. */
#ifndef FC_OPS_WINDOWS_H
#define FC_OPS_WINDOWS_H
#include "core/ops.h"

typedef struct fc_window_axis {
  int64_t  n, windows; /* cells and windows along the axis */
  fc_real *weight;     /* [n] 1 / windows that cover the cell, in rolled order; NULL: all 1 */
} fc_window_axis;

typedef struct fc_window_plan {
  int64_t        B, C, size, stride;
  fc_window_axis x, y;
  int64_t        shift_x, shift_y; /* in 0 .. n-1 */
  fc_real        scale;            /* factor of all weights; 1 unless its owner changes it */
} fc_window_plan;

/* dim [B, X, Y, C]; mean: with weights, made in the arena */
fc_window_plan *fc_window_plan_new(fc_ctx *c, const int64_t *dim, fc_window_layout s, bool mean);

int64_t fc_windows_count(const fc_window_plan *p);
/* each cell lies in exactly one window, and no window reaches beyond the grid */
bool fc_windows_tile(const fc_window_plan *p);

/* window n [size size, C] = scale weight x, or += it, and back, on the calling thread; x [B, X, Y, C] */
void fc_window_gather(const fc_window_plan *p, fc_real *w, const fc_real *x, int64_t n, bool add);
void fc_window_scatter(const fc_window_plan *p, fc_real *x, const fc_real *w, int64_t n, bool add);

/* all windows [B nX nY, size size, C]; back: x = sum of scale weight w over the windows, or += it */
void fc_windows_gather(const fc_window_plan *p, fc_real *w, const fc_real *x, bool add);
void fc_windows_scatter(const fc_window_plan *p, fc_real *x, const fc_real *w, bool add);
#endif
