/* io/safetensors_types.c - element types to fc_real. Bytes come aligned, little-endian like the host. */
#include "io/safetensors_types.h"

#include <string.h>

_Static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "safetensors files are little-endian");

#define CONVERT(name, type)                                                                                  \
  static void name(const void *bytes, int64_t n, fc_real *x) {                                               \
    const type *v = bytes;                                                                                   \
    for (int64_t i = 0; i < n; i++) x[i] = (fc_real)v[i];                                                    \
  }
CONVERT(from_f64, double)
CONVERT(from_f32, float)
CONVERT(from_i64, int64_t)
CONVERT(from_i32, int32_t)
CONVERT(from_i16, int16_t)
CONVERT(from_i8, int8_t)
CONVERT(from_u64, uint64_t)
CONVERT(from_u32, uint32_t)
CONVERT(from_u16, uint16_t)
CONVERT(from_u8, uint8_t)

static float float_of(uint32_t bits) {
  float f;
  memcpy(&f, &bits, sizeof f);
  return f;
}

/* IEEE 754 binary16: sign 1, exponent 5 (bias 15), fraction 10 */
static float half(uint16_t h) {
  const uint32_t sign = (uint32_t)(h >> 15) << 31, exponent = h >> 10 & 31, fraction = h & 1023;

  if (exponent == 31) return float_of(sign | 0x7F800000u | fraction << 13);
  if (exponent) return float_of(sign | (exponent + 112) << 23 | fraction << 13);
  const float small = (float)fraction * 0x1p-24f; /* denormal: exact in float */
  return sign ? -small : small;
}

static void from_f16(const void *bytes, int64_t n, fc_real *x) {
  const uint16_t *v = bytes;
  for (int64_t i = 0; i < n; i++) x[i] = (fc_real)half(v[i]);
}

/* bfloat16 is the upper half of a float */
static void from_bf16(const void *bytes, int64_t n, fc_real *x) {
  const uint16_t *v = bytes;
  for (int64_t i = 0; i < n; i++) x[i] = (fc_real)float_of((uint32_t)v[i] << 16);
}

static void from_bool(const void *bytes, int64_t n, fc_real *x) {
  const uint8_t *v = bytes;
  for (int64_t i = 0; i < n; i++) x[i] = v[i] != 0;
}

static const fc_st_type types[] = {
    {"F32", 32, 1, from_f32},    {"F64", 64, 1, from_f64}, {"F16", 16, 1, from_f16},
    {"BF16", 16, 1, from_bf16},  {"I64", 64, 1, from_i64}, {"I32", 32, 1, from_i32},
    {"I16", 16, 1, from_i16},    {"I8", 8, 1, from_i8},    {"U64", 64, 1, from_u64},
    {"U32", 32, 1, from_u32},    {"U16", 16, 1, from_u16}, {"U8", 8, 1, from_u8},
    {"BOOL", 8, 1, from_bool},   {"C64", 64, 2, from_f32}, {"F8_E4M3", 8, 1, NULL},
    {"F8_E5M2", 8, 1, NULL},     {"F8_E8M0", 8, 1, NULL},  {"F8_E4M3FNUZ", 8, 1, NULL},
    {"F8_E5M2FNUZ", 8, 1, NULL}, {"F6_E2M3", 6, 1, NULL},  {"F6_E3M2", 6, 1, NULL},
    {"F4", 4, 1, NULL},
};

const fc_st_type *fc_st_type_find(const char *name) {
  for (int i = 0; i < FC_COUNT(types); i++)
    if (!strcmp(types[i].name, name)) return &types[i];
  return NULL;
}
