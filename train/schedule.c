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

int64_t fc_schedule_epoch(const fc_schedule *s, int64_t step) {
  return s->items ? step * s->per_step / s->items : 0;
}

/* lr is multiplied by this in epoch e */
static double by_epoch(const fc_schedule *s, int64_t e) {
  const int64_t W = s->warmup_epochs;

  switch (s->kind) {
  case FC_SCHEDULE_TYPE1:
    return e < 1 ? 1 : pow(0.5, (double)(e - 1));
  case FC_SCHEDULE_TYPE3:
    return e < 3 ? 1 : pow(0.9, (double)(e - 3));
  case FC_SCHEDULE_COSINE_EPOCHS:
    return anneal(1, 0, (double)e / (double)fc_max64(1, s->epochs));
  default:
    return e <= W ? (double)e / (double)(W + 1) : pow(0.5, (double)(e - W - 1));
  }
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
  default:
    *lr = s->lr * by_epoch(s, fc_schedule_epoch(s, step));
    break;
  }
}
