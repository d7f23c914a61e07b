#include "state/notification.h"

#include <gtest/gtest.h>

namespace hastur {
namespace {

NotificationRecord read(const std::string& payload) {
  NotificationRecord record;
  record.payload = payload;
  read_payload(record);
  return record;
}

TEST(Notification, GoesToTheNamedChannelElseToItsKindsDefault) {
  EXPECT_EQ(read(R"({"kind":"slack","to":"ops","key":null,"options":{}})").channel, "ops");
  EXPECT_EQ(read(R"({"kind":"slack","to":null,"key":null,"options":{}})").channel, "slack");
  EXPECT_EQ(
      read(R"({"kind":"send_email","to":["a@b.c"],"key":null,"options":{"to":"people"}})").channel,
      "people");
  EXPECT_EQ(read(R"({"kind":"send_email","to":["a@b.c"],"key":null,"options":{}})").channel,
            "send_email");
  EXPECT_EQ(read("garbage").channel, "");
}

TEST(Notification, OpensItsIncidentUnlessItSaysOtherwise) {
  const auto opens = read(R"({"kind":"pager_duty","to":null,"key":"disk","options":{}})");
  EXPECT_EQ(opens.key, "disk");
  EXPECT_EQ(opens.action, NotificationAction::trigger);
  const auto closes =
      read(R"({"kind":"pager_duty","to":null,"key":"disk","options":{"action":"resolve"}})");
  EXPECT_EQ(closes.action, NotificationAction::resolve);
  EXPECT_EQ(read(R"({"kind":"slack","to":null,"key":null,"options":{}})").key, "") << "keyless";
}

TEST(Notification, NamesOfStatusesActionsAndStatesReadBack) {
  for (const auto status :
       {NotificationStatus::recorded, NotificationStatus::waiting, NotificationStatus::sent,
        NotificationStatus::pending, NotificationStatus::closed})
    EXPECT_EQ(status_from_name(status_name(status)), status);
  for (const auto action :
       {NotificationAction::trigger, NotificationAction::acknowledge, NotificationAction::resolve})
    EXPECT_EQ(action_from_name(action_name(action)), action);
  for (const auto state : {IncidentState::open, IncidentState::acknowledged, IncidentState::closed})
    EXPECT_EQ(incident_state_from_name(incident_state_name(state)), state);
  EXPECT_FALSE(status_from_name("lost"));
}

TEST(Notification, AnAcknowledgementOfAClosedIncidentDoesNotOpenIt) {
  Incident incident;
  NotificationRecord record;
  record.key = "disk";
  record.action = NotificationAction::acknowledge;
  follow(incident, record);
  EXPECT_EQ(incident.state, IncidentState::closed);
}

}  // namespace
}  // namespace hastur
