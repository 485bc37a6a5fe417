/* core/config_entries.h - the list inside fc_config; for core/config*.c alone. */
#ifndef FC_CONFIG_ENTRIES_H
#define FC_CONFIG_ENTRIES_H
#include "core/config.h"

enum {
  FC_CONFIG_ENTRIES = 20000,  /* more is no configuration (aliases can multiply text without bound) */
  FC_CONFIG_BYTES   = 1 << 20 /* of a file; four times as many of all keys and values */
};

typedef struct fc_config_entry {
  char       *key, *value, *where; /* "train.lr", "1e-3", "run.yaml:12" or "--set" */
  bool        null;                /* an empty or null value: known keys keep their default */
  bool        set;                 /* from --set */
  bool        used;
  char       *full;  /* of a bare key from --set: what it was resolved to */
  const void *field; /* what it was assigned to in the running bind */
} fc_config_entry;

struct fc_config {
  int              n, room;
  fc_config_entry *entry;
  size_t           bytes; /* of all keys and values */
};

/* copies the texts; value NULL: null */
fc_status fc_config_add(fc_config *c, const char *key, const char *value, const char *where, bool set);
/* reads YAML into c, which keeps what came before an error */
fc_status fc_config_read(fc_config *c, const char *text, size_t bytes, const char *where);
#endif
