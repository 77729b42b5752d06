#include "host/watch/watch.h"

#include <arpa/inet.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include <atomic>
#include <filesystem>
#include <fstream>
#include <future>
#include <string>
#include <thread>
#include <vector>

#include "host/base/error.h"
#include "host/base/file.h"
#include "host/base/file_descriptor.h"
#include "host/base/temporary_folder.h"
#include "tests/host/analysis/sample_cells.h"
#include "tests/host/base/message_of.h"

namespace bittern {
namespace {

namespace fs = std::filesystem;
using ::testing::HasSubstr;
using ::testing::Not;

void add_line(const fs::path& folder, int episode, double accuracy) {
  fs::create_directories(folder);
  std::ofstream(folder / "episodes.jsonl", std::ios::app)
      << sample_line(episode, accuracy).dump() << "\n";
}

TEST(WatchedRuns, FollowsRunsThatComeAndGrow) {
  const TemporaryFolder folder;
  WatchedRuns runs({folder.path()});
  EXPECT_EQ(runs.count(), 0u);
  EXPECT_FALSE(runs.poll());
  add_line(folder / "a", 0, 80);
  EXPECT_TRUE(runs.poll());
  add_line(folder / "a", 1, 85);
  add_line(folder / "b", 0, 70);
  EXPECT_TRUE(runs.poll());
  const auto all = runs.summary().at("runs");
  ASSERT_EQ(all.size(), 2u);
  EXPECT_EQ(all[0].at("episodes"), 2);
  EXPECT_EQ(all[0].at("best_accuracy"), 85.0);
  EXPECT_EQ(all[0].at("state"), "no result yet");
  write_file(folder / "a" / "result.json", "{}");
  EXPECT_TRUE(runs.poll());
  EXPECT_EQ(runs.summary().at("runs")[0].at("state"), "finished");
  EXPECT_FALSE(runs.poll());
}

TEST(WatchedRuns, SaysWhatIsDamagedAndGoesOn) {
  const TemporaryFolder folder;
  add_line(folder / "a", 0, 80);
  add_line(folder / "b", 0, 70);
  WatchedRuns runs({folder.path()});
  std::ofstream(folder.path() / "a" / "episodes.jsonl", std::ios::app) << "rubbish\n";
  EXPECT_TRUE(runs.poll());
  EXPECT_THAT(runs.summary().at("runs")[0].at("note").get<std::string>(),
              HasSubstr("episodes.jsonl:2"));
  EXPECT_FALSE(runs.poll()) << "the same note is no news";
  fs::remove_all(folder.path() / "a");
  EXPECT_TRUE(runs.poll());
  EXPECT_EQ(runs.summary().at("runs")[0].at("episodes"), 0);
  EXPECT_EQ(runs.summary().at("runs")[1].at("note"), "");
}

TEST(WatchedRuns, ChangesNothingInTheDirectory) {
  const TemporaryFolder folder;
  add_line(folder / "a", 0, 80);
  const std::string before = read_file(folder.path() / "a" / "episodes.jsonl");
  WatchedRuns runs({folder.path()});
  runs.poll();
  runs.charts_html(0);
  runs.overview_html();
  EXPECT_EQ(read_file(folder.path() / "a" / "episodes.jsonl"), before);
  EXPECT_EQ(std::distance(fs::directory_iterator(folder.path() / "a"), fs::directory_iterator()),
            1);
}

TEST(WatchedRuns, RefusesAFolderThatIsNotThere) {
  EXPECT_THAT(message_of([] { WatchedRuns({"/nowhere/at/all"}); }), HasSubstr("is no directory"));
}

TEST(WatchAnswer, HasThePageItsScriptAndTheRuns) {
  const TemporaryFolder folder;
  add_line(folder / "<i>", 0, 80);
  const WatchedRuns runs({folder.path()});
  EXPECT_THAT(watch_answer(runs, "/").body, HasSubstr("<script src=\"/watch.js\">"));
  EXPECT_THAT(watch_answer(runs, "/watch.js").body, HasSubstr("EventSource"));
  EXPECT_TRUE(watch_answer(runs, "/events").stream);
  EXPECT_THAT(watch_answer(runs, "/run/0").body, HasSubstr("Frontier of all policies seen"));
  EXPECT_THAT(watch_answer(runs, "/run/0").body, Not(HasSubstr("<i>")));
  EXPECT_EQ(nlohmann::json::parse(watch_answer(runs, "/run/0.json").body).size(), 1u);
  EXPECT_EQ(nlohmann::json::parse(watch_answer(runs, "/runs.json").body).at("runs").size(), 1u);
  EXPECT_THAT(watch_answer(runs, "/overview").body, HasSubstr("<svg"));
}

TEST(WatchAnswer, KnowsNothingElse) {
  const TemporaryFolder folder;
  add_line(folder / "a", 0, 80);
  const WatchedRuns runs({folder.path()});
  for (const char* path :
       {"/run/1", "/run/-1", "/run/", "/run/0x", "/run/99999999999999999999999", "/run/0.json/",
        "/../etc/passwd", "/run/../../etc/passwd", "", "*", "/run/.json"}) {
    EXPECT_EQ(watch_answer(runs, path).status, 404) << path;
  }
}

/// A server in a thread of its own, until the end of the test.
class ServedRuns : public ::testing::Test {
 protected:
  void SetUp() override {
    std::promise<std::uint16_t> port;
    std::future<std::uint16_t> ready = port.get_future();
    thread_ = std::thread([this, &port] {
      watch_runs(
          {folder_.path()}, 0, [&port](std::uint16_t p) { port.set_value(p); },
          [this] { return stop_.load(); });
    });
    port_ = ready.get();
  }
  void TearDown() override {
    stop_ = true;
    thread_.join();
  }

  FileDescriptor connected() const {
    FileDescriptor fd(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
    const timeval limit{20, 0};
    ::setsockopt(fd.get(), SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(port_);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    EXPECT_EQ(::connect(fd.get(), reinterpret_cast<sockaddr*>(&address), sizeof address), 0);
    return fd;
  }
  static void send(const FileDescriptor& fd, const std::string& text) {
    for (std::size_t done = 0; done < text.size();) {
      const ssize_t n = ::send(fd.get(), text.data() + done, text.size() - done, MSG_NOSIGNAL);
      if (n <= 0) return;  // refused before its end
      done += static_cast<std::size_t>(n);
    }
  }
  /// What comes until `text` is among it, or the other side ends.
  static std::string until(const FileDescriptor& fd, const std::string& text) {
    std::string got;
    char part[4096];
    while (text.empty() || got.find(text) == std::string::npos) {
      const ssize_t n = ::recv(fd.get(), part, sizeof part, 0);
      if (n <= 0) break;
      got.append(part, static_cast<std::size_t>(n));
    }
    return got;
  }
  std::string answer(const std::string& request) const {
    const FileDescriptor fd = connected();
    send(fd, request);
    return until(fd, "");
  }
  std::string host() const { return "Host: 127.0.0.1:" + std::to_string(port_) + "\r\n"; }
  std::string get(const std::string& path) const {
    return answer("GET " + path + " HTTP/1.1\r\n" + host() + "Connection: close\r\n\r\n");
  }

  TemporaryFolder folder_;
  std::atomic<bool> stop_{false};
  std::uint16_t port_ = 0;
  std::thread thread_;
};

TEST_F(ServedRuns, GetThePageWithAPolicyThatFetchesNothingElsewhere) {
  const std::string page = get("/?x=1");
  EXPECT_THAT(page, HasSubstr("HTTP/1.1 200"));
  EXPECT_THAT(page, HasSubstr("Content-Security-Policy: default-src 'none'"));
  EXPECT_THAT(page, HasSubstr("bittern watch"));
  EXPECT_THAT(get("/nothing"), HasSubstr("HTTP/1.1 404"));
}

TEST_F(ServedRuns, SendAnEventForNewLinesToEveryClient) {
  std::vector<FileDescriptor> clients;
  for (int i = 0; i < 5; ++i) {
    clients.push_back(connected());
    send(clients.back(), "GET /events HTTP/1.1\r\n" + host() + "\r\n");
    EXPECT_THAT(until(clients.back(), "\"runs\":[]"), HasSubstr("text/event-stream"));
  }
  add_line(folder_ / "a", 0, 81.5);
  for (const FileDescriptor& client : clients) {
    EXPECT_THAT(until(client, "81.5"), HasSubstr("event: runs\ndata: {"));
  }
  // One that comes later gets what there is at once.
  const FileDescriptor late = connected();
  send(late, "GET /events HTTP/1.1\r\n" + host() + "\r\n");
  EXPECT_THAT(until(late, "81.5"), HasSubstr("\"episodes\":1"));
}

TEST_F(ServedRuns, RefuseHostileRequestsAndGoOn) {
  EXPECT_THAT(answer("GET / HTTP/1.1\r\nHost: evil.example\r\n\r\n"), HasSubstr("HTTP/1.1 403"));
  EXPECT_THAT(answer("GET / HTTP/1.1\r\n\r\n"), HasSubstr("HTTP/1.1 403"));
  EXPECT_THAT(answer("DELETE / HTTP/1.1\r\n" + host() + "Connection: close\r\n\r\n"),
              HasSubstr("HTTP/1.1 405"));
  EXPECT_THAT(answer("POST / HTTP/1.1\r\n" + host() + "Content-Length: 5\r\n\r\nhello"),
              HasSubstr("HTTP/1.1 413"));
  EXPECT_THAT(answer("GET / HTTP/1.1\r\nX: " + std::string(20000, 'x') + "\r\n\r\n"),
              HasSubstr("HTTP/1.1 431"));
  EXPECT_EQ(answer("nonsense\r\n\r\n"), "");
  EXPECT_EQ(answer(std::string(1, '\0') + "\r\n\r\n"), "");
  EXPECT_THAT(get("/"), HasSubstr("HTTP/1.1 200"));
}

TEST_F(ServedRuns, AreReachedOnThisMachineAlone) {
  // 127.0.0.2 is this machine, too, but not the address that is listened on.
  const FileDescriptor fd(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(port_);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK + 1);
  EXPECT_NE(::connect(fd.get(), reinterpret_cast<sockaddr*>(&address), sizeof address), 0);
}

TEST_F(ServedRuns, TakeNoMoreClientsThanTheLimit) {
  std::vector<FileDescriptor> clients;
  for (std::size_t i = 0; i < LocalServer::kMostClients; ++i) {
    clients.push_back(connected());
    send(clients.back(), "GET /events HTTP/1.1\r\n" + host() + "\r\n");
    until(clients.back(), "\r\n\r\n");
  }
  EXPECT_EQ(get("/"), "");
  clients.clear();
  // The ends are noticed at once, but by another thread.
  std::string page;
  while (page.empty()) page = get("/");
  EXPECT_THAT(page, HasSubstr("HTTP/1.1 200"));
}

TEST_F(ServedRuns, ThePortIsNotSharedWithASecondServer) {
  const std::uint16_t port = port_;
  EXPECT_THAT(
      message_of([port] { LocalServer(port, [](const std::string&) { return WebAnswer(); }); }),
      HasSubstr("choose another --port"));
}

}  // namespace
}  // namespace bittern
