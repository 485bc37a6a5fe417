/* core/text.c */
#include "core/text.h"

#include <ctype.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

enum { WORD = 128 };

int fc_utf8_next(const char *s, uint32_t *code) {
  static const uint32_t least[5] = {0, 0, 0x80, 0x800, 0x10000}; /* shorter forms are overlong */
  const unsigned char  *u        = (const unsigned char *)s;
  const int n = u[0] < 0x80 ? 1 : u[0] >> 5 == 6 ? 2 : u[0] >> 4 == 14 ? 3 : u[0] >> 3 == 30 ? 4 : 0;

  if (!n || !u[0]) return 0;
  *code = n == 1 ? u[0] : u[0] & (0xFFu >> (n + 1));
  for (int i = 1; i < n; i++) {
    if (u[i] >> 6 != 2) return 0; /* also stops at the final NUL */
    *code = *code << 6 | (u[i] & 63u);
  }
  const bool surrogate = *code >= 0xD800 && *code <= 0xDFFF;
  return *code < least[n] || *code > 0x10FFFF || surrogate ? 0 : n;
}

bool fc_utf8_valid(const char *s) {
  uint32_t code;

  while (*s) {
    const int n = fc_utf8_next(s, &code);
    if (!n) return false;
    s += n;
  }
  return true;
}

bool fc_text_blank(const char *s) { return s[strspn(s, " \t\r\n")] == 0; }
bool fc_text_same(const char *a, const char *b) { return !strcasecmp(a, b); }

void fc_text_real(double v, char *buf, size_t size) {
  if (v == floor(v) && fabs(v) < 1e6) {
    snprintf(buf, size, "%.0f", v); /* 100, not 1e+02 */
    return;
  }
  for (int digits = 1; digits <= 17; digits++) {
    snprintf(buf, size, "%.*g", digits, v);
    if (strtod(buf, NULL) == v) return;
  }
}

static int least_of(int a, int b) { return a < b ? a : b; }
static int letter(const char *s, int i) { return tolower((unsigned char)s[i]); }

int fc_text_distance(const char *a, const char *b) {
  const int na = (int)strnlen(a, WORD - 1), nb = (int)strnlen(b, WORD - 1);
  int       rows[3][WORD]; /* row i % 3: edits from the first i letters of a to the first j of b */

  for (int j = 0; j <= nb; j++) rows[0][j] = j;
  for (int i = 1; i <= na; i++) {
    int *now = rows[i % 3], *last = rows[(i + 2) % 3], *before = rows[(i + 1) % 3];
    now[0] = i;
    for (int j = 1; j <= nb; j++) {
      const bool equal = letter(a, i - 1) == letter(b, j - 1);
      now[j]           = least_of(last[j - 1] + !equal, least_of(last[j], now[j - 1]) + 1);
      if (i > 1 && j > 1 && letter(a, i - 1) == letter(b, j - 2) && letter(a, i - 2) == letter(b, j - 1))
        now[j] = least_of(now[j], before[j - 2] + 1);
    }
  }
  return rows[na % 3][nb];
}

bool fc_text_item(const char **list, size_t size, char *out) {
  const char *p = *list + strspn(*list, " \t,");

  if (*p == '[') p += 1 + strspn(p + 1, " \t");
  size_t n = strcspn(p, ",");
  *list    = p + n;
  while (n && strchr(" \t]", p[n - 1])) n--;
  n = n < size ? n : size - 1;
  memcpy(out, p, n);
  out[n] = 0;
  return n > 0;
}
