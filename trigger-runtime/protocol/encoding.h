#pragma once

// How commands and replies stand in memory that parent and worker share, and the notices that tell
// where.
//
// The control channel (SOCK_SEQPACKET) carries notices only: a number and a region. Commands lie in
// the input memory, which workers can only read; replies in the worker's output memory. A
// FeedCommand names its batch by region, so that one copy serves every worker. Everything is
// MessagePack (message/msgpack.h) in arrays of a fixed order; parent and worker are of one build,
// which the hello's version checks.
//
// What a worker wrote is hostile. Decoding never reads past the bytes, never reserves more than
// they can hold, and answers garbage with an error; whether a well-formed reply is also allowed is
// for host/reply_check.h.

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "core/result.h"
#include "trigger-runtime/protocol/commands.h"

namespace hastur {

// Goes up with every change of what stands below.
inline constexpr std::uint32_t protocol_version = 8;

// A place in a memory file.
struct Region {
  std::uint64_t offset = 0;
  std::uint64_t bytes = 0;
  friend bool operator==(const Region&, const Region&) = default;
};

// ---- notices ----

// No notice is larger; what is longer on the wire is garbage.
inline constexpr std::size_t notice_bytes_max = 16 * 1024;

// Parent to worker: a command is ready. Numbers count up from 1.
struct CommandNotice {
  std::uint64_t number = 0;
  Region command;
  // As TakenNotice, which would wake an idle worker for nothing; 0: none was taken yet.
  std::uint64_t taken = 0;
  friend bool operator==(const CommandNotice&, const CommandNotice&) = default;
};
// Parent to worker: the replies up to that number have been copied, their memory may be used again.
// Sent only to a worker that has commands left to answer and could wait for room.
struct TakenNotice {
  std::uint64_t number = 0;
  friend bool operator==(const TakenNotice&, const TakenNotice&) = default;
};
using ParentNotice = std::variant<CommandNotice, TakenNotice>;

// Worker to parent, once, before anything else.
struct Hello {
  std::uint32_t version = protocol_version;
  // What of the cage could not be had, a sentence each.
  std::vector<std::string> cage_missing;
  friend bool operator==(const Hello&, const Hello&) = default;
};
// Worker to parent: the reply to the command of that number. In order of the commands.
struct ReplyNotice {
  std::uint64_t number = 0;
  Region reply;
  friend bool operator==(const ReplyNotice&, const ReplyNotice&) = default;
};
using WorkerNotice = std::variant<Hello, ReplyNotice>;

std::string encode_notice(const ParentNotice& notice);
std::string encode_notice(const WorkerNotice& notice);
Result<ParentNotice> decode_parent_notice(std::string_view bytes);
Result<WorkerNotice> decode_worker_notice(std::string_view bytes);

// ---- commands ----

// A batch that lies in the input memory.
struct PlacedInput {
  BatchHeader header;
  Region body;
  // header.count numbers of 8 bytes, as InputBatch has them.
  Region stream_times;
  friend bool operator==(const PlacedInput&, const PlacedInput&) = default;
};
struct PlacedFeed {
  PlacedInput input;
  std::vector<TriggerFeed> triggers;
  Micros slice{0};
  std::uint64_t instructions_slice = 0;
};
// A WorkerCommand as the worker receives it.
using ReceivedCommand = std::variant<LoadCommand, RestoreCommand, PlacedFeed, JudgeCommand,
                                     UnloadCommand, ObserveCommand, EvaluateCommand>;

// Appends. `input` says where a FeedCommand's batch lies; not read for other commands.
void encode_command(std::string& out, const WorkerCommand& command, const PlacedInput& input);
Result<ReceivedCommand> decode_command(std::string_view bytes);

// ---- replies ----

// More effects in one reply are taken for garbage: a reply's memory stays bounded, whatever it
// claims.
inline constexpr std::uint32_t reply_effects_max = 1u << 22;
inline constexpr std::uint32_t subscriptions_max = 10'000;
inline constexpr std::uint32_t former_names_max = 100;
inline constexpr std::uint32_t helpers_max = 100;

// Appends.
void encode_reply(std::string& out, const WorkerReply& reply);
// `triggers_max`: how many triggers the command spoke of.
Result<WorkerReply> decode_reply(std::string_view bytes, std::size_t triggers_max);

}  // namespace hastur
