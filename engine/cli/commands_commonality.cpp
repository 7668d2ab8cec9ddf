#include <nlohmann/json.hpp>

#include "engine/cli/commands.h"
#include "engine/cli/console.h"
#include "engine/cli/open_scope.h"
#include "engine/core/text.h"
#include "engine/process/commonality.h"
#include "engine/yield/signature.h"

namespace yieldloop::cli {
namespace {

using Json = nlohmann::ordered_json;
using process::AttributeResult;
using process::CommonalityResult;
using process::Response;

Error unknown_response(const std::string& text) {
  return {Errc::kInvalidOptions, "CLIC-0005",
          fmt::format("\"{}\" is no response: use yield, bin:N, defects:STEP or signature:NAME.",
                      text)};
}

Result<Response> signature_response(const FabData& data, const std::string& name,
                                    std::uint64_t seed) {
  const auto signature = yield::signature_of(name);
  if (signature == yield::Signature::kNone) {
    return Error{
        Errc::kInvalidOptions, "CLIC-0006",
        fmt::format("\"{}\" is no signature: use edge_ring, centre, donut, local or scratch.",
                    name)};
  }
  YL_ASSIGN(const auto found, yield::find_signatures(data, {.seed = seed}));
  return process::value_response(data, "signature:" + name, "share of wafers",
                                 yield::signature_presence(found, signature, data.wafers.size()),
                                 false);
}

Result<Response> make_response(const FabData& data, const std::string& text, std::uint64_t seed) {
  if (text == "yield") return process::yield_response(data);
  const auto colon = text.find(':');
  const std::string kind = text.substr(0, colon),
                    rest = colon == std::string::npos ? "" : text.substr(colon + 1);
  if (kind == "bin") {
    const auto bin = parse_int(rest);
    if (!bin) return unknown_response(text);
    return process::bin_response(data, static_cast<int>(*bin));
  }
  if (kind == "defects" && !rest.empty()) {
    const NameId step = data.names.find(rest);
    if (step == NameId{}) {
      return Error{Errc::kNotFound, "CLIC-0007",
                   fmt::format("There is no inspection step \"{}\" in this scope.", rest)};
    }
    return process::defect_response(data, step);
  }
  if (kind == "signature") return signature_response(data, rest, seed);
  return unknown_response(text);
}

Json attribute_json(const AttributeResult& a, const NameTable& names) {
  Json subject = Json::object();
  for (const auto& [key, value] : process::subject_of(a.name, names)) subject[key] = value;
  if (a.from.known()) subject["from"] = to_iso8601(a.from);
  if (a.to.known()) subject["to"] = to_iso8601(a.to);
  Json json = {{"kind", process::finding_kind(a.name.kind)},
               {"subject", std::move(subject)},
               {"effect", {{"value", a.effect}, {"ci95", {a.effect_ci.low, a.effect_ci.high}}}},
               {"p_value", a.p_value},
               {"q_value", a.q_value},
               {"test", a.test},
               {"wafers", {a.wafers_exposed, a.wafers_unexposed}},
               {"lots", {a.lots_exposed, a.lots_with_unexposed}},
               {"needs_more_lots", a.needs_more_lots},
               {"explained_by", a.explained_by < 0 ? Json(nullptr) : Json(a.explained_by + 1)}};
  if (a.limit_minutes) json["limit_minutes"] = *a.limit_minutes;
  Json same = Json::array();
  for (const auto& name : a.same_wafers) {
    Json other = Json::object();
    for (const auto& [key, value] : process::subject_of(name, names)) other[key] = value;
    same.push_back(std::move(other));
  }
  json["same_wafers"] = std::move(same);
  return json;
}

Json result_json(const CommonalityResult& r, const FabData& data) {
  Json causes = Json::array(), attributes = Json::array();
  for (const auto& cause : r.causes) {
    Json json = attribute_json(cause.attribute, data.names);
    json["total"] = cause.total;
    json["why_undecided"] = cause.why.empty() ? Json(nullptr) : Json(cause.why);
    json["deciding_experiment"] =
        cause.deciding_experiment.empty() ? Json(nullptr) : Json(cause.deciding_experiment);
    causes.push_back(std::move(json));
  }
  for (const auto& a : r.attributes) attributes.push_back(attribute_json(a, data.names));
  return {{"schema", "yieldloop.commonality/1"},
          {"response", r.response},
          {"unit", r.unit},
          {"wafers", r.wafers},
          {"lots", r.lots},
          {"family", r.family},
          {"family_text", r.family_text},
          {"causes", std::move(causes)},
          {"attributes", std::move(attributes)}};
}

std::string result_text(const CommonalityResult& r, const FabData& data) {
  constexpr std::size_t kShown = 20;
  std::string out = fmt::format("{} over {} wafers of {} lots; effects in {}; {}\n", r.response,
                                r.wafers, r.lots, r.unit, r.family_text);
  for (std::size_t i = 0; i < r.causes.size(); ++i) {
    const auto& c = r.causes[i];
    out += fmt::format(" cause {}: {}: {:+.2f} ({:.2f} to {:.2f}), q {:.1e}\n", i + 1,
                       process::describe(c.attribute.name, data.names), c.attribute.effect,
                       c.attribute.effect_ci.low, c.attribute.effect_ci.high, c.attribute.q_value);
    if (!c.why.empty()) out += fmt::format("   undecided: {} {}\n", c.why, c.deciding_experiment);
  }
  if (r.causes.empty()) out += " No attribute explains the response beyond chance.\n";
  std::vector<std::vector<std::string>> rows;
  for (const auto& a : r.attributes) {
    if (rows.size() == kShown) break;
    rows.push_back({process::describe(a.name, data.names), fmt::format("{:+.2f}", a.effect),
                    fmt::format("{:.2f} to {:.2f}", a.effect_ci.low, a.effect_ci.high),
                    fmt::format("{}/{}", a.wafers_exposed, a.wafers_unexposed),
                    fmt::format("{}/{}", a.lots_exposed, a.lots_with_unexposed),
                    fmt::format("{:.2g}", a.p_value), fmt::format("{:.2g}", a.q_value),
                    a.explained_by >= 0 ? fmt::format("explained by cause {}", a.explained_by + 1)
                    : a.needs_more_lots ? "needs more lots"
                                        : ""});
  }
  return out +
         text_table({"attribute", "effect", "95 % interval", "wafers", "lots", "p", "q", ""}, rows);
}

}  // namespace

ExitStatus run_commonality(const Context& context, const CommonalityArguments& arguments) {
  ConsoleProgress progress(context.quiet);
  const auto run = [&]() -> Result<std::string> {
    YL_ASSIGN(auto opened, open_for(context, arguments.analysis.scope, store::Store::Mode::kRead));
    progress.report("Reading the store", 0, 0);
    YL_ASSIGN(const auto fab, session::load_fab(opened.snapshot, opened.scope));
    YL_ASSIGN(const auto response,
              make_response(fab.data, arguments.response, arguments.analysis.seed));
    progress.report("Comparing attributes", 0, 0);
    YL_ASSIGN(const auto result, process::commonality(fab.data, response,
                                                      {.alpha = arguments.analysis.q,
                                                       .seed = arguments.analysis.seed}));
    return context.json ? result_json(result, fab.data).dump(1) : result_text(result, fab.data);
  };
  const auto text = run();
  return text ? print(*text) : fail(text.error());
}

}  // namespace yieldloop::cli
