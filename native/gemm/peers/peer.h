// Other people's GEMM, opened at run time and driven and verified like our own: the peers that a rate is compared with.
#pragma once
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "core/status.h"
#include "gemm/gemm_arguments.h"

namespace aibench {

// What `aibench list backends` says of a library.
struct PeerInfo {
  std::string name;
  bool found = false;
  std::string reason, remedy;  // where it was not found or does not load
  std::string path, version;
  std::string threading;  // pthreads, OpenMP, sequential, unknown
  std::string kernel;     // which kernels the library chose for this CPU, in its own words
  std::vector<std::string> dtypes;
};

// One product of one shape, for libraries whose products are objects that are made beforehand: C[m x n] = A[m x k] * B[k x n], row-major
// and without gaps.
class PeerProduct {
 public:
  virtual ~PeerProduct() = default;
  // The implementation that the library chose, in its own words.
  virtual std::string kernel() const = 0;
  // Called once B is filled. Where weights are packed they are copied into the library's own layout, and b of multiply() is not read.
  virtual bool take_weights(const void* b) = 0;
  virtual std::size_t packed_bytes() const = 0;  // 0: B is read as it lies
  virtual const void* packed_weights() const = 0;
  virtual bool multiply(const void* a, const void* b, void* c) = 0;
};

// One opened library. Its threads are its own: they are not pinned, and inherit the affinity of the thread that opens it
// (OpenBLAS) or first runs it (OpenMP), so neither may be pinned to one CPU when it is to use several.
class Peer {
 public:
  virtual ~Peer() = default;
  virtual PeerInfo info() const = 0;
  // Fails with THREADS_UNSUPPORTED where the library cannot be told.
  virtual Status set_threads(int threads) = 0;
  // Row-major; false where the library reports a failure or lacks the dtype.
  virtual bool multiply(const GemmArguments<float>& arguments) = 0;
  virtual bool multiply(const GemmArguments<double>& arguments) = 0;
  // Products of the other dtypes, and those with packed weights. After set_threads(). Fails with DTYPE_UNSUPPORTED.
  virtual Status make_product(const std::string& dtype, std::size_t m, std::size_t n, std::size_t k, bool packed,
                              std::unique_ptr<PeerProduct>* product) {
    static_cast<void>(m), static_cast<void>(n), static_cast<void>(k), static_cast<void>(product);
    return Status::failure("DTYPE_UNSUPPORTED",
                           "the backend " + info().name + " is not driven for " + dtype + (packed ? " with packed weights" : ""),
                           "Choose another backend.");
  }
};

// Names of all peers that aibench knows, in the order of the table.
std::vector<std::string> peer_names();

// The library of that name, opened once per process and never closed: some do not survive it. Fails with
// BACKEND_UNKNOWN, LIBRARY_ABSENT, LIBRARY_BROKEN.
Status open_peer(const std::string& name, std::shared_ptr<Peer>* peer);

// All of them, opened.
std::vector<PeerInfo> list_peers();

}  // namespace aibench
