#include "syndicator/client/zmq.h"

#include <fmt/format.h>
#include <zmq.h>

#include <array>
#include <cerrno>
#include <charconv>
#include <cstring>
#include <utility>

#include "core/check.h"

namespace hastur {
namespace {

// Below this a copy is cheaper than handing the string's own block to ZeroMQ.
constexpr std::size_t handed_over_min = 4096;

// Any call may be broken off by a signal, and then wants to be made again.
template <class Call>
int again_if_interrupted(Call call) {
  int result = -1;
  do {
    result = call();
  } while (result < 0 && zmq_errno() == EINTR);
  return result;
}

void set(void* socket, int option, int value) {
  HASTUR_CHECK(zmq_setsockopt(socket, option, &value, sizeof value) == 0,
               "a ZeroMQ option is known");
}

int type_of(ZmqKind kind) {
  switch (kind) {
    case ZmqKind::pub:
      return ZMQ_PUB;
    case ZmqKind::sub:
      return ZMQ_SUB;
    case ZmqKind::router:
      return ZMQ_ROUTER;
    case ZmqKind::dealer:
      return ZMQ_DEALER;
    case ZmqKind::pair:
      return ZMQ_PAIR;
  }
  return ZMQ_PAIR;
}

Failure address_failure(std::string_view what, const std::string& address) {
  const int error = zmq_errno();
  std::string_view remedy = "check the address";
  if (error == EADDRINUSE) {
    remedy = "another program has this port; stop it, or choose another address";
  } else if (error == EINVAL || error == EPROTONOSUPPORT) {
    remedy = "addresses look like tcp://127.0.0.1:4944 or ipc:///run/hastur/request";
  } else if (error == ENODEV || error == EADDRNOTAVAIL) {
    remedy = "this machine has no such address; use one of its own, or 127.0.0.1";
  } else if (error == EACCES) {
    remedy = "ports below 1024 need privileges; choose a higher one";
  }
  return fail(error == EADDRINUSE ? ErrorCode::conflict : ErrorCode::unavailable,
              fmt::format("cannot {} {}: {}; {}", what, address, zmq_strerror(error), remedy));
}

// A message under way; closed, and so freed, whatever happens.
struct Part {
  Part() { zmq_msg_init(&message); }
  ~Part() { zmq_msg_close(&message); }
  Part(const Part&) = delete;
  Part& operator=(const Part&) = delete;
  zmq_msg_t message{};
};

// 0, or the error.
int send_part(void* socket, std::string& bytes, int flags) {
  Part part;
  std::string* handed = nullptr;
  if (bytes.size() >= handed_over_min) {
    // Deleted by ZeroMQ when the last peer has it.
    handed = new std::string(std::move(bytes));
    zmq_msg_init_data(
        &part.message, handed->data(), handed->size(),
        [](void*, void* owned) { delete static_cast<std::string*>(owned); }, handed);
  } else {
    HASTUR_CHECK(zmq_msg_init_size(&part.message, bytes.size()) == 0,
                 "there is memory for a message");
    std::memcpy(zmq_msg_data(&part.message), bytes.data(), bytes.size());
  }
  if (again_if_interrupted([&] { return zmq_msg_send(&part.message, socket, flags); }) >= 0)
    return 0;
  const int error = zmq_errno();
  // Not sent: the part is still ours, and its block goes back where it came from.
  if (handed != nullptr) bytes = *handed;
  return error;
}

}  // namespace

ZmqContext::ZmqContext(int io_threads) : context_(zmq_ctx_new()) {
  HASTUR_CHECK(context_ != nullptr, "ZeroMQ starts");
  zmq_ctx_set(context_, ZMQ_IO_THREADS, io_threads);
}

ZmqContext::~ZmqContext() {
  again_if_interrupted([this] { return zmq_ctx_term(context_); });
}

ZmqSocket::ZmqSocket(ZmqContext& context, ZmqKind kind, const Options& options)
    : socket_(zmq_socket(context.context_, type_of(kind))), kind_(kind) {
  HASTUR_CHECK(socket_ != nullptr, "there are fewer ZeroMQ sockets than its limit of 1023");
  set(socket_, ZMQ_LINGER, 0);
  set(socket_, ZMQ_SNDHWM, options.send_max);
  set(socket_, ZMQ_RCVHWM, options.receive_max);
  HASTUR_CHECK(zmq_setsockopt(socket_, ZMQ_MAXMSGSIZE, &options.part_bytes_max,
                              sizeof options.part_bytes_max) == 0,
               "a ZeroMQ option is known");
  if (kind == ZmqKind::pair) return;
  // ZeroMQ's own heartbeats would cut off a process that is merely stopped for a while; the
  // kernel's do not.
  set(socket_, ZMQ_TCP_KEEPALIVE, 1);
  set(socket_, ZMQ_TCP_KEEPALIVE_IDLE, 10);
  set(socket_, ZMQ_TCP_KEEPALIVE_INTVL, 5);
  set(socket_, ZMQ_TCP_KEEPALIVE_CNT, 3);
  set(socket_, ZMQ_RECONNECT_IVL, 100);
  set(socket_, ZMQ_RECONNECT_IVL_MAX, 2000);
  if (kind == ZmqKind::router) set(socket_, ZMQ_ROUTER_MANDATORY, 1);
  if (kind == ZmqKind::dealer) set(socket_, ZMQ_IMMEDIATE, 1);
  if (kind == ZmqKind::sub) zmq_setsockopt(socket_, ZMQ_SUBSCRIBE, "", 0);
}

ZmqSocket::~ZmqSocket() { zmq_close(socket_); }

Result<void> ZmqSocket::bind(const std::string& address) {
  if (zmq_bind(socket_, address.c_str()) != 0) return address_failure("listen on", address);
  return {};
}

Result<void> ZmqSocket::connect(const std::string& address) {
  if (zmq_connect(socket_, address.c_str()) != 0) return address_failure("connect to", address);
  return {};
}

std::string ZmqSocket::bound_address() const {
  std::array<char, 512> text{};
  std::size_t size = text.size();
  if (zmq_getsockopt(socket_, ZMQ_LAST_ENDPOINT, text.data(), &size) != 0) return {};
  return text.data();
}

ZmqSocket::Sent ZmqSocket::send(std::vector<std::string>& parts) {
  HASTUR_CHECK(!parts.empty(), "a message has a part");
  for (std::size_t i = 0; i < parts.size(); ++i) {
    const int flags = ZMQ_DONTWAIT | (i + 1 < parts.size() ? ZMQ_SNDMORE : 0);
    int error = send_part(socket_, parts[i], flags);
    if (error == EAGAIN && i == 0) {
      // A send does not always look for connections that have come meanwhile; being asked for its
      // events it does.
      has_message();
      error = send_part(socket_, parts[i], flags);
    }
    if (error == 0) continue;
    if (used_) used_();
    HASTUR_CHECK(i == 0, "only the first part of a message can be refused");
    if (error == EHOSTUNREACH) return Sent::no_such_peer;
    HASTUR_CHECK(error == EAGAIN, "a send only fails for want of room or of a peer");
    return Sent::would_block;
  }
  parts.clear();
  if (used_) used_();
  return Sent::sent;
}

std::optional<std::vector<std::string>> ZmqSocket::receive() {
  std::vector<std::string> parts;
  while (true) {
    Part part;
    if (again_if_interrupted([&] { return zmq_msg_recv(&part.message, socket_, ZMQ_DONTWAIT); }) <
        0) {
      HASTUR_CHECK(zmq_errno() == EAGAIN && parts.empty(), "a message comes whole or not at all");
      if (used_) used_();
      return std::nullopt;
    }
    parts.emplace_back(static_cast<const char*>(zmq_msg_data(&part.message)),
                       zmq_msg_size(&part.message));
    if (zmq_msg_more(&part.message) == 0) break;
  }
  if (used_) used_();
  return parts;
}

bool ZmqSocket::has_message() {
  int events = 0;
  std::size_t size = sizeof events;
  const int result =
      again_if_interrupted([&] { return zmq_getsockopt(socket_, ZMQ_EVENTS, &events, &size); });
  return result == 0 && (events & ZMQ_POLLIN) != 0;
}

int ZmqSocket::descriptor() const {
  int fd = -1;
  std::size_t size = sizeof fd;
  HASTUR_CHECK(zmq_getsockopt(socket_, ZMQ_FD, &fd, &size) == 0,
               "a ZeroMQ socket has a descriptor");
  return fd;
}

SocketWatch::SocketWatch(Loop& loop, ZmqSocket& socket, std::function<void()> readable)
    : loop_(loop), socket_(socket), readable_(std::move(readable)) {
  HASTUR_CHECK(!socket.used_, "a socket has one watch");
  socket_.used_ = [this] { check_soon(); };
  descriptor_ = loop_.watch_readable(socket_.descriptor(), [this] { check(); });
  // What came before the watch has used its word up.
  check_soon();
}

SocketWatch::~SocketWatch() { socket_.used_ = nullptr; }

void SocketWatch::pause() { paused_ = true; }

void SocketWatch::resume() {
  paused_ = false;
  check_soon();
}

void SocketWatch::check() {
  // Asking takes the word off the descriptor, so it is done when paused, too; resume() asks again.
  const bool has_message = socket_.has_message();
  if (!has_message || paused_) return;
  // What is left is not announced again: come back, after others had their turn.
  check_soon();
  readable_();
}

void SocketWatch::check_soon() {
  if (soon_ != nullptr || paused_) return;
  soon_ = loop_.after(Micros{0}, [this] {
    soon_.reset();
    check();
  });
}

ConnectionWatch::ConnectionWatch(Loop& loop, ZmqContext& context, ZmqSocket& socket, Calls calls)
    : watched_(socket), calls_(std::move(calls)) {
  const std::string address = fmt::format("inproc://connections-{}", fmt::ptr(this));
  constexpr int events = ZMQ_EVENT_HANDSHAKE_SUCCEEDED | ZMQ_EVENT_DISCONNECTED;
  HASTUR_CHECK(zmq_socket_monitor(watched_.socket_, address.c_str(), events) == 0,
               "a socket has one connection watch");
  ZmqSocket::Options options;
  options.receive_max = 0;
  events_ = std::make_unique<ZmqSocket>(context, ZmqKind::pair, options);
  HASTUR_CHECK(events_->connect(address).has_value(),
               "the monitor of a socket can be connected to");
  watch_ = std::make_unique<SocketWatch>(loop, *events_, [this] { take_events(); });
}

ConnectionWatch::~ConnectionWatch() { zmq_socket_monitor(watched_.socket_, nullptr, 0); }

void ConnectionWatch::take_events() {
  while (const auto parts = events_->receive()) {
    // ZeroMQ's form: u16 event and u32 value in this machine's order, then the address.
    if (parts->size() != 2 || parts->front().size() != 6) continue;
    std::uint16_t event = 0;
    std::memcpy(&event, parts->front().data(), sizeof event);
    const auto& call = event == ZMQ_EVENT_DISCONNECTED ? calls_.disconnected : calls_.connected;
    if (event == ZMQ_EVENT_MONITOR_STOPPED || !call) continue;
    call(parts->back());
  }
}

bool is_loopback_address(std::string_view address) {
  if (address.starts_with("ipc://") || address.starts_with("inproc://")) return true;
  if (!address.starts_with("tcp://")) return false;
  address.remove_prefix(6);
  const std::string_view host = address.substr(0, address.rfind(':'));
  // Whole 127.0.0.0/8, and only if it is an address: 127.example.com is a name.
  const bool numeric = host.find_first_not_of("0123456789.") == std::string_view::npos;
  return (host.starts_with("127.") && numeric) || host == "localhost" || host == "[::1]" ||
         host == "::1";
}

Result<void> check_peer_address(std::string_view address) {
  const bool tcp = address.starts_with("tcp://");
  const std::size_t colon = address.rfind(':');
  const std::string_view port = tcp ? address.substr(colon + 1) : std::string_view();
  std::uint16_t number = 0;
  const auto [end, status] = std::from_chars(port.data(), port.data() + port.size(), number);
  const bool port_is_right =
      !tcp || (colon > 5 && !port.empty() &&
               (port == "*" || (status == std::errc{} && end == port.data() + port.size())));
  const bool known = tcp || address.starts_with("ipc://") || address.starts_with("inproc://");
  if (!known || !port_is_right) {
    return fail(
        ErrorCode::invalid,
        fmt::format("'{}' is no ZeroMQ address; write it as tcp://127.0.0.1:4944", address));
  }
  return {};
}

Result<void> check_address(std::string_view address) {
  HASTUR_TRY(check_peer_address(address));
  if (!is_loopback_address(address)) {
    return fail(ErrorCode::invalid,
                fmt::format("'{}' is reached from other machines, and there are no CURVE keys to "
                            "tell friend from foe; use one of this machine only, such as "
                            "tcp://127.0.0.1:4944",
                            address));
  }
  return {};
}

}  // namespace hastur
