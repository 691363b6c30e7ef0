// What names of files and folders tell.
#include "uir/survey/names.h"

#include "support/catch.h"

using namespace uir;

TEST_CASE("A role is a word of a name, not a part of a word", "[survey]") {
  CHECK(role_of_name("faces") == Role::kLabeled);
  CHECK(role_of_name("Test") == Role::kTest);
  CHECK(role_of_name("lfw_test-2") == Role::kTest);
  CHECK(role_of_name("train_unlabeled") == Role::kUnlabeled);
  CHECK(role_of_name("train_labeled") == Role::kLabeled);
  CHECK(role_of_name("web2") == Role::kUnlabeled);
  CHECK_FALSE(role_of_name("contest"));
  CHECK_FALSE(role_of_name("Webster"));
  CHECK_FALSE(role_of_name("lfw"));
  CHECK_FALSE(role_of_name(""));
  CHECK(is_role_name("Val"));
  CHECK_FALSE(is_role_name("my_test"));
  CHECK_FALSE(is_role_name("lfw"));
}

TEST_CASE("Names of AgeDB's images tell the person", "[survey]") {
  CHECK(agedb_person("12_MariaCallas_35_f.jpg") == "MariaCallas");
  CHECK(agedb_person("7_Jean_Paul_60_m.jpg") == "Jean_Paul");
  for (const char* other :
       {"Ann_0001.jpg", "1.jpg", "x_Ann_35_f.jpg", "1_Ann_35_x.jpg", "1__35_f.jpg", "1_35_f.jpg"})
    CHECK(agedb_person(other).empty());
}

TEST_CASE("Names of sources hold letters, digits, _ and -", "[survey]") {
  CHECK(source_name("lfw-112X112") == "lfw-112X112");
  CHECK(source_name("my faces (old)") == "my_faces_old");
  CHECK(source_name("\xc3\xa9t\xc3\xa9") == "t");
  CHECK(source_name("...") == "data");
}
