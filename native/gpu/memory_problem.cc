#include "gpu/memory_problem.h"

#include <algorithm>
#include <atomic>
#include <cstring>
#include <optional>

#include "core/aligned_buffer.h"
#include "core/available_memory.h"
#include "core/thread_team.h"
#include "gemm/random_fill.h"
#include "gpu/affinity.h"
#include "gpu/context.h"
#include "gpu/device_facts.h"
#include "gpu/runtime_compiler.h"
#include "gpu/timer.h"

namespace aibench::gpu {
namespace {

constexpr const char* kPtx =
#include "gpu/kernels/memory_ptx.inc"
    ;
constexpr const char* kSource =
#include "gpu/kernels/memory_source.inc"
    ;
constexpr float kScalar = 0.5f;
constexpr unsigned kThreads = 256;
constexpr std::uint64_t kPerBlock = 1024;  // times 16 bytes, as in memory.cu
constexpr std::uint64_t kSlice = std::uint64_t{64} << 20;  // checked and filled piece by piece

enum class Kind { kCopy, kTriad, kMemcpy, kIn, kOut, kPeer };
struct Row {
  const char* name;
  Kind kind;
  bool pinned;
  double moved;  // bytes per byte of an array, read and written
};
constexpr Row kRows[] = {{"copy", Kind::kCopy, false, 2},       {"triad", Kind::kTriad, false, 3},        {"memcpy", Kind::kMemcpy, false, 2},
                         {"h2d", Kind::kIn, true, 1},           {"d2h", Kind::kOut, true, 1},             {"h2d-pageable", Kind::kIn, false, 1},
                         {"d2h-pageable", Kind::kOut, false, 1}, {"peer", Kind::kPeer, false, 1}};

// Ten bits, so that b + 0.5 c is exact in f32 in whatever way it is computed.
float value_at(std::uint64_t seed, std::uint64_t index) { return static_cast<float>(random_bits(seed, index) >> 54) / 1024; }

class GpuMemoryProblem final : public Problem {
 public:
  GpuMemoryProblem(const GpuMemoryOptions& options, const Row& row) : options_(options), row_(row) {}

  ~GpuMemoryProblem() override {
    if (module_ == nullptr || context_ == nullptr || !context_->use().ok()) return;
    static_cast<void>(context_->driver().call().module_unload(module_));
  }

  Status prepare() override {
    team_.emplace(std::min<int>(8, static_cast<int>(allowed_cpus().size())));
    Status status = Driver::open(*options_.vendor, options_.driver, &driver_);
    if (status.ok()) status = Context::open(driver_, options_.devices[0], &context_);
    // Pages of the host are then near the device.
    if (status.ok()) is_bound_ = bind_to_numa_node(context_->device().numa_node);
    if (status.ok()) status = prepare_kind();
    if (status.ok()) status = poison();
    is_ready_ = status.ok();
    return status;
  }

  void run(std::uint64_t iterations) override { static_cast<void>(run_timed(iterations)); }

  double run_timed(std::uint64_t iterations) override {
    require(context_->use());
    const auto enqueue = [&] {
      Status status = Status::success();
      for (std::uint64_t i = 0; i < iterations && status.ok(); ++i) status = enqueue_one();
      return status;
    };
    // A copy from plain memory goes through the driver's own buffers on the calling thread: its events tell little.
    const bool by_wall = (row_.kind == Kind::kIn || row_.kind == Kind::kOut) && !row_.pinned;
    return by_wall ? timer_.time_by_wall(*context_, enqueue) : timer_.time(*context_, enqueue);
  }

  Verification verify() override {
    require(context_->use());
    std::atomic<std::uint64_t> wrong{0};
    std::vector<float> slice;
    for (std::uint64_t begin = 0; begin < options_.bytes; begin += kSlice) {
      const std::uint64_t bytes = std::min(kSlice, options_.bytes - begin), first = begin / sizeof(float), count = bytes / sizeof(float);
      const float* values = nullptr;
      if (row_.kind == Kind::kOut) {
        values = host_values() + first;
      } else {
        slice.resize(count);
        const Context& owner = row_.kind == Kind::kPeer ? *peer_ : *context_;
        require(owner.use());
        require(owner.download(slice.data(), target() + begin, bytes));
        values = slice.data();
      }
      team_->run([&](int member) {
        const auto members = static_cast<std::uint64_t>(team_->size()), me = static_cast<std::uint64_t>(member);
        std::uint64_t mine = 0;
        for (std::uint64_t i = count * me / members; i < count * (me + 1) / members; ++i) mine += values[i] != expected(first + i) ? 1 : 0;
        wrong.fetch_add(mine, std::memory_order_relaxed);
      });
    }
    // What comes next has to write all of it again.
    require(poison());
    const auto count = static_cast<double>(wrong.load());
    return {"every word bit for bit", count == 0, count, 0};
  }

  bool inject_fault(const std::string& kind) override {
    if (kind != "word") return false;
    fault_ = random_bits(options_.seed, 50 + faults_++) % (options_.bytes / sizeof(float));
    require(context_->use());
    // The array as a run leaves it, but for one word.
    require(enqueue_one());
    require(context_->wait());
    const float nothing = -1;
    if (row_.kind == Kind::kOut) {
      host_values()[fault_] = nothing;
      return true;
    }
    const Context& owner = row_.kind == Kind::kPeer ? *peer_ : *context_;
    require(owner.use());
    require(owner.upload(target() + fault_ * sizeof(float), &nothing, sizeof nothing));
    return true;
  }
  const char* fault_kinds() const override { return "word"; }

  Work work() const override { return {0, row_.moved * static_cast<double>(options_.bytes), 0}; }

  // Of the memory itself: both edges of its clock times the width of its bus. AMD reports that clock in another way.
  std::map<std::string, double> ceilings() const override {
    if (!is_ready_ || !is_inside() || options_.vendor->vendor != Vendor::kCuda || context_->device().integrated) return {};
    return {{"device_memory_bytes_per_second_bound", 2 * context_->device().memory_clock_hz * context_->device().bus_width_bits / 8}};
  }

  std::map<std::string, std::string> facts() const override {
    std::map<std::string, std::string> facts;
    if (!is_ready_) return facts;
    std::vector<const DeviceInfo*> devices{&context_->device()};
    if (peer_ != nullptr) devices.push_back(&peer_->device());
    device_facts(*driver_, devices, facts);
    facts["bytesPerArray"] = std::to_string(options_.bytes);
    facts["timedBatches"] = std::to_string(timer_.samples());
    facts["timerDisagreements"] = std::to_string(timer_.disagreements());
    facts["threadOnNumaNode"] = is_bound_ ? "true" : "false";
    if (peer_ != nullptr) facts["peerAccess"] = has_peer_access_ ? "direct" : "through the host";
    if (module_ != nullptr) facts["kernel"] = "own, " + code_ + ", " + std::to_string(kThreads) + " threads";
    return facts;
  }
  int threads() const override { return 1; }

 private:
  bool is_inside() const { return row_.kind == Kind::kCopy || row_.kind == Kind::kTriad || row_.kind == Kind::kMemcpy; }
  DevicePointer target() const { return row_.kind == Kind::kPeer ? peer_a_.device() : a_.device(); }
  float* host_values() { return row_.pinned ? static_cast<float*>(pinned_.host()) : pageable_.as<float>(); }
  std::uint64_t stream(std::uint64_t which) const { return random_bits(options_.seed, which); }
  float expected(std::uint64_t i) const {
    const float b = value_at(stream_b_, i);
    return row_.kind == Kind::kTriad ? b + kScalar * value_at(stream_c_, i) : b;
  }

  Status prepare_kind() {
    stream_b_ = stream(1);
    stream_c_ = stream(2);
    const std::string what = std::string("gpu-memory ") + row_.name;
    Status status = Status::success();
    const bool has_host = row_.kind == Kind::kIn || row_.kind == Kind::kOut;
    if (has_host) {
      status = check_memory(static_cast<double>(options_.bytes), what);
      if (status.ok()) status = row_.pinned ? context_->allocate_pinned(options_.bytes, &pinned_) : pageable_.reserve(options_.bytes);
    }
    if (!status.ok()) return status;
    if (row_.kind != Kind::kPeer) status = context_->allocate(options_.bytes, what, &a_);
    if (status.ok() && row_.kind != Kind::kIn && row_.kind != Kind::kOut) status = context_->allocate(options_.bytes, what, &b_);
    if (status.ok() && row_.kind == Kind::kTriad) status = context_->allocate(options_.bytes, what, &c_);
    if (!status.ok()) return status;
    switch (row_.kind) {
      case Kind::kIn: fill(host_values(), stream_b_, 0, options_.bytes / sizeof(float)); return status;
      case Kind::kOut: return upload(*context_, a_.device(), stream_b_);
      case Kind::kPeer: return prepare_peer(what);
      default: break;
    }
    status = upload(*context_, b_.device(), stream_b_);
    if (status.ok() && row_.kind == Kind::kTriad) status = upload(*context_, c_.device(), stream_c_);
    if (status.ok() && row_.kind != Kind::kMemcpy) status = load_kernel();
    return status;
  }

  Status prepare_peer(const std::string& what) {
    const DriverCalls& call = driver_->call();
    if (call.copy_across == nullptr) return Status::failure("GPU_UNSUPPORTED", driver_->library() + " has no " + driver_->name().copy_across, "Update the driver.");
    Status status = Context::open(driver_, options_.devices[1], &peer_);
    if (status.ok()) status = peer_->use();
    if (status.ok()) status = peer_->allocate(options_.bytes, what, &peer_a_);
    if (status.ok()) status = context_->use();
    if (!status.ok()) return status;
    int can = 0;
    if (call.can_reach != nullptr && call.reach != nullptr && call.can_reach(&can, options_.devices[0], options_.devices[1]) == kSuccess && can == 1) {
      constexpr Result kAlready = 704;  // CUDA_ERROR_PEER_ACCESS_ALREADY_ENABLED
      const Result result = call.reach(peer_->place(), 0);
      has_peer_access_ = result == kSuccess || result == kAlready;
    }
    return upload(*context_, b_.device(), stream_b_);
  }

  Status load_kernel() {
    const DriverCalls& call = driver_->call();
    if (call.module_load == nullptr || call.module_unload == nullptr || call.module_function == nullptr || call.launch == nullptr) {
      return Status::failure("GPU_UNSUPPORTED", driver_->library() + " has no calls to load and launch kernels", "Update the driver.");
    }
    const void* image = kPtx;
    std::vector<char> compiled;
    if (driver_->vendor().vendor == Vendor::kRocm) {
      std::shared_ptr<RuntimeCompiler> compiler;
      Status status = RuntimeCompiler::open(options_.compiler, &compiler);
      if (status.ok()) status = compiler->compile(kSource, "aibench_memory", &compiled);
      if (!status.ok()) return status;
      image = compiled.data();
      code_ = "compiled by hipRTC " + compiler->version();
    }
    AIBENCH_GPU_TRY(*driver_, module_load, &module_, image, 0, nullptr, nullptr);
    AIBENCH_GPU_TRY(*driver_, module_function, &function_, module_, row_.kind == Kind::kTriad ? "aibench_triad" : "aibench_copy");
    return Status::success();
  }

  Status enqueue_one() {
    const Stream stream = context_->stream();
    switch (row_.kind) {
      case Kind::kMemcpy: AIBENCH_GPU_TRY(*driver_, copy_on, a_.device(), b_.device(), options_.bytes, stream); break;
      case Kind::kIn: AIBENCH_GPU_TRY(*driver_, copy_in, a_.device(), host_values(), options_.bytes, stream); break;
      case Kind::kOut: AIBENCH_GPU_TRY(*driver_, copy_out, host_values(), a_.device(), options_.bytes, stream); break;
      case Kind::kPeer:
        AIBENCH_GPU_TRY(*driver_, copy_across, peer_a_.device(), peer_->place(), b_.device(), context_->place(), options_.bytes, stream);
        break;
      default: return launch();
    }
    return Status::success();
  }

  Status launch() {
    DevicePointer a = a_.device(), b = b_.device(), c = c_.device();
    float scalar = kScalar;
    std::uint64_t count = options_.bytes / 16;
    void* triad[] = {&a, &b, &c, &scalar, &count};
    void* copy[] = {&a, &b, &count};
    const auto blocks = static_cast<unsigned>((count + kPerBlock - 1) / kPerBlock);
    AIBENCH_GPU_TRY(*driver_, launch, function_, blocks, 1, 1, kThreads, 1, 1, 0, context_->stream(), row_.kind == Kind::kTriad ? triad : copy, nullptr);
    return Status::success();
  }

  void fill(float* values, std::uint64_t seed, std::uint64_t first, std::uint64_t count) {
    team_->run([&](int member) {
      const auto members = static_cast<std::uint64_t>(team_->size()), me = static_cast<std::uint64_t>(member);
      for (std::uint64_t i = count * me / members; i < count * (me + 1) / members; ++i) values[i] = value_at(seed, first + i);
    });
  }

  Status upload(const Context& context, DevicePointer to, std::uint64_t seed) {
    std::vector<float> slice;
    for (std::uint64_t begin = 0; begin < options_.bytes; begin += kSlice) {
      const std::uint64_t bytes = std::min(kSlice, options_.bytes - begin);
      slice.resize(bytes / sizeof(float));
      fill(slice.data(), seed, begin / sizeof(float), slice.size());
      if (Status status = context.upload(to + begin, slice.data(), bytes); !status.ok()) return status;
    }
    return Status::success();
  }

  Status poison() {
    if (row_.kind == Kind::kOut) {
      std::memset(host_values(), 0xff, options_.bytes);
      return Status::success();
    }
    const Context& owner = row_.kind == Kind::kPeer ? *peer_ : *context_;
    if (Status status = owner.use(); !status.ok()) return status;
    if (Status status = owner.poison(target(), options_.bytes); !status.ok()) return status;
    return context_->use();
  }

  const GpuMemoryOptions options_;
  const Row& row_;
  std::optional<ThreadTeam> team_;
  std::shared_ptr<Driver> driver_;
  std::shared_ptr<Context> context_, peer_;
  Buffer a_, b_, c_, peer_a_, pinned_;
  AlignedBuffer pageable_;
  std::string code_ = "PTX 6.0";
  void* module_ = nullptr;
  void* function_ = nullptr;
  std::uint64_t stream_b_ = 0, stream_c_ = 0, fault_ = 0, faults_ = 0;
  bool is_ready_ = false, is_bound_ = false, has_peer_access_ = false;
  Timer timer_;
};

}  // namespace

Status create_gpu_memory(const GpuMemoryOptions& options, std::unique_ptr<Problem>* problem) {
  const Row* row = nullptr;
  std::string names;
  for (const Row& one : kRows) {
    names += (names.empty() ? "" : ", ") + std::string(one.name);
    if (options.kernel == one.name) row = &one;
  }
  if (row == nullptr) return Status::failure("BAD_OPTION", "gpu-memory has no kernel \"" + options.kernel + "\"", "Choose one of: " + names + ".");
  const std::size_t devices = row->kind == Kind::kPeer ? 2 : 1;
  if (options.devices.size() != devices || options.bytes == 0 || options.bytes % 16 != 0) {
    return Status::failure("BAD_OPTION", std::string("gpu-memory ") + row->name + " wants " + std::to_string(devices) + " device(s) and bytes that are a multiple of 16",
                           "See src/native/types.ts.");
  }
  *problem = std::make_unique<GpuMemoryProblem>(options, *row);
  return Status::success();
}

}  // namespace aibench::gpu
