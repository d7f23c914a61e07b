#include "trigger-runtime/cage/cage.h"

#include <unistd.h>

#include "trigger-runtime/cage/walls.h"

namespace hastur {

CageReport enter_cage(const CageOptions& options) {
  CageReport report;
  const auto build = [&report](const Result<void>& wall) {
    if (!wall) report.missing.push_back(wall.error().message);
  };
  const pid_t parent = getppid();
  Namespaces namespaces;
  // As root the namespaces want the privileges that the change of user gives up; as an ordinary
  // user, or as a root that may not, they come with a namespace of users.
  const bool left = namespaces.leave().has_value();
  build(become_nobody());
  if (!left) build(namespaces.leave());
  build(drop_capabilities());
  build(die_with_parent(parent));
  build(forbid_new_privileges());
  build(deny_files());
  build(close_descriptors(options.control));
  build(limit_resources());
  build(filter_system_calls(options.control));
  return report;
}

}  // namespace hastur
