#pragma once

// Datagrams to one address.

#include <string>
#include <string_view>

#include "core/fd.h"
#include "core/result.h"

namespace hastur {

class UdpSender {
 public:
  // "127.0.0.1:8125", "[::1]:8125", "host:8125". Fails if that is no address or no such host is
  // known.
  static Result<UdpSender> connect(const std::string& address);

  // Hands one datagram to the kernel, waiting while its buffer is full. `unavailable` when an
  // earlier one came back because nobody listens there: UDP says so late or never.
  Result<void> send(std::string_view datagram);

 private:
  UdpSender(Fd socket, std::string address)
      : socket_(std::move(socket)), address_(std::move(address)) {}
  Fd socket_;
  std::string address_;
};

}  // namespace hastur
