#include <algorithm>
#include <array>

#include "ingest/readers/lefdef/lef_parts.h"

namespace yieldloop::ingest::lefdef {

void LayerReader::statement() {
  const bool opens_table =
      tokens_.is_like("ACCURRENTDENSITY") || tokens_.is_like("DCCURRENTDENSITY");
  if (opens_table) {
    tokens_.advance();
    tokens_.advance();
    in_table_ = !to_number(tokens_.text()).has_value();
  } else if (tokens_.is_like("TABLEENTRIES")) {
    in_table_ = false;
  } else if (!in_table_) {
    if (tokens_.take_like("TYPE")) {
      type();
    } else if (tokens_.take_like("DIRECTION")) {
      layer_.direction = tokens_.is_like("HORIZONTAL") ? Direction::kHorizontal
                         : tokens_.is_like("VERTICAL") ? Direction::kVertical
                                                       : Direction::kNone;
    } else if (tokens_.take_like("WIDTH")) {
      width();
    } else if (tokens_.take_like("MINWIDTH")) {
      optional_number("MINWIDTH", layer_.min_width);
    } else if (tokens_.take_like("SPACING")) {
      if (!layer_.spacing) optional_number("SPACING", layer_.spacing);
    } else if (tokens_.take_like("PITCH")) {
      optional_number("PITCH", layer_.pitch);
    } else if (tokens_.take_like("WIREEXTENSION")) {
      optional_number("WIREEXTENSION", layer_.wire_extension);
    } else if (tokens_.take_like("THICKNESS")) {
      optional_number("THICKNESS", layer_.thickness);
    } else if (tokens_.take_like("MASK")) {
      layer_.masks = static_cast<int>(std::clamp(to_number(tokens_.text()).value_or(1), 1.0, 9.0));
    } else if (tokens_.take_like("PROPERTY")) {
      property();
    }
  }
  parts_.skip_statement();
}

void LayerReader::type() {
  constexpr std::array<std::pair<std::string_view, LayerType>, 5> kTypes = {
      {{"ROUTING", LayerType::kRouting},
       {"CUT", LayerType::kCut},
       {"MASTERSLICE", LayerType::kMasterslice},
       {"OVERLAP", LayerType::kOverlap},
       {"IMPLANT", LayerType::kImplant}}};
  for (const auto& [word, type] : kTypes) {
    if (tokens_.is_like(word)) layer_.type = type;
  }
}

void LayerReader::optional_number(std::string_view statement, std::optional<double>& into) {
  if (const auto value = parts_.number(statement)) into = value;
}

void LayerReader::width() {
  const auto value = parts_.number("WIDTH");
  if (value && tokens_.is(";")) layer_.width = value;
}

void LayerReader::property() {
  while (!tokens_.at_end() && !tokens_.is(";")) {
    const std::string_view name = tokens_.text();
    tokens_.advance();
    if (tokens_.quoted()) lef58(name, tokens_.text());
    tokens_.advance();
  }
}

/// LEF58_WIDTH and LEF58_MINWIDTH: a width, or that of wires against the layer's direction.
void LayerReader::lef58(std::string_view name, std::string_view value) {
  if (name != "LEF58_WIDTH" && name != "LEF58_MINWIDTH") return;
  for (TokenStream words(value); !words.at_end();) {
    const bool wide = words.take_like("WIDTH");
    const bool minimum = !wide && words.take_like("MINWIDTH");
    const auto number = to_number(words.text());
    words.advance();
    const bool wrong_way = words.take_like("WRONGDIRECTION");
    if (number && (wide || minimum)) {
      if (wrong_way) {
        layer_.wrong_way_width = number;
      } else {
        (wide ? layer_.width : layer_.min_width) = number;
      }
    }
    while (!words.at_end() && !words.take(";")) words.advance();
  }
}

}  // namespace yieldloop::ingest::lefdef
