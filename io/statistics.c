/* io/statistics.c - the quantities in memory. */
#include "io/statistics.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void fc_statistics_init(fc_statistics *s, const char *kind) {
  *s = (fc_statistics){.from = NAN, .to = NAN, .correlation = NAN};
  snprintf(s->kind, sizeof s->kind, "%s", kind);
}

void fc_statistics_free(fc_statistics *s) {
  for (int i = 0; i < s->n; i++) free(s->q[i].x);
  free(s->q);
  for (int i = 0; i < s->n_texts; i++) {
    free(s->text[i].name);
    free(s->text[i].value);
  }
  *s = (fc_statistics){0};
}

static bool grow(fc_statistics *s) {
  if (s->n < s->room) return true;
  const int    room = s->room ? 2 * s->room : 32;
  fc_quantity *more = realloc(s->q, (size_t)room * sizeof *more);
  if (!more) return false;
  s->q    = more;
  s->room = room;
  return true;
}

/* "y (h)" -> axis and unit */
static void name_axis(fc_quantity *q, const char *axis) {
  const char *unit = strstr(axis, " (");

  snprintf(q->axis, sizeof q->axis, "%.*s", unit ? (int)(unit - axis) : (int)strlen(axis), axis);
  if (unit) snprintf(q->axis_unit, sizeof q->axis_unit, "%.*s", (int)strcspn(unit + 2, ")"), unit + 2);
}

fc_quantity *fc_statistics_add(fc_statistics *s, const char *name, const char *unit, const char *axis,
                               int64_t n, const double *x, const char *definition) {
  double *block = malloc(3 * (size_t)n * sizeof *block);

  if (!block || !grow(s)) {
    free(block);
    return NULL;
  }
  fc_quantity *q = &s->q[s->n++];
  *q             = (fc_quantity){.n = n, .x = block, .value = block + n, .half = block + 2 * n};
  snprintf(q->name, sizeof q->name, "%s", name);
  snprintf(q->unit, sizeof q->unit, "%s", unit ? unit : "");
  snprintf(q->definition, sizeof q->definition, "%s", definition);
  if (x) name_axis(q, axis);
  for (int64_t i = 0; i < n; i++) {
    q->x[i]     = x ? x[i] : 0;
    q->value[i] = q->half[i] = NAN;
  }
  return q;
}

const fc_quantity *fc_statistics_find(const fc_statistics *s, const char *name, const char *axis) {
  for (int i = 0; i < s->n; i++)
    if (!strcmp(s->q[i].name, name) && (!axis || !strcmp(s->q[i].axis, axis))) return &s->q[i];
  return NULL;
}

void fc_statistics_text(fc_statistics *s, const char *name, const char *value) {
  char *a = NULL, *b = NULL;

  if (!value || !value[0]) return;
  for (int i = 0; i < s->n_texts; i++)
    if (!strcmp(s->text[i].name, name) && (b = strdup(value))) {
      free(s->text[i].value);
      s->text[i].value = b;
      return;
    }
  if (s->n_texts == FC_STATISTICS_TEXTS) return;
  a = strdup(name), b = strdup(value);
  if (!a || !b) {
    free(a);
    free(b);
    return;
  }
  s->text[s->n_texts].name    = a;
  s->text[s->n_texts++].value = b;
}

const char *fc_statistics_say(const fc_statistics *s, const char *name) {
  for (int i = 0; i < s->n_texts; i++)
    if (!strcmp(s->text[i].name, name)) return s->text[i].value;
  return "";
}

/* ---- comparison ---- */

/* the cubic through points first .. first + 3 */
static double cubic(const fc_quantity *q, int64_t first, double x) {
  double sum = 0;

  for (int64_t i = first; i < first + 4; i++) {
    double w = 1;
    for (int64_t k = first; k < first + 4; k++)
      if (k != i) w *= (x - q->x[k]) / (q->x[i] - q->x[k]);
    sum += w * q->value[i];
  }
  return sum;
}

bool fc_quantity_at(const fc_quantity *q, double x, double *value, double *half) {
  /* rounding of coordinates that were written as text must not leave the ends out */
  const double slack = 1e-6 * fabs(q->x[q->n - 1] - q->x[0]);

  for (int64_t i = 0; i + 1 < q->n; i++) {
    const double a = q->x[i], b = q->x[i + 1];
    if (!(b > a) || x < a - slack || x > b + slack) continue;
    const double  w     = fmin(fmax((x - a) / (b - a), 0), 1);
    const int64_t first = fc_max64(0, fc_min64(i - 1, q->n - 4));
    *value = q->n < 4 ? (1 - w) * q->value[i] + w * q->value[i + 1] : cubic(q, first, (1 - w) * a + w * b);
    *half  = (1 - w) * q->half[i] + w * q->half[i + 1];
    return isfinite(*value);
  }
  return false;
}

/* length of axis nearer to point i than to its neighbours */
static double cell(const fc_quantity *q, int64_t i) {
  const double left = q->x[fc_max64(i - 1, 0)], right = q->x[fc_min64(i + 1, q->n - 1)];
  return q->n > 1 ? (right - left) / 2 : 1;
}

typedef struct sums { /* of squares: differences, reference, half-widths; the first two by rows */
  double difference, reference, half, row_difference, row_reference;
} sums;

static void add(sums *s, double w, double difference, double reference, double half_a, double half_b) {
  half_a = isfinite(half_a) ? half_a : 0;
  half_b = isfinite(half_b) ? half_b : 0;
  s->difference += w * difference * difference;
  s->reference += w * reference * reference;
  s->half += w * (half_a * half_a + half_b * half_b);
  s->row_difference += difference * difference;
  s->row_reference += reference * reference;
}

/* over the points of c, which is a or, if it has fewer points, the reference */
static void add_all(const fc_quantity *c, const fc_quantity *other, bool c_is_reference, fc_agreement *out,
                    sums *s) {
  for (int64_t i = 0; i < c->n; i++) {
    double value = other->value[0], half = other->half[0];
    if (c->axis[0] && !fc_quantity_at(other, c->x[i], &value, &half)) continue;
    if (!isfinite(c->value[i]) || !isfinite(value)) continue;
    add(s, cell(c, i), c->value[i] - value, c_is_reference ? c->value[i] : value, half, c->half[i]);
    out->known |= isfinite(half) || isfinite(c->half[i]);
    out->n++;
  }
}

static double relative(double difference, double reference) {
  return reference > 0 ? sqrt(difference / reference) : difference > 0 ? INFINITY : 0;
}

bool fc_quantity_compare(const fc_quantity *a, const fc_quantity *b, fc_agreement *out) {
  const bool coarse = b->n < a->n;
  sums       s      = {0};

  *out = (fc_agreement){0};
  add_all(coarse ? b : a, coarse ? a : b, coarse, out, &s);
  out->error    = relative(s.difference, s.reference);
  out->interval = relative(s.half, s.reference);
  out->by_rows  = relative(s.row_difference, s.row_reference);
  return out->n > 0;
}
