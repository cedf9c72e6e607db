#include "gpu/context.h"


namespace aibench::gpu {
namespace {

// Left to the driver and the library for their own small allocations.
constexpr std::size_t kReserve = std::size_t{64} << 20;
constexpr unsigned kNonBlocking = 1;  // CU_STREAM_NON_BLOCKING, hipStreamNonBlocking

std::string mebibytes(std::size_t bytes) { return std::to_string(bytes >> 20) + " MiB"; }

}  // namespace

void Buffer::free() {
  if (context_ == nullptr) return;
  static_cast<void>(context_->use());
  if (device_ != 0) static_cast<void>(context_->driver().call().release(device_));
  if (host_ != nullptr) static_cast<void>(context_->driver().call().host_release(host_));
  device_ = 0;
  host_ = nullptr;
  context_.reset();
}

Status Context::open(std::shared_ptr<Driver> driver, int device, std::shared_ptr<Context>* context) {
  if (device < 0 || device >= driver->device_count()) {
    const int count = driver->device_count();
    return Status::failure("GPU_NO_SUCH_DEVICE",
                           "there is no GPU " + std::to_string(device) + ": the " + driver->vendor().driver + " lists " +
                               std::to_string(count) + (count == 1 ? ", number 0" : ", numbers 0 to " + std::to_string(count - 1)),
                           "See `aibench list devices`.");
  }
  std::shared_ptr<Context> self(new Context(std::move(driver), device));
  if (Status status = self->start(); !status.ok()) return status;
  *context = std::move(self);
  return Status::success();
}

Status Context::start() {
  if (Status status = describe_device(*driver_, index_, &info_); !status.ok()) return status;
  AIBENCH_GPU_TRY(*driver_, device_get, &device_, index_);
  AIBENCH_GPU_TRY(*driver_, context_retain, &context_, device_);
  AIBENCH_GPU_TRY(*driver_, context_set, context_);
  AIBENCH_GPU_TRY(*driver_, stream_create, &stream_, kNonBlocking);
  AIBENCH_GPU_TRY(*driver_, event_create, &begin_, 0);
  AIBENCH_GPU_TRY(*driver_, event_create, &end_, 0);
  std::size_t free = 0;
  if (Status status = free_bytes(&free); !status.ok()) return status;
  info_.free_bytes = free;
  return Status::success();
}

Context::~Context() {
  const DriverCalls& call = driver_->call();
  if (context_ == nullptr) return;
  static_cast<void>(use());
  if (begin_ != nullptr) static_cast<void>(call.event_destroy(begin_));
  if (end_ != nullptr) static_cast<void>(call.event_destroy(end_));
  if (stream_ != nullptr) static_cast<void>(call.stream_destroy(stream_));
  static_cast<void>(call.context_release(device_));
}

Place Context::place() const {
  return driver_->vendor().vendor == Vendor::kCuda ? reinterpret_cast<Place>(context_) : static_cast<Place>(device_);
}

Status Context::use() const {
  AIBENCH_GPU_TRY(*driver_, context_set, context_);
  return Status::success();
}

Status Context::free_bytes(std::size_t* bytes) const {
  std::size_t total = 0;
  AIBENCH_GPU_TRY(*driver_, memory_info, bytes, &total);
  return Status::success();
}

Status Context::allocate(std::size_t bytes, const std::string& what, Buffer* buffer) {
  std::size_t free = 0;
  if (Status status = free_bytes(&free); !status.ok()) return status;
  if (free < kReserve || bytes > free - kReserve) {
    return Status::failure("GPU_OUT_OF_MEMORY",
                           what + " needs " + mebibytes(bytes) + " on GPU " + std::to_string(index_) + ", of which " + mebibytes(free) + " are free",
                           "Choose a smaller size, or end what else uses the GPU.");
  }
  Buffer made;
  AIBENCH_GPU_TRY(*driver_, allocate, &made.device_, bytes);
  made.context_ = shared_from_this();
  made.bytes_ = bytes;
  *buffer = std::move(made);
  return Status::success();
}

Status Context::allocate_pinned(std::size_t bytes, Buffer* buffer) {
  Buffer made;
  AIBENCH_GPU_TRY(*driver_, host_allocate, &made.host_, bytes, 0);
  made.context_ = shared_from_this();
  made.bytes_ = bytes;
  *buffer = std::move(made);
  return Status::success();
}

Status Context::upload(DevicePointer to, const void* from, std::size_t bytes) const {
  AIBENCH_GPU_TRY(*driver_, copy_in, to, from, bytes, stream_);
  return wait();
}

Status Context::download(void* to, DevicePointer from, std::size_t bytes) const {
  AIBENCH_GPU_TRY(*driver_, copy_out, to, from, bytes, stream_);
  return wait();
}

Status Context::poison(DevicePointer to, std::size_t bytes) const {
  AIBENCH_GPU_TRY(*driver_, fill, to, 0xffffffffu, bytes / 4, stream_);
  return wait();
}

Status Context::wait() const {
  AIBENCH_GPU_TRY(*driver_, stream_wait, stream_);
  return Status::success();
}

Status Context::mark_begin() const {
  AIBENCH_GPU_TRY(*driver_, event_record, begin_, stream_);
  return Status::success();
}

Status Context::mark_end() const {
  AIBENCH_GPU_TRY(*driver_, event_record, end_, stream_);
  return Status::success();
}

Status Context::marked_seconds(double* seconds) const {
  AIBENCH_GPU_TRY(*driver_, event_wait, end_);
  float milliseconds = 0;
  AIBENCH_GPU_TRY(*driver_, event_elapsed, &milliseconds, begin_, end_);
  *seconds = milliseconds * 1e-3;
  return Status::success();
}

}  // namespace aibench::gpu
