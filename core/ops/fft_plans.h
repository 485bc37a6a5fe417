/* core/ops/fft_plans.h - private to the FFT ops: transforms by FFTW, planned once per shape and context. */
#ifndef FC_FFT_PLANS_H
#define FC_FFT_PLANS_H
#include "core/ops.h"

/* `batch` real arrays n[0] x .. x n[n_space-1] at `real`, one behind the other, and their half spectra
   n[0] x .. x (n[n_space-1]/2 + 1) complex numbers at `modes`, one behind the other or `apart` complex
   numbers apart. to_modes: real -> modes, input kept; else modes -> real, input destroyed. Neither direction
   scales. */
typedef struct fc_fft_shape {
  bool    to_modes;
  int     n_space;
  int64_t n[3], batch, apart;
} fc_fft_shape;

/* `batch` neighbouring lines of n complex numbers: number j of line i is number j * stride_in + i of the
   input and goes to j * stride_out + i. Channels-last fields are such lines along each of their axes, two
   channels making a complex number, and FFTW then computes neighbours in the lanes of one vector. */
typedef struct fc_fft_lines {
  bool    inverse; /* exp(+i theta) */
  int64_t n, batch, stride_in, stride_out;
} fc_fft_lines;

typedef struct fc_fft_plan fc_fft_plan;

/* Finds or makes the plan for this shape and for the alignment of these arrays, which are not touched. FFTW's
   planner is not thread safe: never call this inside a parallel region. Plans are ESTIMATEd, so that every
   run of the program takes the same one and gives the same bits. */
const fc_fft_plan *fc_fft_plan_find(fc_ctx *c, const fc_fft_shape *shape, fc_real *real, fc_real *modes);

const fc_fft_plan *fc_fft_lines_find(fc_ctx *c, const fc_fft_lines *lines, fc_real *in, fc_real *out);

/* the factor of a transform over so many points */
double fc_fft_scale(fc_fft_norm norm, bool inverse, int64_t points);

/* Runs on any arrays aligned like those given to fc_fft_plan_find; thread safe. */
void fc_fft_plan_run(const fc_fft_plan *p, fc_real *real, fc_real *modes);
/* the same for lines; `in` is kept and is not `out` */
void fc_fft_lines_run(const fc_fft_plan *p, const fc_real *in, fc_real *out);
#endif
