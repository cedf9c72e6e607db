#include "gemm/gemm_problem.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>
#include <optional>
#include <type_traits>
#include <utility>
#include <vector>

#include "core/available_memory.h"
#include "core/thread_team.h"
#include "gemm/any_dtype.h"
#include "gemm/compressed/compressed_engine.h"
#include "gemm/fma_peak.h"
#include "gemm/gemm_engine.h"
#include "gemm/gemm_operands.h"
#include "gemm/kernel_registry.h"
#include "gemm/operand_bandwidth.h"
#include "gemm/peers/peer_product_engine.h"
#include "gemm/random_fill.h"
#include "gemm/verification.h"
#include "memory/last_level_cache.h"

namespace aibench {
namespace {

// Whether a peer has to make the product beforehand (PeerProduct) instead of being called as a BLAS.
template <typename T>
bool by_product(const GemmProblemOptions& options) {
  return (!std::is_same_v<T, float> && !std::is_same_v<T, double>) || options.weights == "packed";
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
      : options_(options), kernel_(kernel), peer_(std::move(peer)), weights_(std::move(weights)), data_(options_) {}

  Status prepare() override {
    team_.emplace(options_.threads);
    if (weights_ != nullptr) {
      if constexpr (kCompressible<T>) {
        engine_ = std::make_unique<CompressedEngine<T>>(kernel_, *team_, *weights_, options_.n, options_.k);
      }
    } else if (peer_ == nullptr) {
      auto native = std::make_unique<NativeEngine<T>>(kernel_, *team_, options_.m, options_.n, options_.k);
      if (options_.weights == "packed") native->pack_weights(options_.n, options_.k);
      engine_ = std::move(native);
    } else if (by_product<T>(options_)) {
      engine_ = std::make_unique<PeerProductEngine<T>>(peer_, *team_, options_.dtype, options_.m, options_.n, options_.k,
                                                       options_.weights == "packed");
    } else {
      engine_ = std::make_unique<PeerEngine<T>>(peer_, *team_);
    }
    Status status = check_memory(bytes_needed(), title());
    if (status.ok()) status = data_.reserve();
    if (status.ok()) status = engine_->prepare();
    if (!status.ok()) return status;
    peak_.emplace(kernel_, *team_);
    const ReadKernelRow* read = nullptr;
    if (status = choose_read_kernel("", &read); !status.ok()) return status;
    data_.arrange_batch();
    data_.fill(kernel_, *team_);
    if (status = engine_->take_weights(data_.batch().first); !status.ok()) return status;
    operands_.emplace(*read, *team_);
    operands_->add(data_.a(), data_.bytes_a());
    operands_->add(data_.c(), data_.bytes_c());
    const auto own_weights = engine_->own_weights();
    if (own_weights.empty()) operands_->add(data_.b(), data_.bytes_b());
    for (const auto& piece : own_weights) operands_->add(piece.begin, piece.bytes);
    huge_page_bytes_ = data_.huge_page_bytes();
    return status;
  }

  void run(std::uint64_t iterations) override {
    // A peer that reports a failure leaves C as it was, which the verification finds.
    const bool bounded = options_.beta != 1 && options_.beta != -1;
    for (; iterations != 0; --iterations) {
      if (!bounded && runs_ == GemmOperands<T>::kRunsBetweenRestores) {  // an even number: alpha has its sign again
        data_.restore_c();
        runs_ = 0;
      }
      static_cast<void>(engine_->run(data_.batch()));
      ++runs_;
      if (options_.beta == 1) data_.batch().first.alpha = -data_.batch().first.alpha;
    }
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

  Verification verify() override { return data_.verify(runs_, stream(kStreamSigns)); }

  const char* fault_kinds() const override { return "flip,value,stale-tile"; }

  // Each kind looks for a place where the damage is at least detectable_change(): a smaller one is not told from
  // rounding by any check of this kind.
  bool inject_fault(const std::string& kind) override {
    if (kind != "flip" && kind != "value" && kind != "stale-tile") return false;
    constexpr int kAttempts = 10000;
    for (int attempt = 0; attempt < kAttempts; ++attempt) {
      const std::uint64_t place = random_bits(stream(kStreamFault), faults_++);
      const std::size_t i = place % (options_.m * options_.batch);
      const std::size_t j = (place >> 24) % options_.n;
      if (kind == "flip" ? flip(i, j, place >> 48) : kind == "value" ? copy_neighbour(i, j) : zero_tile(i, j)) return true;
    }
    // A product so small in value that none of the attempts reached the size: damage that always does.
    *data_.c() += static_cast<C>(3 * data_.gain() * static_cast<double>(options_.k + 1));
    return true;
  }

  Work work() const override {
    const double m = static_cast<double>(options_.m), n = static_cast<double>(options_.n), k = static_cast<double>(options_.k);
    const auto batch = static_cast<double>(options_.batch);
    const double dense = 2 * m * n * k * batch;
    const double others = (sizeof(T) * m * k + sizeof(C) * m * n * (options_.beta == 0 ? 1 : 2)) * batch;
    if (weights_ != nullptr) return {dense * weights_->density(options_.k, options_.n), others + weights_->bytes(options_.k, options_.n), dense};
    if (options_.weights == "packed" && peer_ == nullptr) {
      const auto lanes = static_cast<std::size_t>(kernel_.lanes);
      const std::size_t columns = (options_.n + lanes - 1) / lanes * lanes;
      return {dense, others + static_cast<double>(kernel_.steps(options_.k) * columns * sizeof(C)), 0};
    }
    return {dense, others + sizeof(B) * k * n * batch, 0};
  }

  std::map<std::string, std::string> facts() const override {
    std::map<std::string, std::string> facts{{"threads", std::to_string(options_.threads)}};
    if (peer_ == nullptr) {
      facts["kernel"] = kernel_.name;
      facts["isa"] = isa_name(kernel_.isa);
    }
    if (engine_ != nullptr) {
      for (auto& [key, value] : engine_->facts()) facts[key] = value;
      facts["bytesAllocated"] = std::to_string(data_.bytes_allocated() + engine_->workspace_bytes());
      facts["hugePageBytes"] = std::to_string(huge_page_bytes_);
      facts["operandsIn"] = operands_in();
      if (options_.weights == "packed") facts["weights"] = "packed once, before anything was timed";
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
    const std::size_t operands = data_.bytes_a() + data_.bytes_b() + data_.bytes_c() * (options_.beta == 0 ? 1 : 2);
    return static_cast<double>(operands) + static_cast<double>(engine_->workspace_bytes()) + kAlignment * options_.threads;
  }

  C& element(std::size_t i, std::size_t j) { return data_.c()[i * options_.n + j]; }

  bool replace_if_detectable(C& place, C value) {
    const double change = std::abs(static_cast<double>(value) - static_cast<double>(place));
    const double least = detectable_change<T>(options_.m, options_.n, options_.k, static_cast<double>(options_.batch));
    if (change < least * data_.gain() * (options_.beta == 0 ? 1 : 2)) return false;
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
    } else if (options_.m * options_.batch > 1) {
      value = element((i + 1) % (options_.m * options_.batch), j);
    }
    return replace_if_detectable(element(i, j), value);
  }

  // The tile of the kernel around (i, j) as a launch that skipped it would leave it.
  bool zero_tile(std::size_t i, std::size_t j) {
    const auto rows = static_cast<std::size_t>(kernel_.rows), columns = static_cast<std::size_t>(kernel_.columns());
    const std::size_t i0 = i / rows * rows, j0 = j / columns * columns;
    const std::size_t i1 = std::min(i0 + rows, options_.m * options_.batch), j1 = std::min(j0 + columns, options_.n);
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
  GemmOperands<T> data_;
  std::uint64_t runs_ = 0;
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

// alpha and beta: what verifies, and what C's type holds.
template <typename T>
Status check_scalars(const GemmProblemOptions& options) {
  const auto refuse = [](const std::string& what, const char* remedy) { return Status::failure("BAD_OPTION", what, remedy); };
  if (options.alpha == 0) return refuse("alpha is 0, which multiplies nothing", "Choose another alpha.");
  if (!(std::abs(options.beta) <= 1)) return refuse("beta lies outside of [-1, 1]: C would grow from run to run", "Choose beta in [-1, 1].");
  if (std::is_integral_v<T> && (options.alpha != std::floor(options.alpha) || options.beta != std::floor(options.beta))) {
    return refuse("alpha and beta of int8 products are whole numbers", "Choose whole numbers.");
  }
  if (std::is_integral_v<T> && std::abs(options.alpha) * static_cast<double>(options.k) >= static_cast<double>(kMaxIntegerDepth)) {
    return refuse("alpha times k is so large that sums of int8 products can overflow s32", "Choose a smaller alpha.");
  }
  return Status::success();
}

template <typename T>
Status create(const GemmProblemOptions& options, std::unique_ptr<Problem>* problem) {
  if (std::is_integral_v<T> && options.k >= kMaxIntegerDepth) {
    return Status::failure("BAD_OPTION", "k is " + std::to_string(options.k) + ", at which sums of int8 products can overflow s32",
                           "Choose k below " + std::to_string(kMaxIntegerDepth) + ".");
  }
  if (Status status = check_scalars<T>(options); !status.ok()) return status;
  const bool packed = options.weights == "packed", dense = options.weights.empty() || options.weights == "dense";
  const bool plain = !options.transpose_a && !options.transpose_b && options.alpha == 1 && options.beta == 0;
  if (!dense && (options.batch != 1 || (!packed && !plain))) {
    return Status::failure("BAD_OPTION", "weights \"" + options.weights + "\" are of one product" + (packed ? "" : ", as it stands"),
                           packed ? "Leave out batch." : "Leave out batch, transposes, alpha and beta.");
  }
  const Microkernel<T>* kernel = nullptr;
  std::shared_ptr<Peer> peer;
  Status status = choose_microkernel<T>(options.isa, options.narrow_weights && (dense || packed), &kernel);
  if (status.ok() && !options.backend.empty() && options.backend != "native") {
    status = open_peer(options.backend, &peer);
    if (status.ok()) status = check_dtype(peer->info(), options.dtype);
  }
  std::unique_ptr<CompressedWeights<T>> weights;
  if (status.ok() && peer != nullptr && by_product<T>(options)) {
    if (!plain || options.batch != 1) {
      status = Status::failure("BAD_OPTION", "the backend " + options.backend + " is driven for single products as they stand in " + options.dtype +
                               " and with packed weights", "Leave out batch, transposes, alpha and beta, or choose the backend native.");
    } else {  // a small one, to know before anything large is allocated
      std::unique_ptr<PeerProduct> small;
      status = peer->make_product(options.dtype, 16, 16, 16, packed, &small);
    }
  }
  if (status.ok() && !dense && !packed) {
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
