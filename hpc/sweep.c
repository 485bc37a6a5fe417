/* hpc/sweep.c */
#include "hpc/sweep.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

static fc_status add_value(fc_axis *a, const char *text, size_t n) {
  char **v = realloc(a->value, (size_t)(a->n + 1) * sizeof *v);

  FC_REQUIRE(v, FC_E_SYSTEM, "no memory for a sweep");
  a->value = v;
  v[a->n]  = strndup(text, n);
  FC_REQUIRE(v[a->n], FC_E_SYSTEM, "no memory for a sweep");
  a->n++;
  FC_REQUIRE(n, FC_E_USAGE, "--sweep %s: value %d is empty", a->key, a->n);
  for (int i = 0; i + 1 < a->n; i++)
    FC_REQUIRE(strcmp(v[i], v[a->n - 1]), FC_E_USAGE, "--sweep %s: %s is there twice", a->key, v[i]);
  FC_REQUIRE(a->n <= FC_SWEEP_MOST, FC_E_USAGE, "--sweep %s: more than %d values", a->key, FC_SWEEP_MOST);
  return FC_OK;
}

/* up to the next comma outside brackets */
static size_t length(const char *text) {
  const char *p     = text;
  int         depth = 0;

  for (; *p && (*p != ',' || depth > 0); p++) depth += (*p == '[' || *p == '{') - (*p == ']' || *p == '}');
  return (size_t)(p - text);
}

/* "3..7": true, whatever is wrong with it then */
static bool range(const char *text, long long *from, long long *to) {
  int end = 0;

  return strlen(text) < 40 && sscanf(text, "%lld..%lld%n", from, to, &end) == 2 && !text[end];
}

static fc_status add_range(fc_axis *a, long long from, long long to) {
  char text[32];

  FC_REQUIRE(from <= to, FC_E_USAGE, "--sweep %s=%lld..%lld is empty: the first number is the larger one",
             a->key, from, to);
  FC_REQUIRE(to - from < FC_SWEEP_MOST, FC_E_USAGE, "--sweep %s: more than %d values", a->key, FC_SWEEP_MOST);
  for (long long i = from; i <= to; i++) {
    const int n = snprintf(text, sizeof text, "%lld", i);
    FC_TRY(add_value(a, text, (size_t)n));
  }
  return FC_OK;
}

static fc_status add_list(fc_axis *a, const char *text) {
  for (;;) {
    const size_t n = length(text);
    FC_TRY(add_value(a, text, n));
    if (!text[n]) return FC_OK;
    text += n + 1;
  }
}

static fc_status check_new(const fc_sweep *s, const fc_axis *a) {
  for (int i = 0; i < s->n; i++)
    FC_REQUIRE(&s->axis[i] == a || strcmp(s->axis[i].key, a->key), FC_E_USAGE, "--sweep %s is given twice",
               a->key);
  return FC_OK;
}

fc_status fc_sweep_add(fc_sweep *s, const char *text) {
  const char *equals = strchr(text, '=');
  long long   from, to;

  FC_REQUIRE(equals && equals != text && equals - text < FC_WORD, FC_E_USAGE,
             "--sweep %.80s: write --sweep key=a,b,c, for example --sweep train.lr=1e-3,1e-4", text);
  FC_REQUIRE(equals[1], FC_E_USAGE, "--sweep %s is empty: write the values behind '='", text);
  FC_REQUIRE(s->n < FC_SWEEP_AXES, FC_E_USAGE, "--sweep is given more than %d times", FC_SWEEP_AXES);
  fc_axis *a = &s->axis[s->n++];
  snprintf(a->key, sizeof a->key, "%.*s", (int)(equals - text), text);
  FC_TRY(check_new(s, a));
  FC_TRY(range(equals + 1, &from, &to) ? add_range(a, from, to) : add_list(a, equals + 1));
  FC_REQUIRE(fc_sweep_tasks(s) <= FC_SWEEP_MOST, FC_E_USAGE, "the sweep has %lld tasks, more than %d",
             (long long)fc_sweep_tasks(s), FC_SWEEP_MOST);
  return FC_OK;
}

void fc_sweep_free(fc_sweep *s) {
  for (int a = 0; a < s->n; a++) {
    for (int i = 0; i < s->axis[a].n; i++) free(s->axis[a].value[i]);
    free(s->axis[a].value);
  }
  s->n = 0;
}

int64_t fc_sweep_tasks(const fc_sweep *s) {
  int64_t n = s->n > 0;

  for (int a = 0; a < s->n; a++) n *= s->axis[a].n;
  return n;
}

const char *fc_sweep_value(const fc_sweep *s, int64_t task, int axis) {
  for (int a = s->n - 1; a > axis; a--) task /= s->axis[a].n;
  return s->axis[axis].value[task % s->axis[axis].n];
}

static void add_plain(char *out, size_t size, const char *text, int most) {
  size_t at = strlen(out);

  for (; *text && most-- > 0 && at + 1 < size; text++)
    out[at++] = isalnum((unsigned char)*text) || strchr(".+=_", *text) ? *text : '-';
  out[at] = 0;
}

void fc_sweep_name(const fc_sweep *s, int64_t task, char *out, size_t size) {
  const int digits = snprintf(NULL, 0, "%lld", (long long)fc_sweep_tasks(s) - 1);

  snprintf(out, size, "%0*lld", digits, (long long)task);
  for (int a = 0; a < s->n; a++) {
    const char *key = s->axis[a].key, *dot = strrchr(key, '.');
    add_plain(out, size, a ? "_" : "-", 1);
    add_plain(out, size, dot && dot[1] ? dot + 1 : key, 24);
    add_plain(out, size, "=", 1);
    add_plain(out, size, fc_sweep_value(s, task, a), 24);
  }
}
