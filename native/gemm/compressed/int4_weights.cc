// int4: codes of 4 bits with one f32 scale per 32 elements along k and column, symmetric: w = scale * code, code in [-7, 7],
// scale = max |w| / 7. For bf16 the scale is rounded up to five significant bits, with which scale * code is a bf16 without
// rounding. Panels are unpacked to f32 as they are needed, and to pairs of bf16 where the kernel wants those.
#include <cmath>

#include "core/half.h"
#include "gemm/compressed/forms.h"
#include "gemm/compressed/unpacked_panels.h"
#include "gemm/wide.h"

namespace aibench {
namespace {

constexpr std::size_t kGroup = 32;

// The least number of five significant bits that is not below x.
float five_bits(float x) {
  int exponent = 0;
  const float fraction = std::frexp(x, &exponent);
  return std::ldexp(std::ceil(fraction * 32), exponent - 5);
}

template <typename T>
class Int4Weights final : public UnpackedPanels<T> {
  using Base = UnpackedPanels<T>;
  using Base::columns, Base::kernel_, Base::k_, Base::n_;

 public:
  Int4Weights(const Microkernel<T>& kernel, const PanelKernels& panels, int threads) : Base(kernel, threads), panels_(panels) {}

  void compress(const DenseWeights<T>& w) override {
    k_ = w.k;
    n_ = w.n;
    const std::size_t count = panels_of(n_, columns());
    codes_.assign(count * k_ * words(), 0);
    scales_.assign(count * groups() * columns(), 0);
    for (std::size_t g = 0; g < groups(); ++g) {
      for (std::size_t j = 0; j < n_; ++j) compress_group(w, g, j);
    }
  }

  double bytes(std::size_t k, std::size_t n) const override {
    const std::size_t scales = (k + kGroup - 1) / kGroup * columns();
    return 4.0 * static_cast<double>(panels_of(n, columns()) * (k * words() + scales));
  }
  std::vector<typename CompressedWeights<T>::Piece> pieces() const override {
    return {{codes_.data(), 4 * codes_.size()}, {scales_.data(), 4 * scales_.size()}};
  }
  const char* description() const override { return "int4, f32 scale per 32 of k, unpacked to what the dense kernel multiplies"; }

 private:
  void unpack(std::size_t p, std::size_t pc, std::size_t depth, float* panel) override {
    if (kernel_.group == 1) {
      unpack_floats(p, pc, depth, panel);
      return;
    }
    // Two bf16 in a word.
    if constexpr (std::is_same_v<T, Bf16>) {
      const std::size_t width = Base::vectors_of(p) * static_cast<std::size_t>(kernel_.lanes);
      thread_local std::vector<float> floats;
      thread_local std::vector<Bf16> halves;
      floats.resize(depth * width);
      halves.resize(depth * width);
      unpack_floats(p, pc, depth, floats.data());
      for (std::size_t i = 0; i < depth * width; ++i) halves[i] = {float_to_bf16(floats[i])};
      kernel_.pack_b(depth, halves.data(), static_cast<std::ptrdiff_t>(width), static_cast<int>(Base::vectors_of(p)),
                     static_cast<std::size_t>(kernel_.lanes), panel);
    }
  }
  void unpack_floats(std::size_t p, std::size_t pc, std::size_t depth, float* out) const {
    const std::size_t width = Base::vectors_of(p) * static_cast<std::size_t>(kernel_.lanes);
    for (std::size_t l = 0; l < depth; l += kGroup) {
      panels_.unpack_int4(codes_.data() + (p * k_ + pc + l) * words(), std::min(kGroup, depth - l), words(),
                          scales_.data() + (p * groups() + (pc + l) / kGroup) * columns(), width, out + l * width);
    }
  }

  std::size_t words() const { return (columns() + 7) / 8; }
  std::size_t groups() const { return (k_ + kGroup - 1) / kGroup; }

  void compress_group(const DenseWeights<T>& w, std::size_t group, std::size_t j) {
    const std::size_t begin = group * kGroup, end = std::min(k_, begin + kGroup);
    const std::size_t panel = j / columns(), column = j % columns();
    float largest = 0;
    for (std::size_t l = begin; l < end; ++l) largest = std::max(largest, std::abs(static_cast<float>(to_double(w.b[l * n_ + j]))));
    const float exact = largest / 7, scale = std::is_same_v<T, Bf16> ? five_bits(exact) : exact;
    scales_[(panel * groups() + group) * columns() + column] = scale;
    for (std::size_t l = begin; l < end; ++l) {
      WeightOf<T>& weight = w.b[l * n_ + j];
      const int code = scale == 0 ? 0 : static_cast<int>(std::lround(static_cast<float>(to_double(weight)) / scale));
      codes_[(panel * k_ + l) * words() + column / 8] |= (static_cast<std::uint32_t>(code) & 15u) << (4 * (column % 8));
      const float stands_for = scale * static_cast<float>(code);
      if constexpr (std::is_same_v<T, Bf16>) weight = {float_to_bf16(stands_for)};
      else weight = stands_for;
    }
  }

  const PanelKernels& panels_;
  std::vector<std::uint32_t> codes_;
  std::vector<float> scales_;
};

}  // namespace

template <typename T>
std::unique_ptr<CompressedWeights<T>> make_int4_weights(const Microkernel<T>& kernel, const PanelKernels& panels, int threads) {
  return std::make_unique<Int4Weights<T>>(kernel, panels, threads);
}
template std::unique_ptr<CompressedWeights<float>> make_int4_weights(const Microkernel<float>&, const PanelKernels&, int);
template std::unique_ptr<CompressedWeights<Bf16>> make_int4_weights(const Microkernel<Bf16>&, const PanelKernels&, int);

}  // namespace aibench
