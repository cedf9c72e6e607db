// Mailbox: every rank publishes its message and reduces everybody's by itself, in rank order, so that all ranks get the
// same bits. One exchange of cache lines and no barrier; a message of up to 56 bytes travels in the line of its flag.
#include <cstring>

#include "collective/algorithm.h"

namespace aibench {
namespace {

void run(Communicator& comm, int rank, const CollectiveCall& call) {
  const std::size_t per_message = MailboxSlot::kPayloadBytes / call.reduction.element_bytes;
  for (std::size_t at = 0; at < call.count; at += per_message) {
    const std::size_t count = call.count - at < per_message ? call.count - at : per_message;
    const bool in_line = call.bytes(count) <= MailboxSlot::kInlineBytes;
    const auto data = [in_line](MailboxSlot& slot) { return in_line ? slot.inline_data : slot.payload; };

    const std::uint32_t message = comm.next_message(rank);
    MailboxSlot& mine = comm.mailbox(rank, message);
    std::memcpy(data(mine), call.sent(rank, at), call.bytes(count));
    mine.flag.store(message, std::memory_order_release);

    char* out = call.received(rank, at);
    SpinWait spin = comm.spin(rank);
    const char* sum = nullptr;
    for (int other = 0; other < comm.ranks(); ++other) {
      MailboxSlot& slot = comm.mailbox(other, message);
      spin.until(slot.flag, message);
      if (sum == nullptr) {
        sum = data(slot);
      } else {
        call.reduction.combine(out, sum, data(slot), count);
        sum = out;
      }
    }
  }
}

}  // namespace

extern const CollectiveAlgorithm kAllreduceMailbox = {
    Collective::kAllreduce, "mailbox", false, run, [](int) -> std::size_t { return 0; },
    [](int ranks, int, double bytes) { return bytes * ranks * (ranks - 1); }};

}  // namespace aibench
