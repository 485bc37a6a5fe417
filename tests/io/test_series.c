/* tests/io/test_series.c - series from tables and HDF5: what is found, every refusal with its message. */
#include "tests/check.h"

#include "io/data_kind.h"
#include "io/series.h"

#include <hdf5.h>
#include <unistd.h>

static const char *text(const char *name, const char *content) {
  const char *path = check_path(name);
  FILE       *f    = fopen(path, "wb");

  CHECK(f && fputs(content, f) >= 0);
  if (f) fclose(f);
  return path;
}

/* the series in `content`, NULL if it is refused */
static fc_series *series(const char *content, fc_series_mapping m) {
  fc_series *s = NULL;

  CHECK_OK(fc_series_open(text("a.csv", content), &m, &s));
  return s;
}

static void refused(const char *content, fc_series_mapping m, fc_status status, const char *message) {
  fc_series *s;

  CHECK_FAILS(fc_series_open(text("b.csv", content), &m, &s), status, message);
  CHECK(s == NULL);
}

static void values_are(const fc_series *s, int column, int n, const double *want) {
  const fc_series_info *i = fc_series_about(s);

  CHECK(i->rows == n);
  for (int r = 0; r < n && r < i->rows; r++) {
    const double x = fc_series_values(s)[r * i->n_columns + column];
    if (isnan(want[r]))
      CHECK(isnan(x));
    else
      CHECK_NEAR(x, want[r], 0);
  }
}
#define VALUES(s, column, ...)                                                                               \
  values_are(s, column, FC_COUNT(((double[]){__VA_ARGS__})), (double[]){__VA_ARGS__})

#define HOURS "date,a\n2016-07-01 00:00:00,1\n2016-07-01 01:00:00,2\n2016-07-01 02:00:00,3\n"

static void plain(void) {
  fc_series            *s = series(HOURS, (fc_series_mapping){0});
  const fc_series_info *i = s ? fc_series_about(s) : NULL;

  if (!s) return;
  CHECK(i->n_columns == 1 && i->n_series == 1 && !i->series[0][0] && i->dated && !i->reordered);
  CHECK(i->at[0] == 0 && i->at[1] == 3 && i->step.seconds == 3600 && i->step.months == 0);
  CHECK(!strcmp(i->date_column, "date") && !strcmp(i->layout_name, "CSV table"));
  CHECK(fc_series_times(s)[2] == fc_date_seconds(2016, 7, 1, 2, 0, 0));
  VALUES(s, 0, 1, 2, 3);
  CHECK(fc_series_find(s, "a") == 0 && fc_series_find(s, "date") == -1);
  fc_series_close(s);
  fc_series_close(NULL);
}

/* a byte-order mark, CRLF, quotes, semicolons with decimal commas, tabs, units, blank lines, other dates */
static void dialects(void) {
  fc_series *s = series("\357\273\277\"When\";\"Demand [MW]\";\"say \"\"hi\"\" (K)\"\r\n"
                        "01.07.2016 00:00;1,5;-2\r\n\r\n\"01.07.2016 00:30\";\"2,25\";3e2\r\n",
                        (fc_series_mapping){0});

  if (!s) return;
  const fc_series_info *i = fc_series_about(s);
  CHECK(i->n_columns == 2 && i->step.seconds == 1800 && !strcmp(i->date_column, "When"));
  CHECK(!strcmp(i->column[0].name, "Demand") && !strcmp(i->column[0].unit, "MW"));
  CHECK(!strcmp(i->column[1].name, "say \"hi\"") && !strcmp(i->column[1].unit, "K"));
  CHECK(fc_series_find(s, "Demand [MW]") == 0 && fc_series_find(s, "Demand") == 0);
  VALUES(s, 0, 1.5, 2.25);
  VALUES(s, 1, -2, 300);
  fc_series_close(s);
  s = series("date\tload (MW)\tload (%)\n2016-01-01\t1,5\t1\n2016-01-02\t2\t2\n", (fc_series_mapping){0});
  if (!s) return;
  VALUES(s, 0, 1.5, 2);
  CHECK(fc_series_find(s, "load") == 0 && fc_series_find(s, "load (%)") == 1);
  fc_series_close(s);
  refused("date\tn\n2016-01-01\t1,500\n2016-01-02\t2\n", (fc_series_mapping){0}, FC_E_INPUT,
          "b.csv:2: column 'n' holds '1,500', which is no number");
}

/* line breaks and quotes in cells, a blank line in front, and lines that are counted all the same */
static void broken_lines(void) {
  const char *const two =
      "\n\"date\",\"a\nb (m)\",kind\r\n2016-01-01,1,\"x,\r\ny\"\r\n2016-01-02,2,\"x,\r\ny\"\r\n";
  char       bad[256];
  fc_series *s = series(two, (fc_series_mapping){0});

  if (!s) return;
  const fc_series_info *i = fc_series_about(s);
  CHECK(i->n_columns == 2 && !strcmp(i->column[0].name, "a b") && !strcmp(i->column[0].unit, "m"));
  CHECK(i->category[1].n == 1 && !strcmp(i->category[1].name[0], "x,  y"));
  VALUES(s, 0, 1, 2);
  fc_series_close(s);
  snprintf(bad, sizeof bad, "%s2016-01-02,3,x\n", two); /* lines 4-5 and 6-7 are the first two rows */
  refused(bad, (fc_series_mapping){0}, FC_E_INPUT, "b.csv:8: the date 2016-01-02 comes again (line 6 has it");
  refused("date,a\n2016-01-01,1\n\"2016-01-02,2\n2016-01-03,3\n", (fc_series_mapping){0}, FC_E_INPUT,
          "b.csv:3: a quote is opened here and not closed");
  refused("date,a\r2016-01-01,1\r2016-01-02,2\r", (fc_series_mapping){0}, FC_E_INPUT,
          "lines end in a carriage return alone");
  refused("# by a logger\ndate,a\n2016-01-01,1\n", (fc_series_mapping){0}, FC_E_INPUT,
          "b.csv:2: more than the 1 column of the first line; that line must name the columns");
}

static void zero_byte(void) {
  const char content[] = "date,a\n2016-01-01,1\n2016-01-02\0,2\n";
  FILE      *f         = fopen(check_path("zero.csv"), "wb");
  fc_series *s;

  CHECK(f && fwrite(content, 1, sizeof content - 1, f) == sizeof content - 1);
  if (f) fclose(f);
  CHECK_FAILS(fc_series_open(check_path("zero.csv"), NULL, &s), FC_E_INPUT,
              "zero.csv:3: a zero byte; the file is damaged or no text");
}

/* of which one day is above 12, or whose months go on */
static void orders(void) {
  static const struct {
    const char *text;
    int64_t     seconds, months;
  } files[] = {{"d,a\n04/11/2021,1\n04/12/2021,2\n04/13/2021,3\n", 86400, 0},
               {"d,a\n11/04/2021,1\n12/04/2021,2\n13/04/2021,3\n", 86400, 0},
               {"d,a\n01/01/2021,1\n01/02/2021,2\n01/03/2021,3\n01/04/2021,3\n13/04/2021,4\n", 0, 1},
               {"d,a\n31-01-2021,1\n28-02-2021,2\n31-03-2021,3\n", 0, 1},
               {"Month,a\n1949-11,1\n1949-12,2\n1950-01,3\n", 0, 1},
               {"d,a\n2019-01-01,1\n2020-01-01,2\n2021-01-01,3\n2022-01-01,3\n", 0, 12},
               {"year,a\n2019,1\n2020,2\n2021,3\n", 0, 12},
               {"quarter,a\n2019-Q3,1\n2019-Q4,2\n2020-Q1,3\n", 0, 3},
               {"x,a\n2019Q3,1\n2019Q4,2\n2020Q1,3\n", 0, 3},
               {"week,a\n2020-W52,1\n2020-W53,2\n2021-W01,3\n", 7 * 86400, 0},
               {"ts,a\n1467331200000,1\n1467334800000,2\n", 3600, 0},
               {"d,a\n2019-01-29,1\n2019-02-28,2\n2019-03-29,3\n2019-04-30,3\n", 0, 1},
               {"d,a\n2019-01-01,1\n2019-01-29,2\n2019-02-26,3\n2019-03-26,3\n", 28 * 86400, 0},
               {"timestamp,a\n1467331200,1\n1467334800,2\n", 3600, 0}};

  for (int k = 0; k < FC_COUNT(files); k++) {
    fc_series *s   = NULL;
    const bool gap = k == 2; /* the 13th is a second row of April */
    if (gap) {
      refused(files[k].text, (fc_series_mapping){0}, FC_E_INPUT,
              "does not lie on the step of 1 month after 2021-04-01");
      continue;
    }
    s = series(files[k].text, (fc_series_mapping){0});
    if (!s) continue;
    const fc_date_step step = fc_series_about(s)->step;
    if (step.seconds != files[k].seconds || step.months != files[k].months) fprintf(stderr, "file %d\n", k);
    CHECK(step.seconds == files[k].seconds && step.months == files[k].months);
    fc_series_close(s);
  }
  refused("d,a\n01/02/2021,1\n01/03/2021,2\n", (fc_series_mapping){0}, FC_E_INPUT,
          "is it month/day or day/month?");
}

static void joined_dates(void) {
  fc_series *s = series("Date;Time;p\n16/12/2006;17:24:00;4,2\n16/12/2006;17:25:00;5,3\n",
                        (fc_series_mapping){.date = "Date+Time"});

  if (s) {
    CHECK(fc_series_times(s)[1] == fc_date_seconds(2006, 12, 16, 17, 25, 0));
    CHECK(fc_series_about(s)->n_columns == 1 && !strcmp(fc_series_about(s)->date_column, "Date+Time"));
  }
  fc_series_close(s);
  s = series("No,year,month,day,hour,pm\n1,2010,1,1,23,4\n2,2010,1,2,0,5\n",
             (fc_series_mapping){.date = "year+month+day+hour", .ignore = "No"});
  if (s) CHECK(fc_series_times(s)[0] == fc_date_seconds(2010, 1, 1, 23, 0, 0));
  if (s) CHECK(fc_series_about(s)->n_columns == 1);
  fc_series_close(s);
}

/* ---- kinds of columns ---- */

static void kinds(void) {
  fc_series *s = series(",date,weather,class,holiday,day,x,void\n0,2016-01-01,mist,7,TRUE,2016-01-01,1,\n"
                        "1,2016-01-02,clear,9,FALSE,2016-01-01,2,\n2,2016-01-03,mist,7,true,2016-01-02,3,\n",
                        (fc_series_mapping){.categories = "[class]"});

  if (!s) return;
  const fc_series_info *i = fc_series_about(s);
  CHECK(i->n_columns == 4 && i->n_left_out == 3);
  CHECK(!strcmp(i->left_out[0], "(no name): numbers of rows"));
  CHECK(!strcmp(i->left_out[1], "day: dates") && !strcmp(i->left_out[2], "void: no values"));
  CHECK(i->category[0].n == 2 && !strcmp(i->category[0].name[1], "clear"));
  CHECK(i->category[1].n == 2 && !strcmp(i->category[1].name[1], "9"));
  CHECK(i->category[2].n == 0 && i->category[3].n == 0);
  VALUES(s, 0, 0, 1, 0);
  VALUES(s, 1, 0, 1, 0);
  VALUES(s, 2, 1, 0, 1);
  VALUES(s, 3, 1, 2, 3);
  fc_series_close(s);
}

static void several(void) {
  fc_series *s = series("date,shop,n\n2016-01-01,B,1\n2016-01-01,A,10\n2016-01-02,B,2\n2016-01-02,A,20\n"
                        "2016-01-03,B,3\n",
                        (fc_series_mapping){.id = "shop"});

  if (!s) return;
  const fc_series_info *i = fc_series_about(s);
  CHECK(i->n_series == 2 && !strcmp(i->series[0], "B") && !strcmp(i->series[1], "A") && !i->reordered);
  CHECK(i->at[1] == 3 && i->at[2] == 5 && i->n_columns == 1);
  VALUES(s, 0, 1, 2, 3, 10, 20);
  fc_series_close(s);
  s = series("unique_id,ds,y\nH1,2016-01-01,1\nH1,2016-01-02,2\nH2,2016-01-01,3\n", (fc_series_mapping){0});
  CHECK(s && fc_series_about(s)->n_series == 2);
  fc_series_close(s);
}

/* one series in each row, numbered or by dates, ending early */
static void wide(void) {
  fc_series *s = series("\"V1\",\"V2\",\"V3\",\"V4\"\n\"H1\",\"1\",\"2\",\"3\"\n\"H2\",\"4\",\"5\",\n",
                        (fc_series_mapping){0});

  if (!s) return;
  const fc_series_info *i = fc_series_about(s);
  CHECK(i->n_series == 2 && i->n_columns == 1 && i->at[1] == 3 && !i->dated && !strcmp(i->series[1], "H2"));
  VALUES(s, 0, 1, 2, 3, 4, 5);
  CHECK(fc_series_times(s)[3] == 0 && fc_series_times(s)[4] == 1);
  fc_series_close(s);
  s = series("Page,2015-07-01,2015-07-02,2015-07-03\na,1,NA,3\nb,4,5,6\n",
             (fc_series_mapping){.missing = FC_MISSING_INTERPOLATE});
  if (!s) return;
  CHECK(fc_series_about(s)->dated && fc_series_about(s)->step.seconds == 86400);
  VALUES(s, 0, 1, 2, 3, 4, 5, 6);
  fc_series_close(s);
  refused("id,v1,v2,v3\na,1,2,3\na,4,5,6\n", (fc_series_mapping){0}, FC_E_INPUT,
          "b.csv:3: there are two series called 'a'");
  refused("id,v1,v2,v3\na,1,2,3\nb,4,x,6\n", (fc_series_mapping){0}, FC_E_INPUT,
          "b.csv:3: column 'v2' holds 'x', which is no number");
}

static void numbered(void) {
  fc_series *s = series("Y\n22262\n21756\n", (fc_series_mapping){.date = "none"});

  if (!s) return;
  CHECK(!fc_series_about(s)->dated && fc_series_times(s)[1] == 1 && !fc_series_about(s)->step.seconds);
  VALUES(s, 0, 22262, 21756);
  fc_series_close(s);
}

static void sorting(void) {
  static const char newest_first[] = "Week,a\n04/30/2021,3\n04/23/2021,2\n04/16/2021,1\n";
  fc_series        *s              = series(newest_first, (fc_series_mapping){.sort = true});

  if (!s) return;
  CHECK(fc_series_about(s)->reordered && fc_series_about(s)->step.seconds == 7 * 86400);
  VALUES(s, 0, 1, 2, 3);
  fc_series_close(s);
  refused(newest_first, (fc_series_mapping){0}, FC_E_INPUT,
          "b.csv:3: the date 2021-04-23 comes after 2021-04-30; data.sort=true sorts");
}

/* ---- what is missing ---- */

#define HOLES                                                                                                \
  "date,a,c\n2016-01-01,1,x\n2016-01-02,,y\n2016-01-03,NA,?\n2016-01-04,4,y\n2016-01-07,7,x\n2016-01-08,,"   \
  "x\n"

static void missing(void) {
  fc_series *s = series(HOLES, (fc_series_mapping){.missing = FC_MISSING_INTERPOLATE});

  if (s) {
    VALUES(s, 0, 1, 2, 3, 4, 5, 6, 7, NAN);
    VALUES(s, 1, 0, 1, 1, 1, 1, 1, 0, 0);
    CHECK(fc_series_about(s)->filled_rows == 2 && fc_series_about(s)->filled_cells == 3);
    CHECK(fc_series_about(s)->open_cells == 1);
    CHECK(fc_series_times(s)[4] == fc_date_seconds(2016, 1, 5, 0, 0, 0));
  }
  fc_series_close(s);
  s = series(HOLES, (fc_series_mapping){.missing = FC_MISSING_HOLD});
  if (s) VALUES(s, 0, 1, 1, 1, 4, 4, 4, 7, NAN);
  fc_series_close(s);
  s = series(HOLES, (fc_series_mapping){.missing = FC_MISSING_KEEP});
  if (s) VALUES(s, 0, 1, NAN, NAN, 4, NAN, NAN, 7, NAN);
  fc_series_close(s);
  s = series("date,a\n2016-11,1\n2016-12,2\n2017-01,3\n2017-03,5\n",
             (fc_series_mapping){.missing = FC_MISSING_HOLD});
  if (s) VALUES(s, 0, 1, 2, 3, 3, 5);
  if (s) CHECK(fc_series_times(s)[3] == fc_date_seconds(2017, 2, 1, 0, 0, 0));
  fc_series_close(s);
}

static void missing_refused(void) {
  const fc_series_mapping refuse = {0}, hold = {.missing = FC_MISSING_HOLD};

  refused("date,a,b\n2016-01-01,1,1\n2016-01-02,,2\n2016-01-03,3,3\n", refuse, FC_E_INPUT,
          "b.csv:3: column 'a' has no value here; data.missing=interpolate or hold fills it in");
  refused(HOURS "2016-07-01 05:00,4\n", refuse, FC_E_INPUT,
          "b.csv:5: 2 rows of the step of 1 hour between 2016-07-01 02:00:00 and 2016-07-01 05:00:00 are "
          "missing");
  refused("date,a\n2016-01-01,\n2016-01-02,2\n2016-01-03,3\n", hold, FC_E_INPUT,
          "b.csv:3: column 'a' has its first value here and none before it");
  refused("date,id,a\n2016-01-01,p,1\n2016-01-02,p,2\n2016-01-01,q,\n2016-01-02,q,\n",
          (fc_series_mapping){.id = "id", .missing = FC_MISSING_HOLD}, FC_E_INPUT,
          "b.csv:4: column 'a' of series 'q' has no value at all");
  refused(HOURS "2916-07-01 05:00,4\n", hold, FC_E_INPUT, "more rows are missing than there are");
  refused("date,a\n2016-01-01,1\n2016-01-02,2\n2016-01-04,3\n", refuse, FC_E_INPUT,
          "1 row of the step of 1 day between 2016-01-02 and 2016-01-04 is missing");
}

/* ---- refusals ---- */

static void dates_refused(void) {
  const fc_series_mapping none = {0};

  refused(HOURS "2016-07-01 02:00:00,4\n", none, FC_E_INPUT,
          "b.csv:5: the date 2016-07-01 02:00:00 comes again (line 4 has it too); take one of the rows out");
  refused("date,a\n2016-07-01 00:00,1\n2016-07-01 01:00,2\n2016-07-01 02:00,3\n2016-07-01 03:10,4\n", none,
          FC_E_INPUT, "b.csv:5: the date 2016-07-01 03:10:00 does not lie on the step of 1 hour after");
  refused("date,a\n2016-07-01,1\n2016-07-02,1\n2016-07-05,1\n2016-07-04,1\n2016-07-03,1\n", none, FC_E_INPUT,
          "b.csv:5: the date 2016-07-04 comes after 2016-07-05; data.sort=true sorts"); /* no gap */
  refused("date,a\n2016-07-01,1\n2016-07-02,2\n2016-07-32,3\n", none, FC_E_INPUT,
          "b.csv:4: column 'date' holds '2016-07-32', which is no date like 2016-07-01");
  refused("d,a\n1/13/2016,1\n1/14/2016,2\n15/1/2016,3\n", (fc_series_mapping){.date = "d"}, FC_E_INPUT,
          "b.csv:4: column 'd' holds '15/1/2016', which is no date like those before it");
  refused("t,a\n1,1\n2,2\n", none, FC_E_INPUT, "no column of dates; name it with data.date");
  refused("date,a\n2016-07-01,1\n", none, FC_E_INPUT,
          "one row for each series; say their step with data.step");
  refused(HOURS, (fc_series_mapping){.step = "5 parsecs"}, FC_E_USAGE, "data.step: '5 parsecs' is no step");
  refused(HOURS, (fc_series_mapping){.step = "2h"}, FC_E_INPUT, "does not lie on the step of 2 hours");
  refused(HOURS, (fc_series_mapping){.date = "dat"}, FC_E_USAGE,
          "data.date names the column 'dat', and there is none; did you mean 'date'?");
  refused("date,id,a\n2016-07-01,p,1\n2016-07-02,p,1\n2016-07-01,q,1\n2016-07-01,q,2\n",
          (fc_series_mapping){.id = "id"}, FC_E_INPUT,
          "the date 2016-07-01 of series 'q' comes again (line 4");
}

static void tables_refused(void) {
  const fc_series_mapping none = {0};
  fc_series              *s;

  refused(
      "date,a\n2016-07-01,1\n2016-07-02,two\n2016-07-03,3\n", none, FC_E_INPUT,
      "b.csv:3: column 'a' holds 'two', which is no number; correct it, name the column in data.categories");
  refused("date,a\n2016-07-01,\"1,000.5\"\n2016-07-02,\"1,001\"\n", none, FC_E_INPUT,
          "b.csv:2: column 'a' holds '1,000.5', which is no number; write it without separators");
  refused("date,a\n2016-07-01,-\n2016-07-02,12 %\n", none, FC_E_INPUT, "b.csv:3: column 'a' holds '12 %'");
  refused("date|a\n2016-07-01|1\n2016-07-02|2\n", none, FC_E_INPUT,
          "one column and no dates in it; cells are separated by comma, semicolon or tab");
  refused("1,2\n3,4\n", none, FC_E_INPUT, "the first line is no header");
  refused("date,a\n2016-07-01,1\n2016-07-02,inf\n", none, FC_E_INPUT,
          "b.csv:3: column 'a' holds 'inf', which is not finite");
  refused("date,a\n2016-07-01,1\n2016-07-02\n", none, FC_E_INPUT,
          "b.csv:3: 1 cells, where the first line has 2");
  refused("date,a\n2016-07-01,1\n2016-07-02,1,2\n", none, FC_E_INPUT, "b.csv:3: more than the 2 columns");
  refused("date,a,a\n2016-07-01,1,2\n2016-07-02,1,2\n", none, FC_E_INPUT, "two columns are called 'a'");
  refused("2016-07-01,1\n2016-07-02,2\n2016-07-03,2\n", none, FC_E_INPUT,
          "b.csv: the first line is no header with the names of the columns");
  refused("1,2\n3,4\n", (fc_series_mapping){.date = "none"}, FC_E_INPUT, "the first line is no header");
  refused("date,a\n", none, FC_E_INPUT, "b.csv: a header and no rows");
  refused("", none, FC_E_INPUT, "b.csv: the file is empty");
  refused("\377\376d", none, FC_E_INPUT, "b.csv: text in UTF-16; save it as UTF-8");
  refused("date,x\n2016-07-01,2016-07-01\n2016-07-02,2016-07-01\n", none, FC_E_INPUT,
          "no column of numbers or classes");
  refused(HOURS, (fc_series_mapping){.ignore = "b"}, FC_E_USAGE, "data.ignore names the column 'b'");
  refused(HOURS, (fc_series_mapping){.categories = "aa"}, FC_E_USAGE,
          "data.categories names the column 'aa'");
  refused(HOURS, (fc_series_mapping){.id = "store"}, FC_E_USAGE, "data.id names the column 'store'");
  CHECK_FAILS(fc_series_open(check_path("absent.csv"), NULL, &s), FC_E_INPUT, "absent.csv");
}

/* ---- HDF5 ---- */

static bool same_text(const char *a, const char *b) { return !strcmp(a, b); }

static void same_series(const fc_series *a, const fc_series *b) {
  const fc_series_info *i = fc_series_about(a), *j = fc_series_about(b);

  CHECK(i->rows == j->rows && i->n_columns == j->n_columns && i->n_series == j->n_series);
  CHECK(i->dated == j->dated && i->step.seconds == j->step.seconds && i->step.months == j->step.months);
  if (i->rows != j->rows || i->n_columns != j->n_columns || i->n_series != j->n_series) return;
  CHECK(!memcmp(fc_series_values(a), fc_series_values(b), (size_t)(i->rows * i->n_columns) * sizeof(double)));
  CHECK(!memcmp(fc_series_times(a), fc_series_times(b), (size_t)i->rows * sizeof(int64_t)));
  CHECK(!memcmp(i->at, j->at, (size_t)(i->n_series + 1) * sizeof *i->at));
  for (int k = 0; k < i->n_series; k++) CHECK(same_text(i->series[k], j->series[k]));
  for (int c = 0; c < i->n_columns; c++) {
    CHECK(same_text(i->column[c].name, j->column[c].name) && same_text(i->column[c].unit, j->column[c].unit));
    CHECK(i->category[c].n == j->category[c].n);
    for (int k = 0; k < i->category[c].n && k < j->category[c].n; k++)
      CHECK(same_text(i->category[c].name[k], j->category[c].name[k]));
  }
}

static const char several_with_classes[] =
    "date,shop,sales [EUR],sky,a/b,open\n2016-01-01,B,1.25,mist,3,yes\n2016-01-01,A,10,clear,4,no\n"
    "2016-01-02,B,2,clear,5,yes\n2016-01-02,A,20,mist,6,yes\n2016-01-03,B,,clear,7,no\n";

static void round_trip(void) {
  static const fc_series_text origin  = {"command", "a test"};
  const fc_series_mapping     by_shop = {.id = "shop"}, numbers = {.date = "none"};
  const char                 *files[] = {several_with_classes, HOURS, "Y\n1\n2\n"};

  for (int k = 0; k < FC_COUNT(files); k++) {
    fc_series *a = series(files[k], k == 0 ? by_shop : k == 1 ? (fc_series_mapping){0} : numbers), *b = NULL;
    if (!a) continue;
    CHECK_OK(fc_series_write(check_path("a.h5"), fc_series_about(a), fc_series_values(a), fc_series_times(a),
                             1, &origin));
    CHECK(access(check_path("a.h5.tmp"), F_OK) != 0);
    CHECK(fc_data_kind_of(check_path("a.h5")) == FC_DATA_SERIES);
    CHECK_OK(fc_series_open(check_path("a.h5"), NULL, &b));
    if (b) same_series(a, b);
    fc_series_close(a);
    fc_series_close(b);
  }
}

/* whatever is cut off, there is one line that names the file */
static void truncated(void) {
  fc_series *s = series(several_with_classes, (fc_series_mapping){.id = "shop"});
  char       whole[65536];

  if (!s) return;
  CHECK_OK(fc_series_write(check_path("w.h5"), fc_series_about(s), fc_series_values(s), fc_series_times(s), 0,
                           NULL));
  CHECK_FAILS(fc_series_write("/nowhere/a.h5", fc_series_about(s), NULL, NULL, 0, NULL), FC_E_SYSTEM,
              "/nowhere/a.h5");
  fc_series_close(s);
  FILE        *f    = fopen(check_path("w.h5"), "rb");
  const size_t size = fread(whole, 1, sizeof whole, f);
  fclose(f);
  CHECK(size > 2000 && size < sizeof whole);
  for (size_t n = 100; n < size; n += size / 23) {
    f = fopen(check_path("t.h5"), "wb");
    CHECK(fwrite(whole, 1, n, f) == n);
    fclose(f);
    CHECK_FAILS(fc_series_open(check_path("t.h5"), NULL, &s), FC_E_INPUT,
                "t.h5: HDF5, but truncated or damaged");
  }
}

static void put(hid_t f, const char *name, hid_t type, int rank, hsize_t n, hsize_t m, const void *x) {
  const hsize_t dim[2] = {n, m};
  const hid_t   space  = H5Screate_simple(rank, dim, NULL),
              set      = H5Dcreate2(f, name, type, space, H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT);
  CHECK(H5Dwrite(set, type, H5S_ALL, H5S_ALL, H5P_DEFAULT, x) >= 0);
  H5Dclose(set);
  H5Sclose(space);
}

/* bare data sets as a script leaves them: texts as dates, one and two axes, one that does not belong */
static void foreign(void) {
  static const char   dates[3][17] = {"2016-07-01 00:00", "2016-07-01 01:00", "2016-07-01 02:00"};
  static const char   sky[3][4]    = {"fog", "sun", "fog"};
  static const double load[3] = {1, 2, 3}, more[6] = {1, 10, 2, 20, 3, 30}, other[4] = {0};
  const hid_t         text = H5Tcopy(H5T_C_S1), word = H5Tcopy(H5T_C_S1);
  fc_series          *s;

  H5Tset_size(text, 17);
  H5Tset_size(word, 4);
  hid_t f = H5Fcreate(check_path("f.h5"), H5F_ACC_TRUNC, H5P_DEFAULT, H5P_DEFAULT);
  put(f, "date", text, 1, 3, 0, dates);
  put(f, "load", H5T_NATIVE_DOUBLE, 1, 3, 0, load);
  put(f, "more", H5T_NATIVE_DOUBLE, 2, 3, 2, more);
  put(f, "other", H5T_NATIVE_DOUBLE, 1, 4, 0, other);
  put(f, "sky", word, 1, 3, 0, sky);
  H5Fclose(f);
  CHECK(fc_data_kind_of(check_path("f.h5")) == FC_DATA_SERIES);
  CHECK_OK(fc_series_open(check_path("f.h5"), NULL, &s));
  if (!s) return;
  const fc_series_info *i = fc_series_about(s);
  CHECK(i->n_columns == 4 && i->step.seconds == 3600 && i->n_left_out == 1);
  CHECK(fc_series_find(s, "load") == 0 && fc_series_find(s, "more_1") == 2 && fc_series_find(s, "sky") == 3);
  VALUES(s, 0, 1, 2, 3);
  VALUES(s, 2, 10, 20, 30);
  VALUES(s, 3, 0, 1, 0);
  fc_series_close(s);
  CHECK_OK(fc_series_open(check_path("f.h5"),
                          &(fc_series_mapping){.ignore = "more, sky", .categories = "load"}, &s));
  CHECK(s && fc_series_about(s)->n_columns == 1 && fc_series_about(s)->category[0].n == 3);
  fc_series_close(s);
  CHECK_FAILS(fc_series_open(check_path("f.h5"), &(fc_series_mapping){.date = "when"}, &s), FC_E_USAGE,
              "data.date names the data set 'when'");
  H5Tclose(text);
  H5Tclose(word);
}

static void foreign_numbers(void) {
  static const int64_t hours[3] = {1020480, 1020481, 1020483}; /* hours since 1900: 2016-06-01 */
  static const double  load[3]  = {1, 2, 3};
  fc_series           *s;
  hid_t                f = H5Fcreate(check_path("n.h5"), H5F_ACC_TRUNC, H5P_DEFAULT, H5P_DEFAULT);

  put(f, "time", H5T_NATIVE_INT64, 1, 3, 0, hours);
  put(f, "load", H5T_NATIVE_DOUBLE, 1, 3, 0, load);
  const hid_t set = H5Dopen2(f, "time", H5P_DEFAULT), type = H5Tcopy(H5T_C_S1), one = H5Screate(H5S_SCALAR);
  H5Tset_size(type, 40);
  const hid_t a = H5Acreate2(set, "units", type, one, H5P_DEFAULT, H5P_DEFAULT);
  H5Awrite(a, type, "hours since 1900-01-01 00:00:00.0      ");
  H5Aclose(a), H5Tclose(type), H5Sclose(one), H5Dclose(set), H5Fclose(f);
  CHECK_FAILS(fc_series_open(check_path("n.h5"), NULL, &s), FC_E_INPUT,
              "n.h5, row 3: 1 row of the step of 1 hour between 2016-06-01 01:00:00 and 2016-06-01 03:00:00");
  CHECK_OK(fc_series_open(check_path("n.h5"), &(fc_series_mapping){.missing = FC_MISSING_INTERPOLATE}, &s));
  if (s) VALUES(s, 0, 1, 2, 2.5, 3);
  fc_series_close(s);
}

/* ---- kinds of files ---- */

static void told_apart(void) {
  CHECK(fc_data_kind_of(text("k.csv", HOURS)) == FC_DATA_SERIES);
  CHECK(fc_data_kind_of(text("k.csv", "x,y,p\n0,0,1\n0,1,2\n")) == FC_DATA_POINTS);
  CHECK(fc_data_kind_of(text("k.csv", "x,y,p,date\n0,0,1,2016-01-01\n0,1,2,2016-01-02\n")) == FC_DATA_SERIES);
  CHECK(fc_data_kind_of(text("k.csv", "step,loss,lr\n1,0.5,1e-3\n2,0.4,1e-3\n")) == FC_DATA_UNKNOWN);
  CHECK(fc_data_kind_of(text("k.csv", "car,year,weight\na,1999,900\nb,1999,950\n")) == FC_DATA_UNKNOWN);
  CHECK(fc_data_kind_of(text("k.csv", "date,v1,v2,v3\n2016-01-01,1,2,3\n2016-01-02,1,2,3\n")) ==
        FC_DATA_SERIES);
  CHECK(fc_data_kind_of(text("k.csv", "year,n\n1999,900\n2000,950\n")) == FC_DATA_SERIES);
}

CHECK_SUITE(series, plain, dialects, broken_lines, zero_byte, orders, joined_dates, kinds, several, wide,
            numbered, sorting, missing, missing_refused, dates_refused, tables_refused, round_trip, truncated,
            foreign, foreign_numbers, told_apart)
