/* io/plot_text.c - one line of text: exponents, minus signs, fitting into a given room. */
#include "io/plot_draw.h"

#include <ctype.h>
#include <string.h>

enum { LONGEST = 512 }; /* bytes of text looked at */

const fc_rgb fc_ink = {0.13, 0.13, 0.13}, fc_faint = {0.45, 0.45, 0.45};

#define SMALLEST 0.75 /* of the size, before text is cut */
#define RAISED   0.72 /* size of an exponent */

/* ---- clean UTF-8: cairo gives up the whole picture at the first broken byte ---- */

/* bytes of the character at s, 0 if broken */
static int character(const unsigned char *s) {
  const int n = s[0] < 0x80                   ? 1
                : s[0] >= 0xc2 && s[0] < 0xe0 ? 2
                : s[0] >= 0xe0 && s[0] < 0xf0 ? 3
                : s[0] >= 0xf0 && s[0] < 0xf5 ? 4
                                              : 0;

  for (int i = 1; i < n; i++)
    if ((s[i] & 0xc0) != 0x80) return 0;
  if ((s[0] == 0xe0 && s[1] < 0xa0) || (s[0] == 0xf0 && s[1] < 0x90)) return 0;   /* overlong */
  if ((s[0] == 0xed && s[1] >= 0xa0) || (s[0] == 0xf4 && s[1] >= 0x90)) return 0; /* surrogates, too large */
  return n;
}

static void clean(const fc_canvas *c, const char *text, char out[LONGEST]) {
  size_t n = 0;

  for (const unsigned char *s = (const unsigned char *)text; *s && n < LONGEST - 8;) {
    const int bytes = character(s);
    if (bytes > 1 && !c->ascii) {
      memcpy(out + n, s, (size_t)bytes);
      n += (size_t)bytes;
    } else {
      const bool times = bytes == 2 && s[0] == 0xc3 && s[1] == 0x97;
      out[n++]         = bytes == 1 ? (iscntrl(*s) ? ' ' : (char)*s) : times ? 'x' : '?';
    }
    s += bytes ? bytes : 1;
  }
  out[n] = 0;
}

/* ---- runs of plain and raised text ---- */

static double show(fc_canvas *c, const char *run, size_t n, double size, bool raised, bool draw) {
  char                 buf[LONGEST];
  cairo_text_extents_t e;

  if (!n) return 0;
  memcpy(buf, run, n);
  buf[n] = 0;
  cairo_set_font_size(c->cr, raised ? RAISED * size : size);
  cairo_text_extents(c->cr, buf, &e);
  if (draw) {
    cairo_rel_move_to(c->cr, 0, raised ? -0.38 * size : 0);
    cairo_show_text(c->cr, buf);
    cairo_rel_move_to(c->cr, 0, raised ? 0.38 * size : 0);
  }
  return e.x_advance;
}

static bool sign_of_number(const char *text, const char *s) {
  return *s == '-' && isdigit((unsigned char)s[1]) && (s == text || strchr(" ^(,=", s[-1]));
}

static bool exponent_follows(const char *s) {
  return *s == '^' && isdigit((unsigned char)s[1 + (s[1] == '-' || s[1] == '+')]);
}

/* width; draws from the current point on if told */
static double walk(fc_canvas *c, const char *text, double size, bool draw) {
  char   run[2 * LONGEST];
  size_t n      = 0;
  double width  = 0;
  bool   raised = false;

  for (const char *s = text; *s && n < LONGEST - 4; s++) {
    const bool starts = exponent_follows(s);
    const bool ends   = raised && !isdigit((unsigned char)*s) && !(s[-1] == '^' && (*s == '-' || *s == '+'));
    if (starts || ends) {
      width += show(c, run, n, size, raised, draw);
      n      = 0;
      raised = starts;
    }
    if (starts) continue;
    if (sign_of_number(text, s) && !c->ascii) {
      memcpy(run + n, "\xe2\x88\x92", 3); /* U+2212 */
      n += 3;
    } else {
      run[n++] = *s;
    }
  }
  return width + show(c, run, n, size, raised, draw);
}

/* ---- fitting ---- */

static void drop_last_character(char *s) {
  size_t n = strlen(s);

  while (n && ((unsigned char)s[n - 1] & 0xc0) == 0x80) n--;
  if (n) s[n - 1] = 0;
}

/* the size to draw at; text is cut if that does not suffice */
static double fit(fc_canvas *c, char text[LONGEST], fc_text style) {
  const double width = walk(c, text, style.size, false), least = SMALLEST * style.size;
  const char  *dots = c->ascii ? "..." : "\xe2\x80\xa6";
  char         cut[LONGEST + 4];

  if (style.room <= 0 || width <= style.room) return style.size;
  if (style.size * style.room / width >= least) return style.size * style.room / width;
  strcpy(cut, text);
  while (*text && walk(c, cut, least, false) > style.room) {
    drop_last_character(text);
    strcpy(cut, text);
    strcat(cut, dots);
  }
  memcpy(text, cut, LONGEST - 1);
  text[LONGEST - 1] = 0;
  return least;
}

static void choose_font(fc_canvas *c, fc_text style) {
  cairo_select_font_face(c->cr, "DejaVu Sans", CAIRO_FONT_SLANT_NORMAL,
                         style.bold ? CAIRO_FONT_WEIGHT_BOLD : CAIRO_FONT_WEIGHT_NORMAL);
}

void fc_text_draw(fc_canvas *c, fc_text style, double x, double y, const char *text) {
  char line[LONGEST];

  clean(c, text, line);
  choose_font(c, style);
  const double size = fit(c, line, style), width = walk(c, line, size, false);
  cairo_save(c->cr);
  cairo_translate(c->cr, x, y);
  if (style.upright) cairo_rotate(c->cr, -1.5707963267948966);
  cairo_move_to(c->cr, -style.align * width, 0.36 * size); /* half the height of a digit */
  walk(c, line, size, true);
  cairo_restore(c->cr);
  cairo_new_path(c->cr);
}

double fc_text_width(fc_canvas *c, fc_text style, const char *text) {
  char line[LONGEST];

  clean(c, text, line);
  choose_font(c, style);
  return walk(c, line, fit(c, line, style), false);
}
