#include "host/base/json_text.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "host/base/error.h"
#include "host/base/json.h"

namespace bittern {
namespace {

using nlohmann::json;
using ::testing::HasSubstr;

const double kNan = std::numeric_limits<double>::quiet_NaN();
const double kInf = std::numeric_limits<double>::infinity();

TEST(JsonText, WritesWhatJsonHas) {
  EXPECT_EQ(json_text({{"a", {1, 2.5, nullptr}}}), R"({"a":[1,2.5,null]})");
  EXPECT_EQ(json_text({{"a", 1}}, 2), "{\n  \"a\": 1\n}");
}

TEST(JsonText, NamesThePlaceOfANumberThatIsNotFinite) {
  for (const double value : {kNan, kInf, -kInf}) {
    try {
      json_text({{"best", {{"layers", {1.0, value}}}}});
      ADD_FAILURE() << "wrote " << value;
    } catch (const Error& error) {
      EXPECT_THAT(error.what(), HasSubstr("best.layers[1] is "));
    }
  }
}

TEST(JsonNumber, GoesThereAndBack) {
  EXPECT_EQ(json_number(0.25), json(0.25));
  EXPECT_EQ(json_number(kNan), json("nan"));
  EXPECT_EQ(number_of_json(json_number(0.1 + 0.2)), 0.1 + 0.2);
  EXPECT_TRUE(std::isnan(number_of_json(json_number(kNan))));
  EXPECT_EQ(number_of_json(json_number(kInf)), kInf);
  EXPECT_EQ(number_of_json(json_number(-kInf)), -kInf);
  for (const json& other : {json(nullptr), json("1"), json::array(), json(true)}) {
    EXPECT_FALSE(is_json_number(other)) << other;
    EXPECT_THROW(number_of_json(other), Error) << other;
  }
}

TEST(JsonNumber, StandsForNumbersThatAreNotFiniteWhereverTheyAre) {
  EXPECT_EQ(with_json_numbers({{"a", {1, kNan}}, {"b", {{"c", -kInf}}}, {"d", "x"}}),
            (json{{"a", {1, "nan"}}, {"b", {{"c", "-inf"}}}, {"d", "x"}}));
  EXPECT_EQ(printed_json({{"a", kInf}}), "{\n  \"a\": \"inf\"\n}");
}

}  // namespace
}  // namespace bittern
