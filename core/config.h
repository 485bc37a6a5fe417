/* core/config.h - a configuration file (YAML, so JSON too) as a flat list of
   "section.key" = "value" entries, overridden by --set, then bound to option tables.
   What no table takes is an error that names file, line and the nearest known key. */
#ifndef FC_CONFIG_H
#define FC_CONFIG_H
#include "core/options.h"

typedef struct fc_config fc_config;

typedef struct fc_section { /* one table and where its keys live; "" is the root */
  const char      *name;
  const fc_option *table;
  void            *values;
} fc_section;

fc_status fc_config_create(fc_config **out);                 /* empty */
fc_status fc_config_load(const char *path, fc_config **out); /* FC_E_INPUT with line and column */
fc_status fc_config_parse(const char *text, const char *where, fc_config **out);
void      fc_config_destroy(fc_config *c);

/* "section.key=value"; a bare key is looked up in all sections when bound and must be unique there.
   Sets win over the file, later ones over earlier ones. */
fc_status fc_config_set(fc_config *c, const char *assignment);
/* raw text of the entry with exactly this path, NULL if absent or null; marks it as used */
const char *fc_config_get(fc_config *c, const char *path);

/* Defaults, then file, then --set, for every section. partial: leave other keys for a later bind;
   else unknown keys fail. Lists arrive as "[a, b]", mappings below a table option row by row; a null or empty
   value keeps the default, but means the choice "none" where an option has one. */
fc_status fc_config_bind(fc_config *c, int n, const fc_section *sections, bool partial);

/* the resolved configuration as YAML, comments = help lines; readable by fc_config_load */
void fc_config_write(int n, const fc_section *sections, bool with_help, FILE *f);
#endif
