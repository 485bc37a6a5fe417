/* train/schedule.c */
#include "train/schedule.h"

#include <math.h>

/* half a cosine from a (p = 0) to b (p = 1) */
static double anneal(double a, double b, double p) { return b + (a - b) * (1 + cos(M_PI * p)) / 2; }

static void onecycle(const fc_schedule *s, double step, double *lr, double *beta1) {
  const double rise = s->pct_start * (double)s->total - 1, end = (double)s->total - 1;
  const double first = s->lr / s->div_factor, last = first / s->final_div_factor;
  const bool   rising = step <= rise;
  const double p      = rising ? (rise > 0 ? step / rise : 1) : (step - rise) / (end - rise);

  *lr = rising ? anneal(first, s->lr, p) : anneal(s->lr, last, p);
  if (!s->cycle_momentum) return;
  *beta1 =
      rising ? anneal(s->max_momentum, s->base_momentum, p) : anneal(s->base_momentum, s->max_momentum, p);
}

static double warm(const fc_schedule *s, int64_t step) {
  return step < s->warmup ? (double)(step + 1) / (double)s->warmup : 1;
}

static double cosine(const fc_schedule *s, int64_t step) {
  const double span = (double)(s->total - s->warmup), past = (double)(step - s->warmup);

  if (past <= 0 || span <= 0) return s->lr;
  return anneal(s->lr, s->lr_end, past / span);
}

void fc_schedule_at(const fc_schedule *s, int64_t step, double *lr, double *beta1) {
  if (step >= s->total) step = s->total - 1;
  if (step < 0) step = 0;
  *beta1 = s->beta1;
  switch (s->kind) {
  case FC_SCHEDULE_CONSTANT:
    *lr = s->lr * warm(s, step);
    break;
  case FC_SCHEDULE_ONECYCLE:
    onecycle(s, (double)step, lr, beta1);
    break;
  case FC_SCHEDULE_COSINE:
    *lr = cosine(s, step) * warm(s, step);
    break;
  case FC_SCHEDULE_STEP:
    *lr = s->lr * pow(s->decay_factor, (double)(step / s->decay_every)) * warm(s, step);
    break;
  }
}
