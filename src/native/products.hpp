// Products of a dense layer on unit-major blocks: value of unit u and row r at buffer[u * ld + r].
//
// Blocks: aligned to 64 bytes, ld a multiple of 64 bytes, every vector that holds one of the `rows` readable
// and writable. Results fill whole vectors; what lies behind the last row never enters a sum over rows.
// W, bias, dW, db: row-major parameters, any alignment, exactly the sizes named.
// Every function runs on the calling thread alone, and the same arguments give the same bits.
#pragma once

#include "panel.hpp"
#include "weights.hpp"

namespace chainrule::CHAINRULE_ISA {

template <class T>
CHAINRULE_INLINE ptrdiff_t vectors_of(ptrdiff_t rows) {
    return (rows + lanes<T> - 1) / lanes<T>;
}

// y = W^T x + bias: `in` units of x to `out` units of y.
template <class T>
inline void dense_forward(ptrdiff_t in, ptrdiff_t out, ptrdiff_t rows, const T* W, ptrdiff_t ldw, const T* bias, const T* x,
                          ptrdiff_t ldx, T* y, ptrdiff_t ldy, Prefetch* prefetch = nullptr) {
    Prefetch none;
    product<T, Along::m>({in, W, ldw, x, ldx, y, ldy, bias, false, prefetch ? prefetch : &none}, out, vectors_of<T>(rows));
}

// dx = W dy, or dx += W dy.
template <class T>
inline void dense_backward_input(ptrdiff_t in, ptrdiff_t out, ptrdiff_t rows, const T* W, ptrdiff_t ldw, const T* dy,
                                 ptrdiff_t ldy, T* dx, ptrdiff_t ldx, bool accumulate) {
    Prefetch none;
    product<T, Along::k>({out, W, ldw, dy, ldy, dx, ldx, nullptr, accumulate, &none}, in, vectors_of<T>(rows));
}

// dW = x dy^T and db = sums of dy over rows (db may be null), or += both.
//
// xr: the same x row-major, xr[r * ldxr + i], zeros from i = in up to a multiple of 64 bytes; null if there is none.
template <class T>
inline void dense_backward_weights(ptrdiff_t in, ptrdiff_t out, ptrdiff_t rows, const T* x, ptrdiff_t ldx, const T* xr,
                                   ptrdiff_t ldxr, const T* dy, ptrdiff_t ldy, T* dW, ptrdiff_t lddw, T* db,
                                   bool accumulate, Prefetch* prefetch = nullptr) {
    Prefetch none;
    const WeightGradient<T> g{in, out, rows, x, ldx, xr, ldxr, dy, ldy, dW, lddw, accumulate, prefetch ? prefetch : &none};
    if (prefer_dots(g)) {
        weights_by_dots(g);
    } else {
        weights_by_features(g);
    }
    if (db != nullptr) sum_rows<T>(out, rows, dy, ldy, db, accumulate);
}

}  // namespace chainrule::CHAINRULE_ISA
