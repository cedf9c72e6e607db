// No test by itself: test/integration/native-opencl.test.ts reads what it prints. One product of 1024^3 by CLBlast on the first device, timed by
// the host's clock until the queue is empty, and by the event that CLBlast gives.
#include <cstdio>
#include <memory>
#include <vector>

#include "core/clock.h"
#include "opencl/clblast.h"

using namespace aibench;
using namespace aibench::opencl;

namespace {

int fail(const Status& status) {
  std::fprintf(stderr, "%s\n", status.message.c_str());
  return 1;
}

}  // namespace

int main() {
  constexpr std::size_t kSide = 1024, kBytes = kSide * kSide * sizeof(float);
  const OpenclLibrary* library = nullptr;
  const Clblast* clblast = nullptr;
  DeviceInfo device;
  Status status = OpenclLibrary::open({"libOpenCL.so.1"}, &library);
  if (status.ok()) status = Clblast::open({"libclblast.so.1"}, &clblast);
  if (status.ok()) status = choose_device(*library, -1, &device);
  if (!status.ok()) return fail(status);
  Session session(*library, device);
  ClblastArguments product{"f32", kSide, kSide, kSide, nullptr, nullptr, nullptr};
  std::size_t workspace_bytes = 0;
  Memory workspace = nullptr;
  status = session.open(true);
  for (Memory* memory : {&product.a, &product.b, &product.c}) {
    if (status.ok()) status = session.allocate(kBytes, memory);
    if (status.ok()) status = session.write(*memory, 0, std::vector<float>(kSide * kSide, 0.5F).data(), kBytes);
  }
  if (status.ok()) status = clblast->workspace_bytes(product, session, &workspace_bytes);
  if (status.ok() && workspace_bytes > 0) status = session.allocate(workspace_bytes, &workspace);
  if (status.ok()) status = clblast->enqueue(product, workspace, session);  // compiles
  if (status.ok()) status = session.finish();
  Event event = nullptr;
  const double begin = monotonic_seconds();
  if (status.ok()) status = clblast->enqueue(product, workspace, session, &event);
  if (status.ok()) status = session.finish();
  const double wall = monotonic_seconds() - begin;
  if (!status.ok()) return fail(status);
  Ulong started = 0, ended = 0;
  status = call_status(library->clGetEventProfilingInfo(event, kProfilingStart, sizeof started, &started, nullptr), "clGetEventProfilingInfo");
  if (status.ok()) status = call_status(library->clGetEventProfilingInfo(event, kProfilingEnd, sizeof ended, &ended, nullptr), "clGetEventProfilingInfo");
  library->clReleaseEvent(event);
  if (!status.ok()) return fail(status);
  std::printf("{\"wallSeconds\":%.9g,\"eventSeconds\":%.9g,\"workspaceBytes\":%zu}\n", wall, static_cast<double>(ended - started) * 1e-9, workspace_bytes);
  return 0;
}
