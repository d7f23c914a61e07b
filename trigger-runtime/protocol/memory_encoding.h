#pragma once

// The encoding of what stands in commands and replies alike.

#include "message/msgpack.h"
#include "trigger-runtime/protocol/commands.h"
#include "trigger-runtime/protocol/encoding.h"
#include "trigger-runtime/protocol/field_reader.h"

namespace hastur {

// All texts are byte strings: what a script says need not be UTF-8.
inline void put_region(MsgpackWriter& out, const Region& region) {
  out.unsigned_integer(region.offset);
  out.unsigned_integer(region.bytes);
}

inline Region take_region(FieldReader& in) {
  Region region;
  region.offset = in.u64();
  region.bytes = in.u64();
  return region;
}

inline void put_time(MsgpackWriter& out, Time time) { out.integer(to_us(time)); }

inline void put_memory(MsgpackWriter& out, const Memory& memory) {
  out.array(4);
  out.unsigned_integer(memory.sequence.value);
  put_time(out, memory.time);
  out.bytes(memory.state);
  out.bytes(memory.runtime);
}

inline Memory take_memory(FieldReader& in) {
  Memory memory;
  in.fields(4);
  memory.sequence = in.sequence();
  memory.time = in.time();
  memory.state = in.text();
  memory.runtime = in.text();
  return memory;
}

inline void put_error(MsgpackWriter& out, const ScriptError& error) {
  out.bytes(error.text);
  out.bytes(error.script);
  out.unsigned_integer(error.line);
}

inline ScriptError take_error(FieldReader& in) {
  ScriptError error;
  error.text = in.text();
  error.script = in.text();
  error.line = in.u32();
  return error;
}

}  // namespace hastur
