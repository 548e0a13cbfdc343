#include <lamina.hpp>

int other_file() { return 0; }
