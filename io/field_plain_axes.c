/* io/field_plain_axes.c - which axis of a bare data set is which: by the lengths of the coordinates, and the
   one that none fits are the samples. */
#include "io/field_plain.h"

#include <stdio.h>
#include <string.h>

static const char order[FC_PLAIN_AXES + 1] = "btxyz"; /* in which axes are expected */

bool fc_plain_has_coordinates(const fc_plain *s) {
  return s->length[0] || s->length[1] || s->length[2] || s->length[FC_PLAIN_T];
}

static int64_t length_of(const fc_plain *s, char letter) {
  const int a = letter == 't' ? FC_PLAIN_T : letter - 'x';

  return letter == 'b' ? s->samples : s->length[a];
}

/* a length of zero fits anything: the number of samples before it is known */
static bool fits(const fc_plain *s, const fc_plain_set *e, const char *axes) {
  for (int i = 0; i < e->rank; i++) {
    const int64_t n = length_of(s, axes[i]);
    if (n && n != e->dim[i]) return false;
  }
  return true;
}

/* Letters from `left` to axes at.. of e in every order; counts the ways, keeps the first. */
static int arrange(const fc_plain *s, const fc_plain_set *e, int at, char *left, char *axes, char *first) {
  int ways = 0;

  if (at == e->rank) {
    axes[at] = 0;
    if (!fits(s, e, axes)) return 0;
    if (!first[0]) strcpy(first, axes);
    return 1;
  }
  for (int k = 0; left[k]; k++) {
    if (left[k] == ' ') continue;
    axes[at] = left[k];
    left[k]  = ' ';
    ways += arrange(s, e, at + 1, left, axes, first);
    left[k] = axes[at];
  }
  return ways;
}

/* Space axes that there are, and as many of samples and time as the rank asks for, in the usual order. False
   if the rank is another. */
static bool letters(const fc_plain *s, const fc_plain_set *e, bool samples, bool time, char *out) {
  int n = 0;

  for (int k = 0; k < FC_PLAIN_AXES; k++)
    if (order[k] == 'b' ? samples : order[k] == 't' ? time : length_of(s, order[k]) > 0) out[n++] = order[k];
  out[n] = 0;
  return n == e->rank && (!time || s->length[FC_PLAIN_T]);
}

static void shape_text(const fc_plain_set *e, char *out, size_t size) {
  size_t n = 0;

  for (int i = 0; i < e->rank && n < size; i++)
    n += (size_t)snprintf(out + n, size - n, "%s%lld", i ? " x " : "", (long long)e->dim[i]);
}

static fc_status does_not_fit(const fc_plain *s, const fc_plain_set *e, const char *path, int ways) {
  char   shape[160], have[120] = "none";
  size_t n = 0;

  shape_text(e, shape, sizeof shape);
  FC_REQUIRE(
      ways == 0, FC_E_INPUT,
      "%s: data set '%s' (%s) fits its coordinates in more than one order; store it in the order samples, "
      "t, x, y, z",
      path, e->name, shape);
  for (int a = 0; a < FC_PLAIN_COORDINATES; a++)
    if (s->length[a])
      n += (size_t)snprintf(have + n, sizeof have - n, "%s%s (%lld)", n ? ", " : "", fc_plain_coordinates[a],
                            (long long)s->length[a]);
  return fc_fail(
      FC_E_INPUT,
      "%s: the axes of data set '%s' (%s) do not fit the coordinates: %s; add vectors x, y, z, t of its "
      "lengths, all but for the samples",
      path, e->name, shape, have);
}

/* One axis beside space may be samples or time; samples if their number is known from another field. */
static fc_status find_axes(fc_plain *s, fc_plain_set *e, const char *path) {
  static const bool with[5][2] = {{true, true}, {true, false}, {false, true}, {true, false}, {false, false}};
  char              set[FC_PLAIN_AXES + 1], axes[FC_H5_RANK + 1];
  int               ways = 0;

  for (int k = 0; k < 5; k++)
    if (letters(s, e, with[k][0], with[k][1], set) && (k != 1 || s->samples) && fits(s, e, set)) {
      strcpy(e->axes, set);
      return FC_OK;
    }
  for (int k = 0; k < 5 && !ways; k++)
    if (letters(s, e, with[k][0], with[k][1], set) && (k != 1 || s->samples))
      ways = arrange(s, e, 0, set, axes, e->axes);
  return ways == 1 ? FC_OK : does_not_fit(s, e, path, ways);
}

/* fields with samples and time first: they tell the number of samples */
static fc_status find_all_axes(fc_plain *s, const char *path) {
  int space = 0;

  for (int a = 0; a < FC_PLAIN_T; a++) space += s->length[a] > 0;
  for (int pass = 0; pass < 2; pass++)
    for (int i = 0; i < s->n; i++) {
      fc_plain_set *e = &s->field[i];
      if ((e->rank < space + 2) == (pass == 0)) continue;
      FC_REQUIRE(e->rank <= FC_PLAIN_AXES, FC_E_INPUT,
                 "%s: data set '%s' has %d axes; samples, t, x, y, z are known", path, e->name, e->rank);
      FC_TRY(find_axes(s, e, path));
      if (strchr(e->axes, 'b') && !s->samples) s->samples = e->dim[strchr(e->axes, 'b') - e->axes];
    }
  return FC_OK;
}

static fc_status equal_shapes(fc_plain *s, const char *path) {
  char a[160], b[160];

  shape_text(&s->field[0], a, sizeof a);
  for (int i = 1; i < s->n; i++) {
    shape_text(&s->field[i], b, sizeof b);
    FC_REQUIRE(!strcmp(a, b), FC_E_INPUT,
               "%s: '%s' is %s, '%s' is %s, and there are no coordinates to tell the axes: add "
               "vectors x, y, z, t of their lengths",
               path, s->field[0].name, a, s->field[i].name, b);
  }
  FC_REQUIRE(
      s->n > 1 && s->field[0].rank <= 4, FC_E_INPUT,
      "%s: nothing tells what the axes of data set '%s' (%s) are: add vectors x, y, z, t of their lengths",
      path, s->field[0].name, a);
  for (int i = 0; i < s->n; i++)
    snprintf(s->field[i].axes, sizeof s->field[i].axes, "b%.*s", s->field[i].rank - 1, "xyz");
  s->samples = s->field[0].dim[0];
  return FC_OK;
}

fc_status fc_plain_axes(fc_plain *s, const char *path) {
  return fc_plain_has_coordinates(s) ? find_all_axes(s, path) : equal_shapes(s, path);
}
