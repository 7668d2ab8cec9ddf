/// \file
/// Pieces of the DEF grammar. Internal to the folder.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "ingest/readers/lefdef/complaints.h"
#include "ingest/readers/lefdef/def.h"
#include "ingest/readers/lefdef/tokens.h"

namespace yieldloop::ingest::lefdef {

/// Components by their names as written; views of the file's text.
using ComponentIndex = std::unordered_map<std::string_view, std::uint32_t>;

/// Points, shapes and placements inside an entry. Functions that return false have complained.
class DefParts {
 public:
  DefParts(TokenStream& tokens, Complaints& complaints, Def& def)
      : tokens_(tokens), complaints_(complaints), def_(def) {}

  TokenStream& tokens() { return tokens_; }
  Def& def() { return def_; }
  Complaints& complaints() { return complaints_; }

  bool damaged(std::string_view what);
  /// A new entry or section begins, or the file ends, where its `;` should have been.
  bool at_border() const { return tokens_.at_end() || tokens_.is("-") || tokens_.is("END"); }
  /// Steps behind the entry's `;`, or stops at a border.
  void skip_entry();
  /// Steps to the next `+`, `;` or border.
  void skip_option();
  bool close_entry(std::string_view what);

  bool name(std::string& into);
  bool coord(Coord& into, std::string_view what);
  bool real(double& into, std::string_view what);
  /// `( x y )`; `*` repeats the coordinate of `last`.
  bool point(Point& into, std::string_view what, Point last = {});
  bool box(Box& into, std::string_view what);
  bool polygon(Polygon& into, std::string_view what);
  /// PLACED, FIXED or COVER were read: `( x y ) orientation`.
  bool placement(Point& at, Orientation& orientation);
  /// `[MASK n]`, wherever it stands.
  void mask();
  /// RECT or POLYGON of a layer were read up to the points.
  bool add_box(std::uint32_t layer, std::string_view what, std::vector<DrawnShape>& into);
  bool add_polygon(std::uint32_t layer, std::string_view what, std::vector<DrawnShape>& into);
  std::uint32_t layer();
  std::uint32_t shapes_end() const { return static_cast<std::uint32_t>(def_.shapes.size()); }
  std::uint32_t vias_end() const { return static_cast<std::uint32_t>(def_.vias.size()); }

 private:
  TokenStream& tokens_;
  Complaints& complaints_;
  Def& def_;
};

/// PINS, VIAS, BLOCKAGES and FILLS (and SLOTS) entries: each reads one behind its `-`, up to but
/// without its `;`, and returns false when it was given up (the complaint is made).
class EntryReader {
 public:
  explicit EntryReader(DefParts& parts)
      : parts_(parts), tokens_(parts.tokens()), def_(parts.def()) {}
  bool pin();
  bool via();
  bool blockage();
  /// `slots`: metal that is taken away; it is checked and not kept.
  bool fill(bool slots);

 private:
  void new_port(Pin& pin);
  bool pin_option(Pin& pin);
  bool spacing_words();
  bool real_point(RealPoint& point, std::string_view what);
  bool via_option(ViaDefinition& via);
  bool via_shape(ViaDefinition& via);
  bool boxes(std::uint32_t layer, std::vector<DrawnShape>& into, std::string_view what);
  bool fill_via();

  DefParts& parts_;
  TokenStream& tokens_;
  Def& def_;
};

/// NETS and SPECIALNETS entries.
class NetReader {
 public:
  explicit NetReader(DefParts& parts) : parts_(parts), tokens_(parts.tokens()), def_(parts.def()) {}
  /// Reads an entry behind its `-`, up to but without its `;`; false when it was given up (the
  /// complaint is made and the net kept as far as it was read).
  bool read(bool special, const ComponentIndex& components);

 private:
  static constexpr std::uint32_t kNetRule = kNone - 1;

  bool connections(const ComponentIndex& components);
  bool connection(const ComponentIndex& components);
  bool options(const Net& net);
  bool skip_quiet_option();
  bool wiring(const Net& net);
  bool own_shape(bool& taken);
  bool routes(const Net& net);
  bool route_head(const Net& net);
  bool route_body();
  bool route_point(bool is_virtual);
  bool route_rect();
  bool may_be_via() const;
  bool route_via();
  void start_route(std::uint32_t layer);
  void break_route();
  void drop_bad_segment();

  DefParts& parts_;
  TokenStream& tokens_;
  Def& def_;
  std::uint32_t net_rule_ = kNone;
  bool has_point_ = false;
  bool after_via_ = false;
  Point last_;
};

}  // namespace yieldloop::ingest::lefdef
