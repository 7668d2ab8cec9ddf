#include "ingest/readers/maps/xml_tree.h"

#include <expat.h>

#include <algorithm>
#include <memory>

#include "engine/core/text.h"

namespace yieldloop::ingest::maps {
namespace {

constexpr std::size_t kDeepest = 64;
constexpr std::size_t kMostElements = 2'000'000;
constexpr std::size_t kPiece = std::size_t{1} << 20U;

std::string_view local(std::string_view name) {
  const std::size_t colon = name.rfind(':');
  return colon == std::string_view::npos ? name : name.substr(colon + 1);
}

struct Builder {
  XML_Parser parser = nullptr;
  std::vector<XmlElement*> open;
  std::size_t elements = 0;
  bool has_doctype = false;
  bool too_much = false;
  std::uint64_t skipped_bytes = 0, skipped_lines = 0;  ///< Before the document.

  void start(const char* name, const char** attributes) {
    if (open.size() > kDeepest || ++elements > kMostElements) {
      too_much = true;
      XML_StopParser(parser, XML_FALSE);
      return;
    }
    XmlElement& element = open.back()->children.emplace_back();
    element.name = local(name);
    element.line = skipped_lines + XML_GetCurrentLineNumber(parser);
    element.offset = skipped_bytes + static_cast<std::uint64_t>(XML_GetCurrentByteIndex(parser));
    for (; *attributes != nullptr; attributes += 2) {
      element.attributes.emplace_back(local(attributes[0]), attributes[1]);
    }
    // The vector of a parent grows only while its last child is closed.
    open.push_back(&element);
  }
  void end() {
    open.back()->whole = true;
    open.pop_back();
  }
};

Builder& builder(void* data) { return *static_cast<Builder*>(data); }

void XMLCALL on_start(void* data, const XML_Char* name, const XML_Char** attributes) {
  builder(data).start(name, attributes);
}
void XMLCALL on_end(void* data, const XML_Char*) {
  if (!builder(data).too_much) builder(data).end();
}
void XMLCALL on_text(void* data, const XML_Char* text, int length) {
  builder(data).open.back()->text.append(text, static_cast<std::size_t>(length));
}
void XMLCALL on_doctype(void* data, const XML_Char*, const XML_Char*, const XML_Char*, int) {
  builder(data).has_doctype = true;
  XML_StopParser(builder(data).parser, XML_FALSE);
}
/// Code pages that the parser does not know: ASCII is kept, the rest read as Latin-1.
int XMLCALL on_encoding(void*, const XML_Char*, XML_Encoding* info) {
  for (int i = 0; i < 256; ++i) info->map[i] = i;
  info->data = nullptr;
  info->convert = nullptr;
  info->release = nullptr;
  return XML_STATUS_OK;
}

}  // namespace

std::string_view XmlElement::attribute(std::string_view key) const {
  for (const auto& [name_of, value] : attributes) {
    if (equals_ignoring_case(name_of, key)) return value;
  }
  return {};
}

const XmlElement* XmlElement::child(std::string_view local_name) const {
  const auto it = std::ranges::find_if(
      children, [&](const XmlElement& c) { return equals_ignoring_case(c.name, local_name); });
  return it == children.end() ? nullptr : &*it;
}

std::vector<const XmlElement*> XmlElement::all(std::string_view local_name) const {
  std::vector<const XmlElement*> found;
  for (const XmlElement& c : children) {
    if (equals_ignoring_case(c.name, local_name)) {
      found.push_back(&c);
      continue;
    }
    const auto inside = c.all(local_name);
    found.insert(found.end(), inside.begin(), inside.end());
  }
  return found;
}

Result<XmlDocument> parse_xml(std::string_view text) {
  // Blanks before the declaration are common and not allowed.
  const std::size_t blank = std::min(text.find_first_not_of(" \t\r\n"), text.size());
  std::string_view rest = text.substr(blank);
  XmlDocument document;
  Builder b;
  const std::unique_ptr<std::remove_pointer_t<XML_Parser>, decltype(&XML_ParserFree)> parser(
      XML_ParserCreate(nullptr), &XML_ParserFree);
  if (!parser) throw std::bad_alloc();
  b.parser = parser.get();
  b.skipped_bytes = blank;
  b.skipped_lines = static_cast<std::uint64_t>(std::ranges::count(text.substr(0, blank), '\n'));
  b.open.push_back(&document.root);
  XML_SetUserData(b.parser, &b);
  XML_SetElementHandler(b.parser, on_start, on_end);
  XML_SetCharacterDataHandler(b.parser, on_text);
  XML_SetStartDoctypeDeclHandler(b.parser, on_doctype);
  XML_SetUnknownEncodingHandler(b.parser, on_encoding, nullptr);
  auto status = XML_STATUS_OK;
  do {
    const std::string_view piece = rest.substr(0, kPiece);
    rest.remove_prefix(piece.size());
    status = XML_Parse(b.parser, piece.data(), static_cast<int>(piece.size()),
                       rest.empty() ? XML_TRUE : XML_FALSE);
  } while (status == XML_STATUS_OK && !rest.empty());
  if (b.has_doctype) {
    return Error{Errc::kUnsupported, "WMAP-0021",
                 "The map declares a document type, which maps need not and may not do; send it "
                 "without one."};
  }
  if (b.too_much) {
    return Error{Errc::kUnsupported, "WMAP-0023",
                 "The map nests its elements too deeply or has millions of them; it is damaged."};
  }
  if (status != XML_STATUS_OK) {
    document.problem = XML_ErrorString(XML_GetErrorCode(b.parser));
    document.problem_line = b.skipped_lines + XML_GetCurrentLineNumber(b.parser);
    document.problem_offset = blank + static_cast<std::uint64_t>(std::max<XML_Index>(
                                          0, XML_GetCurrentByteIndex(b.parser)));
  }
  return document;
}

}  // namespace yieldloop::ingest::maps
