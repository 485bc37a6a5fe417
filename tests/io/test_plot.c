/* tests/io/test_plot.c - pictures are read back and looked at pixel by pixel. */
#include "io/calendar.h"
#include "io/file.h"
#include "io/plot.h"
#include "io/plot_draw.h"
#include "tests/check.h"

#include <signal.h>
#include <sys/resource.h>

/* ---- looking at a PNG ---- */

typedef struct {
  cairo_surface_t *surface;
  int              width, height;
} photo;

static photo look(const char *path) {
  photo p = {cairo_image_surface_create_from_png(path), 0, 0};
  char  tmp[700];

  CHECK(cairo_surface_status(p.surface) == CAIRO_STATUS_SUCCESS);
  p.width  = cairo_image_surface_get_width(p.surface);
  p.height = cairo_image_surface_get_height(p.surface);
  snprintf(tmp, sizeof tmp, "%s.tmp", path);
  CHECK(!fc_file_exists(tmp));
  return p;
}

static uint32_t pixel(const photo *p, int x, int y) {
  const unsigned char *data = cairo_image_surface_get_data(p->surface);
  return ((const uint32_t *)(const void *)(data +
                                           (ptrdiff_t)y * cairo_image_surface_get_stride(p->surface)))[x] &
         0xffffff;
}

static uint32_t packed(fc_rgb c) {
  return (uint32_t)lround(255 * c.r) << 16 | (uint32_t)lround(255 * c.g) << 8 | (uint32_t)lround(255 * c.b);
}

typedef struct {
  int64_t n;
  double  x, y; /* centre */
} spot;

/* cairo rounds colours in its own way */
static bool alike(uint32_t a, uint32_t b) {
  for (int shift = 0; shift < 24; shift += 8)
    if (abs((int)(a >> shift & 255) - (int)(b >> shift & 255)) > 1) return false;
  return true;
}

/* all pixels of one colour left of a column */
static spot find(const photo *p, uint32_t colour, int right) {
  spot s = {0};

  for (int y = 0; y < p->height; y++)
    for (int x = 0; x < right; x++)
      if (alike(pixel(p, x, y), colour)) {
        s.n++;
        s.x += x;
        s.y += y;
      }
  if (s.n) s.x /= (double)s.n, s.y /= (double)s.n;
  return s;
}

static void check_picture(const char *path) {
  photo p = look(path);

  CHECK(p.width >= 60 && p.height >= 60);
  cairo_surface_destroy(p.surface);
}

/* ---- colours ---- */

static double linear(double v) { return v <= 0.04045 ? v / 12.92 : pow((v + 0.055) / 1.055, 2.4); }

/* CIE L*, 0..100: a measure of lightness that the maps were not built from */
static double lightness(fc_rgb c) {
  const double Y = 0.2126 * linear(c.r) + 0.7152 * linear(c.g) + 0.0722 * linear(c.b);
  return Y > 0.008856 ? 116 * cbrt(Y) - 16 : 903.3 * Y;
}

static void sequential_map_rises_evenly(void) {
  double least = 1e9, most = 0;

  for (int i = 0; i < 64; i++) {
    const double step = lightness(fc_colour_at(FC_MAP_SEQUENTIAL, (i + 1) / 64.)) -
                        lightness(fc_colour_at(FC_MAP_SEQUENTIAL, i / 64.));
    least = fmin(least, step);
    most  = fmax(most, step);
  }
  CHECK(least > 0);
  CHECK(most <
        2 * least); /* even by L*, though built in Oklab, whose lightness differs for saturated colours */
  CHECK(lightness(fc_colour_at(FC_MAP_SEQUENTIAL, 1)) - lightness(fc_colour_at(FC_MAP_SEQUENTIAL, 0)) > 75);
}

static void diverging_map_is_neutral_and_symmetric(void) {
  const fc_rgb middle = fc_colour_at(FC_MAP_DIVERGING, 0.5);

  CHECK_NEAR(middle.r, middle.g, 1e-3);
  CHECK_NEAR(middle.b, middle.g, 1e-3);
  for (int i = 1; i <= 16; i++) {
    const fc_rgb low  = fc_colour_at(FC_MAP_DIVERGING, 0.5 - i / 32.),
                 high = fc_colour_at(FC_MAP_DIVERGING, 0.5 + i / 32.);
    CHECK(low.b > low.r && high.r > high.b);
    CHECK_NEAR(lightness(low), lightness(high), 4); /* Oklab against L* */
    CHECK(lightness(low) < lightness(fc_colour_at(FC_MAP_DIVERGING, 0.5 - (i - 1) / 32.)));
  }
}

static void colours_differ(void) {
  for (int i = 0; i < 8; i++)
    for (int j = 0; j < i; j++) {
      const fc_rgb a = fc_colour_line(i), b = fc_colour_line(j);
      CHECK(hypot(hypot(a.r - b.r, a.g - b.g), a.b - b.b) > 0.25);
    }
  CHECK(packed(fc_colour_line(8)) == packed(fc_colour_line(0)));
  CHECK(packed(fc_colour_at(FC_MAP_SEQUENTIAL, -3)) == packed(fc_colour_at(FC_MAP_SEQUENTIAL, 0)));
  CHECK(packed(fc_colour_at(FC_MAP_SEQUENTIAL, 7)) == packed(fc_colour_at(FC_MAP_SEQUENTIAL, 1)));
}

/* ---- ticks ---- */

/* Labels say the numbers they stand at, within half of the last digit: read them back. */
static void check_labels(const fc_ticks *t, double lo, double hi) {
  const double width = hi - lo;

  CHECK(t->n >= 2 && t->n <= 12);
  for (int i = 0; i < t->n; i++) {
    CHECK(t->at[i] >= lo - 1e-8 * width && t->at[i] <= hi + 1e-8 * width);
    CHECK_NEAR(strtod(t->label[i], NULL) * pow(10, t->exponent), t->at[i], 1e-6 * width);
    if (i > 0) CHECK(strcmp(t->label[i], t->label[i - 1]));
  }
}

static void linear_ticks_are_round(void) {
  static const double ranges[][2] = {
      {0, 1},          {-3, 7},     {1e-7, 3e-7},   {-2e9, 1e9},    {101324.2, 101325.9},
      {99999, 100002}, {-1e-30, 0}, {0.123, 0.124}, {-1e200, 1e200}};

  for (int k = 0; k < FC_COUNT(ranges); k++)
    for (int target = 3; target < 8; target++) {
      fc_ticks t;
      fc_ticks_linear(ranges[k][0], ranges[k][1], target, &t);
      check_labels(&t, ranges[k][0], ranges[k][1]);
      const double step = t.at[1] - t.at[0], m = step / pow(10, floor(log10(step * 1.0001)));
      CHECK(fabs(m - 1) < 1e-3 || fabs(m - 2) < 1e-3 || fabs(m - 5) < 1e-3);
    }
}

static void log_ticks_are_decades(void) {
  fc_ticks t;

  fc_ticks_log(1e-12, 1e3, 6, &t);
  CHECK(t.n >= 3 && t.n <= 7);
  for (int i = 0; i < t.n; i++) CHECK_NEAR(log10(t.at[i]), round(log10(t.at[i])), 1e-9);
  fc_ticks_log(0.9, 60, 6, &t);
  CHECK(t.n == 6 && !strcmp(t.label[0], "1") && !strcmp(t.label[1], "2") && !strcmp(t.label[5], "50"));
  CHECK(t.n_minor > 3);
  fc_ticks_log(1.0, 1.5, 5, &t);
  check_labels(&t, 1.0, 1.5);
}

/* ---- panels ---- */

static fc_status one_panel(const char *path, int64_t nx, int64_t ny, const fc_real *x, double lo, double hi) {
  const fc_panel p = {.nx = nx, .ny = ny, .x = x, .stride = 1, .lo = lo, .hi = hi};

  return fc_plot_panels(path, NULL, 1, 1, &p, NULL, NULL, NULL);
}

/* x[nx = 3, ny = 2]: each value fills a block of the same size at its place; columns go right, rows upwards
 */
static void values_are_blocks_at_their_place(void) {
  const fc_real x[]  = {0, 1, 2, 3, 4, 5};
  const char   *path = check_path("blocks.png");
  int64_t       size = 0;
  spot          s[6];

  CHECK_OK(one_panel(path, 3, 2, x, 0, 0));
  photo p = look(path);
  for (int i = 0; i < 6; i++) {
    const double shade =
        i == 5 ? 1023.5 / 1024 : (floor(i / 5. * 1024) + 0.5) / 1024; /* 1024 shades, middle of each */
    s[i] =
        find(&p, packed(fc_colour_at(FC_MAP_SEQUENTIAL, shade)), p.width - 50); /* without the colour bar */
    if (!size) size = s[i].n;
    CHECK(s[i].n == size && size > 80 * 80 &&
          lround(sqrt((double)size)) * lround(sqrt((double)size)) == size);
  }
  for (int i = 0; i < 3; i++) {
    CHECK(s[2 * i].y > s[2 * i + 1].y && s[2 * i].x == s[2 * i + 1].x);
    if (i) CHECK(s[2 * i].x > s[2 * i - 2].x && s[2 * i].y == s[2 * i - 2].y);
  }
  cairo_surface_destroy(p.surface);
}

static void nan_and_infinity_are_grey(void) {
  const fc_real x[]  = {NAN, 1, (fc_real)-INFINITY, 2};
  const char   *path = check_path("grey.png");

  CHECK_OK(one_panel(path, 2, 2, x, 0, 0));
  photo      p = look(path);
  const spot s = find(&p, packed(fc_colour_at(FC_MAP_SEQUENTIAL, NAN)), p.width - 50);
  CHECK(s.n == 2 * 160 * 160);
  cairo_surface_destroy(p.surface);
}

/* A checkerboard finer than the pixels becomes its mean, not moire. */
static void large_fields_are_averaged(void) {
  enum { N = 1000 };
  fc_real     *x    = malloc(N * N * sizeof *x);
  const char  *path = check_path("fine.png");
  const fc_rgb lo = fc_colour_at(FC_MAP_SEQUENTIAL, 0), hi = fc_colour_at(FC_MAP_SEQUENTIAL, 1);

  for (int i = 0; i < N * N; i++) x[i] = (fc_real)((i / N + i % N) % 2);
  CHECK_OK(one_panel(path, N, N, x, 0, 1));
  photo p = look(path);
  CHECK(p.width < 500);
  for (int y = 60; y < p.height - 60; y += 7)
    for (int k = 60; k < 260; k += 7) {
      const uint32_t g = pixel(&p, k, y) >> 8 & 0xff; /* green rises all along the map */
      CHECK(g > 255 * lo.g + 60 && g < 255 * hi.g - 60);
    }
  cairo_surface_destroy(p.surface);
  free(x);
}

/* ---- scenes ---- */

static fc_status one_scene(const char *path, const fc_scene *scene, const fc_real *x) {
  const fc_panel p = {.x = x, .stride = 1, .lo = 0, .hi = 1, .scene = scene};

  return fc_plot_panels(path, NULL, 1, 1, &p, NULL, NULL, NULL);
}

static uint32_t first_shade(void) { return packed(fc_colour_at(FC_MAP_SEQUENTIAL, 0.5 / 1024)); }
static uint32_t last_shade(void) { return packed(fc_colour_at(FC_MAP_SEQUENTIAL, 1023.5 / 1024)); }

/* two triangles tile a square: low to the right of the diagonal, high to the left of it, each half of the
   area; the linear mix inside a third, with corners 0, 0, 1, has its mean at 1/3 */
static void triangles_fill_their_area(void) {
  const fc_real x[] = {0, 0, 1, 0, 1, 1, 0, 0, 1, 1, 0, 1}, v[] = {0, 0, 0, 1, 1, 1};
  const int64_t cell[] = {0, 1, 2, 3, 4, 5};
  fc_scene      scene  = {.n = 6, .space = 2, .x = x, .cells = 2, .corners = 3, .cell = cell};
  const char   *path   = check_path("triangles.png");

  CHECK_OK(one_scene(path, &scene, v));
  photo        p  = look(path);
  const spot   lo = find(&p, first_shade(), 640), hi = find(&p, last_shade(), 640);
  const double side = 640 / 1.06; /* the margin on both sides */
  CHECK_NEAR((double)lo.n, side * side / 2, 0.01 * side * side);
  CHECK_NEAR((double)hi.n, side * side / 2, 0.01 * side * side);
  CHECK_NEAR(lo.x - hi.x, side / 3, 2); /* centres of gravity: 2/3, 1/3 across; 1/3, 2/3 up */
  CHECK_NEAR(lo.y - hi.y, side / 3, 2);
  cairo_surface_destroy(p.surface);

  const fc_real ramp[] = {0, 0, 1, 0, 0, 0};
  int64_t       below = 0, above = 0;
  scene.cells = 1;
  CHECK_OK(one_scene(path, &scene, ramp));
  p = look(path);
  for (int y = 0; y < p.height; y++)
    for (int k = 20; k < 640; k++) {
      const uint32_t c = pixel(&p, k, y);
      if (c == 0xffffff || c == 0) continue;
      const bool high = (c >> 8 & 255) > lround(255 * fc_colour_at(FC_MAP_SEQUENTIAL, 0.5).g);
      high ? above++ : below++;
    }
  CHECK_NEAR((double)above / (double)(above + below), 0.25,
             0.02); /* the part above 1/2: similar, half as long */
  cairo_surface_destroy(p.surface);
}

/* The same two discs in space, seen from two sides: the nearer one hides the other. */
static void near_points_hide_far_ones(void) {
  const fc_real x[] = {0, 0, 0, 0, 0, 1}, v[] = {0, 1};
  fc_scene      scene = {.n = 2, .space = 3, .up = 1, .x = x}; /* eye at the end of z, y upwards */
  const char   *path  = check_path("depth.png");

  for (int side = 0; side < 2; side++) {
    scene.azimuth = 180 * side;
    CHECK_OK(one_scene(path, &scene, v));
    photo      p    = look(path);
    const spot seen = find(&p, side ? first_shade() : last_shade(), 640);
    CHECK(seen.n > 50 && find(&p, side ? last_shade() : first_shade(), 640).n == 0);
    cairo_surface_destroy(p.surface);
  }
}

static void any_table_of_panels(void) {
  enum { MANY = 32 };
  static fc_real x[40 * 40];
  const char    *words[MANY], *path = check_path("many.png");
  fc_panel       p[MANY];

  for (int i = 0; i < MANY; i++) {
    words[i] = i % 3 ? "a_label_much_longer_than_any_panel_is_wide (kg m^-1 s^-2) with some more words"
                     : "broken \xff\xc3 \xe2\x88";
    p[i]     = (fc_panel){.title  = i % 2 ? words[i] : NULL,
                          .nx     = 1 + i,
                          .ny     = 40 - i,
                          .x      = i % 5 == 4 ? NULL : x,
                          .stride = 1,
                          .map    = i % 2 ? FC_MAP_DIVERGING : FC_MAP_SEQUENTIAL};
  }
  for (int kind = 0; kind < 4; kind++) { /* constant, all NaN, huge, offset */
    for (int i = 0; i < 1600; i++)
      x[i] = (fc_real)(kind == 0 ? 7 : kind == 1 ? NAN : kind == 2 ? (i % 2 ? 3e38 : -3e38) : 1e6 + i % 3);
    CHECK_OK(fc_plot_panels(path, words[1], 4, 8, p, words, words, words));
    check_picture(path);
    CHECK_OK(fc_plot_panels(path, NULL, 1, 1, p, NULL, NULL, NULL));
    check_picture(path);
  }
}

/* ---- curves ---- */

static const double NONE = NAN;

static int64_t ink_of(const char *path, fc_rgb colour) {
  photo         p = look(path);
  const int64_t n = find(&p, packed(colour), p.width).n;

  cairo_surface_destroy(p.surface);
  return n;
}

static void lines_points_and_gaps(void) {
  const double x[] = {0, 1, 2, 3, 4}, line[] = {1, 2, 3, 4, 5}, point[] = {NAN, NAN, 2, NAN, NAN},
               negative[] = {-1, -2, -3, -1, -5};
  const fc_axes  plain = {.h_line = NONE}, logarithmic = {.log_y = true, .h_line = NONE};
  const fc_curve a = {.n = 5, .x = x, .y = line}, b = {.n = 5, .x = x, .y = point},
                 c   = {.n = 5, .x = x, .y = negative};
  const char  *path  = check_path("line.png");
  const fc_rgb first = fc_colour_line(0);

  CHECK_OK(fc_plot_curves(path, &plain, 1, &a));
  CHECK(ink_of(path, first) > 1000);
  CHECK_OK(fc_plot_curves(path, &plain, 1, &b)); /* a lone point is a dot */
  CHECK(ink_of(path, first) > 20 && ink_of(path, first) < 200);
  CHECK_OK(fc_plot_curves(path, &plain, 1, &c));
  CHECK(ink_of(path, first) > 1000);
  CHECK_OK(fc_plot_curves(path, &logarithmic, 1, &c)); /* has no place on a log axis */
  CHECK(ink_of(path, first) == 0);
}

/* points far closer than pixels: between them the line fills the chart */
static void many_points_keep_their_extent(void) {
  enum { N = 100000 };
  double        *x = malloc(N * sizeof *x), *y = malloc(N * sizeof *y);
  const fc_axes  axes = {.h_line = NONE};
  const fc_curve u    = {.n = N, .x = x, .y = y};
  const char    *path = check_path("long.png");

  for (int i = 0; i < N; i++) x[i] = i, y[i] = i % 2 ? 1 : -1;
  CHECK_OK(fc_plot_curves(path, &axes, 1, &u));
  photo      p = look(path);
  const spot s = find(&p, packed(fc_colour_line(0)), p.width);
  CHECK((double)s.n > 0.6 * p.width * p.height); /* a filled box: nearly the whole chart */
  cairo_surface_destroy(p.surface);
  free(x);
  free(y);
}

static void legend_stands_free(void) {
  enum { N = 200 };
  double      x[N], y[4][N];
  fc_curve    u[4];
  const char *path = check_path("legend.png");

  for (int k = 0; k < 4; k++)
    for (int i = 0; i < N; i++) x[i] = i, y[k][i] = sin(0.4 * i + k); /* fills every corner */
  for (int k = 0; k < 4; k++) u[k] = (fc_curve){.n = N, .x = x, .y = y[k]};
  const fc_axes axes = {.h_line = NONE};
  CHECK_OK(fc_plot_curves(path, &axes, 4, u));
  const photo bare = look(path);
  for (int k = 0; k < 4; k++) u[k].label = "a curve";
  CHECK_OK(fc_plot_curves(path, &axes, 4, u));
  const photo p = look(path);
  /* beside the chart: only samples of the lines are there, one below the other, so that many columns have
   * four colours */
  int64_t beside = 0, before = 0;
  for (int y0 = 0; y0 < p.height; y0++)
    for (int x0 = p.width - 200; x0 < p.width - 130; x0++) {
      beside += alike(pixel(&p, x0, y0), packed(fc_colour_line(0)));
      before += alike(pixel(&bare, x0, y0), packed(fc_colour_line(0)));
    }
  CHECK(beside > 40 && beside < before / 4);
  cairo_surface_destroy(p.surface);
  cairo_surface_destroy(bare.surface);
}

static void odd_charts(void) {
  const double x[] = {0, 1, 2}, same[] = {3, 3, 3}, huge[] = {-1e308, 0, 1e308},
               tiny[] = {1e-310, 1e-300, 1e300}, none[] = {NAN, NAN, NAN};
  const double *ys[] = {same, huge, tiny, none};
  const char   *path = check_path("odd.png");
  const char   *text = "a very long label, longer than the whole picture could ever be, and then some more "
                       "words (m^2 s^-1) to be sure that it has to be cut";
  fc_curve      many[40];

  for (int k = 0; k < 16; k++) {
    const fc_axes axes = {text,          text,          text,           k & 1,           k & 2,
                          k & 4 ? 5 : 0, k & 4 ? 1 : 0, k & 4 ? -1 : 0, k & 4 ? 0.5 : 0, k & 8 ? 1.5 : NONE,
                          k & 8};
    for (int i = 0; i < 40; i++) many[i] = (fc_curve){text, 3, x, ys[i % 4], x, same, i % 2, i % 3 == 0};
    CHECK_OK(fc_plot_curves(path, &axes, k == 15 ? 0 : 1 + 2 * k, many));
    check_picture(path);
  }
  const fc_chart charts[3] = {{.n = 1, .curves = many}, {.n = 0}, {.n = 2, .curves = many}};
  CHECK_OK(fc_plot_charts(path, NULL, 1, 3, charts));
  check_picture(path);
}

/* ---- failures ---- */

static void failures_leave_nothing(void) {
  const fc_real x[4] = {0, 1, 2, 3};
  const fc_axes axes = {.h_line = NONE};
  const char   *path = check_path("full.png");
  char          tmp[700], nowhere[700];
  struct rlimit before, small;

  snprintf(nowhere, sizeof nowhere, "%s/absent/a.png", path);
  CHECK_FAILS(one_panel(nowhere, 2, 2, x, 0, 0), FC_E_SYSTEM, "absent");
  CHECK_FAILS(fc_plot_curves(nowhere, &axes, 0, NULL), FC_E_SYSTEM, "absent");

  fc_panel *p = calloc(500, sizeof *p);
  for (int i = 0; i < 500; i++) p[i] = (fc_panel){.nx = 2, .ny = 2, .x = x, .stride = 1};
  CHECK_FAILS(fc_plot_panels(path, NULL, 1, 500, p, NULL, NULL, NULL), FC_E_USAGE, "fewer panels");
  free(p);

  /* a file may not grow beyond 100 bytes: the disk is full in the middle of the picture */
  signal(SIGXFSZ, SIG_IGN);
  getrlimit(RLIMIT_FSIZE, &before);
  small          = before;
  small.rlim_cur = 100;
  setrlimit(RLIMIT_FSIZE, &small);
  const fc_status s = one_panel(path, 2, 2, x, 0, 0);
  setrlimit(RLIMIT_FSIZE, &before);
  CHECK_FAILS(s, FC_E_SYSTEM, "full.png");
  snprintf(tmp, sizeof tmp, "%s.tmp", path);
  CHECK(!fc_file_exists(path) && !fc_file_exists(tmp));
}

static void dates_are(const char *lo, const char *hi, int target, const char *first, const char *second,
                      int n) {
  int64_t  a, b;
  fc_ticks t;

  CHECK(fc_date_read(lo, FC_DATE_ISO, &a) && fc_date_read(hi, FC_DATE_ISO, &b));
  fc_ticks_dates((double)a, (double)b, target, &t);
  if (t.n != n || strcmp(t.label[0], first) || strcmp(t.label[1], second))
    fprintf(stderr, "%s to %s: %d ticks, %s, %s\n", lo, hi, t.n, t.label[0], t.label[1]);
  CHECK(t.n == n && !strcmp(t.label[0], first) && !strcmp(t.label[1], second));
}

static void dates_have_round_ticks(void) {
  dates_are("2016-07-01 00:00:03", "2016-07-01 00:00:58", 4, "00:00:15", "00:00:30", 3);
  dates_are("2016-07-01 21:10", "2016-07-02 04:00", 4, "2016-07-02", "03:00", 2);
  dates_are("2016-07-01", "2016-07-05", 5, "2016-07-01", "2016-07-02", 5);
  dates_are("2016-07-01", "2016-07-25", 5, "2016-07-04", "2016-07-11", 4); /* Mondays */
  dates_are("2016-07-15", "2017-04-02", 5, "2016-10", "2017-01", 3);
  dates_are("2016-07-15", "2021-02-01", 6, "2017", "2018", 5);
  dates_are("1749-01", "1983-12", 5, "1750", "1800", 5);
  dates_are("0003-01-01", "9000-01-01", 20, "0500", "1000", 18);
}

CHECK_SUITE(plot, dates_have_round_ticks, sequential_map_rises_evenly, diverging_map_is_neutral_and_symmetric,
            colours_differ, linear_ticks_are_round, log_ticks_are_decades, values_are_blocks_at_their_place,
            nan_and_infinity_are_grey, large_fields_are_averaged, triangles_fill_their_area,
            near_points_hide_far_ones, any_table_of_panels, lines_points_and_gaps,
            many_points_keep_their_extent, legend_stands_free, odd_charts, failures_leave_nothing)
