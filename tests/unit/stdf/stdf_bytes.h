/// \file
/// STDF streams built record by record, in either byte order, to be damaged on purpose.
#pragma once

#include <bit>
#include <cstdint>
#include <string>
#include <string_view>

namespace yieldloop::test {

/// The body of one record.
class Body {
 public:
  explicit Body(std::endian order) : order_(order) {}
  Body& u1(unsigned v) { return bytes_ += static_cast<char>(v), *this; }
  Body& u2(unsigned v) { return number(v, 2); }
  Body& i2(int v) { return number(static_cast<std::uint16_t>(v), 2); }
  Body& u4(std::uint32_t v) { return number(v, 4); }
  Body& u8(std::uint64_t v) {
    for (int i = 0; i < 8; ++i) {
      const int shift = order_ == std::endian::little ? 8 * i : 8 * (7 - i);
      bytes_ += static_cast<char>(v >> shift & 0xffU);
    }
    return *this;
  }
  Body& sn(std::string_view text) {
    u2(static_cast<unsigned>(text.size()));
    bytes_ += text;
    return *this;
  }
  Body& r4(float v) { return number(std::bit_cast<std::uint32_t>(v), 4); }
  Body& c1(char c) { return bytes_ += c, *this; }
  Body& cn(std::string_view text) {
    bytes_ += static_cast<char>(text.size());
    bytes_ += text;
    return *this;
  }
  const std::string& bytes() const { return bytes_; }

 private:
  Body& number(std::uint32_t v, int size) {
    for (int i = 0; i < size; ++i) {
      const int shift = order_ == std::endian::little ? 8 * i : 8 * (size - 1 - i);
      bytes_ += static_cast<char>(v >> shift & 0xffU);
    }
    return *this;
  }
  std::endian order_;
  std::string bytes_;
};

class StdfBytes {
 public:
  explicit StdfBytes(std::endian order = std::endian::little) : order_(order) {
    add(0, 10, body().u1(order == std::endian::big ? 1 : 2).u1(4));
  }
  Body body() const { return Body(order_); }
  StdfBytes& add(unsigned type, unsigned sub, const Body& b) {
    bytes_ += Body(order_).u2(static_cast<unsigned>(b.bytes().size())).u1(type).u1(sub).bytes();
    bytes_ += b.bytes();
    return *this;
  }
  StdfBytes& raw(std::string_view text) { return bytes_ += text, *this; }

  StdfBytes& mir(std::string_view lot, std::string_view test_code = "CP1") {
    Body b = body().u4(1).u4(1'000'000).u1(1).c1('P').c1('N').c1(' ').u2(65535).c1(' ');
    b.cn(lot).cn("PROD").cn("node7").cn("J750").cn("job").cn("r2").cn("").cn("op");
    b.cn("").cn("").cn(test_code).cn("25C");
    return add(1, 10, b);
  }
  StdfBytes& sdr(std::string_view card) {
    return add(1, 80, body().u1(1).u1(1).u1(2).u1(0).u1(1).cn("hand").cn("h1").cn("card").cn(card));
  }
  StdfBytes& wir(std::string_view wafer, unsigned head = 1) {
    return add(2, 10, body().u1(head).u1(255).u4(2'000'000).cn(wafer));
  }
  /// 0 parts: not counted.
  StdfBytes& wrr(std::string_view wafer, unsigned head = 1, std::uint32_t parts = 0,
                 std::uint32_t good = 0) {
    Body b = body().u1(head).u1(255).u4(3'000'000).u4(parts).u4(0).u4(0).u4(good).u4(0).cn(wafer);
    return add(2, 20, b);
  }
  StdfBytes& pir(unsigned site = 0, unsigned head = 1) {
    return add(5, 10, body().u1(head).u1(site));
  }
  /// `tests` is NUM_TEST.
  StdfBytes& prr(unsigned flags, unsigned bin, int x, int y, unsigned site = 0, unsigned head = 1,
                 unsigned tests = 3) {
    Body b = body().u1(head).u1(site).u1(flags).u2(tests).u2(bin).u2(bin);
    return add(5, 20, b.i2(x).i2(y).u4(120).cn("p1"));
  }
  /// A PTR with everything.
  StdfBytes& ptr_full(std::uint32_t number, float value, std::string_view text, float lo, float hi,
                      unsigned site = 0) {
    Body b = body().u4(number).u1(1).u1(site).u1(0).u1(0).r4(value).cn(text).cn("");
    b.u1(0x0e).u1(3).u1(3).u1(3).r4(lo).r4(hi).cn("V").cn("%f").cn("").cn("").r4(0).r4(0);
    return add(15, 10, b);
  }
  /// A PTR that ends after RESULT.
  StdfBytes& ptr(std::uint32_t number, float value, unsigned site = 0, unsigned flags = 0) {
    return add(15, 10, body().u4(number).u1(1).u1(site).u1(flags).u1(0).r4(value));
  }
  StdfBytes& mrr() { return add(1, 20, body().u4(4'000'000).c1(' ')); }

  const std::string& bytes() const { return bytes_; }

 private:
  std::endian order_;
  std::string bytes_;
};

/// A scan test of two failing cycles, of a pattern set and a chain that are described.
inline StdfBytes scan_file(std::endian order = std::endian::little) {
  StdfBytes s(order);
  s.add(0, 30, s.body().cn("V4-2007")).mir("SCAN");
  s.add(1, 60, s.body().u2(7).u2(0).cn("ch7").cn("A1").cn("SO").u1(1).u1(0));
  s.add(
      1, 90,
      s.body().u1(0).u2(3).cn("stuck").u1(0x0f).u2(2).u2(2).u8(0).u8(100).u8(99).u8(199).cn("a").cn(
          "b"));
  s.add(1, 91, s.body().u1(0).u2(1).u2(1).u2(7).cn("so[0]"));
  Body cdr = s.body().u1(1).u2(5).cn("chain5").u4(3).u2(1).u2(7).u1(0).u1(0).u1(0).u2(2);
  s.add(1, 94, cdr.sn("u1/q").sn("u2/q"));
  Body more = s.body().u1(0).u2(5).cn("chain5").u4(3).u2(1).u2(7).u1(0).u1(0).u1(0).u2(1);
  s.add(1, 94, more.sn("u3/q"));
  s.add(1, 92, s.body().u2(6).u4(9).sn("u9/q"));
  s.pir();
  Body str =
      s.body().u1(0).u4(500).u1(1).u1(0).u2(3).u1(0x80).cn("").cn("scan").cn("").cn("").cn("");
  str.u1(0).u1(0).u8(1000).u4(2).u4(2).u8(50).u4(10).u2(0).u2(0);
  // Element sizes: cycle 4, pin 2, chain 1, pattern 1, bit 2, users and text none.
  str.u1(4).u1(2).u1(1).u1(1).u1(2).u1(0).u1(0).u1(0).u1(0).u2(0);
  str.u2(2).u4(5).u4(60);                                 // CYC_OFST
  str.u2(2).u2(7).u2(7);                                  // PMR_INDX
  str.u2(2).u1(5).u1(5);                                  // CHN_NUM
  str.u2(2).u1('H').u1('L').u2(2).u1('L').u1('H').u2(0);  // EXP_DATA, CAP_DATA, NEW_DATA
  str.u2(2).u1(0).u1(1);                                  // PAT_NUM
  str.u2(2).u2(1).u2(2);                                  // BIT_POS
  str.u2(0).u2(0).u2(0).u2(0);                            // USR1 .. USER_TXT
  return s.add(15, 30, str).prr(8, 2, 1, 1).mrr();
}

/// One wafer, two sites, three parts: a small but whole file.
inline StdfBytes whole_file(std::endian order = std::endian::little) {
  StdfBytes s(order);
  s.mir("LOT1").sdr("PC-9").wir("W03").pir(0).pir(1);
  s.ptr_full(10, 1.5F, "VDD", 1.0F, 2.0F, 0).ptr_full(10, 2.5F, "VDD", 1.0F, 2.0F, 1);
  s.prr(0, 1, -3, 4, 0)
      .prr(8, 7, -2, 4, 1)
      .pir(0)
      .ptr(10, 1.25F)
      .prr(0, 1, -1, 4, 0)
      .wrr("W03", 1, 3, 2);
  s.add(1, 40, s.body().u1(255).u1(0).u2(1).u4(2).c1('P').cn("GOOD"));
  s.add(1, 40, s.body().u1(255).u1(0).u2(7).u4(1).c1('F').cn("BAD"));
  s.add(1, 50, s.body().u1(255).u1(0).u2(1).u4(2).c1('P').cn("GOOD"));
  s.add(1, 50, s.body().u1(255).u1(0).u2(7).u4(1).c1('F').cn("VDD high"));
  s.add(10, 30, s.body().u1(255).u1(0).c1('P').u4(10).u4(3).u4(1).u4(0).cn("VDD"));
  return s.mrr();
}

}  // namespace yieldloop::test
