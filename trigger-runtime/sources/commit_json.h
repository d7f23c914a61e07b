#pragma once

// A commit with its files as JSON: how a hook hands what is pushed to the supervisor, which cannot
// see the objects of a push before it is accepted.

#include "core/json.h"
#include "core/result.h"
#include "trigger-runtime/sources/repository.h"

namespace hastur {

// {"commit","author","subject","time":µs,"files":{"path":"text"},"problems":["sentence"]}
Json commit_to_json(const CommitFiles& commit);
// The error names the field that is not as it should be. Other fields are passed over.
Result<CommitFiles> commit_from_json(const Json& body);

}  // namespace hastur
