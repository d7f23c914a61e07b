#pragma once

// Where stored notifications are handed to be sent. The rules of each call are the sender's
// (sender.h).

#include <string>

#include "supervisor/notify/notification.h"

namespace hastur {

class NotificationSink {
 public:
  virtual ~NotificationSink() = default;

  // Takes a notification, in the order of ids. False if the channel has no room: then it and all
  // after it are asked for later. One that is there already is not taken twice.
  virtual bool offer(const std::string& channel, OutgoingNotification notification) = 0;
  // Whether it is there: waits, or is under way.
  virtual bool holds(const std::string& channel, std::uint64_t id) const = 0;
  // Takes back what has not left; false if it is under way or not there.
  virtual bool withdraw(const std::string& channel, std::uint64_t id) = 0;
  // There is more in the store from this id on, to be asked for when there is room.
  virtual void more_from(const std::string& channel, std::uint64_t id) = 0;
  // After a start: what fires at the receiver and is to be sent again.
  virtual void restore_firing(const std::string& channel, OutgoingNotification notification) = 0;
  // After a start, before anything is offered: a receiver that was to be left alone.
  virtual void restore_rest(const ReceiverRest& rest) = 0;
};

}  // namespace hastur
