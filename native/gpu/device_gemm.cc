#include "gpu/device_gemm.h"

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <limits>

#include "gemm/random_fill.h"

namespace aibench::gpu {
namespace {

// Buffer sets together are so many times the last cache, so that no operand is still in it when its turn comes again.
constexpr double kCacheMultiple = 4;
constexpr std::size_t kMostSets = 64;
// An algorithm is timed three times for about this long; the best counts.
constexpr double kTrialSeconds = 0.01;
constexpr int kTrialRounds = 3;
constexpr std::uint64_t kMostPerGraph = 128;
constexpr int kCaptureThreadLocal = 1;  // CU_STREAM_CAPTURE_MODE_THREAD_LOCAL, hipStreamCaptureModeThreadLocal

}  // namespace

template <typename T>
DeviceGemm<T>::~DeviceGemm() {
  if (graph_ == nullptr) return;
  static_cast<void>(context_->use());
  static_cast<void>(context_->driver().call().graph_exec_destroy(graph_));
}

template <typename T>
int DeviceGemm<T>::on_device(int type) const {
  return data_type_on(context_->driver().vendor().vendor, context_->device().major, context_->device().minor, type);
}

template <typename T>
Status DeviceGemm<T>::prepare(std::shared_ptr<Driver> driver, std::shared_ptr<MatmulLibrary> library, const HostOperands<T>& operands) {
  library_ = std::move(library);
  if (Status status = Context::open(std::move(driver), device_, &context_); !status.ok()) return status;
  if (Status status = allocate_sets(); !status.ok()) return status;
  if (Status status = upload(operands); !status.ok()) return status;
  const MatmulShape shape{&type_, options_.m, options_.n, options_.k, options_.transposed, options_.workspace_bytes, options_.algorithms};
  const bool has_blocks = has_block_scales(type_);
  const DevicePointer scale = has_blocks ? sets_[0].scales.device() : scales_.device();
  // The two scales lie apart: the libraries want each aligned by itself.
  const DevicePointer second = scale == 0 ? 0 : scale + (has_blocks ? scales_of_a() : 256);
  if (Status status = MatmulPlan::make(context_, library_, shape, scale, second, &plan_); !status.ok()) return status;
  if (Status status = choose(); !status.ok()) return status;
  if (trials_.front().seconds < options_.graph_below_seconds) {
    if (Status status = make_graph(); !status.ok()) no_graph_ = status.message;
  }
  for (const Set& set : sets_) {
    if (Status status = context_->poison(set.d.device(), set.d.bytes()); !status.ok()) return status;
  }
  next_ = last_ = touched_ = 0;
  return Status::success();
}

template <typename T>
Status DeviceGemm<T>::allocate_sets() {
  std::size_t free = 0;
  if (Status status = context_->free_bytes(&free); !status.ok()) return status;
  // A multiple of four, since what poisons them writes words.
  const std::size_t d = (d_bytes() + 3) / 4 * 4, one = a_bytes() + b_bytes() + d + scales_of_both();
  const double beyond_cache = std::ceil(kCacheMultiple * static_cast<double>(context_->device().last_cache_bytes) / static_cast<double>(one));
  const double room = static_cast<double>(free) / 2 / static_cast<double>(one);
  const auto count = static_cast<std::size_t>(std::clamp(std::min(beyond_cache, room), 1.0, static_cast<double>(kMostSets)));
  if (type_.scaling == Scaling::kTensor) {
    if (Status status = context_->allocate(512, "the scales", &scales_); !status.ok()) return status;
  }
  sets_.resize(count);
  for (Set& set : sets_) {
    const char* what = "the product";
    Status status = context_->allocate(a_bytes(), what, &set.a);
    if (status.ok()) status = context_->allocate(b_bytes(), what, &set.b);
    if (status.ok()) status = context_->allocate(d, what, &set.d);
    if (status.ok() && scales_of_both() > 0) status = context_->allocate(scales_of_both(), "the scales", &set.scales);
    if (!status.ok()) return status;
  }
  return Status::success();
}

template <typename T>
Status DeviceGemm<T>::upload(const HostOperands<T>& operands) {
  if (type_.scaling == Scaling::kTensor) {
    Status status = context_->upload(scales_.device(), &kScaleA, sizeof kScaleA);
    if (status.ok()) status = context_->upload(scales_.device() + 256, &kScaleB, sizeof kScaleB);
    if (!status.ok()) return status;
  }
  const auto send = [this](const std::vector<T>& values, int type, DevicePointer to) {
    std::vector<unsigned char> encoded(encoded_bytes(type, values.size()));
    encode(on_device(type), values.data(), encoded.data(), values.size());
    return context_->upload(to, encoded.data(), encoded.size());
  };
  Status status = Status::success();
  if (has_block_scales(type_)) {
    status = upload_blocks();
    const auto elements = [this](const std::vector<T>& values, std::size_t rows, std::uint64_t stream) {
      std::vector<T> divided(values);
      const std::size_t block = block_elements(type_), blocks = options_.k / block;
      const std::uint64_t seed = random_bits(options_.seed, stream);
      for (std::size_t part = 0; part < rows * blocks; ++part) {
        const float scale = block_scale(type_, seed, part / blocks, part % blocks);
        for (std::size_t l = part * block; l < (part + 1) * block; ++l) divided[l] /= scale;
      }
      return divided;
    };
    if (status.ok()) status = send(elements(operands.a, options_.m, kScalesOfA), type_.a, sets_[0].a.device());
    if (status.ok()) status = send(elements(operands.b, options_.n, kScalesOfB), type_.b, sets_[0].b.device());
  } else if (options_.transposed) {
    status = send(operands.a, type_.a, sets_[0].a.device());
  } else {
    // On the device its columns are whole: k of them, m long.
    std::vector<T> turned(operands.a.size());
    for (std::size_t i = 0; i < options_.m; ++i) {
      for (std::size_t l = 0; l < options_.k; ++l) turned[l * options_.m + i] = operands.a[i * options_.k + l];
    }
    status = send(turned, type_.a, sets_[0].a.device());
  }
  if (status.ok() && !has_block_scales(type_)) status = send(operands.b, type_.b, sets_[0].b.device());
  for (std::size_t i = 1; i < sets_.size() && status.ok(); ++i) {
    AIBENCH_GPU_TRY(context_->driver(), copy_on, sets_[i].a.device(), sets_[0].a.device(), a_bytes(), context_->stream());
    AIBENCH_GPU_TRY(context_->driver(), copy_on, sets_[i].b.device(), sets_[0].b.device(), b_bytes(), context_->stream());
    status = context_->wait();
  }
  return status;
}

template <typename T>
Status DeviceGemm<T>::upload_blocks() {
  std::vector<unsigned char> scales(scales_of_both());
  encode_scales(type_, random_bits(options_.seed, kScalesOfA), options_.m, options_.k, scales.data());
  encode_scales(type_, random_bits(options_.seed, kScalesOfB), options_.n, options_.k, scales.data() + scales_of_a());
  Status status = Status::success();
  for (std::size_t i = 0; i < sets_.size() && status.ok(); ++i) status = context_->upload(sets_[i].scales.device(), scales.data(), scales.size());
  return status;
}

template <typename T>
Status DeviceGemm<T>::choose() {
  Status refusal = Status::success();
  for (int i = 0; i < plan_->algorithms(); ++i) {
    // One may be offered and still fail: that is its own fault, not the product's, unless the device broke over it.
    Status status = enqueue_one(i);
    if (status.ok()) status = context_->wait();
    if (status.code == "GPU_FAULT") return status;
    if (!status.ok()) {
      refused_ = status.message;
      // What is not supported says less than what failed.
      if (refusal.ok() || refusal.code == "GPU_ALGORITHM_NONE") refusal = status;
      continue;
    }
    Trial trial{i, std::numeric_limits<double>::infinity()};
    std::uint64_t count = 1;
    for (int round = 0; round <= kTrialRounds; ++round) {
      const double seconds = timer_.time(*context_, [&] {
        Status each = Status::success();
        for (std::uint64_t n = 0; n < count && each.ok(); ++n) each = enqueue_one(i);
        return each;
      });
      // The first round only says how many the others take.
      if (round > 0) trial.seconds = std::min(trial.seconds, seconds / static_cast<double>(count));
      else count = static_cast<std::uint64_t>(std::clamp(kTrialSeconds / std::max(seconds, 1e-7), 1.0, 1000.0));
    }
    trials_.push_back(trial);
  }
  timer_ = Timer();
  if (trials_.empty()) {
    refusal.message = "every algorithm that was offered failed: " + refusal.message;
    return refusal;
  }
  std::stable_sort(trials_.begin(), trials_.end(), [](const Trial& a, const Trial& b) { return a.seconds < b.seconds; });
  return Status::success();
}

template <typename T>
Status DeviceGemm<T>::make_graph() {
  const Driver& driver = context_->driver();
  const DriverCalls& call = driver.call();
  if (call.capture_begin == nullptr || call.capture_end == nullptr || call.graph_make == nullptr || call.graph_launch == nullptr ||
      call.graph_exec_destroy == nullptr || call.graph_destroy == nullptr) {
    return Status::failure("GPU_UNSUPPORTED", "the driver has no graphs");
  }
  const std::uint64_t rounds = std::max<std::uint64_t>(1, kMostPerGraph / sets_.size());
  const std::uint64_t count = rounds * sets_.size();  // whole rounds: it begins and ends at the same set
  AIBENCH_GPU_TRY(driver, capture_begin, context_->stream(), kCaptureThreadLocal);
  Status status = Status::success();
  for (std::uint64_t i = 0; i < count && status.ok(); ++i) status = enqueue_one(trials_.front().algorithm);
  Graph captured = nullptr;
  AIBENCH_GPU_TRY(driver, capture_end, context_->stream(), &captured);
  if (status.ok()) status = driver.check(driver.name().graph_make, call.graph_make(&graph_, captured, 0));
  if (captured != nullptr) static_cast<void>(call.graph_destroy(captured));
  if (status.ok()) per_graph_ = count;
  return status;
}

template <typename T>
Status DeviceGemm<T>::enqueue_one(int algorithm) {
  const Set& set = sets_[next_];
  last_ = next_;
  next_ = (next_ + 1) % sets_.size();
  touched_ = std::max(touched_, last_ + 1);
  if (last_ != scaled_set_ && has_block_scales(type_)) {
    if (Status status = plan_->set_scales(set.scales.device(), set.scales.device() + scales_of_a()); !status.ok()) return status;
    scaled_set_ = last_;
  }
  return plan_->enqueue(algorithm, set.a.device(), set.b.device(), set.d.device());
}

template <typename T>
Status DeviceGemm<T>::enqueue(std::uint64_t iterations) {
  // A graph begins at the first set.
  while (iterations > 0 && (per_graph_ == 0 || next_ != 0 || iterations < per_graph_)) {
    if (Status status = enqueue_one(trials_.front().algorithm); !status.ok()) return status;
    --iterations;
    if (per_graph_ != 0 && next_ == 0 && iterations >= per_graph_) break;
  }
  for (; per_graph_ != 0 && iterations >= per_graph_; iterations -= per_graph_) {
    AIBENCH_GPU_TRY(context_->driver(), graph_launch, graph_, context_->stream());
    last_ = sets_.size() - 1;
    touched_ = sets_.size();
  }
  for (; iterations > 0; --iterations) {
    if (Status status = enqueue_one(trials_.front().algorithm); !status.ok()) return status;
  }
  return Status::success();
}

template <typename T>
double DeviceGemm<T>::run_timed(std::uint64_t iterations) {
  return timer_.time(*context_, [&] { return enqueue(iterations); });
}

template <typename T>
Verification DeviceGemm<T>::verify_set(std::size_t set, const HostOperands<T>& operands, ThreadTeam& team) {
  const std::size_t bytes = element_bytes(type_.d);
  std::vector<unsigned char> d(d_bytes());
  require(context_->download(d.data(), sets_[set].d.device(), d.size()));
  ProductCheck<T> check;
  check.type = &type_;
  check.m = options_.m;
  check.n = options_.n;
  check.k = options_.k;
  check.a = operands.a.data();
  check.b = operands.b.data();
  check.scale = tensor_scale();
  check.column = [&](std::size_t j, double* column) { decode(type_.d, &d[j * options_.m * bytes], column, options_.m); };
  check.seed = random_bits(options_.seed, 3);
  return check_product(check, team);
}

// What the last product left, and one more of the sets that the run went through.
template <typename T>
Verification DeviceGemm<T>::verify(const HostOperands<T>& operands, ThreadTeam& team) {
  Verification result = verify_set(last_, operands, team);
  if (!result.passed || touched_ < 2) return result;
  const std::size_t other = random_bits(options_.seed, 4) % touched_;
  if (other == last_) return result;
  const Verification second = verify_set(other, operands, team);
  return !second.passed || second.error > result.error ? second : result;
}

template <typename T>
void DeviceGemm<T>::damage(const std::string& kind, std::uint64_t place, int threads) {
  const std::size_t bytes = element_bytes(type_.d), i = place % options_.m, j = (place >> 24) % options_.n;
  const DevicePointer base = sets_[last_].d.device();
  if (kind == "stale-tile") {
    // Columns of a tile as a launch that skipped it would leave them.
    const std::size_t rows = std::min<std::size_t>(64, options_.m), first = std::min(i, options_.m - rows);
    const std::vector<unsigned char> nothing(rows * bytes, 0xff);
    for (std::size_t column = j; column < std::min(options_.n, j + 64); ++column) {
      require(context_->upload(base + (column * options_.m + first) * bytes, nothing.data(), nothing.size()));
    }
    return;
  }
  const DevicePointer element = base + (j * options_.m + i) * bytes;
  std::vector<unsigned char> encoded(bytes);
  require(context_->download(encoded.data(), element, bytes));
  double value = 0;
  decode(type_.d, encoded.data(), &value, 1);
  const double change = certain_change(type_, options_.m, options_.n, options_.k, tensor_scale(), threads);
  // Twice over, since what is stored is rounded.
  const double wrong = value + 2 * change + std::abs(value) * 4 * type_.output_roundoff;
  if constexpr (sizeof(T) == 8) {
    encode(type_.d, &wrong, encoded.data(), 1);
  } else {
    const auto narrow = static_cast<float>(wrong);
    encode(type_.d, &narrow, encoded.data(), 1);
  }
  require(context_->upload(element, encoded.data(), bytes));
}

template <typename T>
double DeviceGemm<T>::rate_bound() const {
  const DeviceInfo& info = context_->device();
  return gpu::rate_bound(context_->driver().vendor().vendor, info.major, info.minor, type_.name, info.multiprocessors, info.clock_hz);
}

template <typename T>
void DeviceGemm<T>::describe(std::map<std::string, std::string>& facts) const {
  if (plan_ == nullptr || trials_.empty()) return;
  const auto seconds = [](double value) {
    char text[32];
    std::snprintf(text, sizeof text, "%.4g", value);
    return std::string(text);
  };
  const Trial& best = trials_.front();
  facts["library"] = library_->path();
  facts["libraryVersion"] = library_->version();
  facts["algorithmsOffered"] = std::to_string(plan_->algorithms());
  facts["algorithmsTried"] = std::to_string(trials_.size());
  if (!refused_.empty()) facts["algorithmRefused"] = refused_;
  facts["algorithm"] = plan_->algorithm_id(best.algorithm);
  facts["algorithmRank"] = std::to_string(best.algorithm + 1) + " of the heuristics' order";
  facts["algorithmSeconds"] = seconds(best.seconds);
  const auto first = std::find_if(trials_.begin(), trials_.end(), [](const Trial& trial) { return trial.algorithm == 0; });
  if (first != trials_.end()) facts["firstAlgorithmSeconds"] = seconds(first->seconds);
  facts["workspaceBytes"] = std::to_string(options_.workspace_bytes);
  facts["algorithmWorkspaceBytes"] = std::to_string(plan_->algorithm_workspace(best.algorithm));
  facts["bufferSets"] = std::to_string(sets_.size());
  facts["l2Bytes"] = std::to_string(context_->device().l2_bytes);
  if (context_->device().last_cache_bytes != context_->device().l2_bytes) facts["lastCacheBytes"] = std::to_string(context_->device().last_cache_bytes);
  facts["productsPerGraph"] = std::to_string(per_graph_);
  if (!no_graph_.empty()) facts["noGraph"] = no_graph_;
  facts["output"] = type_.d == kR64F ? "f64" : type_.d == kR32F ? "f32" : type_.d == kR16F ? "f16" : type_.d == kR16BF ? "bf16" : "s32";
  if (has_block_scales(type_)) {
    facts["scales"] = type_.scaling == Scaling::kVec32 ? "a UE8M0 for each 32 along k" : "a UE4M3 for each 16 along k";
  }
  if (type_.scaling == Scaling::kTensor) {
    facts["scales"] = "one f32 each, 0.5 and 0.25";
    facts["accumulation"] = context_->driver().vendor().matmul.fast_accumulation >= 0 ? "fast" : "the library's";
  }
}

template class DeviceGemm<float>;
template class DeviceGemm<double>;

}  // namespace aibench::gpu
