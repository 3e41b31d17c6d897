// Numbers in memory as bfloat16 (the upper half of a float) and a fast exponential.
#pragma once

#include <cstdint>
#include <cstring>

typedef uint16_t bf16;

static inline float load(const float* p) {
  return *p;
}

static inline float load(const bf16* p) {
  uint32_t bits = ((uint32_t)*p) << 16;
  float value;
  memcpy(&value, &bits, 4);
  return value;
}

static inline void store(float* p, float value) {
  *p = value;
}

// Rounds to nearest, ties to even.
static inline void store(bf16* p, float value) {
  uint32_t bits;
  memcpy(&bits, &value, 4);
  bits += 0x7fff + ((bits >> 16) & 1);
  *p = bits >> 16;
}

// e^x as 2^whole * polynomial(fraction); the compiler makes vectors of it, unlike of expf.
// Relative error about 2e-6.
static inline float fast_exp(float x) {
  x = x * 1.44269504f;
  x = x < -126.f ? -126.f : (x > 126.f ? 126.f : x);
  float whole = __builtin_floorf(x);
  float r = x - whole;
  float fraction =
      1.f + r * (0.69314718f +
                 r * (0.24022651f +
                      r * (0.05550411f + r * (0.00961813f + r * (0.00133336f + r * 0.000154f)))));
  int32_t bits = ((int32_t)whole + 127) << 23;
  float power;
  memcpy(&power, &bits, 4);
  return fraction * power;
}
