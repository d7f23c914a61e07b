#pragma once

// The one wrapper of ZeroMQ: sockets that never block and never throw, on the event loop.
//
// A socket sends and receives whole multi-part messages. Its descriptor is edge-triggered in a
// peculiar way: it says that *something* has happened, and any call on the socket may use that word
// up. SocketWatch and ConnectionWatch hide this: they ask the socket itself after each use.

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/loop.h"
#include "core/result.h"

namespace hastur {

// Owns ZeroMQ's own threads. Outlives its sockets.
class ZmqContext {
 public:
  explicit ZmqContext(int io_threads = 1);
  ~ZmqContext();
  ZmqContext(const ZmqContext&) = delete;
  ZmqContext& operator=(const ZmqContext&) = delete;

 private:
  friend class ZmqSocket;
  // ZeroMQ's own handle.
  void* context_;
};

enum class ZmqKind : std::uint8_t { pub, sub, router, dealer, pair };

// Not thread-safe. What has not left when it is closed is dropped (linger 0).
class ZmqSocket {
 public:
  struct Options {
    // Whole messages that wait in the queues of one peer.
    int send_max = 1024;
    int receive_max = 1024;
    // A peer that sends a larger part is disconnected.
    std::int64_t part_bytes_max = 128 << 20;
  };
  ZmqSocket(ZmqContext& context, ZmqKind kind, const Options& options);
  ~ZmqSocket();
  ZmqSocket(const ZmqSocket&) = delete;
  ZmqSocket& operator=(const ZmqSocket&) = delete;

  // `address` as ZeroMQ writes it: "tcp://127.0.0.1:4944"; port 0 or "*" for any that is free.
  // Errors name the address, the cause and the way out.
  Result<void> bind(const std::string& address);
  // Goes on trying until the socket is closed; success does not mean that anybody is there. Nothing
  // is queued for a peer that is not: a DEALER's send would block.
  Result<void> connect(const std::string& address);
  // The address last bound, with the port that was chosen.
  std::string bound_address() const;

  enum class Sent : std::uint8_t {
    sent,
    // The peer's queue is full, or there is no peer (DEALER). Nothing of the message has left.
    would_block,
    // ROUTER only: nobody with this identity is connected any more.
    no_such_peer
  };
  // `parts` is consumed if it was sent, untouched otherwise. A PUB always sends: to subscribers
  // whose queue is full the message is lost.
  [[nodiscard]] Sent send(std::vector<std::string>& parts);

  // The parts of the next message, or nothing. From a ROUTER the first is the peer's identity.
  std::optional<std::vector<std::string>> receive();

 private:
  friend class SocketWatch;
  friend class ConnectionWatch;
  bool has_message();
  int descriptor() const;

  void* socket_;
  ZmqKind kind_;
  // Set by a SocketWatch: called after each use, which may have swallowed the descriptor's word.
  std::function<void()> used_;
};

// Calls as long as the socket has messages to receive. The loop and the socket outlive it; one a
// socket.
class SocketWatch {
 public:
  // `readable` receives some or all of what has come; for the rest it is called again after other
  // events of the loop had their turn.
  SocketWatch(Loop& loop, ZmqSocket& socket, std::function<void()> readable);
  ~SocketWatch();
  SocketWatch(const SocketWatch&) = delete;
  SocketWatch& operator=(const SocketWatch&) = delete;

  // While paused nothing is called; messages wait in the socket's queue, then at the peer.
  void pause();
  void resume();

 private:
  void check();
  void check_soon();

  Loop& loop_;
  ZmqSocket& socket_;
  std::function<void()> readable_;
  bool paused_ = false;
  std::unique_ptr<Loop::Handle> descriptor_;
  // While it lives a check is posted.
  std::unique_ptr<Loop::Handle> soon_;
};

// Tells when connections of a socket (made or accepted) come to stand and break. The loop and the
// socket outlive it.
class ConnectionWatch {
 public:
  struct Calls {
    // The handshake is over: what is sent now arrives while the connection stands.
    std::function<void(const std::string& address)> connected;
    std::function<void(const std::string& address)> disconnected;
  };
  ConnectionWatch(Loop& loop, ZmqContext& context, ZmqSocket& socket, Calls calls);
  ~ConnectionWatch();

 private:
  void take_events();

  ZmqSocket& watched_;
  Calls calls_;
  std::unique_ptr<ZmqSocket> events_;
  std::unique_ptr<SocketWatch> watch_;
};

// Whether a ZeroMQ address is reached from this machine only: loopback tcp, ipc, inproc.
bool is_loopback_address(std::string_view address);
// Whether it has the form of an address; of others it may be on any machine.
Result<void> check_peer_address(std::string_view address);
// Whether it is one that a daemon may use: of a form that ZeroMQ knows, and, since there are no
// CURVE keys to tell friend from foe, of this machine only. The error shows one that would do.
Result<void> check_address(std::string_view address);

}  // namespace hastur
