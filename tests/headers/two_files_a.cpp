// Two files of one program include everything: what is defined in a header must be inline. Its flags are also those of
// every compilation of tools/compile_check.py.
#include <lamina.hpp>

int other_file();

int main() { return other_file(); }
