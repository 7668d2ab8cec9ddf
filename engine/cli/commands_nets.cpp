#include <algorithm>
#include <nlohmann/json.hpp>

#include "engine/cli/commands.h"
#include "engine/cli/console.h"
#include "engine/cli/open_scope.h"
#include "engine/core/text.h"
#include "engine/layout/chip_nets.h"
#include "engine/session/product_nets.h"
#include "ingest/pipeline/read_layout.h"

namespace yieldloop::cli {
namespace {

using Json = nlohmann::ordered_json;

/// More nets than this are counted but not compared for their length.
constexpr std::uint64_t kMostCompared = 5'000'000;

struct NetSubject {
  std::shared_ptr<const layout::Layout> layout;
  std::optional<layout::FlatView> view;
  layout::NetStack stack;
  Product product;  ///< Empty for a plain file.

  double dbu() const { return layout->dbu_um(); }
  std::string layer_name(layout::LayerIndex layer) const {
    const layout::LayerKey key = layout->layers()[layer];
    for (const ProductLayer& l : product.layers)
      if (l.gds_layer == key.layer && l.gds_datatype == key.datatype) return l.name;
    return layout::to_string(key);
  }
};

Result<layout::LayerIndex> layer_of(const NetSubject& s, std::string_view name) {
  const auto it =
      std::ranges::find_if(s.product.layers, [&](const auto& l) { return l.name == name; });
  if (it != s.product.layers.end())
    return layout::require_layer(*s.layout, {it->gds_layer, it->gds_datatype});
  const auto key = layout::parse_layer_key(name);
  if (key) return layout::require_layer(*s.layout, *key);
  return Error{
      Errc::kInvalidOptions, "CLIC-0040",
      fmt::format(
          "\"{}\" is no layer: write LAYER/DATATYPE, e.g. 68/20, or a name of product.toml.",
          name)};
}

Result<NetSubject> from_file(const NetsArguments& a) {
  ingest::Rejects rejects;
  auto read = ingest::read_layout(real_file_system(), a.layout, rejects);
  if (!read)
    return Error{read.error().code, read.error().id, a.layout + ": " + read.error().message};
  NetSubject s;
  s.layout = std::make_shared<const layout::Layout>(std::move(*read));
  if (a.conductors.empty()) {
    return Error{Errc::kInvalidOptions, "CLIC-0041",
                 "Name what conducts with --conductor LAYER/DATATYPE and what joins it with --via "
                 "CUT:BELOW:ABOVE: a layout file alone does not say."};
  }
  return s;
}

Result<NetSubject> from_store(const Context& context, const NetsArguments& a, Progress& progress) {
  YL_ASSIGN(auto opened, open_for(context, a.scope, store::Store::Mode::kRead));
  YL_ASSIGN(const auto analysis, session::open_scope(opened.snapshot, opened.scope, progress));
  NetSubject s{analysis.layout, analysis.view(), {}, analysis.fab.data.product};
  if (!s.view) {
    return Error{
        Errc::kNoData, "CLIC-0042",
        fmt::format("The store holds no layout of {}: ingest the file that product.toml names.",
                    s.product.name)};
  }
  if (a.conductors.empty()) {
    YL_ASSIGN(s.stack, session::net_stack(s.product, *s.layout));
  }
  return s;
}

Status add_named_layers(const NetsArguments& a, NetSubject& s) {
  for (const std::string& name : a.conductors) {
    YL_ASSIGN(const auto layer, layer_of(s, name));
    s.stack.conductors.push_back(layer);
  }
  for (const std::string& text : a.vias) {
    const auto parts = split(text, ':');
    if (parts.size() != 3) {
      return Error{
          Errc::kInvalidOptions, "CLIC-0043",
          fmt::format("\"{}\" is no via: write CUT:BELOW:ABOVE, e.g. 68/44:68/20:69/20.", text)};
    }
    YL_ASSIGN(const auto cut, layer_of(s, parts[0]));
    YL_ASSIGN(const auto below, layer_of(s, parts[1]));
    YL_ASSIGN(const auto above, layer_of(s, parts[2]));
    s.stack.vias.push_back({cut, below, above});
  }
  for (const std::string& text : a.labels) {
    const auto parts = split(text, ':');
    const auto key = layout::parse_layer_key(parts[0]);
    if (parts.size() != 2 || !key) {
      return Error{
          Errc::kInvalidOptions, "CLIC-0044",
          fmt::format("\"{}\" is no label layer: write TEXTS:CONDUCTOR, e.g. 83/44:68/20.", text)};
    }
    YL_ASSIGN(const auto conductor, layer_of(s, parts[1]));
    s.stack.labels.push_back({*key, conductor});
  }
  return Ok{};
}

Result<NetSubject> subject_of(const Context& context, const NetsArguments& a, Progress& progress) {
  YL_ASSIGN(NetSubject s, a.layout.empty() ? from_store(context, a, progress) : from_file(a));
  YL_TRY(add_named_layers(a, s));
  if (!a.cell.empty()) {
    YL_ASSIGN(s.view, layout::view_of(*s.layout, a.cell));
  } else if (!s.view) {
    YL_ASSIGN(s.view, layout::view_of(*s.layout));
  }
  return s;
}

Error bad_place(const std::string& text) {
  return {Errc::kInvalidOptions, "CLIC-0045",
          fmt::format("\"{}\" cannot be read: write a place as X,Y,LAYER and a window as "
                      "X0,Y0,X1,Y1, in um.",
                      text)};
}

Result<layout::Coord> coordinate(const NetSubject& s, std::string_view text,
                                 const std::string& all) {
  const auto um = parse_real(trim(text));
  if (!um || !(std::abs(*um) < 1e7)) return bad_place(all);
  return static_cast<layout::Coord>(std::llround(*um / s.dbu()));
}

struct Asked {
  layout::LayerIndex layer = 0;
  layout::Point at;
};

Result<Asked> asked_place(const NetSubject& s, const std::string& text) {
  const auto parts = split(text, ',');
  if (parts.size() != 3) return bad_place(text);
  Asked asked;
  YL_ASSIGN(asked.at.x, coordinate(s, parts[0], text));
  YL_ASSIGN(asked.at.y, coordinate(s, parts[1], text));
  YL_ASSIGN(asked.layer, layer_of(s, trim(parts[2])));
  return asked;
}

Result<layout::Box> asked_window(const NetSubject& s, const std::string& text) {
  if (text.empty()) return layout::Box{};
  const auto parts = split(text, ',');
  if (parts.size() != 4) return bad_place(text);
  layout::Box box;
  YL_ASSIGN(box.x_min, coordinate(s, parts[0], text));
  YL_ASSIGN(box.y_min, coordinate(s, parts[1], text));
  YL_ASSIGN(box.x_max, coordinate(s, parts[2], text));
  YL_ASSIGN(box.y_max, coordinate(s, parts[3], text));
  if (box.empty()) return bad_place(text);
  return box;
}

struct ListedNet {
  layout::NetId net = 0;
  double length = 0.0;
};

/// The longest first.
std::vector<ListedNet> longest(const layout::ChipNets& nets, std::size_t most) {
  std::vector<ListedNet> listed;
  if (nets.summary().nets > kMostCompared) return listed;
  nets.for_each_net([&](layout::NetId net) {
    double length = 0.0;
    for (const layout::NetLayer& l : nets.measure(net).layers) length += l.length;
    listed.push_back({net, length});
    return true;
  });
  const auto shown = listed.begin() + static_cast<std::ptrdiff_t>(std::min(most, listed.size()));
  std::partial_sort(listed.begin(), shown, listed.end(),
                    [](const ListedNet& a, const ListedNet& b) {
                      return a.length != b.length ? a.length > b.length : a.net < b.net;
                    });
  listed.erase(shown, listed.end());
  return listed;
}

Json net_json(const NetSubject& s, const layout::ChipNets& nets, layout::NetId net) {
  const layout::NetMeasure m = nets.measure(net);
  const layout::NetNames names = nets.names(net);
  const double dbu = s.dbu();
  Json texts = Json::array(), layers = Json::array();
  for (const std::string& name : names.all) texts.push_back(to_valid_utf8(name));
  for (const layout::NetLayer& l : m.layers)
    layers.push_back({{"layer", s.layer_name(l.layer)},
                      {"area_um2", l.area * dbu * dbu},
                      {"length_um", l.length * dbu}});
  const auto um = [&](layout::Coord c) { return static_cast<double>(c) * dbu; };
  return {{"net", net},
          {"name", names.all.empty() ? Json(nullptr) : texts[0]},
          {"names", texts},
          {"names_total", names.different},
          {"shapes", m.shapes},
          {"cuts", m.cuts},
          {"box_um", {um(m.bbox.x_min), um(m.bbox.y_min), um(m.bbox.x_max), um(m.bbox.y_max)}},
          {"layers", std::move(layers)}};
}

Json nets_json(const NetSubject& s, const layout::ChipNets& nets, const Json& listed) {
  const layout::NetSummary& sum = nets.summary();
  Json opens = Json::array();
  for (const auto& o : sum.possible_opens)
    opens.push_back({{"cell", to_valid_utf8(s.layout->cell(o.cell).name)},
                     {"name", to_valid_utf8(o.name)},
                     {"nets", o.nets}});
  return {{"schema", "yieldloop.nets/1"},
          {"cell", to_valid_utf8(s.layout->cell(s.view->top()).name)},
          {"nets", sum.nets},
          {"lone_cuts", sum.lone_cuts},
          {"labels", {{"total", sum.labels}, {"on_nothing", sum.loose_labels}}},
          {"possible_opens", std::move(opens)},
          {"possible_opens_total", sum.possible_opens_total},
          {"listed", listed},
          {"caveats", layout::net_caveats(sum, *s.layout)}};
}

std::string nets_text(const NetSubject& s, const layout::ChipNets& nets, const Json& listed) {
  std::string out = fmt::format("{} nets in {}\n", nets.summary().nets,
                                to_valid_utf8(s.layout->cell(s.view->top()).name));
  std::vector<std::vector<std::string>> rows;
  for (const Json& n : listed) {
    double length = 0.0, area = 0.0;
    for (const Json& l : n["layers"]) {
      length += l["length_um"].get<double>();
      area += l["area_um2"].get<double>();
    }
    rows.push_back({fmt::format("{}", n["net"].get<std::uint64_t>()),
                    n["name"].is_null() ? "-" : n["name"].get<std::string>(),
                    fmt::format("{}", n["shapes"].get<std::uint64_t>()),
                    fmt::format("{}", n["cuts"].get<std::uint64_t>()),
                    fmt::format("{:.1f}", length), fmt::format("{:.1f}", area)});
  }
  if (!rows.empty())
    out += text_table({"net", "name", "shapes", "cuts", "length um", "area um2"}, rows);
  for (const std::string& caveat : layout::net_caveats(nets.summary(), *s.layout))
    out += " - " + to_valid_utf8(caveat) + "\n";
  return out;
}

Result<std::string> compute(const Context& context, const NetsArguments& a, Progress& progress) {
  YL_ASSIGN(const NetSubject s, subject_of(context, a, progress));
  YL_ASSIGN(const layout::Box window, asked_window(s, a.window));
  YL_ASSIGN(const auto nets,
            layout::extract_nets(*s.view, s.stack, {.window = window, .labels = true}, progress));
  Json listed = Json::array();
  for (const std::string& text : a.at) {
    YL_ASSIGN(const Asked asked, asked_place(s, text));
    const auto net = nets.net_at(asked.layer, asked.at);
    if (!net) {
      return Error{Errc::kNotFound, "CLIC-0046",
                   fmt::format("Nothing of the stack is drawn at {}.", text)};
    }
    listed.push_back(net_json(s, nets, *net));
  }
  for (const std::string& name : a.names)
    for (const layout::NetId net : nets.named(name)) listed.push_back(net_json(s, nets, net));
  if (a.at.empty() && a.names.empty())
    for (const ListedNet& n : longest(nets, a.most)) listed.push_back(net_json(s, nets, n.net));
  return context.json ? nets_json(s, nets, listed).dump(1) : nets_text(s, nets, listed);
}

}  // namespace

ExitStatus run_nets(const Context& context, const NetsArguments& arguments) {
  ConsoleProgress progress(context.quiet);
  const auto text = compute(context, arguments, progress);
  return text ? print(*text) : fail(text.error());
}

}  // namespace yieldloop::cli
