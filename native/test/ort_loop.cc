// The floor for `npm run bench:inference`: ONNX Runtime's C API in a plain loop, one model, its buffers bound once.
//
//   ort_loop LIBRARY MODEL THREADS [DIM=SIZE ...] [OUTPUT ...]
//
// Reads a number of iterations per line and answers with the seconds that they took together: whoever asks can put one sample
// of its own beside each. Dynamic dimensions without a size are 1; without an output's name
// all are fetched. Inputs are float32 of 0.5 or int64 of 1.
#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <vector>

#include "ort/ort_session.h"

using namespace aibench::ort;

namespace {

constexpr int kFloat32 = 1;
constexpr int kInt64 = 7;

// The size of a dynamic dimension, from the arguments.
std::int64_t size_of(const char* name, int argc, char** argv) {
  const std::size_t length = std::strlen(name);
  for (int i = 4; i < argc; ++i) {
    if (std::strncmp(argv[i], name, length) == 0 && argv[i][length] == '=') return std::atoll(argv[i] + length + 1);
  }
  return 1;
}

// Whether an output is asked for: by name, or because none is named.
bool is_wanted(const char* output, int argc, char** argv) {
  bool named = false;
  for (int i = 4; i < argc; ++i) {
    if (std::strcmp(argv[i], output) == 0) return true;
    named = named || std::strchr(argv[i], '=') == nullptr;
  }
  return !named;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc < 4) return 2;
  std::shared_ptr<Library> library;
  aibench::Status status = Library::open(argv[1], &library);
  if (!status.ok()) {
    std::fprintf(stderr, "%s\n", status.message.c_str());
    return 1;
  }
  const Api& api = library->api();
  const auto need = [&](Status_* failed) {
    const aibench::Status result = library->check(failed);
    if (result.ok()) return;
    std::fprintf(stderr, "%s\n", result.message.c_str());
    std::exit(1);
  };
  SessionOptions* options = nullptr;
  Session* session = nullptr;
  MemoryInfo* memory = nullptr;
  Allocator* allocator = nullptr;
  IoBinding* binding = nullptr;
  need(api.CreateSessionOptions(&options));
  need(api.SetIntraOpNumThreads(options, std::atoi(argv[3])));
  need(api.SetSessionLogSeverityLevel(options, kLogFatal));
  need(api.CreateSession(library->env(), argv[2], options, &session));
  need(api.CreateCpuMemoryInfo(kArenaAllocator, kMemoryDefault, &memory));
  need(api.GetAllocatorWithDefaultOptions(&allocator));
  need(api.CreateIoBinding(session, &binding));
  std::vector<std::vector<std::int64_t>> buffers;
  for (const bool outputs : {false, true}) {
    std::size_t count = 0;
    need(outputs ? api.SessionGetOutputCount(session, &count) : api.SessionGetInputCount(session, &count));
    for (std::size_t i = 0; i < count; ++i) {
      char* name = nullptr;
      TypeInfo* info = nullptr;
      const TensorInfo* tensor = nullptr;
      std::size_t rank = 0;
      need(outputs ? api.SessionGetOutputName(session, i, allocator, &name)
                   : api.SessionGetInputName(session, i, allocator, &name));
      if (outputs && !is_wanted(name, argc, argv)) continue;
      need(outputs ? api.SessionGetOutputTypeInfo(session, i, &info) : api.SessionGetInputTypeInfo(session, i, &info));
      need(api.CastTypeInfoToTensorInfo(info, &tensor));
      need(api.GetDimensionsCount(tensor, &rank));
      int type = 0;
      std::vector<std::int64_t> dims(rank);
      std::vector<const char*> names(rank, "");
      need(api.GetTensorElementType(tensor, &type));
      need(api.GetDimensions(tensor, dims.data(), rank));
      need(api.GetSymbolicDimensions(tensor, names.data(), rank));
      std::size_t elements = 1;
      for (std::size_t axis = 0; axis < rank; ++axis) {
        if (dims[axis] < 0) dims[axis] = size_of(names[axis], argc, argv);
        elements *= static_cast<std::size_t>(dims[axis]);
      }
      if (type != kFloat32 && type != kInt64) {
        std::fprintf(stderr, "%s is neither float32 nor int64\n", name);
        return 1;
      }
      const std::size_t bytes = elements * (type == kFloat32 ? sizeof(float) : sizeof(std::int64_t));
      buffers.emplace_back((bytes + sizeof(std::int64_t) - 1) / sizeof(std::int64_t), 1);
      void* data = buffers.back().data();
      if (type == kFloat32) std::fill_n(static_cast<float*>(data), elements, 0.5F);
      Value* value = nullptr;
      need(api.CreateTensorWithDataAsOrtValue(memory, data, bytes, dims.data(), rank, type, &value));
      need(outputs ? api.BindOutput(binding, name, value) : api.BindInput(binding, name, value));
    }
  }
  using Clock = std::chrono::steady_clock;
  std::printf("ready\n");
  std::fflush(stdout);
  long iterations = 0;
  while (std::scanf("%ld", &iterations) == 1) {
    const Clock::time_point start = Clock::now();
    for (long i = 0; i < iterations; ++i) need(api.RunWithBinding(session, nullptr, binding));
    const double seconds = std::chrono::duration<double>(Clock::now() - start).count();
    std::printf("%.9e\n", seconds);
    std::fflush(stdout);
  }
  // The session's threads end with the process.
  std::_Exit(0);
}
