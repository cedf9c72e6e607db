#include "gemm/gemm.h"

#include <algorithm>
#include <iterator>

#include "core/clock.h"
#include "gemm/pieces.h"

namespace aibench {
namespace {

constexpr std::size_t kCacheLine = 64;

template <typename T>
Blocking limits_for(const Microkernel<T>& kernel) {
  return blocking_limits(cache_budget(), sizeof(OutputOf<T>) / static_cast<std::size_t>(kernel.group), static_cast<std::size_t>(kernel.rows),
                         static_cast<std::size_t>(kernel.columns()));
}

}  // namespace

template <typename T>
Gemm<T>::Gemm(const Microkernel<T>& kernel, ThreadTeam& team, std::size_t max_m, std::size_t max_n, std::size_t max_k)
    : Gemm(kernel, team, max_m, max_n, max_k, limits_for(kernel)) {}

template <typename T>
Gemm<T>::Gemm(const Microkernel<T>& kernel, ThreadTeam& team, std::size_t max_m, std::size_t max_n, std::size_t max_k,
              const Blocking& limits)
    : kernel_(kernel),
      team_(team),
      limits_(limits),
      frame_(kernel, limits, max_m, max_n, max_k),
      shares_(team.size()),
      last_run_(static_cast<std::size_t>(team.size())) {}

template <typename T>
std::size_t Gemm<T>::workspace_bytes() const {
  return static_cast<std::size_t>(team_.size()) * frame_.room_bytes();
}

template <typename T>
Status Gemm<T>::allocate() {
  workspace_.clear();
  workspace_.resize(static_cast<std::size_t>(team_.size()));
  std::vector<Status> statuses(workspace_.size());
  team_.run([&](int member) {
    const auto i = static_cast<std::size_t>(member);
    statuses[i] = workspace_[i].allocate(frame_.room_bytes());
  });
  for (Status& status : statuses) {
    if (!status.ok()) return status;
  }
  return Status::success();
}

template <typename T>
typename GemmFrame<T>::Room Gemm<T>::room_of(int member) {
  return frame_.room_in(workspace_[static_cast<std::size_t>(member)].template as<C>());
}

template <typename T>
typename Gemm<T>::Part Gemm<T>::part_of(int member, std::size_t m, std::size_t n) const {
  return part_of(member, m, n, static_cast<std::size_t>(kernel_.lanes));
}

// Columns are cut at multiples of `unit`.
template <typename T>
typename Gemm<T>::Part Gemm<T>::part_of(int member, std::size_t m, std::size_t n, std::size_t unit) const {
  if (team_.size() == 1) return {0, m, 0, n};
  const ThreadGrid grid = thread_grid(team_.size(), m, n, static_cast<std::size_t>(kernel_.rows), unit);
  if (member >= grid.row_parts * grid.column_parts) return {m, 0, n, 0};
  const auto row_parts = static_cast<std::size_t>(grid.row_parts);
  const auto column_parts = static_cast<std::size_t>(grid.column_parts);
  const std::size_t i = static_cast<std::size_t>(member) / column_parts;
  const std::size_t j = static_cast<std::size_t>(member) % column_parts;
  const std::size_t units = (n + unit - 1) / unit;
  Part part;
  part.row = cut(m, row_parts, i);
  part.rows = cut(m, row_parts, i + 1) - part.row;
  part.column = std::min(n, cut(units, column_parts, j) * unit);
  part.columns = std::min(n, cut(units, column_parts, j + 1) * unit) - part.column;
  return part;
}

// What a member computes, but for where its columns of B are.
template <typename T>
GemmArguments<T> Gemm<T>::own_arguments(const GemmArguments<T>& g, const Part& part) {
  GemmArguments<T> own = g;
  own.m = part.rows;
  own.n = part.columns;
  own.a = g.a + (g.transpose_a ? part.row : part.row * g.lda);
  own.c = g.c + part.row * g.ldc + part.column;
  return own;
}

// A product that takes a member less than some 2 ms is not cut into pieces, nor are few rows, a stream of B that short stretches would break.
constexpr double kPiecesFrom = 8e6;  // vectors of multiply-adds
// Members count as uneven when the first is done so much of the time before the last, on average over a few runs.
constexpr double kUneven = 0.25, kNewest = 0.2;
// Half of a part first and then ever smaller pieces, in eighths of its panels: most of it is as one product, and the last ones do not take long.
constexpr std::size_t kPieceEnds[] = {4, 6, 7, 8};

// product(member, part): what `member` computes of an m x n product, once or several times; columns are cut at multiples of `unit`.
template <typename T>
template <typename F>
void Gemm<T>::run_parts(const GemmArguments<T>& g, std::size_t unit, F&& product) {
  if (g.m == 0 || g.n == 0) return;
  const bool large = team_.size() > 1 && g.m > kMostFewRows &&
                     static_cast<double>(g.m) * static_cast<double>(g.n) * static_cast<double>(g.k) >=
                         kPiecesFrom * team_.size() * kernel_.lanes * kernel_.group;
  if (pieces_always_ || (large && unevenness_ > kUneven)) {
    run_pieces(g, unit, product);
    return;
  }
  const double begin = large ? monotonic_seconds() : 0;
  team_.run([&](int member) {
    const Part part = part_of(member, g.m, g.n, unit);
    if (part.rows != 0 && part.columns != 0) product(member, part);
    if (large) last_run_[static_cast<std::size_t>(member)].end = monotonic_seconds();
  });
  if (!large) return;
  const auto [first, last] = std::minmax_element(last_run_.begin(), last_run_.end(), [](const auto& x, const auto& y) { return x.end < y.end; });
  unevenness_ += kNewest * ((last->end - first->end) / (last->end - begin) - unevenness_);
}

// The same in pieces: what each member finds left of the others' parts when it is done with its own.
template <typename T>
template <typename F>
void Gemm<T>::run_pieces(const GemmArguments<T>& g, std::size_t unit, F&& product) {
  const auto panel = static_cast<std::size_t>(kernel_.columns());
  for (MemberRun& run : last_run_) run.helped = false;
  shares_.begin();
  team_.run([&](int member) {
    shares_.run(member, static_cast<std::uint32_t>(std::size(kPieceEnds)), [&](int owner, std::uint32_t piece) {
      Part part = part_of(owner, g.m, g.n, unit);
      const std::size_t panels = (part.columns + panel - 1) / panel;
      const std::size_t begin = piece == 0 ? 0 : std::min(part.columns, cut(panels, 8, kPieceEnds[piece - 1]) * panel);
      const std::size_t end = std::min(part.columns, cut(panels, 8, kPieceEnds[piece]) * panel);
      part.column += begin;
      part.columns = end - begin;
      if (part.rows != 0 && part.columns != 0) product(member, part);
      if (owner != member) last_run_[static_cast<std::size_t>(member)].helped = true;
    });
  });
  // Where nobody needs help any more, back to whole parts in a while.
  const bool helped = std::any_of(last_run_.begin(), last_run_.end(), [](const MemberRun& run) { return run.helped; });
  unevenness_ += kNewest * ((helped ? 1 : 0) - unevenness_);
}

template <typename T>
void Gemm<T>::run(const GemmArguments<T>& g) {
  run_parts(g, static_cast<std::size_t>(kernel_.lanes), [&](int member, const Part& part) {
    GemmArguments<T> own = own_arguments(g, part);
    own.b = g.b + (g.transpose_b ? part.column * g.ldb : part.column);
    frame_.run(own, room_of(member));
  });
}

template <typename T>
void Gemm<T>::run_batch(const GemmBatch<T>& batch) {
  const auto members = static_cast<std::size_t>(team_.size());
  const std::size_t whole = batch.count / members * members;
  if (whole != 0) {
    team_.run([&](int member) {
      // Neighbours, so that a member's share of a strided batch is one stretch of memory.
      const auto i = static_cast<std::size_t>(member);
      for (std::size_t p = cut(whole, members, i); p < cut(whole, members, i + 1); ++p) frame_.run(batch.at(p), room_of(member));
    });
  }
  for (std::size_t p = whole; p < batch.count; ++p) run(batch.at(p));
}

template <typename T>
std::size_t Gemm<T>::packed_weight_bytes(std::size_t k, std::size_t n) const {
  return frame_.weight_words(k, n) * sizeof(C);
}

template <typename T>
Status Gemm<T>::pack_weights(std::size_t k, std::size_t n, const WeightOf<T>* b, std::size_t ldb, bool transposed) {
  // A line more, so that empty weights have an address.
  Status status = weights_.reserve(packed_weight_bytes(k, n) + kCacheLine);
  if (!status.ok()) return status;
  weights_n_ = n;
  const auto unit = static_cast<std::size_t>(kernel_.columns()), members = static_cast<std::size_t>(team_.size());
  const std::size_t panels = (n + unit - 1) / unit;
  team_.run([&](int member) {
    const auto i = static_cast<std::size_t>(member);
    frame_.pack_weights(k, n, b, ldb, transposed, cut(panels, members, i), cut(panels, members, i + 1), weights_.template as<C>(),
                        room_of(member));
  });
  return status;
}

template <typename T>
void Gemm<T>::run_packed(const GemmArguments<T>& g) {
  run_parts(g, static_cast<std::size_t>(kernel_.columns()), [&](int member, const Part& part) {
    frame_.run_packed(own_arguments(g, part), weights_.template as<C>(), part.column, weights_n_, room_of(member));
  });
}

template class Gemm<float>;
template class Gemm<double>;
template class Gemm<Bf16>;
template class Gemm<F16>;
template class Gemm<std::int8_t>;
template class Gemm<std::uint8_t>;

}  // namespace aibench
