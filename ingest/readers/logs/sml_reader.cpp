#include <fmt/format.h>

#include <algorithm>
#include <optional>
#include <set>
#include <unordered_map>

#include "engine/core/text.h"
#include "ingest/readers/attributes.h"
#include "ingest/readers/logs/log_reader.h"
#include "ingest/readers/logs/rules.h"
#include "ingest/readers/logs/sml.h"

namespace yieldloop::ingest {
namespace {

constexpr std::size_t kBatchRows = 1U << 16U;

using Variables = std::map<std::string, std::string>;

std::string_view as_text(Bytes bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

/// Rows of one table, filled cell by cell under its rules.
class TableRows {
 public:
  TableRows(std::string_view table, const TimeZone& zone)
      : schema_(*store::find_table(table)),
        rules_(schema_, nullptr, zone),
        batch_(store::Table::of(table)) {}

  void begin() {
    rules_.begin();
    texts_.clear();
  }
  std::optional<Refusal> set(std::string_view column, std::string text) {
    const auto it = std::ranges::find(schema_.columns, column, &store::ColumnSchema::name);
    texts_.push_back(std::make_unique<std::string>(std::move(text)));
    return rules_.set(static_cast<std::size_t>(it - schema_.columns.begin()), *texts_.back());
  }
  std::optional<Refusal> finish(std::uint64_t line, std::string_view attributes) {
    rules_.set_attributes(attributes);
    if (auto refusal = rules_.check()) return refusal;
    rules_.append(batch_);
    batch_[store::kSourceRowColumn].add_int(static_cast<std::int64_t>(line));
    return std::nullopt;
  }
  store::Table take() {
    batch_.finish_row();
    return std::exchange(batch_, store::Table::of(schema_.name));
  }
  std::size_t rows() const { return batch_.rows(); }

 private:
  const store::TableSchema& schema_;
  RowRules rules_;
  store::Table batch_;
  std::vector<std::unique_ptr<std::string>> texts_;
};

/// A state whose end is not known yet.
struct OpenState {
  const SmlEvent* event = nullptr;
  Variables variables;
  UtcMicros since;
  SmlMessage message;
};

class SmlRows {
 public:
  SmlRows(const SmlMapping& mapping, const TimeZone& zone, store::RowSink& sink, Rejects& rejects)
      : mapping_(mapping),
        zone_(zone),
        sink_(sink),
        rejects_(rejects),
        states_("equipment_states", zone),
        maintenance_("maintenance", zone),
        trace_("fdc_trace", zone) {}

  Result<ReadSummary> read(std::string_view text) {
    SmlParser parser(text);
    while (auto message = parser.next(rejects_)) {
      ++messages_;
      if (message->stream == 6 && message->function == 11) event(*message);
      if (message->stream == 5 && message->function == 1) alarm(*message);
      if (rows_waiting() >= kBatchRows && !flush()) return cancelled();
    }
    if (messages_ == 0 && rejects_.empty()) {
      return Error{Errc::kFormat, "SECS-0010",
                   "The file holds no SECS-II message as SML text (S6F11 W <L ...> .)."};
    }
    for (auto& [key, open] : open_) end_state(open, last_time_, true);
    if (!flush()) return cancelled();
    return summary();
  }

 private:
  static Error cancelled() {
    return {Errc::kCancelled, "LOGS-0025", "Reading the log was cancelled."};
  }

  void reject(const SmlMessage& message, std::string id, std::string text) {
    rejects_.push_back({.byte_offset = message.byte_offset,
                        .line = message.line,
                        .record = messages_ - 1,
                        .id = std::move(id),
                        .message = std::move(text)});
  }
  void misbuilt(const SmlMessage& message) {
    reject(message, "SECS-0002",
           fmt::format("S{}F{} is not built as SEMI E5 says; nothing of it is kept.",
                       message.stream, message.function));
  }

  /// The last words before the message, or the first ones, that are a time.
  std::optional<UtcMicros> time_before(const SmlMessage& message) const {
    std::string_view rest = message.before;
    std::vector<std::string_view> words;
    for (std::string_view word : split(rest, ' ')) {
      while (!word.empty() && std::string_view("[](){}:,;|").find(word.back()) != word.npos) {
        word.remove_suffix(1);
      }
      while (!word.empty() && std::string_view("[](){}").find(word.front()) != word.npos) {
        word.remove_prefix(1);
      }
      if (!word.empty()) words.push_back(word);
    }
    for (std::size_t i = 0; i < words.size(); ++i) {
      if (i + 1 < words.size()) {
        const std::string both = fmt::format("{} {}", words[i], words[i + 1]);
        if (const auto time = parse_site_time(both, mapping_.time_format, zone_)) return time;
      }
      if (const auto time = parse_site_time(words[i], mapping_.time_format, zone_)) return time;
    }
    return std::nullopt;
  }

  std::optional<UtcMicros> time_of(const SmlMessage& message, const Variables& variables) const {
    if (mapping_.time.empty()) return time_before(message);
    const auto it = variables.find(mapping_.time);
    if (it == variables.end()) return time_before(message);
    return parse_site_time(it->second, mapping_.time_format, zone_);
  }

  /// S6F11: <L [3] DATAID CEID <L <L [2] RPTID <L values>> ...>>
  void event(const SmlMessage& message) {
    ++events_;
    const auto& body = message.body;
    const bool built = body && body->is_list() && body->items.size() == 3 &&
                       body->items[2].is_list() && body->items[1].values.size() == 1;
    if (!built) return misbuilt(message);
    Variables variables;
    for (const SmlItem& report : body->items[2].items) {
      const bool good = report.is_list() && report.items.size() == 2 && report.items[1].is_list() &&
                        report.items[0].values.size() == 1;
      if (!good) return misbuilt(message);
      name_values(report.items[0].values[0], report.items[1].items, variables);
    }
    const auto time = time_of(message, variables);
    if (time) last_time_ = std::max(last_time_, *time);
    const std::string& ceid = body->items[1].values[0];
    bool mapped = false;
    for (const SmlEvent& event : mapping_.events) {
      if (event.ceid != ceid) continue;
      mapped = true;
      if (!time) {
        return reject(message, "SECS-0003",
                      fmt::format("The event {} has no time: neither the line before it nor the "
                                  "variable of the mapping says one.",
                                  one_line(ceid.substr(0, 40))));
      }
      take(event, message, variables, *time);
    }
    if (!mapped) {
      ++unmapped_;
      if (unmapped_ids_.size() < kMostNamed) unmapped_ids_.insert(one_line(ceid.substr(0, 40)));
    }
  }

  void name_values(const std::string& report, const std::vector<SmlItem>& items,
                   Variables& variables) const {
    const auto names = mapping_.reports.find(report);
    for (std::size_t i = 0; i < items.size(); ++i) {
      const bool named = names != mapping_.reports.end() && i < names->second.size();
      variables[named ? names->second[i] : fmt::format("{}.{}", report, i + 1)] = items[i].text();
    }
  }

  void take(const SmlEvent& event, const SmlMessage& message, const Variables& variables,
            UtcMicros time) {
    if (event.table == "maintenance") return put_maintenance(event, message, variables, time);
    if (event.table == "fdc_trace") return put_trace(event, message, variables, time);
    const auto chamber = event.columns.find("chamber");
    std::string key;
    if (chamber != event.columns.end()) {
      const auto it = variables.find(chamber->second);
      if (it != variables.end()) key = it->second;
    }
    const auto open = open_.find(key);
    if (open != open_.end()) end_state(open->second, time, false);
    open_[key] = OpenState{&event, variables, time, message};
  }

  /// Constants and mapped variables of an event.
  std::optional<Refusal> set_common(TableRows& rows, const SmlEvent& event,
                                    const Variables& variables) {
    rows.begin();
    if (auto refusal = rows.set("tool", mapping_.tool)) return refusal;
    for (const auto& [column, text] : event.constants) {
      if (auto refusal = rows.set(column, text)) return refusal;
    }
    for (const auto& [column, variable] : event.columns) {
      const auto it = variables.find(variable);
      if (it == variables.end()) continue;
      if (auto refusal = rows.set(column, it->second)) return refusal;
    }
    return std::nullopt;
  }

  std::string_view attributes(const SmlEvent& event, const Variables& variables,
                              bool open = false) {
    json_.clear();
    json_.add("ceid", event.ceid);
    for (const auto& variable : variables) {
      const std::string& name = variable.first;
      const bool used =
          name == mapping_.time || std::ranges::find(event.values, name) != event.values.end() ||
          std::ranges::any_of(event.columns, [&](const auto& c) { return c.second == name; });
      if (!used) json_.add(name, variable.second);
    }
    if (open) json_.add("open", "1");
    return json_.finish();
  }

  void refused(const SmlMessage& message, std::optional<Refusal> refusal) {
    if (refusal) reject(message, std::move(refusal->id), std::move(refusal->message));
  }

  void end_state(const OpenState& open, UtcMicros end, bool at_end_of_file) {
    auto refusal = set_common(states_, *open.event, open.variables);
    if (!refusal) refusal = states_.set("started_at", to_iso8601(open.since));
    if (!refusal) refusal = states_.set("ended_at", to_iso8601(end));
    if (!refusal) {
      refusal = states_.finish(open.message.line,
                               attributes(*open.event, open.variables, at_end_of_file));
    }
    refused(open.message, std::move(refusal));
  }

  void put_maintenance(const SmlEvent& event, const SmlMessage& message, const Variables& variables,
                       UtcMicros time) {
    auto refusal = set_common(maintenance_, event, variables);
    if (!refusal) refusal = maintenance_.set("at", to_iso8601(time));
    if (!refusal) refusal = maintenance_.finish(message.line, attributes(event, variables));
    refused(message, std::move(refusal));
  }

  void put_trace(const SmlEvent& event, const SmlMessage& message, const Variables& variables,
                 UtcMicros time) {
    for (const std::string& name : event.values) {
      const auto it = variables.find(name);
      if (it == variables.end()) continue;
      auto refusal = set_common(trace_, event, variables);
      if (!refusal) refusal = trace_.set("time", to_iso8601(time));
      if (!refusal) refusal = trace_.set("sensor", name);
      if (!refusal) refusal = trace_.set("value", it->second);
      if (!refusal) refusal = trace_.finish(message.line, attributes(event, variables));
      refused(message, std::move(refusal));
    }
  }

  /// S5F1: <L [3] <B ALCD> ALID ALTX>; bit 8 of ALCD: the alarm is set, else cleared.
  void alarm(const SmlMessage& message) {
    ++alarms_;
    const auto& body = message.body;
    const bool built = body && body->is_list() && body->items.size() == 3 &&
                       body->items[0].values.size() == 1 && body->items[1].values.size() == 1;
    const auto code = built ? number_of(body->items[0].values[0]) : std::nullopt;
    if (!code) return misbuilt(message);
    if ((*code & 0x80) == 0) return;
    const auto time = time_of(message, {});
    if (!time) {
      return reject(message, "SECS-0003",
                    fmt::format("The alarm {} has no time: the line before it says none.",
                                one_line(body->items[1].text().substr(0, 40))));
    }
    last_time_ = std::max(last_time_, *time);
    json_.clear();
    json_.add("alid", body->items[1].text());
    json_.add("alcd", std::to_string(*code));
    maintenance_.begin();
    auto refusal = maintenance_.set("tool", mapping_.tool);
    if (!refusal) refusal = maintenance_.set("event", "alarm");
    if (!refusal) refusal = maintenance_.set("at", to_iso8601(*time));
    if (!refusal) refusal = maintenance_.set("note", body->items[2].text());
    if (!refusal) refusal = maintenance_.finish(message.line, json_.finish());
    refused(message, std::move(refusal));
  }

  static std::optional<std::int64_t> number_of(std::string_view text) {
    if (!text.starts_with("0x") && !text.starts_with("0X")) return parse_int(text);
    std::int64_t value = 0;
    for (const char c : text.substr(2)) {
      const std::size_t digit = std::string_view("0123456789abcdef").find(to_lower({&c, 1}));
      if (digit == std::string_view::npos || value > 0xffff) return std::nullopt;
      value = value * 16 + static_cast<std::int64_t>(digit);
    }
    return text.size() > 2 ? std::optional(value) : std::nullopt;
  }

  std::size_t rows_waiting() const { return states_.rows() + maintenance_.rows() + trace_.rows(); }

  bool flush() {
    for (TableRows* rows : {&states_, &maintenance_, &trace_}) {
      if (rows->rows() == 0) continue;
      rows_ += rows->rows();
      if (!sink_.put(rows->take())) return false;
    }
    return true;
  }

  ReadSummary summary() const {
    ReadSummary result;
    result.version = "E5";
    result.rows = rows_;
    result.counts = {{"messages", static_cast<double>(messages_)},
                     {"events", static_cast<double>(events_)},
                     {"alarms", static_cast<double>(alarms_)},
                     {"unmapped_events", static_cast<double>(unmapped_)},
                     {"rows", static_cast<double>(rows_)}};
    if (unmapped_ > 0) {
      result.warnings.push_back(
          fmt::format("{} events are of kinds that mapping.toml does not name ({}); they were "
                      "passed over.",
                      unmapped_, fmt::join(unmapped_ids_, ", ")));
    }
    return result;
  }

  static constexpr std::size_t kMostNamed = 10;

  const SmlMapping& mapping_;
  const TimeZone& zone_;
  store::RowSink& sink_;
  Rejects& rejects_;
  TableRows states_, maintenance_, trace_;
  std::map<std::string, OpenState> open_;  ///< By chamber.
  UtcMicros last_time_;
  Attributes json_;
  std::size_t messages_ = 0, events_ = 0, alarms_ = 0, unmapped_ = 0, rows_ = 0;
  std::set<std::string> unmapped_ids_;
};

Result<ReadSummary> read_sml(Input& input, const ReadOptions& options, store::RowSink& sink,
                             Rejects& rejects) {
  const SmlMapping* mapping =
      options.mapping == nullptr ? nullptr : options.mapping->find_sml(input.name());
  if (mapping == nullptr) {
    return Error{Errc::kInvalidOptions, "SECS-0011",
                 "SECS-II messages say neither their tool nor what their events mean: give a "
                 "mapping with an [[sml]] entry for this file."};
  }
  YL_ASSIGN(const Bytes bytes, input.bytes());
  return SmlRows(*mapping, options.mapping->zone, sink, rejects).read(as_text(bytes));
}

/// A message with a list in it, or without a body, within the head.
Confidence sniff_sml(std::string_view name, Bytes head) {
  const std::string_view text = as_text(head);
  if (text.find('\0') != std::string_view::npos) return Confidence::kNo;
  if (text.find('F') == std::string_view::npos || text.find('<') == std::string_view::npos) {
    return Confidence::kNo;
  }
  Rejects rejects;
  const auto message = SmlParser(text).next(rejects);
  if (message && message->body) return Confidence::kCertain;
  return rejects.empty() || !to_lower(name).ends_with(".sml") ? Confidence::kNo
                                                              : Confidence::kMaybe;
}

}  // namespace

ReaderDeclaration sml_reader() {
  return {.id = "sml",
          .title = "SECS-II messages (SML text)",
          .patterns = "*.sml",
          .sniff = sniff_sml,
          .read = read_sml};
}

}  // namespace yieldloop::ingest
