/* core/options_names.h - lists of names and tables of named rows as text; for core/options*.c alone. */
#ifndef FC_OPTIONS_NAMES_H
#define FC_OPTIONS_NAMES_H
#include "core/options.h"

enum { FC_WHY = 400 }; /* bytes of a reason */

/* a whole number in the option's range (core/options.c) */
bool fc_parse_int(const fc_option *o, const char *text, int64_t *v, char *why);

/* `[store, "a, b"]` or `store, month`; false: why says what is wanted */
bool fc_parse_names(const char *text, fc_names *v, char *why);
/* `{store: [5, 3], month: 12}`, and the part behind one colon: a row called name is replaced or added */
bool fc_parse_table(const fc_option *o, const char *text, fc_table *v, char *why);
bool fc_parse_row(const fc_option *o, const char *name, const char *text, fc_table *v, char *why);

/* the same as YAML that is JSON too: names in double quotes */
void fc_names_text(const fc_names *v, char *buf, size_t size);
void fc_table_text(const fc_table *v, char *buf, size_t size);
#endif
