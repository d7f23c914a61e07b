#include "state/deployment.h"

#include <array>

#include "core/enum_names.h"

namespace hastur {
namespace {

// In the order of the enumerators.
constexpr std::array<std::string_view, 5> kind_names = {"directory", "commit", "only", "rollback",
                                                        "restore"};

}  // namespace

std::string_view deployment_kind_name(DeploymentKind kind) {
  return kind_names[static_cast<std::size_t>(kind)];
}

std::optional<DeploymentKind> deployment_kind_from_name(std::string_view name) {
  return enum_from_name<DeploymentKind>(kind_names, name);
}

}  // namespace hastur
