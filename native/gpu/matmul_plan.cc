#include "gpu/matmul_plan.h"

#include <cstring>

namespace aibench::gpu {
namespace {

#define AIBENCH_MATMUL_TRY(member, name, ...)                                                          \
  do {                                                                                                 \
    if (Status status = library_->check(name, library_->call().member(__VA_ARGS__)); !status.ok()) return status; \
  } while (false)

constexpr int kLeastMajorForBlocks = 10;
constexpr int kInvalidValue = 7;  // CUBLAS_STATUS_INVALID_VALUE
constexpr std::size_t kLeastLibraryForBlocks = 120800;

}  // namespace

Status MatmulPlan::make(std::shared_ptr<Context> context, std::shared_ptr<MatmulLibrary> library, const MatmulShape& shape, DevicePointer scale_a,
                        DevicePointer scale_b, std::unique_ptr<MatmulPlan>* plan) {
  std::unique_ptr<MatmulPlan> self(new MatmulPlan(std::move(context), std::move(library), shape));
  if (Status status = self->check_blocks(); !status.ok()) return status;
  if (Status status = self->context_->allocate(shape.workspace_bytes, "the workspace", &self->workspace_); !status.ok()) return status;
  if (Status status = self->describe(scale_a, scale_b); !status.ok()) return status;
  if (Status status = self->ask(); !status.ok()) return status;
  *plan = std::move(self);
  return Status::success();
}

MatmulPlan::~MatmulPlan() {
  const MatmulCalls& call = library_->call();
  static_cast<void>(context_->use());
  if (preference_ != nullptr) static_cast<void>(call.preference_destroy(preference_));
  for (Handle layout : {a_, b_, d_}) {
    if (layout != nullptr) static_cast<void>(call.layout_destroy(layout));
  }
  if (operation_ != nullptr) static_cast<void>(call.operation_destroy(operation_));
  if (handle_ != nullptr) static_cast<void>(call.destroy(handle_));
}

// Tensor cores take blocks of scales since compute capability 10.0, cuBLASLt since 12.8.
Status MatmulPlan::check_blocks() const {
  if (!has_block_scales(*shape_.type)) return Status::success();
  const std::string name = shape_.type->name;
  if (context_->driver().vendor().matmul.scale_mode_a < 0) {
    return Status::failure("GPU_UNSUPPORTED", name + " products are there for NVIDIA only: how " + context_->driver().vendor().matmul.prefix + " lays scales out is not confirmed",
                           "Choose f8e4m3.");
  }
  const DeviceInfo& device = context_->device();
  if (device.major < kLeastMajorForBlocks) {
    return Status::failure("GPU_UNSUPPORTED",
                           device.name + " (compute capability " + std::to_string(device.major) + "." + std::to_string(device.minor) +
                               ") has no " + name + ": blocks of scales came with 10.0",
                           "Choose f8e4m3, or run it on a newer GPU.");
  }
  if (library_->version_number() < kLeastLibraryForBlocks) {
    return Status::failure("LIBRARY_UNSUPPORTED", library_->path() + " " + library_->version() + " has no " + name + ": blocks of scales came with 12.8",
                           "Install cuBLAS 12.8 or newer, or choose f8e4m3.");
  }
  return Status::success();
}

Status MatmulPlan::set_scales(DevicePointer scale_a, DevicePointer scale_b) {
  const MatmulNumbers& number = context_->driver().vendor().matmul;
  AIBENCH_MATMUL_TRY(operation_set, "MatmulDescSetAttribute", operation_, number.scale_a, &scale_a, sizeof scale_a);
  AIBENCH_MATMUL_TRY(operation_set, "MatmulDescSetAttribute", operation_, number.scale_b, &scale_b, sizeof scale_b);
  return Status::success();
}

Status MatmulPlan::describe(DevicePointer scale_a, DevicePointer scale_b) {
  const MatmulNumbers& number = context_->driver().vendor().matmul;
  const GemmType& type = *shape_.type;
  const auto on_device = [this](int data_type) {
    return data_type_on(context_->driver().vendor().vendor, context_->device().major, context_->device().minor, data_type);
  };
  const int compute = type.sum == Sum::kF64    ? number.compute_f64
                      : type.sum == Sum::kTf32 ? number.compute_tf32
                      : type.sum == Sum::kS32  ? number.compute_s32
                                               : number.compute_f32;
  const int scale_type = type.sum == Sum::kF64 ? kR64F : type.sum == Sum::kS32 ? kR32I : kR32F;
  AIBENCH_MATMUL_TRY(create, "Create", &handle_);
  AIBENCH_MATMUL_TRY(operation_create, "MatmulDescCreate", &operation_, compute, scale_type);
  const int op_a = shape_.transposed ? number.op_t : number.op_n;
  AIBENCH_MATMUL_TRY(operation_set, "MatmulDescSetAttribute", operation_, number.transpose_a, &op_a, sizeof op_a);
  AIBENCH_MATMUL_TRY(operation_set, "MatmulDescSetAttribute", operation_, number.transpose_b, &number.op_n, sizeof number.op_n);
  if (type.scaling != Scaling::kNone) {
    // The heuristics look at them: they are set before they are asked.
    if (has_block_scales(type)) {
      const int mode = type.scaling == Scaling::kVec32 ? number.scale_vec32 : number.scale_vec16;
      AIBENCH_MATMUL_TRY(operation_set, "MatmulDescSetAttribute", operation_, number.scale_mode_a, &mode, sizeof mode);
      AIBENCH_MATMUL_TRY(operation_set, "MatmulDescSetAttribute", operation_, number.scale_mode_b, &mode, sizeof mode);
    }
    if (Status status = set_scales(scale_a, scale_b); !status.ok()) return status;
    if (type.scaling == Scaling::kTensor && number.fast_accumulation >= 0) {
      const std::int8_t fast = 1;
      AIBENCH_MATMUL_TRY(operation_set, "MatmulDescSetAttribute", operation_, number.fast_accumulation, &fast, sizeof fast);
    }
  }
  const auto m = static_cast<std::int64_t>(shape_.m), k = static_cast<std::int64_t>(shape_.k);
  if (shape_.transposed) {
    AIBENCH_MATMUL_TRY(layout_create, "MatrixLayoutCreate", &a_, on_device(type.a), shape_.k, shape_.m, k);
  } else {
    AIBENCH_MATMUL_TRY(layout_create, "MatrixLayoutCreate", &a_, on_device(type.a), shape_.m, shape_.k, m);
  }
  AIBENCH_MATMUL_TRY(layout_create, "MatrixLayoutCreate", &b_, on_device(type.b), shape_.k, shape_.n, k);
  AIBENCH_MATMUL_TRY(layout_create, "MatrixLayoutCreate", &d_, type.d, shape_.m, shape_.n, m);
  AIBENCH_MATMUL_TRY(preference_create, "MatmulPreferenceCreate", &preference_);
  AIBENCH_MATMUL_TRY(preference_set, "MatmulPreferenceSetAttribute", preference_, number.max_workspace, &shape_.workspace_bytes,
                     sizeof shape_.workspace_bytes);
  return Status::success();
}

// cublasLtMatmulHeuristicResult_t: the algorithm, size_t workspaceSize, int state, float wavesCount, int reserved[4].
Status MatmulPlan::ask() {
  const MatmulNumbers& number = context_->driver().vendor().matmul;
  const auto wanted = static_cast<std::size_t>(shape_.algorithms_wanted);
  std::vector<unsigned char> results(wanted * number.result_bytes);
  int found = 0;
  const int result = library_->call().heuristics(handle_, operation_, a_, b_, d_, d_, preference_, shape_.algorithms_wanted, results.data(), &found);
  if (Status status = library_->check("MatmulAlgoGetHeuristic", result); !status.ok()) {
    // A version that does not know this pair of dtype and scales calls it invalid.
    if (has_block_scales(*shape_.type) && result == kInvalidValue) status.code = "GPU_ALGORITHM_NONE";
    return status;
  }
  for (int i = 0; i < found && i < shape_.algorithms_wanted; ++i) {
    const unsigned char* result = &results[static_cast<std::size_t>(i) * number.result_bytes];
    Offer offer{{result, result + number.algorithm_bytes}, 0};
    int state = 0;
    std::memcpy(&offer.workspace, result + number.algorithm_bytes, sizeof offer.workspace);
    std::memcpy(&state, result + number.algorithm_bytes + sizeof offer.workspace, sizeof state);
    if (state == 0 && offer.workspace <= shape_.workspace_bytes) offers_.push_back(std::move(offer));
  }
  if (!offers_.empty()) return Status::success();
  return Status::failure("GPU_ALGORITHM_NONE",
                         std::string(number.prefix) + " has no algorithm for " + shape_.type->name + " " + std::to_string(shape_.m) + "x" +
                             std::to_string(shape_.n) + "x" + std::to_string(shape_.k) + " on " + context_->device().name,
                         "Choose another dtype or shape, or a newer library.");
}

std::string MatmulPlan::algorithm_id(int index) const {
  static constexpr char kDigits[] = "0123456789abcdef";
  std::string text;
  for (const unsigned char byte : offers_[static_cast<std::size_t>(index)].algorithm) {
    text += kDigits[byte >> 4];
    text += kDigits[byte & 15];
  }
  // The unused end of the description is zero.
  const std::size_t last = text.find_last_not_of('0');
  return last == std::string::npos ? "0" : text.substr(0, last + 1);
}

Status MatmulPlan::enqueue(int algorithm, DevicePointer a, DevicePointer b, DevicePointer d) const {
  static constexpr double kOne64 = 1, kZero64 = 0;
  static constexpr float kOne = 1, kZero = 0;
  static constexpr std::int32_t kOneS = 1, kZeroS = 0;
  const Sum sum = shape_.type->sum;
  const void* alpha = sum == Sum::kF64 ? static_cast<const void*>(&kOne64) : sum == Sum::kS32 ? static_cast<const void*>(&kOneS) : &kOne;
  const void* beta = sum == Sum::kF64 ? static_cast<const void*>(&kZero64) : sum == Sum::kS32 ? static_cast<const void*>(&kZeroS) : &kZero;
  AIBENCH_MATMUL_TRY(multiply, "Matmul", handle_, operation_, alpha, a, a_, b, b_, beta, d, d_, d, d_,
                     offers_[static_cast<std::size_t>(algorithm)].algorithm.data(), workspace_.device(), workspace_.bytes(), context_->stream());
  return Status::success();
}

}  // namespace aibench::gpu
