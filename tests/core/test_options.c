/* tests/core/test_options.c */
#include "core/options.h"
#include "core/text.h"
#include "tests/check.h"

typedef struct conf {
  int64_t  steps;
  double   lr, any, ema;
  bool     resume;
  char     name[FC_TEXT];
  int      loss;
  fc_ints  modes, rows;
  fc_reals betas;
  fc_names columns;
  fc_table sizes;
} conf;

static const fc_option table[] = {FC_OPT_INT(conf, steps, "100", 1, 1e18, "optimiser steps"),
                                  FC_OPT_REAL(conf, lr, "1e-3", 0, 1, "peak learning rate"),
                                  FC_OPT_REAL(conf, any, "0", 1, 0, "any number"),
                                  FC_OPT_REAL(conf, ema, "0", 0, 0.9999999, "decay of the average"),
                                  FC_OPT_BOOL(conf, resume, "false", "go on where the last run stopped"),
                                  FC_OPT_TEXT(conf, name, "", "of the run"),
                                  FC_OPT_CHOICE(conf, loss, "mse|l1|relative_l2", "mse", "what is minimised"),
                                  FC_OPT_INTS(conf, modes, "[12, 12]", 1, 64, "Fourier modes per axis"),
                                  FC_OPT_INT_ROWS(conf, rows, "[[1, 2], [3]]", 1, 9, "a table"),
                                  FC_OPT_REALS(conf, betas, "[0.9, 0.999]", 0, 1, "decay of the moments"),
                                  FC_OPT_NAMES(conf, columns, "[a]", "columns of the file"),
                                  FC_OPT_TABLE(conf, sizes, "{}", 0, 99, "rows and columns of tables"),
                                  FC_OPT_ALIAS(conf, lr, FC_T_REAL, "learning_rate"),
                                  FC_OPT_ALIAS(conf, loss, FC_T_CHOICE, "criterion"),
                                  FC_OPT_IGNORED("num_workers", "there are no worker processes"),
                                  FC_OPT_END};

static conf fresh(void) {
  conf c;
  memset(&c, 0xA5, sizeof c);
  fc_options_defaults(table, &c);
  return c;
}

static fc_status set(conf *c, const char *key, const char *value) {
  return fc_options_set(table, c, key, value, "run.yaml:12");
}

static void defaults(void) {
  const conf c = fresh();

  CHECK(c.steps == 100 && c.lr == 1e-3 && !c.resume && !c.name[0] && c.loss == 0);
  CHECK(c.modes.n == 2 && c.modes.v[0] == 12 && c.betas.n == 2 && c.betas.v[1] == 0.999);
}

static void right_values(void) {
  conf c = fresh();

  CHECK_OK(set(&c, "steps", "1e6"));
  CHECK(c.steps == 1000000);
  CHECK_OK(set(&c, "steps", "9007199254740993")); /* 2^53 + 1: not through a double */
  CHECK(c.steps == 9007199254740993);
  CHECK_OK(set(&c, "learning_rate", " 5e-4 "));
  CHECK(c.lr == 5e-4);
  CHECK_OK(set(&c, "any", "-.inf"));
  CHECK(c.any == -INFINITY);
  CHECK_OK(set(&c, "any", ".NaN"));
  CHECK(isnan(c.any));
  CHECK_OK(set(&c, "resume", "Yes"));
  CHECK(c.resume);
  CHECK_OK(set(&c, "criterion", "relative_l2"));
  CHECK(c.loss == 2);
  CHECK_OK(set(&c, "modes", "3"));
  CHECK(c.modes.n == 1 && c.modes.v[0] == 3);
  CHECK_OK(set(&c, "modes", " [ 1,2 , 3 ] "));
  CHECK(c.modes.n == 3 && c.modes.v[2] == 3);
  CHECK(c.rows.n == 3 && c.rows.v[1] == 2 && c.rows.v[2] == 3);
  CHECK_OK(set(&c, "rows", "[[4], [ 5,6], [7 ]]"));
  CHECK(c.rows.n == 4 && c.rows.v[0] == 4 && c.rows.v[3] == 7);
  CHECK_OK(set(&c, "rows", "8, 9"));
  CHECK(c.rows.n == 2 && c.rows.v[0] == 8 && c.rows.v[1] == 9);
  CHECK_OK(set(&c, "betas", "[]"));
  CHECK(c.betas.n == 0);
  CHECK_OK(set(&c, "num_workers", "whatever"));
}

static void wrong_values(void) {
  static const struct {
    const char *key, *value, *why;
  } wrong[] = {
      {"lr", "-1", "lr = -1 (run.yaml:12): must be between 0 and 1"},
      {"lr", "1e-3x", "a number is wanted"},
      {"lr", "", "a number is wanted"},
      {"lr", "nan", "must be between 0 and 1"},
      {"any", "1e999", "a number is wanted"},
      {"learning_rate", "2", "learning_rate = 2 (run.yaml:12): must be between 0 and 1"},
      {"steps", "1.5", "a whole number is wanted"},
      {"steps", "0", "must be at least 1"},
      {"ema", "1", "must be between 0 and 0.9999999"},
      {"steps", "99999999999999999999", "a whole number is wanted"},
      {"steps", "12 13", "a whole number is wanted"},
      {"resume", "maybe", "must be true or false"},
      {"loss", "mae", "must be one of mse, l1, relative_l2"},
      {"criterion", "", "must be one of mse, l1, relative_l2"},
      {"modes", "[1, 65]", "item 2: must be between 1 and 64"},
      {"modes", "[1, 2", "a list like [1, 2] is wanted"},
      {"modes", "1, 2]", "a list like [1, 2] is wanted"},
      {"modes", "[1, ]", "item 2: a whole number is wanted"},
      {"modes", "[1, 1.5]", "item 2: a whole number is wanted"},
      {"modes", "1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1", "at most 16"},
      {"modes", "[[1, 2], [3]]", "item 1: a whole number is wanted"},
      {"rows", "[[1, 2], [3]", "a list like [1, 2] is wanted"},
      {"rows", "[[1][2]]", "item 1: a whole number is wanted"},
      {"rows", "[[1], [[2]]]", "item 2: a whole number is wanted"},
      {"rows", "[[1], [10]]", "item 2: must be between 1 and 9"},
      {"name", "\xff\xfe", "not valid UTF-8"},
      {"learning_rat", "1", "unknown option 'learning_rat' (run.yaml:12); nearest is 'learning_rate'"},
      {"qqqqqq", "1", "unknown option 'qqqqqq' (run.yaml:12); --help lists all options"},
  };
  conf       c      = fresh();
  const conf before = c;

  for (int i = 0; i < FC_COUNT(wrong); i++)
    CHECK_FAILS(set(&c, wrong[i].key, wrong[i].value), FC_E_USAGE, wrong[i].why);
  CHECK(!memcmp(&c, &before, sizeof c)); /* a wrong value changes nothing */
}

static void lists_of_names(void) {
  conf c = fresh();

  CHECK(c.columns.n == 1 && !strcmp(c.columns.v[0], "a"));
  CHECK_OK(set(&c, "columns", "[store,  air temperature , \"a, b\", \"say \\\"x\\\"\", 12:00]"));
  CHECK(c.columns.n == 5 && fc_names_find(&c.columns, "air temperature") == 1);
  CHECK(fc_names_find(&c.columns, "a, b") == 2 && fc_names_find(&c.columns, "say \"x\"") == 3);
  CHECK(fc_names_find(&c.columns, "12:00") == 4 && fc_names_find(&c.columns, "a") == -1);
  CHECK_OK(set(&c, "columns", "u, v"));
  CHECK(c.columns.n == 2 && fc_names_find(&c.columns, "v") == 1);
  CHECK_OK(set(&c, "columns", "[]"));
  CHECK(c.columns.n == 0);
}

static void tables(void) {
  conf c = fresh();

  CHECK(c.sizes.n == 0);
  CHECK_OK(set(&c, "sizes", "{store: [5, 3], \"day, hour\": 24}"));
  CHECK(c.sizes.n == 2 && fc_table_find(&c.sizes, "store")->n == 2 &&
        fc_table_find(&c.sizes, "store")->v[1] == 3);
  CHECK(fc_table_find(&c.sizes, "day, hour")->n == 1 && fc_table_find(&c.sizes, "day, hour")->v[0] == 24);
  CHECK_OK(set(&c, "sizes.store", "[7, 4]")); /* this row alone */
  CHECK_OK(set(&c, "sizes.air.temp", "9"));
  CHECK(c.sizes.n == 3 && fc_table_find(&c.sizes, "store")->v[0] == 7);
  CHECK(fc_table_find(&c.sizes, "air.temp")->v[0] == 9 && !fc_table_find(&c.sizes, "air"));
  CHECK_OK(set(&c, "sizes", "x: 1")); /* the whole table again */
  CHECK(c.sizes.n == 1 && fc_table_find(&c.sizes, "x")->v[0] == 1);
  CHECK_OK(set(&c, "num_workers.any", "1"));
}

static void wrong_names(void) {
  static const struct {
    const char *key, *value, *why;
  } wrong[] = {
      {"columns", "[a, b", "a list of names like [a, b] is wanted"},
      {"columns", "a, b]", "a list of names like [a, b] is wanted"},
      {"columns", "[a, [b]]", "item 2: a name is empty"},
      {"columns", "[a, , b]", "item 2: a name is empty"},
      {"columns", "[a, \"b]", "item 2: the quotation mark of \"b] is not closed"},
      {"columns", "[a, b, a]", "item 3: 'a' is there twice"},
      {"columns", "[\xff]", "item 1: a name is not valid UTF-8"},
      {"columns", "[x123456789012345678901234567890123456789012345678901234567890123]",
       "longer than 63 bytes"},
      {"sizes", "{a: 1", "a table like {a: [1, 2], b: 3} is wanted"},
      {"sizes", "{a}", "a table like {a: [1, 2], b: 3} is wanted"},
      {"sizes", "{a: 1, a: 2}", "row 2: 'a' is there twice"},
      {"sizes", "{a: 1.5}", "a: a whole number is wanted"},
      {"sizes", "{a: [1, 100]}", "a: must be between 0 and 99"},
      {"sizes", "{a: [1, 2, 3, 4, 5]}", "a: a row of at most 4 numbers is wanted"},
      {"sizes", "{: 1}", "row 1: a name is empty"},
      {"sizes.a", "[1, 2", "sizes.a = [1, 2 (run.yaml:12): a row like [1, 2] is wanted"},
      {"sizes.a", "1, 2", "a number, or a row like [1, 2], is wanted"},
      {"sizes.a", "", "a whole number is wanted"},
      {"size.a", "1", "unknown option 'size.a'"},
  };
  conf       c      = fresh();
  const conf before = c;

  for (int i = 0; i < FC_COUNT(wrong); i++)
    CHECK_FAILS(set(&c, wrong[i].key, wrong[i].value), FC_E_USAGE, wrong[i].why);
  CHECK(!memcmp(&c, &before, sizeof c));
}

static void too_many_names(void) {
  char list[1000] = "", rows[1500] = "";
  conf c = fresh();

  for (int i = 0; i < FC_WORDS; i++) {
    sprintf(list + strlen(list), "%sn%d", i ? "," : "", i);
    sprintf(rows + strlen(rows), "%sn%d: %d", i ? "," : "", i, i);
  }
  CHECK_OK(set(&c, "columns", list));
  CHECK_OK(set(&c, "sizes", rows));
  CHECK(c.columns.n == FC_WORDS && c.sizes.n == FC_WORDS);
  CHECK_OK(set(&c, "sizes.n3", "4"));
  CHECK_FAILS(set(&c, "sizes.one_more", "4"), FC_E_USAGE, "at most 64 rows");
  CHECK_FAILS(set(&c, "columns", strcat(list, ",x")), FC_E_USAGE, "at most 64 names");
  CHECK_FAILS(set(&c, "sizes", strcat(rows, ",x: 1")), FC_E_USAGE, "at most 64 rows");
}

static void long_texts(void) {
  char text[FC_TEXT + 1];
  conf c = fresh();

  memset(text, 'a', sizeof text);
  text[FC_TEXT] = 0;
  CHECK_FAILS(set(&c, "name", text), FC_E_USAGE, "longer than 511 bytes");
  text[FC_TEXT - 1] = 0;
  CHECK_OK(set(&c, "name", text));
  CHECK(!strcmp(c.name, text));
}

/* every double, denormals included, has a text that reads back to its bits */
static void reals_survive(void) {
  const fc_option *o = fc_options_find(table, "any");
  const fc_rng     r = {1, 2, FC_RNG_TEST};
  conf             c = fresh(), d = fresh();
  char             text[FC_TEXT];
  const double     special[] = {0,         -0.0, 5e-324, 1e-310, 1.7976931348623157e308,
                                -INFINITY, 0.1,  1e6,    999999, 1.0 / 3};

  for (int i = 0; i < 3000; i++) {
    const double bits = fc_rng_normal(&r, (uint64_t)i) * pow(10, (i % 601) - 300);
    c.any             = i < FC_COUNT(special) ? special[i] : bits;
    fc_options_text(o, &c, text, sizeof text);
    if (set(&d, "any", text) != FC_OK || memcmp(&c.any, &d.any, sizeof c.any)) CHECK_NEAR(d.any, c.any, -1);
  }
  c.any = 100;
  fc_options_text(o, &c, text, sizeof text);
  CHECK(!strcmp(text, "100"));
  c.any = 1e-3;
  fc_options_text(o, &c, text, sizeof text);
  CHECK(!strcmp(text, "0.001"));
}

static void all_types_survive(void) {
  conf c = fresh(), d = fresh();
  char text[FC_OPTION_TEXT];

  set(&c, "steps", "-9223372036854775808"); /* refused: below the range; the default stays */
  set(&c, "name", "a: \"b\" # c");
  set(&c, "loss", "l1");
  set(&c, "resume", "true");
  set(&c, "modes", "[]");
  set(&c, "betas", "0.1, 0.30000000000000004");
  set(&c, "columns", "[\"a, b\", \"\\\"\\\\\", c d]");
  set(&c, "sizes", "{\"a: b\": [1, 2], c: 3}");
  for (const fc_option *o = table; o->key; o++) {
    if (!o->def) continue; /* second names have no text of their own */
    fc_options_text(o, &c, text, sizeof text);
    CHECK_OK(set(&d, o->key, text));
  }
  CHECK(c.steps == d.steps && c.loss == d.loss && c.resume == d.resume && !strcmp(c.name, d.name));
  CHECK(d.modes.n == 0 && !memcmp(&c.betas, &d.betas, sizeof c.betas));
  CHECK(d.columns.n == 3 && !strcmp(d.columns.v[1], "\"\\") &&
        !memcmp(&c.columns, &d.columns, sizeof c.columns));
  CHECK(d.sizes.n == 2 && !memcmp(&c.sizes, &d.sizes, sizeof c.sizes));
}

static void short_buffers_end(void) {
  conf c = fresh();
  char text[6];

  fc_options_text(fc_options_find(table, "betas"), &c, text, sizeof text);
  CHECK(!strcmp(text, "[0.9,"));
}

static void nearest_words(void) {
  const char *const words[] = {"steps", "learning_rate", "noise"};

  CHECK(fc_text_distance("ab", "ba") == 1 && fc_text_distance("", "abc") == 3 &&
        fc_text_distance("Lr", "lR") == 0);
  CHECK(fc_text_distance("kitten", "sitting") == 3);
  CHECK(fc_nearest("setps", 3, words) == words[0]);
  CHECK(fc_nearest("learningrate", 3, words) == words[1]);
  CHECK(fc_nearest("nonsense", 3, words) == words[2]);
  CHECK(fc_nearest("zzz", 3, words) == NULL);
  CHECK(fc_nearest("", 3, words) == NULL);
}

static void items_of_a_list(void) {
  static const char *const lists[] = {"a, b c,d=2", "[a,b c , d=2]", " [ a , b c , d=2 ] "};
  static const char *const words[] = {"a", "b c", "d=2"};
  char                     word[8];

  for (int i = 0; i < 3; i++) {
    const char *at = lists[i];
    for (int k = 0; k < 3; k++) CHECK(fc_text_item(&at, sizeof word, word) && !strcmp(word, words[k]));
    CHECK(!fc_text_item(&at, sizeof word, word));
  }
  const char *at = "much too long";
  CHECK(fc_text_item(&at, 5, word) && !strcmp(word, "much"));
  at = "[]";
  CHECK(!fc_text_item(&at, sizeof word, word));
}

static void utf8(void) {
  CHECK(fc_utf8_valid("na\xc3\xafve \xe2\x82\xac \xf0\x9f\x98\x80"));
  CHECK(!fc_utf8_valid("\xc0\xaf"));         /* overlong */
  CHECK(!fc_utf8_valid("\xed\xa0\x80"));     /* a surrogate */
  CHECK(!fc_utf8_valid("\xe2\x82"));         /* cut */
  CHECK(!fc_utf8_valid("\xf4\x90\x80\x80")); /* beyond U+10FFFF */
}

/* every key is listed with its default, range and help, and the help column is straight */
static void help(void) {
  char  *text = NULL;
  size_t size = 0;
  FILE  *f    = open_memstream(&text, &size);

  fc_options_help(table, "train.", f);
  fclose(f);
  CHECK(strstr(text, "train.lr ") && strstr(text, "0 .. 1") && strstr(text, ">= 1") &&
        strstr(text, "mse|l1|relative_l2"));
  CHECK(strstr(text, "the same as train.lr\n") && strstr(text, "accepted, not used: there are no worker"));
  const char *a = strstr(text, "optimiser steps"), *b = strstr(text, "peak learning rate");
  const char *la = a, *lb = b;
  while (la > text && la[-1] != '\n') la--;
  while (lb > text && lb[-1] != '\n') lb--;
  CHECK(a - la == b - lb);
  free(text);
}

/* what a list of other models' keys ignores is not told where the model has the key itself */
static void help_of_shared_keys(void) {
  const fc_option both[] = {FC_OPT_INT(conf, steps, "100", 1, 1e18, "optimiser steps"),
                            FC_OPT_IGNORED("steps", "of other models"),
                            FC_OPT_IGNORED("label_len", "of other models"), FC_OPT_END};
  char           *text   = NULL;
  size_t          size;
  FILE           *f = open_memstream(&text, &size);

  fc_options_help(both, "args.", f);
  fclose(f);
  CHECK(strstr(text, "args.steps") && strstr(text, "optimiser steps") && strstr(text, "args.label_len"));
  CHECK(!strstr(strstr(text, "args.steps") + 1, "args.steps"));
  free(text);
}

CHECK_SUITE(options, defaults, right_values, wrong_values, lists_of_names, tables, wrong_names,
            too_many_names, long_texts, reals_survive, all_types_survive, short_buffers_end, nearest_words,
            items_of_a_list, utf8, help, help_of_shared_keys)
