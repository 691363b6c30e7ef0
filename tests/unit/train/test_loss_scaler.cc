#include <string>

#include "support/catch.h"
#include "uir/train/loss_scaler.h"

using namespace uir;

TEST_CASE("loss scaler: doubled after 2000 good steps, halved on each bad one") {
  LossScaler scaler;
  CHECK(scaler.scale() == 65536);
  for (int i = 0; i < 1999; ++i) scaler.update(true);
  CHECK(scaler.scale() == 65536);
  scaler.update(true);
  CHECK(scaler.scale() == 131072);
  for (int i = 0; i < 1999; ++i) scaler.update(true);
  scaler.update(false);  // the count starts anew
  CHECK(scaler.scale() == 65536);
  scaler.update(false);
  CHECK(scaler.scale() == 32768);
  for (int i = 0; i < 1999; ++i) scaler.update(true);
  CHECK(scaler.scale() == 32768);
  scaler.update(true);
  CHECK(scaler.scale() == 65536);
}

TEST_CASE("loss scaler: its state comes back through JSON text") {
  LossScaler scaler;
  for (int i = 0; i < 20; ++i) scaler.update(false);
  for (int i = 0; i < 1500; ++i) scaler.update(true);
  LossScaler resumed;
  resumed.load_state(Json::parse(scaler.state().dump()));
  CHECK(resumed.scale() == 0.0625);
  for (int i = 0; i < 500; ++i) resumed.update(true);
  CHECK(resumed.scale() == 0.125);
}

TEST_CASE("loss scaler: a malformed state is refused and changes nothing") {
  LossScaler scaler;
  for (const char* text :
       {"{}", "[]", R"({"scale":65536})", R"({"scale":"x","good_steps":0})", R"({"scale":0,"good_steps":0})",
        R"({"scale":-2,"good_steps":0})", R"({"scale":3,"good_steps":0})", R"({"scale":2,"good_steps":-1})",
        R"({"scale":2,"good_steps":2000})", R"({"scale":null,"good_steps":0})"}) {
    INFO(text);
    try {
      scaler.load_state(Json::parse(text));
      FAIL_CHECK("accepted");
    } catch (const Error& e) {
      CHECK(e.kind() == ErrorKind::kData);
    }
  }
  CHECK(scaler.scale() == 65536);
}
