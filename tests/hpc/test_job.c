/* tests/hpc/test_job.c - times as SLURM writes them, words of a shell, products of a sweep. */
#include "hpc/job.h"
#include "hpc/sweep.h"
#include "tests/check.h"

#include <unistd.h>

static void times(void) {
  static const struct {
    const char *text;
    double      seconds; /* negative: no time */
  } of[] = {{"90", 5400},
            {"5:30", 330},
            {"1:30:00", 5400},
            {"2-12", 216000},
            {"2-12:30", 217800},
            {"0:09", 9},
            {"2-12:30:01", 217801},
            {"UNLIMITED", INFINITY},
            {"infinite", INFINITY},
            {"", -1},
            {"1:2:3:4", -1},
            {"1h", -1},
            {"-5", -1},
            {"1-", -1},
            {"1--2", -1},
            {"1:", -1},
            {"INVALID", -1},
            {"NOT_SET", -1},
            {"12345678901234567", -1},
            {" 5", -1}};
  double seconds;

  for (int i = 0; i < FC_COUNT(of); i++) {
    const bool is = fc_job_seconds(of[i].text, &seconds);
    check_true(is == (of[i].seconds >= 0), of[i].text, __FILE__, __LINE__);
    if (is) check_true(seconds == of[i].seconds, of[i].text, __FILE__, __LINE__);
  }
}

/* what a shell makes of the words is what went in */
static void words(void) {
  static const char *const of[] = {"",    "plain-1.2=,/@%+:_", "a b",      "it's", "'",   "\"$HOME\" `x`",
                                   "a\\", "two\nlines",        "*?[a]{b}", "~",    "#no", "a;b&c|d>e"};
  char                     path[512], back[64];
  const char              *script = check_path("script");

  snprintf(path, sizeof path, "%s", script);
  for (int i = 0; i < FC_COUNT(of); i++) {
    FILE *f = fopen(path, "w");
    fputs("printf %s ", f);
    fc_shell_word(of[i], f);
    fclose(f);
    char command[600];
    snprintf(command, sizeof command, "sh '%s'", path);
    f              = popen(command, "r");
    const size_t n = fread(back, 1, sizeof back - 1, f);
    back[n]        = 0;
    pclose(f);
    check_true(!strcmp(back, of[i]), of[i], __FILE__, __LINE__);
  }
}

static void products(void) {
  fc_sweep s = {0};
  char     name[128];

  CHECK(fc_sweep_tasks(&s) == 0);
  CHECK_OK(fc_sweep_add(&s, "train.lr=1e-3,1e-4"));
  CHECK_OK(fc_sweep_add(&s, "args.modes=[8,8],[16, 16],{a: [1,2]}"));
  CHECK_OK(fc_sweep_add(&s, "seed=-1..1"));
  CHECK(fc_sweep_tasks(&s) == 18);
  CHECK(!strcmp(fc_sweep_value(&s, 17, 0), "1e-4"));
  CHECK(!strcmp(fc_sweep_value(&s, 8, 1), "{a: [1,2]}"));
  CHECK(!strcmp(fc_sweep_value(&s, 3, 1), "[16, 16]"));
  CHECK(!strcmp(fc_sweep_value(&s, 3, 2), "-1"));
  fc_sweep_name(&s, 3, name, sizeof name);
  CHECK(!strcmp(name, "03-lr=1e-3_modes=-16--16-_seed=-1"));
  fc_sweep_free(&s);
}

CHECK_SUITE(job, times, words, products)
