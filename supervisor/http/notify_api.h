#pragma once

// The part of the API that is about notifications: what was asked for, what is open, what may
// leave, and people's orders about that.

#include <functional>
#include <map>
#include <optional>
#include <string>

#include "core/clock.h"
#include "core/json.h"
#include "state/checkpoint_store.h"
#include "supervisor/http/http_server.h"
#include "supervisor/notify/delivery.h"
#include "supervisor/notify/orders.h"
#include "supervisor/notify/policy.h"

namespace hastur {

Json notification_to_json(const NotificationRecord& record);

class NotifyApi {
 public:
  struct Calls {
    std::function<bool(const TriggerName&)> is_trigger;
    std::function<ChannelState(const std::string& channel)> channel_state;
    // Sends a test on a channel that is there; calls once, with the receiver's answer.
    std::function<void(const std::string& channel, std::function<void(const Answer&)>)> try_channel;
  };

  // All but `calls` outlive it.
  NotifyApi(CheckpointStore& store, Clock& clock, const std::map<std::string, Channel>& channels,
            NotifyPolicy& policy, NotifyOrders& orders, Delivery& delivery, Calls calls);

  // The answer to a GET; nothing if the path is none of these: /v1/notify, /v1/notify/orders,
  // /v1/incidents, /v1/notifications/ID.
  std::optional<HttpResponse> read(const HttpRequest& request) const;
  // Calls `respond` once and returns true; false for a verb of others.
  bool command(const std::string& verb, const Json& body, const HttpServer::Respond& respond);
  static constexpr std::string_view verbs =
      "notify, silence, unsilence, release, close and notify-test";
  // Families of /metrics.
  std::string metrics() const;

 private:
  Json overview() const;
  HttpResponse orders_list(const HttpRequest& request) const;
  HttpResponse incidents(const HttpRequest& request) const;
  HttpResponse notification(std::string_view id) const;
  HttpResponse set_mode(const Json& body);
  HttpResponse silence(const Json& body);
  HttpResponse unsilence(const Json& body);
  HttpResponse release_or_close(const std::string& verb, const Json& body);
  void try_channel(const Json& body, const HttpServer::Respond& respond);
  HttpResponse no_such_channel(const std::string& name) const;

  CheckpointStore& store_;
  Clock& clock_;
  const std::map<std::string, Channel>& channels_;
  NotifyPolicy& policy_;
  NotifyOrders& orders_;
  Delivery& delivery_;
  Calls calls_;
};

}  // namespace hastur
