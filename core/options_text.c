/* core/options_text.c - values as text, and the table of --help. */
#include "core/options_names.h"
#include "core/text.h"

#include <math.h>
#include <stdarg.h>
#include <string.h>

/* ---- values ---- */

/* Appends; what does not fit is cut and the text still ends. */
static void add(char *buf, size_t size, const char *fmt, ...) __attribute__((format(printf, 3, 4)));
static void add(char *buf, size_t size, const char *fmt, ...) {
  const size_t n = strlen(buf);
  va_list      ap;

  va_start(ap, fmt);
  vsnprintf(buf + n, size - n, fmt, ap);
  va_end(ap);
}

static void add_real(char *buf, size_t size, double v) {
  char text[32];

  fc_text_real(v, text, sizeof text);
  add(buf, size, "%s", text);
}

static void add_ints(char *buf, size_t size, const fc_ints *list) {
  add(buf, size, "[");
  for (int i = 0; i < list->n; i++) add(buf, size, "%s%lld", i ? ", " : "", (long long)list->v[i]);
  add(buf, size, "]");
}

static void add_reals(char *buf, size_t size, const fc_reals *list) {
  add(buf, size, "[");
  for (int i = 0; i < list->n; i++) {
    if (i) add(buf, size, ", ");
    add_real(buf, size, list->v[i]);
  }
  add(buf, size, "]");
}

void fc_options_text(const fc_option *o, const void *s, char *buf, size_t size) {
  const void *field = (const char *)s + o->offset;
  char        name[64];

  buf[0] = 0;
  if (o->offset == (size_t)-1) return;
  switch (o->type) {
  case FC_T_INT:
    add(buf, size, "%lld", (long long)*(const int64_t *)field);
    break;
  case FC_T_REAL:
    add_real(buf, size, *(const double *)field);
    break;
  case FC_T_BOOL:
    add(buf, size, "%s", *(const bool *)field ? "true" : "false");
    break;
  case FC_T_TEXT:
    add(buf, size, "%s", (const char *)field);
    break;
  case FC_T_INTS:
    add_ints(buf, size, field);
    break;
  case FC_T_REALS:
    add_reals(buf, size, field);
    break;
  case FC_T_NAMES:
    fc_names_text(field, buf, size);
    break;
  case FC_T_TABLE:
    fc_table_text(field, buf, size);
    break;
  case FC_T_CHOICE:
    add(buf, size, "%s", fc_option_choice(o, *(const int *)field, name, sizeof name) ? name : "");
    break;
  }
}

/* ---- help ---- */

enum { RANGE_WIDTH = 24, DEFAULT_WIDTH = 20 }; /* wider cells go to the end of the line, or stick out */

/* a bound that is only there to catch nonsense is not worth a place in the table */
static bool real_bound(double v) { return fabs(v) < 1e9; }

static const char *range(const fc_option *o, char *buf, size_t size) {
  char lo[32], hi[32];

  buf[0] = 0;
  if (o->type == FC_T_CHOICE && o->choices) snprintf(buf, size, "%s", o->choices);
  if (o->type == FC_T_BOOL) snprintf(buf, size, "true|false");
  if (o->lo > o->hi) return buf;
  fc_text_real(o->lo, lo, sizeof lo);
  fc_text_real(o->hi, hi, sizeof hi);
  if (real_bound(o->lo) && real_bound(o->hi))
    snprintf(buf, size, "%s .. %s", lo, hi);
  else if (real_bound(o->lo))
    snprintf(buf, size, ">= %s", lo);
  else if (real_bound(o->hi))
    snprintf(buf, size, "<= %s", hi);
  return buf;
}

static int wider(int width, const char *text, int limit) {
  const int n = (int)strlen(text);
  return n > width && n <= limit ? n : width;
}

static void second_name(const fc_option *t, const fc_option *o, const char *prefix, FILE *f) {
  for (const fc_option *p = t; p->key; p++)
    if (p->def && p->offset == o->offset) fprintf(f, "the same as %s%s\n", prefix, p->key);
}

/* an entry of a shared list (FC_OPT_IGNORED) under a key that the model has itself */
static bool shadowed(const fc_option *t, const fc_option *o) {
  for (const fc_option *p = t; p != o; p++)
    if (!strcmp(p->key, o->key)) return true;
  return false;
}

void fc_options_help(const fc_option *t, const char *prefix, FILE *f) {
  char buf[256];
  int  key = 8, def = 4, rng = 4;

  for (const fc_option *o = t; o->key; o++) {
    key = wider(key, o->key, 60);
    if (o->def) def = wider(def, o->def, DEFAULT_WIDTH);
    rng = wider(rng, range(o, buf, sizeof buf), RANGE_WIDTH);
  }
  key += (int)strlen(prefix);
  for (const fc_option *o = t; o->key; o++) {
    const bool text = o->type == FC_T_TEXT && o->def && !o->def[0];
    const bool wide = (int)strlen(range(o, buf, sizeof buf)) > rng;
    if (shadowed(t, o)) continue;
    fprintf(f, "  %s%-*s  ", prefix, key - (int)strlen(prefix), o->key);
    if (o->offset == (size_t)-1)
      fprintf(f, "accepted, not used: %s\n", o->help);
    else if (!o->def)
      second_name(t, o, prefix, f);
    else
      fprintf(f, "%-*s  %-*s  %s%s%s%s\n", def, text ? "\"\"" : o->def, rng, wide ? "" : buf, o->help,
              wide ? " (" : "", wide ? buf : "", wide ? ")" : "");
  }
}
