// A trigger-worker without a VM, for tests of the host. The script of the trigger that it loads is
// the name of what it does when it is fed; anything else is an honest worker with one effect a
// match.

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <iterator>
#include <map>
#include <random>
#include <string>

#include "message/msgpack.h"
#include "trigger-runtime/protocol/descriptors.h"
#include "trigger-runtime/protocol/status_page.h"
#include "trigger-runtime/worker/channel.h"

// The greeting of the worker that this is compiled as.
#ifndef FAKE_HELLO
#define FAKE_HELLO               \
  {                              \
    hastur::protocol_version, {} \
  }
#endif

namespace {

using namespace hastur;

// Ends the worker with the status of a program that found a fault of its own.
template <class T>
T must(Result<T> result) {
  if (!result) {
    std::fprintf(stderr, "%s\n", result.error().message.c_str());
    std::exit(1);
  }
  return std::move(*result);
}
void must(Result<void> result) {
  if (!result) std::exit(1);
}

void say(const std::string& packet) {
  static_cast<void>(send(control_descriptor, packet.data(), packet.size(), MSG_NOSIGNAL));
}

constexpr std::uint64_t raw_offset = 1u << 20;

// Writes a reply's bytes past the channel; where they are.
char* place_raw(const std::string& bytes) {
  void* memory = mmap(nullptr, raw_offset + bytes.size(), PROT_READ | PROT_WRITE, MAP_SHARED,
                      output_descriptor, 0);
  if (memory == MAP_FAILED) std::exit(1);
  std::memcpy(static_cast<char*>(memory) + raw_offset, bytes.data(), bytes.size());
  return static_cast<char*>(memory) + raw_offset;
}

// And tells of them.
void reply_raw(std::uint64_t number, const std::string& bytes) {
  place_raw(bytes);
  say(encode_notice(WorkerNotice{ReplyNotice{number, {raw_offset, bytes.size()}}}));
}

using Random = std::mt19937_64;

// Bytes changed, cut out, repeated; now and then a length or a sign at its extreme.
std::string mutated(std::string bytes, Random& random) {
  constexpr unsigned char extremes[] = {0x00, 0x01, 0x7F, 0x80, 0xFE, 0xFF};
  for (std::uint64_t left = random() % 4 + 1; left > 0 && !bytes.empty(); --left) {
    const std::size_t at = random() % bytes.size();
    const std::size_t length = std::min<std::size_t>(random() % 16 + 1, bytes.size() - at);
    switch (random() % 5) {
      case 0:
        bytes[at] = static_cast<char>(random());
        break;
      case 1:
        bytes[at] = static_cast<char>(bytes[at] ^ (1 << random() % 8));
        break;
      case 2:
        bytes[at] = static_cast<char>(extremes[random() % std::size(extremes)]);
        break;
      case 3:
        bytes.erase(at, length);
        break;
      default:
        bytes.insert(at, bytes.substr(at, length));
    }
  }
  return bytes;
}

// Answers with a reply or a notice that is a little wrong, and scribbles over what it has written
// while the parent reads it.
void reply_mutated(std::uint64_t number, const WorkerReply& honest, void* status, Random& random) {
  std::string bytes;
  encode_reply(bytes, honest);
  const bool in_notice = random() % 3 == 0;
  if (!in_notice) bytes = mutated(bytes, random);
  char* place = place_raw(bytes);
  std::string notice = encode_notice(WorkerNotice{ReplyNotice{number, {raw_offset, bytes.size()}}});
  if (in_notice) notice = mutated(notice, random);
  for (std::size_t i = 0; i < sizeof(StatusPage); ++i) {
    if (random() % 4 == 0) static_cast<char*>(status)[i] = static_cast<char>(random());
  }
  say(notice);
  for (int i = 0; i < 2000 && !bytes.empty(); ++i) {
    place[random() % bytes.size()] = static_cast<char>(random());
  }
}

// The first way to change the input memory that works; 0 if none does. Tried without a cage: the
// memory itself must refuse.
int way_to_tamper(const void* inputs) {
  constexpr std::size_t page = 4096;
  const std::uintptr_t place = reinterpret_cast<std::uintptr_t>(inputs) & ~(page - 1);
  if (mprotect(reinterpret_cast<void*>(place), page, PROT_READ | PROT_WRITE) == 0) return 11;
  const auto map = [](int descriptor) {
    return mmap(nullptr, page, PROT_READ | PROT_WRITE, MAP_SHARED, descriptor, 0) != MAP_FAILED;
  };
  if (map(inputs_descriptor)) return 12;
  if (pwrite(inputs_descriptor, "x", 1, 0) >= 0) return 13;
  if (ftruncate(inputs_descriptor, 0) == 0) return 14;
  if (ftruncate(inputs_descriptor, 1ll << 40) == 0) return 15;
  if (fallocate(inputs_descriptor, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, 0, page) == 0)
    return 16;
  const int again = open("/proc/self/fd/4", O_RDWR);
  if (again >= 0 && (map(again) || pwrite(again, "x", 1, 0) >= 0)) return 17;
  const int truncated = open("/proc/self/fd/4", O_RDWR | O_TRUNC);
  if (truncated >= 0) return 18;
  return 0;
}

class FakeWorker {
 public:
  void serve() {
    channel_ = must(Channel::open());
    must(channel_->say_hello(FAKE_HELLO));
    while (auto received = must(receive())) {
      number_ = received->number;
      std::visit([this](const auto& command) { answer(command); }, received->command);
    }
  }

 private:
  // Counts what wakes it and is no command.
  Result<std::optional<Channel::Received>> receive() {
    char packet[notice_bytes_max];
    const ssize_t bytes = recv(control_descriptor, packet, sizeof(packet), MSG_PEEK);
    const auto notice =
        decode_parent_notice({packet, static_cast<std::size_t>(std::max<ssize_t>(bytes, 0))});
    if (notice && !std::holds_alternative<CommandNotice>(*notice)) ++woken_for_nothing_;
    return channel_->receive();
  }

  void reply(const WorkerReply& reply) { must(channel_->reply(number_, reply)); }

  void answer(const LoadCommand& load) {
    const std::string& does = load.script.text;
    does_[load.handle.value] = does;
    if (does == "exits_at_load") std::exit(3);
    if (does == "fails_to_load") return reply(LoadFailed{load.handle, {"no", "a.lua", 1}});
    Loaded loaded{load.handle, {{0, {}, "{}", false, 1}}, 0, load.limits.state_bytes_max};
    if (does == "loads_another") loaded.handle.value += 1;
    if (does == "subscribes_with_garbage") loaded.subscriptions[0].filter = "{\"nmae\":1}";
    if (does == "asks_for_too_much_state") loaded.state_bytes_max = 1ull << 40;
    if (does == "migrates_unasked") loaded.migrated = "{}";
    if (does == "names_nothing") loaded.was = {""};
    reply(loaded);
  }

  void answer(const RestoreCommand& restore) { reply(Restored{restore.handle}); }
  void answer(const JudgeCommand& judge) {
    Memory memory{{reached_[judge.handle.value]}, time_from_us(0), "{}", "{}"};
    if (does_[judge.handle.value] == "judges_garbage") memory.state = "{";
    if (does_[judge.handle.value] == "judges_elsewhere") memory.sequence.value += 1;
    reply(Judged{judge.handle, memory, {}});
  }
  void answer(const UnloadCommand& unload) { reply(Unloaded{unload.handle}); }
  void answer(const ObserveCommand& observe) {
    const std::string& does = does_[observe.handle.value];
    std::string json = does == "observes_garbage" ? "{" : "{}";
    if (does == "counts_what_wakes_it")
      json = "{\"for_nothing\":" + std::to_string(woken_for_nothing_) + "}";
    reply(Observed{does == "observes_another" ? TriggerHandle{4711} : observe.handle, json});
  }
  void answer(const EvaluateCommand& evaluate) { reply(Evaluated{evaluate.script.text, {}}); }

  void answer(const PlacedFeed& feed) {
    FeedReply honest;
    for (const TriggerFeed& trigger : feed.triggers) honest.triggers.push_back(run(feed, trigger));
    for (const TriggerFeed& trigger : feed.triggers) {
      if (misbehaves(does_[trigger.handle.value], feed, honest)) return;
    }
    reply(honest);
  }

  TriggerProgress run(const PlacedFeed& feed, const TriggerFeed& trigger) {
    TriggerProgress progress;
    progress.handle = trigger.handle;
    const Sequence first = feed.input.header.first;
    progress.reached = {first.value + trigger.end_row - 1};
    reached_[trigger.handle.value] = progress.reached.value;
    const auto times = channel_->input(feed.input.stream_times);
    for (const Match& match : trigger.matches) {
      std::int64_t time = 0;
      std::memcpy(&time, times->data() + match.row * sizeof(time), sizeof(time));
      progress.effects.push_back(
          {first.plus(match.row), 0, time_from_us(time), EffectKind::log, 1, "{\"text\":\"hi\"}"});
    }
    progress.judged = Memory{progress.reached, progress.effects.back().time, "{}", "{}"};
    return progress;
  }

  // True if it has answered in its own way. The feeds of these tests have a match in every row.
  bool misbehaves(const std::string& does, const PlacedFeed& feed, FeedReply honest) {
    TriggerProgress& progress = honest.triggers.front();
    Effect& first = progress.effects.front();
    Effect& last = progress.effects.back();
    channel_->begin(progress.handle.value, feed.input.header.first.value, 5);
    if (does == "exits") std::exit(3);
    if (does == "aborts") {
      std::fprintf(stderr, "the ground is gone\n");
      std::abort();
    }
    if (does == "spins") {
      while (getpid() != 0) continue;
    }
    if (does == "sleeps") pause();
    if (does.starts_with("mutates ")) {
      Random random(std::stoull(does.substr(8)));
      void* status = mmap(nullptr, status_page_bytes, PROT_READ | PROT_WRITE, MAP_SHARED,
                          output_descriptor, 0);
      reply_mutated(number_, WorkerReply(honest), status, random);
      return true;
    }
    if (does == "tampers_with_its_inputs") {
      const int way = way_to_tamper(channel_->input(feed.input.body)->data());
      if (way != 0) std::exit(way);
    }
    if (does == "writes_its_inputs") {
      const_cast<char&>(channel_->input(feed.input.body)->front()) = 'x';
    }
    if (does == "closes_its_channel") {
      close(control_descriptor);
      pause();
    }
    if (does == "says_garbage") say("garbage");
    if (does == "says_too_much") say(std::string(notice_bytes_max + 1, 'x'));
    if (does == "says_nothing_at_all") say("");
    if (does == "says_hello_again") say(encode_notice(WorkerNotice{Hello{}}));
    if (does == "points_outside") {
      say(encode_notice(WorkerNotice{ReplyNotice{number_, {UINT64_MAX - 3, 8}}}));
    }
    if (does == "points_at_its_status") {
      say(encode_notice(WorkerNotice{ReplyNotice{number_, {0, 64}}}));
    }
    if (does == "answers_the_next") number_ += 1;
    if (does == "answers_twice") reply(honest);
    if (does == "replies_garbage") reply_raw(number_, std::string(1000, '\x93'));
    if (does == "counts_too_high") reply_raw(number_, std::string("\x04\xDD\xFF\xFF\xFF\xFF", 6));
    if (does == "speaks_for_another") progress.handle.value += 1;
    if (does == "leaves_one_out") honest.triggers.pop_back();
    if (does == "speaks_of_the_past") first.sequence.value -= 1;
    if (does == "speaks_of_the_future") last.sequence.value += 1;
    if (does == "overreaches") progress.reached.value += 1;
    if (does == "lies_about_time") first.time += Micros{1};
    if (does == "repeats_an_ordinal") progress.effects.insert(progress.effects.begin(), first);
    if (does == "reorders") std::swap(first, last);
    if (does == "pays_in_garbage") last.payload = "{\"text\":}";
    if (does == "pays_in_no_object") last.payload = "[]";
    if (does == "pays_too_much") last.payload = "{\"a\":\"" + std::string(4u << 20, 'x') + "\"}";
    if (does == "derives_too_deep") {
      last.kind = EffectKind::message;
      last.depth = 9;
    }
    if (does == "judges_the_future") progress.judged->sequence.value += 1;
    if (does == "judges_no_state") progress.judged->state = "null";
    if (does == "errs_elsewhere") {
      progress.errors.push_back({CallError::Kind::raised, {1}, first.time, 0, {}});
    }
    if (does == "stops_elsewhere") {
      progress.stopped = Stopped{{CallError::Kind::raised, {1}, first.time, 0, {}}};
    }
    if (does == "stops_where_it_skips") {
      const Effect at = first;
      progress.effects.clear();
      progress.judged.reset();
      progress.reached = {at.sequence.value - 1};
      progress.stopped = Stopped{{CallError::Kind::raised, at.sequence, at.time, 3, {}}};
      reply(honest);
      return true;
    }
    if (does == "unloads_instead") {
      reply(Unloaded{progress.handle});
      return true;
    }
    if (does == "replies_at_length")
      last.payload = "{\"a\":\"" + std::string(1u << 20, 'x') + "\"}";
    if (does == "replies_at_great_length") {
      for (Effect& effect : progress.effects)
        effect.payload = "{\"a\":\"" + std::string(1u << 20, 'x') + "\"}";
    }
    reply(honest);
    return true;
  }

  std::unique_ptr<Channel> channel_;
  std::uint64_t number_ = 0;
  std::uint64_t woken_for_nothing_ = 0;
  std::map<std::uint32_t, std::string> does_;
  std::map<std::uint32_t, std::uint64_t> reached_;
};

}  // namespace

int main() {
  FakeWorker().serve();
  return 0;
}
