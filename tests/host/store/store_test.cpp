#include "host/store/store.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <sqlite3.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <functional>
#include <optional>
#include <set>
#include <thread>

#include "host/store/sqlite.h"
#include "tests/host/run/fake_bismo.h"

namespace bittern {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;

MeasurementKey key_of(int i) {
  MeasurementKey key;
  key.variant = "bismo_tiny";
  key.variant_key = "core=bismo";
  key.rtl_hash = "abcd";
  key.layer_key = "linear i" + std::to_string(i) + " o3";
  key.precision = {{4, 5}, true, false};
  key.batch = 2;
  key.schedule = "s1";
  key.program = "p1";
  return key;
}

Measurement measurement_of(int i) {
  Measurement m;
  m.cycles = 1000 + static_cast<std::uint64_t>(i);
  m.events = {{"exec_run", static_cast<std::uint64_t>(i)}, {"read_port_beats[0]", ~0ull >> 2}};
  m.bytes_read = 64;
  m.bytes_written = 32;
  m.schedule = "s1";
  m.checked = true;
  return m;
}

void put_many(MeasurementStore& store, int from, int to) {
  for (int i = from; i < to; ++i) store.put(key_of(i), measurement_of(i), "test");
}

PlanKey plan_key(int i, const std::string& planner = "planner") {
  return {planner, "core=bismo", "linear i" + std::to_string(i) + " o3", {{4, 5}, true, false}, 2};
}

KnownPlan known_plan(int i) {
  KnownPlan plan;
  plan.schedule = "s1";
  plan.program = "p" + std::to_string(i);
  plan.result_bits = 8;
  plan.result_signed = false;
  plan.cycles = 1000 + static_cast<std::uint64_t>(i);
  plan.events = {{"exec_run", 7}, {"read_port_beats[0]", ~0ull >> 2}};
  return plan;
}

/// Runs `sql` on a store behind its back.
void tamper(const std::filesystem::path& path, const std::string& sql) {
  sqlite3* db = nullptr;
  ASSERT_EQ(sqlite3_open(path.c_str(), &db), SQLITE_OK);
  char* error = nullptr;
  EXPECT_EQ(sqlite3_exec(db, sql.c_str(), nullptr, nullptr, &error), SQLITE_OK)
      << (error ? error : "");
  sqlite3_free(error);
  sqlite3_close(db);
}

TEST(MeasurementKey, EveryFieldButWhatIsForPeopleChangesIt) {
  std::vector<MeasurementKey> keys(12, key_of(1));
  keys[1].variant_key += " batch=2";
  keys[2].rtl_hash = "abce";
  keys[3].origin = Origin::kBoard;
  keys[4].layer_key += " ";
  keys[5].precision.bits = {5, 4};
  keys[6].precision.weight_signed = false;
  keys[7].precision.activation_signed = true;
  keys[8].batch = 3;
  keys[9].program = "p2";
  keys[10].result_bits = 8;
  keys[11].result_signed = false;
  std::set<std::string> seen;
  for (const MeasurementKey& key : keys) seen.insert(key.hex());
  EXPECT_EQ(seen.size(), keys.size());
  MeasurementKey renamed = keys[0];
  renamed.variant = "copy";
  renamed.schedule = "the same, in other words";
  EXPECT_EQ(renamed.hex(), keys[0].hex());
}

TEST(MeasurementStore, AnswersWhatWasPutAlsoWhenOpenedAgain) {
  const TemporaryFolder folder;
  const auto path = folder / "deep/er/store.db";
  {
    MeasurementStore store(path);
    EXPECT_FALSE(store.find(key_of(1)));
    put_many(store, 1, 3);
  }
  MeasurementStore store(path);
  const auto found = store.find(key_of(2));
  ASSERT_TRUE(found);
  const Measurement expected = measurement_of(2);
  EXPECT_EQ(found->cycles, expected.cycles);
  EXPECT_EQ(found->events, expected.events);
  EXPECT_EQ(found->bytes_read, 64u);
  EXPECT_EQ(found->bytes_written, 32u);
  EXPECT_EQ(found->origin, Origin::kRtl);
  EXPECT_EQ(found->schedule, "s1");
  EXPECT_EQ(found->key, key_of(2).hex());
  EXPECT_TRUE(found->checked);
  EXPECT_FALSE(store.find(key_of(3)));
  const auto rows = store.list({"bismo_tiny", ""});
  ASSERT_EQ(rows.size(), 2u);
  EXPECT_EQ(rows[0].key.hex(), key_of(1).hex());
  EXPECT_EQ(rows[0].tools, "test");
  EXPECT_FALSE(rows[0].damaged);
  EXPECT_TRUE(store.list({"other", ""}).empty());
  EXPECT_EQ(store.list({"", key_of(1).hex().substr(0, 10)}).size(), 1u);
}

TEST(PlanKey, EveryFieldChangesIt) {
  std::vector<PlanKey> keys(8, plan_key(1));
  keys[1].planner = "other";
  keys[2].variant_key += " batch=2";
  keys[3].layer_key += " ";
  keys[4].precision.bits = {5, 4};
  keys[5].precision.weight_signed = false;
  keys[6].precision.activation_signed = true;
  keys[7].batch = 3;
  std::set<std::string> seen;
  for (const PlanKey& key : keys) seen.insert(key.hex());
  EXPECT_EQ(seen.size(), keys.size());
}

TEST(MeasurementStore, KeepsWhatIsKnownOfPlansForTheSamePlanner) {
  const TemporaryFolder folder;
  const auto path = folder / "store.db";
  {
    MeasurementStore store(path);
    EXPECT_FALSE(store.find_plan(plan_key(1)));
    store.put_plans({{plan_key(1), known_plan(9)}, {plan_key(2), known_plan(2)}});
    store.put_plans({{plan_key(1), known_plan(1)}});
  }
  MeasurementStore store(path);
  ASSERT_TRUE(store.find_plan(plan_key(1)));
  EXPECT_EQ(*store.find_plan(plan_key(1)), known_plan(1));
  EXPECT_EQ(*store.find_plan(plan_key(2)), known_plan(2));
  EXPECT_FALSE(store.find_plan(plan_key(1, "other")));
  EXPECT_TRUE(store.list().empty()) << "no measurements";
}

TEST(MeasurementStore, ADamagedPlanIsNoPlan) {
  const TemporaryFolder folder;
  const auto path = folder / "store.db";
  const std::vector<std::string> damages = {
      "cycles = 5",       "events = '{'",  "events = '[1]'",         "events = '{\"a\": -1}'",
      "program = 'p'",    "schedule = ''", "result_bits = 4",        "result_signed = 1",
      "planner = 'evil'", "digest = ''",   "events = zeroblob(9999)"};
  const int count = static_cast<int>(damages.size());
  {
    MeasurementStore store(path);
    for (int i = 0; i <= count; ++i) store.put_plans({{plan_key(i), known_plan(i)}});
  }
  for (int i = 0; i < count; ++i) {
    tamper(path, "UPDATE plans SET " + damages[static_cast<std::size_t>(i)] + " WHERE key = '" +
                     plan_key(i).hex() + "'");
  }
  MeasurementStore store(path);
  for (int i = 0; i < count; ++i) {
    EXPECT_FALSE(store.find_plan(plan_key(i))) << damages[static_cast<std::size_t>(i)];
  }
  EXPECT_TRUE(store.find_plan(plan_key(count)));
  EXPECT_EQ(store.count_plans("planner").stale, damages.size());
  store.put_plans({{plan_key(0), known_plan(0)}});
  EXPECT_EQ(*store.find_plan(plan_key(0)), known_plan(0));
}

TEST(MeasurementStore, RemovesPlansOfOtherPlanners) {
  const TemporaryFolder folder;
  MeasurementStore store(folder / "store.db");
  put_many(store, 1, 2);
  store.put_plans({{plan_key(1), known_plan(1)},
                   {plan_key(2), known_plan(2)},
                   {plan_key(1, "other"), known_plan(1)}});
  EXPECT_EQ(store.count_plans("planner").all, 3u);
  EXPECT_EQ(store.count_plans("planner").stale, 1u);
  EXPECT_EQ(store.remove_plans("planner"), 1u);
  EXPECT_FALSE(store.find_plan(plan_key(1, "other")));
  EXPECT_TRUE(store.find_plan(plan_key(1)));
  EXPECT_EQ(store.remove_plans("planner", true), 2u);
  EXPECT_FALSE(store.find_plan(plan_key(1)));
  EXPECT_TRUE(store.find(key_of(1))) << "measurements stay";
}

TEST(MeasurementStore, NeverAnswersWithAnUncheckedRow) {
  const TemporaryFolder folder;
  MeasurementStore store(folder / "store.db");
  Measurement unchecked = measurement_of(1);
  unchecked.checked = false;
  store.put(key_of(1), unchecked, "test");
  EXPECT_FALSE(store.find(key_of(1)));
  store.put(key_of(1), measurement_of(1), "test");
  EXPECT_TRUE(store.find(key_of(1)));
}

TEST(MeasurementStore, SameResultTwiceIsFineAnotherResultIsAnError) {
  const TemporaryFolder folder;
  MeasurementStore store(folder / "store.db");
  put_many(store, 1, 2);
  put_many(store, 1, 2);
  const std::string message =
      message_of<Error>([&] { store.put(key_of(1), measurement_of(7), "test"); });
  EXPECT_THAT(message, AllOf(HasSubstr("1007"), HasSubstr("1001"), HasSubstr("deterministic")));
  EXPECT_EQ(store.find(key_of(1))->cycles, 1001u);
}

TEST(MeasurementStore, NoticesRowsThatWereChangedAndCanRemoveThem) {
  const TemporaryFolder folder;
  const auto path = folder / "store.db";
  {
    MeasurementStore store(path);
    put_many(store, 1, 5);
  }
  tamper(path, "UPDATE measurements SET cycles = 5 WHERE layer = 'linear i1 o3'");
  tamper(path, "UPDATE measurements SET events = '{' WHERE layer = 'linear i2 o3'");
  tamper(path, "UPDATE measurements SET weight_bits = 1 WHERE layer = 'linear i3 o3'");
  MeasurementStore store(path);
  for (int i = 1; i <= 3; ++i) {
    EXPECT_THAT(message_of<Error>([&] { store.find(key_of(i)); }),
                AllOf(HasSubstr(path.string()), HasSubstr("gc --damaged")));
  }
  EXPECT_TRUE(store.find(key_of(4)));
  std::vector<std::string> damaged;
  for (const StoredMeasurement& row : store.list()) {
    if (row.damaged) damaged.push_back(row.measurement.key);
  }
  EXPECT_EQ(damaged.size(), 3u);
  EXPECT_EQ(store.remove(damaged), 3u);
  EXPECT_EQ(store.remove(damaged), 0u);
  store.compact();
  EXPECT_FALSE(store.find(key_of(1)));
  EXPECT_TRUE(store.find(key_of(4)));
}

TEST(MeasurementStore, RefusesAStoreOfANewerVersion) {
  const TemporaryFolder folder;
  const auto path = folder / "store.db";
  { MeasurementStore store(path); }
  tamper(path, "PRAGMA user_version = 3");
  EXPECT_THAT(message_of<Error>([&] { MeasurementStore store(path); }),
              AllOf(HasSubstr(path.string()), HasSubstr("version 3"), HasSubstr("update Bittern")));
}

/// A store as version 1 made it, with a row.
void make_version_1(const std::filesystem::path& path) {
  tamper(path,
         "PRAGMA application_id = 1112822350; PRAGMA user_version = 1; PRAGMA journal_mode = WAL;"
         "CREATE TABLE measurements (key TEXT PRIMARY KEY, variant TEXT NOT NULL, variant_key TEXT "
         "NOT NULL, rtl_hash TEXT NOT NULL, origin TEXT NOT NULL, layer TEXT NOT NULL, weight_bits "
         "INTEGER NOT NULL, weight_signed INTEGER NOT NULL, activation_bits INTEGER NOT NULL, "
         "activation_signed INTEGER NOT NULL, batch INTEGER NOT NULL, schedule TEXT NOT NULL, "
         "lowering INTEGER NOT NULL, cycles INTEGER NOT NULL, events TEXT NOT NULL, bytes_read "
         "INTEGER NOT NULL, bytes_written INTEGER NOT NULL, checked INTEGER NOT NULL, tools TEXT "
         "NOT NULL, created TEXT NOT NULL, digest TEXT NOT NULL) WITHOUT ROWID;"
         "CREATE INDEX by_layer ON measurements (variant, layer, weight_bits, activation_bits);"
         "INSERT INTO measurements VALUES ('k', 'bismo_tiny', 'core=bismo', 'abcd', 'rtl', 'linear "
         "i1 o3', 4, 1, 5, 0, 2, 's1', 2, 1001, '{}', 64, 32, 1, 'test', 'now', 'd')");
}

TEST(MeasurementStore, RefusesAStoreOfAnOlderVersionAndSaysHowToMoveItAway) {
  const TemporaryFolder folder;
  const auto path = folder / "store.db";
  make_version_1(path);
  const std::string message = message_of<Error>([&] { MeasurementStore store(path); });
  const std::string command = "mv " + path.string() + " " + path.string() + ".version1";
  EXPECT_THAT(message, AllOf(HasSubstr(path.string()), HasSubstr("version 1"),
                             HasSubstr("which program"), HasSubstr(command), HasSubstr("--store")));
  // As it says: afterwards a store is made anew, and the old one has all its rows in one file.
  ASSERT_EQ(std::system(command.c_str()), 0);
  EXPECT_TRUE(MeasurementStore(path).list().empty());
  EXPECT_FALSE(std::filesystem::exists(path.string() + "-wal"));
  Database old(path.string() + ".version1", Database::Access::kRead, 100);
  EXPECT_EQ(old.integer("SELECT count(*) FROM measurements"), 1);
}

TEST(MeasurementStore, RefusesAnotherProgramsDatabaseAndLeavesItAlone) {
  const TemporaryFolder folder;
  const auto path = folder / "other.db";
  tamper(path, "CREATE TABLE photos (name TEXT)");
  EXPECT_THAT(message_of<Error>([&] { MeasurementStore store(path); }),
              HasSubstr("no measurement store of Bittern"));
  tamper(path, "INSERT INTO photos VALUES ('still here')");
}

TEST(MeasurementStore, SaysHowToMendAFileThatIsNoDatabase) {
  const TemporaryFolder folder;
  const auto path = folder / "store.db";
  std::ofstream(path) << std::string(20000, 'x');
  EXPECT_THAT(message_of<Error>([&] { MeasurementStore store(path); }),
              AllOf(HasSubstr(path.string()), HasSubstr("damaged"), HasSubstr("mv ")));
}

TEST(MeasurementStore, AnyDamagedPageIsAnErrorOrHarmless) {
  const TemporaryFolder folder;
  const auto good = folder / "good.db";
  {
    MeasurementStore store(good);
    put_many(store, 0, 60);
    store.compact();
  }
  const auto size = std::filesystem::file_size(good);
  Rng rng(5);
  int noticed = 0;
  for (int round = 0; round < 60; ++round) {
    const auto path = folder / ("bad" + std::to_string(round) + ".db");
    std::filesystem::copy_file(good, path);
    if (round % 6 == 0) {
      std::filesystem::resize_file(path, static_cast<std::uintmax_t>(rng.integer(1, size - 1)));
    } else {
      std::fstream file(path, std::ios::in | std::ios::out | std::ios::binary);
      file.seekp(rng.integer(0, static_cast<std::int64_t>(size) - 200));
      for (int i = 0; i < 200; ++i) file.put(static_cast<char>(rng.integer(0, 255)));
    }
    try {
      MeasurementStore store(path);
      for (int i = 0; i < 60; ++i) {
        const auto found = store.find(key_of(i));
        if (!found) {
          ++noticed;  // a key that cannot be found is measured again
          continue;
        }
        EXPECT_EQ(found->cycles, measurement_of(i).cycles);
        EXPECT_EQ(found->events, measurement_of(i).events);
      }
    } catch (const Error& error) {
      ++noticed;
      EXPECT_THAT(error.what(), HasSubstr(path.string()));
    }
  }
  EXPECT_GT(noticed, 30);
}

TEST(MeasurementStore, SaysWhyItCannotBeOpened) {
  const TemporaryFolder folder;
  std::ofstream(folder / "file") << "x";
  EXPECT_THAT(message_of<Error>([&] { MeasurementStore store(folder / "file/store.db"); }),
              HasSubstr("--store"));
  EXPECT_THAT(message_of<Error>([&] { MeasurementStore store(folder.path()); }),
              AllOf(HasSubstr(folder.path().string()), HasSubstr("--store")));
}

TEST(MeasurementStore, WaitsForALockAndThenSaysWhoHoldsIt) {
  const TemporaryFolder folder;
  const auto path = folder / "store.db";
  MeasurementStore store(path, 100);
  sqlite3* other = nullptr;
  ASSERT_EQ(sqlite3_open(path.c_str(), &other), SQLITE_OK);
  ASSERT_EQ(sqlite3_exec(other, "BEGIN IMMEDIATE", nullptr, nullptr, nullptr), SQLITE_OK);
  EXPECT_THAT(message_of<Error>([&] { put_many(store, 1, 2); }), HasSubstr("another process"));
  sqlite3_close(other);
  put_many(store, 1, 2);
  EXPECT_TRUE(store.find(key_of(1)));
}

TEST(MeasurementStore, DefaultPlaceFollowsTheEnvironment) {
  ::setenv("BITTERN_STORE", "/somewhere/x.db", 1);
  EXPECT_EQ(MeasurementStore::default_path(), "/somewhere/x.db");
  ::unsetenv("BITTERN_STORE");
  ::setenv("XDG_CACHE_HOME", "/cache", 1);
  EXPECT_EQ(MeasurementStore::default_path(), "/cache/bittern/measurements.db");
  ::unsetenv("XDG_CACHE_HOME");
  ::setenv("HOME", "/home/me", 1);
  EXPECT_EQ(MeasurementStore::default_path(), "/home/me/.cache/bittern/measurements.db");
  ::unsetenv("HOME");
  EXPECT_THAT(message_of<Error>([] { MeasurementStore::default_path(); }), HasSubstr("--store"));
}

/// Runs `body` in a child process; its exit status tells whether it threw.
template <typename Body>
pid_t in_child(Body body) {
  const pid_t pid = ::fork();
  if (pid != 0) return pid;
  try {
    body();
    ::_exit(0);
  } catch (...) {
    ::_exit(1);
  }
}

int status_of(pid_t pid) {
  int status = 0;
  ::waitpid(pid, &status, 0);
  return status;
}

TEST(MeasurementStore, SeveralProcessesWriteOneStoreAtOnce) {
  const TemporaryFolder folder;
  const auto path = folder / "store.db";
  // They make the file at the same time, too, and half of what they write is the same.
  std::vector<pid_t> children;
  for (int c = 0; c < 4; ++c) {
    children.push_back(in_child([&path, c] {
      MeasurementStore store(path);
      put_many(store, 20 * c, 20 * c + 40);
    }));
  }
  for (const pid_t child : children) EXPECT_EQ(status_of(child), 0);
  MeasurementStore store(path);
  EXPECT_EQ(store.list().size(), 100u);
  for (int i = 0; i < 100; ++i) EXPECT_EQ(store.find(key_of(i))->cycles, 1000u + i);
}

TEST(MeasurementStore, SixProcessesMakeOneStoreAtOnceAlways) {
  const TemporaryFolder folder;
  for (int round = 0; round < 40; ++round) {
    const auto path = folder / ("store" + std::to_string(round) + ".db");
    int gate[2];
    ASSERT_EQ(::pipe(gate), 0);
    std::vector<pid_t> children;
    for (int c = 0; c < 6; ++c) {
      children.push_back(in_child([&, c] {
        ::close(gate[1]);
        char byte = 0;
        if (::read(gate[0], &byte, 1) < 0) ::_exit(2);  // all begin when the gate is closed
        MeasurementStore store(path);
        put_many(store, c, c + 1);
        if (!store.find(key_of(c))) ::_exit(3);
      }));
    }
    ::close(gate[0]);
    ::close(gate[1]);
    for (const pid_t child : children) ASSERT_EQ(status_of(child), 0) << "round " << round;
    ASSERT_EQ(MeasurementStore(path).list().size(), 6u) << "round " << round;
  }
}

/// Runs `body` as a user for whom permissions count, also when the tests run as root; nothing when
/// that cannot be had.
template <typename Body>
std::optional<int> as_somebody(Body body) {
  const bool root = ::geteuid() == 0;
  int status = status_of(in_child([&] {
    if (root && (::setgid(65534) != 0 || ::setuid(65534) != 0)) ::_exit(77);
    body();
  }));
  if (WIFEXITED(status) && WEXITSTATUS(status) == 77) return std::nullopt;
  return status;
}

/// What a store says in the child process that it is looked at in goes through this file.
class ReadOnlyStore : public ::testing::Test {
 protected:
  ReadOnlyStore() {
    std::filesystem::permissions(folder_.path(), std::filesystem::perms(0755));
    std::filesystem::create_directory(place_);
    MeasurementStore store(path_);
    put_many(store, 0, 5);
    store.put_plans({{plan_key(1), known_plan(1)}});
  }
  ~ReadOnlyStore() override { lock(false); }

  void lock(bool locked) const {
    for (const auto& entry : std::filesystem::directory_iterator(place_)) {
      std::filesystem::permissions(entry.path(), std::filesystem::perms(locked ? 0444 : 0644));
    }
    std::filesystem::permissions(place_, std::filesystem::perms(locked ? 0555 : 0755));
  }

  static void expect(bool holds, int status) {
    if (!holds) ::_exit(status);
  }

  const TemporaryFolder folder_;
  const std::filesystem::path place_ = folder_ / "place";
  const std::filesystem::path path_ = place_ / "store.db";
};

TEST_F(ReadOnlyStore, AnswersAndTakesNothing) {
  lock(true);
  const std::optional<int> status = as_somebody([&] {
    MeasurementStore store(path_);
    expect(!store.read_only().empty(), 10);
    for (int i = 0; i < 5; ++i) expect(store.find(key_of(i))->cycles == 1000u + i, 11);
    expect(!store.find(key_of(6)), 12);
    expect(store.list().size() == 5, 13);
    expect(store.find_plan(plan_key(1)).has_value(), 17);
    expect(!store.find_plan(plan_key(2)), 18);
    for (const auto& change : std::vector<std::function<void()>>{
             [&] { put_many(store, 6, 7); }, [&] { store.remove({key_of(1).hex()}); },
             [&] {
               store.put_plans({{plan_key(2), known_plan(2)}});
             },
             [&] { store.remove_plans("planner"); }}) {
      try {
        change();
        ::_exit(14);
      } catch (const Error& error) {
        expect(std::string(error.what()).find("may only be read") != std::string::npos, 15);
        expect(std::string(error.what()).find("--store") != std::string::npos, 16);
      }
    }
  });
  if (!status) GTEST_SKIP() << "cannot become another user";
  EXPECT_EQ(*status, 0) << "exit status " << WEXITSTATUS(*status);
  std::size_t files = 0;
  for (const auto& entry : std::filesystem::directory_iterator(place_)) {
    static_cast<void>(entry);
    ++files;
  }
  EXPECT_EQ(files, 1u) << "nothing was made beside it";
}

TEST_F(ReadOnlyStore, AFileThatMayNotBeWrittenInAFolderThatMay) {
  std::filesystem::permissions(path_, std::filesystem::perms(0444));
  std::filesystem::permissions(place_, std::filesystem::perms(0777));
  const std::optional<int> status = as_somebody([&] {
    MeasurementStore store(path_);
    expect(!store.read_only().empty(), 10);
    for (int i = 0; i < 5; ++i) expect(store.find(key_of(i)).has_value(), 11);
  });
  if (!status) GTEST_SKIP() << "cannot become another user";
  EXPECT_EQ(*status, 0) << "exit status " << WEXITSTATUS(*status);
}

TEST_F(ReadOnlyStore, AnswersWhatIsStillInTheLogOfItsOwner) {
  MeasurementStore owner(path_);  // keeps its log open
  put_many(owner, 5, 8);
  lock(true);
  const std::optional<int> status = as_somebody([&] {
    MeasurementStore store(path_);
    for (int i = 0; i < 8; ++i) expect(store.find(key_of(i)).has_value(), 11);
  });
  lock(false);
  if (!status) GTEST_SKIP() << "cannot become another user";
  EXPECT_EQ(*status, 0) << "exit status " << WEXITSTATUS(*status);
}

TEST_F(ReadOnlyStore, ALogThatCannotBeReadIsAnErrorAndNotAnOldAnswer) {
  const auto copy = place_ / "copy.db";
  {
    MeasurementStore owner(path_);
    put_many(owner, 5, 8);
    std::filesystem::copy_file(path_, copy);
    std::filesystem::copy_file(path_.string() + "-wal", copy.string() + "-wal");
  }
  lock(true);
  const std::optional<int> status = as_somebody([&] {
    try {
      MeasurementStore store(copy);
      // Where SQLite can read it, all of it has to be there.
      for (int i = 0; i < 8; ++i) expect(store.find(key_of(i)).has_value(), 11);
    } catch (const Error& error) {
      expect(std::string(error.what()).find("-wal") != std::string::npos, 12);
    }
  });
  if (!status) GTEST_SKIP() << "cannot become another user";
  EXPECT_EQ(*status, 0) << "exit status " << WEXITSTATUS(*status);
}

TEST_F(ReadOnlyStore, SeesWhatItsOwnerAddsLater) {
  std::filesystem::permissions(place_, std::filesystem::perms(0755));
  int steps[2];
  int answers[2];
  ASSERT_EQ(::pipe(steps), 0);
  ASSERT_EQ(::pipe(answers), 0);
  if (::geteuid() != 0) GTEST_SKIP() << "needs two users";
  const pid_t child = in_child([&] {
    if (::setgid(65534) != 0 || ::setuid(65534) != 0) ::_exit(77);
    MeasurementStore store(path_);  // others may read it
    char byte = 0;
    expect(!store.find(key_of(5)), 10);
    expect(::write(answers[1], "a", 1) == 1 && ::read(steps[0], &byte, 1) == 1, 11);
    expect(store.find(key_of(5)).has_value(), 12);
  });
  char byte = 0;
  ASSERT_EQ(::read(answers[0], &byte, 1), 1);
  {
    MeasurementStore owner(path_);
    put_many(owner, 5, 6);
  }
  ASSERT_EQ(::write(steps[1], "b", 1), 1);
  const int status = status_of(child);
  EXPECT_EQ(status, 0) << "exit status " << WEXITSTATUS(status);
}

TEST(MeasurementStore, AnEmptyFileThatMayOnlyBeReadIsNoStore) {
  const TemporaryFolder folder;
  std::filesystem::permissions(folder.path(), std::filesystem::perms(0555));
  std::ofstream(folder / "empty.db").close();
  std::filesystem::permissions(folder / "empty.db", std::filesystem::perms(0444));
  const std::optional<int> status = as_somebody([&] {
    try {
      MeasurementStore store(folder / "empty.db");
    } catch (const Error& error) {
      ::_exit(std::string(error.what()).find("empty and may only be read") != std::string::npos
                  ? 5
                  : 6);
    }
  });
  std::filesystem::permissions(folder.path(), std::filesystem::perms(0755));
  if (!status) GTEST_SKIP() << "cannot become another user";
  EXPECT_EQ(WEXITSTATUS(*status), 5);
}

TEST(MeasurementStore, HostileRowsAreDamagedAndNothingElse) {
  const TemporaryFolder folder;
  const auto path = folder / "store.db";
  {
    MeasurementStore store(path);
    put_many(store, 0, 8);
  }
  const auto change = [&](int row, const std::string& what) {
    tamper(path, "UPDATE measurements SET " + what + " WHERE layer = 'linear i" +
                     std::to_string(row) + " o3'");
  };
  change(0, "events = '" + std::string(100000, '[') + "'");
  change(1, "events = '{\"a\": -1}'");
  change(2, "events = '{\"a\": 1e300}'");
  change(3, "cycles = -1");
  change(4, "cycles = 0");
  change(5, "events = zeroblob(2000000)");
  change(6, "origin = x'ff00fe', tools = x'1b5b324a'");
  MeasurementStore store(path);
  const auto rows = store.list();
  ASSERT_EQ(rows.size(), 8u);
  std::size_t damaged = 0;
  for (const StoredMeasurement& row : rows) damaged += row.damaged ? 1 : 0;
  EXPECT_EQ(damaged, 7u);
  for (int i = 0; i < 7; ++i) EXPECT_THROW(store.find(key_of(i)), Error) << i;
  EXPECT_TRUE(store.find(key_of(7)));
}

TEST(MeasurementStore, AStoreOfManyMegabytesIsReadAndCleaned) {
  const TemporaryFolder folder;
  const auto path = folder / "store.db";
  {
    MeasurementStore store(path);
    put_many(store, 0, 3);
  }
  tamper(path,
         "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 20000) INSERT "
         "INTO measurements SELECT 'copy' || i, variant, variant_key, rtl_hash, origin, layer, "
         "weight_bits, weight_signed, activation_bits, activation_signed, batch, result_bits, "
         "result_signed, program, schedule, cycles, events, bytes_read, bytes_written, checked, "
         "hex(randomblob(500)), created, digest "
         "FROM n, measurements WHERE layer = 'linear i1 o3'");
  ASSERT_GT(std::filesystem::file_size(path), std::uintmax_t{16} << 20);
  MeasurementStore store(path);
  EXPECT_EQ(store.find(key_of(2))->cycles, 1002u);
  std::vector<std::string> damaged;
  for (const StoredMeasurement& row : store.list()) {
    if (row.damaged) damaged.push_back(row.measurement.key);
  }
  EXPECT_EQ(damaged.size(), 20000u);
  EXPECT_EQ(store.remove(damaged), 20000u);
  store.compact();
  EXPECT_EQ(store.list().size(), 3u);
  EXPECT_LT(std::filesystem::file_size(path), 1u << 20);
}

TEST(MeasurementStore, SeveralThreadsUseOneObject) {
  const TemporaryFolder folder;
  MeasurementStore store(folder / "store.db");
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([&store, t] {
      put_many(store, 10 * t, 10 * t + 20);
      for (int i = 10 * t; i < 10 * t + 20; ++i) EXPECT_TRUE(store.find(key_of(i)));
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(store.list().size(), 50u);
}

/// Writes rows until it cannot; says after each, through a pipe, that it was acknowledged.
void write_and_acknowledge(const std::filesystem::path& path, int pipe) {
  MeasurementStore store(path);
  for (int i = 0; i < 100000; ++i) {
    store.put(key_of(i), measurement_of(i), std::string(500, 't'));
    if (::write(pipe, &i, sizeof i) != sizeof i) return;
  }
}

TEST(MeasurementStore, AKillInTheMiddleOfWritingLosesNothingThatWasAcknowledged) {
  const TemporaryFolder folder;
  const auto path = folder / "store.db";
  for (int round = 0; round < 3; ++round) {
    int ends[2];
    ASSERT_EQ(::pipe(ends), 0);
    const pid_t child = in_child([&] { write_and_acknowledge(path, ends[1]); });
    ::close(ends[1]);
    int last = -1;
    int i = 0;
    while (::read(ends[0], &i, sizeof i) == sizeof i) {
      last = i;
      if (i == 20 + 7 * round) ::kill(child, SIGKILL);
    }
    ::close(ends[0]);
    EXPECT_TRUE(WIFSIGNALED(status_of(child)));
    ASSERT_GE(last, 20);
    MeasurementStore store(path);
    for (int row = 0; row <= last; ++row) ASSERT_TRUE(store.find(key_of(row))) << row;
    for (const StoredMeasurement& row : store.list()) EXPECT_FALSE(row.damaged);
  }
}

TEST(MeasurementStore, AFullDiskLosesNothingThatWasAcknowledged) {
  const TemporaryFolder folder;
  const auto path = folder / "store.db";
  int ends[2];
  ASSERT_EQ(::pipe(ends), 0);
  const pid_t child = in_child([&] {
    ::signal(SIGXFSZ, SIG_IGN);
    const rlimit limit{200000, 200000};
    ::setrlimit(RLIMIT_FSIZE, &limit);
    write_and_acknowledge(path, ends[1]);
  });
  ::close(ends[1]);
  int last = -1;
  int i = 0;
  while (::read(ends[0], &i, sizeof i) == sizeof i) last = i;
  ::close(ends[0]);
  const int status = status_of(child);
  ASSERT_TRUE(WIFEXITED(status));
  EXPECT_EQ(WEXITSTATUS(status), 1) << "the child was expected to meet its limit";
  ASSERT_GT(last, 3);
  MeasurementStore store(path);
  for (int row = 0; row <= last; ++row) ASSERT_TRUE(store.find(key_of(row))) << row;
  put_many(store, 5000, 5001);
  EXPECT_TRUE(store.find(key_of(5000)));
}

}  // namespace
}  // namespace bittern
