// Thrift compact structures of Parquet: the footer and page headers.

#include <fmt/format.h>

#include <algorithm>
#include <cstring>
#include <optional>

#include "engine/core/function_ref.h"
#include "engine/core/text.h"
#include "ingest/readers/logs/parquet.h"

namespace yieldloop::ingest::parquet {
namespace {

constexpr int kDeepest = 24;
constexpr std::size_t kMostLeaves = 20'000;

/// Walks over compact-protocol bytes; after a mistake everything reads as empty.
class Thrift {
 public:
  explicit Thrift(Bytes bytes) : bytes_(bytes) {}
  bool good() const { return good_; }
  std::size_t position() const { return at_; }

  std::uint64_t varint() {
    std::uint64_t value = 0;
    for (unsigned shift = 0; shift < 64; shift += 7) {
      const std::uint8_t byte = next();
      value |= static_cast<std::uint64_t>(byte & 0x7f) << shift;
      if ((byte & 0x80) == 0) return value;
    }
    good_ = false;
    return 0;
  }
  std::int64_t integer() {
    const std::uint64_t raw = varint();
    return static_cast<std::int64_t>(raw >> 1) ^ -static_cast<std::int64_t>(raw & 1);
  }
  std::string text() {
    const std::uint64_t size = varint();
    if (!good_ || size > bytes_.size() - at_) return good_ = false, std::string();
    std::string value(reinterpret_cast<const char*>(bytes_.data() + at_), size);
    at_ += size;
    return value;
  }

  /// Calls each(id, type) for every field; what it does not read must be skipped by it.
  void structure(FunctionRef<void(int, int)> each) {
    if (++depth_ > kDeepest) good_ = false;
    int id = 0;
    while (good_) {
      const std::uint8_t head = next();
      if (head == 0 || !good_) break;
      const int delta = head >> 4;
      id = delta == 0 ? static_cast<int>(integer()) : id + delta;
      each(id, head & 0x0f);
    }
    --depth_;
  }
  /// Calls each(type) for every element.
  void list(FunctionRef<void(int)> each) {
    const std::uint8_t head = next();
    std::uint64_t count = head >> 4;
    if (count == 15) count = varint();
    // Every element takes a byte at least.
    if (count > bytes_.size() - std::min(at_, bytes_.size())) good_ = false;
    for (std::uint64_t i = 0; i < count && good_; ++i) each(head & 0x0f);
  }
  void skip(int type) {
    switch (type) {
      case 1:
      case 2: return;  // A boolean is its type.
      case 3: next(); return;
      case 4:
      case 5:
      case 6: varint(); return;
      case 7: advance(8); return;
      case 8: text(); return;
      case 9:
      case 10:
        list([this](int inner) { inner == 1 || inner == 2 ? void(next()) : skip(inner); });
        return;
      case 12: structure([this](int, int inner) { skip(inner); }); return;
      default: good_ = false;
    }
  }

 private:
  std::uint8_t next() {
    if (at_ >= bytes_.size()) return good_ = false, std::uint8_t{0};
    return std::to_integer<std::uint8_t>(bytes_[at_++]);
  }
  void advance(std::size_t by) {
    if (by > bytes_.size() - std::min(at_, bytes_.size())) good_ = false;
    at_ += by;
  }

  Bytes bytes_;
  std::size_t at_ = 0;
  int depth_ = 0;
  bool good_ = true;
};

struct Element {
  std::string name;
  int type = -1, length = 0, repetition = 0, children = 0, converted = -1, scale = 0;
  int logical = 0;  ///< Field of the union; 0: none.
  bool utc = true;
  int unit = 0;
  bool is_signed = true;
};

int small(Thrift& thrift) {
  return static_cast<int>(std::clamp<std::int64_t>(thrift.integer(), -1, 1 << 30));
}

void read_logical(Thrift& t, Element& e) {
  t.structure([&](int id, int type) {
    e.logical = id;
    if (type != 12) return t.skip(type);
    t.structure([&](int field, int kind) {
      if (id == 5 && field == 1) {
        e.scale = small(t);
      } else if ((id == 7 || id == 8) && field == 1) {
        e.utc = kind == 1;
      } else if ((id == 7 || id == 8) && field == 2) {
        t.structure([&](int unit, int inner) {
          e.unit = unit;
          t.skip(inner);
        });
      } else if (id == 10 && field == 2) {
        e.is_signed = kind == 1;
      } else {
        t.skip(kind);
      }
    });
  });
}

Element read_element(Thrift& t) {
  Element e;
  t.structure([&](int id, int type) {
    switch (id) {
      case 1: e.type = small(t); break;
      case 2: e.length = small(t); break;
      case 3: e.repetition = small(t); break;
      case 4: e.name = t.text(); break;
      case 5: e.children = small(t); break;
      case 6: e.converted = small(t); break;
      case 7: e.scale = small(t); break;
      case 10: read_logical(t, e); break;
      default: t.skip(type);
    }
  });
  return e;
}

/// Converted types of the older specification stand for some of the newer logical ones.
void set_meaning(const Element& e, Leaf& leaf) {
  if (e.logical == 5 || e.converted == 5) {
    leaf.meaning = Meaning::kDecimal;
    leaf.scale = std::clamp(e.scale, 0, 30);
  } else if (e.logical == 6 || e.converted == 6) {
    leaf.meaning = Meaning::kDate;
  } else if (e.logical == 8 || e.converted == 9 || e.converted == 10) {
    leaf.meaning = Meaning::kTimestamp;
    const bool millis = e.logical == 8 ? e.unit == 1 : e.converted == 9;
    leaf.per_second = millis ? 1'000 : e.logical == 8 && e.unit == 3 ? 1'000'000'000 : 1'000'000;
    leaf.utc = e.logical != 8 || e.utc;
  } else if ((e.logical == 10 && !e.is_signed) || (e.converted >= 11 && e.converted <= 14)) {
    leaf.meaning = Meaning::kUnsigned;
  }
}

/// Leaves below `at` that belong to one column of the schema's root.
std::size_t skip_tree(const std::vector<Element>& elements, std::size_t at, std::size_t& leaves,
                      int depth = 0) {
  if (at >= elements.size() || depth > kDeepest) return elements.size();
  const int children = elements[at].children;
  std::size_t next = at + 1;
  if (children <= 0) ++leaves;
  for (int c = 0; c < children && next < elements.size(); ++c) {
    next = skip_tree(elements, next, leaves, depth + 1);
  }
  return next;
}

struct Columns {
  std::vector<std::optional<std::size_t>> of_leaf;  ///< Leaf in the file -> flat column.
};

void read_schema(const std::vector<Element>& elements, Footer& footer, Columns& columns) {
  for (std::size_t at = 1; at < elements.size() && columns.of_leaf.size() < kMostLeaves;) {
    const Element& e = elements[at];
    std::size_t leaves = 0;
    at = skip_tree(elements, at, leaves);
    if (e.children > 0 || e.repetition == 2 || e.type < 0 || e.type > 7) {
      footer.nested.push_back(to_valid_utf8(e.name));
      columns.of_leaf.resize(columns.of_leaf.size() + leaves);
      continue;
    }
    Leaf leaf{.name = to_valid_utf8(trim(e.name)), .physical = static_cast<Physical>(e.type)};
    leaf.optional = e.repetition == 1;
    leaf.width = static_cast<std::size_t>(std::max(e.length, 0));
    set_meaning(e, leaf);
    columns.of_leaf.push_back(footer.leaves.size());
    footer.leaves.push_back(std::move(leaf));
  }
}

struct RawChunk {
  Chunk chunk;
  std::int64_t data = -1, dictionary = -1, size = -1;
};

RawChunk read_chunk(Thrift& t) {
  RawChunk raw;
  t.structure([&](int id, int type) {
    if (id != 3 || type != 12) return t.skip(type);
    t.structure([&](int field, int kind) {
      switch (field) {
        case 4: raw.chunk.codec = small(t); break;
        case 5:
          raw.chunk.values = static_cast<std::uint64_t>(std::max<std::int64_t>(t.integer(), 0));
          break;
        case 7: raw.size = t.integer(); break;
        case 9: raw.data = t.integer(); break;
        case 11: raw.dictionary = t.integer(); break;
        default: t.skip(kind);
      }
    });
  });
  return raw;
}

/// Where the pages of a chunk lie; false when that is outside of the file.
bool place(RawChunk& raw, std::uint64_t file_size) {
  const std::int64_t begin = raw.dictionary > 0 ? std::min(raw.dictionary, raw.data) : raw.data;
  if (begin < 4 || raw.size < 0) return false;
  raw.chunk.begin = static_cast<std::uint64_t>(begin);
  if (raw.chunk.begin > file_size) return false;
  if (static_cast<std::uint64_t>(raw.size) > file_size - raw.chunk.begin) return false;
  raw.chunk.end = raw.chunk.begin + static_cast<std::uint64_t>(raw.size);
  return true;
}

bool read_group(Thrift& t, const Columns& columns, std::size_t flat, std::uint64_t file_size,
                RowGroup& group) {
  group.chunks.resize(flat);
  bool placed = true;
  t.structure([&](int id, int type) {
    if (id == 3) {
      group.rows = static_cast<std::uint64_t>(std::max<std::int64_t>(t.integer(), 0));
    } else if (id == 1 && type == 9) {
      std::size_t leaf = 0;
      t.list([&](int) {
        RawChunk raw = read_chunk(t);
        const bool wanted = leaf < columns.of_leaf.size() && columns.of_leaf[leaf].has_value();
        if (wanted) {
          placed = placed && place(raw, file_size);
          group.chunks[*columns.of_leaf[leaf]] = raw.chunk;
        }
        ++leaf;
      });
      placed = placed && leaf == columns.of_leaf.size();
    } else {
      t.skip(type);
    }
  });
  for (const Chunk& chunk : group.chunks) placed = placed && chunk.values == group.rows;
  return placed;
}

Error damaged() {
  return {Errc::kFormat, "PARQ-0001",
          "The Parquet file has no readable footer, so nothing in it can be found; it may be cut "
          "short."};
}

}  // namespace

Result<Footer> read_footer(Bytes bytes) {
  constexpr std::size_t kTail = 8;
  if (bytes.size() < kTail + 4) return damaged();
  const Bytes tail = bytes.last(kTail);
  if (std::memcmp(tail.data() + 4, "PARE", 4) == 0) {
    return Error{Errc::kUnsupported, "PARQ-0002",
                 "The Parquet file's footer is encrypted; write it without encryption."};
  }
  std::uint32_t size = 0;
  std::memcpy(&size, tail.data(), sizeof size);
  if (std::memcmp(tail.data() + 4, "PAR1", 4) != 0 || size > bytes.size() - kTail - 4) {
    return damaged();
  }
  Thrift t(bytes.subspan(bytes.size() - kTail - size, size));
  Footer footer;
  Columns columns;
  bool placed = true;
  unsigned seen = 0;  // One bit a field: each of the three comes once.
  t.structure([&](int id, int type) {
    if (id >= 2 && id <= 4) {
      placed = placed && (seen >> id & 1U) == 0;
      seen |= 1U << id;
    }
    if (id == 2 && type == 9) {
      std::vector<Element> elements;
      t.list([&](int) { elements.push_back(read_element(t)); });
      read_schema(elements, footer, columns);
    } else if (id == 3) {
      footer.rows = static_cast<std::uint64_t>(std::max<std::int64_t>(t.integer(), 0));
    } else if (id == 4 && type == 9) {
      t.list([&](int) {
        footer.groups.emplace_back();
        placed = read_group(t, columns, footer.leaves.size(), bytes.size(), footer.groups.back()) &&
                 placed;
      });
    } else {
      t.skip(type);
    }
  });
  std::uint64_t rows = 0;
  for (const RowGroup& group : footer.groups) {
    rows += group.rows;
    // A damaged footer may say its columns after its row groups, or twice.
    placed = placed && group.chunks.size() == footer.leaves.size();
  }
  if (!t.good() || !placed || seen != 0b11100U || rows != footer.rows) return damaged();
  if (footer.leaves.empty()) {
    return Error{Errc::kFormat, "PARQ-0003",
                 "The Parquet file has no column that is not a list, map or structure."};
  }
  return footer;
}

bool read_page_header(Bytes bytes, PageHeader& header) {
  Thrift t(bytes);
  const auto number = [&] {
    const std::int64_t value = t.integer();
    return static_cast<std::uint32_t>(std::clamp<std::int64_t>(value, 0, UINT32_MAX));
  };
  t.structure([&](int id, int type) {
    if (id == 1) {
      header.type = small(t);
    } else if (id == 2) {
      header.unpacked = number();
    } else if (id == 3) {
      header.packed = number();
    } else if ((id == 5 || id == 7 || id == 8) && type == 12) {
      t.structure([&](int field, int kind) {
        const bool second = id == 8;
        if (field == 1) {
          header.values = number();
        } else if (field == (second ? 4 : 2)) {
          header.encoding = small(t);
        } else if (second && field == 5) {
          header.definition_bytes = number();
        } else if (second && field == 6) {
          header.repetition_bytes = number();
        } else if (second && field == 7) {
          header.is_packed = kind == 1;
        } else {
          t.skip(kind);
        }
      });
    } else {
      t.skip(type);
    }
  });
  header.size = t.position();
  return t.good();
}

}  // namespace yieldloop::ingest::parquet
