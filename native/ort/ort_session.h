// A session of ONNX Runtime through its C API, and runs on buffers that are bound once: nothing is allocated or copied between
// one run and the next.
#pragma once
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "core/dynamic_library.h"
#include "core/status.h"
#include "ort/ort_abi.h"

namespace aibench::ort {

// The library and its environment. Sessions keep it alive.
class Library {
 public:
  ~Library();
  // Fails with ORT_LIBRARY when the library does not load, or is older than API version 12.
  static Status open(const std::string& path, std::shared_ptr<Library>* out);
  const Api& api() const { return api_; }
  Env* env() const { return env_; }
  const std::string& version() const { return version_; }
  // Takes the status over; success where it is null.
  Status check(Status_* status) const;

 private:
  DynamicLibrary library_;
  Api api_;
  Env* env_ = nullptr;
  std::string version_;
};

struct OpenOptions {
  std::string model;
  int threads = 1;
  bool spinning = true;
  bool optimise = true;
  // "" or "cpu", "cuda", or a name that SessionOptionsAppendExecutionProvider knows ("WebGPU", "QNN", "OpenVINO", ...).
  std::string provider;
  std::string profile_prefix;
};

struct PortInfo {
  std::string name;
  int type = 0;                         // 0: not a tensor
  std::vector<std::int64_t> dims;       // -1 where dynamic
  std::vector<std::string> dim_names;   // of the dynamic ones
};

struct InputTensor {
  std::string name;
  int type;
  std::vector<std::int64_t> dims;
  void* data;  // lives as long as the run
  std::size_t bytes;
};

struct OutputTensor {
  std::string name;
  int type = 0;
  std::vector<std::int64_t> dims;
  std::shared_ptr<void> memory;  // null where it shares an input's buffer
  void* data = nullptr;
  std::size_t bytes = 0;
};

class BoundRun;

class OrtSession : public std::enable_shared_from_this<OrtSession> {
 public:
  ~OrtSession();
  static Status open(std::shared_ptr<Library> library, const OpenOptions& options, std::shared_ptr<OrtSession>* out);
  const std::vector<PortInfo>& inputs() const { return inputs_; }
  const std::vector<PortInfo>& outputs() const { return outputs_; }
  // An output named in `shared` (output, input) is written into that input's buffer: a KV cache that stays in place. Runs
  // once, to learn the shapes of the others, which are then bound to buffers of their own.
  Status bind(const std::vector<InputTensor>& inputs, const std::vector<std::string>& outputs,
              const std::vector<std::pair<std::string, std::string>>& shared, std::unique_ptr<BoundRun>* out);
  Status end_profiling(std::string* file);

 private:
  friend class BoundRun;
  Status configure(const OpenOptions& options, SessionOptions* target);
  Status describe(bool outputs, std::vector<PortInfo>* ports);
  std::shared_ptr<Library> library_;
  Session* session_ = nullptr;
  MemoryInfo* memory_ = nullptr;
  bool device_ = false;  // runs elsewhere than on the CPU: outputs have to be waited for
  std::vector<PortInfo> inputs_;
  std::vector<PortInfo> outputs_;
};

class BoundRun {
 public:
  ~BoundRun();
  Status run();
  // Runs so often, back to back; the time of all together. Seconds.
  Status time(std::uint64_t iterations, double* seconds);
  const std::vector<OutputTensor>& outputs() const { return outputs_; }
  // Of the run by which bind() learnt the shapes: with a new session, its first inference.
  double first_seconds() const { return first_seconds_; }

 private:
  friend class OrtSession;
  Status repeat(std::uint64_t iterations);
  std::shared_ptr<OrtSession> session_;
  IoBinding* binding_ = nullptr;
  std::vector<Value*> values_;
  std::vector<OutputTensor> outputs_;
  double first_seconds_ = 0;
};

}  // namespace aibench::ort
