/* core/options.h - one table per struct serves defaults, configuration files,
   --set key=value, --help, range checks and the metadata stored in checkpoints. */
#ifndef FC_OPTIONS_H
#define FC_OPTIONS_H
#include "core/base.h"

#include <stdio.h>

enum {
  FC_TEXT        = 512,    /* bytes of a text field */
  FC_LIST        = 16,     /* items of a list field */
  FC_WORD        = 64,     /* bytes of a name */
  FC_WORDS       = 64,     /* names in a list, rows of a table */
  FC_CELLS       = 4,      /* numbers in a row of a table */
  FC_OPTION_TEXT = 1 << 14 /* bytes that hold any value's text */
};

typedef struct fc_ints {
  int     n;
  int64_t v[FC_LIST];
} fc_ints;
typedef struct fc_reals {
  int    n;
  double v[FC_LIST];
} fc_reals;

typedef struct fc_names {
  int  n;
  char v[FC_WORDS][FC_WORD];
} fc_names;
typedef struct fc_row {
  char    name[FC_WORD];
  int     n;
  int64_t v[FC_CELLS];
} fc_row;
typedef struct fc_table {
  int    n;
  fc_row row[FC_WORDS];
} fc_table;

typedef enum {
  FC_T_INT,    /* int64_t */
  FC_T_REAL,   /* double */
  FC_T_BOOL,   /* bool: true/false, yes/no, 1/0 */
  FC_T_TEXT,   /* char[FC_TEXT] */
  FC_T_CHOICE, /* int: index into choices "a|b|c" */
  FC_T_INTS,   /* fc_ints: "[1, 2]" or "1,2" */
  FC_T_REALS,  /* fc_reals */
  FC_T_NAMES,  /* fc_names: "[a, b]" or "a, b" */
  FC_T_TABLE   /* fc_table of whole numbers: "{a: [1, 2], b: 3}"; "KEY.a" = "[1, 2]" sets one row */
} fc_opt_type;

typedef struct fc_option {
  const char *key;
  fc_opt_type type;
  size_t      offset;
  const char *def;     /* text form; NULL: an alias, a second key for a field listed before it */
  const char *help;    /* one line, with unit */
  double      lo, hi;  /* inclusive range of numbers and list items; lo > hi: any */
  const char *choices; /* FC_T_CHOICE; FC_T_INTS: "rows" if lists of lists are read too, row by row;
                          FC_T_TEXT: "lines" if it holds several */
} fc_option;

#define FC_OPT_INT(S, field, def, lo, hi, help)                                                              \
  { #field, FC_T_INT, offsetof(S, field), def, help, lo, hi, NULL }
#define FC_OPT_REAL(S, field, def, lo, hi, help)                                                             \
  { #field, FC_T_REAL, offsetof(S, field), def, help, lo, hi, NULL }
#define FC_OPT_BOOL(S, field, def, help)                                                                     \
  { #field, FC_T_BOOL, offsetof(S, field), def, help, 1, 0, NULL }
#define FC_OPT_TEXT(S, field, def, help)                                                                     \
  { #field, FC_T_TEXT, offsetof(S, field), def, help, 1, 0, NULL }
#define FC_OPT_CHOICE(S, field, choices, def, help)                                                          \
  { #field, FC_T_CHOICE, offsetof(S, field), def, help, 1, 0, choices }
#define FC_OPT_INTS(S, field, def, lo, hi, help)                                                             \
  { #field, FC_T_INTS, offsetof(S, field), def, help, lo, hi, NULL }
/* [[1, 2], [3, 4]] is the same as [1, 2, 3, 4] */
#define FC_OPT_INT_ROWS(S, field, def, lo, hi, help)                                                         \
  { #field, FC_T_INTS, offsetof(S, field), def, help, lo, hi, "rows" }
#define FC_OPT_REALS(S, field, def, lo, hi, help)                                                            \
  { #field, FC_T_REALS, offsetof(S, field), def, help, lo, hi, NULL }
#define FC_OPT_NAMES(S, field, def, help)                                                                    \
  { #field, FC_T_NAMES, offsetof(S, field), def, help, 1, 0, NULL }
#define FC_OPT_TABLE(S, field, def, lo, hi, help)                                                            \
  { #field, FC_T_TABLE, offsetof(S, field), def, help, lo, hi, NULL }
#define FC_OPT_ALIAS(S, field, type, key)                                                                    \
  { key, type, offsetof(S, field), NULL, NULL, 1, 0, NULL }
#define FC_OPT_IGNORED(key, help)                                                                            \
  { key, FC_T_TEXT, (size_t)-1, NULL, help, 1, 0, NULL } /* accepted, not used */
#define FC_OPT_END                                                                                           \
  { NULL, FC_T_INT, 0, NULL, NULL, 1, 0, NULL }

void             fc_options_defaults(const fc_option *t, void *s);
const fc_option *fc_options_find(const fc_option *t, const char *key);
/* the same; "KEY.row" finds the table KEY (or a key that is accepted and not used), *row is then "row", else
   NULL */
const fc_option *fc_options_find_row(const fc_option *t, const char *key, const char **row);
/* where names the file and line or "--set", for the message */
fc_status fc_options_set(const fc_option *t, void *s, const char *key, const char *value, const char *where);
/* as fc_options_set for entry o of t, or for one row of that table (NULL: all of it); the message calls it
   name ("train.lr") */
fc_status fc_option_set(const fc_option *t, const fc_option *o, void *s, const char *row, const char *name,
                        const char *value, const char *where);
/* value of one option as text that fc_options_set reads back to the same bits; FC_OPTION_TEXT bytes hold any
 */
void fc_options_text(const fc_option *o, const void *s, char *buf, size_t size);
/* key, default, range and help of each, aligned; prefix stands before each key ("train.") */
void fc_options_help(const fc_option *t, const char *prefix, FILE *f);
/* place of a name in a list, -1: it is not there; row of a table, NULL: it is not there */
int           fc_names_find(const fc_names *v, const char *name);
const fc_row *fc_table_find(const fc_table *v, const char *name);
/* a choice's name */
const char *fc_option_choice(const fc_option *o, int index, char *buf, size_t size);

/* the candidate nearest to word by edit distance, NULL if none is near (more than half the word differs) */
const char *fc_nearest(const char *word, int n, const char *const *candidates);
#endif
