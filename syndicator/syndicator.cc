#include "syndicator/syndicator.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>
#include <utility>

#include "core/log.h"

namespace hastur {
namespace {

constexpr Micros expire_every = std::chrono::seconds{10};

}  // namespace

Syndicator::Syndicator(History& history, const Options& options, Time now)
    : history_(history),
      options_(options),
      numbering_(history, options.numbering, now),
      leases_(history, now),
      readers_(history, options.readers) {}

void Syndicator::take_request(const Peer& peer, const RequestFrame& frame, Time now) {
  std::visit([&](const auto& request) { take(peer, frame.id, request, now); }, frame.request);
}

void Syndicator::take(const Peer& peer, RequestId id, const PositionRequest&, Time now) {
  PositionReply position;
  position.stream = history_.stream();
  position.oldest = history_.oldest();
  position.last = history_.last();
  position.stream_time = history_.stream_time();
  position.counters = counters();
  if (const auto since = numbering_.failing_since()) {
    position.counters[PositionReply::history_failing_name] =
        static_cast<std::uint64_t>(std::max(now - *since, Micros{1}).count());
  }
  reply(peer, {id, std::move(position)});
}

void Syndicator::take(const Peer& peer, RequestId id, const ReadRequest& request, Time now) {
  readers_.open(peer, id, request, now,
                [this](const Peer& to, ReplyFrame frame) { reply(to, std::move(frame)); });
}

void Syndicator::take(const Peer& peer, RequestId id, const CreditRequest& request, Time now) {
  readers_.give_credit(peer, id, request.credit, now);
}

void Syndicator::take(const Peer& peer, RequestId id, const AppendRequest& request, Time now) {
  const auto refuse = [&](ErrorCode code, std::string why) {
    reply(peer, {id, RefusedReply{{code, std::move(why)}}});
  };
  if (numbering_.is_failing()) {
    return refuse(ErrorCode::unavailable,
                  fmt::format("derived messages cannot be appended now: {}; send them again",
                              numbering_.failure()->message));
  }
  if (request.messages.size() > options_.append_messages_max) {
    return refuse(ErrorCode::invalid,
                  fmt::format("an append has at most {} messages, not {}; send them in pieces",
                              options_.append_messages_max, request.messages.size()));
  }
  std::set<TriggerName> triggers;
  for (const DerivedMessage& message : request.messages) {
    if (!triggers.insert(message.trigger).second) continue;
    const auto held = leases_.check(message.trigger, request.owner, request.epoch);
    if (!held) return refuse(held.error().code, held.error().message);
  }
  for (const DerivedMessage& message : request.messages) numbering_.take_derived(message, now);
  waiting_.push_back({peer, id, {triggers.begin(), triggers.end()}});
}

void Syndicator::take(const Peer& peer, RequestId id, const LeaseRequest& request, Time now) {
  // Tried again with the next request if it cannot be written now: nothing else can be, then.
  if (request.stream == history_.stream()) {
    if (const auto skipped = numbering_.skip_behind(request.seen); !skipped)
      log_error("History was set back, and cannot go on behind it: {}", skipped.error().message);
  }
  const auto granted = leases_.grant(request, now);
  if (!granted) return reply(peer, {id, RefusedReply{granted.error()}});
  reply(peer, {id, LeaseReply{*granted, marks_of(request.names)}});
}

std::vector<AppendReply::Mark> Syndicator::marks_of(
    const std::vector<TriggerName>& triggers) const {
  std::vector<AppendReply::Mark> marks;
  for (const TriggerName& trigger : triggers) {
    const DerivedMark mark = numbering_.mark(trigger);
    marks.push_back({trigger, mark.run, mark.sequence, mark.ordinal});
  }
  return marks;
}

Syndicator::Turn Syndicator::turn(Time now, Micros monotonic, bool quiet) {
  Turn turn;
  numbering_.pass_time(now, monotonic, quiet);
  turn.published = numbering_.append(now);
  count("published_batches", turn.published.size());
  for (const Waiting& waiting : std::exchange(waiting_, {})) {
    if (numbering_.is_failing()) {
      // Some may have been appended all the same; sent again, they are recognised by their mark.
      reply(waiting.peer,
            {waiting.id, RefusedReply{{ErrorCode::unavailable, numbering_.failure()->message}}});
    } else {
      reply(waiting.peer, {waiting.id, AppendReply{marks_of(waiting.triggers)}});
    }
  }
  if (now - expired_at_ >= expire_every) {
    readers_.expire(now, [this](const Peer& to, ReplyFrame frame) { reply(to, std::move(frame)); });
    expired_at_ = now;
  }
  turn.replies = std::exchange(replies_, {});
  return turn;
}

Syndicator::Service Syndicator::serve(Time now) {
  Service service;
  service.more = readers_.step(now, [&](const Peer& to, ReplyFrame frame) {
    service.replies.push_back({to, std::move(frame)});
  });
  return service;
}

std::map<std::string, std::uint64_t> Syndicator::counters() const {
  std::map<std::string, std::uint64_t> counters = numbering_.counters();
  for (const auto& [name, count] : own_counters_) counters[name] += count;
  return counters;
}

}  // namespace hastur
