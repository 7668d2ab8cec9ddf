/// \file
/// Patterns somebody wants to remember: their geometry, a name, a note, how often they stood where.
///
/// A library is a JSON document ("yieldloop.pattern_library/1") that people may read and edit:
/// names and notes are theirs, geometry and id belong together and are checked when it is read. It
/// can be drawn as a layout of its own, one clip beside the other with a frame and a text each,
/// and looked for in any layout of the same database unit.
///
/// Units: database units of the pattern; rings and places in half database units.
/// Const members are safe to call from several threads.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "engine/layout/pattern_classes.h"

namespace yieldloop::layout {

/// A PatternSpec by layer numbers, so that it holds for any layout.
struct PatternRule {
  double dbu_um = 0.001;
  std::vector<LayerKey> layers;
  std::vector<LayerKey> via_layers;
  Coord radius = 0;
  PointKindSet kinds = kAllPointKinds;
  Coord line_end = 0;
  Coord jog = 0;
  Coord space = 0;
  Coord width = 0;
  Coord via = 0;
  friend bool operator==(const PatternRule&, const PatternRule&) = default;
};

PatternRule rule_of(const Layout& layout, const PatternSpec& spec);
/// Errors: kInvalidOptions PATL-0003 (other database unit); kNotFound LAYO-0005 (a layer that the
/// layout does not draw on).
Result<PatternSpec> spec_of(const Layout& layout, const PatternRule& rule);

struct KnownPattern {
  std::string id;
  std::string name;    ///< Given by people; may be empty.
  std::string note;    ///< The same.
  std::string source;  ///< Layout it was last counted in.
  PatternRule rule;
  PointKindSet kinds = 0;  ///< What its places were.
  ClipWords words;         ///< Canonical.
  std::uint64_t occurrences = 0;
  std::vector<Point> places;  ///< Some of them, in half database units.
  friend bool operator==(const KnownPattern&, const KnownPattern&) = default;
};

struct PatternLibrary {
  std::vector<KnownPattern> patterns;  ///< Each id with its layers once.
  friend bool operator==(const PatternLibrary&, const PatternLibrary&) = default;
};

/// Errors: kFormat PATL-0001 (no such document, with what is wrong), PATL-0002 (a pattern whose
/// geometry does not give its id).
Result<PatternLibrary> parse_library(std::string_view json);
std::string library_text(const PatternLibrary& library);

/// Puts patterns in; of one that is known already counts, source and places are renewed, its name
/// and note stay. Returns how many were new.
std::size_t add_patterns(PatternLibrary& library, std::vector<KnownPattern> patterns);

/// Where a clip is drawn in clips_layout(), in its database units.
struct ClipFrame {
  std::size_t pattern = 0;
  Box box;
};
struct ClipSheet {
  Layout layout;         ///< Database unit half of the patterns', so that everything is exact.
  LayerKey frame_layer;  ///< A box for each clip, and a text with id and name at its corner.
  std::vector<ClipFrame> frames;
};
/// The patterns in rows, left to right and downwards, each in its canonical orientation on its own
/// layers. Errors: kInvalidOptions PATL-0003 (patterns of several database units); those of
/// LayoutBuilder.
Result<ClipSheet> clips_layout(const PatternLibrary& library);

struct LibraryMatch {
  std::size_t pattern = 0;    ///< Position in the library.
  std::uint64_t count = 0;    ///< All, listed or not.
  std::vector<Point> places;  ///< Ascending, at most `most`.
};
/// Which known patterns occur in a layout and where; one for each pattern, in the library's order.
/// A pattern whose layers the layout does not draw occurs nowhere.
/// Errors: kInvalidOptions PATL-0003; those of find_patterns.
Result<std::vector<LibraryMatch>> match_library(const FlatView& view, const PatternLibrary& library,
                                                const std::optional<Box>& window, std::size_t most,
                                                Progress& progress);

}  // namespace yieldloop::layout
