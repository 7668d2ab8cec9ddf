#include "ingest/readers/stdf/record_cursor.h"

#include "catch_portable.h"
#include "reader_fixture.h"
#include "stdf_bytes.h"

using namespace yieldloop;
using ingest::Rejects;
using ingest::stdf::RecordCursor;
using test::StdfBytes;

namespace {

ingest::Bytes view(const std::string& text) {
  return std::as_bytes(std::span(text.data(), text.size()));
}

struct Walk {
  std::vector<std::uint16_t> codes;
  std::vector<std::size_t> sizes;
  Rejects rejects;
  std::uint64_t bytes_seen = 0;
};

Walk walk(RecordCursor cursor) {
  Walk w;
  while (const auto record = cursor.next(w.rejects)) {
    w.codes.push_back(record->code);
    w.sizes.push_back(record->body.size());
    w.bytes_seen += record->body.size() + 4;
  }
  for (const auto& reject : w.rejects.kept()) w.bytes_seen += reject.bytes_dropped;
  return w;
}

Walk walk(const std::string& bytes) { return walk(RecordCursor::open(view(bytes)).value()); }

}  // namespace

TEST_CASE("stdf cursor: walks both byte orders", "[stdf]") {
  const auto order = GENERATE(std::endian::big, std::endian::little);
  StdfBytes s(order);
  s.pir().mrr();
  auto cursor = RecordCursor::open(view(s.bytes())).value();
  CHECK(cursor.byte_order() == order);
  Rejects rejects;
  CHECK(cursor.next(rejects)->code == ingest::stdf::kFar);
  const auto pir = cursor.next(rejects);
  REQUIRE(pir);
  CHECK(pir->body.size() == 2);
  CHECK(pir->byte_offset == 6);
  CHECK(pir->ordinal == 1);
  CHECK(cursor.next(rejects)->code == ingest::stdf::kMrr);
  CHECK_FALSE(cursor.next(rejects));
  CHECK(rejects.empty());
}

TEST_CASE("stdf cursor: a truncated tail is one reject, not an error", "[stdf][damage]") {
  const auto cut = GENERATE(as<std::size_t>{}, 1, 4, 5, 8);
  StdfBytes s;
  s.mrr();
  const auto w = walk(s.bytes().substr(0, s.bytes().size() - cut));
  CHECK(w.codes.size() == 1);
  REQUIRE(w.rejects.total() == 1);
  CHECK(w.rejects.kept()[0].id == "STDF-0002");
  CHECK(w.rejects.kept()[0].byte_offset == 6);
  CHECK(w.rejects.kept()[0].bytes_dropped == 9 - cut);
}

TEST_CASE("stdf cursor: a hole of zeros is skipped and measured", "[stdf][damage]") {
  const auto hole = GENERATE(as<std::size_t>{}, 1, 5, 512, 700'000);
  StdfBytes s;
  s.pir().raw(std::string(hole, '\0')).pir().pir().mrr();
  const auto w = walk(s.bytes());
  CHECK(w.codes.size() == 5);
  REQUIRE(w.rejects.total() == 1);
  CHECK(w.rejects.kept()[0].id == "STDF-0004");
  CHECK(w.rejects.kept()[0].byte_offset == 12);
  CHECK(w.rejects.kept()[0].bytes_dropped == hole);
}

TEST_CASE("stdf cursor: zeros to the end are one reject", "[stdf][damage]") {
  StdfBytes s;
  s.pir().raw(std::string(3000, '\0'));
  const auto w = walk(s.bytes());
  CHECK(w.codes.size() == 2);
  REQUIRE(w.rejects.total() == 1);
  CHECK(w.rejects.kept()[0].bytes_dropped == 3000);
}

TEST_CASE("stdf cursor: private types are stepped over by their length", "[stdf]") {
  StdfBytes s;
  s.add(180, 7, s.body().u4(1).u4(2)).pir().add(14, 1, s.body().u1(3));
  const auto w = walk(s.bytes());
  CHECK(w.codes.size() == 4);
  CHECK(w.rejects.empty());
}

TEST_CASE("stdf cursor: a stream in pieces walks like the whole", "[stdf]") {
  StdfBytes s;
  for (int i = 0; i < 40; ++i)
    s.add(50, 30, s.body().cn(std::string(200, 'x'))).add(180, 1, [&] {
      auto b = s.body();
      for (int k = 0; k < 60'000; ++k) b.u1(7);
      return b;
    }());
  s.raw(std::string(900'000, '\0')).pir().pir().mrr();
  const auto whole = walk(s.bytes());
  const auto pieces =
      walk(RecordCursor::open(std::unique_ptr<ingest::ByteSource>(
                                  std::make_unique<test::PieceSource>(view(s.bytes()), 4093)))
               .value());
  CHECK(whole.codes == pieces.codes);
  CHECK(whole.sizes == pieces.sizes);
  CHECK(whole.rejects.kept() == pieces.rejects.kept());
  CHECK(whole.bytes_seen == s.bytes().size());
}

TEST_CASE("stdf cursor: every byte is in a record or in a reject", "[stdf][damage]") {
  const std::string whole = test::whole_file().bytes();
  for (std::size_t n = 6; n <= whole.size(); ++n) {
    CHECK(walk(whole.substr(0, n)).bytes_seen == n);
    for (const int bit : {0, 3, 7}) {
      if (n == whole.size()) break;
      std::string flipped = whole;
      flipped[n] = static_cast<char>(flipped[n] ^ 1 << bit);
      CHECK(walk(flipped).bytes_seen == whole.size());
    }
  }
}

TEST_CASE("stdf cursor: what it refuses to open", "[stdf][error]") {
  std::string bytes = StdfBytes().bytes();
  const auto id = [](const std::string& text) { return RecordCursor::open(view(text)).error().id; };
  CHECK(id("") == "STDF-0001");
  CHECK(id("FileVersion 1 2;") == "STDF-0001");
  bytes[5] = 3;
  CHECK(id(bytes) == "STDF-0001");
  bytes[5] = 4;
  bytes[4] = 0;
  CHECK(id(bytes) == "STDF-0003");
}
