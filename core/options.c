/* core/options.c - text to fields of a struct and back. */
#include "core/options_names.h"
#include "core/text.h"

#include <ctype.h>
#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { WHY = FC_WHY };
#define IGNORED ((size_t)-1)

/* An alias has neither range nor choices: it takes those of the field's own entry. */
static const fc_option *owner(const fc_option *t, const fc_option *o) {
  if (o->def || o->offset == IGNORED) return o;
  for (const fc_option *p = t; p->key; p++)
    if (p->def && p->offset == o->offset) return p;
  FC_ASSERT(false, "option %s is an alias of nothing", o->key);
}

const fc_option *fc_options_find(const fc_option *t, const char *key) {
  for (; t->key; t++)
    if (!strcmp(t->key, key)) return t;
  return NULL;
}

const fc_option *fc_options_find_row(const fc_option *t, const char *key, const char **row) {
  const fc_option *o   = fc_options_find(t, key);
  const char      *dot = strchr(key, '.');

  *row = NULL;
  if (o || !dot) return o;
  for (; t->key; t++) {
    const size_t n = strlen(t->key);
    if (t->type != FC_T_TABLE && t->offset != IGNORED) continue;
    if (strncmp(t->key, key, n) || key[n] != '.' || !key[n + 1]) continue;
    *row = key + n + 1;
    return t;
  }
  return NULL;
}

/* ---- numbers ---- */

static bool in_range(const fc_option *o, double v) { return o->lo > o->hi || (v >= o->lo && v <= o->hi); }

/* very wide bounds are named only when they are what was crossed */
static bool complain_range(const fc_option *o, double v, char *why) {
  char lo[32], hi[32];

  fc_text_real(o->lo, lo, sizeof lo);
  fc_text_real(o->hi, hi, sizeof hi);
  if (v < o->lo && o->hi >= 1e9)
    snprintf(why, WHY, "must be at least %s", lo);
  else if (v > o->hi && o->lo <= -1e9)
    snprintf(why, WHY, "must be at most %s", hi);
  else
    snprintf(why, WHY, "must be between %s and %s", lo, hi);
  return false;
}

static bool complain(char *why, const char *text) {
  snprintf(why, WHY, "%s", text);
  return false;
}

/* Whole numbers may be written as reals ("1e6") while a double holds them exactly. */
static bool whole(const char *text, int64_t *v) {
  char *end;

  errno             = 0;
  const long long n = strtoll(text, &end, 10);
  if (end != text && fc_text_blank(end) && !errno) {
    *v = n;
    return true;
  }
  const double d = strtod(text, &end);
  if (end == text || !fc_text_blank(end) || !(fabs(d) <= 0x1p53) || d != floor(d)) return false;
  *v = (int64_t)d;
  return true;
}

/* Takes YAML's ".inf" and ".nan" too. Underflow is no error: denormal numbers must survive a round trip. */
static bool real(const char *text, double *v) {
  char       *end;
  const char *s       = text + strspn(text, " \t");
  const char *digits  = s + (*s == '-' || *s == '+');
  const bool  special = digits[0] == '.' && isalpha((unsigned char)digits[1]);

  errno = 0;
  *v    = strtod(special ? digits + 1 : s, &end);
  if (special && *s == '-') *v = -*v;
  if (errno == ERANGE && isinf(*v)) return false;
  return end != (special ? digits + 1 : s) && fc_text_blank(end);
}

bool fc_parse_int(const fc_option *o, const char *text, int64_t *v, char *why) {
  if (!whole(text, v)) return complain(why, "a whole number is wanted");
  return in_range(o, (double)*v) || complain_range(o, (double)*v, why);
}

static bool parse_real(const fc_option *o, const char *text, double *v, char *why) {
  if (!real(text, v)) return complain(why, "a number is wanted");
  return in_range(o, *v) || complain_range(o, *v, why);
}

/* ---- lists: "[1, 2]", "1, 2", "1", "[]" ---- */

typedef bool (*item_fn)(const fc_option *o, const char *text, void *list, int i, char *why);

static bool int_item(const fc_option *o, const char *text, void *list, int i, char *why) {
  return fc_parse_int(o, text, &((fc_ints *)list)->v[i], why);
}

static bool real_item(const fc_option *o, const char *text, void *list, int i, char *why) {
  return parse_real(o, text, &((fc_reals *)list)->v[i], why);
}

/* the text between the brackets, if any; false if only one bracket is there */
static bool inside(const char *text, char *buf, size_t size) {
  text += strspn(text, " \t");
  const bool open = *text == '[';
  if (snprintf(buf, size, "%s", text + open) >= (int)size) return false;
  size_t n = strlen(buf);
  while (n && isspace((unsigned char)buf[n - 1])) buf[--n] = 0;
  if (open != (n && buf[n - 1] == ']')) return false;
  if (open) buf[n - 1] = 0;
  return true;
}

/* "[1, 2], [3]" becomes " 1, 2 ,  3 "; false if a row does not end. Other brackets are left for the numbers
   to complain about */
static bool join_rows(char *text) {
  bool open = false;

  for (; *text; text++)
    if (*text == (open ? ']' : '[')) {
      *text = ' ';
      open  = !open;
    }
  return !open;
}

static bool parse_list(const fc_option *o, const char *text, item_fn item, void *list, int *n, char *why) {
  char buf[1024], *next = buf;

  *n = 0;
  if (!inside(text, buf, sizeof buf) || (o->choices && !join_rows(buf)))
    return complain(why, "a list like [1, 2] is wanted");
  if (fc_text_blank(buf)) return true;
  while (next) {
    char *word = next;
    next       = strchr(word, ',');
    if (next) *next++ = 0;
    if (*n == FC_LIST) {
      snprintf(why, WHY, "a list of at most %d numbers is wanted", FC_LIST);
      return false;
    }
    if (!item(o, word, list, (*n)++, why)) {
      char reason[WHY];
      memcpy(reason, why, sizeof reason);
      snprintf(why, WHY, "item %d: %.200s", *n, reason);
      return false;
    }
  }
  return true;
}

/* ---- words ---- */

static bool parse_bool(const char *text, bool *v, char *why) {
  static const char *const words[] = {"false", "true", "no", "yes", "off", "on", "0", "1"};

  for (int i = 0; i < FC_COUNT(words); i++)
    if (fc_text_same(text, words[i])) {
      *v = i % 2;
      return true;
    }
  return complain(why, "must be true or false");
}

static bool parse_choice(const fc_option *o, const char *text, int *v, char *why) {
  char   name[64];
  size_t at = 0;

  for (*v = 0; fc_option_choice(o, *v, name, sizeof name); ++*v)
    if (!strcmp(name, text)) return true;
  at = (size_t)snprintf(why, WHY, "must be one of ");
  for (int i = 0; fc_option_choice(o, i, name, sizeof name) && at < WHY; i++)
    at += (size_t)snprintf(why + at, WHY - at, "%s%s", i ? ", " : "", name);
  return false;
}

static bool parse_text(const char *text, char *v, char *why) {
  if (!fc_utf8_valid(text)) return complain(why, "the text is not valid UTF-8");
  if (strlen(text) >= FC_TEXT) {
    snprintf(why, WHY, "the text is longer than %d bytes", FC_TEXT - 1);
    return false;
  }
  memset(v, 0, FC_TEXT); /* equal values are equal bytes */
  memcpy(v, text, strlen(text));
  return true;
}

const char *fc_option_choice(const fc_option *o, int index, char *buf, size_t size) {
  const char *s = o->choices;

  if (!s || index < 0) return NULL;
  for (; index > 0; index--) {
    s = strchr(s, '|');
    if (!s) return NULL;
    s++;
  }
  snprintf(buf, size, "%.*s", (int)strcspn(s, "|"), s);
  return buf;
}

/* ---- set ---- */

/* The field changes only when the whole text is right. */
static bool parse(const fc_option *o, const char *text, void *field, char *why) {
  union {
    int64_t  i;
    double   r;
    bool     b;
    int      c;
    fc_ints  li;
    fc_reals lr;
    fc_names ln;
    fc_table tb;
    char     t[FC_TEXT];
  } v;
  size_t size = 0;
  bool   ok   = false;

  memset(&v, 0, sizeof v);
  switch (o->type) {
  case FC_T_INT:
    ok = fc_parse_int(o, text, &v.i, why), size = sizeof v.i;
    break;
  case FC_T_REAL:
    ok = parse_real(o, text, &v.r, why), size = sizeof v.r;
    break;
  case FC_T_BOOL:
    ok = parse_bool(text, &v.b, why), size = sizeof v.b;
    break;
  case FC_T_TEXT:
    ok = parse_text(text, v.t, why), size = sizeof v.t;
    break;
  case FC_T_CHOICE:
    ok = parse_choice(o, text, &v.c, why), size = sizeof v.c;
    break;
  case FC_T_INTS:
    ok = parse_list(o, text, int_item, &v.li, &v.li.n, why), size = sizeof v.li;
    break;
  case FC_T_REALS:
    ok = parse_list(o, text, real_item, &v.lr, &v.lr.n, why), size = sizeof v.lr;
    break;
  case FC_T_NAMES:
    ok = fc_parse_names(text, &v.ln, why), size = sizeof v.ln;
    break;
  case FC_T_TABLE:
    ok = fc_parse_table(o, text, &v.tb, why), size = sizeof v.tb;
    break;
  }
  if (ok) memcpy(field, &v, size);
  return ok;
}

fc_status fc_option_set(const fc_option *t, const fc_option *o, void *s, const char *row, const char *name,
                        const char *value, const char *where) {
  char  why[WHY] = "";
  void *field    = (char *)s + o->offset;

  if (o->offset == IGNORED) return FC_OK;
  o             = owner(t, o);
  const bool ok = row ? fc_parse_row(o, row, value, field, why) : parse(o, value, field, why);
  FC_REQUIRE(ok, FC_E_USAGE, "%s = %.120s (%s): %s", name, value, where, why);
  return FC_OK;
}

fc_status fc_options_set(const fc_option *t, void *s, const char *key, const char *value, const char *where) {
  const char      *names[256], *row;
  const fc_option *o = fc_options_find_row(t, key, &row);
  int              n = 0;

  if (o) return fc_option_set(t, o, s, row, key, value, where);
  for (const fc_option *p = t; p->key && n < FC_COUNT(names); p++) names[n++] = p->key;
  const char *near = fc_nearest(key, n, names);
  if (near)
    return fc_fail(FC_E_USAGE, "unknown option '%s' (%s); nearest is '%s'; --help lists all", key, where,
                   near);
  return fc_fail(FC_E_USAGE, "unknown option '%s' (%s); --help lists all options", key, where);
}

void fc_options_defaults(const fc_option *t, void *s) {
  for (const fc_option *o = t; o->key; o++) {
    char why[WHY] = "";
    if (!o->def || o->offset == IGNORED) continue;
    FC_ASSERT(parse(o, o->def, (char *)s + o->offset, why), "default of option %s = %s: %s", o->key, o->def,
              why);
  }
}

const char *fc_nearest(const char *word, int n, const char *const *candidates) {
  const char *best  = NULL;
  int         least = (int)strlen(word) / 2 + 1; /* at most half of the word may differ */

  for (int i = 0; i < n; i++) {
    const int d = fc_text_distance(word, candidates[i]);
    if (d >= least) continue;
    least = d;
    best  = candidates[i];
  }
  return best;
}
