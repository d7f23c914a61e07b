#include "trigger-runtime/worker/channel.h"

#include <fmt/format.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <new>

#include "trigger-runtime/protocol/descriptors.h"

namespace hastur {
namespace {

Result<std::size_t> size_of(int descriptor) {
  struct stat status {};
  if (fstat(descriptor, &status) != 0 || status.st_size <= 0) {
    return fail(ErrorCode::invalid,
                "trigger-worker is started by supervisor and trigger-test, not by hand");
  }
  return static_cast<std::size_t>(status.st_size);
}

Result<std::byte*> map(int descriptor, std::size_t bytes, int protection) {
  void* data = mmap(nullptr, bytes, protection, MAP_SHARED, descriptor, 0);
  if (data == MAP_FAILED) {
    return fail(ErrorCode::failed,
                fmt::format("cannot map the memory shared with the parent: {}", strerror(errno)));
  }
  return static_cast<std::byte*>(data);
}

}  // namespace

Result<std::unique_ptr<Channel>> Channel::open() {
  const Result<std::size_t> input_bytes = size_of(inputs_descriptor);
  if (!input_bytes) return fail(input_bytes.error());
  const Result<std::size_t> output_bytes = size_of(output_descriptor);
  if (!output_bytes) return fail(output_bytes.error());
  const Result<std::byte*> inputs = map(inputs_descriptor, *input_bytes, PROT_READ);
  if (!inputs) return fail(inputs.error());
  const Result<std::byte*> output = map(output_descriptor, *output_bytes, PROT_READ | PROT_WRITE);
  if (!output) return fail(output.error());
  return std::unique_ptr<Channel>(
      new Channel({reinterpret_cast<const char*>(*inputs), *input_bytes}, *output, *output_bytes));
}

Channel::Channel(std::string_view inputs, std::byte* output, std::size_t output_bytes)
    : inputs_(inputs),
      output_(output),
      output_bytes_(output_bytes),
      status_(new (output) StatusPage) {}

Result<std::optional<Channel::Received>> Channel::receive() {
  while (commands_.empty()) {
    const Result<bool> open = receive_notice();
    if (!open) return fail(open.error());
    if (!*open) return std::optional<Received>();
  }
  const CommandNotice notice = commands_.front();
  commands_.pop_front();
  const auto bytes = input(notice.command);
  if (!bytes) return fail(ErrorCode::corrupt, "a command lies outside the input memory");
  Result<ReceivedCommand> command = decode_command(*bytes);
  if (!command) return fail(command.error());
  return std::optional<Received>(Received{notice.number, std::move(*command)});
}

// False when the parent has closed the channel.
Result<bool> Channel::receive_notice() {
  std::array<char, notice_bytes_max> packet{};
  ssize_t bytes = 0;
  do {
    bytes = recv(control_descriptor, packet.data(), packet.size(), 0);
  } while (bytes < 0 && errno == EINTR);
  if (bytes == 0 || (bytes < 0 && errno == ECONNRESET)) return false;
  if (bytes < 0) {
    return fail(ErrorCode::failed,
                fmt::format("cannot receive from the parent: {}", strerror(errno)));
  }
  const Result<ParentNotice> notice =
      decode_parent_notice({packet.data(), static_cast<std::size_t>(bytes)});
  if (!notice) return fail(notice.error());
  if (const auto* command = std::get_if<CommandNotice>(&*notice)) {
    HASTUR_TRY(forget_sent(command->taken));
    commands_.push_back(*command);
  } else {
    HASTUR_TRY(forget_sent(std::get<TakenNotice>(*notice).number));
  }
  return true;
}

Result<void> Channel::forget_sent(std::uint64_t taken) {
  if (taken > last_sent_)
    return fail(ErrorCode::corrupt, "the parent has taken a reply that was not sent");
  while (!sent_.empty() && sent_.front().number <= taken) sent_.pop_front();
  return {};
}

Result<void> Channel::reply(std::uint64_t number, const WorkerReply& reply) {
  scratch_.clear();
  encode_reply(scratch_, reply);
  if (scratch_.size() > output_bytes_ - status_page_bytes) {
    return fail(ErrorCode::full, fmt::format("a reply of {} bytes does not fit into the output "
                                             "memory of {}",
                                             scratch_.size(), output_bytes_));
  }
  std::optional<std::uint64_t> offset = room_for(scratch_.size());
  while (!offset) {
    const Result<bool> open = receive_notice();
    if (!open) return fail(open.error());
    if (!*open) return fail(ErrorCode::unavailable, "the parent has closed the channel");
    offset = room_for(scratch_.size());
  }
  std::memcpy(output_ + *offset, scratch_.data(), scratch_.size());
  const Region where{*offset, scratch_.size()};
  // A large reply's own memory would otherwise stay for good.
  if (scratch_.capacity() > (1u << 20)) scratch_ = {};
  sent_.push_back({number, where});
  last_sent_ = number;
  begin(StatusPage::none, 0, StatusPage::none);
  return send(ReplyNotice{number, where});
}

std::optional<std::uint64_t> Channel::room_for(std::uint64_t bytes) const {
  if (sent_.empty()) return status_page_bytes;
  const std::uint64_t oldest = sent_.front().where.offset;
  const std::uint64_t after = sent_.back().where.offset + sent_.back().where.bytes;
  if (after > oldest) {
    // The replies lie in one run: behind it, or before it.
    if (bytes <= output_bytes_ - after) return after;
    if (bytes < oldest - status_page_bytes) return status_page_bytes;
    return std::nullopt;
  }
  if (bytes < oldest - after) return after;
  return std::nullopt;
}

Result<void> Channel::say_hello(const Hello& hello) { return send(hello); }

Result<void> Channel::send(const WorkerNotice& notice) {
  const std::string bytes = encode_notice(notice);
  while (::send(control_descriptor, bytes.data(), bytes.size(), MSG_NOSIGNAL) < 0) {
    if (errno != EINTR) {
      return fail(ErrorCode::unavailable,
                  fmt::format("cannot send to the parent: {}", strerror(errno)));
    }
  }
  return {};
}

std::optional<std::string_view> Channel::input(const Region& region) const {
  if (region.offset > inputs_.size() || region.bytes > inputs_.size() - region.offset) {
    return std::nullopt;
  }
  return inputs_.substr(region.offset, region.bytes);
}

void Channel::begin(std::uint32_t handle, std::uint64_t sequence, std::uint32_t callback) {
  constexpr auto relaxed = std::memory_order_relaxed;
  status_->handle.store(handle, relaxed);
  status_->sequence.store(sequence, relaxed);
  status_->callback.store(callback, relaxed);
  status_->turn.store(status_->turn.load(relaxed) + 1, relaxed);
}

}  // namespace hastur
