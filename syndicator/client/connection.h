#pragma once

// A client's connection to a syndicator: the published stream, and requests with their replies.
//
// It reconnects by itself for as long as it lives. What was asked for before `connected` is called
// is not answered any more; what was published while nothing was connected has to be read back
// (StreamFollower does).

#include <functional>
#include <memory>
#include <string>

#include "core/loop.h"
#include "core/result.h"
#include "message/batch.h"
#include "syndicator/client/protocol.h"
#include "syndicator/client/zmq.h"

namespace hastur {

class SyndicatorConnection {
 public:
  struct Options {
    // As in hastur.toml: "tcp://127.0.0.1:4945". Empty: only requests are made, nothing is
    // subscribed to.
    std::string publish;
    std::string request;
    // Published batches that wait to be received here; what is published while so many wait is lost
    // and read back.
    int published_max = 1024;
  };
  // Called on the loop's thread. None may destroy the connection.
  struct Calls {
    std::function<void(Batch)> published;
    std::function<void(ReplyFrame)> replied;
    // The request connection stands, for the first time or anew.
    std::function<void()> connected;
    // It broke. Not called before the first `connected`.
    std::function<void()> disconnected;
    // Something came that is no frame of ours; it is dropped. May be empty.
    std::function<void(const Error&)> garbage;
  };

  // Fails if an address is none. Success does not mean that a syndicator is there. The loop and the
  // context outlive the connection.
  static Result<std::unique_ptr<SyndicatorConnection>> open(Loop& loop, ZmqContext& context,
                                                            const Options& options, Calls calls);
  ~SyndicatorConnection();

  // False if nobody is connected; then it will not be sent later either, and `connected` is called
  // when there is. Requests that wait for the network have no bound of their own: ask only a
  // bounded number of things at a time.
  bool send(const RequestFrame& frame);

  bool is_connected() const { return connected_; }

 private:
  SyndicatorConnection(ZmqContext& context, const Options& options, Calls calls);
  Result<void> start(Loop& loop, ZmqContext& context, const Options& options);
  void take_published();
  void take_replies();

  Calls calls_;
  bool connected_ = false;
  ZmqSocket subscriber_;
  ZmqSocket dealer_;
  // Destroyed before the sockets that they watch.
  std::unique_ptr<SocketWatch> subscriber_watch_;
  std::unique_ptr<SocketWatch> dealer_watch_;
  std::unique_ptr<ConnectionWatch> connection_watch_;
};

}  // namespace hastur
