#define FAKE_LEVEL_ZERO_OLD 1
#include "fake_level_zero.cc"
