/* solvers/profiles_report.c - from mean moments of planes to profiles, wall units, stresses and spectra.
   u' are deviations from the final mean: <u'u'> = <dd> - <d>^2 with d = u - shift. */
#include "solvers/profiles_parts.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { C_SLOPE = MOMENTS, C_A, C_B, COLUMNS }; /* dU/dy and two to compute in */

typedef struct sheet {
  const fc_profiles     *p;
  const fc_profiles_use *use;
  int64_t                n;        /* points that are reported */
  double                *y;        /* [ny] distance from the lower wall, y_plus after it */
  double                *column;   /* [COLUMNS, ny] */
  double                *spectrum; /* wavenumbers and energies */
  bool   called, plus;             /* are there wall units: viscosity, and a wall that holds the flow back */
  double half;                     /* width */
  double shear[2], tau, u_tau, bulk;
  char   square[FC_NAME + 8], axis[FC_NAME + 8]; /* unit of stresses; "y (m)" */
} sheet;

static double *col(const sheet *s, int i) { return s->column + i * s->p->spec.ny; }

/* ---- moments about the final mean ---- */

static void moments(sheet *s, const double *mean) {
  static const int pair[3][2] = {{M_U, M_V}, {M_U, M_W}, {M_V, M_W}};

  for (int64_t j = 0; j < s->p->spec.ny; j++) {
    const double *m = mean + j * MOMENTS, *shift = s->p->shift + 4 * j;
    for (int c = 0; c < 4; c++) col(s, M_U + c)[j] = m[M_U + c] + shift[c];
    for (int c = 0; c < 4; c++) col(s, M_UU + c)[j] = fmax(m[M_UU + c] - m[M_U + c] * m[M_U + c], 0);
    for (int c = 0; c < 3; c++) col(s, M_UV + c)[j] = m[M_UV + c] - m[pair[c][0]] * m[pair[c][1]];
    col(s, M_NUT)[j]    = m[M_NUT];
    col(s, M_STRESS)[j] = m[M_STRESS];
  }
}

/* ---- slopes of the mean velocity ---- */

/* at x, of the parabola through three points */
static double slope(const double a[3], const double f[3], double x) {
  double sum = 0;

  for (int i = 0; i < 3; i++) {
    const int j = (i + 1) % 3, k = (i + 2) % 3;
    sum += f[i] * (2 * x - a[j] - a[k]) / ((a[i] - a[j]) * (a[i] - a[k]));
  }
  return sum;
}

static bool on_wall(const sheet *s, int64_t j, int side) {
  return fabs(s->p->y[j] - s->p->spec.wall[side]) < 1e-6 * s->half;
}

/* point i of the mean velocity with the walls added as points -1 and ny where no plane lies on them */
static void point(const sheet *s, int64_t i, double *y, double *u) {
  const int64_t ny = s->p->spec.ny;

  *y = i < 0 ? s->p->spec.wall[0] : i >= ny ? s->p->spec.wall[1] : s->p->y[i];
  *u = i < 0 || i >= ny ? 0 : col(s, M_U)[i];
}

/* at point i, of the parabola through it and its neighbours, or the two next to it at an end */
static double slope_at(const sheet *s, int64_t i) {
  const int64_t lo    = on_wall(s, 0, 0) ? 0 : -1,
                hi    = s->p->spec.ny - (on_wall(s, s->p->spec.ny - 1, 1) ? 1 : 0);
  const int64_t first = fc_max64(lo, fc_min64(i - 1, hi - 2));
  double        y[3], u[3], at, value;

  for (int k = 0; k < 3; k++) point(s, first + k, &y[k], &u[k]);
  point(s, i, &at, &value);
  return slope(y, u, at);
}

static double wall_slope(const sheet *s, int side) {
  const int64_t ny = s->p->spec.ny, end = side ? ny - 1 : 0, in = side ? -1 : 1;
  const bool    there = on_wall(s, end, side);
  double        y, u;

  if (!s->use->first_node) return slope_at(s, there ? end : side ? ny : -1);
  point(s, there ? end + in : end, &y, &u);
  return u / (y - s->p->spec.wall[side]);
}

/* trapezoidal rule, corrected by the slopes at both ends of each piece: of fourth order where slopes are
 * exact */
static double bulk(const sheet *s) {
  const int64_t ny  = s->p->spec.ny;
  double        sum = 0;

  for (int64_t i = on_wall(s, 0, 0) ? 0 : -1; i < (on_wall(s, ny - 1, 1) ? ny - 1 : ny); i++) {
    double y[2], u[2];
    point(s, i, &y[0], &u[0]);
    point(s, i + 1, &y[1], &u[1]);
    const double h = y[1] - y[0];
    sum += h * (u[0] + u[1]) / 2 + h * h / 12 * (slope_at(s, i) - slope_at(s, i + 1));
  }
  return sum / (2 * s->half);
}

static void slopes(sheet *s) {
  const double nu = s->use->nu;

  for (int64_t j = 0; j < s->p->spec.ny; j++) col(s, C_SLOPE)[j] = slope_at(s, j);
  s->bulk     = bulk(s);
  s->shear[0] = nu * wall_slope(s, 0);
  s->shear[1] = -nu * wall_slope(s, 1);
  s->tau      = (s->shear[0] + s->shear[1]) / 2;
  s->u_tau    = sqrt(fmax(s->tau, 0));
}

/* ---- both halves as one ---- */

static bool odd(int column) {
  return column == M_V || column == M_UV || column == M_VW || column == M_STRESS || column == C_SLOPE;
}

static void fold(sheet *s) {
  const int64_t ny = s->p->spec.ny;

  for (int i = 0; i <= C_SLOPE; i++)
    for (int64_t j = 0; j < s->n; j++) {
      const double other = col(s, i)[ny - 1 - j];
      col(s, i)[j]       = (col(s, i)[j] + (odd(i) ? -other : other)) / 2;
    }
}

/* ---- what is reported ---- */

typedef struct listed {
  int         column;
  const char *name, *definition;
  int         power; /* of the velocity in its unit */
} listed;

static const listed profiles[] = {
    {M_U, "mean_u", "mean streamwise velocity U", 1},
    {M_V, "mean_v", "mean wall-normal velocity", 1},
    {M_W, "mean_w", "mean spanwise velocity", 1},
    {M_UU, "uu", "<u'u'>, u' = u - U, resolved", 2},
    {M_VV, "vv", "<v'v'>, resolved", 2},
    {M_WW, "ww", "<w'w'>, resolved", 2},
    {M_UV, "uv", "<u'v'>, resolved", 2},
    {M_UW, "uw", "<u'w'>, resolved", 2},
    {M_VW, "vw", "<v'w'>, resolved", 2},
};
static const listed deviations[] = {
    {M_UU, "u_rms", "root of <u'u'>", 1},
    {M_VV, "v_rms", "root of <v'v'>", 1},
    {M_WW, "w_rms", "root of <w'w'>", 1},
};

/* y_plus = y u_tau / nu, velocities over u_tau, stresses over u_tau^2 */
static void put_plus(const sheet *s, fc_estimates *e, const char *name, int power, const double *v,
                     const char *definition) {
  char          text[FC_DEFINITION], plus[FC_NAME];
  const double *y_plus = s->y + s->p->spec.ny;
  double       *out    = col(s, C_B);

  if (!s->plus) return;
  for (int64_t j = 0; j < s->n; j++) out[j] = v[j] / (s->u_tau > 0 ? pow(s->u_tau, power) : 1);
  snprintf(plus, sizeof plus, "%s_plus", name);
  snprintf(text, sizeof text, "%s, in wall units", definition);
  fc_estimate_put(e, plus, "", "y_plus", s->n, y_plus, out, text);
}

static void put_both(const sheet *s, fc_estimates *e, const char *name, int power, const double *v,
                     const char *definition) {
  fc_estimate_put(e, name, power == 1 ? s->use->velocity_unit : s->square, s->axis, s->n, s->y, v,
                  definition);
  put_plus(s, e, name, power, v, definition);
}

static void put_roots(const sheet *s, fc_estimates *e, const listed *l) {
  double *root = col(s, C_A);

  for (int64_t j = 0; j < s->n; j++) root[j] = sqrt(col(s, l->column)[j]);
  put_both(s, e, l->name, l->power, root, l->definition);
}

static void put_profiles(const sheet *s, fc_estimates *e) {
  static const listed pressure = {M_PP, "p_rms", "root of <p'p'>, p over density", 2};

  for (int i = 0; i < FC_COUNT(profiles); i++)
    put_both(s, e, profiles[i].name, profiles[i].power, col(s, profiles[i].column), profiles[i].definition);
  for (int i = 0; i < FC_COUNT(deviations); i++) put_roots(s, e, &deviations[i]);
  if (!s->p->spec.pressure) return;
  put_both(s, e, "mean_p", 2, col(s, M_P), "mean pressure over density");
  put_roots(s, e, &pressure);
}

/* viscous + resolved + modelled stress against the line tau_w (1 - y / h) */
static void put_stresses(const sheet *s, fc_estimates *e) {
  double *stress = col(s, C_A), square = 0, width = 0;

  if (s->p->spec.model) {
    fc_estimate_put(e, "nu_t", "", s->axis, s->n, s->y, col(s, M_NUT), "mean eddy viscosity");
    put_both(s, e, "modelled_stress", 2, col(s, M_STRESS), "<nu_t (du/dy + dv/dx)>");
  }
  if (!(s->use->nu > 0)) return;
  for (int64_t j = 0; j < s->n; j++) stress[j] = s->use->nu * col(s, C_SLOPE)[j];
  put_both(s, e, "viscous_stress", 2, stress, "nu dU/dy, slopes of parabolas through neighbouring points");
  for (int64_t j = 0; j < s->n; j++) stress[j] += col(s, M_STRESS)[j] - col(s, M_UV)[j];
  put_both(s, e, "total_stress", 2, stress, "viscous + resolved -<u'v'> + modelled shear stress");
  for (int64_t j = 0; j < s->n; j++) {
    const double left = j ? s->y[j - 1] : s->y[j], right = j + 1 < s->n ? s->y[j + 1] : s->y[j];
    stress[j] -= s->tau * (1 - s->y[j] / s->half);
    square += (right - left) * stress[j] * stress[j];
    width += right - left;
  }
  put_both(s, e, "stress_residual", 2, stress, "total_stress - tau_w (1 - y / h), 0 in a stationary flow");
  fc_estimate_one(e, "stress_imbalance", "", s->tau ? sqrt(square / width) / fabs(s->tau) : 0,
                  "rms of stress_residual over the width, over tau_w");
}

static void put_numbers(const sheet *s, fc_estimates *e) {
  const int64_t ny = s->p->spec.ny, low = (ny - 1) / 2, high = ny / 2;
  const double  centre = (col(s, M_U)[low] + col(s, M_U)[s->n == ny ? high : low]) / 2, nu = s->use->nu;
  const char   *unit = s->use->velocity_unit;

  fc_estimate_one(e, "U_b", unit, s->bulk,
                  "bulk velocity: mean of U over the width, corrected trapezoidal rule");
  fc_estimate_one(e, "U_c", unit, centre, "mean velocity in the middle");
  if (!(nu > 0)) return;
  fc_estimate_one(e, "tau_w", s->square, s->tau, "mean shear stress of both walls over density");
  fc_estimate_one(e, "tau_w_lower", s->square, s->shear[0], "of the wall at the low end");
  fc_estimate_one(e, "tau_w_upper", s->square, s->shear[1], "of the wall at the high end");
  fc_estimate_one(e, "u_tau", unit, s->u_tau, "friction velocity, root of tau_w");
  fc_estimate_one(e, "Re_tau", "", s->u_tau * s->half / nu, "u_tau h / nu, h half the width");
  fc_estimate_one(e, "Re_b", "", 2 * s->half * s->bulk / nu, "2 h U_b / nu");
  fc_estimate_one(e, "C_f", "", s->bulk ? 2 * s->tau / (s->bulk * s->bulk) : 0, "tau_w / (U_b^2 / 2)");
  if (!s->plus) return;
  fc_estimate_one(e, "U_b_plus", "", s->u_tau > 0 ? s->bulk / s->u_tau : 0, "U_b / u_tau");
  fc_estimate_one(e, "U_c_plus", "", s->u_tau > 0 ? centre / s->u_tau : 0, "U_c / u_tau");
}

/* E(k) = energy of mode m / (2 pi / L): the sum over k dk is the variance along that direction */
static void put_spectrum(const sheet *s, fc_estimates *e, const double *mean, int k, int c, bool z) {
  const fc_profiles *p  = s->p;
  const int64_t      nk = (z ? p->nkz : p->nkx) - 1;
  const double dk = 2 * M_PI / (z ? p->spec.lz : p->spec.lx), *energy = mean + spectrum_at(p, k, c, z) + 1;
  char         name[FC_NAME], text[FC_DEFINITION], unit[2 * FC_NAME] = "", axis[FC_NAME];
  double      *x  = s->spectrum;
  const double at = (p->y[p->plane[2 * k]] - p->spec.wall[0]) / s->half;

  for (int64_t i = 0; i < nk; i++) x[i] = dk * (double)(i + 1), x[nk + i] = energy[i] / dk;
  snprintf(name, sizeof name, "E_%c%c_k%c_at_%.3g", "uvw"[c], "uvw"[c], z ? 'z' : 'x', p->spec.spectra[k]);
  snprintf(text, sizeof text,
           "one-sided spectrum of %c along %c at y = %.4g h from the wall%s; sum E dk = variance", "uvw"[c],
           z ? 'z' : 'x', at, p->plane[2 * k] != p->plane[2 * k + 1] ? ", mean of both halves" : "");
  if (s->square[0]) snprintf(unit, sizeof unit, "%s %s", s->square, s->use->length_unit);
  snprintf(axis, sizeof axis, "k%c%s%.40s%s", z ? 'z' : 'x', s->use->length_unit[0] ? " (1/" : "",
           s->use->length_unit, s->use->length_unit[0] ? ")" : "");
  if (nk > 0) fc_estimate_put(e, name, unit, axis, nk, x, x + nk, text);
}

static void put_rest(const sheet *s, fc_estimates *e, const double *mean) {
  const fc_profiles *p = s->p;

  for (int k = 0; k < p->spec.n_spectra; k++)
    for (int c = 0; c < 3; c++)
      for (int z = 0; z < 2; z++) put_spectrum(s, e, mean, k, c, z);
  for (int i = 0; i < p->spec.n_extra; i++) {
    const fc_profile_extra *x     = &p->spec.extra[i];
    const double            scale = s->bulk ? pow(s->half, x->per_length) / fabs(s->bulk) : 1;
    fc_estimate_one(e, x->name, "", sqrt(mean[extra_at(p, i)]) * scale, x->definition);
  }
}

static void report(void *user, const double *mean, fc_estimates *e) {
  sheet        *s  = user;
  const int64_t ny = s->p->spec.ny;

  moments(s, mean);
  slopes(s);
  if (!s->called) s->plus = s->u_tau > 0; /* the first call describes; all put the same quantities */
  s->called = true;
  if (s->use->halves) fold(s);
  for (int64_t j = 0; j < ny && s->use->nu > 0; j++) s->y[ny + j] = s->y[j] * s->u_tau / s->use->nu;
  put_numbers(s, e);
  put_profiles(s, e);
  put_stresses(s, e);
  put_rest(s, e, mean);
}

static void name_units(sheet *s) {
  const char *v = s->use->velocity_unit, *l = s->use->length_unit;

  if (v[0]) snprintf(s->square, sizeof s->square, "(%s)^2", v);
  snprintf(s->axis, sizeof s->axis, "y%s%.50s%s", l[0] ? " (" : "", l, l[0] ? ")" : "");
}

fc_status fc_profiles_report(const fc_profiles *p, const fc_profiles_use *use, fc_statistics *out) {
  const int64_t ny = p->spec.ny;
  sheet         s  = {.p = p, .use = use, .half = (p->spec.wall[1] - p->spec.wall[0]) / 2};

  FC_REQUIRE(!use->halves || fc_profiles_symmetric(ny, p->y, p->spec.wall), FC_E_USAGE,
             "the points between the walls are not their own mirror image, so the halves cannot be averaged");
  s.n        = use->halves ? (ny + 1) / 2 : ny;
  s.y        = malloc(2 * (size_t)ny * sizeof *s.y);
  s.column   = malloc((size_t)(COLUMNS * ny) * sizeof *s.column);
  s.spectrum = malloc(2 * (size_t)(p->nkx + p->nkz) * sizeof *s.spectrum);
  name_units(&s);
  fc_status status = s.y && s.column && s.spectrum
                         ? FC_OK
                         : fc_fail(FC_E_SYSTEM, "no memory for %lld planes", (long long)ny);
  for (int64_t j = 0; s.y && j < ny; j++) s.y[j] = p->y[j] - p->spec.wall[0];
  if (status == FC_OK) status = fc_estimate(p->means, p->n, report, &s, out);
  free(s.y);
  free(s.column);
  free(s.spectrum);
  return status;
}
