// int4: codes of 4 bits with one f32 scale per 32 elements along k and column, symmetric: w = scale * code, code in [-7, 7],
// scale = max |w| / 7. Panels are unpacked to f32 as they are needed, once per block of rows.
#include <cmath>

#include "gemm/compressed/forms.h"
#include "gemm/compressed/panel_product.h"

namespace aibench {
namespace {

constexpr std::size_t kGroup = 32, kDepth = 256, kBlockRows = 192;

class Int4Weights final : public CompressedWeights {
 public:
  Int4Weights(const Microkernel<float>& kernel, const PanelKernels& panels, int threads)
      : kernel_(kernel), panels_(panels), workspaces_(static_cast<std::size_t>(threads)) {}

  void compress(const DenseWeights& w) override {
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
  double density(std::size_t, std::size_t) const override { return 1; }
  std::vector<Piece> pieces() const override {
    return {{codes_.data(), 4 * codes_.size()}, {scales_.data(), 4 * scales_.size()}};
  }
  const char* description() const override { return "int4, f32 scale per 32 of k, unpacked to f32"; }

  void multiply(const GemmArguments<float>& g, ThreadTeam& team) override {
    team.run([&](int member) {
      std::vector<float>& space = workspaces_[static_cast<std::size_t>(member)];
      space.resize((kBlockRows + columns()) * kDepth + 16);
      float *packed = space.data(), *panel = packed + kBlockRows * kDepth;
      const PanelShare share(panels_of(n_, columns()), member, team.size());
      for (std::size_t ic = 0; ic < g.m && share.first < share.last; ic += kBlockRows) {
        const std::size_t m = std::min(kBlockRows, g.m - ic);
        for (std::size_t pc = 0; pc < k_; pc += kDepth) {
          const std::size_t depth = std::min(kDepth, k_ - pc);
          pack_block(kernel_, g, ic, m, pc, depth, packed);
          for (std::size_t p = share.first; p < share.last; ++p) {
            const auto lanes = static_cast<std::size_t>(kernel_.lanes);
            const std::size_t wanted = std::min(columns(), n_ - p * columns()), vectors = (wanted + lanes - 1) / lanes;
            for (std::size_t l = 0; l < depth; l += kGroup) {
              panels_.unpack_int4(codes_.data() + (p * k_ + pc + l) * words(), std::min(kGroup, depth - l), words(),
                                  scales_.data() + (p * groups() + (pc + l) / kGroup) * columns(), vectors * lanes,
                                  panel + l * vectors * lanes);
            }
            multiply_panel(kernel_, m, depth, packed, panel, vectors, wanted - (vectors - 1) * lanes,
                           g.c + ic * g.ldc + p * columns(), g.ldc, pc != 0);
          }
        }
      }
    });
  }

 private:
  std::size_t columns() const { return static_cast<std::size_t>(kernel_.columns()); }
  std::size_t words() const { return (columns() + 7) / 8; }
  std::size_t groups() const { return (k_ + kGroup - 1) / kGroup; }

  void compress_group(const DenseWeights& w, std::size_t group, std::size_t j) {
    const std::size_t begin = group * kGroup, end = std::min(k_, begin + kGroup);
    const std::size_t panel = j / columns(), column = j % columns();
    float largest = 0;
    for (std::size_t l = begin; l < end; ++l) largest = std::max(largest, std::abs(w.b[l * n_ + j]));
    const float scale = largest / 7;
    scales_[(panel * groups() + group) * columns() + column] = scale;
    for (std::size_t l = begin; l < end; ++l) {
      float& weight = w.b[l * n_ + j];
      const int code = scale == 0 ? 0 : static_cast<int>(std::lround(weight / scale));
      codes_[(panel * k_ + l) * words() + column / 8] |= (static_cast<std::uint32_t>(code) & 15u) << (4 * (column % 8));
      weight = scale * static_cast<float>(code);
    }
  }

  const Microkernel<float>& kernel_;
  const PanelKernels& panels_;
  std::size_t k_ = 0, n_ = 0;
  std::vector<std::uint32_t> codes_;
  std::vector<float> scales_;
  std::vector<std::vector<float>> workspaces_;
};

}  // namespace

std::unique_ptr<CompressedWeights> make_int4_weights(const Microkernel<float>& kernel, const PanelKernels& panels, int threads) {
  return std::make_unique<Int4Weights>(kernel, panels, threads);
}

}  // namespace aibench
