/* train/resample.h - periodic fields from one grid to another by their Fourier series. */
#ifndef FC_RESAMPLE_H
#define FC_RESAMPLE_H
#include "core/base.h"

/* x[from.., C] -> y[to.., C], both grids equispaced over the same periodic box with the first point in
   common. Exact for fields whose modes both grids resolve; modes that the coarser grid cannot carry are
   dropped (not aliased); of the coarser grid's highest mode on an even axis the cosine is kept. FC_E_SYSTEM
   without memory. */
fc_status fc_resample(int ndim, const int64_t *from, const int64_t *to, int64_t C, const fc_real *x,
                      fc_real *y);
#endif
