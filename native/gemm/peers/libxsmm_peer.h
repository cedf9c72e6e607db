// libxsmm: kernels made at run time for small products; one thread.
#pragma once
#include "gemm/peers/peer.h"

namespace aibench {

Status open_libxsmm(std::shared_ptr<Peer>* peer);

}  // namespace aibench
