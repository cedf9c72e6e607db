// 2:4 structured sparsity: of every four elements along k the two of largest magnitude stay, laid out as sparse24_kernels.h says.
#include <algorithm>
#include <cmath>
#include <cstring>

#include "gemm/compressed/forms.h"
#include "gemm/compressed/panel_product.h"
#include "gemm/compressed/sparse24_kernels.h"
#include "gemm/wide.h"

namespace aibench {
namespace {

// The rows, strongest first.
template <typename T>
struct Sparse24Table;
template <>
struct Sparse24Table<float> {
  static constexpr const Sparse24Kernel<float>* rows[] = {
#if defined(AIBENCH_ARCH_x86_64)
      &kSparse24_f32_avx512f, &kSparse24_f32_avx2,
#endif
      &kSparse24_f32_scalar};
};
template <>
struct Sparse24Table<Bf16> {
  static constexpr const Sparse24Kernel<Bf16>* rows[] = {
#if defined(AIBENCH_ARCH_x86_64)
      &kSparse24_bf16_avx512bf16, &kSparse24_bf16_avx512f, &kSparse24_bf16_avx2,
#endif
      &kSparse24_bf16_scalar};
};
template <>
struct Sparse24Table<std::int8_t> {
  static constexpr const Sparse24Kernel<std::int8_t>* rows[] = {
#if defined(AIBENCH_ARCH_x86_64)
      &kSparse24_s8_avx512vnni, &kSparse24_s8_avx2,
#endif
      &kSparse24_s8_scalar};
};

// The strongest that is no stronger than the dense kernel.
template <typename T>
const Sparse24Kernel<T>& sparse24_kernel(Isa dense) {
  const auto& rows = Sparse24Table<T>::rows;
  return **std::find_if(std::begin(rows), std::end(rows),
                        [&](const Sparse24Kernel<T>* row) { return row->isa == Isa::kScalar || (row->isa <= dense && isa_supported(row->isa)); });
}

template <typename T>
class Sparse24Weights final : public CompressedWeights<T> {
  using C = OutputOf<T>;

 public:
  Sparse24Weights(const Microkernel<T>& kernel, int threads)
      : fast_(sparse24_kernel<T>(kernel.isa)), rows_of_a_(static_cast<std::size_t>(threads)) {}

  void compress(const DenseWeights<T>& w) override {
    k_ = w.k;
    n_ = w.n;
    words_.assign(panels_of(n_, kStrip) * strip_words(k_), 0);
    offsets_.assign(fast_.a_offset == 0 ? 0 : panels_of(n_, kStrip) * kStrip, C{0});
    for (std::size_t g = 0; g < (k_ + 3) / 4; ++g) {
      for (std::size_t j = 0; j < n_; ++j) compress_group(w, g, j);
    }
  }

  double bytes(std::size_t k, std::size_t n) const override { return 4.0 * static_cast<double>(panels_of(n, kStrip) * strip_words(k)); }
  // Two of each group of four, or of what is left of the last one.
  double density(std::size_t k, std::size_t) const override {
    return static_cast<double>(k / 4 * 2 + std::min<std::size_t>(2, k % 4)) / static_cast<double>(k);
  }
  std::vector<typename CompressedWeights<T>::Piece> pieces() const override { return {{words_.data(), 4 * words_.size()}}; }
  const char* description() const override { return "2:4 along k, the kept values and 2 bits of index each"; }

  void multiply(const GemmArguments<T>& g, ThreadTeam& team) override {
    team.run([&](int member) {
      const PanelShare share(panels_of(n_, kStrip), member, team.size());
      if (share.first == share.last) return;
      RowsOfA<T>& a = rows_of_a_[static_cast<std::size_t>(member)];
      const std::size_t column = share.first * kStrip, depth = blocks(k_) * kSparse24Depth;
      Sparse24Rows<T> rows{};
      rows.n = std::min(n_, share.last * kStrip) - column;
      rows.blocks = blocks(k_);
      rows.strips = words_.data() + share.first * strip_words(k_);
      rows.offsets = offsets_.empty() ? nullptr : offsets_.data() + column;
      rows.ldc = static_cast<std::ptrdiff_t>(g.ldc);
      const std::size_t most = rows_at_a_time(depth);
      for (std::size_t ic = 0; ic < g.m; ic += most) {
        rows.m = std::min(most, g.m - ic);
        a.take(g, ic, rows.m, depth, static_cast<std::size_t>(fast_.a_bytes));
        if (fast_.a_offset != 0) a.flip_signs();
        rows.a = a.data();
        rows.pitch = a.pitch();
        rows.c = g.c + ic * g.ldc + column;
        fast_.rows(rows);
      }
    });
  }

 private:
  static std::size_t blocks(std::size_t k) { return panels_of(k, kSparse24Depth); }
  static std::size_t strip_words(std::size_t k) { return blocks(k) * kSparse24BlockWords<T>; }
  // Of A: so that they stay in L2 while all strips pass.
  std::size_t rows_at_a_time(std::size_t depth) const {
    constexpr std::size_t kBytes = 384 * 1024, kTileRows = 8;
    return std::max(kBytes / (std::max<std::size_t>(depth, 1) * static_cast<std::size_t>(fast_.a_bytes)) / kTileRows * kTileRows, kTileRows);
  }

  void compress_group(const DenseWeights<T>& w, std::size_t group, std::size_t j) {
    std::uint32_t* const block = words_.data() + j / kStrip * strip_words(k_) + group / kSparse24Groups * kSparse24BlockWords<T>;
    char* const values = reinterpret_cast<char*>(block + kStrip);
    const std::size_t begin = 4 * group, count = std::min<std::size_t>(4, k_ - begin), g = group % kSparse24Groups, column = j % kStrip;
    const auto magnitude = [&](std::size_t l) { return std::abs(to_double(w.b[(begin + l) * n_ + j])); };
    bool kept[4] = {};
    for (std::size_t i = 0; i < std::min<std::size_t>(2, count); ++i) {
      std::size_t largest = 4;
      for (std::size_t l = 0; l < count; ++l) {
        if (!kept[l] && (largest == 4 || magnitude(l) > magnitude(largest))) largest = l;
      }
      kept[largest] = true;
      const WeightOf<T> value = w.b[(begin + largest) * n_ + j];
      std::memcpy(values + sparse24_value<T>(g, i, column) * sizeof value, &value, sizeof value);
      block[column] |= static_cast<std::uint32_t>(largest) << sparse24_place<T>(g, i);
      if constexpr (std::is_same_v<T, std::int8_t>) {
        if (!offsets_.empty()) offsets_[j] -= fast_.a_offset * value;
      }
    }
    for (std::size_t l = 0; l < count; ++l) {
      if (!kept[l]) w.b[(begin + l) * n_ + j] = WeightOf<T>{};
    }
  }

  const Sparse24Kernel<T>& fast_;
  std::size_t k_ = 0, n_ = 0;
  std::vector<std::uint32_t> words_;
  std::vector<C> offsets_;
  std::vector<RowsOfA<T>> rows_of_a_;
};

}  // namespace

template <typename T>
std::unique_ptr<CompressedWeights<T>> make_sparse24_weights(const Microkernel<T>& kernel, int threads) {
  return std::make_unique<Sparse24Weights<T>>(kernel, threads);
}
template std::unique_ptr<CompressedWeights<float>> make_sparse24_weights(const Microkernel<float>&, int);
template std::unique_ptr<CompressedWeights<Bf16>> make_sparse24_weights(const Microkernel<Bf16>&, int);
template std::unique_ptr<CompressedWeights<std::int8_t>> make_sparse24_weights(const Microkernel<std::int8_t>&, int);

}  // namespace aibench
