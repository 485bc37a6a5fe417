/* io/safetensors_types.h - the element types of the format and how to read them; for io/safetensors*.c alone.
 */
#ifndef FC_SAFETENSORS_TYPES_H
#define FC_SAFETENSORS_TYPES_H
#include "core/base.h"

typedef struct fc_st_type {
  const char *name;
  int         bits;                                          /* of one element */
  int         numbers;                                       /* per element: 2 for a complex one */
  void (*convert)(const void *bytes, int64_t n, fc_real *x); /* n numbers; NULL: cannot be read */
} fc_st_type;

const fc_st_type *fc_st_type_find(const char *name); /* NULL if the format does not know it */
#endif
