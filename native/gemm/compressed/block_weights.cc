// Block-sparse f32: of the blocks of 64 elements along k by one panel of columns, the half with the smaller sums of squares
// in each panel is dropped (a last block that k cuts short stays). What is left is packed and multiplied by the dense tiles; each block reads and writes C once.
#include <limits>
#include <numeric>

#include "gemm/compressed/forms.h"
#include "gemm/compressed/panel_product.h"

namespace aibench {
namespace {

constexpr std::size_t kBlockDepth = 64, kWindow = 8 * kBlockDepth, kBlockRows = 96;

class BlockWeights final : public CompressedWeights {
 public:
  BlockWeights(const Microkernel<float>& kernel, int threads)
      : kernel_(kernel), workspaces_(static_cast<std::size_t>(threads)) {}

  void compress(const DenseWeights& w) override {
    k_ = w.k;
    n_ = w.n;
    panels_.assign(panels_of(n_, columns()), {});
    for (std::size_t p = 0; p < panels_.size(); ++p) compress_panel(w, p);
  }

  double bytes(std::size_t k, std::size_t n) const override {
    const auto lanes = static_cast<std::size_t>(kernel_.lanes);
    const double blocks = static_cast<double>(panels_of(n, columns()) * kept_blocks(k));
    return static_cast<double>(kept_depth(k) * ((n + lanes - 1) / lanes * lanes) * sizeof(float)) + blocks * sizeof(Block);
  }
  double density(std::size_t k, std::size_t) const override {
    return static_cast<double>(kept_depth(k)) / static_cast<double>(k);
  }
  std::vector<Piece> pieces() const override {
    std::vector<Piece> pieces;
    for (const Panel& panel : panels_) pieces.push_back({panel.values.data(), panel.values.size() * sizeof(float)});
    return pieces;
  }
  const char* description() const override { return "f32 blocks of 64 of k by a panel of columns, half of them kept"; }

  void multiply(const GemmArguments<float>& g, ThreadTeam& team) override {
    team.run([&](int member) {
      std::vector<float>& packed = workspaces_[static_cast<std::size_t>(member)];
      packed.resize(kBlockRows * kWindow + 16);
      const PanelShare share(panels_.size(), member, team.size());
      for (std::size_t ic = 0; ic < g.m && share.first < share.last; ic += kBlockRows) {
        const std::size_t m = std::min(kBlockRows, g.m - ic);
        for (std::size_t pc = 0; pc < k_; pc += kWindow) {
          const std::size_t end = std::min(k_, pc + kWindow);
          for (std::size_t l = pc; l < end; l += kBlockDepth) {
            pack_block(kernel_, g, ic, m, l, std::min(kBlockDepth, end - l), packed.data() + (l - pc) * kBlockRows);
          }
          for (std::size_t p = share.first; p < share.last; ++p) multiply_window(g, ic, m, pc, end, p, packed.data());
        }
      }
    });
  }

 private:
  struct Block {
    std::size_t from, depth;
    std::size_t offset;  // into values
  };
  struct Panel {
    std::vector<Block> blocks;  // by `from`
    std::vector<float> values;  // packed
    std::size_t vectors = 0, tail = 0;
  };

  std::size_t columns() const { return static_cast<std::size_t>(kernel_.columns()); }
  static std::size_t kept_blocks(std::size_t k) { return (panels_of(k, kBlockDepth) + 1) / 2; }
  static std::size_t kept_depth(std::size_t k) {
    return kept_blocks(k) * kBlockDepth - (k % kBlockDepth == 0 ? 0 : kBlockDepth - k % kBlockDepth);
  }

  void multiply_window(const GemmArguments<float>& g, std::size_t ic, std::size_t m, std::size_t pc, std::size_t end,
                       std::size_t p, const float* packed) const {
    const Panel& panel = panels_[p];
    float* c = g.c + ic * g.ldc + p * columns();
    bool add = pc != 0;
    const auto first = std::lower_bound(panel.blocks.begin(), panel.blocks.end(), pc,
                                        [](const Block& block, std::size_t from) { return block.from < from; });
    for (auto block = first; block != panel.blocks.end() && block->from < end; ++block) {
      multiply_panel(kernel_, m, block->depth, packed + (block->from - pc) * kBlockRows, panel.values.data() + block->offset,
                     panel.vectors, panel.tail, c, g.ldc, add);
      add = true;
    }
    if (add) return;  // no block of the first window is left: C is 0 so far
    const std::size_t width = (panel.vectors - 1) * static_cast<std::size_t>(kernel_.lanes) + panel.tail;
    for (std::size_t r = 0; r < m; ++r) std::fill_n(c + r * g.ldc, width, 0.0f);
  }

  void compress_panel(const DenseWeights& w, std::size_t p) {
    const auto lanes = static_cast<std::size_t>(kernel_.lanes);
    Panel& panel = panels_[p];
    const std::size_t first = p * columns(), width = std::min(columns(), n_ - first);
    panel.vectors = (width + lanes - 1) / lanes;
    panel.tail = width - (panel.vectors - 1) * lanes;
    const std::size_t count = panels_of(k_, kBlockDepth);
    std::vector<double> weight(count, 0);
    for (std::size_t l = 0; l < k_; ++l) {
      for (std::size_t j = 0; j < width; ++j) weight[l / kBlockDepth] += w.b[l * n_ + first + j] * w.b[l * n_ + first + j];
    }
    std::vector<std::size_t> order(count);
    std::iota(order.begin(), order.end(), std::size_t{0});
    if (k_ % kBlockDepth != 0) weight[count - 1] = std::numeric_limits<double>::infinity();
    std::stable_sort(order.begin(), order.end(), [&](std::size_t x, std::size_t y) { return weight[x] > weight[y]; });
    std::vector<bool> keep(count, false);
    for (std::size_t i = 0; i < kept_blocks(k_); ++i) keep[order[i]] = true;
    for (std::size_t i = 0; i < count; ++i) {
      const std::size_t from = i * kBlockDepth, depth = std::min(kBlockDepth, k_ - from);
      if (!keep[i]) {
        for (std::size_t l = from; l < from + depth; ++l) std::fill_n(w.b + l * n_ + first, width, 0.0f);
        continue;
      }
      const std::size_t offset = panel.values.size();
      panel.values.resize(offset + depth * panel.vectors * lanes);
      kernel_.pack_b(depth, w.b + from * n_ + first, static_cast<std::ptrdiff_t>(n_), static_cast<int>(panel.vectors),
                     panel.tail, panel.values.data() + offset);
      panel.blocks.push_back({from, depth, offset});
    }
  }

  const Microkernel<float>& kernel_;
  std::size_t k_ = 0, n_ = 0;
  std::vector<Panel> panels_;
  std::vector<std::vector<float>> workspaces_;
};

}  // namespace

std::unique_ptr<CompressedWeights> make_block_weights(const Microkernel<float>& kernel, int threads) {
  return std::make_unique<BlockWeights>(kernel, threads);
}

}  // namespace aibench
