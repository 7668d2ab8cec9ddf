#include <algorithm>
#include <map>
#include <set>

#include "engine/core/text.h"
#include "engine/layout/net_measure.h"

namespace yieldloop::layout {
namespace {

constexpr std::size_t kNamesListed = 32;
constexpr std::size_t kOpensListed = 100;
/// Cells looked at for one name; a net through more of them is a supply, named above.
constexpr std::size_t kCellsSearched = 20'000;

std::span<const NetLabel> labels_on(const NetCell& cell, std::uint64_t net) {
  const auto of = [](const NetLabel& label) { return std::uint64_t{label.net}; };
  return {std::ranges::lower_bound(cell.labels, net, {}, of),
          std::ranges::upper_bound(cell.labels, net, {}, of)};
}

/// Own nets of each cell that some cell above joins to something.
std::vector<std::vector<bool>> joined_outside(const NetHierarchy& nets) {
  std::vector<std::vector<bool>> joined(nets.cells.size());
  for (std::size_t i = 0; i < nets.cells.size(); ++i)
    joined[i].assign(nets.cells[i].own_nets, false);
  for (const NetCell& cell : nets.cells)
    for (std::uint32_t c = 0; c < cell.children.size(); ++c)
      for (std::uint32_t k = cell.joined_first[c]; k < cell.joined_first[c + 1]; ++k) {
        const NetPlace place = place_of(nets, {cell.children[c].cell, cell.joined_net[k], {}});
        joined[place.cell][place.net] = true;
      }
  return joined;
}

void add_opens(const NetCell& cell, const std::vector<bool>& joined,
               std::vector<PossibleOpen>& opens) {
  std::map<std::string_view, std::set<std::uint32_t>> bearing;
  for (const NetLabel& label : cell.labels)
    if ((cell.kinds[label.net] & kConductorKind) != 0) bearing[*label.text].insert(label.net);
  for (const auto& [name, on] : bearing) {
    const bool ends_here = std::ranges::any_of(on, [&](std::uint32_t net) { return !joined[net]; });
    if (on.size() > 1 && ends_here) opens.push_back({cell.source, std::string(name), on.size()});
  }
}

using Places = std::set<std::pair<std::uint32_t, std::uint64_t>>;  ///< (cell, own net)

/// The own nets, one level down, that a net is made of.
Places below(const NetHierarchy& nets, const Places& places) {
  Places next;
  for (const auto& [index, net] : places) {
    const NetCell& cell = nets.cells[index];
    for (std::uint32_t c = 0; c < cell.children.size(); ++c)
      for (std::uint32_t k = cell.joined_first[c]; k < cell.joined_first[c + 1]; ++k) {
        if (cell.joined_to[k] != net) continue;
        const NetPlace place = place_of(nets, {cell.children[c].cell, cell.joined_net[k], {}});
        next.emplace(place.cell, place.net);
        if (next.size() >= kCellsSearched) return next;
      }
  }
  return next;
}

NetNames names_of(const std::set<std::string>& texts) {
  NetNames names;
  names.different = texts.size();
  for (const std::string& text : texts) {
    if (names.all.size() == kNamesListed) break;
    names.all.push_back(text);
  }
  if (!names.all.empty()) names.first = names.all.front();
  return names;
}

/// Finds where nets of a cell's own numbers end up in the top.
class Search {
 public:
  Search(const NetHierarchy& nets, CellIndex source, std::string_view text, std::size_t limit)
      : nets_(nets), limit_(limit), leads_(nets.cells.size(), false), wanted_(nets.cells.size()) {
    for (std::size_t i = 0; i < nets.cells.size(); ++i) {
      const NetCell& cell = nets.cells[i];
      if (cell.source == source)
        for (const NetLabel& label : cell.labels)
          if (*label.text == text && (cell.kinds[label.net] & kConductorKind) != 0)
            wanted_[i].insert(label.net);
      leads_[i] = !wanted_[i].empty();
      for (const NetChild& child : cell.children) leads_[i] = leads_[i] || leads_[child.cell];
    }
  }

  std::set<NetId> run() {
    if (!nets_.cells.empty()) visit(static_cast<std::uint32_t>(nets_.cells.size() - 1));
    return std::move(found_);
  }

 private:
  void visit(std::uint32_t index) {
    if (!leads_[index] || found_.size() >= limit_) return;
    for (std::uint64_t net : wanted_[index]) {
      for (std::size_t i = path_.size(); i-- > 0;)
        net = nets_.cells[path_[i].first].lift(path_[i].second, net);
      if (found_.size() < limit_) found_.insert(net);
    }
    for (std::uint32_t c = 0; c < nets_.cells[index].children.size(); ++c) {
      path_.emplace_back(index, c);
      visit(nets_.cells[index].children[c].cell);
      path_.pop_back();
    }
  }

  const NetHierarchy& nets_;
  std::size_t limit_;
  std::vector<bool> leads_;
  std::vector<std::set<std::uint32_t>> wanted_;
  std::vector<std::pair<std::uint32_t, std::uint32_t>> path_;
  std::set<NetId> found_;
};

}  // namespace

void summarise(NetHierarchy& nets) {
  NetSummary& s = nets.summary;
  s.cells = nets.cells.size();
  if (nets.cells.empty()) return;
  const NetCell& top = nets.cells.back();
  for (std::size_t kind = 0; kind < top.count.size(); ++kind) {
    if ((kind & kConductorKind) != 0)
      s.nets += top.count[kind];
    else if ((kind & kCutKind) != 0)
      s.lone_cuts += top.count[kind];
  }
  s.loose_labels = top.count[kLabelKind];
  s.labels = top.label_count;
  const auto joined = joined_outside(nets);
  for (std::size_t i = 0; i < nets.cells.size(); ++i)
    add_opens(nets.cells[i], joined[i], s.possible_opens);
  std::ranges::sort(s.possible_opens, [](const PossibleOpen& a, const PossibleOpen& b) {
    return a.cell != b.cell ? a.cell < b.cell : a.name < b.name;
  });
  s.possible_opens_total = s.possible_opens.size();
  if (s.possible_opens.size() > kOpensListed) s.possible_opens.resize(kOpensListed);
}

std::vector<std::string> net_caveats(const NetSummary& summary, const Layout& layout) {
  std::vector<std::string> caveats;
  if (summary.loose_labels > 0)
    caveats.push_back(std::to_string(summary.loose_labels) + " of " +
                      std::to_string(summary.labels) +
                      " texts stand on no shape of their layer and name nothing.");
  if (summary.lone_cuts > 0)
    caveats.push_back(std::to_string(summary.lone_cuts) +
                      " groups of cuts touch none of the layers they should join.");
  for (const PossibleOpen& open : summary.possible_opens)
    caveats.push_back("The name " + open.name + " stands on " + std::to_string(open.nets) +
                      " nets of cell " + layout.cell(open.cell).name +
                      " that are not joined: possibly open.");
  const std::uint64_t more = summary.possible_opens_total - summary.possible_opens.size();
  if (more > 0) caveats.push_back(std::to_string(more) + " more names stand on several nets.");
  return caveats;
}

NetNames ChipNets::names(NetId net) const {
  const NetHierarchy& nets = *solved_;
  const auto top = static_cast<std::uint32_t>(nets.cells.size() - 1);
  const NetPlace place = place_of(nets, {top, net, {}});
  Places level{{place.cell, place.net}};
  std::set<std::string> texts;
  while (!level.empty() && texts.empty()) {
    for (const auto& [index, own] : level) {
      const NetCell& cell = nets.cells[index];
      const std::string prefix =
          index == top ? ""
                       : nets.layout->cell(cell.source == kNoCell ? 0 : cell.source).name + "/";
      for (const NetLabel& label : labels_on(cell, own)) texts.insert(prefix + *label.text);
    }
    if (texts.empty()) level = below(nets, level);
  }
  return names_of(texts);
}

std::vector<NetId> ChipNets::named(std::string_view name, std::size_t limit) const {
  if (solved_->cells.empty()) return {};
  std::set<NetId> found = Search(*solved_, solved_->cells.back().source, name, limit).run();
  const std::size_t slash = name.find('/');
  if (found.empty() && slash != std::string_view::npos)
    if (const auto cell = solved_->layout->find_cell(name.substr(0, slash)))
      found = Search(*solved_, *cell, name.substr(slash + 1), limit).run();
  return {found.begin(), found.end()};
}

}  // namespace yieldloop::layout
