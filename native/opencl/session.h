// A context, a queue in order and buffers on one device.
#pragma once
#include <map>
#include <memory>
#include <string>

#include "opencl/devices.h"

namespace aibench::opencl {

// Released with the session's last holder.
class Session {
 public:
  Session(const OpenclLibrary& library, DeviceInfo device) : library_(library), device_(std::move(device)) {}
  ~Session();
  Session(const Session&) = delete;
  Session& operator=(const Session&) = delete;

  // `profiling`: events carry times. Drivers that run on the host's CPU start their threads in here: call it from a thread that is not pinned.
  Status open(bool profiling = false);
  // Fails with OUT_OF_MEMORY where it cannot fit in one buffer or in all memory, before the driver is asked.
  Status allocate(std::size_t bytes, Memory* memory);
  // Both wait until it is done.
  Status write(Memory memory, std::size_t offset, const void* data, std::size_t bytes);
  Status read(Memory memory, std::size_t offset, void* data, std::size_t bytes);
  // Waits for all that was enqueued.
  Status finish();

  const OpenclLibrary& library() const { return library_; }
  const DeviceInfo& device() const { return device_; }
  Context context() const { return context_; }
  Queue queue() const { return queue_; }
  std::size_t allocated_bytes() const { return allocated_; }
  // For the record: device, platform, driver, what kind of device.
  std::map<std::string, std::string> facts() const;

 private:
  const OpenclLibrary& library_;
  const DeviceInfo device_;
  Context context_ = nullptr;
  Queue queue_ = nullptr;
  std::vector<Memory> buffers_;
  std::size_t allocated_ = 0;
};

}  // namespace aibench::opencl
