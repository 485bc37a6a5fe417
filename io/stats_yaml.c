/* io/stats_yaml.c - writes and reads The Well's stats.yaml. */
#include "io/stats_yaml.h"

#include "io/file.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <yaml.h>

enum { N_KEYS = 6 };
static const char *const keys[N_KEYS] = {"mean", "std", "rms", "mean_delta", "std_delta", "rms_delta"};

static double *column(fc_field_stats *s, int key) {
  double *const columns[N_KEYS] = {s->mean, s->std, s->rms, s->mean_delta, s->std_delta, s->rms_delta};
  return columns[key];
}

/* the field's name: a channel's without its component */
static void field_name(const fc_field_info *info, const fc_channel *c, char out[FC_NAME]) {
  const int d = info->ndim, k = c->component;
  size_t    extra = 0;

  if (c->rank == 1) extra = 1 + strlen(info->axis[k]);
  if (c->rank == 2) extra = 1 + strlen(info->axis[k / d]) + strlen(info->axis[k % d]);
  const size_t n = strlen(c->name);
  snprintf(out, FC_NAME, "%.*s", (int)(extra < n ? n - extra : n), c->name);
}

/* ---- writing ---- */
/* YAML 1.1 readers take a number for text unless it has a point and a signed exponent. */
static void number(FILE *f, double x) {
  if (isfinite(x))
    fprintf(f, "%.8e", x);
  else
    fputs(isnan(x) ? ".nan" : x > 0 ? ".inf" : "-.inf", f);
}

static void quoted(FILE *f, const char *name) {
  fputc('"', f);
  for (; *name; name++) {
    if (*name == '"' || *name == '\\') fputc('\\', f);
    fputc(*name, f);
  }
  fputc('"', f);
}

static void write_field(FILE *f, const fc_field_info *info, int first, const double *x) {
  const fc_channel *c = &info->channel[first];
  const int         d = info->ndim, n = c->rank == 0 ? 1 : c->rank == 1 ? d : d * d;
  char              name[FC_NAME];

  field_name(info, c, name);
  fputs("  ", f), quoted(f, name), fputs(c->rank ? ": [" : ": ", f);
  for (int k = 0; k < n; k++) {
    if (k) fputs(c->rank == 2 && k % d == 0 ? "], " : ", ", f);
    if (c->rank == 2 && k % d == 0) fputc('[', f);
    number(f, x[first + k]);
  }
  fputs(c->rank == 2 ? "]]\n" : c->rank == 1 ? "]\n" : "\n", f);
}

fc_status fc_stats_yaml_write(const char *path, const fc_field_info *info, const fc_field_stats *s) {
  fc_field_stats copy = *s;
  FILE          *f;

  FC_TRY(fc_file_begin(path, &f));
  for (int key = 0; key < N_KEYS; key++) {
    fprintf(f, "%s:\n", keys[key]);
    for (int i = 0; i < info->n_channels; i++)
      if (info->channel[i].rank == 0 || info->channel[i].component == 0)
        write_field(f, info, i, column(&copy, key));
  }
  return fc_file_commit(path, f);
}

/* ---- reading ---- */
static yaml_node_t *find(yaml_document_t *doc, yaml_node_t *map, const char *key) {
  if (!map || map->type != YAML_MAPPING_NODE) return NULL;
  for (yaml_node_pair_t *p = map->data.mapping.pairs.start; p < map->data.mapping.pairs.top; p++) {
    yaml_node_t *k = yaml_document_get_node(doc, p->key);
    if (k && k->type == YAML_SCALAR_NODE && !strcmp((const char *)k->data.scalar.value, key))
      return yaml_document_get_node(doc, p->value);
  }
  return NULL;
}

static yaml_node_t *item(yaml_document_t *doc, yaml_node_t *list, int i) {
  if (!list || list->type != YAML_SEQUENCE_NODE) return NULL;
  const ptrdiff_t n = list->data.sequence.items.top - list->data.sequence.items.start;
  return i < n ? yaml_document_get_node(doc, list->data.sequence.items.start[i]) : NULL;
}

static bool scalar(const yaml_node_t *node, double *x) {
  char *end;

  if (!node || node->type != YAML_SCALAR_NODE) return false;
  const char *text = (const char *)node->data.scalar.value;
  if (!strcmp(text, ".nan")) return *x = NAN, true;
  if (!strcmp(text, ".inf")) return *x = INFINITY, true;
  if (!strcmp(text, "-.inf")) return *x = -INFINITY, true;
  *x = strtod(text, &end);
  return end != text && !*end;
}

static bool lookup(yaml_document_t *doc, const fc_field_info *info, int i, const char *key, double *x) {
  const fc_channel *c = &info->channel[i];
  char              name[FC_NAME];

  field_name(info, c, name);
  yaml_node_t *node = find(doc, find(doc, yaml_document_get_root_node(doc), key), name);
  if (c->rank == 1) node = item(doc, node, c->component);
  if (c->rank == 2) node = item(doc, item(doc, node, c->component / info->ndim), c->component % info->ndim);
  return scalar(node, x);
}

static fc_status fill(const char *path, yaml_document_t *doc, const fc_field_info *info,
                      fc_field_stats *out) {
  out->n_channels = info->n_channels;
  for (int i = 0; i < info->n_channels; i++) {
    out->min[i] = out->max[i] = NAN;
    for (int key = 0; key < N_KEYS; key++) {
      double *x = &column(out, key)[i];
      if (lookup(doc, info, i, keys[key], x)) continue;
      FC_REQUIRE(key > 1, FC_E_INPUT, "%s: no %s for channel '%s'", path, keys[key], info->channel[i].name);
      *x = key == 2 ? sqrt(out->mean[i] * out->mean[i] + out->std[i] * out->std[i]) : NAN;
    }
  }
  return FC_OK;
}

fc_status fc_stats_yaml_read(const char *path, const fc_field_info *info, fc_field_stats *out) {
  yaml_parser_t   parser;
  yaml_document_t doc;
  fc_status       s;
  FILE           *f = fopen(path, "rb");

  memset(out, 0, sizeof *out);
  FC_REQUIRE(f, FC_E_INPUT, "%s: cannot be read: %s", path, strerror(errno));
  if (!yaml_parser_initialize(&parser)) {
    fclose(f);
    return fc_fail(FC_E_SYSTEM, "%s: not enough memory", path);
  }
  yaml_parser_set_input_file(&parser, f);
  if (yaml_parser_load(&parser, &doc)) {
    s = fill(path, &doc, info, out);
    yaml_document_delete(&doc);
  } else
    s = fc_fail(FC_E_INPUT, "%s:%zu: not YAML: %s", path, parser.problem_mark.line + 1,
                parser.problem ? parser.problem : "unreadable");
  yaml_parser_delete(&parser);
  fclose(f);
  return s;
}
