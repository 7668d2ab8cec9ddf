#include "ingest/readers/stdf/atdf_fields.h"

#include <algorithm>
#include <array>
#include <cassert>
#include <string>

#include "engine/core/text.h"
#include "ingest/readers/stdf/record_types.h"

namespace yieldloop::ingest::stdf {
namespace {

using enum AtdfStyle;

struct Spelling {
  std::uint16_t code;
  /// Field names with a mark: @ time, # hexadecimal list, $ hexadecimal bytes, % list of bits.
  /// Words in lower case are spelt apart.
  std::string_view fields;
};

constexpr auto kSpellings = std::to_array<Spelling>({
    {kAtr, "@MOD_TIM CMD_LINE"},
    {kVur, "UPD_NAM"},
    {kMir,
     "LOT_ID PART_TYP JOB_NAM NODE_NAM TSTR_TYP @SETUP_T @START_T OPER_NAM MODE_COD STAT_NUM "
     "SBLOT_ID TEST_COD RTST_COD JOB_REV EXEC_TYP EXEC_VER PROT_COD CMOD_COD BURN_TIM TST_TEMP "
     "USER_TXT AUX_FILE PKG_TYP FAMLY_ID DATE_COD FACIL_ID FLOOR_ID PROC_ID OPER_FRQ SPEC_NAM "
     "SPEC_VER FLOW_ID SETUP_ID DSGN_REV ENG_ID ROM_COD SERL_NUM SUPR_NAM"},
    {kMrr, "@FINISH_T DISP_COD USR_DESC EXC_DESC"},
    {kPcr, "HEAD_NUM SITE_NUM PART_CNT RTST_CNT ABRT_CNT GOOD_CNT FUNC_CNT"},
    {kHbr, "HEAD_NUM SITE_NUM HBIN_NUM HBIN_CNT HBIN_PF HBIN_NAM"},
    {kSbr, "HEAD_NUM SITE_NUM SBIN_NUM SBIN_CNT SBIN_PF SBIN_NAM"},
    {kPmr, "PMR_INDX CHAN_TYP CHAN_NAM PHY_NAM LOG_NAM HEAD_NUM SITE_NUM"},
    {kPgr, "GRP_INDX GRP_NAM PMR_INDX"},
    {kPlr, "GRP_INDX #GRP_MODE radix programmed returned"},
    {kRdr, "RTST_BIN"},
    {kSdr,
     "HEAD_NUM SITE_GRP SITE_NUM HAND_TYP HAND_ID CARD_TYP CARD_ID LOAD_TYP LOAD_ID DIB_TYP DIB_ID "
     "CABL_TYP CABL_ID CONT_TYP CONT_ID LASR_TYP LASR_ID EXTR_TYP EXTR_ID"},
    {kPsr,
     "CONT_FLG PSR_INDX PSR_NAM OPT_FLG TOTP_CNT PAT_BGN PAT_END PAT_FILE PAT_LBL FILE_UID "
     "ATPG_DSC SRC_ID"},
    {kNmr, "CONT_FLG TOTM_CNT PMR_INDX ATPG_NAM"},
    {kCnr, "CHN_NUM BIT_POS CELL_NAM"},
    {kSsr, "SSR_NAM CHN_LIST"},
    {kCdr, "CONT_FLG CDR_INDX CHN_NAM CHN_LEN SIN_PIN SOUT_PIN M_CLKS S_CLKS INV_VAL CELL_LST"},
    {kWir, "HEAD_NUM @START_T SITE_GRP WAFER_ID"},
    {kWrr,
     "HEAD_NUM @FINISH_T PART_CNT WAFER_ID SITE_GRP RTST_CNT ABRT_CNT GOOD_CNT FUNC_CNT FABWF_ID "
     "FRAME_ID MASK_ID USR_DESC EXC_DESC"},
    {kWcr, "WF_FLAT POS_X POS_Y WAFR_SIZ DIE_HT DIE_WID WF_UNITS CENTER_X CENTER_Y"},
    {kPir, "HEAD_NUM SITE_NUM"},
    {kPrr,
     "HEAD_NUM SITE_NUM PART_ID NUM_TEST part HARD_BIN SOFT_BIN X_COORD Y_COORD retest abort "
     "TEST_T PART_TXT $PART_FIX"},
    {kTsr,
     "HEAD_NUM SITE_NUM TEST_NUM TEST_NAM TEST_TYP EXEC_CNT FAIL_CNT ALRM_CNT SEQ_NAME TEST_LBL "
     "TEST_TIM TEST_MIN TEST_MAX TST_SUMS TST_SQRS"},
    {kPtr,
     "TEST_NUM HEAD_NUM SITE_NUM RESULT verdict alarms TEST_TXT ALARM_ID compare UNITS LO_LIMIT "
     "HI_LIMIT C_RESFMT C_LLMFMT C_HLMFMT LO_SPEC HI_SPEC RES_SCAL LLM_SCAL HLM_SCAL"},
    {kMpr,
     "TEST_NUM HEAD_NUM SITE_NUM #RTN_STAT RTN_RSLT verdict alarms TEST_TXT ALARM_ID compare UNITS "
     "LO_LIMIT HI_LIMIT START_IN INCR_IN UNITS_IN RTN_INDX C_RESFMT C_LLMFMT C_HLMFMT LO_SPEC "
     "HI_SPEC RES_SCAL LLM_SCAL HLM_SCAL"},
    {kFtr,
     "TEST_NUM HEAD_NUM SITE_NUM verdict alarms VECT_NAM TIME_SET CYCL_CNT REL_VADR REPT_CNT "
     "NUM_FAIL XFAIL_AD YFAIL_AD VECT_OFF RTN_INDX #RTN_STAT PGM_INDX #PGM_STAT %FAIL_PIN OP_CODE "
     "TEST_TXT ALARM_ID PROG_TXT RSLT_TXT PATG_NUM %SPIN_MAP"},
    {kStr,
     "CONT_FLG TEST_NUM HEAD_NUM SITE_NUM PSR_REF TEST_FLG LOG_TYP TEST_TXT ALARM_ID PROG_TXT "
     "RSLT_TXT Z_VAL FMU_FLG %MASK_MAP %FAL_MAP CYC_CNT TOTF_CNT TOTL_CNT CYC_BASE BIT_BASE "
     "CYC_SIZE PMR_SIZE CHN_SIZE PAT_SIZE BIT_SIZE U1_SIZE U2_SIZE U3_SIZE UTX_SIZE CAP_BGN "
     "LIM_INDX LIM_SPEC COND_LST CYC_OFST PMR_INDX CHN_NUM EXP_DATA CAP_DATA NEW_DATA PAT_NUM "
     "BIT_POS USR1 USR2 USR3 USER_TXT"},
    {kBps, "SEQ_NAME"},
    {kEps, ""},
    {kDtr, "TEXT_DAT"},
});

struct Special {
  std::string_view word;
  AtdfStyle style;
  std::string_view field;  ///< The STDF field that it is part of.
};
constexpr auto kSpecials = std::to_array<Special>({
    {"part", kPartVerdict, "PART_FLG"},
    {"retest", kRetest, "PART_FLG"},
    {"abort", kAbort, "PART_FLG"},
    {"verdict", kTestVerdict, "TEST_FLG"},
    {"alarms", kAlarms, "TEST_FLG"},
    {"compare", kLimitCompare, "PARM_FLG"},
    {"radix", kRadix, "GRP_RADX"},
    {"programmed", kStates, "PGM_CHAR"},
    {"returned", kStates, "RTN_CHAR"},
});

struct Optional {
  std::uint16_t code;
  std::string_view field;
  std::uint8_t bits;  ///< Of OPT_FLAG.
};
constexpr auto kOptional = std::to_array<Optional>({
    {kPtr, "RES_SCAL", 0x01}, {kPtr, "LO_SPEC", 0x04},  {kPtr, "HI_SPEC", 0x08},
    {kPtr, "LO_LIMIT", 0x50}, {kPtr, "LLM_SCAL", 0x50}, {kPtr, "HI_LIMIT", 0xa0},
    {kPtr, "HLM_SCAL", 0xa0}, {kMpr, "RES_SCAL", 0x01}, {kMpr, "START_IN", 0x02},
    {kMpr, "INCR_IN", 0x02},  {kMpr, "LO_SPEC", 0x04},  {kMpr, "HI_SPEC", 0x08},
    {kMpr, "LO_LIMIT", 0x50}, {kMpr, "LLM_SCAL", 0x50}, {kMpr, "HI_LIMIT", 0xa0},
    {kMpr, "HLM_SCAL", 0xa0}, {kFtr, "CYCL_CNT", 0x01}, {kFtr, "REL_VADR", 0x02},
    {kFtr, "REPT_CNT", 0x04}, {kFtr, "NUM_FAIL", 0x08}, {kFtr, "XFAIL_AD", 0x10},
    {kFtr, "YFAIL_AD", 0x10}, {kFtr, "VECT_OFF", 0x20}, {kTsr, "TEST_MIN", 0x01},
    {kTsr, "TEST_MAX", 0x02}, {kTsr, "TEST_TIM", 0x04}, {kTsr, "TST_SUMS", 0x10},
    {kTsr, "TST_SQRS", 0x20},
});

AtdfField field_of(const RecordLayout& layout, std::string_view word) {
  AtdfField field;
  if (const auto it = std::ranges::find(kSpecials, word, &Special::word); it != kSpecials.end()) {
    field.style = it->style;
    word = it->field;
  } else if (!word.empty() && std::string_view("@#$%").find(word[0]) != std::string_view::npos) {
    field.style = word[0] == '@'   ? kTime
                  : word[0] == '#' ? kHexList
                  : word[0] == '$' ? kHexBytes
                                   : kBitList;
    word.remove_prefix(1);
  }
  field.field = layout.index(word);
  for (const Optional& optional : kOptional) {
    if (optional.code == layout.code && optional.field == word) field.absent = optional.bits;
  }
  return field;
}

std::vector<AtdfRecord> make_records() {
  std::vector<AtdfRecord> records;
  for (const Spelling& spelling : kSpellings) {
    AtdfRecord& record = records.emplace_back();
    record.layout = find_layout(spelling.code);
    if (!spelling.fields.empty()) {
      for (const std::string_view word : split(spelling.fields, ' ')) {
        record.fields.push_back(field_of(*record.layout, word));
      }
    }
    const bool is_optional =
        std::ranges::find(kOptional, spelling.code, &Optional::code) != kOptional.end();
    if (!is_optional) continue;
    record.opt_flag = record.layout->index("OPT_FLAG");
    record.opt_default = spelling.code == kPtr   ? 0x02
                         : spelling.code == kTsr ? 0xc8
                         : spelling.code == kFtr ? 0xc0
                                                 : 0x00;
  }
  return records;
}

}  // namespace

const AtdfRecord* find_atdf_record(std::uint16_t code) {
  static const std::vector<AtdfRecord> records = make_records();
  const auto it = std::ranges::find_if(
      records, [code](const AtdfRecord& record) { return record.layout->code == code; });
  return it == records.end() ? nullptr : &*it;
}

}  // namespace yieldloop::ingest::stdf
