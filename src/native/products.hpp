// Products of a dense layer on unit-major blocks: value of unit u and row r at buffer[u * ld + r].
//
// Blocks: aligned to 64 bytes, ld a multiple of 64 bytes, every vector that holds one of the `rows` readable
// and writable. Results fill whole vectors; what lies behind the last row never enters a sum over rows.
// W, bias, dW, db: row-major parameters, any alignment, exactly the sizes named.
// Every function runs on the calling thread alone, and the same arguments give the same bits. A tile of units is a call with
// moved pointers: units o ... of y with W + o, bias + o, y + o * ldy; units i ... of dx, dW with W + i * ldw, dx + i * ldx,
// dW + i * lddw, x + i * ldx.
#pragma once

#include "few.hpp"
#include "panel.hpp"

namespace chainrule::CHAINRULE_ISA {

template <class T>
CHAINRULE_INLINE ptrdiff_t vectors_of(ptrdiff_t rows) {
    return (rows + lanes<T> - 1) / lanes<T>;
}

// Terms added up in one go: beyond this, the vectors of x that every unit reads again would leave the L2 cache.
template <class T>
inline constexpr ptrdiff_t most_terms = 4096 / static_cast<ptrdiff_t>(sizeof(T));

// Whether so much of x is zero that leaving it out is faster than the whole product in larger tiles.
template <class T>
CHAINRULE_INLINE bool mostly_zero(const Nonzero& known, ptrdiff_t in, ptrdiff_t rows) {
    const ptrdiff_t vectors = vectors_of<T>(rows);
    ptrdiff_t set = 0;
    for (ptrdiff_t i = 0; i < vectors * known.feature_words; ++i) set += __builtin_popcountll(known.features[i]);
    return 8 * set < 7 * vectors * in;
}

// y = W^T x + bias without the zeros of x; W must be finite.
template <class T>
inline void forward_nonzero(const Nonzero& known, ptrdiff_t in, ptrdiff_t out, ptrdiff_t rows, const T* W, ptrdiff_t ldw,
                                  const T* bias, const T* x, ptrdiff_t ldx, T* y, ptrdiff_t ldy, Prefetch* prefetch) {
    in_parts(in, most_terms<T>, [&](ptrdiff_t k, ptrdiff_t count) __attribute__((always_inline)) {
        in_parts(out, nonzero_unit_limit, [&](ptrdiff_t m, ptrdiff_t height) __attribute__((always_inline)) {
            for (ptrdiff_t v = 0; v < vectors_of<T>(rows); ++v) {
                nonzero_panels<T>.of[height - 1]({known.features + v * known.feature_words, k, k + count, W + m, ldw,
                                                  x + v * lanes<T>, ldx, y + m * ldy + v * lanes<T>, ldy,
                                                  k == 0 && bias != nullptr ? bias + m : nullptr, k > 0, prefetch});
            }
        });
    });
}

// y = W^T x + bias (which may be null): `in` units of x to `out` units of y. nonzero: what is known of x, or null.
template <class T>
inline void dense_forward(ptrdiff_t in, ptrdiff_t out, ptrdiff_t rows, const T* W, ptrdiff_t ldw, const T* bias, const T* x,
                          ptrdiff_t ldx, T* y, ptrdiff_t ldy, const Nonzero* nonzero = nullptr, Prefetch* prefetch = nullptr) {
    Prefetch none;
    if (nonzero != nullptr && mostly_zero<T>(*nonzero, in, rows) && all_finite(W, in, out, ldw)) {
        forward_nonzero<T>(*nonzero, in, out, rows, W, ldw, bias, x, ldx, y, ldy, prefetch ? prefetch : &none);
        return;
    }
    in_parts(in, most_terms<T>, [&](ptrdiff_t k, ptrdiff_t count) __attribute__((always_inline)) {
        product<T, Along::m>({count, W + k * ldw, ldw, x + k * ldx, ldx, y, ldy, k == 0 ? bias : nullptr, k > 0,
                              prefetch ? prefetch : &none}, out, vectors_of<T>(rows));
    });
}

// dx = W dy, or dx += W dy.
template <class T>
inline void dense_backward_input(ptrdiff_t in, ptrdiff_t out, ptrdiff_t rows, const T* W, ptrdiff_t ldw, const T* dy,
                                 ptrdiff_t ldy, T* dx, ptrdiff_t ldx, bool accumulate) {
    if (is_small<T>(in, out, rows)) return backward_of_few(in, out, W, ldw, dy, ldy, dx, ldx, accumulate);
    Prefetch none;
    in_parts(out, most_terms<T>, [&](ptrdiff_t k, ptrdiff_t count) __attribute__((always_inline)) {
        product<T, Along::k>({count, W + k, ldw, dy + k * ldy, ldy, dx, ldx, nullptr, accumulate || k > 0, &none}, in,
                             vectors_of<T>(rows));
    });
}

// dW = x dy^T and db = sums of dy over rows (db may be null), or += both. nonzero: what is known of x, or null.
template <class T>
inline void dense_backward_weights(ptrdiff_t in, ptrdiff_t out, ptrdiff_t rows, const T* x, ptrdiff_t ldx, const T* dy,
                                   ptrdiff_t ldy, T* dW, ptrdiff_t lddw, T* db, bool accumulate,
                                   const Nonzero* nonzero = nullptr, Prefetch* prefetch = nullptr) {
    Prefetch none;
    const WeightGradient<T> g{in, out, rows, x, ldx, dy, ldy, dW, lddw, accumulate, prefetch ? prefetch : &none, nonzero};
    if (are_few(g, db)) {
        weights_of_few(g, db);
    } else if (prefer_dots(g)) {
        weights_by_dots(g, db);
    } else {
        weights_by_outputs(g);
        if (db != nullptr) sum_rows<T>(out, rows, dy, ldy, db, accumulate);
    }
}

}  // namespace chainrule::CHAINRULE_ISA
