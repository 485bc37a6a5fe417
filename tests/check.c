/* tests/check.c */
#include "tests/check.h"

#include <CUnit/Basic.h>
#include <ftw.h>
#include <sys/stat.h>
#include <unistd.h>

/* ---- running ---- */

static char scratch[256];

static int remove_entry(const char *path, const struct stat *st, int flag, struct FTW *ftw) {
  (void)st, (void)flag, (void)ftw;
  return remove(path);
}

const char *check_path(const char *name) {
  static char ring[8][600];
  static int  turn;
  char       *p = ring[turn++ % 8];

  if (!scratch[0]) {
    snprintf(scratch, sizeof scratch, "%s/fieldcast-test-XXXXXX",
             getenv("TMPDIR") ? getenv("TMPDIR") : "/tmp");
    if (!mkdtemp(scratch)) abort();
  }
  snprintf(p, sizeof ring[0], "%s/%s", scratch, name);
  return p;
}

int check_run(const char *suite, int n, const check_case *cases, const char *names) {
  if (CU_initialize_registry() != CUE_SUCCESS) return 2;
  CU_pSuite s    = CU_add_suite(suite, NULL, NULL);
  char     *list = strdup(names), *save = NULL, *name = strtok_r(list, ", \n", &save);
  for (int i = 0; i < n; i++, name = strtok_r(NULL, ", \n", &save))
    CU_add_test(s, name ? name : suite, cases[i]);
  fc_parallel_start();
  CU_basic_set_mode(CU_BRM_NORMAL);
  CU_basic_run_tests();
  const unsigned failed = CU_get_number_of_failures(), run = CU_get_number_of_asserts();
  CU_cleanup_registry();
  free(list);
  if (scratch[0]) nftw(scratch, remove_entry, 16, FTW_DEPTH | FTW_PHYS);
  if (!run) fprintf(stderr, "%s: no assertion was executed\n", suite);
  return failed || !run;
}

void check_true(bool ok, const char *what, const char *file, int line) {
  if (!ok) fprintf(stderr, "\n%s:%d: not true: %s\n", file, line, what);
  CU_assertImplementation(ok, (unsigned)line, what, file, "", CU_FALSE);
}

void check_ok(fc_status s, const char *what, const char *file, int line) {
  if (s != FC_OK) fprintf(stderr, "\n%s:%d: %s failed: %s\n", file, line, what, fc_error());
  CU_assertImplementation(s == FC_OK, (unsigned)line, what, file, "", CU_FALSE);
}

void check_near(double a, double b, double tol, const char *what, const char *file, int line) {
  const bool ok = fabs(a - b) <= tol;

  if (!ok)
    fprintf(stderr, "\n%s:%d: %s is %.17g, not %.17g (off by %.3g, tolerance %.3g)\n", file, line, what, a, b,
            a - b, tol);
  CU_assertImplementation(ok, (unsigned)line, what, file, "", CU_FALSE);
}

void check_fails(fc_status s, fc_status want, const char *text, const char *what, const char *file,
                 int line) {
  const bool ok = s == want && strstr(fc_error(), text);

  if (!ok)
    fprintf(stderr, "\n%s:%d: %s: status %d (wanted %d), message \"%s\" (wanted \"%s\" in it)\n", file, line,
            what, s, want, s == FC_OK ? "" : fc_error(), text);
  CU_assertImplementation(ok, (unsigned)line, what, file, "", CU_FALSE);
}

/* ---- contexts and numbers ---- */

static uint64_t drawn;

fc_ctx *check_ctx(void) {
  static fc_ctx *c;

  if (!c && fc_ctx_create((size_t)1 << 32, false, &c) != FC_OK) abort();
  fc_step_end(c, 0);
  c->grad = c->training = false;
  c->seed               = 1;
  return c;
}

fc_tensor *check_random(fc_ctx *c, int ndim, const int64_t *dim) {
  fc_tensor   *t = fc_tensor_new(c->arena, ndim, dim);
  const fc_rng r = {7, drawn++, FC_RNG_TEST};

  for (int64_t i = 0; i < fc_len(t); i++) t->x[i] = (float)fc_rng_normal(&r, (uint64_t)i);
  return t;
}

static double largest(const fc_real *x, int64_t n) {
  double top = 0;

  for (int64_t i = 0; i < n; i++) top = fmax(top, fabs((double)x[i]));
  return top;
}

double check_distance(const fc_tensor *a, const fc_tensor *b) {
  double off = 0;

  if (!fc_same_shape(a, b)) return INFINITY;
  for (int64_t i = 0; i < fc_len(a); i++) {
    const double d = fabs((double)a->x[i] - (double)b->x[i]);
    if (!(d <= off)) off = d; /* NaN sticks */
  }
  return off / fmax(largest(b->x, fc_len(b)), 1e-300);
}

/* ---- check_op ---- */

typedef struct {
  const char     *name;
  check_fn        fn;
  int             n_in;
  const check_in *in;
  fc_ctx         *c;
  fc_tensor      *x[8], *v; /* inputs and the direction on the output side */
  fc_real        *g[8];     /* their gradients */
  bool            soiled;   /* do not soil (again) */
} trial;

static void expect(bool ok, const trial *t, const char *what, double value) {
  if (!ok) fprintf(stderr, "\n%s: %s (%.3g)\n", t->name, what, value);
  CU_assertImplementation(ok, (unsigned)__LINE__, what, t->name, "", CU_FALSE);
}

static void make_inputs(trial *t) {
  drawn = 0;
  for (int i = 0; i < t->n_in; i++) {
    fc_tensor *x = t->x[i] = check_random(t->c, t->in[i].ndim, t->in[i].dim);
    if (t->in[i].positive)
      for (int64_t j = 0; j < fc_len(x); j++) x->x[j] = (float)(fabs((double)x->x[j]) + 0.5);
    t->g[i] = fc_arena_push(t->c->arena, (size_t)fc_len(x) * sizeof(fc_real));
  }
}

/* Fills what lies above the stack with NaN, so that an op that reads memory it never wrote is found. */
static void soil(trial *t) {
  const size_t mark  = fc_arena_mark(t->c->arena);
  size_t       bytes = 1 << 16;

  if (t->soiled) return;
  for (int i = 0; i < t->n_in; i++) bytes += 8 * (size_t)fc_len(t->x[i]) * sizeof(fc_real);
  memset(fc_arena_push(t->c->arena, bytes), 0xff, bytes);
  fc_arena_pop(t->c->arena, mark);
}

/* Runs forward and, with a direction, backward into t->g (started at start). */
static fc_tensor *run(trial *t, bool backward, fc_real start) {
  fc_ctx *c = t->c;

  c->grad  = backward;
  c->draws = 0;
  for (int i = 0; i < t->n_in; i++) {
    fc_tensor *x  = t->x[i];
    x->needs_grad = backward && !t->in[i].fixed;
    x->g          = NULL;
    if (start != 0 && x->needs_grad) {
      x->g = t->g[i];
      for (int64_t j = 0; j < fc_len(x); j++) x->g[j] = start;
    }
  }
  soil(t);
  fc_tensor *y = t->fn(c, t->x);
  if (!backward) return y;
  fc_keep(y);
  soil(t);
  fc_backward_from(c, y, t->v->x);
  for (int i = 0; i < t->n_in; i++)
    if (t->x[i]->g && t->x[i]->g != t->g[i])
      memcpy(t->g[i], t->x[i]->g, (size_t)fc_len(t->x[i]) * sizeof(fc_real));
  return y;
}

#ifdef FC_DOUBLE
static double dot(const fc_real *a, const fc_real *b, int64_t n) {
  double s = 0;

  for (int64_t i = 0; i < n; i++) s += (double)a[i] * (double)b[i];
  return s;
}

/* <v, f(x + h u)> for the five-point rule */
static double probe(trial *t, int i, const fc_tensor *u, double h) {
  const size_t mark = fc_arena_mark(t->c->arena);
  fc_tensor   *x    = t->x[i];

  const size_t bytes = (size_t)fc_len(x) * sizeof(fc_real);
  fc_real     *kept  = memcpy(fc_arena_push(t->c->arena, bytes), x->x, bytes); /* x + h u - h u is not x */
  for (int64_t j = 0; j < fc_len(x); j++) x->x[j] += h * u->x[j];
  const fc_tensor *y = run(t, false, 0);
  const double     s = dot(t->v->x, y->x, fc_len(y));
  memcpy(x->x, kept, bytes);
  fc_arena_pop(t->c->arena, mark);
  return s;
}

static void adjoint_identity(trial *t, double tol) {
  const double h = 1e-3;

  for (int i = 0; i < t->n_in; i++) {
    if (t->in[i].fixed) continue;
    fc_tensor   *u = check_random(t->c, t->x[i]->ndim, t->x[i]->dim);
    const double Ju =
        (8 * (probe(t, i, u, h) - probe(t, i, u, -h)) - (probe(t, i, u, 2 * h) - probe(t, i, u, -2 * h))) /
        (12 * h);
    const double JTv = dot(t->g[i], u->x, fc_len(u));
    const double size =
        sqrt(dot(t->g[i], t->g[i], fc_len(u)) * dot(u->x, u->x, fc_len(u)) / (double)fc_len(u));
    expect(fabs(Ju - JTv) <= tol * fmax(size, 1e-12), t, "adjoint identity fails, relative error",
           fabs(Ju - JTv) / size);
    expect(size > 0, t, "gradient is zero everywhere", i);
  }
}

static fc_tensor *as_block(fc_ctx *c, const void *self, int n_in, fc_tensor *const *in) {
  (void)n_in;
  return ((const trial *)self)->fn(c, (fc_tensor **)in);
}

/* equal as numbers: a gradient added to zero is 0 where one stored is -0 */
static bool same_numbers(const fc_real *a, const fc_real *b, int64_t n) {
  for (int64_t i = 0; i < n; i++)
    if (!(a[i] == b[i])) return false;
  return true;
}

static void same_when_recomputed(trial *t) {
  fc_ctx *c = t->c;

  c->grad  = true;
  c->draws = 0;
  for (int i = 0; i < t->n_in; i++) t->x[i]->g = NULL, t->x[i]->needs_grad = !t->in[i].fixed;
  fc_tensor *y = fc_checkpoint(c, as_block, t, t->n_in, t->x);
  fc_backward_from(c, y, t->v->x);
  for (int i = 0; i < t->n_in; i++)
    if (!t->in[i].fixed)
      expect(t->x[i]->g && same_numbers(t->x[i]->g, t->g[i], fc_len(t->x[i])), t,
             "a recomputed block gives other gradients, input", i);
}

/* bytes a real forward and backward take */
static size_t real_peak(trial *t) {
  const size_t mark = fc_arena_mark(t->c->arena);

  fc_recycle_clear(t->c->recycle); /* nothing is recycled from earlier runs */
  t->soiled = true;
  fc_arena_peak_reset(t->c->arena);
  run(t, true, 0);
  t->soiled = false;
  return fc_arena_peak(t->c->arena) - mark;
}

/* The plan: same shapes, no arithmetic. Inputs point at memory that must not be read. Scratch of backward
   functions is not planned; it has to stay within an eighth of the rest and 64 kB for small tensors. */
static void dry_run(trial *t) {
  const size_t real = real_peak(t);
  fc_ctx      *c;
  fc_tensor   *x[8];

  if (fc_ctx_create((size_t)1 << 36, true, &c) != FC_OK) abort();
  c->grad = true;
  for (int i = 0; i < t->n_in; i++) {
    x[i]             = fc_tensor_borrow(c->arena, NULL, t->in[i].ndim, t->in[i].dim);
    x[i]->needs_grad = !t->in[i].fixed;
    if (t->in[i].fixed) x[i]->x = t->x[i]->x; /* positions and the like may be read */
  }
  fc_tensor *y = t->fn(c, x);
  expect(fc_same_shape(y, t->v), t, "a dry run has another shape", 0);
  if (y->needs_grad) fc_backward_from(c, y, NULL);
  const size_t plan = fc_arena_peak(c->arena);
  expect(real <= plan + plan / 8 + (1 << 16), t, "takes more memory than planned, factor",
         (double)real / (double)plan);
  fc_ctx_destroy(c);
}
#endif

static void thread_independent(trial *t) {
  const fc_tensor *y     = run(t, true, 0);
  const int64_t    n     = fc_len(y);
  fc_real         *first = fc_arena_push(t->c->arena, (size_t)n * sizeof *first), *g[8];

  memcpy(first, y->x, (size_t)n * sizeof *first);
  for (int i = 0; i < t->n_in; i++) {
    const size_t bytes = (size_t)fc_len(t->x[i]) * sizeof(fc_real);
    g[i]               = memcpy(fc_arena_push(t->c->arena, bytes), t->g[i], bytes);
  }
  for (int threads = 2; threads <= 3; threads++) {
    fc_threads_set(threads);
    y = run(t, true, 0);
    expect(!memcmp(first, y->x, (size_t)n * sizeof *first), t, "forward depends on the number of threads",
           threads);
    for (int i = 0; i < t->n_in; i++)
      if (!t->in[i].fixed)
        expect(!memcmp(g[i], t->g[i], (size_t)fc_len(t->x[i]) * sizeof(fc_real)), t,
               "gradient depends on the number of threads, input", i);
  }
  fc_threads_set(1);
}

static void accumulates(trial *t) {
  fc_real *first[8];

  for (int i = 0; i < t->n_in; i++) {
    const size_t bytes = (size_t)fc_len(t->x[i]) * sizeof(fc_real);
    first[i]           = memcpy(fc_arena_push(t->c->arena, bytes), t->g[i], bytes);
  }
  run(t, true, 1);
  for (int i = 0; i < t->n_in; i++) {
    if (t->in[i].fixed) continue;
    double off = 0;
    for (int64_t j = 0; j < fc_len(t->x[i]); j++)
      off = fmax(off, fabs((double)(t->g[i][j] - 1 - first[i][j])));
    expect(off <= 64 * (sizeof(fc_real) == 8 ? 1e-15 : 1e-6) * fmax(1, largest(first[i], fc_len(t->x[i]))), t,
           "gradient does not accumulate, off by", off);
    memcpy(t->g[i], first[i], (size_t)fc_len(t->x[i]) * sizeof(fc_real));
  }
}

/* The double build leaves its results for the float build; the folder is given by the build. */
static FILE *exchange(const trial *t, const char *mode) {
  char        path[600];
  const char *dir = getenv("FC_CHECK_EXCHANGE");

  if (!dir) return NULL;
  mkdir(dir, 0777);
  snprintf(path, sizeof path, "%s/%s.bin", dir, t->name);
  return fopen(path, mode);
}

static void write_numbers(FILE *f, const fc_real *x, int64_t n) {
  for (int64_t i = 0; i < n; i++) {
    const double v = (double)x[i];
    fwrite(&v, sizeof v, 1, f);
  }
}

static void compare_numbers(FILE *f, const trial *t, const fc_real *x, int64_t n, double tol) {
  double off = 0, top = 0, v;

  for (int64_t i = 0; i < n; i++) {
    expect(fread(&v, sizeof v, 1, f) == 1, t, "the double build wrote fewer numbers", (double)i);
    off = fmax(off, fabs(v - (double)x[i]));
    top = fmax(top, fabs(v));
  }
  expect(off <= tol * top, t, "float and double differ, relative to the largest value", off / top);
}

void check_op(const char *name, check_fn fn, int n_in, const check_in *in, double tol, double float_tol) {
  trial t = {.name = name, .fn = fn, .n_in = n_in, .in = in, .c = check_ctx()};

  fc_threads_set(1);
  make_inputs(&t);
  const fc_tensor *y = run(&t, false, 0);
  expect(t.c->tape == NULL && !y->needs_grad, &t, "records although nothing needs a gradient", 0);
  t.v = check_random(t.c, y->ndim, y->dim);
  y   = run(&t, true, 0);
  thread_independent(&t);
  run(&t, true, 0);
  accumulates(&t);
#ifdef FC_DOUBLE
  (void)float_tol;
  adjoint_identity(&t, tol ? tol : 1e-8);
  same_when_recomputed(&t);
  dry_run(&t);
#else
  (void)tol;
#endif
  y       = run(&t, true, 0);
  FILE *f = exchange(&t, sizeof(fc_real) == 8 ? "wb" : "rb");
  if (!f) {
    expect(!getenv("FC_CHECK_EXCHANGE"), &t, "no results of the double build to compare with", 0);
    return;
  }
  for (int i = -1; i < n_in; i++) {
    if (i >= 0 && in[i].fixed) continue;
    const fc_real *x = i < 0 ? y->x : t.g[i];
    const int64_t  n = i < 0 ? fc_len(y) : fc_len(t.x[i]);
    if (sizeof(fc_real) == 8)
      write_numbers(f, x, n);
    else
      compare_numbers(f, &t, x, n, float_tol ? float_tol : 2e-5);
  }
  fclose(f);
}
