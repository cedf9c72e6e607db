// The libraries that speak CBLAS: OpenBLAS, BLIS and AOCL, MKL, Arm Performance Libraries, Accelerate.
#pragma once
#include "core/dynamic_library.h"
#include "gemm/peers/peer.h"

namespace aibench {

// What differs between them: how to say the number of threads, and how to ask what they are.
struct CblasLibrary {
  const char* name;
  std::vector<std::string> sonames;
  Status (*set_threads)(const DynamicLibrary&, int threads);
  void (*describe)(const DynamicLibrary&, PeerInfo*);
  const char* remedy;
};
const std::vector<CblasLibrary>& cblas_libraries();

Status open_cblas(const CblasLibrary& library, std::shared_ptr<Peer>* peer);

}  // namespace aibench
