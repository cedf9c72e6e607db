#include <mutex>

#include "gemm/peers/cblas_peer.h"
#include "gemm/peers/libxsmm_peer.h"
#include "gemm/peers/onednn_peer.h"
#include "gemm/peers/peer.h"

namespace aibench {
namespace {

Status open_new(const std::string& name, std::shared_ptr<Peer>* peer) {
  if (name == "onednn") return open_onednn(peer);
  if (name == "libxsmm") return open_libxsmm(peer);
  for (const CblasLibrary& library : cblas_libraries()) {
    if (name == library.name) return open_cblas(library, peer);
  }
  std::string known = "native";
  for (const std::string& other : peer_names()) known += ", " + other;
  return Status::failure("BACKEND_UNKNOWN", "gemm has no backend \"" + name + "\"", "Choose one of: " + known + ".");
}

}  // namespace

std::vector<std::string> peer_names() {
  std::vector<std::string> names;
  for (const CblasLibrary& library : cblas_libraries()) names.push_back(library.name);
  names.push_back("onednn");
  names.push_back("libxsmm");
  return names;
}

Status open_peer(const std::string& name, std::shared_ptr<Peer>* peer) {
  static std::mutex mutex;
  // Never destroyed: a library whose threads still run must not be closed at exit.
  static auto* opened = new std::map<std::string, std::shared_ptr<Peer>>();
  const std::lock_guard<std::mutex> lock(mutex);
  std::shared_ptr<Peer>& entry = (*opened)[name];
  Status status = Status::success();
  if (entry == nullptr) status = open_new(name, &entry);
  if (status.ok()) *peer = entry;
  return status;
}

std::vector<PeerInfo> list_peers() {
  std::vector<PeerInfo> infos;
  for (const std::string& name : peer_names()) {
    std::shared_ptr<Peer> peer;
    const Status status = open_peer(name, &peer);
    if (status.ok()) {
      infos.push_back(peer->info());
    } else {
      PeerInfo info;
      info.name = name;
      info.reason = status.message;
      info.remedy = status.remedy;
      infos.push_back(info);
    }
  }
  return infos;
}

}  // namespace aibench
