/* io/calendar.c - days of the proleptic Gregorian calendar, steps between dates, and calendar marks. */
#include "io/calendar.h"

#include "core/text.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MINUTE = 60, HOUR = 3600, DAY = 86400, WEEK = 7 * DAY, ERA = 146097 }; /* days in 400 years */

static int64_t floor_div(int64_t a, int64_t b) { return a / b - (a % b < 0); }

/* ---- days ---- */

/* Years begin in March here, so that the leap day is the last one; month m has begun after (153 m + 2) / 5
   days, m = 0 for March. */
static int64_t day_number(int64_t year, int month, int day) {
  const int64_t y = month > 2 ? year : year - 1, era = floor_div(y, 400), in_era = y - 400 * era;
  const int     m = month > 2 ? month - 3 : month + 9;

  return era * ERA + 365 * in_era + in_era / 4 - in_era / 100 + (153 * m + 2) / 5 + day - 1 - 719468;
}

int64_t fc_date_seconds(int64_t year, int month, int day, int hour, int minute, int second) {
  return day_number(year, month, day) * DAY + hour * HOUR + minute * MINUTE + second;
}

/* The year of a day within an era: leap days before it are taken away, then years are 365 days long. */
static void set_day(int64_t days, fc_date *d) {
  const int64_t n = days + 719468, era = floor_div(n, ERA), in_era = n - era * ERA;
  const int64_t y       = (in_era - in_era / 1460 + in_era / 36524 - in_era / (ERA - 1)) / 365;
  const int     in_year = (int)(in_era - (365 * y + y / 4 - y / 100)), m = (5 * in_year + 2) / 153;

  d->day   = in_year - (153 * m + 2) / 5 + 1;
  d->month = m < 10 ? m + 3 : m - 9;
  d->year  = y + era * 400 + (d->month <= 2);
}

/* The week belongs to the year that its Thursday lies in (ISO 8601). */
static int iso_week(int64_t days, int weekday) {
  const int64_t thursday = days - weekday + 3;
  fc_date       d;

  set_day(thursday, &d);
  return (int)((thursday - day_number(d.year, 1, 1)) / 7 + 1);
}

fc_date fc_date_of(int64_t seconds) {
  const int64_t days = floor_div(seconds, DAY);
  const int     rest = (int)(seconds - days * DAY);
  fc_date       d    = {.hour = rest / HOUR, .minute = rest / MINUTE % 60, .second = rest % 60};

  set_day(days, &d);
  d.weekday  = (int)(days + 3 - 7 * floor_div(days + 3, 7)); /* 1970-01-01 was a Thursday */
  d.year_day = (int)(days - day_number(d.year, 1, 1)) + 1;
  d.iso_week = iso_week(days, d.weekday);
  return d;
}

void fc_date_text(int64_t seconds, bool day_only, char *buf, size_t size) {
  const fc_date d = fc_date_of(seconds);

  if (day_only)
    snprintf(buf, size, "%04lld-%02d-%02d", (long long)d.year, d.month, d.day);
  else
    snprintf(buf, size, "%04lld-%02d-%02d %02d:%02d:%02d", (long long)d.year, d.month, d.day, d.hour,
             d.minute, d.second);
}

/* ---- steps ---- */

static int month_length(int64_t year, int month) {
  return (int)(day_number(month < 12 ? year : year + 1, month < 12 ? month + 1 : 1, 1) -
               day_number(year, month, 1));
}

int64_t fc_date_add(int64_t t, fc_date_step step, int64_t n) {
  const fc_date d = fc_date_of(t);

  if (!step.months) return t + n * step.seconds;
  const int64_t month = d.year * 12 + d.month - 1 + n * step.months, year = floor_div(month, 12);
  const int     m = (int)(month - 12 * year) + 1, length = month_length(year, m);
  const bool    last = d.day == month_length(d.year, d.month);
  return fc_date_seconds(year, m, last || d.day > length ? length : d.day, d.hour, d.minute, d.second);
}

const char *fc_date_freq(fc_date_step step) {
  const int64_t s = step.seconds;

  if (step.months) return step.months % 3 || step.months % 12 == 0 ? "m" : "q";
  if (s % MINUTE) return "s";
  if (s % HOUR) return "t";
  if (s % DAY) return "h";
  return s % WEEK ? "d" : "w";
}

int64_t fc_date_season(fc_date_step step) {
  const int64_t s = step.seconds;

  if (step.months) return 12 % step.months ? 1 : 12 / step.months;
  if (s <= 0) return 1;
  if (s < DAY) return DAY % s ? 1 : DAY / s;
  if (s % WEEK == 0) return 52 % (s / WEEK) ? 1 : 52 / (s / WEEK);
  return WEEK % s ? 1 : WEEK / s;
}

/* largest first; a name is followed by what else may stand for it */
static const struct {
  int64_t     seconds, months;
  const char *name, *other;
} units[] = {{0, 12, "year", " y a yr years "},
             {0, 3, "quarter", " q quarters "},
             {0, 1, "month", " mo months "},
             {WEEK, 0, "week", " w weeks "},
             {DAY, 0, "day", " d days "},
             {HOUR, 0, "hour", " h hr hrs hours "},
             {MINUTE, 0, "minute", " min t mins minutes "},
             {1, 0, "second", " s sec secs seconds "}};

void fc_date_step_text(fc_date_step step, char *buf, size_t size) {
  for (int k = 0; k < FC_COUNT(units); k++) {
    const int64_t whole = step.months ? step.months : step.seconds;
    const int64_t unit  = step.months ? units[k].months : units[k].seconds;
    if (!unit || whole % unit || units[k].months == 3) continue; /* "3 months" is what people say */
    snprintf(buf, size, "%lld %s%s", (long long)(whole / unit), units[k].name, whole == unit ? "" : "s");
    return;
  }
  snprintf(buf, size, "no step");
}

static bool is_unit(int k, const char *word) {
  char padded[16];

  snprintf(padded, sizeof padded, " %.12s ", word);
  return !strcmp(word, units[k].name) || strstr(units[k].other, padded);
}

/* "m" alone could be minutes or months, and is neither */
bool fc_date_step_read(const char *text, fc_date_step *out) {
  char *end, word[12];
  long  n = strtol(text, &end, 10);
  int   k = 0, length = 0;

  if (end == text) n = 1;
  while (isspace((unsigned char)*end)) end++;
  while (isalpha((unsigned char)*end) && length < (int)sizeof word - 1)
    word[length++] = (char)tolower((unsigned char)*end++);
  word[length] = 0;
  while (k < FC_COUNT(units) && !is_unit(k, word)) k++;
  if (n < 1 || n > 1000000000 || !length || k == FC_COUNT(units) || !fc_text_blank(end)) return false;
  *out = (fc_date_step){n * units[k].seconds, n * units[k].months};
  return true;
}

/* ---- marks ---- */

typedef enum { SECOND_, MINUTE_, HOUR_, WEEKDAY_, MONTH_DAY_, YEAR_DAY_, WEEK_, MONTH_, END_ } mark;

static const struct {
  const char *freq;
  mark        mark[7];
} scaled[] = {{"s", {SECOND_, MINUTE_, HOUR_, WEEKDAY_, MONTH_DAY_, YEAR_DAY_, END_}},
              {"t", {MINUTE_, HOUR_, WEEKDAY_, MONTH_DAY_, YEAR_DAY_, END_}},
              {"h", {HOUR_, WEEKDAY_, MONTH_DAY_, YEAR_DAY_, END_}},
              {"d", {WEEKDAY_, MONTH_DAY_, YEAR_DAY_, END_}},
              {"b", {WEEKDAY_, MONTH_DAY_, YEAR_DAY_, END_}},
              {"w", {MONTH_DAY_, WEEK_, END_}},
              {"m", {MONTH_, END_}},
              {"q", {MONTH_, END_}}};

/* from -1/2 at the first value to 1/2 at the last */
static double scaled_mark(mark m, const fc_date *d) {
  switch (m) {
  case SECOND_:
    return d->second / 59.0 - 0.5;
  case MINUTE_:
    return d->minute / 59.0 - 0.5;
  case HOUR_:
    return d->hour / 23.0 - 0.5;
  case WEEKDAY_:
    return d->weekday / 6.0 - 0.5;
  case MONTH_DAY_:
    return (d->day - 1) / 30.0 - 0.5;
  case YEAR_DAY_:
    return (d->year_day - 1) / 365.0 - 0.5;
  case WEEK_:
    return (d->iso_week - 1) / 52.0 - 0.5;
  default:
    return (d->month - 1) / 11.0 - 0.5;
  }
}

static int whole_marks(bool quarter_hours, const fc_date *d, fc_real *out) {
  out[0] = (fc_real)d->month;
  out[1] = (fc_real)d->day;
  out[2] = (fc_real)d->weekday;
  out[3] = (fc_real)d->hour;
  if (quarter_hours) out[4] = (fc_real)(d->minute / 15);
  return quarter_hours ? 5 : 4;
}

int fc_marks_at(fc_marks_kind kind, const char *freq, int64_t t, fc_real *out) {
  const fc_date d = fc_date_of(t);
  int           k = 0, n = 0;

  while (k < FC_COUNT(scaled) && strcmp(scaled[k].freq, freq)) k++;
  if (kind == FC_MARKS_NONE || k == FC_COUNT(scaled)) return 0;
  if (kind == FC_MARKS_WHOLE) return whole_marks(*freq == 't', &d, out);
  for (; scaled[k].mark[n] != END_; n++) out[n] = (fc_real)scaled_mark(scaled[k].mark[n], &d);
  return n;
}
