#pragma once

// One HTTP or SMTP transfer of libcurl: how a request is put to it, and what its result means.

#include <atomic>
#include <memory>

#include "supervisor/notify/curl.h"
#include "supervisor/notify/request.h"

namespace hastur {

class Transfer {
 public:
  virtual ~Transfer() = default;
  // To be added to a multi handle; its CURLOPT_PRIVATE is this object.
  virtual CURL* easy() = 0;
  virtual Answer answer(CURLcode code) = 0;
};

std::unique_ptr<Transfer> make_transfer(WebRequest request, Micros timeout);
// Once `stopping` is set, it ends within a second; that outlives it.
std::unique_ptr<Transfer> make_transfer(MailRequest request, Micros timeout,
                                        const std::atomic<bool>& stopping);

}  // namespace hastur
