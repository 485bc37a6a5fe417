/* tests/io/test_calendar.c - dates against known ones and against the C library, texts, steps, marks. */
#include "tests/check.h"

#include "io/calendar.h"

#include <time.h>

static int64_t when(const char *text, fc_date_order order) {
  int64_t t = -1;

  if (!fc_date_read(text, order, &t)) fprintf(stderr, "'%s' is no date\n", text);
  CHECK(fc_date_read(text, order, &t));
  return t;
}

static void same(const char *text, fc_date_order order, const char *iso) {
  char got[40];

  fc_date_text(when(text, order), false, got, sizeof got);
  if (strcmp(got, iso)) fprintf(stderr, "'%s' reads as %s, not %s\n", text, got, iso);
  CHECK(!strcmp(got, iso));
}

/* every day of 800 years: there and back, weekdays and days of the year in turn, and as gmtime says */
static void days(void) {
  int     weekday = -1, year_day = 0, wrong = 0;
  int64_t t   = fc_date_seconds(1600, 1, 1, 13, 14, 15);
  int64_t end = fc_date_seconds(2401, 1, 1, 0, 0, 0);

  for (; t < end; t += 86400) {
    const fc_date d = fc_date_of(t);
    const time_t  c = (time_t)t;
    struct tm     g;
    gmtime_r(&c, &g);
    wrong += fc_date_seconds(d.year, d.month, d.day, d.hour, d.minute, d.second) != t;
    wrong += weekday >= 0 && d.weekday != (weekday + 1) % 7;
    wrong += d.year_day != (d.month == 1 && d.day == 1 ? 1 : year_day + 1);
    wrong += g.tm_year + 1900 != d.year || g.tm_mon + 1 != d.month || g.tm_mday != d.day;
    wrong += (g.tm_wday + 6) % 7 != d.weekday || g.tm_yday + 1 != d.year_day;
    weekday  = d.weekday;
    year_day = d.year_day;
  }
  CHECK(wrong == 0);
  CHECK(fc_date_seconds(1970, 1, 1, 0, 0, 0) == 0);
  CHECK(fc_date_seconds(2000, 3, 1, 0, 0, 0) == 951868800);
  CHECK(fc_date_of(-1).year == 1969 && fc_date_of(-1).second == 59 && fc_date_of(-1).month == 12);
  CHECK(fc_date_of(fc_date_seconds(1900, 12, 31, 0, 0, 0)).year_day == 365);
  CHECK(fc_date_of(fc_date_seconds(2000, 12, 31, 0, 0, 0)).year_day == 366);
}

/* against the C library for every day, and the years that begin or end within a week */
static void weeks(void) {
  static const struct {
    int year, month, day, week;
  } known[] = {{2005, 1, 1, 53},   {2005, 1, 2, 53},   {2005, 12, 31, 52}, {2007, 1, 1, 1},
               {2008, 12, 28, 52}, {2008, 12, 29, 1},  {2009, 12, 31, 53}, {2010, 1, 3, 53},
               {2010, 1, 4, 1},    {2020, 12, 31, 53}, {2021, 1, 3, 53},   {2021, 1, 4, 1},
               {2024, 12, 30, 1},  {2016, 1, 1, 53},   {2018, 1, 1, 1}};
  int wrong = 0;

  for (int k = 0; k < FC_COUNT(known); k++)
    CHECK(fc_date_of(fc_date_seconds(known[k].year, known[k].month, known[k].day, 23, 0, 0)).iso_week ==
          known[k].week);
  for (int64_t t = fc_date_seconds(1950, 1, 1, 0, 0, 0); t < fc_date_seconds(2050, 1, 1, 0, 0, 0);
       t += 86400) {
    const time_t c = (time_t)t;
    struct tm    g;
    char         week[8];
    gmtime_r(&c, &g);
    strftime(week, sizeof week, "%V", &g);
    wrong += atoi(week) != fc_date_of(t).iso_week;
  }
  CHECK(wrong == 0);
}

static void texts(void) {
  same("2016-07-01 00:00:00", FC_DATE_ISO, "2016-07-01 00:00:00");
  same("  2016-07-01T13:05 ", FC_DATE_ISO, "2016-07-01 13:05:00");
  same("2016-07-01 13:05:09.000", FC_DATE_ISO, "2016-07-01 13:05:09");
  same("2011-12-31T13:00:00Z", FC_DATE_ISO, "2011-12-31 13:00:00");
  same("2012-01-01 00:00:00+11:00", FC_DATE_ISO, "2011-12-31 13:00:00");
  same("2012-01-01T00:30:00-0530", FC_DATE_ISO, "2012-01-01 06:00:00");
  same("2012-01-01T00:30+01", FC_DATE_ISO, "2011-12-31 23:30:00");
  same("1990/1/1 0:00", FC_DATE_ISO, "1990-01-01 00:00:00");
  same("2016/07/01", FC_DATE_DAY_FIRST, "2016-07-01 00:00:00");
  same("01.07.2016 06:15", FC_DATE_MONTH_FIRST, "2016-07-01 06:15:00");
  same("1.7.2016", FC_DATE_ISO, "2016-07-01 00:00:00");
  same("04/30/2021", FC_DATE_MONTH_FIRST, "2021-04-30 00:00:00");
  same("30/04/2021", FC_DATE_DAY_FIRST, "2021-04-30 00:00:00");
  same("02/8/1991", FC_DATE_MONTH_FIRST, "1991-02-08 00:00:00");
  same("02-08-1991", FC_DATE_DAY_FIRST, "1991-08-02 00:00:00");
  same("1/6/2011 12:05 AM", FC_DATE_MONTH_FIRST, "2011-01-06 00:05:00");
  same("1/6/2011 3:00:30 pm", FC_DATE_MONTH_FIRST, "2011-01-06 15:00:30");
  same("1949-01", FC_DATE_ISO, "1949-01-01 00:00:00");
  same("01/1949", FC_DATE_ISO, "1949-01-01 00:00:00");
  same("1 Jan 2016 12:00", FC_DATE_ISO, "2016-01-01 12:00:00");
  same("01-Sept-2016", FC_DATE_ISO, "2016-09-01 00:00:00");
  same("December 24, 2016", FC_DATE_ISO, "2016-12-24 00:00:00");
  same("Feb 2016", FC_DATE_ISO, "2016-02-01 00:00:00");
  same("2016", FC_DATE_ISO, "2016-01-01 00:00:00");
  same("20160229", FC_DATE_ISO, "2016-02-29 00:00:00");
  same("20160229 07:00", FC_DATE_ISO, "2016-02-29 07:00:00");
  same("1467331200", FC_DATE_ISO, "2016-07-01 00:00:00");
  same("1467331200000", FC_DATE_ISO, "2016-07-01 00:00:00");
  same("2016-12-31 24:00", FC_DATE_ISO, "2017-01-01 00:00:00");
  same("2016-07-01 12:00 UTC", FC_DATE_ISO, "2016-07-01 12:00:00");
  same("2016-Q1", FC_DATE_ISO, "2016-01-01 00:00:00");
  same("2016Q4", FC_DATE_ISO, "2016-10-01 00:00:00");
  same(" Q3 1999 ", FC_DATE_ISO, "1999-07-01 00:00:00");
  same("2015-W53", FC_DATE_ISO, "2015-12-28 00:00:00");
  same("2019-W01", FC_DATE_ISO, "2018-12-31 00:00:00");
  same("2021W01", FC_DATE_ISO, "2021-01-04 00:00:00");
}

static void no_dates(void) {
  static const char *const bad[] = {"",
                                    "12",
                                    "3.5",
                                    "2015-02-29",
                                    "2016-13-01",
                                    "2016-00-10",
                                    "2016-01-32",
                                    "01/02/2016",
                                    "01-02-16",
                                    "1.2016",
                                    "hello",
                                    "May",
                                    "2016-07-01x",
                                    "2016-07-01 ",
                                    "2016-07-01 25:00",
                                    "2016-07-01 12:60",
                                    "2016-07-01 12:00:00.5",
                                    "2016-07-01 24:01",
                                    "2016/07-01",
                                    "13/13/2016",
                                    "2016-07-01 13:00 AM",
                                    "1467331200001",
                                    "2016-07-01 12",
                                    "2016-07-01 12:00 CET",
                                    "2016-Q5",
                                    "2016Q0",
                                    "Q12016",
                                    "2015-W00",
                                    "2016-W53",
                                    "2016-X1",
                                    "100000",
                                    "-5",
                                    "nan"};
  int64_t                  t;

  for (int k = 0; k < FC_COUNT(bad); k++) {
    const bool fine = !strcmp(bad[k], "2016-07-01 "); /* blanks around are fine */
    if (fc_date_read(bad[k], FC_DATE_ISO, &t) != fine) fprintf(stderr, "'%s'\n", bad[k]);
    CHECK(fc_date_read(bad[k], FC_DATE_ISO, &t) == fine);
  }
  CHECK(!fc_date_read("30/04/2021", FC_DATE_MONTH_FIRST, &t));
  CHECK(!fc_date_read("04/30/2021", FC_DATE_DAY_FIRST, &t));
}

static void short_text(void) {
  char buf[40];

  fc_date_text(fc_date_seconds(987, 6, 5, 1, 2, 3), true, buf, sizeof buf);
  CHECK(!strcmp(buf, "0987-06-05"));
}

/* ---- steps ---- */

static void add_is(const char *from, fc_date_step step, int64_t n, const char *want) {
  char got[40];

  fc_date_text(fc_date_add(when(from, FC_DATE_ISO), step, n), true, got, sizeof got);
  if (strcmp(got, want)) fprintf(stderr, "%s and %lld steps: %s, not %s\n", from, (long long)n, got, want);
  CHECK(!strcmp(got, want));
}

static void adding(void) {
  const fc_date_step month = {0, 1}, quarter = {0, 3}, week = {7 * 86400, 0};

  add_is("2015-01-31", month, 1, "2015-02-28");
  add_is("2015-01-31", month, 2, "2015-03-31");
  add_is("2015-02-28", month, 1, "2015-03-31"); /* the end of a month stays the end */
  add_is("2016-02-28", month, 1, "2016-03-28");
  add_is("2015-12-15", month, 1, "2016-01-15");
  add_is("2015-12-15", month, -12, "2014-12-15");
  add_is("2015-01-30", month, 1, "2015-02-28");
  add_is("1956-10-01", quarter, 1, "1957-01-01");
  add_is("2016-12-31", week, 1, "2017-01-07");
  CHECK(fc_date_add(100, (fc_date_step){60, 0}, -2) == -20);
}

static void step_is(const char *text, int64_t seconds, int64_t months, const char *words, const char *freq,
                    int64_t season) {
  fc_date_step s = {-1, -1};
  char         buf[40];

  CHECK(fc_date_step_read(text, &s));
  fc_date_step_text(s, buf, sizeof buf);
  if (strcmp(buf, words)) fprintf(stderr, "'%s' is '%s', not '%s'\n", text, buf, words);
  CHECK(s.seconds == seconds && s.months == months && !strcmp(buf, words));
  CHECK(!strcmp(fc_date_freq(s), freq));
  CHECK(fc_date_season(s) == season);
}

static void steps(void) {
  fc_date_step s;

  step_is("1h", 3600, 0, "1 hour", "h", 24);
  step_is("30min", 1800, 0, "30 minutes", "t", 48);
  step_is("15 minutes", 900, 0, "15 minutes", "t", 96);
  step_is("10s", 10, 0, "10 seconds", "s", 8640);
  step_is("90 sec", 90, 0, "90 seconds", "s", 960);
  step_is("7 hours", 25200, 0, "7 hours", "h", 1);
  step_is("day", 86400, 0, "1 day", "d", 7);
  step_is("7d", 604800, 0, "1 week", "w", 52);
  step_is("2 weeks", 1209600, 0, "2 weeks", "w", 26);
  step_is("1 month", 0, 1, "1 month", "m", 12);
  step_is("q", 0, 3, "3 months", "q", 4);
  step_is("1 year", 0, 12, "1 year", "m", 1);
  step_is("2d", 172800, 0, "2 days", "d", 1);
  CHECK(!fc_date_step_read("", &s) && !fc_date_step_read("5", &s) && !fc_date_step_read("5m", &s));
  CHECK(!fc_date_step_read("0h", &s) && !fc_date_step_read("-1h", &s) && !fc_date_step_read("1h x", &s));
}

/* ---- marks ---- */

static void marks_are(fc_marks_kind kind, const char *freq, int64_t t, int n, const double *want) {
  fc_real got[8];

  CHECK(fc_marks_at(kind, freq, t, got) == n);
  for (int k = 0; k < n; k++) CHECK_NEAR(got[k], want[k], 1e-7);
}

static void marks(void) {
  /* Tuesday, day 177, week 26 */
  const int64_t t = fc_date_seconds(2018, 6, 26, 19, 47, 59), end = fc_date_seconds(2012, 12, 31, 23, 59, 59);
  const double  s = 0.5, m = 47 / 59. - .5, h = 19 / 23. - .5, w = 1 / 6. - .5, d = 25 / 30. - .5,
               y       = 176 / 365. - .5;
  const double whole[] = {6, 26, 1, 19, 3};
  fc_real      none[8];

  marks_are(FC_MARKS_SCALED, "s", t, 6, (double[]){s, m, h, w, d, y});
  marks_are(FC_MARKS_SCALED, "t", t, 5, (double[]){m, h, w, d, y});
  marks_are(FC_MARKS_SCALED, "h", t, 4, (double[]){h, w, d, y});
  marks_are(FC_MARKS_SCALED, "d", t, 3, (double[]){w, d, y});
  marks_are(FC_MARKS_SCALED, "b", t, 3, (double[]){w, d, y});
  marks_are(FC_MARKS_SCALED, "w", t, 2, (double[]){d, 25 / 52. - .5});
  marks_are(FC_MARKS_SCALED, "m", t, 1, (double[]){5 / 11. - .5});
  marks_are(FC_MARKS_SCALED, "q", t, 1, (double[]){5 / 11. - .5});
  marks_are(FC_MARKS_SCALED, "s", end, 6, (double[]){0.5, 0.5, 0.5, -0.5, 0.5, 0.5}); /* a leap year's end */
  marks_are(FC_MARKS_SCALED, "w", fc_date_seconds(2021, 1, 3, 0, 0, 0), 2, (double[]){2 / 30. - .5, 0.5});
  marks_are(FC_MARKS_WHOLE, "h", t, 4, whole);
  marks_are(FC_MARKS_WHOLE, "t", t, 5, whole);
  marks_are(FC_MARKS_WHOLE, "d", t, 4, whole);
  CHECK(fc_marks_at(FC_MARKS_NONE, "h", t, none) == 0 && fc_marks_at(FC_MARKS_SCALED, "x", t, none) == 0);
}

/* marks that the official code computed (reference cases informer-a and informer-b) */
static void official_marks(void) {
  const double scaled[2][4] = {{-0.23913044, 0, -0.23333333, -0.061643835},
                               {-0.19565217, 0, -0.23333333, -0.061643835}};
  const double whole[5]     = {8, 28, 6, 12, 2};

  for (int h = 0; h < 2; h++)
    marks_are(FC_MARKS_SCALED, "h", fc_date_seconds(2016, 6, 9, 6 + h, 0, 0), 4, scaled[h]);
  marks_are(FC_MARKS_WHOLE, "t", fc_date_seconds(1994, 8, 28, 12, 30, 0), 5, whole);
}

CHECK_SUITE(calendar, days, weeks, texts, no_dates, short_text, adding, steps, marks, official_marks)
