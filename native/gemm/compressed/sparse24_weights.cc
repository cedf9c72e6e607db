// 2:4 structured sparsity: of every four elements along k the two of largest magnitude stay.
#include <cmath>

#include "gemm/compressed/forms.h"
#include "gemm/compressed/panel_product.h"

namespace aibench {
namespace {

constexpr std::size_t kRows = kSparseRows, kColumns = kSparseColumns, kBlockRows = 64, kDepthGroups = 64;

class Sparse24Weights final : public CompressedWeights {
 public:
  Sparse24Weights(const PanelKernels& panels, int threads) : kernels_(panels), workspaces_(static_cast<std::size_t>(threads)) {}

  void compress(const DenseWeights& w) override {
    k_ = w.k;
    n_ = w.n;
    groups_.assign(panels_of(n_, kColumns) * groups(), SparseGroup{});
    for (std::size_t g = 0; g < groups(); ++g) {
      for (std::size_t j = 0; j < n_; ++j) compress_group(w, g, j);
    }
  }

  double bytes(std::size_t k, std::size_t n) const override {
    return static_cast<double>(panels_of(n, kColumns) * ((k + 3) / 4) * sizeof(SparseGroup));
  }
  // Two of each group of four, or of what is left of the last one.
  double density(std::size_t k, std::size_t) const override {
    return static_cast<double>(k / 4 * 2 + std::min<std::size_t>(2, k % 4)) / static_cast<double>(k);
  }
  std::vector<Piece> pieces() const override { return {{groups_.data(), groups_.size() * sizeof(SparseGroup)}}; }
  const char* description() const override { return "2:4 along k, f32 values and a byte of index each"; }

  void multiply(const GemmArguments<float>& g, ThreadTeam& team) override {
    team.run([&](int member) {
      std::vector<float>& packed = workspaces_[static_cast<std::size_t>(member)];
      packed.resize(kBlockRows * 4 * kDepthGroups);
      const PanelShare share(panels_of(n_, kColumns), member, team.size());
      for (std::size_t ic = 0; ic < g.m && share.first < share.last; ic += kBlockRows) {
        const std::size_t m = std::min(kBlockRows, g.m - ic);
        for (std::size_t gc = 0; gc < groups(); gc += kDepthGroups) {
          const std::size_t depth = std::min(kDepthGroups, groups() - gc);
          for (std::size_t r = 0; r < m; r += kRows) pack(g, ic + r, std::min(kRows, m - r), gc, depth, &packed[r * 4 * depth]);
          for (std::size_t p = share.first; p < share.last; ++p) {
            for (std::size_t r = 0; r < m; r += kRows) {
              kernels_.sparse_tile(depth, &packed[r * 4 * depth], &groups_[p * groups() + gc],
                                   g.c + (ic + r) * g.ldc + p * kColumns, static_cast<std::ptrdiff_t>(g.ldc),
                                   std::min(kRows, m - r), std::min(kColumns, n_ - p * kColumns), gc != 0);
            }
          }
        }
      }
    });
  }

 private:
  std::size_t groups() const { return (k_ + 3) / 4; }

  // Per group of four k, eight rows of four; zeros where there is no row or no k.
  void pack(const GemmArguments<float>& g, std::size_t row, std::size_t rows, std::size_t from, std::size_t depth, float* to) const {
    for (std::size_t l = 0; l < depth; ++l) {
      const std::size_t begin = 4 * (from + l), count = std::min<std::size_t>(4, k_ - begin);
      for (std::size_t r = 0; r < kRows; ++r, to += 4) {
        for (std::size_t i = 0; i < 4; ++i) to[i] = r < rows && i < count ? g.a[(row + r) * g.lda + begin + i] : 0.0f;
      }
    }
  }

  void compress_group(const DenseWeights& w, std::size_t group, std::size_t j) {
    SparseGroup& out = groups_[j / kColumns * groups() + group];
    const std::size_t begin = 4 * group, count = std::min<std::size_t>(4, k_ - begin);
    bool kept[4] = {};
    for (std::size_t i = 0; i < std::min<std::size_t>(2, count); ++i) {
      std::size_t largest = 4;
      for (std::size_t l = 0; l < count; ++l) {
        if (!kept[l] && (largest == 4 || std::abs(w.b[(begin + l) * n_ + j]) > std::abs(w.b[(begin + largest) * n_ + j]))) largest = l;
      }
      kept[largest] = true;
      out.values[i][j % kColumns] = w.b[(begin + largest) * n_ + j];
      out.places[i][j % kColumns] = static_cast<std::uint8_t>(largest);
    }
    for (std::size_t l = 0; l < count; ++l) {
      if (!kept[l]) w.b[(begin + l) * n_ + j] = 0;
    }
  }

  const PanelKernels& kernels_;
  std::size_t k_ = 0, n_ = 0;
  std::vector<SparseGroup> groups_;
  std::vector<std::vector<float>> workspaces_;
};

}  // namespace

std::unique_ptr<CompressedWeights> make_sparse24_weights(const PanelKernels& panels, int threads) {
  return std::make_unique<Sparse24Weights>(panels, threads);
}

}  // namespace aibench
