/* solvers/registry.c - solvers and presets by name, and their options from text. */
#include "core/text.h"
#include "solvers/solver.h"

#include <stdlib.h>
#include <string.h>

#define FC_SOLVER(name) extern const fc_solver_def fc_solver_##name;
#include "solvers/solvers.def"
#undef FC_SOLVER

#define FC_SOLVER(name) &fc_solver_##name,
static const fc_solver_def *const solvers[] = {
#include "solvers/solvers.def"
};
#undef FC_SOLVER

#define FC_PRESET(name, solver, settings, brief, summary, copies, accurate)                                  \
  {name, solver, settings, brief, summary, copies, accurate},
static const fc_preset presets[] = {
#include "solvers/presets.def"
};
#undef FC_PRESET

const fc_solver_def *fc_solver_at(int i) { return i >= 0 && i < FC_COUNT(solvers) ? solvers[i] : NULL; }
const fc_preset     *fc_preset_at(int i) { return i >= 0 && i < FC_COUNT(presets) ? &presets[i] : NULL; }

const fc_solver_def *fc_solver_find(const char *name) {
  for (int i = 0; i < FC_COUNT(solvers); i++)
    if (!strcmp(solvers[i]->name, name)) return solvers[i];
  return NULL;
}

const fc_preset *fc_preset_find(const char *name) {
  for (int i = 0; i < FC_COUNT(presets); i++)
    if (!strcmp(presets[i].name, name)) return &presets[i];
  return NULL;
}

/* words in lines of 100 columns, all but the first indented */
static void print_words(const char *label, const char *text, FILE *out) {
  int column = fprintf(out, "%-10s", label);

  while (*(text += strspn(text, " "))) {
    const int n = (int)strcspn(text, " ");
    if (column + 1 + n > 100) column = fprintf(out, "\n%-10s", "") - 1;
    column += fprintf(out, " %.*s", n, text);
    text += n;
  }
  fputc('\n', out);
}

void fc_preset_print(const fc_preset *p, FILE *out) {
  print_words(p->name, p->summary, out);
  print_words("solver", p->solver, out);
  print_words("settings", p->settings, out);
  print_words("copies", p->copies, out);
  print_words("accurate", p->accurate, out);
}

static fc_status unknown(const char *name) {
  const char *names[FC_COUNT(solvers) + FC_COUNT(presets)];
  int         n = 0;

  for (int i = 0; i < FC_COUNT(presets); i++) names[n++] = presets[i].name;
  for (int i = 0; i < FC_COUNT(solvers); i++) names[n++] = solvers[i]->name;
  const char *near = fc_nearest(name, n, names);
  return fc_fail(FC_E_USAGE, "there is no solver or preset '%s'%s%s%s; 'fieldcast solve --list' lists them",
                 name, near ? "; did you mean '" : "", near ? near : "", near ? "'" : "");
}

static fc_status assign(const fc_solver_def *def, void *config, const char *assignment, size_t length,
                        const char *where) {
  char        text[FC_TEXT];
  const char *equals = memchr(assignment, '=', length);

  FC_REQUIRE(equals && equals > assignment && length < sizeof text, FC_E_USAGE, "%s: '%.*s' is not key=value",
             where, (int)fc_min64((int64_t)length, 80), assignment);
  memcpy(text, assignment, length);
  text[length]              = 0;
  text[equals - assignment] = 0;
  return fc_options_set(def->options, config, text, text + (equals - assignment) + 1, where);
}

/* assignments separated by any of the characters in between */
static fc_status assign_all(const fc_solver_def *def, void *config, const char *text, const char *between,
                            const char *where) {
  while (*(text += strspn(text, between))) {
    const size_t length = strcspn(text, between);
    FC_TRY(assign(def, config, text, length, where));
    text += length;
  }
  return FC_OK;
}

static fc_status defaults(const fc_solver_def *def, void **config) {
  *config = calloc(1, def->config_size);
  FC_REQUIRE(*config, FC_E_SYSTEM, "no memory for the options of %s", def->name);
  fc_options_defaults(def->options, *config);
  return FC_OK;
}

fc_status fc_solver_configure(const char *name, int n, const char *const *set, const fc_solver_def **def,
                              void **config) {
  const fc_preset     *p = fc_preset_find(name);
  const fc_solver_def *d = fc_solver_find(p ? p->solver : name);
  fc_status            s;

  *config = NULL;
  if (!d) return unknown(name);
  FC_TRY(defaults(d, config));
  if (p) FC_TRY_TO(fail, s, assign_all(d, *config, p->settings, " ", p->name));
  for (int i = 0; i < n; i++) FC_TRY_TO(fail, s, assign(d, *config, set[i], strlen(set[i]), "--set"));
  FC_TRY_TO(fail, s, d->check(*config));
  *def = d;
  return FC_OK;
fail:
  free(*config);
  *config = NULL;
  return s;
}

fc_status fc_solver_text(const fc_solver_def *def, const void *config, char **out) {
  char   value[FC_OPTION_TEXT];
  size_t size = 0;
  FILE  *f    = open_memstream(out, &size);

  FC_REQUIRE(f, FC_E_SYSTEM, "no memory for the text of a configuration");
  for (const fc_option *o = def->options; o->key; o++) {
    if (!o->def || o->offset == (size_t)-1) continue; /* second names, keys that are accepted and not used */
    fc_options_text(o, config, value, sizeof value);
    fprintf(f, "%s=%s\n", o->key, value);
  }
  FC_REQUIRE(!fclose(f), FC_E_SYSTEM, "no memory for the text of a configuration");
  return FC_OK;
}

fc_status fc_solver_restore(const char *solver, const char *text, const fc_solver_def **def, void **config) {
  const fc_solver_def *d = fc_solver_find(solver);
  fc_status            s;

  *config = NULL;
  FC_REQUIRE(d, FC_E_INPUT, "the data were made by the solver '%s', which this program does not have",
             solver);
  FC_TRY(defaults(d, config));
  FC_TRY_TO(fail, s, assign_all(d, *config, text, "\n", "attribute solver_config"));
  FC_TRY_TO(fail, s, d->check(*config));
  *def = d;
  return FC_OK;
fail:
  free(*config);
  *config = NULL;
  return s == FC_E_USAGE ? fc_fail(FC_E_INPUT, "%s", fc_error()) : s;
}
