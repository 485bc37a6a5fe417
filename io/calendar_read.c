/* io/calendar_read.c - texts that are dates. A date is two or three parts, numbers or a month's name, then
   perhaps a time of day; or a year with a quarter or a week; or digits alone: a year, YYYYMMDD, or seconds or
   milliseconds since 1970. */
#include "io/calendar.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

enum { PARTS = 3, LONGEST = 40 };

typedef struct {
  int64_t value;
  int     digits; /* 0: the name of a month */
} part;

static const char *skip(const char *p) { return p + strspn(p, " \t"); }

static bool read_digits(const char **p, int most, part *out) {
  *out = (part){0, 0};
  for (; isdigit((unsigned char)**p); ++*p, out->digits++)
    if (out->digits < most) out->value = 10 * out->value + (**p - '0');
  return out->digits > 0 && out->digits <= most;
}

/* "Jan", "january", "Sept" */
static bool read_month(const char **p, part *out) {
  static const char *const name[12] = {"january", "february", "march",     "april",   "may",      "june",
                                       "july",    "august",   "september", "october", "november", "december"};
  size_t                   n        = 0;

  while (isalpha((unsigned char)(*p)[n])) n++;
  for (int k = 0; n >= 3 && k < 12; k++) {
    if (n > strlen(name[k]) || strncasecmp(*p, name[k], n)) continue;
    *p += n;
    *out = (part){k + 1, 0};
    return true;
  }
  return false;
}

/* ---- time of day ---- */

/* ".000" and ",000" are fine: a part of a second is not */
static bool read_fraction(const char **p) {
  if (**p != '.' && **p != ',') return true;
  const char *first = ++*p;
  while (**p == '0') ++*p;
  return *p > first && !isdigit((unsigned char)**p);
}

/* "Z", "UTC", "+02:00", "-0530", "+01" */
static bool read_zone(const char **p, int64_t *offset) {
  part h, m = {0, 2};

  *offset = 0;
  if (**p == 'Z' || **p == 'z' || !strncmp(*p, "UTC", 3) || !strncmp(*p, "GMT", 3)) {
    *p += isalpha((unsigned char)(*p)[1]) ? 3 : 1;
    return true;
  }
  if (**p != '+' && **p != '-') return true;
  const int sign = *(*p)++ == '-' ? -1 : 1;
  if (!read_digits(p, 4, &h) || h.digits % 2) return false;
  if (h.digits == 4) m.value = h.value % 100, h.value /= 100;
  if (**p == ':' && h.digits == 2 && (++*p, !read_digits(p, 2, &m))) return false;
  *offset = sign * (h.value * 3600 + m.value * 60);
  return h.value <= 15 && m.value < 60;
}

/* a clock of twelve hours: 12 AM is midnight, 12 PM noon */
static bool read_half(const char **p, int64_t *hour) {
  const char *at = skip(*p);

  if (strncasecmp(at, "AM", 2) && strncasecmp(at, "PM", 2)) return true;
  if (*hour < 1 || *hour > 12) return false;
  *hour = *hour % 12 + (tolower((unsigned char)*at) == 'p' ? 12 : 0);
  *p    = at + 2;
  return true;
}

/* H:MM, H:MM:SS; 24:00 is the end of the day. All of the text must be used up. */
static bool read_time(const char *p, int64_t *seconds) {
  part    h, m, s = {0, 0};
  int64_t offset;

  if (!read_digits(&p, 2, &h) || *p++ != ':' || !read_digits(&p, 2, &m)) return false;
  if (*p == ':' && (p++, !read_digits(&p, 2, &s))) return false;
  if (!read_fraction(&p) || !read_half(&p, &h.value)) return false;
  p = skip(p);
  if (!read_zone(&p, &offset) || *skip(p)) return false;
  const bool end = h.value == 24 && !m.value && !s.value;
  *seconds       = h.value * 3600 + m.value * 60 + s.value - offset;
  return (h.value < 24 || end) && m.value < 60 && s.value < 60;
}

/* ---- day ---- */

static bool good_day(int64_t year, int64_t month, int64_t day, int64_t *seconds) {
  if (month < 1 || month > 12 || day < 1 || day > 31) return false;
  *seconds        = fc_date_seconds(year, (int)month, (int)day, 0, 0, 0);
  const fc_date d = fc_date_of(*seconds);
  return d.month == month && d.day == day; /* no 30th of February */
}

/* two parts: a month of a year */
static bool of_two(const part *a, int64_t *seconds) {
  if (a[0].digits == 4 && a[1].digits <= 2) return good_day(a[0].value, a[1].value, 1, seconds);
  return a[1].digits == 4 && a[0].digits <= 2 && good_day(a[1].value, a[0].value, 1, seconds);
}

static bool of_three(const part *a, char separator, fc_date_order order, int64_t *seconds) {
  if (a[0].digits == 4 && a[2].digits) return good_day(a[0].value, a[1].value, a[2].value, seconds);
  if (a[2].digits != 4 || (!a[0].digits && !a[1].digits)) return false;
  if (separator == '.' || !a[1].digits) return good_day(a[2].value, a[1].value, a[0].value, seconds);
  if (!a[0].digits || order == FC_DATE_MONTH_FIRST)
    return good_day(a[2].value, a[0].value, a[1].value, seconds);
  return order == FC_DATE_DAY_FIRST && good_day(a[2].value, a[1].value, a[0].value, seconds);
}

/* does another part follow? Beside names of months a blank separates, ", " too */
static bool separates(const char *p, char before, bool named) {
  if (*p && strchr("-/.", *p)) return !before || before == *p;
  p += *p == ',';
  return *p == ' ' && (!before || before == ' ') && (named || isalpha((unsigned char)p[1]));
}

/* parts with one and the same separator between them */
static bool read_parts(const char **p, part *a, int *n, char *separator) {
  bool named = false;

  *separator = 0;
  for (*n = 0; *n < PARTS; *p += 1 + (**p == ',')) {
    if (!read_digits(p, 14, &a[*n]) && (named || !(named = read_month(p, &a[*n])))) return false;
    if (++*n == PARTS || !separates(*p, *separator, named)) return true;
    *separator = **p == ',' ? ' ' : **p;
  }
  return true;
}

/* digits alone */
static bool of_one(const part *a, bool more, int64_t *seconds) {
  const int64_t v = a->value;

  if (a->digits == 8) return good_day(v / 10000, v / 100 % 100, v % 100, seconds);
  if (more) return false;
  if (a->digits == 4) return good_day(v, 1, 1, seconds);
  *seconds = a->digits > 10 ? v / 1000 : v;
  return a->digits == 9 || a->digits == 10 || ((a->digits == 12 || a->digits == 13) && v % 1000 == 0);
}

/* Monday of a week of ISO 8601: week 1 holds January 4 */
static bool good_week(int64_t year, int64_t week, int64_t *seconds) {
  const int64_t fourth = fc_date_seconds(year, 1, 4, 0, 0, 0);

  *seconds = fourth + (7 * (week - 1) - fc_date_of(fourth).weekday) * 86400;
  return week > 0 && fc_date_of(*seconds).iso_week == week;
}

/* "2016-Q1", "2016Q1", "Q1 2016": the first day of a quarter; "2016-W07": the Monday of a week */
static bool read_period(const char *p, int64_t *seconds) {
  const bool year_first = isdigit((unsigned char)*p);
  part       year, k;

  if (year_first && (!read_digits(&p, 4, &year) || !*p)) return false;
  if (year_first) p += strchr("- ", *p) != NULL;
  const int kind = toupper((unsigned char)*p);
  if ((kind != 'Q' && kind != 'W') || (p++, !read_digits(&p, 2, &k))) return false;
  if (!year_first && (!*p || !strchr("- ", *p++) || !read_digits(&p, 4, &year))) return false;
  if (*skip(p) || year.digits != 4) return false;
  return kind == 'W' ? good_week(year.value, k.value, seconds)
                     : k.value <= 4 && good_day(year.value, 3 * k.value - 2, 1, seconds);
}

bool fc_date_read(const char *text, fc_date_order order, int64_t *seconds) {
  const char *p = skip(text);
  part        a[PARTS];
  int         n;
  char        separator;
  int64_t     time = 0;

  if (strnlen(p, LONGEST) == LONGEST) return false;
  if (read_period(p, seconds)) return true;
  if (!read_parts(&p, a, &n, &separator)) return false;
  const char *rest = *p == 'T' || *p == 't' ? p + 1 : skip(p);
  if (*rest && (rest == p || !read_time(rest, &time))) return false;
  const bool day = n == 1   ? of_one(a, *rest, seconds)
                   : n == 2 ? separator != '.' && of_two(a, seconds)
                            : of_three(a, separator, order, seconds);
  *seconds += day ? time : 0;
  return day;
}
