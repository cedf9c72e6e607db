#include "gemm/gemm_problem.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>
#include <optional>
#include <type_traits>

#include "core/aligned_buffer.h"
#include "core/available_memory.h"
#include "core/thread_team.h"
#include "gemm/any_dtype.h"
#include "gemm/compressed/compressed_engine.h"
#include "gemm/fma_peak.h"
#include "gemm/gemm_engine.h"
#include "gemm/kernel_registry.h"
#include "gemm/operand_bandwidth.h"
#include "gemm/random_fill.h"
#include "gemm/verification.h"
#include "memory/last_level_cache.h"

namespace aibench {
namespace {

// Streams of random numbers that belong to one seed.
enum Stream : std::uint64_t { kStreamA = 1, kStreamB, kStreamSigns, kStreamFault };

// What C holds before the first run: NaN, or the s32 that no product of int8 reaches.
template <typename C>
C unwritten() {
  return std::is_integral_v<C> ? std::numeric_limits<C>::min() : std::numeric_limits<C>::quiet_NaN();
}

// T is the type of A.
template <typename T>
class GemmProblem final : public Problem {
  using B = WeightOf<T>;
  using C = OutputOf<T>;

 public:
  // `peer` is nullptr for our own kernels. `kernel` gives the FMA ceiling either way.
  GemmProblem(const GemmProblemOptions& options, const Microkernel<T>& kernel, std::shared_ptr<Peer> peer,
              std::unique_ptr<CompressedWeights<T>> weights)
      : options_(options), kernel_(kernel), peer_(std::move(peer)), weights_(std::move(weights)) {}

  Status prepare() override {
    team_.emplace(options_.threads);
    if (weights_ != nullptr) {
      if constexpr (kCompressible<T>) {
        engine_ = std::make_unique<CompressedEngine<T>>(kernel_, *team_, *weights_, options_.n, options_.k);
      }
    } else if (peer_ == nullptr) {
      engine_ = std::make_unique<NativeEngine<T>>(kernel_, *team_, options_.m, options_.n, options_.k);
    } else {
      engine_ = std::make_unique<PeerEngine<T>>(peer_, *team_);
    }
    Status status = check_memory(bytes_needed(), title());
    if (status.ok()) status = a_.reserve(options_.m * options_.k * sizeof(T));
    if (status.ok()) status = b_.reserve(options_.k * options_.n * sizeof(B));
    if (status.ok()) status = c_.reserve(options_.m * options_.n * sizeof(C));
    if (status.ok()) status = engine_->prepare();
    if (!status.ok()) return status;
    peak_.emplace(kernel_, *team_);
    const ReadKernelRow* read = nullptr;
    if (status = choose_read_kernel("", &read); !status.ok()) return status;
    operands_.emplace(*read, *team_);
    operands_->add(a_.template as<T>(), options_.m * options_.k * sizeof(T));
    operands_->add(c_.template as<C>(), options_.m * options_.n * sizeof(C));
    fill();
    engine_->take_weights(b_.template as<B>(), options_.k, options_.n);
    if (weights_ == nullptr) operands_->add(b_.template as<B>(), options_.k * options_.n * sizeof(B));
    else for (const auto& piece : weights_->pieces()) operands_->add(piece.begin, piece.bytes);
    huge_page_bytes_ = a_.huge_page_bytes() + b_.huge_page_bytes() + c_.huge_page_bytes();
    return status;
  }

  void run(std::uint64_t iterations) override {
    const GemmArguments<T> arguments{options_.m, options_.n, options_.k, C{1},      a_.template as<T>(), options_.k,
                                     b_.template as<B>(), options_.n, C{0}, c_.template as<C>(), options_.n};
    // A peer that reports a failure leaves C as it was, which the verification finds.
    for (; iterations != 0; --iterations) static_cast<void>(engine_->run(arguments));
  }

  // The bandwidth in every pattern once, and from then on only while it may be what binds.
  void sample_ceilings() override {
    peak_->sample();
    const double memory_flops = operands_->best() * work().flops / work().bytes;
    if (looks_++ < kReadPatterns || memory_flops < 2 * peak_->best()) operands_->sample();
  }
  std::map<std::string, double> ceilings() const override {
    std::map<std::string, double> seen{{"fma_flops_per_second", peak_ ? peak_->best() : 0}};
    if (operands_ && operands_->best() > 0) seen["operand_bytes_per_second"] = operands_->best();
    return seen;
  }

  Verification verify() override {
    const Product<T> product{options_.m, options_.n, options_.k, a_.template as<T>(), options_.k,
                             b_.template as<B>(), options_.n, c_.template as<C>(), options_.n};
    return verify_product(product, stream(kStreamSigns));
  }

  const char* fault_kinds() const override { return "flip,value,stale-tile"; }

  // Each kind looks for a place where the damage is at least detectable_change(): a smaller one is not told from
  // rounding by any check of this kind.
  bool inject_fault(const std::string& kind) override {
    if (kind != "flip" && kind != "value" && kind != "stale-tile") return false;
    constexpr int kAttempts = 10000;
    for (int attempt = 0; attempt < kAttempts; ++attempt) {
      const std::uint64_t place = random_bits(stream(kStreamFault), faults_++);
      const std::size_t i = place % options_.m;
      const std::size_t j = (place >> 24) % options_.n;
      if (kind == "flip" ? flip(i, j, place >> 48) : kind == "value" ? copy_neighbour(i, j) : zero_tile(i, j)) return true;
    }
    // A product so small in value that none of the attempts reached the size: damage that always does.
    *c_.template as<C>() += C{3} * static_cast<C>(options_.k);
    return true;
  }

  Work work() const override {
    const double m = static_cast<double>(options_.m), n = static_cast<double>(options_.n), k = static_cast<double>(options_.k);
    const double dense = 2 * m * n * k, others = sizeof(T) * m * k + sizeof(C) * m * n;
    if (weights_ == nullptr) return {dense, others + sizeof(B) * k * n, 0};
    return {dense * weights_->density(options_.k, options_.n), others + weights_->bytes(options_.k, options_.n), dense};
  }

  std::map<std::string, std::string> facts() const override {
    std::map<std::string, std::string> facts{{"threads", std::to_string(options_.threads)}};
    if (peer_ == nullptr) {
      facts["kernel"] = kernel_.name;
      facts["isa"] = isa_name(kernel_.isa);
    }
    if (engine_ != nullptr) {
      for (auto& [key, value] : engine_->facts()) facts[key] = value;
      facts["bytesAllocated"] = std::to_string(a_.size() + b_.size() + c_.size() + engine_->workspace_bytes());
      facts["hugePageBytes"] = std::to_string(huge_page_bytes_);
      facts["operandsIn"] = operands_in();
      if (weights_ != nullptr) {
        facts["weights"] = weights_->description();
        facts["weightBytes"] = std::to_string(static_cast<std::uint64_t>(weights_->bytes(options_.k, options_.n)));
      }
    }
    return facts;
  }

  int threads() const override { return options_.threads; }

 private:
  std::uint64_t stream(Stream which) const { return random_bits(options_.seed, which); }

  std::string title() const {
    return std::string("gemm ") + options_.dtype + " " + std::to_string(options_.m) + "x" + std::to_string(options_.n) + "x" +
           std::to_string(options_.k);
  }

  // The smallest level that has room for the share of one thread, by what the machine reports.
  const char* operands_in() const {
    const CacheBudget caches = cache_budget();
    const double share = work().bytes / options_.threads;
    if (share <= static_cast<double>(caches.l1)) return "L1";
    if (share <= static_cast<double>(caches.l2)) return "L2";
    return work().bytes <= static_cast<double>(last_level_cache_bytes()) ? "L3" : "memory";
  }

  double bytes_needed() const {
    constexpr double kAlignment = 4 * (4 << 20);  // what AlignedBuffer adds to each
    const double dense_weights = weights_ == nullptr ? 0 : sizeof(B) * static_cast<double>(options_.k * options_.n);
    return work().bytes + dense_weights + static_cast<double>(engine_->workspace_bytes()) + kAlignment * options_.threads;
  }

  // Every element is written first by a thread that will read it, so that its page lies near that thread: a member fills
  // what the grid gives it of C, and a share of the rows of A and the columns of B that it multiplies.
  void fill() {
    const std::uint64_t seed_a = stream(kStreamA), seed_b = stream(kStreamB);
    const Gemm<T> layout(kernel_, *team_, options_.m, options_.n, options_.k);
    const std::size_t n = options_.n, k = options_.k;
    T* a = a_.template as<T>();
    B* b = b_.template as<B>();
    C* c = c_.template as<C>();
    team_->run([&](int member) {
      const auto part = layout.part_of(member, options_.m, n);
      // The first part of a row of parts fills A, the first of a column of parts fills B.
      for (std::size_t i = part.row; part.column == 0 && i < part.row + part.rows; ++i) {
        for (std::size_t l = 0; l < k; ++l) a[i * k + l] = random_element<T>(seed_a, i * k + l);
      }
      for (std::size_t l = 0; part.row == 0 && part.rows != 0 && l < k; ++l) {
        for (std::size_t j = part.column; j < part.column + part.columns; ++j) b[l * n + j] = random_element<B>(seed_b, l * n + j);
      }
      // An element that no kernel writes, or a kernel that reads C although beta is 0, does not go unnoticed.
      for (std::size_t i = part.row; i < part.row + part.rows; ++i) {
        std::fill_n(c + i * n + part.column, part.columns, unwritten<C>());
      }
    });
  }

  C& element(std::size_t i, std::size_t j) { return c_.template as<C>()[i * options_.n + j]; }

  bool replace_if_detectable(C& place, C value) {
    const double change = std::abs(static_cast<double>(value) - static_cast<double>(place));
    if (change < detectable_change<T>(options_.m, options_.n, options_.k)) return false;
    place = value;
    return true;
  }

  // One of the bits from the highest of the mantissa to the highest of the exponent; any bit of an integer.
  bool flip(std::size_t i, std::size_t j, std::uint64_t which) {
    using Bits = std::conditional_t<sizeof(C) == 4, std::uint32_t, std::uint64_t>;
    constexpr int kLowest = std::is_integral_v<C> ? 0 : std::numeric_limits<C>::digits - 2;
    constexpr int kChoices = static_cast<int>(8 * sizeof(C)) - 1 - kLowest;
    Bits bits;
    std::memcpy(&bits, &element(i, j), sizeof bits);
    bits ^= Bits{1} << (kLowest + static_cast<int>(which % kChoices));
    C damaged;
    std::memcpy(&damaged, &bits, sizeof bits);
    return replace_if_detectable(element(i, j), damaged);
  }

  // The right neighbour's value, the lower one's in a single column, 0 in a single element.
  bool copy_neighbour(std::size_t i, std::size_t j) {
    C value = 0;
    if (options_.n > 1) {
      value = element(i, (j + 1) % options_.n);
    } else if (options_.m > 1) {
      value = element((i + 1) % options_.m, j);
    }
    return replace_if_detectable(element(i, j), value);
  }

  // The tile of the kernel around (i, j) as a launch that skipped it would leave it.
  bool zero_tile(std::size_t i, std::size_t j) {
    const auto rows = static_cast<std::size_t>(kernel_.rows), columns = static_cast<std::size_t>(kernel_.columns());
    const std::size_t i0 = i / rows * rows, j0 = j / columns * columns;
    const std::size_t i1 = std::min(i0 + rows, options_.m), j1 = std::min(j0 + columns, options_.n);
    bool detectable = false;
    for (std::size_t r = i0; r < i1; ++r) {
      for (std::size_t s = j0; s < j1; ++s) detectable = replace_if_detectable(element(r, s), C{0}) || detectable;
    }
    if (!detectable) return false;
    for (std::size_t r = i0; r < i1; ++r) std::fill(&element(r, j0), &element(r, j0) + (j1 - j0), C{0});
    return true;
  }

  const GemmProblemOptions options_;
  const Microkernel<T>& kernel_;
  const std::shared_ptr<Peer> peer_;
  const std::unique_ptr<CompressedWeights<T>> weights_;
  std::optional<ThreadTeam> team_;
  std::unique_ptr<GemmEngine<T>> engine_;
  std::optional<FmaPeak<T>> peak_;
  std::optional<OperandBandwidth> operands_;
  int looks_ = 0;
  AlignedBuffer a_, b_, c_;
  std::size_t huge_page_bytes_ = 0;
  std::uint64_t faults_ = 0;
};

Status check_dtype(const PeerInfo& peer, const std::string& dtype) {
  std::string known;
  for (const std::string& name : peer.dtypes) {
    if (name == dtype) return Status::success();
    known += (known.empty() ? "" : ", ") + name;
  }
  return Status::failure("DTYPE_UNSUPPORTED", "the backend " + peer.name + " is driven for " + known + " only, not for " + dtype,
                         "Choose one of: " + known + ".");
}

template <typename T>
Status create(const GemmProblemOptions& options, std::unique_ptr<Problem>* problem) {
  if (std::is_integral_v<T> && options.k >= kMaxIntegerDepth) {
    return Status::failure("BAD_OPTION", "k is " + std::to_string(options.k) + ", at which sums of int8 products can overflow s32",
                           "Choose k below " + std::to_string(kMaxIntegerDepth) + ".");
  }
  const Microkernel<T>* kernel = nullptr;
  std::shared_ptr<Peer> peer;
  Status status = choose_microkernel<T>(options.isa, &kernel);
  if (status.ok() && !options.backend.empty() && options.backend != "native") {
    status = open_peer(options.backend, &peer);
    if (status.ok()) status = check_dtype(peer->info(), options.dtype);
  }
  std::unique_ptr<CompressedWeights<T>> weights;
  if (status.ok() && !options.weights.empty() && options.weights != "dense") {
    if constexpr (kCompressible<T>) {
      status = make_compressed_weights(options.weights, *kernel, options.threads, &weights);
    } else {
      status = Status::failure("DTYPE_UNSUPPORTED", "compressed weights are there for f32, bf16 and s8 only, not for " + options.dtype, "Choose one of: f32, bf16, s8.");
    }
    if (status.ok() && peer != nullptr) {
      status = Status::failure("BAD_OPTION", "compressed weights are multiplied by our own kernels only", "Choose the backend native.");
    }
  }
  if (status.ok()) *problem = std::make_unique<GemmProblem<T>>(options, *kernel, std::move(peer), std::move(weights));
  return status;
}

}  // namespace

Status create_gemm_problem(const GemmProblemOptions& options, std::unique_ptr<Problem>* problem) {
  return for_dtype("gemm", options.dtype, [&]<typename T>(T*) { return create<T>(options, problem); });
}

}  // namespace aibench
