// The floor for `npm run bench:inference`: ONNX Runtime's C API in a plain loop, one model, every input float32 of [1, ...].
//
//   ort_loop LIBRARY MODEL THREADS SAMPLES ITERATIONS
//
// Prints the seconds per run of each sample, one a line.
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <vector>

#include "ort/ort_session.h"

using namespace aibench::ort;

int main(int argc, char** argv) {
  if (argc < 6) return 2;
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
  std::vector<std::vector<float>> buffers;
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
      need(outputs ? api.SessionGetOutputTypeInfo(session, i, &info) : api.SessionGetInputTypeInfo(session, i, &info));
      need(api.CastTypeInfoToTensorInfo(info, &tensor));
      need(api.GetDimensionsCount(tensor, &rank));
      std::vector<std::int64_t> dims(rank);
      need(api.GetDimensions(tensor, dims.data(), rank));
      std::size_t elements = 1;
      for (std::int64_t& dim : dims) {
        if (dim < 0) dim = 1;
        elements *= static_cast<std::size_t>(dim);
      }
      buffers.emplace_back(elements, 0.5F);
      Value* value = nullptr;
      need(api.CreateTensorWithDataAsOrtValue(memory, buffers.back().data(), elements * sizeof(float), dims.data(), rank,
                                              1, &value));
      need(outputs ? api.BindOutput(binding, name, value) : api.BindInput(binding, name, value));
    }
  }
  const int samples = std::atoi(argv[4]);
  const int iterations = std::atoi(argv[5]);
  using Clock = std::chrono::steady_clock;
  for (int sample = -samples / 10 - 1; sample < samples; ++sample) {
    const Clock::time_point start = Clock::now();
    for (int i = 0; i < iterations; ++i) need(api.RunWithBinding(session, nullptr, binding));
    const double seconds = std::chrono::duration<double>(Clock::now() - start).count() / iterations;
    if (sample >= 0) std::printf("%.9e\n", seconds);
  }
  std::fflush(stdout);
  // The session's threads end with the process.
  std::_Exit(0);
}
