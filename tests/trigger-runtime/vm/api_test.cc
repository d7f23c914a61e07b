// Subscriptions, derived messages, notifications, logs and time, as a script calls them.

#include "core/json.h"
#include "tests/trigger-runtime/vm/test_trigger.h"

namespace hastur::testing {
namespace {

// Runs `body` for one gauge and gives the payloads of its effects, or what it raised.
std::vector<Json> effects_of(const std::string& body, const TriggerOptions& options = {}) {
  TestTrigger trigger(
      "local ctx = hastur.trigger{}\nctx:gauges({}, function(msg)\n" + body + "\nend)\n", options);
  if (!trigger.is_loaded()) return {};
  Stream stream;
  stream.message(1.25,
                 R"({"type":"gauge","name":"load","value":20,"labels":{"app":"x","pid":17}})");
  const TriggerProgress progress = trigger.feed(stream);
  std::vector<Json> out;
  if (progress.stopped) out.emplace_back(progress.stopped->error.error.text);
  for (const Effect& effect : progress.effects) {
    out.push_back(parse_json(effect.payload).value());
    EXPECT_EQ(canonical_json(out.back()), effect.payload);
  }
  return out;
}

Json effect_of(const std::string& body) {
  const std::vector<Json> effects = effects_of(body);
  if (effects.size() != 1) return fmt::format("{} effects", effects.size());
  return effects[0];
}

TEST(Api, NamesTheFunctionOfCtxThatWasMeant) {
  EXPECT_EQ(load_error("local c = hastur.trigger{}\nc:gauge({}, function() end)").text,
            "ctx has no function 'gauge'; did you mean 'gauges'?");
  EXPECT_EQ(load_error("local c = hastur.trigger{}\nc:evry('5s', function() end)").text,
            "ctx has no function 'evry'; did you mean 'every'?");
  EXPECT_NE(load_error("local c = hastur.trigger{}\nlocal n = c.state.total")
                .text.find("ctx.state has no content"),
            std::string::npos);
}

TEST(Subscription, KnowsEverySpelling) {
  TestTrigger trigger(R"lua(
local ctx = hastur.trigger{}
local function f(msg) end
ctx:gauges({}, f) ctx:counters({}, f) ctx:marks({}, f) ctx:compounds({}, f) ctx:compound({}, f) ctx:events({}, f)
ctx:logs({}, f) ctx:errors({}, f) ctx:process_heartbeats({}, f) ctx:hb_processes({}, f)
ctx:agent_heartbeats({}, f) ctx:hb_agents({}, f) ctx:registrations({}, f) ctx:infos({}, f)
ctx:messages({ type = "gauge" }, f)
)lua");
  std::string all;
  for (const SubscriptionSpec& spec : trigger.vm().loaded().subscriptions) {
    for (const MessageType type : spec.types) all += fmt::format("{},", type_name(type));
    all += ' ';
  }
  EXPECT_EQ(all,
            "gauge, counter, mark, compound, compound, event, log, error, hb_process, hb_process, "
            "hb_agent, hb_agent, "
            "reg_agent,reg_process, info_process,info_agent,info_ohai,  ");
}

TEST(Subscription, CarriesItsFilterAsJsonAndItsLine) {
  TestTrigger trigger(R"lua(local ctx = hastur.trigger{ own = true }

ctx:gauges({ name = "a.*", labels = { app = { "x", "y" }, canary = false }, value = { above = 5 } },
           function(msg) end)
ctx:gauges({ own = false }, function(msg) end)
)lua");
  const auto& specs = trigger.vm().loaded().subscriptions;
  ASSERT_EQ(specs.size(), 2u);
  EXPECT_EQ(specs[0].filter,
            R"({"labels":{"app":["x","y"],"canary":false},"name":"a.*","value":{"above":5}})");
  EXPECT_TRUE(specs[0].own);
  EXPECT_EQ(specs[0].line, 3u);
  EXPECT_FALSE(specs[1].own);
  EXPECT_EQ(specs[1].filter, "{}");
  EXPECT_EQ(specs[1].callback, 1u);
}

TEST(Subscription, ThatIsWrongIsALoadErrorWithItsLine) {
  const auto wrong = [](const std::string& line) {
    const ScriptError error = load_error("local ctx = hastur.trigger{}\n\n" + line);
    EXPECT_EQ(error.line, 3u) << line << ": " << error.text;
    return error.text;
  };
  EXPECT_NE(wrong("ctx:gauges({ nam = 'x' }, print)").find("name"), std::string::npos);
  EXPECT_NE(wrong("ctx:gauges({ name = print }, print)").find("the filter.name is a function"),
            std::string::npos);
  EXPECT_NE(wrong("ctx:gauges(print)").find("takes a filter and a function"), std::string::npos);
  EXPECT_NE(wrong("ctx.gauges({}, print)").find("with a colon"), std::string::npos);
  EXPECT_NE(wrong("ctx:gauges({ own = 1 }, print)").find("own must be true or false"),
            std::string::npos);
  EXPECT_NE(wrong("hastur.trigger{}").find("one file is one trigger"), std::string::npos);
  EXPECT_NE(load_error("hastur.trigger{ stat = {} }")
                .text.find("it takes state, state_bytes_max, own and isolation"),
            std::string::npos);
}

TEST(Subscription, IsMadeOnlyWhileTheScriptIsLoaded) {
  EXPECT_NE(run_body("ctx:gauges({}, print)").find("only while the script is loaded"),
            std::string::npos);
  EXPECT_NE(run_body("ctx:every('minute', print)").find("only while the script is loaded"),
            std::string::npos);
  EXPECT_NE(run_body("hastur.trigger{}").find("only while the script is loaded"),
            std::string::npos);
  EXPECT_NE(run_body("require 'lib.x'").find("only while the script is loaded"), std::string::npos);
}

TEST(Effect, IsAnErrorWhileTheScriptIsLoaded) {
  for (const char* line :
       {"print('x')", "hastur.log('x')", "hastur.gauge('a', 1)", "pager_duty('k', 'd')",
        "send_email('a@b', 's', 'b')", "web_hook('http://x')", "slack('x')",
        "alertmanager({ a = 'b' })", "hastur.now()"}) {
    const ScriptError error = load_error(std::string("hastur.trigger{}\n") + line);
    EXPECT_NE(error.text.find("only in a callback"), std::string::npos)
        << line << ": " << error.text;
    EXPECT_EQ(error.line, 2u);
  }
}

TEST(Derived, GaugeHasTheTriggersUuidLabelAndTime) {
  const Json gauge =
      effect_of("hastur.gauge('a.b', 2.5, { app = 'x', n = 1, ok = true, gone = hastur.null })");
  EXPECT_EQ(gauge["type"], "gauge");
  EXPECT_EQ(gauge["name"], "a.b");
  EXPECT_EQ(gauge["value"], 2.5);
  EXPECT_EQ(gauge["uuid"], trigger_uuid("billing/load"));
  EXPECT_EQ(gauge["timestamp"], to_us(at_second(1.25)));
  EXPECT_EQ(gauge["received_at"], to_us(at_second(1.25)));
  EXPECT_EQ(
      gauge["labels"],
      (Json{{"app", "x"}, {"n", 1}, {"ok", true}, {"gone", nullptr}, {"trigger", "billing/load"}}));
}

TEST(Derived, MessagesOfEveryKind) {
  EXPECT_EQ(effect_of("hastur.counter('c')")["value"], 1);
  EXPECT_EQ(effect_of("hastur.counter('c', 5, msg.labels)")["labels"],
            (Json{{"app", "x"}, {"pid", 17}, {"trigger", "billing/load"}}));
  EXPECT_EQ(effect_of("hastur.mark('m', 'deployed')")["value"], "deployed");
  EXPECT_EQ(effect_of("hastur.mark('m')")["value"], nullptr);
  const Json event = effect_of("hastur.event('e', 'subject', 'body', { 'a', 'b' }, { x = 1 })");
  EXPECT_EQ(event["subject"], "subject");
  EXPECT_EQ(event["body"], "body");
  EXPECT_EQ(event["attn"], (Json{"a", "b"}));
  EXPECT_EQ(event["labels"]["x"], 1);
  const Json heartbeat = effect_of("hastur.heartbeat('h', 1, 30, { x = 1 })");
  EXPECT_EQ(heartbeat["type"], "hb_process");
  EXPECT_EQ(heartbeat["timeout"], 30);
  EXPECT_EQ(effect_of("hastur.hb_process('h', nil, { x = 1 })")["labels"]["x"], 1);
  EXPECT_EQ(effect_of("hastur.compound('c', { a = { 1, 2 } })")["value"], (Json{{"a", {1, 2}}}));
  EXPECT_EQ(effect_of("hastur.gauge('g', 1, { trigger = 'forged' })")["labels"]["trigger"],
            "billing/load");
}

TEST(Derived, RefusesWhatIsNoMessage) {
  EXPECT_EQ(effect_of("hastur.gauge('a')"), "hastur.gauge: the value must be a number, got nil");
  EXPECT_EQ(effect_of("hastur.gauge('a', 0/0)"), "hastur.gauge: the value is not finite");
  EXPECT_EQ(effect_of("hastur.gauge(5, 1)"),
            "hastur.gauge: the name must be a string, got a number");
  EXPECT_EQ(effect_of("hastur.gauge('', 1)"), "hastur.gauge: the name is empty");
  EXPECT_EQ(effect_of("hastur.gauge('a', 1, { x = {} })"),
            "hastur.gauge: labels.x must be a string, number or boolean, got a table");
  EXPECT_EQ(effect_of("hastur.compound('a', 1)"),
            "hastur.compound: the value must be a table, got a number");
  EXPECT_EQ(effect_of("hastur.mark('a', 1)"),
            "hastur.mark: the value must be a string, got a number");
}

TEST(Derived, DepthGrowsAndEndsAtEight) {
  TestTrigger trigger(R"lua(
local ctx = hastur.trigger{ own = true }
ctx:gauges({}, function(msg) hastur.gauge("again", 1) end)
)lua");
  Stream stream;
  stream.origin = Origin{"other", hastur::Run{1}, Sequence{1}, 0, 3};
  stream.gauge(0.1, 1);
  EXPECT_EQ(trigger.feed(stream).effects.at(0).depth, 4);
  stream.origin->depth = 7;
  stream.gauge(0.2, 1);
  EXPECT_EQ(trigger.feed(stream).effects.at(0).depth, 8);
  stream.origin->depth = 8;
  stream.gauge(0.3, 1);
  const TriggerProgress progress = trigger.feed(stream);
  ASSERT_TRUE(progress.stopped);
  EXPECT_NE(progress.stopped->error.error.text.find("derived 8 times over"), std::string::npos);
}

TEST(Notification, PagerDuty) {
  EXPECT_EQ(effect_of("pager_duty('k', 'broken', { a = 1, l = msg.labels }, "
                      "{ action = 'resolve', severity = 'warning', to = 'ops', links = {} })"),
            parse_json(R"({"kind":"pager_duty","key":"k","to":"ops","text":"broken",
                "details":{"a":1,"l":{"app":"x","pid":17}},
                "options":{"action":"resolve","severity":"warning","links":{}}})")
                .value());
  EXPECT_EQ(
      effect_of("pager_duty('k', 'broken')"),
      parse_json(
          R"({"kind":"pager_duty","key":"k","to":null,"text":"broken","details":{},"options":{}})")
          .value());
  EXPECT_EQ(effect_of("pager_duty(nil, 'd')"),
            "pager_duty: the incident key must be a string, got nil");
  EXPECT_EQ(effect_of("pager_duty('k')"), "pager_duty: the description must be a string, got nil");
  EXPECT_EQ(effect_of("pager_duty('k', 'd', 'x')"),
            "pager_duty: details must be a table, got a string");
  EXPECT_EQ(effect_of("pager_duty('k', 'd', { m = msg })"),
            "pager_duty: details.m is a msg: use msg:to_table()");
  EXPECT_EQ(effect_of("pager_duty('k', 'd', {}, { action = 'fire' })"),
            "pager_duty: options.action must be one of trigger, acknowledge, resolve, got 'fire'");
  EXPECT_EQ(
      effect_of("local o = { to = 'x' } pager_duty('k', 'd', {}, o) assert(o.to == 'x')")["to"],
      "x");
}

TEST(Notification, EmailWebHookSlackAndAlertmanager) {
  EXPECT_EQ(
      effect_of("send_email('a@b', 'subject', 'body', { key = 'k' })"),
      parse_json(
          R"({"kind":"send_email","key":"k","to":["a@b"],"text":"subject","details":{"body":"body"},
                "options":{}})")
          .value());
  EXPECT_EQ(effect_of("send_email({ 'a@b', 'c@d' }, 's', 'b')")["to"], (Json{"a@b", "c@d"}));
  EXPECT_EQ(effect_of("send_email({}, 's', 'b')"),
            "send_email: the recipients must be an address or a list of addresses, got a table");
  EXPECT_EQ(effect_of("web_hook('https://x/y', { key = 'k', to = 'ci', text = 't', details = { n = "
                      "1 }, method = 'PUT' })"),
            parse_json(R"({"kind":"web_hook","key":"k","to":"ci","text":"t","details":{"n":1},
                "options":{"method":"PUT","url":"https://x/y"}})")
                .value());
  EXPECT_NE(effect_of("web_hook('ftp://x')").get<std::string>().find("must begin with http"),
            std::string::npos);
  for (const char* url : {"https://me:s3cr3t@x/y", "http://me@x", "https:///me:s3cr3t@x/",
                          "https://me:s3cr3t@x?a", "https://me:s3cr3t@x#a"}) {
    const std::string error = effect_of(fmt::format("web_hook('{}')", url));
    EXPECT_NE(error.find("authorization_file"), std::string::npos) << error;
    EXPECT_EQ(error.find("s3cr3t"), std::string::npos) << error;
  }
  EXPECT_EQ(effect_of("web_hook('ftp://me:s3cr3t@x')").get<std::string>().find("s3cr3t"),
            std::string::npos);
  EXPECT_EQ(effect_of("web_hook('https://x/a@b?c@d')")["kind"], "web_hook");
  for (const char* name : {"Authorization", "authorization", "PROXY-Authorization", "Cookie"}) {
    const std::string error = effect_of(fmt::format(
        "web_hook('https://x/', {{ headers = {{ A = 'b', ['{}'] = 's3cr3t' }} }})", name));
    EXPECT_NE(error.find(fmt::format("the header {} ", name)), std::string::npos) << error;
    EXPECT_NE(error.find("authorization_file"), std::string::npos) << error;
    EXPECT_EQ(error.find("s3cr3t"), std::string::npos) << error;
  }
  EXPECT_EQ(
      effect_of("slack('hello', { to = '#ops', key = 'k' })"),
      parse_json(
          R"({"kind":"slack","key":"k","to":"#ops","text":"hello","details":{},"options":{}})")
          .value());
  EXPECT_EQ(effect_of("alertmanager({ b = 'y', a = 'x' }, { summary = 's', description = 'd' }, { "
                      "to = 'am' })"),
            parse_json(R"({"kind":"alertmanager","key":"{a=\"x\",b=\"y\"}","to":"am","text":"s",
                "details":{"annotations":{"description":"d","summary":"s"},"labels":{"a":"x","b":"y"}},"options":{}})")
                .value());
  EXPECT_EQ(effect_of("alertmanager({})"), "alertmanager: there must be at least one label");
  EXPECT_EQ(effect_of("alertmanager({ a = 1 })"),
            "alertmanager: labels must be strings named by strings");
}

TEST(Notification, AnOptionThatNoChannelKnowsIsAnErrorOfTheCall) {
  EXPECT_EQ(effect_of("pager_duty('k', 'd', {}, { severty = 'info' })"),
            "pager_duty: there is no option 'severty'; did you mean 'severity'?");
  EXPECT_EQ(effect_of("slack('t', { zzz = 1, blcks = {}, to = 'x' })"),
            "slack: there is no option 'blcks'; did you mean 'blocks'?");
  EXPECT_EQ(effect_of("alertmanager({ a = 'b' }, {}, { colour = 'red' })"),
            "alertmanager: there is no option 'colour'; it takes action, severity, to");
  EXPECT_EQ(effect_of("alertmanager({ a = 'b' }, {}, { 1 })"),
            "alertmanager: there is no option 'a number'; it takes action, severity, to");
  for (const char* call :
       {"pager_duty('k', 'd', {}, { source = 's', component = 'c', group = 'g', class = 'c', "
        "client = 'c', client_url = 'u', links = { {} }, images = { {} } })",
        "send_email('a@b', 's', 'b', { cc = 'c@d', bcc = { 'e@f' } })",
        "web_hook('http://a', { headers = { A = 'b' }, body = { 1 }, severity = 'info' })",
        "slack('t', { blocks = { {} }, username = 'u', unfurl_links = false })"})
    EXPECT_TRUE(effect_of(call).is_object()) << effect_of(call);
}

TEST(Log, JoinsItsArgumentsAsTexts) {
  EXPECT_EQ(effect_of("print('a', 1, nil, true, {}, hastur.null)"),
            (Json{{"text", "a\t1\tnil\ttrue\ttable\tnull"}}));
  EXPECT_EQ(effect_of("hastur.log('x')"), (Json{{"text", "x"}}));
  EXPECT_EQ(effect_of("hastur.log('\\255')"), (Json{{"text", "\xEF\xBF\xBD"}}));
}

// A key that stood twice would be read as either.
TEST(Effects, HoldEachKeyOnceAlsoWhereKeysAreNotUtf8) {
  const char* repaired = "k\xEF\xBF\xBD";
  const Json details =
      effect_of("pager_duty('p', 'd', { ['k\\254'] = 2, ['k\\128'] = 1, ['k\\255'] = 3, l = 4 })");
  EXPECT_EQ(details["details"].dump(), (Json{{repaired, 1}, {"l", 4}}.dump()));
  const Json message =
      effect_of("hastur.gauge('g', 1, { ['k\\254'] = 2, ['k\\128'] = 1, ['k\\255'] = 3, l = 4 })");
  EXPECT_EQ(message["labels"].dump(),
            (Json{{repaired, 1}, {"l", 4}, {"trigger", "billing/load"}}.dump()));
}

TEST(TimeFunctions, SpeakOfTheInputsTime) {
  EXPECT_EQ(
      run_body("state.now = hastur.now() state.us = hastur.us('1h30m') state.a = "
               "hastur.utc(hastur.now()) "
               "state.b = hastur.utc(hastur.now(), '%a %d %B %Y, day %j, %T.%f %%')"),
      fmt::format(
          R"({{"a":"2024-01-01T00:00:00.5Z","b":"Mon 01 January 2024, day 001, 00:00:00.500000 %",)"
          R"("now":{},"us":5400000000}})",
          to_us(at_second(0.5))));
  EXPECT_NE(run_body("hastur.us('soon')").find("not a span of time"), std::string::npos);
  EXPECT_NE(run_body("hastur.utc(hastur.now(), '%Q')").find("hastur.utc knows"), std::string::npos);
  EXPECT_NE(run_body("hastur.utc('x')").find("microseconds"), std::string::npos);
}

}  // namespace
}  // namespace hastur::testing
