/* solvers/estimates.c */
#include "solvers/estimates.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

struct fc_estimates {
  fc_statistics *s;   /* the first time: quantities are described there; NULL later */
  double        *out; /* later: their values, one after the other */
  int64_t        at;
  bool           failed;
  void (*report)(void *user, const double *mean, fc_estimates *e);
  void *user;
};

void fc_estimate_put(fc_estimates *e, const char *name, const char *unit, const char *axis, int64_t n,
                     const double *x, const double *v, const char *definition) {
  if (e->s)
    e->failed |= !fc_statistics_add(e->s, name, unit, axis, n, x, definition);
  else
    memcpy(e->out + e->at, v, (size_t)n * sizeof *v);
  e->at += n;
}

void fc_estimate_one(fc_estimates *e, const char *name, const char *unit, double v, const char *definition) {
  fc_estimate_put(e, name, unit, "", 1, NULL, &v, definition);
}

static void values(void *user, const double *mean, double *out) {
  fc_estimates *e = user;

  e->s   = NULL;
  e->out = out;
  e->at  = 0;
  e->report(e->user, mean, e);
}

/* numbers of all quantities from first on, one after the other */
static void hand_out(fc_statistics *s, int first, const double *value, const double *half) {
  for (int i = first; i < s->n; i++) {
    const size_t bytes = (size_t)s->q[i].n * sizeof *value;
    memcpy(s->q[i].value, value, bytes);
    memcpy(s->q[i].half, half, bytes);
    value += s->q[i].n;
    half += s->q[i].n;
  }
}

static fc_status describe(const fc_batch_means *b, int64_t n, fc_estimates *e) {
  double *mean = malloc(2 * (size_t)n * sizeof *mean);

  FC_REQUIRE(mean, FC_E_SYSTEM, "no memory for statistics of %lld numbers", (long long)n);
  fc_batch_means_get(b, mean, mean + n);
  e->report(e->user, mean, e);
  free(mean);
  FC_REQUIRE(!e->failed, FC_E_SYSTEM, "no memory for statistics of %lld numbers", (long long)e->at);
  return FC_OK;
}

fc_status fc_estimate(const fc_batch_means *b, int64_t                                       n,
                      void (*report)(void *user, const double *mean, fc_estimates *e), void *user,
                      fc_statistics *s) {
  fc_estimates e     = {.s = s, .report = report, .user = user};
  const int    first = s->n;

  FC_TRY(describe(b, n, &e));
  const int64_t m     = e.at;
  double       *value = malloc(2 * (size_t)m * sizeof *value);
  FC_REQUIRE(value, FC_E_SYSTEM, "no memory for statistics of %lld numbers", (long long)m);
  const fc_status status = fc_batch_means_derive(b, m, values, &e, value, value + m);
  if (status == FC_OK) hand_out(s, first, value, value + m);
  free(value);
  s->samples     = fc_batch_means_samples(b);
  s->batches     = fc_batch_means_batches(b);
  s->correlation = fc_batch_means_correlation(b);
  return status;
}
