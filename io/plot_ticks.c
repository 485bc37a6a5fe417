/* io/plot_ticks.c - round numbers for axes. */
#include "io/plot_draw.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

/* ---- linear ---- */

/* the smallest of 1, 2, 5 x 10^p that is not below `least` */
static double round_step(double least, int *p, int *digit) {
  *p             = (int)floor(log10(least));
  const double m = least / pow(10, *p);
  *digit         = m <= 1.0000001 ? 1 : m <= 2.0000001 ? 2 : m <= 5.0000001 ? 5 : 1;
  if (m > 5.0000001) ++*p;
  return *digit * pow(10, *p);
}

/* Numbers that would need many zeros share a power of ten. */
static int common_exponent(double lo, double hi) {
  const double top = fmax(fabs(lo), fabs(hi));

  if (!(top > 0) || (top < 99999.5 && top >= 1e-3)) return 0;
  return (int)floor(log10(top));
}

void fc_ticks_linear(double lo, double hi, int target, fc_ticks *t) {
  int p, digit;

  *t                 = (fc_ticks){0};
  const double step  = round_step((hi - lo) / target, &p, &digit);
  const double first = ceil(lo / step - 1e-9);
  t->exponent        = common_exponent(lo, hi);
  const int decimals = (int)fmin(fmax(t->exponent - p, 0), 12);
  for (double i = first; i <= hi / step + 1e-9 && t->n < FC_TICKS; i++) {
    const double v = i * step;
    t->at[t->n]    = v;
    /* + 0: no "-0" */
    snprintf(t->label[t->n++], sizeof t->label[0], "%.*f", decimals, v / pow(10, t->exponent) + 0.0);
    if (i + 1 == i) break; /* numbers so large that steps vanish */
  }
  if (t->n < 2 && target < 20) { /* one number is no scale */
    fc_ticks_linear(lo, hi, target + 1, t);
    return;
  }
  if (digit == 2) return;
  for (double i = floor(2 * (first - 1)); i <= 2 * hi / step && t->n_minor < FC_MINOR_TICKS && i + 1 != i;
       i++)
    if (i * step / 2 >= lo) t->minor[t->n_minor++] = i * step / 2;
}

/* ---- logarithmic ---- */

static void add_label(fc_ticks *t, int digit, int p) {
  if (t->n == FC_TICKS) return;
  char *label   = t->label[t->n];
  t->at[t->n++] = digit * pow(10, p);
  if (p >= -2 && p <= 3)
    snprintf(label, sizeof t->label[0], "%.*f", p < 0 ? -p : 0, digit * pow(10, p));
  else if (digit == 1)
    snprintf(label, sizeof t->label[0], "10^%d", p);
  else
    snprintf(label, sizeof t->label[0],
             "%d\xc3\x97"
             "10^%d",
             digit, p);
}

void fc_ticks_log(double lo, double hi, int target, fc_ticks *t) {
  const int first = (int)floor(log10(lo)), last = (int)ceil(log10(hi));
  const int every = (int)fmax(1, ceil((double)(last - first) / target));

  *t = (fc_ticks){0};
  if (hi / lo < 3) { /* too narrow for 1, 2, 5: evenly spaced numbers read best */
    fc_ticks_linear(lo, hi, target, t);
    return;
  }
  for (int p = first; p <= last; p++)
    for (int digit = 1; digit < 10; digit++) {
      const double v     = digit * pow(10, p);
      const bool   major = digit == 1 ? p % every == 0 : hi / lo < 200 && (digit == 2 || digit == 5);
      if (v < lo * (1 - 1e-9) || v > hi * (1 + 1e-9)) continue;
      if (major)
        add_label(t, digit, p);
      else if (t->n_minor < FC_MINOR_TICKS && (every == 1 || digit == 1))
        t->minor[t->n_minor++] = v;
    }
}

const char *fc_ticks_factor(const fc_ticks *t, char *buf, size_t size) {
  if (t->exponent)
    snprintf(buf, size, "\xc3\x97 10^%d", t->exponent);
  else
    *buf = 0;
  return buf;
}

/* ---- ranges ---- */

void fc_range_mend(double *lo, double *hi, bool logarithmic) {
  if (!isfinite(*lo) || !isfinite(*hi) || *lo > *hi) {
    *lo = logarithmic ? 0.1 : 0;
    *hi = 1;
  }
  if (logarithmic) {
    if (*lo <= 0) *lo = *hi > 0 ? *hi / 10 : 0.1;
    if (*hi <= 0) *hi = 1;
    *lo = fmin(fmax(*lo, FC_LOG_LEAST), FC_LOG_MOST); /* so that hi / lo is a number */
    *hi = fmax(fmin(*hi, FC_LOG_MOST), FC_LOG_LEAST);
    if (*hi / *lo < 1.001) {
      *lo /= 1.5;
      *hi *= 1.5;
    }
    return;
  }
  *lo = fmax(*lo, -1e300); /* so that hi - lo is a number */
  *hi = fmin(*hi, 1e300);
  if (*hi - *lo <= 1e-9 * fmax(fabs(*lo), fabs(*hi)) || *hi == *lo) {
    const double half = *hi != 0 ? 0.5 * fabs(*hi) : 0.5, middle = *lo / 2 + *hi / 2;
    *lo = middle - half;
    *hi = middle + half;
  }
}
