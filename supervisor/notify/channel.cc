#include "supervisor/notify/channel.h"

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <functional>
#include <system_error>
#include <utility>

#include "core/suggest.h"
#include "supervisor/notify/mime.h"

namespace hastur {
namespace {

const std::vector<std::string> kinds = {"pager_duty",   "email",   "web_hook", "slack",
                                        "alertmanager", "command", "file"};

// What a way has: its keys, whether they make sense, its secrets. One overload a kind.

void declare_secret(Section& section, const std::string& key, SecretSetting& secret,
                    const std::string& what) {
  section.text(key + "_file", &secret.file, "file that holds " + what, false);
  section.text(key + "_env", &secret.env, "environment variable that holds " + what, false);
}

void declare_way(PagerDutyChannel& way, Section& section) {
  declare_secret(section, "routing_key", way.routing_key, "the integration's routing key");
  section.choice("severity", &way.severity, {"critical", "error", "warning", "info"},
                 "of what names none", false);
  section.text("url", &way.url, "the Events API", false);
}
void declare_way(EmailChannel& way, Section& section) {
  section.text("server", &way.server, "smtp://HOST:PORT or smtps://HOST", false);
  section.choice("tls", &way.tls, {"required", "if_offered", "none"}, "STARTTLS of smtp://", false);
  section.text("user", &way.user, "name to log in with", false);
  declare_secret(section, "password", way.password, "the password");
  section.text("from", &way.from, "the sender's address", false);
  section.list("to", &way.to, "recipients of what names none", false);
}
void declare_way(WebHookChannel& way, Section& section) {
  section.text("url", &way.url, "where calls go that name no URL", false);
  section.list("allow", &way.allow, "hosts that triggers may name", false);
  section.truth("allow_private", &way.allow_private,
                "whether those may have addresses of private networks", false);
  declare_secret(section, "signing_key", way.signing_key, "the key of the HMAC signature");
  declare_secret(section, "authorization", way.authorization, "the Authorization header's value");
}
void declare_way(SlackChannel& way, Section& section) {
  declare_secret(section, "url", way.url, "the incoming web hook's URL");
}
void declare_way(AlertmanagerChannel& way, Section& section) {
  section.text("url", &way.url, "http://HOST:PORT of Alertmanager", false);
  declare_secret(section, "authorization", way.authorization, "the Authorization header's value");
  section.span("resend_every", &way.resend_every, "how often a firing alert is sent again", false);
}
void declare_way(CommandChannel& way, Section& section) {
  section.list("command", &way.command, "the program's path and its arguments", false);
}
void declare_way(FileChannel& way, Section& section) {
  section.text("path", &way.path, "the file that lines are added to", false);
}

Failure refuse(std::string message) { return fail(ErrorCode::invalid, std::move(message)); }

Result<void> check_url(std::string_view key, const std::string& url,
                       const std::vector<std::string>& schemes) {
  const auto parsed = parse_url(url, schemes);
  if (!parsed) return refuse(fmt::format("{}: {}", key, parsed.error().message));
  return {};
}
Result<void> check_web_url(std::string_view key, const std::string& url) {
  return check_url(key, url, {"https", "http"});
}

Result<void> open_way(PagerDutyChannel& way) {
  if (!way.routing_key.given()) return refuse("routing_key_file or routing_key_env must be given");
  HASTUR_TRY(check_web_url("url", way.url));
  return way.routing_key.read("routing_key");
}
Result<void> open_way(EmailChannel& way) {
  HASTUR_TRY(check_url("server", way.server, {"smtp", "smtps"}));
  if (way.from.empty()) return refuse("from must be given: the sender's address");
  const auto check_address = [](std::string_view key, const std::string& text) -> Result<void> {
    const auto address = parse_mail_address(text);
    if (!address) return refuse(fmt::format("{}: {}", key, address.error().message));
    return {};
  };
  HASTUR_TRY(check_address("from", way.from));
  for (const std::string& to : way.to) HASTUR_TRY(check_address("to", to));
  if (way.password.given() != !way.user.empty())
    return refuse("user and password_file (or password_env) belong together");
  const bool encrypted = way.server.starts_with("smtps:") || way.tls == "required";
  if (way.password.given() && !encrypted) {
    return refuse("a password is only sent over TLS; set tls = \"required\"");
  }
  return way.password.read("password");
}
Result<void> open_way(WebHookChannel& way) {
  if (way.url.empty() && way.allow.empty())
    return refuse("allow must name the hosts that triggers may reach, or url one for all calls");
  if (!way.url.empty()) HASTUR_TRY(check_web_url("url", way.url));
  way.allowed.clear();
  for (const std::string& entry : way.allow) {
    auto allowed = parse_allowed_host(entry);
    if (!allowed) return refuse(fmt::format("allow: {}", allowed.error().message));
    way.allowed.push_back(std::move(*allowed));
  }
  HASTUR_TRY(way.signing_key.read("signing_key"));
  return way.authorization.read("authorization");
}
Result<void> open_way(SlackChannel& way) {
  if (!way.url.given()) return refuse("url_file or url_env must be given: the URL is a secret");
  HASTUR_TRY(way.url.read("url"));
  return check_web_url("what url_file or url_env names", way.url.value.reveal());
}
Result<void> open_way(AlertmanagerChannel& way) {
  HASTUR_TRY(check_web_url("url", way.url));
  if (way.resend_every < std::chrono::seconds{1}) return refuse("resend_every: at least 1s");
  return way.authorization.read("authorization");
}
Result<void> open_way(CommandChannel& way) {
  if (way.command.empty() || !way.command.front().starts_with('/'))
    return refuse(
        "command must be a list that begins with a program's whole path: [\"/usr/bin/x\"]");
  return {};
}
Result<void> open_way(FileChannel& way) {
  if (way.path.empty()) return refuse("path must be given");
  return {};
}

std::vector<const Secret*> secrets_of(const Channel& channel) {
  const auto& way = channel.way;
  if (const auto* pager_duty = std::get_if<PagerDutyChannel>(&way))
    return {&pager_duty->routing_key.value};
  if (const auto* email = std::get_if<EmailChannel>(&way)) return {&email->password.value};
  if (const auto* slack = std::get_if<SlackChannel>(&way)) return {&slack->url.value};
  if (const auto* alertmanager = std::get_if<AlertmanagerChannel>(&way))
    return {&alertmanager->authorization.value};
  if (const auto* hook = std::get_if<WebHookChannel>(&way))
    return {&hook->signing_key.value, &hook->authorization.value};
  return {};
}

template <std::size_t... Is>
void set_way(Channel& channel, std::size_t index, std::index_sequence<Is...>) {
  ((index == Is ? void(channel.way.emplace<Is>()) : void()), ...);
}

// The kind whose default takes a call; a command and a file share theirs.
std::string_view default_group(std::string_view kind) {
  return kind == "command" || kind == "file" ? "command or file" : kind;
}

}  // namespace

std::string Channel::redact(std::string text) const {
  for (const Secret* secret : secrets_of(*this)) text = secret->redact(std::move(text));
  return text;
}

void NotifyConfig::declare(Settings& settings) {
  settings.family(
      "notify", "kind",
      [this](const std::string& name, const std::string& kind, Section& section) -> Result<void> {
        const auto known = std::ranges::find(kinds, kind);
        if (known == kinds.end()) {
          const std::string near = nearest(kind, kinds);
          return refuse(
              fmt::format("[notify.{}] kind must be one of {}{}", name, fmt::join(kinds, ", "),
                          near.empty() ? "" : fmt::format("; did you mean \"{}\"?", near)));
        }
        Channel& channel = channels_[name];
        channel.name = name;
        set_way(channel, static_cast<std::size_t>(known - kinds.begin()),
                std::make_index_sequence<std::variant_size_v<decltype(channel.way)>>());
        section.choice("kind", &channel.kind, kinds, "what receives", false);
        section.truth("default", &channel.is_default, "takes calls that name no channel", false);
        section.choice("mode", &channel.mode, {"on", "record", "off"}, "what happens on it", false);
        section.span("timeout", &channel.timeout, "of one attempt", false);
        section.span("expire_after", &channel.expire_after, "when delivery is given up", false);
        if (kind != "command" && kind != "file") {
          section.text("ca_file", &channel.ca_file, "certificates that are believed", false);
        }
        std::visit([&](auto& way) { declare_way(way, section); }, channel.way);
        return {};
      });
}

Result<std::map<std::string, Channel>> NotifyConfig::open() const {
  std::map<std::string, Channel> channels = channels_;
  std::map<std::string_view, std::string> defaults;
  for (auto& [name, channel] : channels) {
    const auto at = [&](std::string_view message) {
      return refuse(fmt::format("[notify.{}] {}", name, message));
    };
    if (const auto opened = std::visit([](auto& way) { return open_way(way); }, channel.way);
        !opened) {
      return at(opened.error().message);
    }
    if (channel.timeout < std::chrono::milliseconds{100} ||
        channel.timeout > std::chrono::minutes{5}) {
      return at("timeout: from 100ms to 5m");
    }
    if (!channel.ca_file.empty() && access(channel.ca_file.c_str(), R_OK) != 0) {
      return at(fmt::format("ca_file: {} cannot be read: {}", channel.ca_file,
                            std::generic_category().message(errno)));
    }
    if (channel.expire_after < std::chrono::minutes{1}) return at("expire_after: at least 1m");
    if (!channel.is_default) continue;
    const auto [other, first] = defaults.try_emplace(default_group(channel.kind), name);
    if (!first) {
      return at(fmt::format("default: [notify.{}] is the default of kind {} already", other->second,
                            other->first));
    }
  }
  return channels;
}

Result<const Channel*> channel_for(const std::map<std::string, Channel>& channels,
                                   std::string_view call, std::string_view to) {
  if (!to.empty()) {
    const auto named = channels.find(std::string(to));
    if (named != channels.end()) return &named->second;
    std::vector<std::string> names;
    for (const auto& [name, channel] : channels) names.push_back(name);
    const std::string near = nearest(to, names);
    return fail(ErrorCode::not_found,
                fmt::format("no channel \"{0}\" is configured; {1}", to,
                            near.empty() ? fmt::format("add [notify.{}] to hastur.toml", to)
                                         : fmt::format("did you mean \"{}\"?", near)));
  }
  const std::string_view kind = call == "send_email" ? "email" : call;
  const Channel* other = nullptr;
  for (const auto& [name, channel] : channels) {
    if (!channel.is_default) continue;
    if (channel.kind == kind) return &channel;
    if (default_group(channel.kind) != channel.kind) other = &channel;
  }
  if (other != nullptr) return other;
  return fail(ErrorCode::not_found,
              fmt::format("no channel takes {}: hastur.toml has no [notify.NAME] with kind = "
                          "\"{}\" and default = true",
                          call, kind));
}

}  // namespace hastur
