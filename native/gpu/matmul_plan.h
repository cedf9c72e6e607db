// One product, described to the library: which operation, which layouts, and the algorithms that its heuristics offer.
#pragma once
#include <cstddef>
#include <memory>
#include <string>
#include <vector>

#include "gpu/context.h"
#include "gpu/gemm_types.h"
#include "gpu/matmul_library.h"

namespace aibench::gpu {

struct MatmulShape {
  const GemmType* type;
  std::size_t m, n, k;
  // D (m x n) in columns; A as m rows of k (k fastest) where transposed, else as k columns of m; B as n columns of k.
  bool transposed;
  std::size_t workspace_bytes;
  int algorithms_wanted;
};

class MatmulPlan {
 public:
  // `scale_a`, `scale_b`: on the device, 0 where the type has no scales. Fails with GPU_ALGORITHM_NONE where the heuristics
  // offer nothing, GPU_UNSUPPORTED and LIBRARY_UNSUPPORTED where the device or the library has no blocks of scales, GPU_LIBRARY_FAILED and the
  // driver's codes. Needs the context to be the thread's.
  static Status make(std::shared_ptr<Context> context, std::shared_ptr<MatmulLibrary> library, const MatmulShape& shape,
                     DevicePointer scale_a, DevicePointer scale_b, std::unique_ptr<MatmulPlan>* plan);
  ~MatmulPlan();
  MatmulPlan(const MatmulPlan&) = delete;
  MatmulPlan& operator=(const MatmulPlan&) = delete;

  // Those that fit into the workspace and that the library does not rule out itself.
  int algorithms() const { return static_cast<int>(offers_.size()); }
  // The library's own description in hexadecimal, and the workspace that it asks for, bytes.
  std::string algorithm_id(int index) const;
  std::size_t algorithm_workspace(int index) const { return offers_[static_cast<std::size_t>(index)].workspace; }

  // D = A * B on the context's stream; does not wait.
  Status enqueue(int algorithm, DevicePointer a, DevicePointer b, DevicePointer d) const;
  // The scales of what is enqueued from now on.
  Status set_scales(DevicePointer scale_a, DevicePointer scale_b);

 private:
  struct Offer {
    std::vector<unsigned char> algorithm;
    std::size_t workspace;
  };
  MatmulPlan(std::shared_ptr<Context> context, std::shared_ptr<MatmulLibrary> library, const MatmulShape& shape)
      : context_(std::move(context)), library_(std::move(library)), shape_(shape) {}
  Status check_blocks() const;
  Status describe(DevicePointer scale_a, DevicePointer scale_b);
  Status ask();

  std::shared_ptr<Context> context_;
  std::shared_ptr<MatmulLibrary> library_;
  const MatmulShape shape_;
  Handle handle_ = nullptr, operation_ = nullptr, a_ = nullptr, b_ = nullptr, d_ = nullptr, preference_ = nullptr;
  Buffer workspace_;
  std::vector<Offer> offers_;
};

}  // namespace aibench::gpu
