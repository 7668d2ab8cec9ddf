#include "ingest/readers/stdf/record_layout.h"

#include <algorithm>
#include <array>
#include <cassert>

#include "ingest/readers/stdf/record_types.h"

namespace yieldloop::ingest::stdf {
namespace {

using enum FieldType;

constexpr std::int64_t kNoCount = 4'294'967'295;
constexpr std::int64_t kNoPlace = -32'768;

constexpr FieldLayout f(std::string_view name, FieldType type, std::int64_t missing = 0) {
  return {.name = name, .type = type, .missing = missing};
}
/// An array whose length is the field at `count`.
constexpr FieldLayout array_of(std::string_view name, FieldType type, int count) {
  return {.name = name, .type = type, .count = static_cast<std::int8_t>(count)};
}
/// As array_of, and each element has the bytes that the field at `size` says.
constexpr FieldLayout sized(std::string_view name, FieldType type, int count, int size) {
  return {.name = name,
          .type = type,
          .count = static_cast<std::int8_t>(count),
          .size = static_cast<std::int8_t>(size)};
}
constexpr FieldLayout only_if(FieldLayout field, int flags, unsigned mask, unsigned wanted) {
  field.flags = static_cast<std::int8_t>(flags);
  field.mask = static_cast<std::uint8_t>(mask);
  field.wanted = static_cast<std::uint8_t>(wanted);
  return field;
}

constexpr auto kFarFields = std::to_array<FieldLayout>({f("CPU_TYPE", kU1), f("STDF_VER", kU1)});
constexpr auto kAtrFields = std::to_array<FieldLayout>({f("MOD_TIM", kU4), f("CMD_LINE", kCn)});
constexpr auto kVurFields = std::to_array<FieldLayout>({f("UPD_NAM", kCn)});
/// As some writers have it: a count of names.
constexpr auto kVurOtherFields =
    std::to_array<FieldLayout>({f("UPD_CNT", kU1), array_of("UPD_NAM", kCn, 0)});
constexpr auto kMirFields = std::to_array<FieldLayout>(
    {f("SETUP_T", kU4),          f("START_T", kU4),       f("STAT_NUM", kU1),
     f("MODE_COD", kC1, ' '),    f("RTST_COD", kC1, ' '), f("PROT_COD", kC1, ' '),
     f("BURN_TIM", kU2, 65'535), f("CMOD_COD", kC1, ' '), f("LOT_ID", kCn),
     f("PART_TYP", kCn),         f("NODE_NAM", kCn),      f("TSTR_TYP", kCn),
     f("JOB_NAM", kCn),          f("JOB_REV", kCn),       f("SBLOT_ID", kCn),
     f("OPER_NAM", kCn),         f("EXEC_TYP", kCn),      f("EXEC_VER", kCn),
     f("TEST_COD", kCn),         f("TST_TEMP", kCn),      f("USER_TXT", kCn),
     f("AUX_FILE", kCn),         f("PKG_TYP", kCn),       f("FAMLY_ID", kCn),
     f("DATE_COD", kCn),         f("FACIL_ID", kCn),      f("FLOOR_ID", kCn),
     f("PROC_ID", kCn),          f("OPER_FRQ", kCn),      f("SPEC_NAM", kCn),
     f("SPEC_VER", kCn),         f("FLOW_ID", kCn),       f("SETUP_ID", kCn),
     f("DSGN_REV", kCn),         f("ENG_ID", kCn),        f("ROM_COD", kCn),
     f("SERL_NUM", kCn),         f("SUPR_NAM", kCn)});
constexpr auto kMrrFields = std::to_array<FieldLayout>(
    {f("FINISH_T", kU4), f("DISP_COD", kC1, ' '), f("USR_DESC", kCn), f("EXC_DESC", kCn)});
constexpr auto kPcrFields = std::to_array<FieldLayout>(
    {f("HEAD_NUM", kU1, 255), f("SITE_NUM", kU1, 255), f("PART_CNT", kU4),
     f("RTST_CNT", kU4, kNoCount), f("ABRT_CNT", kU4, kNoCount), f("GOOD_CNT", kU4, kNoCount),
     f("FUNC_CNT", kU4, kNoCount)});
constexpr auto kHbrFields = std::to_array<FieldLayout>(
    {f("HEAD_NUM", kU1, 255), f("SITE_NUM", kU1, 255), f("HBIN_NUM", kU2), f("HBIN_CNT", kU4),
     f("HBIN_PF", kC1, ' '), f("HBIN_NAM", kCn)});
constexpr auto kSbrFields = std::to_array<FieldLayout>(
    {f("HEAD_NUM", kU1, 255), f("SITE_NUM", kU1, 255), f("SBIN_NUM", kU2), f("SBIN_CNT", kU4),
     f("SBIN_PF", kC1, ' '), f("SBIN_NAM", kCn)});
constexpr auto kPmrFields = std::to_array<FieldLayout>(
    {f("PMR_INDX", kU2), f("CHAN_TYP", kU2), f("CHAN_NAM", kCn), f("PHY_NAM", kCn),
     f("LOG_NAM", kCn), f("HEAD_NUM", kU1, 1), f("SITE_NUM", kU1, 1)});
constexpr auto kPgrFields = std::to_array<FieldLayout>(
    {f("GRP_INDX", kU2), f("GRP_NAM", kCn), f("INDX_CNT", kU2), array_of("PMR_INDX", kU2, 2)});
constexpr auto kPlrFields = std::to_array<FieldLayout>(
    {f("GRP_CNT", kU2), array_of("GRP_INDX", kU2, 0), array_of("GRP_MODE", kU2, 0),
     array_of("GRP_RADX", kU1, 0), array_of("PGM_CHAR", kCn, 0), array_of("RTN_CHAR", kCn, 0),
     array_of("PGM_CHAL", kCn, 0), array_of("RTN_CHAL", kCn, 0)});
constexpr auto kRdrFields =
    std::to_array<FieldLayout>({f("NUM_BINS", kU2), array_of("RTST_BIN", kU2, 0)});
constexpr auto kSdrFields = std::to_array<FieldLayout>(
    {f("HEAD_NUM", kU1), f("SITE_GRP", kU1), f("SITE_CNT", kU1), array_of("SITE_NUM", kU1, 2),
     f("HAND_TYP", kCn), f("HAND_ID", kCn),  f("CARD_TYP", kCn), f("CARD_ID", kCn),
     f("LOAD_TYP", kCn), f("LOAD_ID", kCn),  f("DIB_TYP", kCn),  f("DIB_ID", kCn),
     f("CABL_TYP", kCn), f("CABL_ID", kCn),  f("CONT_TYP", kCn), f("CONT_ID", kCn),
     f("LASR_TYP", kCn), f("LASR_ID", kCn),  f("EXTR_TYP", kCn), f("EXTR_ID", kCn)});
// OPT_FLG says which of the last four arrays are there.
constexpr auto kPsrFields = std::to_array<FieldLayout>(
    {f("CONT_FLG", kB1), f("PSR_INDX", kU2), f("PSR_NAM", kCn), f("OPT_FLG", kB1),
     f("TOTP_CNT", kU2), f("LOCP_CNT", kU2), array_of("PAT_BGN", kU8, 5),
     array_of("PAT_END", kU8, 5), array_of("PAT_FILE", kCn, 5),
     only_if(array_of("PAT_LBL", kCn, 5), 3, 1, 0), only_if(array_of("FILE_UID", kCn, 5), 3, 2, 0),
     only_if(array_of("ATPG_DSC", kCn, 5), 3, 4, 0), only_if(array_of("SRC_ID", kCn, 5), 3, 8, 0)});
/// As some writers have it: a set bit says that the array is there.
constexpr auto kPsrOtherFields = std::to_array<FieldLayout>(
    {f("CONT_FLG", kB1), f("PSR_INDX", kU2), f("PSR_NAM", kCn), f("OPT_FLG", kB1),
     f("TOTP_CNT", kU2), f("LOCP_CNT", kU2), array_of("PAT_BGN", kU8, 5),
     array_of("PAT_END", kU8, 5), array_of("PAT_FILE", kCn, 5),
     only_if(array_of("PAT_LBL", kCn, 5), 3, 1, 1), only_if(array_of("FILE_UID", kCn, 5), 3, 2, 2),
     only_if(array_of("ATPG_DSC", kCn, 5), 3, 4, 4), only_if(array_of("SRC_ID", kCn, 5), 3, 8, 8)});
constexpr auto kNmrFields =
    std::to_array<FieldLayout>({f("CONT_FLG", kB1), f("TOTM_CNT", kU2), f("LOCM_CNT", kU2),
                                array_of("PMR_INDX", kU2, 2), array_of("ATPG_NAM", kCn, 2)});
constexpr auto kCnrFields =
    std::to_array<FieldLayout>({f("CHN_NUM", kU2), f("BIT_POS", kU4), f("CELL_NAM", kSn)});
constexpr auto kSsrFields = std::to_array<FieldLayout>(
    {f("SSR_NAM", kCn), f("CHN_CNT", kU2), array_of("CHN_LIST", kU2, 1)});
constexpr auto kCdrFields = std::to_array<FieldLayout>(
    {f("CONT_FLG", kB1), f("CDR_INDX", kU2), f("CHN_NAM", kCn), f("CHN_LEN", kU4),
     f("SIN_PIN", kU2), f("SOUT_PIN", kU2), f("MSTR_CNT", kU1), array_of("M_CLKS", kU2, 6),
     f("SLAV_CNT", kU1), array_of("S_CLKS", kU2, 8), f("INV_VAL", kU1, 255), f("LST_CNT", kU2),
     array_of("CELL_LST", kSn, 11)});
constexpr auto kWirFields = std::to_array<FieldLayout>(
    {f("HEAD_NUM", kU1), f("SITE_GRP", kU1, 255), f("START_T", kU4), f("WAFER_ID", kCn)});
constexpr auto kWrrFields = std::to_array<FieldLayout>(
    {f("HEAD_NUM", kU1), f("SITE_GRP", kU1, 255), f("FINISH_T", kU4), f("PART_CNT", kU4),
     f("RTST_CNT", kU4, kNoCount), f("ABRT_CNT", kU4, kNoCount), f("GOOD_CNT", kU4, kNoCount),
     f("FUNC_CNT", kU4, kNoCount), f("WAFER_ID", kCn), f("FABWF_ID", kCn), f("FRAME_ID", kCn),
     f("MASK_ID", kCn), f("USR_DESC", kCn), f("EXC_DESC", kCn)});
constexpr auto kWcrFields = std::to_array<FieldLayout>(
    {f("WAFR_SIZ", kR4), f("DIE_HT", kR4), f("DIE_WID", kR4), f("WF_UNITS", kU1),
     f("WF_FLAT", kC1, ' '), f("CENTER_X", kI2, kNoPlace), f("CENTER_Y", kI2, kNoPlace),
     f("POS_X", kC1, ' '), f("POS_Y", kC1, ' ')});
constexpr auto kPirFields = std::to_array<FieldLayout>({f("HEAD_NUM", kU1), f("SITE_NUM", kU1)});
constexpr auto kPrrFields = std::to_array<FieldLayout>(
    {f("HEAD_NUM", kU1), f("SITE_NUM", kU1), f("PART_FLG", kB1), f("NUM_TEST", kU2),
     f("HARD_BIN", kU2), f("SOFT_BIN", kU2, 65'535), f("X_COORD", kI2, kNoPlace),
     f("Y_COORD", kI2, kNoPlace), f("TEST_T", kU4), f("PART_ID", kCn), f("PART_TXT", kCn),
     f("PART_FIX", kBn)});
constexpr auto kTsrFields = std::to_array<FieldLayout>(
    {f("HEAD_NUM", kU1, 255), f("SITE_NUM", kU1, 255), f("TEST_TYP", kC1, ' '), f("TEST_NUM", kU4),
     f("EXEC_CNT", kU4, kNoCount), f("FAIL_CNT", kU4, kNoCount), f("ALRM_CNT", kU4, kNoCount),
     f("TEST_NAM", kCn), f("SEQ_NAME", kCn), f("TEST_LBL", kCn), f("OPT_FLAG", kB1, 0xff),
     f("TEST_TIM", kR4), f("TEST_MIN", kR4), f("TEST_MAX", kR4), f("TST_SUMS", kR4),
     f("TST_SQRS", kR4)});
constexpr auto kPtrFields = std::to_array<FieldLayout>(
    {f("TEST_NUM", kU4),       f("HEAD_NUM", kU1), f("SITE_NUM", kU1), f("TEST_FLG", kB1),
     f("PARM_FLG", kB1),       f("RESULT", kR4),   f("TEST_TXT", kCn), f("ALARM_ID", kCn),
     f("OPT_FLAG", kB1, 0xff), f("RES_SCAL", kI1), f("LLM_SCAL", kI1), f("HLM_SCAL", kI1),
     f("LO_LIMIT", kR4),       f("HI_LIMIT", kR4), f("UNITS", kCn),    f("C_RESFMT", kCn),
     f("C_LLMFMT", kCn),       f("C_HLMFMT", kCn), f("LO_SPEC", kR4),  f("HI_SPEC", kR4)});
constexpr auto kMprFields = std::to_array<FieldLayout>({f("TEST_NUM", kU4),
                                                        f("HEAD_NUM", kU1),
                                                        f("SITE_NUM", kU1),
                                                        f("TEST_FLG", kB1),
                                                        f("PARM_FLG", kB1),
                                                        f("RTN_ICNT", kU2),
                                                        f("RSLT_CNT", kU2),
                                                        array_of("RTN_STAT", kN1, 5),
                                                        array_of("RTN_RSLT", kR4, 6),
                                                        f("TEST_TXT", kCn),
                                                        f("ALARM_ID", kCn),
                                                        f("OPT_FLAG", kB1, 0xff),
                                                        f("RES_SCAL", kI1),
                                                        f("LLM_SCAL", kI1),
                                                        f("HLM_SCAL", kI1),
                                                        f("LO_LIMIT", kR4),
                                                        f("HI_LIMIT", kR4),
                                                        f("START_IN", kR4),
                                                        f("INCR_IN", kR4),
                                                        array_of("RTN_INDX", kU2, 5),
                                                        f("UNITS", kCn),
                                                        f("UNITS_IN", kCn),
                                                        f("C_RESFMT", kCn),
                                                        f("C_LLMFMT", kCn),
                                                        f("C_HLMFMT", kCn),
                                                        f("LO_SPEC", kR4),
                                                        f("HI_SPEC", kR4)});
constexpr auto kFtrFields = std::to_array<FieldLayout>({f("TEST_NUM", kU4),
                                                        f("HEAD_NUM", kU1),
                                                        f("SITE_NUM", kU1),
                                                        f("TEST_FLG", kB1),
                                                        f("OPT_FLAG", kB1, 0xff),
                                                        f("CYCL_CNT", kU4),
                                                        f("REL_VADR", kU4),
                                                        f("REPT_CNT", kU4),
                                                        f("NUM_FAIL", kU4),
                                                        f("XFAIL_AD", kI4),
                                                        f("YFAIL_AD", kI4),
                                                        f("VECT_OFF", kI2),
                                                        f("RTN_ICNT", kU2),
                                                        f("PGM_ICNT", kU2),
                                                        array_of("RTN_INDX", kU2, 12),
                                                        array_of("RTN_STAT", kN1, 12),
                                                        array_of("PGM_INDX", kU2, 13),
                                                        array_of("PGM_STAT", kN1, 13),
                                                        f("FAIL_PIN", kDn),
                                                        f("VECT_NAM", kCn),
                                                        f("TIME_SET", kCn),
                                                        f("OP_CODE", kCn),
                                                        f("TEST_TXT", kCn),
                                                        f("ALARM_ID", kCn),
                                                        f("PROG_TXT", kCn),
                                                        f("RSLT_TXT", kCn),
                                                        f("PATG_NUM", kU1, 255),
                                                        f("SPIN_MAP", kDn)});
// FMU_FLG bits 0 and 1: MASK_MAP is there, or as in the record before; bits 2 and 3: FAL_MAP.
constexpr auto kStrFields = std::to_array<FieldLayout>({f("CONT_FLG", kB1),
                                                        f("TEST_NUM", kU4),
                                                        f("HEAD_NUM", kU1),
                                                        f("SITE_NUM", kU1),
                                                        f("PSR_REF", kU2),
                                                        f("TEST_FLG", kB1),
                                                        f("LOG_TYP", kCn),
                                                        f("TEST_TXT", kCn),
                                                        f("ALARM_ID", kCn),
                                                        f("PROG_TXT", kCn),
                                                        f("RSLT_TXT", kCn),
                                                        f("Z_VAL", kU1),
                                                        f("FMU_FLG", kB1),
                                                        only_if(f("MASK_MAP", kDn), 12, 3, 1),
                                                        only_if(f("FAL_MAP", kDn), 12, 12, 4),
                                                        f("CYC_CNT", kU8),
                                                        f("TOTF_CNT", kU4),
                                                        f("TOTL_CNT", kU4),
                                                        f("CYC_BASE", kU8),
                                                        f("BIT_BASE", kU4),
                                                        f("COND_CNT", kU2),
                                                        f("LIM_CNT", kU2),
                                                        f("CYC_SIZE", kU1),
                                                        f("PMR_SIZE", kU1),
                                                        f("CHN_SIZE", kU1),
                                                        f("PAT_SIZE", kU1),
                                                        f("BIT_SIZE", kU1),
                                                        f("U1_SIZE", kU1),
                                                        f("U2_SIZE", kU1),
                                                        f("U3_SIZE", kU1),
                                                        f("UTX_SIZE", kU1),
                                                        f("CAP_BGN", kU2),
                                                        array_of("LIM_INDX", kU2, 21),
                                                        array_of("LIM_SPEC", kU4, 21),
                                                        array_of("COND_LST", kCn, 20),
                                                        f("CYC_CNT2", kU2),
                                                        sized("CYC_OFST", kUf, 35, 22),
                                                        f("PMR_CNT", kU2),
                                                        sized("PMR_INDX", kUf, 37, 23),
                                                        f("CHN_CNT", kU2),
                                                        sized("CHN_NUM", kUf, 39, 24),
                                                        f("EXP_CNT", kU2),
                                                        array_of("EXP_DATA", kU1, 41),
                                                        f("CAP_CNT", kU2),
                                                        array_of("CAP_DATA", kU1, 43),
                                                        f("NEW_CNT", kU2),
                                                        array_of("NEW_DATA", kU1, 45),
                                                        f("PAT_CNT", kU2),
                                                        sized("PAT_NUM", kUf, 47, 25),
                                                        f("BPOS_CNT", kU2),
                                                        sized("BIT_POS", kUf, 49, 26),
                                                        f("USR1_CNT", kU2),
                                                        sized("USR1", kUf, 51, 27),
                                                        f("USR2_CNT", kU2),
                                                        sized("USR2", kUf, 53, 28),
                                                        f("USR3_CNT", kU2),
                                                        sized("USR3", kUf, 55, 29),
                                                        f("TXT_CNT", kU2),
                                                        sized("USER_TXT", kCf, 57, 30)});
constexpr auto kBpsFields = std::to_array<FieldLayout>({f("SEQ_NAME", kCn)});
constexpr auto kGdrFields =
    std::to_array<FieldLayout>({f("FLD_CNT", kU2), array_of("GEN_DATA", kVn, 0)});
constexpr auto kDtrFields = std::to_array<FieldLayout>({f("TEXT_DAT", kCn)});

constexpr auto kLayouts = std::to_array<RecordLayout>({
    {kFar, "FAR", kFarFields}, {kAtr, "ATR", kAtrFields}, {kVur, "VUR", kVurFields},
    {kMir, "MIR", kMirFields}, {kMrr, "MRR", kMrrFields}, {kPcr, "PCR", kPcrFields},
    {kHbr, "HBR", kHbrFields}, {kSbr, "SBR", kSbrFields}, {kPmr, "PMR", kPmrFields},
    {kPgr, "PGR", kPgrFields}, {kPlr, "PLR", kPlrFields}, {kRdr, "RDR", kRdrFields},
    {kSdr, "SDR", kSdrFields}, {kPsr, "PSR", kPsrFields}, {kNmr, "NMR", kNmrFields},
    {kCnr, "CNR", kCnrFields}, {kSsr, "SSR", kSsrFields}, {kCdr, "CDR", kCdrFields},
    {kWir, "WIR", kWirFields}, {kWrr, "WRR", kWrrFields}, {kWcr, "WCR", kWcrFields},
    {kPir, "PIR", kPirFields}, {kPrr, "PRR", kPrrFields}, {kTsr, "TSR", kTsrFields},
    {kPtr, "PTR", kPtrFields}, {kMpr, "MPR", kMprFields}, {kFtr, "FTR", kFtrFields},
    {kStr, "STR", kStrFields}, {kBps, "BPS", kBpsFields}, {kEps, "EPS", {}},
    {kGdr, "GDR", kGdrFields}, {kDtr, "DTR", kDtrFields},
});

constexpr RecordLayout kOtherVur{kVur, "VUR", kVurOtherFields};
constexpr RecordLayout kOtherPsr{kPsr, "PSR", kPsrOtherFields};

}  // namespace

const RecordLayout* other_layout(std::uint16_t code) {
  if (code == kVur) return &kOtherVur;
  return code == kPsr ? &kOtherPsr : nullptr;
}

std::span<const RecordLayout> all_layouts() { return kLayouts; }

const RecordLayout* find_layout(std::uint16_t code) {
  const auto it = std::ranges::find(kLayouts, code, &RecordLayout::code);
  return it == kLayouts.end() ? nullptr : &*it;
}

const RecordLayout* find_layout(std::string_view name) {
  const auto it = std::ranges::find(kLayouts, name, &RecordLayout::name);
  return it == kLayouts.end() ? nullptr : &*it;
}

std::size_t RecordLayout::index(std::string_view field) const {
  const auto it = std::ranges::find(fields, field, &FieldLayout::name);
  assert(it != fields.end());
  return static_cast<std::size_t>(it - fields.begin());
}

}  // namespace yieldloop::ingest::stdf
