// oneDNN: f32 through its BLAS-like C entry, which is the same in versions 1 to 3, the rest through its matmul primitive.
#pragma once
#include "gemm/peers/peer.h"

namespace aibench {

Status open_onednn(std::shared_ptr<Peer>* peer);

}  // namespace aibench
