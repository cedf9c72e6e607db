#include "gpu/collective_library.h"

#include <type_traits>

namespace aibench::gpu {
namespace {

// 2.8.3 is 2803; from 2.9 on 2.21.5 is 22105.
std::string dotted(int version) {
  const int unit = version < 10'000 ? 1000 : 10'000;
  return std::to_string(version / unit) + "." + std::to_string(version % unit / 100) + "." + std::to_string(version % 100);
}

}  // namespace

Status CollectiveLibrary::open(const Driver& driver, const std::vector<std::string>& libraries, std::shared_ptr<CollectiveLibrary>* library) {
  const bool cuda = driver.vendor().vendor == Vendor::kCuda;
  const std::string remedy = cuda ? "Install NCCL: it comes with PyTorch; `apt-get install libnccl2` or `pip install nvidia-nccl-cu12`, or set "
                                    "AIBENCH_NCCL to the path of libnccl.so.2."
                                  : "Install RCCL: it comes with ROCm (`apt-get install rccl`), or set AIBENCH_RCCL to the path of librccl.so.1.";
  auto self = std::make_shared<CollectiveLibrary>();
  if (Status status = self->library_.open(libraries); !status.ok()) {
    status.remedy = remedy;
    return status;
  }
  const char* missing = nullptr;
  const auto take = [&](auto* target, const char* symbol) {
    *target = self->library_.function<std::remove_pointer_t<decltype(target)>>(symbol);
    if (*target == nullptr && missing == nullptr) missing = symbol;
  };
  CollectiveCalls& calls = self->calls_;
  take(&calls.version, "ncclGetVersion");
  take(&calls.init_all, "ncclCommInitAll");
  take(&calls.unique_id, "ncclGetUniqueId");
  take(&calls.init_rank, "ncclCommInitRank");
  take(&calls.destroy, "ncclCommDestroy");
  take(&calls.group_begin, "ncclGroupStart");
  take(&calls.group_end, "ncclGroupEnd");
  take(&calls.all_reduce, "ncclAllReduce");
  take(&calls.reduce_scatter, "ncclReduceScatter");
  take(&calls.all_gather, "ncclAllGather");
  take(&calls.broadcast, "ncclBroadcast");
  take(&calls.send, "ncclSend");
  take(&calls.receive, "ncclRecv");
  take(&calls.error_text, "ncclGetErrorString");
  if (missing != nullptr) return Status::failure("LIBRARY_UNSUPPORTED", self->path() + " has no " + missing, "Use NCCL 2.7 or newer. " + remedy);
  int version = 0;
  if (Status status = self->check("ncclGetVersion", calls.version(&version)); !status.ok()) return status;
  self->version_ = dotted(version);
  *library = std::move(self);
  return Status::success();
}

Status CollectiveLibrary::check(const char* name, int result) const {
  if (result == 0) return Status::success();
  const char* text = calls_.error_text == nullptr ? nullptr : calls_.error_text(result);
  return Status::failure("GPU_LIBRARY_FAILED",
                         std::string(name) + " failed: " + (text == nullptr ? "" : text) + " (" + std::to_string(result) + ")",
                         "Run again with NCCL_DEBUG=WARN in the environment; NCCL then says why.");
}

}  // namespace aibench::gpu
