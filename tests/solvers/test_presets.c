/* tests/solvers/test_presets.c - every preset runs one short sample, as published and accurate, and says what
   it copies. A new row of solvers/presets.def is tried without further ado. */
#include "core/text.h"
#include "solvers/solver.h"
#include "tests/check.h"

enum { MOST = 64, SIZE = 20000 }; /* settings of a preset; numbers in a small frame */

typedef struct { /* what came out of a run */
  int64_t frames, size;
  bool    finite;
  double  first, sum; /* of the squares of the first frame, of all */
} trial;

static fc_status take(void *user, int64_t traj, int64_t t, const fc_real *x) {
  trial *r   = user;
  double sum = 0;

  CHECK(traj == 0);
  if (t == FC_FRAME_CONSTANT) return FC_OK;
  for (int64_t i = 0; i < r->size; i++) {
    r->finite &= isfinite((double)x[i]) != 0;
    sum += (double)x[i] * (double)x[i];
  }
  if (r->frames++ == 0) r->first = sum;
  r->sum += sum;
  return FC_OK;
}

/* "a=1 b=2" into words; text is changed */
static int words(char *text, const char **out) {
  int   n    = 0;
  char *rest = NULL;

  for (char *w = strtok_r(text, " ", &rest); w && n < MOST; w = strtok_r(NULL, " ", &rest)) out[n++] = w;
  return n;
}

static trial run_brief(const fc_preset *p, bool accurate) {
  const fc_solver_def *def;
  const char          *set[MOST + 1];
  char                *text   = strdup(p->brief);
  void                *config = NULL;
  fc_field_spec        spec;
  trial                r = {.finite = true, .size = 1};
  int                  n = words(text, set);

  if (accurate) set[n++] = "accurate=true";
  CHECK_OK(fc_solver_configure(p->name, n, set, &def, &config));
  if (config) {
    def->describe(config, &spec);
    r.size = 0;
    for (int i = 0; i < spec.n_fields; i++) r.size += spec.field[i].rank ? spec.ndim : 1;
    for (int a = 0; a < spec.ndim; a++) r.size *= spec.dim[a];
    CHECK(spec.n_traj == 1 && spec.n_steps <= 2 && r.size <= SIZE);
    CHECK_OK(def->run(config, &(fc_audience){.sink = take, .user = &r}));
    CHECK(r.frames == spec.n_steps);
  }
  free(config);
  free(text);
  return r;
}

static void every_preset_runs(void) {
  const fc_preset *p;

  for (int i = 0; (p = fc_preset_at(i)); i++) {
    const trial published = run_brief(p, false), accurate = run_brief(p, true);
    const bool  good = published.finite && accurate.finite && published.sum > 0 && accurate.sum > 0;
    if (!good) fprintf(stderr, "preset %s\n", p->name);
    CHECK(good);
    if (getenv("FC_SHOW"))
      printf("%-20s rms %.6g, accurate %.6g\n", p->name,
             sqrt(published.sum / (double)(published.frames * published.size)),
             sqrt(accurate.sum / (double)(accurate.frames * accurate.size)));
  }
}

/* the same start, another scheme: where accurate promises a difference, there is one, and it is not another
 * flow */
static void accurate_does_something(void) {
  static const char *const names[] = {"fno-ns-v1e-3",     "factformer-km2d", "pinonkf-re500",
                                      "fno-darcy-421",    "pdebench-darcy",  "factformer-smoke3d",
                                      "pdearena-smoke2d", "factformer-iso3d"};

  for (int i = 0; i < FC_COUNT(names); i++) {
    const fc_preset *p = fc_preset_find(names[i]);
    CHECK(p != NULL);
    if (!p) continue;
    const trial a = run_brief(p, false), b = run_brief(p, true);
    CHECK(a.sum != b.sum);
    CHECK(fabs(a.sum - b.sum) < 0.5 * a.sum);
  }
}

static void every_preset_has_its_texts(void) {
  const fc_preset *p;

  for (int i = 0; (p = fc_preset_at(i)); i++) {
    char  *text = NULL;
    size_t size = 0;
    FILE  *f    = open_memstream(&text, &size);
    CHECK(strlen(p->summary) > 20 || !strncmp(p->summary, "the same", 8));
    CHECK(strlen(p->copies) > 20 && strlen(p->accurate) > 20 && *p->brief);
    fc_preset_print(p, f);
    fclose(f);
    CHECK(strstr(text, "\ncopies ") && strstr(text, "\naccurate ") && strstr(text, p->name));
    for (char *line = text; *line;) { /* words are longer than a line only in settings */
      const size_t n = strcspn(line, "\n");
      CHECK(n <= 101);
      line += n + (line[n] == '\n');
    }
    free(text);
  }
}

static void every_solver_can_be_accurate(void) {
  const fc_solver_def *d;

  for (int i = 0; (d = fc_solver_at(i)); i++) {
    const fc_option *o = fc_options_find(d->options, "accurate");
    CHECK(o && o->type == FC_T_BOOL);
  }
}

/* the data sets that official weights and recipes belong to, by the names they are known under */
static void published_sets_are_there(void) {
  static const char *const names[] = {
      "fno-ns-v1e-3",       "fno-ns-v1e-4",     "fno-ns-v1e-5",        "fno-darcy-421",     "fno-burgers-r10",
      "factformer-km2d",    "pinonkf-re500",    "apebench-kolmogorov", "apebench-decaying", "apebench-ks",
      "jax-cfd-kolmogorov", "pdebench-burgers", "pdebench-darcy",      "chl-retau180",      "chl-retau395",
      "chl-retau590",       "factformer-iso3d", "factformer-smoke3d",  "pdearena-smoke2d"};

  for (int i = 0; i < FC_COUNT(names); i++) CHECK(fc_preset_find(names[i]) != NULL);
}

CHECK_SUITE(presets, every_preset_runs, accurate_does_something, every_preset_has_its_texts,
            every_solver_can_be_accurate, published_sets_are_there)
