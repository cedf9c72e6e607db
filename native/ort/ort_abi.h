// The part of ONNX Runtime's C API that is used here, without its header. The API is a table of functions that only ever grows
// at its end: the places below are those of onnxruntime_c_api.h 1.12 (API version 12) and are asserted upstream for each
// released version (for instance ReleaseCustomOpDomain at 101, SetGlobalSpinControl at 149). GetApi(12) of any later library
// gives a table that begins so, or null.
#pragma once
#include <cstddef>
#include <cstdint>

namespace aibench::ort {

constexpr std::uint32_t kApiVersion = 12;

struct Status_;
struct Env;
struct SessionOptions;
struct Session;
struct RunOptions;
struct Value;
struct MemoryInfo;
struct Allocator;
struct TypeInfo;
struct TensorInfo;
struct IoBinding;
struct CudaOptions;

// What OrtGetApiBase() gives.
struct ApiBase {
  const void* const* (*GetApi)(std::uint32_t version);
  const char* (*GetVersionString)();
};

constexpr int kLogFatal = 4;
constexpr int kOptimiseNothing = 0;
constexpr int kOptimiseAll = 99;
constexpr int kArenaAllocator = 1;
constexpr int kMemoryDefault = 0;

// name, place in the table, result, parameters
#define AIBENCH_ORT_FUNCTIONS(F)                                                                                      \
  F(GetErrorMessage, 2, const char*, (const Status_*))                                                                \
  F(CreateEnv, 3, Status_*, (int level, const char* id, Env**))                                                       \
  F(CreateSession, 7, Status_*, (Env*, const char* path, const SessionOptions*, Session**))                           \
  F(CreateSessionOptions, 10, Status_*, (SessionOptions**))                                                           \
  F(EnableProfiling, 14, Status_*, (SessionOptions*, const char* prefix))                                             \
  F(SetSessionLogSeverityLevel, 22, Status_*, (SessionOptions*, int))                                                 \
  F(SetSessionGraphOptimizationLevel, 23, Status_*, (SessionOptions*, int))                                           \
  F(SetIntraOpNumThreads, 24, Status_*, (SessionOptions*, int))                                                       \
  F(SetInterOpNumThreads, 25, Status_*, (SessionOptions*, int))                                                       \
  F(SessionGetInputCount, 30, Status_*, (const Session*, std::size_t*))                                               \
  F(SessionGetOutputCount, 31, Status_*, (const Session*, std::size_t*))                                              \
  F(SessionGetInputTypeInfo, 33, Status_*, (const Session*, std::size_t, TypeInfo**))                                 \
  F(SessionGetOutputTypeInfo, 34, Status_*, (const Session*, std::size_t, TypeInfo**))                                \
  F(SessionGetInputName, 36, Status_*, (const Session*, std::size_t, Allocator*, char**))                             \
  F(SessionGetOutputName, 37, Status_*, (const Session*, std::size_t, Allocator*, char**))                            \
  F(CreateTensorWithDataAsOrtValue, 49, Status_*,                                                                     \
    (const MemoryInfo*, void* data, std::size_t bytes, const std::int64_t* dims, std::size_t rank, int type, Value**)) \
  F(IsTensor, 50, Status_*, (const Value*, int*))                                                                     \
  F(GetTensorMutableData, 51, Status_*, (Value*, void**))                                                             \
  F(CastTypeInfoToTensorInfo, 55, Status_*, (const TypeInfo*, const TensorInfo**))                                    \
  F(GetTensorElementType, 60, Status_*, (const TensorInfo*, int*))                                                    \
  F(GetDimensionsCount, 61, Status_*, (const TensorInfo*, std::size_t*))                                              \
  F(GetDimensions, 62, Status_*, (const TensorInfo*, std::int64_t*, std::size_t))                                     \
  F(GetSymbolicDimensions, 63, Status_*, (const TensorInfo*, const char**, std::size_t))                              \
  F(GetTensorTypeAndShape, 65, Status_*, (const Value*, TensorInfo**))                                                \
  F(CreateCpuMemoryInfo, 69, Status_*, (int allocator, int memory, MemoryInfo**))                                     \
  F(AllocatorFree, 76, Status_*, (Allocator*, void*))                                                                 \
  F(GetAllocatorWithDefaultOptions, 78, Status_*, (Allocator**))                                                      \
  F(ReleaseEnv, 92, void, (Env*))                                                                                     \
  F(ReleaseStatus, 93, void, (Status_*))                                                                              \
  F(ReleaseMemoryInfo, 94, void, (MemoryInfo*))                                                                       \
  F(ReleaseSession, 95, void, (Session*))                                                                             \
  F(ReleaseValue, 96, void, (Value*))                                                                                 \
  F(ReleaseTypeInfo, 98, void, (TypeInfo*))                                                                           \
  F(ReleaseTensorTypeAndShapeInfo, 99, void, (TensorInfo*))                                                           \
  F(ReleaseSessionOptions, 100, void, (SessionOptions*))                                                              \
  F(SessionEndProfiling, 110, Status_*, (Session*, Allocator*, char**))                                               \
  F(AddSessionConfigEntry, 130, Status_*, (SessionOptions*, const char* key, const char* value))                      \
  F(RunWithBinding, 133, Status_*, (Session*, const RunOptions*, const IoBinding*))                                   \
  F(CreateIoBinding, 134, Status_*, (Session*, IoBinding**))                                                          \
  F(ReleaseIoBinding, 135, void, (IoBinding*))                                                                        \
  F(BindInput, 136, Status_*, (IoBinding*, const char* name, const Value*))                                           \
  F(BindOutput, 137, Status_*, (IoBinding*, const char* name, const Value*))                                          \
  F(BindOutputToDevice, 138, Status_*, (IoBinding*, const char* name, const MemoryInfo*))                             \
  F(GetBoundOutputValues, 140, Status_*, (const IoBinding*, Allocator*, Value***, std::size_t*))                      \
  F(SynchronizeBoundOutputs, 203, Status_*, (IoBinding*))                                                             \
  F(AppendCuda, 204, Status_*, (SessionOptions*, const CudaOptions*))                                                 \
  F(CreateCudaOptions, 205, Status_*, (CudaOptions**))                                                                \
  F(ReleaseCudaOptions, 208, void, (CudaOptions*))                                                                    \
  F(AppendProvider, 216, Status_*,                                                                                    \
    (SessionOptions*, const char* name, const char* const* keys, const char* const* values, std::size_t))

struct Api {
#define AIBENCH_ORT_MEMBER(name, place, result, parameters) result(*name) parameters = nullptr;
  AIBENCH_ORT_FUNCTIONS(AIBENCH_ORT_MEMBER)
#undef AIBENCH_ORT_MEMBER
};

// ONNXTensorElementDataType, with the names that onnxruntime-node gives them.
struct ElementType {
  int type;
  const char* name;
  std::size_t bytes;
};
constexpr ElementType kElementTypes[] = {
    {1, "float32", 4}, {2, "uint8", 1},   {3, "int8", 1},     {4, "uint16", 2},  {5, "int16", 2},   {6, "int32", 4},
    {7, "int64", 8},   {9, "bool", 1},    {10, "float16", 2}, {11, "float64", 8}, {12, "uint32", 4}, {13, "uint64", 8},
};

}  // namespace aibench::ort
