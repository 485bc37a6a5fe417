/* io/plot_dates.c - ticks of an axis of dates: where hours, days, months or years begin. */
#include "io/calendar.h"
#include "io/plot_draw.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

enum { MINUTE = 60, HOUR = 3600, DAY = 86400, WEEK = 7 * DAY };

/* distances between ticks: seconds, or months */
static const fc_date_step distances[] = {
    {1, 0},           {5, 0},           {15, 0},   {30, 0},       {MINUTE, 0},   {5 * MINUTE, 0},
    {15 * MINUTE, 0}, {30 * MINUTE, 0}, {HOUR, 0}, {3 * HOUR, 0}, {6 * HOUR, 0}, {12 * HOUR, 0},
    {DAY, 0},         {2 * DAY, 0},     {WEEK, 0}, {2 * WEEK, 0}, {0, 1},        {0, 3},
    {0, 6},           {0, 12},          {0, 24},   {0, 60},       {0, 120},      {0, 240},
    {0, 600},         {0, 1200},        {0, 2400}, {0, 6000},     {0, 12000},    {0, 60000}};

/* the last multiple of a distance that is not after t; weeks begin on Mondays */
static int64_t floor_to(int64_t t, fc_date_step by) {
  const fc_date d = fc_date_of(t);

  if (by.months) {
    const int64_t month = d.year * 12 + d.month - 1,
                  at    = month - ((month % by.months) + by.months) % by.months;
    return fc_date_seconds(at / 12, (int)(at % 12) + 1, 1, 0, 0, 0);
  }
  const int64_t origin = by.seconds % WEEK ? 0 : fc_date_seconds(1970, 1, 5, 0, 0, 0);
  return t - (((t - origin) % by.seconds) + by.seconds) % by.seconds;
}

/* midnight shows the day, other times of day the time */
static void label(int64_t t, fc_date_step by, char *buf, size_t size) {
  const fc_date d = fc_date_of(t);
  char          text[48];

  fc_date_text(t, false, text, sizeof text);
  const int from   = t % DAY ? 11 : 0;
  const int length = by.months ? by.months % 12 ? 7 : 4 : t % DAY == 0 ? 10 : d.second ? 8 : 5;
  snprintf(buf, size, "%.*s", length, text + from);
}

void fc_ticks_dates(double lo, double hi, int target, fc_ticks *t) {
  int k = 0;

  *t = (fc_ticks){0};
  if (!(lo > -6.3e10 && hi < 2.53e11)) return; /* four digits for a year */
  while (k < FC_COUNT(distances) - 1 &&
         (hi - lo) / (double)(distances[k].seconds + distances[k].months * 30 * DAY) > target)
    k++;
  const fc_date_step by = distances[k];
  for (int64_t at = floor_to((int64_t)floor(lo), by); (double)at <= hi && t->n < FC_TICKS;
       at         = fc_date_add(at, by, 1)) {
    if ((double)at < lo) continue;
    t->at[t->n] = (double)at;
    label(at, by, t->label[t->n++], sizeof t->label[0]);
  }
}
