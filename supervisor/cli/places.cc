#include "supervisor/cli/places.h"

#include "core/settings.h"

namespace hastur {

Result<Places> read_places(const std::string& file) {
  Places places;
  Settings settings;
  settings.pass_over_unknown();
  settings.section("supervisor").text("http", &places.http, "", false);
  settings.section("syndicator").text("udp", &places.udp, "", false);
  const auto read = settings.read_file(file);
  if (!read && read.error().code != ErrorCode::not_found) return fail(read.error());
  return places;
}

}  // namespace hastur
