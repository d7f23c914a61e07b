#include "trigger-runtime/protocol/encoding.h"
#include "trigger-runtime/protocol/memory_encoding.h"

namespace hastur {
namespace {

// The first field of a notice.
enum class NoticeKind : std::uint8_t { command = 1, taken = 2, hello = 3, reply = 4 };

// A cage has about ten parts; a hello that lacks more is none.
constexpr std::uint32_t cage_missing_max = 64;

void begin(MsgpackWriter& out, NoticeKind kind, std::uint32_t fields) {
  out.array(1 + fields);
  out.unsigned_integer(static_cast<std::uint8_t>(kind));
}

Failure not_a_notice() {
  return fail(ErrorCode::corrupt, "what came over the control channel is not a notice");
}

}  // namespace

std::string encode_notice(const ParentNotice& notice) {
  std::string bytes;
  MsgpackWriter out(bytes);
  if (const auto* command = std::get_if<CommandNotice>(&notice)) {
    begin(out, NoticeKind::command, 4);
    out.unsigned_integer(command->number);
    put_region(out, command->command);
    out.unsigned_integer(command->taken);
  } else {
    begin(out, NoticeKind::taken, 1);
    out.unsigned_integer(std::get<TakenNotice>(notice).number);
  }
  return bytes;
}

std::string encode_notice(const WorkerNotice& notice) {
  std::string bytes;
  MsgpackWriter out(bytes);
  if (const auto* hello = std::get_if<Hello>(&notice)) {
    begin(out, NoticeKind::hello, 2);
    out.unsigned_integer(hello->version);
    out.array(static_cast<std::uint32_t>(hello->cage_missing.size()));
    for (const std::string& missing : hello->cage_missing) out.bytes(missing);
  } else {
    const auto& reply = std::get<ReplyNotice>(notice);
    begin(out, NoticeKind::reply, 3);
    out.unsigned_integer(reply.number);
    put_region(out, reply.reply);
  }
  return bytes;
}

Result<ParentNotice> decode_parent_notice(std::string_view bytes) {
  FieldReader in(bytes);
  const std::uint32_t fields = in.array();
  const auto kind = static_cast<NoticeKind>(in.u32(255));
  if (kind == NoticeKind::command && fields == 5) {
    CommandNotice command;
    command.number = in.u64();
    command.command = take_region(in);
    command.taken = in.u64();
    if (in.done()) return ParentNotice{command};
  } else if (kind == NoticeKind::taken && fields == 2) {
    const TakenNotice taken{in.u64()};
    if (in.done()) return ParentNotice{taken};
  }
  return not_a_notice();
}

Result<WorkerNotice> decode_worker_notice(std::string_view bytes) {
  FieldReader in(bytes);
  const std::uint32_t fields = in.array();
  const auto kind = static_cast<NoticeKind>(in.u32(255));
  if (kind == NoticeKind::hello && fields == 3) {
    Hello hello;
    hello.version = in.u32();
    const std::uint32_t count = in.array(cage_missing_max);
    for (std::uint32_t i = 0; i < count && in.ok(); ++i) hello.cage_missing.push_back(in.text());
    if (in.done()) return WorkerNotice{std::move(hello)};
  } else if (kind == NoticeKind::reply && fields == 4) {
    ReplyNotice reply;
    reply.number = in.u64();
    reply.reply = take_region(in);
    if (in.done()) return WorkerNotice{reply};
  }
  return not_a_notice();
}

}  // namespace hastur
