// Rows of the data to a unit-major block, converted and scaled on the way, transposed in registers.
#pragma once

#include "panel.hpp"
#include "transpose.hpp"

namespace chainrule::CHAINRULE_ISA {

// `rows` rows of `units` values each, given by the addresses of their first values, to
//     x[u * ldx + r] = scale * row[r][u]    zeros from r = rows to the end of the vector
//     xr[r * ldxr + u], unless xr is null   zeros from u = units to the end of the vector
// Blocks aligned as in products.hpp. Returns whether every value is finite.
template <class T, class From>
CHAINRULE_INLINE bool gather(ptrdiff_t units, ptrdiff_t rows, const unsigned char* const* row, T scale, T* x, ptrdiff_t ldx,
                             T* xr, ptrdiff_t ldxr) {
    constexpr int n = lanes<T>;
    Vec<T> trouble{};  // 0 * value: NaN for all that is not finite
    for (ptrdiff_t r = 0; r < rows; r += n) {
        const ptrdiff_t height = rows - r < n ? rows - r : n;
        const From* from[n];
        for (int j = 0; j < n; ++j) from[j] = reinterpret_cast<const From*>(row[r + (j < height ? j : 0)]);
        const auto tile = [&](ptrdiff_t u, ptrdiff_t width, auto read) __attribute__((always_inline)) {
            Vec<T> v[n];
            CHAINRULE_UNROLL
            for (int j = 0; j < n; ++j) {
                v[j] = read(from[j] + u) * scale;
                if constexpr (sizeof(From) > 1) trouble = fma<T>(v[j], Vec<T>{}, trouble);
                if (j >= height) v[j] = Vec<T>{};
                if (xr != nullptr && j < height) store(xr + (r + j) * ldxr + u, v[j]);
            }
            transpose<T>(v);
            T* to = x + u * ldx + r;
            if (width == n) {
                CHAINRULE_UNROLL
                for (int j = 0; j < n; ++j) store(to + j * ldx, v[j]);
            } else {
                CHAINRULE_UNROLL
                for (int j = 0; j < n; ++j) {
                    if (j < width) store(to + j * ldx, v[j]);
                }
            }
        };
        ptrdiff_t u = 0;
        for (; u + n <= units; u += n) {
            tile(u, n, [](const From* p) __attribute__((always_inline)) { return load_converted<T>(p); });
        }
        if (u < units) {
            const ptrdiff_t width = units - u;
            tile(u, width, [&](const From* p) __attribute__((always_inline)) {
                alignas(vector_bytes) From some[n] = {};
                __builtin_memcpy(some, p, static_cast<std::size_t>(width) * sizeof(From));
                return load_converted<T>(some);
            });
        }
    }
    return !any<T>(trouble != trouble);
}

}  // namespace chainrule::CHAINRULE_ISA
