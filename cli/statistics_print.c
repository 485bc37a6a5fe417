/* cli/statistics_print.c - what a file of statistics says, and how far it is from another. */
#include "cli/statistics.h"

#include "io/csv.h"

#include <math.h>
#include <string.h>

enum { MOST_COLUMNS = 7, MOST_LINES = 17 };
static const double SAME = 5e-6; /* rounding of fields in single precision, 0.000 % in print */

static void print_head(const fc_statistics *s, FILE *f) {
  fprintf(f, "%s, %lld frames", s->kind, (long long)s->samples);
  if (isfinite(s->from)) fprintf(f, ", time %g to %g", s->from, s->to);
  fprintf(f, ", %d batches", s->batches);
  if (isfinite(s->correlation)) fprintf(f, " (correlation of neighbours %.2f)", s->correlation);
  fputc('\n', f);
  if (s->batches < 2)
    fputs("no intervals: fewer than two frames\n", f);
  else if (s->correlation > 0.3 || s->batches < 8)
    fputs("the run is short for its intervals: take them as lower bounds\n", f);
}

static void print_number(const fc_quantity *q, FILE *f) {
  fprintf(f, "  %-18s %12.6g", q->name, q->value[0]);
  if (isfinite(q->half[0]))
    fprintf(f, " +- %-9.2g", q->half[0]);
  else
    fprintf(f, "    %-9s", "");
  fprintf(f, " %-8s %s\n", q->unit, q->definition);
}

static int add(const fc_statistics *s, int n_names, const char *const *names, const fc_quantity **out) {
  int n = 0;

  for (int i = 0; i < n_names; i++)
    if ((out[n] = fc_statistics_find(s, names[i], NULL)) && out[n]->n > 1) n++;
  return n;
}

/* profiles and spectra that are worth a column, if they are there */
static int choose(const fc_statistics *s, const fc_quantity *out[MOST_COLUMNS]) {
  static const char *const plus[]  = {"mean_u_plus", "u_rms_plus", "v_rms_plus",
                                      "w_rms_plus",  "uv_plus",    "total_stress_plus"};
  static const char *const outer[] = {"mean_u", "u_rms", "v_rms", "w_rms", "uv"}, *const box[] = {"E"};
  int n = add(s, FC_COUNT(plus), plus, out);

  if (!n) n = add(s, FC_COUNT(outer), outer, out);
  return n ? n : add(s, FC_COUNT(box), box, out);
}

/* lines spread over the axis, first and last among them */
static void print_profiles(const fc_statistics *s, FILE *f) {
  const fc_quantity *q[MOST_COLUMNS];
  const int          n = choose(s, q);

  if (!n) return;
  const int64_t lines = fc_min64(q[0]->n, MOST_LINES);
  fprintf(f, "\n  %12s", q[0]->axis);
  for (int k = 0; k < n; k++) fprintf(f, " %21s", q[k]->name);
  fputc('\n', f);
  for (int64_t i = 0; i < lines; i++) {
    const int64_t at = lines > 1 ? i * (q[0]->n - 1) / (lines - 1) : 0;
    fprintf(f, "  %12.5g", q[0]->x[at]);
    for (int k = 0; k < n; k++)
      if (isfinite(q[k]->half[at]))
        fprintf(f, " %10.4g +- %-7.2g", q[k]->value[at], q[k]->half[at]);
      else
        fprintf(f, " %10.4g %10s", q[k]->value[at], "");
    fputc('\n', f);
  }
}

void fc_statistics_print(const fc_statistics *s, FILE *f) {
  print_head(s, f);
  if (fc_statistics_say(s, "filter")[0]) fprintf(f, "filter: %s\n", fc_statistics_say(s, "filter"));
  for (int i = 0; i < s->n; i++)
    if (!s->q[i].axis[0]) print_number(&s->q[i], f);
  print_profiles(s, f);
}

static const char *verdict(const fc_agreement *a) {
  if (!a->known) return "unknown";
  return a->error <= a->interval ? "tie" : a->error < SAME ? "same" : "differs";
}

static void print_error(const fc_quantity *q, const fc_agreement *a, FILE *f) {
  fprintf(f, "  %-24s %-8s %6lld %9.3f %% %9.3f %%", q->name, q->axis[0] ? q->axis : "-", (long long)a->n,
          100 * a->error, 100 * a->by_rows);
  if (a->known)
    fprintf(f, " %9.3f %%  %s\n", 100 * a->interval, verdict(a));
  else
    fprintf(f, " %11s\n", "unknown");
}

/* quantity i of s if r has it over the same axis and at common points */
static const fc_quantity *common(const fc_statistics *s, int i, const fc_statistics *r, fc_agreement *a) {
  const fc_quantity *q = &s->q[i], *b = fc_statistics_find(r, q->name, q->axis);
  return b && fc_quantity_compare(q, b, a) ? q : NULL;
}

int fc_statistics_print_errors(const fc_statistics *s, const fc_statistics *r, const char *name, FILE *f) {
  fc_agreement a;
  int          n = 0;

  for (int i = 0; i < s->n; i++) {
    const fc_quantity *q = common(s, i, r, &a);
    if (!q) continue;
    if (!n++)
      fprintf(f, "\nagainst %s\n  %-24s %-8s %6s %11s %11s %11s\n", name, "quantity", "axis", "points",
              "error", "by rows", "interval");
    print_error(q, &a, f);
  }
  return n;
}

void fc_statistics_write_errors(const fc_statistics *s, const fc_statistics *r, const char *name, FILE *f) {
  fc_agreement a;

  for (int i = 0; i < s->n; i++) {
    const fc_quantity *q = common(s, i, r, &a);
    if (!q) continue;
    fc_csv_put(f, name);
    fprintf(f, ",%s,%s,%lld,%.6g,%.6g,%.6g,%s\n", q->name, q->axis, (long long)a.n, a.error, a.by_rows,
            a.known ? a.interval : NAN, verdict(&a));
  }
}
