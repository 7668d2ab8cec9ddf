#include "engine/session/named_design.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "engine/core/text.h"
#include "ingest/readers/input.h"

namespace yieldloop::session {
namespace {

namespace lefdef = ingest::lefdef;

/// Names of a finding's places are counted over this many of them.
constexpr std::size_t kMostPlaces = 2000;
constexpr std::size_t kMostNames = 20;

Result<std::string> blob_text(store::Snapshot& snapshot, const std::string& digest) {
  YL_ASSIGN(const auto blob, snapshot.blob(digest));
  const auto stored = blob->bytes();
  YL_ASSIGN(auto input,
            ingest::input_from_memory(
                "blob", std::string(reinterpret_cast<const char*>(stored.data()), stored.size())));
  YL_ASSIGN(const auto bytes, input->bytes());
  return std::string(reinterpret_cast<const char*>(bytes.data()), bytes.size());
}

ingest::Bytes as_bytes(const std::string& text) { return std::as_bytes(std::span(text)); }

/// Reads what the blobs hold; a file that cannot be read is an error.
Result<lefdef::Design> read_design(store::Snapshot& snapshot, const LoadedFab& fab) {
  ingest::Rejects rejects;
  YL_ASSIGN(const std::string def_text, blob_text(snapshot, fab.def_digest));
  YL_ASSIGN(auto def, lefdef::parse_def(as_bytes(def_text), rejects));
  std::vector<lefdef::Lef> libraries;
  for (const std::string& digest : fab.lef_digests) {
    YL_ASSIGN(const std::string text, blob_text(snapshot, digest));
    YL_ASSIGN(auto lef, lefdef::parse_lef(as_bytes(text), rejects));
    libraries.push_back(std::move(lef));
  }
  return lefdef::Design::make(std::move(def), std::move(libraries));
}

/// The cells that the top cell places itself. A component of a DEF file is one of them.
std::vector<lefdef::PlacedCell> placed_cells(const layout::FlatView& view) {
  const layout::Layout& layout = view.layout();
  const double dbu = layout.dbu_um();
  std::vector<lefdef::PlacedCell> cells;
  for (const layout::Instance& instance : layout.cell(view.top()).instances) {
    if (instance.general >= 0) continue;
    cells.push_back({.cell = layout.cell(instance.cell).name,
                     .x_um = static_cast<double>(instance.displacement.x) * dbu,
                     .y_um = static_cast<double>(instance.displacement.y) * dbu,
                     .orientation = instance.orientation});
  }
  return cells;
}

void compare(const layout::FlatView& view, LoadedFab& fab, NamedDesign& named) {
  const lefdef::Match match = named.design.match(placed_cells(view));
  if (match.matched == 0) {
    fab.caveats.push_back(fmt::format(
        "No component of {} lies on a cell of its macro's name in the layout; both are taken to "
        "have the same origin.",
        fab.data.product.def_file));
    return;
  }
  named.x_um = match.x_um;
  named.y_um = match.y_um;
  if (match.matched * 10 >= match.components * 9) return;
  fab.caveats.push_back(fmt::format(
      "{} of {} components of {} lie where the layout places their cells: it may be of another "
      "run, and names of cells and nets may be wrong.",
      match.matched, match.components, fab.data.product.def_file));
}

std::uint32_t layer_of(const lefdef::Design& design, const Product& product,
                       const std::string& name) {
  const auto layer = std::ranges::find(product.layers, name, &ProductLayer::name);
  const bool mapped = layer != product.layers.end() && !layer->lef_name.empty();
  return design.find_layer(mapped ? layer->lef_name : name);
}

using Counts = std::map<std::string, std::size_t>;

void add_most(const Counts& counts, const std::string& what, Evidence& evidence) {
  std::vector<std::pair<std::size_t, std::string>> most;
  for (const auto& [name, count] : counts) most.emplace_back(count, name);
  std::ranges::sort(most, [](const auto& a, const auto& b) {
    return a.first != b.first ? a.first > b.first : a.second < b.second;
  });
  if (most.size() > kMostNames) most.resize(kMostNames);
  for (const auto& [count, name] : most) {
    evidence.detail[fmt::format("{} {}", what, to_valid_utf8(name))] = static_cast<double>(count);
  }
}

}  // namespace

Result<std::shared_ptr<const NamedDesign>> load_design(store::Snapshot& snapshot, LoadedFab& fab,
                                                       const layout::FlatView* view) {
  std::shared_ptr<const NamedDesign> none;
  if (fab.def_digest.empty()) return none;
  auto design = read_design(snapshot, fab);
  if (!design) {
    if (design.error().code == Errc::kDamaged || design.error().code == Errc::kIo) {
      return design.error();
    }
    fab.caveats.push_back(design.error().message);
    return none;
  }
  for (const std::string& caveat : design->caveats()) fab.caveats.push_back(caveat);
  NamedDesign named{.design = std::move(*design)};
  if (view != nullptr) compare(*view, fab, named);
  return std::shared_ptr<const NamedDesign>(std::make_shared<NamedDesign>(std::move(named)));
}

void name_places(const NamedDesign& named, const Product& product, Finding& finding) {
  if (finding.locations.empty()) return;
  Counts nets, cells;
  std::size_t places = 0, known = 0;
  for (const LayoutLocation& l : finding.locations) {
    if (places == kMostPlaces) break;
    ++places;
    const double x = l.x_um - named.x_um, y = l.y_um - named.y_um;
    const std::uint32_t layer = layer_of(named.design, product, l.layer);
    std::set<std::string> nets_here, cells_here;
    for (const auto& o : named.design.at_um(x, y, x + l.w_um, y + l.h_um, layer)) {
      // A layer that the design does not know names cells, but no nets.
      if (!o.net.empty() && layer != lefdef::kNone) nets_here.insert(o.net);
      if (!o.macro.empty()) cells_here.insert(o.macro);
    }
    for (const std::string& net : nets_here) ++nets[net];
    for (const std::string& cell : cells_here) ++cells[cell];
    known += nets_here.empty() && cells_here.empty() ? 0U : 1U;
  }
  Evidence evidence{.analysis = "def", .test = "Cells and nets of the DEF file at the places"};
  evidence.n = {static_cast<std::int64_t>(known), static_cast<std::int64_t>(places)};
  evidence.detail = {{"places", static_cast<double>(places)},
                     {"named", static_cast<double>(known)},
                     {"nets", static_cast<double>(nets.size())},
                     {"cells", static_cast<double>(cells.size())}};
  add_most(nets, "net", evidence);
  add_most(cells, "cell", evidence);
  for (const auto& [cell, count] : cells) {
    if (count * 10 >= places * 9) finding.subject.try_emplace("cell", cell);
  }
  finding.evidence.push_back(std::move(evidence));
}

}  // namespace yieldloop::session
