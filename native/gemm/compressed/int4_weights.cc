// int4 weights, symmetric: w = scale * code, code in [-7, 7], scale = max |w| / 7, laid out as int4_kernels.h says.
//
// Of f32 and bf16 (w4a16) with one f32 scale per 32 elements along k and column; for bf16 the scale is rounded up to five significant bits, with
// which scale * code is a bf16 without rounding. Of int8 (w4a8) with a scale per column, which is applied to the s32 sums by whoever uses them,
// as with int8 weights, and is no part of the product.
//
// Few rows are multiplied straight from the codes; more of them by the dense tiles, after a panel's codes are unpacked once per block of rows.
#include <cmath>
#include <numeric>
#include <type_traits>

#include "core/half.h"
#include "gemm/compressed/forms.h"
#include "gemm/compressed/int4_kernels.h"
#include "gemm/compressed/panel_product.h"
#include "gemm/wide.h"

namespace aibench {
namespace {

template <typename T>
constexpr bool kScaled = !std::is_same_v<T, std::int8_t>;

// The rows, strongest first.
#if defined(AIBENCH_ARCH_x86_64)
template <typename T>
struct Int4Table;
template <>
struct Int4Table<float> {
  static constexpr const Int4Kernel<float>* rows[] = {&kInt4_f32_avx512f, &kInt4_f32_avx2};
};
template <>
struct Int4Table<Bf16> {
  static constexpr const Int4Kernel<Bf16>* rows[] = {&kInt4_bf16_avx512bf16, &kInt4_bf16_avx512f, &kInt4_bf16_avx2};
};
template <>
struct Int4Table<std::int8_t> {
  static constexpr const Int4Kernel<std::int8_t>* rows[] = {&kInt4_s8_avx512vnni, &kInt4_s8_avx2};
};
#endif

// The kernel of int4 that makes panels for a dense one of the same vectors, or nullptr.
template <typename T>
const Int4Kernel<T>* int4_kernel([[maybe_unused]] const Microkernel<T>& dense) {
#if defined(AIBENCH_ARCH_x86_64)
  for (const Int4Kernel<T>* row : Int4Table<T>::rows) {
    if (row->group == dense.group && row->lanes == dense.lanes && row->isa <= dense.isa && isa_supported(row->isa)) return row;
  }
#endif
  return nullptr;
}

// The least number of five significant bits that is not below x.
float five_bits(float x) {
  int exponent = 0;
  const float fraction = std::frexp(x, &exponent);
  return std::ldexp(std::ceil(fraction * 32), exponent - 5);
}

template <typename T>
class Int4Weights final : public CompressedWeights<T> {
  using B = WeightOf<T>;
  using C = OutputOf<T>;

 public:
  Int4Weights(const Microkernel<T>& kernel, int threads)
      : kernel_(kernel), fast_(int4_kernel(kernel)), workspaces_(static_cast<std::size_t>(threads)) {}

  void compress(const DenseWeights<T>& w) override {
    k_ = w.k;
    n_ = w.n;
    codes_.assign(strips(n_) * strip_codes(), 0);
    scales_.assign(kScaled<T> ? strips(n_) * strip_scales() : 0, 0);
    const std::size_t depth = kScaled<T> ? kInt4Group : std::max<std::size_t>(k_, 1);
    for (std::size_t begin = 0; begin < k_; begin += depth) {
      for (std::size_t j = 0; j < n_; ++j) quantise(w, j, begin, std::min(k_, begin + depth));
    }
  }

  double bytes(std::size_t k, std::size_t n) const override {
    const std::size_t scales = kScaled<T> ? (k + kInt4Group - 1) / kInt4Group : 0;
    return 4.0 * static_cast<double>(strips(n) * kStrip * ((k + kInt4Codes - 1) / kInt4Codes + scales));
  }
  double density(std::size_t, std::size_t) const override { return 1; }
  std::vector<typename CompressedWeights<T>::Piece> pieces() const override {
    std::vector<typename CompressedWeights<T>::Piece> pieces{{codes_.data(), 4 * codes_.size()}};
    if (kScaled<T>) pieces.push_back({scales_.data(), 4 * scales_.size()});
    return pieces;
  }
  const char* description() const override {
    return kScaled<T> ? "int4, f32 scale per 32 of k" : "int4 codes for int8 activations, a scale per column that is applied to the sums";
  }

  void multiply(const GemmArguments<T>& g, ThreadTeam& team) override {
    const bool few = fast_ != nullptr && g.m <= kFewRows;
    team.run([&](int member) {
      Workspace& space = workspaces_[static_cast<std::size_t>(member)];
      few ? multiply_codes(g, space, PanelShare(strips(n_), member, team.size()))
          : multiply_unpacked(g, space, PanelShare(panels_of(n_, columns()), member, team.size()));
    });
  }

 private:
  static constexpr std::size_t kFewRows = 16, kDepth = 256, kBlockRows = 192;
  struct Workspace {
    std::vector<C> words;
    std::vector<B> elements;
    RowsOfA<T> a;
    std::vector<C> offsets;
  };

  static std::size_t strips(std::size_t n) { return panels_of(n, kStrip); }
  std::size_t words() const { return (k_ + kInt4Codes - 1) / kInt4Codes; }
  std::size_t strip_codes() const { return words() * kStrip; }
  std::size_t strip_scales() const { return (k_ + kInt4Group - 1) / kInt4Group * kStrip; }
  std::size_t columns() const { return static_cast<std::size_t>(kernel_.columns()); }
  std::size_t lanes() const { return static_cast<std::size_t>(kernel_.lanes); }
  // Of k and column.
  std::uint32_t& word_at(std::size_t l, std::size_t j) { return codes_[j / kStrip * strip_codes() + l / kInt4Codes * kStrip + j % kStrip]; }
  const std::uint32_t* codes_at(std::size_t l, std::size_t j) const {
    return codes_.data() + j / kStrip * strip_codes() + l / kInt4Codes * kStrip + j % kStrip;
  }
  const float* scales_at(std::size_t l, std::size_t j) const {
    return kScaled<T> ? scales_.data() + j / kStrip * strip_scales() + l / kInt4Group * kStrip + j % kStrip : nullptr;
  }

  // Elements [begin, end) of column j, by one scale.
  void quantise(const DenseWeights<T>& w, std::size_t j, std::size_t begin, std::size_t end) {
    float largest = 0;
    for (std::size_t l = begin; l < end; ++l) largest = std::max(largest, std::abs(static_cast<float>(to_double(w.b[l * n_ + j]))));
    const float exact = largest / 7, scale = std::is_same_v<T, Bf16> ? five_bits(exact) : exact;
    if constexpr (kScaled<T>) scales_[static_cast<std::size_t>(scales_at(begin, j) - scales_.data())] = scale;
    for (std::size_t l = begin; l < end; ++l) {
      B& weight = w.b[l * n_ + j];
      const int code = scale == 0 ? 0 : quantised(weight, scale, largest);
      word_at(l, j) |= (static_cast<std::uint32_t>(code) & 15u) << (4 * int4_place<T>(static_cast<unsigned>(l % kInt4Codes)));
      if constexpr (std::is_same_v<T, std::int8_t>) weight = static_cast<std::int8_t>(code);
      else if constexpr (std::is_same_v<T, Bf16>) weight = {float_to_bf16(scale * static_cast<float>(code))};
      else weight = scale * static_cast<float>(code);
    }
  }
  static int quantised(B weight, float scale, float largest) {
    if constexpr (kScaled<T>) return static_cast<int>(std::lround(static_cast<float>(to_double(weight)) / scale));
    else return static_cast<int>(std::lround(7.0 * weight / static_cast<double>(largest)));
  }

  // Rows of A as the kernel wants them, and then strip by strip from the codes.
  void multiply_codes(const GemmArguments<T>& g, Workspace& space, const PanelShare& share) const {
    if (share.first == share.last) return;
    space.a.take(g, 0, g.m, words() * kInt4Codes, static_cast<std::size_t>(fast_->a_bytes));
    space.offsets.assign(g.m, C{0});
    if constexpr (!kScaled<T>) {
      for (std::size_t r = 0; r < g.m; ++r) space.offsets[r] = -fast_->a_offset * std::accumulate(g.a + r * g.lda, g.a + r * g.lda + k_, C{0});
    }
    const std::size_t column = share.first * kStrip;
    Int4Rows<T> rows{};
    rows.m = g.m;
    rows.n = std::min(n_, share.last * kStrip) - column;
    rows.words = words();
    rows.a = space.a.data();
    rows.pitch = space.a.pitch();
    rows.offsets = kScaled<T> ? nullptr : space.offsets.data();
    rows.codes = codes_at(0, column);
    rows.scales = scales_at(0, column);
    rows.c = g.c + column;
    rows.ldc = static_cast<std::ptrdiff_t>(g.ldc);
    fast_->rows(rows);
  }

  void multiply_unpacked(const GemmArguments<T>& g, Workspace& space, const PanelShare& share) const {
    if (share.first == share.last) return;
    const UnitInUse<T> unit(kernel_);
    // unpack() makes whole words of codes, a little more than `depth` asks for.
    const std::size_t panel_words = columns() * (kernel_.steps(kDepth) + kInt4Codes);
    space.words.resize(kBlockRows * kernel_.packed_row(kDepth) + panel_words + 16);
    C *panel = space.words.data(), *packed = panel + panel_words;
    for (std::size_t ic = 0; ic < g.m; ic += kBlockRows) {
      const std::size_t m = std::min(kBlockRows, g.m - ic);
      for (std::size_t pc = 0; pc < k_; pc += kDepth) {
        const std::size_t depth = std::min(kDepth, k_ - pc);
        pack_block(kernel_, g, ic, m, pc, depth, packed);
        for (std::size_t p = share.first; p < share.last; ++p) {
          const std::size_t column = p * columns(), wide = std::min(columns(), n_ - column), vectors = panels_of(wide, lanes());
          const std::size_t tail = wide - (vectors - 1) * lanes();
          unpack(column, vectors, tail, pc, depth, space, panel);
          multiply_panel(kernel_, m, depth, packed, panel, vectors, tail, g.c + ic * g.ldc + column, g.ldc, pc != 0);
        }
      }
    }
  }

  // A panel of packed B.
  void unpack(std::size_t column, std::size_t vectors, std::size_t tail, std::size_t pc, std::size_t depth, Workspace& space, C* panel) const {
    const std::size_t pitch = vectors * lanes();
    if (fast_ == nullptr) {
      unpack_elements(column, pitch, pc, depth, space.elements);
      kernel_.pack_b(depth, space.elements.data(), static_cast<std::ptrdiff_t>(pitch), static_cast<int>(vectors), tail, panel);
      return;
    }
    const std::size_t count = panels_of(depth, kInt4Codes), made = count * kInt4Codes / static_cast<std::size_t>(kernel_.group);
    for (std::size_t v = 0; v < vectors; ++v) {
      const std::size_t j = column + v * lanes();
      fast_->unpack(count, codes_at(pc, j), scales_at(pc, j), panel + v * lanes(), pitch);
    }
    // What a matrix unit takes at once beyond them.
    if (const std::size_t steps = kernel_.steps(depth); steps > made) std::fill(panel + made * pitch, panel + steps * pitch, C{0});
  }

  // The same as elements, row by row, for kernels that none of int4 goes with.
  void unpack_elements(std::size_t column, std::size_t width, std::size_t pc, std::size_t depth, std::vector<B>& elements) const {
    elements.assign(depth * width, B{});
    for (std::size_t l = 0; l < depth; ++l) {
      const unsigned shift = 4 * int4_place<T>(static_cast<unsigned>((pc + l) % kInt4Codes));
      for (std::size_t j = 0; j < width && column + j < n_; ++j) {
        const auto code = static_cast<std::int32_t>(*codes_at(pc + l, column + j) >> shift << 28) >> 28;
        B& element = elements[l * width + j];
        if constexpr (std::is_same_v<T, std::int8_t>) element = static_cast<std::int8_t>(code);
        else if constexpr (std::is_same_v<T, Bf16>) element = {float_to_bf16(*scales_at(pc + l, column + j) * static_cast<float>(code))};
        else element = *scales_at(pc + l, column + j) * static_cast<float>(code);
      }
    }
  }

  const Microkernel<T>& kernel_;
  const Int4Kernel<T>* const fast_;
  std::size_t k_ = 0, n_ = 0;
  std::vector<std::uint32_t> codes_;
  std::vector<float> scales_;
  std::vector<Workspace> workspaces_;
};

}  // namespace

template <typename T>
std::unique_ptr<CompressedWeights<T>> make_int4_weights(const Microkernel<T>& kernel, int threads) {
  return std::make_unique<Int4Weights<T>>(kernel, threads);
}
template std::unique_ptr<CompressedWeights<float>> make_int4_weights(const Microkernel<float>&, int);
template std::unique_ptr<CompressedWeights<Bf16>> make_int4_weights(const Microkernel<Bf16>&, int);
template std::unique_ptr<CompressedWeights<std::int8_t>> make_int4_weights(const Microkernel<std::int8_t>&, int);

}  // namespace aibench
