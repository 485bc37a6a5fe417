/* solvers/smoke_state.c - grid, memory, borders, frames, diagnostics. */
#include "solvers/smoke.h"

#include "core/parallel.h"
#include "solvers/fft2.h"

#include <fftw3.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

/* ---- set-up ---- */

fc_smoke_config fc_smoke_resolve(const fc_smoke_config *c) {
  fc_smoke_config r = *c;
  double          k =
      1 / (r.lx / (double)r.nx) / (r.lx / (double)r.nx) + 1 / (r.ly / (double)r.ny) / (r.ly / (double)r.ny);

  if (r.nz) k += 1 / (r.lz / (double)r.nz) / (r.lz / (double)r.nz);
  if (r.accurate) r.scheme = FC_SMOKE_VOLUMES;
  if (r.scheme != FC_SMOKE_VOLUMES) return r;
  if (r.cfl == 0) r.cfl = 0.5;
  const double limit = 2 / (4 * r.nu * k); /* of 2.5 that these stages bear for diffusion */
  if (r.nu > 0) r.dt = r.dt > 0 ? fmin(r.dt, limit) : limit;
  return r;
}

static double *carve(double **block, int64_t n) {
  double *p = *block;

  *block += (n + 7) / 8 * 8;
  return p;
}

static void fill_grid(fc_smoke *s) {
  const fc_smoke_config *c    = &s->c;
  const int64_t          n[3] = {c->nx, c->ny, c->nz};
  const double           l[3] = {c->lx, c->ly, c->lz};

  s->ndim   = c->nz ? 3 : 2;
  s->first  = 3 - s->ndim;
  s->finest = INFINITY;
  s->volume = 1;
  for (int a = 0; a < 3; a++) {
    const int from = a - s->first;
    s->n[a]        = from < 0 ? 1 : n[from];
    s->p[a]        = from < 0 ? 1 : n[from] + 2;
    s->dx[a]       = from < 0 ? INFINITY : l[from] / (double)n[from];
    if (from < 0) continue;
    s->finest = fmin(s->finest, s->dx[a]);
    s->volume *= s->dx[a];
  }
  s->step[2] = 1;
  s->step[1] = s->p[2];
  s->step[0] = s->p[1] * s->p[2];
  s->rows    = s->n[0] * s->n[1];
  s->cells   = s->rows * s->n[2];
  s->size    = s->p[0] * s->step[0];
}

static fc_status plan_transforms(fc_smoke *s) {
  const int dim[3] = {(int)s->n[0], (int)s->n[1], (int)s->n[2]};
  double   *x = fc_fft2_alloc(s->cells), *hat = fc_fft2_alloc(s->size);
  fc_status status = FC_OK;

  if (x && hat) s->noise = fftw_plan_dft_c2r(s->ndim, dim + s->first, (fftw_complex *)hat, x, FFTW_ESTIMATE);
  free(x);
  free(hat);
  FC_REQUIRE(s->noise, FC_E_SYSTEM, "no memory to plan transforms of %lld cells; use a smaller grid",
             (long long)s->cells);
  for (int a = s->first; a < 3 && status == FC_OK; a++)
    status = fc_cosine_create(s->n[a], s->c.fft, &s->cosine[a]);
  return status;
}

static void fill_eigenvalues(fc_smoke *s) {
  for (int a = s->first; a < 3; a++)
    for (int64_t k = 0; k < s->n[a]; k++) {
      const double half = sin(M_PI * (double)k / (double)(2 * s->n[a]));
      s->eigen[a][k]    = 4 * half * half / (s->dx[a] * s->dx[a]);
    }
}

fc_status fc_smoke_create(const fc_smoke_config *c, fc_smoke **out) {
  fc_smoke *s = calloc(1, sizeof *s);
  fc_status status;

  *out = NULL;
  FC_REQUIRE(s, FC_E_SYSTEM, "no memory for the solver");
  s->c = fc_smoke_resolve(c);
  fill_grid(s);
  s->block = fc_fft2_alloc(s->n[0] + s->n[1] + s->n[2] + 24);
  status   = s->block ? plan_transforms(s) : fc_fail(FC_E_SYSTEM, "no memory for the solver");
  if (status == FC_OK) {
    double *at = s->block;
    for (int a = 0; a < 3; a++) s->eigen[a] = carve(&at, s->n[a]);
    fill_eigenvalues(s);
    *out = s;
  } else
    fc_smoke_destroy(s);
  return status;
}

void fc_smoke_destroy(fc_smoke *s) {
  if (!s) return;
  for (int a = 0; a < 3; a++) fc_cosine_destroy(s->cosine[a]);
  if (s->noise) fftw_destroy_plan(s->noise);
  free(s->block);
  free(s);
}

static int64_t longest(const fc_smoke *s) { return fc_max64(s->n[0], fc_max64(s->n[1], s->n[2])); }

static int64_t doubles(const fc_smoke *s) {
  const int sets = s->c.scheme == FC_SMOKE_VOLUMES ? 3 : 2;

  return sets * (s->ndim + 1) * (s->size + 8) + s->cells + 8 + 4 * (s->rows + 8) + fc_cosine_work(longest(s));
}

int64_t fc_smoke_bytes(const fc_smoke_config *c) {
  fc_smoke s = {.c = fc_smoke_resolve(c)};

  fill_grid(&s);
  return doubles(&s) * (int64_t)sizeof(double);
}

fc_status fc_smoke_work_create(const fc_smoke *s, fc_smoke_work **out) {
  fc_smoke_work *w = calloc(1, sizeof *w);

  *out = NULL;
  if (w) w->block = fc_fft2_alloc(doubles(s));
  if (!w || !w->block) {
    free(w);
    return fc_fail(FC_E_SYSTEM, "no memory for a trajectory of %lld cells", (long long)s->cells);
  }
  double *at = w->block;
  w->s       = s;
  for (int f = s->first; f < FC_SMOKE_FIELDS; f++) {
    w->now[f]     = carve(&at, s->size);
    w->next[0][f] = carve(&at, s->size);
    if (s->c.scheme == FC_SMOKE_VOLUMES) w->next[1][f] = carve(&at, s->size);
  }
  w->pressure = carve(&at, s->cells);
  w->work     = carve(&at, fc_cosine_work(longest(s)));
  for (int i = 0; i < 4; i++) w->row[i] = carve(&at, s->rows);
  *out = w;
  return FC_OK;
}

void fc_smoke_work_destroy(fc_smoke_work *w) {
  if (!w) return;
  free(w->block);
  free(w);
}

/* ---- borders ---- */

/* velocity of the wall beyond the upper (or lower) end of axis b, for component a */
static double wall(const fc_smoke *s, int a, int b, bool upper) {
  return a == s->first && b == 2 && upper ? s->c.lid : 0;
}

/* outer = fixed + sign inner along one axis, over all of the other two */
static void mirror(const fc_smoke *s, double *x, int axis, double sign, const double fixed[2]) {
  const int     p = axis == 0 ? 1 : 0, q = axis == 2 ? 1 : 2;
  const int64_t far = s->n[axis] * s->step[axis], one = s->step[axis];

  for (int64_t i = 0; i < s->p[p]; i++)
    for (int64_t j = 0; j < s->p[q]; j++) {
      double *at    = x + i * s->step[p] + j * s->step[q];
      at[0]         = fixed[0] + sign * at[one];
      at[far + one] = fixed[1] + sign * at[far];
    }
}

/* Smoke goes on as it is; walls and what is beyond them along a component's own axis stay zero. */
void fc_smoke_borders(const fc_smoke *s, int field, double *x) {
  const bool half = s->c.scheme == FC_SMOKE_VOLUMES; /* the wall is half way between the two values */

  for (int b = s->first; b < 3; b++) {
    const double factor   = half ? 2 : 1,
                 fixed[2] = {factor * wall(s, field, b, false), factor * wall(s, field, b, true)};
    const double none[2]  = {0, 0};
    if (field == FC_SMOKE)
      mirror(s, x, b, 1, none);
    else if (field != b)
      mirror(s, x, b, half ? -1 : 0, fixed);
  }
}

/* ---- frames ---- */

void fc_smoke_set(fc_smoke_work *w, const fc_real *x) {
  const fc_smoke *s     = w->s;
  const int       width = s->ndim + 1;

  for (int64_t r = 0; r < s->rows; r++)
    for (int64_t k = 0, at = fc_smoke_row(s, r); k < s->n[2]; k++, at++) {
      const fc_real *v      = x + (r * s->n[2] + k) * width;
      const int64_t  at3[3] = {r / s->n[1], r % s->n[1], k};
      w->now[FC_SMOKE][at]  = (double)v[0];
      for (int a = s->first; a < 3; a++)
        w->now[a][at - s->step[a]] = at3[a] ? (double)v[1 + a - s->first] : 0; /* the lower wall */
    }
  for (int f = s->first; f < FC_SMOKE_FIELDS; f++) fc_smoke_borders(s, f, w->now[f]);
  w->start = fc_smoke_total(w);
}

void fc_smoke_values(const fc_smoke_work *w, fc_real *x) {
  const fc_smoke *s     = w->s;
  const int       width = s->ndim + 1;

  FC_FOR_ROWS(r, s->rows, s->n[2] * width) {
    const int64_t at = fc_smoke_row(s, r);
    fc_real      *v  = x + r * s->n[2] * width;
    for (int64_t k = 0; k < s->n[2]; k++) {
      v[k * width] = (fc_real)w->now[FC_SMOKE][at + k];
      for (int a = s->first; a < 3; a++)
        v[k * width + 1 + a - s->first] = (fc_real)w->now[a][at + k - s->step[a]];
    }
  }
}

/* ---- diagnostics ---- */

/* largest sum of |u| / dx over the cell's faces, largest |smoke|, and zero or NaN */
FC_SIMD static void row_speed(const fc_smoke_work *w, int64_t at, double out[3]) {
  const fc_smoke *s    = w->s;
  double          fast = 0, most = 0, nothing = 0;

  for (int64_t k = at; k < at + s->n[2]; k++) {
    double sum = 0;
    for (int a = s->first; a < 3; a++) {
      const double p = fabs(w->now[a][k]), q = fabs(w->now[a][k - s->step[a]]);
      sum += (p > q ? p : q) / s->dx[a];
      nothing += p - p;
    }
    const double v = fabs(w->now[FC_SMOKE][k]);
    fast           = sum > fast ? sum : fast;
    most           = v > most ? v : most;
    nothing += v - v;
  }
  out[0] = fast, out[1] = most, out[2] = nothing;
}

double fc_smoke_speed(fc_smoke_work *w) {
  const fc_smoke *s    = w->s;
  double          fast = fabs(s->c.lid) / s->dx[s->first], most = 0, nothing = 0;

  FC_FOR_ROWS(r, s->rows, 8 * s->n[2]) {
    double q[3];
    row_speed(w, fc_smoke_row(s, r), q);
    for (int i = 0; i < 3; i++) w->row[i][r] = q[i];
  }
  for (int64_t r = 0; r < s->rows; r++) {
    fast = fmax(fast, w->row[0][r]);
    most = fmax(most, w->row[1][r]);
    nothing += w->row[2][r];
  }
  const double v = fast * s->finest, a = fabs(s->c.buoyancy) * most * s->c.cfl * s->finest;
  return (v + sqrt(v * v + 4 * a)) / 2 + nothing;
}

double fc_smoke_total(fc_smoke_work *w) {
  const fc_smoke *s   = w->s;
  double          sum = 0;

  FC_FOR_ROWS(r, s->rows, s->n[2]) {
    const double *x = w->now[FC_SMOKE] + fc_smoke_row(s, r);
    double        t = 0;
    for (int64_t k = 0; k < s->n[2]; k++) t += x[k];
    w->row[0][r] = t;
  }
  for (int64_t r = 0; r < s->rows; r++) sum += w->row[0][r];
  return sum * s->volume;
}

double fc_smoke_energy(fc_smoke_work *w) {
  const fc_smoke *s   = w->s;
  double          sum = 0;

  FC_FOR_ROWS(r, s->rows, 3 * s->n[2]) {
    const int64_t at = fc_smoke_row(s, r);
    double        t  = 0;
    for (int a = s->first; a < 3; a++)
      for (int64_t k = at; k < at + s->n[2]; k++) t += w->now[a][k] * w->now[a][k];
    w->row[0][r] = t;
  }
  for (int64_t r = 0; r < s->rows; r++) sum += w->row[0][r];
  return sum * s->volume / 2;
}
