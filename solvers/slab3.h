/* solvers/slab3.h - real fields on a periodic cube of m^3 points, in double precision, and the low modes of
   their spectra, |kx|, |ky|, |kz| <= top. Only those modes are ever transformed, stored or sent, so the three
   passes of a transform cost 4/9, 2/3 and 1 of a full one when top is m/3 (the 2/3 rule, or 3/2 padding).
   On several ranks points are cut along x and modes along ky. Between the two, numbers lie in the messages
   themselves: nothing is copied to be sent.
   A spectrum is [ky of this rank, kx, kz] Fourier coefficients as (re, im) pairs, my = 2 top + 1 values of kx
   and ky in the order 0, 1, .., top, -top, .., -1, mz = top + 1 values of kz. */
#ifndef FC_SLAB3_H
#define FC_SLAB3_H
#include "hpc/comm.h"

enum { FC_SLAB3_FIELDS = 12 };

typedef struct fc_slab3 {
  int64_t             m, top, my, mz; /* points a side, highest mode, see above */
  int64_t             x0, nx, k0, ny; /* planes x0 .. x0 + nx - 1 and rows k0 .. of ky belong to this rank */
  int64_t             lines;          /* lines along z in a block of points */
  int                 most, lanes, ranks;       /* fields at a time, threads */
  double             *sent, *got;               /* messages; one array on one rank */
  int64_t            *mode_count, *point_count; /* numbers in those of and for each rank */
  double            **lane;                     /* work space of each thread */
  struct fftw_plan_s *across[2]; /* [m, mz] along the first axis in place: x and y, there and back */
  struct fftw_plan_s *along[2];  /* lines of m complex numbers: z of two planes at once */
} fc_slab3;

/* A journey of fields: spectra in, points, spectra out. Each function is called by several threads at once,
   for one row or block at a time, and may leave numbers by j or x without asking others. */
typedef struct fc_slab3_pass {
  int in, out; /* numbers of fields */
  /* row[f]: mz coefficients of field f at row j of this rank's ky and number i of kx */
  void (*give)(void *self, int64_t j, int64_t i, double *const *row);
  /* Field f at planes x and x + 1 of this rank and lines y .. y + lines - 1 along z: the two planes take
     turns, f[a][2 ((line) m + z) + plane]. The first `out` fields are overwritten by what goes back. If x is
     the last plane its partner is zero and ignored. */
  void (*point)(void *self, int64_t x, int64_t y, double *const *f);
  /* as give: sums over points of field times exp(-ikx), not scaled; may be overwritten */
  void (*take)(void *self, int64_t j, int64_t i, double *const *row);
} fc_slab3_pass;

/* shared: all ranks have their part of each field (collective); else this rank has all of it. measure as in
   solvers/fft2.h. FC_E_SYSTEM: no memory. */
fc_status fc_slab3_create(bool shared, int64_t m, int64_t top, int most, bool measure, fc_slab3 **out);
void      fc_slab3_destroy(fc_slab3 *t); /* NULL is fine */
int64_t   fc_slab3_bytes(int64_t m, int64_t top, int most, int ranks, int lanes);

/* Collective; neither allocates nor depends on the number of threads. FC_E_COMM: a rank has died. */
fc_status fc_slab3_run(fc_slab3 *t, const fc_slab3_pass *p, void *self);

/* signed mode of number i of kx or global row i of ky */
static inline int64_t fc_slab3_mode(const fc_slab3 *t, int64_t i) { return i <= t->top ? i : i - t->my; }
#endif
