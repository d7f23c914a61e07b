#include "syndicator/client/connection.h"

#include <fmt/format.h>

#include <utility>

namespace hastur {
namespace {

// Frames taken before others on the loop have their turn.
constexpr int frames_at_once_max = 16;

ZmqSocket::Options subscriber_options(const SyndicatorConnection::Options& options) {
  ZmqSocket::Options made;
  made.receive_max = options.published_max;
  return made;
}

ZmqSocket::Options dealer_options() {
  ZmqSocket::Options made;
  // Without a bound, so that a send fails only for want of a connection. Credit bounds what is
  // received.
  made.send_max = 0;
  return made;
}

}  // namespace

SyndicatorConnection::SyndicatorConnection(ZmqContext& context, const Options& options, Calls calls)
    : calls_(std::move(calls)),
      subscriber_(context, ZmqKind::sub, subscriber_options(options)),
      dealer_(context, ZmqKind::dealer, dealer_options()) {}

SyndicatorConnection::~SyndicatorConnection() = default;

Result<std::unique_ptr<SyndicatorConnection>> SyndicatorConnection::open(Loop& loop,
                                                                         ZmqContext& context,
                                                                         const Options& options,
                                                                         Calls calls) {
  std::unique_ptr<SyndicatorConnection> made(
      new SyndicatorConnection(context, options, std::move(calls)));
  HASTUR_TRY(made->start(loop, context, options));
  return made;
}

Result<void> SyndicatorConnection::start(Loop& loop, ZmqContext& context, const Options& options) {
  // The watches come before the connecting, so that no event is missed.
  connection_watch_ = std::make_unique<ConnectionWatch>(
      loop, context, dealer_,
      ConnectionWatch::Calls{[this](const std::string&) {
                               connected_ = true;
                               if (calls_.connected) calls_.connected();
                             },
                             [this](const std::string&) {
                               if (!std::exchange(connected_, false)) return;
                               if (calls_.disconnected) calls_.disconnected();
                             }});
  dealer_watch_ = std::make_unique<SocketWatch>(loop, dealer_, [this] { take_replies(); });
  HASTUR_TRY(dealer_.connect(options.request));
  if (options.publish.empty()) return {};
  subscriber_watch_ =
      std::make_unique<SocketWatch>(loop, subscriber_, [this] { take_published(); });
  return subscriber_.connect(options.publish);
}

bool SyndicatorConnection::send(const RequestFrame& frame) {
  if (!connected_) return false;
  std::vector<std::string> parts = encode_request(frame);
  return dealer_.send(parts) == ZmqSocket::Sent::sent;
}

void SyndicatorConnection::take_published() {
  for (int i = 0; i < frames_at_once_max; ++i) {
    const auto parts = subscriber_.receive();
    if (!parts) return;
    Result<Batch> batch =
        parts->size() == 1 ? decode_frame(parts->front())
                           : fail(ErrorCode::invalid, "what was published has more than one part");
    if (batch) {
      if (calls_.published) calls_.published(std::move(*batch));
    } else if (calls_.garbage) {
      calls_.garbage(batch.error());
    }
  }
}

void SyndicatorConnection::take_replies() {
  for (int i = 0; i < frames_at_once_max; ++i) {
    const auto parts = dealer_.receive();
    if (!parts) return;
    Result<ReplyFrame> frame = decode_reply({parts->begin(), parts->end()});
    if (frame) {
      if (calls_.replied) calls_.replied(std::move(*frame));
    } else if (calls_.garbage) {
      calls_.garbage(frame.error());
    }
  }
}

}  // namespace hastur
