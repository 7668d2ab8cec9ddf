/// \file
/// Pieces of the LEF grammar. Internal to the folder.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "engine/core/function_ref.h"
#include "ingest/readers/lefdef/complaints.h"
#include "ingest/readers/lefdef/lef.h"
#include "ingest/readers/lefdef/tokens.h"

namespace yieldloop::ingest::lefdef {

/// Statements, blocks and numbers, with what is skipped told.
class LefParts {
 public:
  LefParts(TokenStream& tokens, Complaints& complaints)
      : tokens_(tokens), complaints_(complaints) {}

  /// Steps behind the next `;`.
  void skip_statement();
  /// The same where the `;` itself may be missing: stops before END as well.
  void skip_damaged();
  void skip_to_word(std::size_t from, std::string_view word);
  /// Calls `statement` until END; steps over the name behind it and complains when it is another.
  void block(std::size_t from, std::string_view name, FunctionRef<void()> statement);
  /// A block of no interest.
  void skip_block(std::size_t from, std::string_view name);

  /// The current word as a number, stepped over; complains otherwise.
  std::optional<double> number(std::string_view statement);
  bool point(RealPoint& point, std::string_view statement);
  bool size(RealPoint& size);
  /// Complains about the statement at the current word.
  void damaged(std::string_view statement);

 private:
  TokenStream& tokens_;
  Complaints& complaints_;
};

/// LAYER ... END.
class LayerReader {
 public:
  LayerReader(TokenStream& tokens, LefParts& parts, LefLayer& layer)
      : tokens_(tokens), parts_(parts), layer_(layer) {}
  void statement();

 private:
  void type();
  void optional_number(std::string_view statement, std::optional<double>& into);
  void width();
  void property();
  void lef58(std::string_view name, std::string_view value);

  TokenStream& tokens_;
  LefParts& parts_;
  LefLayer& layer_;
  bool in_table_ = false;  ///< Of a current density: its WIDTH is not the layer's.
};

/// LAYER, WIDTH, RECT, POLYGON, PATH and VIA statements of ports, obstructions and vias.
class GeometryReader {
 public:
  GeometryReader(TokenStream& tokens, LefParts& parts, Geometry& geometry)
      : tokens_(tokens), parts_(parts), geometry_(geometry) {}
  /// False when the word begins none of them; nothing was read then.
  bool statement();

 private:
  struct Steps {
    int columns = 1, rows = 1;
    RealPoint step;
  };
  bool layer();
  bool shape(Shape::Kind kind);
  bool via();
  int mask();
  bool steps(Steps& steps);
  bool finish(bool good, std::string_view statement);
  void repeat(const Shape& shape, const Steps& steps);

  TokenStream& tokens_;
  LefParts& parts_;
  Geometry& geometry_;
  std::string layer_name_;
  double width_ = 0.0;
};

/// VIA ... END, also inside NONDEFAULTRULE.
class ViaReader {
 public:
  ViaReader(TokenStream& tokens, LefParts& parts, ViaDefinition& via)
      : tokens_(tokens), parts_(parts), via_(via), reader_(tokens, parts, geometry_) {}
  /// The words behind the name.
  void head();
  bool statement();

 private:
  bool parameter(GeneratedVia& g);
  bool finish(bool good);

  TokenStream& tokens_;
  LefParts& parts_;
  ViaDefinition& via_;
  Geometry geometry_;
  GeometryReader reader_;
};

/// MACRO ... END.
class MacroReader {
 public:
  MacroReader(TokenStream& tokens, LefParts& parts, Macro& macro)
      : tokens_(tokens), parts_(parts), macro_(macro) {}
  bool statement();

 private:
  void pin(std::size_t from);
  bool pin_statement(MacroPin& pin);
  void geometry_block(std::size_t from, std::string_view name, Geometry& geometry);
  void foreign();

  TokenStream& tokens_;
  LefParts& parts_;
  Macro& macro_;
};

}  // namespace yieldloop::ingest::lefdef
