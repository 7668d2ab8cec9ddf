#include "ingest/readers/stdf/record_layout.h"

#include "catch_portable.h"
#include "ingest/readers/stdf/record_types.h"
#include "stdf_bytes.h"

using namespace yieldloop;
using namespace yieldloop::ingest::stdf;
using test::Body;

namespace {

std::span<const std::byte> view(const std::string& text) {
  return std::as_bytes(std::span(text.data(), text.size()));
}

/// The record's fields as JSON; "cut" when it ends inside a field.
std::string json(std::uint16_t code, const Body& body, std::endian order) {
  RecordValues values;
  if (!decode(*find_layout(code), view(body.bytes()), order, values)) return "cut";
  return to_json(values) + (values.surplus > 0 ? " and more" : "");
}

/// The same body through decode and encode.
std::string again(std::uint16_t code, const Body& body, std::endian order) {
  RecordValues values;
  REQUIRE(decode(*find_layout(code), view(body.bytes()), order, values));
  std::string out;
  REQUIRE(encode(values, order, out));
  return out.substr(4);
}

struct Sample {
  std::uint16_t code;
  std::string json;
};

/// One body of every type that is not a result, with the answer worked out by hand.
Body sample(std::uint16_t code, std::endian order) {
  Body b(order);
  switch (code) {
    case kFar: return b.u1(2).u1(4);
    case kAtr: return b.u4(86'400).cn("edit");
    case kVur: return b.cn("V4-2007");
    case kMrr: return b.u4(7).c1('H').cn("done").cn("");
    case kPcr: return b.u1(255).u1(0).u4(9).u4(1).u4(0).u4(8).u4(0xffff'ffffU);
    case kHbr: return b.u1(1).u1(2).u2(3).u4(4).c1('P').cn("GOOD");
    case kSbr: return b.u1(1).u1(2).u2(513).u4(70'000).c1('F').cn("B");
    case kPmr: return b.u2(1).u2(2).cn("c").cn("p").cn("l").u1(1).u1(0);
    case kPgr: return b.u2(32'769).cn("bus").u2(2).u2(1).u2(258);
    case kPlr: return b.u2(1).u2(32'769).u2(0x20).u1(16).cn("HL").cn("X").cn("").cn("M");
    case kRdr: return b.u2(3).u2(1).u2(2).u2(772);
    case kSdr: return b.u1(1).u1(2).u1(2).u1(4).u1(5).cn("hand").cn("id");
    case kPsr:
      return b.u1(0)
          .u2(1)
          .cn("set")
          .u1(0x0c)
          .u2(1)
          .u2(1)
          .u8(16)
          .u8(0x0102'0304'0506'0708U)
          .cn("f.stil")
          .cn("lbl")
          .cn("uid");
    case kNmr: return b.u1(1).u2(2).u2(1).u2(7).cn("DATA[0]");
    case kCnr: return b.u2(3).u4(70'000).sn("top/u1/q_reg");
    case kSsr: return b.cn("stuck").u2(2).u2(1).u2(2);
    case kCdr:
      return b.u1(0).u2(1).cn("chain0").u4(2).u2(5).u2(6).u1(1).u2(9).u1(0).u1(0).u2(2).sn("a").sn(
          "b");
    case kWir: return b.u1(1).u1(255).u4(1000).cn("W01");
    case kWrr:
      return b.u1(1)
          .u1(255)
          .u4(1000)
          .u4(9)
          .u4(0xffff'ffffU)
          .u4(0)
          .u4(8)
          .u4(0)
          .cn("W01")
          .cn("")
          .cn("FR");
    case kWcr: return b.r4(200).r4(2.5F).r4(3).u1(3).c1('D').i2(-1).i2(-32'768).c1('R').c1('U');
    case kPir: return b.u1(1).u1(7);
    case kTsr:
      return b.u1(1).u1(0).c1('P').u4(100).u4(5).u4(1).u4(0).cn("t").cn("").cn("").u1(0xcc).r4(
          0.5F);
    case kBps: return b.cn("seq");
    case kGdr:
      return b.u2(7)
          .u1(1)
          .u1(200)
          .u1(0)
          .u1(2)
          .u2(513)
          .u1(5)
          .i2(-2)
          .u1(7)
          .r4(1.5F)
          .u1(10)
          .cn("x")
          .u1(13)
          .u1(9);
    case kDtr: return b.cn("hello");
    default: return b;
  }
}

const std::vector<Sample> kSamples = {
    {kFar, R"({"CPU_TYPE":2,"STDF_VER":4})"},
    {kAtr, R"({"MOD_TIM":86400,"CMD_LINE":"edit"})"},
    {kVur, R"({"UPD_NAM":"V4-2007"})"},
    {kMrr, R"({"FINISH_T":7,"DISP_COD":"H","USR_DESC":"done","EXC_DESC":""})"},
    {kPcr,
     R"({"HEAD_NUM":255,"SITE_NUM":0,"PART_CNT":9,"RTST_CNT":1,"ABRT_CNT":0,"GOOD_CNT":8,"FUNC_CNT":4294967295})"},
    {kHbr,
     R"({"HEAD_NUM":1,"SITE_NUM":2,"HBIN_NUM":3,"HBIN_CNT":4,"HBIN_PF":"P","HBIN_NAM":"GOOD"})"},
    {kSbr,
     R"({"HEAD_NUM":1,"SITE_NUM":2,"SBIN_NUM":513,"SBIN_CNT":70000,"SBIN_PF":"F","SBIN_NAM":"B"})"},
    {kPmr,
     R"({"PMR_INDX":1,"CHAN_TYP":2,"CHAN_NAM":"c","PHY_NAM":"p","LOG_NAM":"l","HEAD_NUM":1,"SITE_NUM":0})"},
    {kPgr, R"({"GRP_INDX":32769,"GRP_NAM":"bus","INDX_CNT":2,"PMR_INDX":[1,258]})"},
    {kPlr,
     R"({"GRP_CNT":1,"GRP_INDX":[32769],"GRP_MODE":[32],"GRP_RADX":[16],"PGM_CHAR":["HL"],"RTN_CHAR":["X"],"PGM_CHAL":[""],"RTN_CHAL":["M"]})"},
    {kRdr, R"({"NUM_BINS":3,"RTST_BIN":[1,2,772]})"},
    {kSdr,
     R"({"HEAD_NUM":1,"SITE_GRP":2,"SITE_CNT":2,"SITE_NUM":[4,5],"HAND_TYP":"hand","HAND_ID":"id"})"},
    {kPsr,
     R"({"CONT_FLG":0,"PSR_INDX":1,"PSR_NAM":"set","OPT_FLG":12,"TOTP_CNT":1,"LOCP_CNT":1,"PAT_BGN":[16],"PAT_END":[72623859790382856],"PAT_FILE":["f.stil"],"PAT_LBL":["lbl"],"FILE_UID":["uid"]})"},
    {kNmr, R"({"CONT_FLG":1,"TOTM_CNT":2,"LOCM_CNT":1,"PMR_INDX":[7],"ATPG_NAM":["DATA[0]"]})"},
    {kCnr, R"({"CHN_NUM":3,"BIT_POS":70000,"CELL_NAM":"top/u1/q_reg"})"},
    {kSsr, R"({"SSR_NAM":"stuck","CHN_CNT":2,"CHN_LIST":[1,2]})"},
    {kCdr,
     R"({"CONT_FLG":0,"CDR_INDX":1,"CHN_NAM":"chain0","CHN_LEN":2,"SIN_PIN":5,"SOUT_PIN":6,"MSTR_CNT":1,"M_CLKS":[9],"SLAV_CNT":0,"S_CLKS":[],"INV_VAL":0,"LST_CNT":2,"CELL_LST":["a","b"]})"},
    {kWir, R"({"HEAD_NUM":1,"SITE_GRP":255,"START_T":1000,"WAFER_ID":"W01"})"},
    {kWrr,
     R"({"HEAD_NUM":1,"SITE_GRP":255,"FINISH_T":1000,"PART_CNT":9,"RTST_CNT":4294967295,"ABRT_CNT":0,"GOOD_CNT":8,"FUNC_CNT":0,"WAFER_ID":"W01","FABWF_ID":"","FRAME_ID":"FR"})"},
    {kWcr,
     R"({"WAFR_SIZ":200,"DIE_HT":2.5,"DIE_WID":3,"WF_UNITS":3,"WF_FLAT":"D","CENTER_X":-1,"CENTER_Y":-32768,"POS_X":"R","POS_Y":"U"})"},
    {kPir, R"({"HEAD_NUM":1,"SITE_NUM":7})"},
    {kTsr,
     R"({"HEAD_NUM":1,"SITE_NUM":0,"TEST_TYP":"P","TEST_NUM":100,"EXEC_CNT":5,"FAIL_CNT":1,"ALRM_CNT":0,"TEST_NAM":"t","SEQ_NAME":"","TEST_LBL":"","OPT_FLAG":204,"TEST_TIM":0.5})"},
    {kBps, R"({"SEQ_NAME":"seq"})"},
    {kEps, "{}"},
    {kGdr, R"({"FLD_CNT":7,"GEN_DATA":[200,null,513,-2,1.5,"x",9]})"},
    {kDtr, R"({"TEXT_DAT":"hello"})"},
};

}  // namespace

TEST_CASE("stdf layout: every record type is taken apart in both byte orders", "[stdf]") {
  const auto order = GENERATE(std::endian::big, std::endian::little);
  for (const Sample& s : kSamples) {
    CAPTURE(find_layout(s.code)->name);
    CHECK(json(s.code, sample(s.code, order), order) == s.json);
  }
}

TEST_CASE("stdf layout: what is put together again is what it was", "[stdf]") {
  const auto order = GENERATE(std::endian::big, std::endian::little);
  for (const Sample& s : kSamples) {
    CAPTURE(find_layout(s.code)->name);
    const Body body = sample(s.code, order);
    CHECK(again(s.code, body, order) == body.bytes());
  }
}

TEST_CASE("stdf layout: the names of types and of layouts are the same", "[stdf]") {
  CHECK(all_layouts().size() == kTypeCount);
  for (std::size_t i = 1; i <= kTypeCount; ++i) {
    REQUIRE(find_layout(type_at(i).code) != nullptr);
    CHECK(find_layout(type_at(i).code)->name == type_at(i).name);
  }
}

TEST_CASE("stdf layout: a body may end between fields and nowhere else", "[stdf][damage]") {
  const auto order = std::endian::little;
  const std::string whole = sample(kHbr, order).bytes();  // 1 1 2 4 1 5
  for (std::size_t n = 0; n <= whole.size(); ++n) {
    RecordValues values;
    const bool between = n == 0 || n == 1 || n == 2 || n == 4 || n == 8 || n == 9 || n == 14;
    CHECK(decode(*find_layout(kHbr), view(whole.substr(0, n)), order, values) == between);
  }
  CHECK(json(kHbr, sample(kHbr, order).u1(0), order).ends_with(" and more"));
}

TEST_CASE("stdf layout: counts that cannot be true are damage, not memory", "[stdf][damage]") {
  Body b(std::endian::little);
  CHECK(json(kPlr, b.u2(65'535).u2(1), std::endian::little) == "cut");
  Body g(std::endian::little);
  CHECK(json(kGdr, g.u2(65'535).u1(1).u1(7), std::endian::little) ==
        R"({"FLD_CNT":65535,"GEN_DATA":[7]})");
  Body u(std::endian::little);
  CHECK(json(kGdr, u.u2(1).u1(9), std::endian::little) == "cut");
}

TEST_CASE("stdf layout: both ways of writing a VUR and a PSR are understood", "[stdf]") {
  const auto le = std::endian::little;
  Body v(le);
  CHECK(json(kVur, v.u1(1).cn("V4-2007"), le) == R"({"UPD_CNT":1,"UPD_NAM":["V4-2007"]})");
  // Here the set bits of OPT_FLG say that all four arrays are there.
  Body p(le);
  p.u1(0).u2(1).cn("s").u1(15).u2(1).u2(1).u8(0).u8(9).cn("f").cn("label").cn("u").cn("d").cn("o");
  CHECK(json(kPsr, p, le).find(R"("PAT_LBL":["label"])") != std::string::npos);
}

TEST_CASE("stdf layout: PTR, MPR, FTR and PRR by hand in both byte orders", "[stdf]") {
  const auto order = GENERATE(std::endian::big, std::endian::little);
  Body ptr(order);
  ptr.u4(1000).u1(1).u1(2).u1(0x80).u1(0x10).r4(1.5F).cn("V").cn("A").u1(0x0e).u1(3).u1(0xfd).u1(0);
  ptr.r4(1).r4(2).cn("mV").cn("%f").cn("").cn("").r4(0).r4(0);
  CHECK(
      json(kPtr, ptr, order) ==
      R"({"TEST_NUM":1000,"HEAD_NUM":1,"SITE_NUM":2,"TEST_FLG":128,"PARM_FLG":16,"RESULT":1.5,"TEST_TXT":"V","ALARM_ID":"A","OPT_FLAG":14,"RES_SCAL":3,"LLM_SCAL":-3,"HLM_SCAL":0,"LO_LIMIT":1,"HI_LIMIT":2,"UNITS":"mV","C_RESFMT":"%f","C_LLMFMT":"","C_HLMFMT":"","LO_SPEC":0,"HI_SPEC":0})");
  CHECK(again(kPtr, ptr, order) == ptr.bytes());
  Body mpr(order);
  mpr.u4(2).u1(1).u1(0).u1(0).u1(0).u2(3).u2(2).u1(0x21).u1(0x03).r4(0.5F).r4(0.25F).cn("m").cn("");
  CHECK(
      json(kMpr, mpr, order) ==
      R"({"TEST_NUM":2,"HEAD_NUM":1,"SITE_NUM":0,"TEST_FLG":0,"PARM_FLG":0,"RTN_ICNT":3,"RSLT_CNT":2,"RTN_STAT":[1,2,3],"RTN_RSLT":[0.5,0.25],"TEST_TXT":"m","ALARM_ID":""})");
  CHECK(again(kMpr, mpr, order) == mpr.bytes());
  Body ftr(order);
  ftr.u4(3).u1(1).u1(0).u1(0x80).u1(0x00).u4(100).u4(5).u4(1).u4(2).u4(0xffff'ffffU).u4(6).i2(-1);
  ftr.u2(1).u2(0).u2(9).u1(0x04).u2(10).u1(0x02).u1(0x02).cn("vec");
  CHECK(
      json(kFtr, ftr, order) ==
      R"({"TEST_NUM":3,"HEAD_NUM":1,"SITE_NUM":0,"TEST_FLG":128,"OPT_FLAG":0,"CYCL_CNT":100,"REL_VADR":5,"REPT_CNT":1,"NUM_FAIL":2,"XFAIL_AD":-1,"YFAIL_AD":6,"VECT_OFF":-1,"RTN_ICNT":1,"PGM_ICNT":0,"RTN_INDX":[9],"RTN_STAT":[4],"PGM_INDX":[],"PGM_STAT":[],"FAIL_PIN":"0202","VECT_NAM":"vec"})");
  CHECK(again(kFtr, ftr, order) == ftr.bytes());
  Body prr(order);
  prr.u1(1).u1(2).u1(8).u2(5).u2(7).u2(9).i2(-3).i2(4).u4(150).cn("p").cn("t").u1(2).u1(0xab).u1(1);
  CHECK(
      json(kPrr, prr, order) ==
      R"({"HEAD_NUM":1,"SITE_NUM":2,"PART_FLG":8,"NUM_TEST":5,"HARD_BIN":7,"SOFT_BIN":9,"X_COORD":-3,"Y_COORD":4,"TEST_T":150,"PART_ID":"p","PART_TXT":"t","PART_FIX":"AB01"})");
  CHECK(again(kPrr, prr, order) == prr.bytes());
}
