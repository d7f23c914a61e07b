---@meta _
-- What a trigger has, for editors that know LuaLS annotations (../.luarc.json points here). It is no trigger and never
-- runs. A test keeps it to what the sandbox really has; ../README.md explains it.

-- Messages and ticks ------------------------------------------------------------------------------------------------

---A time in microseconds since 1970, UTC.
---@alias hastur.Time number

---A value that JSON has. null is hastur.null.
---@alias hastur.Json string|number|boolean|table|lightuserdata

---@alias hastur.Type "gauge"|"counter"|"mark"|"compound"|"event"|"log"|"error"|"hb_process"|"hb_agent"|"reg_agent"|"reg_process"|"info_process"|"info_agent"|"info_ohai"

---One level: values are strings, numbers, booleans or hastur.null.
---@alias hastur.Labels table<string, string|number|boolean|lightuserdata>

---The message that a callback is called for. Read-only; dead when the callback has returned.
---@class hastur.Msg
---@field type hastur.Type
---@field name string|nil
---@field value any by type: gauge, counter a number; mark a string or hastur.null; compound a table
---@field timestamp hastur.Time when it was sent, by the sender's clock
---@field received_at hastur.Time when it was received; never goes back
---@field uuid string the sending host
---@field hostname string|nil the sender's, as last registered
---@field host string hostname, else uuid
---@field labels hastur.Labels empty if there are none; read-only
---@field subject string|nil of events, logs
---@field body string|nil of events
---@field attn string[]|nil of events: for whom
---@field data any of logs, errors, registrations, infos
---@field timeout number|nil of heartbeats, in seconds
---@field tag any of infos
---@field ipv4 any of registrations
---@field nodename any of registrations
---@field error any of errors
---@field class any of errors
---@field backtrace any of errors
---@field script any of errors of triggers, as line, minute and count: where calls failed, when and how often
---@field line any
---@field minute any
---@field count any
---@field [string] any any other field of the message's body; nil where absent
local Msg = {}

---The message as a table of your own, which may be kept in the state.
---@return table
function Msg:to_table() end

---The message as a JSON text.
---@return string
function Msg:to_json() end

---What ctx:every calls its function with.
---@class hastur.Tick
---@field time hastur.Time the last multiple of the period
---@field missed integer how many multiples before it had no call of their own
---@field deaf number microseconds for which nothing could be heard: our silence, not theirs

-- Filters -----------------------------------------------------------------------------------------------------------

---@class hastur.Range
---@field above number|nil
---@field below number|nil
---@field at_least number|nil
---@field at_most number|nil

---Equals; in texts * is any run of characters; a list: any of; true: exists; false: absent.
---@alias hastur.TextCondition string|boolean|lightuserdata|(string|boolean|lightuserdata)[]
---The same, JSON-typed (5 is not "5"), or bounds of a number.
---@alias hastur.Condition string|number|boolean|lightuserdata|(string|number|boolean|lightuserdata)[]|hastur.Range

---All that is given must hold. An empty filter takes every message.
---@class hastur.Filter
---@field name hastur.TextCondition|nil
---@field value hastur.Condition|nil
---@field type hastur.Type|hastur.Type[]|boolean|nil
---@field attn string|string[]|boolean|nil a list: all of them, in any order
---@field subject hastur.TextCondition|nil
---@field labels table<string, hastur.Condition>|nil
---@field uuid hastur.TextCondition|nil without *
---@field hostname hastur.TextCondition|nil
---@field none_of hastur.Filter|hastur.Filter[]|nil what is left out
---@field own boolean|nil whether messages that this trigger derived come too

---@alias hastur.OnMessage fun(msg: hastur.Msg)
---@alias hastur.OnTick fun(tick: hastur.Tick)

-- The trigger -------------------------------------------------------------------------------------------------------

---@class hastur.TriggerOptions
---@field state table<string, hastur.Json>|nil the state of a first run
---@field state_bytes_max integer|string|nil how large the state may be, such as "16MiB"
---@field own boolean|nil whether messages that this trigger derived come back to it
---@field isolation "shared"|"process"|nil "process" gives the trigger a worker of its own

---What hastur.trigger gives: subscriptions while the script is loaded, the state in callbacks. What is no method is a
---key of the state: ctx.total is ctx.state.total.
---@class hastur.Ctx
---@field state table<string, any> what the trigger remembers; JSON only
---@field [string] any
local Ctx = {}

---Calls fn for each gauge that the filter takes.
---@param filter hastur.Filter
---@param fn hastur.OnMessage
function Ctx:gauges(filter, fn) end

---Calls fn for each counter that the filter takes. msg.value is the delta.
---@param filter hastur.Filter
---@param fn hastur.OnMessage
function Ctx:counters(filter, fn) end

---Calls fn for each mark that the filter takes.
---@param filter hastur.Filter
---@param fn hastur.OnMessage
function Ctx:marks(filter, fn) end

---Calls fn for each compound that the filter takes.
---@param filter hastur.Filter
---@param fn hastur.OnMessage
function Ctx:compounds(filter, fn) end

---Hastur's spelling of ctx:compounds.
---@param filter hastur.Filter
---@param fn hastur.OnMessage
function Ctx:compound(filter, fn) end

---Calls fn for each event that the filter takes.
---@param filter hastur.Filter
---@param fn hastur.OnMessage
function Ctx:events(filter, fn) end

---Calls fn for each log that the filter takes.
---@param filter hastur.Filter
---@param fn hastur.OnMessage
function Ctx:logs(filter, fn) end

---Calls fn for each error that the filter takes.
---@param filter hastur.Filter
---@param fn hastur.OnMessage
function Ctx:errors(filter, fn) end

---Calls fn for each heartbeat of a process (hb_process) that the filter takes.
---@param filter hastur.Filter
---@param fn hastur.OnMessage
function Ctx:process_heartbeats(filter, fn) end

---Hastur's spelling of ctx:process_heartbeats.
---@param filter hastur.Filter
---@param fn hastur.OnMessage
function Ctx:hb_processes(filter, fn) end

---Calls fn for each heartbeat of an agent (hb_agent) that the filter takes.
---@param filter hastur.Filter
---@param fn hastur.OnMessage
function Ctx:agent_heartbeats(filter, fn) end

---Hastur's spelling of ctx:agent_heartbeats.
---@param filter hastur.Filter
---@param fn hastur.OnMessage
function Ctx:hb_agents(filter, fn) end

---Calls fn for each registration (reg_agent, reg_process) that the filter takes.
---@param filter hastur.Filter
---@param fn hastur.OnMessage
function Ctx:registrations(filter, fn) end

---Calls fn for each info (info_process, info_agent, info_ohai) that the filter takes.
---@param filter hastur.Filter
---@param fn hastur.OnMessage
function Ctx:infos(filter, fn) end

---Calls fn for each message of any type that the filter takes.
---@param filter hastur.Filter
---@param fn hastur.OnMessage
function Ctx:messages(filter, fn) end

---Calls fn at each multiple of the period, in UTC: "second", "minute", "hour", "day", "week" (Monday), or whole seconds
---such as "30s", "5m". Whole days may have { at = "07:30" } before fn.
---@param period string
---@param fn hastur.OnTick
---@overload fun(self: hastur.Ctx, period: string, options: { at: string }, fn: hastur.OnTick)
function Ctx:every(period, fn) end

---Converts the state of another version: fn is given that state, a plain table, and the version; what it returns is the
---state from there on. Runs once, before the first input of this version. What it raises refuses the version.
---@param fn fun(state: table, version: string): table
function Ctx:migrate(fn) end

---Takes over the state of the trigger that had this name: "billing/old_name".
---@param name string
function Ctx:was(name) end

---Keeps a value for each key, and when each was touched last. The name is where the state stands: "hosts" in
---ctx.state["@keyed.hosts"]. Keys that are not touched for `forget` go; over `max` the one longest untouched goes. `new`
---is the value of a key that at() makes; {} if absent.
---@param name string
---@param options { forget?: string, max?: integer, new?: hastur.Json }
---@return hastur.Keyed
function Ctx:keyed(name, options) end

---Keeps what came in lately, by key: of a `span` of time, in slots (span/60, at least a second), or the `last` values.
---The name is where the state stands: "errors" in ctx.state["@window.errors"].
---@param name string
---@param options { span: string, slot?: string }|{ last: integer }
---@return hastur.Window
function Ctx:window(name, options) end

---Lets each key pass n times in a span that begins with its first pass. For mails and logs.
---@param name string
---@param options { n: integer, per: string }
---@return hastur.Throttle
function Ctx:throttle(name, options) end

---Pages and resolves, by key, with PagerDuty's incident key "TRIGGER/NAME/KEY". What goes out is decided once, at the
---next tick. The name is where the state stands: "rate" in ctx.state["@alert.rate"].
---@param name string
---@param options hastur.AlertOptions
---@return hastur.Alert
function Ctx:alert(name, options) end

---@class hastur.AlertOptions
---@field raise? hastur.Range|string|number|(string|number)[] Values that raise it, in the words of filters.
---@field clear? hastur.Range|string|number|(string|number)[] Values that clear it; those that do not raise it if absent.
---@field raise_after? string It must be raised for so long before it is paged.
---@field clear_after? string It must be clear for so long before it is resolved.
---@field again? string It is paged again so long after the last page.
---@field stale? string It is resolved as "no data" if nothing was said of the key for so long.
---@field flap? { changes: integer, span: string } With so many changes in the span: one page, then none until it is steady.
---@field burst? integer If more are open at once: one page for all. 1000 if absent.
---@field to? string A configured channel.
---@field severity? "critical"|"error"|"warning"|"info"

-- Helpers -----------------------------------------------------------------------------------------------------------

---A key: numbers become their text.
---@alias hastur.Key string|number

---What ctx:keyed makes. Its functions are for callbacks, but silent.
---@class hastur.Keyed
local Keyed = {}

---The key's value. Makes the key, with a copy of `new`, and touches it. A table may be changed in place.
---@param key hastur.Key
---@return any
function Keyed:at(key) end

---Makes the key and touches it.
---@param key hastur.Key
function Keyed:touch(key) end

---Gives the key a value (nil: none) and touches it; returns the value before.
---@param key hastur.Key
---@param value any
---@return any
function Keyed:swap(key, value) end

---The key's value, or nil. Does not touch it.
---@param key hastur.Key
---@return any
function Keyed:peek(key) end

---Removes the key.
---@param key hastur.Key
function Keyed:drop(key) end

---Walks all keys and their values, in the order of the keys: for key, value in hosts:each() do.
---@return fun(): string, any
function Keyed:each() end

---How many keys there are.
---@return integer
function Keyed:count() end

---Calls fn once for each key that was not touched for so long, until it is touched again. At the top of the file.
---@param after string
---@param fn fun(key: string, value: any, info: { since: hastur.Time, silent_for: number })
function Keyed:silent(after, fn) end

---What ctx:window makes. `span` of its functions is a shorter one that ends now; the last values have none. A span covers
---the slots from the one in which it begins: asked where a slot ends exactly the span, in between up to one slot more.
---@class hastur.Window
local Window = {}

---What each() yields with a key; mean, min, max and stddev are nil when empty. min, max and stddev are kept only if the
---script names them.
---@class hastur.WindowView
---@field count number the sum of the weights
---@field sum number
---@field mean number|nil
---@field min number|nil
---@field max number|nil
---@field stddev number|nil
---@field rate number|nil the sum, per second that is covered

---Adds a value (true is 1, false 0) where msg.timestamp lies; too old a one is left out. A weight counts it so often.
---@param key hastur.Key
---@param value number|boolean
---@param weight? number
function Window:add(key, value, weight) end

---The sum of the weights.
---@param key hastur.Key
---@param span? string
---@return number
function Window:count(key, span) end

---The sum of the values.
---@param key hastur.Key
---@param span? string
---@return number
function Window:sum(key, span) end

---Their mean; nil when empty.
---@param key hastur.Key
---@param span? string
---@return number|nil
function Window:mean(key, span) end

---The lowest; nil when empty.
---@param key hastur.Key
---@param span? string
---@return number|nil
function Window:min(key, span) end

---The highest; nil when empty.
---@param key hastur.Key
---@param span? string
---@return number|nil
function Window:max(key, span) end

---Their standard deviation; nil when empty.
---@param key hastur.Key
---@param span? string
---@return number|nil
function Window:stddev(key, span) end

---The sum of the values, per second that is covered, whenever the first of them came.
---@param key hastur.Key
---@param span? string
---@return number
function Window:rate(key, span) end

---The value that so many percent do not exceed, to 3.2 % of it; nil when empty.
---@param key hastur.Key
---@param percent number
---@param span? string
---@return number|nil
function Window:percentile(key, percent, span) end

---Where the line through the means of the slots will be, so far ahead; nil before there is half a span of them.
---@param key hastur.Key
---@param ahead string
---@return number|nil
function Window:predict(key, ahead) end

---Whether there are as many values as are kept. Only of the last values.
---@param key hastur.Key
---@return boolean
function Window:full(key) end

---Removes the key.
---@param key hastur.Key
function Window:drop(key) end

---Walks the keys that have anything in the span, in their order: for key, w in errors:each("1m") do.
---@param span? string
---@return fun(): string, hastur.WindowView
function Window:each(span) end

---What ctx:alert makes. Its functions are for callbacks.
---@class hastur.Alert
local Alert = {}

---Says how it stands with the key: a value that `raise` and `clear` judge, or true (raised) and false (clear).
---@param key hastur.Key
---@param value number|string|boolean
---@param text string
---@param details? table
function Alert:set(key, value, text, details) end

---The same as set(key, true, …).
---@param key hastur.Key
---@param text string
---@param details? table
function Alert:raise(key, text, details) end

---The same as set(key, false, …).
---@param key hastur.Key
---@param text? string
---@param details? table
function Alert:clear(key, text, details) end

---Whether it is open for the key, paged or not.
---@param key hastur.Key
---@return boolean
function Alert:is_open(key) end

---What ctx:throttle makes.
---@class hastur.Throttle
local Throttle = {}

---Whether the key may pass now; then it has.
---@param key hastur.Key
---@return boolean
function Throttle:allow(key) end

-- hastur ------------------------------------------------------------------------------------------------------------

hastur = {}

---null of JSON. Stands where nil would leave nothing. It is not nil: a test `if x then` takes it for true.
---@type lightuserdata
hastur.null = nil

---Makes this file a trigger. Once, at the top of the file.
---@param options? hastur.TriggerOptions
---@return hastur.Ctx
function hastur.trigger(options) end

---The stream time of this input. Not the clock of any machine.
---@return hastur.Time
function hastur.now() end

---Writes a time in UTC: RFC 3339, or by the format's %Y %m %d %H %M %S %f %F %T %j %A %a %B %b %w %%.
---@param time hastur.Time
---@param format? string
---@return string
function hastur.utc(time, format) end

---A span in microseconds: "500ms", "30s", "5m", "2h", "1d", "1w", "1h30m".
---@param span string
---@return number
function hastur.us(span) end

---Derives a gauge.
---@param name string
---@param value number
---@param labels? hastur.Labels
function hastur.gauge(name, value, labels) end

---Derives a counter.
---@param name string
---@param value? number the delta; 1 if absent
---@param labels? hastur.Labels
function hastur.counter(name, value, labels) end

---Derives a mark.
---@param name string
---@param value? string
---@param labels? hastur.Labels
function hastur.mark(name, value, labels) end

---Derives an event.
---@param name string
---@param subject? string
---@param body? string
---@param attn? string[] for whom
---@param labels? hastur.Labels
function hastur.event(name, subject, body, attn, labels) end

---Derives a heartbeat of a process. The timeout may be left out: labels then stand third.
---@param name string
---@param value? number
---@param timeout? number seconds
---@param labels? hastur.Labels
---@overload fun(name: string, value: number|nil, labels: hastur.Labels)
function hastur.heartbeat(name, value, timeout, labels) end

---Hastur's spelling of hastur.heartbeat.
---@param name string
---@param value? number
---@param timeout? number seconds
---@param labels? hastur.Labels
---@overload fun(name: string, value: number|nil, labels: hastur.Labels)
function hastur.hb_process(name, value, timeout, labels) end

---Derives a compound.
---@param name string
---@param value table
---@param labels? hastur.Labels
function hastur.compound(name, value, labels) end

---Writes a line to the trigger's log.
---@param ... any
function hastur.log(...) end

-- Notifications -----------------------------------------------------------------------------------------------------

---A field that a call does not take is an error.
---@class hastur.NotificationOptions
---@field to string|nil the name of a configured channel; absent: the kind's default
---@field action "trigger"|"acknowledge"|"resolve"|nil trigger if absent
---@field severity "critical"|"error"|"warning"|"info"|nil

---@class hastur.PagerDutyOptions: hastur.NotificationOptions
---@field source string|nil
---@field component string|nil
---@field group string|nil
---@field class string|nil
---@field client string|nil
---@field client_url string|nil
---@field links table[]|nil
---@field images table[]|nil

---Those that have no key among their arguments take one here: it names the incident.
---@class hastur.KeyedOptions: hastur.NotificationOptions
---@field key string|nil

---@class hastur.EmailOptions: hastur.KeyedOptions
---@field cc string|string[]|nil
---@field bcc string|string[]|nil

---@class hastur.WebHookOptions: hastur.KeyedOptions
---@field text string|nil the line that people read
---@field details table|nil
---@field method "POST"|"PUT"|"PATCH"|"DELETE"|"GET"|nil
---@field headers table<string, string>|nil none that carries a secret: those are the channel's
---@field body any

---Beside ours, those of Slack's incoming web hooks.
---@class hastur.SlackOptions: hastur.KeyedOptions
---@field details table|nil
---@field blocks table[]|nil
---@field attachments table[]|nil
---@field username string|nil
---@field channel string|nil
---@field icon_emoji string|nil
---@field icon_url string|nil
---@field link_names boolean|nil
---@field metadata table|nil
---@field mrkdwn boolean|nil
---@field parse string|nil
---@field replace_original boolean|nil
---@field response_type string|nil
---@field thread_ts string|nil
---@field unfurl_links boolean|nil
---@field unfurl_media boolean|nil

---Pages someone. The key names the incident: the same key again is the same incident.
---@param incident_key string
---@param description string
---@param details? table
---@param options? hastur.PagerDutyOptions
function pager_duty(incident_key, description, details, options) end

---Sends a mail.
---@param recipients string|string[]
---@param subject string
---@param body? string
---@param options? hastur.EmailOptions
function send_email(recipients, subject, body, options) end

---Calls a web hook.
---@param url string http:// or https://
---@param options? hastur.WebHookOptions
function web_hook(url, options) end

---Writes to Slack.
---@param text string
---@param options? hastur.SlackOptions
function slack(text, options) end

---Sends an alert to Alertmanager. The sorted labels name the incident.
---@param labels table<string, string>
---@param annotations? table<string, string> summary or description is the line that people read
---@param options? hastur.NotificationOptions
function alertmanager(labels, annotations, options) end

-- Lua ---------------------------------------------------------------------------------------------------------------

---Writes a line to the trigger's log.
---@param ... any
function print(...) end

---Gives what lib/x.lua of this repo returned, for "lib.x". Nothing else can be loaded. At the top of the file only.
---@param name string
---@return any
function require(name) end

---Raises the message unless v is true.
---@generic T
---@param v? T
---@param message? any
---@param ... any
---@return T, any ...
function assert(v, message, ...) end

---Raises an error: the callback ends and leaves no trace.
---@param message any
---@param level? integer
function error(message, level) end

---The metatable of a table; false for what is not yours.
---@param object any
---@return table|false|nil
function getmetatable(object) end

---Walks 1, 2, 3 … up to the first nil.
---@generic T
---@param list T[]
---@return fun(list: T[], i?: integer): integer, T
---@return T[]
---@return integer
function ipairs(list) end

---The key after `key`, in the order of pairs, and its value.
---@generic K, V
---@param t table<K, V>
---@param key? K
---@return K|nil, V|nil
function next(t, key) end

---Walks a table in one order everywhere: numbers ascending, then strings by bytes, then booleans.
---@generic K, V
---@param t table<K, V>
---@return fun(t: table<K, V>, key?: K): K, V
---@return table<K, V>
---@return nil
function pairs(t) end

---Calls f and catches what it raises, but for an over-run limit.
---@param f function
---@param ... any
---@return boolean success
---@return any ...
function pcall(f, ...) end

---Whether both are the same, without __eq.
---@param a any
---@param b any
---@return boolean
function rawequal(a, b) end

---The entry of a table, without __index.
---@param t table
---@param key any
---@return any
function rawget(t, key) end

---The arguments from the n-th on, or their number for "#".
---@param n integer|"#"
---@param ... any
---@return any ...
function select(n, ...) end

---Sets the metatable of a table. Without __gc, __mode and __metatable.
---@param t table
---@param metatable table|nil
---@return table t
function setmetatable(t, metatable) end

---The number that a text writes, or nil. Never nan or infinity.
---@param value any
---@param base? integer
---@return number|nil
function tonumber(value, base) end

---A value as a text. Tables and functions show no address.
---@param value any
---@return string
function tostring(value) end

---"nil", "boolean", "number", "string", "table", "function" or "userdata".
---@param value any
---@return string
function type(value) end

---The entries from i to j, each as a value of its own.
---@param list table
---@param i? integer
---@param j? integer
---@return any ...
function unpack(list, i, j) end

---As pcall, with a handler that is given the error.
---@param f function
---@param handler function
---@param ... any
---@return boolean success
---@return any ...
function xpcall(f, handler, ...) end

-- string ------------------------------------------------------------------------------------------------------------

---@class stringlib
string = {}

---The bytes from i to j as numbers.
---@param s string
---@param i? integer
---@param j? integer
---@return integer ...
function string.byte(s, i, j) end

---The text of these bytes.
---@param ... integer
---@return string
function string.char(...) end

---Where the pattern is found first: begin, end, captures.
---@param s string
---@param pattern string
---@param from? integer
---@param plain? boolean take the pattern as it is written
---@return integer|nil, integer|nil, string ...
function string.find(s, pattern, from, plain) end

---Fills in a format. %p does not exist.
---@param format string
---@param ... any
---@return string
function string.format(format, ...) end

---Walks the matches of a pattern.
---@param s string
---@param pattern string
---@return fun(): string, ...
function string.gmatch(s, pattern) end

---Replaces what the pattern matches; also gives how often.
---@param s string
---@param pattern string
---@param replacement string|table|function
---@param n? integer at most
---@return string, integer
function string.gsub(s, pattern, replacement, n) end

---The number of bytes.
---@param s string
---@return integer
function string.len(s) end

---In lower case.
---@param s string
---@return string
function string.lower(s) end

---The captures of the first match, or all of it; nil if there is none.
---@param s string
---@param pattern string
---@param from? integer
---@return string|nil ...
function string.match(s, pattern, from) end

---The text n times.
---@param s string
---@param n integer
---@param separator? string
---@return string
function string.rep(s, n, separator) end

---The bytes backwards.
---@param s string
---@return string
function string.reverse(s) end

---The bytes from i to j.
---@param s string
---@param i integer
---@param j? integer
---@return string
function string.sub(s, i, j) end

---In upper case.
---@param s string
---@return string
function string.upper(s) end

-- table -------------------------------------------------------------------------------------------------------------

table = {}

---Joins texts and numbers.
---@param list table
---@param separator? string
---@param i? integer
---@param j? integer
---@return string
function table.concat(list, separator, i, j) end

---Puts a value at the end, or at a position.
---@param list table
---@param value any
---@overload fun(list: table, position: integer, value: any)
function table.insert(list, value) end

---Takes out the last value, or the one at a position.
---@param list table
---@param position? integer
---@return any
function table.remove(list, position) end

---Sorts in place; equal values keep their order.
---@generic T
---@param list T[]
---@param less? fun(a: T, b: T): boolean
function table.sort(list, less) end

-- math --------------------------------------------------------------------------------------------------------------

math = {}

---@type number
math.huge = nil
---@type number
math.pi = nil

---The absolute value.
---@param x number
---@return number
function math.abs(x) end

---The arc cosine, in radians.
---@param x number
---@return number
function math.acos(x) end

---The arc sine, in radians.
---@param x number
---@return number
function math.asin(x) end

---The arc tangent, in radians.
---@param x number
---@return number
function math.atan(x) end

---The arc tangent of y/x, in radians, in the quadrant of both.
---@param y number
---@param x number
---@return number
function math.atan2(y, x) end

---The smallest whole number that is not below x.
---@param x number
---@return number
function math.ceil(x) end

---The cosine of x radians.
---@param x number
---@return number
function math.cos(x) end

---The hyperbolic cosine.
---@param x number
---@return number
function math.cosh(x) end

---Radians in degrees.
---@param x number
---@return number
function math.deg(x) end

---e to the power of x.
---@param x number
---@return number
function math.exp(x) end

---The largest whole number that is not above x.
---@param x number
---@return number
function math.floor(x) end

---The remainder of x/y, rounded towards zero.
---@param x number
---@param y number
---@return number
function math.fmod(x, y) end

---x as m * 2^e.
---@param x number
---@return number m
---@return integer e
function math.frexp(x) end

---m * 2^e.
---@param m number
---@param e integer
---@return number
function math.ldexp(m, e) end

---The natural logarithm, or that to a base.
---@param x number
---@param base? number
---@return number
function math.log(x, base) end

---The logarithm to base 10.
---@param x number
---@return number
function math.log10(x) end

---The largest.
---@param x number
---@param ... number
---@return number
function math.max(x, ...) end

---The smallest.
---@param x number
---@param ... number
---@return number
function math.min(x, ...) end

---The whole part and the rest.
---@param x number
---@return number whole
---@return number rest
function math.modf(x) end

---x to the power of y.
---@param x number
---@param y number
---@return number
function math.pow(x, y) end

---Degrees in radians.
---@param x number
---@return number
function math.rad(x) end

---A number in [0, 1), a whole one of 1 to m, or of m to n. The same in every replay of this input.
---@param m? integer
---@param n? integer
---@return number
function math.random(m, n) end

---Raises: math.random is seeded from the trigger, its run and the input.
---@deprecated
function math.randomseed() end

---The sine of x radians.
---@param x number
---@return number
function math.sin(x) end

---The hyperbolic sine.
---@param x number
---@return number
function math.sinh(x) end

---The square root.
---@param x number
---@return number
function math.sqrt(x) end

---The tangent of x radians.
---@param x number
---@return number
function math.tan(x) end

---The hyperbolic tangent.
---@param x number
---@return number
function math.tanh(x) end

-- bit ----------------------------------------------------------------------------------------------------------------

bit = {}

---Shifts right by n, keeping the sign.
---@param x integer
---@param n integer
---@return integer
function bit.arshift(x, n) end

---All bits that are set in each.
---@param x integer
---@param ... integer
---@return integer
function bit.band(x, ...) end

---All bits that are set in any.
---@param x integer
---@param ... integer
---@return integer
function bit.bor(x, ...) end

---All bits that are set in an odd number of them.
---@param x integer
---@param ... integer
---@return integer
function bit.bxor(x, ...) end

---All bits turned.
---@param x integer
---@return integer
function bit.bnot(x) end

---The four bytes backwards.
---@param x integer
---@return integer
function bit.bswap(x) end

---Shifts left by n.
---@param x integer
---@param n integer
---@return integer
function bit.lshift(x, n) end

---Rotates left by n.
---@param x integer
---@param n integer
---@return integer
function bit.rol(x, n) end

---Rotates right by n.
---@param x integer
---@param n integer
---@return integer
function bit.ror(x, n) end

---Shifts right by n.
---@param x integer
---@param n integer
---@return integer
function bit.rshift(x, n) end

---The number as 32 bits with a sign.
---@param x number
---@return integer
function bit.tobit(x) end

---The number in hexadecimal, n digits.
---@param x integer
---@param n? integer
---@return string
function bit.tohex(x, n) end

-- os: the clock is not there ----------------------------------------------------------------------------------------

os = {}

---Raises: a trigger's time is hastur.now().
---@deprecated
function os.clock() end

---Raises: a trigger's time is hastur.now().
---@deprecated
function os.date() end

---Raises: a trigger's time is hastur.now().
---@deprecated
function os.difftime() end

---Raises: a trigger's time is hastur.now().
---@deprecated
function os.time() end
