// trigger-worker: runs triggers for the process that started it, in a cage.

#include <cstdio>
#include <string_view>

#include "core/output.h"
#include "trigger-runtime/cage/cage.h"
#include "trigger-runtime/protocol/descriptors.h"
#include "trigger-runtime/worker/channel.h"
#include "trigger-runtime/worker/dispatcher.h"

namespace {

using namespace hastur;

Result<void> serve() {
  Result<std::unique_ptr<Channel>> opened = Channel::open();
  if (!opened) return fail(opened.error());
  Channel& channel = **opened;

  CageReport cage = enter_cage({control_descriptor});
  HASTUR_TRY(channel.say_hello({protocol_version, std::move(cage.missing)}));

  Dispatcher dispatcher(channel);
  while (true) {
    const auto received = channel.receive();
    if (!received) return fail(received.error());
    if (!*received) return {};
    const Result<WorkerReply> reply = dispatcher.answer((*received)->command);
    if (!reply) return fail(reply.error());
    HASTUR_TRY(channel.reply((*received)->number, *reply));
  }
}

}  // namespace

int main(int argc, char** argv) {
  if (argc > 1) {
    const std::string_view argument = argv[1];
    std::puts(argument == "--version"
                  ? "trigger-worker " HASTUR_VERSION
                  : "trigger-worker runs triggers in a cage. supervisor and trigger-test start it; "
                    "it takes no arguments.");
    return end_output("trigger-worker", argument == "--version" || argument == "--help" ? 0 : 2);
  }
  if (const Result<void> served = serve(); !served) {
    std::fprintf(stderr, "%s\n", served.error().message.c_str());
    return 1;
  }
  return 0;
}
