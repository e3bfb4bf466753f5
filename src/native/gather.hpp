// Rows of the data to a unit-major block, converted and scaled on the way, transposed in registers.
//
// Joining this with the first product, so that the unit-major values never leave the nearest cache, was measured
// and gains nothing.
#pragma once

#include "transpose.hpp"

namespace chainrule::CHAINRULE_ISA {

// Rows given by the addresses of their first values.
template <class T, class From>
struct Rows {
    const unsigned char* const* at;
    ptrdiff_t count;
    T scale;
    T* xr;  // where a row-major copy goes, or null
    ptrdiff_t ldxr;
};

// A square of values: `height` rows from r on, units from `first` on. Returns the sum of 0 * value, NaN where one is
// not finite.
template <class T, class From>
CHAINRULE_INLINE Vec<T> gather_square(const Rows<T, From>& rows, ptrdiff_t r, ptrdiff_t height, ptrdiff_t first, T* x, ptrdiff_t ldx) {
    constexpr int n = lanes<T>;
    Vec<T> v[n], trouble{};
    CHAINRULE_UNROLL
    for (int j = 0; j < n; ++j) {
        v[j] = Vec<T>{};
        if (j >= height) continue;
        v[j] = load_converted<T>(reinterpret_cast<const From*>(rows.at[r + j]) + first) * rows.scale;
        if constexpr (sizeof(From) > 1) trouble = fma<T>(v[j], Vec<T>{}, trouble);
        if (rows.xr != nullptr) store(rows.xr + (r + j) * rows.ldxr + first, v[j]);
    }
    transpose<T>(v);
    CHAINRULE_UNROLL
    for (int j = 0; j < n; ++j) store(x + j * ldx, v[j]);
    return trouble;
}

// All of a vector of rows where rows are shorter than a vector: value by value.
template <class T, class From>
CHAINRULE_INLINE Vec<T> gather_short(const Rows<T, From>& rows, ptrdiff_t r, ptrdiff_t height, ptrdiff_t units, T* x, ptrdiff_t ldx) {
    constexpr int n = lanes<T>;
    T trouble = 0;
    for (ptrdiff_t u = 0; u < units; ++u, x += ldx) {
        Vec<T> v{};
        CHAINRULE_UNROLL
        for (int j = 0; j < n; ++j) {
            if (j < height) v[j] = static_cast<T>(reinterpret_cast<const From*>(rows.at[r + j])[u]);
        }
        v *= rows.scale;
        store(x, v);
        trouble += horizontal_sum<T>(v * T(0));
        if (rows.xr == nullptr) continue;
        for (ptrdiff_t j = 0; j < height; ++j) rows.xr[(r + j) * rows.ldxr + u] = v[j];
    }
    return broadcast<T>(trouble);
}

// x[u * ldx + r] = xr[r * ldxr + u] = scale * row[r][u], with zeros up to the end of the last vector of rows in x, of
// units in xr (null: no copy). Blocks as in products.hpp. Returns whether every value is finite.
template <class T, class From>
inline bool gather(ptrdiff_t units, const Rows<T, From>& rows, T* x, ptrdiff_t ldx) {
    constexpr ptrdiff_t n = lanes<T>;
    Vec<T> trouble{};
    if (rows.xr != nullptr && units % n != 0) {
        for (ptrdiff_t r = 0; r < rows.count; ++r) store(rows.xr + r * rows.ldxr + units / n * n, Vec<T>{});
    }
    for (ptrdiff_t r = 0; r < rows.count; r += n) {
        const ptrdiff_t height = rows.count - r < n ? rows.count - r : n;
        if (units < n) {
            trouble += gather_short(rows, r, height, units, x + r, ldx);
            continue;
        }
        const ptrdiff_t last = units - n;  // the last square overlaps the one before
        for (ptrdiff_t u = 0; u <= last; u += n) {
            trouble += height == n ? gather_square(rows, r, n, u, x + u * ldx + r, ldx) : gather_square(rows, r, height, u, x + u * ldx + r, ldx);
        }
        if (units % n != 0) trouble += gather_square(rows, r, height, last, x + last * ldx + r, ldx);
    }
    return !any<T>(trouble != trouble);
}

}  // namespace chainrule::CHAINRULE_ISA
