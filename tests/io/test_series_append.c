/* tests/io/test_series_append.c - rows of a second file behind a series: what is known ahead of time. */
#include "io/file.h"
#include "io/series.h"
#include "tests/check.h"

static const char *file(const char *name, const char *text) {
  const char *path = check_path(name);
  FILE       *f;

  CHECK_OK(fc_file_begin(path, &f));
  fputs(text, f);
  CHECK_OK(fc_file_commit(path, f));
  return path;
}

static const fc_series_mapping told = {
    .date = "", .id = "site", .categories = "sky", .ignore = "note", .step = ""};

static fc_series *past(void) {
  fc_series *s;

  CHECK_OK(fc_series_open(file("past.csv", "site,date,load (MW),sky,note\n"
                                           "a,2020-01-01 00:00,1,sun,x\na,2020-01-01 01:00,2,rain,x\n"
                                           "a,2020-01-01 02:00,3,sun,x\n"
                                           "b,2020-01-01 00:00,4,sun,x\nb,2020-01-01 01:00,5,sun,x\n"),
                          &told, &s));
  return s;
}

/* names of series tell where rows go; absent columns are NaN, known rows are skipped, new classes are added
 */
static void rows_follow_their_series(void) {
  fc_series  *s    = past();
  const char *more = file("more.csv", "date,site,sky\n2020-01-01 03:00,a,snow\n2020-01-01 04:00,a,rain\n"
                                      "2020-01-01 01:00,b,rain\n2020-01-01 02:00,b,sun\n");

  CHECK_OK(fc_series_append(s, more, &told));
  const fc_series_info *i    = fc_series_about(s);
  const int             load = fc_series_find(s, "load"), sky = fc_series_find(s, "sky");
  const double         *x = fc_series_values(s);
  const int             n = i->n_columns;
  CHECK(i->rows == 8 && i->at[1] == 5 && i->at[2] == 8);
  for (int r = 0; r < 5; r++) CHECK(fc_series_times(s)[r] == fc_date_seconds(2020, 1, 1, r, 0, 0));
  CHECK(x[2 * n + load] == 3 && isnan(x[3 * n + load]) && isnan(x[4 * n + load]) && x[6 * n + load] == 5);
  CHECK(!strcmp(i->category[sky].name[(int)x[3 * n + sky]], "snow"));
  CHECK(!strcmp(i->category[sky].name[(int)x[4 * n + sky]], "rain"));
  CHECK(!strcmp(i->category[sky].name[(int)x[6 * n + sky]], "sun")); /* what was known stays */
  CHECK(!strcmp(i->category[sky].name[(int)x[7 * n + sky]], "sun"));
  CHECK(fc_series_times(s)[7] == fc_date_seconds(2020, 1, 1, 2, 0, 0));
  fc_series_close(s);
}

/* a file without names is meant for every series; one row has no step of its own */
static void one_row_for_all(void) {
  const fc_series_mapping plain = {.date = "", .id = "none", .categories = "", .ignore = "", .step = ""};
  const char             *more  = file("one.csv", "date,load\n2020-01-01 03:00,7\n");
  fc_series              *s;

  CHECK_OK(fc_series_open(
      file("single.csv", "date,load\n2020-01-01 00:00,1\n2020-01-01 01:00,2\n2020-01-01 02:00,3\n"), &plain,
      &s));
  CHECK_OK(fc_series_append(s, more, &plain));
  CHECK(fc_series_about(s)->rows == 4 && fc_series_values(s)[3] == 7);
  fc_series_close(s);
}

static void misfits_are_said(void) {
  fc_series *s = past();

  CHECK_FAILS(fc_series_append(s, file("gap.csv", "date,site,sky\n2020-01-01 05:00,a,sun\n"), &told),
              FC_E_INPUT, "follow without a gap");
  CHECK_FAILS(fc_series_append(s, file("unit.csv", "date,site,load (kW)\n2020-01-01 03:00,a,1\n"), &told),
              FC_E_MISMATCH, "is in kW");
  CHECK_FAILS(fc_series_append(s, file("text.csv", "date,site,load\n2020-01-01 03:00,a,much\n"), &told),
              FC_E_INPUT, "load");
  CHECK_FAILS(fc_series_append(s, check_path("gone.csv"), &told), FC_E_INPUT, "gone.csv");
  CHECK(fc_series_about(s)->rows == 5);
  fc_series_close(s);
}

CHECK_SUITE(series_append, rows_follow_their_series, one_row_for_all, misfits_are_said)
