// Binding of inputs and outputs to buffers, and the runs on them.
#include <algorithm>
#include <chrono>
#include <cstdlib>

#include "core/aligned_buffer.h"
#include "ort/ort_session.h"

#define AIBENCH_ORT_TRY(call)                          \
  do {                                                 \
    const Status status_ = library_->check((call));    \
    if (!status_.ok()) return status_;                 \
  } while (false)

namespace aibench::ort {
namespace {

constexpr std::size_t kLargeBytes = 1 << 21;
constexpr std::size_t kAlignment = 64;

std::size_t element_bytes(int type) {
  for (const ElementType& row : kElementTypes) {
    if (row.type == type) return row.bytes;
  }
  return 0;
}

// Memory for an output; large ones on huge pages.
Status allocate(OutputTensor* tensor) {
  if (tensor->bytes >= kLargeBytes) {
    auto memory = std::make_shared<AlignedBuffer>();
    const Status status = memory->allocate(tensor->bytes);
    tensor->data = memory->as<void>();
    tensor->memory = std::shared_ptr<void>(memory, tensor->data);
    return status;
  }
  // A tensor without elements still wants an address.
  const std::size_t bytes = (std::max<std::size_t>(tensor->bytes, 1) + kAlignment - 1) / kAlignment * kAlignment;
  tensor->data = std::aligned_alloc(kAlignment, bytes);
  if (tensor->data == nullptr) return Status::failure("OUT_OF_MEMORY", "the operating system refused memory", "Choose a smaller size.");
  tensor->memory = std::shared_ptr<void>(tensor->data, std::free);
  return Status::success();
}

// Type and shape of what a run returned.
Status read_shape(const Library& library, const Value* value, OutputTensor* out) {
  const Api& api = library.api();
  TensorInfo* raw = nullptr;
  Status status = library.check(api.GetTensorTypeAndShape(value, &raw));
  if (!status.ok()) return status;
  const std::unique_ptr<TensorInfo, void (*)(TensorInfo*)> info(raw, api.ReleaseTensorTypeAndShapeInfo);
  std::size_t rank = 0;
  status = library.check(api.GetTensorElementType(raw, &out->type));
  if (status.ok()) status = library.check(api.GetDimensionsCount(raw, &rank));
  out->dims.resize(rank);
  if (status.ok()) status = library.check(api.GetDimensions(raw, out->dims.data(), rank));
  if (!status.ok()) return status;
  out->bytes = element_bytes(out->type);
  for (const std::int64_t dim : out->dims) out->bytes *= static_cast<std::size_t>(dim);
  if (element_bytes(out->type) != 0) return Status::success();
  return Status::failure("ORT_TYPE", "output " + out->name + " has an element type that cannot be bound to a buffer");
}

}  // namespace

Status OrtSession::bind(const std::vector<InputTensor>& inputs, const std::vector<std::string>& outputs,
                        const std::vector<std::pair<std::string, std::string>>& shared,
                        std::unique_ptr<BoundRun>* out) {
  const Api& api = library_->api();
  auto run = std::make_unique<BoundRun>();
  run->session_ = shared_from_this();
  AIBENCH_ORT_TRY(api.CreateIoBinding(session_, &run->binding_));
  for (const InputTensor& input : inputs) {
    Value* value = nullptr;
    AIBENCH_ORT_TRY(api.CreateTensorWithDataAsOrtValue(memory_, input.data, input.bytes, input.dims.data(),
                                                       input.dims.size(), input.type, &value));
    run->values_.push_back(value);
    AIBENCH_ORT_TRY(api.BindInput(run->binding_, input.name.c_str(), value));
  }
  std::vector<std::string> unknown;
  for (const std::string& name : outputs) {
    const auto pair = std::find_if(shared.begin(), shared.end(), [&](const auto& one) { return one.first == name; });
    if (pair == shared.end()) {
      unknown.push_back(name);
      AIBENCH_ORT_TRY(api.BindOutputToDevice(run->binding_, name.c_str(), memory_));
      continue;
    }
    const auto input = std::find_if(inputs.begin(), inputs.end(), [&](const auto& one) { return one.name == pair->second; });
    if (input == inputs.end()) return Status::failure("ORT_SHARED", "there is no input " + pair->second + " to share");
    AIBENCH_ORT_TRY(
        api.BindOutput(run->binding_, name.c_str(), run->values_[static_cast<std::size_t>(input - inputs.begin())]));
  }
  Status status = run->time(1, &run->first_seconds_);
  if (!status.ok()) return status;

  Allocator* allocator = nullptr;
  AIBENCH_ORT_TRY(api.GetAllocatorWithDefaultOptions(&allocator));
  Value** values = nullptr;
  std::size_t count = 0;
  AIBENCH_ORT_TRY(api.GetBoundOutputValues(run->binding_, allocator, &values, &count));
  for (std::size_t i = 0; i < count; ++i) {
    OutputTensor tensor;
    tensor.name = i < outputs.size() ? outputs[i] : "";
    if (status.ok()) status = read_shape(*library_, values[i], &tensor);
    if (status.ok()) status = library_->check(api.GetTensorMutableData(values[i], &tensor.data));
    api.ReleaseValue(values[i]);
    run->outputs_.push_back(std::move(tensor));
  }
  const Status freed = library_->check(api.AllocatorFree(allocator, values));
  if (!status.ok()) return status;
  if (!freed.ok()) return freed;

  for (OutputTensor& tensor : run->outputs_) {
    if (std::find(unknown.begin(), unknown.end(), tensor.name) == unknown.end()) continue;
    status = allocate(&tensor);
    if (!status.ok()) return status;
    Value* value = nullptr;
    AIBENCH_ORT_TRY(api.CreateTensorWithDataAsOrtValue(memory_, tensor.data, tensor.bytes, tensor.dims.data(),
                                                       tensor.dims.size(), tensor.type, &value));
    run->values_.push_back(value);
    AIBENCH_ORT_TRY(api.BindOutput(run->binding_, tensor.name.c_str(), value));
  }
  status = run->run();
  if (status.ok()) *out = std::move(run);
  return status;
}

BoundRun::~BoundRun() {
  const Api& api = session_->library_->api();
  if (binding_ != nullptr) api.ReleaseIoBinding(binding_);
  for (Value* value : values_) api.ReleaseValue(value);
}

Status BoundRun::run() { return repeat(1); }

// The loop that is timed: two calls of the library's, and no object of ours that a run would have to make.
Status BoundRun::repeat(std::uint64_t iterations) {
  const Library& library = *session_->library_;
  const auto run_with_binding = library.api().RunWithBinding;
  const auto synchronise = library.api().SynchronizeBoundOutputs;
  Session* const session = session_->session_;
  const bool device = session_->device_;
  for (std::uint64_t i = 0; i < iterations; ++i) {
    if (Status_* failed = run_with_binding(session, nullptr, binding_)) return library.check(failed);
    if (!device) continue;
    // It may still be at work when the call returns.
    if (Status_* failed = synchronise(binding_)) return library.check(failed);
  }
  return Status::success();
}

Status BoundRun::time(std::uint64_t iterations, double* seconds) {
  using Clock = std::chrono::steady_clock;
  const Clock::time_point start = Clock::now();
  Status status = repeat(iterations);
  *seconds = std::chrono::duration<double>(Clock::now() - start).count();
  return status;
}

}  // namespace aibench::ort
