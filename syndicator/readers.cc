#include "syndicator/readers.h"

#include <fmt/format.h>

#include <algorithm>

namespace hastur {

void Readers::open(const Peer& peer, RequestId id, const ReadRequest& request, Time now,
                   const Send& send) {
  const Key key{peer, id};
  if (const auto before = readers_.find(key); before != readers_.end()) forget(before);
  const auto first = readers_.lower_bound(Key{peer, RequestId{0}});
  std::size_t of_peer = 0;
  for (auto at = first; at != readers_.end() && at->first.first == peer; ++at) ++of_peer;
  if (readers_.size() >= limits_.readers_max || of_peer >= limits_.peer_readers_max) {
    return send(peer,
                {id, RefusedReply{{ErrorCode::full,
                                   fmt::format("there are {} reads under way, {} of this "
                                               "connection; end some before beginning another",
                                               readers_.size(), of_peer)}}});
  }
  Reader reader;
  if (request.from) {
    reader.cursor = *request.from;
  } else if (request.from_time) {
    const auto found = history_.find(*request.from_time);
    if (!found) return send(peer, {id, RefusedReply{found.error()}});
    reader.cursor = *found;
  } else {
    reader.cursor = history_.oldest();
  }
  reader.cursor = std::max(reader.cursor, Sequence{1});
  reader.until = request.until;
  reader.names = request.names;
  reader.credit = std::min(request.credit, limits_.credit_max);
  reader.used_at = now;
  queue(key, readers_[key] = std::move(reader));
}

void Readers::give_credit(const Peer& peer, RequestId id, std::uint32_t credit, Time now) {
  const auto found = readers_.find({peer, id});
  // It may have come to its end while the credit was on its way.
  if (found == readers_.end()) return;
  if (credit == 0) {
    forget(found);
    return;
  }
  Reader& reader = found->second;
  reader.credit += std::min(credit, limits_.credit_max - reader.credit);
  reader.used_at = now;
  queue(found->first, reader);
}

void Readers::drop(const Peer& peer) {
  auto at = readers_.lower_bound(Key{peer, RequestId{0}});
  while (at != readers_.end() && at->first.first == peer) at = forget(at);
}

void Readers::queue(const Key& key, Reader& reader) {
  if (reader.queued || reader.credit == 0) return;
  reader.queued = true;
  turns_.push_back(key);
}

std::map<Readers::Key, Readers::Reader>::iterator Readers::forget(
    std::map<Key, Reader>::iterator reader) {
  if (reader->second.queued) std::erase(turns_, reader->first);
  return readers_.erase(reader);
}

bool Readers::step(Time now, const Send& send) {
  if (turns_.empty()) return false;
  const Key key = turns_.front();
  turns_.pop_front();
  const auto found = readers_.find(key);
  Reader& reader = found->second;
  reader.queued = false;
  reader.used_at = now;
  if (read_on(key, reader, send)) {
    queue(key, reader);
  } else {
    forget(found);
  }
  return !turns_.empty();
}

bool Readers::read_on(const Key& key, Reader& reader, const Send& send) {
  const auto end_at = [&](Sequence next) {
    send(key.first, {key.second, ReadEnd{next}});
    return false;
  };
  const auto refuse = [&](const Error& error) {
    send(key.first, {key.second, RefusedReply{error}});
    return false;
  };
  const auto is_over = [&] {
    return reader.cursor > history_.last() || (reader.until && reader.cursor > *reader.until);
  };
  if (is_over()) return end_at(reader.cursor);

  History::ReadLimits limits;
  limits.batches_max = std::min(reader.credit, limits_.turn_batches_max);
  limits.bytes_max = limits_.turn_bytes_max;
  limits.names = reader.names;
  auto batches = history_.read(reader.cursor, limits);
  if (!batches) return refuse(batches.error());
  if (batches->empty()) {
    if (const auto passed = pass_lost(key, reader, history_.last().next(), send); !passed) {
      return refuse(passed.error());
    }
    return end_at(reader.cursor);
  }
  for (Batch& batch : *batches) {
    if (reader.until && batch.header.first > *reader.until) {
      if (const auto passed = pass_lost(key, reader, reader.until->next(), send); !passed) {
        return refuse(passed.error());
      }
      return end_at(reader.cursor);
    }
    if (const auto passed = pass_lost(key, reader, batch.header.first, send); !passed) {
      return refuse(passed.error());
    }
    reader.cursor = batch.header.last().next();
    --reader.credit;
    send(key.first, {key.second, BatchReply{std::move(batch)}});
  }
  return is_over() ? end_at(reader.cursor) : true;
}

Result<void> Readers::pass_lost(const Key& key, Reader& reader, Sequence before, const Send& send) {
  if (before <= reader.cursor) return {};
  const Sequence last{before.value - 1};
  const auto ranges = history_.lost(reader.cursor, last);
  if (!ranges) return fail(ranges.error());
  // With names, what is neither sent nor lost has none of them; without, it is a hole that History
  // does not own up to.
  const auto pass = [&](Sequence up_to) {
    if (up_to >= reader.cursor && reader.names.empty()) {
      send(key.first, {key.second, LostReply{reader.cursor, up_to, "missing"}});
    }
    reader.cursor = std::max(reader.cursor, up_to.next());
  };
  for (const LostRange& range : *ranges) {
    if (range.last < reader.cursor || range.first > last) continue;
    if (range.first > reader.cursor) pass({range.first.value - 1});
    const Sequence range_last = std::min(range.last, last);
    send(key.first, {key.second, LostReply{reader.cursor, range_last, range.why}});
    reader.cursor = range_last.next();
  }
  if (reader.cursor <= last) pass(last);
  return {};
}

void Readers::expire(Time now, const Send& send) {
  for (auto at = readers_.begin(); at != readers_.end();) {
    const Reader& reader = at->second;
    if (reader.queued || now - reader.used_at < limits_.idle_max) {
      ++at;
      continue;
    }
    send(at->first.first,
         {at->first.second,
          RefusedReply{{ErrorCode::unavailable,
                        fmt::format("the read had no credit for {} and has ended; begin it anew",
                                    format_span(limits_.idle_max))}}});
    at = forget(at);
  }
}

}  // namespace hastur
