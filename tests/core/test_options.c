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
  fc_ints  modes;
  fc_reals betas;
} conf;

static const fc_option table[] = {FC_OPT_INT(conf, steps, "100", 1, 1e18, "optimiser steps"),
                                  FC_OPT_REAL(conf, lr, "1e-3", 0, 1, "peak learning rate"),
                                  FC_OPT_REAL(conf, any, "0", 1, 0, "any number"),
                                  FC_OPT_REAL(conf, ema, "0", 0, 0.9999999, "decay of the average"),
                                  FC_OPT_BOOL(conf, resume, "false", "go on where the last run stopped"),
                                  FC_OPT_TEXT(conf, name, "", "of the run"),
                                  FC_OPT_CHOICE(conf, loss, "mse|l1|relative_l2", "mse", "what is minimised"),
                                  FC_OPT_INTS(conf, modes, "[12, 12]", 1, 64, "Fourier modes per axis"),
                                  FC_OPT_REALS(conf, betas, "[0.9, 0.999]", 0, 1, "decay of the moments"),
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
  char text[FC_TEXT];

  set(&c, "steps", "-9223372036854775808"); /* refused: below the range; the default stays */
  set(&c, "name", "a: \"b\" # c");
  set(&c, "loss", "l1");
  set(&c, "resume", "true");
  set(&c, "modes", "[]");
  set(&c, "betas", "0.1, 0.30000000000000004");
  for (const fc_option *o = table; o->key; o++) {
    if (!o->def) continue; /* second names have no text of their own */
    fc_options_text(o, &c, text, sizeof text);
    CHECK_OK(set(&d, o->key, text));
  }
  CHECK(c.steps == d.steps && c.loss == d.loss && c.resume == d.resume && !strcmp(c.name, d.name));
  CHECK(d.modes.n == 0 && !memcmp(&c.betas, &d.betas, sizeof c.betas));
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

CHECK_SUITE(options, defaults, right_values, wrong_values, long_texts, reals_survive, all_types_survive,
            short_buffers_end, nearest_words, utf8, help, help_of_shared_keys)
