#include "gui/viewmodel/opened_fab.h"

#include <algorithm>
#include <utility>

#include "engine/core/number_text.h"
#include "engine/core/text.h"
#include "engine/feedback/suggest.h"
#include "engine/store/store.h"

namespace yieldloop::viewmodel {
namespace {

int floor_mod(int a, int b) { return ((a % b) + b) % b; }

std::optional<int> number_of(const Finding& finding, const char* key) {
  const auto it = finding.subject.find(key);
  if (it == finding.subject.end()) return std::nullopt;
  const auto value = parse_int(it->second);
  if (!value) return std::nullopt;
  return static_cast<int>(*value);
}

void index_outcomes(OpenedFab& fab) {
  const std::size_t wafers = fab.data().wafers.size();
  fab.outcomes = die_outcomes(fab.data());
  fab.first_outcome.assign(wafers + 1, 0);
  for (const DieOutcome& o : fab.outcomes) ++fab.first_outcome[o.wafer.raw() + 1];
  for (std::size_t i = 1; i <= wafers; ++i) fab.first_outcome[i] += fab.first_outcome[i - 1];
  fab.yield_row.assign(wafers, OpenedFab::kNone);
  if (auto yields = yield::yield_summary(fab.data())) {
    fab.yields = std::move(yields).value();
    for (std::size_t r = 0; r < fab.yields->wafers.size(); ++r) {
      fab.yield_row[fab.yields->wafers[r].wafer.raw()] = r;
    }
  }
}

void open_layout(OpenedFab& fab) {
  fab.view = fab.analysis.view();
  if (!fab.view || fab.view->bbox().empty()) {
    fab.view.reset();
    fab.no_layout = fab.data().product.layout_file.empty()
                        ? "The product names no layout: add one to product.toml and ingest it."
                        : "The layout " + fab.data().product.layout_file +
                              " is not in the store: ingest it to see defects on it.";
    return;
  }
  auto frame = tracing::Frame::make(
      fab.data().product, tracing::to_um(fab.view->bbox(), fab.analysis.layout->dbu_um()));
  if (frame) {
    fab.frame = std::move(frame).value();
  } else {
    fab.no_layout = frame.error().message;
  }
}

/// Locations sorted by their left edge, for look-ups by point.
class Places {
 public:
  explicit Places(const Finding& finding) {
    for (const LayoutLocation& l : finding.locations) {
      boxes_.push_back(&l);
      widest_ = std::max(widest_, l.w_um);
    }
    std::ranges::sort(boxes_, {}, [](const LayoutLocation* l) { return l->x_um; });
  }

  bool near(tracing::PointUm p, const std::vector<std::string>* layers) const {
    auto it = std::ranges::lower_bound(boxes_, p.x - widest_ - kNearUm, {},
                                       [](const LayoutLocation* l) { return l->x_um; });
    for (; it != boxes_.end() && (*it)->x_um <= p.x + kNearUm; ++it) {
      const LayoutLocation& l = **it;
      const bool inside = p.x <= l.x_um + l.w_um + kNearUm && p.y >= l.y_um - kNearUm &&
                          p.y <= l.y_um + l.h_um + kNearUm;
      const bool seen = layers == nullptr || l.layer.empty() ||
                        std::ranges::find(*layers, l.layer) != layers->end();
      if (inside && seen) return true;
    }
    return false;
  }

 private:
  std::vector<const LayoutLocation*> boxes_;
  double widest_ = 0.0;
};

void add_defects(const OpenedFab& fab, const Finding& finding, FindingParts& parts) {
  if (finding.locations.empty() || !fab.frame) return;
  const Places places(finding);
  const FabData& data = fab.data();
  std::vector<const std::vector<std::string>*> layers;
  for (const Inspection& inspection : data.inspections) {
    const auto seen = std::ranges::find(data.product.inspections, data.names[inspection.step],
                                        &InspectionLayers::step);
    layers.push_back(seen == data.product.inspections.end() ? nullptr : &seen->layers);
  }
  for (const Defect& defect : data.defects) {
    if (defect.inspection >= data.inspections.size()) continue;
    const auto at = layout_place(fab, defect);
    if (at && places.near(*at, layers[defect.inspection])) {
      parts.defects.insert({data.inspections[defect.inspection].id, defect.defect_id});
    }
  }
}

void add_dies(const OpenedFab& fab, const Finding& finding, FindingParts& parts) {
  const Product& p = fab.data().product;
  const auto field_x = number_of(finding, "field_x"), field_y = number_of(finding, "field_y");
  const auto site = number_of(finding, "site");
  const bool has_field = field_x && field_y && p.reticle_columns > 0 && p.reticle_rows > 0;
  if (!has_field && !site) return;
  for (const auto& label : parts.wafers) {
    const auto it = fab.wafer_of.find(label);
    if (it == fab.wafer_of.end()) continue;
    for (const DieOutcome& o : fab.outcomes_of(it->second)) {
      const bool in_field =
          has_field && floor_mod(o.die.x - p.reticle_origin.x, p.reticle_columns) == *field_x &&
          floor_mod(o.die.y - p.reticle_origin.y, p.reticle_rows) == *field_y;
      if (in_field || (site && o.site == *site)) parts.dies.insert({label, o.die});
    }
  }
}

}  // namespace

std::span<const DieOutcome> OpenedFab::outcomes_of(WaferId wafer) const {
  const std::size_t first = first_outcome[wafer.raw()], last = first_outcome[wafer.raw() + 1];
  return std::span(outcomes).subspan(first, last - first);
}

const yield::WaferYield* OpenedFab::yield_of(WaferId wafer) const {
  const std::size_t row = yield_row[wafer.raw()];
  return row == kNone ? nullptr : &yields->wafers[row];
}

const Finding* OpenedFab::finding(const std::string& id) const {
  const auto it = std::ranges::find(analysis.findings.findings, id, &Finding::id);
  return it == analysis.findings.findings.end() || id.empty() ? nullptr : &*it;
}

std::vector<const Suggestion*> OpenedFab::suggestions_for(const std::string& id) const {
  std::vector<const Suggestion*> found;
  for (const Suggestion& s : analysis.suggestions.suggestions) {
    if (std::ranges::find(s.because, id) != s.because.end()) found.push_back(&s);
  }
  return found;
}

KnownNames OpenedFab::known_names() const {
  return {.wafer = [this](const std::string& label) { return wafer_of.contains(label); },
          .finding = [this](const std::string& id) { return finding(id) != nullptr; },
          .bin =
              [this](int bin) {
                return yields && std::ranges::find(yields->hard_bins, bin, &yield::BinShare::bin) !=
                                     yields->hard_bins.end();
              }};
}

FabPointer prepare(session::Analysis analysis, std::string run) {
  auto fab = std::make_shared<OpenedFab>();
  fab->analysis = std::move(analysis);
  fab->run = std::move(run);
  for (std::uint32_t w = 0; w < fab->data().wafers.size(); ++w) {
    fab->wafer_of.emplace(fab->data().wafer_label(WaferId{w}), WaferId{w});
  }
  index_outcomes(*fab);
  open_layout(*fab);
  return fab;
}

Result<FabPointer> open_fab(FileSystem& files, const fs::path& store, const std::string& product,
                            Progress& progress) {
  progress.report("Opening the store", 0, 0);
  YL_ASSIGN(const auto opened, store::Store::open(files, store, store::Store::Mode::kRead));
  YL_ASSIGN(auto snapshot, opened.snapshot());
  auto saved = session::newest_run(snapshot, product);
  if (!saved && saved.error().id != "SESS-0005") return saved.error();
  session::Scope scope{.product = product};
  if (!saved) {
    YL_ASSIGN(auto analysis, session::analyse(snapshot, scope, {}, progress));
    return prepare(std::move(analysis), "");
  }
  if (scope.product.empty()) scope.product = saved->findings.product;
  YL_ASSIGN(auto analysis, session::open_scope(snapshot, scope, progress));
  if (progress.cancelled()) {
    return Error{Errc::kCancelled, "DESK-0001", "Opening the store was stopped."};
  }
  analysis.findings = std::move(saved->findings);
  analysis.suggestions =
      feedback::suggest(analysis.findings, analysis.fab.data.product, feedback::FeedbackOptions{});
  return prepare(std::move(analysis), saved->run);
}

FindingParts parts_of(const OpenedFab& fab, const Finding& finding) {
  FindingParts parts;
  parts.wafers.insert(finding.wafers.begin(), finding.wafers.end());
  add_dies(fab, finding, parts);
  add_defects(fab, finding, parts);
  return parts;
}

std::optional<tracing::PointUm> layout_place(const OpenedFab& fab, const Defect& defect) {
  if (!fab.frame) return std::nullopt;
  return fab.frame->to_layout(tracing::PointUm{defect.x_um, defect.y_um});
}

std::string scope_text(const OpenedFab& fab) {
  const auto many = [](std::int64_t n, const char* one, const char* more) {
    return format_count(n) + " " + (n == 1 ? one : more);
  };
  const FabData& data = fab.data();
  std::set<NameId> lots;
  for (const Wafer& wafer : data.wafers) lots.insert(wafer.lot);
  std::string text = data.product.name;
  const std::string next = " \u203a ";
  text += next + many(static_cast<std::int64_t>(lots.size()), "lot", "lots");
  text += next + many(static_cast<std::int64_t>(data.wafers.size()), "wafer", "wafers");
  text += next + (fab.yields ? many(fab.yields->final.tested, "tested die", "tested die")
                             : std::string("no tested die"));
  text += next + "the final result of each die counts";
  if (fab.yields && fab.yields->superseded > 0) {
    text += " (" + format_count(static_cast<std::int64_t>(fab.yields->superseded)) + " superseded)";
  }
  return text;
}

}  // namespace yieldloop::viewmodel
