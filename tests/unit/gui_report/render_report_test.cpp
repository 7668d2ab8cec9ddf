#include <cstdlib>
#include <fstream>

#include "catch_portable.h"
#include "engine/core/file_system.h"
#include "gui/report/html_report.h"
#include "gui/report/pdf_report.h"
#include "gui/report/write_report.h"
#include "tests/unit/report/report_fab.h"

using namespace yieldloop;
using namespace yieldloop::gui_report;
using namespace yieldloop::test;

namespace {

report::ReportContent content() {
  return report::build_report(report_fab(), report_findings(), report_suggestions(),
                              report_options())
      .value();
}

/// One scale keeps the test quick.
constexpr HtmlOptions kSmall{.picture_scale = 1.0, .dark_pictures = false};

std::size_t count_of(const std::string& text, const std::string& part) {
  std::size_t count = 0;
  for (auto at = text.find(part); at != std::string::npos; at = text.find(part, at + 1)) ++count;
  return count;
}

}  // namespace

TEST_CASE("html report: one file without any address outside it", "[gui_report]") {
  const std::string html = render_html(content(), kSmall);
  CHECK(html.find("http://") == std::string::npos);
  CHECK(html.find("https://") == std::string::npos);
  CHECK(html.find("<script") == std::string::npos);
  CHECK(html.find("<link") == std::string::npos);
  CHECK(html.find("url(") == std::string::npos);
  CHECK(count_of(html, "src=\"data:image/") == count_of(html, "src=\""));
  CHECK(count_of(html, "<img ") >= 6);
  CHECK(count_of(html, "<img ") == count_of(html, "alt=\""));
}

TEST_CASE("html report: sections in the order in which they are read", "[gui_report]") {
  const std::string html = render_html(content(), kSmall);
  std::size_t last = 0;
  for (const char* part :
       {"class=\"status alarm\"", "1. Lots", "2. Excursions", "3. Largest", "4. Failing",
        "5. Suspect", "6. Defects", "7. Suggestions", "8. Caveats", "9. Provenance"}) {
    CAPTURE(part);
    const auto at = html.find(part);
    REQUIRE(at != std::string::npos);
    CHECK(at > last);
    last = at;
  }
}

TEST_CASE("html report: what a tester wrote stays text", "[gui_report]") {
  FabData data = report_fab();
  FindingsDocument findings = report_findings();
  findings.findings[0].statement = "<script>alert('x')</script>";
  findings.findings[0].subject["tool"] = "\"><img src=x onerror=alert(1)>";
  findings.caveats = {"=cmd|' /C calc'!A0", "torn \xff\x01"};
  data.product.name = "</title><b>";
  const auto hostile =
      report::build_report(data, findings, report_suggestions(), report_options()).value();
  const std::string html = render_html(hostile, kSmall);
  CHECK(html.find("<script") == std::string::npos);
  CHECK(html.find("<img src=x") == std::string::npos);
  CHECK(html.find("<b>") == std::string::npos);
  CHECK(html.find('\x01') == std::string::npos);
  CHECK(html.find("&lt;script&gt;") != std::string::npos);
  CHECK_FALSE(render_pdf(hostile).empty());
}

TEST_CASE("html and pdf: the same content gives the same bytes", "[gui_report]") {
  CHECK(render_html(content()) == render_html(content()));
  CHECK(render_pdf(content()) == render_pdf(content()));
}

TEST_CASE("pdf report: a whole file with pages and the date of the night", "[gui_report]") {
  const std::string pdf = render_pdf(content());
  CHECK(pdf.substr(0, 5) == "%PDF-");
  CHECK(pdf.find("%%EOF") != std::string::npos);
  CHECK(pdf.find("/CreationDate (D:20260315120000") != std::string::npos);
  CHECK(count_of(pdf, "/Type /Page\n") >= 1);
}

TEST_CASE("pdf report: fixed identity keeps every offset", "[gui_report]") {
  std::string pdf = "x /CreationDate (D:20991231235959-08'30') /ID [ <abcdef> <abcdef> ] y";
  const std::size_t size = pdf.size();
  fix_pdf_identity(pdf, "20260315120000", "0123456789");
  CHECK(pdf.size() == size);
  CHECK(pdf == "x /CreationDate (D:20260315120000+00'00') /ID [ <012345> <012345> ] y");
  std::string none = "no such keys (";
  fix_pdf_identity(none, "20260315120000", "01");
  CHECK(none == "no such keys (");
}

TEST_CASE("report: nothing to report can be rendered", "[gui_report]") {
  const auto empty = report::build_report(FabData{}, {}, {}).value();
  CHECK(render_html(empty, kSmall).find("No new data") != std::string::npos);
  CHECK(render_pdf(empty).substr(0, 5) == "%PDF-");
}

TEST_CASE("report: three files appear, and again without a changed byte", "[gui_report]") {
  const fs::path folder = fs::temp_directory_path() / "yieldloop_report_test";
  fs::remove_all(folder);
  FileSystem& files = real_file_system();
  const auto first = write_report(content(), files, folder / "night");
  REQUIRE(first);
  const std::string html = read_text_file(files, first->html).value();
  const std::string pdf = read_text_file(files, first->pdf).value();
  const std::string json = read_text_file(files, first->json).value();
  REQUIRE(write_report(content(), files, folder / "night"));
  CHECK(read_text_file(files, first->html).value() == html);
  CHECK(read_text_file(files, first->pdf).value() == pdf);
  CHECK(read_text_file(files, first->json).value() == json);
  if (std::system("command -v pdftotext > /dev/null 2>&1") == 0) {
    const std::string text = (folder / "report.txt").string();
    REQUIRE(std::system(("pdftotext '" + first->pdf.string() + "' '" + text + "'").c_str()) == 0);
    const std::string words = read_text_file(files, text).value();
    CHECK(words.find("Yield report DEMO28") != std::string::npos);
    CHECK(words.find("page 1 of") != std::string::npos);
    CHECK(words.find("ETCH02") != std::string::npos);
  }
  fs::remove_all(folder);
}

TEST_CASE("report: a folder that cannot be made is one clear error", "[gui_report][error]") {
  const fs::path file = fs::temp_directory_path() / "yieldloop_report_not_a_folder";
  std::ofstream(file) << "x";
  CHECK_FALSE(write_report(content(), real_file_system(), file / "night"));
  fs::remove(file);
}
