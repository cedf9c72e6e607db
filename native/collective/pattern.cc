#include "collective/pattern.h"

#include <cstring>

#include "core/half.h"
#include "memory/counter_random.h"

namespace aibench {
namespace {

struct F64 {
  using type = double;
  static type encode(int value) { return value; }
  static constexpr std::uint64_t kUnwritten = 0x7ff8beefdeadbeefu;  // NaN
};
struct F32 {
  using type = float;
  static type encode(int value) { return static_cast<float>(value); }
  static constexpr std::uint64_t kUnwritten = 0x7fc0beefu;
};
struct F16 {
  using type = std::uint16_t;
  static type encode(int value) { return float_to_f16(static_cast<float>(value)); }
  static constexpr std::uint64_t kUnwritten = 0x7e55u;
};
struct Bf16 {
  using type = std::uint16_t;
  static type encode(int value) { return float_to_bf16(static_cast<float>(value)); }
  static constexpr std::uint64_t kUnwritten = 0x7fd5u;
};
struct S32 {
  using type = std::int32_t;
  static type encode(int value) { return value; }
  static constexpr std::uint64_t kUnwritten = 0x80000055u;
};
struct S8 {
  using type = std::int8_t;
  static type encode(int value) { return static_cast<type>(value); }
  static constexpr std::uint64_t kUnwritten = 0x80u;  // no sum reaches -128
};

}  // namespace

struct Pattern::Table {
  const char* dtype;
  int exact;  // whole numbers up to this magnitude are exact
  void (*fill)(const Pattern&, int, void*, std::size_t, std::size_t);
  std::uint64_t (*wrong_sent)(const Pattern&, int, const void*, std::size_t, std::size_t);
  std::uint64_t (*wrong_received)(const Pattern&, int, const void*, std::size_t, std::size_t);
  void (*unwrite)(void*, std::size_t, std::size_t);
  void (*leave_out)(const Pattern&, int, int, void*);
};

template <typename Number>
struct PatternOf {
  using T = typename Number::type;
  static T unwritten() {
    T value;
    std::memcpy(&value, &Number::kUnwritten, sizeof value);  // little-endian, as every target is
    return value;
  }
  static bool same(const T& a, const T& b) { return std::memcmp(&a, &b, sizeof a) == 0; }

  static void fill(const Pattern& p, int rank, void* send, std::size_t begin, std::size_t count) {
    for (std::size_t i = begin; i < begin + count; ++i) static_cast<T*>(send)[i] = Number::encode(p.value(rank, i));
  }
  static std::uint64_t wrong_sent(const Pattern& p, int rank, const void* send, std::size_t begin, std::size_t count) {
    std::uint64_t wrong = 0;
    for (std::size_t i = begin; i < begin + count; ++i) {
      if (!same(static_cast<const T*>(send)[i], Number::encode(p.value(rank, i)))) ++wrong;
    }
    return wrong;
  }
  static std::uint64_t wrong_received(const Pattern& p, int rank, const void* receive, std::size_t begin,
                                      std::size_t count) {
    std::uint64_t wrong = 0;
    bool nothing = false;
    for (std::size_t i = begin; i < begin + count; ++i) {
      if (!same(static_cast<const T*>(receive)[i], Number::encode(p.result(rank, i, -1, &nothing)))) ++wrong;
    }
    return wrong;
  }
  static void unwrite(void* receive, std::size_t begin, std::size_t count) {
    for (std::size_t i = begin; i < begin + count; ++i) static_cast<T*>(receive)[i] = unwritten();
  }
  static void leave_out(const Pattern& p, int absent, int rank, void* receive) {
    const std::size_t count = receive_elements(p.kind_, p.count_, p.ranks_);
    for (std::size_t i = 0; i < count; ++i) {
      bool nothing = false;
      const int value = p.result(rank, i, absent, &nothing);
      static_cast<T*>(receive)[i] = nothing ? unwritten() : Number::encode(value);
    }
  }
  static constexpr Pattern::Table table(const char* dtype, int exact) {
    return {dtype, exact, fill, wrong_sent, wrong_received, unwrite, leave_out};
  }
};

Status Pattern::make(Collective kind, const std::string& dtype, const std::string& op, int ranks, std::size_t count,
                     std::uint64_t seed, Pattern* pattern) {
  static constexpr Table kTables[] = {
      PatternOf<F64>::table("f64", 1 << 24), PatternOf<F32>::table("f32", 1 << 24),
      PatternOf<F16>::table("f16", 1 << 11), PatternOf<Bf16>::table("bf16", 1 << 8),
      PatternOf<S32>::table("s32", 1 << 24), PatternOf<S8>::table("s8", 127)};
  Pattern p;
  for (const Table& table : kTables) {
    if (dtype == table.dtype) p.table_ = &table;
  }
  if (p.table_ == nullptr) {
    return Status::failure("UNSUPPORTED_REDUCTION", "there is no dtype " + dtype + " for collectives",
                           "Use f64, f32, f16, bf16, s32 or s8.");
  }
  p.op_ = op == "min" ? kMin : op == "max" ? kMax : kSum;
  const int exact = p.table_->exact / ranks;
  if (reduces(kind) && p.op_ == kSum && exact < 1) {
    return Status::failure("BAD_OPTION",
                           "sums over " + std::to_string(ranks) + " ranks are not exact in " + dtype +
                               ", so they could not be verified bit for bit",
                           "Choose at most " + std::to_string(p.table_->exact) + " ranks or a wider dtype.");
  }
  p.magnitude_ = reduces(kind) ? (exact < 2048 ? exact : 2048) : 127;
  p.kind_ = kind;
  p.ranks_ = ranks;
  p.count_ = count;
  p.block_ = count / static_cast<std::size_t>(ranks);
  p.seed_ = seed;
  *pattern = p;
  return Status::success();
}

int Pattern::owner(std::size_t index) const {
  return static_cast<int>(random_below(random_bits(seed_, 1u << 22, index), static_cast<std::uint64_t>(ranks_)));
}

// Sums: magnitudes 1 ... magnitude_ with a random sign, so that a rank left out always shows. Minimum and maximum: in each
// element one rank, the owner, lies beyond all others, so that its absence shows.
int Pattern::value(int rank, std::size_t index) const {
  const std::uint64_t random = random_bits(seed_, static_cast<std::uint64_t>(rank), index);
  if (!reduces(kind_) || op_ == kSum) {
    const int magnitude = 1 + static_cast<int>(random_below(random, static_cast<std::uint64_t>(magnitude_)));
    return (random & 1) != 0 ? -magnitude : magnitude;
  }
  const int beyond = 1 + static_cast<int>(random >> 58);  // 1 ... 64
  const int toward_max = owner(index) == rank ? 32 + beyond : (random & 1) != 0 && beyond < 32 ? beyond : -beyond;
  return op_ == kMax ? toward_max : -toward_max;
}

int Pattern::result(int rank, std::size_t index, int absent, bool* nothing) const {
  const auto own = static_cast<std::size_t>(rank);
  const auto from = [&](int source, std::size_t at) {
    *nothing = source == absent;
    return value(source, at);
  };
  switch (kind_) {
    case Collective::kAllGather: return from(static_cast<int>(index / block_), index % block_);
    case Collective::kBroadcast: return from(0, index);
    case Collective::kAllToAll: return from(static_cast<int>(index / block_), own * block_ + index % block_);
    case Collective::kShift: return from((rank + ranks_ - 1) % ranks_, index);
    case Collective::kPingPong: return from(ranks_ == 1 ? 0 : 1 - rank, index);
    default: break;
  }
  const std::size_t at = kind_ == Collective::kReduceScatter ? own * block_ + index : index;
  int result = 0;
  bool first = true;
  for (int source = 0; source < ranks_; ++source) {
    if (source == absent) continue;
    const int v = value(source, at);
    result = first ? v : op_ == kSum ? result + v : op_ == kMin ? (v < result ? v : result) : (v > result ? v : result);
    first = false;
  }
  *nothing = first;
  return result;
}

int Pattern::visible_rank(int rank, std::size_t index) const {
  switch (kind_) {
    case Collective::kAllGather:
    case Collective::kAllToAll: return static_cast<int>(index / block_);
    case Collective::kBroadcast: return 0;
    case Collective::kShift: return (rank + ranks_ - 1) % ranks_;
    case Collective::kPingPong: return ranks_ == 1 ? 0 : 1 - rank;
    case Collective::kReduceScatter: return owner(static_cast<std::size_t>(rank) * block_ + index);
    default: return owner(index);
  }
}

void Pattern::fill(int rank, void* send, std::size_t begin, std::size_t count) const {
  table_->fill(*this, rank, send, begin, count);
}
std::uint64_t Pattern::wrong_sent(int rank, const void* send, std::size_t begin, std::size_t count) const {
  return table_->wrong_sent(*this, rank, send, begin, count);
}
std::uint64_t Pattern::wrong_received(int rank, const void* receive, std::size_t begin, std::size_t count) const {
  return !takes_part(rank) ? 0 : table_->wrong_received(*this, rank, receive, begin, count);
}
void Pattern::unwrite(void* receive, std::size_t begin, std::size_t count) const {
  table_->unwrite(receive, begin, count);
}
void Pattern::leave_out(int absent, int rank, void* receive) const {
  if (takes_part(rank)) table_->leave_out(*this, absent, rank, receive);
}

}  // namespace aibench
