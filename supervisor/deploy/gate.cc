#include "supervisor/deploy/gate.h"

#include <fmt/format.h>

#include "core/time.h"

namespace hastur {

std::unique_ptr<Gate> Gate::begin(Loop& loop, const Options& options, Subject subject,
                                  std::function<void(Verdict)> done) {
  std::unique_ptr<Gate> gate(new Gate(loop, options, std::move(subject), std::move(done)));
  if (gate->subject_.scripts.empty()) {
    gate->tell({true, ""});
  } else if (const auto started = gate->start(); !started) {
    gate->tell({false, started.error().message + "\n", true});
  }
  return gate;
}

Result<void> Gate::start() {
  auto checkout = Checkout::make(options_.folder, subject_.files);
  if (!checkout) return fail(checkout.error());
  checkout_ = std::make_unique<Checkout>(*std::move(checkout));
  BoundedRun::Request request;
  // It says itself what is under way when its time is over.
  request.command = {options_.trigger_test, "--time-max", format_span(options_.time_max)};
  // A path is no flag, whatever it begins with.
  for (const std::string& script : subject_.scripts) request.command.push_back("./" + script);
  request.folder = checkout_->folder();
  request.time_max = options_.time_max + options_.last_words;
  auto run =
      BoundedRun::start(loop_, request, [this](const BoundedRun::Ended& ended) { tested(ended); });
  if (!run) return fail(run.error());
  run_ = *std::move(run);
  return {};
}

void Gate::tested(const BoundedRun::Ended& ended) {
  Verdict verdict{ended.exit_code == 0, ended.output};
  if (!verdict.report.empty() && verdict.report.back() != '\n') verdict.report += '\n';
  if (ended.out_of_time) {
    verdict.report +=
        fmt::format("the tests: {}; a test or a loop in a script has no end\n", ended.how);
  } else if (ended.exit_code != 0 && ended.exit_code != 1) {
    verdict.report += fmt::format("trigger-test ended with {}\n", ended.how);
    // 2: the files themselves are not what it takes. Anything else is a fault of the machine.
    verdict.is_void = ended.exit_code != 2;
  }
  run_.reset();
  const Backtest::Options& wanted = options_.backtest;
  if (!verdict.passed || subject_.pairs.empty() || wanted.exporter.empty() ||
      wanted.window <= Micros{0})
    return tell(std::move(verdict));
  backtest(std::move(verdict));
}

void Gate::backtest(Verdict verdict) {
  Backtest::Options options = options_.backtest;
  options.trigger_test = options_.trigger_test;
  options.folder = options_.folder;
  const Micros left = options_.time_max - (clock_.monotonic() - began_);
  backtest_ = Backtest::begin(loop_, options,
                              {checkout_->folder(), std::move(subject_.pairs),
                               subject_.newest ? subject_.newest() : Sequence{}},
                              left, [this, verdict = std::move(verdict)](Backtest::Found found) {
                                Verdict whole = verdict;
                                whole.report += found.report;
                                whole.passed = !found.blocks;
                                whole.warm = std::move(found.warm);
                                tell(std::move(whole));
                              });
}

void Gate::tell(Verdict verdict) {
  later_ = loop_.after(Micros{0}, [this, verdict = std::move(verdict)] {
    // The call may end this object.
    const auto done = std::move(done_);
    done(verdict);
  });
}

}  // namespace hastur
