/* core/config_yaml.c - YAML (and so JSON) flattened to "a.b.c" = text.
   Scalars keep their text; sequences become "[a, [b, c]]"; null values are kept as null. */
#include "core/config_entries.h"

#include <stdlib.h>
#include <string.h>
#include <yaml.h>

enum { DEPTH = 32, KEY = 512 };

typedef struct reader {
  fc_config       *c;
  yaml_document_t *doc;
  const char      *where;
  int             *mappings; /* seen so far: aliases can repeat even empty ones without bound */
} reader;

static fc_status fail_at(const reader *r, yaml_mark_t m, const char *what) {
  return fc_fail(FC_E_INPUT, "%s:%zu:%zu: %s", r->where, m.line + 1, m.column + 1, what);
}

static const char *scalar(const yaml_node_t *n) { return (const char *)n->data.scalar.value; }

/* Quoted, null is a word like others. */
static bool is_null(const yaml_node_t *n) {
  static const char *const words[] = {"", "~", "null", "Null", "NULL"};

  if (n->type != YAML_SCALAR_NODE || n->data.scalar.style != YAML_PLAIN_SCALAR_STYLE) return false;
  for (int i = 0; i < FC_COUNT(words); i++)
    if (!strcmp(scalar(n), words[i])) return true;
  return false;
}

/* ---- sequences to text ---- */

static fc_status append(const reader *r, const yaml_node_t *n, char *buf, size_t *at, const char *text) {
  const size_t len = strlen(text);

  if (*at + len >= FC_CONFIG_BYTES)
    return fail_at(r, n->start_mark, "this list is too long for a configuration");
  memcpy(buf + *at, text, len + 1);
  *at += len;
  return FC_OK;
}

/* Names that would end at a comma or bracket inside them go into quotes. */
static fc_status item_text(const reader *r, const yaml_node_t *n, char *buf, size_t *at) {
  const char *s = scalar(n);

  if (!strpbrk(s, ",[]\"")) return append(r, n, buf, at, s);
  FC_TRY(append(r, n, buf, at, "\""));
  for (char one[3] = ""; *s; s++) {
    const bool escape = *s == '"' || *s == '\\';
    one[0]            = escape ? '\\' : *s;
    one[1]            = escape ? *s : 0;
    FC_TRY(append(r, n, buf, at, one));
  }
  return append(r, n, buf, at, "\"");
}

static fc_status list_text(const reader *r, const yaml_node_t *n, int depth, char *buf, size_t *at) {
  if (n->type == YAML_SCALAR_NODE) return item_text(r, n, buf, at);
  if (n->type != YAML_SEQUENCE_NODE)
    return fail_at(r, n->start_mark, "a list of mappings is not understood here");
  if (depth == DEPTH) return fail_at(r, n->start_mark, "lists nest too deep, or contain themselves");
  FC_TRY(append(r, n, buf, at, "["));
  for (yaml_node_item_t *i = n->data.sequence.items.start; i < n->data.sequence.items.top; i++) {
    if (i > n->data.sequence.items.start) FC_TRY(append(r, n, buf, at, ", "));
    FC_TRY(list_text(r, yaml_document_get_node(r->doc, *i), depth + 1, buf, at));
  }
  return append(r, n, buf, at, "]");
}

/* ---- mappings to entries ---- */

static fc_status add(const reader *r, const char *key, const char *value, yaml_mark_t m) {
  char where[KEY + 32];

  for (int i = 0; i < r->c->n; i++)
    FC_REQUIRE(strcmp(r->c->entry[i].key, key), FC_E_INPUT,
               "%s:%zu:%zu: '%s' is given a second time (first: %s)", r->where, m.line + 1, m.column + 1, key,
               r->c->entry[i].where);
  snprintf(where, sizeof where, "%.*s:%zu", KEY, r->where, m.line + 1);
  return fc_config_add(r->c, key, value, where, false);
}

static fc_status add_list(const reader *r, const char *key, const yaml_node_t *n, yaml_mark_t m) {
  char  *buf = malloc(FC_CONFIG_BYTES);
  size_t at  = 0;

  FC_REQUIRE(buf, FC_E_SYSTEM, "no memory for the configuration");
  fc_status s = list_text(r, n, 0, buf, &at);
  if (s == FC_OK) s = add(r, key, buf, m);
  free(buf);
  return s;
}

static fc_status flatten(const reader *r, const yaml_node_t *n, const char *prefix, int depth) {
  char key[KEY];

  if (++*r->mappings > FC_CONFIG_ENTRIES) return fail_at(r, n->start_mark, "too many mappings");
  if (depth == DEPTH) return fail_at(r, n->start_mark, "mappings nest too deep, or contain themselves");
  for (yaml_node_pair_t *p = n->data.mapping.pairs.start; p < n->data.mapping.pairs.top; p++) {
    const yaml_node_t *k = yaml_document_get_node(r->doc, p->key),
                      *v = yaml_document_get_node(r->doc, p->value);
    if (k->type != YAML_SCALAR_NODE) return fail_at(r, k->start_mark, "a key must be a word");
    const yaml_mark_t m = k->start_mark;
    if (!*scalar(k)) return fail_at(r, m, "an empty key");
    if (!strcmp(scalar(k), "<<")) return fail_at(r, m, "merging (<<) is not supported; write the keys out");
    if (snprintf(key, KEY, "%s%s%s", prefix, *prefix ? "." : "", scalar(k)) >= KEY)
      return fail_at(r, m, "the key is too long");
    if (v->type == YAML_MAPPING_NODE)
      FC_TRY(flatten(r, v, key, depth + 1));
    else if (v->type == YAML_SEQUENCE_NODE)
      FC_TRY(add_list(r, key, v, m));
    else
      FC_TRY(add(r, key, is_null(v) ? NULL : scalar(v), m));
  }
  return FC_OK;
}

/* ---- the parser ---- */

static fc_status syntax(const yaml_parser_t *p, const char *where) {
  const yaml_mark_t m = p->problem_mark;

  if (p->error == YAML_READER_ERROR)
    return fc_fail(FC_E_INPUT, "%s: byte %zu: %s; a configuration is UTF-8 text", where, p->problem_offset,
                   p->problem);
  FC_REQUIRE(p->error != YAML_MEMORY_ERROR, FC_E_SYSTEM, "%s: no memory to read the configuration", where);
  return fc_fail(FC_E_INPUT, "%s:%zu:%zu: %s%s%s", where, m.line + 1, m.column + 1,
                 p->problem ? p->problem : "not understood", p->context ? " " : "",
                 p->context ? p->context : "");
}

/* libyaml's loader takes quadratic time for deep nesting, so nesting is bounded before. */
static fc_status check_depth(const char *text, size_t bytes, const char *where) {
  fc_status     s    = FC_OK;
  int           deep = 0;
  bool          end  = false;
  yaml_parser_t p;

  FC_REQUIRE(yaml_parser_initialize(&p), FC_E_SYSTEM, "%s: no memory to read the configuration", where);
  yaml_parser_set_input_string(&p, (const unsigned char *)text, bytes);
  while (s == FC_OK && !end) {
    yaml_event_t e;
    if (!yaml_parser_parse(&p, &e)) {
      s = syntax(&p, where);
      break;
    }
    deep += (e.type == YAML_SEQUENCE_START_EVENT || e.type == YAML_MAPPING_START_EVENT) -
            (e.type == YAML_SEQUENCE_END_EVENT || e.type == YAML_MAPPING_END_EVENT);
    end = e.type == YAML_STREAM_END_EVENT;
    if (deep > DEPTH) s = fail_at(&(reader){.where = where}, e.start_mark, "lists or mappings nest too deep");
    yaml_event_delete(&e);
  }
  yaml_parser_delete(&p);
  return s;
}

static fc_status read_document(fc_config *c, yaml_parser_t *p, const char *where, int number, bool *end) {
  yaml_document_t doc;

  if (!yaml_parser_load(p, &doc)) return syntax(p, where);
  int          seen = 0;
  const reader r    = {c, &doc, where, &seen};
  yaml_node_t *root = yaml_document_get_root_node(&doc);
  fc_status    s    = FC_OK;
  *end              = !root;
  if (root && number > 0)
    s = fail_at(&r, root->start_mark, "only one document is allowed");
  else if (root && root->type == YAML_MAPPING_NODE)
    s = flatten(&r, root, "", 0);
  else if (root && !is_null(root))
    s = fail_at(&r, root->start_mark, "'key: value' is wanted");
  yaml_document_delete(&doc);
  return s;
}

fc_status fc_config_read(fc_config *c, const char *text, size_t bytes, const char *where) {
  fc_status     s   = FC_OK;
  bool          end = false;
  yaml_parser_t p;

  FC_TRY(check_depth(text, bytes, where));
  FC_REQUIRE(yaml_parser_initialize(&p), FC_E_SYSTEM, "%s: no memory to read the configuration", where);
  yaml_parser_set_input_string(&p, (const unsigned char *)text, bytes);
  for (int number = 0; s == FC_OK && !end; number++) s = read_document(c, &p, where, number, &end);
  yaml_parser_delete(&p);
  return s;
}
