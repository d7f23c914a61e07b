#include "syndicator/daemon.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "core/log.h"

namespace hastur {
namespace {

// What comes within this span of a turn waits for the next one: a commit costs as much as some
// thousand messages.
constexpr Micros turn_span = std::chrono::milliseconds{2};
// Of one turn: about what a turn's span brings at several times the highest rate aimed at.
constexpr int datagrams_max = 8192;
constexpr int core_messages_max = 1024;
constexpr int requests_max = 32;
// Ticks of idle seconds, retries of a failing History.
constexpr Micros clock_span = std::chrono::milliseconds{100};
constexpr Micros maintain_span = std::chrono::seconds{1};

ZmqSocket::Options publisher_options() {
  ZmqSocket::Options options;
  // Batches that wait for a slow subscriber, before it loses some and has to read them back.
  options.send_max = 128;
  return options;
}

ZmqSocket::Options router_options() {
  ZmqSocket::Options options;
  options.part_bytes_max = 16 << 20;
  // More than all credit that a connection may have.
  options.send_max = 64 * 1024;
  return options;
}

ZmqSocket::Options core_options() {
  ZmqSocket::Options options;
  options.receive_max = 100'000;
  options.part_bytes_max = 1 << 20;
  return options;
}

Syndicator::Options logic_options(const SyndicatorOptions& options) {
  Syndicator::Options made;
  made.numbering.uuid = options.uuid;
  return made;
}

}  // namespace

SyndicatorDaemon::SyndicatorDaemon(Loop& loop, SharedClock& clock, ZmqContext& context,
                                   History& history, const SyndicatorOptions& options)
    : loop_(loop),
      clock_(clock),
      history_(history),
      syndicator_(history, logic_options(options), clock.now()),
      publisher_(context, ZmqKind::pub, publisher_options()),
      router_(context, ZmqKind::router, router_options()),
      cores_counted_at_(clock.now()) {}

SyndicatorDaemon::~SyndicatorDaemon() = default;

Result<std::unique_ptr<SyndicatorDaemon>> SyndicatorDaemon::start(
    Loop& loop, SharedClock& clock, ZmqContext& context, History& history,
    const SyndicatorOptions& options) {
  std::unique_ptr<SyndicatorDaemon> made(
      new SyndicatorDaemon(loop, clock, context, history, options));
  HASTUR_TRY(made->open(context, options));
  return made;
}

Result<void> SyndicatorDaemon::open(ZmqContext& context, const SyndicatorOptions& options) {
  // The error already names the address; the key helps whoever has a hastur.toml.
  const auto of_key = [](std::string_view key, const Result<void>& result) -> Result<void> {
    if (result) return {};
    return fail(result.error().code, fmt::format("{} (`{}`)", result.error().message, key));
  };
  HASTUR_TRY(of_key("publish", publisher_.bind(options.publish)));
  HASTUR_TRY(of_key("request", router_.bind(options.request)));
  for (const std::string& address : options.core)
    HASTUR_TRY(of_key("core", open_core(context, address)));

  UdpReceiver::Options udp;
  udp.address = options.udp;
  udp.ring_bytes = options.receive_bytes_max;
  auto receiver = UdpReceiver::open(udp, clock_);
  if (!receiver) return fail(receiver.error());
  receiver_ = std::move(*receiver);

  router_watch_ = std::make_unique<SocketWatch>(loop_, router_, [this] { take_requests(); });
  wake_watch_ = loop_.watch_readable(receiver_->wake_fd(), [this] {
    receiver_->clear_wake();
    schedule();
  });
  clock_timer_ = loop_.every(clock_span, [this] { schedule(); });
  maintain_timer_ = loop_.every(maintain_span, [this] { maintain(); });
  schedule();
  return {};
}

Result<void> SyndicatorDaemon::open_core(ZmqContext& context, const std::string& address) {
  auto core = std::make_unique<Core>();
  core->address = address;
  core->socket = std::make_unique<ZmqSocket>(context, ZmqKind::sub, core_options());
  Core& of = *core;
  core->connection = std::make_unique<ConnectionWatch>(
      loop_, context, *core->socket,
      ConnectionWatch::Calls{
          [this, &of](const std::string&) {
            count_lost_cores(clock_.now());
            of.connected = true;
            log_info("subscribed to the Hastur core at {}", of.address);
          },
          [this, &of](const std::string&) {
            if (!of.connected) return;
            count_lost_cores(clock_.now());
            of.connected = false;
            log_warn(
                "the connection to the Hastur core at {} is lost; until it stands again every "
                "tick says that we are deaf",
                of.address);
          }});
  core->watch =
      std::make_unique<SocketWatch>(loop_, *core->socket, [this, &of] { take_core_messages(of); });
  HASTUR_TRY(core->socket->connect(address));
  cores_.push_back(std::move(core));
  return {};
}

void SyndicatorDaemon::schedule() {
  if (next_turn_ != nullptr) return;
  const Micros since = clock_.monotonic() - turned_at_;
  next_turn_ = loop_.after(std::max(Micros{0}, turn_span - since), [this] { turn(); });
}

void SyndicatorDaemon::turn() {
  next_turn_.reset();
  turned_at_ = clock_.monotonic();
  quiet_ = take_datagrams();
  const Time now = clock_.now();
  count_lost_cores(now);
  const Syndicator::Turn done = syndicator_.turn(now, clock_.monotonic(), quiet_);
  publish(done.published);
  for (const Syndicator::Reply& reply : done.replies) send(reply);
  if (!quiet_ || !receiver_->ring().wait()) schedule();
}

bool SyndicatorDaemon::take_datagrams() {
  DatagramRing& ring = receiver_->ring();
  for (int i = 0; i < datagrams_max; ++i) {
    const auto entry = ring.next();
    if (!entry) break;
    if (entry->deaf > Micros{0}) {
      log_warn("the process did not run for {}; it was deaf meanwhile", format_span(entry->deaf));
      syndicator_.add_deaf(entry->deaf);
    }
    if (entry->datagram) syndicator_.take_datagram(*entry->datagram, entry->received_at);
  }
  // They have been copied, into the batch or into nothing.
  ring.release();
  count_drops();
  return ring.is_empty();
}

void SyndicatorDaemon::count_drops() {
  const std::uint64_t kernel = receiver_->kernel_dropped();
  const std::uint64_t ring = receiver_->ring_dropped();
  syndicator_.add_lost("kernel_dropped", kernel - std::exchange(kernel_dropped_, kernel));
  syndicator_.add_lost("ring_dropped", ring - std::exchange(ring_dropped_, ring));
}

void SyndicatorDaemon::take_core_messages(Core& core) {
  const Time now = clock_.now();
  for (int i = 0; i < core_messages_max; ++i) {
    const auto parts = core.socket->receive();
    if (!parts) break;
    syndicator_.take_core_message(*parts, now);
  }
  schedule();
}

void SyndicatorDaemon::count_lost_cores(Time now) {
  const Micros span = now - std::exchange(cores_counted_at_, now);
  const bool all = std::ranges::all_of(cores_, [](const auto& core) { return core->connected; });
  if (!all) syndicator_.add_deaf(span);
}

void SyndicatorDaemon::take_requests() {
  const Time now = clock_.now();
  for (int i = 0; i < requests_max; ++i) {
    const auto parts = router_.receive();
    if (!parts) break;
    const Peer& peer = parts->front();
    const auto frame = decode_request({parts->begin() + 1, parts->end()});
    if (frame) {
      syndicator_.take_request(peer, *frame, now);
    } else {
      syndicator_.count("requests_refused");
      send({peer, {{0}, RefusedReply{frame.error()}}});
    }
  }
  schedule();
  if (!std::exchange(serving_, true)) loop_.post([this] { serve(); });
}

void SyndicatorDaemon::serve() {
  const Syndicator::Service service = syndicator_.serve(clock_.now());
  for (const Syndicator::Reply& reply : service.replies) send(reply);
  serving_ = service.more;
  if (service.more) loop_.post([this] { serve(); });
}

void SyndicatorDaemon::publish(const std::vector<Batch>& batches) {
  for (const Batch& batch : batches) {
    std::vector<std::string> parts;
    parts.push_back(encode_frame(batch));
    // A PUB never waits: whoever is slow reads back what it missed.
    if (publisher_.send(parts) != ZmqSocket::Sent::sent) syndicator_.count("publish_failed");
  }
}

void SyndicatorDaemon::send(const Syndicator::Reply& reply) {
  std::vector<std::string> parts = encode_reply(reply.frame);
  parts.insert(parts.begin(), reply.peer);
  switch (router_.send(parts)) {
    case ZmqSocket::Sent::sent:
      return;
    case ZmqSocket::Sent::would_block:
      // It asks and never reads. Its reads end, so that it does not wait for what was dropped here
      // in silence.
      syndicator_.count("replies_dropped");
      [[fallthrough]];
    case ZmqSocket::Sent::no_such_peer:
      syndicator_.take_disconnect(reply.peer);
  }
}

void SyndicatorDaemon::maintain() {
  const auto more = history_.maintain(clock_.now());
  if (!more) {
    log_warn("the History could not be tidied up, and goes on: {}", more.error().message);
  }
  // The next piece soon if nothing else wants the loop.
  const bool soon = more && *more && quiet_;
  maintain_timer_ = loop_.after(soon ? turn_span : maintain_span, [this] { maintain(); });
}

void SyndicatorDaemon::stop() {
  receiver_->stop();
  for (const auto& core : cores_) take_core_messages(*core);
  do {
    turn();
  } while (!quiet_);
  if (syndicator_.is_failing())
    log_error("what was held for the History is lost, it could not be written to the end");
}

}  // namespace hastur
