#pragma once

// The descriptors that a trigger-worker is started with.

namespace hastur {

// SOCK_SEQPACKET, for notices.
inline constexpr int control_descriptor = 3;
// The input memory, which can only be read.
inline constexpr int inputs_descriptor = 4;
// The worker's own memory: the status page, then replies.
inline constexpr int output_descriptor = 5;

}  // namespace hastur
