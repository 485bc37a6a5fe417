/* io/calendar.h - dates of time series: seconds since 1970-01-01 00:00 (proleptic Gregorian, no leap seconds,
   no zones: what is written is meant), steps between them, and the calendar marks that forecasters take. */
#ifndef FC_CALENDAR_H
#define FC_CALENDAR_H
#include "core/model.h"

typedef struct fc_date {
  int64_t year;
  int     month, day, hour, minute, second; /* from 1, 1, 0, 0, 0 */
  int     weekday, year_day, iso_week;      /* Monday 0; 1 to 366; 1 to 53 */
} fc_date;

fc_date fc_date_of(int64_t seconds);
int64_t fc_date_seconds(int64_t year, int month, int day, int hour, int minute, int second);

/* The usual forms: 2016-07-01 00:00:00, with T, with fractions of zero, with Z or an offset (which is taken
   off), 2016/07/01, 01.07.2016, 1 Jul 2016, a clock of twelve hours, a day alone, a month (2016-07, 07/2016),
   digits alone (2016, 20160701, seconds or milliseconds since 1970), and month/day/year or day/month/year, of
   which a whole column must decide: order says how to read those two. False if text is no date. */
typedef enum { FC_DATE_ISO, FC_DATE_MONTH_FIRST, FC_DATE_DAY_FIRST } fc_date_order;
bool fc_date_read(const char *text, fc_date_order order, int64_t *seconds);
/* as short as the step allows: "2018-06-26 19:00:00", "2018-06-26" for steps of whole days */
void fc_date_text(int64_t seconds, bool day_only, char *buf, size_t size);

/* A step is some seconds, or some months where seconds is 0. */
typedef struct fc_date_step {
  int64_t seconds, months;
} fc_date_step;
/* Months: the last day stays the last day (28 Feb 2015 + 1 month = 31 Mar), other days are cut (30 Jan: 28
 * Feb) */
int64_t     fc_date_add(int64_t t, fc_date_step step, int64_t n);
const char *fc_date_freq(fc_date_step step); /* s, t, h, d, b, w, m, q as in fc_marks_at */
void        fc_date_step_text(fc_date_step step, char *buf, size_t size); /* "1 hour", "30 minutes" */
bool fc_date_step_read(const char *text, fc_date_step *out); /* "1h", "30min", "7d", "1 month"; no "1m" */
/* steps in the season that people expect: a day for hours and less, a week for days, a year for weeks, months
   and quarters; 1 if none */
int64_t fc_date_season(fc_date_step step);

/* Marks of one date, in the order of the official code (features from -1/2 to 1/2, or whole numbers: month,
   day, weekday, hour, for freq t also minute / 15): how many, and their values; out has room for 8. 0: freq
   is none of s, t, h, d, b, w, m, q. */
int fc_marks_at(fc_marks_kind kind, const char *freq, int64_t t, fc_real *out);
#endif
