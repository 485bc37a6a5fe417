/* tests/train/test_series_panel.c - many series in one file against numbers made by hand: a second file
   behind them, columns by formula, a scale for each series, parts counted from the ends, windows that begin
   too early. */
#include "tests/train/toy_series.h"
#include "train/series_known.h"

#include <math.h>

static const double f32 = 1e-6;

/* a series in each row: k-th value of series s is 10^s (k - begin) + s */
static const char *wide(const char *name, int begin, int north, int south) {
  const char *path = check_path(name);
  const int   n[2] = {north, south}, most = north > south ? north : south;
  FILE       *f = fopen(path, "w");

  for (int k = 0; k <= most; k++) fprintf(f, "%sV%d", k ? "," : "", k + 1);
  for (int s = 0; s < 2; s++) {
    fprintf(f, "\n%s", s ? "south" : "north");
    for (int k = 0; k < most; k++) {
      if (k < n[s])
        fprintf(f, ",%d", (s ? 10 : 1) * (begin + k) + s);
      else
        fputc(',', f);
    }
  }
  fputc('\n', f);
  fclose(f);
  return path;
}

static void formulas(void) {
  tide t;
  char set[512];

  snprintf(set, sizeof set, "data.targets=value data.derive=series,row,row%%5 data.continue=%s",
           wide("more.csv", 20, 4, 4));
  CHECK_OK(tide_open(wide("panel.csv", 0, 20, 20), set, NULL, &t));
  const fc_series_info *i = fc_series_about(t.set.file);
  const double         *x = fc_series_values(t.set.file);
  CHECK(i->rows == 48 && i->at[1] == 24 && i->n_columns == 4);
  CHECK(i->category[1].n == 2 && i->category[3].n == 5 && !i->category[2].n);
  CHECK(!strcmp(i->category[1].name[1], "south") && !strcmp(i->category[3].name[4], "4"));
  for (int r = 0; r < 48; r++) {
    CHECK_NEAR(x[r * 4], r < 24 ? r : 10 * (r - 24) + 1, 0); /* the second file follows without a seam */
    CHECK_NEAR(x[r * 4 + 1], r / 24, 0);
    CHECK_NEAR(x[r * 4 + 2], r % 24, 0);
    CHECK_NEAR(x[r * 4 + 3], r % 24 % 5, 0);
  }
  tide_close(&t);
}

/* a forecast needs formulas behind the end, where nothing else is known */
static void formulas_ahead(void) {
  fc_series *s;

  CHECK_OK(fc_series_open(wide("ahead.csv", 0, 20, 12), NULL, &s));
  CHECK_OK(fc_series_derive(s, "[row, series, value@3]", 3));
  const fc_series_info *i = fc_series_about(s);
  const double         *x = fc_series_values(s);
  CHECK(i->rows == 38 && i->at[1] == 23 && i->at[2] == 38);
  for (int r = 20; r < 23; r++) CHECK(isnan(x[r * 4]) && x[r * 4 + 1] == r && x[r * 4 + 2] == 0);
  for (int r = 35; r < 38; r++) CHECK(isnan(x[r * 4]) && x[r * 4 + 1] == r - 23 && x[r * 4 + 2] == 1);
  for (int r = 0; r < 23; r++) CHECK_NEAR(x[r * 4 + 3], r < 3 ? 0 : r - 3, 0);
  CHECK_NEAR(x[23 * 4 + 3], 1, 0);
  CHECK_NEAR(x[37 * 4 + 3], 10 * 11 + 1, 0);
  CHECK(fc_series_times(s)[22] == fc_series_times(s)[19] + 3);
  CHECK_FAILS(fc_series_derive(s, "row", 0), FC_E_USAGE, "has a column 'row' already");
  fc_series_close(s);
}

#define PANEL "data.targets=value data.split_last=3,4 data.scale=series "

/* 20 and 16 rows: 13 and 9 of them train; 0 .. n-1 has mean (n - 1) / 2 and variance (n^2 - 1) / 12 */
static void ends_and_scales(void) {
  const char      *data = wide("scales.csv", 0, 20, 16);
  fc_series_known *known;
  tide             t, u;

  CHECK_OK(tide_open(data, PANEL, NULL, &t));
  CHECK(t.set.hi[0] == 13 && t.set.hi[1] == 20 + 9); /* training part of both */
  CHECK(t.set.lo[4] == 16 && t.set.hi[4] == 20 && t.set.lo[5] == 32 && t.set.hi[5] == 36);
  CHECK_NEAR(fc_series_mean(&t.set, 0, 0), 6, 1e-12);
  CHECK_NEAR(fc_series_std(&t.set, 0, 0), sqrt(168 / 12.), 1e-12);
  CHECK_NEAR(fc_series_mean(&t.set, 1, 0), 41, 1e-12);
  CHECK_NEAR(fc_series_std(&t.set, 1, 0), 10 * sqrt(80 / 12.), 1e-12);
  CHECK_NEAR(t.set.scaled[19], (19 - 6) / sqrt(14.), 10 * f32);
  CHECK_NEAR(t.set.scaled[35], (151 - 41) / (10 * sqrt(80 / 12.)), 10 * f32);
  CHECK_OK(fc_series_remember(&t.set, &known));
  CHECK(known->n_series == 2 && !strcmp(known->series[1], "south"));
  CHECK_OK(tide_open(wide("later.csv", 7, 30, 30), PANEL, known, &u)); /* other numbers, the same scale */
  CHECK_NEAR(fc_series_std(&u.set, 1, 0), 10 * sqrt(80 / 12.), 1e-12);
  CHECK_NEAR(u.set.scaled[0], (7 - 6) / sqrt(14.), f32);
  tide_close(&u);
  fc_series_known_free(known);
  tide_close(&t);
}

static void scales_in_a_checkpoint(void) {
  const char      *path = check_path("own.h5");
  fc_series_known *known, *back;
  fc_store        *s;
  tide             t;

  CHECK_OK(tide_open(wide("kept.csv", 0, 20, 16), PANEL, NULL, &t));
  CHECK_OK(fc_series_remember(&t.set, &known));
  CHECK_OK(fc_store_create(path, &s));
  CHECK_OK(fc_series_known_put(s, known));
  CHECK_OK(fc_store_commit(s));
  CHECK_OK(fc_store_open(path, &s));
  CHECK_OK(fc_series_known_get(s, path, &back));
  fc_store_abandon(s);
  CHECK(back->n_series == 2 && !strcmp(back->series[0], "north") && !strcmp(back->series[1], "south"));
  CHECK(!memcmp(back->own_mean, known->own_mean, 2 * sizeof *known->own_mean));
  CHECK(!memcmp(back->own_std, known->own_std, 2 * sizeof *known->own_std));
  fc_series_known_free(known);
  fc_series_known_free(back);
  tide_close(&t);
}

/* ---- windows that begin before their series ---- */

static const char *ports(const char *name) {
  const char *path = check_path(name);
  FILE       *f    = fopen(path, "w");

  fprintf(f, "port,place,wind,day,moon,level\n");
  for (int r = 0; r < 60; r++)
    fprintf(f, "%s,%s,%d,%d,%d,%d\n", r < 30 ? "a" : "b", r < 30 ? "north" : "south", 100 + r, r % 3, 200 + r,
            300 + r);
  fclose(f);
  return path;
}

#define PORTS "args.named=true data.date=none data.id=port data.normalize=false data.split=1,0,0 "

/* L 4, P 3, at least one known step: the first window of a series begins three rows before it */
static void short_windows(void) {
  fc_ctx  *c = check_ctx();
  tide     t;
  fc_batch b;
  int      k;
  int64_t  row;

  CHECK_OK(tide_open(ports("ports.csv"), PORTS "data.min_lookback=1", NULL, &t));
  CHECK(fc_series_windows(&t.set, FC_PART_TRAIN) == 2 * (33 - 7 + 1));
  fc_series_window_at(&t.set, FC_PART_TRAIN, 27 + 1, &k, &row);
  CHECK(k == 1 && row == 28 && fc_series_missing(&t.set, row) == 2 && !fc_series_missing(&t.set, 30));
  fc_series_batch(c, &t.set, 2, (int64_t[]){28, -3}, &b, NULL);
  const fc_tensor *reals = fc_batch_get(&b, "reals"), *past = fc_batch_get(&b, "target");
  const fc_tensor *lengths = fc_batch_get(&b, "lengths"), *classes = fc_batch_get(&b, "categories");
  CHECK(lengths->x[0] == 2 && lengths->x[1] == 3 && lengths->x[2] == 1);
  for (int i = 0; i < 7; i++) {
    const int at = i < 4 ? 30 + i : 32 + i - 4; /* two known steps in front, then nothing, then the horizon */
    CHECK_NEAR(reals->x[i * 3], i < 2 ? 100 + at : 0, 0);
    CHECK_NEAR(reals->x[i * 3 + 1], i < 2 || i >= 4 ? 200 + at : 0, 0);
    CHECK_NEAR(classes->x[i * 2 + 1], i < 2 || i >= 4 ? at % 3 : 0, 0);
  }
  for (int i = 0; i < 4; i++) CHECK_NEAR(past->x[i], i < 2 ? 330 + i : 0, 0);
  for (int i = 0; i < 4; i++) CHECK_NEAR(past->x[4 + i], i < 1 ? 300 : 0, 0);
  tide_close(&t);
  CHECK_OK(tide_open(ports("steps.csv"), PORTS "data.window_step=5", NULL, &t));
  CHECK(fc_series_windows(&t.set, FC_PART_TRAIN) == 2 * 5); /* from rows 0, 5, .., 20 */
  fc_series_window_at(&t.set, FC_PART_TRAIN, 6, &k, &row);
  CHECK(k == 1 && row == 35);
  tide_close(&t);
}

static void refuses(void) {
  static const struct {
    const char *set, *text;
  } tries[] = {
      {"data.derive=hour", "'hour' is no formula"},
      {"data.derive=row%1", "'row%1' is no formula"},
      {"data.derive=value", "'value' is no formula"},
      {"data.derive=values@3", "'values@3' is no formula"},
      {"data.derive=value@0", "'value@0' is no formula"},
      {"data.split_last=3", "wants two numbers"},
      {"data.split_last=9,9", "one of"},
      {"data.split_last=3,4 data.split_rows=9,3,4", "give one of them"},
      {"data.min_lookback=2", "takes whole lookbacks alone"},
      {"data.scale=series data.normalize=false", "leaves nothing to scale"},
      {"data.targets=value data.derive=series data.observed=series", "holds classes"},
  };
  const char *data = wide("refuse.csv", 0, 20, 16);
  tide        t;

  for (int i = 0; i < FC_COUNT(tries); i++) {
    CHECK_FAILS(tide_open(data, tries[i].set, NULL, &t),
                i == FC_COUNT(tries) - 1 ? FC_E_MISMATCH : FC_E_USAGE, tries[i].text);
    tide_close(&t);
  }
}

CHECK_SUITE(series_panel, formulas, formulas_ahead, ends_and_scales, scales_in_a_checkpoint, short_windows,
            refuses)
