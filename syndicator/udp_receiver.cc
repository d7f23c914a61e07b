#include "syndicator/udp_receiver.h"

#include <fmt/format.h>
#include <netdb.h>
#include <netinet/in.h>
#include <pthread.h>
#include <sys/eventfd.h>
#include <sys/socket.h>

#include <array>
#include <cerrno>
#include <csignal>
#include <cstring>
#include <utility>
#include <vector>

#include "core/host_port.h"

namespace hastur {
namespace {

constexpr std::size_t datagram_bytes_max = 65'536;
constexpr unsigned datagrams_at_once = 64;
// How long a wait for datagrams lasts at most: so soon it sees that it is to stop, or that it was
// stopped.
constexpr Micros wait_max = std::chrono::milliseconds{100};

struct Address {
  sockaddr_storage bytes{};
  socklen_t size = 0;
  int family = 0;
};

Failure refuse(const std::string& address, std::string_view cause, std::string_view remedy) {
  return fail(ErrorCode::unavailable,
              fmt::format("cannot receive on UDP {}: {}; {}", address, cause, remedy));
}

Result<Address> resolve(const std::string& text) {
  constexpr std::string_view form = "an address looks like 127.0.0.1:8125 or [::1]:8125";
  const auto split = split_host_port(text);
  if (!split) return refuse(text, "there is no host and port", form);
  const std::string host = split->host == "*" ? "0.0.0.0" : split->host;
  const std::string port = std::to_string(split->port);
  addrinfo hints{};
  hints.ai_socktype = SOCK_DGRAM;
  hints.ai_flags = AI_NUMERICSERV;
  addrinfo* found = nullptr;
  const int failure = getaddrinfo(host.c_str(), port.c_str(), &hints, &found);
  if (failure != 0) return refuse(text, gai_strerror(failure), form);
  Address address;
  std::memcpy(&address.bytes, found->ai_addr, found->ai_addrlen);
  address.size = found->ai_addrlen;
  address.family = found->ai_family;
  freeaddrinfo(found);
  return address;
}

std::string bound_address(int fd) {
  sockaddr_storage bytes{};
  socklen_t size = sizeof bytes;
  std::array<char, 64> host{};
  std::array<char, 16> port{};
  if (getsockname(fd, reinterpret_cast<sockaddr*>(&bytes), &size) != 0) return {};
  if (getnameinfo(reinterpret_cast<sockaddr*>(&bytes), size, host.data(), host.size(), port.data(),
                  port.size(), NI_NUMERICHOST | NI_NUMERICSERV) != 0) {
    return {};
  }
  const char* form = bytes.ss_family == AF_INET6 ? "[{}]:{}" : "{}:{}";
  return fmt::format(fmt::runtime(form), host.data(), port.data());
}

int enlarge_buffer(int fd, int bytes) {
  // FORCE goes past net.core.rmem_max, for those who may.
  if (setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &bytes, sizeof bytes) != 0) {
    setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &bytes, sizeof bytes);
  }
  int given = 0;
  socklen_t size = sizeof given;
  getsockopt(fd, SOL_SOCKET, SO_RCVBUF, &given, &size);
  return given;
}

}  // namespace

// Where recvmmsg puts datagrams before they go into the ring.
class UdpReceiver::Slots {
 public:
  Slots() : bytes_(datagrams_at_once * datagram_bytes_max) {
    for (unsigned i = 0; i < datagrams_at_once; ++i) {
      parts_[i] = {bytes_.data() + i * datagram_bytes_max, datagram_bytes_max};
      messages_[i].msg_hdr.msg_iov = &parts_[i];
      messages_[i].msg_hdr.msg_iovlen = 1;
    }
  }
  int receive(int fd, int flags) {
    // recvmmsg writes the lengths back.
    for (unsigned i = 0; i < datagrams_at_once; ++i) {
      messages_[i].msg_hdr.msg_control = controls_[i].data();
      messages_[i].msg_hdr.msg_controllen = controls_[i].size();
    }
    return recvmmsg(fd, messages_.data(), datagrams_at_once, flags, nullptr);
  }
  std::string_view datagram(unsigned i) const {
    return {static_cast<const char*>(parts_[i].iov_base), messages_[i].msg_len};
  }
  // How many datagrams the kernel had dropped on this socket before this one.
  std::optional<std::uint32_t> overflow(unsigned i) {
    msghdr& head = messages_[i].msg_hdr;
    for (cmsghdr* at = CMSG_FIRSTHDR(&head); at != nullptr; at = CMSG_NXTHDR(&head, at)) {
      if (at->cmsg_level != SOL_SOCKET || at->cmsg_type != SO_RXQ_OVFL) continue;
      std::uint32_t dropped = 0;
      std::memcpy(&dropped, CMSG_DATA(at), sizeof dropped);
      return dropped;
    }
    return std::nullopt;
  }

 private:
  std::vector<char> bytes_;
  std::array<iovec, datagrams_at_once> parts_{};
  std::array<mmsghdr, datagrams_at_once> messages_{};
  struct alignas(cmsghdr) Control : std::array<char, CMSG_SPACE(sizeof(std::uint32_t))> {};
  std::array<Control, datagrams_at_once> controls_{};
};

Result<void> UdpReceiver::check_address(const std::string& address) {
  const auto resolved = resolve(address);
  return resolved ? Result<void>() : fail(resolved.error());
}

Result<std::unique_ptr<UdpReceiver>> UdpReceiver::open(const Options& options, Clock& clock) {
  const auto address = resolve(options.address);
  if (!address) return fail(address.error());
  Fd socket(::socket(address->family, SOCK_DGRAM | SOCK_CLOEXEC, 0));
  Fd wake(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));
  if (!socket.is_open() || !wake.is_open()) {
    return refuse(options.address, std::strerror(errno), "allow the process more open files");
  }
  const int on = 1;
  setsockopt(socket.get(), SOL_SOCKET, SO_RXQ_OVFL, &on, sizeof on);
  timeval wait{};
  wait.tv_usec = wait_max.count();
  setsockopt(socket.get(), SOL_SOCKET, SO_RCVTIMEO, &wait, sizeof wait);
  if (bind(socket.get(), reinterpret_cast<const sockaddr*>(&address->bytes), address->size) != 0) {
    std::string_view remedy = "use an address of this machine, such as 127.0.0.1:8125";
    if (errno == EADDRINUSE) {
      remedy =
          "another program has this port (a statsd?); stop it, or choose another with `udp` or "
          "--udp";
    } else if (errno == EACCES) {
      remedy = "ports below 1024 need privileges; choose a higher one with `udp` or --udp";
    }
    return refuse(options.address, std::strerror(errno), remedy);
  }
  return std::unique_ptr<UdpReceiver>(
      new UdpReceiver(options, clock, std::move(socket), std::move(wake)));
}

UdpReceiver::UdpReceiver(const Options& options, Clock& clock, Fd socket, Fd wake)
    : options_(options),
      clock_(clock),
      socket_(std::move(socket)),
      wake_(std::move(wake)),
      address_(bound_address(socket_.get())),
      kernel_buffer_bytes_(enlarge_buffer(socket_.get(), options.kernel_buffer_bytes)),
      ring_(options.ring_bytes) {
  // Signals are for the loop's thread.
  sigset_t all;
  sigset_t before;
  sigfillset(&all);
  pthread_sigmask(SIG_SETMASK, &all, &before);
  thread_ = std::thread([this] { run(); });
  pthread_sigmask(SIG_SETMASK, &before, nullptr);
}

UdpReceiver::~UdpReceiver() { stop(); }

void UdpReceiver::stop() {
  stopping_.store(true);
  if (thread_.joinable()) thread_.join();
}

void UdpReceiver::run() {
  Slots slots;
  Micros ran_at = clock_.monotonic();
  while (!stopping_.load()) receive(slots, MSG_WAITFORONE, ran_at);
  // A sender that never rests must not keep us.
  for (int i = 0; i < 1000 && receive(slots, MSG_DONTWAIT, ran_at); ++i) {
  }
}

bool UdpReceiver::receive(Slots& slots, int flags, Micros& ran_at) {
  const int count = slots.receive(socket_.get(), flags);
  const Micros monotonic = clock_.monotonic();
  const Time now = clock_.now();
  // A wait is short, so what is longer was no wait: the process was stopped, or the machine slept.
  const Micros stalled = monotonic - ran_at - wait_max;
  ran_at = monotonic;
  if (stalled > options_.stall_min) deaf_ += stalled;
  if (deaf_ > Micros{0} && ring_.push({std::nullopt, now, deaf_})) deaf_ = Micros{0};

  std::uint64_t refused = 0;
  for (int i = 0; i < count; ++i) {
    if (!ring_.push({slots.datagram(static_cast<unsigned>(i)), now, Micros{0}})) ++refused;
  }
  if (count > 0) {
    if (const auto overflow = slots.overflow(static_cast<unsigned>(count) - 1)) {
      // 32 bits that may go round.
      kernel_dropped_ += static_cast<std::uint32_t>(*overflow - overflow_seen_);
      overflow_seen_ = *overflow;
    }
  }
  if (refused > 0) ring_dropped_ += refused;
  if (ring_.publish()) wake();
  return count > 0;
}

void UdpReceiver::wake() {
  const std::uint64_t one = 1;
  // Only fails when it is awake already.
  [[maybe_unused]] const auto written = ::write(wake_.get(), &one, sizeof one);
}

void UdpReceiver::clear_wake() {
  std::uint64_t count = 0;
  [[maybe_unused]] const auto got = ::read(wake_.get(), &count, sizeof count);
}

}  // namespace hastur
