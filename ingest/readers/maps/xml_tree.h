/// \file
/// A small XML document in memory, read with bounds on depth, elements and text.
///
/// Names are local (without prefix), so that maps of any namespace version are read alike. No
/// document type, no entities of the document's own and nothing outside the file is ever read.
///
/// Source: W3C, "Extensible Markup Language (XML) 1.0", fifth edition.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "engine/core/result.h"

namespace yieldloop::ingest::maps {

struct XmlElement {
  std::string name;
  std::vector<std::pair<std::string, std::string>> attributes;
  std::string text;  ///< All of its own text, CDATA included.
  std::vector<XmlElement> children;
  std::uint64_t line = 1;
  std::uint64_t offset = 0;
  bool whole = false;  ///< Its end tag was seen.

  /// "" when it is not there; names are compared without regard to case, as writers vary.
  std::string_view attribute(std::string_view key) const;
  const XmlElement* child(std::string_view local_name) const;
  /// All descendants of that name, in the order of the document, outermost first; elements within
  /// a found one are not looked at.
  std::vector<const XmlElement*> all(std::string_view local_name) const;
};

struct XmlDocument {
  XmlElement root;      ///< Without a name: its children are the document's.
  std::string problem;  ///< Why reading stopped before the end; "" when it did not.
  std::uint64_t problem_line = 1;
  std::uint64_t problem_offset = 0;
};

/// What stands before a break is kept.
/// Errors: kUnsupported WMAP-0021 (a document type declaration), WMAP-0023 (nested too deeply or
/// too many elements).
Result<XmlDocument> parse_xml(std::string_view text);

}  // namespace yieldloop::ingest::maps
