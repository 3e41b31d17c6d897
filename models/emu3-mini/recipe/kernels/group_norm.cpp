// GroupNorm + optional modulation by the latents (SpatialNorm) + optional SiLU in one pass.
//
//   xhat = (x - mean) / std     u = xhat * gamma + beta     v = u * Y + B     out = silu(v)
//
// x is channels-last, bf16 or float, [N, C, H, W]; Y and B are float [N, C, H/scale, W/scale],
// channels-last, resized to the nearest, or empty.  Names as in the formula; d... is a gradient.
#include <ATen/Parallel.h>
#include <torch/extension.h>

#include <cstring>
#include <vector>

#include "bfloat16.h"

using torch::Tensor;

const int MAX_CHANNELS = 512;
const int PIXELS_AT_ONCE = 256;  // summed in float before they go to the long sums

// The geometry of one picture.
struct Shape {
  int channels, height, width, groups;
  int scale;  // pixels of x on the edge of one place of Y and B

  int pixels() const {
    return height * width;
  }
  int places() const {
    return (height / scale) * (width / scale);
  }
  // Offset into Y and B of the place of pixel (y, x).
  size_t place(int y, int x) const {
    return ((size_t)(y / scale) * (width / scale) + x / scale) * channels;
  }
};

// Mean and 1/std of each channel's group, from sums and sums of squares of each channel.
static void statistics(const float* sum, const float* squares, const Shape& shape, float eps,
                       float* mean, float* inverse_std) {
  int size = shape.channels / shape.groups;
  double n = (double)shape.pixels() * size;
  for (int first = 0; first < shape.channels; first += size) {
    double total = 0, total_squares = 0;
    for (int c = first; c < first + size; c++) {
      total += sum[c];
      total_squares += squares[c];
    }
    double m = total / n, variance = total_squares / n - m * m;
    if (variance < 0) {
      variance = 0;
    }
    float inverse = 1.0 / sqrt(variance + eps);
    for (int c = first; c < first + size; c++) {
      mean[c] = m;
      inverse_std[c] = inverse;
    }
  }
}

template <typename T>
static void sums(const T* x, const Shape& shape, float* sum, float* squares) {
  int channels = shape.channels, pixels = shape.pixels();
  for (int start = 0; start < pixels; start += PIXELS_AT_ONCE) {
    int end = start + PIXELS_AT_ONCE < pixels ? start + PIXELS_AT_ONCE : pixels;
    float part[MAX_CHANNELS], part_squares[MAX_CHANNELS];
    memset(part, 0, sizeof(float) * channels);
    memset(part_squares, 0, sizeof(float) * channels);
    for (int pixel = start; pixel < end; pixel++) {
      const T* xp = x + (size_t)pixel * channels;
#pragma GCC ivdep
      for (int c = 0; c < channels; c++) {
        float value = load(xp + c);
        part[c] += value;
        part_squares[c] += value * value;
      }
    }
    for (int c = 0; c < channels; c++) {
      sum[c] += part[c];
      squares[c] += part_squares[c];
    }
  }
}

// One picture forward.  MODULATED: Y and B are there; SILU: SiLU comes last.
template <typename T, bool MODULATED, bool SILU>
static void forward_one(const T* x, const float* gamma, const float* beta, const float* Y,
                        const float* B, T* out, float* mean, float* inverse_std, const Shape& shape,
                        float eps) {
  int channels = shape.channels;
  std::vector<float> sum(channels, 0.f), squares(channels, 0.f);
  sums(x, shape, sum.data(), squares.data());
  statistics(sum.data(), squares.data(), shape, eps, mean, inverse_std);
  std::vector<float> slopes(channels), offsets(channels);  // u = x * slope + offset
  for (int c = 0; c < channels; c++) {
    slopes[c] = inverse_std[c] * gamma[c];
    offsets[c] = beta[c] - mean[c] * inverse_std[c] * gamma[c];
  }
  const float* slope = slopes.data();
  const float* offset = offsets.data();
  for (int y = 0; y < shape.height; y++) {
    for (int column = 0; column < shape.width; column++) {
      size_t pixel = (size_t)y * shape.width + column;
      const T* xp = x + pixel * channels;
      T* op = out + pixel * channels;
      size_t place = MODULATED ? shape.place(y, column) : 0;
#pragma GCC ivdep
      for (int c = 0; c < channels; c++) {
        float u = load(xp + c) * slope[c] + offset[c];
        if (MODULATED) {
          u = u * Y[place + c] + B[place + c];
        }
        if (SILU) {
          u = u / (1.f + fast_exp(-u));
        }
        store(op + c, u);
      }
    }
  }
}

// One picture backward.  du is scratch of the size of x; all gradients but dx are added to.
template <typename T, bool MODULATED, bool SILU>
static void backward_one(const T* x, const T* dout, const float* gamma, const float* beta,
                         const float* Y, const float* B, const float* mean,
                         const float* inverse_std, T* dx, float* du, float* dgamma, float* dbeta,
                         float* dY, float* dB, const Shape& shape) {
  int channels = shape.channels, pixels = shape.pixels();
  std::vector<float> offsets(channels);  // xhat = x * inverse_std + offset
  for (int c = 0; c < channels; c++) {
    offsets[c] = -mean[c] * inverse_std[c];
  }
  const float* offset = offsets.data();
  for (int y = 0; y < shape.height; y++) {
    for (int column = 0; column < shape.width; column++) {
      size_t pixel = (size_t)y * shape.width + column;
      const T* xp = x + pixel * channels;
      const T* gp = dout + pixel * channels;
      float* dup = du + pixel * channels;
      size_t place = MODULATED ? shape.place(y, column) : 0;
#pragma GCC ivdep
      for (int c = 0; c < channels; c++) {
        float xhat = load(xp + c) * inverse_std[c] + offset[c];
        float u = xhat * gamma[c] + beta[c];
        float v = MODULATED ? u * Y[place + c] + B[place + c] : u;
        float d = load(gp + c);
        if (SILU) {
          float sigmoid = 1.f / (1.f + fast_exp(-v));
          d = d * sigmoid * (1.f + v * (1.f - sigmoid));
        }
        if (MODULATED) {
          dB[place + c] += d;
          dY[place + c] += d * u;
          d = d * Y[place + c];
        }
        dgamma[c] += d * xhat;
        dbeta[c] += d;
        dup[c] = d;
      }
    }
  }
  // Through mean and variance: the group's means of dxhat and of dxhat * xhat are taken away.
  int size = channels / shape.groups;
  double n = (double)pixels * size;
  std::vector<float> means(channels), slopes(channels);
  for (int first = 0; first < channels; first += size) {
    double total = 0, total_slope = 0;
    for (int c = first; c < first + size; c++) {
      total += (double)dbeta[c] * gamma[c];
      total_slope += (double)dgamma[c] * gamma[c];
    }
    for (int c = first; c < first + size; c++) {
      means[c] = total / n;
      slopes[c] = total_slope / n;
    }
  }
  const float* group_mean = means.data();
  const float* group_slope = slopes.data();
  for (int pixel = 0; pixel < pixels; pixel++) {
    const T* xp = x + (size_t)pixel * channels;
    const float* dup = du + (size_t)pixel * channels;
    T* dxp = dx + (size_t)pixel * channels;
#pragma GCC ivdep
    for (int c = 0; c < channels; c++) {
      float xhat = load(xp + c) * inverse_std[c] + offset[c];
      store(dxp + c, inverse_std[c] * (dup[c] * gamma[c] - group_mean[c] - xhat * group_slope[c]));
    }
  }
}

// Calls body<T, MODULATED, SILU>() for values that are known only now.
template <typename Body>
static void dispatch(bool is_bf16, bool modulated, bool silu, Body body) {
  auto with_silu = [&](auto type, auto is_modulated) {
    if (silu) {
      body(type, is_modulated, std::true_type());
    } else {
      body(type, is_modulated, std::false_type());
    }
  };
  auto with_modulation = [&](auto type) {
    if (modulated) {
      with_silu(type, std::true_type());
    } else {
      with_silu(type, std::false_type());
    }
  };
  if (is_bf16) {
    with_modulation(bf16());
  } else {
    with_modulation(float());
  }
}

static Shape shape_of(const Tensor& x, const Tensor& Y, int64_t groups) {
  Shape shape;
  shape.channels = x.size(1);
  shape.height = x.size(2);
  shape.width = x.size(3);
  shape.groups = groups;
  shape.scale = Y.numel() > 0 ? shape.height / Y.size(2) : 1;
  return shape;
}

static float* floats(const Tensor& tensor, size_t offset) {
  return tensor.numel() > 0 ? tensor.data_ptr<float>() + offset : nullptr;
}

// Gives the output, and mean and 1/std for backward().
std::vector<Tensor> forward(Tensor x, Tensor gamma, Tensor beta, Tensor Y, Tensor B, int64_t groups,
                            double eps, bool silu) {
  Shape shape = shape_of(x, Y, groups);
  TORCH_CHECK(shape.channels <= MAX_CHANNELS, "more channels than the kernel holds");
  int N = x.size(0), C = shape.channels;
  auto out = torch::empty_like(x);
  auto mean = torch::empty({N, C}, gamma.options());
  auto inverse_std = torch::empty({N, C}, gamma.options());
  dispatch(x.scalar_type() == torch::kBFloat16, Y.numel() > 0, silu,
           [&](auto type, auto modulated, auto with_silu) {
             typedef decltype(type) T;
             at::parallel_for(0, N, 1, [&](int64_t begin, int64_t end) {
               for (int64_t n = begin; n < end; n++) {
                 size_t pixels = (size_t)n * C * shape.pixels();
                 size_t places = (size_t)n * C * shape.places();
                 forward_one<T, modulated.value, with_silu.value>(
                     (const T*)x.data_ptr() + pixels, floats(gamma, 0), floats(beta, 0),
                     floats(Y, places), floats(B, places), (T*)out.data_ptr() + pixels,
                     floats(mean, n * C), floats(inverse_std, n * C), shape, eps);
               }
             });
           });
  return {out, mean, inverse_std};
}

// Gives the gradients of x, gamma, beta, Y and B.
std::vector<Tensor> backward(Tensor x, Tensor dout, Tensor gamma, Tensor beta, Tensor Y, Tensor B,
                             Tensor mean, Tensor inverse_std, int64_t groups, bool silu) {
  Shape shape = shape_of(x, Y, groups);
  int N = x.size(0), C = shape.channels;
  auto dx = torch::empty_like(x);
  auto dgamma = torch::zeros({N, C}, gamma.options()), dbeta = torch::zeros_like(dgamma);
  auto dY = torch::zeros_like(Y), dB = torch::zeros_like(B);
  dispatch(x.scalar_type() == torch::kBFloat16, Y.numel() > 0, silu,
           [&](auto type, auto modulated, auto with_silu) {
             typedef decltype(type) T;
             at::parallel_for(0, N, 1, [&](int64_t begin, int64_t end) {
               std::vector<float> du((size_t)C * shape.pixels());
               for (int64_t n = begin; n < end; n++) {
                 size_t pixels = (size_t)n * C * shape.pixels();
                 size_t places = (size_t)n * C * shape.places();
                 backward_one<T, modulated.value, with_silu.value>(
                     (const T*)x.data_ptr() + pixels, (const T*)dout.data_ptr() + pixels,
                     floats(gamma, 0), floats(beta, 0), floats(Y, places), floats(B, places),
                     floats(mean, n * C), floats(inverse_std, n * C), (T*)dx.data_ptr() + pixels,
                     du.data(), floats(dgamma, n * C), floats(dbeta, n * C), floats(dY, places),
                     floats(dB, places), shape);
               }
             });
           });
  return {dx, dgamma.sum(0), dbeta.sum(0), dY, dB};
}

PYBIND11_MODULE(TORCH_EXTENSION_NAME, module) {
  module.def("forward", &forward);
  module.def("backward", &backward);
}
