// Long outages on a hand-moved clock, the whole way from the message to the receiver: a receiver
// that is down for an hour, a supervisor that is down for six.

#include <gtest/gtest.h>

#include <map>

#include "supervisor/notify/delivery.h"
#include "supervisor/notify/sender.h"
#include "tests/supervisor/dispatch/rig.h"
#include "tests/supervisor/notify/channels.h"

namespace hastur::test {
namespace {

using namespace std::chrono_literals;

constexpr const char* one_channel = R"(
[notify.oncall]
kind = "file"
path = "/nowhere/oncall"
default = true
expire_after = "40m"
)";
constexpr std::size_t queue_max = 50;

// The channels' real queues, and a receiver that answers at once what it is told to.
class Wire final : public NotificationSink {
 public:
  Wire(Clock& clock, std::function<void(const NotificationSettled&)> settled,
       std::function<void(const FetchMore&)> fetch)
      : clock_(clock),
        settled_(std::move(settled)),
        fetch_(std::move(fetch)),
        sender_({channel()}, 1, clock.now()) {}

  bool offer(const std::string& channel, OutgoingNotification notification) override {
    const bool taken = sender_.offer(channel, std::move(notification), clock_.now());
    carry_out();
    return taken;
  }
  bool holds(const std::string& channel, std::uint64_t id) const override {
    return sender_.holds(channel, id);
  }
  bool withdraw(const std::string& channel, std::uint64_t id) override {
    return sender_.withdraw(channel, id);
  }
  void more_from(const std::string& channel, std::uint64_t id) override {
    sender_.more_from(channel, id);
    carry_out();
  }
  void restore_firing(const std::string&, OutgoingNotification) override {}
  void restore_rest(const ReceiverRest& rest) override { sender_.restore_rest(rest, clock_.now()); }

  void turn() {
    sender_.turn(clock_.now());
    carry_out();
  }
  std::size_t waiting() const { return sender_.state("oncall").waiting; }

  bool is_down = false;
  // What has arrived, in order.
  std::vector<OutgoingNotification> arrived;

 private:
  static SenderChannel channel() {
    SenderChannel made;
    made.name = "oncall";
    made.queue_max = queue_max;
    return made;
  }
  // As the Notifier does: what comes of an action may lead to another.
  void carry_out() {
    if (std::exchange(carrying_out_, true)) return;
    for (auto actions = sender_.take_actions(); !actions.empty();
         actions = sender_.take_actions()) {
      for (SenderAction& action : actions) {
        if (auto* send = std::get_if<SendNotification>(&action)) {
          if (!is_down) arrived.push_back(send->notification);
          sender_.answered(send->attempt,
                           {is_down ? Answer::Verdict::again : Answer::Verdict::arrived, "x", {}},
                           clock_.now());
        } else if (auto* done = std::get_if<NotificationSettled>(&action)) {
          settled_(*done);
        } else if (auto* more = std::get_if<FetchMore>(&action)) {
          fetch_(*more);
        }
      }
    }
    carrying_out_ = false;
  }

  Clock& clock_;
  std::function<void(const NotificationSettled&)> settled_;
  std::function<void(const FetchMore&)> fetch_;
  NotificationSender sender_;
  bool carrying_out_ = false;
};

class OutageTest : public ::testing::Test {
 protected:
  OutageTest() : channels_(channels_of(one_channel)), policy_(NotifyMode::on, channels_) {
    rig_.gate.rule = [this](NotificationRecord& record) { policy_.decide(record); };
    rig_.lets_out = [this](const auto& records) { delivery_->stored(records); };
    start();
  }

  // A supervisor, or another one on the same store.
  void start() {
    const bool was_down = wire_ != nullptr && wire_->is_down;
    delivery_.reset();
    wire_ = std::make_unique<Wire>(
        rig_.clock, [this](const NotificationSettled& done) { delivery_->settled(done); },
        [this](const FetchMore& more) { delivery_->fetch(more); });
    wire_->is_down = was_down;
    delivery_ = std::make_unique<Delivery>(*rig_.store, rig_.clock, *wire_, policy_, channels_,
                                           Delivery::Options{});
    ASSERT_TRUE(delivery_->start());
    rig_.start();
  }
  void step(Micros span) {
    rig_.clock.advance(span);
    rig_.pump();
    wire_->turn();
    delivery_->turn();
  }
  void pass(Micros span) {
    for (Micros passed{0}; passed < span; passed += 1s) step(1s);
  }
  // Messages that come while no supervisor is there.
  void comes(std::string_view name) {
    rig_.syndicator->take_datagram(
        R"({"type":"gauge","name":")" + std::string(name) + R"(","value":1})", rig_.clock.now());
    (void)rig_.syndicator->turn(rig_.clock.now(), rig_.clock.monotonic(), true);
  }
  std::vector<NotificationRecord> notifications() {
    return rig_.store->notifications({.since = {}, .status = {}, .trigger = {}, .max = 1'000'000})
        .value();
  }
  std::size_t count(NotificationStatus status) {
    const auto all = notifications();
    return static_cast<std::size_t>(std::ranges::count(all, status, &NotificationRecord::status));
  }

  Rig rig_;
  std::map<std::string, Channel> channels_;
  NotifyPolicy policy_;
  std::unique_ptr<Wire> wire_;
  std::unique_ptr<Delivery> delivery_;
};

TEST_F(OutageTest, AReceiverThatIsDownForAnHourCostsNoMemoryAndNoTriggerAnything) {
  constexpr int triggers = 20;
  std::vector<std::pair<std::string, std::string>> scripts;
  for (int i = 0; i < triggers; ++i)
    scripts.emplace_back("t" + std::to_string(i), "match=a notify=1 resolve=3");
  rig_.desire(scripts);
  step(1s);
  wire_->is_down = true;
  int sent = 0;
  for (int minute = 0; minute < 60; ++minute) {
    rig_.send("a", 1);
    ++sent;
    EXPECT_LE(wire_->waiting(), queue_max);
    pass(60s);
    for (int i = 0; i < triggers; ++i) {
      // Nobody waits for the receiver.
      ASSERT_EQ(rig_.trigger("t" + std::to_string(i)).cursor(), rig_.dispatcher->newest());
    }
  }
  EXPECT_TRUE(wire_->arrived.empty());
  EXPECT_GT(count(NotificationStatus::waiting), queue_max) << "the rest waits in the state file";
  wire_->is_down = false;
  pass(15min);

  const auto all = notifications();
  EXPECT_EQ(all.size(), static_cast<std::size_t>(sent * triggers));
  EXPECT_EQ(count(NotificationStatus::waiting), 0u);
  EXPECT_GT(count(NotificationStatus::sent), 0u);
  for (const NotificationRecord& record : all) {
    if (record.status == NotificationStatus::failed) {
      EXPECT_GE(rig_.clock.now() - record.time, 40min) << record.reason;
    }
  }
  std::map<std::string, std::uint64_t> last;
  for (const OutgoingNotification& each : wire_->arrived) {
    EXPECT_LT(last[*each.key], each.id) << "out of order for " << *each.key;
    last[*each.key] = each.id;
  }
  // What each receiver was told last is how the incident stands.
  for (const auto& [key, id] : last) {
    const auto incident = rig_.store->incident(key, "oncall", key).value();
    ASSERT_TRUE(incident);
    EXPECT_EQ(incident->newest, id) << key;
  }
  EXPECT_EQ(last.size(), static_cast<std::size_t>(triggers));
  for (int i = 0; i < triggers; ++i)
    EXPECT_EQ(rig_.trigger("t" + std::to_string(i)).counts.callbacks,
              static_cast<std::uint64_t>(sent));
}

TEST_F(OutageTest, AfterSixHoursWithoutASupervisorNobodyIsPagedForWhatIsOver) {
  const std::vector<std::pair<std::string, std::string>> scripts = {
      {"over", "match=a notify=1 resolve=2"},
      {"open", "match=b notify=1 resolve=2"},
      {"told", "match=c notify=1 resolve=2"}};
  rig_.desire(scripts);
  rig_.send("c", 1);
  pass(5s);
  ASSERT_EQ(wire_->arrived.size(), 1u);
  ASSERT_EQ(wire_->arrived[0].trigger, "told");

  rig_.dispatcher.reset();
  for (int minute = 0; minute < 360; ++minute) {
    rig_.clock.advance(60s);
    // Opened and resolved again and again; opened once more at the end; resolved.
    if (minute < 300) comes("a");
    if (minute == 100 || minute == 101 || minute == 200) comes("b");
    if (minute == 150) comes("c");
  }
  start();
  rig_.desire(scripts);
  pass(2min);

  std::map<TriggerName, std::vector<NotificationAction>> told;
  for (const OutgoingNotification& each : wire_->arrived) told[each.trigger].push_back(each.action);
  EXPECT_FALSE(told.contains("over")) << "what is over wakes nobody";
  EXPECT_EQ(told["open"], std::vector{NotificationAction::trigger}) << "once, for what still is";
  EXPECT_EQ(told["told"], std::vector{NotificationAction::resolve})
      << "whoever was told hears that it is over";
  EXPECT_EQ(count(NotificationStatus::waiting), 0u);
  EXPECT_EQ(count(NotificationStatus::pending), 0u);
  EXPECT_EQ(notifications().size(), 1u + 300u + 3u + 1u) << "each is kept, with why";
  for (const NotificationRecord& record : notifications()) {
    if (record.status == NotificationStatus::closed) {
      EXPECT_NE(record.reason, "");
    }
  }
}

}  // namespace
}  // namespace hastur::test
