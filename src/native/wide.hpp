// Products of wide layers: blocks of both operands that fit the caches, packed so that the inner loop reads
// memory in order. The caller divides the output into ranges of units and may run them on several threads; every
// range packs what it reads by itself, so that no range waits for another and the same ranges give the same bits.
#pragma once

#include "weights.hpp"

namespace chainrule::CHAINRULE_ISA {

inline constexpr ptrdiff_t wide_depth = 256;  // values of k in a block

template <class T>
inline constexpr ptrdiff_t wide_columns = 16 * lanes<T>;  // lanes of c in a block

// Elements of scratch memory (aligned to 64 bytes) that each running range needs.
template <class T>
inline constexpr ptrdiff_t wide_scratch = wide_depth * (wide_columns<T> + most_units) + 64 + most_units * most_vectors * lanes<T>;

// b[k * ldb + lane] for `vectors` vectors, to blocks of most_vectors vectors each, k after k.
template <class T>
CHAINRULE_INLINE void pack_rows(const T* b, ptrdiff_t ldb, ptrdiff_t count, ptrdiff_t vectors, T* packed) {
    constexpr ptrdiff_t n = lanes<T>;
    in_parts(vectors, most_vectors, [&](ptrdiff_t first, ptrdiff_t width) __attribute__((always_inline)) {
        for (ptrdiff_t k = 0; k < count; ++k) {
            for (ptrdiff_t v = 0; v < width; ++v, packed += n) store(packed, load(b + k * ldb + (first + v) * n));
        }
    });
}

// The same from b held lane by lane: b[lane * ldb + k]. Lanes from `width` on become zero; reads k up to a whole vector.
template <class T>
CHAINRULE_INLINE void pack_columns(const T* b, ptrdiff_t ldb, ptrdiff_t count, ptrdiff_t columns, T* packed) {
    constexpr ptrdiff_t n = lanes<T>;
    in_parts((columns + n - 1) / n, most_vectors, [&](ptrdiff_t first, ptrdiff_t width) __attribute__((always_inline)) {
        for (ptrdiff_t v = 0; v < width; ++v) {
            for (ptrdiff_t k = 0; k < count; k += n) {
                Vec<T> block[n];
                CHAINRULE_UNROLL
                for (int j = 0; j < n; ++j) {
                    const ptrdiff_t column = (first + v) * n + j;
                    block[j] = column < columns ? load(b + column * ldb + k) : Vec<T>{};
                }
                transpose<T>(block);
                CHAINRULE_UNROLL
                for (int j = 0; j < n; ++j) {
                    if (k + j < count) store(packed + ((k + j) * width + v) * n, block[j]);
                }
            }
        }
        packed += count * width * n;
    });
}

// a[k * lda + m] for `units` adjacent values of m, packed k after k.
template <class T>
CHAINRULE_INLINE void pack_units(const T* a, ptrdiff_t lda, ptrdiff_t count, ptrdiff_t units, T* packed) {
    for (ptrdiff_t k = 0; k < count; ++k) {
        for (ptrdiff_t m = 0; m < units; ++m) packed[k * units + m] = a[k * lda + m];
    }
}

// c for `units` values of m from packed b. `columns` counts the lanes of c that exist: a last vector that is only
// partly there goes through `edge`.
template <class T, Along Direction>
CHAINRULE_INLINE void wide_block(const T* a, ptrdiff_t lda, ptrdiff_t units, const T* packed, ptrdiff_t count, ptrdiff_t columns,
                       T* c, ptrdiff_t ldc, const T* bias, bool accumulate, T* edge) {
    constexpr ptrdiff_t n = lanes<T>;
    Prefetch none;
    in_parts((columns + n - 1) / n, most_vectors, [&](ptrdiff_t first, ptrdiff_t width) __attribute__((always_inline)) {
        const ptrdiff_t present = columns - first * n < width * n ? columns - first * n : width * n;
        const auto kernel = panels<T, Direction>.of[width - 1][units - 1];
        if (present == width * n) {
            kernel({count, a, lda, packed, width * n, c + first * n, ldc, bias, accumulate, &none});
        } else {
            kernel({count, a, lda, packed, width * n, edge, most_vectors * n, bias, false, &none});
            for (ptrdiff_t m = 0; m < units; ++m) {
                T* to = c + m * ldc + first * n;
                for (ptrdiff_t j = 0; j < present; ++j) to[j] = edge[m * most_vectors * n + j] + (accumulate ? to[j] : T(0));
            }
        }
        packed += count * width * n;
    });
}

// y for the units first_unit ... last_unit - 1 of a layer with `in` inputs.
template <class T>
inline void wide_forward(ptrdiff_t in, ptrdiff_t first_unit, ptrdiff_t last_unit, ptrdiff_t rows, const T* W, ptrdiff_t ldw,
                         const T* bias, const T* x, ptrdiff_t ldx, T* y, ptrdiff_t ldy, T* scratch) {
    constexpr ptrdiff_t n = lanes<T>;
    T* packed = scratch;
    T* values = scratch + wide_depth * wide_columns<T>;
    for (ptrdiff_t r = 0; r < rows; r += wide_columns<T>) {
        const ptrdiff_t columns = round_up(rows - r < wide_columns<T> ? rows - r : wide_columns<T>, n);
        for (ptrdiff_t k = 0; k < in; k += wide_depth) {
            const ptrdiff_t count = in - k < wide_depth ? in - k : wide_depth;
            pack_rows(x + k * ldx + r, ldx, count, columns / n, packed);
            in_parts(last_unit - first_unit, unit_limit(most_vectors), [&](ptrdiff_t m, ptrdiff_t units) __attribute__((always_inline)) {
                const ptrdiff_t unit = first_unit + m;
                pack_units(W + k * ldw + unit, ldw, count, units, values);
                wide_block<T, Along::m>(values, units, units, packed, count, columns, y + unit * ldy + r, ldy,
                                        bias != nullptr && k == 0 ? bias + unit : nullptr, k > 0, nullptr);
            });
        }
    }
}

// dx for the units first_unit ... last_unit - 1 of the layer below; `out` units above.
template <class T>
inline void wide_backward_input(ptrdiff_t first_unit, ptrdiff_t last_unit, ptrdiff_t out, ptrdiff_t rows, const T* W,
                                ptrdiff_t ldw, const T* dy, ptrdiff_t ldy, T* dx, ptrdiff_t ldx, bool accumulate, T* scratch) {
    constexpr ptrdiff_t n = lanes<T>;
    for (ptrdiff_t r = 0; r < rows; r += wide_columns<T>) {
        const ptrdiff_t columns = round_up(rows - r < wide_columns<T> ? rows - r : wide_columns<T>, n);
        for (ptrdiff_t k = 0; k < out; k += wide_depth) {
            const ptrdiff_t count = out - k < wide_depth ? out - k : wide_depth;
            pack_rows(dy + k * ldy + r, ldy, count, columns / n, scratch);
            in_parts(last_unit - first_unit, unit_limit(most_vectors), [&](ptrdiff_t m, ptrdiff_t units) __attribute__((always_inline)) {
                const ptrdiff_t unit = first_unit + m;
                wide_block<T, Along::k>(W + unit * ldw + k, ldw, units, scratch, count, columns, dx + unit * ldx + r, ldx,
                                        nullptr, accumulate || k > 0, nullptr);
            });
        }
    }
}

// dW[i][o] for the inputs first_input ... last_input - 1. (db: sum_rows.)
template <class T>
inline void wide_backward_weights(ptrdiff_t first_input, ptrdiff_t last_input, ptrdiff_t out, ptrdiff_t rows, const T* x,
                                  ptrdiff_t ldx, const T* dy, ptrdiff_t ldy, T* dW, ptrdiff_t lddw, bool accumulate, T* scratch) {
    T* edge = scratch + wide_depth * (wide_columns<T> + most_units) + 64;
    for (ptrdiff_t o = 0; o < out; o += wide_columns<T>) {
        const ptrdiff_t columns = out - o < wide_columns<T> ? out - o : wide_columns<T>;
        for (ptrdiff_t r = 0; r < rows; r += wide_depth) {
            const ptrdiff_t count = rows - r < wide_depth ? rows - r : wide_depth;
            pack_columns(dy + o * ldy + r, ldy, count, columns, scratch);
            in_parts(last_input - first_input, unit_limit(most_vectors), [&](ptrdiff_t m, ptrdiff_t units) __attribute__((always_inline)) {
                const ptrdiff_t i = first_input + m;
                wide_block<T, Along::k>(x + i * ldx + r, ldx, units, scratch, count, columns, dW + i * lddw + o, lddw, nullptr,
                                        accumulate || r > 0, edge);
            });
        }
    }
}

}  // namespace chainrule::CHAINRULE_ISA
