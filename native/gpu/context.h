// One device taken into use: its primary context, a stream, two events, and memory on it. All of it is given back with the
// object. Used by one thread at a time.
#pragma once
#include <cstddef>
#include <memory>
#include <string>
#include <utility>

#include "gpu/devices.h"
#include "gpu/driver.h"

namespace aibench::gpu {

class Context;

// Memory on a device, or pinned memory of the host.
class Buffer {
 public:
  Buffer() = default;
  ~Buffer() { free(); }
  Buffer(Buffer&& other) noexcept { *this = std::move(other); }
  Buffer& operator=(Buffer&& other) noexcept {
    if (this != &other) {
      free();
      context_ = std::exchange(other.context_, nullptr);
      device_ = std::exchange(other.device_, 0);
      host_ = std::exchange(other.host_, nullptr);
      bytes_ = std::exchange(other.bytes_, 0);
    }
    return *this;
  }
  DevicePointer device() const { return device_; }
  void* host() const { return host_; }
  std::size_t bytes() const { return bytes_; }

 private:
  friend class Context;
  void free();
  std::shared_ptr<Context> context_;
  DevicePointer device_ = 0;
  void* host_ = nullptr;
  std::size_t bytes_ = 0;
};

class Context : public std::enable_shared_from_this<Context> {
 public:
  // Fails with GPU_NO_SUCH_DEVICE, GPU_OUT_OF_MEMORY, GPU_FAULT or GPU_CALL_FAILED.
  static Status open(std::shared_ptr<Driver> driver, int device, std::shared_ptr<Context>* context);
  ~Context();
  Context(const Context&) = delete;
  Context& operator=(const Context&) = delete;

  const Driver& driver() const { return *driver_; }
  const DeviceInfo& device() const { return info_; }
  Stream stream() const { return stream_; }
  // What cross-device calls name a device by.
  Place place() const;

  // Makes it the calling thread's.
  Status use() const;
  // Bytes free on the device now, as the driver says.
  Status free_bytes(std::size_t* bytes) const;
  // Plain device memory. GPU_OUT_OF_MEMORY before the driver is asked where `bytes` are more than what is free less a small
  // reserve: `what` names the purpose in that message.
  Status allocate(std::size_t bytes, const std::string& what, Buffer* buffer);
  Status allocate_pinned(std::size_t bytes, Buffer* buffer);

  Status upload(DevicePointer to, const void* from, std::size_t bytes) const;    // waits
  Status download(void* to, DevicePointer from, std::size_t bytes) const;        // waits
  Status poison(DevicePointer to, std::size_t bytes) const;                      // 0xff bytes: NaN in every float format
  Status wait() const;

  // Seconds on the device's own clock between the two marks, after waiting for the second.
  Status mark_begin() const;
  Status mark_end() const;
  Status marked_seconds(double* seconds) const;

 private:
  Context(std::shared_ptr<Driver> driver, int device) : driver_(std::move(driver)), index_(device) {}
  Status start();

  std::shared_ptr<Driver> driver_;
  int index_;
  int device_ = 0;
  DeviceInfo info_;
  void* context_ = nullptr;
  Stream stream_ = nullptr;
  Event begin_ = nullptr, end_ = nullptr;
};

}  // namespace aibench::gpu
