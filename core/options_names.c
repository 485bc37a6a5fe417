/* core/options_names.c - names in lists and tables. A name may stand in double quotes, where \" and \\ mean
   the characters themselves; without quotes it ends at the next of , : [ ] { } and blanks around it are cut.
 */
#include "core/options_names.h"

#include "core/text.h"

#include <ctype.h>
#include <stdarg.h>
#include <string.h>

int fc_names_find(const fc_names *v, const char *name) {
  for (int i = 0; i < v->n; i++)
    if (!strcmp(v->v[i], name)) return i;
  return -1;
}

const fc_row *fc_table_find(const fc_table *v, const char *name) {
  for (int i = 0; i < v->n; i++)
    if (!strcmp(v->row[i].name, name)) return &v->row[i];
  return NULL;
}

static bool complain(char *why, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
static bool complain(char *why, const char *fmt, ...) {
  va_list ap;

  va_start(ap, fmt);
  vsnprintf(why, FC_WHY, fmt, ap);
  va_end(ap);
  return false;
}

/* ---- reading ---- */

static const char *skip_blanks(const char *s) {
  while (isspace((unsigned char)*s)) s++;
  return s;
}

/* the closing bracket if there is an opening one, and nothing else behind it */
static const char *end_of(const char *s, char close) {
  s = skip_blanks(s);
  if (close && *s == close) return skip_blanks(s + 1);
  return close ? NULL : s;
}

static bool fits_name(const char *name, char *why) {
  if (!*name) return complain(why, "a name is empty");
  if (!fc_utf8_valid(name)) return complain(why, "a name is not valid UTF-8");
  for (const char *p = name; *p; p++)
    if ((unsigned char)*p < 0x20) return complain(why, "a name contains a control character");
  return true;
}

static bool quoted_name(const char **s, char *out, char *why) {
  size_t n = 0;

  for ((*s)++; **s && **s != '"'; (*s)++) {
    if (**s == '\\' && ((*s)[1] == '"' || (*s)[1] == '\\')) (*s)++;
    if (n + 1 >= FC_WORD) return complain(why, "a name is longer than %d bytes", FC_WORD - 1);
    out[n++] = **s;
  }
  out[n] = 0;
  if (!**s) return complain(why, "the quotation mark of \"%.40s is not closed", out);
  (*s)++;
  return fits_name(out, why);
}

static bool take_name(const char **s, const char *ends, char *out, char *why) {
  *s = skip_blanks(*s);
  memset(out, 0, FC_WORD); /* equal values are equal bytes */
  if (**s == '"') return quoted_name(s, out, why);
  size_t n = strcspn(*s, ends);
  while (n && isspace((unsigned char)(*s)[n - 1])) n--;
  if (n >= FC_WORD) return complain(why, "a name is longer than %d bytes", FC_WORD - 1);
  memcpy(out, *s, n);
  *s += n;
  return fits_name(out, why);
}

static bool wanted_list(char *why) { return complain(why, "a list of names like [a, b] is wanted"); }

static bool add_name(const char **s, fc_names *v, char *why) {
  char name[FC_WORD], reason[FC_WHY];

  if (v->n == FC_WORDS) return complain(why, "a list of at most %d names is wanted", FC_WORDS);
  if (!take_name(s, ",[]\"", name, reason)) return complain(why, "item %d: %.200s", v->n + 1, reason);
  if (fc_names_find(v, name) >= 0) return complain(why, "item %d: '%s' is there twice", v->n + 1, name);
  memcpy(v->v[v->n++], name, FC_WORD);
  return true;
}

bool fc_parse_names(const char *text, fc_names *v, char *why) {
  const char *s     = skip_blanks(text), *end;
  const char  close = *s == '[' ? ']' : 0;

  v->n = 0;
  s += close != 0;
  end = end_of(s, close);
  if (end && !*end) return true;
  for (;;) {
    if (!add_name(&s, v, why)) return false;
    s = skip_blanks(s);
    if (*s != ',') break;
    s++;
  }
  end = end_of(s, close);
  return (end && !*end) || wanted_list(why);
}

/* ---- tables ---- */

/* a whole number up to the next comma or bracket */
static bool take_cell(const fc_option *o, const char **s, fc_row *r, char *why) {
  char         text[64];
  const size_t n = strcspn(*s, ",[]{}");

  if (r->n == FC_CELLS) return complain(why, "a row of at most %d numbers is wanted", FC_CELLS);
  if (n >= sizeof text) return complain(why, "a whole number is wanted");
  memcpy(text, *s, n);
  text[n] = 0;
  *s += n;
  return fc_parse_int(o, text, &r->v[r->n++], why);
}

/* a number, or several in brackets */
static bool take_row(const fc_option *o, const char **s, fc_row *r, char *why) {
  r->n = 0;
  *s   = skip_blanks(*s);
  if (**s != '[') return take_cell(o, s, r, why);
  do {
    (*s)++;
    if (!take_cell(o, s, r, why)) return false;
  } while (**s == ',');
  if (**s != ']') return complain(why, "a row like [1, 2] is wanted");
  *s = skip_blanks(*s + 1);
  return true;
}

static bool put_row(fc_table *v, const fc_row *r, char *why) {
  fc_row *old = (fc_row *)fc_table_find(v, r->name);

  if (!old && v->n == FC_WORDS) return complain(why, "a table of at most %d rows is wanted", FC_WORDS);
  if (!old) old = &v->row[v->n++];
  *old = *r;
  return true;
}

static bool add_row(const fc_option *o, const char **s, fc_table *v, char *why) {
  char   reason[FC_WHY];
  fc_row r;

  memset(&r, 0, sizeof r);
  if (!take_name(s, ",:[]{}\"", r.name, reason)) return complain(why, "row %d: %.200s", v->n + 1, reason);
  if (fc_table_find(v, r.name)) return complain(why, "row %d: '%s' is there twice", v->n + 1, r.name);
  *s = skip_blanks(*s);
  if (**s != ':') return complain(why, "a table like {a: [1, 2], b: 3} is wanted");
  (*s)++;
  if (!take_row(o, s, &r, reason)) return complain(why, "%s: %.200s", r.name, reason);
  return put_row(v, &r, why);
}

bool fc_parse_table(const fc_option *o, const char *text, fc_table *v, char *why) {
  const char *s     = skip_blanks(text), *end;
  const char  close = *s == '{' ? '}' : 0;

  v->n = 0;
  s += close != 0;
  end = end_of(s, close);
  if (end && !*end) return true;
  for (;;) {
    if (!add_row(o, &s, v, why)) return false;
    s = skip_blanks(s);
    if (*s != ',') break;
    s++;
  }
  end = end_of(s, close);
  return (end && !*end) || complain(why, "a table like {a: [1, 2], b: 3} is wanted");
}

bool fc_parse_row(const fc_option *o, const char *name, const char *text, fc_table *v, char *why) {
  fc_row r;

  memset(&r, 0, sizeof r);
  if (strlen(name) >= FC_WORD) return complain(why, "a name is longer than %d bytes", FC_WORD - 1);
  memcpy(r.name, name, strlen(name));
  if (!fits_name(r.name, why) || !take_row(o, &text, &r, why)) return false;
  if (*skip_blanks(text)) return complain(why, "a number, or a row like [1, 2], is wanted");
  return put_row(v, &r, why);
}

/* ---- writing ---- */

static void add(char *buf, size_t size, const char *text) {
  const size_t n = strlen(buf);

  snprintf(buf + n, size - n, "%s", text);
}

static void add_quoted(char *buf, size_t size, const char *name) {
  add(buf, size, "\"");
  for (char one[3] = ""; *name; name++) {
    const bool escape = *name == '"' || *name == '\\';
    one[0]            = escape ? '\\' : *name;
    one[1]            = escape ? *name : 0;
    add(buf, size, one);
  }
  add(buf, size, "\"");
}

void fc_names_text(const fc_names *v, char *buf, size_t size) {
  add(buf, size, "[");
  for (int i = 0; i < v->n; i++) {
    if (i) add(buf, size, ", ");
    add_quoted(buf, size, v->v[i]);
  }
  add(buf, size, "]");
}

static void add_cells(char *buf, size_t size, const fc_row *r) {
  char text[32];

  for (int i = 0; i < r->n; i++) {
    snprintf(text, sizeof text, "%s%lld", i ? ", " : "", (long long)r->v[i]);
    add(buf, size, text);
  }
}

void fc_table_text(const fc_table *v, char *buf, size_t size) {
  add(buf, size, "{");
  for (int i = 0; i < v->n; i++) {
    if (i) add(buf, size, ", ");
    add_quoted(buf, size, v->row[i].name);
    add(buf, size, v->row[i].n == 1 ? ": " : ": [");
    add_cells(buf, size, &v->row[i]);
    if (v->row[i].n != 1) add(buf, size, "]");
  }
  add(buf, size, "}");
}
