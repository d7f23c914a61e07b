#pragma once

// Several late notifications of no incident told as one (DESIGN §10): to each audience what it
// would have got, word by word as far as it fits, and a count of the rest.

#include <cstdint>
#include <string>

#include "core/json.h"
#include "state/notification.h"

namespace hastur {

// Who gets a notification and in which manner; those of one audience make one digest. Canonical
// JSON of its channel, kind, recipients (cc and bcc too) and address (URL, method and headers of a
// web hook). `payload` is record.payload, read.
std::string digest_audience(const NotificationRecord& record, const Json& payload);

class Digest {
 public:
  // Whether it stands in the digest as it is; what does not fit is only counted. In the order of
  // their ids.
  bool add(const NotificationRecord& record, const Json& payload);

  // To be stored in place of all that were added; at least one.
  NotificationRecord finish() &&;

 private:
  std::string listing() const;

  std::uint64_t count_ = 0;
  Time first_{};
  // Its place in the stream is the digest's.
  NotificationRecord newest_;
  Json payload_;
  // What each said: id, time, text, details and what its options say beside the address.
  Json late_ = Json::array();
  std::size_t bytes_ = 0;
  // The strongest; empty once one names none.
  std::string severity_;
};

}  // namespace hastur
