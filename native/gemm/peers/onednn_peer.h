// oneDNN through its BLAS-like C entry, which is the same in versions 1 to 3.
#pragma once
#include "gemm/peers/peer.h"

namespace aibench {

Status open_onednn(std::shared_ptr<Peer>* peer);

}  // namespace aibench
