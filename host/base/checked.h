#pragma once

#include <type_traits>

#include "host/base/error.h"

namespace bittern {

/// a * b. Throws Error "<what>: more than ... can count" when the product does not fit the type.
template <typename Integer>
Integer checked_product(Integer a, Integer b, const char* what) {
  static_assert(std::is_integral_v<Integer>);
  Integer product{};
  if (__builtin_mul_overflow(a, b, &product)) {
    fail("{}: more than {} bits can count", what, 8 * sizeof(Integer));
  }
  return product;
}

/// Adds b to a. Throws Error likewise.
template <typename Integer>
void checked_add(Integer& a, Integer b, const char* what) {
  static_assert(std::is_integral_v<Integer>);
  if (__builtin_add_overflow(a, b, &a)) {
    fail("{}: more than {} bits can count", what, 8 * sizeof(Integer));
  }
}

}  // namespace bittern
