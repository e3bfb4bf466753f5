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

// Values `first` ... `first + width` (at most a vector) of a vector of rows. Returns the sum of 0 * value, which is NaN
// where a value is not finite.
template <class T, class From, bool Whole>
CHAINRULE_INLINE Vec<T> gather_tile(const Rows<T, From>& rows, ptrdiff_t r, ptrdiff_t first, ptrdiff_t width, T* x,
                                    ptrdiff_t ldx) {
    constexpr int n = lanes<T>;
    Vec<T> trouble{};
    const ptrdiff_t height = rows.count - r < n ? rows.count - r : n;
    Vec<T> v[n];
    CHAINRULE_UNROLL
    for (int j = 0; j < n; ++j) {
        if (Whole || j < height) {
            const From* from = reinterpret_cast<const From*>(rows.at[r + j]) + first;
            if (Whole || width == n) {
                v[j] = load_converted<T>(from) * rows.scale;
            } else {
                From some[n] = {};
                __builtin_memcpy(some, from, static_cast<std::size_t>(width) * sizeof(From));
                v[j] = load_converted<T>(static_cast<const From*>(some)) * rows.scale;
            }
            if constexpr (sizeof(From) > 1) trouble = fma<T>(v[j], Vec<T>{}, trouble);
            if (rows.xr != nullptr) store(rows.xr + (r + j) * rows.ldxr + first, v[j]);
        } else {
            v[j] = Vec<T>{};
        }
    }
    transpose<T>(v);
    CHAINRULE_UNROLL
    for (int j = 0; j < n; ++j) {
        if (Whole || j < width) store(x + j * ldx, v[j]);
    }
    return trouble;
}

// Units `first` ... `first + units` of the vector of rows from r on.
template <class T, class From>
CHAINRULE_INLINE Vec<T> gather_units(const Rows<T, From>& rows, ptrdiff_t r, ptrdiff_t first, ptrdiff_t units, T* x,
                                     ptrdiff_t ldx) {
    constexpr ptrdiff_t n = lanes<T>;
    Vec<T> trouble{};
    ptrdiff_t u = 0;
    if (rows.count - r >= n) {
        for (; u + n <= units; u += n) trouble += gather_tile<T, From, true>(rows, r, first + u, n, x + u * ldx, ldx);
    }
    for (; u < units; u += n) {
        trouble += gather_tile<T, From, false>(rows, r, first + u, units - u < n ? units - u : n, x + u * ldx, ldx);
    }
    return trouble;
}

// x[u * ldx + r] = xr[r * ldxr + u] = scale * row[r][u], with zeros up to the end of the last vector of rows in x, of
// units in xr (null: no copy). Blocks as in products.hpp. Returns whether every value is finite.
template <class T, class From>
inline bool gather(ptrdiff_t units, const Rows<T, From>& rows, T* x, ptrdiff_t ldx) {
    Vec<T> trouble{};
    for (ptrdiff_t r = 0; r < rows.count; r += lanes<T>) trouble += gather_units(rows, r, 0, units, x + r, ldx);
    return !any<T>(trouble != trouble);
}

}  // namespace chainrule::CHAINRULE_ISA
