// Block sparsity: of the blocks of 64 elements along k by one panel of columns, the half with the smaller sums of squares
// in each panel is dropped (a last block that k cuts short stays). What is left is multiplied by the dense tiles; each block reads
// and writes C once. It is kept packed where packed words are no larger than elements, else as it was, and packed once per block of rows.
#include <limits>
#include <numeric>

#include "gemm/compressed/forms.h"
#include "gemm/compressed/panel_product.h"
#include "gemm/wide.h"

namespace aibench {
namespace {

constexpr std::size_t kBlockDepth = 64, kWindow = 8 * kBlockDepth, kBlockRows = 96;

template <typename T>
class BlockWeights final : public CompressedWeights<T> {
  using B = WeightOf<T>;
  using C = OutputOf<T>;

 public:
  BlockWeights(const Microkernel<T>& kernel, int threads)
      : kernel_(kernel),
        prepacked_(sizeof(C) == sizeof(B) * static_cast<std::size_t>(kernel.group)),
        workspaces_(static_cast<std::size_t>(threads)) {}

  void compress(const DenseWeights<T>& w) override {
    k_ = w.k;
    n_ = w.n;
    panels_.assign(panels_of(n_, columns()), {});
    for (std::size_t p = 0; p < panels_.size(); ++p) compress_panel(w, p);
  }

  double bytes(std::size_t k, std::size_t n) const override {
    const double blocks = static_cast<double>(panels_of(n, columns()) * kept_blocks(k)) * sizeof(Block);
    if (!prepacked_) return static_cast<double>(kept_depth(k) * n * sizeof(B)) + blocks;
    const std::size_t whole = k % kBlockDepth == 0 ? kept_blocks(k) : kept_blocks(k) - 1;
    const std::size_t steps = whole * kernel_.steps(kBlockDepth) + kernel_.steps(k % kBlockDepth);
    return static_cast<double>(steps * ((n + lanes() - 1) / lanes() * lanes()) * sizeof(C)) + blocks;
  }
  double density(std::size_t k, std::size_t) const override {
    return static_cast<double>(kept_depth(k)) / static_cast<double>(k);
  }
  std::vector<typename CompressedWeights<T>::Piece> pieces() const override {
    std::vector<typename CompressedWeights<T>::Piece> pieces;
    for (const Panel& panel : panels_) {
      if (prepacked_) pieces.push_back({panel.packed.data(), panel.packed.size() * sizeof(C)});
      else pieces.push_back({panel.elements.data(), panel.elements.size() * sizeof(B)});
    }
    return pieces;
  }
  const char* description() const override { return "blocks of 64 of k by a panel of columns, half of them kept"; }

  void multiply(const GemmArguments<T>& g, ThreadTeam& team) override {
    team.run([&](int member) {
      const PanelShare share(panels_.size(), member, team.size());
      if (share.first == share.last) return;
      const UnitInUse<T> unit(kernel_);
      if (g.m == 1 && !prepacked_ && k_ % static_cast<std::size_t>(kernel_.group) == 0) {
        for (std::size_t p = share.first; p < share.last; ++p) stream_panel(g, p);
        return;
      }
      std::vector<C>& space = workspaces_[static_cast<std::size_t>(member)];
      const std::size_t panel_words = columns() * kernel_.steps(kBlockDepth);
      space.resize(panel_words + kBlockRows * packed_block() * (kWindow / kBlockDepth) + 16);
      for (std::size_t ic = 0; ic < g.m; ic += kBlockRows) {
        const std::size_t m = std::min(kBlockRows, g.m - ic);
        for (std::size_t pc = 0; pc < k_; pc += kWindow) {
          const std::size_t end = std::min(k_, pc + kWindow);
          for (std::size_t l = pc; l < end; l += kBlockDepth) {
            pack_block(kernel_, g, ic, m, l, std::min(kBlockDepth, end - l), space.data() + panel_words + packed_at(l - pc));
          }
          for (std::size_t p = share.first; p < share.last; ++p) {
            multiply_window(g, ic, m, pc, end, p, space.data() + panel_words, space.data());
          }
        }
      }
    });
  }

 private:
  struct Block {
    std::size_t from, depth;
    std::size_t offset;  // into `packed` or `elements`
  };
  struct Panel {
    std::vector<Block> blocks;  // by `from`
    std::vector<C> packed;
    std::vector<B> elements;  // rows of width()
    std::size_t vectors = 0, tail = 0;
  };

  std::size_t columns() const { return static_cast<std::size_t>(kernel_.columns()); }
  std::size_t lanes() const { return static_cast<std::size_t>(kernel_.lanes); }
  std::size_t width(const Panel& panel) const { return (panel.vectors - 1) * lanes() + panel.tail; }
  // Words of a row of A's part that belongs to one block, and where the rows for the block `depth` behind the window's begin lie.
  std::size_t packed_block() const { return kernel_.packed_row(kBlockDepth); }
  std::size_t packed_at(std::size_t depth) const { return depth / kBlockDepth * kBlockRows * packed_block(); }
  static std::size_t kept_blocks(std::size_t k) { return (panels_of(k, kBlockDepth) + 1) / 2; }
  static std::size_t kept_depth(std::size_t k) {
    return kept_blocks(k) * kBlockDepth - (k % kBlockDepth == 0 ? 0 : kBlockDepth - k % kBlockDepth);
  }

  void stream_panel(const GemmArguments<T>& g, std::size_t p) const {
    const Panel& panel = panels_[p];
    C* c = g.c + p * columns();
    std::fill_n(c, width(panel), C{0});
    for (const Block& block : panel.blocks) {
      kernel_.stream_row(block.depth, width(panel), g.a + block.from, panel.elements.data() + block.offset,
                         static_cast<std::ptrdiff_t>(width(panel)), c);
    }
  }

  void multiply_window(const GemmArguments<T>& g, std::size_t ic, std::size_t m, std::size_t pc, std::size_t end, std::size_t p,
                       const C* packed_a, C* room) const {
    const Panel& panel = panels_[p];
    C* c = g.c + ic * g.ldc + p * columns();
    bool add = pc != 0;
    const auto first = std::lower_bound(panel.blocks.begin(), panel.blocks.end(), pc,
                                        [](const Block& block, std::size_t from) { return block.from < from; });
    for (auto block = first; block != panel.blocks.end() && block->from < end; ++block) {
      if (!prepacked_) {
        kernel_.pack_b(block->depth, panel.elements.data() + block->offset, static_cast<std::ptrdiff_t>(width(panel)),
                       static_cast<int>(panel.vectors), panel.tail, room);
      }
      multiply_panel(kernel_, m, block->depth, packed_a + packed_at(block->from - pc),
                     prepacked_ ? panel.packed.data() + block->offset : room, panel.vectors, panel.tail, c, g.ldc, add);
      add = true;
    }
    if (add) return;  // no block of the first window is left: C is 0 so far
    for (std::size_t r = 0; r < m; ++r) std::fill_n(c + r * g.ldc, width(panel), C{0});
  }

  void compress_panel(const DenseWeights<T>& w, std::size_t p) {
    Panel& panel = panels_[p];
    const std::size_t first = p * columns(), wide = std::min(columns(), n_ - first);
    panel.vectors = (wide + lanes() - 1) / lanes();
    panel.tail = wide - (panel.vectors - 1) * lanes();
    const std::size_t count = panels_of(k_, kBlockDepth);
    std::vector<double> weight(count, 0);
    for (std::size_t l = 0; l < k_; ++l) {
      for (std::size_t j = 0; j < wide; ++j) {
        const double x = to_double(w.b[l * n_ + first + j]);
        weight[l / kBlockDepth] += x * x;
      }
    }
    std::vector<std::size_t> order(count);
    std::iota(order.begin(), order.end(), std::size_t{0});
    if (k_ % kBlockDepth != 0) weight[count - 1] = std::numeric_limits<double>::infinity();
    std::stable_sort(order.begin(), order.end(), [&](std::size_t x, std::size_t y) { return weight[x] > weight[y]; });
    std::vector<bool> keep(count, false);
    for (std::size_t i = 0; i < kept_blocks(k_); ++i) keep[order[i]] = true;
    for (std::size_t i = 0; i < count; ++i) {
      const std::size_t from = i * kBlockDepth, depth = std::min(kBlockDepth, k_ - from);
      if (keep[i]) {
        panel.blocks.push_back({from, depth, store_block(w, from, depth, first, wide, &panel)});
        continue;
      }
      for (std::size_t l = from; l < from + depth; ++l) std::fill_n(w.b + l * n_ + first, wide, B{});
    }
  }

  // Answers where in the panel it lies.
  std::size_t store_block(const DenseWeights<T>& w, std::size_t from, std::size_t depth, std::size_t first, std::size_t wide,
                          Panel* panel) const {
    const B* b = w.b + from * n_ + first;
    if (!prepacked_) {
      const std::size_t offset = panel->elements.size();
      for (std::size_t l = 0; l < depth; ++l) panel->elements.insert(panel->elements.end(), b + l * n_, b + l * n_ + wide);
      return offset;
    }
    const std::size_t offset = panel->packed.size();
    panel->packed.resize(offset + kernel_.steps(depth) * panel->vectors * lanes());
    kernel_.pack_b(depth, b, static_cast<std::ptrdiff_t>(n_), static_cast<int>(panel->vectors), panel->tail,
                   panel->packed.data() + offset);
    return offset;
  }

  const Microkernel<T>& kernel_;
  const bool prepacked_;
  std::size_t k_ = 0, n_ = 0;
  std::vector<Panel> panels_;
  std::vector<std::vector<C>> workspaces_;
};

}  // namespace

template <typename T>
std::unique_ptr<CompressedWeights<T>> make_block_weights(const Microkernel<T>& kernel, int threads) {
  return std::make_unique<BlockWeights<T>>(kernel, threads);
}
template std::unique_ptr<CompressedWeights<float>> make_block_weights(const Microkernel<float>&, int);
template std::unique_ptr<CompressedWeights<Bf16>> make_block_weights(const Microkernel<Bf16>&, int);
template std::unique_ptr<CompressedWeights<std::int8_t>> make_block_weights(const Microkernel<std::int8_t>&, int);

}  // namespace aibench
