// Rows of the data to a unit-major block, converted and scaled on the way, transposed in registers.
//
// Joining this with the first product, so that the unit-major values never leave the nearest cache, was measured
// and gains nothing.
#pragma once

#include "nonzero.hpp"
#include "transpose.hpp"

namespace chainrule::CHAINRULE_ISA {

// Rows given by the addresses of their first values.
template <class T, class From>
struct Rows {
    const unsigned char* const* at;
    ptrdiff_t count;
    T scale;
    const Nonzero* nonzero;  // where it is noted what is not zero, or null; cleared
    ptrdiff_t first;         // of these rows in `nonzero`
};

// Notes that in rows from `row` on, units from `first` on, those units are not zero somewhere.
CHAINRULE_INLINE void note_features(const Nonzero& known, ptrdiff_t vector, ptrdiff_t first, std::uint64_t bits) {
    std::uint64_t* words = known.features + vector * known.feature_words + first / 64;
    words[0] |= bits << (first % 64);
    if (const std::uint64_t over = first % 64 == 0 ? 0 : bits >> (64 - first % 64)) words[1] |= over;
}

template <class T>
CHAINRULE_INLINE void note_rows(const Nonzero& known, ptrdiff_t row, ptrdiff_t first, const Vec<T> (&v)[lanes<T>]) {
    constexpr int n = lanes<T>, together = n < features_together ? n : features_together;
    const auto note = [&](ptrdiff_t unit, Mask<T> any_bit) __attribute__((always_inline)) {
        known.rows[unit / features_together * known.row_words + row / 64] |= nonzero_lanes<T>(any_bit) << (row % 64);
    };
    if (first % together == 0) {
        CHAINRULE_UNROLL
        for (int j = 0; j < n; j += together) {
            Mask<T> any_bit = bits<T>(v[j]);
            CHAINRULE_UNROLL
            for (int i = 1; i < together; ++i) any_bit |= bits<T>(v[j + i]);
            note(first + j, any_bit);
        }
    } else {
        for (int j = 0; j < n; ++j) note(first + j, bits<T>(v[j]));
    }
}

// A square of values: `height` rows from r on, units from `first` on. Returns the sum of 0 * value, NaN where one is
// not finite.
template <class T, class From>
CHAINRULE_INLINE Vec<T> gather_square(const Rows<T, From>& rows, ptrdiff_t r, ptrdiff_t height, ptrdiff_t first, T* x, ptrdiff_t ldx) {
    constexpr int n = lanes<T>;
    Vec<T> v[n], trouble{};
    Mask<T> any_bit{};
    CHAINRULE_UNROLL
    for (int j = 0; j < n; ++j) {
        v[j] = Vec<T>{};
        if (j >= height) continue;
        v[j] = load_converted<T>(reinterpret_cast<const From*>(rows.at[r + j]) + first) * rows.scale;
        if constexpr (sizeof(From) > 1) trouble = fma<T>(v[j], Vec<T>{}, trouble);
        any_bit |= bits<T>(v[j]);
    }
    std::uint64_t found = 1;
    if (rows.nonzero != nullptr) {
        found = nonzero_lanes<T>(any_bit);
        note_features(*rows.nonzero, (rows.first + r) / n, first, found);
    }
    if (found != 0) {
        transpose<T>(v);
        if (rows.nonzero != nullptr) note_rows<T>(*rows.nonzero, rows.first + r, first, v);
    }
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
    }
    return broadcast<T>(trouble);
}

// x[u * ldx + r] = scale * row[r][u], with zeros up to the end of the last vector of rows. Blocks as in products.hpp.
// What is not zero is noted where there is a place for it and rows are as long as a vector. Returns whether every value is
// finite.
template <class T, class From>
inline bool gather(ptrdiff_t units, const Rows<T, From>& rows, T* x, ptrdiff_t ldx) {
    constexpr ptrdiff_t n = lanes<T>;
    Vec<T> trouble{};
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
