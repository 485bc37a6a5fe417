/* core/config.c - entries from files and --set, and how they find their options. */
#include "core/config.h"

#include "core/config_entries.h"
#include "core/text.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

fc_status fc_config_create(fc_config **out) {
  *out = calloc(1, sizeof **out);
  FC_REQUIRE(*out, FC_E_SYSTEM, "no memory for the configuration");
  return FC_OK;
}

void fc_config_destroy(fc_config *c) {
  if (!c) return;
  for (int i = 0; i < c->n; i++) {
    free(c->entry[i].key);
    free(c->entry[i].value);
    free(c->entry[i].where);
    free(c->entry[i].full);
  }
  free(c->entry);
  free(c);
}

fc_status fc_config_add(fc_config *c, const char *key, const char *value, const char *where, bool set) {
  FC_REQUIRE(c->n < FC_CONFIG_ENTRIES, FC_E_INPUT, "%s: more than %d entries; is this a configuration?",
             where, FC_CONFIG_ENTRIES);
  if (c->n == c->room) {
    const int        room  = c->room ? 2 * c->room : 64;
    fc_config_entry *entry = realloc(c->entry, (size_t)room * sizeof *entry);
    FC_REQUIRE(entry, FC_E_SYSTEM, "no memory for the configuration");
    c->entry = entry;
    c->room  = room;
  }
  fc_config_entry e = {.key   = strdup(key),
                       .value = strdup(value ? value : ""),
                       .where = strdup(where),
                       .null  = !value,
                       .set   = set};
  c->entry[c->n++]  = e;
  FC_REQUIRE(e.key && e.value && e.where, FC_E_SYSTEM, "no memory for the configuration");
  return FC_OK;
}

/* ---- sources ---- */

fc_status fc_config_parse(const char *text, const char *where, fc_config **out) {
  fc_status s = fc_config_create(out);

  if (s != FC_OK) return s;
  s = fc_config_read(*out, text, strlen(text), where);
  if (s != FC_OK) {
    fc_config_destroy(*out);
    *out = NULL;
  }
  return s;
}

fc_status fc_config_load(const char *path, fc_config **out) {
  fc_status s;
  FILE     *f    = fopen(path, "rb");
  char     *text = malloc((size_t)FC_CONFIG_BYTES + 2);

  *out = NULL;
  if (!f) {
    s = fc_fail(FC_E_INPUT, "%s: cannot open the configuration: %s", path, strerror(errno));
    goto done;
  }
  if (!text) {
    s = fc_fail(FC_E_SYSTEM, "%s: no memory to read the configuration", path);
    goto done;
  }
  const size_t bytes = fread(text, 1, (size_t)FC_CONFIG_BYTES + 1, f);
  text[bytes]        = 0;
  if (ferror(f))
    s = fc_fail(FC_E_INPUT, "%s: cannot read the configuration: %s", path, strerror(errno));
  else if (bytes > FC_CONFIG_BYTES)
    s = fc_fail(FC_E_INPUT, "%s: larger than %d bytes; is this a configuration?", path, FC_CONFIG_BYTES);
  else if (strlen(text) != bytes)
    s = fc_fail(FC_E_INPUT, "%s: contains zero bytes; a configuration is YAML or JSON text", path);
  else
    s = fc_config_parse(text, path, out);
done:
  free(text);
  if (f) fclose(f);
  return s;
}

static char *trimmed(const char *text, size_t n) {
  while (n && (*text == ' ' || *text == '\t')) text++, n--;
  while (n && (text[n - 1] == ' ' || text[n - 1] == '\t')) n--;
  return strndup(text, n);
}

fc_status fc_config_set(fc_config *c, const char *assignment) {
  const char *equals = strchr(assignment, '=');

  FC_REQUIRE(equals, FC_E_USAGE, "--set %s: write --set key=value, for example --set train.lr=1e-3",
             assignment);
  char     *key   = trimmed(assignment, (size_t)(equals - assignment));
  char     *value = trimmed(equals + 1, strlen(equals + 1));
  fc_status s     = FC_OK;
  if (!key || !value)
    s = fc_fail(FC_E_SYSTEM, "no memory for --set %s", assignment);
  else if (!*key)
    s = fc_fail(FC_E_USAGE, "--set %s: the key before '=' is missing", assignment);
  else
    s = fc_config_add(c, key, value, "--set", true);
  free(key);
  free(value);
  return s;
}

const char *fc_config_get(fc_config *c, const char *path) {
  const char *value = NULL;

  for (int i = 0; i < c->n; i++) { /* --set comes after the file, later ones win */
    fc_config_entry *e = &c->entry[i];
    if (strcmp(e->key, path)) continue;
    e->used = true;
    value   = e->null ? NULL : e->value;
  }
  return value;
}

/* ---- binding ---- */

typedef struct target {
  const fc_section *section;
  const fc_option  *option;
  const char       *row; /* of a table; NULL: the whole option */
} target;

static void full_name(const target *t, char *buf, size_t size) {
  const char *section = t->section->name, *row = t->row ? t->row : "";
  snprintf(buf, size, "%s%s%s%s%s", section, *section ? "." : "", t->option->key, *row ? "." : "", row);
}

static bool find_in(const fc_section *section, const char *key, target *out) {
  out->section = section;
  out->option  = fc_options_find_row(section->table, key, &out->row);
  return out->option;
}

/* "train.lr" is option lr of section train; in the root section keys stand alone */
static bool find_path(const char *path, int n, const fc_section *sections, target *out) {
  for (int i = 0; i < n; i++) {
    const size_t len   = strlen(sections[i].name);
    const bool   below = !len || (!strncmp(path, sections[i].name, len) && path[len] == '.');
    if (!below) continue;
    if (find_in(&sections[i], path + (len ? len + 1 : 0), out)) return true;
  }
  return false;
}

static fc_status ambiguous(const fc_config_entry *e, const char *a, const char *b) {
  return fc_fail(FC_E_USAGE, "option '%s' (%s) is ambiguous: write %s or %s", e->key, e->where, a, b);
}

/* A bare key from --set: the one section that knows it, now or in an earlier bind. */
static fc_status find_bare(fc_config_entry *e, int n, const fc_section *sections, target *out) {
  char name[2][256] = {"", ""};
  int  found        = 0;

  out->option = NULL;
  if (e->full) snprintf(name[found++], sizeof name[0], "%s", e->full);
  for (int i = 0; i < n; i++) {
    target t;
    if (!find_in(&sections[i], e->key, &t)) continue;
    full_name(&t, name[found], sizeof name[0]);
    *out = t;
    if (found++ == 0 || !strcmp(name[0], name[1])) found = 1;
    if (found == 2) return ambiguous(e, name[0], name[1]);
  }
  if (!out->option || e->full) return FC_OK;
  e->full = strdup(name[0]);
  FC_REQUIRE(e->full, FC_E_SYSTEM, "no memory for the configuration");
  return FC_OK;
}

/* The option that is spelled most like the key, with or without its section; else like its last word. */
static void nearest(const char *key, int n, const fc_section *sections, char *buf, size_t size) {
  enum { MOST = 1024 };
  const char *name[2 * MOST] = {NULL}, *dot = strrchr(key, '.'); /* bare keys, then full ones */
  char       *full[MOST], text[256];
  int         count = 0;

  for (int i = 0; i < n; i++)
    for (const fc_option *o = sections[i].table; o->key && count < MOST; o++) {
      full_name(&(target){&sections[i], o, NULL}, text, sizeof text);
      full[count] = strdup(text);
      if (full[count]) name[count++] = o->key;
    }
  for (int i = 0; i < count; i++) name[count + i] = full[i];
  const char *best = fc_nearest(key, 2 * count, name);
  if (!best && dot) best = fc_nearest(dot + 1, count, name);
  buf[0] = 0;
  for (int i = 0; i < 2 * count && best && !buf[0]; i++)
    if (best == name[i]) snprintf(buf, size, "%s", full[i % count]);
  for (int i = 0; i < count; i++) free(full[i]);
}

static fc_status unknown(const fc_config_entry *e, int n, const fc_section *sections) {
  char near[256];

  nearest(e->key, n, sections, near, sizeof near);
  if (near[0])
    return fc_fail(FC_E_USAGE, "unknown option '%s' (%s); nearest is '%s'; --help lists all", e->key,
                   e->where, near);
  return fc_fail(FC_E_USAGE, "unknown option '%s' (%s); --help lists all options", e->key, e->where);
}

/* A file that gives one option under two names would hide one of the values. */
static fc_status only_once(const fc_config *c, const fc_config_entry *e) {
  for (const fc_config_entry *p = c->entry; p < e; p++)
    FC_REQUIRE(p->set || e->set || p->field != e->field, FC_E_USAGE,
               "option '%s' (%s) is given as '%s' too (%s); keep one of them", e->key, e->where, p->key,
               p->where);
  return FC_OK;
}

/* Official configurations write null for "none of them" */
static const char *meaning_of_null(const fc_option *o) {
  char name[FC_TEXT];

  for (int i = 0; o->type == FC_T_CHOICE && fc_option_choice(o, i, name, sizeof name); i++)
    if (!strcmp(name, "none")) return "none";
  return NULL;
}

/* what an entry changes: a field, or a row of a table, of which each entry has its own */
static const void *place_of(const fc_config_entry *e, const target *t) {
  const char *field = (const char *)t->section->values + t->option->offset;

  return t->row ? (const void *)e->key : field;
}

static fc_status assign(const fc_config *c, fc_config_entry *e, const target *t) {
  char        name[FC_TEXT];
  const char *value   = e->null ? meaning_of_null(t->option) : e->value;
  const bool  ignored = t->option->offset == (size_t)-1;

  e->used = true;
  if (!value || ignored) return FC_OK;
  e->field = place_of(e, t);
  FC_TRY(only_once(c, e));
  full_name(t, name, sizeof name);
  return fc_option_set(t->section->table, t->option, t->section->values, t->row, name, value, e->where);
}

fc_status fc_config_bind(fc_config *c, int n, const fc_section *sections, bool partial) {
  static const int order[2] = {false, true}; /* the file, then --set */

  for (int i = 0; i < n; i++) fc_options_defaults(sections[i].table, sections[i].values);
  for (int i = 0; i < c->n; i++) c->entry[i].field = &c->entry[i]; /* unlike any other */
  for (int pass = 0; pass < 2; pass++)
    for (int i = 0; i < c->n; i++) {
      fc_config_entry *e = &c->entry[i];
      target           t = {NULL, NULL, NULL};
      if (e->set != order[pass]) continue;
      const bool path = find_path(e->key, n, sections, &t);
      if (!path && e->set) FC_TRY(find_bare(e, n, sections, &t));
      if (t.option)
        FC_TRY(assign(c, e, &t));
      else if (!e->used && !partial)
        return unknown(e, n, sections);
    }
  return FC_OK;
}
