// int4 weights times int8 activations (w4a8): codes in [-7, 7], code = w * 7 / max |w| of the column, and nothing else. The scale of the
// column is applied to the s32 sums by whoever uses them, as with int8 weights, and is no part of the product. The codes lie in the order
// in which the dense kernel's packed panel has its elements, so that unpacking is one pass for every kernel.
#include <cmath>
#include <cstring>

#include "gemm/compressed/forms.h"
#include "gemm/compressed/unpacked_panels.h"

namespace aibench {
namespace {

using T = std::int8_t;

class Int4Codes final : public UnpackedPanels<T> {
 public:
  Int4Codes(const Microkernel<T>& kernel, const PanelKernels& panels, int threads)
      : UnpackedPanels<T>(kernel, threads), panels_(panels) {}

  void compress(const DenseWeights<T>& w) override {
    k_ = w.k;
    n_ = w.n;
    for (std::size_t j = 0; j < n_; ++j) quantise_column(w, j);
    codes_.assign(static_cast<std::size_t>(bytes(k_, n_)), 0);
    std::vector<std::int32_t> words(columns() * kernel_.steps(kDepth) + 16);
    for (std::size_t p = 0; p < panels_of(n_, columns()); ++p) {
      for (std::size_t pc = 0; pc < k_; pc += kDepth) {
        const std::size_t depth = std::min(kDepth, k_ - pc);
        kernel_.pack_b(depth, w.b + pc * n_ + p * columns(), static_cast<std::ptrdiff_t>(n_), static_cast<int>(vectors_of(p)),
                       tail_of(p), words.data());
        std::uint8_t* codes = codes_.data() + offset(p, pc);
        for (std::size_t i = 0; i < parts(p, depth); ++i) {
          codes[i / 2] |= static_cast<std::uint8_t>((part(words.data(), i) & 15u) << (4 * (i % 2)));
        }
      }
    }
  }

  double bytes(std::size_t k, std::size_t n) const override {
    return static_cast<double>(panels_of(n, columns()) * panel_bytes(k));
  }
  std::vector<Piece> pieces() const override { return {{codes_.data(), codes_.size()}}; }
  const char* description() const override { return "int4 codes for int8 activations, a scale per column that is applied to the sums"; }

 private:
  void unpack(std::size_t p, std::size_t pc, std::size_t depth, std::int32_t* panel) override {
    panels_.unpack_codes(codes_.data() + offset(p, pc), parts(p, depth), part_bytes(), flip(), panel);
  }

  // A word holds `group` elements of this many bytes.
  int part_bytes() const { return 4 / kernel_.group; }
  std::uint8_t flip() const { return kernel_.b_offset != 0 ? 0x80 : 0; }
  std::uint32_t part(const std::int32_t* words, std::size_t i) const {
    std::uint32_t bits = 0;
    std::memcpy(&bits, reinterpret_cast<const char*>(words) + i * static_cast<std::size_t>(part_bytes()), static_cast<std::size_t>(part_bytes()));
    return bits ^ flip();
  }
  // Of `depth` elements of k of panel p.
  std::size_t parts(std::size_t p, std::size_t depth) const {
    return kernel_.steps(depth) * vectors_of(p) * static_cast<std::size_t>(kernel_.lanes * kernel_.group);
  }
  // Every panel has room for all its columns; two codes a byte, each depth from a byte of its own.
  std::size_t depth_bytes(std::size_t depth) const {
    return (kernel_.steps(depth) * columns() * static_cast<std::size_t>(kernel_.group) + 1) / 2;
  }
  std::size_t panel_bytes(std::size_t k) const {
    return k / kDepth * depth_bytes(kDepth) + (k % kDepth == 0 ? 0 : depth_bytes(k % kDepth));
  }
  std::size_t offset(std::size_t p, std::size_t pc) const { return p * panel_bytes(k_) + pc / kDepth * depth_bytes(kDepth); }

  void quantise_column(const DenseWeights<T>& w, std::size_t j) const {
    int largest = 0;
    for (std::size_t l = 0; l < k_; ++l) largest = std::max(largest, std::abs(static_cast<int>(w.b[l * n_ + j])));
    for (std::size_t l = 0; l < k_ && largest != 0; ++l) {
      std::int8_t& weight = w.b[l * n_ + j];
      weight = static_cast<std::int8_t>(std::lround(7.0 * weight / largest));
    }
  }

  const PanelKernels& panels_;
  std::vector<std::uint8_t> codes_;
};

}  // namespace

std::unique_ptr<CompressedWeights<std::int8_t>> make_int4_codes(const Microkernel<std::int8_t>& kernel, const PanelKernels& panels,
                                                                int threads) {
  return std::make_unique<Int4Codes>(kernel, panels, threads);
}

}  // namespace aibench
