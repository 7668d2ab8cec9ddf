#include "ingest/service/http_handlers.h"

#include <Poco/Net/HTTPRequestHandler.h>
#include <Poco/Net/HTTPServerRequest.h>
#include <Poco/Net/HTTPServerResponse.h>
#include <Poco/Net/NetException.h>
#include <Poco/URI.h>
#include <unistd.h>

#include <istream>
#include <nlohmann/json.hpp>

#include "engine/core/sha256.h"
#include "engine/core/text.h"
#include "engine/core/time.h"

namespace yieldloop::ingest::service {
namespace {

using Poco::Net::HTTPRequestHandler;
using Poco::Net::HTTPServerRequest;
using Poco::Net::HTTPServerResponse;
using Http = Poco::Net::HTTPResponse;

void reply(HTTPServerResponse& response, Http::HTTPStatus status, const std::string& body,
           const char* type = "application/json") {
  response.setStatusAndReason(status);
  response.setContentType(type);
  response.set("X-Content-Type-Options", "nosniff");
  response.sendBuffer(body.data(), body.size());
}

/// After a refusal the rest of the body is not read, so the connection cannot go on.
void refuse(HTTPServerResponse& response, Http::HTTPStatus status, const Error& error) {
  response.setKeepAlive(false);
  reply(response, status,
        nlohmann::json({{"id", error.id}, {"message", to_valid_utf8(error.message)}}).dump());
}

/// Compares in time that does not depend on where the texts differ.
bool same_secret(std::string_view a, std::string_view b) {
  const auto x = Sha256::of(a), y = Sha256::of(b);
  unsigned difference = 0;
  for (std::size_t i = 0; i < x.bytes.size(); ++i) {
    difference |= static_cast<unsigned>(x.bytes[i] ^ y.bytes[i]);
  }
  return difference == 0;
}

/// A staged body; its file is removed at the end whatever happened.
class StagedBody {
 public:
  StagedBody(HttpContext& context, fs::path path) : context_(context), path_(std::move(path)) {}
  StagedBody(const StagedBody&) = delete;
  StagedBody& operator=(const StagedBody&) = delete;
  ~StagedBody() { (void)context_.files.remove(path_); }
  const fs::path& path() const { return path_; }

  /// Exactly `length` bytes, counted: the library takes a body that was cut short for a whole one.
  Result<Sha256Digest> receive(std::istream& in, std::uint64_t length) {
    YL_ASSIGN(auto file, context_.files.create(path_));
    Sha256 hash;
    std::vector<char> buffer(1 << 16);
    std::uint64_t received = 0;
    const std::int64_t started = now_utc().count;
    while (received < length) {
      const auto want = std::min<std::uint64_t>(buffer.size(), length - received);
      in.read(buffer.data(), static_cast<std::streamsize>(want));
      const auto got = static_cast<std::size_t>(in.gcount());
      if (got == 0) {
        return Error{Errc::kFormat, "SERV-0006",
                     fmt::format("The body ended after {} of {} bytes; send the file again.",
                                 received, length)};
      }
      const auto bytes = std::as_bytes(std::span(buffer.data(), got));
      hash.update(bytes);
      YL_TRY(file->write(bytes));
      received += got;
      const double seconds = static_cast<double>(now_utc().count - started) * 1e-6;
      if (seconds > 20.0 &&
          static_cast<double>(received) < seconds * context_.config.body_bytes_per_second) {
        return Error{Errc::kFormat, "SERV-0007", "The body came too slowly; send the file again."};
      }
    }
    YL_TRY(file->sync());
    YL_TRY(file->close());
    return hash.finish();
  }

 private:
  HttpContext& context_;
  fs::path path_;
};

Http::HTTPStatus status_of(const Error& error) {
  switch (error.code) {
    case Errc::kNoSpace: return Http::HTTP_INSUFFICIENT_STORAGE;
    case Errc::kBusy:
    case Errc::kCancelled: return Http::HTTP_SERVICE_UNAVAILABLE;
    case Errc::kNotFound:
    case Errc::kNoData: return Http::HTTP_NOT_FOUND;
    case Errc::kFormat:
    case Errc::kInvalidOptions: return Http::HTTP_BAD_REQUEST;
    default: return Http::HTTP_INTERNAL_SERVER_ERROR;
  }
}

class UploadHandler final : public HTTPRequestHandler {
 public:
  UploadHandler(HttpContext& context, std::string name)
      : context_(context), name_(std::move(name)) {}

  void handleRequest(HTTPServerRequest& request, HTTPServerResponse& response) override {
    const std::string given = request.get("Authorization", "");
    if (!given.starts_with("Bearer ") || !same_secret(given.substr(7), context_.config.token)) {
      response.set("WWW-Authenticate", "Bearer");
      return refuse(response, Http::HTTP_UNAUTHORIZED,
                    {Errc::kDenied, "SERV-0008", "A valid token is needed to send files."});
    }
    if (request.getChunkedTransferEncoding() || !request.hasContentLength()) {
      return refuse(response, Http::HTTP_LENGTH_REQUIRED,
                    {Errc::kFormat, "SERV-0009", "Send the file with a Content-Length."});
    }
    const auto length =
        static_cast<std::uint64_t>(std::max<Poco::Int64>(0, request.getContentLength64()));
    if (length > context_.config.max_body_bytes) {
      return refuse(response, Http::HTTP_REQUEST_ENTITY_TOO_LARGE,
                    {Errc::kInvalidOptions, "SERV-0010",
                     fmt::format("The file has {} bytes; this service takes {} (max_body_mb).",
                                 length, context_.config.max_body_bytes)});
    }
    take(request, response, length);
  }

 private:
  void take(HTTPServerRequest& request, HTTPServerResponse& response, std::uint64_t length) {
    StagedBody body(context_, context_.staging / fmt::format("body-{}-{}", ::getpid(),
                                                             context_.next_body.fetch_add(1)));
    const auto digest = body.receive(request.stream(), length);
    if (!digest) return refuse(response, status_of(digest.error()), digest.error());
    const std::string promised = request.get("X-Content-SHA256", "");
    if (!promised.empty() && !equals_ignoring_case(promised, digest->hex())) {
      return refuse(response, Http::HTTP_BAD_REQUEST,
                    {Errc::kFormat, "SERV-0011",
                     "The body does not match X-Content-SHA256; send the file again."});
    }
    const auto outcome = context_.queue.submit(body.path(), name_).get();
    if (!outcome) return refuse(response, status_of(outcome.error()), outcome.error());
    const auto status = outcome->refused ? Http::HTTP_UNPROCESSABLE_ENTITY
                        : outcome->known ? Http::HTTP_OK
                                         : Http::HTTP_CREATED;
    reply(response, status, outcome->json);
  }

  HttpContext& context_;
  std::string name_;
};

/// Answers from a function; all reading routes.
class AnswerHandler final : public HTTPRequestHandler {
 public:
  explicit AnswerHandler(std::function<void(HTTPServerResponse&)> answer)
      : answer_(std::move(answer)) {}
  void handleRequest(HTTPServerRequest&, HTTPServerResponse& response) override {
    answer_(response);
  }

 private:
  std::function<void(HTTPServerResponse&)> answer_;
};

void answer_ready(HttpContext& context, HTTPServerResponse& response) {
  const auto ready = context.backend.ready();
  if (!ready) return refuse(response, Http::HTTP_SERVICE_UNAVAILABLE, ready.error());
  reply(response, Http::HTTP_OK, R"({"status":"ready"})");
}

void answer_findings(HttpContext& context, const std::string& product,
                     HTTPServerResponse& response) {
  const auto document = context.backend.findings(product);
  if (!document) return refuse(response, status_of(document.error()), document.error());
  reply(response, Http::HTTP_OK, *document);
}

void answer_metrics(HttpContext& context, HTTPServerResponse& response) {
  const Counters c = context.queue.counters();
  std::string text;
  const auto add = [&](std::string_view name, std::string_view type, std::string_view help,
                       std::uint64_t value) {
    text += fmt::format("# HELP yieldloop_{0} {1}\n# TYPE yieldloop_{0} {2}\nyieldloop_{0} {3}\n",
                        name, help, type, value);
  };
  add("files_stored_total", "counter", "Files committed to the store.", c.files_stored);
  add("files_known_total", "counter", "Files whose content was there already.", c.files_known);
  add("files_refused_total", "counter", "Files in quarantine.", c.files_refused);
  add("files_failed_total", "counter", "Files that could not be stored.", c.files_failed);
  add("rows_total", "counter", "Rows committed.", c.rows);
  add("rejects_total", "counter", "Records rejected.", c.rejects);
  add("queue_files", "gauge", "Files waiting for the writer.", context.queue.waiting());
  reply(response, Http::HTTP_OK, text, "text/plain; version=0.0.4");
}

using Answer = std::function<void(HTTPServerResponse&)>;

Answer answer_for(HttpContext& context, const Poco::URI& uri) {
  const std::string& path = uri.getPath();
  if (path == "/livez") {
    return [](HTTPServerResponse& r) { reply(r, Http::HTTP_OK, R"({"status":"alive"})"); };
  }
  if (path == "/readyz") return [&context](HTTPServerResponse& r) { answer_ready(context, r); };
  if (path == "/metrics") return [&context](HTTPServerResponse& r) { answer_metrics(context, r); };
  if (path != "/v1/findings") return {};
  std::string product;
  for (const auto& [key, value] : uri.getQueryParameters()) {
    if (key == "product") product = value;
  }
  return [&context, product](HTTPServerResponse& r) { answer_findings(context, product, r); };
}

}  // namespace

HTTPRequestHandler* HandlerFactory::createRequestHandler(const HTTPServerRequest& request) {
  constexpr std::string_view kFiles = "/v1/files/";
  Poco::URI uri;
  try {
    uri = Poco::URI(request.getURI());
  } catch (const Poco::Exception&) {
    return new AnswerHandler([](HTTPServerResponse& r) {
      refuse(r, Http::HTTP_BAD_REQUEST,
             {Errc::kFormat, "SERV-0012", "The address cannot be read."});
    });
  }
  const std::string& method = request.getMethod();
  if (uri.getPath().starts_with(kFiles) && uri.getPath().size() > kFiles.size() &&
      (method == "POST" || method == "PUT")) {
    return new UploadHandler(context_, uri.getPath().substr(kFiles.size()));
  }
  Answer answer = answer_for(context_, uri);
  const bool known = static_cast<bool>(answer) || uri.getPath().starts_with(kFiles);
  if (known && method != "GET" && method != "HEAD") answer = {};
  if (answer) return new AnswerHandler(std::move(answer));
  return new AnswerHandler([known](HTTPServerResponse& r) {
    refuse(r, known ? Http::HTTP_METHOD_NOT_ALLOWED : Http::HTTP_NOT_FOUND,
           {Errc::kNotFound, "SERV-0013", "There is nothing at this address for this method."});
  });
}

}  // namespace yieldloop::ingest::service
