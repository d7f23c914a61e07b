#include "trigger-runtime/host/worker.h"

#include <fmt/format.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/stat.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <deque>

#include "core/clock.h"
#include "core/log.h"
#include "trigger-runtime/host/child_process.h"
#include "trigger-runtime/host/input_memory.h"
#include "trigger-runtime/host/memory_file.h"
#include "trigger-runtime/host/reply_check.h"
#include "trigger-runtime/protocol/encoding.h"
#include "trigger-runtime/protocol/status_page.h"

namespace hastur {
namespace {

// Address space, of which a worker touches what its largest replies need. A judged state of 128 MiB
// fits.
constexpr std::size_t output_bytes = 256u << 20;
// Memory that a larger reply took is given back at once; smaller ones share pages that stay.
constexpr std::size_t reply_bytes_kept = 1u << 20;
// Enough that a worker never waits for the parent between two batches, and few enough that their
// notices always fit into a socket's buffer.
constexpr std::size_t in_flight_max = 32;
// What a worker writes to its standard error before it dies.
constexpr std::size_t last_words_bytes = 64u << 10;
constexpr std::size_t last_words_shown = 1000;

struct Parts {
  Fd control;
  MemoryFile output;
  Mapping output_mapping;
  MemoryFile last_words;
  ChildProcess process;
};

class WorkerProcess final : public Worker, private InputMemory::Waiter {
 public:
  WorkerProcess(InputMemory& inputs, const Options& options, Parts parts)
      : inputs_(inputs), options_(options), parts_(std::move(parts)), pid_(parts_.process.pid()) {}

  ~WorkerProcess() override {
    release();
    inputs_.serve_waiters();
  }

  pid_t pid() const override { return pid_; }
  int fd() const override { return parts_.control.get(); }
  std::size_t pending() const override { return waiting_.size() + in_flight_.size(); }

  void send(WorkerCommand command) override {
    if (is_over()) return;
    waiting_.push_back(std::move(command));
    flush();
  }

  void pump(const std::function<void(WorkerReply)>& reply,
            const std::function<void(WorkerDied)>& died) override {
    if (ended_) return;
    while (broken_.empty() && receive(reply)) continue;
    flush();
    inputs_.serve_waiters();
    tell_taken();
    if (!channel_closed_ && broken_.empty()) return;
    WorkerDied death = bury();
    inputs_.serve_waiters();
    died(std::move(death));
  }

  bool wait(Micros limit) override;
  std::optional<Micros> next_check(Micros now_monotonic) const override;
  void check_guards(Micros now_monotonic) override;

 private:
  struct InFlight {
    std::uint64_t number = 0;
    Region command;
    // Two owners: whoever dispatched it, and this until the worker has answered.
    std::shared_ptr<const InputBatch> input;
  };

  bool is_over() const { return ended_ || channel_closed_ || !broken_.empty(); }
  bool is_idle() const { return in_flight_.empty() && greeted_; }

  bool room_made() override;
  void flush();
  enum class Sent { yes, no_room, not_now };
  Sent send_first();
  bool send_notice(const ParentNotice& notice);
  void tell_taken();

  bool receive(const std::function<void(WorkerReply)>& reply);
  void take_notice(std::string_view bytes, const std::function<void(WorkerReply)>& reply);
  void greet(const Hello& hello);
  void take_reply(const ReplyNotice& notice, const std::function<void(WorkerReply)>& reply);
  Result<WorkerReply> read_reply(const ReplyNotice& notice);

  // Nothing that the worker says from here on is used.
  void break_with(std::string why);
  WorkerDied bury();
  void release();
  const StatusPage& status() const {
    return *reinterpret_cast<const StatusPage*>(parts_.output_mapping.data());
  }
  std::string last_words() const;

  InputMemory& inputs_;
  const Options options_;
  Parts parts_;
  const pid_t pid_;
  ReplyCheck check_;

  std::deque<WorkerCommand> waiting_;
  std::deque<InFlight> in_flight_;
  std::uint64_t last_number_ = 0;
  // The last reply that was copied, and the last of which the worker knows it.
  std::uint64_t taken_ = 0;
  std::uint64_t told_taken_ = 0;
  std::string scratch_;

  bool greeted_ = false;
  bool channel_closed_ = false;
  bool ended_ = false;
  // Why it was given up; empty while it is trusted.
  std::string broken_;
  // Why it was killed, if what it said before still counts, and whether a callback overran.
  std::string killed_for_;
  bool overran_ = false;

  // What the guard saw last: the turn, and the CPU time at which it was first seen.
  std::optional<Micros> guard_looked_;
  std::uint64_t guard_turn_ = 0;
  Micros guard_cpu_{0};
  // How long nothing has happened, by the guard's looks.
  Micros guard_silent_{0};
};

// ---- commands out ----

bool WorkerProcess::room_made() {
  if (is_over()) return true;
  while (!waiting_.empty() && greeted_ && in_flight_.size() < in_flight_max) {
    const Sent sent = send_first();
    if (sent == Sent::no_room) return false;
    if (sent == Sent::not_now) return true;
  }
  return true;
}

void WorkerProcess::flush() {
  // Not in line for room while something else holds it up.
  if (is_over() || waiting_.empty() || !greeted_ || in_flight_.size() >= in_flight_max) return;
  if (!inputs_.may_place(*this) || !room_made()) inputs_.wait(*this);
}

WorkerProcess::Sent WorkerProcess::send_first() {
  const WorkerCommand& command = waiting_.front();
  InFlight sending{last_number_ + 1, {}, nullptr};
  std::optional<PlacedInput> placed = PlacedInput{};
  std::size_t needed = 0;
  if (const auto* feed = std::get_if<FeedCommand>(&command)) {
    sending.input = feed->input;
    needed = feed->input->batch.body.size() + feed->input->stream_times.size() * 8;
    placed = inputs_.place_input(sending.input);
  }
  std::optional<Region> region;
  if (placed) {
    scratch_.clear();
    encode_command(scratch_, command, *placed);
    region = inputs_.place(scratch_);
  }
  const auto take_back = [&] {
    if (region) inputs_.give_back(*region);
    if (placed && sending.input) inputs_.give_back_input(sending.input);
  };
  if (!region) {
    take_back();
    needed += placed ? scratch_.size() : 0;
    if (needed + 4 * RegionAllocator::alignment <= inputs_.file().size()) return Sent::no_room;
    break_with(fmt::format("it was sent a command of {} bytes, but the input memory has only {}",
                           needed, inputs_.file().size()));
    return Sent::not_now;
  }
  sending.command = *region;
  if (!send_notice(CommandNotice{sending.number, *region, taken_})) {
    take_back();
    return Sent::not_now;
  }
  told_taken_ = taken_;
  check_.sent(command);
  last_number_ = sending.number;
  in_flight_.push_back(std::move(sending));
  waiting_.pop_front();
  return Sent::yes;
}

bool WorkerProcess::send_notice(const ParentNotice& notice) {
  const std::string bytes = encode_notice(notice);
  // A worker that is dead shows itself by its closed channel, at the next pump.
  return ::send(fd(), bytes.data(), bytes.size(), MSG_DONTWAIT | MSG_NOSIGNAL) >= 0;
}

// A worker that has answered everything needs no room; its next command tells it.
void WorkerProcess::tell_taken() {
  if (is_over() || in_flight_.empty() || told_taken_ == taken_) return;
  if (send_notice(TakenNotice{taken_})) told_taken_ = taken_;
}

// ---- replies in ----

bool WorkerProcess::receive(const std::function<void(WorkerReply)>& reply) {
  std::array<char, notice_bytes_max> packet{};
  const ssize_t bytes = recv(fd(), packet.data(), packet.size(), MSG_DONTWAIT | MSG_TRUNC);
  if (bytes < 0) {
    // A worker that died with commands unread resets the channel; what it had said still comes
    // after that.
    if (errno == EINTR || errno == ECONNRESET) return true;
    if (errno == EAGAIN) return false;
  }
  if (bytes <= 0) {
    channel_closed_ = true;
    return false;
  }
  if (static_cast<std::size_t>(bytes) > packet.size()) {
    break_with("it broke the protocol: a notice is too large");
    return false;
  }
  take_notice({packet.data(), static_cast<std::size_t>(bytes)}, reply);
  return true;
}

void WorkerProcess::take_notice(std::string_view bytes,
                                const std::function<void(WorkerReply)>& reply) {
  const Result<WorkerNotice> notice = decode_worker_notice(bytes);
  if (!notice) {
    break_with(fmt::format("it broke the protocol: {}", notice.error().message));
  } else if (const auto* hello = std::get_if<Hello>(&*notice)) {
    greet(*hello);
  } else {
    take_reply(std::get<ReplyNotice>(*notice), reply);
  }
}

void WorkerProcess::greet(const Hello& hello) {
  if (std::exchange(greeted_, true)) {
    return break_with("it broke the protocol: it said hello twice");
  }
  if (hello.version != protocol_version) {
    return break_with(
        fmt::format("it speaks version {} of the protocol, not {}: it is of another "
                    "build than this program",
                    hello.version, protocol_version));
  }
  if (hello.cage_missing.empty()) return;
  const std::string missing = fmt::format("{}", fmt::join(hello.cage_missing, "; "));
  const bool is_first = inputs_.first_cage_report(hello.cage_missing);
  if (options_.cage_required) {
    return break_with(
        fmt::format("its cage is incomplete, and sandbox is \"required\": {}", missing));
  }
  if (is_first) log_warn("workers run in an incomplete cage: {}", missing);
}

void WorkerProcess::take_reply(const ReplyNotice& notice,
                               const std::function<void(WorkerReply)>& reply) {
  Result<WorkerReply> said = read_reply(notice);
  if (said) {
    if (const Result<void> allowed = check_.answered(*said); !allowed) {
      return break_with(fmt::format("it broke the protocol: {}", allowed.error().message));
    }
  } else {
    return break_with(fmt::format("it broke the protocol: {}", said.error().message));
  }
  const InFlight answered = std::move(in_flight_.front());
  in_flight_.pop_front();
  inputs_.give_back(answered.command);
  if (answered.input) inputs_.give_back_input(answered.input);
  guard_looked_.reset();
  taken_ = notice.number;
  reply(std::move(*said));
}

Result<WorkerReply> WorkerProcess::read_reply(const ReplyNotice& notice) {
  if (!greeted_ || in_flight_.empty() || notice.number != in_flight_.front().number) {
    return fail(ErrorCode::corrupt, "it answered what nobody asked, or out of order");
  }
  const Region& region = notice.reply;
  const std::size_t size = parts_.output_mapping.size();
  if (region.offset < status_page_bytes || region.offset > size ||
      region.bytes > size - region.offset) {
    return fail(ErrorCode::corrupt, "its reply lies outside its memory");
  }
  // Copied before anything is looked at: the worker could change it meanwhile.
  const std::string copy(
      reinterpret_cast<const char*>(parts_.output_mapping.data()) + region.offset, region.bytes);
  if (region.bytes > reply_bytes_kept) parts_.output.discard(region.offset, region.bytes);
  return decode_reply(copy, check_.triggers_expected());
}

// ---- its end ----

void WorkerProcess::break_with(std::string why) {
  if (broken_.empty()) broken_ = std::move(why);
  parts_.process.kill();
}

WorkerDied WorkerProcess::bury() {
  ended_ = true;
  parts_.process.kill();
  // Nothing is written to its memory once it is reaped.
  const ChildProcess::End end = parts_.process.reap();
  WorkerDied death;
  death.why = !broken_.empty() ? broken_ : !killed_for_.empty() ? killed_for_ : end.text;
  death.cause = !broken_.empty()       ? WorkerDied::Cause::broke_protocol
                : overran_             ? WorkerDied::Cause::overran
                : !killed_for_.empty() ? WorkerDied::Cause::ended
                : end.by_own_fault     ? WorkerDied::Cause::crashed
                                       : WorkerDied::Cause::ended;
  if (const std::string words = last_words(); !words.empty()) {
    log_warn("the last words of worker {}: {}", pid_, words);
    death.why += "; its last words: " + words.substr(0, last_words_shown);
  }
  const StatusPage& page = status();
  const TriggerHandle handle{page.handle.load()};
  if (!in_flight_.empty() && check_.knows(handle)) {
    death.trigger = handle;
    if (const Sequence sequence{page.sequence.load()}; check_.under_way(sequence)) {
      death.sequence = sequence;
      const std::uint32_t callback = page.callback.load();
      if (callback != StatusPage::none) death.callback = callback;
    }
  }
  release();
  return death;
}

void WorkerProcess::release() {
  inputs_.stop_waiting(*this);
  for (const InFlight& sent : in_flight_) {
    inputs_.give_back(sent.command);
    if (sent.input) inputs_.give_back_input(sent.input);
  }
  in_flight_.clear();
  waiting_.clear();
}

std::string WorkerProcess::last_words() const {
  std::string words(last_words_bytes, '\0');
  const ssize_t bytes = pread(parts_.last_words.fd(), words.data(), words.size(), 0);
  words.resize(bytes > 0 ? static_cast<std::size_t>(bytes) : 0);
  words.resize(std::min(words.size(), words.find('\0')));
  while (!words.empty() && words.back() == '\n') words.pop_back();
  return words;
}

// ---- waiting and guarding ----

bool WorkerProcess::wait(Micros limit) {
  SystemClock clock;
  const Micros end = clock.monotonic() + limit;
  for (Micros now = clock.monotonic();; now = clock.monotonic()) {
    check_guards(now);
    if (ended_ || !broken_.empty()) return true;
    if (now > end) return false;
    const Micros until = std::min(end, next_check(now).value_or(end));
    const auto left =
        std::chrono::ceil<std::chrono::milliseconds>(std::max(until - now, Micros{0}));
    pollfd watched{fd(), POLLIN, 0};
    if (poll(&watched, 1, static_cast<int>(std::min<std::int64_t>(left.count(), 60'000))) > 0)
      return true;
  }
}

std::optional<Micros> WorkerProcess::next_check(Micros now_monotonic) const {
  if (is_over() || is_idle()) return std::nullopt;
  return guard_looked_.value_or(now_monotonic) + options_.callback_cpu_max / 4;
}

void WorkerProcess::check_guards(Micros now_monotonic) {
  if (is_over() || is_idle()) return;
  const std::optional<Micros> cpu = parts_.process.cpu();
  if (!cpu) return;
  const std::uint64_t turn = status().turn.load();
  const bool goes_on = guard_looked_ && turn == guard_turn_;
  const Micros since = now_monotonic - guard_looked_.value_or(now_monotonic);
  guard_looked_ = now_monotonic;
  if (!goes_on) {
    guard_turn_ = turn;
    guard_cpu_ = *cpu;
    guard_silent_ = Micros{0};
    return;
  }
  constexpr Micros look_max = std::chrono::seconds{1};
  guard_silent_ += std::min(since, look_max);
  if (!killed_for_.empty()) return;
  overran_ = *cpu - guard_cpu_ > options_.callback_cpu_max;
  if (overran_) {
    killed_for_ = fmt::format("it used more than {} of CPU in one callback",
                              format_span(options_.callback_cpu_max));
  } else if (guard_silent_ > options_.silent_max) {
    killed_for_ = fmt::format("it has not answered for {} and did nothing meanwhile",
                              format_span(options_.silent_max));
  } else {
    return;
  }
  parts_.process.kill();
}

}  // namespace

Result<std::unique_ptr<Worker>> Worker::spawn(SharedInputs& inputs, const Options& options) {
  auto& memory = static_cast<InputMemory&>(inputs);
  std::string binary = options.binary;
  if (binary.empty()) {
    Result<std::string> found = worker_binary_beside_us();
    if (!found) return fail(found.error());
    binary = std::move(*found);
  }
  int ends[2];
  if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) != 0) {
    return fail(ErrorCode::failed,
                fmt::format("cannot make a worker's control channel: {}", strerror(errno)));
  }
  Fd ours(ends[0]);
  const Fd theirs(ends[1]);
  auto output = MemoryFile::make("hastur-output", output_bytes);
  if (!output) return fail(output.error());
  auto mapping = output->map(MemoryFile::Access::read);
  if (!mapping) return fail(mapping.error());
  auto last_words = MemoryFile::make("hastur-last-words", last_words_bytes);
  if (!last_words) return fail(last_words.error());
  auto process = ChildProcess::start(
      binary, {theirs.get(), memory.file().fd(), output->fd(), last_words->fd()});
  if (!process) return fail(process.error());
  return std::unique_ptr<Worker>(std::make_unique<WorkerProcess>(
      memory, options,
      Parts{std::move(ours), std::move(*output), std::move(*mapping), std::move(*last_words),
            std::move(*process)}));
}

}  // namespace hastur
