// Training kernels of the language model: what lies between its matrix products, in bf16.
//
// Sequences are packed behind each other without padding.  N packed tokens, T tokens of one
// sequence, H heads, K key-value heads, D head size, V vocabulary.  Token t of a sequence attends
// to [0, prefix[t]) and [branch[t], t]: 0 and 0 is causal; a branch after a shared prefix has the
// prefix's length and its own start.
#include <ATen/Parallel.h>
#include <ATen/core/LegacyTypeDispatch.h>
#include <torch/extension.h>

#include <vector>

#include "bfloat16.h"

using torch::Tensor;

static bf16* halves(const Tensor& tensor) {
  return (bf16*)tensor.data_ptr();
}

static float* floats(const Tensor& tensor) {
  return tensor.data_ptr<float>();
}

static Tensor empty_halves(at::IntArrayRef shape) {
  return at::empty(shape, at::TensorOptions().dtype(at::kBFloat16));
}

// x float [N, C] -> x / rms(x) * weight as bf16, and 1/rms [N].
std::vector<Tensor> rms_norm(Tensor x, Tensor weight, double eps) {
  int N = x.size(0), C = x.size(1);
  auto out = empty_halves({N, C});
  auto inverse_rms = at::empty({N}, weight.options());
  const float* wp = floats(weight);
  at::parallel_for(0, N, 256, [&](int64_t begin, int64_t end) {
    for (int64_t n = begin; n < end; n++) {
      const float* xp = floats(x) + n * C;
      bf16* op = halves(out) + n * C;
      float sum = 0;
      for (int c = 0; c < C; c++) {
        sum += xp[c] * xp[c];
      }
      float inverse = 1.f / sqrtf(sum / C + (float)eps);
      floats(inverse_rms)[n] = inverse;
      for (int c = 0; c < C; c++) {
        store(op + c, xp[c] * inverse * wp[c]);
      }
    }
  });
  return {out, inverse_rms};
}

// Gradients of x and weight.
std::vector<Tensor> rms_norm_backward(Tensor x, Tensor weight, Tensor inverse_rms, Tensor dout) {
  int N = x.size(0), C = x.size(1);
  const int parts = 2;  // each sums its own gradient of weight
  auto dx = at::empty_like(x);
  auto dweights = at::zeros({parts, C}, weight.options());
  const float* wp = floats(weight);
  int rows = (N + parts - 1) / parts;
  at::parallel_for(0, parts, 1, [&](int64_t begin, int64_t end) {
    for (int64_t part = begin; part < end; part++) {
      float* dwp = floats(dweights) + part * C;
      for (int64_t n = part * rows; n < std::min<int64_t>(N, (part + 1) * rows); n++) {
        const float* xp = floats(x) + n * C;
        const bf16* gp = halves(dout) + n * C;
        float* dxp = floats(dx) + n * C;
        float inverse = floats(inverse_rms)[n], sum = 0;
        for (int c = 0; c < C; c++) {
          float d = load(gp + c);
          sum += d * wp[c] * xp[c];
          dwp[c] += d * xp[c] * inverse;
        }
        sum *= inverse * inverse * inverse / C;
        for (int c = 0; c < C; c++) {
          dxp[c] = load(gp + c) * wp[c] * inverse - xp[c] * sum;
        }
      }
    }
  });
  return {dx, dweights.sum(0)};
}

// [N, 2 F], gate before up -> silu(gate) * up [N, F].
Tensor swiglu(Tensor x) {
  int N = x.size(0), F = x.size(1) / 2;
  auto out = empty_halves({N, F});
  at::parallel_for(0, N, 128, [&](int64_t begin, int64_t end) {
    for (int64_t n = begin; n < end; n++) {
      const bf16* gate = halves(x) + n * 2 * F;
      const bf16* up = gate + F;
      bf16* op = halves(out) + n * F;
#pragma GCC ivdep
      for (int f = 0; f < F; f++) {
        float g = load(gate + f);
        store(op + f, g / (1.f + fast_exp(-g)) * load(up + f));
      }
    }
  });
  return out;
}

Tensor swiglu_backward(Tensor x, Tensor dout) {
  int N = x.size(0), F = x.size(1) / 2;
  auto dx = empty_halves({N, 2 * F});
  at::parallel_for(0, N, 128, [&](int64_t begin, int64_t end) {
    for (int64_t n = begin; n < end; n++) {
      const bf16* gate = halves(x) + n * 2 * F;
      const bf16* up = gate + F;
      const bf16* gp = halves(dout) + n * F;
      bf16* dgate = halves(dx) + n * 2 * F;
      bf16* dup = dgate + F;
#pragma GCC ivdep
      for (int f = 0; f < F; f++) {
        float g = load(gate + f), sigmoid = 1.f / (1.f + fast_exp(-g)), d = load(gp + f);
        store(dgate + f, d * load(up + f) * sigmoid * (1.f + g * (1.f - sigmoid)));
        store(dup + f, d * g * sigmoid);
      }
    }
  });
  return dx;
}

// Where the rows of one sequence lie and which head is whose.
struct Layout {
  int T, H, K, D;

  // Values of one token: its queries, keys and values.
  size_t row() const {
    return (size_t)(H + 2 * K) * D;
  }
  // Place of head h (queries, then keys) at token t, in q [H, T, D] or k [K, T, D].
  template <typename T_>
  T_* turned(T_* q, T_* k, int h, int t) const {
    return h < H ? q + ((size_t)h * T + t) * D : k + ((size_t)(h - H) * T + t) * D;
  }
};

// qkv [T, (H + 2 K) D] of one sequence -> q [H, T, D] and k [K, T, D] with rotary positions, and
// v [K, T, D].  cos and sin are [T, D/2].
static void split(const bf16* qkv, const float* cos, const float* sin, bf16* q, bf16* k, bf16* v,
                  const Layout& l) {
  int half = l.D / 2;
  for (int t = 0; t < l.T; t++) {
    const bf16* row = qkv + t * l.row();
    const float* c = cos + (size_t)t * half;
    const float* s = sin + (size_t)t * half;
    for (int h = 0; h < l.H + l.K; h++) {
      const bf16* in = row + h * l.D;
      bf16* out = l.turned(q, k, h, t);
#pragma GCC ivdep
      for (int d = 0; d < half; d++) {
        float a = load(in + d), b = load(in + half + d);
        store(out + d, a * c[d] - b * s[d]);
        store(out + half + d, b * c[d] + a * s[d]);
      }
    }
    for (int h = 0; h < l.K; h++) {
      const bf16* in = row + (size_t)(l.H + l.K + h) * l.D;
      memcpy(v + ((size_t)h * l.T + t) * l.D, in, sizeof(bf16) * l.D);
    }
  }
}

// Gradients of q, k and v -> gradient of qkv: the rotation backward.
static void join(const bf16* dq, const bf16* dk, const bf16* dv, const float* cos, const float* sin,
                 bf16* dqkv, const Layout& l) {
  int half = l.D / 2;
  for (int t = 0; t < l.T; t++) {
    bf16* row = dqkv + t * l.row();
    const float* c = cos + (size_t)t * half;
    const float* s = sin + (size_t)t * half;
    for (int h = 0; h < l.H + l.K; h++) {
      const bf16* in = l.turned(dq, dk, h, t);
      bf16* out = row + h * l.D;
#pragma GCC ivdep
      for (int d = 0; d < half; d++) {
        float a = load(in + d), b = load(in + half + d);
        store(out + d, a * c[d] + b * s[d]);
        store(out + half + d, b * c[d] - a * s[d]);
      }
    }
    for (int h = 0; h < l.K; h++) {
      bf16* out = row + (size_t)(l.H + l.K + h) * l.D;
      memcpy(out, dv + ((size_t)h * l.T + t) * l.D, sizeof(bf16) * l.D);
    }
  }
}

// Zero the scores [T] of token t that it may not see.
static void mask(bf16* scores, int prefix, int branch, int t, int T) {
  if (branch > prefix) {
    memset(scores + prefix, 0, sizeof(bf16) * (branch - prefix));
  }
  if (t + 1 < T) {
    memset(scores + t + 1, 0, sizeof(bf16) * (T - t - 1));
  }
}

// Scores [H, T, T] become probabilities.
static void softmax(bf16* scores, const int* prefixes, const int* branches, int H, int T,
                    float scale) {
  std::vector<float> exponentials(T);
  float* e = exponentials.data();
  for (int r = 0; r < H * T; r++) {
    int t = r % T, prefix = prefixes[t], branch = branches[t];
    bf16* row = scores + (size_t)r * T;
    float greatest = -1e30f;
    for (int j = 0; j < prefix; j++) {
      float value = load(row + j);
      greatest = value > greatest ? value : greatest;
    }
    for (int j = branch; j <= t; j++) {
      float value = load(row + j);
      greatest = value > greatest ? value : greatest;
    }
    greatest *= scale;
    float sum = 0;
#pragma GCC ivdep
    for (int j = 0; j < prefix; j++) {
      float value = fast_exp(load(row + j) * scale - greatest);
      e[j] = value;
      sum += value;
    }
#pragma GCC ivdep
    for (int j = branch; j <= t; j++) {
      float value = fast_exp(load(row + j) * scale - greatest);
      e[j] = value;
      sum += value;
    }
    sum = 1.f / sum;
    for (int j = 0; j < prefix; j++) {
      store(row + j, e[j] * sum);
    }
    for (int j = branch; j <= t; j++) {
      store(row + j, e[j] * sum);
    }
    mask(row, prefix, branch, t, T);
  }
}

// Gradient of the probabilities -> gradient of the scores, in place: p * (dp - sum(p * dp)) scale.
static void softmax_backward(const bf16* probabilities, bf16* gradients, const int* prefixes,
                             const int* branches, int H, int T, float scale) {
  for (int r = 0; r < H * T; r++) {
    int t = r % T, prefix = prefixes[t], branch = branches[t];
    const bf16* p = probabilities + (size_t)r * T;
    bf16* d = gradients + (size_t)r * T;
    float sum = 0;
    for (int j = 0; j < prefix; j++) {
      sum += load(p + j) * load(d + j);
    }
    for (int j = branch; j <= t; j++) {
      sum += load(p + j) * load(d + j);
    }
#pragma GCC ivdep
    for (int j = 0; j < prefix; j++) {
      store(d + j, load(p + j) * (load(d + j) - sum) * scale);
    }
#pragma GCC ivdep
    for (int j = branch; j <= t; j++) {
      store(d + j, load(p + j) * (load(d + j) - sum) * scale);
    }
    mask(d, prefix, branch, t, T);
  }
}

// Calls body(first token, layout) for each sequence; sequence i is tokens starts[i]...starts[i+1].
template <typename Body>
static void for_each_sequence(const Tensor& starts, int H, int K, int D, Body body) {
  const int* first = starts.data_ptr<int>();
  at::parallel_for(0, starts.numel() - 1, 1, [&](int64_t begin, int64_t end) {
    at::AutoDispatchBelowAutograd guard;
    for (int64_t i = begin; i < end; i++) {
      body((size_t)first[i], Layout{first[i + 1] - first[i], H, K, D});
    }
  });
}

// qkv [N, (H + 2 K) D] -> [N, H D].  cos and sin [N, D/2]; prefixes and branches int [N].
Tensor attention(Tensor qkv, Tensor cos, Tensor sin, Tensor starts, Tensor prefixes,
                 Tensor branches, int64_t H, int64_t K) {
  int N = qkv.size(0), D = qkv.size(1) / (H + 2 * K);
  auto out = empty_halves({N, H * D});
  float scale = 1.f / sqrtf(D);
  for_each_sequence(starts, H, K, D, [&](size_t first, const Layout& l) {
    int T = l.T;
    // The heads of a group follow each other: [H, T, D] = [K, (H/K) T, D].
    auto q = empty_halves({K, (H / K) * T, D}), k = empty_halves({K, T, D}),
         v = empty_halves({K, T, D});
    split(halves(qkv) + first * l.row(), floats(cos) + first * D / 2, floats(sin) + first * D / 2,
          halves(q), halves(k), halves(v), l);
    auto scores = at::bmm(q, k.transpose(1, 2));
    softmax(halves(scores), prefixes.data_ptr<int>() + first, branches.data_ptr<int>() + first, H,
            T, scale);
    auto mixed = at::bmm(scores, v).contiguous();  // [H, T, D]
    bf16* op = halves(out) + first * H * D;
    for (int h = 0; h < H; h++) {
      for (int t = 0; t < T; t++) {
        memcpy(op + ((size_t)t * H + h) * D, halves(mixed) + ((size_t)h * T + t) * D,
               sizeof(bf16) * D);
      }
    }
  });
  return out;
}

Tensor attention_backward(Tensor qkv, Tensor dout, Tensor cos, Tensor sin, Tensor starts,
                          Tensor prefixes, Tensor branches, int64_t H, int64_t K) {
  int N = qkv.size(0), D = qkv.size(1) / (H + 2 * K);
  auto dqkv = empty_halves({N, (H + 2 * K) * D});
  float scale = 1.f / sqrtf(D);
  for_each_sequence(starts, H, K, D, [&](size_t first, const Layout& l) {
    int T = l.T;
    auto q = empty_halves({K, (H / K) * T, D}), k = empty_halves({K, T, D}),
         v = empty_halves({K, T, D}), dmixed = empty_halves({K, (H / K) * T, D});
    const float* c = floats(cos) + first * D / 2;
    const float* s = floats(sin) + first * D / 2;
    const int* prefix = prefixes.data_ptr<int>() + first;
    const int* branch = branches.data_ptr<int>() + first;
    split(halves(qkv) + first * l.row(), c, s, halves(q), halves(k), halves(v), l);
    const bf16* gp = halves(dout) + first * H * D;
    for (int h = 0; h < H; h++) {
      for (int t = 0; t < T; t++) {
        memcpy(halves(dmixed) + ((size_t)h * T + t) * D, gp + ((size_t)t * H + h) * D,
               sizeof(bf16) * D);
      }
    }
    auto p = at::bmm(q, k.transpose(1, 2));
    softmax(halves(p), prefix, branch, H, T, scale);
    auto dv = at::bmm(p.transpose(1, 2), dmixed).contiguous();
    auto dscores = at::bmm(dmixed, v.transpose(1, 2)).contiguous();
    softmax_backward(halves(p), halves(dscores), prefix, branch, H, T, scale);
    auto dq = at::bmm(dscores, k).contiguous();
    auto dk = at::bmm(dscores.transpose(1, 2), q).contiguous();
    join(halves(dq), halves(dk), halves(dv), c, s, halves(dqkv) + first * l.row(), l);
  });
  return dqkv;
}

// Negative log-likelihoods [N] of targets [N].  logits [N, V] are overwritten by their weighted
// gradient, (softmax - one hot) * weight.
Tensor cross_entropy(Tensor logits, Tensor targets, Tensor weights) {
  int N = logits.size(0), V = logits.size(1);
  auto losses = at::empty({N}, weights.options());
  const int64_t* target = targets.data_ptr<int64_t>();
  at::parallel_for(0, N, 32, [&](int64_t begin, int64_t end) {
    std::vector<float> exponentials(V);
    float* e = exponentials.data();
    for (int64_t n = begin; n < end; n++) {
      bf16* row = halves(logits) + n * V;
      float greatest = -1e30f;
      for (int j = 0; j < V; j++) {
        float value = load(row + j);
        greatest = value > greatest ? value : greatest;
      }
      float sum = 0;
#pragma GCC ivdep
      for (int j = 0; j < V; j++) {
        float value = fast_exp(load(row + j) - greatest);
        e[j] = value;
        sum += value;
      }
      float weight = floats(weights)[n];
      floats(losses)[n] = logf(sum) + greatest - load(row + target[n]);
      float factor = weight / sum;
#pragma GCC ivdep
      for (int j = 0; j < V; j++) {
        store(row + j, e[j] * factor);
      }
      store(row + target[n], e[target[n]] * factor - weight);
    }
  });
  return losses;
}

PYBIND11_MODULE(TORCH_EXTENSION_NAME, module) {
  module.def("rms_norm", &rms_norm);
  module.def("rms_norm_backward", &rms_norm_backward);
  module.def("swiglu", &swiglu);
  module.def("swiglu_backward", &swiglu_backward);
  module.def("attention", &attention);
  module.def("attention_backward", &attention_backward);
  module.def("cross_entropy", &cross_entropy);
}
