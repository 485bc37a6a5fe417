/* tests/core/test_config.c */
#include "core/config.h"
#include "tests/check.h"

#include <glob.h>

typedef struct train {
  double   lr, noise;
  int64_t  batch, after;
  char     note[FC_TEXT];
  fc_ints  dims;
  fc_reals w;
  int      loss, norm;
  bool     fast;
  fc_names columns;
  fc_table sizes;
} train;
typedef struct data {
  char    path[FC_TEXT];
  int64_t batch;
} data;
typedef struct root {
  char model[FC_TEXT];
} root;

static const fc_option train_options[] = {
    FC_OPT_REAL(train, lr, "1e-3", 0, 1, "learning rate"),
    FC_OPT_REAL(train, noise, "0", 0, 1, "noise on the input, in standard deviations"),
    FC_OPT_INT(train, batch, "8", 1, 1e6, "windows per step"),
    FC_OPT_TEXT(train, note, "", "a remark"),
    FC_OPT_INTS(train, dims, "[]", 1, 100, "widths"),
    FC_OPT_REALS(train, w, "[1]", 1, 0, "weights"),
    FC_OPT_CHOICE(train, loss, "mse|l1", "mse", "loss"),
    FC_OPT_CHOICE(train, norm, "layer|none", "layer", "norm"),
    FC_OPT_BOOL(train, fast, "no", "hurry"),
    FC_OPT_NAMES(train, columns, "[]", "columns of the file"),
    FC_OPT_TABLE(train, sizes, "{}", 0, 100, "rows and columns"),
    FC_OPT_IGNORED("labels", "a mapping without effect"),
    {"push.after", FC_T_INT, offsetof(train, after), "0", "steps before the first push", 0, 100, NULL},
    FC_OPT_ALIAS(train, lr, FC_T_REAL, "learning_rate"),
    FC_OPT_END};
static const fc_option data_options[] = {FC_OPT_TEXT(data, path, "", "file"),
                                         FC_OPT_INT(data, batch, "4", 1, 1e6, "frames per read"), FC_OPT_END};
static const fc_option root_options[] = {FC_OPT_TEXT(root, model, "factformer", "name"), FC_OPT_END};

static train            t;
static data             d;
static root             r;
static const fc_section all[] = {
    {"", root_options, &r}, {"train", train_options, &t}, {"data", data_options, &d}};

/* loads the text, adds a --set if there is one, binds everything */
static fc_status bind_all(const char *text, const char *set) {
  fc_config *c;
  fc_status  s = fc_config_parse(text, "run.yaml", &c);

  if (s != FC_OK) return s;
  if (set) s = fc_config_set(c, set);
  if (s == FC_OK) s = fc_config_bind(c, 3, all, false);
  fc_config_destroy(c);
  return s;
}

static void order_of_sources(void) {
  CHECK_OK(
      bind_all("model: fno\ntrain:\n  lr: 0.5\n  dims: [1, 2,\n    3]\n  note: 'a: b'\n", "train.lr=0.25"));
  CHECK(t.lr == 0.25 && t.noise == 0 && t.batch == 8 && d.batch == 4 && !strcmp(r.model, "fno"));
  CHECK(t.dims.n == 3 && t.dims.v[2] == 3 && !strcmp(t.note, "a: b"));
  CHECK_OK(bind_all("train.lr: 0.125\n", NULL)); /* flat keys are the same keys */
  CHECK(t.lr == 0.125 && !strcmp(r.model, "factformer"));
  CHECK_OK(bind_all("", NULL));
  CHECK_OK(bind_all("# nothing\n---\n", NULL));
}

static void json_is_yaml(void) {
  CHECK_OK(bind_all("{\"model\": \"a\\nb\", \"train\": {\"lr\": 1e-05, \"fast\": true, \"w\": [0.5, 2.0], "
                    "\"note\": null}}",
                    NULL));
  CHECK(t.lr == 1e-5 && t.fast && t.w.n == 2 && t.w.v[1] == 2 && !strcmp(r.model, "a\nb"));
}

static void null_keeps_the_default(void) {
  CHECK_OK(bind_all("train:\n  lr:\n  batch: null\n  note: 'null'\ndata: {batch: ~}\n", NULL));
  CHECK(t.lr == 1e-3 && t.batch == 8 && d.batch == 4 && !strcmp(t.note, "null"));
}

static void null_is_the_choice_none(void) {
  CHECK_OK(bind_all("train: {loss: null, norm: null}\n", NULL));
  CHECK(t.loss == 0 && t.norm == 1);
  CHECK_OK(bind_all("train: {loss: l1}\n", NULL));
  CHECK(t.loss == 1 && t.norm == 0);
}

static void anchors(void) {
  CHECK_OK(bind_all("train: {batch: &b 16, lr: 0.5}\ndata: {batch: *b}\n", NULL));
  CHECK(t.batch == 16 && d.batch == 16);
}

static void bare_keys(void) {
  CHECK_OK(bind_all("train: {lr: 0.5}", " noise = 0.125 "));
  CHECK(t.noise == 0.125 && t.lr == 0.5);
  CHECK_OK(bind_all("", "model=x=y"));
  CHECK(!strcmp(r.model, "x=y"));
  CHECK_FAILS(bind_all("", "batch=2"), FC_E_USAGE,
              "option 'batch' (--set) is ambiguous: write train.batch or data.batch");
  CHECK_FAILS(bind_all("lr: 1\n", NULL), FC_E_USAGE,
              "unknown option 'lr' (run.yaml:1); nearest is 'train.lr'");
}

/* keys may have dots of their own */
static void dotted_keys(void) {
  CHECK_OK(bind_all("train: {push: {after: 7}}", NULL));
  CHECK(t.after == 7);
  CHECK_OK(bind_all("train: {push.after: 7}", "push.after=8"));
  CHECK(t.after == 8);
  CHECK_OK(bind_all("", "train.push.after=9"));
  CHECK(t.after == 9);
  CHECK_FAILS(bind_all("", "psuh.after=9"), FC_E_USAGE, "nearest is 'train.push.after'");
  CHECK_FAILS(bind_all("train: {push: {befor: 7}}", NULL), FC_E_USAGE, "nearest is 'train.push.after'");
}

static void unknown_keys(void) {
  CHECK_FAILS(bind_all("", "nonsense=1"), FC_E_USAGE,
              "unknown option 'nonsense' (--set); nearest is 'train.noise'; --help lists all");
  CHECK_FAILS(bind_all("train:\n  lr: 1\n  nosie: 1\n", NULL), FC_E_USAGE,
              "unknown option 'train.nosie' (run.yaml:3); nearest is 'train.noise'");
  CHECK_FAILS(bind_all("trian: {lr: 1}", NULL), FC_E_USAGE, "nearest is 'train.lr'");
  CHECK_FAILS(bind_all("optimizer: {learning_rat: 1}", NULL), FC_E_USAGE, "nearest is 'train.learning_rate'");
  CHECK_FAILS(bind_all("xyzxyz: {qqqqqqqq: 1}", NULL), FC_E_USAGE,
              "unknown option 'xyzxyz.qqqqqqqq' (run.yaml:1); --help lists all options");
}

static void wrong_values(void) {
  CHECK_FAILS(bind_all("train:\n\n  lr: -1\n", NULL), FC_E_USAGE,
              "train.lr = -1 (run.yaml:3): must be between 0 and 1");
  CHECK_FAILS(bind_all("", "lr=2"), FC_E_USAGE, "train.lr = 2 (--set): must be between 0 and 1");
  CHECK_FAILS(bind_all("train: {lr: 1, learning_rate: 0.5}", NULL), FC_E_USAGE, "is given as 'train.lr' too");
  CHECK_FAILS(bind_all("", "lr"), FC_E_USAGE, "--set key=value");
  CHECK_FAILS(bind_all("", "=3"), FC_E_USAGE, "the key before '=' is missing");
}

static void wrong_files(void) {
  static const struct {
    const char *text, *why;
  } wrong[] = {
      {"a: 1\nb: {c: 2}\na: 3\n", "run.yaml:3:1: 'a' is given a second time (first: run.yaml:1)"},
      {"b.c: 1\nb:\n  c: 2\n", "run.yaml:3:3: 'b.c' is given a second time"},
      {"a: [1, 2\nb: 3\n", "run.yaml:2:"},
      {"a: 'open\n", "run.yaml:"},
      {"a: \xff\n", "run.yaml: byte 3: invalid leading UTF-8"},
      {"- a\n- b\n", "run.yaml:1:1: 'key: value' is wanted"},
      {"just words", "'key: value' is wanted"},
      {"a: 1\n---\nb: 2\n", "only one document is allowed"},
      {"? [a, b]\n: 1\n", "a key must be a word"},
      {"'': 1\n", "an empty key"},
      {"a: &a {x: 1}\nb:\n  <<: *a\n", "run.yaml:3:3: merging (<<) is not supported"},
      {"a: [{b: 1}]\n", "a list of mappings"},
      {"a: *b\n", "undefined alias"},
      {"a: &a [1, *a]\n", "contain themselves"},
      {"a: &a {b: *a}\n", "contain themselves"},
  };
  fc_config *c;

  for (int i = 0; i < FC_COUNT(wrong); i++)
    CHECK_FAILS(fc_config_parse(wrong[i].text, "run.yaml", &c), FC_E_INPUT, wrong[i].why);
  CHECK_FAILS(fc_config_load("/no/such/file.yaml", &c), FC_E_INPUT, "/no/such/file.yaml: cannot open");
  CHECK_FAILS(fc_config_load("/", &c), FC_E_INPUT, "cannot read");
  CHECK_FAILS(fc_config_load("/dev/zero", &c), FC_E_INPUT, "larger than");
}

/* small texts that mean very much: each must be refused, quickly */
static void bombs(void) {
  char      *text = malloc(1 << 20), *p = text;
  fc_config *c;

  memset(text, '[', (1 << 20) - 1);
  text[(1 << 20) - 1] = 0;
  CHECK_FAILS(fc_config_parse(text, "bomb", &c), FC_E_INPUT, "nest too deep");
  p += sprintf(p, "a0: &a0 {}\n");
  for (int i = 1; i < 30; i++)
    p += sprintf(p, "a%d: &a%d {x: *a%d, y: *a%d, z: *a%d}\n", i, i, i - 1, i - 1, i - 1);
  CHECK_FAILS(fc_config_parse(text, "bomb", &c), FC_E_INPUT, "too many mappings");
  p = text + sprintf(text, "a0: &a0 [1]\n");
  for (int i = 1; i < 30; i++) p += sprintf(p, "a%d: &a%d [*a%d, *a%d, *a%d]\n", i, i, i - 1, i - 1, i - 1);
  CHECK_FAILS(fc_config_parse(text, "bomb", &c), FC_E_INPUT, "bomb:");
  free(text);
}

static void nested_lists(void) {
  fc_config *c;

  CHECK_OK(fc_config_parse("a: [[0, 1], [b c, []]]\ne: []\nm: {}\n", "x", &c));
  CHECK(!strcmp(fc_config_get(c, "a"), "[[0, 1], [b c, []]]"));
  CHECK(!strcmp(fc_config_get(c, "e"), "[]"));
  CHECK(fc_config_get(c, "m") == NULL && fc_config_get(c, "none") == NULL);
  fc_config_destroy(c);
}

static void names_and_tables(void) {
  const char *text = "train:\n  columns: [store, \"a, b\", 7]\n  sizes: {store: [5, 3], air.temp: 12}\n"
                     "  labels: {store: {one: 1}}\n";

  CHECK_OK(bind_all(text, NULL));
  CHECK(t.columns.n == 3 && fc_names_find(&t.columns, "a, b") == 1 && fc_names_find(&t.columns, "7") == 2);
  CHECK(t.sizes.n == 2 && fc_table_find(&t.sizes, "store")->v[1] == 3 &&
        fc_table_find(&t.sizes, "air.temp")->v[0] == 12);
  CHECK_OK(bind_all(text, "train.sizes.store=[6, 2]"));
  CHECK(t.sizes.n == 2 && fc_table_find(&t.sizes, "store")->v[0] == 6);
  CHECK_OK(bind_all(text, "sizes.day=7")); /* a bare key */
  CHECK(t.sizes.n == 3 && fc_table_find(&t.sizes, "day")->v[0] == 7);
  CHECK_OK(bind_all(text, "train.sizes={x: 1}")); /* instead of the file's */
  CHECK(t.sizes.n == 1);
  CHECK_FAILS(bind_all("train: {sizes: {a: [1, 101]}}", NULL), FC_E_USAGE,
              "train.sizes.a = [1, 101] (run.yaml:1): must be between 0 and 100");
  CHECK_FAILS(bind_all("train: {size: {a: 1}}", NULL), FC_E_USAGE, "unknown option 'train.size.a'");
}

static void partial_binds(void) {
  fc_config *c;

  CHECK_OK(fc_config_parse("model: m\ntrain: {lr: 0.5}\nextra: 1\ndata: {path: p}\n", "run.yaml", &c));
  CHECK_OK(fc_config_set(c, "noise=1"));
  CHECK_OK(fc_config_bind(c, 1, all, true));
  CHECK_OK(fc_config_bind(c, 1, all + 2, true));
  CHECK(!strcmp(r.model, "m") && !strcmp(d.path, "p"));
  CHECK_FAILS(fc_config_bind(c, 1, all + 1, false), FC_E_USAGE, "unknown option 'extra' (run.yaml:3)");
  CHECK(!strcmp(fc_config_get(c, "extra"), "1")); /* now used */
  CHECK_OK(fc_config_bind(c, 1, all + 1, false));
  CHECK(t.lr == 0.5 && t.noise == 1);
  CHECK_OK(fc_config_set(c, "batch=2")); /* goes to data first, is ambiguous when train comes */
  CHECK_OK(fc_config_bind(c, 1, all + 2, true));
  CHECK_OK(fc_config_bind(c, 1, all + 2, true));
  CHECK_FAILS(fc_config_bind(c, 1, all + 1, true), FC_E_USAGE, "ambiguous: write data.batch or train.batch");
  fc_config_destroy(c);
}

static void written_config_reads_back(void) {
  static const char *const notes[] = {
      "",          "null",
      "~",         "true",
      "1e5",       " lead",
      "a # b",     "a: b",
      "- x",       "nan",
      "\"q\" \\n", "a\nb\tc",
      "/x/y.h5",   "it's",
      "[1]",       "{a: b}",
      "*a",        "&a",
      "!t",        "%d",
      "@x",        "`x",
      "Yes",       "a,b",
      "?",         ":",
      "#",         "\xc2\x80 \xc2\xa0 \xe2\x80\xa8 \xef\xbb\xbf \xf0\x9f\x98\x80 \x01\x7f",
      "trail "};

  for (int i = 0; i < FC_COUNT(notes); i++)
    for (int help = 0; help < 2; help++) {
      const char *path = check_path("out.yaml");
      FILE       *f    = fopen(path, "w");
      fc_config  *c;
      CHECK_OK(bind_all("train: {lr: 0.30000000000000004, dims: [3, 4], w: [0.1, 1e-300], loss: l1, fast: 1, "
                        "columns: [\"a, b\", \"#\", c], sizes: {\"a: b\": [1, 2], null: 3}}",
                        NULL));
      snprintf(t.note, sizeof t.note, "%s", notes[i]);
      const train before = t;
      fc_config_write(3, all, help, f);
      fclose(f);
      memset(&t, 0, sizeof t);
      CHECK_OK(fc_config_load(path, &c));
      CHECK_OK(fc_config_bind(c, 3, all, false));
      fc_config_destroy(c);
      CHECK(!strcmp(t.note, before.note) && t.lr == before.lr && t.loss == 1 && t.fast);
      CHECK(t.columns.n == 3 && !memcmp(&t.columns, &before.columns, sizeof t.columns));
      CHECK(t.sizes.n == 2 && !memcmp(&t.sizes, &before.sizes, sizeof t.sizes));
      CHECK(!memcmp(&t.dims, &before.dims, sizeof t.dims) && !memcmp(&t.w, &before.w, sizeof t.w));
    }
}

/* every official case description that lies beside the sources can be read */
static void official_files(void) {
  char   pattern[600];
  glob_t g;

  if (!getenv("FC_SOURCE_DIR")) return;
  snprintf(pattern, sizeof pattern, "%s/../shared/golden/*/config.json", getenv("FC_SOURCE_DIR"));
  if (glob(pattern, 0, NULL, &g)) return;
  for (size_t i = 0; i < g.gl_pathc; i++) {
    fc_config *c = NULL;
    CHECK_OK(fc_config_load(g.gl_pathv[i], &c));
    CHECK(c && fc_config_get(c, "model"));
    fc_config_destroy(c);
  }
  globfree(&g);
}

CHECK_SUITE(config, order_of_sources, json_is_yaml, null_keeps_the_default, null_is_the_choice_none, anchors,
            bare_keys, dotted_keys, unknown_keys, wrong_values, wrong_files, bombs, nested_lists,
            names_and_tables, partial_binds, written_config_reads_back, official_files)
