/// A run allocates nothing.
#include "engine/allocations.hpp"
#include <catch2/catch_test_macros.hpp>
#include <lamina/threads/pool.hpp>

using namespace lamina;

TEST_CASE("threads: a run allocates nothing once its threads have started") {
  for (const int n : {1, 2, 4}) {
    set_num_threads(n);
    int values[64]{};
    const auto square = [&](int part) { values[part] = part * part; };
    const long before = allocations();
    threads::run(2, square);
    const long started = allocations();
    for (int i = 0; i < 1000; ++i)
      for (const int parts : {1, 2, 4, 64}) threads::run(parts, square);
    const long after = allocations();
    CHECK((started > before) == (n > 1));  // starting threads allocates
    CHECK(after == started);
    CHECK(values[63] == 63 * 63);
  }
}
