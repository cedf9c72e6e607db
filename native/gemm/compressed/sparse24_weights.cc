// 2:4 structured sparsity: of every four elements along k the two of largest magnitude stay.
#include <cmath>

#include "gemm/compressed/forms.h"
#include "gemm/compressed/panel_product.h"
#include "gemm/wide.h"

namespace aibench {
namespace {

constexpr std::size_t kRows = kSparseRows, kColumns = kSparseColumns, kBlockRows = 64, kDepthGroups = 64;

template <typename T>
class Sparse24Weights final : public CompressedWeights<T> {
 public:
  Sparse24Weights(const PanelKernels& panels, int threads)
      : tile_(sparse_tile_of<T>(panels)), workspaces_(static_cast<std::size_t>(threads)) {}

  void compress(const DenseWeights<T>& w) override {
    k_ = w.k;
    n_ = w.n;
    groups_.assign(panels_of(n_, kColumns) * groups(), SparseGroup<T>{});
    for (std::size_t g = 0; g < groups(); ++g) {
      for (std::size_t j = 0; j < n_; ++j) compress_group(w, g, j);
    }
  }

  double bytes(std::size_t k, std::size_t n) const override {
    return static_cast<double>(panels_of(n, kColumns) * ((k + 3) / 4) * sizeof(SparseGroup<T>));
  }
  // Two of each group of four, or of what is left of the last one.
  double density(std::size_t k, std::size_t) const override {
    return static_cast<double>(k / 4 * 2 + std::min<std::size_t>(2, k % 4)) / static_cast<double>(k);
  }
  std::vector<typename CompressedWeights<T>::Piece> pieces() const override {
    return {{groups_.data(), groups_.size() * sizeof(SparseGroup<T>)}};
  }
  const char* description() const override { return "2:4 along k, the kept values and 2 bits of index each"; }

  void multiply(const GemmArguments<T>& g, ThreadTeam& team) override {
    team.run([&](int member) {
      std::vector<SparseWord<T>>& packed = workspaces_[static_cast<std::size_t>(member)];
      packed.resize(kBlockRows * 4 * kDepthGroups);
      const PanelShare share(panels_of(n_, kColumns), member, team.size());
      for (std::size_t ic = 0; ic < g.m && share.first < share.last; ic += kBlockRows) {
        const std::size_t m = std::min(kBlockRows, g.m - ic);
        for (std::size_t gc = 0; gc < groups(); gc += kDepthGroups) {
          const std::size_t depth = std::min(kDepthGroups, groups() - gc);
          for (std::size_t r = 0; r < m; r += kRows) pack(g, ic + r, std::min(kRows, m - r), gc, depth, &packed[r * 4 * depth]);
          for (std::size_t p = share.first; p < share.last; ++p) {
            for (std::size_t r = 0; r < m; r += kRows) {
              tile_(depth, &packed[r * 4 * depth], &groups_[p * groups() + gc], g.c + (ic + r) * g.ldc + p * kColumns,
                    static_cast<std::ptrdiff_t>(g.ldc), std::min(kRows, m - r), std::min(kColumns, n_ - p * kColumns), gc != 0);
            }
          }
        }
      }
    });
  }

 private:
  std::size_t groups() const { return (k_ + 3) / 4; }

  // Per group of four k, eight rows of four; zeros where there is no row or no k.
  void pack(const GemmArguments<T>& g, std::size_t row, std::size_t rows, std::size_t from, std::size_t depth, SparseWord<T>* to) const {
    for (std::size_t l = 0; l < depth; ++l) {
      const std::size_t begin = 4 * (from + l), count = std::min<std::size_t>(4, k_ - begin);
      for (std::size_t r = 0; r < kRows; ++r, to += 4) {
        for (std::size_t i = 0; i < 4; ++i) {
          to[i] = r < rows && i < count ? word(g.a[(row + r) * g.lda + begin + i]) : SparseWord<T>{};
        }
      }
    }
  }
  static SparseWord<T> word(T x) {
    if constexpr (std::is_same_v<T, Bf16>) return bf16_to_float(x.bits);
    else return x;
  }

  void compress_group(const DenseWeights<T>& w, std::size_t group, std::size_t j) {
    SparseGroup<T>& out = groups_[j / kColumns * groups() + group];
    const std::size_t begin = 4 * group, count = std::min<std::size_t>(4, k_ - begin), column = j % kColumns;
    const auto magnitude = [&](std::size_t l) { return std::abs(to_double(w.b[(begin + l) * n_ + j])); };
    bool kept[4] = {};
    for (std::size_t i = 0; i < std::min<std::size_t>(2, count); ++i) {
      std::size_t largest = 4;
      for (std::size_t l = 0; l < count; ++l) {
        if (!kept[l] && (largest == 4 || magnitude(l) > magnitude(largest))) largest = l;
      }
      kept[largest] = true;
      out.values[i][column] = w.b[(begin + largest) * n_ + j];
      out.places |= static_cast<std::uint32_t>(largest) << (4 * column + 2 * i);
    }
    for (std::size_t l = 0; l < count; ++l) {
      if (!kept[l]) w.b[(begin + l) * n_ + j] = WeightOf<T>{};
    }
  }

  const SparseTile<T> tile_;
  std::size_t k_ = 0, n_ = 0;
  std::vector<SparseGroup<T>> groups_;
  std::vector<std::vector<SparseWord<T>>> workspaces_;
};

}  // namespace

template <typename T>
std::unique_ptr<CompressedWeights<T>> make_sparse24_weights(const PanelKernels& panels, int threads) {
  return std::make_unique<Sparse24Weights<T>>(panels, threads);
}
template std::unique_ptr<CompressedWeights<float>> make_sparse24_weights(const PanelKernels&, int);
template std::unique_ptr<CompressedWeights<Bf16>> make_sparse24_weights(const PanelKernels&, int);
template std::unique_ptr<CompressedWeights<std::int8_t>> make_sparse24_weights(const PanelKernels&, int);

}  // namespace aibench
