/* tests/solvers/test_ns2d.c - the numerics of solvers/ns2d.h against exact solutions, orders and invariants.
   FC_SHOW=1 prints the measured numbers that docs/validation.md quotes. */
#include "solvers/ns2d.h"
#include "tests/check.h"

static const char *const scheme_name[] = {"euler_cn", "heun_cn", "rk3_cn", "etdrk4"};
static const char *const mask_name[]   = {"square", "circular", "three_halves", "none"};

static void show(const char *what, const char *which, double value) {
  if (getenv("FC_SHOW")) printf("  %-34s %-13s %.3g\n", what, which, value);
}

static fc_ns2d_config base(int64_t n) {
  return (fc_ns2d_config){.n            = n,
                          .length       = 2 * M_PI,
                          .nu           = 0.01,
                          .scheme       = FC_NS2D_ETDRK4,
                          .form         = FC_NS2D_DIVERGENCE,
                          .mask         = FC_NS2D_MASK_GALERKIN,
                          .dt           = 0.01,
                          .frame_dt     = 1,
                          .frames       = 1,
                          .n_traj       = 1,
                          .amplitude    = 1,
                          .forcing_mode = 4,
                          .initial_mode = 2,
                          .alpha        = 2.5,
                          .tau          = 7};
}

typedef struct {
  fc_ns2d      *s;
  fc_ns2d_work *k;
} flow;

static flow begin(fc_ns2d_config c) {
  flow f = {0};

  if (fc_ns2d_create(&c, &f.s) != FC_OK || fc_ns2d_work_create(f.s, &f.k) != FC_OK) abort();
  fc_ns2d_start(f.s, f.k, 0);
  return f;
}

static void end(flow f) {
  fc_ns2d_work_destroy(f.k);
  fc_ns2d_destroy(f.s);
}

static void steps(flow f, int n, double h) {
  for (int i = 0; i < n; i++) fc_ns2d_step(f.s, f.k, h);
}

static int64_t length_of(const flow *f) { return 2 * f->s->n * f->s->nh; }

static double *copy(const flow *f) {
  double *w = fc_fft2_alloc(length_of(f));

  return memcpy(w, f->k->w, (size_t)length_of(f) * sizeof *w);
}

/* largest difference of coefficients relative to the largest coefficient of b */
static double apart(const double *a, const double *b, int64_t n) {
  double off = 0, top = 0;

  for (int64_t i = 0; i < n; i++) {
    const double d = fabs(a[i] - b[i]);
    if (!(d <= off)) off = d;
    top = fmax(top, fabs(b[i]));
  }
  return off / top;
}

/* Taylor vortices carried by a uniform stream: each mode (kx, ky) of the start turns by exp(-i(kx U + ky V)
   t) and decays by exp(-2 nu q^2 t) */
static double taylor_error(flow f, const double *start, double t) {
  const fc_ns2d *s   = f.s;
  double        *ref = fc_fft2_alloc(length_of(&f));
  const double   q = (double)s->c.initial_mode, fade = exp(-(2 * s->c.nu * q * q + s->c.mu) * t);

  for (int64_t i = 0; i < s->n; i++)
    for (int64_t j = 0; j < s->nh; j++) {
      const double *z = start + 2 * (i * s->nh + j),
                   a  = -(s->kx[i] * s->c.mean_u + s->ky[j] * s->c.mean_v) * t;
      double *r       = ref + 2 * (i * s->nh + j);
      r[0]            = fade * (z[0] * cos(a) - z[1] * sin(a));
      r[1]            = fade * (z[0] * sin(a) + z[1] * cos(a));
    }
  const double off = apart(f.k->w, ref, length_of(&f));
  free(ref);
  return off;
}

static double moving_vortex(int scheme, double nu, int n) {
  fc_ns2d_config c = base(32);

  c.initial = FC_NS2D_TAYLOR;
  c.scheme  = scheme;
  c.nu      = nu;
  c.mean_u  = 1;
  c.mean_v  = 0.5;
  flow    f = begin(c);
  double *w = copy(&f);
  steps(f, n, 1.0 / n);
  const double e = taylor_error(f, w, 1);
  free(w);
  end(f);
  return e;
}

/* The stream makes the advection term exact and not zero. Bounds leave 0.1 for higher-order terms. The third
   order of rk3_cn belongs to advection; Crank-Nicolson brings it to 2 where viscosity rules. */
static void moving_taylor_vortex_order(void) {
  static const double order[] = {1, 2, 3, 4};

  for (int s = 0; s < 4; s++) {
    const double nu = s == FC_NS2D_RK3_CN ? 0 : 0.01;
    const double a = moving_vortex(s, nu, 160), b = moving_vortex(s, nu, 320), p = log2(a / b);
    show("moving vortex, error at dt 1/320", scheme_name[s], b);
    show("moving vortex, observed order", scheme_name[s], p);
    CHECK_NEAR(p, order[s], 0.1);
  }
  const double p = log2(moving_vortex(FC_NS2D_RK3_CN, 0.2, 160) / moving_vortex(FC_NS2D_RK3_CN, 0.2, 320));
  show("  the same with nu 0.2", "rk3_cn", p);
  CHECK(p > 1.9);
  CHECK(moving_vortex(FC_NS2D_ETDRK4, 0.01, 640) < 1e-8);
}

/* u.grad w vanishes: exponential stepping is exact, Crank-Nicolson must show exactly its own factor */
static void resting_taylor_vortex(void) {
  for (int s = 0; s < 4; s++) {
    fc_ns2d_config c = base(32);
    c.initial        = FC_NS2D_TAYLOR;
    c.scheme         = s;
    c.nu             = 0.05;
    c.mu             = 0.03;
    flow    f        = begin(c);
    double *w        = copy(&f);
    steps(f, 100, 0.01);
    const double        l        = 2 * c.nu * 4 + c.mu;
    static const double weight[] = {8.0 / 15, 2.0 / 15, 1.0 / 3}; /* of the substages of rk3_cn */
    double              factor   = 1;
    for (int i = 0; i < 3; i++) {
      const double half = 0.01 * l / 2 * (s == FC_NS2D_RK3_CN ? weight[i] : i ? 0 : 1);
      factor *= (1 - half) / (1 + half);
    }
    factor = s == FC_NS2D_ETDRK4 ? exp(-l) : pow(factor, 100);
    for (int64_t i = 0; i < length_of(&f); i++) w[i] *= factor;
    const double e = apart(f.k->w, w, length_of(&f));
    show("Taylor vortex at rest, error", scheme_name[s], e);
    CHECK_NEAR(e, 0, 1e-12); /* 100 steps of rounding */
    if (s == FC_NS2D_ETDRK4) CHECK_NEAR(f.k->w[2 * (2 * f.s->nh + 2)], exp(-l), 1e-12); /* q/2 = 1 */
    free(w);
    end(f);
  }
}

/* Forcing, viscosity and drag in balance; 200 steps leave it where it is. Rounding is amplified a little by
   the instability of the flow (growth rate below 1, time 1). */
static void laminar_kolmogorov_flow_stays(void) {
  for (int s = 0; s < 4; s++)
    for (int form = 0; form < 2; form++) {
      fc_ns2d_config c = base(32);
      c.initial        = FC_NS2D_LAMINAR;
      c.forcing        = FC_NS2D_FORCE_KOLMOGOROV;
      c.scheme         = s;
      c.form           = form;
      c.mu             = 0.1;
      flow    f        = begin(c);
      double *w        = copy(&f);
      CHECK_NEAR(f.k->w[2 * 4], -4.0 / (2 * (0.01 * 16 + 0.1)), 1e-13);
      steps(f, 200, 0.005);
      const double e = apart(f.k->w, w, length_of(&f));
      if (form) show("laminar Kolmogorov flow, error", scheme_name[s], e);
      CHECK_NEAR(e, 0, 1e-12);
      free(w);
      end(f);
    }
}

/* -u.grad w by the sum over all pairs of modes: O(n^4), for small n. p + q = k. */
static void direct_rate(const fc_ns2d *s, const double *w, double *rate) {
  const int64_t n = s->n, h = n / 2;

#define AT(p, x, y) ((p) + 2 * (((x) + n) % n * s->nh + (y)))
  for (int64_t kx = -h + 1; kx < h; kx++)
    for (int64_t ky = 0; ky < h; ky++) {
      double *r = AT(rate, kx, ky);
      r[0] = r[1] = 0;
      if (ky >= s->cut[(kx + n) % n] || (kx == 0 && ky == 0)) continue;
      for (int64_t px = -h + 1; px < h; px++)
        for (int64_t py = -h + 1; py < h; py++) {
          const int64_t qx = kx - px, qy = ky - py, p2 = px * px + py * py;
          if (llabs(qx) >= h || llabs(qy) >= h || p2 == 0) continue;
          const double *a = py < 0 ? AT(w, -px, -py) : AT(w, px, py),
                       *b = qy < 0 ? AT(w, -qx, -qy) : AT(w, qx, qy);
          const double ai = py < 0 ? -a[1] : a[1], bi = qy < 0 ? -b[1] : b[1];
          const double cross =
              (double)(px * qy - py * qx) / (double)p2; /* -(u.grad w)_k = sum (q x p)/p^2 w_p w_q */
          r[0] -= cross * (a[0] * b[0] - ai * bi);
          r[1] -= cross * (a[0] * bi + ai * b[0]);
        }
    }
#undef AT
}

static double product_error(int dealias, int form) {
  fc_ns2d_config c = base(24);

  c.dealias = dealias;
  c.form    = form;
  flow    f = begin(c);
  double *r = fc_fft2_alloc(length_of(&f));
  direct_rate(f.s, f.k->w, r);
  fc_ns2d_rate(f.s, f.k, f.k->w, f.k->rate[0]);
  const double e = apart(f.k->rate[0], r, length_of(&f));
  free(r);
  end(f);
  return e;
}

/* every dealiased product equals the exact convolution; n = 24 is divisible by 3, the delicate case */
static void products_are_exact(void) {
  for (int form = 0; form < 2; form++) {
    for (int d = 0; d < 3; d++) {
      const double e = product_error(d, form);
      if (form) show("product against convolution", mask_name[d], e);
      CHECK_NEAR(e, 0, 1e-13);
    }
    CHECK(product_error(FC_NS2D_ALIASED, form) > 1e-3); /* the test can see aliasing */
  }
}

static double inner(flow f, const double *rate, bool energy) { /* <psi, rate> or <w, rate> */
  const fc_ns2d *s   = f.s;
  double         sum = 0;

  for (int64_t i = 0; i < s->n; i++)
    for (int64_t j = 0; j < s->nh; j++) {
      const int64_t at = 2 * (i * s->nh + j);
      const double  k2 = s->kx2[i] + s->ky2[j], m = j > 0 && j < s->n / 2 ? 2 : 1;
      if (k2 > 0) sum += m * (f.k->w[at] * rate[at] + f.k->w[at + 1] * rate[at + 1]) / (energy ? k2 : 1);
    }
  return sum;
}

/* A Galerkin method moves energy and enstrophy between modes and makes none; so does the stream. */
static void advection_conserves_energy_and_enstrophy(void) {
  for (int d = 0; d < 4; d++) {
    fc_ns2d_config c = base(48);
    c.dealias        = d;
    c.mean_u         = 0.7;
    c.tau            = 2; /* large eddies: transfers of order one */
    flow f           = begin(c);
    fc_ns2d_rate(f.s, f.k, f.k->w, f.k->rate[0]);
    const fc_ns2d_budget b = fc_ns2d_measure(f.s, f.k);
    const double         e = fabs(inner(f, f.k->rate[0], true)) / b.energy,
                 z         = fabs(inner(f, f.k->rate[0], false)) / b.enstrophy;
    show("d(energy)/dt of advection / energy", mask_name[d], e);
    show("d(enstrophy)/dt / enstrophy", mask_name[d], z);
    if (d == FC_NS2D_ALIASED)
      CHECK(z > 1e-6); /* the test can see aliasing */
    else
      CHECK(e < 1e-13 && z < 1e-13);
    end(f);
  }
}

static fc_ns2d_budget inviscid_drift(int scheme, int n) {
  fc_ns2d_config c = base(48);

  c.nu                   = 0;
  c.tau                  = 2;
  c.scheme               = scheme;
  flow                 f = begin(c);
  const fc_ns2d_budget a = fc_ns2d_measure(f.s, f.k);
  steps(f, n, 0.5 / n);
  const fc_ns2d_budget b = fc_ns2d_measure(f.s, f.k);
  end(f);
  return (fc_ns2d_budget){fabs(b.energy / a.energy - 1), fabs(b.enstrophy / a.enstrophy - 1), 0};
}

/* what is left in a run is the error of the time stepping; it must fall at least as fast as the order says */
static void inviscid_flow_conserves_at_the_order_of_the_scheme(void) {
  for (int s = 0; s < 4; s++) {
    const fc_ns2d_budget a = inviscid_drift(s, 40), b = inviscid_drift(s, 80);
    show("inviscid energy drift, 80 steps", scheme_name[s], b.energy);
    show("inviscid enstrophy drift, 80 steps", scheme_name[s], b.enstrophy);
    show("  order of the enstrophy drift", scheme_name[s], log2(a.enstrophy / b.enstrophy));
    CHECK(log2(a.energy / b.energy) > s + 0.7);
    CHECK(log2(a.enstrophy / b.enstrophy) > s + 0.7);
  }
}

/* dE/dt = <f.u> - 2 nu Z - 2 mu E: the rate of change of the discrete system, and the change over 40 steps
   against Simpson's rule, both orders four */
static void energy_budget_closes(void) {
  fc_ns2d_config c = base(48);

  c.forcing        = FC_NS2D_FORCE_KOLMOGOROV;
  c.mu             = 0.1;
  c.tau            = 2;
  flow         f   = begin(c);
  const double h   = 0.0025;
  double       sum = 0, first = 0, last = 0;
  for (int i = 0; i <= 40; i++) {
    const fc_ns2d_budget b   = fc_ns2d_measure(f.s, f.k);
    const double         net = b.input - 2 * c.nu * b.enstrophy - 2 * c.mu * b.energy;
    fc_ns2d_rate(f.s, f.k, f.k->w, f.k->rate[0]);
    CHECK_NEAR((inner(f, f.k->rate[0], true) - b.input) / b.energy, 0, 1e-13); /* advection adds nothing */
    sum += net * h / 3 * (i == 0 || i == 40 ? 1 : i % 2 ? 4 : 2);
    if (i == 0) first = b.energy;
    last = b.energy;
    if (i < 40) fc_ns2d_step(f.s, f.k, h);
  }
  show("energy budget, residual / energy", "etdrk4", (last - first - sum) / first);
  CHECK_NEAR((last - first - sum) / first, 0, 1e-9);
  CHECK(fabs(last - first) > 1e-3 * first); /* something happened */
  end(f);
}

static double *turbulent(fc_ns2d_config c, int n, double t) {
  flow f = begin(c);

  steps(f, n, t / n);
  double *w = copy(&f);
  end(f);
  return w;
}

/* Richardson: differences of runs with dt, dt/2, dt/4 of a flow whose nonlinear term matters, against the
 * order */
static void nonlinear_order(void) {
  static const double least[] = {0.9, 1.9, 1.9, 3.8}; /* rk3_cn: 2 from viscosity, 3 if that is small */

  for (int s = 0; s < 4; s++) {
    const int      n  = s == FC_NS2D_EULER_CN ? 1600 : 50; /* first order shows in tiny steps only */
    fc_ns2d_config c  = base(48);
    c.scheme          = s;
    c.forcing         = FC_NS2D_FORCE_FNO;
    c.tau             = 2;
    const int64_t len = 2 * 48 * 25;
    double       *a = turbulent(c, n, 0.5), *b = turbulent(c, 2 * n, 0.5), *d = turbulent(c, 4 * n, 0.5);
    const double  p = log2(apart(a, b, len) / apart(b, d, len));
    show("turbulent flow, observed order", scheme_name[s], p);
    CHECK(p > least[s]);
    free(a), free(b), free(d);
  }
}

/* The same smooth flow on three grids: the error falls faster than any power. */
static void spectral_in_space(void) {
  double              *w[3];
  static const int64_t n[] = {32, 48, 96};
  double               off[2];

  for (int i = 0; i < 3; i++) {
    fc_ns2d_config c = base(n[i]);
    c.nu             = 0.05;
    c.alpha          = 8;
    c.tau            = 3;
    c.sigma          = 3000;
    w[i]             = turbulent(c, 100, 1);
  }
  for (int i = 0; i < 2; i++) {
    double *same = fc_fft2_alloc(2 * 32 * 17), *ref = fc_fft2_alloc(2 * 32 * 17);
    fc_fft2_resize(n[i], w[i], 32, same);
    fc_fft2_resize(96, w[2], 32, ref);
    if (i == 0) same[2 * (16 * 17)] = 0;
    off[i] = apart(same, ref, 2 * 32 * 17);
    free(same), free(ref);
    show("error against 96^2", i ? "48^2" : "32^2", off[i]);
  }
  CHECK(off[0] < 1e-2 && off[1] < off[0] / 30); /* second order would give 2.25 */
  for (int i = 0; i < 3; i++) free(w[i]);
}

static void independent_of_threads(void) {
  for (int s = 0; s < 4; s++) {
    fc_ns2d_config c = base(128);
    double        *w[3];
    c.scheme = s;
    c.form   = s % 2;
    for (int t = 0; t < 3; t++) {
      fc_threads_set(t + 1);
      w[t] = turbulent(c, 3, 0.01);
    }
    fc_threads_set(1);
    for (int t = 1; t < 3; t++) CHECK(!memcmp(w[0], w[t], sizeof(double) * 2 * 128 * 65));
    for (int t = 0; t < 3; t++) free(w[t]);
  }
}

CHECK_SUITE(ns2d, moving_taylor_vortex_order, resting_taylor_vortex, laminar_kolmogorov_flow_stays,
            products_are_exact, advection_conserves_energy_and_enstrophy,
            inviscid_flow_conserves_at_the_order_of_the_scheme, energy_budget_closes, nonlinear_order,
            spectral_in_space, independent_of_threads)
