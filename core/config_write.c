/* core/config_write.c - option tables as YAML that fc_config_load reads back to the same values. */
#include "core/config.h"
#include "core/text.h"

#include <stdlib.h>
#include <string.h>

/* A text may stand without quotes if no YAML reader takes it for anything else. */
static bool plain(const char *s) {
  static const char        first[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ/";
  static const char        more[]  = "._-0123456789";
  static const char *const words[] = {"null", "true", "false", "yes", "no", "on", "off", "y", "n"};
  char                    *end;

  if (!*s || !strchr(first, *s)) return false;
  for (const char *p = s; *p; p++)
    if (!strchr(first, *p) && !strchr(more, *p)) return false;
  for (int i = 0; i < FC_COUNT(words); i++)
    if (fc_text_same(s, words[i])) return false;
  strtod(s, &end); /* "nan", "inf" */
  return *end;
}

/* Double quotes; what YAML does not allow in a text, and line ends, as escapes. */
static void quoted(const char *s, FILE *f) {
  fputc('"', f);
  while (*s) {
    uint32_t  code;
    const int n = fc_utf8_next(s, &code);
    FC_ASSERT(n, "an option holds a text that is not UTF-8");
    const bool hidden = code < 0x20 || (code >= 0x7F && code < 0xA0) || code == 0x2028 || code == 0x2029 ||
                        code == 0xFEFF || code == 0xFFFE || code == 0xFFFF;
    if (hidden)
      fprintf(f, "\\u%04X", (unsigned)code);
    else
      fprintf(f, "%s%.*s", code == '"' || code == '\\' ? "\\" : "", n, s);
    s += n;
  }
  fputc('"', f);
}

static void entry(const fc_option *o, const void *values, const char *indent, bool with_help, FILE *f) {
  char text[FC_OPTION_TEXT];

  fc_options_text(o, values, text, sizeof text);
  fprintf(f, "%s%s: ", indent, o->key);
  if ((o->type == FC_T_TEXT || o->type == FC_T_CHOICE) && !plain(text))
    quoted(text, f);
  else
    fputs(text, f);
  if (with_help && o->help) fprintf(f, "  # %s", o->help);
  fputc('\n', f);
}

static bool has_entries(const fc_option *t) {
  for (; t->key; t++)
    if (t->def) return true;
  return false;
}

void fc_config_write(int n, const fc_section *sections, bool with_help, FILE *f) {
  for (int i = 0; i < n; i++) {
    const fc_section *s     = &sections[i];
    const bool        again = i > 0 && !strcmp(s->name, sections[i - 1].name);
    if (!has_entries(s->table)) continue;
    if (*s->name && !again) fprintf(f, "%s%s:\n", i ? "\n" : "", s->name);
    for (const fc_option *o = s->table; o->key; o++)
      if (o->def && o->offset != (size_t)-1) entry(o, s->values, *s->name ? "  " : "", with_help, f);
  }
}
