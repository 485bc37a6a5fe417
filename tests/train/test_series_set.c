/* tests/train/test_series_set.c - parts, windows, scale and batches of series against numbers made by hand.
 */
#include "tests/train/toy_series.h"
#include "train/series_known.h"

static const double f32 = 1e-6;

static void two_numbers(int64_t r, FILE *f) { fprintf(f, "%lld,%g", (long long)r, 0.5 * (double)r); }

static void check_window(const fc_series_set *s, fc_series_part part, int64_t window, int series,
                         int64_t row) {
  int     k;
  int64_t at;

  fc_series_window_at(s, part, window, &k, &at);
  CHECK(k == series && at == row);
}

/* the borders of ETTh1: 12, 4 and 4 months of 30 days, the rest is not used */
static void borders_of_ett(void) {
  const char *data = tide_file("etth.csv", "a,b", 17420, two_numbers);
  tide        t;

  CHECK_OK(tide_open(data, "args.lookback=96 args.horizon=96 data.split_rows=8640,2880,2880", NULL, &t));
  CHECK(fc_series_windows(&t.set, FC_PART_TRAIN) == 8449);
  CHECK(fc_series_windows(&t.set, FC_PART_VALID) == 2785);
  CHECK(fc_series_windows(&t.set, FC_PART_TEST) == 2785);
  check_window(&t.set, FC_PART_TRAIN, 0, 0, 0);
  check_window(&t.set, FC_PART_TRAIN, 8448, 0, 8640 - 192);
  check_window(&t.set, FC_PART_VALID, 0, 0, 8640 - 96); /* looks back before its border */
  check_window(&t.set, FC_PART_TEST, 0, 0, 11520 - 96);
  check_window(&t.set, FC_PART_TEST, 2784, 0, 14400 - 192);
  tide_close(&t);
  CHECK_OK(tide_open(data, "args.lookback=96 args.horizon=720 data.split_rows=8640,2880,2880", NULL, &t));
  CHECK(fc_series_windows(&t.set, FC_PART_TEST) == 2161);
  tide_close(&t);
}

/* int(0.7 n), int(0.2 n) and the rest: 7588 days of exchange rates give 5311, 760 and 1517 */
static void shares_and_dates(void) {
  const char *data = tide_file("shares.csv", "a,b", 7588, two_numbers);
  tide        t;

  CHECK_OK(tide_open(data, "", NULL, &t));
  CHECK(t.set.lo[1] == 5311 && t.set.lo[2] == 5311 + 760 && t.set.hi[2] == 7588);
  tide_close(&t);
  CHECK_OK(tide_open(data, "data.split=0.5,0.1,0.1", NULL, &t));
  CHECK(t.set.lo[1] == 3794 && t.set.lo[2] == 3794 + 758 && t.set.hi[2] == 3794 + 2 * 758);
  tide_close(&t);
  CHECK_OK(tide_open(data, "data.split_dates=2020-03-03,2020-03-04", NULL, &t));
  CHECK(t.set.hi[0] == 48 && t.set.hi[1] == 72 && t.set.hi[2] == 7588);
  tide_close(&t);
  CHECK_OK(tide_open(data, "data.split_dates=2020-03-03,2020-03-04T06:00:00,2020-03-05", NULL, &t));
  CHECK(t.set.hi[1] == 78 && t.set.hi[2] == 96);
  tide_close(&t);
}

/* rows 0 to 4 train: mean 2, deviation sqrt(2) over all of them, not one less; what never changes is divided
   by 1 */
static void with_constant(int64_t r, FILE *f) { fprintf(f, "%lld,5,%lld", (long long)r, (long long)(r * r)); }

static void scale_of_training_rows(void) {
  const char *data = tide_file("scale.csv", "a,same,b", 20, with_constant);
  tide        t;

  CHECK_OK(tide_open(data, "args.lookback=2 args.horizon=1 data.split_rows=5,5,5", NULL, &t));
  const fc_series_set *s = &t.set;
  CHECK_NEAR(s->scale.mean[0], 2, 1e-15);
  CHECK_NEAR(s->scale.std[0], sqrt(2), 1e-15);
  CHECK_NEAR(s->scale.mean[1], 5, 0);
  CHECK_NEAR(s->scale.std[1], 1, 0);
  CHECK_NEAR(s->scale.mean[2], 6, 1e-15); /* 0 1 4 9 16 */
  CHECK_NEAR(s->scale.std[2], sqrt((36 + 25 + 4 + 9 + 100) / 5.0), 1e-14);
  CHECK_NEAR(s->scaled[19 * 3], (19 - 2) / sqrt(2), f32 * 17);
  CHECK_NEAR(s->scaled[19 * 3 + 1], 0, 0);
  tide_close(&t);
  CHECK_OK(tide_open(data, "args.lookback=2 args.horizon=1 data.normalize=false", NULL, &t));
  CHECK_NEAR(t.set.scaled[19 * 3 + 2], 361, 0);
  tide_close(&t);
}

/* L = 4, P = 3, label = 2: columns other than the target come first, x_dec ends with zeros */
static void standard_batches(void) {
  const char *data = tide_file("batch.csv", "a,b", 60, two_numbers);
  tide        t;
  fc_batch    b;
  fc_tensor  *target;
  fc_ctx     *c = check_ctx();

  CHECK_OK(tide_open(data, "args.label=2 args.marks=scaled data.targets=a data.normalize=false", NULL, &t));
  fc_series_batch(c, &t.set, 2, (int64_t[]){10, 53}, &b, &target);
  const fc_tensor *x = fc_batch_get(&b, "x_enc"), *d = fc_batch_get(&b, "x_dec");
  CHECK(t.set.n_variates == 2 && t.set.n_targets == 1 && fc_len(x) == 2 * 4 * 2 && fc_len(d) == 2 * 5 * 2);
  for (int w = 0; w < 2; w++) {
    const double row = w ? 53 : 10;
    for (int i = 0; i < 4; i++) CHECK_NEAR(x->x[w * 8 + 2 * i], 0.5 * (row + i), 0);
    for (int i = 0; i < 4; i++) CHECK_NEAR(x->x[w * 8 + 2 * i + 1], row + i, 0);
    for (int i = 0; i < 2; i++) CHECK_NEAR(d->x[w * 10 + 2 * i + 1], row + 2 + i, 0);
    for (int i = 4; i < 10; i++) CHECK_NEAR(d->x[w * 10 + i], 0, 0);
    for (int i = 0; i < 3; i++) CHECK_NEAR(target->x[w * 3 + i], row + 4 + i, 0);
  }
  CHECK(!fc_batch_get(&b, "reals"));
  fc_tensor *y = fc_series_call(c, t.net, &t.set, &b); /* of both columns the target alone */
  CHECK(y->ndim == 3 && y->dim[0] == 2 && y->dim[1] == 3 && y->dim[2] == 1);
  tide_close(&t);
}

/* the targets alone; all columns in the order of the file; one twice */
static void which_columns(void) {
  const char *data = tide_file("columns.csv", "a,b,c", 60, with_constant);
  tide        t;

  CHECK_OK(tide_open(data, "data.targets=b data.observed=none", NULL, &t));
  CHECK(t.set.n_variates == 1 && t.set.variate[0] == 1 && t.set.n_targets == 1);
  tide_close(&t);
  CHECK_OK(tide_open(data, "", NULL, &t));
  CHECK(t.set.n_variates == 3 && t.set.n_targets == 3 && t.set.variate[2] == 2);
  tide_close(&t);
  CHECK_OK(tide_open(data, "data.targets=a data.known=c", NULL, &t));
  CHECK(t.set.n_variates == 3 && t.set.variate[0] == 1 && t.set.variate[1] == 2 && t.set.variate[2] == 0);
  tide_close(&t);
  CHECK_OK(tide_open(data, "data.observed=[a]", NULL, &t)); /* the others are targets */
  CHECK(t.set.n_targets == 2 && t.set.target[0] == 1 && t.set.variate[0] == 0);
  tide_close(&t);
}

/* marks of the rows, and behind the end of the file those of the dates that would follow */
static void calendar(void) {
  const char *data = tide_file("calendar.csv", "a,b", 60, two_numbers);
  tide        t;
  fc_batch    b;
  fc_real     m[8];
  fc_ctx     *c = check_ctx();

  CHECK_OK(tide_open(data, "args.label=1 args.marks=whole", NULL, &t));
  fc_series_batch(c, &t.set, 1, (int64_t[]){56}, &b, NULL); /* its horizon is rows 60 to 62 */
  const fc_tensor *past = fc_batch_get(&b, "x_mark_enc"), *next = fc_batch_get(&b, "x_mark_dec");
  const int        n = fc_marks_at(FC_MARKS_WHOLE, "h", 0, m);
  CHECK(past->dim[1] == 4 && past->dim[2] == n && next->dim[1] == 4 && n == 4);
  for (int i = 0; i < 7; i++) {
    fc_marks_at(FC_MARKS_WHOLE, "h", fc_date_seconds(2020, 3, 3, 8 + i, 0, 0), m);
    for (int k = 0; i < 4 && k < n; k++) CHECK_NEAR(past->x[i * n + k], m[k], 0);
    for (int k = 0; i >= 3 && k < n; k++) CHECK_NEAR(next->x[(i - 3) * n + k], m[k], 0);
  }
  tide_close(&t);
}

/* ---- columns by name, two series ---- */

/* hours of two series; days come in the order work, rest, feast, or begin with another one */
static const char *harbour_file(const char *name, int first_day, const char *feast) {
  const char *const day[] = {"work", "rest", feast};
  const char       *path  = check_path(name);
  FILE             *f     = fopen(path, "w");
  char              date[64];

  fprintf(f, "date,place,wind,day,moon,level\n");
  for (int r = 0; r < 60; r++) {
    const int k = r % 30;
    fc_date_text(fc_date_seconds(2020, 3, 1, 0, 0, 0) + 3600 * k, false, date, sizeof date);
    fprintf(f, "%s,%s,%d,%s,%d,%d\n", date, r < 30 ? "north" : "south", 100 + k, day[(k + first_day) % 3],
            200 + k, 300 + r);
  }
  fclose(f);
  return path;
}

#define HARBOURS "args.named=true data.id=place data.categories=place data.normalize=false "

static void columns_by_name(void) {
  const char *data = harbour_file("harbours.csv", 0, "feast");
  tide        t;
  fc_batch    b;
  fc_ctx     *c = check_ctx();

  CHECK_OK(tide_open(data, HARBOURS, NULL, &t));
  CHECK(fc_series_windows(&t.set, FC_PART_TRAIN) == 2 * (21 - 7 + 1));
  check_window(&t.set, FC_PART_TRAIN, 15, 1, 30);
  fc_series_batch(c, &t.set, 2, (int64_t[]){5, 32}, &b, NULL);
  const fc_tensor *reals = fc_batch_get(&b, "reals"), *classes = fc_batch_get(&b, "categories");
  const fc_tensor *lengths = fc_batch_get(&b, "lengths"), *past = fc_batch_get(&b, "target");
  CHECK(reals->dim[1] == 7 && reals->dim[2] == 3 && classes->dim[2] == 2 && past->dim[1] == 4);
  for (int w = 0; w < 2; w++) {
    const int row = w ? 2 : 5; /* in its series */
    CHECK(lengths->x[2 * w] == 4 && lengths->x[2 * w + 1] == 3);
    for (int i = 0; i < 7; i++) {
      const fc_real *x = reals->x + (w * 7 + i) * 3, *k = classes->x + (w * 7 + i) * 2;
      CHECK_NEAR(x[0], i < 4 ? 100 + row + i : 0, 0); /* observed: no future */
      CHECK_NEAR(x[1], 200 + row + i, 0);
      CHECK_NEAR(x[2], i < 4 ? 300 + 30 * w + row + i : 0, 0);
      CHECK_NEAR(k[0], w, 0);
      CHECK_NEAR(k[1], (row + i) % 3, 0);
    }
    for (int i = 0; i < 4; i++) CHECK_NEAR(past->x[w * 4 + i], 300 + 30 * w + row + i, 0);
  }
  tide_close(&t);
}

/* a trained model knows its columns wherever they stand, and its scale */
static void as_trained(void) {
  const char      *data = tide_file("first.csv", "a,b,c", 60, with_constant);
  const char      *swap = tide_file("second.csv", "c,a,b", 30, with_constant);
  fc_series_known *known;
  tide             t, u;

  CHECK_OK(tide_open(data, "data.targets=a data.split_rows=40,10,10", NULL, &t));
  CHECK_OK(fc_series_remember(&t.set, &known));
  CHECK(known->n == 3 && known->n_targets == 1 && !strcmp(known->column[2].name, "a"));
  CHECK_OK(
      tide_open(swap, "data.targets=a data.split_rows=40,10,10", known, &u)); /* shorter: parts are cut */
  CHECK(u.set.variate[0] == 2 && u.set.variate[1] == 0 && u.set.variate[2] == 1 && u.set.target[0] == 1);
  CHECK_NEAR(u.set.scaled[29 * 3 + 1], (5 - t.set.scale.mean[0]) / t.set.scale.std[0], 30 * f32);
  CHECK(u.set.lo[1] == 30 && u.set.hi[2] == 30);
  tide_close(&u);
  CHECK_FAILS(tide_open(tide_file("third.csv", "a,b,x", 30, with_constant), "data.targets=a", known, &u),
              FC_E_MISMATCH, "no column 'c', which the model was trained on");
  tide_close(&u);
  fc_series_known_free(known);
  tide_close(&t);
}

/* through a checkpoint's entries and back */
static fc_series_known *stored(const fc_series_known *k) {
  const char      *path = check_path("known.h5");
  fc_series_known *back;
  fc_store        *s;

  CHECK_OK(fc_store_create(path, &s));
  CHECK_OK(fc_series_known_put(s, k));
  CHECK_OK(fc_store_commit(s));
  CHECK_OK(fc_store_open(path, &s));
  CHECK_OK(fc_series_known_get(s, path, &back));
  fc_store_abandon(s);
  return back;
}

/* classes keep the numbers of the training in a file where they come in another order */
static void classes_as_trained(void) {
  fc_series_known *known, *back;
  tide             t, u;
  fc_batch         b;
  fc_ctx          *c = check_ctx();

  CHECK_OK(tide_open(harbour_file("one.csv", 0, "feast"), HARBOURS, NULL, &t));
  CHECK_OK(fc_series_remember(&t.set, &known));
  back = stored(known);
  CHECK(back->n == 5 && back->n_targets == 1 && back->dated && back->step.seconds == 3600);
  CHECK(back->category[3].n == 3 && !strcmp(back->category[3].name[2], "feast") && !back->category[4].n);
  CHECK(!memcmp(back->mean, known->mean, 5 * sizeof *known->mean));
  CHECK_OK(tide_open(harbour_file("two.csv", 1, "feast"), HARBOURS, back, &u));
  fc_series_batch(c, &u.set, 1, (int64_t[]){3}, &b, NULL);
  for (int i = 0; i < 7; i++) CHECK_NEAR(fc_batch_get(&b, "categories")->x[2 * i + 1], (3 + i + 1) % 3, 0);
  tide_close(&u);
  CHECK_FAILS(tide_open(harbour_file("three.csv", 0, "storm"), HARBOURS, back, &u), FC_E_MISMATCH,
              "'storm' in column day was not among the training data");
  tide_close(&u);
  fc_series_known_free(known);
  fc_series_known_free(back);
  tide_close(&t);
}

/* the last 12 rows know b alone: they belong to no part, and what is behind them is the next date */
static void half_known(int64_t r, FILE *f) {
  if (r < 48)
    fprintf(f, "%lld,%lld", (long long)r, (long long)(2 * r));
  else
    fprintf(f, ",%lld", (long long)(2 * r));
}

static void open_ends(void) {
  const char *data = tide_file("open.csv", "a,b", 60, half_known);
  tide        t;

  CHECK_OK(tide_open(data, "data.targets=a data.known=b data.split=0.5,0.25,0.25", NULL, &t));
  CHECK(t.set.lo[1] == 24 && t.set.lo[2] == 36 && t.set.hi[2] == 48);
  CHECK_NEAR(t.set.scale.mean[0], 11.5, 1e-12);
  CHECK_NEAR(t.set.scaled[59 * 2 + 1], (118 - 23) / t.set.scale.std[1], 1e-5);
  tide_close(&t);
}

/* ---- mistakes ---- */

static fc_status open_and_close(const char *data, const char *set) {
  tide            t;
  const fc_status s = tide_open(data, set, NULL, &t);

  tide_close(&t);
  return s;
}

static void refuses(void) {
  static const tide_refusal tries[] = {
      {"data.targets=aa", FC_E_USAGE, "has no column 'aa'; did you mean 'a'"},
      {"data.targets=a data.known=a", FC_E_USAGE, "data.known: the column 'a' is named twice"},
      {"data.static=b", FC_E_USAGE, "data.static: tide with these options takes no columns"},
      {"args.variates=7", FC_E_MISMATCH, "takes 7 columns"},
      {"args.targets=1", FC_E_MISMATCH, "forecasts 1 columns"},
      {"args.label=5", FC_E_USAGE, "more than the lookback"},
      {"data.split_rows=50,20,20", FC_E_USAGE, "asks for 90 rows"},
      {"data.split_rows=50,10", FC_E_USAGE, "wants three numbers"},
      {"data.split=0.8,0.2,0.2", FC_E_USAGE, "at most 1"},
      {"data.split_dates=2020-03-01", FC_E_USAGE, "first date of validation"},
      {"data.split_dates=soon,2020-03-01", FC_E_USAGE, "'soon' is no date"},
      {"data.split_dates=2020-03-03,2020-03-02", FC_E_USAGE, "back in time"},
      {"data.split_dates=2020-03-02,2020-03-03 data.split_rows=50,5,5", FC_E_USAGE, "one of them"},
  };
  const char *data = tide_file("refuse.csv", "a,b", 60, two_numbers);

  tide_refused(data, FC_COUNT(tries), tries, open_and_close);
}

CHECK_SUITE(series_set, borders_of_ett, shares_and_dates, scale_of_training_rows, standard_batches,
            which_columns, calendar, columns_by_name, as_trained, classes_as_trained, open_ends, refuses)
