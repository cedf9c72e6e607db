// Products by weights whose panels are unpacked to the dense kernel's words as they are needed, once per block of rows.
#pragma once
#include "gemm/compressed/panel_product.h"

namespace aibench {

template <typename T>
class UnpackedPanels : public CompressedWeights<T> {
 public:
  UnpackedPanels(const Microkernel<T>& kernel, int threads)
      : kernel_(kernel), workspaces_(static_cast<std::size_t>(threads)) {}

  double density(std::size_t, std::size_t) const override { return 1; }

  void multiply(const GemmArguments<T>& g, ThreadTeam& team) override {
    team.run([&](int member) {
      const PanelShare share(panels_of(n_, columns()), member, team.size());
      if (share.first == share.last) return;
      const UnitInUse<T> unit(kernel_);
      std::vector<OutputOf<T>>& space = workspaces_[static_cast<std::size_t>(member)];
      const std::size_t panel_words = columns() * kernel_.steps(kDepth);
      space.resize(kBlockRows * kernel_.packed_row(kDepth) + panel_words + 16);
      OutputOf<T>*panel = space.data(), *packed = panel + panel_words;
      for (std::size_t ic = 0; ic < g.m; ic += kBlockRows) {
        const std::size_t m = std::min(kBlockRows, g.m - ic);
        for (std::size_t pc = 0; pc < k_; pc += kDepth) {
          const std::size_t depth = std::min(kDepth, k_ - pc);
          pack_block(kernel_, g, ic, m, pc, depth, packed);
          for (std::size_t p = share.first; p < share.last; ++p) {
            unpack(p, pc, depth, panel);
            multiply_panel(kernel_, m, depth, packed, panel, vectors_of(p), tail_of(p), g.c + ic * g.ldc + p * columns(), g.ldc,
                           pc != 0);
          }
        }
      }
    });
  }

 protected:
  static constexpr std::size_t kDepth = 256, kBlockRows = 192;

  // Panel p, `depth` elements of k from pc (a multiple of kDepth), as pack_b would leave it.
  virtual void unpack(std::size_t p, std::size_t pc, std::size_t depth, OutputOf<T>* panel) = 0;

  std::size_t columns() const { return static_cast<std::size_t>(kernel_.columns()); }
  std::size_t width_of(std::size_t p) const { return std::min(columns(), n_ - p * columns()); }
  std::size_t vectors_of(std::size_t p) const { return panels_of(width_of(p), static_cast<std::size_t>(kernel_.lanes)); }
  std::size_t tail_of(std::size_t p) const { return width_of(p) - (vectors_of(p) - 1) * static_cast<std::size_t>(kernel_.lanes); }

  const Microkernel<T>& kernel_;
  std::size_t k_ = 0, n_ = 0;

 private:
  std::vector<std::vector<OutputOf<T>>> workspaces_;
};

}  // namespace aibench
