/* core/base.c - status table and the text of the last failure. */
#include "core/base.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#define STATUS_CODE(name, code, text) code,
#define STATUS_TEXT(name, code, text) text,
static const int         codes[] = {FC_STATUS_LIST(STATUS_CODE)};
static const char *const texts[] = {FC_STATUS_LIST(STATUS_TEXT)};

static _Thread_local char message[1024];

int         fc_exit_code(fc_status s) { return codes[s]; }
const char *fc_status_text(fc_status s) { return texts[s]; }
const char *fc_error(void) { return message; }

fc_status fc_fail(fc_status s, const char *fmt, ...) {
  char    text[sizeof message]; /* arguments may point into the old message */
  va_list ap;

  va_start(ap, fmt);
  vsnprintf(text, sizeof text, fmt, ap);
  va_end(ap);
  snprintf(message, sizeof message, "%s", text);
  return s;
}

void fc_panic(const char *file, int line, const char *fmt, ...) {
  va_list ap;

  fprintf(stderr, "fieldcast: programming error at %s:%d: ", file, line);
  va_start(ap, fmt);
  vfprintf(stderr, fmt, ap);
  va_end(ap);
  fputc('\n', stderr);
  abort();
}
