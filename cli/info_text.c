/* cli/info_text.c - JSON, YAML and XML: configurations, reports, .xmf. */
#include "cli/info.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <yaml.h>

enum { DEPTH = 32, MOST_NODES = 100000 };

/* A configuration has a model and its arguments; of anything else only the top level is shown. */
static void report(const json_t *doc, const char *format, json_t *out) {
  json_t     *model = json_object_get(doc, "model"), *args = json_object_get(doc, "args"), *v;
  const char *key;
  char        kind[64];

  snprintf(kind, sizeof kind, "%s%s", format, model ? ", configuration" : "");
  fc_info_text(out, "kind", kind);
  if (json_is_array(doc)) fc_info_int(out, "entries", (int64_t)json_array_size(doc));
  json_object_foreach((json_t *)doc, key, v) {
    if (!strcmp(key, "file") || !strcmp(key, "kind") || !strcmp(key, "bytes")) continue;
    const bool show = !json_is_array(v) || json_array_size(v) <= 16;
    if (show && (v == model || v == args || !json_is_object(v)))
      json_object_set(out, key, v);
    else if (model && json_is_object(v))
      json_object_set(out, key, v);
    else {
      char text[64];
      snprintf(text, sizeof text, "%zu entries",
               json_is_object(v) ? json_object_size(v) : json_array_size(v));
      fc_info_text(out, key, text);
    }
  }
}

fc_status fc_info_json(const char *path, const fc_info_options *o, json_t *out) {
  json_error_t e;
  json_t      *doc = json_load_file(path, JSON_REJECT_DUPLICATES, &e);

  (void)o;
  fc_info_text(out, "kind", "JSON");
  FC_REQUIRE(doc, FC_E_INPUT, "%s:%d:%d: not JSON: %s", path, e.line, e.column, e.text);
  report(doc, "JSON", out);
  json_decref(doc);
  return FC_OK;
}

/* ---- YAML into the same tree; aliases are followed, so the number of nodes is bounded ---- */
typedef struct convert {
  yaml_document_t *doc;
  int              left;
} convert;

static json_t *node_to_json(convert *c, int index, int depth);

static json_t *scalar_to_json(const yaml_node_t *n) {
  const char *text = (const char *)n->data.scalar.value;
  char       *end;

  if (n->data.scalar.style == YAML_PLAIN_SCALAR_STYLE && *text) {
    const long long i = strtoll(text, &end, 10);
    if (!*end) return json_integer(i);
    const double x = strtod(text, &end);
    if (!*end && json_real(x)) return json_real(x);
    if (!strcmp(text, "true") || !strcmp(text, "false")) return json_boolean(text[0] == 't');
    if (!strcmp(text, "null") || !strcmp(text, "~")) return json_null();
  }
  json_t *s = json_string(text);
  return s ? s : json_null();
}

static json_t *map_to_json(convert *c, const yaml_node_t *n, int depth) {
  json_t *o = json_object();

  for (const yaml_node_pair_t *p = n->data.mapping.pairs.start; p < n->data.mapping.pairs.top; p++) {
    const yaml_node_t *k = yaml_document_get_node(c->doc, p->key);
    if (k && k->type == YAML_SCALAR_NODE)
      json_object_set_new(o, (const char *)k->data.scalar.value, node_to_json(c, p->value, depth + 1));
  }
  return o;
}

static json_t *node_to_json(convert *c, int index, int depth) {
  const yaml_node_t *n = yaml_document_get_node(c->doc, index);

  if (!n || depth > DEPTH || c->left-- <= 0) return json_null();
  if (n->type == YAML_SCALAR_NODE) return scalar_to_json(n);
  if (n->type == YAML_MAPPING_NODE) return map_to_json(c, n, depth);
  json_t *list = json_array();
  for (const yaml_node_item_t *i = n->data.sequence.items.start; i < n->data.sequence.items.top; i++)
    json_array_append_new(list, node_to_json(c, *i, depth + 1));
  return list;
}

/* A text without any structure is YAML too, but nobody means that. */
static void report_yaml(yaml_document_t *doc, json_t *out) {
  convert            c    = {doc, MOST_NODES};
  const yaml_node_t *root = yaml_document_get_root_node(doc);

  if (!root || root->type == YAML_SCALAR_NODE) {
    fc_info_text(out, "kind", "plain text");
    return;
  }
  json_t *tree = node_to_json(&c, 1, 0);
  report(tree, "YAML", out);
  json_decref(tree);
}

fc_status fc_info_yaml(const char *path, const fc_info_options *o, json_t *out) {
  yaml_parser_t   parser;
  yaml_document_t doc;
  FILE           *f = fopen(path, "rb");

  (void)o;
  FC_REQUIRE(f, FC_E_INPUT, "%s: cannot be read: %s", path, strerror(errno));
  if (!yaml_parser_initialize(&parser)) {
    fclose(f);
    return fc_fail(FC_E_SYSTEM, "%s: not enough memory", path);
  }
  yaml_parser_set_input_file(&parser, f);
  if (yaml_parser_load(&parser, &doc)) {
    report_yaml(&doc, out);
    yaml_document_delete(&doc);
  } else {
    fc_info_text(out, "kind", "plain text");
    fc_info_int(out, "not YAML from line", (int64_t)parser.problem_mark.line + 1);
  }
  yaml_parser_delete(&parser);
  fclose(f);
  return FC_OK;
}

/* ---- XML: only .xmf is ours to explain ---- */

/* "file.h5:/path" inside a DataItem; the file stands beside the .xmf */
static fc_status referred(const char *path, const char *line, json_t *files) {
  char        name[1024], beside[4096];
  const char *colon = strstr(line, ":/"), *slash = strrchr(path, '/');
  size_t      n = 0;

  if (!colon || strstr(line, "http")) return FC_OK;
  while (n < (size_t)(colon - line) && colon[-1 - (ptrdiff_t)n] != '>' && colon[-1 - (ptrdiff_t)n] != '"')
    n++;
  snprintf(name, sizeof name, "%.*s", (int)n, colon - n);
  snprintf(beside, sizeof beside, "%.*s%s", name[0] == '/' || !slash ? 0 : (int)(slash - path + 1), path,
           name);
  FC_REQUIRE(!access(beside, R_OK), FC_E_INPUT, "%s: XDMF that refers to %s, which is not there", path,
             beside);
  if (!json_object_get(files, name)) fc_info_text(files, name, "present");
  return FC_OK;
}

static fc_status scan_xml(const char *path, FILE *f, json_t *out, json_t *files) {
  char     *line  = NULL;
  size_t    size  = 0;
  int64_t   steps = 0;
  bool      xdmf = false, end = false;
  fc_status s = FC_OK;

  while (s == FC_OK && getline(&line, &size, f) >= 0) {
    xdmf |= strstr(line, "<Xdmf") != NULL;
    end |= strstr(line, "</Xdmf>") != NULL;
    steps += strstr(line, "<Time ") != NULL;
    if (xdmf) s = referred(path, line, files);
  }
  free(line);
  fc_info_text(out, "kind", xdmf ? "XDMF (open with ParaView's \"XDMF Reader\")" : "XML");
  FC_TRY(s);
  FC_REQUIRE(!xdmf || end, FC_E_INPUT, "%s: XDMF, but truncated: </Xdmf> is missing", path);
  if (xdmf) fc_info_int(out, "steps", steps);
  if (xdmf) json_object_set(out, "refers to", files);
  return FC_OK;
}

fc_status fc_info_xml(const char *path, const fc_info_options *o, json_t *out) {
  FILE *f = fopen(path, "r");

  (void)o;
  FC_REQUIRE(f, FC_E_INPUT, "%s: cannot be read: %s", path, strerror(errno));
  json_t         *files = json_object();
  const fc_status s     = scan_xml(path, f, out, files);
  json_decref(files);
  fclose(f);
  return s;
}
