// What a digest of late notifications keeps of each, and who gets it.

#include "supervisor/dispatch/digest.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "supervisor/dispatch/late.h"

namespace hastur::test {
namespace {

// Late notifications of one trigger, and what they become once it has caught up.
class Backlog {
 public:
  void add(const Json& payload) {
    NotificationRecord late;
    late.trigger = "t";
    late.run = {1};
    late.ordinal = count_++;
    late.time = time_from_us(1'704'067'200'000'000 + 1'000'000 * late.ordinal);
    late.status = NotificationStatus::pending;
    late.reason = late_reason;
    late.payload = canonical_json(payload);
    read_payload(late);
    CommitBatch batch;
    batch.notifications.push_back(std::move(late));
    ASSERT_TRUE(store_->commit(batch));
  }
  void add_mail(const std::string& subject, const std::string& body, Json to,
                Json options = Json::object()) {
    add({{"kind", "send_email"},
         {"key", nullptr},
         {"to", std::move(to)},
         {"text", subject},
         {"details", {{"body", body}}},
         {"options", std::move(options)}});
  }
  void add_hook(Json options) {
    add({{"kind", "web_hook"},
         {"key", nullptr},
         {"to", nullptr},
         {"text", ""},
         {"details", Json::object()},
         {"options", std::move(options)}});
  }

  LateSettlement settle() {
    return settle_late(
               *store_, "t", false,
               [](NotificationRecord& record) { record.status = NotificationStatus::waiting; })
        .value();
  }
  std::vector<Json> digests() {
    std::vector<Json> payloads;
    for (const NotificationRecord& digest : settle().digests) {
      EXPECT_EQ(digest.status, NotificationStatus::waiting);
      payloads.push_back(parse_json(digest.payload).value());
    }
    return payloads;
  }

 private:
  std::unique_ptr<CheckpointStore> store_ = make_memory_store();
  std::uint32_t count_ = 0;
};

TEST(Digest, OfMailsHoldsTheirBodies) {
  Backlog backlog;
  backlog.add_mail("disk full", "df -h says\n/dev/sda 100%\n", {"a@example.com"});
  backlog.add_mail("disk free", "all is well", {"a@example.com"});
  const auto digests = backlog.digests();
  ASSERT_EQ(digests.size(), 1u);
  const std::string body = digests[0]["details"]["body"];
  EXPECT_NE(body.find("disk full\ndf -h says\n/dev/sda 100%\n"), std::string::npos) << body;
  EXPECT_NE(body.find("2024-01-01T00:00:01"), std::string::npos) << body;
  EXPECT_NE(body.find("disk free\nall is well\n"), std::string::npos) << body;
  EXPECT_EQ(digests[0]["text"], "2 late notifications of t: disk full (and 1 more)");
}

TEST(Digest, GoesToEverybodyWhoWouldHaveGotOneAndToNobodyElse) {
  Backlog backlog;
  backlog.add_mail("one", "1", {"a@example.com", "b@example.com"}, {{"cc", "c@example.com"}});
  backlog.add_mail("two", "2", {"b@example.com", "a@example.com"}, {{"cc", "c@example.com"}});
  backlog.add_mail("three", "3", {"a@example.com"}, {{"bcc", {"d@example.com"}}});
  backlog.add_mail("four", "4", {"a@example.com"});
  std::map<std::string, std::string> body_of;
  for (const Json& digest : backlog.digests())
    body_of[digest["to"].dump() + digest["options"].dump()] = digest["details"]["body"];
  ASSERT_EQ(body_of.size(), 3u);
  const std::string& both =
      body_of.at(R"(["b@example.com","a@example.com"]{"cc":"c@example.com"})");
  EXPECT_NE(both.find("one"), std::string::npos);
  EXPECT_NE(both.find("two"), std::string::npos);
  const std::string& hidden = body_of.at(R"(["a@example.com"]{"bcc":["d@example.com"]})");
  EXPECT_NE(hidden.find("three"), std::string::npos);
  EXPECT_EQ(hidden.find("one"), std::string::npos);
  EXPECT_NE(body_of.at(R"(["a@example.com"]{})").find("four"), std::string::npos);
}

TEST(Digest, OfWebHooksListsTheirBodiesForEachAddress) {
  Backlog backlog;
  const Json headers = {{"Content-Type", "text/plain"}, {"X-Team", "ots"}};
  backlog.add_hook({{"url", "https://a.example.com/"}, {"body", "first"}, {"headers", headers}});
  backlog.add_hook(
      {{"url", "https://a.example.com/"}, {"body", {{"n", 2}}}, {"headers", {{"X-Team", "ots"}}}});
  backlog.add_hook({{"url", "https://a.example.com/"}, {"method", "PUT"}, {"body", "put 1"}});
  backlog.add_hook({{"url", "https://a.example.com/"}, {"method", "PUT"}, {"body", "put 2"}});
  const auto digests = backlog.digests();
  ASSERT_EQ(digests.size(), 2u);
  const bool put_first = digests[0]["options"].contains("method");
  const Json& posts = digests[put_first ? 1 : 0];
  EXPECT_EQ(posts["options"].dump(),
            R"({"headers":{"X-Team":"ots"},"url":"https://a.example.com/"})")
      << "the digest is in our form: it has neither a body nor the type of one";
  ASSERT_EQ(posts["details"]["late"].size(), 2u);
  EXPECT_EQ(posts["details"]["late"][0]["body"], "first");
  EXPECT_EQ(posts["details"]["late"][1]["body"]["n"], 2);
  EXPECT_EQ(digests[put_first ? 0 : 1]["details"]["late"][1]["body"], "put 2");
}

TEST(Digest, OneWebHookAloneLeavesInTheFormThatItsReceiverKnows) {
  Backlog backlog;
  backlog.add_hook({{"url", "https://a.example.com/"}, {"body", "first"}});
  const LateSettlement settled = backlog.settle();
  EXPECT_TRUE(settled.digests.empty());
  ASSERT_EQ(settled.changes.size(), 1u);
  EXPECT_EQ(settled.changes[0].id, 1u);
  EXPECT_EQ(settled.changes[0].status, NotificationStatus::waiting);
}

TEST(Digest, OfSlackHasNoBlocksOfOneInPlaceOfAll) {
  Backlog backlog;
  for (const char* text : {"up", "down"}) {
    backlog.add({{"kind", "slack"},
                 {"key", nullptr},
                 {"to", nullptr},
                 {"text", text},
                 {"details", {{"load", 7}}},
                 {"options",
                  {{"channel", "#ops"},
                   {"blocks", {{{"type", text}}}},
                   {"severity", text == std::string("up") ? "error" : "info"}}}});
  }
  const auto digests = backlog.digests();
  ASSERT_EQ(digests.size(), 1u);
  EXPECT_EQ(digests[0]["options"].dump(), R"({"channel":"#ops","severity":"error"})");
  const std::string text = digests[0]["text"];
  EXPECT_NE(text.find(R"({"blocks":[{"type":"down"}])"), std::string::npos) << text;
  EXPECT_NE(text.find(R"({"load":7})"), std::string::npos) << text;
}

TEST(Digest, CountsWhatDoesNotFit) {
  Backlog backlog;
  const std::string large(90'000, 'x');
  for (int i = 0; i < 5; ++i) backlog.add_mail(fmt::format("mail {}", i), large, {"a@example.com"});
  backlog.add_mail("a small one", "", {"a@example.com"});
  const LateSettlement settled = backlog.settle();
  ASSERT_EQ(settled.digests.size(), 1u);
  const Json payload = parse_json(settled.digests[0].payload).value();
  EXPECT_LT(settled.digests[0].payload.size(), 250'000u);
  EXPECT_EQ(payload["details"]["count"], 6);
  EXPECT_EQ(payload["details"]["left_out"], 3);
  const std::string body = payload["details"]["body"];
  EXPECT_NE(body.find("and 3 more, which did not fit: hastur notifications list --trigger t"),
            std::string::npos);
  EXPECT_NE(body.find("a small one"), std::string::npos);
  EXPECT_EQ(settled.changes[1].reason, "it is told in a digest");
  EXPECT_EQ(settled.changes[2].reason, "it is counted in a digest, in which it had no room");
}

TEST(Digest, OfOneLargerThanAllHoldsItWhole) {
  Backlog backlog;
  backlog.add_mail("large", std::string(250'000, 'x'), {"a@example.com"});
  const auto digests = backlog.digests();
  ASSERT_EQ(digests.size(), 1u);
  EXPECT_GT(digests[0]["details"]["body"].get<std::string>().size(), 250'000u);
  EXPECT_EQ(digests[0]["details"]["left_out"], 0);
}

}  // namespace
}  // namespace hastur::test
