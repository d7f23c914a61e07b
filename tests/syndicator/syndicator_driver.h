#pragma once

// A Syndicator over a History in memory, on a clock moved by hand, and what came out of it.

#include <gtest/gtest.h>

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "core/clock.h"
#include "core/json.h"
#include "message/json_codec.h"
#include "syndicator/syndicator.h"
#include "tests/syndicator/faulty_history.h"

namespace hastur {

inline constexpr std::string_view test_uuid = "00000000-0000-0000-0000-000000000001";

class SyndicatorDriver {
 public:
  explicit SyndicatorDriver(Syndicator::Options options = {})
      : clock(time_from_us(1'704'067'200'000'000)),
        history(StreamId{{42}}),
        options_(std::move(options)) {
    if (options_.numbering.uuid.empty()) options_.numbering.uuid = test_uuid;
    restart();
  }

  // As after a crash: what had not been appended is gone.
  void restart() {
    syndicator.reset();
    syndicator.emplace(history, options_, clock.now());
    turn();
  }
  void hears(std::string_view datagram) { syndicator->take_datagram(datagram, clock.now()); }
  void asks(const Peer& peer, std::uint64_t id, Request request) {
    syndicator->take_request(peer, {{id}, std::move(request)}, clock.now());
  }
  void turn(bool quiet = true) {
    take(syndicator->turn(clock.now(), clock.monotonic(), quiet));
    for (bool more = true; more;) {
      Syndicator::Service service = syndicator->serve(clock.now());
      for (auto& reply : service.replies) replies.push_back(std::move(reply));
      more = service.more;
    }
  }
  // In turns of a tenth of a second.
  void passes(Micros span) {
    for (const Time end = clock.now() + span; clock.now() < end;) {
      clock.advance(std::min<Micros>(std::chrono::milliseconds{100}, end - clock.now()));
      turn();
    }
  }

  // The newest reply to this request.
  template <class Kind>
  std::optional<Kind> reply(const Peer& peer, std::uint64_t id) const {
    for (auto at = replies.rbegin(); at != replies.rend(); ++at) {
      if (at->peer != peer || at->frame.id != RequestId{id}) continue;
      if (const auto* kind = std::get_if<Kind>(&at->frame.reply)) return *kind;
      return std::nullopt;
    }
    return std::nullopt;
  }

  // Every message of the stream as JSON, with its sequence, as History has it.
  std::vector<Json> stream() {
    std::vector<Json> messages;
    for (Sequence from{1}; from <= history.last();) {
      const auto batches = history.read(from, {});
      EXPECT_TRUE(batches && !batches->empty());
      if (!batches || batches->empty()) break;
      for (const Batch& batch : *batches) {
        append_messages(messages, batch);
        from = batch.header.last().next();
      }
    }
    return messages;
  }
  // The same without ticks.
  std::vector<Json> messages() {
    std::vector<Json> all = stream();
    std::erase_if(all, [](const Json& message) { return message["type"] == "tick"; });
    return all;
  }
  std::vector<Json> ticks() {
    std::vector<Json> all = stream();
    std::erase_if(all, [](const Json& message) { return message["type"] != "tick"; });
    return all;
  }
  std::uint64_t counter(const std::string& name) const {
    const auto counters = syndicator->counters();
    const auto found = counters.find(name);
    return found == counters.end() ? 0 : found->second;
  }

  static void append_messages(std::vector<Json>& messages, const Batch& batch) {
    const auto view = BatchView::open(batch.header, batch.body);
    ASSERT_TRUE(view) << view.error().message;
    std::vector<Label> scratch;
    for (std::uint32_t row = 0; row < view->count(); ++row) {
      const MessageView message = view->message(row, scratch);
      std::string text;
      append_message_json(text, message, view->sequence(row));
      auto json = parse_json(text);
      ASSERT_TRUE(json) << json.error().message;
      messages.push_back(std::move(*json));
    }
  }

  ManualClock clock;
  FaultyHistory history;
  std::optional<Syndicator> syndicator;
  std::vector<Batch> published;
  std::vector<Syndicator::Reply> replies;

 private:
  void take(Syndicator::Turn turn) {
    for (Batch& batch : turn.published) {
      const Sequence expected =
          published.empty() ? batch.header.first : published.back().header.last().next();
      EXPECT_EQ(batch.header.first, expected) << "sequences are dense";
      EXPECT_LE(batch.header.last(), history.last()) << "published before it was appended";
      published.push_back(std::move(batch));
    }
    for (auto& reply : turn.replies) replies.push_back(std::move(reply));
  }
  Syndicator::Options options_;
};

}  // namespace hastur
