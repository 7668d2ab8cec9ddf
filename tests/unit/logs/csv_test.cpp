#include "ingest/readers/logs/csv.h"

#include "catch_portable.h"

using ingest_scanner = yieldloop::ingest::CsvScanner;
using yieldloop::ingest::sniff_delimiter;

namespace {

using Rows = std::vector<std::vector<std::string>>;

Rows all(std::string_view text, char delimiter = ',') {
  ingest_scanner scanner(text, delimiter);
  Rows rows;
  while (scanner.next()) {
    if (scanner.broken()) {
      rows.push_back({"(broken)"});
    } else {
      rows.emplace_back(scanner.cells().begin(), scanner.cells().end());
    }
  }
  return rows;
}

}  // namespace

TEST_CASE("csv: cells, line ends, blank lines and a byte order mark", "[logs][csv]") {
  CHECK(all("a,b\n1,2\n") == Rows{{"a", "b"}, {"1", "2"}});
  CHECK(all("\xef\xbb\xbf"
            "a,b\r\n\r\n1,\r\n,2") == Rows{{"a", "b"}, {"1", ""}, {"", "2"}});
  CHECK(all("a;b\tc", ';') == Rows{{"a", "b\tc"}});
  CHECK(all("").empty());
}

TEST_CASE("csv: quotes hold delimiters, quotes and line ends", "[logs][csv]") {
  CHECK(all("\"a,b\",\"say \"\"go\"\"\",\"two\nlines\"\r\n\"\",x\n") ==
        Rows{{"a,b", "say \"go\"", "two\nlines"}, {"", "x"}});
  CHECK(all("5\" wafer,b\n") == Rows{{"5\" wafer", "b"}});  // A quote inside a plain cell is text.
}

TEST_CASE("csv: a broken quote costs its own line only", "[logs][csv][damage]") {
  CHECK(all("a,b\n\"open,1\n2,3\n") == Rows{{"a", "b"}, {"(broken)"}, {"2", "3"}});
  CHECK(all("\"a\"b,1\n2,3\n") == Rows{{"(broken)"}, {"2", "3"}});
}

TEST_CASE("csv: lines and offsets point at records", "[logs][csv]") {
  const std::string_view text = "a,b\n\n\"x\ny\",1\n2,3\n";
  ingest_scanner scanner(text, ',');
  REQUIRE(scanner.next());
  CHECK(scanner.line() == 1);
  REQUIRE(scanner.next());
  CHECK(scanner.line() == 3);
  CHECK(scanner.byte_offset() == 5);
  CHECK(scanner.bytes() == 8);
  REQUIRE(scanner.next());
  CHECK(scanner.line() == 5);
  CHECK(text.substr(scanner.byte_offset(), scanner.bytes()) == "2,3\n");
}

TEST_CASE("csv: the delimiter is the one that splits the header", "[logs][csv]") {
  CHECK(sniff_delimiter("a,b;c;d\n,,,,,") == ';');
  CHECK(sniff_delimiter("a\tb") == '\t');
  CHECK(sniff_delimiter("\"a;b;c\",d") == ',');
  CHECK(sniff_delimiter("a|b") == ',');
  CHECK(sniff_delimiter("a|b", true) == '|');
}
