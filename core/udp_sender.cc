#include "core/udp_sender.h"

#include <fmt/format.h>
#include <netdb.h>
#include <sys/socket.h>

#include <cerrno>
#include <memory>
#include <system_error>

#include "core/host_port.h"

namespace hastur {

Result<UdpSender> UdpSender::connect(const std::string& address) {
  const auto split = split_host_port(address);
  if (!split) {
    return fail(
        ErrorCode::invalid,
        fmt::format("\"{}\" is no address; write host:port, as in 127.0.0.1:8125", address));
  }
  addrinfo hints{};
  hints.ai_socktype = SOCK_DGRAM;
  addrinfo* found = nullptr;
  const int error =
      getaddrinfo(split->host.c_str(), std::to_string(split->port).c_str(), &hints, &found);
  if (error != 0) {
    return fail(ErrorCode::unavailable,
                fmt::format("cannot find {}: {}", address, gai_strerror(error)));
  }
  const std::unique_ptr<addrinfo, decltype(&freeaddrinfo)> owned(found, &freeaddrinfo);
  Fd socket(::socket(found->ai_family, SOCK_DGRAM | SOCK_CLOEXEC, 0));
  if (!socket.is_open() || ::connect(socket.get(), found->ai_addr, found->ai_addrlen) != 0) {
    return fail(ErrorCode::unavailable, fmt::format("cannot send to {}: {}", address,
                                                    std::generic_category().message(errno)));
  }
  return UdpSender(std::move(socket), address);
}

Result<void> UdpSender::send(std::string_view datagram) {
  if (::send(socket_.get(), datagram.data(), datagram.size(), MSG_NOSIGNAL) >= 0) return {};
  const int cause = errno;
  return fail(
      cause == ECONNREFUSED ? ErrorCode::unavailable : ErrorCode::failed,
      cause == ECONNREFUSED
          ? fmt::format("nobody listens at {}; is the syndicator running?", address_)
          : fmt::format("cannot send to {}: {}", address_, std::generic_category().message(cause)));
}

}  // namespace hastur
